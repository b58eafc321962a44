"""The RP2040's and RP2350's own ADC as a `hal.FrameSource`: round robin, FIFO and DMA.

The converter goes round its inputs by itself, one conversion each 1/(inputs * rate); its FIFO asks
the DMA, which fills a ring (drivers/rp2_dma_ring.py). `take` looks each 12-bit code up in a table
of 4096 signed 24-bit codes: metrology/linearity.py makes it from the chip's own calibration. Up to
four inputs on the small packages, eight on the RP2350B. Registers: RP2040 data sheet "ADC and
temperature sensor", RP2350 data sheet the same, addressed through `machine.mem32`.

Inputs are sampled one after the other; `skew_ns` says by how much each phase's voltage is taken
later than its current. All share the converter, so one table serves them; production measures it
by `count_codes` while an input gets a ramp.
"""

import asyncio
import time
from array import array

from micropython import const

from drivers.rp2_dma_ring import HALF_WORDS, DmaRing

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import Timer

    from hal import Registers


_BASE_RP2040 = const(0x4004C000)
_BASE_RP2350 = const(0x400A0000)
_TREQ_RP2040 = const(36)
_TREQ_RP2350 = const(48)

_CS = const(0x00)
_FCS = const(0x08)
_FIFO = const(0x0C)
_DIV = const(0x10)

_CS_EN = const(0x1)
_CS_START_MANY = const(0x8)
_CS_READY = const(0x100)
_CS_AINSEL = const(12)
_CS_RROBIN = const(16)
_FCS_EN = const(0x1)
_FCS_ERR = const(0x4)  # bit 15 of a FIFO entry marks a failed conversion
_FCS_DREQ_EN = const(0x8)
_FCS_EMPTY = const(0x100)
_FCS_UNDER = const(0x400)  # cleared by writing 1
_FCS_OVER = const(0x800)  # cleared by writing 1: entries are lost, their order with them
_FCS_THRESH = const(24)

_CLOCK_HZ = const(48_000_000)
_CONVERSION_CLOCKS = const(96)
_CODES = const(4096)
_COUNT_MAX = const(65535)
_FIFO_DEPTH = const(8)

_RING_FRAMES = const(512)
_MARGIN_FRAMES = const(16)
_BEAT_MS = const(10)
_SILENT_BEATS = const(10)
_BEATS_A_SECOND = const(100)


