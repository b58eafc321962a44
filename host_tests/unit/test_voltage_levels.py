"""Ten-minute means: levels, asymmetry, weeks by EN 50160 (rows PQL-03, PQL-09, PQL-12)."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from quality_rig import QualityRig

import civil
from app.quality import limits
from app.quality.voltage_levels import (
    ANY,
    HIGHEST_DV,
    LOWEST_DV,
    TOTAL,
    WITHIN,
    VoltageLevels,
)

MONDAY = civil.utc_s(2026, 3, 2, 0, 0, 0) - 3600  # local midnight, an hour east


class Rig(QualityRig):
    def __init__(self):
        super().__init__()
        self.now_s = MONDAY
        self.boot()

    def boot(self):
        clock = self.logs.clock
        self.levels = VoltageLevels(
            self.logs.fram, self.limits, clock, self.events.append, self.ends.append
        )

    def mean(self, *volts):
        volts = volts * 3 if len(volts) == 1 else volts
        self.now_s += 600
        self.levels.take([round(v * 100) for v in volts], self.now_s)

    def counts(self, column):
        return [self.levels.count(column, level) for level in range(7)]


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.row("PQL-03")
def test_214_v_is_level_5_of_the_phase_and_of_any(rig):
    rig.mean(214, 231, 231)
    assert rig.counts(0) == [0, 0, 0, 0, 1, 0, 0]
    assert rig.counts(1) == rig.counts(2) == [0, 0, 1, 0, 0, 0, 0]
    assert rig.counts(ANY) == [0, 0, 1, 0, 1, 0, 0]  # two phases at once are one


@pytest.mark.row("PQL-02")
@pytest.mark.parametrize("nominal", [230, 240])
def test_the_bounds_of_the_levels(rig, nominal):
    """The upper bound belongs to its level, as table 13.1 writes it."""
    rig.limits.set(limits.NOMINAL, nominal * 10)
    for level, percent in enumerate((10.01, 10, 5, 0, -5, -10, -15)):
        before = rig.counts(ANY)
        rig.mean(nominal * (100 + percent) / 100)
        before[level] += 1
        assert rig.counts(ANY) == before, percent


@pytest.mark.row("PQL-09")
def test_asymmetry_lasts_while_means_lie_apart(rig):
    rig.mean(230)
    assert not rig.levels.asymmetric
    rig.mean(243, 230, 230)  # +3.7 % of the mean of all
    rig.mean(243, 230, 230)
    assert rig.levels.asymmetric
    assert (rig.events, rig.ends) == ([90], [])
    rig.mean(230)
    assert not rig.levels.asymmetric
    assert (rig.events, rig.ends) == ([90], [90])
    rig.mean(219, 230, 230)  # -3.2 %
    assert rig.events == [90, 90]


def test_limits_of_asymmetry_move(rig):
    rig.limits.set(limits.UPPER, 1200)
    rig.mean(243, 230, 230)
    assert rig.events == []
    rig.limits.set(limits.LOWER, 995)
    rig.mean(243, 230, 230)
    assert rig.events == [90]


def whole_week(rig, bad, volts):
    """1008 means, `bad` of them as `volts` say."""
    for number in range(1008):
        rig.mean(*(volts if number < bad else (230, 230, 230)))


@pytest.mark.row("PQL-12")
@pytest.mark.parametrize(
    "bad, volts, phase",
    [(50, (206, 230, 230), None), (51, (206, 230, 230), 0), (1, (230, 254, 230), 1),
     (1, (230, 230, 195), 2), (90, (230, 230, 200), 2)],
)  # fmt: skip
def test_a_week_is_judged_when_it_ends(rig, bad, volts, phase):
    whole_week(rig, bad, volts)
    assert not {92, 93, 94} & set(rig.events)
    rig.mean(230)
    assert [code for code in rig.events if code > 91] == ([] if phase is None else [92 + phase])
    for of in range(3):
        assert rig.levels.week(1, of, TOTAL) == 1008
        assert rig.levels.week(0, of, TOTAL) == 1
        assert rig.levels.is_good(1, of) is (of != phase)
    if phase is not None:
        lowest, highest = (rig.levels.week(1, phase, what) for what in (LOWEST_DV, HIGHEST_DV))
        assert (lowest, highest) == (min(2300, volts[phase] * 10), max(2300, volts[phase] * 10))
        assert rig.levels.week(1, phase, WITHIN) == 1008 - bad


def test_all_survives_and_an_unknown_time_ends_no_week(rig):
    rig.mean(254)
    rig.boot()
    assert rig.counts(ANY)[0] == 1
    assert rig.levels.week(0, 0, HIGHEST_DV) == 2540
    rig.logs.clock.invalid = True
    rig.now_s += 30 * 86_400
    rig.mean(230)
    assert rig.levels.week(0, 0, TOTAL) == 2
    assert 92 not in rig.events
    rig.logs.clock.invalid = False
    rig.mean(230)
    assert rig.events == [92, 93, 94]


def test_a_dead_memory_counts_on(rig):
    rig.logs.fram.dead = True
    rig.mean(214)
    assert rig.counts(ANY)[4] == 1
