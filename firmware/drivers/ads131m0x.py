"""ADS131M02 to ADS131M08: the metering front end as a `hal.FrameSource` (TI SBAS890, SBAS950).

The board gives the SPI bus (mode 1) for the registers, and a capture peripheral that afterwards
reads a frame at each data-ready into a ring without the processor: status word, one 24-bit word a
channel, CRC. `take` checks and decodes what has arrived.

A chip that falls silent, whose frames have slipped against the clock (every CRC wrong), or whose
status word says that it was reset or reconfigured (a dip of its supply takes the gains with it) is
brought back: reset, configured, captured anew. What was not measured meanwhile counts as lost.
Part of the legally relevant firmware.
"""

import asyncio
import time

from micropython import const

from metrology.frame import Decoder

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from array import array

    from machine import SPI, Pin

    from hal import FrameCapture

_RREG = const(0xA000)
_WREG = const(0x6000)

_REG_ID = const(0x00)
_REG_MODE = const(0x02)
_REG_CLOCK = const(0x03)
_REG_GAIN = const(0x04)  # four channels a register

_ID_FAMILY = const(0x2000)  # the channel count stands in bits 11 to 8, the revision below
_MODE = const(0x0110)  # 24-bit words, time-out on; the reset flag is cleared by writing 0
_CLOCK_HIGH_RESOLUTION = const(0x0002)  # besides: bits 4 to 2 oversampling, 15 to 8 channels
_OSR_SHIFT = const(2)

# Upper half of the status word: lock, register map error, CRC type, reset and word length must be
# as configured; a resynchronisation and an input CRC error (not used) may show.
_STATUS_MASK = const(0xAF00)
_STATUS_SOUND = const(0x0100)

_FULL_SCALE_FV = 1_200_000_000_000_000  # +-1.2 V at gain 1
_GAINS = (1, 2, 4, 8, 16, 32, 64, 128)

_WORD_BYTES = const(3)
_OVERSAMPLINGS = (128, 256, 512, 1024)
_RING_FRAMES = const(512)  # 128 ms at 4 kHz
# Frames that the peripheral may still write while a block is decoded: 4 ms at 4 kHz.
_MARGIN_FRAMES = const(16)
_COUNT_MASK = const(0x3FFFFFFF)
# Beats of the capture, about 10 ms each
_SILENT_BEATS = const(10)  # without a frame: the chip or its data-ready line is stuck
_BEATS_A_SECOND = const(100)
_SLIPPED_FRAMES = const(16)  # wrong CRCs in a row that are no disturbance any more


