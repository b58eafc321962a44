"""ADS131M02 to ADS131M08: the metering front end as a `hal.FrameSource` (TI SBAS890, SBAS950).

The board gives the SPI bus (mode 1) for the registers, and a capture peripheral that afterwards
reads a frame at each data-ready into a ring without the processor: status word, one 24-bit word a
channel, CRC. `take` checks and decodes what has arrived. Part of the legally relevant firmware.
"""

import asyncio
import time

from micropython import const

from metrology.frame import Decoder

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from array import array

    from machine import SPI, Pin

    from hal import FrameCapture

_RREG = const(0xA000)
_WREG = const(0x6000)

_REG_ID = const(0x00)
_REG_MODE = const(0x02)
_REG_CLOCK = const(0x03)

_ID_FAMILY = const(0x2000)  # the channel count stands in bits 11 to 8, the revision below
_MODE = const(0x0110)  # 24-bit words, time-out on; the reset flag is cleared by writing 0
_CLOCK_OSR_1024 = const(0x000E)  # high resolution; bits 15 to 8 enable the channels

_WORD_BYTES = const(3)
_OVERSAMPLING = const(1024)
_RING_FRAMES = const(512)  # 128 ms at 4 kHz
# Frames that the peripheral may still write while a block is decoded: 4 ms at 4 kHz.
_MARGIN_FRAMES = const(16)
_COUNT_MASK = const(0x3FFFFFFF)


class Ads131m0x:
    """The chip with `channels` channels on a crystal of `clock_hz`.

    `roles` lists, for each word of the meter's frame, the chip's channel that measures it.
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
    ) -> None:
        self.channels = len(roles)
        self.rate_mhz = (clock_hz * 1000 + _OVERSAMPLING) // (2 * _OVERSAMPLING)
        self.lost = 0
        self.errors = 0
        self._spi = spi
        self._cs = cs
        self._reset = reset
        self._drdy = drdy
        self._capture = capture
        self._chip_channels = channels
        self._frame_bytes = (channels + 2) * _WORD_BYTES
        self._ring = bytearray(_RING_FRAMES * self._frame_bytes)
        self._decoder = Decoder(channels + 2, [role + 1 for role in roles])
        self._command = bytearray(self._frame_bytes)
        self._answer = bytearray(self._frame_bytes)
        self._taken = 0  # frames taken or lost so far, modulo 2**30
        self._flag = asyncio.ThreadSafeFlag()
        cs.value(1)
        reset.value(1)

    def start(self) -> None:
        """Reset and configure the chip, check its identity, begin to capture.

        Raises OSError if the chip does not answer as its data sheet says.
        """
        self._reset.value(0)
        time.sleep_ms(1)  # more than 2048 clocks: a reset, not a synchronisation
        self._reset.value(1)
        time.sleep_ms(1)
        self._exchange(0, 0)  # throws away the answer that the reset has left
        identity = self._read_register(_REG_ID)
        if identity & 0xFF00 != _ID_FAMILY | self._chip_channels << 8:
            raise OSError(f"ADS131M0{self._chip_channels}: identity {identity:04x}")
        self._write_register(_REG_MODE, _MODE)
        clock = ((1 << self._chip_channels) - 1) << 8 | _CLOCK_OSR_1024
        self._write_register(_REG_CLOCK, clock)
        # Two conversions wait in the chip after a pause: read both, then capture is in step.
        self._exchange(0, 0)
        self._exchange(0, 0)
        self._capture.irq(self._frames_ready)
        self._capture.start(self._ring, self._frame_bytes)
        self._taken = self._capture.count()

    async def wait(self) -> None:
        """Return when frames are ready to be taken."""
        await self._flag.wait()

    def take(self, frames: "array[int]", limit: int) -> int:
        """Move up to `limit` frames into `frames` and return how many; 0 if none is ready.

        Allocates nothing.
        """
        ready = (self._capture.count() - self._taken) & _COUNT_MASK
        if ready > _RING_FRAMES - _MARGIN_FRAMES:
            overrun = ready - (_RING_FRAMES - _MARGIN_FRAMES)
            self.lost += overrun
            self._taken = (self._taken + overrun) & _COUNT_MASK
            ready -= overrun
        count = min(limit, ready)
        if count > 0:
            first = self._taken % _RING_FRAMES
            self.errors += self._decoder.decode(self._ring, first, count, frames)
            self._taken = (self._taken + count) & _COUNT_MASK
        return count

    def _frames_ready(self, _capture: object) -> None:
        """Interrupt of the capture peripheral."""
        self._flag.set()

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
