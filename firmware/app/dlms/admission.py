"""Who is let in: an AARQ is judged and answered (rows SEC-02 to SEC-12, SEC-20, SEC-41).

What costs an attacker nothing is looked at first, secrets last. Whatever is refused, the answer
carries user-information: what the server would grant, or a service error where the initiate
request is at fault.
"""

from micropython import const

from app.cosem.access import (
    MECHANISM_ECDSA,
    MECHANISM_LLS,
    MECHANISM_NONE,
    WITH_TITLES,
    WITHOUT_PASSWORD,
)
from app.counters import CountersLost
from app.crypto.constant_time import equal
from app.crypto.gcm import Gcm
from app.dlms import acse, conformance, initiate
from app.dlms.ciphering import GLO_INITIATE_REQUEST, Dedicated
from app.dlms.hls import LONGEST_CHALLENGE, SHORTEST_CHALLENGE, Exchange
from app.dlms.services import DECIPHERING_ERROR, INVOCATION_COUNTER_ERROR, ServiceRefused
from app.errors import EncodingError, MeterError
from app.security import BOTH, TITLE_SIZE

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.cosem.access import Client
    from app.dlms.association import Association

_LARGEST_PDU = const(0xFFFF)
_SMALLEST_CIPHERED_PDU = const(64)
_KEY_SIZE = const(16)

PROTECTION_ERRORS = (EncodingError, ServiceRefused, initiate.InitiateRefused)


class Rejected(MeterError):  # noqa: N818 - the standard's word for it
    """An AARQ is answered with a rejection."""

    def __init__(self, diagnostic: int, error: "int | None" = None) -> None:
        super().__init__(diagnostic)
        self.diagnostic = diagnostic
        self.error = error  # of the initiate request, None if that is not at fault


def judge(
    session: "Association", asked: acse.Request, client_sap: int, now_ms: int
) -> acse.Answer:
    """Take over into `session` what is granted, and return the AARE.

    Raises ServiceRefused if the AARQ is one that has been sent before.
    """
    context = acse.LN_WITHOUT_CIPHERING
    if asked.context == acse.LN_WITH_CIPHERING:
        context = acse.LN_WITH_CIPHERING
    answer = acse.Answer(context, acse.REJECTED_PERMANENT, acse.NO_REASON_GIVEN)
    answer.user_information = initiate.response(_offered(context), session.receive_size)
    if not asked.version_supported:
        answer.diagnostic = acse.NO_COMMON_ACSE_VERSION
        answer.by_provider = True
        return answer
    try:
        client, mechanism = _recognise(session, asked, client_sap)
        if mechanism and session.security.lockout.locked(now_ms):
            raise Rejected(acse.AUTHENTICATION_FAILURE)
        _take_initiate(session, asked, client, now_ms)
        _authenticate(session, asked, client, mechanism, now_ms)
        _grant(session, answer, client, mechanism)
    except Rejected as rejection:
        answer.diagnostic = rejection.diagnostic
        if rejection.error is not None:
            answer.user_information = initiate.service_error(rejection.error)
    except CountersLost:
        answer.diagnostic = acse.NO_REASON_GIVEN
    return answer


def _recognise(
    session: "Association", asked: acse.Request, client_sap: int
) -> "tuple[Client, int]":
    """Return the client and the mechanism by which it logs in."""
    security = session.security
    ciphered = asked.context == acse.LN_WITH_CIPHERING
    if not ciphered and asked.context != acse.LN_WITHOUT_CIPHERING:
        raise Rejected(acse.CONTEXT_NOT_SUPPORTED)
    client = session.catalogue.client(client_sap)
    if client is None or client.pre_established or client.restriction & security.restrictions:
        raise Rejected(acse.CALLING_TITLE_NOT_RECOGNIZED)
    if client.local and not session.local:
        raise Rejected(acse.CALLING_TITLE_NOT_RECOGNIZED)
    allowed = client.mechanisms(security)
    # without the authentication functional unit its fields count as not sent
    mechanism = asked.mechanism if asked.authentication else MECHANISM_NONE
    if mechanism is None or (mechanism == MECHANISM_NONE and mechanism not in allowed):
        raise Rejected(acse.MECHANISM_REQUIRED)
    if mechanism not in allowed:
        raise Rejected(acse.MECHANISM_NOT_RECOGNISED)
    # the public client has no keys; all others need ciphering as soon as the policy asks for it
    without_keys = mechanism == MECHANISM_NONE
    if without_keys if ciphered else (security.demanding and not without_keys):
        raise Rejected(acse.CONTEXT_NOT_SUPPORTED)
    title = asked.title
    if ciphered or mechanism in WITH_TITLES:
        title = title or security.client_title
        # under the meter's own title both sides would use the same nonces
        if len(title) != TITLE_SIZE or not any(title) or title == security.system_title:
            raise Rejected(acse.CALLING_TITLE_NOT_RECOGNIZED)
    session.ciphering.reset(title)
    session.context = asked.context
    return client, mechanism


