"""Sags, swells and cuts: limits, times, durations, magnitudes, numbers, events (section 13)."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from quality_rig import HALVES, QualityRig

from app.quality import limits
from app.quality.disturbances import (
    ANY,
    DURATION_MS,
    MAGNITUDE_MV,
    NUMBER,
    SAGS,
    SWELLS,
    Disturbances,
)

SEED = 20261121


class Rig(QualityRig):
    def __init__(self, phases=3):
        super().__init__(phases)
        self.boot()

    def boot(self):
        self.engine.on_window.clear()
        self.watch = Disturbances(
            self.logs.fram, self.limits, self.engine, self.events.append, self.ends.append
        )

    def of(self, kind, column):
        return [self.watch.value(kind, column, what) for what in range(3)]


@pytest.fixture
def rig():
    rig = Rig()
    rig.seconds(1, 230)
    return rig


@pytest.mark.row("PQL-04", "PQL-08")
def test_a_sag_counts_after_its_time_and_ends_with_normal_voltage(rig):
    rig.limits.set(limits.SAG_S, 3)
    rig.seconds(2.8, 230, 180, 230)
    assert rig.events == []
    rig.seconds(1.2, 230, 179, 230)
    assert rig.events == [77]
    rig.seconds(1, 230)
    assert rig.events == [77, 86]
    assert rig.ends == [77]
    assert rig.of(SAGS, 1) == rig.of(SAGS, ANY) == [1, 4000, 179_000]
    assert rig.of(SAGS, 0) == rig.of(SAGS, 2) == rig.of(SWELLS, 1) == [0, 0, 0]


@pytest.mark.row("PQL-05")
def test_a_swell_of_270_v(rig):
    rig.limits.set(limits.SWELL_S, 2)
    rig.seconds(3, 270, 230, 230)
    assert rig.events == [79]
    rig.seconds(1, 230)
    assert rig.events == [79, 85]
    assert rig.of(SWELLS, 0) == rig.of(SWELLS, ANY) == [1, 3000, 270_000]


@pytest.mark.row("PQL-07", "PQL-22")
def test_a_cut_is_no_sag_and_the_phase_is_gone(rig):
    rig.seconds(2, 230, 230, 100)
    assert rig.events == [84]
    assert [rig.watch.present(phase) for phase in range(3)] == [True, True, False]
    rig.seconds(1, 230)
    assert rig.events == [84, 87]
    assert rig.watch.present(2)
    assert rig.of(SAGS, 2) == [0, 0, 0]


@pytest.mark.row("PQL-22")
def test_half_the_nominal_voltage_is_present_with_hysteresis(rig):
    for volts, present in ((116, True), (114, False), (116, False), (120, True), (116, True)):
        rig.window(volts)
        assert rig.watch.present(0) is present, volts


def test_a_sag_that_becomes_a_cut_goes_on_and_is_normal_again_once(rig):
    rig.seconds(2, 180, 230, 230)
    rig.seconds(2, 50, 230, 230)
    rig.seconds(2, 180, 230, 230)
    assert rig.events == [76, 82]
    rig.seconds(1, 230)
    assert rig.events == [76, 82, 85]
    assert rig.of(SAGS, 0) == rig.of(SAGS, ANY) == [1, 6000, 50_000]


def test_half_cycles_on_the_way_into_a_cut_and_out_of_it_are_no_sag(rig):
    rows = [(230, 230, 230)] * HALVES
    rows[-1] = (160, 230, 230)
    rig.cycle(rows)
    rig.seconds(5, 0, 230, 230)
    rows[0], rows[-1] = rows[-1], rows[0]
    rig.cycle(rows)
    assert rig.events == [82, 85]
    assert rig.of(SAGS, 0) == [0, 0, 0]


def test_a_sag_of_half_cycles_around_a_cut_is_one(rig):
    """IEC 61000-4-30: the dip begins and ends at its own threshold, whatever lies between."""
    rig.limits.set(limits.SAG_S, 0)
    rows = [(230, 230, 230)] * HALVES
    rows[5:10] = [(volts, 230, 230) for volts in (160, 50, 10, 50, 160)]
    rig.cycle(rows)
    assert rig.events == [76, 85]
    assert rig.of(SAGS, 0) == [1, 50, 10_000]


def test_half_cycles_that_were_not_measured_are_passed_over(rig):
    rig.limits.set(limits.SAG_S, 0)
    rows = [(230, 230, 230)] * HALVES
    rows[0] = rows[1] = (-0.001, 230, -0.001)
    rig.cycle(rows)
    assert rig.events == []


@pytest.mark.row("PQL-06")
def test_each_limit_moves_its_own_kind(rig):
    rig.limits.set(limits.SAG, 2200)
    rig.seconds(2, 215, 264, 230)
    assert rig.events == [76]
    rig.limits.set(limits.SWELL, 2500)
    rig.seconds(2, 215, 264, 230)
    assert rig.events == [76, 80]


def test_any_counts_phases_at_once_as_one(rig):
    rig.seconds(2, 180, 180, 170)
    assert rig.events == [76, 77, 78]
    assert rig.of(SAGS, ANY)[NUMBER] == 1
    rig.seconds(1, 230)
    rig.seconds(2, 180, 230, 230)
    assert rig.of(SAGS, ANY)[NUMBER] == 2
    assert rig.of(SAGS, 0)[NUMBER] == 2


def test_sags_that_overlap_are_one_of_any_phase(rig):
    """IEC 61000-4-30, 5.4.2: from the first phase that goes until the last is back."""
    rig.seconds(1, 180, 230, 230)
    rig.seconds(1, 180, 170, 230)
    rig.seconds(1, 230, 170, 230)
    rig.seconds(0.4, 230, 170, 175)
    rig.seconds(0.4, 230, 230, 175)
    rig.seconds(2, 230)
    assert rig.events == [76, 77, 85, 86]
    assert rig.of(SAGS, 0) == [1, 2000, 180_000]
    assert rig.of(SAGS, 1) == [1, 2400, 170_000]
    assert rig.of(SAGS, 2) == [0, 0, 0]
    assert rig.of(SAGS, ANY) == [1, 3400, 170_000]


def test_half_cycles_are_enough(rig):
    """With a time of 0 a sag of three half cycles counts, and lasts 30 ms."""
    rig.limits.set(limits.SAG_S, 0)
    rows = [(230, 230, 230)] * HALVES
    rows[5] = rows[6] = rows[7] = (230, 150, 230)
    rig.cycle(rows)
    assert rig.events == [77, 86]
    assert rig.of(SAGS, 1) == [1, 30, 150_000]


def test_a_window_without_half_cycles_serves_as_it_is(rig):
    rig.engine.frames_q16 = 800 * 50 << 16  # ten seconds in one leap
    rig.window(180, 230, 230, halves=0)
    assert rig.events == [76]
    rig.window(230, halves=0)
    assert rig.of(SAGS, 0) == [1, 10_000, 180_000]


def test_a_window_in_which_nothing_was_measured_yet_tells_nothing(rig):
    for kind in (limits.SAG_S, limits.CUT_S):
        rig.limits.set(kind, 0)
    rig.engine.quantities.valid = False
    rig.window(0, halves=0)
    assert rig.events == []
    rig.engine.quantities.valid = True
    rig.window(0, halves=0)
    assert set(rig.events) >= {82, 83, 84}


def test_numbers_survive_and_a_dead_memory_disturbs_nobody(rig):
    rig.seconds(2, 180)
    rig.seconds(1, 230)
    rig.boot()
    assert rig.of(SAGS, 0)[NUMBER] == 1
    rig.logs.fram.dead = True
    rig.seconds(2, 180)
    rig.seconds(1, 230)
    assert rig.of(SAGS, 0)[NUMBER] == 2
    rig.boot()
    assert rig.of(SAGS, 0)[NUMBER] == 0


def test_the_counter_of_half_cycles_may_turn_over(rig):
    rig.engine.half_cycles.ended = 0x3FFFFFFF - 7
    rig.boot()
    rig.seconds(2, 180, 230, 230)
    rig.seconds(1, 230)
    assert rig.events == [76, 85]


@pytest.mark.parametrize("phases", [1, 3])
def test_random_voltages_against_a_slow_model(phases):
    """One phase after the other, half cycle by half cycle, with plain lists."""
    source = random.Random(SEED)
    print("seed", SEED)
    rig = Rig(phases)
    levels = (230, 230, 230, 188, 183, 186, 60, 114, 118, 270, 262)
    history = []
    for _ in range(400):
        rows = []
        volts = [source.choice(levels) for _ in range(phases)]
        for _ in range(HALVES):
            if source.random() < 0.03:
                volts = [source.choice(levels) for _ in range(phases)]
            rows.append(tuple(volts))
        history += rows
        rig.cycle(rows)
    rig.window(230)
    sags = [longest(history, phase) for phase in range(phases)]
    for phase in range(phases):
        assert rig.watch.value(SAGS, phase, NUMBER) == len(sags[phase])
        if sags[phase]:
            last = sags[phase][-1]
            assert rig.watch.value(SAGS, phase, DURATION_MS) == 10 * len(last)
            assert rig.watch.value(SAGS, phase, MAGNITUDE_MV) == 1000 * min(last)


def longest(history, phase):
    """Sags with a second and more that is no cut, as lists of voltages; 4.6 V of hysteresis."""
    sags, sag, cut, own = [], [], False, 0
    for row in [*history, (230,) * 3]:
        volts = row[phase]
        cut = volts < (119.6 if cut else 115)
        if volts < (188.6 if sag else 184):
            sag.append(volts)
            own += not cut
            continue
        if own >= 100:
            sags.append(sag)
        sag, own = [], 0
    return sags


@pytest.mark.row("PQL-02")
def test_limits_are_checked_and_kept(rig):
    for place, wrong in (
        (limits.NOMINAL, 499),
        (limits.SAG, 1150),
        (limits.SAG, 2645),
        (limits.SWELL, 1840),
        (limits.CUT, 1840),
        (limits.SAG_S, 301),
        (limits.UPPER, 1000),
        (limits.LOWER, 1000),
        (limits.POWER_FACTOR, 1001),
    ):
        with pytest.raises(ValueError, match="limit"):
            rig.limits.set(place, wrong)
    rig.limits.set(limits.NOMINAL, 2400)
    assert type(rig.limits)(rig.logs.settings, 230).values[limits.NOMINAL] == 2400
