"""Local time, daylight saving and the chip behind the clock; zoneinfo is the truth."""

import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

import civil
from app import clock as clock_module
from app.clock import Clock, switch_local_s

EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)
NEVER = b"\xff\xff\x03\xfe\x07\x02\x00\x00\x00\x80\x00\x00"


class Rtc:
    """hal.RealTimeClock with faults."""

    def __init__(self, utc_s=0):
        self.time_s = utc_s
        self.stopped = False
        self.dead = False
        self.garbage = False

    def utc_s(self):
        if self.dead:
            raise OSError("no answer")
        if self.garbage:
            raise ValueError("not BCD")
        return self.time_s

    def set_utc_s(self, utc_s):
        if self.dead:
            raise OSError("no answer")
        self.time_s = utc_s
        self.stopped = False

    def oscillator_stopped(self):
        if self.dead:
            raise OSError("no answer")
        return self.stopped


class Settings:
    def __init__(self):
        self.values = {"clock": b""}

    def get(self, key):
        return self.values[key]

    def put(self, key, value):
        self.values[key] = bytes(value)


@pytest.fixture
def ticks(monkeypatch):
    """The processor's ticks, moved by hand."""
    state = {"ms": 0}
    monkeypatch.setattr(clock_module.time, "ticks_ms", lambda: state["ms"] % 2**30, raising=False)
    monkeypatch.setattr(
        clock_module.time, "ticks_add", lambda a, b: (a + b) % 2**30, raising=False
    )
    monkeypatch.setattr(
        clock_module.time,
        "ticks_diff",
        lambda a, b: (a - b + 2**29) % 2**30 - 2**29,
        raising=False,
    )
    return state


@pytest.mark.row("CLK-18")
def test_every_day_of_the_century_goes_both_ways():
    day = datetime(2000, 1, 1)
    for number in range(36525):
        assert civil.date_from_days(number) == (day.year, day.month, day.day)
        assert civil.days_from_date(day.year, day.month, day.day) == number
        assert civil.weekday(number) == day.isoweekday()
        day += timedelta(days=1)


@pytest.mark.parametrize(
    "wrong",
    [(1999, 1, 1), (2100, 1, 1), (2023, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31)],
)
def test_what_is_not_a_date_is_refused(wrong):
    with pytest.raises(ValueError, match="date"):
        civil.days_from_date(*wrong)


