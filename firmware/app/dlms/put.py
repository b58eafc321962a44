"""The SET and ACTION services: normal, with-list, and either of them in blocks.

Both carry values towards the meter and differ in tags, in what stands before the values and in how
a result is told; those differences are in the table below, the rest is one (IEC 62056-53 8.4.2,
8.4.3). A request is checked to its last octet before any of it takes effect.
"""

import struct

from micropython import const

from app.attributes import SCOPE_OF_ACCESS_VIOLATED, SUCCESS
from app.axdr import Reader, Writer
from app.dlms.blocks import Blocks
from app.dlms.conformance import BLOCK_TRANSFER_WITH_ACTION
from app.dlms.services import (
    ACTION_RESPONSE,
    ANSWERED_ERRORS,
    CONFIRMED,
    DATA_BLOCK_NUMBER_INVALID,
    LONG_SET_ABORTED,
    LONG_TRANSFER_ABORTED,
    NO_LONG_SET_IN_PROGRESS,
    NO_LONG_TRANSFER_IN_PROGRESS,
    PDU_TOO_LONG,
    SERVICE_NOT_ALLOWED,
    SET_RESPONSE,
    Descriptor,
    ServiceRefused,
    bounded_value,
    no_parameter,
    result_of,
)
from app.dlms.stream import AnswerTooLong, Stream
from app.errors import EncodingError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Generator

    from app.cosem.association_ln import Session
    from app.cosem.base import Work
    from app.cosem.catalogue import Catalogue
    from hal import Buffer

# Octets that the blocks of one request may carry together: a whole table of day profiles
MAX_LONG_VALUE = const(24576)
_MOST_REFERENCES = const(127)
_RETURNED = b"\x00\x01\x00"  # success, a return parameter, which is data

# Types of SET-request
SET_NORMAL = const(1)
SET_FIRST_BLOCK = const(2)
SET_BLOCK = const(3)
SET_WITH_LIST = const(4)
SET_WITH_LIST_FIRST_BLOCK = const(5)
# Types of ACTION-request
ACTION_NORMAL = const(1)
ACTION_NEXT_BLOCK = const(2)
ACTION_WITH_LIST = const(3)
ACTION_FIRST_BLOCK = const(4)
ACTION_WITH_LIST_FIRST_BLOCK = const(5)
ACTION_BLOCK = const(6)


class LongRequest:
    """A request that arrives in blocks."""

    def __init__(self, descriptors: "list[Descriptor]", with_list: bool) -> None:
        self.descriptors = descriptors
        self.with_list = with_list
        self.block = 0  # number of the block received last
        self.value = bytearray()


