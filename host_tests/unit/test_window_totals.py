"""Totals at a moment: shares of a window, windows that come late or many at once, lost frames."""

import random
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

import pytest
from demand_rig import Energies
from metrology_bench import Bench, Mains, Phase

from app import ticks
from app.tariff.window_totals import WindowTotals
from metrology.energy import A_IMPORT, A_NET

TICKS = 1 << 30
KW = 1_000_000_000  # micro-watt-seconds of a kW in a millisecond are a thousandth of this


class Engine:
    rate_mhz = 4_000_000

    def __init__(self):
        self.energies = Energies()
        self.frames_q16 = 0


class Stage:
    """Windows by hand: measured time in ms, and the ticks at which somebody looks."""

    def __init__(self, monkeypatch, now_ms=1000):
        self.now_ms = now_ms
        monkeypatch.setattr(ticks, "now_ms", lambda: self.now_ms % TICKS)
        self.engine = Engine()
        self.totals = WindowTotals(self.engine)

    def window(self, measured_ms=200, passed_ms=200, kw=1):
        self.now_ms += passed_ms
        self.engine.energies.add(A_IMPORT, kw * KW // 1000 * measured_ms)
        self.engine.energies.add(A_NET, -kw * KW // 1000 * measured_ms)
        self.engine.frames_q16 = 4 * 65536 * measured_ms
        self.totals.window()

    def at(self, late_ms, index=A_IMPORT):
        """Kilowatt-milliseconds so long before now."""
        return self.totals.at_uws(index, (self.now_ms - late_ms) % TICKS) * 1000 // KW


@pytest.fixture
def stage(monkeypatch):
    return Stage(monkeypatch)


def test_a_moment_of_the_last_window_gets_its_share(stage):
    stage.window(kw=0)
    stage.window()
    assert [stage.at(late_ms) for late_ms in (0, 50, 150, 200, 5000)] == [200, 150, 50, 0, 0]
    assert stage.at(50, A_NET) == -150


def test_a_moment_after_it_gets_what_it_would_have_given(stage):
    stage.window()
    stage.now_ms += 120
    assert stage.at(0) == 320
    assert stage.at(20) == 300
    stage.now_ms += 5000  # no window for so long: nothing has been measured
    assert stage.at(0) == 200


def test_a_window_that_is_looked_at_late_ended_when_its_frames_did(stage):
    for _ in range(10):
        stage.window()
    chance = random.Random(5)
    late_ms = 0
    for counted in range(200):
        next_ms = chance.randrange(150)
        stage.window(200, 200 + next_ms - late_ms)
        late_ms = next_ms
        assert stage.at(late_ms) == pytest.approx((10 + counted + 1) * 200, abs=12)
    assert stage.at(0) == pytest.approx(210 * 200 + late_ms, abs=12)


def test_windows_of_two_seconds_at_once_leave_a_rest_that_is_no_loss(stage):
    """As leaps of simulated time hand them over: 1990 ms of frames every 2 s, at times two."""
    stage.window()
    measured_ms = passed_ms = 0
    for _ in range(400):
        passed_ms += 2000
        count = (passed_ms - measured_ms) // 1990
        for number in range(count):
            stage.window(1990, 2000 if number == 0 else 0)
        measured_ms += 1990 * count
        assert stage.at(0) == pytest.approx(200 + passed_ms, rel=0.0002, abs=20)


def test_lost_frames_are_time_that_nobody_measured(stage):
    for _ in range(5):
        stage.window()
    stage.window(200, 10_200)
    assert stage.at(0) == 1200
    stage.now_ms += 100
    assert stage.at(0) == 1300


def test_a_crystal_that_runs_away_is_followed(stage):
    """The processor counts 100 ppm more than the converter: an hour of it is 360 ms."""
    for second in range(3600):
        stage.window(1000, 1000 + (second % 10 == 0))
    assert stage.at(0) == pytest.approx(3_600_000, abs=60)


def test_ticks_that_begin_anew_and_totals_that_are_set_do_no_harm(monkeypatch):
    stage = Stage(monkeypatch, TICKS - 500)
    for _ in range(10):
        stage.window()
    assert stage.at(0) == 2000
    assert stage.at(100) == 1900
    stage.engine.energies.wh[A_IMPORT] = 77
    stage.totals.forget()
    assert stage.totals.at_uws(A_IMPORT, stage.now_ms % TICKS) == stage.engine.energies.total(
        A_IMPORT
    )


def test_the_engines_own_windows_are_parted_on_the_millisecond(monkeypatch):
    """Real windows of a real engine: the energy up to any moment is power times time."""
    bench = Bench(Mains([Phase(230, 10, 0)] * 3))
    now_ms = [0]
    monkeypatch.setattr(ticks, "now_ms", lambda: now_ms[0] % TICKS)
    totals = WindowTotals(bench.engine)
    ended_ms = []

    def window():
        now_ms[0] += round(bench.engine.frames_q16 * 1_000_000 / 65536 / bench.engine.rate_mhz)
        totals.window()
        ended_ms.append(now_ms[0])

    bench.engine.on_window.append(window)
    bench.play(4)
    assert len(ended_ms) > 15
    first_ms = ended_ms[-1] - 150
    half = totals.at_uws(A_IMPORT, first_ms + 100) - totals.at_uws(A_IMPORT, first_ms)
    assert half / 1e6 == pytest.approx(6900 * 0.1, rel=0.002)
    beyond = totals.at_uws(A_IMPORT, ended_ms[-1] + 100) - totals.at_uws(A_IMPORT, ended_ms[-1])
    assert beyond / 1e6 == pytest.approx(6900 * 0.1, rel=0.002)
