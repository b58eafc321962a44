"""gurux-dlms as the bench measures it: its Python server with what it lacks, its ciphering.

The server of the released package cannot start as it is: names are missing that its own code
calls. What is added here is the least that makes it answer a plain GET.
"""

from __future__ import annotations

import importlib
import socket
import time
from collections.abc import Callable
from typing import Any

# without types of its own
_gurux: Any = importlib.import_module("gurux_dlms")
_enums: Any = importlib.import_module("gurux_dlms.enums")
_objects: Any = importlib.import_module("gurux_dlms.objects")
_secure: Any = importlib.import_module("gurux_dlms.secure")
_states: Any = importlib.import_module("gurux_dlms.ConnectionState")

_CODE = "1.0.1.8.0.255"
_VALUE = 1725
_ANSWER = bytes.fromhex("000100010010000dc401c1001500000000000006bd")
_PUBLIC = 16


class _Reply(_gurux.GXServerReply):
    """The methods that GXDLMSServer calls and its class of replies does not have."""

    def setReply(self, value: Any) -> None:  # noqa: N802, ANN401
        self.reply = value

    def getConnectionInfo(self) -> object:  # noqa: N802
        return self.connectionInfo


class _Server(_gurux.GXDLMSServer):
    """One register, no checks of rights, and the calls that nobody defined."""

    def __init__(self) -> None:
        super().__init__(True, _enums.InterfaceType.WRAPPER)
        register = _objects.GXDLMSRegister(_CODE)
        register.value = _VALUE
        register.setDataType(2, _enums.DataType.UINT64)
        self.items.append(register)
        # its own initialize() and its AARQ fail: the state that they would lead to
        self.initialized = True
        self.settings.connected = _states.ConnectionState.DLMS
        self.settings.negotiatedConformance = _enums.Conformance.GET
        self.settings.clientAddress = _PUBLIC
        self.settings.serverAddress = 1

    def isTarget(self, *_: object) -> bool:  # noqa: N802
        return True

    def onGetAttributeAccess(self, _: object) -> object:  # noqa: N802
        return _enums.AccessMode.READ

    def notifyRead(self, *_: object) -> None:  # noqa: N802
        pass

    def onPostRead(self, *_: object) -> None:  # noqa: N802
        pass


def plain_us(count: int) -> float:
    """Return the CPU time of one GET, us."""
    server = _Server()
    client = _gurux.GXDLMSClient(
        True, _PUBLIC, 1, _enums.Authentication.NONE, None, _enums.InterfaceType.WRAPPER
    )
    request = bytes(client.read(_objects.GXDLMSRegister(_CODE), 2)[0])

    def ask() -> bytes:
        reply: Any = _Reply(_gurux.GXByteBuffer(request))
        server.handleRequest(reply)
        return bytes(reply.reply)

    if ask() != _ANSWER:
        raise SystemExit("gurux-dlms's server answers something else: " + ask().hex())
    return _cpu_us(ask, count)


def ciphering_us(count: int) -> float:
    """Return the CPU time that its ciphering takes for a short request and its answer, us."""
    client = _secure.GXDLMSSecureClient(
        True, 1, 1, _enums.Authentication.LOW, "12345678", _enums.InterfaceType.WRAPPER
    )
    cipher = client.ciphering
    cipher.systemTitle = b"TST\x00\x00\x00\x00\x01"
    cipher.blockCipherKey = bytes(range(16))
    cipher.authenticationKey = bytes(range(0xD0, 0xE0))
    client.settings.connected = _states.ConnectionState.DLMS
    register = _objects.GXDLMSRegister(_CODE)
    took: list[float] = []
    for security in (_enums.Security.NONE, _enums.Security.AUTHENTICATION_ENCRYPTION):
        cipher.security = security
        took.append(_cpu_us(lambda: client.read(register, 2), count))
    return 2 * (took[1] - took[0])


def _cpu_us(work: Callable[[], object], count: int) -> float:
    work()
    began = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - began) / count * 1e6


class HdlcClient:
    """A public client over HDLC on a TCP port, frames as gurux-dlms makes and checks them."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = _gurux.GXDLMSClient(
            True, _PUBLIC, 1, _enums.Authentication.NONE, None, _enums.InterfaceType.HDLC
        )
        self._client.parseUAResponse(self._exchange(self._client.snrmRequest()).data)
        self._client.parseAareResponse(self._exchange(self._client.aarqRequest()[0]).data)
        self._name = _objects.GXDLMSData("0.0.42.0.0.255")

    def read_name(self) -> object:
        """GET the logical device name."""
        return self._exchange(self._client.read(self._name, 2)[0]).value

    def _exchange(self, request: bytes) -> Any:  # noqa: ANN401 - GXReplyData
        self._socket.sendall(bytes(request))
        reply = _gurux.GXReplyData()
        received = _gurux.GXByteBuffer()
        while True:
            octets = self._socket.recv(4096)
            if not octets:
                raise ConnectionError("the meter closed the connection")
            received.set(octets)
            if self._client.getData(received, reply):
                return reply
