"""What the keys of a tariff's file mean, and everything that can be wrong with them.

The limits are the meter's own, from app.tariff. A reader goes on after a mistake, so that all of
them come at once.
"""

from __future__ import annotations

import re

import tariff_dates as dates
from tariff_findings import (
    Finding,
    Findings,
    KeyPath,
    Table,
    is_int,
    is_price,
    joined,
    shown,
    unknown,
)
from tariff_holidays import HolidayReader
from tariff_model import RATES_MAX, SCRIPTS, Action, Day, Rate, Season, Tables, Tariff, name_octets

from app.tariff import tables

CALENDAR_NAME_MAX = 16
CONTINUE = "continue"
_KEYS = (
    "name", "description", "currency", "activate", "years", "rates", "days", "weeks", "seasons",
    "holidays",
)  # fmt: skip
_EVERY_DAY = "every-day"
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_SCRIPT = re.compile(r"(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})")


class Reader:
    """Reads what a TOML reader has made of a file; `found` says what was wrong."""

    def __init__(self, data: Table) -> None:
        self._data = data
        self._notes = Findings(data)
        self._rates: dict[str, Rate] = {}
        self._day_ids: dict[str, int] = {}
        self._tables = Tables()

    @property
    def found(self) -> list[Finding]:
        """What was wrong, in the order of reading."""
        return self._notes.found

    def read(self) -> Tariff:
        """Return the tariff; what a finding is about is left out of it."""
        self._notes.known((), self._data, _KEYS)
        tariff = Tariff(self._tables)
        self._tables.name = self._notes.name(("name",), self._data.get("name"), CALENDAR_NAME_MAX)
        tariff.description = self._notes.text("description")
        tariff.currency = self._notes.text("currency")
        if "activate" in self._data:
            try:
                tariff.activate = dates.parse_activation(self._data["activate"])
            except ValueError as error:
                self._notes.error(("activate",), str(error))
        self._read_rates()
        self._read_days()
        self._read_weeks()
        self._read_seasons()
        holidays = HolidayReader(self._notes, self._day_ids)
        holidays.read()
        self._tables.special_days = holidays.entries
        tariff.holiday_names = holidays.names
        tariff.easter_until = holidays.easter_until
        tariff.rates = list(self._rates.values())
        tariff.day_names = {day_id: name for name, day_id in self._day_ids.items()}
        if not any(not finding.warning for finding in self.found):
            self._look_around()
        return tariff

    # ---- rates and days

    def _read_rates(self) -> None:
        numbers: dict[int, str] = {}
        for name, value in self._notes.table("rates", required=True).items():
            path = ("rates", name)
            entry = {"number": value} if is_int(value) else value
            if not self._notes.is_table(
                path, entry, "is a number or { number = 1, price = 0.30 }"
            ):
                continue
            self._notes.known(path, entry, ("number", "price", "color"))
            number = entry.get("number")
            price = entry.get("price")
            color = entry.get("color")
            self._notes.printable(path, name)
            if name == CONTINUE:
                self._notes.error(path, 'no rate can have the name "continue"')
            if not is_int(number) or not 1 <= number <= RATES_MAX:
                self._notes.error(path, f"a rate has a number from 1 to 8, not {shown(number)}")
                number = 0
            elif number in numbers:
                self._notes.error(path, f'"{numbers[number]}" is rate {number} already')
            if price is not None and not is_price(price):
                self._notes.error((*path, "price"), f"is a number, not {shown(price)}")
                price = None
            if color is not None and not (isinstance(color, str) and _COLOR.fullmatch(color)):
                self._notes.error((*path, "color"), f'is written "#rrggbb", not {shown(color)}')
                color = None
            numbers.setdefault(number, name)
            self._rates[name] = Rate(name, number, None if price is None else float(price), color)

    def _read_days(self) -> None:
        found = self._notes.table("days", required=True)
        self._notes.at_most(("days",), found, tables.DAYS_MAX, "day types")
        taken: dict[int, str] = {}
        for name, value in found.items():
            path = ("days", name)
            self._notes.printable(path, name)
            if not self._notes.is_table(path, value, 'is a table of times: "06:00" = "day"'):
                continue
            given = value.get("id")
            if given is None:
                continue
            if not is_int(given) or not 0 <= given <= 255:
                self._notes.error((*path, "id"), f"is a number from 0 to 255, not {shown(given)}")
            elif given in taken:
                self._notes.error((*path, "id"), f'"{taken[given]}" has this id already')
            else:
                taken[given] = name
                self._day_ids[name] = given
        for name, value in found.items():
            if name not in self._day_ids:
                free = next(n for n in range(1, 256 + len(found)) if n not in taken)
                taken[free] = name
                self._day_ids[name] = free
            if isinstance(value, dict):
                actions = self._read_actions(("days", name), value)
                self._tables.days.append(Day(self._day_ids[name], actions))

    def _read_actions(self, path: KeyPath, value: Table) -> tuple[Action, ...]:
        actions: list[Action] = []
        times: dict[int, str] = {}
        for key, what in value.items():
            if key == "id":
                continue
            try:
                second = dates.parse_time(key)
            except ValueError as error:
                self._notes.error((*path, key), str(error))
                continue
            if second in times:
                self._notes.error((*path, key), f'"{times[second]}" is the same time')
            times[second] = key
            actions += self._read_what((*path, key), second, what)
        if 0 not in times:
            begin = f"begins at {dates.time_text(min(times))}" if times else "is empty"
            self._notes.error(path, f'{begin}; say what holds from "00:00" on, or "{CONTINUE}"')
        if len(actions) > tables.ACTIONS_MAX:
            self._notes.error(
                path, f"has {len(actions)} switching times; the meter takes {tables.ACTIONS_MAX}"
            )
        return tuple(sorted(actions, key=lambda action: action.second))

    def _read_what(self, path: KeyPath, second: int, what: object) -> list[Action]:
        """Return what happens at a time: one thing, or a list with one of each script table."""
        found: list[Action] = []
        for one in what if isinstance(what, list) else [what]:
            action = self._read_action(path, second, one)
            if action is None:
                continue
            if any(action.script == other.script for other in found):
                self._notes.error(path, f"two scripts of {action.script}; the meter does one")
            found.append(action)
        return found

    def _read_action(self, path: KeyPath, second: int, what: object) -> Action | None:
        if what == CONTINUE:
            if second:
                self._notes.error(
                    path, f'"{CONTINUE}" belongs to 00:00: a rate holds until the next'
                )
            return None
        if isinstance(what, dict):
            return self._read_script(path, second, what)
        if not isinstance(what, str) or what not in self._rates:
            self._notes.error(path, unknown("rate", what, self._rates))
            return None
        return Action(second, self._rates[what].number)

    def _read_script(self, path: KeyPath, second: int, what: Table) -> Action | None:
        self._notes.known(path, what, ("script", "selector"))
        script, selector = what.get("script", SCRIPTS), what.get("selector")
        match = _SCRIPT.fullmatch(script) if isinstance(script, str) else None
        if match is None or any(int(part) > 255 for part in match.groups()):
            self._notes.error(path, f'a script table is written "{SCRIPTS}", not {shown(script)}')
        elif not is_int(selector) or not 0 <= selector <= 0xFFFF:
            self._notes.error(
                path, f"a selector is a number from 0 to 65535, not {shown(selector)}"
            )
        else:
            return Action(second, selector, script)
        return None

    # ---- weeks, seasons, holidays

    def _read_weeks(self) -> None:
        found = self._notes.table("weeks")
        if "weeks" not in self._data:
            if len(self._day_ids) == 1:
                self._tables.weeks[b"WEEK"] = tuple(self._day_ids.values()) * 7
            else:
                self._notes.error((), "has no [weeks]; which day type is on which weekday?")
        self._notes.at_most(("weeks",), found, tables.WEEKS_MAX, "weeks")
        for key, value in found.items():
            path = ("weeks", key)
            name = self._notes.name(path, key, tables.NAME_MAX)
            if self._notes.is_table(path, value, 'is { monday-friday = "workday", ... }'):
                if name in self._tables.weeks:
                    self._notes.error(path, "another week has the same name")
                self._tables.weeks[name] = self._read_week(path, value)

    def _read_week(self, path: KeyPath, value: Table) -> tuple[int, ...]:
        ids: dict[int, int] = {}
        for key, what in value.items():
            weekdays = _weekdays(key)
            if not weekdays:
                self._notes.error(
                    (*path, key),
                    f'is no weekday; write "monday", "monday-friday" or "{_EVERY_DAY}"',
                )
            day_id = self._notes.day_id((*path, key), what, self._day_ids)
            for weekday in weekdays:
                if weekday in ids:
                    self._notes.error((*path, key), f"{dates.WEEKDAYS[weekday]} is there twice")
                ids[weekday] = day_id
        missing = [dates.WEEKDAYS[n] for n in range(7) if n not in ids]
        if missing and all(_weekdays(key) for key in value):
            self._notes.error(path, f"{joined(missing)} {'are' if missing[1:] else 'is'} missing")
        return tuple(ids.get(n, 0) for n in range(7))

    def _read_seasons(self) -> None:
        found = self._notes.table("seasons")
        weeks = self._tables.weeks
        if "seasons" not in self._data:
            if len(weeks) == 1:
                year = dates.parse_start("01-01")
                self._tables.seasons.append(Season(b"YEAR", year, next(iter(weeks))))
            elif weeks:
                self._notes.error((), "has no [seasons]; when does which week begin to hold?")
        self._notes.at_most(("seasons",), found, tables.SEASONS_MAX, "seasons")
        starts: dict[bytes, str] = {}
        names: set[bytes] = set()
        for key, value in found.items():
            path = ("seasons", key)
            name = self._notes.name(path, key, tables.NAME_MAX)
            if name in names:
                self._notes.error(path, "another season has the same name")
            names.add(name)
            if not self._notes.is_table(path, value, 'is { start = "10-01", week = "winter" }'):
                continue
            self._notes.known(path, value, ("start", "week"))
            season = self._read_season(path, name, value, starts)
            if season is not None:
                self._tables.seasons.append(season)

    def _read_season(
        self, path: KeyPath, name: bytes, value: Table, starts: dict[bytes, str]
    ) -> Season | None:
        week = value.get("week")
        named = self._notes.try_name(week)
        if named not in self._tables.weeks:
            known = list(self._notes.table("weeks"))
            self._notes.error(
                (*path, "week") if "week" in value else path, unknown("week", week, known)
            )
        if "start" not in value:
            self._notes.error(path, 'has no start; write start = "10-01"')
            return None
        try:
            start = dates.parse_start(value["start"])
        except ValueError as error:
            self._notes.error((*path, "start"), str(error))
            return None
        if start in starts:
            self._notes.error((*path, "start"), f'"{starts[start]}" begins at the same time')
        starts.setdefault(start, str(path[-1]))
        return Season(name, start, named or b"")

    # ---- what is odd in a file without mistakes

    def _look_around(self) -> None:
        found = self._tables
        used = {day_id for week in found.weeks.values() for day_id in week}
        used |= {entry.day_id for entry in found.special_days}
        for name, day_id in self._day_ids.items():
            if day_id not in used:
                self._notes.warn(("days", name), "no week and no holiday has it")
        in_force = {season.week for season in found.seasons}
        for name in self._notes.table("weeks"):
            if name_octets(name) not in in_force:
                self._notes.warn(("weeks", name), "no season has it")
        for name, rate in self._rates.items():
            if rate.number not in found.rates_used():
                self._notes.warn(("rates", name), "no day has it")
        if not found.seasons:
            self._notes.warn(("seasons",), "is empty: no week ever holds")
        elif all(season.start[0] != 0xFF for season in found.seasons):
            self._notes.warn(
                ("seasons",), "none comes again each year: the last one holds for ever"
            )
        for day in found.days:
            for action in day.actions:
                if not action.rate:
                    name = next(n for n, day_id in self._day_ids.items() if day_id == day.id)
                    text = f"script {action.selector} of {action.script} is no rate"
                    self._notes.warn(
                        ("days", name), f"{text}; the picture goes on with the one before"
                    )
                    break


def _weekdays(key: str) -> list[int]:
    """Return the weekdays, Monday is 0, of "monday", "sat-sun" or "every-day"; none if unknown."""
    if key.lower() == _EVERY_DAY:
        return list(range(7))
    ends = [dates.name_index(word.strip(), dates.WEEKDAYS) for word in key.lower().split("-")]
    if len(ends) > 2 or 0 in ends:
        return []
    count = (ends[-1] - ends[0]) % 7 + 1
    return [(ends[0] - 1 + n) % 7 for n in range(count)]
