"""Takes the place of the module `socket` for the meter: the host's sockets, known by their owner.

Each socket remembers the domain of the task that opened it, so that a reset of the meter closes
the meter's sockets as its network chip would, and the same port can be opened again. A port that
cannot be opened ends the program with a clear message: nobody could reach the meter there.
"""

# ruff: noqa: ANN401 - the host's addresses have no other type

import host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from host import RawSocket

    Buffer = bytes | bytearray | memoryview

_host_socket: "Any" = host.sockets
AF_INET = _host_socket.AF_INET
SOCK_STREAM = _host_socket.SOCK_STREAM
SOL_SOCKET = _host_socket.SOL_SOCKET
SO_REUSEADDR = _host_socket.SO_REUSEADDR
getaddrinfo = _host_socket.getaddrinfo

_PEEK = _host_socket.MSG_PEEK
# Clients that come at once wait in the host's queue. Where it is full, the host forgets the call
# and the client tries again a whole second later, which no network chip would make it do.
_BACKLOG = 128
_LINE_CHUNK = 256
_CHUNK = 4096

_sockets: "list[Socket]" = []
# "host:port" of a listening socket: bytes in and out of all its connections.
_traffic: "dict[str, list[int]]" = {}


def current_domain() -> str:
    """Return the owner of a new socket; loop.py puts its own in place."""
    return ""


class PortError(BaseException):
    """A TCP port cannot be opened; the text says which and why."""


class Socket:
    """A host's socket with the stream methods MicroPython's sockets have; it never blocks."""

    def __init__(self, raw: "RawSocket") -> None:
        self.raw = raw
        self.domain = current_domain()
        self._bound = ""
        self.traffic = [0, 0]  # bytes in and out; of an accepted socket those of its port
        self.listens_at = ""  # "host:port" of a listening socket
        raw.setblocking(False)
        _sockets.append(self)

    def fileno(self) -> int:
        """Return the host's number."""
        return self.raw.fileno()

    def setblocking(self, flag: bool) -> None:
        """Take a request to block or not: the simulation never blocks."""

    def settimeout(self, seconds: "float | None") -> None:
        """Take a request to block for a time: the simulation never blocks."""

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Set an option of the host's socket."""
        self.raw.setsockopt(level, option, value)

    def bind(self, address: "Any") -> None:
        """Take an address; if that cannot be, the program ends."""
        self._bound = address_text(address)
        try:
            self.raw.bind(address)
        except OSError as error:
            self.close()
            raise PortError("port " + self._bound + " " + host.why_closed(error)) from None

    def listen(self, backlog: int = 5) -> None:
        """Begin to take connections."""
        self.raw.listen(max(backlog, _BACKLOG))
        self.listens_at = self._bound

    def accept(self) -> "tuple[Socket, Any]":
        """Return (socket, address) of a waiting connection. Raises OSError if there is none."""
        raw, address = self.raw.accept()
        one = Socket(raw)
        one.traffic = _traffic.setdefault(self.listens_at, [0, 0])
        return one, address

    def connect(self, address: "Any") -> None:
        """Begin to connect; raises OSError EINPROGRESS as a socket that does not block."""
        self.raw.connect(address)

    def read(self, count: int = -1) -> "bytes | None":
        """Return up to `count` bytes, all there are for -1; b"" at the end, None if none wait."""
        try:
            data = self.raw.recv(_CHUNK if count < 0 else count) if count else b""
        except OSError as error:
            if host.would_block(error):
                return None
            raise
        self.traffic[0] += len(data)
        return data

    recv = read

    def readinto(self, buffer: "bytearray | memoryview", count: int = -1) -> "int | None":
        """Fill `buffer`; returns as `read` does, the number of bytes."""
        data = self.read(len(buffer) if count < 0 else min(count, len(buffer)))
        if data is None:
            return None
        buffer[: len(data)] = data
        return len(data)

    def readline(self) -> "bytes | None":
        """Return what has come of a line, at most up to its end; None if nothing has."""
        try:
            ahead = self.raw.recv(_LINE_CHUNK, _PEEK)
        except OSError as error:
            if host.would_block(error):
                return None
            raise
        end = ahead.find(b"\n")
        return self.read(end + 1 if end >= 0 else len(ahead))

    def write(self, data: "Buffer") -> "int | None":
        """Send and return how many bytes went; None if none could."""
        try:
            count = self.raw.send(data)
        except OSError as error:
            if host.would_block(error):
                return None
            raise
        self.traffic[1] += count
        return count

    send = write

    def close(self) -> None:
        """Close; more than once does no harm."""
        if self in _sockets:
            _sockets.remove(self)
            self.raw.close()


def socket(family: int = AF_INET, kind: int = SOCK_STREAM, protocol: int = 0) -> Socket:
    """Return a new socket."""
    return Socket(_host_socket.socket(family, kind, protocol))


def address_text(address: "Any") -> str:
    """Return "host:port" of an address as the host has it."""
    if not host.MICROPYTHON:
        return str(address[0]) + ":" + str(address[1])
    family, number, port = _host_socket.sockaddr(address)[:3]
    return _host_socket.inet_ntop(family, number) + ":" + str(port)


def listen(address: str, port: int, backlog: int = _BACKLOG) -> "RawSocket":
    """Return a host's listening socket for the bench. Raises PortError if that cannot be."""
    raw = None
    try:
        family, kind, protocol, where = host.resolve(address, port)
        raw = _host_socket.socket(family, kind, protocol)
        raw.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        raw.bind(where)
        raw.listen(backlog)
        raw.setblocking(False)
    except OSError as error:
        if raw is not None:
            raw.close()
        text = "port " + address + ":" + str(port) + " " + host.why_closed(error)
        raise PortError(text) from None
    return raw


def drop(name: str) -> None:
    """Close every socket that a domain has open."""
    for index in range(len(_sockets) - 1, -1, -1):
        if _sockets[index].domain == name:
            _sockets.pop(index).raw.close()


def open_count(name: str) -> int:
    """Return how many sockets a domain has open."""
    return sum(1 for one in _sockets if one.domain == name)


def is_listening(port: int) -> bool:
    """Tell whether a socket listens at this port."""
    return any(one.listens_at.endswith(":" + str(port)) for one in _sockets)


def connections(port: int) -> int:
    """Return how many accepted connections of a port are open."""
    counters = traffic(port)
    return sum(1 for one in _sockets if one.traffic is counters)


def traffic(port: int) -> "list[int]":
    """Return the bytes in and out of all connections that a port has had."""
    for address, counters in _traffic.items():
        if address.endswith(":" + str(port)):
            return counters
    return [0, 0]