class Rp2Adc:
    """The ADC with `inputs` (numbers of the converter, rising), each made an ADC pin by the board.

    `roles` lists, for each word of the meter's frame, the place in `inputs` that measures it;
    places may repeat, as where several circuits share one voltage. `table` is that of
    `metrology.linearity.codes_table`. Raises ValueError for inputs or a rate that cannot be.
    """

    def __init__(
        self,
        registers: "Registers",
        timer: "Timer",
        inputs: "list[int]",
        roles: "list[int]",
        table: "array[int]",
        rate_hz: int = 4000,
        rp2350: bool = False,
    ) -> None:
        if inputs != sorted(set(inputs)) or not 1 <= len(inputs) <= 8:
            raise ValueError("ADC: inputs must rise")
        if inputs[0] < 0 or inputs[-1] > (7 if rp2350 else 3):
            raise ValueError("ADC: no such input")
        if not roles or not 0 <= min(roles) <= max(roles) < len(inputs):
            raise ValueError("ADC: roles")
        if len(table) != _CODES:
            raise ValueError("ADC: table")
        clocks = _CLOCK_HZ // (rate_hz * len(inputs)) if rate_hz > 0 else 0
        if not _CONVERSION_CLOCKS <= clocks <= 65536:
            raise ValueError("ADC: rate")
        self.channels = len(roles)
        # The divider is whole: the rate is what it makes, not what was wished.
        self.rate_mhz = (_CLOCK_HZ * 1000 + clocks * len(inputs) // 2) // (clocks * len(inputs))
        self.lost = 0
        self.errors = 0
        self.restarts = 0
        self.skew_ns = [
            (roles[word] - roles[word + 1]) * clocks * 125 // 6  # 1e9 / 48e6
            for word in range(0, len(roles) - 1, 2)
        ]
        self.counts: array[int] | None = None  # how often each code came, see count_codes
        self._counted = 0
        self._registers = registers
        self._timer = timer
        self._inputs = inputs
        self._roles = roles
        self._table = table
        self._clocks = clocks
        self._base = _BASE_RP2350 if rp2350 else _BASE_RP2040
        self._treq = _TREQ_RP2350 if rp2350 else _TREQ_RP2040
        self._ring = array("H", bytes(2 * _RING_FRAMES * len(inputs)))
        self._dma: DmaRing | None = None
        self._seen = 0  # frames captured, modulo the ring's laps: when it was looked at last
        self._ready = 0  # frames captured and not taken
        self._first = 0  # place of the oldest of them in the ring
        self._good = array("i", bytes(4 * len(roles)))  # for a conversion that failed
        self._beats = 0
        self._flag = asyncio.ThreadSafeFlag()
        self._tick = self._beat

    def start(self) -> None:
        """Switch the converter on and begin to capture. Raises OSError if it does not answer."""
        self.stop()
        registers = self._registers
        base = self._base
        registers[base + _CS] = _CS_EN
        time.sleep_us(10)  # READY comes after a few clocks
        if not registers[base + _CS] & _CS_READY:
            raise OSError("ADC: not ready")
        registers[base + _FCS] = _FCS_EN
        for _ in range(_FIFO_DEPTH):
            if not registers[base + _FCS] & _FCS_EMPTY:
                registers[base + _FIFO]  # what an earlier run has left
        registers[base + _FCS] = (
            _FCS_EN | _FCS_ERR | _FCS_DREQ_EN | _FCS_UNDER | _FCS_OVER | 1 << _FCS_THRESH
        )
        registers[base + _DIV] = (self._clocks - 1) << 8
        robin = 0
        for number in self._inputs:
            robin |= 1 << number
        self._seen = self._ready = self._first = self._beats = 0
        self._dma = DmaRing(self._ring, base + _FIFO, self._treq, HALF_WORDS)
        control = _CS_EN | self._inputs[0] << _CS_AINSEL
        if len(self._inputs) > 1:
            control |= robin << _CS_RROBIN
        registers[base + _CS] = control | _CS_START_MANY
        self._timer.init(mode=self._timer.PERIODIC, period=_BEAT_MS, callback=self._tick)

    def stop(self) -> None:
        """End the capture; harmless before start."""
        if self._dma is None:
            return
        self._timer.deinit()
        self._registers[self._base + _CS] = _CS_EN
        self._registers[self._base + _FCS] = 0
        self._dma.close()
        self._dma = None

    def count_codes(self, place: int, on: bool) -> None:
        """Begin or stop to count the codes of one of the inputs in `counts`, each to 65535.

        Raises ValueError for a place that `inputs` does not have.
        """
        if not 0 <= place < len(self._inputs):
            raise ValueError("ADC: no such input")
        self._counted = place
        self.counts = array("H", bytes(2 * _CODES)) if on else None

    def codes(self) -> "array[int]":
        """Return the table of signed 24-bit codes, which may be changed where it is."""
        return self._table

    async def wait(self) -> None:
        """Return when frames are ready to be taken."""
        await self._flag.wait()

    def take(self, frames: "array[int]", limit: int) -> int:
        """Move up to `limit` frames into `frames` and return how many; 0 if none is ready.

        Allocates nothing.
        """
        if self._dma is None:
            return 0
        if self._registers[self._base + _FCS] & _FCS_OVER:
            self._restart()  # the ring does not say where the hole is
            return 0
        self._look(self._dma)
        if not self._ready:
            if self._beats >= _SILENT_BEATS:
                self._restart()
            return 0
        self._beats = 0
        if self._ready > _RING_FRAMES - _MARGIN_FRAMES:
            overrun = self._ready - (_RING_FRAMES - _MARGIN_FRAMES)
            self.lost += overrun
            self._pass(overrun)
        count = min(limit, self._ready, _RING_FRAMES - self._first)
        if count > 0:
            try:
                self._look_up(frames, count)
            except IndexError:
                self._look_up_marked(frames, count)
            if self.counts is not None:
                self._count(self.counts, count)
            self._pass(count)
        return max(0, count)

    def _look(self, dma: DmaRing) -> None:
        """Bring the number of captured frames up to date."""
        inputs = len(self._inputs)
        frames = dma.transferred() // inputs
        new = frames - self._seen
        if new < 0:
            new += dma.span() // inputs
        self._seen = frames
        self._ready += new

    def _pass(self, count: int) -> None:
        self._ready -= count
        self._first = (self._first + count) % _RING_FRAMES

    def _look_up(self, frames: "array[int]", count: int) -> None:
        """The hot loop: one look-up a word. IndexError: a conversion is marked as failed."""
        ring = self._ring
        table = self._table
        inputs = len(self._inputs)
        words = self.channels
        start = self._first * inputs
        end = count * words
        for word in range(words):
            at = start + self._roles[word]
            for k in range(word, end, words):
                frames[k] = table[ring[at]]
                at += inputs

    def _count(self, counts: "array[int]", count: int) -> None:
        inputs = len(self._inputs)
        first = self._first * inputs + self._counted
        for at in range(first, first + count * inputs, inputs):
            code = self._ring[at]
            if code < _CODES and counts[code] < _COUNT_MAX:
                counts[code] += 1

    def _look_up_marked(self, frames: "array[int]", count: int) -> None:
        """Each failed conversion repeats its input's last good one; its frame is an error."""
        inputs = len(self._inputs)
        words = self.channels
        good = self._good
        for frame in range(count):
            start = (self._first + frame) * inputs
            failed = False
            for word in range(words):
                code = self._ring[start + self._roles[word]]
                if code < _CODES:
                    good[word] = self._table[code]
                else:
                    failed = True
                frames[frame * words + word] = good[word]
            if failed:
                self.errors += 1

    def _restart(self) -> None:
        self.restarts += 1
        self.lost += self._ready + max(1, self.rate_mhz // 1000 * self._beats // _BEATS_A_SECOND)
        try:
            self.start()
        except OSError:
            # Tried again with the beats, which stop with the DMA.
            self._dma = self._dma or DmaRing(
                self._ring, self._base + _FIFO, self._treq, HALF_WORDS
            )
            self._beats = 0
            self._timer.init(mode=self._timer.PERIODIC, period=_BEAT_MS, callback=self._tick)

    def _beat(self, _timer: object) -> None:
        self._beats += 1
        self._flag.set()
