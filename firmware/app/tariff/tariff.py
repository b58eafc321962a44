"""Runs the calendar and the single action schedules: what is due happens, once, at its moment.

The calendar is a state: its present action is carried out whenever it is another one than the
last (rows TOU-14, TOU-21). A schedule is a list of moments: each happens once, also those that
passed while power was away or were jumped over when the clock was set (rows BIL-10 to BIL-12).
In the hour that daylight saving repeats the calendar follows local time, schedules do not repeat,
nor do they when the clock is synchronised. A meter that does not know the time waits with them.

What is due is noted in FRAM before it is done, and struck out afterwards. Power that goes between
leaves the note; then what has an owner that knows whether it did it is done at the next start.
"""

import struct

from micropython import const

from app import ticks
from app.errors import MeterError
from app.storage import regions
from app.waker import Waker

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.clock import Clock
    from app.storage.record import Record
    from app.tariff.calendar import Calendar, Due
    from app.tasks import Task
    from hal import Memory

    class Schedule(Protocol):
        """Moments at which a script is due."""

        script: bytes
        selector: int

        def first_between(  # noqa: D102
            self, after_s: int, until_s: int, repeats: bool = False
        ) -> int: ...

    # script table, selector, the moment it belongs to in UTC seconds
    Execute = Callable[[bytes, int, int], None]
    Done = Callable[[bytes, int, int], bool]

_FARTHEST_S = const(60)  # what has closed since then cannot be shared out any more
_LONGEST_SLEEP_S = const(60)  # so often is kept how far the schedules have come
_LATE_S = const(10)  # an action noticed so late still counts from its moment, others from now
_NEVER = const(-1)
_YEAR_S = const(31622400)
_DUE_MOST = const(8)  # what the note takes
_DUE = "<BI"  # place of the schedule, UTC of the moment
_DUE_SIZE = const(5)


