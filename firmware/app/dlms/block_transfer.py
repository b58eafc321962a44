"""General block transfer: a long APDU in numbered blocks, either way (Green Book 9.4.6.13).

    e0 | last, streaming, window | block number (2) | number acknowledged (2) | octets

The window that either side announces is how many blocks it takes before it has to be asked again;
all of them but the last are sent as streaming. What a client does not acknowledge is sent again,
so the blocks of a window are kept; a window is shortened to what may be kept, and to one block on
a serial line, either way: the meter may not speak unasked, and clients neither ask nor listen
between the blocks of a window. An answer is made while it is sent. Number 0 ends a transfer.
"""

import struct

from micropython import const

from app.axdr import Reader, Writer
from app.dlms.services import ANSWERED_ERRORS, GENERAL_BLOCK_TRANSFER
from app.errors import EncodingError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.cosem.association_ln import Session
    from app.dlms.stream import Stream
    from hal import Buffer

MAX_LONG_REQUEST = const(24832)  # octets that the blocks of one request may carry together
_KEPT_MAX = const(2048)  # octets of blocks that may be asked for again
_WINDOW = const(8)  # blocks that this server takes in a row
LAST = const(0x80)
STREAMING = const(0x40)
_WINDOW_MASK = const(0x3F)
_LARGEST_NUMBER = const(0xFFFF)

# What is due besides blocks
_NOTHING = const(0)
_ACKNOWLEDGEMENT = const(1)
_ABORT = const(2)


class GeneralBlockTransfer:
    """The transfer of one channel: a request that arrives, then an answer that leaves."""

    def __init__(self, session: "Session", streams: bool) -> None:
        self._session = session
        self._streams = streams  # several blocks may leave in a row
        self._own_window = _WINDOW if streams else 1  # blocks that the client may send in a row
        self.abort()

    def abort(self) -> None:
        """Forget everything."""
        self._due = _NOTHING
        self._request: bytearray | None = None  # what has arrived
        self._received = 0  # number of the client's last block in sequence
        self._head = b""  # the answer: its beginning, and what makes the rest
        self._stream: Stream | None = None
        self._sending = False
        self._window = 1  # that the client announced
        self._kept: list[bytes] = []  # blocks made and not acknowledged
        self._kept_from: int = 1  # number of the first of them
        self._last = 0  # number of the last block, 0: not known yet
        self._next = 1  # number of the block to send next
        self._until = 0  # number of the last block that may be sent unasked

    def receive(self, apdu: "Buffer") -> "bytearray | None":
        """Take a block or an acknowledgement; return the request if it is complete.

        Otherwise `more` has what is to be sent. Raises EncodingError.
        """
        reader = Reader(apdu, 1)
        control = reader.octet()
        number = reader.word()
        acknowledged = reader.word()
        octets = reader.raw(reader.length())
        if reader.left():
            raise EncodingError
        if number == 0:
            self.abort()
            return None
        window = control & _WINDOW_MASK or 1
        if not octets:
            self._acknowledge(number, acknowledged, window)
            return None
        if number == 1:
            self.abort()
            self._request = bytearray()
        request = self._request
        if request is None or len(request) + len(octets) > MAX_LONG_REQUEST:
            self._break_off()
            return None
        self._window = window
        whole = False
        if number == self._received + 1:  # others are dropped and acknowledged up to the gap
            request += octets
            self._received = number
            whole = control & LAST != 0
        if whole:
            self._request = None
            return request
        if not control & STREAMING or control & LAST:
            self._due = _ACKNOWLEDGEMENT
        return None

    def begin(self, head: bytes, stream: "Stream | None", reply: bytearray) -> int:
        """Send `head` and then what `stream` makes; return the length of the first block."""
        self._head = head
        self._stream = stream
        self._sending = True
        self._kept_from = self._next
        self._allow(self._window)
        return self.more(reply)

    def more(self, reply: "bytearray | memoryview") -> int:
        """Write what is to be sent without being asked and return its length, 0 for nothing."""
        due = self._due
        self._due = _NOTHING
        if due == _ABORT:
            return write_block(reply, LAST, 0, 0, b"")
        if due == _ACKNOWLEDGEMENT:
            self._next += 1
            return write_block(reply, LAST | self._own_window, self._next - 1, self._received, b"")
        number = self._next
        if not self._sending or number > self._until or (self._last and number > self._last):
            return 0
        try:
            while len(self._kept) <= number - self._kept_from:
                self._kept.append(self._make())
        except ANSWERED_ERRORS:
            self.abort()
            return write_block(reply, LAST, 0, 0, b"")
        self._next = number + 1
        control = self._own_window
        if number == self._last:
            control |= LAST
        elif number < self._until:
            control |= STREAMING
        octets = self._kept[number - self._kept_from]
        return write_block(reply, control, number, self._received, octets)

    def _acknowledge(self, number: int, acknowledged: int, window: int) -> None:
        """Go on behind the block that the client has, which may mean to go back."""
        known = acknowledged - self._kept_from + 1
        if not self._sending or not 0 <= known <= len(self._kept):
            self._break_off()
        elif acknowledged == self._last:
            self.abort()
        else:
            self._received = number
            self._kept = self._kept[known:]
            self._kept_from = self._next = acknowledged + 1
            self._allow(window)

    def _break_off(self) -> None:
        self.abort()
        self._due = _ABORT

    def _allow(self, window: int) -> None:
        """Let a window be sent, as long as may be kept."""
        most = max(1, _KEPT_MAX // room(self._session.send_size)) if self._streams else 1
        self._until = self._next - 1 + min(window, most)

    def _make(self) -> bytes:
        """Return the next block of the answer. What its objects raise comes through."""
        if self._kept_from + len(self._kept) > _LARGEST_NUMBER:
            raise EncodingError
        size = room(self._session.send_size)
        octets = bytearray(self._head[:size])
        self._head = self._head[size:]
        stream = self._stream
        if stream is not None and len(octets) < size:
            at = len(octets)
            octets += bytes(size - at)
            octets = octets[: stream.fill(octets, at, size)]
        if not self._head and (stream is None or stream.exhausted()):
            self._last = self._kept_from + len(self._kept)
        return bytes(octets)


def room(size: int) -> int:
    """Return how many octets go into a block of at most `size` octets with its header."""
    octets = size - 7
    if octets > 0x7F:
        octets = max(0x7F, octets - (1 if octets <= 0x100 else 2))
    return octets


def write_block(
    reply: "bytearray | memoryview", control: int, number: int, acknowledged: int, octets: bytes
) -> int:
    """Write a block and return its length."""
    struct.pack_into(">BBHH", reply, 0, GENERAL_BLOCK_TRANSFER, control, number, acknowledged)
    writer = Writer(reply, 6)
    writer.length(len(octets))
    writer.raw(octets)
    return writer.at
