"""The GET service: normal and with-list; blocks.Blocks has what is long (IEC 62056-53 8.4.1)."""

from micropython import const

from app.axdr import Reader, Writer
from app.dlms import conformance
from app.dlms.blocks import Blocks
from app.dlms.services import (
    ANSWERED_ERRORS,
    GET_RESPONSE,
    MALFORMED,
    OPERATION_NOT_POSSIBLE,
    PDU_TOO_LONG,
    SERVICE_NOT_ALLOWED,
    Descriptor,
    ServiceRefused,
    result_of,
)
from app.dlms.stream import AnswerTooLong, Stream
from app.errors import BufferFull, EncodingError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.cosem.association_ln import Session
    from app.cosem.catalogue import Catalogue
    from hal import Buffer

# Types of the request and of the response
NORMAL = const(1)
WITH_LIST = const(3)

_DATA_AT = const(4)  # where the value of a normal response begins
_LIST_AT = const(3)  # where the results of a list begin
_MOST_REFERENCES = const(127)


class Get:
    """GET of one channel."""

    def __init__(self, catalogue: "Catalogue", session: "Session") -> None:
        self._catalogue = catalogue
        self._session = session
        self.blocks = Blocks(session, GET_RESPONSE, conformance.BLOCK_TRANSFER_WITH_GET)

    def normal(self, apdu: "Buffer", reply: bytearray) -> int:
        """Answer a GET of one attribute."""
        self.blocks.abort()
        reader = Reader(apdu, 3)
        descriptor = Descriptor(reader).take_selection(self._session, reader)
        if reader.left():
            raise EncodingError
        reply[0] = GET_RESPONSE
        reply[1] = NORMAL
        reply[2] = apdu[2]
        reply[3] = 0
        try:
            return self._value(descriptor, reply)
        except ANSWERED_ERRORS as error:
            return _error(reply, result_of(error))

    def _value(self, descriptor: Descriptor, reply: bytearray) -> int:
        """Write a readable value, whole or its first block, behind the head of the answer."""
        session = self._session
        writer = Writer(reply, _DATA_AT, session.limit)
        try:
            if descriptor.read(self._catalogue, session, writer) is None:
                return writer.at
        except BufferFull:
            pass
        # a value in parts, or a whole one that is longer than what the client takes at once
        stream = Stream()
        stream.follow(descriptor.read(self._catalogue, session, stream.writer))
        return self.blocks.answer(stream, reply, _DATA_AT)

    def next_block(self, apdu: "Buffer", reply: bytearray) -> int:
        """Send the next block of the long answer under way."""
        return self.blocks.next(apdu, reply)

    def with_list(self, apdu: "Buffer", reply: bytearray) -> int:
        """Answer a GET of several attributes, each with its value or its error."""
        self.blocks.abort()
        reader = Reader(bytes(apdu), 3)
        count = reader.octet()
        if not 1 <= count <= _MOST_REFERENCES:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, MALFORMED)
        references: list[Descriptor] = []
        for _ in range(count):
            references.append(Descriptor(reader).take_selection(self._session, reader))
        if reader.left():
            raise ServiceRefused(SERVICE_NOT_ALLOWED, MALFORMED)
        reply[0] = GET_RESPONSE
        reply[1] = WITH_LIST
        reply[2] = apdu[2]
        stream = Stream()
        stream.follow(self._results(references, stream.writer))
        try:
            return self.blocks.answer(stream, reply, _LIST_AT)
        except AnswerTooLong:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, PDU_TOO_LONG) from None
        except ANSWERED_ERRORS:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE) from None

    def _results(self, references: "list[Descriptor]", writer: Writer) -> "Iterator[None]":
        writer.length(len(references))
        for reference in references:
            yield
            try:
                writer.octet(0)
                parts = reference.read(self._catalogue, self._session, writer)
            except ANSWERED_ERRORS as error:
                writer.at = 0
                writer.octet(1)
                writer.octet(result_of(error))
                continue
            if parts is not None:
                yield
                for _ in parts:
                    yield


def _error(reply: bytearray, result: int) -> int:
    """Write the data-access-result of a normal response."""
    reply[1] = NORMAL
    reply[3] = 1
    reply[4] = result
    return 5
