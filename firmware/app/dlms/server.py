"""The DLMS server: one for the meter, one Channel for each TCP connection or HDLC link.

A channel takes whole APDUs from the transport and writes whole APDUs into the transport's buffer.
It never raises, whatever the octets are: what cannot be understood is answered by an
exception-response (IEC 62056-53 8.4.6), what went wrong inside is told to `on_defect` besides.
"""

import sys

from micropython import const

from app.cosem.access import SERVER_SAP
from app.dlms import acse, association, ciphering, conformance, get, put, service_table
from app.dlms.services import (
    ACCESS_REQUEST,
    ACTION_REQUEST,
    CONFIRMED,
    EXCEPTION_RESPONSE,
    GENERAL_BLOCK_TRANSFER,
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
from app.security import IGNORE_SERVICE_CLASS, TCP

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from app.cosem.catalogue import Catalogue
    from app.dlms.block_transfer import GeneralBlockTransfer
    from app.dlms.pre_established import PreEstablished
    from app.security import Security
    from hal import Buffer

    Steps = Generator[None, None, int]  # a long request; its value is the answer's length

MAX_PDU = const(1024)
WORKING = const(-1)  # instead of a length: the answer is not ready yet
_SMALLEST_BUFFER = const(128)  # an AARE with challenge and protected initiate response fits
_GENERAL = (0xDD, 0xDF)  # tags of general-ciphering and general-signing
_ALL_STATIONS = (0x7F, 0x3FFF)
_LONGEST_CIPHERED = const(4096)  # octets of an answer in general blocks under protection
_CIPHERED = ciphering.TAGS + ciphering.GENERAL_TAGS + _GENERAL
_ACTION_NORMAL = bytes((ACTION_REQUEST, put.ACTION_NORMAL))
_REPLY_TO_HLS = b"\x00\x0f\x00\x00\x28\x00\x00\xff\x01"  # method 1 of 0-0:40.0.0


class Server:
    """What all channels share."""

    def __init__(self, catalogue: "Catalogue", security: "Security") -> None:
        self.catalogue = catalogue
        self.security = security
        self.defects = 0  # requests that ran into an error of ours
        self.on_defect: Callable[[Exception], None] = _print_defect

    def open_channel(self, max_pdu: int, port: int = TCP) -> "Channel":
        """Return a channel for a new link; `max_pdu` octets fit the transport's buffers.

        `port` is OPTICAL, RS485 or TCP of app.security; TCP alone is a network.
        """
        if max_pdu < _SMALLEST_BUFFER:
            raise ValueError("a channel needs at least 128 octets")
        return Channel(self, min(max_pdu, 0xFFFF), port)

    def associations(self) -> int:
        """Return how many associations are open now."""
        return sum(client.associations for client in self.catalogue.clients)


class Channel:
    """One link to one client at a time."""

    def __init__(self, server: Server, max_pdu: int, port: int) -> None:
        self._server = server
        self._max_pdu = max_pdu
        catalogue = server.catalogue
        self.association = association.Association(catalogue, server.security, max_pdu, port)
        self._pre_established: PreEstablished | None = None
        self._get = get.Get(catalogue, self.association)
        self._set = put.Set(catalogue, self.association)
        self._action = put.Action(catalogue, self.association)
        self._work: Steps | None = None
        self._transfer: GeneralBlockTransfer | None = None  # there from the first block on

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

    def more(self, reply: bytearray) -> int:
        """Return the length of a further APDU for the client, 0 for none.

        Asked by the transport when all before has been sent: blocks of a window follow unasked.
        """
        try:
            return 0 if self._transfer is None else self._transfer.more(reply)
        except Exception as error:
            return self._refuse(error, reply)

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
        if server_sap != SERVER_SAP and (size == 0 or server_sap not in _ALL_STATIONS):
            return 0
        if size == 0:
            raise EncodingError
        if size > self._max_pdu:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, PDU_TOO_LONG)
        client = self._server.catalogue.client(client_sap)
        if client is not None and client.pre_established and apdu[0] != acse.AARQ:
            if self._pre_established is None:
                from app.dlms.pre_established import PreEstablished  # few meters hear one

                self._pre_established = PreEstablished(self._server, client, self._max_pdu)
            return self._pre_established.request(server_sap, apdu, reply)
        if apdu[0] != GENERAL_BLOCK_TRANSFER and self._transfer is not None:
            self._transfer.abort()
        if apdu[0] in service_table.TABLE or apdu[0] == ACCESS_REQUEST:
            return self._finish(self._plain(client_sap, apdu, reply, now_ms), reply)
        return self._other(apdu[0], client_sap, apdu, reply, now_ms)

    def _plain(self, client_sap: int, apdu: "Buffer", reply: bytearray, now_ms: int) -> int:
        """Answer a request of the associated client that is not protected."""
        current = self.association
        security = self._server.security
        if current.client.sap != client_sap or (
            (security.policy or security.answer_policy) and current.mechanism
        ):
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)
        if security.signing and current.mechanism:
            return self._ciphered(client_sap, apdu, reply, now_ms)
        if current.state != association.OPEN:
            self._prove(apdu, now_ms)
        return self._serve(apdu, reply)

    def _finish(self, length: int, reply: bytearray) -> int:
        """Send an answer, in general blocks if it has more than fits into one APDU."""
        if length == WORKING and self._work is not None:
            self._work = self._later(self._work, 0, self.association.in_blocks, reply)
            return WORKING
        rest = self.association.rest
        if rest is None:
            return length
        self.association.rest = None
        return self._general_blocks().begin(bytes(memoryview(reply)[:length]), rest, reply)

    def _general_blocks(self) -> "GeneralBlockTransfer":
        """Return the transfer; few clients ask for it, so it takes no memory before."""
        if self._transfer is None:
            from app.dlms.block_transfer import GeneralBlockTransfer

            self._transfer = GeneralBlockTransfer(self.association, self.association.port == TCP)
        return self._transfer

    def _blocks(self, client_sap: int, apdu: "Buffer", reply: bytearray, now_ms: int) -> int:
        """Take a block, or what acknowledges ours; carry the request out after the last."""
        current = self.association
        if current.state == association.CLOSED or current.client.sap != client_sap:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)
        if not current.conformance & conformance.GENERAL_BLOCK_TRANSFER:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, SERVICE_NOT_SUPPORTED)
        transfer = self._general_blocks()
        whole = transfer.receive(apdu)
        if whole is None:
            return transfer.more(reply)
        current.in_blocks = True
        try:
            if whole[0] in service_table.TABLE or whole[0] == ACCESS_REQUEST:
                return self._finish(self._plain(client_sap, whole, reply, now_ms), reply)
            if whole[0] in _CIPHERED:
                return self._ciphered(client_sap, whole, reply, now_ms)
        finally:
            current.in_blocks = False
        raise ServiceRefused(SERVICE_UNKNOWN, SERVICE_NOT_SUPPORTED)

    def _serve(self, apdu: "Buffer", reply: bytearray) -> int:
        """Answer a GET, SET, ACTION or ACCESS of the associated client, no longer protected."""
        self.association.rest = None
        if len(apdu) < 3:
            raise EncodingError
        if apdu[0] == ACCESS_REQUEST:
            if not self.association.conformance & conformance.ACCESS:
                raise ServiceRefused(SERVICE_NOT_ALLOWED, SERVICE_NOT_SUPPORTED)
            self._get.blocks.abort()
            from app.dlms.access import Access  # few clients ask for it

            return Access(self._server.catalogue, self.association).request(apdu, reply)
        found = service_table.find(apdu)
        if found is None:
            raise ServiceRefused(SERVICE_UNKNOWN, SERVICE_NOT_SUPPORTED)
        name, needed = found
        if needed & ~self.association.conformance:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, SERVICE_NOT_SUPPORTED)
        if apdu[0] == GET_REQUEST:
            return getattr(self._get, name)(apdu, reply)
        self._get.blocks.abort()
        if self._server.security.options(self.association.port) & IGNORE_SERVICE_CLASS:
            apdu = bytearray(apdu)
            apdu[2] |= CONFIRMED
        service = self._set if apdu[0] == SET_REQUEST else self._action
        length = getattr(service, name)(apdu, reply)
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
        general = apdu[0] not in ciphering.TAGS
        if general and not current.conformance & conformance.GENERAL_PROTECTION:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, SERVICE_NOT_SUPPORTED)
        if apdu[0] in _GENERAL or self._server.security.signing:
            self._work = self._general(apdu, reply, now_ms)
            return WORKING
        plain = current.ciphering.open(apdu)
        if current.state != association.OPEN:
            self._prove(plain, now_ms)
        current.limit = current.send_size - current.ciphering.overhead(apdu[0])
        try:
            length = self._serve(plain, reply)
        finally:
            current.limit = current.send_size
        if length == WORKING and self._work is not None:
            self._work = self._later(self._work, apdu[0], current.in_blocks, reply)
            return WORKING
        return self._protect(length, reply)

    def _general(self, apdu: "Buffer", reply: bytearray, now_ms: int) -> "Steps":
        """Answer general-ciphering and general-signing, in steps."""
        from app.dlms.general import General

        current = self.association
        general = General(self._server.security, current)
        plain = yield from general.open(apdu)
        if current.state != association.OPEN:
            self._prove(plain, now_ms)
        own = self._work
        current.limit = general.limit()
        try:
            length = self._serve(plain, reply)
            if length == WORKING and self._work is not None:
                inner = self._work
                self._work = own
                length = yield from inner
        finally:
            current.limit = current.send_size
        return (yield from general.close(reply, length)) if length else 0

    def _protect(self, length: int, reply: bytearray) -> int:
        """Protect an answer; send it in general blocks if it has more than fits into one APDU."""
        current = self.association
        rest = current.rest
        if not length or rest is None:
            return current.ciphering.close(reply, length) if length else 0
        # the whole has one length and one tag, so it has to lie in RAM
        current.rest = None
        long = bytearray(_LONGEST_CIPHERED)
        long[:length] = memoryview(reply)[:length]
        length = rest.fill(long, length, _LONGEST_CIPHERED - ciphering.MOST_OVERHEAD)
        if not rest.exhausted():
            raise ServiceRefused(SERVICE_NOT_ALLOWED, PDU_TOO_LONG)
        length = current.ciphering.close(long, length)
        return self._general_blocks().begin(bytes(memoryview(long)[:length]), None, reply)

    def _later(self, work: "Steps", form: int, in_blocks: bool, reply: bytearray) -> "Steps":
        """Send an answer when it is there; `form` is the tag of its protection, 0 for none."""
        current = self.association
        current.in_blocks = in_blocks
        if form:
            current.limit = current.send_size - current.ciphering.overhead(form)
        try:
            length = yield from work
        finally:
            current.in_blocks = False
            current.limit = current.send_size
        return self._protect(length, reply) if form else self._finish(length, reply)

    def _other(
        self,
        tag: int,
        client_sap: int,
        apdu: "Buffer",
        reply: bytearray,
        now_ms: int,
    ) -> int:
        """Answer what is no plain GET, SET or ACTION."""
        if tag in _CIPHERED:
            return self._ciphered(client_sap, apdu, reply, now_ms)
        if tag == GENERAL_BLOCK_TRANSFER:
            return self._blocks(client_sap, apdu, reply, now_ms)
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
        self._get.blocks.abort()
        self._set.abort()
        self._action.abort()
        self._action.blocks.abort()
        if self._transfer is not None:
            self._transfer.abort()
        self.association.rest = None


def _print_defect(error: Exception) -> None:
    sys.print_exception(error)
