"""Dates and times of day with open parts, as calendars and schedules name them.

A date has 5 octets: year (2), month, day of month, day of week; a time 4: hour, minute, second,
hundredths. FF and FFFF leave a part open; day FE is the last of the month, FD the last but one.
With a weekday the day is read as the Blue Book (4.1.6.1) has it: FE or FD and Sunday is the last
Sunday up to that day, a number and Sunday the first Sunday on or after it. Everything here is
local time, counted in days and seconds since 2000-01-01T00:00:00.
"""

from micropython import const

import civil

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from hal import Buffer

DATE_SIZE = const(5)
TIME_SIZE = const(4)
OPEN = const(0xFF)

_OPEN_YEAR = const(0xFFFF)
_LAST_DAY = const(0xFE)
_LAST_BUT_ONE = const(0xFD)
_FIRST_YEAR = const(2000)
_LAST_YEAR = const(2099)
_MONTHS_AHEAD = const(96)  # no date is further away than a 29 February across 2096..2104
_HOUR_S = const(3600)


def check_date(date: "Buffer") -> None:
    """Raise ValueError unless the 5 octets can ever name a day."""
    if len(date) != DATE_SIZE:
        raise ValueError("a date has 5 octets")
    year, month, day, weekday = _parts(date)
    if not (year == _OPEN_YEAR or _FIRST_YEAR <= year <= _LAST_YEAR):
        raise ValueError("a year is 2000 to 2099 or open")
    if not (month == OPEN or 1 <= month <= 12):
        raise ValueError("a month is 1 to 12 or open")
    if not (day in (OPEN, _LAST_DAY, _LAST_BUT_ONE) or 1 <= day <= 31):
        raise ValueError("a day is 1 to 31, last, last but one or open")
    if not (weekday == OPEN or 1 <= weekday <= 7):
        raise ValueError("a weekday is 1 to 7 or open")
    if day > 31 or OPEN in (month, day):
        return
    if day > civil.days_in_month(2000 if year == _OPEN_YEAR else year, month):
        raise ValueError("that month has no such day")
    if year == _OPEN_YEAR or weekday == OPEN:
        return
    if civil.weekday(civil.days_from_date(year, month, day)) != weekday:
        raise ValueError("that day is another weekday")


def check_time(time: "Buffer") -> None:
    """Raise ValueError unless the 4 octets name a time of day."""
    if len(time) != TIME_SIZE:
        raise ValueError("a time has 4 octets")
    for octet, limit in ((time[0], 23), (time[1], 59), (time[2], 59), (time[3], 99)):
        if octet != OPEN and octet > limit:
            raise ValueError("not a time of day")


def is_open(date: "Buffer") -> bool:
    """Tell whether every part of a date is left open."""
    return bytes(date) == b"\xff\xff\xff\xff\xff"


def has_wildcard(date: "Buffer") -> bool:
    """Tell whether a date comes again: any of year, month and day is left open or counted back."""
    year, month, day, _ = _parts(date)
    return year == _OPEN_YEAR or month == OPEN or day > 31


def date_matches(date: "Buffer", days: int) -> bool:
    """Tell whether a day, counted from 2000, is one that the date names."""
    year, month, _ = civil.date_from_days(days)
    if _names_following_day(date):
        # the weekday on or after a day may lie in the next month
        before = year * 12 + month - 2
        return days in _days_of(date, year, month) or days in _days_of(
            date, before // 12, before % 12 + 1
        )
    return days in _days_of(date, year, month)


def latest_day(date: "Buffer", limit_days: int) -> int:
    """Return the last day, at most `limit_days`, that the date names; -1 if there is none."""
    year, month, _ = civil.date_from_days(limit_days)
    at = year * 12 + month - 1
    for number in range(at, max(at - _MONTHS_AHEAD, _FIRST_YEAR * 12 - 1), -1):
        latest = -1
        for days in _days_of(date, number // 12, number % 12 + 1):
            if days <= limit_days:
                latest = days
        if latest >= 0:
            return latest
    return -1


def first_day(date: "Buffer", from_days: int) -> int:
    """Return the first day, `from_days` or later, that the date names; -1 if there is none."""
    year, month, _ = civil.date_from_days(from_days)
    at = max(year * 12 + month - 2, _FIRST_YEAR * 12)  # a following day may start a month before
    for number in range(at, min(at + _MONTHS_AHEAD, (_LAST_YEAR + 1) * 12)):
        for days in _days_of(date, number // 12, number % 12 + 1):
            if days >= from_days:
                return days
    return -1


def first_time(date: "Buffer", time: "Buffer", after_s: int, until_s: int) -> int:
    """Return the first moment in (after_s, until_s] that date and time name; -1 if none.

    An open hour or minute means every one of them, an open second is 0.
    """
    days = first_day(date, (after_s + 1) // civil.DAY_S)
    while days >= 0 and days * civil.DAY_S <= until_s:
        for time_s in times_of_day(time):
            moment_s = days * civil.DAY_S + time_s
            if moment_s > until_s:
                return -1
            if moment_s > after_s:
                return moment_s
        days = first_day(date, days + 1)
    return -1


def times_of_day(time: "Buffer") -> "Iterator[int]":
    """Yield the seconds of the day that a time names, rising."""
    second = 0 if time[2] == OPEN else time[2]
    for hour in range(24) if time[0] == OPEN else (time[0],):
        for minute in range(60) if time[1] == OPEN else (time[1],):
            yield hour * _HOUR_S + minute * 60 + second


def _parts(date: "Buffer") -> tuple[int, int, int, int]:
    return date[0] << 8 | date[1], date[2], date[3], date[4]


def _names_following_day(date: "Buffer") -> bool:
    return date[3] <= 31 and date[4] != OPEN


def _days_of(date: "Buffer", year: int, month: int) -> "Iterator[int]":
    """Yield the days of this month that a date names, rising.

    Where the date names the weekday after a day, the day belongs to the month of the latter.
    """
    fixed_year, fixed_month, day, weekday = _parts(date)
    if fixed_year not in (_OPEN_YEAR, year) or fixed_month not in (OPEN, month):
        return
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return
    first = civil.days_from_date(year, month, 1)
    count = civil.days_in_month(year, month)
    if day == OPEN:
        for days in range(first, first + count):
            if weekday in (OPEN, civil.weekday(days)):
                yield days
        return
    if day > 31:
        days = first + count - (1 if day == _LAST_DAY else 2)
        if weekday != OPEN:
            days -= (civil.weekday(days) - weekday) % 7
        yield days
        return
    if day > count:
        return
    days = first + day - 1
    if weekday != OPEN:
        days += (weekday - civil.weekday(days)) % 7
    yield days
