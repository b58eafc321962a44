"""Average demand over measuring periods, block and sliding (rows DEM-01 to DEM-04, DEM-13).

Several energies share one measuring period. Nothing is counted here: a period remembers where its
total stood when it began, so the energies of all periods add up to what the total has gained. What
has ended is divided by the time that has passed (row DEM-03), whole periods and broken ones alike;
a sliding demand divides the sum of the last periods by their whole time, where an earlier one that
was not measured, or not from its boundary on, was without energy meanwhile.

All of it lies in one array, which is the payload of its record: kept at the end of each period, it
lets a period go on after an outage, in which nothing is consumed. A boundary that passed meanwhile
ends the period at its own time; periods that passed whole are empty and are not told of.
"""

import struct

from micropython import const

from app import ticks
from app.periods import DST, NOT_FOR_BILLING, POWER_DOWN
from app.storage import record, regions
from metrology.energy import A_NET

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.periods import Period
    from app.tariff.window_totals import WindowTotals
    from hal import Memory

PERIODS_MAX = const(15)

# period in s, number of periods, with POWER_DOWN if the running one bears it, s by which the clock
# was synchronised in that, its end
_HEADER = "<HBbI"
_HEADER_SIZE = const(8)
# of an energy: total at the start of its running period modulo 2**64, that start as UTC and in
# ticks, then of the last average: when it was formed, its value, the bits of its period
_ROW = "<QIIIiB"
_ROW_SIZE = const(25)
_BEGUN = "<QII"
_BEGUN_SIZE = const(16)
_FORMED = "<IiB"
_SLOT = "<QI"  # of a period that has ended, the newest first: energy, ms it lasted, 0: none
_SLOT_SIZE = const(12)
_MODULUS = 1 << 64
_LATE_MS = const(1000)  # later than this was not the task, but the clock moved over the boundary
_SYNCHRONISED_MS = const(9000)  # a period may be so much shorter and still count as whole
_WAKING_MS = const(500)  # and so much, since its ends are not seen to the millisecond
_LOST_UWS = 36_000_000_000  # 10 Wh
_TICKS_MASK = const(0x3FFFFFFF)
_POWER_MAX = const(0x7FFFFFFF)


