"""Who decides the tariff: the calendar, the inputs, or a frequency that is too low."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))

import pytest
from fram_fake import Memory
from hypothesis import given
from hypothesis import strategies as st

from app.event_codes import TARIFF_EXTERNAL, TARIFF_INTERNAL
from app.settings import Settings
from app.tariff import control
from app.tariff.activation import Activation, rate_name
from app.tariff.control import CALENDAR, FREQUENCY, INPUTS, TARIFF_SCRIPTS, Control
from app.tariff.rates import RATES, REGISTERS, mask_of_rate

LOW, HIGH, BETWEEN = 48_800, 50_000, 49_050
SPECIAL = (49_000, 10, 100, 8)


class Bench:
    """A control with masks that the scripts of a new meter would switch."""

    def __init__(self, patch):
        self.memory = Memory()
        self.now_ms = 0
        self.due = None  # the script that the calendar asks for
        self.done = []
        self.events = []
        patch.setattr(control.ticks, "now_ms", lambda: self.now_ms & 0x3FFFFFFF)
        self.boot()

    def boot(self):
        settings = Settings(self.memory)
        self.masks = [
            Activation(settings, "energy_masks", REGISTERS, mask_of_rate, RATES, lambda _: None)
        ]
        self.control = Control(self.memory, settings, self, self.masks, 50)
        self.control.on_event = self.events.append
        self.control.has_inputs = True

    def carry_out(self, script, selector, utc_s, at_ms):
        assert script == TARIFF_SCRIPTS
        self.done.append((selector, utc_s, at_ms))
        self.masks[0].activate(rate_name(selector))

    def recall(self, script):
        assert script == TARIFF_SCRIPTS
        if self.due is None:
            return False
        self.carry_out(script, self.due, self.utc_s(), self.now_ms)
        return True

    def at_ms(self, utc_s):
        return utc_s * 1000

    def utc_s(self):
        return self.now_ms // 1000

    def follow_calendar(self, rate):
        self.due = rate
        if self.control.decides() == CALENDAR:
            self.recall(TARIFF_SCRIPTS)

    def windows(self, mhz, ms, step_ms=200):
        for _ in range(ms // step_ms):
            self.now_ms += step_ms
            self.control.window(mhz)

    @property
    def rate(self):
        return self.masks[0].active[1]


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


def test_a_new_meter_follows_its_calendar_and_has_no_special_tariff(bench):
    bench.control.input_changed(3, 0)
    bench.windows(LOW, 60_000)
    assert bench.control.decides() == CALENDAR
    assert (bench.done, bench.rate) == ([], 1)
    assert bench.control.special_tariff() == (49_000, 10, 100, 0)


@pytest.mark.row("TOU-18")
@pytest.mark.parametrize("rates", [b"\1\2\3\4", b"\4\4\1\7"])
def test_each_code_of_the_inputs_has_its_rate(bench, rates):
    bench.control.input_changed(0, 0)
    bench.control.set_map(rates)
    bench.control.set_source(INPUTS)
    assert bench.events == [TARIFF_EXTERNAL]
    for code in (0, 1, 2, 3, 1, 0):
        bench.now_ms += 5000
        bench.control.input_changed(code, bench.now_ms - 100)
        assert bench.rate == rates[code]
        assert bench.done[-1] == (rates[code], bench.now_ms // 1000, bench.now_ms - 100)
    bench.control.set_source(INPUTS)  # it is already
    bench.due = 6
    bench.control.set_source(CALENDAR)
    assert bench.events == [TARIFF_EXTERNAL, TARIFF_INTERNAL]
    assert bench.rate == 6
    bench.control.input_changed(1, bench.now_ms)
    assert bench.rate == 6


def test_the_source_and_its_map_outlive_a_power_cut(bench):
    bench.control.set_source(INPUTS)
    bench.control.set_synchronised(1)
    bench.control.set_map(b"\5\6\7\1")
    bench.control.set_special_tariff(SPECIAL)
    bench.boot()
    assert (bench.control.source, bench.control.synchronised) == (INPUTS, 1)
    assert bench.control.map == b"\5\6\7\1"
    assert bench.control.special_tariff() == SPECIAL
    bench.control.input_changed(2, 0)  # the first code after power-up waits for nothing
    assert bench.rate == 7


@pytest.mark.row("TOU-15")
def test_synchronised_inputs_wait_for_the_end_of_the_measuring_period(bench):
    with pytest.raises(ValueError, match="external"):
        bench.control.set_synchronised(1)
    bench.control.input_changed(0, 0)
    bench.control.set_source(INPUTS)
    bench.control.set_synchronised(1)
    with pytest.raises(ValueError, match="external"):
        bench.control.set_source(CALENDAR)
    bench.now_ms = 100_000
    bench.control.input_changed(1, 99_900)
    bench.control.input_changed(3, 100_000)
    assert bench.rate == 1
    bench.now_ms = 900_150
    bench.control.period_ended(900)
    assert bench.done[-1] == (4, 900, 900_000)
    done = len(bench.done)
    bench.control.period_ended(1800)
    assert len(bench.done) == done
    bench.control.input_changed(0, 1_900_000)
    assert bench.rate == 4
    bench.control.set_synchronised(0)  # nobody waits any more
    assert bench.rate == 1


@pytest.mark.row("TOU-19")
def test_a_low_frequency_brings_the_special_tariff_and_hysteresis_ends_it(bench):
    bench.control.set_special_tariff(SPECIAL)
    bench.follow_calendar(2)
    bench.windows(HIGH, 2000)
    bench.windows(LOW, 10_000)
    assert bench.rate == 2
    bench.windows(LOW, 1000)
    assert (bench.rate, bench.control.decides()) == (8, FREQUENCY)
    bench.follow_calendar(3)
    assert bench.rate == 8
    bench.windows(BETWEEN, 60_000)
    assert bench.rate == 8
    bench.windows(49_100, 200)
    assert (bench.rate, bench.control.decides()) == (3, CALENDAR)


def test_the_delay_begins_anew_when_the_frequency_has_come_back(bench):
    bench.control.set_special_tariff(SPECIAL)
    for mhz in (HIGH, 49_000, 0):
        bench.windows(LOW, 9800)
        bench.windows(mhz, 200)
        assert not bench.control.special
    bench.windows(LOW, 10_200)
    assert bench.control.special


def test_without_a_calendar_the_rate_from_before_comes_back(bench):
    bench.control.set_special_tariff(SPECIAL)
    bench.masks[0].activate(rate_name(5))
    bench.windows(LOW, 12_000)
    assert bench.rate == 8
    bench.boot()  # a power cut in the middle of it
    assert bench.control.decides() == FREQUENCY
    bench.windows(HIGH, 400)
    assert bench.rate == 5
    bench.boot()
    assert bench.control.decides() == CALENDAR


def test_a_cut_before_the_special_script_was_executed_is_made_up_for(bench):
    bench.control.set_special_tariff(SPECIAL)
    bench.masks[0].activate(rate_name(5))
    bench.carry_out = lambda *_: None  # the power goes
    bench.windows(LOW, 12_000)
    del bench.carry_out
    assert bench.rate == 5
    bench.boot()
    bench.windows(LOW, 200)
    assert bench.rate == 8
    done = len(bench.done)
    bench.windows(LOW, 2000)
    assert len(bench.done) == done
    bench.windows(HIGH, 200)
    assert bench.rate == 5


def test_inputs_rule_again_after_the_special_tariff(bench):
    bench.control.set_special_tariff(SPECIAL)
    bench.control.set_source(INPUTS)
    bench.control.input_changed(1, 0)
    bench.control.set_synchronised(1)
    bench.windows(LOW, 12_000)
    bench.control.input_changed(2, bench.now_ms)
    bench.control.period_ended(900)
    assert bench.rate == 8
    bench.windows(HIGH, 400)
    assert bench.rate == 3


def test_taking_the_special_tariff_away_ends_it(bench):
    bench.control.set_special_tariff(SPECIAL)
    bench.windows(LOW, 12_000)
    bench.control.set_special_tariff((49_000, 10, 100, 0))
    bench.windows(LOW, 200)
    assert not bench.control.special


def test_a_meter_without_inputs_refuses_the_external_source(bench):
    bench.control.has_inputs = False
    with pytest.raises(ValueError, match="no tariff inputs"):
        bench.control.set_source(INPUTS)
    assert bench.control.source == CALENDAR


@pytest.mark.parametrize(
    "wrong",
    [
        lambda it: it.set_source(2),
        lambda it: it.set_synchronised(2),
        lambda it: it.set_map(b"\1\2\3"),
        lambda it: it.set_map(b"\0\1\2\3"),
        lambda it: it.set_map(b"\1\2\3\x09"),
        lambda it: it.set_special_tariff((39_999, 10, 100, 8)),
        lambda it: it.set_special_tariff((49_000, 3601, 100, 8)),
        lambda it: it.set_special_tariff((49_000, 10, 5001, 8)),
    ],
)
def test_what_cannot_be_is_refused_and_the_old_stays(bench, wrong):
    bench.control.set_special_tariff(SPECIAL)
    with pytest.raises(ValueError):
        wrong(bench.control)
    for _ in range(2):
        assert (bench.control.source, bench.control.synchronised) == (CALENDAR, 0)
        assert bench.control.map == b"\1\2\3\4"
        assert bench.control.special_tariff() == SPECIAL
        bench.boot()
    assert bench.events == []


steps = st.lists(
    st.one_of(
        st.tuples(st.just("input"), st.integers(0, 3)),
        st.tuples(st.just("source"), st.integers(0, 1)),
        st.tuples(st.just("mode"), st.integers(0, 1)),
        st.tuples(st.just("calendar"), st.integers(1, 7)),
        st.tuples(st.just("low"), st.integers(1, 60)),
        st.tuples(st.just("high"), st.integers(1, 60)),
        st.tuples(st.just("period"), st.just(0)),
        st.tuples(st.just("cut"), st.integers(0, 3)),
    ),
    max_size=40,
)


@given(steps)
def test_the_rate_is_always_that_of_who_decides(steps):
    with pytest.MonkeyPatch.context() as patch:
        check_rates(Bench(patch), steps)


def check_rates(bench, steps):
    bench.control.set_special_tariff(SPECIAL)
    bench.control.input_changed(0, 0)
    bench.follow_calendar(1)
    awaited = None  # synchronised: the code that held when last something could change
    for kind, number in steps:
        before = bench.rate
        it = bench.control
        if kind == "input":
            it.input_changed(number, bench.now_ms)
        elif kind in ("source", "mode"):
            try:
                (it.set_source if kind == "source" else it.set_synchronised)(number)
            except ValueError:
                continue
        elif kind == "calendar":
            bench.follow_calendar(number)
        elif kind == "cut":
            bench.boot()
            it = bench.control
            it.input_changed(number, bench.now_ms)
            bench.follow_calendar(bench.due)
        elif kind == "period":
            it.period_ended(bench.utc_s())
        else:
            bench.windows(LOW if kind == "low" else HIGH, number * 200)
        if it.decides() == FREQUENCY:
            awaited = None
            assert bench.rate == 8
        elif it.decides() == CALENDAR:
            awaited = None
            assert bench.rate == bench.due
        elif it.synchronised and kind == "input":
            awaited = it.code
            assert bench.rate == before
        elif awaited is None or not it.synchronised or kind in ("period", "cut"):
            awaited = None
            assert bench.rate == it.map[it.code]
