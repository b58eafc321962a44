"""Quantities of synthetic mains against their truth in double precision, through the whole engine.

Limits are those that the integer loop sets itself: 0.01 % of U, I and P, 0.02 % of S for Q and for
P at power factor 0.5, 1 mHz, 0.1 of THD in percent. Input is quantised to 24 bits, nothing else.
"""

import math
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from metrology_bench import Mains, Phase, run, truth

from metrology.calibration import Calibration
from metrology.quantities import isqrt, rounded


def close(got, expected, part, scale=None):
    assert abs(got - expected) <= part * (abs(expected) if scale is None else scale), (
        got,
        expected,
        got / expected - 1 if expected else None,
    )


def check(bench, part=1e-4, thd=0.001):
    quantities = bench.engine.quantities
    assert quantities.valid
    phases = bench.mains.phases
    assert abs(quantities.f_uhz - bench.mains.f_hz * 1e6) <= 1000
    for k, phase in enumerate(phases):
        s = phase.u_rms * phase.i_rms
        pf = abs(phase.p / s)
        close(quantities.u_uv[k] / 1e6, phase.u_rms, part)
        close(quantities.i_ua[k] / 1e6, phase.i_rms, part)
        close(quantities.p_uw[k] / 1e6, phase.p, part, s * max(pf, 1.0 if pf < 0.5 else pf))
        close(quantities.q_uvar[k] / 1e6, phase.q, 2 * part, s)
        close(quantities.s_uva[k] / 1e6, s, 2 * part)
        close(quantities.pf_ppm[k] / 1e6, phase.p / s, 2 * part, 1)
        close(quantities.thd_u_ppm[k] / 1e6, phase.thd_u, thd, 1)
        close(quantities.thd_i_ppm[k] / 1e6, phase.thd_i, thd, 1)
    p, q = sum(x.p for x in phases), sum(x.q for x in phases)
    s = math.hypot(p, q)
    close(quantities.p_total_uw / 1e6, p, part, s)
    close(quantities.q_total_uvar / 1e6, q, 2 * part, s)
    close(quantities.s_total_uva / 1e6, s, 2 * part)


@pytest.mark.row("MET-09", "MET-10", "MET-12", "MET-13", "MET-15", "MET-17")
@pytest.mark.parametrize("rate_hz", [1200, 4000, 30707.244])
@pytest.mark.parametrize("f_hz", [45.0, 49.0, 49.5, 50.0, 51.3, 60.0, 65.0])
def test_frequencies_and_frame_rates(f_hz, rate_hz):
    phases = [Phase(230, 5, 60), Phase(225, 7, -30), Phase(235, 3, 10)]
    # 18 frames a cycle: the ends' trapezoids are worth 0.03 % of a window
    check(run(phases, 0.75, f_hz=f_hz, rate_hz=rate_hz), 3e-4 if rate_hz == 1200 else 1e-4)


@pytest.mark.row("MET-06", "MET-13", "MET-17")
@pytest.mark.parametrize("phi_deg", range(-180, 180, 15))
def test_all_quadrants(phi_deg):
    check(run([Phase(230, 5, phi_deg)], 0.7, f_hz=49.9))


@pytest.mark.row("MET-17")
def test_60_degrees_lag_is_a_power_factor_of_one_half():
    quantities = run([Phase(230, 5, 60)] * 3).engine.quantities
    assert [round(ppm / 1000) for ppm in quantities.pf_ppm] == [500] * 3
    assert round(quantities.pf_total_ppm / 1000) == 500


@pytest.mark.row("MET-02")
@pytest.mark.parametrize("i", [0.02, 0.05, 0.25, 5, 85, 102])
def test_currents_from_imin_to_beyond_imax(i):
    # 1.2 Imax = 102 A rms is 144 A peak of 151; 1.15 Un
    check(run([Phase(264.5, i, 0)] * 3))
    check(run([Phase(264.5, i, 60)] * 3))


@pytest.mark.row("MET-25")
@pytest.mark.parametrize("ratio", [0.0, 0.01, 0.1, 0.4])
def test_thd_of_third_harmonic(ratio):
    check(run([Phase(230, 5, 0, {3: (ratio, 0)}, {3: (ratio, 180)})] * 3))


