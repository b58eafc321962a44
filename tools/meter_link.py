"""A meter's DLMS port, over TCP or a serial line, for the programs that set meters up.

The protocol is gurux-dlms's; here are the bytes' way to it and clear errors. Values come as Python
lists, numbers and octets; what goes is typed with gurux's GXArray, GXStructure, GXUInt8 and so on.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gurux_dlms import (
    GXByteBuffer,
    GXDLMSClient,
    GXDLMSException,
    GXReplyData,
)
from gurux_dlms.enums import Authentication, DataType, InterfaceType
from gurux_dlms.objects.GXDLMSObject import GXDLMSObject

MANAGEMENT = 1
SERVER = 1
OBJECT_UNDEFINED = 4
_ANSWER_S = 10.0
_HDLC_ANSWER_S = 4.0  # a serial line is asked again
_SILENCE_S = 60.0  # after which we associate anew; the meter's patience is 120 s and more
_READ_WRITE_DENIED = 3
_ANSWER_MAX = 1 << 20
_REPEATS = 2
_DATA = 1  # class id
_LINE_MAX = 80
_NOBODY_HERE = "; `make run` starts a virtual meter here, PORT= or HOST= names a real one"
_REQUEST = b"/?!\r\n"  # IEC 62056-21, 6.3.1
# parts done, and how many there are, 0 if only the meter knows
Progress = Callable[[int, int], None]


class LinkError(Exception):
    """The meter cannot be reached or did not answer as it should; the text is one line."""


class Refused(LinkError):  # noqa: N818 - the standard's word for it
    """The meter refused a value or access to it; `code` is the data access result."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


