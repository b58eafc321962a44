"""DLMS clients that nobody here wrote, driven by user verbs: gurux-dlms and dlms-cosem.

Both work over any transport that has `send(octets)` and `receive()`: a TCP socket of the running
meter, or a channel of the server in the same process (see dlms_rig.py of the unit tests).
"""

import datetime
import logging
import socket

import structlog
from dlms_cosem import client as cosem_client
from dlms_cosem import cosem, enumerations
from dlms_cosem.io import HdlcTransport, TcpTransport
from dlms_cosem.security import LowLevelSecurityAuthentication, NoSecurityAuthentication
from gurux_dlms import GXByteBuffer, GXDLMSClient, GXDLMSException, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType
from patience import PATIENCE_S

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))

PUBLIC = 16
MANAGEMENT = 1
SECRET = b"12345678"  # factory test material


class Socket:
    """A TCP connection to one port of the meter."""

    def __init__(self, port, host="127.0.0.1", timeout_s=PATIENCE_S):
        self._socket = socket.create_connection((host, port), timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, octets):
        self._socket.sendall(octets)

    def receive(self):
        octets = self._socket.recv(4096)
        if not octets:
            raise ConnectionError("the meter closed the connection")
        return octets

    def close(self):
        self._socket.close()


class Gurux:
    """A session of gurux-dlms."""

    def __init__(self, transport, sap=PUBLIC, secret=None, *, hdlc=False, server=1, pdu_size=None):
        self.transport = transport
        self.client = GXDLMSClient(
            True,
            sap,
            server,
            Authentication.LOW if secret else Authentication.NONE,
            secret,
            InterfaceType.HDLC if hdlc else InterfaceType.WRAPPER,
        )
        if pdu_size is not None:
            # the setter refuses less than 64, the protocol does not
            self.client.settings._GXDLMSSettings__maxPduSize = pdu_size
            self.client.settings.maxPduSize = pdu_size

    def exchange(self, requests):
        """Send one or several requests and return the complete reply."""
        reply = GXReplyData()
        for request in requests if isinstance(requests, (list, tuple)) else [requests]:
            if request is None:
                continue
            reply.clear()
            self._send(request, reply)
            while reply.isMoreData():
                self._send(self.client.receiverReady(reply), reply)
            if reply.error:
                raise GXDLMSException(reply.error)
        return reply

    def connect(self):
        if self.client.interfaceType == InterfaceType.HDLC:
            reply = self.exchange(self.client.snrmRequest())
            self.client.parseUAResponse(reply.data)
        reply = self.exchange(self.client.aarqRequest())
        self.client.parseAareResponse(reply.data)
        return self

    def objects(self):
        reply = self.exchange(self.client.getObjectsRequest())
        return self.client.parseObjects(reply.data, True, False)

    def read(self, item, index):
        """Read one attribute of a gurux object and return its value."""
        reply = self.exchange(self.client.read(item, index))
        return self.client.updateValue(item, index, reply.value)

    def read_list(self, pairs):
        values = []
        for request in self.client.readList(pairs):
            reply = self.exchange(request)
            values.extend(reply.value)
        self.client.updateValues(pairs, values)
        return values

    def write(self, item, index):
        self.exchange(self.client.write(item, index))

    def call(self, item, index, value, data_type):
        self.exchange(self.client.method(item, index, value, data_type))

    def release(self):
        self.exchange(self.client.releaseRequest())
        if self.client.interfaceType == InterfaceType.HDLC:
            self.exchange(self.client.disconnectRequest())

    def _send(self, request, reply):
        self.transport.send(bytes(request))
        received = GXByteBuffer()
        while True:
            received.set(self.transport.receive())
            if self.client.getData(received, reply):
                return


class _Io:
    """dlms-cosem's byte pipe over one of our transports."""

    def __init__(self, transport):
        self._transport = transport
        self._received = bytearray()

    def connect(self):
        """The transport is connected already."""

    def disconnect(self):
        """The transport is closed by who opened it."""

    def send(self, octets):
        self._transport.send(bytes(octets))

    def recv(self, amount=1):
        while len(self._received) < amount:
            self._received += self._transport.receive()
        taken = bytes(self._received[:amount])
        del self._received[:amount]
        return taken

    def recv_until(self, end):
        while end not in self._received:
            self._received += self._transport.receive()
        return self.recv(self._received.index(end) + len(end))


def dlms_cosem(transport, sap=PUBLIC, secret=None, *, hdlc=False, physical=None, pdu_size=65535):
    """A dlms-cosem client; use its `session()`."""
    if hdlc:
        below = HdlcTransport(
            client_logical_address=sap,
            server_logical_address=1,
            server_physical_address=physical,
            io=_Io(transport),
        )
    else:
        below = TcpTransport(
            client_logical_address=sap, server_logical_address=1, io=_Io(transport)
        )
    security = LowLevelSecurityAuthentication(secret) if secret else NoSecurityAuthentication()
    return cosem_client.DlmsClient(below, security, max_pdu_size=pdu_size)


def attribute(class_id, obis, index):
    """dlms-cosem's name of an attribute; `obis` as "1-0:1.8.0.255" """
    return cosem.CosemAttribute(
        enumerations.CosemInterface(class_id), cosem.Obis.from_string(obis), index
    )


def seconds_apart(value, moment):
    """How far a gurux date-time stands from a moment in UTC."""
    return abs((value.value.astimezone(datetime.timezone.utc) - moment).total_seconds())
