"""The DLMS server: one for the meter, one Channel for each TCP connection or HDLC link.

A channel takes whole APDUs from the transport and writes whole APDUs into the transport's buffer.
It never raises, whatever the octets are: what cannot be understood is answered by an
exception-response (IEC 62056-53 8.4.6), what went wrong inside is told to `on_defect` besides.
"""

import sys

from micropython import const

from app.cosem.access import SERVER_SAP
from app.dlms import acse, association, ciphering, conformance, get, put
from app.dlms.pre_established import PreEstablished
from app.dlms.services import (
    ACTION_REQUEST,
    EXCEPTION_RESPONSE,
    GET_REQUEST,
    MALFORMED,
    OPERATION_NOT_POSSIBLE,
    PDU_TOO_LONG,
    SERVICE_NOT_ALLOWED,
    SERVICE_NOT_SUPPORTED,
    SERVICE_UNKNOWN,
    SET_REQUEST,
    ServiceRefused,
    exception_response,
)
from app.errors import EncodingError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from app.cosem.catalogue import Catalogue
    from app.security import Security
    from hal import Buffer

    Steps = Generator[None, None, int]  # a long request; its value is the answer's length
    # what answers a request, what must have been negotiated for it
    Service = tuple[Callable[[Buffer, bytearray], int], int]

MAX_PDU = const(1024)
WORKING = const(-1)  # instead of a length: the answer is not ready yet
_SMALLEST_BUFFER = const(128)  # an AARE with challenge and protected initiate response fits
_ALL_STATIONS = (0x7F, 0x3FFF)
_ACTION_NORMAL = bytes((ACTION_REQUEST, put.ACTION_NORMAL))
_REPLY_TO_HLS = b"\x00\x0f\x00\x00\x28\x00\x00\xff\x01"  # method 1 of 0-0:40.0.0


class Server:
    """What all channels share."""

    def __init__(self, catalogue: "Catalogue", security: "Security") -> None:
        self.catalogue = catalogue
        self.security = security
        self.defects = 0  # requests that ran into an error of ours
        self.on_defect: Callable[[Exception], None] = _print_defect

    def open_channel(self, max_pdu: int, local: bool = False) -> "Channel":
        """Return a channel for a new link; `max_pdu` octets fit the transport's buffers.

        `local` is true for a link that does not come through a network.
        """
        if max_pdu < _SMALLEST_BUFFER:
            raise ValueError("a channel needs at least 128 octets")
        return Channel(self, min(max_pdu, 0xFFFF), local)

    def associations(self) -> int:
        """Return how many associations are open now."""
        return sum(client.associations for client in self.catalogue.clients)


