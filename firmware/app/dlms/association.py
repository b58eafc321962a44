"""The association of one channel: its states, passes 3 and 4, its end (rows SEC-02 to SEC-12).

An AARQ that can be read ends the old association before it is judged (app.dlms.admission), so a
client may come back, or another one take over, without a release. With high level security the
association is PENDING until the client has answered the meter's challenge.
"""

from micropython import const

from app.attributes import READ_WRITE_DENIED, TEMPORARY_FAILURE
from app.axdr import Writer
from app.counters import CountersLost, Replayed
from app.dlms import acse, admission, initiate
from app.dlms.ciphering import GLO_INITIATE_REQUEST, GLO_INITIATE_RESPONSE, Ciphering
from app.dlms.hls import WrongProof
from app.errors import AccessRefused, EncodingError, MeterError
from app.security import ASSOCIATION_BY_BOOK, GUEK, TCP

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.cosem.catalogue import Catalogue
    from app.crypto.p256 import Steps
    from app.dlms.hls import Exchange
    from app.dlms.stream import Stream
    from app.security import Security
    from hal import Buffer

# States
CLOSED = const(0)
PENDING = const(1)  # the challenge has not been answered yet
OPEN = const(2)

# Events
_REQUESTED = const(0)  # a readable AARQ arrived
_GRANTED = const(1)
_CHALLENGED = const(2)  # granted, if the challenge is answered rightly
_PROVED = const(3)
_REFUSED = const(4)
_RELEASED = const(5)
_LOST = const(6)  # the link below is gone

_TRANSITIONS = {
    (CLOSED, _REQUESTED): CLOSED,
    (PENDING, _REQUESTED): CLOSED,
    (OPEN, _REQUESTED): CLOSED,
    (CLOSED, _GRANTED): OPEN,
    (CLOSED, _CHALLENGED): PENDING,
    (PENDING, _PROVED): OPEN,
    (CLOSED, _REFUSED): CLOSED,
    (PENDING, _REFUSED): CLOSED,
    (CLOSED, _RELEASED): CLOSED,
    (PENDING, _RELEASED): CLOSED,
    (OPEN, _RELEASED): CLOSED,
    (CLOSED, _LOST): CLOSED,
    (PENDING, _LOST): CLOSED,
    (OPEN, _LOST): CLOSED,
}


