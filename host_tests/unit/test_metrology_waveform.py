"""Waveforms and harmonics of the last two cycles, against what was played.

The truth is the mains' own list of harmonics. Limit: 0.01 % of the fundamental for the wave and
for every harmonic; the very highest, whose mirror image stands next to it, may be 3 % of its own
off.
"""

import math
import sys
from array import array
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from metrology_bench import I_A_PER_LSB, U_V_PER_LSB, Bench, Mains, Phase, run

from metrology.waveform import HARMONICS, History

FREQUENCIES = (45.0, 47.3, 50.0, 50.02, 52.9, 60.0, 65.0)


def highest(f_hz, rate_hz=4000):
    """The last harmonic that does not meet its mirror image within a cycle's resolution."""
    return min(HARMONICS, math.floor((rate_hz / f_hz - 1) / 2))


def rich(f_hz, part=0.5, rate_hz=4000):
    """A phase with every harmonic that the frame rate can tell, each another size and angle."""
    orders = range(2, highest(f_hz, rate_hz) + 1)
    return Phase(
        231.0,
        7.0,
        35.0,
        {n: (part * 0.1 / n, 37.0 * n % 360) for n in orders},
        {n: (part / n, 61.0 * n % 360) for n in orders},
    )


@pytest.mark.parametrize("f_hz", FREQUENCIES)
def test_every_harmonic_is_what_was_played(f_hz):
    phases = [rich(f_hz), rich(f_hz, 0.2), Phase(229.0, 0.05, -80.0, {}, {5: (0.4, 0)})]
    capture = run(phases, f_hz=f_hz).engine.capture()
    assert capture.orders == highest(f_hz)
    for k, phase in enumerate(phases):
        for n in range(1, capture.orders + 1):
            u = phase.u_harmonics.get(n, (0, 0))[0] if n > 1 else 1.0
            i = phase.i_harmonics.get(n, (0, 0))[0] if n > 1 else 1.0
            got_u, got_i = capture.harmonic(2 * k, n) / 1e6, capture.harmonic(2 * k + 1, n) / 1e6
            own = 0.03 if n == capture.orders else 0.0
            assert abs(got_u / phase.u - u) <= 1e-4 + own * u, (f_hz, k, n)
            assert abs(got_i / phase.i - i) <= 1e-4 + own * i, (f_hz, k, n)


@pytest.mark.parametrize("f_hz", (50.0, 60.0, 65.0))
def test_8000_frames_a_second_tell_all_forty(f_hz):
    phase = rich(f_hz, rate_hz=8000)
    capture = run([phase] * 3, f_hz=f_hz, rate_hz=8000).engine.capture()
    assert capture.orders == highest(f_hz, 8000) == HARMONICS
    for n in range(2, HARMONICS + 1):
        ratio = phase.i_harmonics[n][0]
        assert abs(capture.harmonic(1, n) / 1e6 / phase.i - ratio) <= 1e-4 * 2, n


@pytest.mark.parametrize("f_hz", (45.0, 50.0, 60.0, 65.0))
def test_distortion_by_rms_and_by_harmonics_agree(f_hz):
    phase = rich(f_hz)
    bench = run([phase] * 3, f_hz=f_hz)
    capture = bench.engine.capture()
    for channel, ppm, truth in (
        (0, bench.engine.quantities.thd_u_ppm[0], phase.thd_u),
        (1, bench.engine.quantities.thd_i_ppm[0], phase.thd_i),
    ):
        values = [capture.harmonic(channel, n) for n in range(1, capture.orders + 1)]
        by_harmonics = math.hypot(*values[1:]) / values[0]
        assert abs(by_harmonics - truth) <= 1e-3
        assert abs(ppm / 1e6 - truth) <= 1e-3


@pytest.mark.parametrize("f_hz", FREQUENCIES)
def test_the_wave_is_the_last_two_cycles_from_a_rise_on(f_hz):
    phase = Phase(230.0, 5.0, 30.0, dc=(5000, -3000))
    bench = run([phase], f_hz=f_hz)
    capture = bench.engine.capture()
    assert capture.count == math.floor(2 * 4000 / f_hz) + 1
    assert abs(capture.f_uhz / 1e6 - f_hz) < 1e-3
    u = [capture.micro(0, k) / 1e6 for k in range(capture.count)]
    i = [capture.micro(1, k) / 1e6 for k in range(capture.count)]
    peak = 230 * math.sqrt(2)
    start = math.asin(max(-1.0, min(1.0, u[0] / peak)))
    assert 0 <= start <= 2 * math.pi * f_hz / 4000 + 1e-3  # within a frame after the rise
    for k in range(capture.count):
        angle = start + 2 * math.pi * f_hz / 4000 * k
        assert abs(u[k] - peak * math.sin(angle)) <= 1e-4 * peak * 2
        expected = 5 * math.sqrt(2) * math.sin(angle - math.radians(30))
        assert abs(i[k] - expected) <= 2e-4 * 5 * math.sqrt(2)


