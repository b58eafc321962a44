"""Power failures of phases: numbers, long ones, times, over outages of the meter (table 13.2)."""

import sys
import types
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from quality_rig import QualityRig

from app.quality.disturbances import Disturbances
from app.quality.phase_failures import (
    ANY,
    BEGAN_UTC_S,
    LAST_LONG_S,
    LONG,
    NUMBER,
    TOTAL_S,
    PhaseFailures,
)


class Rig(QualityRig):
    def __init__(self, phases=3):
        super().__init__(phases)
        self.outages = types.SimpleNamespace(threshold_s=180)
        self.boot()

    def boot(self):
        self.engine.on_window.clear()
        fram, clock = self.logs.fram, self.logs.clock
        cuts = Disturbances(fram, self.limits, self.engine, lambda _code: None, self.ends.append)
        self.failures = PhaseFailures(
            fram, clock, self.outages, cuts, self.engine, self.events.append
        )
        self.long = []
        self.failures.on_long = self.long.append

    def hold(self, seconds, *volts):
        """Time goes on with two seconds of windows at its begin."""
        self.seconds(2, *volts)
        self.logs.later(seconds)

    def of(self, column, *fields):
        return [self.failures.value(column, field) for field in fields]


@pytest.fixture
def rig():
    rig = Rig()
    rig.seconds(1, 230)
    return rig


@pytest.mark.row("PQL-17", "PQL-19")
def test_two_short_cuts_and_a_long_one(rig):
    began = []
    for seconds in (100, 60, 200):
        began.append(rig.logs.now_s)
        rig.hold(seconds, 0, 230, 230)
        rig.hold(30, 230)
    assert rig.of(0, NUMBER, LONG, LAST_LONG_S, TOTAL_S) == [3, 1, 200, 360]
    assert rig.of(ANY, NUMBER, LONG, LAST_LONG_S, TOTAL_S) == [3, 1, 200, 360]
    assert rig.of(0, BEGAN_UTC_S) == [began[-1]]
    assert rig.of(1, NUMBER, TOTAL_S, BEGAN_UTC_S) == [0, 0, 0]
    assert rig.events == [232, 235] * 3


@pytest.mark.row("PQL-18")
def test_a_long_failure_of_one_phase_is_told_at_its_end(rig):
    rig.hold(180, 0, 230, 230)
    rig.hold(100, 230)
    assert rig.long == []
    rig.hold(150, 0, 230, 230)
    rig.hold(100, 0, 0, 230)
    assert rig.long == []
    rig.hold(1, 230)
    assert rig.long == [250]  # from the first phase that went to the last that came


@pytest.mark.row("PQL-18", "PQL-21")
def test_an_outage_within_a_phases_failure_is_told_of_with_it(rig):
    rig.failures.power_up(200, False)
    rig.failures.power_up(100, True)
    assert rig.long == [200]
    rig.hold(60, 0, 230, 230)
    rig.boot()
    rig.logs.later(200)
    rig.failures.power_up(200, False)
    rig.seconds(1, 0, 230, 230)
    assert rig.long == []
    rig.hold(1, 230)
    assert rig.long == [260]


def test_phases_that_overlap_are_one_of_any(rig):
    rig.hold(100, 0, 230, 230)
    rig.hold(100, 0, 0, 230)
    rig.hold(100, 230, 0, 230)
    rig.hold(10, 230)
    assert rig.of(0, NUMBER, TOTAL_S) == rig.of(1, NUMBER, TOTAL_S) == [1, 200]
    assert rig.of(ANY, NUMBER, LONG, TOTAL_S) == [1, 1, 300]
    assert rig.events == [232, 233, 235, 236]


def test_an_outage_of_the_meter_is_one_of_every_phase(rig):
    rig.failures.power_up(200, False)
    for column in range(4):
        assert rig.of(column, NUMBER, LONG, LAST_LONG_S) == [1, 1, 200]
    rig.failures.power_up(-1, True)  # nobody knows how long
    assert rig.of(ANY, NUMBER, LONG, TOTAL_S) == [2, 1, 200]
    assert rig.events == []  # the meter's own events tell of it


def test_a_phase_that_was_out_before_the_outage_goes_on(rig):
    rig.hold(50, 230, 230, 0)
    rig.boot()
    rig.logs.later(100)
    rig.failures.power_up(100, True)
    assert rig.of(2, NUMBER) == [1]
    assert rig.of(0, NUMBER) == [1]
    rig.hold(40, 230, 230, 0)
    rig.hold(10, 230)
    assert rig.of(2, NUMBER, LONG, TOTAL_S) == [1, 1, 190]
    assert rig.events == [234, 237]


def test_a_clock_that_is_set_back_makes_no_negative_time(rig):
    rig.hold(10, 0, 230, 230)
    rig.logs.later(-86_400)
    rig.hold(10, 230)
    assert rig.of(0, NUMBER, TOTAL_S) == [1, 0]


def test_one_phase_has_one_column_and_any():
    rig = Rig(1)
    rig.failures.power_up(10, True)
    assert [rig.of(column, NUMBER) for column in range(4)] == [[1], [0], [0], [1]]


def test_a_dead_memory_counts_on(rig):
    rig.logs.fram.dead = True
    rig.hold(10, 0, 230, 230)
    assert rig.of(0, NUMBER) == [1]
