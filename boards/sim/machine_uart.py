"""UARTs of the simulated processor; part of `machine`. The wires are ports.SerialPort."""

# ruff: noqa: ANN401, PLR0913 - as many settings as MicroPython's class has

import io

import loop
import timeline
import wiring
from machine_pin import Irq

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from machine_pin import Handler, Pin

_POLL = 3  # MicroPython's MP_STREAM_POLL and its events
_POLL_READ = 1
_POLL_WRITE = 4
_EINVAL = -1


class UART(io.IOBase):
    """A UART; what it sends is on the wire at once."""

    INV_TX = 1
    INV_RX = 2
    CTS = 1
    RTS = 2
    IRQ_RX = 1
    IRQ_TXIDLE = 32
    IRQ_RXIDLE = 64
    IRQ_BREAK = 512

    notifies = True  # the loop need not poll it

    def __init__(
        self,
        id: int,  # noqa: A002 - the name MicroPython has
        baudrate: int = 115_200,
        bits: int = 8,
        **settings: "Any",
    ) -> None:
        self._port = wiring.uart_port(id)
        self.id = id
        self._irq: Irq | None = None
        self._timeout_ms = 0
        self._format: tuple[int, int, int | None, int] = (115_200, 8, None, 1)
        self.init(baudrate, bits, **settings)

    def __repr__(self) -> str:
        baudrate, bits, parity, stop = self._format
        return f"UART({self.id}, baudrate={baudrate}, bits={bits}, parity={parity}, stop={stop})"

    def init(
        self,
        baudrate: "int | None" = None,
        bits: "int | None" = None,
        parity: "int | None" = -1,
        stop: "int | None" = None,
        *,
        tx: "Pin | None" = None,
        rx: "Pin | None" = None,
        rts: "Pin | None" = None,
        cts: "Pin | None" = None,
        timeout: "int | None" = None,
        timeout_char: int = 0,
        txbuf: int = 256,
        rxbuf: int = 256,
        flow: int = 0,
        invert: int = 0,
    ) -> None:
        """Set rate and format; what is left out stays."""
        now = self._format
        baudrate = now[0] if baudrate is None else baudrate
        bits = now[1] if bits is None else bits
        parity = now[2] if parity == -1 else parity
        stop = now[3] if stop is None else stop
        if baudrate < 50:
            raise ValueError("invalid baudrate")
        if not 5 <= bits <= 8:
            raise ValueError("invalid bits")
        if parity not in (None, 0, 1):
            raise ValueError("invalid parity")
        if stop not in (1, 2):
            raise ValueError("invalid stop bits")
        self._format = (baudrate, bits, parity, stop)
        if timeout is not None:
            self._timeout_ms = timeout
        self._port.attach(self, baudrate, bits, parity, stop)

    def deinit(self) -> None:
        """Switch the UART off: it hears nothing more."""
        self._port.detach(self)

    def any(self) -> int:
        """Return the bytes that wait to be read."""
        return len(self._port.received)

    def read(self, nbytes: int = -1) -> "bytes | None":
        """Return up to `nbytes`, by default all that wait; None if none do."""
        if 0 <= nbytes <= self.any() or not self._timeout_ms:
            return self._port.take(nbytes)
        timeline.pass_us(self._timeout_ms * 1000)
        return self._port.take(nbytes)

    def readinto(self, buf: "bytearray | memoryview", nbytes: int = -1) -> "int | None":
        """Fill a buffer with what waits; None if nothing does."""
        data = self.read(len(buf) if nbytes < 0 else min(nbytes, len(buf)))
        if data is None:
            return None
        buf[: len(data)] = data
        return len(data)

    def readline(self) -> "bytes | None":
        """Return what waits, at most up to the end of a line; None if nothing does."""
        end = self._port.received.find(b"\n")
        return self._port.take(end + 1 if end >= 0 else -1)

    def write(self, buf: "bytes | bytearray | memoryview") -> int:
        """Send a buffer."""
        timeline.stall()
        self._port.send(buf)
        if self._irq is not None:
            self._irq.fire(UART.IRQ_TXIDLE)
        return len(buf)

    def sendbreak(self) -> None:
        """Send a break: the simulated wire does not carry it."""

    def flush(self) -> None:
        """Wait until all is sent: it is."""

    def txdone(self) -> bool:
        """Tell whether all is sent."""
        return True

    def irq(self, handler: "Handler | None" = None, trigger: int = 0, hard: bool = False) -> Irq:
        """Call `handler(uart)` when bytes have come (RX, RXIDLE) or gone (TXIDLE)."""
        known = UART.IRQ_RX | UART.IRQ_TXIDLE | UART.IRQ_RXIDLE | UART.IRQ_BREAK
        if trigger & ~known:
            raise ValueError("trigger unsupported")
        self._irq = Irq(self, handler, trigger) if handler is not None else None
        return Irq(self, handler, trigger) if self._irq is None else self._irq

    def ioctl(self, request: int, argument: int) -> int:
        """Answer asyncio's question whether bytes can be read or written."""
        if request != _POLL:
            return _EINVAL
        ready = _POLL_WRITE if argument & _POLL_WRITE else 0
        if argument & _POLL_READ and self._port.received:
            ready |= _POLL_READ
        return ready

    def came(self) -> None:
        """Bytes have come: the port calls this."""
        loop.io.wake(self, 0)
        if self._irq is not None:
            self._irq.fire(UART.IRQ_RX | UART.IRQ_RXIDLE)
