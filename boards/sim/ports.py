"""The meter's serial ports as TCP servers: one port a UART, any number of clients on its wire.

Every client sees every byte that the meter sends, as on a bus; what clients send goes to the UART.
The wire carries bytes at once, whatever the baud rate is. A port is opened when firmware first
opens the UART and stays open through resets of the meter: the cable does.
"""

import host
import loop
import net

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from host import RawSocket
    from machine_uart import UART

    Buffer = bytes | bytearray | memoryview

FIFO_BYTES = 4096  # what waits for firmware; more is lost and counted
_BACKLOG_BYTES = 65536  # what waits for a client; one that takes it slower is cut off
_MAX_CLIENTS = 8
_READ_BYTES = 1024


class _Client:
    """One TCP connection to a port."""

    def __init__(self, port: "SerialPort", raw: "RawSocket") -> None:
        self._port = port
        self.raw = raw
        self._unsent = b""
        loop.io.watch(raw, host.POLLIN, self._ready)

    def send(self, data: "Buffer") -> None:
        """Send at once what the connection takes; keep a bounded rest."""
        if not self._unsent:
            try:
                data = data[self.raw.send(data) :]
            except OSError as error:
                if not host.would_block(error):
                    self.close()
                    return
            if not len(data):
                return
            loop.io.rewatch(self.raw, host.POLLIN | host.POLLOUT)
        if len(self._unsent) + len(data) > _BACKLOG_BYTES:
            self._port.clients_lost += 1
            self.close()
            return
        self._unsent += bytes(data)

    def close(self) -> None:
        """End the connection."""
        if self in self._port.clients:
            self._port.clients.remove(self)
            loop.io.unwatch(self.raw)
            self.raw.close()

    def _ready(self, events: int) -> None:
        try:
            if events & host.POLLOUT and self._unsent:
                self._unsent = self._unsent[self.raw.send(self._unsent) :]
                if not self._unsent:
                    loop.io.rewatch(self.raw, host.POLLIN)
            if events & ~host.POLLOUT:
                data = self.raw.recv(_READ_BYTES)
                if data:
                    self._port.receive(data)
                else:
                    self.close()
        except OSError as error:
            if not host.would_block(error):
                self.close()


class SerialPort:
    """The wire of one UART and its clients."""

    def __init__(self, address: str, port: int) -> None:
        self.address = address
        self.port = port
        self.received = bytearray()
        self.baudrate = 0
        self.format = ""
        self.bytes_in = 0
        self.bytes_out = 0
        self.overruns = 0  # bytes that came while FIFO_BYTES waited
        self.clients_lost = 0  # clients that did not read
        self.clients: list[_Client] = []
        self.tap: Callable[[Buffer], object] | None = None  # is told what the meter sends
        self._server: RawSocket | None = None
        self._uart: UART | None = None

    def attach(
        self, uart: "UART", baudrate: int, bits: int, parity: "int | None", stop: int
    ) -> None:
        """Firmware opens the UART or changes its settings."""
        self._uart = uart
        self.baudrate = baudrate
        self.format = str(bits) + ("N" if parity is None else "EO"[parity]) + str(stop)
        if self._server is None and self.port:
            self._server = net.listen(self.address, self.port)
            loop.io.watch(self._server, host.POLLIN, self._accept)

    def detach(self, uart: "UART | None") -> None:
        """Firmware closes the UART, or the processor is reset: what has come is lost."""
        if uart is None or uart is self._uart:
            self._uart = None
            self.received = bytearray()

    def receive(self, data: "Buffer") -> None:
        """Bytes have come on the wire; nobody hears them while the UART is closed."""
        self.bytes_in += len(data)
        if self._uart is None:
            return
        room = FIFO_BYTES - len(self.received)
        if len(data) > room:
            self.overruns += len(data) - room
            data = data[:room]
        if len(data):
            self.received.extend(data)
            self._uart.came()

    def take(self, count: int) -> "bytes | None":
        """Return up to `count` of the bytes that have come, all for -1; None if there are none."""
        waiting = self.received
        if not waiting:
            return None
        if count < 0 or count >= len(waiting):
            self.received = bytearray()
            return bytes(waiting)
        taken = bytes(waiting[:count])
        self.received = waiting[count:]
        return taken

    def send(self, data: "Buffer") -> None:
        """Bytes leave the meter: to every client."""
        self.bytes_out += len(data)
        for client in list(self.clients):
            client.send(data)
        if self.tap is not None:
            self.tap(data)

    def close(self) -> None:
        """End every connection and the port."""
        for client in list(self.clients):
            client.close()
        if self._server is not None:
            loop.io.unwatch(self._server)
            self._server.close()
            self._server = None

    def is_open(self) -> bool:
        """Tell whether clients can connect."""
        return self._server is not None

    def state(self) -> "dict[str, object]":
        """Return what `GET /api/ports` tells."""
        return {
            "port": self.port,
            "open": self.is_open(),
            "baud": self.baudrate,
            "format": self.format,
            "clients": len(self.clients),
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "overruns": self.overruns,
            "clients_lost": self.clients_lost,
        }

    def _accept(self, events: int) -> None:
        if self._server is None:
            return
        try:
            raw = self._server.accept()[0]
        except OSError:
            return
        raw.setblocking(False)
        if len(self.clients) >= _MAX_CLIENTS:
            raw.close()
            return
        self.clients.append(_Client(self, raw))


class TcpPort:
    """The meter's network port, which the firmware opens itself."""

    def __init__(self, port: int) -> None:
        self.port = port

    def is_open(self) -> bool:
        """Tell whether clients can connect."""
        return net.is_listening(self.port)

    def state(self) -> "dict[str, object]":
        """Return what `GET /api/ports` tells."""
        bytes_in, bytes_out = net.traffic(self.port)
        return {
            "port": self.port,
            "open": self.is_open(),
            "baud": None,
            "format": "TCP",
            "clients": net.connections(self.port),
            "bytes_in": bytes_in,
            "bytes_out": bytes_out,
        }
