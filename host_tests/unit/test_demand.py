"""Averages of demand: block, sliding, what the clock does to them, power cuts.

Rules: rows DEM-01 to DEM-13 of docs/features.md; attributes as the Blue Book has them for class 5.
"""

import random
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import pytest
from demand_rig import DemandRig

import civil
from app.parameters import MEASURING_PERIOD_1, MEASURING_PERIOD_3, PERIODS_1, PERIODS_3
from app.periods import CLOCK_ADJUSTED, CLOCK_INVALID, DST, NOT_FOR_BILLING, POWER_DOWN
from app.storage import regions
from app.tariff.averages import average
from metrology.energy import UNIT_UWS

START = civil.utc_s(2026, 1, 5, 12)
BROKEN = CLOCK_ADJUSTED | NOT_FOR_BILLING


@pytest.fixture
def rig():
    """A meter that has measured nothing yet, on a boundary."""
    rig = DemandRig(START - 180)
    rig.until(START)
    rig.closed.clear()
    rig.ends.clear()
    return rig


@pytest.mark.row("DEM-01", "DEM-03")
def test_the_current_average_rises_to_the_load_and_becomes_the_last(rig):
    rig.load(1000)
    averages = rig.demand.averages
    for minutes in (3, 6, 9, 12):
        rig.until(START + 60 * minutes)
        assert rig.current_w() == pytest.approx(1000 * minutes / 15, abs=0.4)
        assert rig.average_w() == pytest.approx(0, abs=0.1)
    rig.until(START + 899)
    assert rig.current_w() == pytest.approx(1000, abs=1.5)
    rig.until(START + 901)
    assert rig.average_w() == pytest.approx(1000, abs=0.2)
    assert averages.capture_utc_s(0) == averages.start_utc_s(0) == START + 900
    assert rig.current_w() == pytest.approx(1.1, abs=0.3)


def test_300_wh_in_900_s_are_1200_w():
    assert average(300 * UNIT_UWS, 900_000) == 12_000
    assert average(-300 * UNIT_UWS, 900_000) == -12_000
    assert average(0, 0) == 0
    # halves go away from zero: 0.05 W over 900 s
    assert average(45_000_000, 900_000) == 1
    assert average(-45_000_000, 900_000) == -1
    assert average(44_999_999, 900_000) == 0


@pytest.mark.row("DEM-02")
def test_a_sliding_demand_counts_the_closed_periods_only(rig):
    rig.parameters.put(MEASURING_PERIOD_1, 300)
    rig.parameters.put(PERIODS_1, 3)
    rig.until(START + 300)
    seen = []
    for minute in range(5, 40, 5):
        rig.until(START + 60 * minute)
        rig.load(3000 if minute == 10 else 0)
        rig.until(START + 60 * minute + 290)
        seen.append(rig.average_w())  # just before the next one
    assert seen == pytest.approx([0, 0, 1000, 1000, 1000, 0, 0], abs=0.5)


def test_the_current_average_of_a_sliding_demand_holds_the_periods_before(rig):
    rig.parameters.put(MEASURING_PERIOD_1, 300)
    rig.parameters.put(PERIODS_1, 3)
    rig.until(START + 300)
    rig.load(900)
    rig.until(START + 900)
    rig.run(0.3)
    assert rig.current_w() == pytest.approx(600, abs=1)
    assert rig.demand.averages.start_utc_s(0) == START + 300
    rig.until(START + 1199)
    assert rig.current_w() == pytest.approx(900, abs=1.5)
    rig.run(1.2)
    assert rig.average_w() == pytest.approx(900, abs=0.2)


@pytest.mark.row("DEM-10")
def test_the_limiters_average_reaches_a_step_after_one_window(rig):
    rig.parameters.put(MEASURING_PERIOD_3, 60)
    rig.parameters.put(PERIODS_3, 5)
    limiter = rig.demand.limiter
    rig.until(START + 600)
    rig.load(-2000)
    rig.until(START + 600 + 299)
    assert limiter.last(0) == 0
    assert limiter.last(1) == -limiter.last(2) == pytest.approx(16_000, abs=15)
    rig.run(1.5)
    values = [limiter.last(place) for place in range(3)]
    assert values == pytest.approx([0, 20_000, -20_000], abs=2)


