"""`machine.I2C` with the face of CircuitPython's `busio.I2C`, for drivers written for that.

Only what such a driver's bus device asks for: a lock, whole transfers with `start` and `end`, and
an OSError where not every octet was acknowledged. Used with Adafruit's ADS1x15 driver (MIT
licence), which a board takes from PyPI as it is.
"""

import errno

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import I2C

    Buffer = bytes | bytearray | memoryview

_UNLIMITED = const(-1)


class BusI2c:
    """One bus; several devices may share it."""

    def __init__(self, i2c: "I2C") -> None:
        self._i2c = i2c
        self._locked = False
        self._allowed = _UNLIMITED

    def allow(self, transfers: int) -> None:
        """Let only so many transfers go, then raise OSError; -1: any number.

        A driver that polls a chip until it is ready would poll a stuck one for ever.
        """
        self._allowed = transfers

    def try_lock(self) -> bool:
        """Take the bus; False if somebody has it."""
        if self._locked:
            return False
        self._locked = True
        return True

    def unlock(self) -> None:
        """Let go of the bus."""
        self._locked = False

    def writeto(
        self, address: int, buffer: "Buffer", *, start: int = 0, end: "int | None" = None
    ) -> None:
        """Send buffer[start:end]. Raises OSError if the chip did not take all of it."""
        self._write(address, _part(buffer, start, end), True)

    def readfrom_into(
        self,
        address: int,
        buffer: "bytearray | memoryview",
        *,
        start: int = 0,
        end: "int | None" = None,
    ) -> None:
        """Fill buffer[start:end]."""
        self._count()
        self._i2c.readfrom_into(address, _part(buffer, start, end))  # pyright: ignore[reportArgumentType]

    def writeto_then_readfrom(
        self,
        address: int,
        out_buffer: "Buffer",
        in_buffer: "bytearray | memoryview",
        *,
        out_start: int = 0,
        out_end: "int | None" = None,
        in_start: int = 0,
        in_end: "int | None" = None,
    ) -> None:
        """Send, then read with a repeated start."""
        self._write(address, _part(out_buffer, out_start, out_end), False)
        self.readfrom_into(address, in_buffer, start=in_start, end=in_end)

    def _write(self, address: int, data: "Buffer", stop: bool) -> None:
        self._count()
        if self._i2c.writeto(address, data, stop) != len(data):
            raise OSError(errno.EIO)

    def _count(self) -> None:
        if self._allowed == 0:
            raise OSError(errno.ETIMEDOUT)
        if self._allowed > 0:
            self._allowed -= 1


def _part(buffer: "Buffer", start: int, end: "int | None") -> "Buffer":
    if start == 0 and (end is None or end == len(buffer)):
        return buffer
    return memoryview(buffer)[start : len(buffer) if end is None else end]
