"""Dates with open parts against Python's calendar, day by day (Blue Book 4.1.6.1)."""

import calendar
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tariff import patterns

START = datetime.date(2000, 1, 1)
LAST, LAST_BUT_ONE, OPEN = 0xFE, 0xFD, 0xFF


def octets(year=0xFFFF, month=OPEN, day=OPEN, weekday=OPEN):
    return bytes([year >> 8, year & 0xFF, month, day, weekday])


def names(date, day):
    """What the Blue Book says, asked of one day of Python's calendar."""
    year, month, number, weekday = date[0] << 8 | date[1], date[2], date[3], date[4]

    def in_month(moment):
        return year in (0xFFFF, moment.year) and month in (OPEN, moment.month)

    if number in (LAST, LAST_BUT_ONE):
        last = calendar.monthrange(day.year, day.month)[1] - (number == LAST_BUT_ONE)
        target = day.replace(day=last)
        while weekday != OPEN and target.isoweekday() != weekday:
            target -= datetime.timedelta(1)
        return in_month(day) and day == target
    if number == OPEN:
        return in_month(day) and weekday in (OPEN, day.isoweekday())
    if weekday == OPEN:
        return in_month(day) and day.day == number
    for back in range(7):  # the weekday on or after that day
        start = day - datetime.timedelta(back)
        if start >= START and in_month(start) and start.day == number:
            return day.isoweekday() == weekday
    return False


dates = st.builds(
    octets,
    st.sampled_from([0xFFFF, 0xFFFF, 2023, 2024]),
    st.sampled_from([OPEN, 1, 2, 3, 10, 12]),
    st.sampled_from([OPEN, 1, 7, 28, 29, 30, 31, LAST, LAST_BUT_ONE]),
    st.sampled_from([OPEN, OPEN, 1, 6, 7]),
)
days_near = st.integers(
    datetime.date(2022, 11, 1).toordinal(), datetime.date(2025, 3, 1).toordinal()
)


@given(dates, days_near)
def test_a_day_is_named_as_the_calendar_says(date, ordinal):
    day = datetime.date.fromordinal(ordinal)
    assert patterns.date_matches(date, (day - START).days) == names(date, day)


@given(dates, days_near)
def test_the_nearest_days_before_and_after_are_found(date, ordinal):
    here = (datetime.date.fromordinal(ordinal) - START).days
    latest = patterns.latest_day(date, here)
    first = patterns.first_day(date, here)
    named = [
        n for n in range(here - 900, here + 900) if names(date, START + datetime.timedelta(n))
    ]
    before = [n for n in named if n <= here]
    after = [n for n in named if n >= here]
    if before:
        assert latest == before[-1]
    else:
        assert latest == -1 or latest < here - 899
    if after:
        assert first == after[0]
    else:
        assert first == -1 or first > here + 898


@pytest.mark.parametrize(
    ("date", "reason"),
    [
        (octets(1999), "a year is"),
        (octets(2100), "a year is"),
        (octets(month=0), "a month is"),
        (octets(month=13), "a month is"),
        (octets(month=0xFD), "a month is"),  # daylight saving months are not built
        (octets(day=0), "a day is"),
        (octets(day=32), "a day is"),
        (octets(day=0xE0), "a day is"),
        (octets(weekday=0), "a weekday is"),
        (octets(weekday=8), "a weekday is"),
        (octets(2026, 2, 29), "no such day"),
        (octets(month=2, day=30), "no such day"),
        (octets(2026, 11, 21, 7), "another weekday"),
        (b"\xff" * 4, "5 octets"),
        (b"\xff" * 6, "5 octets"),
    ],
)
def test_what_can_never_be_a_day_is_refused(date, reason):
    with pytest.raises(ValueError, match=reason):
        patterns.check_date(date)


@pytest.mark.parametrize(
    "date",
    [
        octets(),
        octets(2028, 2, 29),
        octets(month=2, day=29),
        octets(2026, 11, 21, 6),
        octets(day=LAST),
    ],
)
def test_what_can_be_a_day_is_taken(date):
    patterns.check_date(date)


@pytest.mark.parametrize(
    "time", [b"\x18\0\0\0", b"\0\x3c\0\0", b"\0\0\x3c\0", b"\0\0\0d", b"", b"\0" * 5]
)
def test_no_time_of_day_is_refused(time):
    with pytest.raises(ValueError, match="time"):
        patterns.check_time(time)


def seconds(text):
    moment = datetime.datetime.fromisoformat(text)
    return int((moment - datetime.datetime(2000, 1, 1)).total_seconds())


def test_first_time_finds_the_first_of_the_month_over_a_year_end():
    date, time = octets(day=1), bytes([0, 0, 0, 0xFF])
    found = patterns.first_time(
        date, time, seconds("2026-12-15T10:00:00"), seconds("2027-03-01T00:00:00")
    )
    assert found == seconds("2027-01-01T00:00:00")


def test_the_interval_is_open_at_its_start_and_closed_at_its_end():
    date, time = octets(2026, 5, 4), bytes([6, 30, 0, 0])
    moment = seconds("2026-05-04T06:30:00")
    assert patterns.first_time(date, time, moment - 1, moment) == moment
    assert patterns.first_time(date, time, moment, moment + 10**8) == -1
    assert patterns.first_time(date, time, moment - 100, moment - 1) == -1


def test_open_hours_and_minutes_come_every_time():
    every_quarter_past = bytes([OPEN, 15, OPEN, OPEN])
    at = seconds("2026-05-04T06:15:00")
    assert patterns.first_time(octets(), every_quarter_past, at, at + 7200) == at + 3600
    every_minute = bytes([7, OPEN, 0, 0])
    assert patterns.first_time(octets(), every_minute, at, at + 7200) == seconds(
        "2026-05-04T07:00:00"
    )
