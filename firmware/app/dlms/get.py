"""The GET service: normal, next, with-list; long answers in blocks (IEC 62056-53 8.4.1)."""

import struct

from micropython import const

from app.axdr import Reader, Writer
from app.dlms import conformance
from app.dlms.services import (
    ANSWERED_ERRORS,
    DATA_BLOCK_NUMBER_INVALID,
    GET_RESPONSE,
    LONG_TRANSFER_ABORTED,
    MALFORMED,
    NO_LONG_TRANSFER_IN_PROGRESS,
    PDU_TOO_LONG,
    SERVICE_NOT_ALLOWED,
    Descriptor,
    ServiceRefused,
    result_of,
)
from app.dlms.stream import Stream
from app.errors import BufferFull, EncodingError, MeterError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.cosem.catalogue import Catalogue
    from app.dlms.association import Association
    from hal import Buffer

# Types of the request and of the response
NORMAL = const(1)
NEXT = const(2)
WITH_LIST = const(3)
_WITH_DATA_BLOCK = const(2)

_DATA_AT = const(4)  # where the value of a normal response begins
_LIST_AT = const(3)  # where the results of a list begin
_BLOCK_AT = const(9)  # where the length of a block begins
_MOST_REFERENCES = const(127)


class AnswerTooLong(MeterError):  # noqa: N818 - nobody's fault
    """The answer needs blocks and the client did not agree to them."""


class Get:
    """GET of one channel; remembers the long answer that is under way."""

    def __init__(self, catalogue: "Catalogue", session: "Association") -> None:
        self._catalogue = catalogue
        self._session = session
        self._stream: Stream | None = None  # the long answer under way
        self._block = 0  # number of the block sent last

    def abort(self) -> None:
        """Forget the long answer under way."""
        self._stream = None

    def normal(self, apdu: "Buffer", reply: bytearray) -> int:
        """Answer a GET of one attribute."""
        self._stream = None
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
        return self._answer(stream, reply, _DATA_AT)

    def with_list(self, apdu: "Buffer", reply: bytearray) -> int:
        """Answer a GET of several attributes, each with its value or its error."""
        self._stream = None
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
            return self._answer(stream, reply, _LIST_AT)
        except AnswerTooLong:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, PDU_TOO_LONG) from None

    def next(self, apdu: "Buffer", reply: bytearray) -> int:
        """Send the next block of the long answer under way."""
        if len(apdu) != 7:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, MALFORMED)
        received = struct.unpack(">I", apdu[3:7])[0]
        stream = self._stream
        reply[0] = GET_RESPONSE
        reply[1] = _WITH_DATA_BLOCK
        reply[2] = apdu[2]
        if stream is None:
            return _block_error(reply, received, NO_LONG_TRANSFER_IN_PROGRESS)
        if received != self._block:
            self._stream = None
            return _block_error(reply, received, DATA_BLOCK_NUMBER_INVALID)
        self._block += 1
        try:
            return self._send_block(stream, reply)
        except ANSWERED_ERRORS:
            self._stream = None
            return _block_error(reply, self._block, LONG_TRANSFER_ABORTED)

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

    def _answer(self, stream: Stream, reply: bytearray, data_at: int) -> int:
        """Send the whole answer if it fits, else its first block.

        Room for the header of a block is left before the octets until it is known which it is.
        """
        limit = self._session.limit
        if not self._session.conformance & conformance.BLOCK_TRANSFER_WITH_GET:
            end = stream.fill(reply, data_at, limit)
            if stream.exhausted():
                return end
            raise AnswerTooLong
        start = _block_start(limit)
        end = stream.fill(reply, start, limit)
        if stream.exhausted():
            size = end - start
            reply[data_at : data_at + size] = bytes(reply[start:end])
            return data_at + size
        self._stream = stream
        self._block = 1
        return _block_header(reply, 1, False, start, end)

    def _send_block(self, stream: Stream, reply: bytearray) -> int:
        limit = self._session.limit
        start = _block_start(limit)
        end = stream.fill(reply, start, limit)
        last = stream.exhausted()
        if last:
            self._stream = None
        return _block_header(reply, self._block, last, start, end)


def _block_start(limit: int) -> int:
    """Return where the octets of a full block begin: the length before them takes 1 to 3."""
    if limit <= _BLOCK_AT + 1 + 0x7F:
        return _BLOCK_AT + 1
    return _BLOCK_AT + 2 if limit <= _BLOCK_AT + 2 + 0xFF else _BLOCK_AT + 3


def _block_header(reply: bytearray, block: int, last: bool, start: int, end: int) -> int:
    """Complete a block whose octets stand in `reply[start:end]`; return where the APDU ends."""
    size = end - start
    data_at = _BLOCK_AT + 1 if size < 0x80 else _BLOCK_AT + (2 if size < 0x100 else 3)
    if data_at != start:  # only a last block is shorter than its room
        reply[data_at : data_at + size] = bytes(reply[start:end])
    Writer(reply, _BLOCK_AT).length(size)
    reply[1] = _WITH_DATA_BLOCK
    reply[3] = 1 if last else 0
    struct.pack_into(">IB", reply, 4, block, 0)
    return data_at + size


def _error(reply: bytearray, result: int) -> int:
    """Write the data-access-result of a normal response."""
    reply[1] = NORMAL
    reply[3] = 1
    reply[4] = result
    return 5


def _block_error(reply: bytearray, block: int, result: int) -> int:
    """Write a last block that carries a data-access-result."""
    reply[3] = 1
    struct.pack_into(">IBB", reply, 4, block, 1, result)
    return 10