class Averages:
    """Demands of the energies `kinds` in tenths of a W, var or VA, register n of kinds[n].

    on_end: called with the time of a period's regular end, its bits, and bit n for each register
    whose average is one of full length; on_break: called after a period was broken off
    damaged: both copies of the record were; failed: the memory did not answer
    """

    def __init__(
        self,
        memory: "Memory",
        name: str,
        clock: "Clock",
        totals: "WindowTotals",
        kinds: "tuple[int, ...]",
    ) -> None:
        self._memory = memory
        self._name = name
        self._clock = clock
        self._totals = totals
        self.kinds = kinds
        self.period_s = 0
        self.periods = 0
        self.on_end: Callable[[int, int, int], None] | None = None
        self.on_break: Callable[[], None] | None = None
        self.damaged = False
        self.failed = False
        self._unread = False  # True: not to be overwritten by what began without it
        self._period: Period | None = None  # None: nothing is measured yet
        self._state = bytearray(0)
        self._whole = False  # True: the record's period may go on
        self._seen = 0  # POWER_DOWN, if that period bears it
        self._shifted_s = 0  # since the running period began
        self._slots = _HEADER_SIZE + len(kinds) * _ROW_SIZE

    def restore(self, period_s: int, periods: int) -> None:
        """Take up what the record holds, for periods of this length and so many of them."""
        self._shape(period_s, periods)
        stored = regions.open_record(self._memory, self._name)
        try:
            payload = stored.load()
        except OSError:
            self.failed = self._unread = True
            return
        self.damaged = stored.state >= record.LOST
        if payload is None or len(payload) < self._slots:
            return
        before = struct.unpack_from(_HEADER, payload, 0)
        if (before[0], before[1] & ~POWER_DOWN) == (period_s, periods) and len(payload) == len(
            self._state
        ):
            self._state[:] = payload
            self._shifted_s = before[2]
            self._seen = before[1] & POWER_DOWN
            # the older of two copies knows less of the total than has passed since
            self._whole = stored.state == record.OK
        else:
            self._state[_HEADER_SIZE : self._slots] = payload[_HEADER_SIZE : self._slots]

    def start(self, outage: bool) -> None:
        """Begin to measure; `outage`: the supply has been away since the record was kept."""
        period = self._period = self._clock.every(self.period_s, self._end, self._broken)
        bits = POWER_DOWN if outage else 0
        utc_s = self._clock.utc_s()
        ended_s = struct.unpack_from(_HEADER, self._state, 0)[3]
        begun_s = self._row(0)[1]
        if not self._whole or self._clock.invalid or utc_s < begun_s:
            bits |= NOT_FOR_BILLING
            self._begin(utc_s)
        elif ended_s > utc_s:
            period.bits |= self._seen
            period.synchronised = self._shifted_s != 0  # a second one is a change (row DEM-12)
            for index in range(len(self.kinds)):
                self._resume(index)
        else:
            ended = period.take() & ~DST | bits | self._seen
            self._catch_up(ended_s, ended | DST if self._clock.dst_active(ended_s) else ended)
        period.bits |= bits
        self.keep()

    def configure(self, period_s: int, periods: int) -> None:
        """Measure in other periods from now on; the last averages stay until one has ended."""
        if (period_s, periods) == (self.period_s, self.periods):
            return
        rows = bytes(self._state[_HEADER_SIZE : self._slots])
        self._shape(period_s, periods)
        self._state[_HEADER_SIZE : self._slots] = rows
        if self._period is not None:
            self._period.set_length(period_s)
            self._period.bits |= NOT_FOR_BILLING
            self._begin(self._clock.utc_s())
            self.keep()

    def current(self, index: int) -> int:
        """Return the energy of the running period, and of those before it, over the full time."""
        energy = 0
        if ticks.until_ms(self._totals.last_ms, self._row(index)[2]) > 0:
            energy = self._gained(index, self._totals.last_ms)[0]
        for slot in range(self.periods - 1):
            energy += self._slot(index, slot)[0]
        return average(energy, self.periods * self.period_s * 1000)

    def last(self, index: int) -> int:
        """Return the last average."""
        return self._row(index)[4]

    def status(self, index: int) -> int:
        """Return the bits of the period that formed the last average (table 6.2)."""
        return self._row(index)[5]

    def capture_utc_s(self, index: int) -> int:
        """Return when the last average was formed, 0 for never."""
        return self._row(index)[3]

    def start_utc_s(self, index: int) -> int:
        """Return since when the current average counts."""
        start_s = self._row(index)[1]
        for slot in range(self.periods - 1):
            start_s -= (self._slot(index, slot)[1] + 500) // 1000
        return start_s

    def ended_uws(self, index: int) -> int:
        """Return the energy of the period that ended last, in micro-watt-seconds."""
        return self._slot(index, 0)[0]

    def reset(self, index: int) -> None:
        """Set both averages to zero and begin anew (method 1)."""
        self._reset(index)
        self.keep()

    def next_period(self, index: int) -> None:
        """End the running period and begin the next one now (method 2)."""
        utc_s = self._clock.utc_s()
        bits = NOT_FOR_BILLING if self._period is None else self._period.bits | NOT_FOR_BILLING
        self._close(index, utc_s, utc_s, ticks.now_ms(), bits)
        self.keep()

    def billed(self) -> None:
        """Set all averages to zero (row DEM-07); a period that has just begun goes on."""
        for index in range(len(self.kinds)):
            _, start_s, start_ms, _, _, _ = self._row(index)
            if ticks.until_ms(ticks.now_ms(), start_ms) > _LATE_MS:
                self._reset(index)
            else:
                self._forget(index)
                self._formed(index, start_s, 0, 0)
        self.keep()

    def clock_changed(self, old_utc_s: int, new_utc_s: int) -> None:
        """Keep by how much the clock was synchronised, for a period that an outage cuts in two."""
        if self._period is not None and self._period.synchronised:
            self._shifted_s = new_utc_s - old_utc_s
            self.keep()

    def _end(self, due_s: int) -> None:
        assert self._period is not None
        self._shifted_s = 0
        at_ms = self._ticks_of(due_s)
        now_ms = ticks.now_ms()
        if ticks.until_ms(now_ms, at_ms) > _LATE_MS:
            at_ms = now_ms
        bits = self._period.take()
        full = 0
        for index in range(len(self.kinds)):
            if self._close(index, due_s, due_s, at_ms, bits):
                full |= 1 << index
        self._tell(due_s, bits, full)
        self.keep()

    def _broken(self, old_utc_s: int, new_utc_s: int) -> None:
        """The clock was changed (row DEM-13)."""
        assert self._period is not None
        self._shifted_s = 0
        bits = self._period.take()
        now_ms = ticks.now_ms()
        for index in range(len(self.kinds)):
            self._close(index, old_utc_s, new_utc_s, now_ms, bits)
        self._period.bits |= NOT_FOR_BILLING  # the rest up to the next boundary
        self.keep()
        if self.on_break is not None:
            self.on_break()

    def _catch_up(self, ended_s: int, bits: int) -> None:
        """End the period whose boundary passed in an outage; those after it were empty."""
        assert self._period is not None
        begun_s = self._period.due_utc_s - self.period_s
        begun_ms = self._ticks_of(begun_s)
        shifted_s = self._shifted_s
        self._shifted_s = 0
        full = 0
        for index in range(len(self.kinds)):
            lasted_ms = (ended_s - self._resume(index) - shifted_s) * 1000
            if self._close(index, ended_s, begun_s, begun_ms, bits, lasted_ms):
                full |= 1 << index
        self._tell(ended_s, bits, full)
        for index in range(len(self.kinds)):
            for _ in range(min(max(0, begun_s - ended_s) // self.period_s, self.periods)):
                self._push(index, 0, self.period_s * 1000)

    def _tell(self, utc_s: int, bits: int, full: int) -> None:
        """Let the maxima be kept before the averages: cut off between, it ends once more."""
        if self.on_end is not None:
            self.on_end(utc_s, bits, full)

    def _close(
        self, index: int, capture_s: int, start_s: int, at_ms: int, bits: int, lasted_ms: int = -1
    ) -> bool:
        """Form the average of what ends; tell whether it is one of full length."""
        energy, total = self._gained(index, at_ms)
        if lasted_ms < 0:
            lasted_ms = max(0, ticks.until_ms(at_ms, self._row(index)[2]))
        self._push(index, energy, lasted_ms)
        period_ms = self.period_s * 1000
        least_ms = period_ms - min(_SYNCHRONISED_MS, period_ms // 100) - _WAKING_MS
        full = lasted_ms >= least_ms
        if not full:
            bits |= NOT_FOR_BILLING
        length_ms = lasted_ms
        for slot in range(1, self.periods):
            slot_energy, slot_ms = self._slot(index, slot)
            energy += slot_energy
            length_ms += slot_ms if slot_ms >= least_ms else period_ms
            full = full and (slot_ms == 0 or slot_ms >= least_ms)
        self._begun(index, start_s, at_ms, total)
        self._formed(index, capture_s, average(energy, length_ms), bits)
        return full

    def _gained(self, index: int, at_ms: int) -> "tuple[int, int]":
        """Return what the running period holds at a moment, and the total that it reckons with.

        Only the net energy may fall; another total seems to when a moment was guessed too high.
        """
        mark = self._row(index)[0]
        gained = (self._totals.at_uws(self.kinds[index], at_ms) - mark) % _MODULUS
        if gained >= _MODULUS >> 1:
            gained = gained - _MODULUS if self._net(index) else 0
        return gained, (mark + gained) % _MODULUS

    def _net(self, index: int) -> bool:
        return self.kinds[index] == A_NET

    def _now_uws(self, index: int) -> int:
        return self._totals.at_uws(self.kinds[index], ticks.now_ms()) % _MODULUS

    def _begin(self, utc_s: int) -> None:
        """Begin a period in the middle of it, knowing nothing of those before."""
        self._shifted_s = 0
        for index in range(len(self.kinds)):
            self._forget(index)
            self._begun(index, utc_s, ticks.now_ms(), self._now_uws(index))

    def _reset(self, index: int) -> None:
        utc_s = self._clock.utc_s()
        self._forget(index)
        self._begun(index, utc_s, ticks.now_ms(), self._now_uws(index))
        self._formed(index, utc_s, 0, 0)

    def _ticks_of(self, utc_s: int) -> int:
        clock = self._clock
        now_ms = ticks.now_ms()
        return now_ms - (clock.utc_s() - utc_s) * 1000 - clock.hundredths() * 10

    def _shape(self, period_s: int, periods: int) -> None:
        self.period_s = period_s
        self.periods = periods
        self._state = bytearray(self._slots + len(self.kinds) * periods * _SLOT_SIZE)

    def _row(self, index: int) -> "tuple[int, ...]":
        return struct.unpack_from(_ROW, self._state, _HEADER_SIZE + index * _ROW_SIZE)

    def _begun(self, index: int, utc_s: int, at_ms: int, mark: int) -> None:
        at = _HEADER_SIZE + index * _ROW_SIZE
        struct.pack_into(_BEGUN, self._state, at, mark, utc_s, at_ms & _TICKS_MASK)

    def _formed(self, index: int, utc_s: int, value: int, bits: int) -> None:
        at = _HEADER_SIZE + index * _ROW_SIZE + _BEGUN_SIZE
        struct.pack_into(_FORMED, self._state, at, utc_s, value, bits)

    def _resume(self, index: int) -> int:
        """Let the period that was kept go on; return when it began.

        What the total has lost with the power is measured again before it counts here; but one
        that begins anew, far below the old mark, counts from now.
        """
        mark, start_s, _, _, _, _ = self._row(index)
        total = self._now_uws(index)
        if _LOST_UWS < (mark - total) % _MODULUS < _MODULUS >> 1 and not self._net(index):
            mark = total
        self._begun(index, start_s, self._ticks_of(start_s + self._shifted_s), mark)
        return start_s

    def _slot(self, index: int, slot: int) -> "tuple[int, int]":
        at = self._slots + (index * self.periods + slot) * _SLOT_SIZE
        energy, lasted_ms = struct.unpack_from(_SLOT, self._state, at)
        return (energy - _MODULUS if energy >= _MODULUS >> 1 else energy), lasted_ms

    def _push(self, index: int, energy: int, lasted_ms: int) -> None:
        at = self._slots + index * self.periods * _SLOT_SIZE
        end = at + (self.periods - 1) * _SLOT_SIZE
        self._state[at + _SLOT_SIZE : end + _SLOT_SIZE] = self._state[at:end]
        struct.pack_into(_SLOT, self._state, at, energy % _MODULUS, lasted_ms)

    def _forget(self, index: int) -> None:
        for _ in range(self.periods):
            self._push(index, 0, 0)

    def keep(self) -> None:
        """Store all of it; a memory that does not answer is noted in `failed`."""
        if self._unread or self._period is None:
            return
        periods = self.periods | self._period.bits & POWER_DOWN
        header = (self.period_s, periods, self._shifted_s, self._period.due_utc_s)
        struct.pack_into(_HEADER, self._state, 0, *header)
        try:
            stored = regions.open_record(self._memory, self._name)
            stored.load()
            stored.save(self._state)
            self.failed = False
        except OSError:
            self.failed = True


def average(energy_uws: int, length_ms: int) -> int:
    """Return the demand in tenths of a watt, to the nearest, halves away from zero."""
    divisor = length_ms * 100
    if not divisor:
        return 0
    value = min((2 * abs(energy_uws) + divisor) // (2 * divisor), _POWER_MAX)
    return value if energy_uws >= 0 else -value
