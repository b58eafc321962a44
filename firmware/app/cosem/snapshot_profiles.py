"""What the waves were like at each sag, swell and cut: 1-0:99.141.0, .1 and 0-0:128.50.2.

The first profile lists the records: when the disturbance began, the event code of its kind and
phase, the worst RMS in millivolts up to the record's end, frames in 1000 s, frames, how many of
them lie before the half cycle in which the disturbance was seen, and the hundredths of the
beginning. The second holds the frames of all records, each dated with its record's beginning, so
that a selection by range brings those of the records wanted: number of the frame, negative before
that half cycle, then voltages and currents with the scaler and unit of the registers that the
columns name. 0-0:128.50.2 is what the list says of the newest record, 0-0:128.50.3 how many frames
a record has at most. Manufacturer-specific names.
"""

from micropython import const

from app.axdr import UINT32
from app.cosem import access
from app.cosem.base import EXECUTE
from app.cosem.data import Data
from app.cosem.profile_generic import ProfileGeneric
from app.cosem.values import Simple, Value
from app.quality.waveforms import FIELDS, Record
from app.rows import CLOCK, pack_objects

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.axdr import Writer
    from app.clock import Clock
    from app.cosem.objects import Objects
    from app.quality.waveforms import Waveforms
    from app.rows import CaptureObject

_BEFORE = const(4)  # field of a record
_COUNT = const(3)
_UV_PER_STEP = const(10_000)  # of 1-0:32.7.0
_UA_PER_STEP = const(1_000)  # of 1-0:31.7.0
_FRAMES = (1, b"\x00\x00\x80\x32\x03\xff", 2, 0)  # stands for the number of a frame


class RecordList(Record):
    """The records, one a row, for the management client to clear."""

    def reset(self) -> None:
        """Forget all of them. Raises OSError if that cannot be kept."""
        self._ring.clear()


class Frames(Record):
    """The frames of all records, one a row; every record has as many sequences as fit into it."""

    def __init__(self, waveforms: "Waveforms", primary: "Callable[[int], int]") -> None:
        super().__init__(waveforms)
        self._slots = waveforms.slots
        self._primary = primary
        self._frame = 0
        self._micros: list[int] = []
        self.capacity *= self._slots

    @property
    def first(self) -> int:
        """Sequence of the oldest row."""
        return self._ring.first * self._slots

    @property
    def next(self) -> int:
        """Sequence after the newest row."""
        return self._ring.next * self._slots

    def columns(self) -> bytes:
        """Return the capture objects as attribute 3 is encoded."""
        objects: list[CaptureObject] = [CLOCK, _FRAMES]
        for channel in range(self.channels):
            c = 32 - channel % 2 + channel // 2 * 20  # U is 32, 52, 72; I is 31, 51, 71
            objects.append((3, bytes((1, 0, c, 7, 0, 255)), 2, 0))
        return pack_objects(objects)

    def span(self, from_utc_s: int, to_utc_s: int) -> "Iterator[int]":
        """Yield the sequences of the frames of the records dated in the span."""
        for record in self._ring.span(from_utc_s, to_utc_s):
            count = self.field(_COUNT) if super().load(record) else 0
            for frame in range(count):
                yield record * self._slots + frame

    def load(self, sequence: int) -> bool:
        """Make a frame the present row; False if it is damaged or gone, or there was none."""
        record, self._frame = divmod(sequence, self._slots)
        self._micros = []
        if super().load(record):
            try:
                self._micros = self.micro(self._frame)
            except OSError:
                pass
        return bool(self._micros)

    def write(self, writer: "Writer", column: int) -> None:
        """Encode one column of the present row."""
        if column == 0:
            self.time(writer)
        elif not self._micros:
            writer.null()
        elif column == 1:
            writer.int32(self._frame - self.field(_BEFORE))
        elif column & 1:
            micro = self._primary(self._micros[column - 2])  # as the registers show currents
            writer.int32((micro + _UA_PER_STEP // 2) // _UA_PER_STEP)
        else:
            writer.int32((self._micros[column - 2] + _UV_PER_STEP // 2) // _UV_PER_STEP)


class Newest(Value):
    """The fields of the newest record, all 0 if there is none."""

    def __init__(self, waveforms: "Waveforms") -> None:
        self._record = Record(waveforms)

    def read(self, writer: "Writer") -> None:
        """Encode a structure."""
        there = self._record.load(self._record.next - 1)
        writer.structure(FIELDS)
        for place in range(FIELDS):
            writer.uint32(self._record.field(place) if there else 0)


def add(
    objects: "Objects",
    clock: "Clock",
    waveforms: "Waveforms",
    primary: "Callable[[int], int]",
) -> None:
    """Add the objects; `primary` makes a current that of the primary side."""
    profile = ProfileGeneric(clock, reset=EXECUTE)
    objects.add((1, 0, 99, 141, 0), profile, RecordList(waveforms), access.SETTINGS)
    profile = ProfileGeneric(clock)
    objects.add((1, 0, 99, 141, 1), profile, Frames(waveforms, primary), access.READINGS)
    data = Data()
    objects.add((0, 0, 128, 50, 2), data, Newest(waveforms), access.READINGS)
    most = Simple(UINT32, lambda: waveforms.slots)
    objects.add((0, 0, 128, 50, 3), data, most, access.READINGS)
