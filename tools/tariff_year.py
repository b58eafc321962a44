"""What a tariff makes of a year: which rate holds from when, by the rules of the meter.

A special day's profile goes before the week's; of the seasons the one that began last holds; a
day that says nothing from 00:00 on goes on with what the day before ended with. Everything is
local time, so the days on which clocks change have 24 hours here.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from tariff_dates import octets_of_day
from tariff_model import Day, Season, SpecialDay, Tables

import civil
from app.tariff import patterns

DAY_S = 86400
_DAYS_BACK = 8  # within them every weekday has come by
_NONE = 0


@dataclass(frozen=True)
class DayOfYear:
    """One day: what holds it, and (second, rate) from 00:00 on; rate 0 is none."""

    date: datetime.date
    day_id: int  # -1: nothing says what day it is
    special: SpecialDay | None
    season: bytes
    switches: tuple[tuple[int, int], ...]


class Year:
    """The days of one year under a tariff's tables."""

    def __init__(self, tables: Tables, year: int) -> None:
        self._tables = tables
        self.year = year
        self.days: list[DayOfYear] = []
        first = _number(datetime.date(year, 1, 1)) if year > 2000 else 0
        count = civil.days_from_date(year + 1, 1, 1) - first if year < 2099 else 365
        self._starts = self._season_starts(first - _DAYS_BACK, first + count)
        rate = _NONE
        for days in range(max(0, first - _DAYS_BACK), first + count):
            day, rate = self._day(days, rate)
            if days >= first:
                self.days.append(day)

    def hours(self) -> dict[int, float]:
        """Return the hours of each rate, in order of the rates."""
        sums: dict[int, int] = {}
        for day in self.days:
            for begin, end, rate in spans(day.switches):
                sums[rate] = sums.get(rate, 0) + end - begin
        return {rate: sums[rate] / 3600 for rate in sorted(sums)}

    def _season_starts(self, first: int, end: int) -> list[tuple[int, int, Season]]:
        """Return (day, second, season) of every start that matters, rising."""
        starts: list[tuple[int, int, Season]] = []
        for season in self._tables.seasons:
            hour, minute, second = (0 if n == patterns.OPEN else n for n in season.start[5:8])
            at = hour * 3600 + minute * 60 + second
            date = season.start[:5]
            before = patterns.latest_day(date, max(0, first - 1))
            days = [before] if before >= 0 else []
            days += [n for n in range(max(0, first), end) if patterns.date_matches(date, n)]
            starts += [(day, at, season) for day in days]
        # of two that begin at once the meter takes the first in its table
        return sorted(starts, key=lambda entry: (entry[0], entry[1]))

    def _season_at(self, days: int, second: int) -> Season | None:
        found: tuple[int, int, Season] | None = None
        for entry in self._starts:
            if entry[:2] > (days, second):
                break
            if found is None or entry[:2] != found[:2]:
                found = entry
        return found[2] if found else None

    def _day(self, days: int, rate: int) -> tuple[DayOfYear, int]:
        """Return a day that begins with a rate, and the rate with which it ends."""
        date = datetime.date(2000, 1, 1) + datetime.timedelta(days)
        special = self._special(days)
        begins = [0] + [at for day, at, _ in self._starts if day == days and at]
        switches: list[tuple[int, int]] = []
        shown: tuple[Day | None, bytes] | None = None
        before = rate
        for begin, end in zip(begins, begins[1:] + [DAY_S], strict=True):
            profile, season = self._profile(days, begin, special)
            shown = shown or (profile, season)
            of_rates = [one for one in profile.actions if one.rate] if profile else []
            due = [action for action in of_rates if action.second <= begin]
            # not what the season that ends here has switched to since midnight
            rate = due[-1].rate if due else before
            switches.append((begin, rate))
            for action in of_rates:
                if begin < action.second < end:
                    rate = action.rate
                    switches.append((action.second, rate))
        assert shown is not None
        profile, season = shown
        return (
            DayOfYear(date, profile.id if profile else -1, special, season, _merged(switches)),
            rate,
        )

    def _special(self, days: int) -> SpecialDay | None:
        for entry in self._tables.special_days:
            if patterns.date_matches(entry.date, days):
                return entry if self._tables.day(entry.day_id) else None
        return None

    def _profile(
        self, days: int, second: int, special: SpecialDay | None
    ) -> tuple[Day | None, bytes]:
        season = self._season_at(days, second)
        name = season.name if season else b""
        if special is not None:
            return self._tables.day(special.day_id), name
        week = self._tables.weeks.get(season.week) if season else None
        return (self._tables.day(week[civil.weekday(days) - 1]) if week else None), name


def spans(switches: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int, int]]:
    """Yield (from, to, rate) of a day in seconds."""
    for (begin, rate), (end, _) in zip(switches, (*switches[1:], (DAY_S, 0)), strict=True):
        yield begin, end, rate


def _merged(switches: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Leave out what switches to the rate that holds."""
    kept = switches[:1]
    for second, rate in switches[1:]:
        if rate != kept[-1][1]:
            kept.append((second, rate))
    return tuple(kept)


def _number(date: datetime.date) -> int:
    year, month, day = date.year, date.month, date.day
    assert octets_of_day(date)  # the meter knows 2000 to 2099
    return civil.days_from_date(year, month, day)
