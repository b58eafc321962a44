"""Civil calendar arithmetic: dates and seconds since 2000-01-01T00:00:00, years 2000 to 2099.

Stands beside hal.py at the bottom of the import order, because both the clock chip's driver and
the application's clock count with it. In these hundred years every fourth year is a leap year,
which is why the range ends where it does (row CLK-18).
"""

from micropython import const

DAY_S = const(86400)

_DAYS_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_LAST_DAYS = 36525  # days of the hundred years


def days_in_month(year: int, month: int) -> int:
    """Return the number of days of `month` (1..12) in `year` (2000..2099)."""
    if month == 2:
        return 29 if year % 4 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


def days_from_date(year: int, month: int, day: int) -> int:
    """Return whole days since 2000-01-01. Raises ValueError for what is not a date."""
    if not (2000 <= year <= 2099 and 1 <= month <= 12 and 1 <= day <= days_in_month(year, month)):
        raise ValueError("not a date from 2000 to 2099")
    years = year - 2000
    days = years * 365 + (years + 3) // 4 + _DAYS_BEFORE_MONTH[month - 1] + day - 1
    return days + 1 if month > 2 and year % 4 == 0 else days


def date_from_days(days: int) -> tuple[int, int, int]:
    """Return (year, month, day) of a day count since 2000-01-01, or raise ValueError."""
    if not 0 <= days < _LAST_DAYS:
        raise ValueError("not a day from 2000 to 2099")
    cycle, rest = divmod(days, 1461)
    years = 0 if rest < 366 else 1 + (rest - 366) // 365
    year = 2000 + 4 * cycle + years
    rest -= 0 if years == 0 else 366 + (years - 1) * 365
    month = 1
    while rest >= days_in_month(year, month):
        rest -= days_in_month(year, month)
        month += 1
    return year, month, rest + 1


def weekday(days: int) -> int:
    """Return 1 (Monday) to 7 (Sunday); 2000-01-01 was a Saturday."""
    return (days + 5) % 7 + 1


def utc_s(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Return seconds since 2000-01-01T00:00:00. Raises ValueError for what is not a time."""
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59):
        raise ValueError("not a time of day")
    return days_from_date(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second


def parts(seconds: int) -> tuple[int, int, int, int, int, int, int]:
    """Return (year, month, day, weekday, hour, minute, second) of seconds since 2000."""
    days, rest = divmod(seconds, DAY_S)
    year, month, day = date_from_days(days)
    return year, month, day, weekday(days), rest // 3600, rest // 60 % 60, rest % 60
