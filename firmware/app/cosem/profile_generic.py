"""Interface class 7, Profile generic: rows of captured values (rows LPR-01, EVT-02, DSP-15).

The key of an instance is a RowSource: a log, a load profile, a list. The buffer is made from it
row by row while it is sent, whole or as selected; rows that go missing meanwhile, overwritten by
newer ones, are sent as damaged rows are, so that the array has the length it announced. What may
be written and invoked differs from kind to kind of profile: each kind has an object of this class.
"""

from micropython import const

from app.attributes import SCOPE_OF_ACCESS_VIOLATED
from app.axdr import ARRAY, ENUM, INT8, OCTET_STRING, STRUCTURE, UINT32
from app.cosem.base import NO_ACCESS, PART_SIZE, READ, InterfaceClass
from app.errors import AccessRefused, BufferFull
from app.rows import pack_objects

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.axdr import Reader, Writer
    from app.clock import Clock
    from app.cosem.base import Selection, Session
    from app.cosem.selective_access import Rows
    from app.rows import RowSource
    from hal import Buffer

_UNSORTED = const(1)  # sort_method: first in, first out
_NO_OBJECT = pack_objects([(0, bytes(6), 0, 0)])[2:]
_GONE = const(-1)  # no row has this sequence


class ProfileGeneric(InterfaceClass):
    """Profile generic, version 1; `columns`, `period`, `reset`, `capture` are their access."""

    CLASS_ID = 7
    VERSION = 1

    def __init__(
        self,
        clock: "Clock",
        columns: int = READ,
        period: int = READ,
        reset: int = NO_ACCESS,
        capture: int = NO_ACCESS,
    ) -> None:
        self._clock = clock
        self.ATTRIBUTES = (
            (OCTET_STRING, READ),  # 1 logical_name
            (ARRAY, READ),  # 2 buffer
            (ARRAY, columns),  # 3 capture_objects
            (UINT32, period),  # 4 capture_period
            (ENUM, READ),  # 5 sort_method
            (STRUCTURE, READ),  # 6 sort_object
            (UINT32, READ),  # 7 entries_in_use
            (UINT32, READ),  # 8 profile_entries
        )
        self.METHODS = (
            reset,  # 1 reset
            capture,  # 2 capture
        )

    def get(
        self, writer: "Writer", key: "RowSource", index: int, session: "Session"
    ) -> "Iterator[None] | None":
        """Encode an attribute."""
        if index == 2:
            from app.cosem import selective_access  # a log is read now and then

            columns, rows = selective_access.everything(key)
            return _buffer(writer, key, columns, rows)
        if index == 3:
            return _in_parts(writer, key.columns())
        if index == 4:
            writer.uint32(key.period_s)
        elif index == 5:
            writer.enum(_UNSORTED)
        elif index == 6:
            writer.raw(_NO_OBJECT)
        else:
            writer.uint32(key.next - key.first if index == 7 else key.capacity)
        return None

    def select(
        self,
        writer: "Writer",
        key: "RowSource",
        index: int,
        session: "Session",
        selection: "Selection",
    ) -> "Iterator[None]":
        """Encode the part of the buffer that lies in a range, or between two entries."""
        if index != 2:
            raise AccessRefused(SCOPE_OF_ACCESS_VIOLATED)
        from app.cosem import selective_access

        if selection.selector == selective_access.BY_RANGE:
            columns, rows = selective_access.by_range(selection.reader(), key, self._clock)
        elif selection.selector == selective_access.BY_ENTRY:
            columns, rows = selective_access.by_entry(selection.reader(), key)
        else:
            raise AccessRefused(SCOPE_OF_ACCESS_VIOLATED)
        return _buffer(writer, key, columns, rows)

    def put(self, reader: "Reader", key: "RowSource", index: int, session: "Session") -> None:
        """Set an attribute."""
        if index == 3:
            key.set_columns(reader)
        else:
            key.set_period(reader.number(UINT32))

    def act(self, reader: "Reader", key: "RowSource", index: int, session: "Session") -> None:
        """Invoke a method."""
        reader.number(INT8)  # an integer that means nothing
        if index == 1:
            key.reset()
        else:
            key.capture()


def _buffer(
    writer: "Writer", source: "RowSource", columns: "list[int]", rows: "Rows"
) -> "Iterator[None]":
    left = len(rows)
    writer.array(left)
    before: Buffer = b""
    for sequence in rows:
        if left == 0:
            return
        left -= 1
        yield from _row(writer, source, columns, sequence, before)
        before = source.image()
    while left:
        left -= 1
        yield from _row(writer, source, columns, _GONE, b"")


def _row(
    writer: "Writer", source: "RowSource", columns: "list[int]", sequence: int, before: "Buffer"
) -> "Iterator[None]":
    """Encode a row, `before` is the one that was sent last; yield where the writer is full."""
    source.load(sequence)
    for place in range(-1, len(columns)):
        at = writer.at
        try:
            _element(writer, source, columns, place, before)
        except BufferFull:
            if at == 0:
                raise
            writer.at = at
            yield
            source.load(sequence)  # meanwhile the source may have shown others another row
            _element(writer, source, columns, place, before)


def _element(
    writer: "Writer", source: "RowSource", columns: "list[int]", place: int, before: "Buffer"
) -> None:
    if place < 0:
        writer.structure(len(columns))
    elif before and source.unchanged(columns[place], before):
        writer.null()
    else:
        source.write(writer, columns[place])


def _in_parts(writer: "Writer", encoded: bytes) -> "Iterator[None]":
    for at in range(0, len(encoded), PART_SIZE):
        writer.raw(encoded[at : at + PART_SIZE])
        yield