def test_fifth_harmonic_counts_as_1_04_times_the_fundamental():
    # IEC 62053-21, influence of harmonics: 10 % of U, 40 % of I, in phase
    bench = run([Phase(230, 42.5, 0, {5: (0.1, 0)}, {5: (0.4, 0)})] * 3)
    check(bench)
    assert abs(bench.engine.quantities.p_uw[0] / (1.04 * 230 * 42.5e6) - 1) < 1e-4


def test_many_harmonics_at_an_odd_frequency():
    harmonics = {n: (0.3 / n, 40 * n) for n in range(3, 26, 2)}
    check(run([Phase(230, 10, 25, {3: (0.03, 7), 7: (0.02, 80)}, harmonics)] * 3, f_hz=50.37))


def test_dc_is_left_out_or_kept_as_the_board_says():
    phases = [Phase(230, 5, 40, dc=(40000, -30000))]
    # The zero of the crossings follows after the first window, which makes the second one uneven.
    check(run(phases, 1.0))
    kept = run(phases, 1.0, keep_dc=True).engine.quantities
    u_dc, i_dc = 40000 * 60e-6, -30000 * 18e-6
    close(kept.u_uv[0] / 1e6, math.hypot(phases[0].u_rms, u_dc), 1e-4)
    close(kept.i_ua[0] / 1e6, math.hypot(phases[0].i_rms, i_dc), 1e-4)
    close(kept.p_uw[0] / 1e6, phases[0].p + u_dc * i_dc, 1e-4)
    close(kept.q_uvar[0] / 1e6, phases[0].q, 2e-4)
    close(kept.thd_i_ppm[0] / 1e6, 0, 1e-3, 1)


@pytest.mark.row("MET-11")
def test_neutral_current():
    bench = run([Phase(230, 5, 0)], neutral_i=3.21)
    close(bench.engine.quantities.in_ua / 1e6, 3.21, 1e-4)


@pytest.mark.row("MET-26")
def test_phase_angles_of_a_right_rotation():
    quantities = run([Phase(230, 5, 30), Phase(230, 5, -45), Phase(230, 5, 180)]).engine.quantities
    assert [round(quantities.angle_u_mdeg(k) / 100) for k in range(3)] == [0, 1200, 2400]
    assert [round(quantities.angle_ui_mdeg(k) / 100) for k in range(2)] == [300, -450]
    assert abs(round(quantities.angle_ui_mdeg(2) / 100)) == 1800


def test_noise_of_the_converter_does_not_move_power():
    # ADS131M04 at 4 kHz, gain 1: 5.35 uV rms are 37 codes
    bench = run([Phase(230, 0.25, 60)] * 3, noise=37)
    quantities = bench.engine.quantities
    close(quantities.p_uw[0] / 1e6, bench.mains.phases[0].p, 2e-3)
    close(quantities.u_uv[0] / 1e6, 230, 1e-4)
    assert abs(quantities.f_uhz - 50e6) < 1000


@pytest.mark.parametrize(
    ("samples", "rate_hz"),
    [(x, 4000) for x in (-0.99, -0.51, -0.5, -0.13, 0.2, 0.5, 0.7, 0.99)]
    + [(x, 1200) for x in (-0.29, -0.1, 0.13, 0.25)]
    + [(x, 6000) for x in (-1.49, 1.49)],
)
def test_a_phase_error_is_calibrated_away(samples, rate_hz):
    # The current is sampled late by a part of a sample: the voltage has to be delayed as much.
    calibration = Calibration(1)
    calibration.delay_ns[0] = round(samples / rate_hz * 1e9)
    degrees = calibration.delay_ns[0] * 1e-9 * 50 * 360
    for phi_deg, harmonics in ((60, {}), (0, {5: (0.4, 0)})):
        of_u = {n: (ratio / 4, 0) for n, (ratio, _) in harmonics.items()}
        bench = run(
            [Phase(230, 5, phi_deg + degrees, of_u, harmonics)],
            calibration=calibration,
            rate_hz=rate_hz,
        )
        true = Phase(230, 5, phi_deg, of_u, harmonics)
        quantities = bench.engine.quantities
        # All-pass: exact at the fundamental, up to a tenth of a sample off at the fifth
        part = 4e-4 if harmonics else 1e-4
        s = true.u_rms * true.i_rms
        close(quantities.p_uw[0] / 1e6, true.p, part, s)
        close(quantities.q_uvar[0] / 1e6, true.q, part, s)
        close(quantities.u_uv[0] / 1e6, true.u_rms, 1e-4)


