"""The engine: windows, nothing lost between them, lost voltages, steps, odd inputs."""

import math
import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
import itertools

from metrology_bench import Bench, Mains, Phase, PlayedOutput, Scale, Source, Variant, run, truth

from metrology.accumulators import RawSums
from metrology.calibration import Calibration, CalibrationError
from metrology.engine import Engine
from metrology.oscillator import _table


def gather(bench):
    """All windows' sums added, taken by the tap."""
    total = RawSums(len(bench.mains.phases))
    bench.engine.tap = total.add
    return total


@pytest.mark.parametrize("rate_hz", [1200, 4000])
@pytest.mark.parametrize("f_hz", [49.7, 60.3])
def test_no_frame_is_lost_or_counted_twice(rate_hz, f_hz):
    mains = Mains([Phase(230, 5, 60), Phase(220, 8, 10), Phase(240, 1, -40)], f_hz, rate_hz, 200)
    bench = Bench(mains)
    total = gather(bench)
    played = []
    for seconds in (0.011, 0.5, 0.37, 0.9):
        bench.play(seconds)
        played += bench.source.frames
    bench.engine.close()
    assert total.frames_q16 == len(played) * 65536
    pairs = [(0, 0)] * len(played)  # the oscillator follows the windows: not compared here
    phases, _, _ = truth.sums(played, pairs, [truth.Delay() for _ in range(3)])
    for got, expected in zip(total.phases, phases, strict=True):
        assert got[:5] == expected[:5]
    assert total.neutral == [sum(f[6] for f in played), sum(f[6] ** 2 for f in played)]


@pytest.mark.parametrize(("f_hz", "cycles"), [(50, 10), (54, 10), (56, 12), (60, 12)])
def test_windows_hold_ten_or_twelve_cycles_with_fractional_ends(f_hz, cycles):
    bench = run([Phase()], 2.0, f_hz=f_hz)
    assert not bench.closed[0][0]  # up to the second zero crossing: not whole
    for whole, frames_q16, held in bench.closed[2:]:
        assert whole and held == cycles
        assert abs(frames_q16 / 65536 - cycles * 4000 / f_hz) < 0.001
    assert len(bench.closed) == 1 + int(1.96 * f_hz / cycles)


@pytest.mark.row("MET-12")
def test_frequency_to_a_millihertz_over_the_range():
    for f_hz in (45, 49.5, 50.123, 59.98, 65):
        bench = run([Phase()], 1.2, f_hz=f_hz)
        assert abs(bench.engine.quantities.f_uhz - f_hz * 1e6) < 1000


def test_without_voltage_windows_are_a_fifth_of_a_second_and_current_shows():
    bench = run([Phase(0, 5), Phase(0, 5), Phase(0, 5)], 1.01)
    assert [frames >> 16 for _, frames, _ in bench.closed] == [800] * 5
    quantities = bench.engine.quantities
    assert quantities.f_uhz == 0
    assert quantities.u_uv == [0, 0, 0]
    assert abs(quantities.i_ua[1] - 5e6) < 500
    assert quantities.p_uw == [0, 0, 0]
    assert not any(bench.engine.energies.wh)


def test_voltage_comes_goes_and_comes_back():
    mains = Mains([Phase(0, 0)])
    bench = Bench(mains)
    assert bench.play(0.5).f_uhz == 0
    mains.phases[0].u, mains.phases[0].i = 230, 5
    quantities = bench.play(0.7)
    assert abs(quantities.u_uv[0] - 230e6) < 3000
    assert abs(quantities.f_uhz - 50e6) < 500
    mains.phases[0].u = 0
    quantities = bench.play(0.9)
    assert quantities.u_uv[0] < 1000 and quantities.f_uhz == 0
    mains.phases[0].u = 115
    assert abs(bench.play(0.7).u_uv[0] - 115e6) < 2000


@pytest.mark.parametrize("missing", [{0}, {1}, {0, 1}, {0, 2}])
def test_another_phase_takes_the_reference_over(missing):
    mains = Mains([Phase(230, 5, 60) for _ in range(3)], f_hz=50.4)
    bench = Bench(mains)
    bench.play(0.5)
    for k in missing:
        mains.phases[k].u = 0
    quantities = bench.play(1.3)
    assert bench.closed[-1][0]
    assert abs(quantities.f_uhz - 50.4e6) < 500
    for k in range(3):
        expected = 0 if k in missing else 575e6
        assert abs(quantities.p_uw[k] - expected) < 575e6 * 1e-4
    # all voltages gone, then one back
    for phase in mains.phases:
        phase.u = 0
    assert bench.play(1.0).f_uhz == 0
    mains.phases[1].u = 230
    assert abs(bench.play(1.2).f_uhz - 50.4e6) < 500


