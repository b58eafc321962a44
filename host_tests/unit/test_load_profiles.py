"""Load profiles over everything that befalls a meter's clock and its supply."""

import random
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import pytest
from load_rig import CAD, CIV, CLOCK, DNV, DST, ERR, PDN, START, LoadRig

import civil
from app import axdr, event_codes
from app.logs import load_profiles
from app.storage import rings

SEED = 20260612
CLEARED = 254
A_PLUS = (3, b"\x01\x00\x01\x08\x00\xff", 2, 0)
STATUS = (1, b"\x00\x00\x60\x0a\x01\xff", 2, 0)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(rings.time, "sleep_ms", lambda _ms: None, raising=False)


@pytest.fixture
def rig():
    """A meter that starts on 14 January at 11:00 local time."""
    return LoadRig()


def at(*times, status=0):
    return [("01-14 " + time, status) for time in times]


@pytest.mark.row("LPR-03", "LPR-02")
def test_each_profile_ends_its_own_periods_on_the_hour(rig):
    rig.run_to(24, 0, 1)
    assert rig.entries(1)[:5] == at("11:15", "11:30", "11:45", "12:00", "12:15")
    assert rig.entries(2) == [("01-15 00:00", 0)]
    assert rig.entries(3)[:3] == at("12:00", "13:00", "14:00")
    assert rig.entries(4)[:4] == at("11:10", "11:20", "11:30", "11:40")
    assert [len(rig.rows(number)) for number in (1, 2, 3, 4)] == [56, 1, 14, 84]
    seconds = [value for _, _, value in rig.rows(1)]
    assert all(899 <= b - a <= 901 for a, b in zip(seconds, seconds[1:], strict=False))


