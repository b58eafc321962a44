"""The activity calendar: which script the season, the day and the time ask for (class 20).

What holds at a moment is a function of local time alone. After power has been away or the clock
was set, in the hour that daylight saving repeats and in the one it leaves out, the answer is the
action that the present local time belongs to, never a chain of missed ones (rows TOU-14, TOU-21).
A day without an action before the present time goes on with what the day before ended with.
"""

from micropython import const

import civil
from app.storage import record, regions
from app.tariff import patterns, tables

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.settings import Settings
    from app.tariff.special_days import SpecialDays
    from hal import Memory

    Due = tuple[int, bytes, int]  # local second it began at, script table, selector

LOGICAL_NAME = b"\x00\x00\x0d\x00\x00\xff"  # 0-0:13.0.0.255
NEVER = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80\x00\xff"
_FALLBACK = (0, b"\x00\x00\x0a\x00\x64\xff", 1)  # script 1 of the tariff table 0-0:10.0.100
_DAYS_BACK = const(8)  # every week has passed by then


class Calendar:
    """The active and the passive half over their two records."""

    # seen as a schedule, whose script is the method activate_passive_calendar
    script = LOGICAL_NAME
    selector = 1

    def __init__(
        self, memory: "Memory", settings: "Settings", special_days: "SpecialDays"
    ) -> None:
        self._memory = memory
        self._settings = settings
        self.special_days = special_days
        self.damaged = False  # True: the active half was unreadable, it counts as empty
        self.before_activation: Callable[[], None] | None = None

    def active(self) -> tables.Tables:
        """Return the half that is in force; an empty one after a fresh start or damage."""
        half, state = self._load("calendar_active")
        self.damaged = state >= record.LOST
        return half

    def passive(self) -> tables.Tables:
        """Return the half that waits."""
        return self._load("calendar_passive")[0]

    def put_passive(self, half: tables.Tables) -> None:
        """Store the half that waits. Raises OSError if the memory does not answer."""
        self._store("calendar_passive", half)

    def activate(self) -> None:
        """Let the passive half be the active one as well (method activate_passive_calendar).

        Raises ValueError, and keeps the active half, if the passive one points nowhere or a later
        firmware wrote the active one; OSError if the memory does not answer.
        """
        half = self.passive()
        half.check_links()
        if self._load("calendar_active")[1] == record.NEWER:
            raise ValueError("the active calendar is one of a later firmware")
        if self.before_activation is not None:
            self.before_activation()
        self._store("calendar_active", half)
        self.damaged = False

    def is_activated(self) -> bool:
        """Tell whether both halves are the same."""
        return self.active().pack() == self.passive().pack()

    @property
    def start(self) -> bytes:
        """Date-time at which the passive half becomes active."""
        return self._settings.get("calendar_start") or NEVER

    def set_start(self, date_time: bytes) -> None:
        """Raises ValueError for what is no date-time; all parts open: never (row TOU-05)."""
        patterns.check_date(date_time[:5])
        patterns.check_time(date_time[5:9])
        self._settings.put("calendar_start", date_time)

    def first_between(self, after_s: int, until_s: int, repeats: bool = False) -> int:
        """Return the first moment in (after_s, until_s] at which the halves change, or -1.

        `repeats`: only if it comes again.
        """
        start = self.start
        if start[:8] == NEVER[:8] or (repeats and not patterns.has_wildcard(start[:5])):
            return -1
        return patterns.first_time(start[:5], start[5:9], after_s, until_s)

    def dues_at(self, local_s: int) -> "list[Due]":
        """Return the action in force of each script table that the calendar names, oldest first.

        A damaged calendar asks for the first rate (row TOU-24).
        """
        half = self.active()
        if self.damaged:
            return [_FALLBACK]
        found: list[Due] = []
        today = local_s // civil.DAY_S
        for days in range(today, max(today - _DAYS_BACK, -1), -1):
            known = [due[1] for due in found]
            moment_s = min(local_s, (days + 1) * civil.DAY_S - 1)
            latest: dict[bytes, Due] = {}
            for second, script, selector in self._actions(half, days, moment_s):
                begin_s = days * civil.DAY_S + second
                if begin_s > moment_s or script in known:
                    continue
                if script not in latest or begin_s >= latest[script][0]:
                    latest[script] = (begin_s, script, selector)
            found += latest.values()
            if len(found) == len(half.scripts):
                break
        return sorted(found)

    def due_at(self, local_s: int) -> "Due | None":
        """Return the action that was due last, None if the calendar has none."""
        dues = self.dues_at(local_s)
        return dues[-1] if dues else None

    def next_change(self, local_s: int) -> int:
        """Return the next local second at which `dues_at` may answer otherwise."""
        half = self.active()
        days = local_s // civil.DAY_S
        next_s = (days + 1) * civil.DAY_S
        for second, _, _ in self._actions(half, days, local_s):
            if local_s < days * civil.DAY_S + second < next_s:
                next_s = days * civil.DAY_S + second
        for _, start, _ in half.seasons:
            begin_s = days * civil.DAY_S + _second_of_day(start)
            if local_s < begin_s < next_s and patterns.date_matches(start[:5], days):
                next_s = begin_s
        return next_s

    def season_at(self, half: tables.Tables, local_s: int) -> "tables.Season | None":
        """Return the season that began last, None if none ever did."""
        found = None
        found_s = -1
        today = local_s // civil.DAY_S
        for season in half.seasons:
            start = season[1]
            days = patterns.latest_day(start[:5], today)
            begin_s = days * civil.DAY_S + _second_of_day(start)
            if days == today and begin_s > local_s and today:
                days = patterns.latest_day(start[:5], today - 1)
                begin_s = days * civil.DAY_S + _second_of_day(start)
            if days >= 0 and found_s < begin_s <= local_s:
                found = season
                found_s = begin_s
        return found

    def _actions(self, half: tables.Tables, days: int, moment_s: int) -> "list[tables.Action]":
        """Return what a day's profile lists; nothing where the calendar names none."""
        day_id = self.special_days.day_id(days)
        if day_id < 0 or half.day(day_id) is None:
            season = self.season_at(half, moment_s)
            if season is None:
                return []
            for name, day_ids in half.weeks:
                if name == season[2]:
                    day_id = day_ids[civil.weekday(days) - 1]
        packed = half.day(day_id)
        return half.actions(packed) if packed is not None else []

    def _load(self, name: str) -> "tuple[tables.Tables, int]":
        try:
            stored = regions.open_record(self._memory, name)
            payload = stored.load()
        except OSError:
            return tables.Tables(), record.BLANK  # no damage, it may answer again
        return tables.unpack(payload if payload is not None else b""), stored.state

    def _store(self, name: str, half: tables.Tables) -> None:
        stored = regions.open_record(self._memory, name)
        stored.load()
        stored.save(half.pack())


def _second_of_day(start: bytes) -> int:
    """Return the time of a season's start; open parts are midnight."""
    hour, minute, second = (0 if octet == patterns.OPEN else octet for octet in start[5:8])
    return hour * 3600 + minute * 60 + second