def _take_initiate(
    session: "Association", asked: acse.Request, client: "Client", now_ms: int
) -> None:
    """Read the initiate request, under protection in a context with ciphering."""
    information = asked.user_information
    security = session.security
    session.protection = 0
    protected = bool(information) and information[0] == GLO_INITIATE_REQUEST
    if not protected and client.slot >= 0 and security.policy:
        raise Rejected(acse.NO_REASON_GIVEN, 0)
    try:
        if protected and asked.context == acse.LN_WITH_CIPHERING:
            services, size, dedicated_key = session.open_initiate(information)
            session.protection = information[2] & BOTH
        else:
            services, size, dedicated_key = initiate.parse_request(information)
    except initiate.InitiateRefused as refusal:
        raise Rejected(acse.NO_REASON_GIVEN, refusal.error) from None
    except EncodingError:
        raise Rejected(acse.NO_REASON_GIVEN, 0) from None
    except ServiceRefused as refusal:
        if refusal.service_error == INVOCATION_COUNTER_ERROR:
            raise
        if refusal.service_error == DECIPHERING_ERROR:
            security.login_failed(now_ms)
        raise Rejected(acse.AUTHENTICATION_FAILURE, 0) from None
    if session.context == acse.LN_WITH_CIPHERING and 0 < size < _SMALLEST_CIPHERED_PDU:
        raise Rejected(acse.NO_REASON_GIVEN, initiate.PDU_SIZE_TOO_SHORT)
    if session.protection and dedicated_key:
        if len(dedicated_key) != _KEY_SIZE:
            raise Rejected(acse.NO_REASON_GIVEN, 0)
        session.ciphering.dedicated = Dedicated(Gcm(security.block_cipher(dedicated_key)))
    session.conformance = services & _offered(session.context)
    session.send_size = min(size or _LARGEST_PDU, session.receive_size)
    session.limit = session.send_size


def _authenticate(
    session: "Association", asked: acse.Request, client: "Client", mechanism: int, now_ms: int
) -> None:
    """Check the password, or begin the exchange of challenges."""
    security = session.security
    if mechanism == MECHANISM_NONE:
        return
    secret = security.settings.get(client.secret)
    if mechanism == MECHANISM_LLS:
        if not secret or not equal(asked.secret, secret):
            security.login_failed(now_ms)
            raise Rejected(acse.AUTHENTICATION_FAILURE)
        return
    usable = SHORTEST_CHALLENGE <= len(asked.secret) <= LONGEST_CHALLENGE
    if (
        not usable
        or security.reflected(asked.secret)
        or (mechanism not in WITHOUT_PASSWORD and not secret)
        or (mechanism == MECHANISM_ECDSA and not security.suite)
    ):
        raise Rejected(acse.AUTHENTICATION_FAILURE)
    session.exchange = Exchange(mechanism, secret, asked.secret, security)


def _grant(session: "Association", answer: acse.Answer, client: "Client", mechanism: int) -> None:
    """Complete the association and the answer."""
    session.client = client
    session.mechanism = mechanism
    answer.user_information = initiate.response(session.conformance, session.receive_size)
    if session.protection:
        answer.user_information = session.protected_initiate(session.protection)
    if session.context == acse.LN_WITH_CIPHERING or mechanism in WITH_TITLES:
        answer.title = session.security.system_title
    answer.result = acse.ACCEPTED
    answer.diagnostic = acse.DIAGNOSTIC_NULL
    if session.exchange is not None:
        answer.diagnostic = acse.AUTHENTICATION_REQUIRED
        answer.mechanism = mechanism
        answer.challenge = session.exchange.to_client


def _offered(context: int) -> int:
    """Return the services on offer in an application context."""
    if context == acse.LN_WITH_CIPHERING:
        return conformance.SERVICES
    return conformance.SERVICES & ~conformance.GENERAL_PROTECTION