class Association:
    """One channel's association; objects see it as the session that asks."""

    def __init__(
        self, catalogue: "Catalogue", security: "Security", receive_size: int, port: int
    ) -> None:
        self.catalogue = catalogue
        self.security = security
        self.receive_size = receive_size  # the largest APDU that this channel takes
        self.port = port
        self.local = port != TCP  # the link is no network
        self.state = CLOSED
        self.client = catalogue.clients[0]  # who is associated, while the state is not CLOSED
        self.context = acse.LN_WITHOUT_CIPHERING
        self.mechanism = 0
        self.conformance = 0
        self.send_size = receive_size  # the largest APDU that the client takes
        self.limit = receive_size  # the largest answer that may be written now, yet unprotected
        self.in_blocks = False  # the request under way came by general block transfer
        self.rest: Stream | None = None  # of an answer longer than one APDU
        self.ciphering = Ciphering(security, GUEK, port)
        self.protection = 0  # of the initiate request: bits of the security control byte
        self.exchange: Exchange | None = None  # challenges, while the state is PENDING
        self._now_ms = 0  # when the request under way came

    def request(self, client_sap: int, apdu: "Buffer", reply: bytearray, now_ms: int) -> int:
        """Answer an AARQ; return the length of the AARE. Raises ServiceRefused for a replay."""
        try:
            asked = acse.parse_aarq(apdu)
        except EncodingError:
            # nothing that could be called a request has been understood: all stays as it was
            answer = acse.Answer(
                acse.LN_WITHOUT_CIPHERING, acse.REJECTED_PERMANENT, acse.NO_REASON_GIVEN
            )
            answer.by_provider = True
            answer.user_information = initiate.service_error()
            return acse.write_aare(reply, answer)
        self._apply(_REQUESTED)
        answer = admission.judge(self, asked, client_sap, now_ms)
        if answer.result != acse.ACCEPTED:
            self._apply(_REFUSED)
        elif self.exchange is not None:
            self._apply(_CHALLENGED)
        else:
            self._apply(_GRANTED)
            if self.mechanism:
                self.security.logged_in(self.port)
        return acse.write_aare(reply, answer)

    @property
    def title(self) -> bytes:
        """The client's system title, empty if it needed none."""
        return self.ciphering.title

    def begin(self, now_ms: int) -> None:
        """Tell when the request came that is carried out now."""
        self._now_ms = now_ms

    def reply_to_hls(self, proof: bytes) -> "bytes | Steps[bytes]":
        """Check pass 3 and return pass 4, or what gives it where that takes long.

        Raises AccessRefused, and then it is all over.
        """
        exchange = self.exchange
        if self.state != PENDING or exchange is None:
            raise AccessRefused(READ_WRITE_DENIED)
        self.exchange = None
        if self.security.lockout.locked(self._now_ms):
            raise self._refused(AccessRefused(READ_WRITE_DENIED))
        if exchange.signs:
            return self._check_signature(exchange, proof)
        try:
            reply = exchange.reply(proof, self.ciphering)
        except MeterError as error:
            raise self._refused(error) from None
        self._proved()
        return reply

    def _check_signature(self, exchange: "Exchange", proof: bytes) -> "Steps[bytes]":
        try:
            reply = yield from exchange.signature(proof, self.ciphering.title)
        except MeterError as error:
            raise self._refused(error) from None
        self._proved()
        return reply

    def _proved(self) -> None:
        self._apply(_PROVED)
        self.security.logged_in(self.port)

    def _refused(self, error: MeterError) -> AccessRefused:
        """End what was not proved; return what the client is told."""
        security = self.security
        refusal = READ_WRITE_DENIED
        if isinstance(error, WrongProof):
            security.login_failed(self._now_ms)
        elif isinstance(error, Replayed):
            security.replayed()
        elif isinstance(error, CountersLost):
            refusal = TEMPORARY_FAILURE
        self._apply(_REFUSED)
        return AccessRefused(refusal)

    def release(self, client_sap: int, apdu: "Buffer", reply: bytearray) -> int:
        """Answer an RLRQ in any state; return the length of the RLRE. Raises EncodingError.

        An association that was opened under protection is only ended under protection; without
        it the client is told that it is not finished. A client that has no association here has
        nothing to end.
        """
        information = acse.parse_rlrq(apdu)
        if self.state != CLOSED and client_sap != self.client.sap:
            return acse.write_rlre(reply)
        by_book = self.security.options(self.port) & ASSOCIATION_BY_BOOK
        if self.state == CLOSED or not (self.protection and by_book):
            self._apply(_RELEASED)
            return acse.write_rlre(reply)
        try:
            self.open_initiate(information)
        except admission.PROTECTION_ERRORS:
            return acse.write_rlre(reply, acse.NOT_FINISHED)
        granted = self.protected_initiate(self.protection)
        self._apply(_RELEASED)
        return acse.write_rlre(reply, acse.RELEASED, granted)

    def lost(self) -> None:
        """The link below is gone: the association ends without a word."""
        self._apply(_LOST)

    def open_initiate(self, information: bytes) -> tuple[int, int, bytes]:
        """Return the initiate request in user-information that is protected.

        Raises EncodingError, ServiceRefused, InitiateRefused.
        """
        if len(information) < 2 or information[0] != GLO_INITIATE_REQUEST:
            raise EncodingError
        if information[1] != len(information) - 2:
            raise EncodingError
        plain = self.ciphering.unprotect(information[2:], self.ciphering.title, False)
        asked = initiate.parse_request(plain)
        self.ciphering.accept(False)
        return asked

    def protected_initiate(self, control: int) -> bytes:
        """Return the initiate response as user-information under protection."""
        writer = Writer(bytearray(64))
        writer.octet(GLO_INITIATE_RESPONSE)
        granted = initiate.response(self.conformance, self.receive_size)
        self.ciphering.protect(writer, granted, control)
        return bytes(writer.buffer[: writer.at])

    def _apply(self, event: int) -> None:
        """Go to the next state; the only place that sets it."""
        before = self.state
        self.state = _TRANSITIONS[before, event]
        self.client.associations += (self.state == OPEN) - (before == OPEN)
        if self.state == CLOSED:
            self.exchange = None
            self.protection = 0
            self.ciphering.reset(b"")
