"""How the last life of the meter ended, and the counters of such ends.

A record in FRAM holds the counters, whether the meter runs, and the last time it was seen alive.
It is written when the mains fails, every ten seconds while it does not, and at each start; so an
outage without warning is known as well, to ten seconds. Only the battery-backed clock tells how
long one has lasted. Rows NOP-05 to NOP-07, PQL-17, ERR-09, ERR-18.
"""

import struct

from micropython import const

from app.clock import unset
from app.storage import record, regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.clock import Clock
    from app.power_fail import FarewellMemory

# How the last life ended.
NEVER = const(0)  # there was none: the meter is new, or the record is lost
OUTAGE = const(1)  # the supply went
RESET = const(2)  # the watchdog, or something else that has reset the processor, not the supply

_DOWN = const(0)  # states of the record
_RUNNING = const(1)
_ON_BATTERY = const(2)

_FORMAT = "<BIIIIIIII"
OCTETS = const(90)  # that one save writes at most: both copies, when one was damaged
_RECLOSED_S = const(180)  # an outage shorter than this was a reclosing (row ERR-18)
_THRESHOLD_S = const(180)  # an outage longer than this is a long one, unless set otherwise
_THRESHOLD_MAX_S = const(86400)
_UINT32 = const(0xFFFFFFFF)


class Outages:
    """The counters; times are UTC in seconds since 2000."""

    def __init__(self, memory: "FarewellMemory", clock: "Clock") -> None:
        self._record = regions.open_record(memory, "power")
        self._memory = memory
        self._clock = clock
        self._life = _DOWN  # what the record says while the meter is alive
        self.failures = 0  # times that the meter was without power
        self.long_failures = 0  # of them longer than the threshold
        self.reclosings = 0  # of them shorter than three minutes
        self.resets = 0  # by the watchdog
        self.battery_s = 0  # life in no-power mode, used up
        self.long_s = 0  # duration of the last long one, 0 if the clock stood still
        self.threshold_s = _THRESHOLD_S
        self.seen_utc_s = 0  # when the meter was alive last
        self.down_utc_s = 0  # when the last life ended, 0 if there was none
        self.damaged = False  # both copies of the record were
        self.failed = False  # the memory does not answer, or does not keep what is written
        self._state = _DOWN
        self._known = False
        self._unread = False  # True: the memory did not answer when the record was read
        self._load()
        # True: the last life ended in order, so no write of it can have been torn
        self.orderly = self._known and self._state == _DOWN

    def begin(self, power_on: bool) -> "tuple[int, int]":
        """Take note of a start; return (how the last life ended, seconds without power).

        `power_on`: the processor starts because its supply came. The time is -1 if it is not
        known. Called once.
        """
        self._life = _RUNNING
        now_utc_s = self._clock.utc_s()
        end, outage_s = self._judge(power_on, now_utc_s)
        if end == RESET:
            self.resets = (self.resets + 1) & _UINT32
        elif end == OUTAGE:
            self._count(outage_s)
        self.seen()
        return end, outage_s

    def begin_on_battery(self) -> None:
        """Take note of a start without mains: the outage goes on. Called in place of `begin`."""
        if self._known:
            self._life = _ON_BATTERY
            self.seen()

    def seen(self) -> None:
        """Keep the counters and the time: the meter is alive. `failed` tells if that cannot be."""
        self._store(self._life)

    def down(self) -> None:
        """Keep them in the hold-up time: the farewell, until anybody else writes."""
        if self._life:
            self._store(_DOWN)
            self._memory.withdraw = self.seen

    def use_battery(self, seconds: int) -> None:
        """Count time on the battery, ahead of its use; the meter counts as being without power."""
        self.battery_s = min(self.battery_s + seconds, _UINT32)
        self.seen()

    def clock_changed(self, old_utc_s: int, new_utc_s: int) -> None:
        """Bring the last sign of life into the clock's new time: an outage may begin at once."""
        self.seen_utc_s = max(0, self.seen_utc_s + new_utc_s - old_utc_s)
        if self._life:
            self.seen()

    def set_threshold(self, seconds: int) -> None:
        """Set which outages are long ones. Raises ValueError, or OSError if it cannot be kept."""
        if not 1 <= seconds <= _THRESHOLD_MAX_S:
            raise ValueError("1 to 86400 s")
        before = self.threshold_s
        self.threshold_s = seconds
        self.seen()
        if self.failed:
            self.threshold_s = before
            raise OSError("FRAM")

    def _judge(self, power_on: bool, now_utc_s: int) -> "tuple[int, int]":
        if not self._known or not self.seen_utc_s:
            return NEVER, 0
        self.down_utc_s = self.seen_utc_s
        if self._state == _RUNNING and not power_on:
            return RESET, 0
        # What stopped the clock has emptied its own supply as well.
        seen_utc_s = self.seen_utc_s
        unknown = self._clock.invalid or now_utc_s < seen_utc_s or unset(seen_utc_s)
        return OUTAGE, -1 if unknown else now_utc_s - seen_utc_s

    def _count(self, outage_s: int) -> None:
        self.failures = (self.failures + 1) & _UINT32
        if 0 <= outage_s < _RECLOSED_S:
            self.reclosings = (self.reclosings + 1) & _UINT32
        if self.long(outage_s):
            self.long_failures = (self.long_failures + 1) & _UINT32
            self.long_s = max(0, outage_s)

    def long(self, outage_s: int) -> bool:
        """Tell whether an outage counts as long; one that outlasted the clock does."""
        return outage_s < 0 or outage_s > self.threshold_s

    def _load(self) -> None:
        try:
            payload = self._record.load()
        except OSError:
            self.failed = self._unread = True
            return
        self._unread = False
        if payload is None or len(payload) != struct.calcsize(_FORMAT):
            self.damaged = self._record.state == record.LOST
            return
        self._known = True
        values = struct.unpack(_FORMAT, payload)
        self._state = values[0]
        self.failures, self.long_failures, self.reclosings, self.resets = values[1:5]
        self.battery_s, self.long_s, self.threshold_s, self.seen_utc_s = values[5:]

    def _store(self, state: int) -> None:
        self._memory.withdraw = None  # what is stored here says it: not once more within the write
        if self._unread:
            self._load()  # counters that could not be read must not be overwritten by none
            if self._unread:
                return
        if self._life == _RUNNING:
            self.seen_utc_s = self._clock.utc_s() & _UINT32
        payload = struct.pack(
            _FORMAT,
            state,
            self.failures,
            self.long_failures,
            self.reclosings,
            self.resets,
            self.battery_s,
            self.long_s,
            self.threshold_s,
            self.seen_utc_s,
        )
        try:
            self._record.save(payload)
            self._state = state
            self.failed = False
        except OSError:
            self.failed = True
