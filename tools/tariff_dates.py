"""Dates of a tariff as people write them, and as the meter takes them.

A date that comes again is five octets (year, month, day, weekday), with open parts; what it means
is told by the meter's own app.tariff.patterns. In a file:

    2027-05-01            once                     05-01            every year
    2027-*-01             an asterisk: any         *-02-last        last; last-1: the day before
    sunday *-*-*          every Sunday             sunday *-05-08   Sunday on or after 8 May
    last sunday of march  also first to fourth     easter+1         days from Easter Sunday
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

import accuracy_paths
from dateutil import easter
from tariff_findings import shown

assert accuracy_paths.ROOT  # it puts the meter's own files on the path

from app.tariff import patterns  # noqa: E402

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
NEVER = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80\x00\xff"
NOW = "now"

_OPEN = 0xFF
_OPEN_YEAR = 0xFFFF
_LAST = {"last": 0xFE, "last-1": 0xFD}
_ORDINALS = ("first", "second", "third", "fourth")
_NO_DEVIATION = b"\x80\x00\xff"
_FARTHEST_DAYS = 366

_PATTERN = re.compile(
    r"(?:([a-z]+) +)?(?:(\d{4}|\*) *- *)?(\d{1,2}|\*) *- *(\d{1,2}|\*|last-1|last)"
)
_NTH = re.compile(r"([a-z]+) ([a-z]+) (?:of|in) ([a-z]+)(?: (\d{4}))?")
_EASTER = re.compile(r"(orthodox )?easter *(?:([+-]) *(\d{1,3}))?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


@dataclass(frozen=True)
class FromEaster:
    """So many days after Easter Sunday."""

    days: int
    orthodox: bool = False

    def in_year(self, year: int) -> datetime.date:
        """Return the day in one year."""
        method = easter.EASTER_ORTHODOX if self.orthodox else easter.EASTER_WESTERN
        return easter.easter(year, method) + datetime.timedelta(self.days)


def name_index(word: str, names: tuple[str, ...]) -> int:
    """Return which of the names, from 1, a word of at least three letters begins; 0 if none."""
    found = [n for n, name in enumerate(names, 1) if len(word) >= 3 and name.startswith(word)]
    return found[0] if len(found) == 1 else 0


def parse_date(value: object) -> bytes | FromEaster:
    """Return the octets of a date. Raises ValueError with a sentence."""
    if isinstance(value, datetime.datetime):
        raise ValueError("a date without a time of day is wanted")
    if isinstance(value, datetime.date):
        return octets_of_day(value)
    if not isinstance(value, str):
        raise ValueError(f'a date is wanted, such as "12-25" or 2027-12-25, not {shown(value)}')
    text = " ".join(value.lower().split())
    match = _EASTER.fullmatch(text)
    if match:
        days = int(match[3] or 0) * (-1 if match[2] == "-" else 1)
        if abs(days) > _FARTHEST_DAYS:
            raise ValueError(f"{shown(value)} is more than a year away from Easter")
        return FromEaster(days, bool(match[1]))
    octets = _nth_weekday(text) or _pattern(text)
    if octets is None:
        raise ValueError(
            f'{shown(value)} is no date; write "12-25", "2027-12-25", "last sunday of march"'
            ' or "easter+1"'
        )
    try:
        patterns.check_date(octets)
    except ValueError as error:
        raise ValueError(f"{shown(value)} never comes: {error}") from error
    return octets


def _nth_weekday(text: str) -> bytes | None:
    match = _NTH.fullmatch(text)
    if not match:
        return None
    month = name_index(match[3], MONTHS)
    weekday = name_index(match[2], WEEKDAYS)
    if match[1] == "last":
        day = _LAST["last"]
        weekday = weekday or (_OPEN if match[2] == "day" else 0)
    else:
        day = _ORDINALS.index(match[1]) * 7 + 1 if match[1] in _ORDINALS else 0
    if not (month and weekday and day):
        return None
    if match[4] and day <= 31:  # the meter takes a weekday beside a whole date as a check of it
        first = datetime.date(int(match[4]), month, day)
        return octets_of_day(first + datetime.timedelta((weekday - first.isoweekday()) % 7))
    return _octets(int(match[4] or _OPEN_YEAR), month, day, weekday)


def _pattern(text: str) -> bytes | None:
    match = _PATTERN.fullmatch(text)
    if not match:
        return None
    weekday = name_index(match[1], WEEKDAYS) if match[1] else _OPEN
    if not weekday:
        return None
    year = _OPEN_YEAR if match[2] in (None, "*") else int(match[2])
    month = _OPEN if match[3] == "*" else int(match[3])
    day = _OPEN if match[4] == "*" else _LAST.get(match[4]) or int(match[4])
    return _octets(year, month, day, weekday)


def _octets(year: int, month: int, day: int, weekday: int = _OPEN) -> bytes:
    return bytes((year >> 8, year & 0xFF, month, day, weekday))


def octets_of_day(day: datetime.date) -> bytes:
    """Return the octets of one day."""
    if not 2000 <= day.year <= 2099:
        raise ValueError("a year is 2000 to 2099")
    return _octets(day.year, day.month, day.day)


def date_text(octets: bytes) -> str:
    """Return the text that `parse_date` reads as these octets."""
    year, month, day, weekday = octets[0] << 8 | octets[1], *octets[2:5]
    if year == _OPEN_YEAR and _OPEN not in (month, weekday):
        if day == _LAST["last"]:
            return f"last {WEEKDAYS[weekday - 1]} of {MONTHS[month - 1]}"
        if day in (1, 8, 15, 22):
            return f"{_ORDINALS[day // 7]} {WEEKDAYS[weekday - 1]} of {MONTHS[month - 1]}"
    plain = weekday == _OPEN and month != _OPEN and day <= 31
    words = "" if weekday == _OPEN else WEEKDAYS[weekday - 1] + " "
    if year != _OPEN_YEAR:
        words += f"{year:04}-"
    elif not plain:
        words += "*-"
    words += "*-" if month == _OPEN else f"{month:02}-"
    counted_back = next((name for name, octet in _LAST.items() if octet == day), None)
    return words + (counted_back or ("*" if day == _OPEN else f"{day:02}"))


def parse_time(text: object) -> int:
    """Return the second of the day. Raises ValueError with a sentence."""
    if isinstance(text, datetime.time) and text.tzinfo is None and not text.microsecond:
        return text.hour * 3600 + text.minute * 60 + text.second
    match = _TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    if not match:
        raise ValueError(f'{shown(text)} is no time of day; write "06:00" or "06:00:30"')
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(
            f'{shown(text)} is no time of day; the day goes from "00:00" to "23:59:59"'
        )
    return hour * 3600 + minute * 60 + second


def time_text(second: int) -> str:
    """Return HH:MM, with seconds where there are any."""
    text = f"{second // 3600:02}:{second // 60 % 60:02}"
    return f"{text}:{second % 60:02}" if second % 60 else text


def parse_start(value: object) -> bytes:
    """Return the twelve octets of a season's start, a date and if wanted a time of day."""
    second = 0
    if isinstance(value, datetime.datetime):
        value, second = value.date(), _second_of(value)
    elif isinstance(value, str) and ":" in value:
        value, _, time = value.strip().rpartition(" ")
        second = parse_time(time)
    date = parse_date(value)
    if isinstance(date, FromEaster):
        raise ValueError("a season cannot begin with Easter; give each year's date a season")
    return date_time(date, second)