def test_a_step_of_frequency_is_followed():
    mains = Mains([Phase(230, 5, 60)])
    bench = Bench(mains)
    bench.play(1.0)
    mains.f_hz = 60.0
    quantities = bench.play(1.2)
    assert abs(quantities.f_uhz - 60e6) < 500
    assert abs(quantities.q_uvar[0] - 995.929e6) < 2e5
    assert bench.closed[-1][2] == 12


def test_notches_and_spikes_are_no_crossings():
    mains = Mains([Phase(230, 5)])
    bench = Bench(mains)
    source = random.Random(5)
    bench.play(0.5)
    frames = mains.frames(8000)
    for _ in range(120):  # spikes of 300 V and notches of one frame, anywhere
        k = source.randrange(len(frames))
        u = source.choice([0, 5_000_000, -5_000_000])
        frames[k] = (u, *frames[k][1:])
    bench.source.frames, bench.source.at = frames, 0
    before = len(bench.closed)
    bench.engine.poll()
    for whole, frames_q16, cycles in bench.closed[before:]:
        assert whole and cycles == 10
        assert abs(frames_q16 / 65536 - 800) < 8


def test_a_deep_dip_keeps_the_windows_going():
    mains = Mains([Phase(230, 5)])
    bench = Bench(mains)
    bench.play(0.45)
    mains.phases[0].u = 230 * 0.67
    bench.play(0.05)
    mains.phases[0].u = 230
    bench.play(0.7)
    assert all(whole for whole, _, _ in bench.closed[1:])


def test_lost_frames_are_not_measured_as_a_frequency():
    mains = Mains([Phase(230, 5)])
    bench = Bench(mains)
    bench.play(0.5)
    mains.frames(37)  # nobody took them
    bench.source.lost += 37
    bench.play(0.8)
    assert abs(bench.engine.quantities.f_uhz - 50e6) < 500
    assert [whole for whole, _, _ in bench.closed].count(False) == 2


@pytest.mark.row("EN-01", "MET-05", "MET-06")
def test_energy_of_a_minute_is_power_times_time():
    mains = Mains([Phase(230, 5, 60) for _ in range(3)])
    bench = Bench(mains)
    for _ in range(12):
        bench.play(0.5)
    bench.engine.close()
    energies = bench.engine.energies
    # the first cycle starts at no zero crossing, so a part of a cycle is in it
    assert abs(energies.total_uws(0) / (1725e6 * 6) - 1) < 5e-3
    assert abs(energies.total_uws(4) / (2987.8e6 * 6) - 1) < 5e-3
    assert energies.total_uws(1) == 0


def test_windows_merged_and_scaled_give_the_same_energy():
    mains = Mains([Phase(230, 5, 60), Phase(231, 3, -20), Phase(229, 8, 0)])
    bench = Bench(mains)
    last = RawSums(3)
    bench.engine.tap = last.copy_from
    bench.play(1.0)

    def total(use):
        engine = Engine(Source(7), Scale(), Variant(), Calibration(3))
        use(engine)
        return [engine.energies.total_uws(k) for k in range(12)]

    def one_by_one(engine):
        for _ in range(300):
            engine.window(last)

    def scaled(engine):
        for windows in (1, 5, 94, 200):
            sums = RawSums(3)
            sums.copy_from(last)
            sums.scale(windows)
            engine.window(sums)

    def added(engine):
        sums = RawSums(3)
        for _ in range(300):
            sums.add(last)
        engine.window(sums)

    assert total(one_by_one) == total(scaled)
    for one, other in zip(total(one_by_one), total(added), strict=True):
        assert abs(one - other) <= 300  # a micro-watt-second a window, of some 10**11


@pytest.mark.row("LED-01")
def test_pulses_agree_with_the_energy_through_frames_and_leaps():
    mains = Mains([Phase(230, 40, 30) for _ in range(3)])
    bench = Bench(mains, pulses_per_kwh=10000)
    last = RawSums(3)
    bench.engine.tap = last.copy_from
    leds = PlayedOutput(), PlayedOutput()
    bench.engine.pulses.attach(leds[0], leds[1])
    bench.play(1.0)
    for _ in range(50):
        sums = RawSums(3)
        sums.copy_from(last)
        sums.scale(5)
        bench.engine.window(sums)
    bench.play(0.5)
    energies, pulses = bench.engine.energies, bench.engine.pulses
    active = energies.total_uws(10) / 3.6e8
    reactive = (energies.total_uws(2) + energies.total_uws(3)) / 3.6e8
    assert pulses.active.count == int(active)
    assert pulses.reactive.count == int(reactive)
    assert [len(led.rises_us) for led in leds] == [pulses.active.count, pulses.reactive.count]
    assert pulses.active.count > 3000


