"""Weeks by EN 50160: shares of the means, frequency, distortion, unbalance, counts, verdict."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

from metrology_bench import Bench, Mains, Phase
from quality_rig import QualityRig

import civil
from app.quality import limits, weeks
from app.quality.weeks import Weeks

MONDAY = civil.utc_s(2026, 3, 2, 0, 0, 0) - 3600  # local midnight, an hour east
WEEK_S = 604_800


class Numbers:
    """What counts sags, swells and failures; each is a list of three."""

    def __init__(self):
        self.counts = [7, 8, 9]

    def disturbances(self):
        return self

    def value(self, *place):
        return self.counts[place[0] if len(place) == 3 else 2]


class Rig(QualityRig):
    def __init__(self, phases=3):
        super().__init__(phases)
        self.numbers = Numbers()
        self.now_s = MONDAY
        self.ended = []
        self.engine.nominal_uhz = 50_000_000
        self.engine.frames_q16 = 800 << 16
        self.engine.last_whole = True
        quantities = self.engine.quantities
        quantities.thd_u_ppm = [0] * phases
        quantities.f_uhz = 50_000_000
        quantities.unbalance_ppm = lambda: self.unbalance_ppm
        self.unbalance_ppm = 0
        self.boot()

    def boot(self):
        self.engine.on_window.clear()
        counted = (self.numbers, self.numbers)
        self.weeks = Weeks(self.logs.fram, self.limits, self.logs.clock, self.engine, counted)
        self.weeks.on_week = self.ended.append

    def mean(self, *volts, windows=1):
        volts = volts * self.engine.quantities.phases if len(volts) == 1 else volts
        for _ in range(windows):
            self.window(230)
        self.now_s += 600
        self.weeks.take([round(v * 100) for v in volts], self.now_s)

    def field(self, place, back=0):
        return self.weeks.values(back)[place]

    def verdict(self, back=0):
        return self.field(weeks.VERDICT, back)


@pytest.fixture
def rig():
    return Rig()


def test_a_perfect_week_and_its_row(rig):
    assert rig.weeks.values(0) == rig.weeks.values(1) == [0] * 18
    for _ in range(1007):
        rig.mean(230)
    assert rig.ended == []
    rig.mean(230)  # the mean that ends at midnight belongs to the week that ends
    assert rig.field(weeks.MEANS) == 1008
    rig.mean(230)
    assert rig.ended == [MONDAY + WEEK_S]
    before = rig.weeks.values(1)
    assert before[: weeks.UNBALANCE + 1] == [1008] * 11
    assert before[weeks.VERDICT] == 0
    assert rig.field(weeks.MEANS) == 1


@pytest.mark.parametrize("low", [50, 51])
def test_five_percent_of_the_means_may_lie_beyond_ten_percent(rig, low):
    for n in range(1000):
        rig.mean(230, 200 if n < low else 230, 230)
    assert rig.field(weeks.WITHIN + 1) == 1000 - low
    assert rig.field(weeks.WIDELY + 1) == 1000
    assert rig.verdict() == (0 if low == 50 else 2)


@pytest.mark.parametrize(
    ("volts", "bad"), [(195.5, 0), (195.4, 4), (253, 0), (253.1, 4), (207, 0), (206.9, 0)]
)
def test_no_mean_may_lie_beyond_the_wide_limits(rig, volts, bad):
    for _ in range(99):
        rig.mean(230)
    rig.mean(230, 230, volts)
    assert rig.verdict() == bad
    assert rig.field(weeks.WITHIN + 2) == 99 + (207 <= volts <= 253)


def test_distortion_and_unbalance_are_root_mean_squares_of_ten_minutes(rig):
    quantities = rig.engine.quantities
    quantities.thd_u_ppm = [0, 80_001, 80_000]
    rig.mean(230)
    assert [rig.field(weeks.THD + k) for k in range(3)] == [1, 0, 1]
    rig = Rig()
    quantities = rig.engine.quantities
    quantities.thd_u_ppm = [100_000, 0, 0]
    rig.window(230)
    quantities.thd_u_ppm = [0, 0, 0]
    rig.mean(230)  # 10 % and nothing: 7.07 %
    assert rig.field(weeks.THD) == 1
    rig.unbalance_ppm = 20_001
    rig.mean(230)
    assert rig.field(weeks.UNBALANCE) == 1
    assert rig.verdict() == 1 << 6
    quantities.thd_u_ppm = [0, 0, 90_000]
    rig.mean(230)
    assert rig.verdict() == 1 << 6 | 1 << 5


def test_frequency_is_compared_by_ten_seconds(rig):
    quantities = rig.engine.quantities
    for f_uhz, within, widely in (
        (50_500_000, 1, 1),
        (50_500_001, 0, 1),
        (49_500_000, 1, 1),
        (49_499_999, 0, 1),
        (52_000_000, 0, 1),
        (52_000_001, 0, 0),
        (47_000_000, 0, 1),
        (46_999_999, 0, 0),
    ):
        before = rig.weeks.values(0)[weeks.FREQUENCIES : weeks.F_WIDELY + 1]
        quantities.f_uhz = f_uhz
        rig.seconds(10, 230)
        after = rig.weeks.values(0)[weeks.FREQUENCIES : weeks.F_WIDELY + 1]
        assert [b - a for a, b in zip(before, after, strict=True)] == [1, within, widely], f_uhz
    assert rig.verdict() == 1 << 7


def test_a_frequency_that_a_cut_has_taken_does_not_count(rig):
    quantities = rig.engine.quantities
    rig.seconds(10, 230)
    for _ in range(3):
        rig.seconds(9, 230)
        quantities.f_uhz = 0  # no voltage tells it
        rig.seconds(0.2, 0)
        quantities.f_uhz = 50_000_000
    assert rig.weeks.values(0)[weeks.FREQUENCIES : weeks.F_WIDELY + 1] == [1, 1, 1]
    rig.seconds(10, 230)
    assert rig.weeks.values(0)[weeks.FREQUENCIES : weeks.F_WIDELY + 1] == [2, 2, 2]
    assert rig.verdict() & 1 << 7 == 0


def test_a_gap_begins_the_ten_seconds_anew(rig):
    rig.seconds(9.8, 230)
    rig.engine.last_whole = False
    rig.window(0)
    rig.engine.last_whole = True
    rig.seconds(9.8, 230)
    assert rig.field(weeks.FREQUENCIES) == 0
    rig.window(230)
    assert rig.field(weeks.FREQUENCIES) == 1


def test_what_was_not_measured_for_long_enough_counts_for_nothing(rig):
    rig.engine.quantities.thd_u_ppm = [500_000] * 3
    rig.window(230)
    rig.now_s += 600
    rig.weeks.take([], rig.now_s)
    assert rig.field(weeks.MEANS) == 0
    rig.engine.quantities.thd_u_ppm = [0] * 3
    rig.mean(230)
    assert rig.field(weeks.THD) == 1


def test_sags_swells_and_failures_of_the_week(rig):
    rig.mean(230)
    rig.numbers.counts = [9, 8, 13]
    assert rig.weeks.values(0)[weeks.SAGS : weeks.SAGS + 3] == [2, 0, 4]
    rig.now_s += WEEK_S
    rig.mean(230)
    rig.numbers.counts = [10, 0, 13]
    assert rig.weeks.values(1)[weeks.SAGS : weeks.SAGS + 3] == [2, 0, 4]
    assert rig.weeks.values(0)[weeks.SAGS : weeks.SAGS + 3] == [1, 2**32 - 8, 0]


def test_weeks_outlast_power_cuts_and_a_dead_memory_disturbs_nobody(rig):
    for _ in range(10):
        rig.mean(200)
    rig.boot()
    assert rig.field(weeks.MEANS) == 10
    assert rig.field(weeks.WITHIN) == 0
    rig.now_s += WEEK_S
    rig.mean(230)
    rig.boot()
    assert rig.field(weeks.MEANS, 1) == 10
    assert rig.verdict(1) == 7
    rig.logs.fram.dead = True
    rig.mean(230)
    assert rig.field(weeks.MEANS) == 2


def test_a_week_that_a_power_cut_lets_end_again_is_told_with_the_same_time(rig):
    rig.mean(230)
    stored = bytes(rig.logs.fram.octets)
    rig.now_s += 3 * WEEK_S
    rig.mean(230)
    rig.logs.fram.octets[:] = stored
    rig.boot()
    rig.mean(230)
    assert rig.ended == [MONDAY + WEEK_S] * 2


def test_an_unknown_time_ends_no_week(rig):
    rig.mean(230)
    rig.logs.clock.invalid = True
    rig.now_s += WEEK_S
    rig.mean(230)
    assert rig.ended == []


def test_one_phase_has_no_others_to_judge():
    rig = Rig(1)
    for _ in range(20):
        rig.mean(230)
    assert rig.verdict() == 0
    rig.limits.set(limits.NOMINAL, 1200)
    rig.mean(230)
    assert rig.verdict() == 1


@pytest.mark.parametrize(
    ("volts", "angles", "expected"),
    [
        ((230, 230, 230), (0, 0, 0), 0.0),
        ((230, 220, 230), (0, 0, 0), 10 / 680),
        ((230, 230, 207), (0, 0, 0), 23 / 667),
    ],
)
def test_unbalance_is_the_share_of_the_negative_sequence(volts, angles, expected):
    """Amplitudes alone: the negative sequence is a third of what one of them lacks."""
    bench = Bench(Mains([Phase(u, 5, angle) for u, angle in zip(volts, angles, strict=True)]))
    quantities = bench.play(0.7)
    assert abs(quantities.unbalance_ppm() / 1e6 - expected) < 0.0003
    quantities._fit[1], quantities._fit[2] = quantities._fit[2], quantities._fit[1]
    assert abs(quantities.unbalance_ppm() / 1e6 - expected) < 0.0003  # the other way round
