"""The association of one channel: its states, and who is let in (rows SEC-02, SEC-03, SEC-09).

An AARQ that can be read ends the old association before it is judged, so a client may come back,
or another one take over, without a release.
"""

from micropython import const

from app.cosem.access import MECHANISM_LLS, MECHANISM_NONE
from app.dlms import acse, conformance, initiate
from app.errors import EncodingError, MeterError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from app.cosem.catalogue import Catalogue
    from app.settings import Settings

# States
CLOSED = const(0)
OPEN = const(1)

# Events
_REQUESTED = const(0)  # a readable AARQ arrived
_GRANTED = const(1)
_REFUSED = const(2)
_RELEASED = const(3)
_LOST = const(4)  # the link below is gone

_TRANSITIONS = {
    (CLOSED, _REQUESTED): CLOSED,
    (OPEN, _REQUESTED): CLOSED,
    (CLOSED, _GRANTED): OPEN,
    (CLOSED, _REFUSED): CLOSED,
    (CLOSED, _RELEASED): CLOSED,
    (OPEN, _RELEASED): CLOSED,
    (CLOSED, _LOST): CLOSED,
    (OPEN, _LOST): CLOSED,
}

_LARGEST_PDU = const(0xFFFF)


class _Rejected(MeterError):  # noqa: N818 - the standard's word for it
    """An AARQ is answered with a rejection."""

    def __init__(
        self, diagnostic: int, user_information: bytes, by_provider: bool = False
    ) -> None:
        super().__init__(diagnostic)
        self._diagnostic = diagnostic
        self._user_information = user_information
        self._by_provider = by_provider

    def write(self, reply: bytearray) -> int:
        """Write the AARE and return its length."""
        return acse.write_aare(
            reply,
            acse.REJECTED_PERMANENT,
            self._diagnostic,
            self._by_provider,
            self._user_information,
        )


class Association:
    """One channel's association; objects see it as the session that asks."""

    def __init__(self, catalogue: "Catalogue", settings: "Settings", receive_size: int) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self.receive_size = receive_size  # the largest APDU that this channel takes
        self.state = CLOSED
        self.client = catalogue.clients[0]  # who is associated, while the state is OPEN
        self.conformance = 0
        self.send_size = receive_size  # the largest APDU that the client takes

    def request(self, client_sap: int, apdu: "bytes | memoryview", reply: bytearray) -> int:
        """Answer an AARQ; return the length of the AARE."""
        try:
            asked = acse.parse_aarq(apdu)
        except EncodingError:
            # nothing that could be called a request has been understood: all stays as it was
            unread = _Rejected(acse.NO_REASON_GIVEN, initiate.service_error(), by_provider=True)
            return unread.write(reply)
        self._apply(_REQUESTED)
        try:
            self._judge(asked, client_sap)
        except _Rejected as rejection:
            self._apply(_REFUSED)
            return rejection.write(reply)
        self._apply(_GRANTED)
        granted = initiate.response(self.conformance, self.receive_size)
        return acse.write_aare(reply, acse.ACCEPTED, acse.DIAGNOSTIC_NULL, False, granted)

    def release(self, apdu: "bytes | memoryview", reply: bytearray) -> int:
        """Answer an RLRQ in any state; return the length of the RLRE. Raises EncodingError."""
        acse.check_rlrq(apdu)
        self._apply(_RELEASED)
        return acse.write_rlre(reply)

    def lost(self) -> None:
        """The link below is gone: the association ends without a word."""
        self._apply(_LOST)

    def _judge(self, asked: "acse.Request", client_sap: int) -> None:
        """Take over what is granted, or raise _Rejected; the secret is looked at last."""
        offer = initiate.response(conformance.SERVICES, self.receive_size)
        if not asked.version_supported:
            raise _Rejected(acse.NO_COMMON_ACSE_VERSION, offer, by_provider=True)
        if asked.context != acse.LN_WITHOUT_CIPHERING:
            raise _Rejected(acse.CONTEXT_NOT_SUPPORTED, offer)
        client = self._catalogue.client(client_sap)
        if client is None:
            raise _Rejected(acse.CALLING_TITLE_NOT_RECOGNIZED, offer)
        # without the authentication functional unit its fields count as not sent
        mechanism = asked.mechanism if asked.authentication else MECHANISM_NONE
        if mechanism is None or (
            mechanism == MECHANISM_NONE and client.mechanism != MECHANISM_NONE
        ):
            raise _Rejected(acse.MECHANISM_REQUIRED, offer)
        if mechanism != client.mechanism:
            raise _Rejected(acse.MECHANISM_NOT_RECOGNISED, offer)
        try:
            services, size = initiate.parse_request(asked.user_information)
        except initiate.InitiateRefused as refusal:
            error = initiate.service_error(refusal.error)
            raise _Rejected(acse.NO_REASON_GIVEN, error) from None
        except EncodingError:
            raise _Rejected(acse.NO_REASON_GIVEN, initiate.service_error()) from None
        if mechanism == MECHANISM_LLS:
            secret = self._settings.get(client.secret)
            if not secret or not _equal(asked.secret, secret):
                raise _Rejected(acse.AUTHENTICATION_FAILURE, offer)
        self.client = client
        self.conformance = services
        self.send_size = min(size or _LARGEST_PDU, self.receive_size)

    def _apply(self, event: int) -> None:
        """Go to the next state; the only place that sets it."""
        before = self.state
        self.state = _TRANSITIONS[before, event]
        self.client.associations += self.state - before


def _equal(given: bytes, secret: bytes) -> bool:
    """Compare in a time that depends on the length of `given` only."""
    difference = len(given) ^ len(secret)
    size = len(secret)
    for index in range(len(given)):
        difference |= given[index] ^ secret[index % size]
    return difference == 0
