"""Profiles that capture: a row is what a list of attributes read at one moment.

A row lies in a ring of flash: UTC, deviation and status of the clock, profile status, then a slot
for each column with the value as A-XDR encodes it, tag included, so that a value is shown in the
type that it had. Slots are as wide as the columns' types, so all rows have one size. The clock and
the profile's own status stand in the head of the row and take no slot.

Columns and period are one setting. The ring knows a sum over it: when they change, or when the
power goes in the middle of that, no row is ever shown under columns it was not captured with. Rows
LPR-01 to LPR-08, LPR-13.
"""

import binascii
import struct
from array import array

from micropython import const

from app import event_codes
from app.attributes import Reference
from app.axdr import (
    ARRAY,
    NULL,
    OCTET_STRING,
    STRUCTURE,
    UTF8_STRING,
    VISIBLE_STRING,
    Reader,
    Writer,
)
from app.errors import BufferFull, MeterError, TypeUnmatched
from app.rows import (
    CLOCK,
    NO_TIME,
    TIME_SIZE,
    RowSource,
    pack_objects,
    read_object,
    write_time,
)

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.attributes import Resolver
    from app.clock import Clock
    from app.rows import CaptureObject
    from app.settings import Settings
    from app.storage.rings import Rings
    from hal import Buffer

# Octets of a slot, by the type of the value
SIZE_8 = const(2)
SIZE_16 = const(3)
SIZE_32 = const(5)
SIZE_64 = const(9)
SIZE_TIME = const(14)  # an octet string of up to 12
IN_HEAD = const(0)  # clock and own status

# Forms of a buffer that is sent (row LPR-09)
WHOLE = const(0)  # every value
TIMES = const(1)  # null-data for a time that follows from the one before by the period
CHANGES = const(2)  # and for any value that is the same as the one before

STATUS_DAMAGED = const(0x05)  # ERR and DNV, table 6.2

_HEAD = "<IhBB"  # UTC, deviation in minutes, clock status, profile status
_HEAD_SIZE = const(8)
_STATUS_AT = const(7)
_COLUMN = ">H6sbHB"  # class, logical name, attribute, data index, octets of the slot
_COLUMN_SIZE = const(12)
_SETUP = ">I"  # period, before the columns
SETUP_SIZE = const(4)
_ROW_MOST = const(640)
_STRING_MOST = const(50)  # octets of a slot
_STRINGS = (OCTET_STRING, VISIBLE_STRING, UTF8_STRING)
_TOO_LARGE = "a value has at most 48 octets, a row 640"
_GONE = const(0xFFFFFFFF)  # UTC of a row that cannot be read


def column(
    class_id: int, logical_name: bytes, index: int, size: int, data_index: int = 0
) -> bytes:
    """Return a column for the factory's list; `size` is one of those above."""
    return struct.pack(_COLUMN, class_id, logical_name, index, data_index, size)


def setup_of(period_s: int, columns: bytes) -> bytes:
    """Return period and columns as the setting holds them."""
    return struct.pack(_SETUP, period_s) + columns


def shape(setup: bytes) -> tuple[int, int]:
    """Return size and layout of the rows, as the ring is opened with."""
    return _starts(setup)[-1], binascii.crc32(setup)


class Recorder:
    """What all profiles that capture share; one row is present at a time, of any of them.

    on_damage: called with the name of a ring when a damaged row of it is met
    """

    def __init__(
        self,
        rings: "Rings",
        settings: "Settings",
        resolver: "Resolver",
        clock: "Clock",
        post: "Callable[[int], None]",
        on_damage: "Callable[[str], None] | None" = None,
    ) -> None:
        self.rings = rings
        self.settings = settings
        self.resolver = resolver
        self.clock = clock
        self.post = post
        self.on_damage = on_damage
        row = bytearray(_ROW_MOST)
        self.row = memoryview(row)
        self.reader = Reader(row)
        self.writer = Writer(row)
        self.reference = Reference(0, b"", 0)


