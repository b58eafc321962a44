"""What the meter says without being asked: Data-Notification and Event-Notification.

    0f | long invoke id and priority (4) | date-time | value        Green Book 9.4.6
    c2 | [date-time] | class id, logical name, attribute | value

No I/O and no connection here: push takes APDU after APDU from `next` and sends them its way. What
does not fit into one goes in general blocks, which nobody acknowledges.
"""

import struct

from micropython import const

from app.dlms.block_transfer import LAST, STREAMING, room, write_block
from app.dlms.services import DATA_NOTIFICATION, EVENT_NOTIFICATION
from app.dlms.stream import Stream

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.attributes import Reference
    from app.axdr import Writer

    # writes a value, or its beginning and returns what writes the rest, as a class's `get` does
    Write = Callable[[Writer], Iterator[None] | None]


class Notification:
    """One notification on its way out; `size` is the longest APDU that its receiver takes."""

    def __init__(self, head: bytes, write: "Write", size: int) -> None:
        self._stream = Stream(head)
        self._stream.follow(_value(self._stream.writer, write))
        self._size = size
        self._head = b""  # what was made before it was known that blocks are needed
        self._block = 0
        self._done = False

    def next(self, buffer: bytearray) -> int:
        """Write the next APDU and return its length, 0 after the last.

        What an object raises while its value is made comes through; the receiver lacks the last
        block then, and drops the others.
        """
        if self._done:
            return 0
        stream = self._stream
        if not self._block:
            length = stream.fill(buffer, 0, self._size)
            self._done = stream.exhausted()
            if self._done:
                return length
            self._head = bytes(memoryview(buffer)[:length])
        octets = bytearray(self._head[: room(self._size)])
        self._head = self._head[len(octets) :]
        at = len(octets)
        octets += bytes(room(self._size) - at)
        at = stream.fill(octets, at, len(octets))
        self._done = not self._head and stream.exhausted()
        self._block += 1
        control = LAST if self._done else STREAMING
        return write_block(buffer, control, self._block, 0, bytes(octets[:at]))


def data_notification(invoke: int, date_time: bytes, write: "Write", size: int) -> Notification:
    """Return a Data-Notification; `invoke` is id and priority, `date_time` 12 octets or none."""
    head = struct.pack(">BIB", DATA_NOTIFICATION, invoke, len(date_time)) + date_time
    return Notification(head, write, size)


def event_notification(
    date_time: bytes, reference: "Reference", write: "Write", size: int
) -> Notification:
    """Return an Event-Notification of an attribute; `date_time` as above."""
    time = b"\x01" + bytes((len(date_time),)) + date_time if date_time else b"\x00"
    names = struct.pack(">H6sB", reference.class_id, reference.logical_name, reference.index)
    return Notification(bytes((EVENT_NOTIFICATION,)) + time + names, write, size)


def _value(writer: "Writer", write: "Write") -> "Iterator[None]":
    parts = write(writer)
    yield
    if parts is not None:
        for _ in parts:
            yield
