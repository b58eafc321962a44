"""A log: a ring of dated rows in flash, shown as a profile of fixed columns (row EVT-02).

The first column is the clock as it was, with its deviation and status of that moment; the others
are numbers or octets of fixed size. The ring's CRC tells of a damaged row (row EVT-06): it is
shown with a time that specifies nothing.
"""

import struct

from micropython import const

from app import event_codes
from app.axdr import OCTET_STRING, UINT8, UINT32
from app.rows import CLOCK, NO_TIME, RowSource, pack_objects, write_time

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.axdr import Writer
    from app.clock import Clock
    from app.rows import CaptureObject
    from app.storage.rings import Rings

    Column = tuple[CaptureObject, int]  # what is captured, A-XDR tag

_HEADER = "<IhB"  # UTC, deviation in minutes, clock status
_FORMS = {UINT8: "B", UINT32: "I", OCTET_STRING: "6s"}  # octet strings are logical names
_GONE = const(0xFFFFFFFF)  # UTC of a row that cannot be read


class Log(RowSource):
    """One log over the ring called `name`; `columns` are those behind the clock.

    `post` is told that the log was cleared.
    """

    timed = True

    def __init__(
        self,
        rings: "Rings",
        clock: "Clock",
        name: str,
        columns: "tuple[Column, ...]",
        post: "Callable[[int], None]",
    ) -> None:
        self._clock = clock
        self._post = post
        self._tags = tuple([tag for _, tag in columns])
        self._columns = pack_objects([CLOCK] + [captured for captured, _ in columns])
        self._form = _HEADER + "".join([_FORMS[tag] for tag in self._tags])
        self._new = bytearray(struct.calcsize(self._form))
        self._row = bytearray(len(self._new))
        self._ring = rings.open(name, len(self._new))
        self.capacity = self._ring.capacity
        self.damaged = 0  # rows with a wrong CRC that were met since start

    @property
    def first(self) -> int:
        """Sequence of the oldest row."""
        return self._ring.first

    @property
    def next(self) -> int:
        """Sequence after the newest row."""
        return self._ring.next

    def full(self) -> bool:
        """Tell whether the next row overwrites one."""
        return self.next - self.first >= self.capacity

    def add(self, utc_s: int, values: "tuple[int | bytes, ...]") -> None:
        """Add a row dated `utc_s`; it survives power loss. Raises OSError if it cannot."""
        clock = self._clock
        head = (utc_s, clock.deviation_min(utc_s), clock.status_at(utc_s))
        struct.pack_into(self._form, self._new, 0, *(head + values))
        self._ring.append(self._new)

    def columns(self) -> bytes:
        """Return the capture objects as attribute 3 is encoded."""
        return self._columns

    def span(self, from_utc_s: int, to_utc_s: int) -> "Iterator[int]":
        """Yield the sequences of the rows dated in the span, both ends included."""
        return self._ring.span(from_utc_s, to_utc_s)

    def load(self, sequence: int) -> bool:
        """Make a row the present one; False if it is damaged or gone."""
        try:
            if self._ring.read_into(sequence, self._row):
                return True
            self.damaged += 1
        except (OSError, ValueError):
            pass
        self._row[:] = bytes(len(self._row))
        struct.pack_into("<I", self._row, 0, _GONE)
        return False

    def row(self) -> "tuple[int | bytes, ...]":
        """Return the present row: UTC, deviation, clock status, the other columns."""
        return struct.unpack(self._form, self._row)

    def write(self, writer: "Writer", column: int) -> None:
        """Encode one column of the present row."""
        utc_s, deviation_min, status = struct.unpack_from(_HEADER, self._row)
        if column:
            value = self.row()[2 + column]
            writer.data(self._tags[column - 1], value)
        elif utc_s == _GONE:
            writer.octet_string(NO_TIME)
        else:
            write_time(writer, utc_s, deviation_min, status)

    def reset(self) -> None:
        """Forget all rows. Raises OSError if that cannot be kept."""
        self._ring.clear()
        self._post(event_codes.PROFILE_CLEARED)


class EventLog(Log):
    """A log of event codes; `latest` is its event code object, 0 since power-up (row EVT-01)."""

    def __init__(self, rings: "Rings", clock: "Clock", name: str, e: int) -> None:
        captured = (1, bytes((0, 0, 96, 11, e, 255)), 2, 0)
        super().__init__(rings, clock, name, ((captured, UINT8),), self._cleared)
        self.latest = 0

    def post(self, utc_s: int, code: int) -> None:
        """Note an event. Raises OSError if the entry cannot be kept."""
        self.latest = code
        self.add(utc_s, (code,))

    def _cleared(self, _code: int) -> None:
        """Begin anew with the entry that says so, in this log only (row EVT-05)."""
        self.post(self._clock.utc_s(), event_codes.LOG_CLEARED)
