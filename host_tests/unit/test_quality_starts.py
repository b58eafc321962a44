"""Starts at any moment of any mains are no disturbance; one that comes is as long as it is."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

from log_rig import LogRig
from metrology_bench import Bench, Mains, Phase

from app.quality import limits
from app.quality.conditions import Conditions
from app.quality.disturbances import DURATION_MS, NUMBER, SAGS, Disturbances
from app.quality.limits import Limits
from app.quality.thresholds import Thresholds

CUTS = {82, 83, 84}


class Start:
    """A meter whose limits are near and whose times are none, from its first frame on."""

    def __init__(self, mains):
        self.bench = Bench(mains)
        logs = LogRig()
        self.events = []
        bounds = Limits(logs.settings, 230)
        for place, value in (
            (limits.SAG, 2185),
            (limits.SWELL, 2415),
            (limits.SAG_S, 0),
            (limits.SWELL_S, 0),
            (limits.CUT_S, 0),
        ):
            bounds.set(place, value)
        engine, post = self.bench.engine, self.events.append
        self.watch = Disturbances(logs.fram, bounds, engine, post, post)
        Conditions(bounds, engine, post, post)
        thresholds = Thresholds(logs.fram, logs.settings, engine, post)
        for place, limit in ((4, 2415), (6, 2185), (8, 7000), (9, 4000), (10, 60)):
            thresholds.set(place, limit, 1)


def random_mains(source, phases):
    """Any frequency, angle, distortion and load of a mains that is well."""
    made = []
    for _ in range(phases):
        harmonics = {n: (source.uniform(0, 0.05), source.uniform(0, 360)) for n in (3, 5, 7)}
        u = source.uniform(224, 236)
        made.append(Phase(u, source.uniform(0, 5), source.uniform(-50, 50), harmonics))
    rate_hz = source.choice((3200, 4000))
    mains = Mains(made, source.choice((50, 60)) * source.uniform(0.98, 1.02), rate_hz)
    mains.turn = source.random()
    return mains


@pytest.mark.parametrize("phases", [1, 3])
def test_starts_tell_nothing(phases):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    source = random.Random(seed)
    for _ in range(20):
        start = Start(random_mains(source, phases))
        start.bench.play(0.6)
        assert start.events == []
        start.bench.mains.phases[0].u = 150  # it does look
        start.bench.play(0.3)
        assert 76 in start.events


def test_a_start_without_one_phase_or_two_tells_of_those_only():
    seed = random.randrange(1 << 32)
    print("seed", seed)
    source = random.Random(seed)
    for absent in ({0}, {1}, {2}, {0, 1}, {0, 2}):
        for _ in range(2):
            mains = random_mains(source, 3)
            for phase in absent:
                mains.phases[phase].u = mains.phases[phase].i = 0
            start = Start(mains)
            start.bench.play(1.5)
            assert set(start.events) & CUTS == {82 + phase for phase in absent}
            others = {76 + 3 * k + p for k in (0, 1, 3) for p in range(3) if p not in absent}
            assert not set(start.events) & others


@pytest.mark.parametrize("f_hz", [50, 59.2])
@pytest.mark.parametrize("gone_ms", [60, 120, 270, 447, 600, 1210])
def test_a_voltage_that_is_gone_for_a_while(f_hz, gone_ms):
    """The windows without a zero crossing, and the longer one before them, do not count."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    source = random.Random(seed)
    for _ in range(3):
        mains = Mains([Phase(230, 5)], f_hz, 3200)
        mains.turn = source.random()
        start = Start(mains)
        start.bench.play(1 + source.random() / 5)
        mains.phases[0].u = 0
        start.bench.play(gone_ms / 1000)
        mains.phases[0].u = 230
        start.bench.play(0.6)
        assert start.watch.value(SAGS, 0, NUMBER) == 1
        lasted_ms = start.watch.value(SAGS, 0, DURATION_MS)
        assert -500 / f_hz <= lasted_ms - gone_ms <= 1500 / f_hz
