"""What the services share: octets of the APDUs, the check of rights, and the names of errors.

IEC 62056-53 clause 8: every request carries the invoke-id-and-priority octet, which the answer
mirrors.
"""

import struct

from micropython import const

from app.attributes import (
    HARDWARE_FAULT,
    OBJECT_CLASS_INCONSISTENT,
    OBJECT_UNDEFINED,
    OTHER_REASON,
    READ_WRITE_DENIED,
    SCOPE_OF_ACCESS_VIOLATED,
    SUCCESS,
    TYPE_UNMATCHED,
)
from app.axdr import Reader
from app.cosem.base import EXECUTE, READ, WRITE, Selection
from app.dlms.conformance import SELECTIVE_ACCESS
from app.errors import AccessRefused, MeterError, TypeUnmatched

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.axdr import Writer
    from app.cosem.association_ln import Session
    from app.cosem.base import InterfaceClass, Key, Work
    from app.cosem.catalogue import Catalogue

# Tags of the APDUs
GET_REQUEST = const(0xC0)
SET_REQUEST = const(0xC1)
EVENT_NOTIFICATION = const(0xC2)
ACTION_REQUEST = const(0xC3)
GET_RESPONSE = const(0xC4)
SET_RESPONSE = const(0xC5)
ACTION_RESPONSE = const(0xC7)
EXCEPTION_RESPONSE = const(0xD8)
ACCESS_REQUEST = const(0xD9)
ACCESS_RESPONSE = const(0xDA)
GENERAL_BLOCK_TRANSFER = const(0xE0)
DATA_NOTIFICATION = const(0x0F)

# State-error of an exception-response
SERVICE_NOT_ALLOWED = const(1)
SERVICE_UNKNOWN = const(2)
# Service-error of an exception-response
OPERATION_NOT_POSSIBLE = const(1)
SERVICE_NOT_SUPPORTED = const(2)
MALFORMED = const(3)  # other-reason
PDU_TOO_LONG = const(4)
DECIPHERING_ERROR = const(5)
INVOCATION_COUNTER_ERROR = const(6)

# Results of block transfer
LONG_TRANSFER_ABORTED = const(15)  # of get and action
NO_LONG_TRANSFER_IN_PROGRESS = const(16)  # of get and action
LONG_SET_ABORTED = const(17)
NO_LONG_SET_IN_PROGRESS = const(18)
DATA_BLOCK_NUMBER_INVALID = const(19)

CONFIRMED = const(0x40)  # service class in invoke-id-and-priority
_NO_PARAMETER = b"\x00"
_DESCRIPTOR = ">H6sB"  # class id, logical name, attribute or method


class ServiceRefused(MeterError):  # noqa: N818 - the standard's word for it
    """The whole request is answered by an exception-response."""

    def __init__(self, state_error: int, service_error: int, expected: int = 0) -> None:
        super().__init__(state_error, service_error)
        self.state_error = state_error
        self.service_error = service_error
        self.expected = expected  # invocation counter that would be accepted


def exception_response(
    reply: bytearray, state_error: int, service_error: int, expected: int = 0
) -> int:
    """Write an exception-response and return its length."""
    reply[0] = EXCEPTION_RESPONSE
    reply[1] = state_error
    reply[2] = service_error
    if service_error != INVOCATION_COUNTER_ERROR:
        return 3
    struct.pack_into(">I", reply, 3, expected)
    return 7


def find(
    catalogue: "Catalogue", session: "Session", class_id: int, logical_name: bytes
) -> "tuple[InterfaceClass, Key, int]":
    """Return (class, key, rights of this client). Raises AccessRefused."""
    found = catalogue.find(logical_name)
    if found is None:
        raise AccessRefused(OBJECT_UNDEFINED)
    handler, key, group = found
    if class_id != handler.CLASS_ID:
        raise AccessRefused(OBJECT_CLASS_INCONSISTENT)
    rights = session.client.rights(group)
    if rights == 0:
        raise AccessRefused(READ_WRITE_DENIED)
    return handler, key, rights


