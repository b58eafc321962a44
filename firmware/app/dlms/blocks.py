"""Long answers of GET and ACTION in blocks of their own service (IEC 62056-53 8.4.1, 8.4.3).

    GET     c4 02 invoke | last | number (4) | 0 | length | octets
    ACTION  c7 02 invoke | last | number (4) | length | octets

Where the client asked in general blocks, or agreed to them alone, the answer goes in those.
"""

import struct

from micropython import const

from app.axdr import Writer
from app.dlms import conformance
from app.dlms.services import (
    ANSWERED_ERRORS,
    DATA_BLOCK_NUMBER_INVALID,
    GET_RESPONSE,
    LONG_TRANSFER_ABORTED,
    MALFORMED,
    NO_LONG_TRANSFER_IN_PROGRESS,
    SERVICE_NOT_ALLOWED,
    ServiceRefused,
)
from app.dlms.stream import send

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.cosem.association_ln import Session
    from app.dlms.stream import Stream
    from hal import Buffer

_WITH_DATA_BLOCK = const(2)  # type of the response
_GENERAL = conformance.GENERAL_BLOCK_TRANSFER


class Blocks:
    """What one service of a channel sends in blocks; remembers the answer under way."""

    def __init__(self, session: "Session", response: int, negotiated: int) -> None:
        self._session = session
        self._response = response  # tag of the answer
        self._negotiated = negotiated  # bit of the conformance block
        self._length_at = 9 if response == GET_RESPONSE else 8
        self._stream: Stream | None = None  # the long answer under way
        self._block = 0  # number of the block sent last

    def abort(self) -> None:
        """Forget the long answer under way."""
        self._stream = None

    def answer(
        self,
        stream: "Stream",
        reply: "bytearray | memoryview",
        data_at: int,
        ahead: bytes = b"",
    ) -> int:
        """Send the whole answer if it fits, behind its head and `ahead`, else its first block.

        Blocks begin behind `ahead`. Room for the header of a block is left before the octets
        until it is known which it is. Raises AnswerTooLong, and what an object raises.
        """
        session = self._session
        services = session.conformance
        if services & _GENERAL and (session.in_blocks or not services & self._negotiated):
            services = 0
        if not services & self._negotiated:
            end = data_at + len(ahead)
            reply[data_at:end] = ahead
            return send(session, stream, reply, end)
        start = self._start()
        end = stream.fill(reply, start, session.limit)
        size = end - start
        if stream.exhausted() and data_at + len(ahead) + size <= session.limit:
            octets = ahead + bytes(reply[start:end])
            end = data_at + len(octets)
            reply[data_at:end] = octets
            return end
        self._stream = stream
        self._block = 1
        return self._header(reply, stream.exhausted(), start, end)

    def next(self, apdu: "Buffer", reply: bytearray) -> int:
        """Send the next block of the long answer under way."""
        if len(apdu) != 7:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, MALFORMED)
        received = struct.unpack(">I", apdu[3:7])[0]
        stream = self._stream
        reply[0] = self._response
        reply[2] = apdu[2]
        if stream is None:
            return self._error(reply, received, NO_LONG_TRANSFER_IN_PROGRESS)
        if received != self._block:
            self._stream = None
            return self._error(reply, received, DATA_BLOCK_NUMBER_INVALID)
        self._block += 1
        start = self._start()
        try:
            end = stream.fill(reply, start, self._session.limit)
            return self._header(reply, stream.exhausted(), start, end)
        except ANSWERED_ERRORS:
            self._stream = None
            return self._error(reply, self._block, LONG_TRANSFER_ABORTED)

    def _start(self) -> int:
        """Return where the octets of a full block begin: the length before them takes 1 to 3."""
        limit = self._session.limit
        at = self._length_at
        if limit <= at + 1 + 0x7F:
            return at + 1
        return at + 2 if limit <= at + 2 + 0xFF else at + 3

    def _header(self, reply: "bytearray | memoryview", last: bool, start: int, end: int) -> int:
        """Complete a block whose octets stand in `reply[start:end]`; return where it ends."""
        if last:
            self._stream = None
        size = end - start
        at = self._length_at
        data_at = at + (1 if size < 0x80 else 2 if size < 0x100 else 3)
        if data_at != start:  # only a last block is shorter than its room
            reply[data_at : data_at + size] = bytes(reply[start:end])
        Writer(reply, at).length(size)
        reply[1] = _WITH_DATA_BLOCK
        reply[3] = 1 if last else 0
        struct.pack_into(">I", reply, 4, self._block)
        if at > 8:
            reply[8] = 0  # a block follows, not a result
        return data_at + size

    def _error(self, reply: bytearray, block: int, result: int) -> int:
        """Write what ends the transfer: a last block with a result, or ACTION's plain result."""
        if self._response == GET_RESPONSE:
            reply[1] = _WITH_DATA_BLOCK
            reply[3] = 1
            struct.pack_into(">IBB", reply, 4, block, 1, result)
            return 10
        reply[1] = 1
        reply[3] = LONG_TRANSFER_ABORTED if result == DATA_BLOCK_NUMBER_INVALID else result
        reply[4] = 0
        return 5
