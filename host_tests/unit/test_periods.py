"""Periods over changes of the clock: each boundary once, what is measured counted once.

Rules: rows DEM-11 to DEM-13 (the demand itself is not here), table 6.2 for the bits.
"""

import random
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import pytest
from clock_rig import ClockRig

import civil
from app.periods import CLOCK_ADJUSTED, CLOCK_INVALID, DST, NOT_FOR_BILLING

START = civil.utc_s(2026, 11, 21, 12)


class Owner:
    """What a profile does: a register is read at each end, here a count of true time."""

    def __init__(self, rig, period_s=900):
        self.rig = rig
        self.ends = []
        self.jumps = []
        self.entries = []  # what each period has measured
        self.last_us = rig.bench.us
        self.period = rig.clock.every(period_s, self.end, self.jump)

    def end(self, utc_s):
        self.ends.append(utc_s - START)
        self.close()

    def jump(self, old, new):
        self.jumps.append((old - START, new - START))
        self.close()

    def close(self):
        now_us = self.rig.bench.us
        self.entries.append((now_us - self.last_us) / 1e6)
        self.last_us = now_us


@pytest.fixture
def rig():
    rig = ClockRig(START)
    rig.run(10)
    return rig


def at(rig, second):
    """Run until the meter's clock shows START + second."""
    rig.run(START + second - rig.clock.utc_s())


@pytest.mark.parametrize("shift_s", [8, -8, 9, -9])
def test_a_synchronisation_leaves_the_period_its_end(rig, shift_s):
    owner = Owner(rig)
    at(rig, 300)
    rig.clock.shift(shift_s)
    at(rig, 1900)
    assert owner.ends == [900, 1800]
    assert owner.jumps == []
    assert owner.entries[0] == pytest.approx(890 - shift_s, abs=0.1)
    assert owner.period.take() == 0


@pytest.mark.parametrize("shift_s", [5, -5])
def test_a_synchronisation_over_a_boundary_calls_it_once(rig, shift_s):
    owner = Owner(rig)
    at(rig, 898 if shift_s > 0 else 902)
    rig.clock.shift(shift_s)
    rig.run(1)
    assert owner.ends == [900]
    at(rig, 1850)
    assert owner.ends == [900, 1800]
    assert owner.jumps == []


def test_ten_seconds_are_a_change_of_the_time(rig):
    owner = Owner(rig)
    at(rig, 300)
    rig.clock.shift(10)
    assert owner.jumps == [(300, 310)]
    assert owner.period.take() == CLOCK_ADJUSTED | NOT_FOR_BILLING
    assert owner.period.take() == 0
    at(rig, 901)
    assert owner.ends == [900]


def test_a_small_limit_and_a_short_period_make_more_of_them_changes(rig):
    """At most the limit, at most 1 % of the period, at most 9 s."""
    quarter, minutes = Owner(rig), Owner(rig, 300)
    rig.clock.shift(4)
    assert (quarter.jumps, minutes.jumps) == ([], [(10, 14)])
    rig.clock.set_shift_limit(2)
    at(rig, 1000)
    rig.clock.shift(3)
    assert len(quarter.jumps) == 1
    rig.clock.set_shift_limit(3600)
    at(rig, 2000)
    rig.clock.shift(10)
    assert len(quarter.jumps) == 2


def test_every_second_synchronisation_of_a_period_is_a_change(rig):
    owner = Owner(rig)
    for _ in range(4):
        rig.run(100)
        rig.clock.shift(5)
    assert [old for old, _ in owner.jumps] == pytest.approx([215, 425], abs=1)
    at(rig, 1000)
    rig.clock.shift(5)  # the first one of its period
    at(rig, 1900)
    rig.clock.shift(5)
    assert len(owner.jumps) == 2
    assert owner.ends == [900, 1800]


def test_a_jump_ahead_closes_the_period_and_skips_none_twice(rig):
    owner = Owner(rig)
    at(rig, 300)
    rig.clock.set_utc_s(START + 300 + 1200)
    assert owner.jumps == [(300, 1500)]
    assert owner.entries == [pytest.approx(290, abs=0.1)]
    at(rig, 1801)
    assert owner.ends == [1800]
    assert owner.entries[1] == pytest.approx(300, abs=0.1)
    rig.clock.set_utc_s(START + 3600)  # onto a boundary
    at(rig, 3700)
    assert owner.ends == [1800]
    assert owner.jumps[1] == (1801, 3600)


def test_a_jump_back_runs_anew_to_the_next_boundary(rig):
    owner = Owner(rig)
    at(rig, 1000)
    rig.clock.set_utc_s(START + 100)
    at(rig, 1900)
    assert owner.ends == [900, 900, 1800]
    assert sum(owner.entries) == pytest.approx(990 + 1700, abs=0.1)


def test_the_bits_of_table_6_2():
    rig = ClockRig(START)
    rig.chip.set_battery(False)
    rig.power_cut(10)
    owner = Owner(rig)
    rig.run(900)
    assert owner.period.take() == CLOCK_INVALID | NOT_FOR_BILLING
    rig.clock.set_utc_s(civil.utc_s(2026, 7, 1))
    bits = owner.period.take()  # it began without time, and was changed
    assert bits == CLOCK_INVALID | CLOCK_ADJUSTED | NOT_FOR_BILLING | DST
    assert owner.period.take() == DST


def test_rules_that_change_move_the_boundaries(rig):
    owner = Owner(rig, 86400)
    rig.clock.configure(time_zone_min=-300)
    at(rig, 7 * 3600 + 5)
    assert owner.ends == [7 * 3600]
    rig.clock.set_dst_table(b"")
    assert owner.period.due_utc_s == START + 31 * 3600


@pytest.mark.parametrize("run", range(5))
def test_nothing_is_lost_or_counted_twice_over_any_changes(rig, run):
    """Random shifts, settings, outages of the chip: all periods together are the time that was."""
    seed = random.randrange(2**32)
    print("seed", seed)
    generator = random.Random(seed)
    rig.clock.configure(time_zone_min=-60)
    owner = Owner(rig)
    begin_us = rig.bench.us
    for _ in range(120):
        rig.run(generator.expovariate(1 / 700))
        act = generator.randrange(6)
        if act == 0:
            rig.clock.shift(generator.randint(-12, 12))
        elif act == 1:
            rig.clock.set_utc_s(START + generator.randrange(10**8), generator.randrange(100))
        elif act == 2:
            rig.chip.fault(generator.choice(["dead", "clear", "clear", "garbage"]))
        elif act == 3:
            rig.clock.configure(dst_enabled=generator.random() < 0.5)
    rig.run(1000)
    owner.close()
    assert sum(owner.entries) == pytest.approx((rig.bench.us - begin_us) / 1e6, abs=1e-6)
    assert max(owner.entries) < 900 + 12  # what a synchronisation adds to it