class Ads131m0x:
    """The chip with `channels` channels on a crystal of `clock_hz`.

    `roles` lists, for each word of the meter's frame, the chip's channel that measures it;
    `gains` the amplifier's gain for it (1 to 128), by default 1. `lsb_fv` tells what a code is
    worth then, for the board's sensor scale. `oversampling` is 128, 256, 512 or 1024: with 512
    there are twice as many frames, for processors that have the time. `ring_frames`, a power of
    two, tells how many wait for a meter that is busy; what it misses is lost.

    restarts: how often the chip had to be brought back
    Raises ValueError for a gain or an oversampling that the chip does not have.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the chip's pins, each from the board
        self,
        spi: "SPI",
        cs: "Pin",
        reset: "Pin",
        drdy: "Pin",
        capture: "FrameCapture",
        channels: int,
        clock_hz: int,
        roles: "list[int]",
        gains: "list[int] | None" = None,
        oversampling: int = 1024,
        ring_frames: int = _RING_FRAMES,
    ) -> None:
        if oversampling not in _OVERSAMPLINGS:
            raise ValueError("ADS131M0x: oversampling")
        self._osr = _OVERSAMPLINGS.index(oversampling)
        self.channels = len(roles)
        self.rate_mhz = (clock_hz * 1000 + oversampling) // (2 * oversampling)
        self.lost = 0
        self.errors = 0
        self.restarts = 0
        self.skew_ns = [0] * (len(roles) // 2)  # all channels are sampled at once
        self._gains = gains or [1] * len(roles)
        self._gain_registers = _gain_registers(roles, self._gains)
        self._spi = spi
        self._cs = cs
        self._reset = reset
        self._drdy = drdy
        self._capture = capture
        self._chip_channels = channels
        self._frame_bytes = (channels + 2) * _WORD_BYTES
        self._ring_frames = ring_frames
        self._ring = bytearray(ring_frames * self._frame_bytes)
        self._roles = roles
        self._decoder = self._new_decoder()
        self._command = bytearray(self._frame_bytes)
        self._answer = bytearray(self._frame_bytes)
        self._taken = 0  # frames taken or lost so far, modulo 2**30
        self._missed = 0  # of the capture's missed conversions, those that are in `lost`
        self._sound = False  # the chip is configured: its codes mean what they should
        self._beats = 0  # since a frame was taken or the chip started
        self._age = 0  # beats since the chip started
        self._heard = False  # frames came meanwhile that were not sound: counted, frame by frame
        self._flag = asyncio.ThreadSafeFlag()
        cs.value(1)
        reset.value(1)

    def start(self) -> None:
        """Reset and configure the chip, check its identity, begin to capture.

        Raises OSError if the chip does not answer as its data sheet says.
        """
        self._capture.stop()
        self._capture.irq(self._frames_ready)
        self._configure()
        self._begin(True)

    def lsb_fv(self, word: int) -> int:
        """Return what one code of a word of the meter's frame is at the chip's pins, femtovolt."""
        divisor = self._gains[word] << 23
        return (_FULL_SCALE_FV + divisor // 2) // divisor

    async def wait(self) -> None:
        """Return when frames are ready to be taken."""
        await self._flag.wait()

    def take(self, frames: "array[int]", limit: int) -> int:
        """Move up to `limit` frames into `frames` and return how many; 0 if none is ready.

        Allocates nothing.
        """
        capture = self._capture
        missed = capture.missed()
        if missed != self._missed:
            self.lost += missed - self._missed
            self._missed = missed
        ready = (capture.count() - self._taken) & _COUNT_MASK
        if not ready or not self._sound:
            if ready:
                self._heard = True
                self._drop(ready)
            if self._beats >= _SILENT_BEATS:
                self._restart()
            return 0
        self._beats = 0
        if ready > self._ring_frames - _MARGIN_FRAMES:
            overrun = ready - (self._ring_frames - _MARGIN_FRAMES)
            self._drop(overrun)
            ready -= overrun
        count = min(limit, ready)
        if count <= 0:
            return 0
        decoder = self._decoder
        self.errors += decoder.decode(self._ring, self._taken % self._ring_frames, count, frames)
        bad = decoder.bad_in_a_row
        if bad >= _SLIPPED_FRAMES or (not bad and decoder.status & _STATUS_MASK != _STATUS_SOUND):
            # Somewhere in this block the codes ceased to be what the scale says.
            self._sound = False
            self._heard = True
            self._drop(ready)
            if self._age >= _SILENT_BEATS:  # else it has just been tried: not faster than that
                self._restart()
            return 0
        self._taken = (self._taken + count) & _COUNT_MASK
        return count

    def _frames_ready(self, _capture: object) -> None:
        """Interrupt of the capture peripheral, about every 10 ms."""
        self._beats += 1
        self._age += 1
        self._flag.set()

    def _drop(self, count: int) -> None:
        """Pass over captured frames."""
        self.lost += count
        self._taken = (self._taken + count) & _COUNT_MASK

    def _new_decoder(self) -> Decoder:
        return Decoder(self._chip_channels + 2, [role + 1 for role in self._roles])

    def _restart(self) -> None:
        """Bring the chip back, or try again after as many beats."""
        self.restarts += 1
        began_ms = time.ticks_ms()
        if not self._heard:
            self.lost += self.rate_mhz // 1000 * self._beats // _BEATS_A_SECOND
        self._capture.stop()
        try:
            self._configure()
            sound = True
        except OSError:
            sound = False  # not there, or not as its data sheet says: its supply may return
        self.lost += self.rate_mhz * time.ticks_diff(time.ticks_ms(), began_ms) // 1_000_000
        # What it said before is past: neither its status nor its errors.
        self._decoder = self._new_decoder()
        # Captured even if it is mute: the beats go on, and with them the attempts.
        self._begin(sound)

    def _begin(self, sound: bool) -> None:
        self._sound = sound
        self._beats = 0
        self._age = 0
        self._heard = False
        self._capture.start(self._ring, self._frame_bytes)
        self._taken = self._capture.count()
        self._missed = self._capture.missed()

    def _configure(self) -> None:
        """Reset and configure the chip. Raises OSError if it is not as it should be."""
        self._reset.value(0)
        time.sleep_ms(1)  # more than 2048 clocks: a reset, not a synchronisation
        self._reset.value(1)
        time.sleep_ms(1)
        self._exchange(0, 0)  # throws away the answer that the reset has left
        identity = self._read_register(_REG_ID)
        if identity & 0xFF00 != _ID_FAMILY | self._chip_channels << 8:
            raise OSError(f"ADS131M0{self._chip_channels}: identity {identity:04x}")
        self._write_register(_REG_MODE, _MODE)
        clock = ((1 << self._chip_channels) - 1) << 8 | self._osr << _OSR_SHIFT
        clock |= _CLOCK_HIGH_RESOLUTION
        self._write_register(_REG_CLOCK, clock)
        self._write_register(_REG_GAIN, self._gain_registers[0])
        if self._chip_channels > 4:
            self._write_register(_REG_GAIN + 1, self._gain_registers[1])
        # Two conversions wait in the chip after a pause: read both, then capture is in step.
        self._exchange(0, 0)
        self._exchange(0, 0)

    def _exchange(self, command: int, value: int) -> int:
        """Clock one frame; return the 16 bits that answer the command before."""
        frame = self._command
        frame[0] = command >> 8
        frame[1] = command & 0xFF
        frame[3] = value >> 8
        frame[4] = value & 0xFF
        self._cs.value(0)
        self._spi.write_readinto(frame, self._answer)
        self._cs.value(1)
        return self._answer[0] << 8 | self._answer[1]

    def _read_register(self, address: int) -> int:
        self._exchange(_RREG | address << 7, 0)
        return self._exchange(0, 0)

    def _write_register(self, address: int, value: int) -> None:
        """Write and read back. Raises OSError if the register does not hold the value then."""
        self._exchange(_WREG | address << 7, value)
        found = self._read_register(address)
        if found != value:
            raise OSError(f"ADS131M0{self._chip_channels}: register {address} is {found:04x}")


def _gain_registers(roles: "list[int]", gains: "list[int]") -> "list[int]":
    """Values of GAIN1 and GAIN2; channels that are not measured keep gain 1."""
    if len(gains) != len(roles):
        raise ValueError("ADS131M0x: a gain for each word of a frame")
    values = [0, 0]
    for word in range(len(roles)):
        if gains[word] not in _GAINS:
            raise ValueError(f"ADS131M0x: gain {gains[word]}")
        channel = roles[word]
        values[channel >> 2] |= _GAINS.index(gains[word]) << 4 * (channel & 3)
    return values
