"""A UART that is written to in pieces, as a `hal.Serial`.

For ports whose `UART.write` waits until everything has left (STM32): nothing else would run
meanwhile, and frames of the converter would be lost. A piece must take less time than their ring
lasts; asyncio's streams bring the rest by themselves.
"""

import io

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import UART

    from hal import Buffer

_POLL = const(3)  # MP_STREAM_POLL and its flags
_READABLE = const(1)
_WRITABLE = const(4)
_BITS = const(11)  # of an octet on the line, at most


class PiecewiseUart(io.IOBase):
    """The port on `uart`; a piece takes `piece_ms` on the line, and is one octet at least."""

    def __init__(self, uart: "UART", piece_ms: int = 20) -> None:
        self._uart = uart
        self._piece_ms = piece_ms
        self._octets = 1

    def init(
        self, baudrate: int, bits: int = 8, parity: "int | None" = None, stop: int = 1
    ) -> None:
        """Set rate and format."""
        self._octets = max(1, baudrate * self._piece_ms // (1000 * _BITS))
        self._uart.init(baudrate=baudrate, bits=bits, parity=parity, stop=stop)

    def any(self) -> int:
        """Return how many octets wait."""
        return self._uart.any()

    def read(self, count: int) -> "bytes | None":
        """Return up to `count` octets, None if there are none."""
        return self._uart.read(count)

    def write(self, data: "Buffer") -> "int | None":
        """Send a piece; returns how many octets were taken."""
        return self._uart.write(memoryview(data)[: self._octets])

    def txdone(self) -> bool:
        """Tell whether everything that was written has left."""
        return self._uart.txdone()

    def ioctl(self, request: int, flags: int) -> int:
        """Answer asyncio's poll; MicroPython calls it."""
        if request != _POLL:
            return 0
        ready = _READABLE if flags & _READABLE and self._uart.any() else 0
        if flags & _WRITABLE and self._uart.txdone():
            ready |= _WRITABLE
        return ready
