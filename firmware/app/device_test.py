"""The test of a meter's parts on the bench: what each chip and each line says, a line each.

`bench` runs where no meter does (tools/device_test.py) and may use all parts; `DeviceTest` runs
from the service menu beside the meter and looks at what the meter leaves alone. Nothing stored is
changed: the memories are written where nothing of the meter's lies. What to do about a line is
told by the tool, which has more room.
"""

import asyncio
import gc
import time
from array import array

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Protocol

    from hal import Board, Flash, Serial
    from metrology.engine import Engine

    class Tone(Protocol):
        """What tells a line: its part, its state, and more about it."""

        def __call__(self, __part: str, __state: int, __text: str) -> None:
            """Tell it."""
            ...


GOOD = const(0)
FAILED = const(1)
ABSENT = const(2)  # the board has no such part
LOOK = const(3)  # only a person can tell
STATES = ("good", "FAILED", "not fitted", "look")

# the methods; names of parts have five letters: the glass has room for no more
_QUIET = ("_heap", "_cpu", "_fram", "_flash", "_clock", "_cell", "_input", "_mains", "_relay")

# FIPS 197, appendix C.1
_KEY = bytes(range(16))
_PLAIN = bytes([0x11 * digit for digit in range(16)])
_CIPHERED = b"\x69\xc4\xe0\xd8\x6a\x7b\x04\x30\xd8\xcd\xb7\x80\x70\xb4\xc5\x5a"

_SCRATCH = const(4)  # octets at the end of the FRAM, which no record has
_SCRATCH_SECTOR = const(1791)  # of the flash: the last before the images, which no ring has
_PATTERN = b"\x5a\xa5\x00\xff"
_REST_MS = const(1000)  # an erase takes 400 ms at worst
_HEAP_LEAST = const(16_384)
_ECHO = b"\x55\xaa\x00\xff"
_BLOCK = const(64)  # frames
_SPAN_US = const(4_000_000)
_SETTLE_US = const(500_000)  # filters of the converter, and of what stands before it
_RATE_LIMIT_PPM = const(2000)  # blocks come within 10 ms of 4 s, crystals within 100 ppm
_NOISE_FRAMES = const(512)
_RAIL = const(8_000_000)  # of 2**23
_SLOW_MHZ = const(1_000_000)
_SILENCE_MS = const(1000)
_PULSE_US = const(50_000)
_PULSES = const(3)


