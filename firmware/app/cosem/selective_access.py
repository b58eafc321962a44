"""Selective access to the buffer of class 7: by range and by entry (IEC 62056-62 4.3.6).

Both give which columns and which rows of a RowSource the client wants. Rows are anything that has
a length and yields sequences; they are found anew when they are counted and when they are sent,
for a profile of any length is never held. Times come as clients send them: with or without
weekday, hundredths and deviation; fields left open mean the earliest or the latest there is.
"""

import struct

from micropython import const

import civil
from app.attributes import SCOPE_OF_ACCESS_VIOLATED
from app.axdr import DATE, DATE_TIME, OCTET_STRING, UINT16, UINT32, Reader, Writer
from app.clock import DST_ACTIVE
from app.cosem import date_time
from app.cosem.base import PART_SIZE
from app.errors import AccessRefused, TypeUnmatched
from app.rows import CLOCK, read_object

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    from app.axdr import Value
    from app.clock import Clock
    from app.rows import CaptureObject, RowSource

    class Rows(Protocol):
        """Sequences of rows, as often as they are asked for."""

        def __len__(self) -> int: ...
        def __iter__(self) -> Iterator[int]: ...

    Selected = tuple[list[int], Rows]  # columns, rows


BY_RANGE = const(1)
BY_ENTRY = const(2)

_LATEST_UTC_S = 0xFFFFFFFF
_OPEN_TIME = b"\xff\xff\xff\xff\x80\x00\xff"  # what a date lacks to a date-time
_OPEN = const(0xFF)
_OPEN_YEAR = const(0xFFFF)
_OPEN_DEVIATION = const(-0x8000)
# Places in a date-time, what an open field means at the beginning and at the end; 0: last day
_FIELDS = ((1, 1, 12), (2, 1, 0), (4, 0, 23), (5, 0, 59), (6, 0, 59))
_DAY = const(2)


class Span:
    """Rows dated between two times."""

    def __init__(self, source: "RowSource", from_utc_s: int, to_utc_s: int) -> None:
        self._source = source
        self._from_utc_s = from_utc_s
        self._to_utc_s = to_utc_s

    def __len__(self) -> int:
        """Count the rows."""
        return _count(self)

    def __iter__(self) -> "Iterator[int]":
        """Yield their sequences."""
        return self._source.span(self._from_utc_s, self._to_utc_s)


class Matches:
    """Rows whose value in a column lies between two values of its kind."""

    def __init__(self, source: "RowSource", column: int, low: "Value", high: "Value") -> None:
        self._source = source
        self._column = column
        self._low = low[1]
        self._high = high[1]
        self._kind = _kind(low[1])
        self._scratch = Writer(bytearray(PART_SIZE))
        newest = source.next - 1
        if _kind(high[1]) != self._kind or (
            newest >= source.first and _kind(self._value(newest)) not in (None, self._kind)
        ):
            raise TypeUnmatched

    def __len__(self) -> int:
        """Count the rows."""
        return _count(self)

    def __iter__(self) -> "Iterator[int]":
        """Yield their sequences."""
        source = self._source
        for sequence in range(source.first, source.next):
            value = self._value(sequence)
            if _kind(value) == self._kind and self._low <= value <= self._high:
                yield sequence

    def _value(self, sequence: int) -> "Any":  # noqa: ANN401 - whatever the column holds
        if not self._source.load(sequence):
            return None
        scratch = self._scratch
        scratch.at = 0
        self._source.write(scratch, self._column)
        return Reader(scratch.buffer, 0, scratch.at).data()[1]


def everything(source: "RowSource") -> "Selected":
    """Return all columns and all rows."""
    return list(range(len(_captured(source)))), range(source.first, source.next)


def by_range(reader: Reader, source: "RowSource", clock: "Clock") -> "Selected":
    """Return what a range descriptor selects.

    Raises TypeUnmatched, EncodingError, ValueError; AccessRefused if it names what the profile
    does not capture.
    """
    reader.structure(4)
    restricting = read_object(reader)
    low = reader.data()
    high = reader.data()
    captured = _captured(source)
    count = reader.array()
    if count > len(captured):
        raise ValueError("more columns than the profile has")
    wanted = [_column(captured, read_object(reader)) for _ in range(count)]
    columns = wanted or list(range(len(captured)))
    if restricting == CLOCK and source.timed:
        span = Span(source, moment(low, clock, False), moment(high, clock, True))
        return columns, span
    return columns, Matches(source, _column(captured, restricting), low, high)


def by_entry(reader: Reader, source: "RowSource") -> "Selected":
    """Return what an entry descriptor selects; errors as `by_range`. The oldest row is entry 1."""
    reader.structure(4)
    from_entry = max(1, reader.number(UINT32))
    to_entry = reader.number(UINT32)
    from_column = max(1, reader.number(UINT16))
    to_column = reader.number(UINT16)
    first = source.first
    in_use = source.next - first
    if to_entry == 0 or to_entry > in_use:
        to_entry = in_use
    count = len(_captured(source))
    if to_column == 0 or to_column > count:
        to_column = count
    if from_column > to_column:
        raise ValueError("no such columns")
    columns = list(range(from_column - 1, to_column))
    if from_entry > to_entry:
        return columns, range(0)
    return columns, range(first + from_entry - 1, first + to_entry)


def moment(value: "Value", clock: "Clock", end: bool) -> int:
    """Return the UTC that a bound of a range means, the last second of it if `end`.

    Raises TypeUnmatched for what is no time, ValueError for a time that is none.
    """
    tag, octets = value
    if tag not in (OCTET_STRING, DATE_TIME, DATE):
        raise TypeUnmatched
    if len(octets) == date_time.SIZE - len(_OPEN_TIME):
        octets += _OPEN_TIME
    if len(octets) != date_time.SIZE:
        raise ValueError("a date-time has 12 octets")
    fields = list(struct.unpack(date_time.FORM, octets))
    year = fields[0]
    if year == _OPEN_YEAR:
        return _LATEST_UTC_S if end else 0
    if not 2000 < year < 2099:  # no row is that old, or that new
        return 0 if year <= 2000 else _LATEST_UTC_S
    for place, first, last in _FIELDS:
        if fields[place] == _OPEN:
            fields[place] = last if end else first
            if fields[place] == 0 and place == _DAY:
                fields[place] = civil.days_in_month(year, fields[1])
    fields[3] = fields[7] = _OPEN  # weekday and hundredths mean nothing here
    if fields[8] == _OPEN_DEVIATION and fields[9] == _OPEN:
        # of an hour that comes twice, the first one begins and the second one ends the range
        fields[9] = 0 if end else DST_ACTIVE
    return date_time.utc_s(struct.pack(date_time.FORM, *fields), clock)


def _captured(source: "RowSource") -> "list[CaptureObject]":
    reader = Reader(source.columns())
    return [read_object(reader) for _ in range(reader.array())]


def _column(captured: "list[CaptureObject]", wanted: "CaptureObject") -> int:
    if wanted not in captured:
        raise AccessRefused(SCOPE_OF_ACCESS_VIOLATED)
    return captured.index(wanted)


def _count(rows: "Rows") -> int:
    count = 0
    for _ in rows:
        count += 1
    return count


def _kind(value: "Any") -> "type | None":  # noqa: ANN401 - whatever a column holds
    """Return what a value may be compared with: int for all numbers, bytes; None for nothing."""
    if isinstance(value, bytes):
        return bytes
    return int if isinstance(value, (int, float)) else None