def date_time(date: bytes, second: int) -> bytes:
    """Return the meter's date-time of local time, deviation and status not given."""
    time = bytes((second // 3600, second // 60 % 60, second % 60, 0))
    return date + time + _NO_DEVIATION


def canonical_start(octets: bytes) -> bytes:
    """Return a foreign start as this tool writes it; the meter takes an open time for midnight."""
    hour, minute, second = (0 if octet == _OPEN else octet for octet in octets[5:8])
    return date_time(octets[:5], hour * 3600 + minute * 60 + second)


def start_text(octets: bytes) -> str:
    """Return the text that `parse_start` reads as these octets."""
    second = octets[5] * 3600 + octets[6] * 60 + octets[7]
    return date_text(octets[:5]) + (" " + time_text(second) if second else "")


def _second_of(moment: datetime.datetime) -> int:
    if moment.tzinfo is not None or moment.microsecond:
        raise ValueError("a tariff follows local time: no offset and no parts of a second")
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def parse_activation(value: object) -> datetime.datetime | str | None:
    """Return a local moment, "now", or None for never. Raises ValueError with a sentence."""
    if isinstance(value, str):
        text = value.strip().lower()
        if text in (NOW, "never"):
            return NOW if text == NOW else None
        try:
            value = datetime.datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                f'{shown(value)} is no activation; write 2027-01-01, "2027-01-01 06:00", "now" or'
                ' "never"'
            ) from None
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    if not isinstance(value, datetime.datetime):
        raise ValueError(f'an activation is a date, "now" or "never", not {shown(value)}')
    _second_of(value)
    octets_of_day(value.date())
    return value


def activation_octets(moment: datetime.datetime | None) -> bytes:
    """Return what activate_passive_calendar_time takes."""
    if moment is None:
        return NEVER
    return date_time(octets_of_day(moment.date()), _second_of(moment))


def activation_of(octets: bytes) -> datetime.datetime | None:
    """Return the moment that the meter waits for; None for never and for what comes again."""
    hour, minute, second = octets[5:8]
    try:
        return datetime.datetime(
            octets[0] << 8 | octets[1], octets[2], octets[3], hour, minute, second
        )
    except ValueError:
        return None