def find_attribute(
    catalogue: "Catalogue",
    session: "Session",
    class_id: int,
    logical_name: bytes,
    index: int,
    access: int,
) -> "tuple[InterfaceClass, Key]":
    """Return (class, key) of an attribute that this client has `access` to.

    Raises AccessRefused.
    """
    handler, key, rights = find(catalogue, session, class_id, logical_name)
    if not 1 <= index <= len(handler.ATTRIBUTES):
        raise AccessRefused(OBJECT_UNDEFINED)
    if not handler.ATTRIBUTES[index - 1][1] & rights & access:
        raise AccessRefused(READ_WRITE_DENIED)
    return handler, key


def find_method(
    catalogue: "Catalogue", session: "Session", class_id: int, logical_name: bytes, index: int
) -> "tuple[InterfaceClass, Key]":
    """Return (class, key) of a method that this client may execute. Raises AccessRefused."""
    handler, key, rights = find(catalogue, session, class_id, logical_name)
    if not 1 <= index <= len(handler.METHODS):
        raise AccessRefused(OBJECT_UNDEFINED)
    if not handler.METHODS[index - 1] & rights & EXECUTE:
        raise AccessRefused(READ_WRITE_DENIED)
    return handler, key


def result_of(error: Exception) -> int:
    """Return the data-access-result or action-result that tells a client of `error`."""
    if isinstance(error, AccessRefused):
        return error.result
    if isinstance(error, TypeUnmatched):
        return TYPE_UNMATCHED
    if isinstance(error, OSError):
        return HARDWARE_FAULT
    return OTHER_REASON


ANSWERED_ERRORS = (MeterError, ValueError, OSError)  # what an object may answer to a value


class Descriptor:
    """The attribute or method that one element of a request names."""

    def __init__(self, reader: Reader) -> None:
        self.class_id, self.logical_name, self.index = reader.unpack(_DESCRIPTOR, 9)
        self.selection: Selection | None = None

    def take_selection(self, session: "Session", reader: Reader) -> "Descriptor":
        """Read the access selection that follows an attribute; return the descriptor itself.

        Raises ServiceRefused if the client did not agree to selective access.
        """
        flag = reader.octet()
        if flag:
            if flag != 1:
                raise ServiceRefused(SERVICE_NOT_ALLOWED, MALFORMED)
            self.read_selection(session, reader)
        return self

    def read_selection(self, session: "Session", reader: Reader) -> None:
        """Read selector and parameters; raises as `take_selection`."""
        if not session.conformance & SELECTIVE_ACCESS:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, SERVICE_NOT_SUPPORTED)
        self.selection = Selection(reader.octet(), bounded_value(reader).rest())

    def read(
        self, catalogue: "Catalogue", session: "Session", writer: "Writer"
    ) -> "Iterator[None] | None":
        """Encode the attribute, or return what does it in parts. Raises ANSWERED_ERRORS."""
        handler, key = find_attribute(
            catalogue, session, self.class_id, self.logical_name, self.index, READ
        )
        if self.selection is not None:
            return handler.select(writer, key, self.index, session, self.selection)
        if self.index == 1:
            writer.octet_string(self.logical_name)
            return None
        return handler.get(writer, key, self.index, session)

    def write(self, catalogue: "Catalogue", session: "Session", value: Reader) -> int:
        """Set the attribute; return a data-access-result."""
        try:
            handler, key = find_attribute(
                catalogue, session, self.class_id, self.logical_name, self.index, WRITE
            )
            if self.selection is not None:  # no attribute of this meter is written in part
                raise AccessRefused(SCOPE_OF_ACCESS_VIOLATED)
            handler.write(value, key, self.index, session)
        except ANSWERED_ERRORS as error:
            return result_of(error)
        return SUCCESS

    def execute(
        self, catalogue: "Catalogue", session: "Session", value: Reader
    ) -> "int | bytes | Work":
        """Invoke the method; return an action-result, the value of a success, or what gives it."""
        try:
            handler, key = find_method(
                catalogue, session, self.class_id, self.logical_name, self.index
            )
            returned = handler.execute(value, key, self.index, session)
        except ANSWERED_ERRORS as error:
            return result_of(error)
        return SUCCESS if returned is None else returned


def no_parameter() -> Reader:
    """Return the parameter of a method that was invoked without one: null data."""
    return Reader(_NO_PARAMETER)


def bounded_value(reader: Reader) -> Reader:
    """Step over the next value and return a Reader for it alone. Raises EncodingError."""
    start = reader.at
    reader.skip()
    return Reader(reader.buffer, start, reader.at)