def test_the_frames_are_the_newest_whatever_the_blocks_were():
    bench = Bench(Mains([Phase(), Phase(), Phase()], f_hz=50.3))
    for block in (64, 1, 7, 40, 63):
        bench.source.block = block
        bench.play(0.3)
        capture = bench.engine.capture()
        codes = [round(capture.micro(2, k) / 1e6 / U_V_PER_LSB) for k in range(capture.count)]
        played = [frame[2] for frame in bench.source.frames]
        back = len(played) - capture.count
        ends = [at for at in range(back, back - 82, -1) if abs(played[at] - codes[0]) <= 300]
        assert any(
            all(abs(a - b) <= 300 for a, b in zip(codes, played[at:], strict=False)) for at in ends
        )


def test_a_lost_frame_leaves_no_capture_over_the_gap():
    bench = run([Phase()] * 3)
    bench.engine.capture()
    bench.source.lost += 1
    bench.play(0.01)
    with pytest.raises(ValueError, match="two cycles"):
        bench.engine.capture()
    bench.play(0.1)
    bench.engine.capture()


def test_before_two_cycles_there_is_nothing_to_show():
    bench = Bench(Mains([Phase()] * 3))
    bench.play(0.03)
    with pytest.raises(ValueError, match="two cycles"):
        bench.engine.capture()


def test_waves_that_nobody_keeps_are_kept_once_they_are_asked_for():
    bench = Bench(Mains([Phase()] * 3))
    bench.engine._history = None
    bench.engine.keepers.clear()
    bench.play(0.3)
    with pytest.raises(ValueError, match="two cycles"):
        bench.engine.capture()
    bench.source.lost += 1
    bench.play(0.1)
    assert bench.engine.capture().channels == 7


@pytest.mark.parametrize("order", (-1, 0, 40, 41, 1000))
def test_an_order_that_the_frames_cannot_hold_is_refused(order):
    # The 40th of 50 Hz lies at half the frame rate: it cannot be told from its mirror image.
    capture = run([Phase()] * 3).engine.capture()
    assert capture.orders == 39
    with pytest.raises(ValueError, match="harmonic"):
        capture.harmonic(0, order)


def test_a_capture_stays_while_the_engine_goes_on():
    bench = run([Phase(230, 5)] * 3)
    capture = bench.engine.capture()
    before = [capture.micro(1, k) for k in range(capture.count)]
    bench.mains.phases = [Phase(230, 20)] * 3
    bench.play(0.5)
    assert [capture.micro(1, k) for k in range(capture.count)] == before
    assert abs(bench.engine.capture().harmonic(1, 1) / 1e6 - 20) < 0.01


@pytest.mark.parametrize("i_a", (0.0, 2e-5, 0.02, 80.0))
def test_small_and_large_currents_keep_their_digits(i_a):
    capture = run([Phase(230, i_a, 0, {}, {3: (0.25, 90)})] * 3).engine.capture()
    lsb = I_A_PER_LSB
    assert abs(capture.harmonic(1, 1) / 1e6 - i_a) <= 1e-4 * i_a + lsb / 4
    assert abs(capture.harmonic(1, 3) / 1e6 - i_a / 4) <= 1e-4 * i_a + lsb / 4


def test_full_scale_square_waves_do_not_overflow():
    top = (1 << 23) - 1
    bench = Bench(Mains([Phase()] * 3))
    bench.source.frames = [((top if (k // 40) % 2 else -top - 1),) * 7 for k in range(4000)]
    bench.engine.poll()
    capture = bench.engine.capture()
    # a square wave of 80 frames, by the sum of its frames: 4/N / sin(pi n / N) at odd n
    for n in range(1, 40):
        ratio = 2 / 40 / math.sin(math.pi * n / 80) if n % 2 else 0.0
        expected = (top + 0.5) * U_V_PER_LSB * ratio / math.sqrt(2)
        assert abs(capture.harmonic(0, n) / 1e6 - expected) <= 2e-4 * 503


def test_history_runs_round_its_ring_in_order():
    history = History(2, 1_000_000)
    assert history.frames == 68
    at = 0
    for count in (64, 3, 1, 64, 5, 31, 64):
        block = array("i", [0] * 128)
        for k in range(count):
            block[2 * k], block[2 * k + 1] = at, -at
            at += 1
        history.add(block, count)
        kept = min(at, 68)
        assert history.kept == kept
        for wanted in (1, 2, kept - 1, kept):
            got = history.newest(wanted)
            assert list(got[::2]) == list(range(at - wanted, at))
            assert list(got[1::2]) == [-x for x in range(at - wanted, at)]