def test_a_delay_beyond_a_meters_range_is_refused():
    calibration = Calibration(1)
    calibration.delay_ns[0] = 250_001
    with pytest.raises(ValueError, match="delay"):
        run([Phase()], calibration=calibration)


def test_a_delay_that_the_frame_rate_cannot_make_is_left_out_and_said():
    calibration = Calibration(1)
    calibration.delay_ns[0] = 250_000  # two frames at 8 kHz
    calibration.u_gain_ppb[0] = 10_000_000
    bench = run([Phase(230, 5, 60)], calibration=calibration, rate_hz=8000)
    assert bench.engine.undelayed
    assert abs(bench.engine.quantities.u_uv[0] - 232.3e6) < 1e4  # gains hold
    assert abs(bench.engine.quantities.p_uw[0] - 232.3 * 5 * 0.5e6) < 1e5  # the delay does not
    with pytest.raises(ValueError, match="delay"):
        bench.engine.recalibrate(calibration)
    calibration.delay_ns[0] = 0
    bench.engine.recalibrate(calibration)
    assert not bench.engine.undelayed


def test_gains_and_offsets_of_the_calibration():
    calibration = Calibration(1)
    calibration.u_gain_ppb[0] = 12_345_678
    calibration.i_gain_ppb[0] = -23_456_789
    calibration.i_gain_ppb[1] = 1_000_000
    calibration.p_offset_uw[0] = 1_500_000
    calibration.q_offset_uvar[0] = -2_500_000
    quantities = run([Phase(230, 5, 60)], calibration=calibration, neutral_i=1).engine.quantities
    u, i = 230 * 1.012345678, 5 * 0.976543211
    close(quantities.u_uv[0] / 1e6, u, 1e-6)
    close(quantities.i_ua[0] / 1e6, i, 1e-6)
    close(quantities.in_ua / 1e6, 1.001, 1e-6)
    close(quantities.p_uw[0] / 1e6, u * i * 0.5 + 1.5, 2e-6)
    close(quantities.q_uvar[0] / 1e6, u * i * math.sqrt(0.75) - 2.5, 1e-5)


def test_a_window_agrees_with_the_float_reference_on_the_same_frames():
    phase = Phase(230, 5, 37, {3: (0.05, 20), 7: (0.02, 5)}, {3: (0.2, 10), 9: (0.1, 3)})
    mains = Mains([phase], noise=500, seed=99)
    bench = run([phase])
    bench.mains.noise, bench.mains.random = 500, mains.random
    bench.play(1.0)
    whole = bench.closed[-1]
    assert whole[0]
    # ten cycles of 80 frames, wherever they begin: compare with the mean over many
    frames = bench.source.frames[:4000]
    u = [frame[0] * 60e-6 for frame in frames]
    i = [frame[1] * 18e-6 for frame in frames]
    expected = truth.measure(u, i, 50.0, 4000.0)
    quantities = bench.engine.quantities
    close(quantities.u_uv[0] / 1e6, expected["u"], 2e-4)
    close(quantities.i_ua[0] / 1e6, expected["i"], 2e-4)
    close(quantities.p_uw[0] / 1e6, expected["p"], 3e-4)
    close(quantities.q_uvar[0] / 1e6, expected["q"], 3e-4, expected["s"])
    close(quantities.thd_i_ppm[0] / 1e6, expected["thd_i"], 1e-3, 1)


def test_integer_square_root_and_rounding():
    for value in [*range(300), 2**62 - 1, 2**62, 2**62 + 1, 10**40, 3**101]:
        root = isqrt(value)
        assert root == math.isqrt(value)
    assert isqrt(-5) == 0
    assert [rounded(x, 10) for x in (4, 5, 14, 15, -4, -5, -14, -15)] == [
        0,
        1,
        1,
        2,
        0,
        -1,
        -1,
        -2,
    ]
