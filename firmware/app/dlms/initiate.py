"""xDLMS Initiate: what the client proposes, what the server grants (IEC 62056-53 7.3.1)."""

import struct

from micropython import const

from app.axdr import Reader
from app.dlms import conformance
from app.errors import MeterError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Buffer

_INITIATE_REQUEST = const(0x01)
_INITIATE_RESPONSE = const(0x08)
_DLMS_VERSION = const(6)
_SMALLEST_PDU = const(12)
_VAA_NAME_LN = const(0x0007)

# ConfirmedServiceError, choice initiate
_OTHER = const(0)
_VERSION_TOO_LOW = const(1)
_INCOMPATIBLE_CONFORMANCE = const(2)
PDU_SIZE_TOO_SHORT = const(3)


class InitiateRefused(MeterError):  # noqa: N818 - the standard's word for it
    """The proposed xDLMS context cannot be granted; `error` tells why."""

    def __init__(self, error: int) -> None:
        super().__init__(error)
        self.error = error


def parse_request(octets: "Buffer") -> tuple[int, int, bytes]:
    """Return (granted conformance, client's largest PDU, 0 for no limit, dedicated key or b"").

    Raises InitiateRefused if the proposal cannot be granted and EncodingError if it is none. The
    quality of service is passed over.
    """
    reader = Reader(octets)
    if reader.octet() != _INITIATE_REQUEST:
        raise InitiateRefused(_OTHER)
    dedicated_key = b""
    if _present(reader):
        dedicated_key = reader.raw(reader.length())
    if _present(reader):  # response-allowed
        reader.octet()
    if _present(reader):  # proposed-quality-of-service
        reader.octet()
    version = reader.octet()
    proposed = _conformance(reader)
    size = reader.word()
    if reader.left():
        raise InitiateRefused(_OTHER)
    if version < _DLMS_VERSION:
        raise InitiateRefused(_VERSION_TOO_LOW)
    granted = proposed & conformance.SERVICES
    if not granted & (conformance.GET | conformance.SET | conformance.ACTION):
        raise InitiateRefused(_INCOMPATIBLE_CONFORMANCE)
    if 0 < size < _SMALLEST_PDU:
        raise InitiateRefused(PDU_SIZE_TOO_SHORT)
    return granted, size, dedicated_key


def response(granted: int, receive_size: int) -> bytes:
    """Return an InitiateResponse."""
    return (
        bytes((_INITIATE_RESPONSE, 0, _DLMS_VERSION, 0x5F, 0x1F, 4, 0))
        + granted.to_bytes(3, "big")
        + struct.pack(">HH", receive_size, _VAA_NAME_LN)
    )


def service_error(error: int = _OTHER) -> bytes:
    """Return a ConfirmedServiceError that blames the Initiate request."""
    return bytes((0x0E, 0x01, 0x06, error))


def _present(reader: Reader) -> bool:
    flag = reader.octet()
    if flag > 1:
        raise InitiateRefused(_OTHER)
    return flag == 1


def _conformance(reader: Reader) -> int:
    """Read the conformance block, [APPLICATION 31] in two octets or, as older clients do, one."""
    if reader.octet() != 0x5F:
        raise InitiateRefused(_OTHER)
    if reader.peek() == 0x1F:
        reader.octet()
    if reader.octet() != 4 or reader.octet() != 0:
        raise InitiateRefused(_OTHER)
    return (reader.octet() << 16) | reader.word()
