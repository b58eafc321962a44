"""The pre-established association of broadcasts: SAP 102, no AARQ, no answer (SEC-05, SEC-13).

Only unconfirmed SET and ACTION are carried out. What is refused is told to a client that asked
this meter alone; the channel keeps quiet when the whole bus was addressed. When the security
policy asks for protection, a request has to come as general-glo-ciphering under the broadcast key.
"""

from micropython import const

from app.cosem.access import SERVER_SAP
from app.dlms import acse, put
from app.dlms.ciphering import GENERAL_GLO, Ciphering
from app.dlms.services import (
    ACTION_REQUEST,
    CONFIRMED,
    OPERATION_NOT_POSSIBLE,
    SERVICE_NOT_ALLOWED,
    SERVICE_NOT_SUPPORTED,
    SET_REQUEST,
    ServiceRefused,
)
from app.errors import EncodingError
from app.security import GBEK

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.cosem.access import Client
    from app.dlms.server import Server
    from app.dlms.stream import Stream
    from hal import Buffer


class PreEstablished:
    """What the objects see as the session of a broadcast."""

    def __init__(self, server: "Server", client: "Client", receive_size: int) -> None:
        catalogue, security = server.catalogue, server.security
        self.client = client
        self.context = acse.LN_WITHOUT_CIPHERING
        self.mechanism = 0
        self.title = b""
        self.conformance = 0
        self.in_blocks = False
        self.rest: Stream | None = None  # there are no answers
        self.receive_size = self.send_size = self.limit = receive_size
        self._security = security
        self._ciphering = Ciphering(security, GBEK)
        self._set = put.Set(catalogue, self)
        self._action = put.Action(catalogue, self)

    def reply_to_hls(self, proof: bytes) -> bytes:
        """No challenge was sent; nothing leads here."""
        raise EncodingError

    def request(self, server_sap: int, apdu: "Buffer", reply: bytearray) -> int:
        """Carry out a broadcast; return the length of an exception-response, 0 for none.

        Raises EncodingError and ServiceRefused if it came to this meter alone.
        """
        try:
            return self._carry_out(apdu, reply)
        except (EncodingError, ServiceRefused):
            if server_sap == SERVER_SAP:
                raise
            return 0  # not every meter of a bus at once

    def _carry_out(self, apdu: "Buffer", reply: bytearray) -> int:
        if self.client.restriction & self._security.restrictions:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)
        plain = apdu
        if apdu[0] == GENERAL_GLO:
            plain = self._ciphering.open(apdu)
        elif self._security.policy:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)
        if len(plain) < 3 or plain[2] & CONFIRMED or plain[1] != put.SET_NORMAL:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, SERVICE_NOT_SUPPORTED)
        if plain[0] == SET_REQUEST:
            return self._set.normal(plain, reply)
        if plain[0] == ACTION_REQUEST:
            return self._action.normal(plain, reply)
        raise ServiceRefused(SERVICE_NOT_ALLOWED, SERVICE_NOT_SUPPORTED)
