"""Local time and daylight saving; zoneinfo is the truth (host_tests/reference/local_time.py)."""

import random
import struct
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

import local_time
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from local_time import EPOCH

import civil
from app.zone import Zone, switch_local_s

DAY_S = 86400
MIDNIGHT = datetime(2026, 1, 1)


class Settings:
    def __init__(self):
        self.values = {"clock": b"", "dst_table": b"", "clock_limits": b"", "battery": b""}

    def get(self, key):
        return self.values[key]

    def put(self, key, value):
        self.values[key] = bytes(value)


def make(**rules):
    zone = Zone(Settings())
    zone.configure(**rules)
    return zone


def row(year, *fields):
    """Begin and end of one year: month, day, hour, minute of each."""
    return b"".join(
        struct.pack(">H7BhB", year, month, day, 255, hour, minute, 0, 0, -0x8000, 0)
        for month, day, hour, minute in (fields[:4], fields[4:])
    )


def fields(zone, utc_s):
    """Year, month, day, hour, minute, second of local time."""
    parts = civil.parts(zone.local_s(utc_s))
    return parts[:3] + parts[4:]


@pytest.mark.row("CLK-18")
def test_every_day_of_the_century_goes_both_ways():
    day = datetime(2000, 1, 1)
    for number in range(36525):
        assert civil.date_from_days(number) == (day.year, day.month, day.day)
        assert civil.days_from_date(day.year, day.month, day.day) == number
        assert civil.weekday(number) == day.isoweekday()
        day += timedelta(days=1)
    assert civil.days_from_date(2028, 2, 29) == (datetime(2028, 2, 29) - datetime(2000, 1, 1)).days


@pytest.mark.parametrize(
    "wrong",
    [(1999, 1, 1), (2100, 1, 1), (2023, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31)],
)
def test_what_is_not_a_date_is_refused(wrong):
    with pytest.raises(ValueError, match="date"):
        civil.days_from_date(*wrong)


