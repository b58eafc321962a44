"""Sensors with a tolerance: ratio and phase of a channel, and nothing else, go wrong."""

import math
import sys
from array import array
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "boards" / "sim"))

import pytest
from world import World


def spectrum(world, order=1, count=800):
    """Complex amplitude of a harmonic of every channel, in codes; 10 cycles."""
    frames = array("i", bytes(4 * count * len(world.channels)))
    world.samples(frames, 0, count)
    turns = [2 * math.pi * order * k * 50 / 4000 for k in range(count)]
    result = {}
    for place, name in enumerate(world.channels):
        codes = frames[place :: len(world.channels)]
        real = sum(c * math.cos(t) for c, t in zip(codes, turns, strict=True))
        imaginary = sum(c * math.sin(t) for c, t in zip(codes, turns, strict=True))
        result[name] = complex(real, -imaginary) * 2 / count
    return result


def ratio(one, other, name):
    return one[name] / other[name]


def load(world):
    phase = {"u": 230, "i": 5, "phi_deg": 0, "i_harmonics": {"5": [0.4, 10]}}
    world.set_mains({"phases": [phase] * 3})


def test_a_tolerance_turns_and_scales_its_channel_only():
    plain, wrong = World("3ph", 1), World("3ph", 1)
    load(plain)
    load(wrong)
    told = []
    wrong.before_change.append(lambda: told.append(True))
    wrong.sensor_errors.fault("tolerance", channel="i2", ratio_ppm=-30_000, phase_mdeg=1200)
    assert told
    first, second = spectrum(plain), spectrum(wrong)
    assert abs(ratio(second, first, "i2")) == pytest.approx(0.97, rel=1e-5)
    angle = math.degrees(math.atan2(*reversed(parts(ratio(second, first, "i2")))))
    assert angle == pytest.approx(-1.2, abs=1e-3)
    for name in ("u1", "i1", "u2", "u3", "i3"):
        assert ratio(second, first, name) == pytest.approx(1, abs=1e-5)
    first, second = spectrum(plain, 5), spectrum(wrong, 5)
    angle = math.degrees(math.atan2(*reversed(parts(ratio(second, first, "i2")))))
    assert angle == pytest.approx(-6.0, abs=1e-2)  # the same time is five times the angle
    wrong.sensor_errors.fault("clear")
    assert ratio(spectrum(wrong), spectrum(plain), "i2") == pytest.approx(1, abs=1e-5)


def parts(number):
    return number.real, number.imag


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("tolerance", {}),
        ("tolerance", {"channel": "u9"}),
        ("tolerance", {"channel": 1}),
        ("tolerance", {"channel": "u1", "ratio_ppm": 300_001}),
        ("tolerance", {"channel": "u1", "ratio_ppm": 0.5}),
        ("tolerance", {"channel": "u1", "ratio_ppm": True}),
        ("tolerance", {"channel": "u1", "phase_mdeg": -180_001}),
        ("tolerance", {"channel": "u1", "phase": 1}),
        ("dead", {}),
        ("", {}),
    ],
)
def test_what_is_no_tolerance_is_refused_and_changes_nothing(name, arguments):
    world = World("3ph", 1)
    load(world)
    before = spectrum(world)
    with pytest.raises(ValueError):
        world.sensor_errors.fault(name, **arguments)
    again = World("3ph", 1)
    load(again)
    assert before == spectrum(again)
