"""A meter's DLMS port, over TCP or a serial line, for the programs that set meters up.

The protocol is gurux-dlms's; here are the bytes' way to it and clear errors. Values of class 1
objects come and go as Python lists and numbers.
"""

from __future__ import annotations

import socket
import time
from typing import Any

from gurux_dlms import (
    GXByteBuffer,
    GXDLMSClient,
    GXDLMSException,
    GXReplyData,
)
from gurux_dlms.enums import Authentication, DataType, InterfaceType
from gurux_dlms.objects import GXDLMSData

MANAGEMENT = 1
SERVER = 1
_ANSWER_S = 10.0
_READ_WRITE_DENIED = 3


class LinkError(Exception):
    """The meter cannot be reached or did not answer as it should; the text is one line."""


class Refused(LinkError):  # noqa: N818 - the standard's word for it
    """The meter refused a value or access to it."""


class TcpWire:
    """The DLMS wrapper's TCP connection."""

    def __init__(self, host: str, port: int) -> None:
        self.name = f"{host}:{port}"
        try:
            self._socket = socket.create_connection((host, port), _ANSWER_S)
        except OSError as error:
            raise LinkError(f"{self.name}: {error}") from error

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

    def __init__(self, device: str, baud: int) -> None:
        import serial

        self.name = device
        try:
            self._line: Any = serial.Serial(device, baud, timeout=0.1)
        except (OSError, ValueError) as error:
            raise LinkError(f"{device}: {error}") from error

    def send(self, octets: bytes) -> None:
        """Send all of it."""
        self._line.write(octets)

    def receive(self) -> bytes:
        """Return what comes next. Raises OSError."""
        end = time.monotonic() + _ANSWER_S
        while time.monotonic() < end:
            octets = self._line.read(max(1, self._line.in_waiting))
            if octets:
                return octets
        raise TimeoutError("no answer")

    def close(self) -> None:
        """Hang up."""
        self._line.close()


class Link:
    """An association of the management client; use it in a `with` block."""

    def __init__(self, wire: TcpWire | SerialWire, password: str, server: int = SERVER) -> None:
        self._wire = wire
        serial = isinstance(wire, SerialWire)
        self._client = GXDLMSClient(
            True,
            MANAGEMENT,
            server,
            Authentication.LOW,
            password,
            InterfaceType.HDLC if serial else InterfaceType.WRAPPER,
        )
        self._serial = serial

    def __enter__(self) -> Link:
        if self._serial:
            self._client.parseUAResponse(self._ask(self._client.snrmRequest()).data)
        try:
            self._client.parseAareResponse(self._ask(self._client.aarqRequest()).data)
        except (GXDLMSException, ValueError) as error:
            raise LinkError(f"{self._wire.name}: the meter does not let us in: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._ask(self._client.releaseRequest())
            if self._serial:
                self._ask(self._client.disconnectRequest())
        except LinkError:
            pass  # it was worth a try: the meter forgets us by itself
        self._wire.close()

    def read(self, code: str) -> Any:  # noqa: ANN401 - whatever the object holds
        """Attribute 2 of a class 1 object such as "0-0:96.2.5"."""
        item = GXDLMSData(_dotted(code))
        reply = self._checked(code, self._client.read(item, 2))
        return _plain(self._client.updateValue(item, 2, reply.value))

    def write(self, code: str, tag: DataType, value: object) -> None:
        """Set attribute 2 of a class 1 object. Raises Refused."""
        item = GXDLMSData(_dotted(code))
        item.value = value
        item.setDataType(2, tag)
        self._checked(code, self._client.write(item, 2))

    def _checked(self, code: str, requests: Any) -> Any:  # noqa: ANN401 - gurux's own types
        try:
            return self._ask(requests)
        except GXDLMSException as error:
            denied = error.errorCode == _READ_WRITE_DENIED
            text = "access denied: is the parameter switch locked?" if denied else str(error)
            raise Refused(f"{code}: {text}") from error

    def _ask(self, requests: Any) -> Any:  # noqa: ANN401
        reply = GXReplyData()
        try:
            for request in requests if isinstance(requests, (list, tuple)) else [requests]:
                if request is None:
                    continue
                reply.clear()
                self._exchange(request, reply)
                while reply.isMoreData():
                    self._exchange(self._client.receiverReady(reply), reply)
        except OSError as error:
            raise LinkError(f"{self._wire.name}: {error}") from error
        if reply.error:
            raise GXDLMSException(reply.error)
        return reply

    def _exchange(self, request: Any, reply: Any) -> None:  # noqa: ANN401
        self._wire.send(bytes(request))
        received = GXByteBuffer()
        while True:
            received.set(self._wire.receive())
            if self._client.getData(received, reply):
                return


def _dotted(code: str) -> str:
    return code.replace("-", ".").replace(":", ".") + ".255"


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Lists, numbers, texts and octets for gurux's own types."""
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    return value
