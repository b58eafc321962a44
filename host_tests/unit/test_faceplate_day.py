"""Today on the faceplate: load profile 1's periods over the calendar's rates, in local time."""

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import bench_rig
from bench_rig import Thing
from faceplate import day as shown
from faceplate.bench import NoMeterError
from load_rig import LoadRig
from test_tariff_calendar import RELAYS, TARIFFS, activated, octets, start

import civil
from app.storage import rings

CET = (
    ("time_zone_min", -60),
    ("dst_deviation_min", 60),
    ("dst_begin", bytes.fromhex("ffff03fe0702000000800000")),  # last Sunday, 02:00 local
    ("dst_end", bytes.fromhex("ffff0afe0703000000800000")),
    ("dst_enabled", True),
)
CALENDAR = {
    "seasons": [(b"S", start(octets(0xFFFF, 1, 1)), b"W")],
    "weeks": {b"W": [1] * 5 + [2, 2]},
    "days": {
        1: [(0, TARIFFS, 2), (6 * 3600, TARIFFS, 1), (6 * 3600, RELAYS, 1), (79200, TARIFFS, 2)],
        2: [(0, TARIFFS, 3), (4 * 3600, TARIFFS, 4)],
    },
    "special": [(octets(0xFFFF, 12, 25), 2)],
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(rings.time, "sleep_ms", lambda _ms: None, raising=False)


class Meter:
    """A meter of profiles, clock and calendar behind a bench."""

    def __init__(self, utc_s, calendar=CALENDAR):
        self.rig = LoadRig(utc_s, zone=CET)
        active = activated(calendar)
        self.tariff = Thing(
            calendar=active,
            special_days=active.special_days,
            control=Thing(decides=lambda: 0),
        )
        self.events = Thing(posted=0)
        self.load_profiles = self.rig.load
        self.clock = self.rig.clock
        self.resolver = self.rig.recorder.resolver
        self.bench = bench_rig.make_bench()
        self.bench.processor.main = Thing(meter=self)

    def day(self):
        answer = shown.day(self.bench)
        json.dumps(answer)
        return answer


def counted(row):
    """The registers count true seconds, in Wh; a capture may be late by a part of one."""
    return pytest.approx(row[1] - row[0], abs=1)


def test_a_day_has_its_periods_and_the_one_that_runs():
    meter = Meter(civil.utc_s(2026, 1, 13, 22, 50))  # 23:50 on Tuesday
    meter.rig.run(4 * 3600 + 700)
    today = meter.day()
    assert today["date"] == "2026-01-14"
    assert (today["length_s"], today["period_s"], today["shifts"]) == (86400, 900, [[0, 0]])
    assert today["now_s"] == 4 * 3600 + 100
    rows = today["rows"]
    assert [row[:2] for row in rows] == [[n * 900, n * 900 + 900] for n in range(16)] + [
        [16 * 900, 16 * 900 + 100]
    ]
    assert all(row[2] == row[3] == counted(row) for row in rows)
    assert today["bands"] == [[0, 2], [6 * 3600, 1], [79200, 2]]
    meter.rig.run(900)
    again = meter.day()["rows"]
    assert again[:16] == rows[:16] and len(again) == 18


def test_only_new_rows_are_read(monkeypatch):
    meter = Meter(civil.utc_s(2026, 1, 13, 22, 50))
    meter.rig.run(5 * 3600)
    profile = meter.load_profiles.profiles[0]
    read = []
    load = profile.load
    monkeypatch.setattr(profile, "load", lambda sequence: read.append(sequence) or load(sequence))
    meter.day()
    first = len(read)
    assert first == 20
    meter.day()
    assert len(read) == first
    meter.rig.run(900)
    meter.day()
    assert len(read) == first + 1
    meter.events.posted += 1  # a calendar or a profile has changed
    meter.day()
    assert len(read) == 2 * first + 2


@pytest.mark.parametrize(
    ("date", "hours", "shifts", "bands"),
    [
        ((2026, 3, 28), 23, [[0, 0], [7200, 3600]], [[0, 3], [3 * 3600, 4]]),
        ((2026, 10, 24), 25, [[0, 0], [10800, -3600]], [[0, 3], [5 * 3600, 4]]),
    ],
)
def test_days_on_which_clocks_change_have_their_length(date, hours, shifts, bands):
    """02:00 and 03:00 are local; the rate of 04:00 begins an hour earlier or later than usual."""
    meter = Meter(civil.utc_s(*date, 21, 50) if hours == 25 else civil.utc_s(*date, 22, 50))
    meter.rig.run(8 * 3600)
    today = meter.day()
    assert today["length_s"] == hours * 3600
    assert (today["shifts"], today["bands"]) == (shifts, bands)
    assert all(row[1] - row[0] == 900 and row[2] == counted(row) for row in today["rows"][:-1])


def test_a_gap_is_one_period_and_a_day_without_rows_has_none():
    meter = Meter(civil.utc_s(2026, 1, 14, 9))
    assert meter.day()["rows"] == []
    meter.rig.run(1000)
    assert [row[:2] for row in meter.day()["rows"]] == [[36900, 37000]]
    meter.rig.power_cut(3 * 3600)
    meter.load_profiles, meter.clock = meter.rig.load, meter.rig.clock
    meter.resolver = meter.rig.recorder.resolver
    meter.rig.run(1000)
    rows = meter.day()["rows"]
    assert rows[0][0] == 36900 and rows[0][1] > 36900 + 9000
    assert rows[0][4] & 0x80 or rows[1][4] & 0x80  # power down


def test_a_profile_without_the_registers_says_so():
    meter = Meter(civil.utc_s(2026, 1, 14, 9))
    clock = (8, b"\x00\x00\x01\x00\x00\xff", 2, 0)
    meter.rig.set_columns(1, [clock, (3, b"\x01\x00\x02\x08\x00\xff", 2, 0)])
    meter.events.posted += 1
    meter.rig.run(2000)
    assert [row[2:4] for row in meter.day()["rows"]] == [
        [None, pytest.approx(900, abs=1)],
        [None, pytest.approx(200, abs=1)],
    ]
    meter.rig.set_columns(1, [(3, b"\x01\x00\x02\x08\x00\xff", 2, 0)])
    meter.events.posted += 1
    meter.rig.run(2000)
    assert meter.day()["rows"] == []
    meter.load_profiles.profiles[0].set_period(0)
    assert meter.day()["period_s"] == 0


def test_the_calendar_in_force_is_shown_with_its_numbers():
    meter = Meter(civil.utc_s(2026, 12, 25, 9))
    found = shown.calendar(meter.bench)
    json.dumps(found)
    assert found["season"] == "S" and found["special_day"] == 2 and not found["damaged"]
    assert found["seasons"] == [["S", [65535, 1, 1, 255, 0], "W"]]
    assert found["weeks"] == [["W", [1, 1, 1, 1, 1, 2, 2]]]
    assert found["days"] == [[1, [[0, 2], [21600, 1], [79200, 2]]], [2, [[0, 3], [14400, 4]]]]
    assert found["special_days"] == [[[255, 255, 12, 25, 255], 2]]


def test_a_meter_without_calendar_or_power_has_nothing_to_show():
    empty = {"seasons": [], "weeks": {}, "days": {}, "special": []}
    meter = Meter(civil.utc_s(2026, 1, 14, 9), empty)
    assert meter.day()["bands"] == [[0, 0]]
    found = shown.calendar(meter.bench)
    assert (found["name"], found["season"], found["days"]) == ("", None, [])
    for call in (shown.day, shown.calendar):
        with pytest.raises(NoMeterError):
            call(bench_rig.make_bench())
