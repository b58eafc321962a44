"""The ACCESS service: attributes read and set, methods invoked, in one request (Green Book 9.3.5).

    d9 | long invoke id and priority (4) | date-time | specifications | values
    da | the same four | date-time | [specifications] | values | results

Elements are carried out in their order and while the answer is made, so that one may read what
the one before it has set; the form of all of them is checked before the first.
"""

import struct

from micropython import const

from app.attributes import OTHER_REASON, SCOPE_OF_ACCESS_VIOLATED, SUCCESS
from app.axdr import Reader, Writer
from app.dlms import conformance
from app.dlms.services import (
    ACCESS_RESPONSE,
    ANSWERED_ERRORS,
    SERVICE_NOT_ALLOWED,
    SERVICE_NOT_SUPPORTED,
    Descriptor,
    ServiceRefused,
    bounded_value,
    result_of,
)
from app.dlms.stream import Stream, pieces, refuse_long, send_or_refuse
from app.errors import EncodingError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.cosem.association_ln import Session
    from app.cosem.catalogue import Catalogue
    from hal import Buffer

# Bits of the long invoke id and priority
_SELF_DESCRIPTIVE = const(0x10000000)  # the answer repeats what was asked
_BREAK_ON_ERROR = const(0x20000000)
_CONFIRMED = const(0x40000000)

_GET = const(1)
_SET = const(2)
_ACTION = const(3)
_SELECTED = const(3)  # what a selection adds to GET and SET
# What has to be negotiated for each
_NEEDED = (0, conformance.GET, conformance.SET, conformance.ACTION)
_MOST_ELEMENTS = const(127)  # the results are one part then
_DATE_TIME_SIZES = (0, 12)


class Access:
    """ACCESS of one channel."""

    def __init__(self, catalogue: "Catalogue", session: "Session") -> None:
        self._catalogue = catalogue
        self._session = session

    def request(self, apdu: "Buffer", reply: bytearray) -> int:
        """Answer a request. Raises EncodingError, ServiceRefused."""
        reader = Reader(bytes(apdu), 1)  # a copy: it is read while the answer leaves
        invoke = reader.long()
        if reader.length() not in _DATE_TIME_SIZES:
            raise EncodingError
        reader.at += reader.buffer[reader.at - 1]
        start = reader.at
        count = reader.octet()
        if not 1 <= count <= _MOST_ELEMENTS:
            raise EncodingError
        elements = [self._element(reader) for _ in range(count)]
        repeated = b"\x00"
        if invoke & _SELF_DESCRIPTIVE:
            repeated = b"\x01" + reader.buffer[start : reader.at]
        if reader.octet() != count:
            raise EncodingError
        values = [bounded_value(reader) for _ in elements]
        if reader.left():
            raise EncodingError
        smallest = 7 + len(repeated) + 3 * count
        if invoke & _CONFIRMED and smallest > self._session.limit:
            refuse_long(self._session)  # before anything takes effect
        stream = Stream(struct.pack(">BIB", ACCESS_RESPONSE, invoke, 0) + repeated)
        stops = invoke & _BREAK_ON_ERROR != 0
        stream.follow(self._carry_out(elements, values, stops, stream.writer))
        if invoke & _CONFIRMED:
            return send_or_refuse(self._session, stream, reply, 0)
        while stream.fill(reply, 0, len(reply)):
            pass
        return 0

    def _element(self, reader: Reader) -> "tuple[int, Descriptor]":
        """Read one specification: what is to be done, and to what."""
        kind = reader.octet()
        if not _GET <= kind <= _SET + _SELECTED:
            raise EncodingError
        descriptor = Descriptor(reader)
        if kind > _SELECTED:
            kind -= _SELECTED
            descriptor.read_selection(self._session, reader)
        if not self._session.conformance & _NEEDED[kind]:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, SERVICE_NOT_SUPPORTED)
        return kind, descriptor

    def _carry_out(
        self,
        elements: "list[tuple[int, Descriptor]]",
        values: "list[Reader]",
        stops: bool,
        writer: Writer,
    ) -> "Iterator[None]":
        """Write the values of the answer, then the results."""
        writer.length(len(elements))
        results = bytes((len(elements),))
        stopped = False
        for index, (kind, descriptor) in enumerate(elements):
            yield
            result = OTHER_REASON
            if stopped:
                writer.null()
            else:
                result, parts = self._one(kind, descriptor, values[index], writer)
                if parts is not None:
                    yield
                    for _ in parts:
                        yield
            stopped = stops and result != SUCCESS
            results += bytes((kind, result))
        yield
        writer.raw(results)

    def _one(
        self, kind: int, descriptor: Descriptor, value: Reader, writer: Writer
    ) -> "tuple[int, Iterator[None] | None]":
        """Carry out an element: write its value, or return what does; return its result."""
        result = SUCCESS
        if kind == _GET:
            try:
                return result, descriptor.read(self._catalogue, self._session, writer)
            except ANSWERED_ERRORS as error:
                writer.at = 0
                result = result_of(error)
        elif kind == _SET:
            result = descriptor.write(self._catalogue, self._session, value)
        else:
            returned = descriptor.execute(self._catalogue, self._session, value)
            if isinstance(returned, bytes):
                return result, pieces(writer, returned)
            # what takes long has a request of its own
            result = returned if isinstance(returned, int) else SCOPE_OF_ACCESS_VIOLATED
        writer.null()
        return result, None
