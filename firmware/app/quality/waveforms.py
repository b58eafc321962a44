"""What the waves were like when a sag, a swell or a cut began: records in flash, the oldest go.

Every half cycle is looked at as soon as it has ended. The first one beyond a limit lets the ring
of the waves run on for five eighths of its length; then all of it, some cycles before and some
after, becomes a row. So also a dip that is too short to count leaves its picture. A phase has to
come back by two hundredths of the nominal voltage before it begins another. A supply that flickers
for days wears the flash out no faster than one record a minute, besides some that were saved up.
"""

import struct

from micropython import const

from app import event_codes
from app.quality import limits
from app.rows import CLOCK, NO_TIME, RowSource, pack_objects, write_time
from metrology.snapshot import Snapshot

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.axdr import Writer
    from app.clock import Clock
    from app.quality.limits import Limits
    from app.storage.rings import Rings
    from metrology.engine import Engine

# UTC, deviation in minutes, clock status, hundredths, event, frame rate (mHz), frames, of them
# before the beginning, slot of the oldest, slots, worst RMS (mV); then of each channel picovolts
# or picoamperes of a code and the code of zero; then the frames
_HEAD = "<IhBBHIHHHHI"
_HEAD_SIZE = const(26)
_CHANNEL = "<Ii"
_CHANNEL_SIZE = const(8)
_SECTOR_TAKES = const(72)  # of a sector of the ring, if a row has it to itself
_COUNT_MASK = const(0x3FFFFFFF)  # half cycles are counted modulo 2**30
_WINDOWS_WAITED = const(50)  # for a blank sector
_SAVED_MOST = const(30)
_GONE = const(0xFFFFFFFF)  # UTC of a record that cannot be read
_NEWEST = b"\x00\x00\x80\x32\x02\xff"  # 0-0:128.50.2, whose elements the list's columns name
FIELDS = const(6)  # of a record, behind its time: see `Record.field`


class Waveforms:
    """Follows an engine; `may_write` tells whether the supply lasts for some milliseconds.

    missed: disturbances since start that left no record
    """

    def __init__(
        self,
        rings: "Rings",
        clock: "Clock",
        bounds: "Limits",
        engine: "Engine",
        words: int,
        may_write: "Callable[[], bool]",
    ) -> None:
        """`words`: of a frame of the engine."""
        phases = engine.quantities.phases
        self.channels = 2 * phases
        self.missed = 0
        self._row = bytearray(rings.sector_size - _SECTOR_TAKES)
        self._waves_at = _HEAD_SIZE + _CHANNEL_SIZE * self.channels
        slots = (len(self._row) - self._waves_at) // (2 * self.channels)
        self.slots = slots  # frames of a record, at most
        row = memoryview(self._row)[: self._waves_at + 2 * self.channels * slots]
        self.ring = rings.open("waveforms", len(row))
        self._waves = Snapshot(engine, words, row[self._waves_at :])
        self._row_view = row
        self._after = slots * 5 // 8
        self._clock = clock
        self._limits = bounds
        self._engine = engine
        self._may_write = may_write
        self._beyond = [False] * phases
        self._code = 0  # of what began, 0: nothing has
        self._phase = 0
        self._worst_mv = 0
        self._began_utc_s = self._hundredths = 0
        self._waited = 0
        self._saved = _SAVED_MOST  # records that may follow each other
        self._minute = 0
        engine.on_half_cycle = self.half_cycle
        engine.on_window.append(self.window)

    def half_cycle(self) -> None:
        """Look at the half cycle that has just ended. Allocates nothing unless one begins."""
        half_cycles = self._engine.half_cycles
        if not self._engine.quantities.valid:
            return
        values = self._limits.values
        phase = len(self._beyond)
        while phase:
            phase -= 1
            u_mv = half_cycles.u_mv(half_cycles.count(phase) - 1 & _COUNT_MASK, phase)
            if u_mv < 0:
                continue
            margin_mv = 2 * values[limits.NOMINAL] if self._beyond[phase] else 0
            low = u_mv < values[limits.SAG] * 100 + margin_mv
            beyond = low or u_mv > values[limits.SWELL] * 100 - margin_mv
            if beyond and not self._beyond[phase]:
                self._begin(phase, u_mv, low)
            elif phase == self._phase and self._code and not self._waves.still:
                swells = self._code >= event_codes.OVERVOLTAGE
                if (u_mv > self._worst_mv) is swells:
                    self._worst_mv = u_mv
            self._beyond[phase] = beyond

    def window(self) -> None:
        """Keep what is complete."""
        if self._code and self._waves.still and self._may_write():
            # a sector is erased in the background; nobody waits for it
            self._waited += 1
            if self.ring.ready and self.ring.prepared():
                self._keep()
            elif self._waited > _WINDOWS_WAITED:
                self.missed += 1
            else:
                return
            self._code = 0
            self._waves.go_on()

    def _begin(self, phase: int, u_mv: int, low: bool) -> None:
        utc_s = self._clock.utc_s()
        if utc_s // 60 != self._minute:
            self._minute = utc_s // 60
            self._saved = min(self._saved + 1, _SAVED_MOST)
        if self._code or not self._saved:
            self.missed += not self._code  # else it is in the record that is being made
            return
        self._saved -= 1
        self._phase = phase
        self._code = (event_codes.UNDERVOLTAGE if low else event_codes.OVERVOLTAGE) + phase
        self._worst_mv = u_mv
        self._began_utc_s = utc_s
        self._hundredths = self._clock.hundredths()
        self._waited = 0
        self._waves.stop_after(self._after)
        for channel in range(self.channels):
            # the zero is still that of a whole window before the disturbance
            at = _HEAD_SIZE + _CHANNEL_SIZE * channel
            struct.pack_into(_CHANNEL, self._row, at, *self._engine.scale(channel))

    def _keep(self) -> None:
        waves = self._waves
        clock, utc_s = self._clock, self._began_utc_s
        head = (utc_s, clock.deviation_min(utc_s), clock.status_at(utc_s), self._hundredths)
        oldest = (waves.slot - waves.kept) % waves.slots
        count = (waves.kept, max(0, waves.kept - self._after), oldest, waves.slots)
        event = (self._code, waves.rate_mhz)
        struct.pack_into(_HEAD, self._row, 0, *(head + event + count + (self._worst_mv,)))
        try:
            self.ring.append(self._row_view)
        except (OSError, ValueError):
            self.missed += 1  # others tell of the flash