@pytest.mark.row("CLK-03", "CLK-05")
@pytest.mark.parametrize("name", ["Europe/Berlin", "Europe/London", "Europe/Helsinki"])
def test_local_time_agrees_with_zoneinfo_over_the_century(name):
    seed = random.randrange(2**32)
    print("seed", seed)
    generator = random.Random(seed)
    there = ZoneInfo(name)
    offset_min = int(datetime(2026, 1, 1, tzinfo=there).utcoffset().total_seconds() // 60)
    hour = 1 + offset_min // 60
    zone = make(
        time_zone_min=-offset_min,
        dst_begin=local_time.pattern((3, 5, 7, hour, 0)),
        dst_end=local_time.pattern((10, 5, 7, hour + 1, 0)),
    )
    moments = [generator.randrange(365 * DAY_S, 36 * 365 * DAY_S) for _ in range(2000)]
    for year in range(2001, 2037):
        for month in (3, 10):
            last = max(d for d in range(25, 32) if datetime(year, month, d).isoweekday() == 7)
            switch = local_time.utc_s(datetime(year, month, last, 1, tzinfo=timezone.utc))
            moments += [switch - 1, switch, switch + 1]
    for utc_s in moments:
        expected = local_time.local(utc_s, there)
        assert fields(zone, utc_s) == expected.timetuple()[:6]
        assert zone.deviation_min(utc_s) == -int(expected.utcoffset().total_seconds() // 60)
        assert zone.dst_active(utc_s) == bool(expected.dst())


rules = st.tuples(
    st.integers(1, 12), st.integers(1, 5), st.integers(1, 7), st.integers(0, 23),
    st.integers(0, 59),
)  # fmt: skip


@settings(max_examples=150)
@given(
    zone_min=st.integers(-720, 720),
    deviation_min=st.integers(-120, 120).filter(bool),
    begin=rules,
    end=rules,
    year=st.integers(2001, 2098),
    data=st.data(),
)
def test_any_rule_in_any_zone_agrees_with_zoneinfo(
    zone_min, deviation_min, begin, end, year, data
):
    """Either hemisphere; not at the turn of a year, where the year of a rule is moot."""
    days = []
    for rule in (begin, end):
        local = EPOCH + timedelta(seconds=switch_local_s(local_time.pattern(rule), year))
        assume(datetime(local.year, 1, 4) < local.replace(tzinfo=None))
        assume(local.replace(tzinfo=None) < datetime(local.year, 12, 28))
        days.append(local)
    assume(abs((days[0] - days[1]).days) > 3)
    there = local_time.zone(zone_min, deviation_min, begin, end)
    zone = make(
        time_zone_min=zone_min,
        dst_deviation_min=deviation_min,
        dst_begin=local_time.pattern(begin),
        dst_end=local_time.pattern(end),
    )
    switches = [local_time.utc_s(day) + zone_min * 60 for day in days]
    switches[1] -= deviation_min * 60
    first = local_time.utc_s(datetime(year, 1, 3, tzinfo=timezone.utc))
    moments = [s + d for s in switches for d in (-1, 0, 1)]
    moments += data.draw(st.lists(st.integers(first, first + 360 * DAY_S), min_size=5, max_size=5))
    for utc_s in moments:
        expected = local_time.local(utc_s, there)
        assert fields(zone, utc_s) == expected.timetuple()[:6]
        assert -zone.deviation_min(utc_s) * 60 == expected.utcoffset().total_seconds()
        back = zone.utc_s(zone.local_s(utc_s), zone.dst_active(utc_s))
        assert back == utc_s


@settings(max_examples=60)
@given(
    zone_min=st.integers(-48, 48).map(lambda quarters: 15 * quarters),
    deviation_min=st.sampled_from([-60, -30, 30, 60, 120]),
    hour=st.integers(0, 23),
    period_s=st.sampled_from([900, 1800, 3600, DAY_S]),
)
def test_boundaries_are_those_of_the_wall(zone_min, deviation_min, hour, period_s):
    """Around both switches every boundary, found by looking at zoneinfo's time every 900 s."""
    begin, end = (3, 5, 7, hour, 0), (10, 4, 3, hour, 0)
    there = local_time.zone(zone_min, deviation_min, begin, end)
    zone = make(
        time_zone_min=zone_min,
        dst_deviation_min=deviation_min,
        dst_begin=local_time.pattern(begin),
        dst_end=local_time.pattern(end),
    )
    for day in (28, 241):  # from 1 March on: 28 March and 27 October
        start = local_time.utc_s(datetime(2026, 3, 1, tzinfo=timezone.utc)) + (day - 1) * DAY_S
        wall = [
            int((local_time.local(utc_s, there).replace(tzinfo=None) - MIDNIGHT).total_seconds())
            for utc_s in range(start, start + 3 * DAY_S, 900)
        ]
        expected = []
        highest = wall[0] // period_s
        for index in range(1, len(wall)):
            number = wall[index] // period_s
            again = period_s < DAY_S and wall[index] % period_s == 0
            if number > highest or again:
                expected.append(start + 900 * index)
            highest = max(highest, number)
        found, utc_s = [], start
        while (utc_s := zone.next_boundary(utc_s, period_s)) < start + 3 * DAY_S:
            found.append(utc_s)
        assert found == expected


def test_daylight_saving_south_of_the_equator():
    there = ZoneInfo("Australia/Sydney")
    zone = make(
        time_zone_min=-600,
        dst_begin=local_time.pattern((10, 1, 7, 2, 0)),
        dst_end=local_time.pattern((4, 1, 7, 3, 0)),
    )
    for day in range(3650):
        utc_s = 9500 * DAY_S + day * DAY_S + 4321
        assert fields(zone, utc_s)[3] == local_time.local(utc_s, there).hour


def test_second_last_day_and_fixed_year():
    pattern = (
        b"\x07\xea\x02\xfd\xff\x03\x1e\x00\x00\x80\x00\x00"  # 2026, February, second last day
    )
    assert civil.parts(switch_local_s(pattern, 2030))[:6] == (2026, 2, 27, 5, 3, 30)


@pytest.mark.row("CLK-04")
@pytest.mark.parametrize(
    "wrong",
    [
        {"dst_deviation_min": 121},
        {"dst_deviation_min": -121},
        {"time_zone_min": 721},
        {"dst_begin": b"\xff\xff\x0d\xfe\x07\x02\x00\x00\x00\x80\x00\x00"},
        {"dst_begin": b"\xff\xff\xff\xfe\x07\x02\x00\x00\x00\x80\x00\x00"},
        {"dst_begin": b"\xff\xff\x03\xfe\x08\x02\x00\x00\x00\x80\x00\x00"},
        {"dst_end": b"\xff\xff\x02\x1e\xff\x02\x00\x00\x00\x80\x00\x00"},
        {"dst_end": b"\xff\xff\x02\x1d\xff\x02\x00\x00\x00\x80\x00\x00"},  # only in leap years
        {"dst_end": b"\xff\xff\x03\xfe\x07\x18\x00\x00\x00\x80\x00\x00"},
        {"dst_end": b"\x08\x34\x03\xfe\x07\x02\x00\x00\x00\x80\x00\x00"},  # the year 2100
        {"dst_end": b"short"},
    ],
)
def test_wrong_rules_are_refused_and_change_nothing(wrong):
    zone = Zone(Settings())
    before = (zone.time_zone_min, zone.dst_deviation_min, zone.dst_begin, zone.dst_end)
    with pytest.raises(ValueError, match=r"\w"):
        zone.configure(**wrong)
    assert before == (zone.time_zone_min, zone.dst_deviation_min, zone.dst_begin, zone.dst_end)


def test_rules_survive_a_restart():
    kept = Settings()
    Zone(kept).configure(time_zone_min=-60, dst_enabled=False)
    Zone(kept).set_table(row(2027, 4, 3, 1, 0, 9, 1, 2, 30))
    again = Zone(kept)
    assert again.time_zone_min == -60
    assert not again.dst_enabled
    assert again.table == row(2027, 4, 3, 1, 0, 9, 1, 2, 30)


@pytest.mark.row("CLK-06")
def test_fixed_dates_go_before_the_rule_in_their_year_alone():
    """3 April in place of the last Sunday of March; the year after goes by the rule again."""
    zone = make(time_zone_min=-60)
    by_rule = Zone(zone._settings)
    zone.set_table(row(2027, 4, 3, 2, 0, 9, 1, 3, 0))
    begin = local_time.utc_s(datetime(2027, 4, 3, 1, tzinfo=timezone.utc))
    end = local_time.utc_s(datetime(2027, 9, 1, 1, tzinfo=timezone.utc))
    assert fields(zone, begin - 1) == (2027, 4, 3, 1, 59, 59)
    assert fields(zone, begin) == (2027, 4, 3, 3, 0, 0)
    assert zone.dst_active(end - 1)
    assert fields(zone, end) == (2027, 9, 1, 2, 0, 0)
    assert not zone.dst_active(local_time.utc_s(datetime(2027, 3, 29, tzinfo=timezone.utc)))
    for day in range(366):
        for year in (2026, 2028):
            utc_s = local_time.utc_s(datetime(year, 1, 1, tzinfo=timezone.utc)) + day * DAY_S
            assert zone.dst_active(utc_s) == by_rule.dst_active(utc_s)
    zone.configure(dst_enabled=False)
    assert not zone.dst_active(begin)
    zone.configure(dst_enabled=True)
    zone.set_table(b"")
    for day in range(366):
        assert zone.dst_active(begin + day * DAY_S) == by_rule.dst_active(begin + day * DAY_S)


@pytest.mark.parametrize(
    "rows",
    [
        [(2027, 4, 31, 2, 0, 9, 1, 3, 0)],
        [(2027, 13, 1, 2, 0, 9, 1, 3, 0)],
        [(2027, 4, 3, 24, 0, 9, 1, 3, 0)],
        [(2027, 4, 3, 2, 0, 9, 1, 3, 60)],
        [(0xFFFF, 4, 3, 2, 0, 9, 1, 3, 0)],
        [(2100, 4, 3, 2, 0, 9, 1, 3, 0)],
        [(2027, 4, 3, 2, 0, 9, 1, 3, 0)] * 2,
        [(2027 + n, 4, 3, 2, 0, 9, 1, 3, 0) for n in range(9)],
    ],
)
def test_a_wrong_table_is_refused_and_the_old_one_stays(rows):
    zone = Zone(Settings())
    old = row(2026, 4, 3, 2, 0, 9, 1, 3, 0)
    zone.set_table(old)
    with pytest.raises(ValueError, match=r"\w"):
        zone.set_table(b"".join(row(*fields) for fields in rows))
    assert zone.table == old


def test_rules_of_an_older_firmware_stop_no_clock():
    kept = Settings()
    leap_day = b"\xff\xff\x02\x1d\xff\x02\x00\x00\x00\x80\x00\x00"
    kept.values["clock"] = struct.pack("<hbB12s12s", -60, 60, 1, leap_day, leap_day)
    kept.values["dst_table"] = b"odd"
    zone = Zone(kept)
    assert zone.time_zone_min == -60
    assert zone.dst_active(civil.utc_s(2027, 7, 1))
    assert zone.table == b""


def test_local_time_stays_inside_the_calendar():
    last = civil.utc_s(2099, 12, 31, 23, 59, 59)
    assert fields(make(time_zone_min=-720), last) == (2099, 12, 31, 23, 59, 59)
    assert fields(make(time_zone_min=720), 5) == (2000, 1, 1, 0, 0, 0)


def test_an_hour_that_is_left_out_or_comes_twice():
    """02:30 on the last Sundays of March and October in Central Europe."""
    zone = make(time_zone_min=-60)
    gap = civil.utc_s(2026, 3, 29, 2, 30)
    assert zone.utc_s(gap, True) == zone.utc_s(gap, False) == civil.utc_s(2026, 3, 29, 1, 30)
    twice = civil.utc_s(2026, 10, 25, 2, 30)
    assert zone.utc_s(twice, True) == civil.utc_s(2026, 10, 25, 0, 30)
    assert zone.utc_s(twice, False) == civil.utc_s(2026, 10, 25, 1, 30)
