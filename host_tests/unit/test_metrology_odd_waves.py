"""Waves that no bench gives: their energy is that of the codes, summed in double precision.

The current is off before and after, so that the reference is the plain sum over all frames: no
window's end, no lost cycle and no wrong period can hide. Limit: 0.01 % of the energy, and of the
apparent one where the power factor is small.
"""

import math
import sys
from pathlib import Path
from random import Random

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from metrology_bench import I_A_PER_LSB, U_V_PER_LSB, Scale, Source, Variant

from metrology.calibration import Calibration
from metrology.engine import Engine

RATE_HZ = 4000
FRAMES = RATE_HZ
QUIET = RATE_HZ // 2
PEAK_V = 325.27


def sine(f_hz, k, lag=0.0):
    return math.sin(2 * math.pi * f_hz * k / RATE_HZ - lag)


def supply(k):
    return PEAK_V * sine(50, k)


def ramp(k):
    """Turns of a frequency that goes 1.5 Hz a second: 48.5 to 51.5 Hz."""
    s = k / RATE_HZ
    return 48.5 * s + 0.75 * s * s


def clipped(value, most):
    return max(-most, min(most, value))


WAVES = {
    "flat-topped": (
        lambda k: clipped(1.1 * supply(k), 0.85 * PEAK_V),
        lambda k: clipped(10 * sine(50, k), 7),
    ),
    "3rd, 5th and 7th with angles": (
        lambda k: supply(k) + 20 * sine(150, k, -1) + 26 * sine(250, k, 2) + 16 * sine(350, k, 4),
        lambda k: 8 * sine(50, k, 0.7) + 4 * sine(150, k, -2) + 2.4 * sine(250, k, 1),
    ),
    "offsets of the converter": (
        lambda k: supply(k) + 0.03 * PEAK_V,
        lambda k: 5 * sine(50, k, 1.0472) + 2,
    ),
    "25 Hz and 82 Hz": (
        lambda k: supply(k) + 3 * sine(25, k) + 1.6 * sine(82, k),
        lambda k: 7 * sine(50, k) + 2.1 * sine(25, k) + 1.4 * sine(82, k),
    ),
    "frequency ramp": (
        lambda k: PEAK_V * math.sin(2 * math.pi * ramp(k)),
        lambda k: 7 * math.sin(2 * math.pi * ramp(k) - 0.5),
    ),
    "bursts of two cycles": (supply, lambda k: 7 * sine(50, k) if k // 160 % 2 else 0),
    "bursts of 7 ms": (supply, lambda k: 9 * sine(50, k) if k % 364 < 28 else 0),
    "half waves": (supply, lambda k: max(0, 20 * sine(50, k))),
    "dimmer": (supply, lambda k: 7 * sine(50, k) if k % 40 >= 30 else 0),
    "power factor 0.02": (supply, lambda k: 7 * sine(50, k, math.acos(0.02))),
    "ringing at the crossings": (
        lambda k: supply(k) + (39 * sine(1700, k) if k % 40 in (38, 39, 0, 1, 2) else 0),
        lambda k: 7 * sine(50, k - 5),
    ),
    "three crossings a half cycle": (
        lambda k: supply(k) - 146 * sine(150, k),
        lambda k: 7 * sine(50, k) - 3.15 * sine(150, k),
    ),
    "steps every 37 ms": (supply, lambda k: Random(k // 148).uniform(0.1, 20) * sine(50, k)),
    "squares": (supply, lambda k: 10 if sine(50, k) > 0.3 else -10 if sine(50, k) < -0.3 else 0),
    "29th, 31st and 37th": (
        lambda k: supply(k) + 10 * sine(1450, k) + 6 * sine(1550, k) + 6 * sine(1850, k),
        lambda k: 6 * sine(50, k) + 2 * sine(1450, k) + 2 * sine(1550, k) + sine(1850, k),
    ),
}


@pytest.mark.parametrize("name", WAVES)
def test_the_energy_of_an_odd_wave_is_that_of_its_codes(name):
    u_of, i_of = WAVES[name]
    codes = [(round(u_of(k) / U_V_PER_LSB), round(i_of(k) / I_A_PER_LSB)) for k in range(FRAMES)]
    quiet = [(u, 0, 0) for u, _ in codes[:QUIET]]  # whole cycles of all but the ramp
    source = Source(3)
    engine = Engine(source, Scale(1), Variant(1), Calibration(1))
    source.frames = quiet + [(u, i, 0) for u, i in codes] + quiet
    engine.poll()
    engine.close()
    counted_j = (engine.energies.total_uws(0) - engine.energies.total_uws(1)) / 1e6
    joules = U_V_PER_LSB * I_A_PER_LSB / RATE_HZ
    mean_u = math.fsum(u for u, _ in codes) / FRAMES  # DC is removed
    true_j = math.fsum((u - mean_u) * i for u, i in codes) * joules
    square = math.fsum(u * u for u, _ in codes) * math.fsum(i * i for _, i in codes)
    assert abs(counted_j - true_j) <= 1e-4 * max(true_j, 0.5 * math.sqrt(square) * joules)