class DeviceTest:
    """The test of one board's parts; each line goes to `tell(part, state, text)` as it is found.

    lines: part and state of each so far; done: there are no more
    """

    def __init__(self, board: "Board", tell: "Tone") -> None:
        self.lines: list[tuple[str, int]] = []
        self.done = False
        self._board = board
        self._tell = tell
        self._alone = False  # no meter runs

    async def run(self, engine: "Engine") -> None:
        """Test beside a meter that measures with `engine`."""
        await self._each(_QUIET)
        source = self._board.frames
        lost, errors = source.lost, source.errors
        await asyncio.sleep_ms(2000)
        lost, errors = source.lost - lost, source.errors - errors
        found = engine.quantities
        values = [f"{u // 1000} mV" for u in found.u_uv] + [f"{i} uA" for i in found.i_ua]
        state = FAILED if lost or errors or not found.valid else GOOD
        self._line("adc", state, f"{lost} lost, {errors} wrong, {', '.join(values)}")
        self.done = True

    async def bench(self, switch: bool, keys_s: int) -> None:
        """Test everything. `switch`: the relay too; `keys_s`: seconds to press each key in."""
        self._alone = True
        await self._each(_QUIET + ("_glass", "_pulse"))
        if switch:
            await self._guard("coils", self._switch())
        for name, port in (("rs485", self._board.rs485), ("optic", self._board.optical)):
            await self._guard(name, self._port(name, port))
        if keys_s:
            for name, key in (("key 1", self._board.key_scroll), ("key 2", self._board.key_reset)):
                self._tell(name, LOOK, "press it now")
                pressed = False
                for _ in range(keys_s * 50):
                    pressed = pressed or not key.value()
                    await asyncio.sleep_ms(20)
                self._line(name, GOOD if pressed else FAILED, "")
        await self._guard("adc", self._converter())
        self.done = True

    async def _each(self, tests: "tuple[str, ...]") -> None:
        for test in tests:
            await asyncio.sleep_ms(0)
            try:
                state, text = getattr(self, test)()
            except (OSError, ValueError) as error:
                state, text = FAILED, _reason(error)
            self._line(test[1:], state, text)

    async def _guard(self, part: str, work: "Coroutine[object, object, None]") -> None:
        try:
            await work
        except (OSError, ValueError) as error:
            self._line(part, FAILED, _reason(error))

    def _line(self, part: str, state: int, text: str) -> None:
        self.lines.append((part, state))
        self._tell(part, state, text)

    # -- what answers at once --------------------------------------------------------------

    def _heap(self) -> "tuple[int, str]":
        gc.collect()
        free = gc.mem_free()
        return FAILED if free < _HEAP_LEAST else GOOD, f"{free} octets of heap free"

    def _cpu(self) -> "tuple[int, str]":
        block = bytearray(16)
        self._board.block_cipher(_KEY).encrypt(_PLAIN, block)
        sound = bytes(block) == _CIPHERED
        return GOOD if sound else FAILED, self._board.unique_id().hex()

    def _fram(self) -> "tuple[int, str]":
        fram = self._board.fram
        fram.check()
        at = fram.size - _SCRATCH
        before, after = bytearray(_SCRATCH), bytearray(_SCRATCH)
        fram.read_into(at, before)
        fram.write(at, bytes([octet ^ 0xFF for octet in before]))
        fram.read_into(at, after)
        fram.write(at, before)
        if bytes([octet ^ 0xFF for octet in after]) != bytes(before):
            return FAILED, "does not keep what is written"
        return GOOD, f"{fram.size >> 10} KB"

    def _flash(self) -> "tuple[int, str]":
        flash = self._board.flash
        flash.busy()  # asks the chip, which `size` does but once
        text = f"{flash.size >> 20} MB"
        if self._alone:  # else the meter may be at work on it
            at, found = _SCRATCH_SECTOR * flash.sector_size, bytearray(4)
            flash.erase_sector(at)
            _rest(flash)
            flash.read_into(at, found)
            erased = bytes(found) == b"\xff" * 4
            flash.program(at, _PATTERN)
            _rest(flash)
            flash.read_into(at, found)
            if not erased or bytes(found) != _PATTERN:
                return FAILED, text + ", does not keep what is written"
        return GOOD, text

    def _clock(self) -> "tuple[int, str]":
        rtc = self._board.rtc
        rtc.check()
        text = f"{rtc.temperature_cdeg() // 100} C"
        if rtc.oscillator_stopped():
            return LOOK, text + ", has stood still: set it"
        rtc.utc_s()
        return GOOD, text

    def _cell(self) -> "tuple[int, str]":
        battery = self._board.battery
        return (ABSENT, "") if battery is None else (GOOD, f"{battery.voltage_mv()} mV")

    def _input(self) -> "tuple[int, str]":
        board = self._board
        if board.expander is not None:
            board.expander.check()
        lines = [board.key_scroll, board.key_reset, board.terminal_cover, board.meter_cover]
        lines += [board.magnetic_field, board.lock] + board.inputs
        names = ("scroll", "reset", "terminals", "cover", "magnet", "lock", "in1", "in2", "in3")
        levels = [f"{names[at]} {line.value()}" for at, line in enumerate(lines)]
        return LOOK, ", ".join(levels)

    def _mains(self) -> "tuple[int, str]":
        good = self._board.supply_good.value()
        return GOOD if good else FAILED, "" if good else "low: no mains, or no pull-up"

    def _relay(self) -> "tuple[int, str]":
        return LOOK, "closed" if self._board.disconnector.closed() else "open"

    def _glass(self) -> "tuple[int, str]":
        lcd = self._board.lcd
        lcd.start()
        lcd.buffer[:] = b"\xff" * len(lcd.buffer)
        lcd.show()
        lcd.backlight(True)
        return LOOK, "all of it is dark (of an OLED: bright)"

    def _pulse(self) -> "tuple[int, str]":
        board = self._board
        outputs = [board.led_active, board.led_reactive] + board.pulse_outputs
        if board.pulse_output is not None:
            outputs.append(board.pulse_output)
        for output in outputs:
            output.train(_PULSES, _PULSE_US << 8, _PULSE_US << 10, _PULSE_US, _PULSE_US * 12)
        return LOOK, f"{_PULSES} pulses at each of {len(outputs)} outputs"

    # -- what takes its time ---------------------------------------------------------------

    async def _switch(self) -> None:
        relay = self._board.disconnector
        was = relay.closed()
        for closing in (not was, was):
            if closing:
                relay.close()
            else:
                relay.open()
            await asyncio.sleep_ms(500)
            if relay.closed() != closing:
                wanted = "close" if closing else "open"
                return self._line("coils", FAILED, "does not " + wanted)
        return self._line("coils", GOOD, "there and back")

    async def _port(self, name: str, port: "Serial") -> None:
        port.init(9600)
        port.read(port.any() or 1)
        port.write(_ECHO)
        await asyncio.sleep_ms(100)
        heard = port.read(port.any()) if port.any() else b""
        if not port.txdone():
            self._line(name, FAILED, "does not get its octets out")
        elif heard == _ECHO:
            self._line(name, GOOD, "hears itself")
        else:
            self._line(
                name, FAILED if heard else LOOK, f"sent 4 octets, heard {len(heard or b'')}"
            )

    async def _converter(self) -> None:
        source = self._board.frames
        source.start()
        words = source.channels
        frames = array("i", bytes(4 * words * _BLOCK))
        await self._frames(frames, _SETTLE_US)
        lost, errors = source.lost, source.errors
        count, passed = await self._frames(frames, _SPAN_US)
        lost, errors = source.lost - lost, source.errors - errors
        rate_mhz = count * 1_000_000_000 // passed
        nominal = source.rate_mhz
        if not count:
            raise OSError("no frames come")
        wrong = lost or errors or abs(rate_mhz - nominal) > nominal * _RATE_LIMIT_PPM // 1_000_000
        text = f"{rate_mhz // 1000} frames a second of {nominal // 1000}"
        self._line("adc", FAILED if wrong else GOOD, f"{text}, {lost} lost, {errors} wrong")
        # what is lost while this is reckoned does not matter
        sums, squares, noise, begun = [0] * words, [0] * words, 0, time.ticks_us()
        while noise < _NOISE_FRAMES:
            await self._ready()
            taken = source.take(frames, _BLOCK)
            if not taken and time.ticks_diff(time.ticks_us(), begun) > 2 * _SPAN_US:
                raise OSError("no frames come")
            noise += taken
            for at in range(taken * words):
                code = frames[at]
                sums[at % words] += code
                squares[at % words] += code * code
        for word in range(words):
            mean = sums[word] // noise
            rms = max(0, squares[word] // noise - mean * mean) ** 0.5
            # 16 bits, slow ones, may stay the same; of 24 the last ones always move
            dead = not rms and nominal > _SLOW_MHZ
            state = FAILED if dead or abs(mean) > _RAIL else LOOK
            self._line(f"ch {word}", state, f"mean {mean}, noise {rms:.0f} LSB")

    async def _frames(self, frames: "array[int]", span_us: int) -> "tuple[int, int]":
        """Take frames for a while; return how many came, and the microseconds it took."""
        begun, count, passed = time.ticks_us(), 0, 0
        while passed < span_us:
            await self._ready()
            taken = self._board.frames.take(frames, _BLOCK)
            while taken:
                count += taken
                taken = self._board.frames.take(frames, _BLOCK)
            passed = time.ticks_diff(time.ticks_us(), begun)
        return count, passed

    async def _ready(self) -> None:
        try:
            await asyncio.wait_for_ms(self._board.frames.wait(), _SILENCE_MS)
        except asyncio.TimeoutError:
            raise OSError("no frames come") from None


def _rest(flash: "Flash") -> None:
    """Wait until the flash has done its work."""
    for _ in range(_REST_MS):
        if not flash.busy():
            return
        time.sleep_ms(1)
    raise OSError("stays busy")


def _reason(error: Exception) -> str:
    """Return why a part failed; a bus without an answer has a number only."""
    return "no answer" if error.args and isinstance(error.args[0], int) else str(error)


def say(part: str, state: int, text: str) -> None:
    """Print a line of the report."""
    print(f"{part:<10} {STATES[state]:<10} {text}")  # noqa: T201 - the report is to be read


async def bench(board: "Board", switch: bool = False, keys_s: int = 0) -> None:
    """Test a board on which no meter runs, and print what is found."""
    await DeviceTest(board, say).bench(switch, keys_s)
    print("device test done")  # noqa: T201
