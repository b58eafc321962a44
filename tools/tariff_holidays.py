"""The holidays of a tariff's file: dates that come again, and days that move with Easter."""

from __future__ import annotations

from typing import TypeGuard

import tariff_dates as dates
from tariff_findings import Findings, KeyPath, Table, is_int, shown
from tariff_model import SpecialDay

from app.tariff import special_days

_FIRST_YEAR = 2001  # Easter and a year before or after it are days that the meter knows
_LAST_YEAR = 2098


class HolidayReader:
    """Reads [holidays] and `years`; `day_ids` are the ids of the day types by their names."""

    def __init__(self, notes: Findings, day_ids: dict[str, int]) -> None:
        self._notes = notes
        self._data = notes.data
        self._day_ids = day_ids
        self.entries: list[SpecialDay] = []
        self.names: dict[int, str] = {}  # by index
        self.easter_until = 0  # 0: nothing moves with Easter

    def read(self) -> None:
        """Read all of it into `entries`, `names` and `easter_until`."""
        years: tuple[int, int] | None = None
        if "years" in self._data:
            years = self._read_years()
        entries: list[tuple[KeyPath, int | None, bytes, int]] = []
        moving = False
        for name, value in self._notes.table("holidays").items():
            path = ("holidays", name)
            if not self._notes.is_table(path, value, 'is { date = "12-25", day = "sunday" }'):
                continue
            self._notes.printable(path, name)
            self._notes.known(path, value, ("date", "day", "index"))
            day_id = self._holiday_day(path, value)
            try:
                date = dates.parse_date(value.get("date"))
            except ValueError as error:
                self._notes.error((*path, "date") if "date" in value else path, str(error))
                continue
            index = self._read_index(path, value)
            if isinstance(date, bytes):
                entries.append((path, index, date, day_id))
                continue
            if index is not None:
                self._notes.error(
                    (*path, "index"), "a day that moves with Easter has one each year"
                )
            moving = True
            for year in range(years[0], years[1] + 1) if years else ():
                octets = dates.octets_of_day(date.in_year(year))
                entries.append((path, None, octets, day_id))
        if moving and "years" not in self._data:
            self._notes.error(
                (),
                "days that move with Easter need years = { from = 2027, to = 2036 }:"
                " the meter takes one entry for each",
            )
        if years and not moving:
            self._notes.warn(("years",), "no holiday moves with Easter")
        self._number(entries)
        self.easter_until = years[1] if moving and years else 0

    def _holiday_day(self, path: KeyPath, value: Table) -> int:
        what = value.get("day")
        if is_int(what) and 0 <= what <= 255:
            if what not in self._day_ids.values():
                self._notes.warn(
                    (*path, "day"), f"no day type has the id {what}: the weekday's holds"
                )
            return what
        return self._notes.day_id((*path, "day") if "day" in value else path, what, self._day_ids)

    def _read_years(self) -> tuple[int, int] | None:
        value = self._data["years"]
        if not self._notes.is_table(("years",), value, "is { from = 2027, to = 2036 }"):
            return None
        self._notes.known(("years",), value, ("from", "to"))
        first, last = value.get("from"), value.get("to")
        if not (_is_year(first) and _is_year(last)):
            wrong = first if not _is_year(first) else last
            self._notes.error(("years",), f"a year is 2001 to 2098, not {shown(wrong)}")
            return None
        if first > last:
            self._notes.error(("years",), f"{first} is after {last}")
            return None
        return first, last

    def _read_index(self, path: KeyPath, value: Table) -> int | None:
        index = value.get("index")
        if index is None or (is_int(index) and 0 <= index <= 0xFFFF):
            return index
        self._notes.error((*path, "index"), f"is a number from 0 to 65535, not {shown(index)}")
        return None

    def _number(self, entries: list[tuple[KeyPath, int | None, bytes, int]]) -> None:
        """Give every entry an index, and look for two that are the same."""
        if len(entries) > special_days.ENTRIES_MAX:
            moved = len({path for path, *_ in entries})
            more = (
                f" (of {moved} holidays; fewer years make fewer)" if moved < len(entries) else ""
            )
            self._notes.error(
                ("holidays",),
                f"{len(entries)} special days{more}; the meter takes {special_days.ENTRIES_MAX}",
            )
        by_date: dict[bytes, KeyPath] = {}
        taken: dict[int, KeyPath] = {}
        for path, index, date, _ in entries:
            if date in by_date and by_date[date] != path:
                self._notes.error(
                    path, f'"{by_date[date][-1]}" has the same date {dates.date_text(date)}'
                )
            by_date.setdefault(date, path)
            if index is not None and index in taken:
                self._notes.error((*path, "index"), f'"{taken[index][-1]}" has this index already')
            elif index is not None:
                taken[index] = path
        free = (n for n in range(1, 0x10000) if n not in taken)
        for path, index, date, day_id in entries:
            number = next(free, 0) if index is None else index
            self.entries.append(SpecialDay(number, date, day_id))
            self.names[number] = str(path[-1])


def _is_year(value: object) -> TypeGuard[int]:
    return is_int(value) and _FIRST_YEAR <= value <= _LAST_YEAR