class TcpWire:
    """A TCP connection: the DLMS wrapper's, or with `hdlc` a serial line that ends in one."""

    def __init__(self, host: str, port: int, *, hdlc: bool = False) -> None:
        self.name = f"{host}:{port}"
        self.hdlc = hdlc
        try:
            self._socket = socket.create_connection((host, port), _ANSWER_S)
        except (OSError, OverflowError, UnicodeError) as error:
            text = f"{self.name}: {reason(error)}"
            if isinstance(error, ConnectionRefusedError) and host == "127.0.0.1":
                text += _NOBODY_HERE
            raise LinkError(text) from error
        if hdlc:
            self._socket.settimeout(_HDLC_ANSWER_S)

    def fileno(self) -> int:
        """Of the socket, for select."""
        return self._socket.fileno()

    def to_hdlc(self, baud: int) -> None:
        """Nothing to do: who made a connection of the line sees to its rate."""

    def send(self, octets: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(octets)

    def receive(self) -> bytes:
        """Return what comes next. Raises OSError."""
        octets = self._socket.recv(4096)
        if not octets:
            raise ConnectionError("the meter closed the connection")
        return octets

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


class SerialWire:
    """A serial line, 8 data bits, no parity, for HDLC."""

    hdlc = True

    def __init__(self, device: str, baud: int) -> None:
        import serial

        self.name = device
        self.baud = baud
        try:
            self._line: Any = serial.Serial(
                device, baud, timeout=0.1, write_timeout=_ANSWER_S, exclusive=True
            )
        except Exception as error:  # a driver's refusal (termios.error) is no OSError
            raise LinkError(f"{device}: {_cannot_open(error)}") from error

    def to_hdlc(self, baud: int) -> None:
        """Go on at another rate when all has left. Raises LinkError."""
        try:
            self._line.flush()
            self._line.baudrate = self.baud = baud
        except Exception as error:  # see above
            raise LinkError(f"{self.name}: {reason(error)}") from error

    def fileno(self) -> int:
        """Of the device, for select."""
        return self._line.fileno()

    def send(self, octets: bytes) -> None:
        """Send all of it."""
        self._line.write(octets)

    def receive(self) -> bytes:
        """Return what comes next. Raises OSError."""
        end = time.monotonic() + _HDLC_ANSWER_S
        while time.monotonic() < end:
            octets = self._line.read(max(1, self._line.in_waiting))
            if octets:
                return octets
        raise TimeoutError(f"no answer at {self.baud} baud")

    def close(self) -> None:
        """Hang up."""
        self._line.close()


Wire = TcpWire | SerialWire


def sign_on(wire: Wire) -> None:
    """Lead an optical head from IEC 62056-21 to HDLC (mode E). Raises LinkError.

    The parity of 7E1 is put into bit 7 here, so that the line can be 8N1 from the start: not every
    driver lets it be changed on the way.
    """
    try:
        identification = _identification(wire)
        # /FRS5\2name: three letters of the maker, the rate, and that mode E is there
        rates = {ord("0") + n: 300 << n for n in range(6)} | {ord("6"): 19200}
        if identification[:1] != b"/" or b"\\2" not in identification:
            raise LinkError(f"{wire.name}: no meter that speaks HDLC (mode E) at the optical head")
        rate = identification[4]
        if rate not in rates:
            raise LinkError(f"{wire.name}: an identification without a baud rate")
        wire.send(with_parity(bytes((6, ord("2"), rate, ord("2"))) + b"\r\n"))
        confirmation = _line_of(wire)
        if confirmation[1:4] != bytes((ord("2"), rate, ord("2"))):
            raise LinkError(f"{wire.name}: the meter does not confirm HDLC")
        wire.to_hdlc(rates[rate])
    except OSError as error:
        raise LinkError(f"{wire.name}: {reason(error)}") from error


def _identification(wire: Wire) -> bytes:
    """Ask who is there, and again if nobody answers: light gets lost, a meter may be busy."""
    for _ in range(_REPEATS):
        with suppress(TimeoutError):
            return _answer_to_request(wire)
    return _answer_to_request(wire)


def _answer_to_request(wire: Wire) -> bytes:
    wire.send(with_parity(_REQUEST))
    line = _line_of(wire)
    return _line_of(wire) if line == _REQUEST else line  # some heads hear themselves


def with_parity(octets: bytes) -> bytes:
    """Even parity in bit 7: 7E1 on a line of 8N1."""
    return bytes(octet | (octet.bit_count() & 1) << 7 for octet in octets)


def _line_of(wire: Wire) -> bytes:
    line = b""
    while not line.endswith(b"\n") and len(line) < _LINE_MAX:
        line += bytes(octet & 0x7F for octet in wire.receive())
    return line


class _Item(GXDLMSObject):
    """Any attribute, with its value as the protocol has it."""

    def __init__(self, class_id: int, code: str) -> None:
        super().__init__(class_id, _dotted(code))
        self.value: object = None
        self.tag = DataType.NONE

    def getValue(self, settings: object, e: object) -> object:  # noqa: N802 - gurux's name
        return self.value

    def getDataType(self, index: int) -> DataType:  # noqa: N802
        return self.tag


class Link:
    """An association of the management client; use it in a `with` block.

    After a silence of a minute, of a person who turns a load perhaps, it associates anew.
    """

    def __init__(self, wire: Callable[[], Wire], password: str, server: int = SERVER) -> None:
        self._open_wire = wire
        self._password = password
        self._server = server
        self._asked_s = 0.0

    def __enter__(self) -> Link:
        self._wire = self._open_wire()
        self._client = GXDLMSClient(
            True,
            MANAGEMENT,
            self._server,
            Authentication.LOW,
            self._password,
            InterfaceType.HDLC if self._wire.hdlc else InterfaceType.WRAPPER,
        )
        try:
            self._associate()
        except BaseException:
            self._wire.close()
            raise
        return self

    def _associate(self) -> None:
        self._asked_s = time.monotonic()
        try:
            if self._wire.hdlc:
                self._client.parseUAResponse(self._ask(self._client.snrmRequest()).data)
            self._client.parseAareResponse(self._ask(self._client.aarqRequest()).data)
        except (GXDLMSException, ValueError, IndexError, TypeError) as error:
            text = " ".join(str(error).split())
            raise LinkError(f"{self._wire.name}: the meter does not let us in: {text}") from error

    def __exit__(self, _: object, error: object, __: object) -> None:
        try:
            if not isinstance(error, LinkError) or isinstance(error, Refused):
                self._ask(self._client.releaseRequest())
                if self._wire.hdlc:
                    self._ask(self._client.disconnectRequest())
        except (LinkError, GXDLMSException):
            pass  # it was worth a try: the meter forgets us by itself
        self._wire.close()

    def read(self, code: str) -> Any:  # noqa: ANN401 - whatever the object holds
        """Attribute 2 of a class 1 object such as "0-0:96.2.5"."""
        return self.get(_DATA, code, 2)

    def write(self, code: str, tag: DataType, value: object) -> None:
        """Set attribute 2 of a class 1 object. Raises Refused."""
        self.set(_DATA, code, 2, tag, value)

    def get(self, class_id: int, code: str, index: int, progress: Progress | None = None) -> Any:  # noqa: ANN401
        """Return an attribute; None for an empty array. Raises Refused."""
        return _plain(self.get_typed(class_id, code, index, progress))

    def get_typed(
        self, class_id: int, code: str, index: int, progress: Progress | None = None
    ) -> Any:  # noqa: ANN401
        """Return an attribute in gurux's types, fit to be written back. Raises Refused."""
        self._awake()
        requests = self._client.read(_Item(class_id, code), index)
        return self._checked(code, requests, progress).value

    def set(
        self,
        class_id: int,
        code: str,
        index: int,
        tag: DataType,
        value: object,
        progress: Progress | None = None,
    ) -> None:
        """Write an attribute. Raises Refused."""
        self._awake()
        item = _Item(class_id, code)
        item.value, item.tag = value, tag
        self._checked(code, self._client.write(item, index), progress)

    def call(self, class_id: int, code: str, index: int, tag: DataType, value: object) -> None:
        """Call a method. Raises Refused."""
        self._awake()
        self._checked(code, self._client.method(_Item(class_id, code), index, value, tag))

    def _checked(self, code: str, requests: Any, progress: Progress | None = None) -> Any:  # noqa: ANN401 - gurux's own types
        try:
            return self._ask(requests, progress)
        except GXDLMSException as error:
            denied = error.errorCode == _READ_WRITE_DENIED
            text = " ".join(str(error).split())
            if denied:
                text = "access denied: is the parameter switch locked?"
            raise Refused(f"{code}: {text}", error.errorCode) from error

    def _awake(self) -> None:
        """Associate anew if the meter may have ended the association meanwhile."""
        if time.monotonic() - self._asked_s > _SILENCE_S:
            self._wire.close()
            self.__enter__()

    def _ask(self, requests: Any, progress: Progress | None = None) -> Any:  # noqa: ANN401
        reply = GXReplyData()
        parts = requests if isinstance(requests, (list, tuple)) else [requests]
        try:
            for number, request in enumerate(parts, 1):
                if request is None:
                    continue
                reply.clear()
                self._exchange(request, reply)
                more = 0
                while reply.isMoreData():
                    more += 1
                    if progress:
                        progress(more, 0)
                    self._exchange(self._client.receiverReady(reply), reply)
                if reply.error:
                    raise GXDLMSException(reply.error)
                if progress and len(parts) > 1:
                    progress(number, len(parts))
        except OSError as error:
            raise LinkError(f"{self._wire.name}: {reason(error)}") from error
        self._asked_s = time.monotonic()
        return reply

    def _exchange(self, request: Any, reply: Any) -> None:  # noqa: ANN401
        self._wire.send(bytes(request))
        received = GXByteBuffer()
        again = _REPEATS if self._wire.hdlc else 0
        while received.size < _ANSWER_MAX:
            try:
                received.set(self._wire.receive())
            except TimeoutError:
                if not again:
                    raise
                # a frame was lost on the line; its number lets the meter know a repeated one
                again -= 1
                received = GXByteBuffer()
                self._wire.send(bytes(request))
                continue
            try:
                if self._client.getData(received, reply):
                    return
            except GXDLMSException:
                raise
            except Exception as error:  # gurux raises anything for octets that are no answer
                raise LinkError(f"{self._wire.name}: the answer is no DLMS: {error}") from error
        raise LinkError(f"{self._wire.name}: an answer without end")


def reason(error: Exception) -> str:
    """Why a line failed, in a few words."""
    if isinstance(error, socket.gaierror):
        return "no such address"
    if isinstance(error, TimeoutError):
        text = str(error)  # our own says at what rate
        return text if text.startswith("no answer") else "no answer"
    return getattr(error, "strerror", None) or str(error) or "no answer"


def _cannot_open(error: Exception) -> str:
    from serial.tools import list_ports

    number = getattr(error, "errno", None)
    if number == errno.ENOENT:
        ports = ", ".join(port.device for port in list_ports.comports() if port.vid) or "none"
        return f"there is no such port; plugged in: {ports}"
    if number == errno.EACCES:
        return "no right to open it: join its group (dialout)"
    if number in (errno.EBUSY, errno.EAGAIN):
        return "another program uses it"
    return reason(error)


def _dotted(code: str) -> str:
    name = code.replace("-", ".").replace(":", ".")
    return name if name.count(".") == 5 else name + ".255"


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Lists, numbers, texts and octets for gurux's own types."""
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    return bytes(value) if isinstance(value, bytearray) else value