@pytest.mark.row("DEM-11")
@pytest.mark.parametrize("shift_s", [8, -8, 9, -9])
def test_a_synchronisation_leaves_end_and_value(rig, shift_s):
    rig.load(1000)
    rig.until(START + 400)
    rig.clock.shift(shift_s)
    rig.until(START + 901)
    assert rig.average_w() == pytest.approx(1000, abs=0.2)
    assert rig.ends == [(START + 900, 0, rig.demand.averages.last(0))]
    assert rig.demand.maxima.value(0) == rig.demand.averages.last(0)


def test_ten_seconds_are_a_change(rig):
    rig.load(1000)
    rig.until(START + 400)
    rig.clock.shift(10)
    assert rig.demand.averages.status(0) == BROKEN
    assert rig.demand.averages.capture_utc_s(0) == START + 400
    assert rig.demand.averages.start_utc_s(0) == START + 410
    rig.until(START + 901)
    assert rig.demand.maxima.value(0) == 0


@pytest.mark.row("DEM-12")
def test_the_second_synchronisation_of_a_period_is_a_change(rig):
    rig.load(1000)
    rig.until(START + 200)
    rig.clock.shift(5)
    assert rig.demand.averages.capture_utc_s(0) == START
    rig.until(START + 300)
    rig.clock.shift(5)
    assert rig.demand.averages.status(0) == BROKEN
    assert rig.demand.averages.capture_utc_s(0) == START + 300


@pytest.mark.row("DEM-13")
@pytest.mark.parametrize("jump_s", [1200, -1200, 400, -400])
def test_a_jump_ends_the_period_and_no_part_of_it_is_a_maximum(rig, jump_s):
    rig.load(2000)
    rig.until(START + 900)
    rig.load(9000)
    rig.until(START + 1300)
    rig.clock.set_utc_s(START + 1300 + jump_s)
    averages = rig.demand.averages
    assert rig.average_w() == pytest.approx(9000, abs=15)
    assert averages.status(0) == BROKEN
    assert averages.start_utc_s(0) == START + 1300 + jump_s
    rig.load(1000)
    boundary_s = (START + 1300 + jump_s) // 900 * 900 + 900
    rig.until(boundary_s + 1)
    assert averages.capture_utc_s(0) == boundary_s
    assert rig.average_w() == pytest.approx(1000, abs=5)  # by the time that has passed
    assert averages.status(0) == NOT_FOR_BILLING
    assert rig.demand.maxima.value(0) == pytest.approx(20_000, abs=1)
    rig.until(boundary_s + 901)
    assert rig.average_w() == pytest.approx(1000, abs=0.2)
    assert averages.status(0) == 0


def test_a_jump_onto_a_boundary_ends_the_period_once(rig):
    rig.load(1000)
    rig.until(START + 450)
    rig.clock.set_utc_s(START + 900)
    rig.run(2)
    assert rig.demand.averages.capture_utc_s(0) == START + 450
    assert rig.ends == []


def test_an_unknown_time_is_told_of_and_the_period_before_it_forgotten(rig):
    rig.load(1000)
    rig.until(START + 1300)
    rig.clock_rig.chip.power(False)
    rig.clock_rig.chip.set_battery(False)
    rig.clock_rig.chip.set_battery(True)
    rig.power_cut(5)
    assert rig.clock.invalid
    rig.load(500)
    rig.run(2000)
    assert rig.average_w() == pytest.approx(500, abs=0.2)
    assert rig.demand.averages.status(0) & CLOCK_INVALID


def test_a_short_cut_leaves_the_period_running(rig):
    rig.load(1800)
    rig.until(START + 300)
    rig.power_cut(60)
    rig.load(1800)
    rig.until(START + 901)
    # 840 of 900 s with 1800 W
    assert rig.average_w() == pytest.approx(1680, abs=3)
    assert rig.demand.averages.status(0) == POWER_DOWN
    assert rig.demand.maxima.value(0) == rig.demand.averages.last(0)
    rig.until(START + 1801)
    assert rig.demand.averages.status(0) == 0


def test_a_cut_over_boundaries_ends_the_period_at_its_own(rig):
    rig.load(1800)
    rig.until(START + 1200)
    rig.power_cut(2000)  # to START + 3200
    averages = rig.demand.averages
    assert averages.capture_utc_s(0) == START + 1800
    assert rig.average_w() == pytest.approx(600, abs=1)
    assert averages.status(0) == POWER_DOWN
    assert averages.start_utc_s(0) == START + 2700
    rig.load(1800)
    rig.until(START + 3601)
    assert rig.average_w() == pytest.approx(1800 * 400 / 900, abs=3)
    assert averages.status(0) == POWER_DOWN