@pytest.mark.row("CLK-03", "CLK-05")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/London", "Europe/Helsinki"])
def test_local_time_agrees_with_zoneinfo_over_the_century(ticks, zone):
    seed = random.randrange(2**32)
    print("seed", seed)
    generator = random.Random(seed)
    there = ZoneInfo(zone)
    offset_min = int(datetime(2026, 1, 1, tzinfo=there).utcoffset().total_seconds() // 60)
    clock = Clock(Rtc(), Settings())
    hour = 1 + offset_min // 60
    clock.configure(
        time_zone_min=-offset_min,
        dst_begin=NEVER[:5] + bytes([hour]) + NEVER[6:],
        dst_end=b"\xff\xff\x0a\xfe\x07" + bytes([hour + 1]) + NEVER[6:],
    )
    moments = [generator.randrange(365 * 86400, 36 * 365 * 86400) for _ in range(2000)]
    for year in range(2001, 2037):
        for month in (3, 10):
            last = max(d for d in range(25, 32) if datetime(year, month, d).isoweekday() == 7)
            switch = int(
                (datetime(year, month, last, 1, tzinfo=timezone.utc) - EPOCH).total_seconds()
            )
            moments += [switch - 1, switch, switch + 1]
    for utc_s in moments:
        expected = (EPOCH + timedelta(seconds=utc_s)).astimezone(there)
        year, month, day, weekday, hours, minute, second, deviation, status = clock.local_at(utc_s)
        assert (year, month, day, hours, minute, second) == expected.timetuple()[:6]
        assert weekday == expected.isoweekday()
        assert deviation == -int(expected.utcoffset().total_seconds() // 60)
        assert bool(status & clock_module.DST_ACTIVE) == bool(expected.dst())


def test_daylight_saving_south_of_the_equator(ticks):
    there = ZoneInfo("Australia/Sydney")
    clock = Clock(Rtc(), Settings())
    # first Sunday of October 02:00 to first Sunday of April 03:00
    clock.configure(
        time_zone_min=-600,
        dst_begin=b"\xff\xff\x0a\x01\x07\x02\x00\x00\x00\x80\x00\x00",
        dst_end=b"\xff\xff\x04\x01\x07\x03\x00\x00\x00\x80\x00\x00",
    )
    for day in range(3650):
        utc_s = 9500 * 86400 // 86400 * 86400 + day * 86400 + 4321
        expected = (EPOCH + timedelta(seconds=utc_s)).astimezone(there)
        assert clock.local_at(utc_s)[4] == expected.hour, expected


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
        {"dst_begin": b"\xff\xff\x03\xfe\x08\x02\x00\x00\x00\x80\x00\x00"},
        {"dst_end": b"\xff\xff\x02\x1e\xff\x02\x00\x00\x00\x80\x00\x00"},
        {"dst_end": b"\xff\xff\x03\xfe\x07\x18\x00\x00\x00\x80\x00\x00"},
        {"dst_end": b"short"},
    ],
)
def test_wrong_rules_are_refused_and_change_nothing(ticks, wrong):
    clock = Clock(Rtc(), Settings())
    before = (clock.time_zone_min, clock.dst_deviation_min, clock.dst_begin, clock.dst_end)
    with pytest.raises(ValueError, match=r"\w"):
        clock.configure(**wrong)
    assert before == (
        clock.time_zone_min,
        clock.dst_deviation_min,
        clock.dst_begin,
        clock.dst_end,
    )


def test_rules_survive_a_restart(ticks):
    settings = Settings()
    Clock(Rtc(), settings).configure(time_zone_min=-60, dst_enabled=False)
    again = Clock(Rtc(), settings)
    assert again.time_zone_min == -60
    assert not again.dst_enabled


def test_time_goes_on_for_weeks_while_the_ticks_wrap(ticks):
    clock = Clock(Rtc(1000), Settings())
    for _ in range(40 * 24 * 60):
        ticks["ms"] += 60_000
        clock.utc_s()
    assert clock.utc_s() == 1000 + 40 * 86400


def test_the_chip_is_followed_when_the_ticks_drift(ticks):
    rtc = Rtc(1000)
    clock = Clock(rtc, Settings())
    ticks["ms"] = 100_000
    rtc.time_s = 1101
    clock.discipline()
    assert clock.utc_s() == 1100
    rtc.time_s = 1103
    clock.discipline()
    assert clock.utc_s() == 1103


@pytest.mark.row("CLK-16")
@pytest.mark.parametrize("fault", ["stopped", "garbage", "dead"])
def test_a_clock_without_time_starts_at_2001_and_says_invalid(ticks, fault):
    rtc = Rtc(12345678)
    setattr(rtc, fault, True)
    clock = Clock(rtc, Settings())
    assert clock.local()[:3] == (2001, 1, 1)
    assert clock.status() & clock_module.INVALID
    rtc.dead = rtc.garbage = False
    clock.set_utc_s(civil.utc_s(2026, 11, 21))
    assert not clock.status() & clock_module.INVALID
    assert clock.local()[:3] == (2026, 11, 21)
    assert rtc.time_s == civil.utc_s(2026, 11, 21)


def test_a_time_outside_the_century_is_refused(ticks):
    clock = Clock(Rtc(5), Settings())
    with pytest.raises(ValueError, match="2099"):
        clock.set_utc_s(36525 * 86400)
    assert clock.utc_s() == 5
