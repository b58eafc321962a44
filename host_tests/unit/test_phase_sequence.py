"""The order of the phases: recognised, and no matter to what is measured."""

import math
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from metrology_bench import Bench, Mains, Phase


class Turned(Mains):
    """Phases at any angles, in degrees: how far each voltage lags behind the first."""

    angles = (0, 120, 240)

    def frame(self):
        whole = list(super().frame())
        at = self.turn - self.f_hz / self.rate_hz
        for k, phase in enumerate(self.phases):
            angle = 2 * math.pi * (at - self.angles[k] / 360)
            whole[2 * k] = round(phase.u * math.sqrt(2) * math.sin(angle) / 60e-6)
            whole[2 * k + 1] = round(phase.i * math.sqrt(2) * math.sin(angle - phase.phi) / 18e-6)
        return tuple(whole)


def turned(angles, voltages=(230, 230, 230), **options):
    bench = Bench(Turned([Phase(u, 5, 30) for u in voltages], **options))
    bench.mains.angles = angles
    bench.play(0.7)
    return bench.engine


@pytest.mark.row("MET-31")
@pytest.mark.parametrize(
    ("angles", "rotation"),
    [
        ((0, 120, 240), 1),
        ((0, 240, 120), -1),  # L2 and L3 swapped
        ((120, 0, 240), -1),  # L1 and L2
        ((240, 0, 120), 1),  # all one place on
        ((0, 100, 230), 1),
        ((0, 0, 0), 0),  # one phase on all terminals
        ((0, 180, 0), 0),
    ],
)
def test_the_rotation_is_recognised_and_does_not_change_what_is_measured(angles, rotation):
    engine = turned(angles)
    assert engine.quantities.rotation() == rotation
    expected = 3 * 230 * 5 * math.cos(math.radians(30))
    assert abs(engine.quantities.p_total_uw / 1e6 / expected - 1) < 1e-4
    assert abs(engine.quantities.q_total_uvar / 1e6 - 3 * 230 * 2.5) < 2e-4 * 3450


@pytest.mark.row("MET-31")
@pytest.mark.parametrize("voltages", [(230, 230, 0), (230, 100, 230), (0, 0, 0)])
def test_with_a_phase_missing_nothing_is_said_of_the_order(voltages):
    assert turned((0, 240, 120), voltages).quantities.rotation() == 0


def test_a_single_phase_meter_has_no_order():
    bench = Bench(Mains([Phase()]))
    bench.play(0.7)
    assert bench.engine.quantities.rotation() == 0