def test_a_period_that_was_cut_short_stays_so_over_an_outage(rig):
    rig.load(1800)
    rig.until(START + 1200)
    rig.clock.set_utc_s(START + 1300)
    rig.run(5)
    rig.power_cut(1000)
    averages = rig.demand.averages
    assert averages.capture_utc_s(0) == START + 1800
    assert averages.status(0) == POWER_DOWN | NOT_FOR_BILLING


def test_a_reset_behind_an_outage_leaves_the_period_its_bit(rig):
    rig.load(1800)
    rig.until(START + 300)
    rig.power_cut(60)
    rig.boot(False)
    rig.load(1800)
    rig.until(START + 901)
    assert rig.demand.averages.status(0) == POWER_DOWN
    rig.boot(False)
    rig.until(START + 1801)
    assert rig.demand.averages.status(0) == 0


@pytest.mark.row("DEM-12")
def test_a_second_synchronisation_behind_an_outage_is_a_change(rig):
    rig.load(1000)
    rig.until(START + 200)
    rig.clock.shift(5)
    rig.power_cut(20)
    rig.load(1000)
    rig.until(START + 300)
    rig.clock.shift(5)
    averages = rig.demand.averages
    assert averages.status(0) == BROKEN | POWER_DOWN
    assert averages.capture_utc_s(0) == START + 300


def test_a_period_that_ended_in_an_outage_bears_the_season_of_its_end():
    summer_s = civil.utc_s(2026, 3, 29, 2)
    rig = DemandRig(summer_s - 1300)
    assert [rig.clock.dst_active(summer_s + s) for s in (-1, 0)] == [False, True]
    rig.until(summer_s - 1000)
    rig.power_cut(3000)
    averages = rig.demand.averages
    assert averages.capture_utc_s(0) == summer_s - 900
    assert averages.status(0) & DST == 0
    rig.until(summer_s + 2701)
    assert averages.status(0) & DST


def test_the_current_net_demand_of_a_period_just_begun_is_none(rig):
    limiter = rig.demand.limiter
    rig.window_ms = 19_000  # as when windows are repeated
    rig.load(1000)
    rig.until(START + 901)
    assert [limiter.current(place) for place in range(3)] == [0, 0, 0]


def test_a_cut_makes_the_missed_periods_of_a_sliding_demand_empty(rig):
    rig.parameters.put(MEASURING_PERIOD_1, 300)
    rig.parameters.put(PERIODS_1, 3)
    rig.until(START + 300)
    rig.load(900)
    rig.until(START + 1200)
    rig.run(1)
    assert rig.average_w() == pytest.approx(900, abs=0.2)
    rig.power_cut(500)  # over 1500
    assert rig.average_w() == pytest.approx(600 + 900 / 900, abs=1.1)
    rig.load(0)
    rig.until(START + 1801)
    assert rig.average_w() == pytest.approx(300, abs=1.4)
    rig.power_cut(1000)
    assert rig.average_w() == pytest.approx(1, abs=1.1)


@pytest.mark.row("DEM-07")
def test_what_is_billed_begins_at_zero_and_a_period_just_begun_goes_on(rig):
    rig.load(1000)
    rig.until(START + 900)
    rig.run(0.4)
    rig.demand.reset_maxima()
    assert rig.average_w() == 0
    assert rig.demand.maxima.value(0) == 0
    rig.until(START + 1801)
    assert rig.average_w() == pytest.approx(1000, abs=0.2)  # from the boundary on
    assert rig.demand.maxima.value(0) == rig.demand.averages.last(0)
    rig.until(START + 2200)
    rig.demand.reset_maxima()
    assert (rig.current_w(), rig.average_w()) == (0, 0)
    rig.until(START + 2701)
    assert rig.average_w() == pytest.approx(1000, abs=0.5)
    assert rig.demand.maxima.value(0) == 0  # the rest of a period is none


