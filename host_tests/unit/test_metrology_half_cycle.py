"""One-cycle RMS each half cycle against a float reference: dips and swells of any phase."""

import math
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

from metrology_bench import Bench, Mains, Phase

from metrology import half_cycle

RATE_HZ = 4000


def values(bench, since, phase=0):
    half = bench.engine.half_cycles
    return [half.u_mv(number, phase) / 1000 for number in range(since, half.count)]


@pytest.mark.parametrize("f_hz", [45, 49.63, 50, 57.3, 60, 65])
def test_a_steady_voltage_is_steady_in_every_half_cycle(f_hz):
    distorted = Phase(276, 5, u_harmonics={5: (0.08, 20)})
    phases = [Phase(230, 5), Phase(11.5, 5, dc=(20000, 0)), distorted]
    bench = Bench(Mains(phases, f_hz))
    bench.play(1.0)
    before = bench.engine.half_cycles.count
    bench.play(0.45)
    assert abs(bench.engine.half_cycles.count - before - 0.9 * f_hz) <= 1
    for k, phase in enumerate(phases):
        for u in values(bench, before, k):
            assert abs(u - phase.u_rms) < 230 * 0.001


def one_cycle_rms(truth, begin, end):
    """RMS between two instants (in frames) of the played values, each standing for its frame."""
    total = 0.0
    for k in range(math.floor(begin), math.ceil(end)):
        total += (min(k + 1, end) - max(k, begin)) * truth[k] ** 2
    return math.sqrt(total / (end - begin))


@pytest.mark.parametrize("f_hz", [49.8, 60])
@pytest.mark.parametrize("depth", [0.0, 0.4, 0.85, 1.2])
@pytest.mark.parametrize("start", [0, 7, 23, 41])
@pytest.mark.parametrize("length", [40, 100, 333])
def test_dips_and_swells_of_any_depth_phase_and_length(f_hz, depth, start, length):
    mains = Mains([Phase(230, 5)], f_hz, RATE_HZ)
    bench = Bench(mains)
    bench.play(1.0)
    half = bench.engine.half_cycles
    bench.source.block = 4  # never two ends in a block
    truth, ends, got = [], [], []

    def ended():
        state = half._state
        since = (state[half_cycle._LENGTH] - state[half_cycle._LEFT]) / 256
        ends.append(len(truth) - len(bench.source.frames) + bench.source.at - since)
        got.append(half.u_mv(half.count - 1, 0) / 1000)

    bench.engine.on_half_cycle = ended
    for frames, factor in [(start + 160, 1.0), (length, depth), (240, 1.0)]:
        mains.phases[0].u = 230 * factor
        part = mains.frames(frames)
        truth += [frame[0] * 60e-6 for frame in part]
        bench.source.frames, bench.source.at = part, 0
        bench.engine.poll()
    assert abs(len(got) - 2 * len(truth) * f_hz / RATE_HZ) <= 1
    for k in range(3, len(got)):
        # the standard asks for 0.2 % of Un (class A)
        assert abs(got[k] - one_cycle_rms(truth, ends[k - 2], ends[k])) < 230 * 0.002
        assert abs(ends[k] - ends[k - 1] - RATE_HZ / f_hz / 2) < 1.02
    worst = min(got) if depth < 1 else max(got)
    if length > 120:  # one and a half cycles hold one that is measured
        assert abs(worst - 230 * depth) < 230 * 0.005
    assert abs(got[2] - 230) < 0.3
    assert abs(got[-1] - 230) < 230 * 0.002


def test_the_ring_refuses_what_it_does_not_hold():
    bench = Bench(Mains([Phase(230, 5)]))
    calls = []
    bench.engine.on_half_cycle = lambda: calls.append(bench.engine.half_cycles.count)
    bench.play(1.0)
    half = bench.engine.half_cycles
    assert calls == sorted(set(calls)) and calls[-1] == half.count
    for number in (half.count, half.count - 65, -1):
        with pytest.raises(ValueError):
            half.u_mv(number, 0)
    half.u_mv(half.count - 64, 0)
