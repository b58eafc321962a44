"""The reserve of the clock: counters over outages and changes, its two events."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import pytest
from clock_rig import ClockRig

import civil
from app.event_codes import REPLACE_BATTERY

START = civil.utc_s(2026, 11, 21, 12)
DAY_S = 86400
LIFE_S = 20 * 365.25 * DAY_S


@pytest.fixture
def rig():
    return ClockRig(START)


@pytest.mark.row("CLK-13", "CLK-14")
def test_use_counts_with_and_without_mains(rig):
    rig.run(1000)
    rig.power_cut(5000)
    rig.run(10_000)
    rig.power_cut(1)
    assert rig.battery.use_s() == pytest.approx(16_001, abs=2)
    assert rig.battery.remaining_s() == pytest.approx(LIFE_S - 16_001, abs=2)


def test_a_change_of_the_clock_makes_no_battery_older_or_younger(rig):
    rig.run(500)
    for shift_s in (100 * DAY_S, -99 * DAY_S, 7, -3600):
        rig.clock.shift(shift_s)
        rig.power_cut(50)
        rig.run(50)
    assert rig.battery.use_s() == pytest.approx(500 + 4 * 100, abs=4)


def test_a_clock_that_was_lost_counts_on_from_the_last_record(rig):
    rig.run(3 * 3600 + 100)
    rig.chip.set_battery(False)
    rig.power_cut(DAY_S)
    assert rig.codes() == [6]
    assert rig.battery.use_s() == pytest.approx(3 * 3600, abs=2)
    rig.run(200)
    rig.clock.set_utc_s(START + 5 * DAY_S)
    rig.run(100)
    assert rig.battery.use_s() == pytest.approx(3 * 3600 + 300, abs=3)


@pytest.mark.row("CLK-14")
def test_event_7_when_nothing_remains(rig):
    rig.battery.set_remaining_s(10)
    rig.run(9)
    assert rig.codes() == []
    rig.run(2)
    assert rig.events == [(7, START + 10)]
    rig.run(2 * DAY_S)
    assert rig.codes() == [7]
    rig.power_cut(10)
    assert rig.codes() == [7]  # told again at each power-up until it is replaced
    rig.battery.set_remaining_s()
    rig.run(2 * DAY_S)
    rig.power_cut(10)
    assert rig.codes() == []
    assert rig.battery.remaining_s() == pytest.approx(LIFE_S - 2 * DAY_S - 10, abs=3)


def test_the_end_comes_in_time_over_a_change_of_the_clock_too(rig):
    rig.battery.set_remaining_s(100)
    rig.clock.shift(5000)
    rig.run(99)
    assert 7 not in rig.codes()
    rig.run(2)
    assert rig.codes() == [7]


def test_event_8_at_power_up_and_at_local_midnight(rig):
    rig.clock.configure(time_zone_min=-60)
    midnight = civil.utc_s(2026, 11, 21, 23)
    rig.cell.mv = 2999
    rig.run(midnight - START - 1)
    assert rig.codes() == []
    rig.run(2)
    assert rig.events == [(8, midnight)]
    rig.run(3 * DAY_S)
    assert rig.codes() == [8]  # once for as long as it is low
    rig.power_cut(60)
    assert rig.codes() == [8]
    rig.cell.mv = 3000
    rig.run(DAY_S)
    assert not rig.battery.low
    rig.cell.mv = 2000
    rig.run(DAY_S)
    assert rig.codes() == [8]
    rig.battery.set_threshold_mv(1999)
    rig.run(DAY_S)
    assert not rig.battery.low


@pytest.mark.row("CLK-12")
@pytest.mark.parametrize(("kind", "days"), [(1, 7), (2, 20)])
def test_capacitors_neither_age_nor_run_low(rig, kind, days):
    """They are empty after a long outage, and full again some hours later."""
    rig.battery.set_kind(kind)
    rig.cell.mv = 500
    rig.power_cut(3600)
    rig.run(30 * DAY_S)
    assert rig.codes() == []
    assert rig.battery.remaining_s() == days * DAY_S
    assert rig.battery.use_s() == pytest.approx(30 * DAY_S + 3600, abs=2)


def test_a_dead_memory_stops_no_counter(rig):
    rig.memory.dead = True
    rig.run(2 * 3600)
    assert rig.battery.use_s() == pytest.approx(7200, abs=2)
    with pytest.raises(OSError, match="answer"):
        rig.battery.set_use_s(5)
    assert rig.battery.use_s() == pytest.approx(7200, abs=2)


def test_a_meter_without_a_line_to_its_battery_tests_none(rig):
    rig.battery._voltage = None
    rig.battery.power_up()
    assert rig.codes() == []
    assert rig.battery.voltage_mv() == 0


@pytest.mark.parametrize("power_on", [True, False], ids=["power back", "reset"])
def test_a_chip_that_is_set_while_the_meter_is_off_makes_nothing_a_quarter_century_older(
    rig, power_on
):
    """As `make flash` does for a clock that does not know the time."""
    rig.run(1800)
    rig.chip.set_battery(False)
    rig.power_cut(DAY_S)
    assert rig.clock.invalid
    rig.run(2 * 3600 + 100)
    used_s = rig.battery.use_s()
    rig.codes()
    rig.chip.set_utc_s(START + 2 * DAY_S)
    rig.boot(power_on)
    assert not rig.clock.invalid
    assert REPLACE_BATTERY not in rig.codes()
    assert rig.battery.use_s() == pytest.approx(used_s, abs=3600)
    assert rig.battery.remaining_s() == pytest.approx(LIFE_S - used_s, abs=3600)
    assert rig.power_up.outage_s == (-1 if power_on else 0)
    assert rig.outages.long_s < DAY_S