def test_close_publishes_even_less_than_a_window():
    bench = run([Phase(230, 5)], 0.07)
    bench.engine.close()
    quantities = bench.engine.quantities
    assert abs(quantities.u_uv[0] / 230e6 - 1) < 0.1
    bench.engine.close()  # nothing more to close
    assert sum(frames for _, frames, _ in bench.closed) == 280 << 16


def test_on_window_runs_with_everything_up_to_date():
    bench = Bench(Mains([Phase(230, 5)]))
    seen = []
    bench.engine.on_window.append(
        lambda: seen.append((bench.engine.quantities.u_uv[0], bench.engine.energies.residue[0]))
    )
    bench.play(1.0)
    assert len(seen) == bench.engine.windows == len(bench.closed)
    assert [b > a for (_, a), (_, b) in itertools.pairwise(seen)] == [True] * 4


def test_any_garbage_is_measured_without_an_exception():
    source = random.Random(77)
    low, high = -(1 << 23), (1 << 23) - 1
    bench = Bench(Mains([Phase()] * 3))
    for kind in range(8):
        frames = []
        for k in range(3000):
            if kind == 0:
                frame = [source.randint(low, high) for _ in range(7)]
            elif kind == 1:
                frame = [source.choice([low, high])] * 7
            elif kind == 2:
                frame = [high] * 7
            elif kind == 3:
                frame = [low if k & 1 else high] * 7
            elif kind == 4:
                frame = [low if k // 20 & 1 else high] * 7  # 100 Hz
            elif kind == 5:
                frame = [low if k // 200 & 1 else high] * 7  # 10 Hz
            elif kind == 6:
                frame = [0] * 7
            else:
                frame = [low if k // 40 & 1 else high, 1, -1, 0, low, high, 5]
            frames.append(tuple(frame))
        bench.source.frames, bench.source.at = frames, 0
        bench.engine.poll()
    bench.engine.close()
    assert sum(frames for _, frames, _ in bench.closed) == 24000 << 16
    assert all(value >= 0 for value in bench.engine.energies.wh[:11])


@pytest.mark.parametrize("rate_hz", [999, 32001])
def test_a_frame_rate_out_of_range_is_refused(rate_hz):
    with pytest.raises(ValueError, match="rate"):
        Engine(Source(7, rate_hz), Scale(), Variant(), Calibration(3))


def test_parts_that_do_not_fit_each_other_are_refused():
    with pytest.raises(ValueError):
        Engine(Source(7), Scale(), Variant(), Calibration(1))
    with pytest.raises(ValueError):
        Engine(Source(5), Scale(), Variant(), Calibration(3))
    with pytest.raises(ValueError):
        Engine(Source(7), Scale(1), Variant(), Calibration(3))


def test_the_oscillators_table_is_a_sine():
    assert list(_table()) == truth.sine_table()


def test_a_new_calibration_moves_no_energy_and_counts_from_the_next_window():
    bench = run([Phase(230, 5, 60)], seconds=2.03)
    engine = bench.engine
    energies = [engine.energies.total_uws(k) for k in range(12)]
    old_p = engine.quantities.p_uw[0]
    record = Calibration(1)
    record.u_gain_ppb[0] = 100_000_000
    record.delay_ns[0] = 100_000
    engine.recalibrate(record)
    assert [engine.energies.total_uws(k) for k in range(12)] == energies
    frames = sum(frames_q16 for _, frames_q16, _ in bench.closed)
    bench.play(2)
    assert sum(frames_q16 for _, frames_q16, _ in bench.closed) - frames >> 16 in range(7200, 8800)
    # the voltage is taken 100 us (1.8 degrees) later: the current lags less
    assert abs(engine.quantities.p_uw[0] - old_p * 1.1 * 2 * math.cos(math.radians(58.2))) < 1e5
    record.u_gain_ppb[0] = 10**9
    with pytest.raises(CalibrationError):
        engine.recalibrate(record)
    with pytest.raises(CalibrationError):
        engine.recalibrate(Calibration(3))
    assert abs(bench.play(0.5).u_uv[0] - 253e6) < 1e5