class Record(RowSource):
    """The records as rows: the time of the beginning, then the fields."""

    timed = True

    def __init__(self, waveforms: Waveforms) -> None:
        self.channels = waveforms.channels
        self._ring = waveforms.ring
        self._head = bytearray(_HEAD_SIZE + _CHANNEL_SIZE * self.channels)
        self._there = -1  # sequence of the record whose head this is, -1: none
        self.capacity = self._ring.capacity

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
        fields = [(1, _NEWEST, 2, 1 + field) for field in range(FIELDS)]
        return pack_objects([CLOCK] + fields)

    def span(self, from_utc_s: int, to_utc_s: int) -> "Iterator[int]":
        """Yield the sequences of the rows dated in the span, both ends included."""
        return self._ring.span(from_utc_s, to_utc_s)

    def load(self, sequence: int) -> bool:
        """Make a record the present one; False if it is damaged or gone."""
        ring = self._ring
        if ring.first <= sequence < ring.next:
            if sequence == self._there:
                return True
            try:
                if ring.whole(sequence) and ring.fetch(sequence, 0, self._head):
                    self._there = sequence
                    return True
            except (OSError, ValueError):
                pass
        self._there = -1
        self._head[:] = bytes(len(self._head))
        struct.pack_into("<I", self._head, 0, _GONE)
        return False

    def field(self, place: int) -> int:
        """Return of the present record 0: the event, 1: the worst RMS until it was kept, in mV.

        2: frames in 1000 s, 3: frames, 4: of them before the beginning was seen, 5: hundredths.
        """
        head = struct.unpack_from(_HEAD, self._head, 0)
        return head[(4, 10, 5, 6, 7, 3)[place]]

    def utc_s(self) -> int:
        """Return when the present record's disturbance began."""
        return struct.unpack_from("<I", self._head, 0)[0]

    def time(self, writer: "Writer") -> None:
        """Encode that as a date-time."""
        head = struct.unpack_from(_HEAD, self._head, 0)
        if head[0] == _GONE:
            writer.octet_string(NO_TIME)
        else:
            write_time(writer, *head[:4])

    def write(self, writer: "Writer", column: int) -> None:
        """Encode one column of the present row."""
        if column:
            writer.uint32(self.field(column - 1))
        else:
            self.time(writer)

    def micro(self, frame: int) -> "list[int]":
        """Return a frame of the present record, in microvolts and microamperes by channel.

        Nothing for a frame that it has not, and for one that is gone meanwhile. Raises OSError.
        """
        _, _, _, _, _, _, count, _, oldest, slots, _ = struct.unpack_from(_HEAD, self._head, 0)
        size = 2 * self.channels
        if self._there < 0 or not frame < count:
            return []
        at = len(self._head) + (oldest + frame) % slots * size
        words = bytearray(size)
        if not self._ring.first <= self._there or not self._ring.fetch(self._there, at, words):
            return []
        micros: list[int] = []
        for channel, word in enumerate(struct.unpack(f"<{self.channels}h", words)):
            pico, zero = struct.unpack_from(
                _CHANNEL, self._head, _HEAD_SIZE + _CHANNEL_SIZE * channel
            )
            # the middle of the codes that gave this word
            micros.append(((word << 8) + 128 - zero) * pico // 1_000_000)
        return micros