class Put:
    """What SET and ACTION of one channel share: lists and blocks of values towards the meter."""

    RESPONSE = 0
    WRONG_NUMBER = 0  # results that tell what is wrong with a block
    NO_TRANSFER = 0
    ABORTED = 0
    ACKNOWLEDGE = 0  # type of the response to a block that is not the last

    def __init__(self, catalogue: "Catalogue", session: "Session") -> None:
        self._catalogue = catalogue
        self._session = session
        self._long: LongRequest | None = None  # the request that is arriving in blocks

    def abort(self) -> None:
        """Forget the blocks received so far."""
        self._long = None

    def _apply(self, descriptor: Descriptor, value: Reader) -> bytes:
        """Carry out one element and return its result as it stands in the response."""
        raise NotImplementedError

    def _encoded(self, result: int) -> bytes:
        """Return a result as it stands in the response."""
        raise NotImplementedError

    def _write_one(self, writer: Writer, result: bytes) -> None:
        """Write the response to a request for one attribute or method."""
        raise NotImplementedError

    def _write_last(self, writer: Writer, result: bytes, block: int) -> None:
        """Write the response to the last block of a request for one attribute or method."""
        raise NotImplementedError

    def _write_list(self, writer: Writer, results: "list[bytes]", block: int) -> None:
        """Write the response to a list; `block` is 0 if the list came whole."""
        raise NotImplementedError

    def _descriptor(self, reader: Reader) -> Descriptor:
        return Descriptor(reader)

    def _value(self, reader: Reader) -> Reader:
        """Return the value that a normal request carries, the last thing in it."""
        value = bounded_value(reader)
        if reader.left():
            raise EncodingError
        return value

    def normal(self, apdu: "Buffer", reply: bytearray) -> int:
        """Carry out a request for one attribute or method."""
        self._long = None
        reader = Reader(apdu, 3)
        descriptor = self._descriptor(reader)
        result = self._apply(descriptor, self._value(reader))
        writer = self._begin(apdu, reply)
        self._write_one(writer, result)
        return self._end(apdu, writer)

    def with_list(self, apdu: "Buffer", reply: bytearray) -> int:
        """Carry out a request for several attributes or methods, each by itself."""
        self._long = None
        reader = Reader(apdu, 3)
        descriptors = self._descriptors(reader)
        results = self._apply_list(descriptors, reader)
        writer = self._begin(apdu, reply)
        self._write_list(writer, results, 0)
        return self._end(apdu, writer)

    def first_block(self, apdu: "Buffer", reply: bytearray) -> int:
        """Take the first block of a value for one attribute or method."""
        reader = Reader(apdu, 3)
        self._long = LongRequest([self._descriptor(reader)], False)
        return self._take_block(reader, apdu, reply)

    def with_list_first_block(self, apdu: "Buffer", reply: bytearray) -> int:
        """Take the first block of values for several attributes or methods."""
        reader = Reader(apdu, 3)
        self._long = LongRequest(self._descriptors(reader), True)
        return self._take_block(reader, apdu, reply)

    def block(self, apdu: "Buffer", reply: bytearray) -> int:
        """Take a further block; the last one carries the request out."""
        return self._take_block(Reader(apdu, 3), apdu, reply)

    def _take_block(self, reader: Reader, apdu: "Buffer", reply: bytearray) -> int:
        last = reader.octet()
        number = reader.long()
        octets = reader.raw(reader.length())
        writer = self._begin(apdu, reply)
        long = self._long
        self._long = None  # whatever is wrong from here on ends the transfer
        if last > 1 or reader.left():
            raise EncodingError
        if long is None:
            self._write_last(writer, self._encoded(self.NO_TRANSFER), number)
        elif number != long.block + 1:
            self._write_last(writer, self._encoded(self.WRONG_NUMBER), number)
        elif len(long.value) + len(octets) > MAX_LONG_VALUE:
            self._write_last(writer, self._encoded(self.ABORTED), number)
        else:
            long.block = number
            long.value += octets
            if last:
                self._carry_out(long, writer)
            else:
                self._long = long
                writer.buffer[1] = self.ACKNOWLEDGE
                writer.raw(struct.pack(">I", number))
        return self._end(apdu, writer)

    def _carry_out(self, long: LongRequest, writer: Writer) -> None:
        """Carry out a request whose last block has come."""
        reader = Reader(long.value)
        try:
            if long.with_list:
                results = self._apply_list(long.descriptors, reader)
                self._write_list(writer, results, long.block)
                return
            value = bounded_value(reader)
            if reader.left():
                raise EncodingError
        except EncodingError:
            self._write_last(writer, self._encoded(self.ABORTED), long.block)
            return
        self._write_last(writer, self._apply(long.descriptors[0], value), long.block)

    def _descriptors(self, reader: Reader) -> "list[Descriptor]":
        count = reader.octet()
        if not 1 <= count <= _MOST_REFERENCES:
            raise EncodingError
        return [self._descriptor(reader) for _ in range(count)]

    def _apply_list(self, descriptors: "list[Descriptor]", reader: Reader) -> "list[bytes]":
        if reader.octet() != len(descriptors):
            raise EncodingError
        values = [bounded_value(reader) for _ in descriptors]
        if reader.left():
            raise EncodingError
        # results cannot go in blocks: see that they fit before anything takes effect
        if 8 + 2 * len(descriptors) > self._session.limit:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, PDU_TOO_LONG)
        results: list[bytes] = []
        for index, descriptor in enumerate(descriptors):
            results.append(self._apply(descriptor, values[index]))
        return results

    def _begin(self, apdu: "Buffer", reply: bytearray) -> Writer:
        reply[0] = self.RESPONSE
        reply[2] = apdu[2]
        return Writer(reply, 3, self._session.limit)

    def _end(self, apdu: "Buffer", writer: Writer) -> int:
        """Return the length of the response; unconfirmed requests have none."""
        return writer.at if apdu[2] & CONFIRMED else 0