def test_reset_and_next_period_act_on_one_register(rig):
    rig.load(1000, 1000)
    rig.until(START + 300)
    averages = rig.demand.averages
    averages.reset(0)
    assert (averages.current(0), averages.last(0)) == (0, 0)
    assert averages.start_utc_s(0) == averages.capture_utc_s(0) == START + 300
    assert averages.start_utc_s(4) == START
    averages.next_period(4)
    assert averages.last(4) == pytest.approx(10_000, abs=10)
    assert averages.status(4) == NOT_FOR_BILLING
    assert averages.capture_utc_s(4) == START + 300
    rig.until(START + 901)
    assert [averages.last(place) for place in (0, 4, 6)] == pytest.approx([10_000] * 3, abs=10)
    maxima = rig.demand.maxima
    assert maxima.value(0) == maxima.value(4 * 9) == 0
    assert maxima.value(6 * 9) == pytest.approx(10_000, abs=1)


def test_a_period_that_is_ended_at_once_divides_by_nothing(rig):
    averages = rig.demand.averages
    rig.load(1000)
    rig.until(START + 300)
    averages.next_period(0)
    averages.next_period(0)
    averages.next_period(0)
    assert averages.last(0) in (0, 10_000)


@pytest.mark.row("MET-29")
def test_another_measuring_period_holds_at_once(rig):
    rig.load(1000)
    rig.until(START + 420)
    with pytest.raises(ValueError):
        rig.parameters.put(MEASURING_PERIOD_1, 700)
    assert rig.demand.period_s == 900
    rig.parameters.put(MEASURING_PERIOD_1, 300)
    assert rig.demand.period_s == 300
    rig.until(START + 601)
    assert rig.average_w() == pytest.approx(1000, abs=10)
    assert rig.demand.averages.status(0) == NOT_FOR_BILLING
    assert rig.demand.maxima.value(0) == 0  # it was 180 s long
    rig.until(START + 901)
    assert rig.demand.averages.status(0) == 0
    assert rig.demand.maxima.value(0) == pytest.approx(10_000, abs=1)
    for refused in (0, -60, 86400, 65536):
        with pytest.raises(ValueError):
            rig.parameters.put(MEASURING_PERIOD_3, refused)
    for refused in (0, 16, 65535):
        with pytest.raises(ValueError):
            rig.parameters.put(PERIODS_1, refused)


def test_a_late_task_does_not_change_the_time_of_a_window(rig):
    """A window is as long as its frames, whenever they are looked at."""
    rig.parameters.put(MEASURING_PERIOD_1, 60)
    rig.load(10_000)
    chance = random.Random(7)
    rig.until(START + 120)
    for _ in range(3):
        for _ in range(30):
            rig.run(1.9)
            rig.delay_ms = chance.randrange(90)
            rig.run(0.1)
            rig.delay_ms = 0
        rig.run(1)
        assert rig.average_w() == pytest.approx(10_000, rel=0.0005)


def test_a_memory_that_is_dead_costs_no_measurement_and_is_not_overwritten(rig):
    rig.load(1000)
    rig.until(START + 1801)
    rig.memory.dead = True
    rig.until(START + 2701)
    assert rig.demand.averages.failed
    assert rig.average_w() == pytest.approx(1000, abs=0.2)
    rig.memory.dead = False
    before = bytes(rig.memory.octets)
    rig.memory.dead = True
    rig.boot(False)
    rig.memory.dead = False
    rig.until(START + 3601)
    at, capacity = 0, 0
    record = regions.open_record(rig.memory, "demand")
    at = record._addresses[0]
    capacity = record.capacity
    assert rig.memory.octets[at : at + capacity] == before[at : at + capacity]


def test_damage_is_said_and_the_older_copy_is_no_running_period(rig):
    rig.load(1000)
    rig.until(START + 1801)
    first, second = regions.open_record(rig.memory, "demand")._addresses
    for address in (first, second):
        octets = bytes(rig.memory.octets)
        rig.memory.octets[address + 20] ^= 4
        rig.until(rig.clock.utc_s() + 10)
        rig.boot(False)
        assert not rig.demand.damaged
        assert rig.current_w() == 0  # since when is not known
        rig.memory.octets[:] = octets
    rig.memory.octets[first + 20] ^= 4
    rig.memory.octets[second + 20] ^= 4
    rig.boot(False)
    assert rig.demand.damaged


def test_totals_that_were_lost_begin_a_period_anew(rig):
    rig.load(3000)
    rig.until(START + 7200)
    rig.engine.energies.wh = [0] * 12
    rig.engine.energies.residue = [0] * 12
    rig.power_cut(10)
    rig.load(1000)
    rig.until(START + 8101)
    assert rig.average_w() == pytest.approx(990, abs=5)