class Channel:
    """One link to one client at a time."""

    def __init__(self, server: Server, max_pdu: int, local: bool) -> None:
        self._server = server
        self._max_pdu = max_pdu
        catalogue = server.catalogue
        self.association = association.Association(catalogue, server.security, max_pdu, local)
        self._pre_established = PreEstablished(catalogue, server.security, max_pdu)
        self._get = get.Get(catalogue, self.association)
        self._set = put.Set(catalogue, self.association)
        self._action = put.Action(catalogue, self.association)
        self._work: Steps | None = None
        services = conformance
        # tag and type of a request -> what answers it, what must have been negotiated for it
        self._services = {
            GET_REQUEST: (
                None,
                (self._get.normal, services.GET),
                (self._get.next, services.GET | services.BLOCK_TRANSFER_WITH_GET),
                (self._get.with_list, services.GET | services.MULTIPLE_REFERENCES),
            ),
            SET_REQUEST: (
                None,
                (self._set.normal, services.SET),
                (self._set.first_block, services.SET | services.BLOCK_TRANSFER_WITH_SET),
                (self._set.block, services.SET | services.BLOCK_TRANSFER_WITH_SET),
                (self._set.with_list, services.SET | services.MULTIPLE_REFERENCES),
                (
                    self._set.with_list_first_block,
                    services.SET | services.MULTIPLE_REFERENCES | services.BLOCK_TRANSFER_WITH_SET,
                ),
            ),
            ACTION_REQUEST: (
                None,
                (self._action.normal, services.ACTION),
                (self._action.next_block, services.ACTION | services.BLOCK_TRANSFER_WITH_ACTION),
                (self._action.with_list, services.ACTION | services.MULTIPLE_REFERENCES),
                (self._action.first_block, services.ACTION | services.BLOCK_TRANSFER_WITH_ACTION),
                (
                    self._action.with_list_first_block,
                    services.ACTION
                    | services.MULTIPLE_REFERENCES
                    | services.BLOCK_TRANSFER_WITH_ACTION,
                ),
                (self._action.block, services.ACTION | services.BLOCK_TRANSFER_WITH_ACTION),
            ),
        }

    def request(
        self,
        client_sap: int,
        server_sap: int,
        apdu: "Buffer",
        reply: bytearray,
        now_ms: int,
    ) -> int:
        """Answer one APDU; return the length of the answer in `reply`, 0 for none.

        `reply` holds at least `max_pdu` octets. `now_ms` are the ticks of the transport.
        WORKING is returned for what takes long (elliptic curves): call `proceed` then, and leave
        `apdu` and `reply` as they are meanwhile.
        """
        self._work = None
        try:
            return self._answer(client_sap, server_sap, apdu, reply, now_ms)
        except Exception as error:
            return self._refuse(error, reply)

    def proceed(self, reply: bytearray) -> int:
        """Do the next few milliseconds of a request that takes long; as `request`."""
        if self._work is None:
            return 0
        try:
            next(self._work)
        except StopIteration as end:
            self._work = None
            return end.value
        except Exception as error:
            self._work = None
            return self._refuse(error, reply)
        return WORKING

    def _refuse(self, error: Exception, reply: bytearray) -> int:
        """Write the exception-response that tells of an error."""
        if isinstance(error, EncodingError):
            return exception_response(reply, SERVICE_NOT_ALLOWED, MALFORMED)
        if isinstance(error, ServiceRefused):
            return exception_response(
                reply, error.state_error, error.service_error, error.expected
            )
        # whatever went wrong inside, the meter answers on
        self._server.defects += 1
        self._server.on_defect(error)
        self._forget()
        return exception_response(reply, SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)

    def lost(self) -> None:
        """The link is gone: DISC, TCP close or a time-out."""
        self._work = None
        self._forget()
        self.association.lost()

    def _answer(
        self,
        client_sap: int,
        server_sap: int,
        apdu: "Buffer",
        reply: bytearray,
        now_ms: int,
    ) -> int:
        size = len(apdu)
        if size == 0 or (server_sap != SERVER_SAP and server_sap not in _ALL_STATIONS):
            return 0
        if size > self._max_pdu:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, PDU_TOO_LONG)
        current = self.association
        if client_sap == self._pre_established.client.sap and apdu[0] != acse.AARQ:
            return self._broadcast(server_sap, apdu, reply)
        types = self._services.get(apdu[0])
        if types is None:
            return self._other(apdu[0], client_sap, apdu, reply, now_ms)
        if current.client.sap != client_sap or (
            self._server.security.policy and current.mechanism
        ):
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)
        if current.state != association.OPEN:
            self._prove(apdu, now_ms)
        return self._serve(types, apdu, reply)

    def _broadcast(self, server_sap: int, apdu: "Buffer", reply: bytearray) -> int:
        """Carry out a request of the pre-established client."""
        try:
            return self._pre_established.request(apdu, reply)
        except (EncodingError, ServiceRefused):
            if server_sap == SERVER_SAP:
                raise
            return 0  # not every meter of a bus at once

    def _serve(
        self,
        types: "tuple[Service | None, ...]",
        apdu: "Buffer",
        reply: bytearray,
    ) -> int:
        """Answer a plain GET, SET or ACTION of the associated client."""
        if len(apdu) < 3:
            raise EncodingError
        kind = apdu[1]
        service = types[kind] if kind < len(types) else None
        if service is None:
            raise ServiceRefused(SERVICE_UNKNOWN, SERVICE_NOT_SUPPORTED)
        answer, needed = service
        if needed & ~self.association.conformance:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, SERVICE_NOT_SUPPORTED)
        if apdu[0] == GET_REQUEST:
            return answer(apdu, reply)
        self._get.abort()
        length = answer(apdu, reply)
        work = self._action.take_work()
        if work is None:
            return length
        self._work = self._action.complete(work, reply, length)
        return WORKING

    def _prove(self, apdu: "Buffer", now_ms: int) -> None:
        """Let nothing pass but the answer to the challenge of a pending association."""
        if self.association.state != association.PENDING or bytes(apdu[:2]) != _ACTION_NORMAL:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)
        if bytes(apdu[3:12]) != _REPLY_TO_HLS:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)
        self.association.begin(now_ms)

    def _ciphered(self, client_sap: int, apdu: "Buffer", reply: bytearray, now_ms: int) -> int:
        """Answer a protected GET, SET or ACTION, under the same protection."""
        current = self.association
        if current.state == association.CLOSED or current.client.sap != client_sap:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)
        if current.context != acse.LN_WITH_CIPHERING:
            raise ServiceRefused(SERVICE_UNKNOWN, SERVICE_NOT_SUPPORTED)
        general = apdu[0] in (ciphering.GENERAL_GLO, ciphering.GENERAL_DED)
        if general and not current.conformance & conformance.GENERAL_PROTECTION:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, SERVICE_NOT_SUPPORTED)
        plain = current.ciphering.open(apdu)
        if current.state != association.OPEN:
            self._prove(plain, now_ms)
        current.limit = current.send_size - current.ciphering.overhead(apdu[0])
        try:
            length = self._serve(self._services[plain[0]], plain, reply)
        finally:
            current.limit = current.send_size
        if length == WORKING and self._work is not None:
            self._work = self._close_later(self._work, apdu[0], reply)
            return WORKING
        return current.ciphering.close(reply, length) if length else 0

    def _close_later(self, work: "Steps", form: int, reply: bytearray) -> "Steps":
        """Protect an answer when it is there."""
        current = self.association
        current.limit = current.send_size - current.ciphering.overhead(form)
        length = yield from work
        current.limit = current.send_size
        return current.ciphering.close(reply, length) if length else 0

    def _other(
        self,
        tag: int,
        client_sap: int,
        apdu: "Buffer",
        reply: bytearray,
        now_ms: int,
    ) -> int:
        """Answer what is no plain GET, SET or ACTION."""
        if tag in ciphering.TAGS or tag in (ciphering.GENERAL_GLO, ciphering.GENERAL_DED):
            return self._ciphered(client_sap, apdu, reply, now_ms)
        if tag == acse.AARQ:
            self._forget()
            return self.association.request(client_sap, apdu, reply, now_ms)
        if tag == acse.RLRQ:
            length = self.association.release(client_sap, apdu, reply)
            if self.association.state == association.CLOSED:
                self._forget()
            return length
        if tag == EXCEPTION_RESPONSE:
            return 0  # two servers must not go on refusing each other for ever
        return exception_response(reply, SERVICE_UNKNOWN, SERVICE_NOT_SUPPORTED)

    def _forget(self) -> None:
        """Forget what is half transferred."""
        self._get.abort()
        self._set.abort()
        self._action.abort()


def _print_defect(error: Exception) -> None:
    sys.print_exception(error)
