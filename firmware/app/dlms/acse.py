"""ACSE APDUs in BER: AARQ and RLRQ in, AARE and RLRE out (IEC 62056-53, Green Book 9.4.2, 9.5)."""

from micropython import const

from app.errors import EncodingError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Buffer

AARQ = const(0x60)
AARE = const(0x61)
RLRQ = const(0x62)
RLRE = const(0x63)

# Association-result
ACCEPTED = const(0)
REJECTED_PERMANENT = const(1)

# Associate-source-diagnostic of the ACSE service user
DIAGNOSTIC_NULL = const(0)
NO_REASON_GIVEN = const(1)
CONTEXT_NOT_SUPPORTED = const(2)
CALLING_TITLE_NOT_RECOGNIZED = const(3)
MECHANISM_NOT_RECOGNISED = const(11)
MECHANISM_REQUIRED = const(12)
AUTHENTICATION_FAILURE = const(13)
AUTHENTICATION_REQUIRED = const(14)  # the client has to answer the challenge
# ... and of the ACSE service provider
NO_COMMON_ACSE_VERSION = const(2)

_USER = const(0xA1)
_PROVIDER = const(0xA2)

LN_WITHOUT_CIPHERING = const(1)
LN_WITH_CIPHERING = const(3)
UNKNOWN = const(-1)  # a context or mechanism that is not one of the DLMS UA's

_DLMS_UA_CONTEXT = b"\x60\x85\x74\x05\x08\x01"
_DLMS_UA_MECHANISM = b"\x60\x85\x74\x05\x08\x02"

# Release-response-reason
RELEASED = const(0)
NOT_FINISHED = const(1)

# Fields of the AARQ that are recognised and not needed: the called side's titles and qualifiers,
# the client's qualifier, invocation ids, implementation information
_SKIPPED = (0xA2, 0xA3, 0xA4, 0xA5, 0xA7, 0xA8, 0xA9, 0x9D, 0xBD)


class Request:
    """What an AARQ asks for."""

    def __init__(self) -> None:
        self.version_supported = True  # ACSE protocol version 1
        self.context = UNKNOWN
        self.authentication = False  # the authentication functional unit is selected
        self.mechanism: int | None = None  # None: not named
        self.title = b""  # the client's system title
        self.secret = b""  # a password or a challenge
        self.user_information = b""


def parse_aarq(apdu: "Buffer") -> Request:
    """Return what the AARQ asks for. Raises EncodingError if it is not one."""
    if apdu[0] != AARQ:
        raise EncodingError
    request = Request()
    at, end = _content(apdu, 1, len(apdu))
    if end != len(apdu):
        raise EncodingError
    while at < end:
        tag = apdu[at]
        start, stop = _content(apdu, at + 1, end)
        _take_field(request, tag, bytes(apdu[start:stop]))
        at = stop
    return request


def parse_rlrq(apdu: "Buffer") -> bytes:
    """Return the user-information of an RLRQ, empty if it has none that can be read.

    Raises EncodingError if it is no RLRQ; what else is in it does not matter.
    """
    at, end = _content(apdu, 1, len(apdu))
    if end != len(apdu):
        raise EncodingError
    information = b""
    while at < end:
        tag = apdu[at]
        start, at = _content(apdu, at + 1, end)
        if tag == 0xBE:
            try:
                information = _inner(bytes(apdu[start:at]), 0x04)
            except EncodingError:
                information = b""
    return information


class Answer:
    """What an AARE says."""

    def __init__(self, context: int, result: int, diagnostic: int) -> None:
        self.context = context
        self.result = result
        self.diagnostic = diagnostic
        self.by_provider = False
        self.title = b""  # of the meter, where keys are used
        self.mechanism: int | None = None  # with a challenge
        self.challenge = b""
        self.user_information = b""


def write_aare(reply: "bytearray | memoryview", answer: Answer) -> int:
    """Write an AARE and return its length."""
    source = _PROVIDER if answer.by_provider else _USER
    body = (
        b"\xa1\x09\x06\x07"
        + _DLMS_UA_CONTEXT
        + bytes((answer.context, 0xA2, 3, 2, 1, answer.result))
        + bytes((0xA3, 5, source, 3, 2, 1, answer.diagnostic))
    )
    if answer.title:
        body += _element(0xA4, _element(0x04, answer.title))
    if answer.mechanism is not None:
        name = _DLMS_UA_MECHANISM + bytes((answer.mechanism,))
        body += b"\x88\x02\x07\x80" + _element(0x89, name)
        body += _element(0xAA, _element(0x80, answer.challenge))
    body += _element(0xBE, _element(0x04, answer.user_information))
    return _write(reply, _element(AARE, body))


def write_rlre(
    reply: "bytearray | memoryview", reason: int = RELEASED, user_information: bytes = b""
) -> int:
    """Write an RLRE and return its length."""
    body = bytes((0x80, 1, reason))
    if user_information:
        body += _element(0xBE, _element(0x04, user_information))
    return _write(reply, _element(RLRE, body))


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    return bytes((tag, 0x81, size)) + content


def _write(reply: "bytearray | memoryview", apdu: bytes) -> int:
    reply[: len(apdu)] = apdu
    return len(apdu)


def _content(apdu: "Buffer", at: int, end: int) -> tuple[int, int]:
    """Return where the content lies whose BER length stands at `at`."""
    if at >= end:
        raise EncodingError
    length = apdu[at]
    at += 1
    if length >= 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 2 or at + octets > end:
            raise EncodingError
        length = int.from_bytes(bytes(apdu[at : at + octets]), "big")
        at += octets
    if at + length > end:
        raise EncodingError
    return at, at + length


def _take_field(request: Request, tag: int, content: bytes) -> None:
    if tag == 0x80:  # protocol-version, BIT STRING: version1 is its first bit
        request.version_supported = _first_bit(content)
    elif tag == 0xA1:
        request.context = _object_identifier(_inner(content, 0x06), _DLMS_UA_CONTEXT)
    elif tag == 0x8A:  # sender-acse-requirements, BIT STRING: authentication is its first bit
        request.authentication = _first_bit(content)
    elif tag == 0x8B:
        request.mechanism = _object_identifier(content, _DLMS_UA_MECHANISM)
    elif tag == 0xA6:  # calling-AP-title: the client's system title
        request.title = _inner(content, 0x04)
    elif tag == 0xAC:  # calling-authentication-value, charstring
        request.secret = _inner(content, 0x80)
    elif tag == 0xBE:
        request.user_information = _inner(content, 0x04)
    elif tag not in _SKIPPED:
        raise EncodingError


def _first_bit(content: bytes) -> bool:
    if len(content) < 2 or content[0] > 7:
        raise EncodingError
    return content[1] & 0x80 != 0


def _inner(content: bytes, tag: int) -> bytes:
    """Return the content of the one element inside an explicitly tagged field."""
    if not content or content[0] != tag:
        raise EncodingError
    start, stop = _content(content, 1, len(content))
    if stop != len(content):
        raise EncodingError
    return content[start:stop]


def _object_identifier(octets: bytes, prefix: bytes) -> int:
    if len(octets) == len(prefix) + 1 and octets[: len(prefix)] == prefix:
        return octets[-1]
    return UNKNOWN
