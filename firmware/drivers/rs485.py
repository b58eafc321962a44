"""An RS485 transceiver on a UART as a `hal.Serial`: drives the line only while it sends.

The driver is switched on a bit before the first start bit, and off when the last stop bit has left
the shift register: a hard timer asks the UART each millisecond, so neither a collection nor
a busy loop keeps the line from the other side. Receiving is off while it sends (/RE and DE are one
wire), so the meter does not hear itself. asyncio's streams take it as they take a UART.
"""

import io
import time

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import Pin, Timer

    from hal import Buffer, Serial

_BEAT_MS = const(1)
_POLL = const(3)  # MP_STREAM_POLL and its flags
_READABLE = const(1)
_WRITABLE = const(4)
_SECOND_US = const(1_000_000)


class Rs485(io.IOBase):
    """The port on `uart` with the transceiver's DE at `direction`; `timer` is its own."""

    def __init__(self, uart: "Serial", direction: "Pin", timer: "Timer") -> None:
        self._uart = uart
        self._direction = direction
        self._timer = timer
        self._bit_us = 0
        self._tick = self._sent  # bound once: the interrupt must not allocate
        direction.value(0)

    def init(
        self, baudrate: int, bits: int = 8, parity: "int | None" = None, stop: int = 1
    ) -> None:
        """Set rate and format."""
        self._bit_us = _SECOND_US // baudrate + 1
        self._uart.init(baudrate=baudrate, bits=bits, parity=parity, stop=stop)

    def any(self) -> int:
        """Return how many octets wait."""
        return self._uart.any()

    def read(self, count: int) -> "bytes | None":
        """Return up to `count` octets, None if there are none."""
        return self._uart.read(count)

    def write(self, data: "Buffer") -> "int | None":
        """Drive the line and send; returns how many octets were taken."""
        self._timer.deinit()
        if not self._direction.value():
            self._direction.value(1)
            time.sleep_us(self._bit_us)
        count = self._uart.write(data)
        self._timer.init(
            mode=self._timer.PERIODIC, period=_BEAT_MS, callback=self._tick, hard=True
        )
        return count

    def txdone(self) -> bool:
        """Tell whether everything has left, and the line is free."""
        return not self._direction.value()

    def ioctl(self, request: int, flags: int) -> int:
        """Answer asyncio's poll; MicroPython calls it."""
        if request != _POLL:
            return 0
        ready = _READABLE if flags & _READABLE and self._uart.any() else 0
        if flags & _WRITABLE and self._uart.txdone():
            ready |= _WRITABLE
        return ready

    def _sent(self, _timer: object) -> None:
        """Let the line go when the last bit has left. Hard interrupt: allocates nothing."""
        if self._uart.txdone():
            self._direction.value(0)
            self._timer.deinit()