class CapturedRows(RowSource):
    """Rows in the ring `ring_name`, columns in the setting `key`, `factory_columns` without one.

    `period_s` is the factory's; `status_name` is the object of the profile's own status, if any.
    """

    timed = True
    form = WHOLE

    def __init__(
        self,
        recorder: Recorder,
        ring_name: str,
        key: str,
        factory_columns: bytes,
        most_columns: int,
        period_s: int = 0,
        status_name: bytes = b"",
    ) -> None:
        self._recorder = recorder
        self._ring_name = ring_name
        self._key = key
        self._most_columns = most_columns
        self._status_name = status_name
        self.damaged = False  # True: a row with a wrong CRC was met since start
        kept = recorder.settings.get(key)
        if len(kept) <= SETUP_SIZE or (len(kept) - SETUP_SIZE) % _COLUMN_SIZE:
            kept = setup_of(period_s, factory_columns)
        if self._open(kept):
            self._drop()

    @property
    def first(self) -> int:
        """Sequence of the oldest row."""
        return self._ring.first

    @property
    def next(self) -> int:
        """Sequence after the newest row."""
        return self._ring.next

    def columns(self) -> bytes:
        """Return the capture objects as attribute 3 is encoded."""
        return pack_objects([self._column(place)[:4] for place in range(len(self._starts) - 1)])

    def span(self, from_utc_s: int, to_utc_s: int) -> "Iterator[int]":
        """Yield the sequences of the rows dated in the span, both ends included."""
        return self._ring.span(from_utc_s, to_utc_s)

    def capture_at(self, utc_s: int, status: int = 0) -> None:
        """Add a row dated `utc_s` of what the columns read now; null-data where one cannot.

        The present row is lost. Raises OSError if the row cannot be kept.
        """
        recorder = self._recorder
        clock = recorder.clock
        row = self._row
        row[:] = bytes(len(row))
        struct.pack_into(
            _HEAD, row, 0, utc_s, clock.deviation_min(utc_s), clock.status_at(utc_s), status
        )
        writer = recorder.writer
        for place in range(len(self._starts) - 1):
            start = writer.at = self._starts[place]
            end = writer.end = self._starts[place + 1]
            if start == end:
                continue
            try:
                self._read(self._column(place), writer)
            except (MeterError, OSError, ValueError):
                for at in range(start, end):
                    row[at] = NULL
        self._ring.append(row)

    def load(self, sequence: int) -> bool:
        """Make a row the present one; False if it is damaged or gone."""
        row = self._row
        try:
            if self._ring.read_into(sequence, row):
                return True
            if not self.damaged:
                self.damaged = True
                if self._recorder.on_damage is not None:
                    self._recorder.on_damage(self._ring_name)
        except (OSError, ValueError):
            pass
        row[:] = bytes(len(row))
        struct.pack_into(_HEAD, row, 0, _GONE, 0, 0, STATUS_DAMAGED)
        return False

    def write(self, writer: Writer, column: int) -> None:
        """Encode one column of the present row."""
        start = self._starts[column]
        end = self._starts[column + 1]
        if start < end:
            reader = self._recorder.reader
            reader.at = start
            reader.end = end
            reader.skip()
            writer.raw(self._row[start : reader.at])
        elif self._column(column)[1] == self._status_name:
            writer.uint8(self._row[_STATUS_AT])
        else:
            self._write_time(writer)

    def dated(self) -> bytes:
        """Return the local time that the present row bears."""
        writer = Writer(bytearray(SIZE_TIME))
        self._write_time(writer)
        return bytes(writer.buffer[SIZE_TIME - TIME_SIZE :])

    def _write_time(self, writer: Writer) -> None:
        utc_s, deviation_min, status, _ = struct.unpack_from(_HEAD, self._row)
        if utc_s == _GONE:
            writer.octet_string(NO_TIME)
        else:
            write_time(writer, utc_s, deviation_min, status)

    def image(self) -> "Buffer":
        """Return the present row, for `unchanged` to compare with later."""
        return b"" if self.form == WHOLE else bytes(self._row)

    def unchanged(self, column: int, before: "Buffer") -> bool:
        """Tell whether null-data stands for a value of the present row, after the row before."""
        start = self._starts[column]
        end = self._starts[column + 1]
        if start == end and self._column(column)[1] != self._status_name:
            utc_s, deviation_min, status, _ = struct.unpack_from(_HEAD, self._row)
            follows = (utc_s - self.period_s, deviation_min, status)
            return struct.unpack_from(_HEAD, before)[:3] == follows
        if start == end:
            start = _STATUS_AT
            end = start + 1
        return self.form == CHANGES and self._row[start:end] == before[start:end]

    def newest_utc_s(self) -> int:
        """Return the time of the newest row, -1 if there is none."""
        if self.first == self.next:
            return -1
        self.load(self.next - 1)
        return struct.unpack_from("<I", self._row)[0]

    def set_columns(self, reader: Reader) -> None:
        """Capture other attributes from now on; the rows are gone then, with event 254.

        Raises AccessRefused or TypeUnmatched for what the meter has not, may not read or cannot
        keep, EncodingError, ValueError if they are none or too many, OSError; all stays then.
        """
        count = reader.array()
        if not 1 <= count <= self._most_columns:
            raise ValueError(f"1 to {self._most_columns} columns")
        objects = [read_object(reader) for _ in range(count)]
        if pack_objects(objects) == self.columns():
            return
        columns = [column(*(one[:3] + (self._size(one), one[3]))) for one in objects]
        self._change(self.period_s, b"".join(columns))

    def reset(self) -> None:
        """Forget all rows, with event 254. Raises OSError if that cannot be kept."""
        self._ring.clear()
        self._recorder.post(event_codes.PROFILE_CLEARED)

    def _change(self, period_s: int, columns: bytes) -> None:
        """Keep another setup, at one stroke. Raises ValueError if a row is too long, OSError."""
        setup = setup_of(period_s, columns)
        if _starts(setup)[-1] > _ROW_MOST:
            raise ValueError(_TOO_LARGE)
        self._recorder.settings.put(self._key, setup)
        self._open(setup)
        self._drop()

    def _open(self, setup: bytes) -> bool:
        """Begin with a setup; True if the ring holds rows of another one."""
        self._setup = setup
        self.period_s = struct.unpack_from(_SETUP, setup)[0]
        self._starts = _starts(setup)
        row_size, layout = shape(setup)
        self._row = self._recorder.row[:row_size]
        self._ring = self._recorder.rings.open(self._ring_name, row_size, layout)
        self.capacity = self._ring.capacity
        return self._ring.foreign

    def _drop(self) -> None:
        """Clear the rows of the setup before."""
        try:
            self.reset()
        except OSError:
            pass  # nothing shows them anyway

    def _column(self, place: int) -> "tuple[int, bytes, int, int, int]":
        return struct.unpack_from(_COLUMN, self._setup, SETUP_SIZE + place * _COLUMN_SIZE)

    def _read(self, column: "tuple[int, bytes, int, int, int]", writer: Writer) -> None:
        reference = self._recorder.reference
        reference.class_id = column[0]
        reference.logical_name = column[1]
        reference.index = column[2]
        self._recorder.resolver.read_element(reference, column[3], writer)

    def _size(self, captured: "CaptureObject") -> int:
        """Return how many octets a column takes: of a string, room for a longer one."""
        if captured == CLOCK or (self._status_name and captured == (1, self._status_name, 2, 0)):
            return IN_HEAD
        writer = Writer(self._recorder.row)
        try:
            self._read(captured + (0,), writer)
        except BufferFull:
            raise ValueError(_TOO_LARGE) from None
        tag = writer.buffer[0]
        if tag in (ARRAY, STRUCTURE):
            raise TypeUnmatched
        size = writer.at
        if tag == NULL or tag in _STRINGS:
            size = max(size, SIZE_TIME)
            if size > _STRING_MOST:
                raise ValueError(_TOO_LARGE)
        return size


def _starts(setup: bytes) -> "array[int]":
    """Return where in a row the slots begin, and where the last one ends."""
    starts = array("H", [_HEAD_SIZE])
    for at in range(SETUP_SIZE + _COLUMN_SIZE - 1, len(setup), _COLUMN_SIZE):
        starts.append(starts[-1] + setup[at])
    return starts
