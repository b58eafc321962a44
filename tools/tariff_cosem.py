"""A tariff's tables as COSEM attributes, class 20 and class 11, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from gurux_dlms import GXArray, GXStructure, GXUInt8, GXUInt16
from gurux_dlms.enums import DataType
from meter_link import Link, LinkError, Progress
from tariff_dates import canonical_start
from tariff_model import Action, Day, Season, SpecialDay, Tables

CALENDAR_CLASS = 20
CALENDAR = "0-0:13.0.0"
SPECIAL_DAYS_CLASS = 11
SPECIAL_DAYS = "0-0:11.0.0"
ACTIVE, PASSIVE = 2, 6  # the first of a half's four attributes: name, seasons, weeks, days
ACTIVATION_TIME = 10
ENTRIES = 2

_Part = TypeVar("_Part")


def read(link: Link, half: int, progress: Callable[[str], Progress]) -> Tables:
    """Return one half of the calendar, and the special days. Raises LinkError."""
    tables = Tables()

    def attribute(number: int, what: str) -> Any:  # noqa: ANN401 - what the meter says
        return link.get(CALENDAR_CLASS, CALENDAR, half + number, progress(f"reading {what}"))

    name = attribute(0, "the name")
    tables.name = _octets(name, "a name", 0, 64)
    tables.seasons = _entries(attribute(1, "seasons"), "seasons", _season)
    tables.weeks = dict(_entries(attribute(2, "weeks"), "weeks", _week))
    tables.days = _entries(attribute(3, "day profiles"), "day profiles", _day)
    tables.special_days = read_special_days(link, progress)
    return tables


def read_special_days(link: Link, progress: Callable[[str], Progress]) -> list[SpecialDay]:
    """Return the special days. Raises LinkError."""
    report = progress("reading special days")
    entries = link.get(SPECIAL_DAYS_CLASS, SPECIAL_DAYS, ENTRIES, report)
    return _entries(entries, "special days", _special_day)


def name_of(link: Link, half: int) -> bytes:
    """Return the name of one half of the calendar."""
    return _octets(link.get(CALENDAR_CLASS, CALENDAR, half), "a name", 0, 64)


def attributes(tables: Tables) -> list[tuple[str, DataType, object]]:
    """Return what goes to the four attributes of the half that waits, in their order."""
    seasons, weeks, days = GXArray(), GXArray(), GXArray()
    for season in tables.seasons:
        seasons.append(_structure(season.name, season.start, season.week))
    for name, day_ids in tables.weeks.items():
        weeks.append(_structure(name, *(GXUInt8(day_id) for day_id in day_ids)))
    for day in tables.days:
        actions = GXArray()
        for action in day.actions:
            start = bytes((action.second // 3600, action.second // 60 % 60, action.second % 60, 0))
            actions.append(
                _structure(start, logical_name(action.script), GXUInt16(action.selector))
            )
        days.append(_structure(GXUInt8(day.id), actions))
    return [
        ("name", DataType.OCTET_STRING, tables.name),
        ("seasons", DataType.ARRAY, seasons),
        ("weeks", DataType.ARRAY, weeks),
        ("day profiles", DataType.ARRAY, days),
    ]


def special_days(tables: Tables) -> GXArray:
    """Return the entries of class 11."""
    entries = GXArray()
    for entry in tables.special_days:
        entries.append(_structure(GXUInt16(entry.index), entry.date, GXUInt8(entry.day_id)))
    return entries


def logical_name(code: str) -> bytes:
    """Return the octets of a code such as 0-0:10.0.100."""
    return (
        bytes(int(part) for part in code.replace("-", ".").replace(":", ".").split(".")) + b"\xff"
    )


def _structure(*parts: object) -> GXStructure:
    structure = GXStructure()
    structure.extend([bytearray(part) if isinstance(part, bytes) else part for part in parts])
    return structure


def _entries(value: object, what: str, entry: Callable[[Any], _Part]) -> list[_Part]:
    if value is None:
        return []
    try:
        assert isinstance(value, list)
        return [entry(part) for part in value]
    except (AssertionError, IndexError, KeyError, TypeError, ValueError) as error:
        raise LinkError(f"the meter's {what} are not as their class has them") from error


def _season(value: Any) -> Season:  # noqa: ANN401
    name, start, week = value
    return Season(
        _octets(name, "", 0, 64),
        canonical_start(_octets(start, "", 12, 12)),
        _octets(week, "", 0, 64),
    )


def _week(value: Any) -> tuple[bytes, tuple[int, ...]]:  # noqa: ANN401
    name, *day_ids = value
    if len(day_ids) != 7:
        raise ValueError
    return _octets(name, "", 0, 64), tuple(_number(day_id, 255) for day_id in day_ids)


def _day(value: Any) -> Day:  # noqa: ANN401
    day_id, entries = value
    found: dict[tuple[int, str], Action] = {}
    for start, script, selector in entries or ():
        hour, minute, second, _ = _octets(start, "", 4, 4)
        if hour > 23 or minute > 59 or second > 59:
            raise ValueError
        at = hour * 3600 + minute * 60 + second
        a, b, c, d, e, _ = _octets(script, "", 6, 6)
        table = f"{a}-{b}:{c}.{d}.{e}"
        # of several at one second the meter carries out the last of each table
        found[at, table] = Action(at, _number(selector, 0xFFFF), table)
    actions = sorted(found.values(), key=lambda action: action.second)
    return Day(_number(day_id, 255), tuple(actions))


def _special_day(value: Any) -> SpecialDay:  # noqa: ANN401
    index, date, day_id = value
    return SpecialDay(_number(index, 0xFFFF), _octets(date, "", 5, 5), _number(day_id, 255))


def _octets(value: object, what: str, least: int, most: int) -> bytes:
    """Return octets of a permitted length. Raises LinkError with `what`, else ValueError."""
    if isinstance(value, str):  # some clients' libraries take printable octets for a text
        value = value.encode("latin-1", "replace")
    if isinstance(value, (bytes, bytearray)) and least <= len(value) <= most:
        return bytes(value)
    if what:
        raise LinkError(f"the meter has no {what[2:]} where one should be")
    raise ValueError


def _number(value: object, most: int) -> int:
    if not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError
    return value
