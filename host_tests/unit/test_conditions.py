"""Conditions that last: neutral, current without voltage, direction, power factor."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from quality_rig import QualityRig

from app.quality import limits
from app.quality.conditions import Conditions


class Rig(QualityRig):
    def __init__(self, phases=3):
        super().__init__(phases)
        self.watch = Conditions(self.limits, self.engine, self.events.append, self.ends.append)
        self.one_way = False
        self.watch.import_only = lambda: self.one_way

    def load(self, *amperes, watts=(0, 0, 0), total=None, factor=1.0):
        quantities = self.engine.quantities
        quantities.i_ua = [round(a * 1_000_000) for a in amperes]
        quantities.p_uw = [round(w * 1_000_000) for w in watts]
        quantities.p_total_uw = round((sum(watts) if total is None else total) * 1_000_000)
        quantities.s_total_uva = abs(quantities.p_total_uw)
        quantities.pf_total_ppm = round(factor * 1_000_000)


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.row("PQL-11")
def test_a_broken_neutral(rig):
    rig.seconds(4.8, 150, 300, 300)
    assert rig.events == []
    rig.seconds(0.2, 150, 300, 300)
    assert rig.events == [89]
    assert rig.watch.neutral_missing()
    rig.seconds(6, 230)
    assert rig.ends == [89]
    for volts in ((162, 300, 300), (150, 294, 294), (150, 150, 150)):
        rig.seconds(6, *volts)
    assert rig.events == [89]


@pytest.mark.row("PQL-16")
def test_current_without_voltage(rig):
    for phase in range(3):
        volts = [230, 230, 230]
        amperes = [0, 0, 0]
        volts[phase], amperes[phase] = 0, 5
        rig.load(*amperes)
        rig.seconds(5, *volts)
        rig.load(0, 0, 0)
        rig.seconds(5, *volts)
    assert [code & 0xFF for code in rig.events] == [228, 229, 230]
    assert rig.events[2] != 230  # which is a fatal error
    assert rig.ends == rig.events


@pytest.mark.row("FRD-08")
def test_energy_that_flows_back_where_it_may_not(rig):
    rig.load(5, 0, 0, watts=(-1000, 0, 0))
    rig.seconds(10, 230)
    assert rig.events == []
    rig.one_way = True
    rig.seconds(5, 230)
    assert sorted(code & 0xFF for code in rig.events) == [91, 91]  # the meter, and L1
    assert rig.watch.reversed()
    assert [rig.watch.phase_reversed(phase) for phase in range(3)] == [True, False, False]
    rig.load(5, 5, 0, watts=(1000, -15, 0))  # less than 20 W may be noise
    rig.seconds(5, 230)
    assert not rig.watch.reversed()
    assert len(rig.ends) == 2


@pytest.mark.row("PQL-15")
def test_power_factor_below_its_limit_and_back(rig):
    rig.load(5, 0, 0, watts=(575, 0, 0), factor=0.5)
    rig.seconds(20, 230)
    assert rig.events == []  # nobody has set a limit
    rig.limits.set(limits.POWER_FACTOR, 800)
    rig.limits.set(limits.POWER_FACTOR_S, 10)
    rig.seconds(9.8, 230)
    assert rig.events == []
    rig.seconds(0.2, 230)
    assert rig.events == [214]
    rig.load(5, 0, 0, watts=(1090, 0, 0), factor=0.95)
    rig.seconds(10, 230)
    assert rig.events == [214, 215]
    rig.load(0, 0, 0, factor=0.1)  # nobody's load
    rig.seconds(20, 230)
    assert rig.events == [214, 215]


def test_what_comes_and_goes_before_its_time_is_nothing(rig):
    for _ in range(10):
        rig.seconds(4, 150, 300, 300)
        rig.seconds(1, 230)
    assert rig.events == rig.ends == []


def test_one_phase_has_no_neutral_to_miss():
    rig = Rig(1)
    rig.seconds(20, 100)
    assert rig.events == []