@pytest.mark.row("LPR-03")
@pytest.mark.parametrize("period_s", load_profiles.PERIODS_S[1:-1])
def test_all_periods_of_the_hour(rig, period_s):
    rig.run_to(10, 7)
    rig.profiles[1].set_period(period_s)
    rig.run_to(13, 0, 1)
    times = [utc_s for utc_s, _, _ in rig.rows(2)]
    first = START + period_s * (420 // period_s + 1)
    assert times == list(range(first, START + 3 * 3600 + 1, period_s))


@pytest.mark.row("LPR-03")
@pytest.mark.parametrize("period_s", [1, 60, 299, 700, 901, 7200, 43200, 86401, 0xFFFFFFFF])
def test_other_periods_are_refused(rig, period_s):
    rig.run(1000)
    with pytest.raises(ValueError, match="period: 0, 300"):
        rig.profiles[0].set_period(period_s)
    rig.run(1000)
    assert len(rig.rows(1)) == 2
    assert rig.posted == []


def test_without_a_period_nothing_is_captured_until_there_is_one_again(rig):
    rig.profiles[0].set_period(0)
    rig.run_to(11, 0)
    assert rig.rows(1) == []
    assert rig.profiles[0].status() == 0
    rig.power_cut(60)
    rig.run_to(11, 5)
    rig.profiles[0].set_period(300)
    rig.run_to(11, 16)
    assert rig.entries(1) == at("12:10", "12:15")


@pytest.mark.row("LPR-06", "LPR-13")
@pytest.mark.parametrize("what", ["columns", "period", "reset"])
def test_a_change_empties_the_profile_and_event_254_tells(rig, what):
    rig.run_to(11, 1)
    profile = rig.profiles[0]
    if what == "columns":
        rig.set_columns(1, [CLOCK, STATUS, A_PLUS])
    elif what == "period":
        profile.set_period(300)
    else:
        profile.reset()
    assert profile.next - profile.first == 0
    assert rig.posted == [CLEARED]
    assert len(rig.rows(4)) == 6
    rig.power_cut(5)
    assert rig.posted == []
    rig.run_to(11, 16)
    expected = at("12:15", status=PDN | DNV)
    if what == "period":
        expected = at("12:05", status=PDN | DNV) + at("12:10", "12:15")
    assert rig.entries(1) == expected


def test_what_stands_already_is_no_change(rig):
    rig.run_to(11, 1)
    rig.profiles[0].set_period(900)
    rig.set_columns(1, axdr_columns(rig.profiles[0]))
    assert rig.posted == []
    assert len(rig.rows(1)) == 4


def axdr_columns(profile):
    from app.rows import read_object

    reader = axdr.Reader(profile.columns())
    return [read_object(reader) for _ in range(reader.array())]


class TestClock:
    @pytest.mark.row("LPR-15")
    def test_set_forward_over_boundaries(self, rig):
        rig.run_to(10, 7)
        rig.clock.set_utc_s(START + 50 * 60)
        assert rig.entries(1) == at("11:15", status=CAD | DNV)
        rig.run_to(11, 15, 1)
        assert rig.entries(1)[1:] == at("12:00", status=CAD | DNV) + at("12:15")

    @pytest.mark.row("LPR-12")
    def test_set_forward_by_an_hour(self, rig):
        rig.run_to(10, 7)
        assert rig.profiles[0].status() == 0
        rig.clock.set_utc_s(START + 67 * 60)
        assert rig.profiles[0].status() == CAD | DNV
        rig.run_to(11, 30, 1)
        assert rig.profiles[0].status() == 0  # cleared with the capture
        broken = CAD | DNV
        assert rig.entries(1) == at("11:15", "12:15", status=broken) + at("12:30")
        assert rig.entries(3) == at("12:00", status=broken)

    def test_set_forward_within_a_period(self, rig):
        rig.run_to(10, 3)
        rig.clock.set_utc_s(START + 12 * 60)
        assert rig.rows(1) == []
        rig.run_to(10, 31)
        assert rig.entries(1) == at("11:15", status=CAD | DNV) + at("11:30")

    def test_set_onto_a_boundary(self, rig):
        rig.run_to(10, 7)
        rig.clock.set_utc_s(START + 15 * 60)
        rig.run_to(10, 31)
        assert rig.entries(1) == at("11:15", "11:30", status=CAD | DNV)

    @pytest.mark.row("LPR-07")
    def test_set_back_half_an_hour_both_sets_are_there_in_their_order(self, rig):
        rig.run_to(11, 5)
        rig.clock.set_utc_s(START + 35 * 60)
        rig.run_to(11, 16)
        before = at("11:15", "11:30", "11:45", "12:00")
        after = at("11:45", status=CAD | DNV) + at("12:00", "12:15")
        assert rig.entries(1) == before + after
        profile = rig.profiles[0]
        twice = list(profile.span(START + 45 * 60, START + 60 * 60))
        assert twice == [2, 3, 4, 5]

    @pytest.mark.parametrize("shift_s", [8, -8])
    def test_a_synchronisation_is_none_of_it(self, rig, shift_s):
        rig.run_to(10, 14, 56)
        rig.clock.shift(shift_s)
        rig.run_to(10, 31)
        assert rig.entries(1) == at("11:15", "11:30")

    def test_an_invalid_clock(self, rig):
        rig.run_to(10, 16)
        rig.chip.set_utc_s(0)
        rig.chip.battery = False
        rig.power_cut(3600)
        assert rig.clock.invalid
        assert rig.profiles[0].status() & CIV
        rig.run(1000)
        lost = CIV | DNV
        assert [row[1] for row in rig.rows(1)] == [0, lost | PDN]
        rig.clock.set_utc_s(START + 7200)
        rig.run(1800)
        # the first one is closed by the jump; of the second the beginning is known
        assert [row[1] for row in rig.rows(1)[2:]] == [lost | CAD, lost | CAD, 0]

    def test_days_of_23_and_25_hours(self):
        rig = LoadRig(civil.utc_s(2026, 3, 28, 22))
        rig.run(27 * 3600)
        hours = [time[6:11] for time, _ in rig.entries(3)]
        assert hours[:5] == ["00:00", "01:00", "03:00", "04:00", "05:00"]
        assert [status for _, status in rig.entries(3)][:5] == [0, 0, DST, DST, DST]
        days = [utc_s for utc_s, _, _ in rig.rows(2)]
        assert [b - a for a, b in zip(days, days[1:], strict=False)] == [23 * 3600]
        rig = LoadRig(civil.utc_s(2026, 10, 24, 21))
        rig.run(27 * 3600)
        assert [time[6:11] for time, _ in rig.entries(3)][:6] == [
            "00:00", "01:00", "02:00", "02:00", "03:00", "04:00",
        ]  # fmt: skip
        assert [status for _, status in rig.entries(3)][:6] == [DST] * 3 + [0] * 3
        days = [utc_s for utc_s, _, _ in rig.rows(2)]
        assert [b - a for a, b in zip(days, days[1:], strict=False)] == [25 * 3600]
        assert len(rig.rows(1)) == 27 * 4


class TestSupply:
    @pytest.mark.row("LPR-14")
    def test_off_for_two_hours(self, rig):
        rig.run_to(10, 37)
        rig.power_cut(7200)
        off = PDN | DNV
        assert rig.entries(1) == at("11:15", "11:30") + at("13:30", status=off)
        assert rig.entries(3) == at("13:00", status=off)
        assert rig.rows(2) == []
        rig.run_to(13, 0, 1)
        assert rig.entries(1)[3:] == at("13:45", status=off) + at("14:00")
        assert rig.entries(3)[1:] == at("14:00", status=off)

    def test_off_within_a_period(self, rig):
        rig.run_to(10, 20)
        rig.power_cut(120)
        assert rig.profiles[0].status() == PDN | DNV
        rig.run_to(10, 46)
        assert rig.entries(1) == at("11:15") + at("11:30", status=PDN | DNV) + at("11:45")

    def test_off_over_midnight_the_day_ends(self, rig):
        rig.run_to(22, 30)
        rig.power_cut(3600)
        assert rig.entries(2) == [("01-15 00:00", PDN | DNV)]

    def test_off_again_at_once_makes_no_second_entry(self, rig):
        rig.run_to(10, 37)
        rig.power_cut(600)
        rig.power_cut(5)
        rig.power_cut(5)
        assert rig.entries(1) == at("11:15", "11:30") + at("11:45", status=PDN | DNV)

    def test_a_reset_is_no_power_failure(self, rig):
        rig.run_to(10, 14, 59)
        rig.reset(2)
        assert rig.entries(1) == at("11:15", status=DNV)
        rig.run_to(10, 30, 2)
        rig.reset(1)
        rig.run_to(10, 46)
        assert rig.entries(1) == at("11:15", "11:30", "11:45", status=DNV)

    def test_what_the_period_has_seen_outlasts_the_power(self, rig):
        rig.run_to(10, 5)
        rig.clock.set_utc_s(START + 9 * 60)
        rig.power_cut(20)
        rig.run_to(10, 31)
        assert rig.entries(1) == at("11:15", status=CAD | PDN | DNV) + at("11:30")

    @pytest.mark.row("LPR-07", "LPR-14")
    def test_a_boundary_that_comes_again_without_power_has_its_own_entry(self, rig):
        rig.run_to(10, 16)
        rig.clock.set_utc_s(START + 14 * 60)
        rig.power_cut(120)
        again = at("11:15", status=CAD | PDN | DNV)
        assert rig.entries(1) == at("11:15") + again
        rig.reset(2)  # and no third one
        assert rig.entries(1) == at("11:15") + again
        rig.run_to(10, 46)
        # what the period before had seen is told once
        assert rig.entries(1)[2:] == at("11:30", status=PDN | DNV) + at("11:45")

    @pytest.mark.row("LPR-14")
    def test_a_reset_behind_an_entry_that_came_again_makes_no_other(self, rig):
        rig.run_to(10, 16)
        rig.clock.set_utc_s(START + 14 * 60 + 55)
        rig.run_to(10, 15, 4)
        entries = at("11:15") + at("11:15", status=CAD | DNV)
        assert rig.entries(1) == entries
        rig.reset(1)
        assert rig.entries(1) == entries

    def test_a_clock_that_went_back_while_it_was_off(self, rig):
        rig.run_to(10, 37)
        rig.outages.down()
        rig.chip.set_utc_s(START)
        rig.boot()
        rig.run_to(10, 16)
        assert rig.entries(1) == at("11:15", "11:30") + at("11:15", status=PDN | DNV)

    def test_a_new_meter_begins_without_marks(self, rig):
        rig.run(1000)
        assert [status for _, status, _ in rig.rows(1)] == [0]


class TestErrors:
    @pytest.mark.parametrize(
        ("code", "status"),
        [
            (event_codes.MEMORY_ERROR, ERR | DNV),
            (event_codes.RAM_ERROR, ERR | DNV),
            (event_codes.PROFILE_DAMAGED, ERR | DNV),
            (event_codes.BATTERY_LOW, 0),
            (event_codes.POWER_UP, 0),
        ],
    )
    def test_an_error_marks_the_period_in_which_it_came_up(self, rig, code, status):
        rig.run_to(10, 20)
        rig.errors.set(code)
        assert rig.profiles[0].status() == status
        rig.run_to(10, 46)
        assert rig.entries(1) == at("11:15") + at("11:30", status=status) + at("11:45")

    def test_one_that_lasts_marks_all_until_it_ends(self, rig):
        damaged = [1]
        rig.errors.lasting = [(event_codes.CALIBRATION_DAMAGED, lambda: bool(damaged))]
        rig.run_to(10, 31)
        damaged.clear()
        rig.run_to(10, 46)
        assert rig.entries(1) == at("11:15", "11:30", status=ERR | DNV) + at("11:45")

    def test_a_flash_that_fails_costs_its_entries_only(self, rig):
        rig.run_to(10, 16)
        rig.flash.dead = True
        rig.run_to(10, 31)
        rig.flash.dead = False
        rig.rings.flush()
        rig.run_to(10, 46)
        assert [time for time, _ in rig.entries(1)] == ["01-14 11:15", "01-14 11:45"]

    def test_a_fram_that_fails_stops_nothing(self, rig):
        rig.memory.dead = True
        rig.run_to(10, 5)
        rig.clock.shift(3)
        rig.errors.set(event_codes.MEMORY_ERROR)
        rig.run_to(10, 16)
        assert rig.entries(1) == at("11:15", status=ERR | DNV)
        with pytest.raises(OSError):
            rig.profiles[0].set_period(300)
        with pytest.raises(OSError):
            rig.set_columns(1, [CLOCK, A_PLUS])
        rig.run_to(10, 31)
        assert len(rig.rows(1)) == 2


@pytest.mark.row("LPR-05")
@pytest.mark.parametrize(
    ("number", "columns", "entries"),
    [(1, 10, 90 * 96), (2, 10, 3484), (3, 10, 5762), (4, 7, 1080)],
)
def test_the_capacities_of_table_6_1(rig, number, columns, entries):
    """Of LP1 three months besides, row LPR-06."""
    assert rig.profiles[number - 1].capacity >= entries  # with the factory's columns
    rig.set_columns(number, [CLOCK] + [A_PLUS] * (columns - 1))
    assert rig.profiles[number - 1].capacity >= entries
    fewer = rig.profiles[number - 1].capacity
    rig.set_columns(number, [CLOCK] + [A_PLUS] * columns)
    assert rig.profiles[number - 1].capacity < fewer


def test_the_factory_columns_of_table_6_1():
    def named(profile):
        captured = axdr_columns(profile)
        assert captured[:2] == [CLOCK, (1, bytes((0, 0, 96, 10, profile.number, 255)), 2, 0)]
        return [".".join(str(octet) for octet in name[2:5]) for _, name, _, _ in captured[2:]]

    rig = LoadRig()
    assert named(rig.profiles[0]) == [f"{c}.8.0" for c in (1, 2, 5, 6, 7, 8)] + ["1.5.0"]
    assert named(rig.profiles[3]) == [f"{c}.7.0" for c in (32, 52, 72, 31, 51, 71)]
    assert named(LoadRig(phases=1).profiles[3]) == ["32.7.0", "31.7.0"]
    assert [profile.obis for profile in rig.profiles] == [
        (1, 0, 99, 1, 0), (1, 0, 99, 2, 0), (1, 0, 99, 3, 0), (1, 0, 99, 129, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(SEED, SEED + 8))
def test_entries_keep_their_order_whatever_befalls_the_meter(seed):
    """Days of sets, synchronisations, cuts and resets by lot; the seed is in the test's name."""
    lot = random.Random(seed)
    rig = LoadRig(civil.utc_s(2026, 3, 27, 20))
    rows = []
    for _ in range(60):
        what = lot.randrange(8)
        if what == 0:
            rig.clock.set_utc_s(rig.clock.utc_s() + lot.choice((-7200, -900, -60, 60, 900, 7200)))
        elif what == 1:
            rig.clock.shift(lot.choice((-9, -5, 5, 9)))
        elif what == 2:
            rig.power_cut(lot.choice((1, 60, 900, 5000)))
        elif what == 3:
            rig.reset(lot.choice((1, 3)))
        rig.run(lot.choice((10, 100, 1000, 5000)))
        before, rows = rows, rig.rows(1)
        assert rows[: len(before)] == before
    assert len(rows) > 40
    marks = CAD | PDN | DNV
    for (at_s, status, value), (later_s, later_status, later_value) in zip(
        rows, rows[1:], strict=False
    ):
        assert later_s % 900 == 0
        assert later_status & ~(marks | DST) == 0
        assert later_value >= value
        if not later_status & CAD:
            assert later_s > at_s
        if not (status | later_status) & marks:
            assert later_s - at_s == 900
            assert 880 <= later_value - value <= 920
