"""Rows as profiles, logs, billing records and lists keep them, for class 7 above to show.

A RowSource numbers its rows from `first` up to `next`, the oldest first; the buffer of a profile
is made from it row by row while it is sent. Attribute 3, the capture objects, is kept encoded.
"""

import struct

from micropython import const

import civil
from app.attributes import READ_WRITE_DENIED
from app.axdr import INT8, OCTET_STRING, STRUCTURE, UINT16
from app.errors import AccessRefused

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.axdr import Reader, Writer
    from hal import Buffer

    CaptureObject = tuple[int, bytes, int, int]  # class, logical name, attribute, data index

CAPTURE_OBJECT_SIZE = const(18)  # octets of one encoded capture object
CLOCK = (8, b"\x00\x00\x01\x00\x00\xff", 2, 0)  # the capture object that rows are dated by
TIME_SIZE = const(12)
NO_TIME = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80\x00\xff"  # nothing specified

_TIME = ">HBBBBBBBhB"
_OBJECT = ">BBBHBB6sBbBH"


class RowSource:
    """Rows of one profile; a subclass says where they lie and what it allows."""

    capacity = 1  # rows that are kept for certain: profile_entries
    period_s = 0  # capture_period, 0: rows come with events
    timed = False  # True: rows bear a time and `span` finds them by it

    @property
    def first(self) -> int:
        """Sequence of the oldest row."""
        return 0

    @property
    def next(self) -> int:
        """Sequence after the newest row; `first` if there is none."""
        return 1

    def columns(self) -> bytes:
        """Return the capture objects as attribute 3 is encoded."""
        raise NotImplementedError

    def span(self, from_utc_s: int, to_utc_s: int) -> "Iterator[int]":
        """Yield the sequences of the rows dated in the span, both ends included, in order."""
        raise NotImplementedError

    def load(self, sequence: int) -> bool:
        """Make a row the present one; False if it is damaged or gone.

        Such a row is written all the same, with a time that specifies nothing.
        """
        raise NotImplementedError

    def dated(self) -> bytes:
        """Return the local time that the present row bears, as the 12 octets of class 8."""
        raise NotImplementedError

    def write(self, writer: "Writer", column: int) -> None:
        """Encode one column of the present row. Raises BufferFull."""
        raise NotImplementedError

    def image(self) -> "Buffer":
        """Return the present row as `unchanged` takes it; empty: every value is sent."""
        return b""

    def unchanged(self, column: int, before: "Buffer") -> bool:
        """Tell whether the client can tell a column of the present row from the row before."""
        return False

    def set_columns(self, reader: "Reader") -> None:
        """Take over other capture objects from the value of attribute 3."""
        raise AccessRefused(READ_WRITE_DENIED)

    def set_period(self, period_s: int) -> None:
        """Set capture_period."""
        raise AccessRefused(READ_WRITE_DENIED)

    def reset(self) -> None:
        """Forget all rows."""
        raise AccessRefused(READ_WRITE_DENIED)

    def capture_at(self, utc_s: int, status: int = 0) -> None:
        """Add a row dated `utc_s` with a profile status."""
        raise NotImplementedError

    def capture(self) -> None:
        """Add a row now."""
        raise AccessRefused(READ_WRITE_DENIED)


def pack_objects(objects: "tuple[CaptureObject, ...] | list[CaptureObject]") -> bytes:
    """Return up to 127 capture objects as attribute 3 is encoded."""
    encoded = bytearray((1, len(objects)))
    for class_id, logical_name, index, data_index in objects:
        head = (STRUCTURE, 4, UINT16, class_id, OCTET_STRING, 6, logical_name)
        encoded += struct.pack(_OBJECT, *(head + (INT8, index, UINT16, data_index)))
    return bytes(encoded)


def read_object(reader: "Reader") -> "CaptureObject":
    """Return the next capture object. Raises EncodingError."""
    reader.structure(4)
    class_id = reader.number(UINT16)
    logical_name = reader.octet_string(6, 6)
    index = reader.number(INT8)
    return class_id, logical_name, index, reader.number(UINT16)


def write_time(
    writer: "Writer", utc_s: int, deviation_min: int, status: int, hundredths: int = 0
) -> None:
    """Encode the local time of a row as the 12 octets of class 8."""
    local = civil.parts(utc_s - deviation_min * 60)
    writer.octet_string(struct.pack(_TIME, *(local + (hundredths, deviation_min, status))))