class Set(Put):
    """SET of one channel."""

    RESPONSE = SET_RESPONSE
    WRONG_NUMBER = DATA_BLOCK_NUMBER_INVALID
    NO_TRANSFER = NO_LONG_SET_IN_PROGRESS
    ABORTED = LONG_SET_ABORTED
    ACKNOWLEDGE = 2

    def _descriptor(self, reader: Reader) -> Descriptor:
        return Descriptor(reader).take_selection(self._session, reader)

    def _apply(self, descriptor: Descriptor, value: Reader) -> bytes:
        return self._encoded(descriptor.write(self._catalogue, self._session, value))

    def _encoded(self, result: int) -> bytes:
        return bytes((result,))

    def _write_one(self, writer: Writer, result: bytes) -> None:
        writer.buffer[1] = 1
        writer.raw(result)

    def _write_last(self, writer: Writer, result: bytes, block: int) -> None:
        writer.buffer[1] = 3
        writer.raw(result)
        writer.raw(struct.pack(">I", block))

    def _write_list(self, writer: Writer, results: "list[bytes]", block: int) -> None:
        writer.buffer[1] = 4 if block else 5
        writer.length(len(results))
        writer.raw(b"".join(results))
        if block:
            writer.raw(struct.pack(">I", block))


class Action(Put):
    """ACTION of one channel."""

    RESPONSE = ACTION_RESPONSE
    WRONG_NUMBER = LONG_TRANSFER_ABORTED
    NO_TRANSFER = NO_LONG_TRANSFER_IN_PROGRESS
    ABORTED = LONG_TRANSFER_ABORTED
    ACKNOWLEDGE = 4

    def __init__(self, catalogue: "Catalogue", session: "Session") -> None:
        super().__init__(catalogue, session)
        self.blocks = Blocks(session, ACTION_RESPONSE, BLOCK_TRANSFER_WITH_ACTION)
        self._work: Work | None = None  # a method that takes long
        self._single = True  # one such method may be under way, not a list of them

    def next_block(self, apdu: "Buffer", reply: bytearray) -> int:
        """Send the next block of the long answer under way."""
        return self.blocks.next(apdu, reply)

    def take_work(self) -> "Work | None":
        """Return what is left to be done before the response is whole, None if it is."""
        work = self._work
        self._work = None
        return work

    def complete(
        self, work: "Work", reply: bytearray, length: int
    ) -> "Generator[None, None, int]":
        """Do the work, put its result behind the response in `reply`; return its new length."""
        try:
            returned = yield from work
            result = _RETURNED + returned if returned else self._encoded(SUCCESS)
        except ANSWERED_ERRORS as error:
            result = self._encoded(result_of(error))
        if not length:
            return 0  # nobody waits for it
        writer = Writer(reply, length, self._session.limit)
        self._write_one(writer, result)
        return writer.at

    def _value(self, reader: Reader) -> Reader:
        present = reader.octet()
        if present > 1 or (not present and reader.left()):
            raise EncodingError
        return super()._value(reader) if present else no_parameter()

    def _apply(self, descriptor: Descriptor, value: Reader) -> bytes:
        result = descriptor.execute(self._catalogue, self._session, value)
        if isinstance(result, int):
            return self._encoded(result)
        if isinstance(result, bytes):
            return _RETURNED + result
        if not self._single:
            return self._encoded(SCOPE_OF_ACCESS_VIOLATED)
        self._work = result
        return b""  # comes when the work is done

    def _apply_list(self, descriptors: "list[Descriptor]", reader: Reader) -> "list[bytes]":
        self._single = False
        try:
            return super()._apply_list(descriptors, reader)
        finally:
            self._single = True

    def _encoded(self, result: int) -> bytes:
        return bytes((result, 0))  # without a return parameter

    def _write_one(self, writer: Writer, result: bytes) -> None:
        writer.buffer[1] = 1
        if writer.at + len(result) <= writer.end:
            writer.raw(result)
        else:  # the blocks carry what the method returned and nothing else
            self._write_long(writer, result[:3], result[3:])

    def _write_last(self, writer: Writer, result: bytes, block: int) -> None:
        self._write_one(writer, result)

    def _write_list(self, writer: Writer, results: "list[bytes]", block: int) -> None:
        writer.buffer[1] = 3
        self._write_long(writer, b"", bytes((len(results),)) + b"".join(results))

    def _write_long(self, writer: Writer, ahead: bytes, octets: bytes) -> None:
        try:
            writer.at = self.blocks.answer(Stream(octets), writer.buffer, writer.at, ahead)
        except AnswerTooLong:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, PDU_TOO_LONG) from None
