"""The DLMS server: one for the meter, one Channel for each TCP connection or HDLC link.

A channel takes whole APDUs from the transport and writes whole APDUs into the transport's buffer.
It never raises, whatever the octets are: what cannot be understood is answered by an
exception-response (IEC 62056-53 8.4.6), what went wrong inside is told to `on_defect` besides.
"""

import sys

from micropython import const

from app.cosem.access import SERVER_SAP
from app.dlms import acse, association, conformance, get, put
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
    from collections.abc import Callable

    from app.cosem.catalogue import Catalogue
    from app.settings import Settings

MAX_PDU = const(1024)
_SMALLEST_BUFFER = const(128)  # an AARE and an exception-response fit
_ALL_STATIONS = (0x7F, 0x3FFF)


class Server:
    """What all channels share."""

    def __init__(self, catalogue: "Catalogue", settings: "Settings") -> None:
        self.catalogue = catalogue
        self.settings = settings
        self.defects = 0  # requests that ran into an error of ours
        self.on_defect: Callable[[Exception], None] = _print_defect

    def open_channel(self, max_pdu: int) -> "Channel":
        """Return a channel for a new link; `max_pdu` octets fit the transport's buffers."""
        if max_pdu < _SMALLEST_BUFFER:
            raise ValueError("a channel needs at least 128 octets")
        return Channel(self, min(max_pdu, 0xFFFF))

    def associations(self) -> int:
        """Return how many associations are open now."""
        return sum(client.associations for client in self.catalogue.clients)


class Channel:
    """One link to one client at a time."""

    def __init__(self, server: Server, max_pdu: int) -> None:
        self._server = server
        self._max_pdu = max_pdu
        catalogue = server.catalogue
        self.association = association.Association(catalogue, server.settings, max_pdu)
        self._get = get.Get(catalogue, self.association)
        self._set = put.Set(catalogue, self.association)
        self._action = put.Action(catalogue, self.association)
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
        apdu: "bytes | memoryview",
        reply: bytearray,
        now_ms: int,
    ) -> int:
        """Answer one APDU; return the length of the answer in `reply`, 0 for none.

        `reply` holds at least `max_pdu` octets. `now_ms` are the ticks of the transport.
        """
        try:
            return self._answer(client_sap, server_sap, apdu, reply)
        except EncodingError:
            return exception_response(reply, SERVICE_NOT_ALLOWED, MALFORMED)
        except ServiceRefused as refusal:
            return exception_response(reply, refusal.state_error, refusal.service_error)
        except Exception as error:
            # whatever went wrong inside, the meter answers on
            self._server.defects += 1
            self._server.on_defect(error)
            self._forget()
            return exception_response(reply, SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)

    def lost(self) -> None:
        """The link is gone: DISC, TCP close or a time-out."""
        self._forget()
        self.association.lost()

    def _answer(
        self, client_sap: int, server_sap: int, apdu: "bytes | memoryview", reply: bytearray
    ) -> int:
        size = len(apdu)
        if size == 0 or (server_sap != SERVER_SAP and server_sap not in _ALL_STATIONS):
            return 0
        if size > self._max_pdu:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, PDU_TOO_LONG)
        tag = apdu[0]
        types = self._services.get(tag)
        if types is None:
            return self._other(tag, client_sap, apdu, reply)
        current = self.association
        if current.state != association.OPEN or current.client.sap != client_sap:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)
        if size < 3:
            raise EncodingError
        kind = apdu[1]
        service = types[kind] if kind < len(types) else None
        if service is None:
            raise ServiceRefused(SERVICE_UNKNOWN, SERVICE_NOT_SUPPORTED)
        answer, needed = service
        if needed & ~current.conformance:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, SERVICE_NOT_SUPPORTED)
        if tag != GET_REQUEST:
            self._get.abort()
        return answer(apdu, reply)

    def _other(
        self, tag: int, client_sap: int, apdu: "bytes | memoryview", reply: bytearray
    ) -> int:
        """Answer what is no GET, SET or ACTION."""
        if tag == acse.AARQ:
            self._forget()
            return self.association.request(client_sap, apdu, reply)
        if tag == acse.RLRQ:
            length = self.association.release(apdu, reply)
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