class Tariff:
    """The clockwork of calendar and schedules; `execute` carries a script out.

    `done` tells whether one that was due when the power went has been carried out, or must not be
    carried out again.
    """

    def __init__(
        self,
        memory: "Memory",
        clock: "Clock",
        calendar: "Calendar",
        schedules: "list[Schedule]",
        execute: "Execute",
        done: "Done" = lambda _script, _selector, _utc_s: True,
    ) -> None:
        self.calendar = calendar
        self.schedules = schedules
        self.refused = 0  # scripts that were due and could not be carried out whole
        # whether the calendar may execute a script of this table
        self.may_act: Callable[[bytes], bool] = lambda _script: True
        self._clock = clock
        self._execute = execute
        self._done = done
        self._record: Record = regions.open_record(memory, "schedules_done")
        self._note: Record = regions.open_record(memory, "schedules_due")
        self._due: list[tuple[int, int]] = []  # place of the schedule, moment in UTC seconds
        self._noted = False  # the note holds some
        self._waker = Waker()
        self._last_dues: list[Due] = []
        self._acting_ms = _NEVER
        self._seen_s = 0  # local times of the last look and of the next one that is needed
        self._next_s = 0
        self.failed = False  # True: the memory did not answer
        # True: it did not at the start, and what it holds must not be overwritten
        self._unread = False
        self._done_local_s = self._restore()
        self._unsure = bool(self._due)  # some of it may have been done

    def acting_ms(self) -> int:
        """Return the ticks of the moment for which a script is carried out, else of now."""
        return ticks.now_ms() if self._acting_ms == _NEVER else self._acting_ms

    def at_ms(self, utc_s: int) -> int:
        """Return the ticks at which the second `utc_s` of the last minute began."""
        late_s = min(max(0, self._clock.utc_s() - utc_s), _FARTHEST_S)
        at_ms = ticks.now_ms() - late_s * 1000 - self._clock.hundredths() * 10
        return at_ms & 0x3FFFFFFF

    def utc_s(self) -> int:
        """Return the present time."""
        return self._clock.utc_s()

    def wake(self) -> None:
        """Look again at what is due: a table, a schedule or the clock has changed."""
        self._next_s = 0
        self._waker.wake()

    def catch_up(self) -> None:
        """Do what is due by the schedules as they are: one of them is about to change."""
        utc_s = self._clock.utc_s()
        self._follow_schedules(self._local_s(utc_s), utc_s)

    def clock_changed(self, old_utc_s: int, new_utc_s: int) -> None:
        """The clock was set: moments between the old and the new time happen once (BIL-10)."""
        old_s, new_s = self._local_s(old_utc_s), self._local_s(new_utc_s)
        if old_utc_s - new_utc_s > self._clock.shift_limit_s and self._done_local_s >= 0:
            for place, schedule in enumerate(self.schedules):
                if schedule.first_between(new_s, old_s, True) >= 0:
                    marked_s = schedule.first_between(old_s, old_s + _YEAR_S, True)
                    utc_s = new_utc_s if marked_s < 0 else self._utc_s(marked_s, old_utc_s)
                    self._due.append((place, utc_s))
            self._done_local_s = new_s
            self._keep()
            self._work_off()
        self.wake()

    async def run(self, task: "Task") -> None:
        """Carry out what is due, for ever."""
        while True:
            wait_s = self.poll()
            task.report()
            wait_ms = max(10, wait_s * 1000 - self._clock.hundredths() * 10)
            await self._waker.wait_ms(wait_ms)

    def poll(self) -> int:
        """Carry out what is due now; return the seconds until something may be again."""
        self._clock.settle()  # what ends at a moment belongs to what was in force before it
        utc_s = self._clock.utc_s()
        local_s = self._local_s(utc_s)
        if self._unsure:
            self._unsure = False
            self._due = [entry for entry in self._due if not self._done(*self._script(entry))]
            self._keep()
        self._work_off()
        if not self._seen_s <= local_s < self._next_s:
            self._follow_schedules(local_s, utc_s)
            self._follow_calendar(local_s, utc_s)
            self._next_s = self._next_after(local_s)
        elif local_s > self._done_local_s and not self._clock.invalid:
            self._done_local_s = local_s
            self._keep()
        self._seen_s = local_s
        return min(self._next_s - local_s, _LONGEST_SLEEP_S)

    def _follow_schedules(self, local_s: int, utc_s: int) -> None:
        done_s = self._done_local_s
        if self._clock.invalid or 0 <= local_s <= done_s:
            return  # as in the hour that daylight saving repeats
        for place, schedule in enumerate(self.schedules):
            # a new meter has missed nothing
            moment_s = _NEVER if done_s < 0 else schedule.first_between(done_s, local_s)
            if moment_s >= 0:
                self._due.append((place, self._utc_s(moment_s, utc_s)))
        self._done_local_s = local_s
        self._keep()
        self._work_off()

    def _work_off(self) -> None:
        """Carry out what is noted; what the memory did not take stays for the next time."""
        if not self._due or self._acting_ms != _NEVER:  # a script that changes a schedule
            return
        left: list[tuple[int, int]] = []
        for entry in self._due:
            if not self._carry_out(*self._script(entry)):
                left.append(entry)
        changed = left != self._due
        self._due = left
        self._unsure = bool(left)
        if changed:
            self._keep()

    def _script(self, entry: "tuple[int, int]") -> "tuple[bytes, int, int]":
        schedule = self.schedules[entry[0]]
        return schedule.script, schedule.selector, entry[1]

    def _follow_calendar(self, local_s: int, utc_s: int) -> None:
        dues = self.calendar.dues_at(local_s)
        last_dues = self._last_dues
        self._last_dues = dues
        for due in dues:
            if due in last_dues or not self.may_act(due[1]):
                continue
            began_utc_s = self._utc_s(due[0], utc_s)
            late = not 0 <= utc_s - began_utc_s <= _LATE_S
            self._carry_out(due[1], due[2], utc_s if late else began_utc_s)

    def recall(self, script: bytes) -> bool:
        """Do once more, from now on, what the calendar asks of a script table, if it does."""
        utc_s = self._clock.utc_s()
        for due in self.calendar.dues_at(self._local_s(utc_s)):
            if due[1] == script:
                self.carry_out(script, due[2], utc_s, ticks.now_ms())
                return True
        return False

    def _carry_out(self, script: bytes, selector: int, utc_s: int) -> bool:
        return self.carry_out(script, selector, utc_s, self.at_ms(utc_s))

    def carry_out(self, script: bytes, selector: int, utc_s: int, at_ms: int) -> bool:
        """Execute a script for a moment, given by time and by ticks; what fails is counted.

        Return False if a memory did not answer.
        """
        self._acting_ms = at_ms
        try:
            self._execute(script, selector, utc_s)
        except OSError:
            self.refused += 1
            return False
        except (MeterError, ValueError):
            self.refused += 1
        finally:
            self._acting_ms = _NEVER
        return True

    def _next_after(self, local_s: int) -> int:
        next_s = self.calendar.next_change(local_s)
        for schedule in self.schedules:
            moment_s = schedule.first_between(local_s, next_s)
            if moment_s >= 0:
                next_s = moment_s
        return next_s

    def _local_s(self, utc_s: int) -> int:
        return utc_s - self._clock.deviation_min(utc_s) * 60

    def _utc_s(self, local_s: int, near_utc_s: int) -> int:
        """Return UTC of a local time by the deviation that holds about then."""
        guess_s = local_s + self._clock.deviation_min(near_utc_s) * 60
        return local_s + self._clock.deviation_min(max(0, guess_s)) * 60

    def _keep(self) -> None:
        """Keep how far the schedules have come; the note of what is due first, with the same."""
        if self._unread:
            return
        done = struct.pack("<I", self._done_local_s)
        try:
            if self._due or self._noted:
                due = [struct.pack(_DUE, *entry) for entry in self._due[:_DUE_MOST]]
                self._note.save(done + b"".join(due))
                self._noted = bool(due)
            self._record.save(done)
            self.failed = False
        except OSError:
            self.failed = True

    def _restore(self) -> int:
        try:
            noted = bytes(self._note.load() or b"")
            for at in range(4, len(noted), _DUE_SIZE):
                place, utc_s = struct.unpack_from(_DUE, noted, at)
                if place < len(self.schedules):
                    self._due.append((place, utc_s))
            self._noted = len(noted) > 4
            payload = noted if self._noted else self._record.load()
        except OSError:
            self._unread = self.failed = True
            return _NEVER
        return _NEVER if payload is None else struct.unpack_from("<I", payload)[0]
