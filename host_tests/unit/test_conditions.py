"""Conditions that last: neutral, current without voltage, direction, power factor."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from quality_rig import QualityRig

from app import event_codes as codes
from app.logs.alarms import OFF, ON
from app.quality import limits
from app.quality.bypass import Bypass
from app.quality.conditions import Conditions


class Rig(QualityRig):
    def __init__(self, phases=3):
        super().__init__(phases)
        self.watch = Conditions(self.limits, self.engine, self.post, self.ended)
        self.one_way = False
        self.watch.import_only = lambda: self.one_way

    def post(self, code):
        self.events.append(code)
        self.logs.book.post(code)

    def ended(self, code):
        self.ends.append(code)
        self.logs.book.ended(code)

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
    assert rig.watch.neutral_missing.here
    rig.seconds(6, 230)
    assert rig.ends == [89]
    for volts in ((162, 300, 300), (150, 294, 294), (150, 150, 150)):
        rig.seconds(6, *volts)
    assert rig.events == [89]


@pytest.mark.row("PQL-10")
@pytest.mark.parametrize("system", [0, 1])
def test_unbalanced_currents_without_any_in_the_neutral(rig, system):
    """Alarm 2.8 by the IE system, nothing by the others."""
    alarms = rig.logs.book.alarms
    alarms.system = system
    quantities = rig.engine.quantities
    quantities.sum_ua = 0
    rig.load(10, 10, 10)
    rig.seconds(10, 230)
    rig.load(10, 10, 1)
    quantities.sum_ua = 9_000_000  # as the neutral lets it
    rig.seconds(10, 230)
    assert rig.events == []
    quantities.sum_ua = 100_000
    rig.seconds(4.8, 230)
    assert rig.events == []
    rig.seconds(0.4, 230)
    assert rig.events == [codes.CURRENT_ASYMMETRIC]
    assert [alarms.word(ON, register) for register in range(3)] == [0, (not system) << 8, 0]
    rig.load(0.3, 0.3, 0)
    rig.seconds(5, 230)
    assert rig.ends == [codes.CURRENT_ASYMMETRIC]
    assert alarms.word(OFF, 1) == (not system) << 8
    assert all(log.next == log.first for log in rig.logs.book.logs)


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
    assert rig.watch.reversed.here
    assert [phase.here for phase in rig.watch.reversed_phases] == [True, False, False]
    rig.load(5, 5, 0, watts=(1000, -15, 0))  # less than 20 W may be noise
    rig.seconds(5, 230)
    assert not rig.watch.reversed.here
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


@pytest.mark.row("FRD-09")
@pytest.mark.parametrize(("phase", "bit"), [(0, 0x20000000), (1, 0x40000000), (2, 0x80000000)])
def test_a_reversed_phase_has_its_bit_in_the_second_error_register(rig, phase, bit):
    errors = rig.logs.book.errors
    errors.lasting = [(each.came, each.lasts) for each in rig.watch.reversed_phases]
    rig.one_way = True
    watts = [1000, 1000, 1000]
    watts[phase] = -500
    rig.load(5, 5, 5, watts=watts)
    rig.seconds(4.8, 230)
    assert errors.value(1) == 0
    rig.seconds(0.2, 230)
    assert (errors.value(0), errors.value(1), errors.value(2)) == (0, bit, 0)
    assert rig.logs.codes(0) == rig.logs.codes(1) == []  # 91 is for the whole meter
    errors.clear(1, 0)
    assert errors.value(1) == bit  # it lasts
    rig.load(5, 5, 5, watts=(1000, 1000, 1000))
    rig.seconds(5, 230)
    errors.clear(1, 0)
    assert errors.value(1) == 0


@pytest.mark.row("MET-31")
def test_a_wrong_order_that_lasts_is_one_event(rig):
    quantities = rig.engine.quantities

    def order(seconds, order):
        quantities.order = order
        rig.seconds(seconds, 230)

    order(4, 1)
    order(1.8, -1)
    order(0.2, 0)
    order(1.8, -1)
    assert not rig.watch.wrong_sequence.here and not rig.events
    order(0.2, -1)
    assert rig.watch.wrong_sequence.lasts()
    order(20, -1)
    assert rig.events == [codes.PHASE_SEQUENCE_REVERSED] == [88]
    order(1.8, 1)
    assert rig.watch.wrong_sequence.here
    order(0.2, 0)  # a phase less: nothing is wrong with the order any more
    assert not rig.watch.wrong_sequence.here
    assert rig.ends == [88]
    order(2, -1)
    assert rig.events == [88, 88]


def bypass_of(rig, measured=True):
    bypass = Bypass(rig.logs.settings, rig.engine, measured)
    rig.watch.bypassed, rig.watch.bypass_s = bypass.seen, bypass.lasting_s
    return bypass


@pytest.mark.row("FRD-12")
@pytest.mark.parametrize("neutral", [10, 0])
def test_five_amperes_around_a_phase_for_a_minute_are_a_bypass(rig, neutral):
    bypass_of(rig)
    rig.load(5, 0, 0)
    rig.engine.quantities.in_ua = 5_400_000  # less than half an ampere apart
    rig.engine.captured_ua = 5_000_000
    rig.seconds(120, 230)
    assert rig.events == []
    rig.engine.quantities.in_ua = neutral * 1_000_000
    rig.seconds(59.8, 230)
    assert rig.events == []
    rig.seconds(0.2, 230)
    assert rig.events == [251]
    assert rig.logs.codes(1) == [251]
    assert rig.logs.book.errors.fault()
    rig.engine.quantities.in_ua = 5_000_000
    rig.seconds(59, 230)
    assert rig.ends == []
    rig.seconds(1, 230)
    assert rig.ends == [251]


def test_third_harmonics_in_the_neutral_are_no_bypass(rig):
    """Three phases of 10 A with 3 A of the third: the neutral carries 9 A, all of it honest."""
    bypass_of(rig)
    rig.load(10.4, 10.4, 10.4)
    quantities = rig.engine.quantities
    quantities.sum_ua, quantities.in_ua = 0, 9_000_000
    rig.seconds(1, 230)  # nothing to look at yet
    rig.engine.captured_ua = 9_000_000
    rig.seconds(200, 230)
    assert rig.events == []


def test_ten_percent_of_a_large_current_are_allowed(rig):
    bypass = bypass_of(rig)
    rig.load(80, 0, 0)
    rig.engine.quantities.in_ua = 73_000_000
    rig.engine.captured_ua = 80_000_000
    rig.seconds(100, 230)
    assert rig.events == []
    bypass.set([5, 500, 10])
    rig.seconds(10, 230)
    assert rig.events == [251]
    for wrong in ([0, 500, 60], [10, 49, 60], [10, 500, 0], [101, 500, 60], [10, 60_001, 60]):
        with pytest.raises(ValueError, match="bypass"):
            bypass.set(wrong)
    assert Bypass(rig.logs.boot().settings, rig.engine, True).values == [5, 500, 10]


def test_a_meter_that_does_not_measure_its_neutral_knows_of_no_bypass(rig):
    bypass_of(rig, measured=False)
    rig.load(80, 0, 0)
    rig.seconds(100, 230)
    assert rig.events == []


def test_the_second_element_of_one_phase_is_told_as_the_second_phase():
    rig = Rig(1)
    quantities = rig.engine.quantities
    quantities.elements = 2
    rig.watch = Conditions(rig.limits, rig.engine, rig.post, rig.ended)
    rig.watch.import_only = lambda: True
    quantities.u_uv = [230_000_000] * 2
    rig.load(1, 1, watts=(230, -230))
    for _ in range(30):
        rig.watch.window()
    assert rig.events == [2 << 8 | codes.CURRENT_REVERSED]
    rig.load(0, 1, watts=(0, 0))
    quantities.u_uv = [0, 0]
    for _ in range(30):
        rig.watch.window()
    assert rig.events[1:] == [codes.CURRENT_WITHOUT_VOLTAGE + 1]
