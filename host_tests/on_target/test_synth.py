"""The simulated mains: samples against the formula in double precision, noise, clipping, speed.

The reference is the definition in boards/sim/mains.py, evaluated point by point.
"""

import math
import sys
import time
from array import array

from checks import check, report

sys.path.insert(0, "boards/sim")

import mains
import sensors
import synth

_RATE_HZ = 4000
_SEED = 7


def quiet(model="3ph", noise=0.0, seed=_SEED):
    """A converter; without noise unless asked."""
    one = synth.Synth(sensors.channels(model), sensors.scale(model), 1000 * _RATE_HZ, seed)
    one.set_noise(noise)
    return one


def true_code(one, index, components, f_hz, frame):
    """What an ideal converter would give, without rounding."""
    value = 0.0
    angle = 2 * math.pi * f_hz * frame / _RATE_HZ
    for order, rms, phase in components:
        value += rms * math.sqrt(2) * math.sin(order * angle + phase)
    return value / one._lsb[index]


def correlate(codes, channels, index, order, f_hz):
    """Amplitude in codes and phase in degrees over whole cycles."""
    a = b = 0.0
    count = len(codes) // channels
    for frame in range(count):
        angle = order * 2 * math.pi * f_hz * frame / _RATE_HZ
        value = codes[frame * channels + index]
        a += value * math.sin(angle)
        b += value * math.cos(angle)
    a, b = 2 * a / count, 2 * b / count
    return math.sqrt(a * a + b * b), math.degrees(math.atan2(b, a))


def test_every_sample():
    """Each code lies within one of the true value: table, weights and rounding together."""
    state = mains.Mains(3)
    state.apply(
        {
            "f": 49.3,
            "phases": [
                {"u_harmonics": {"5": [0.1, 0], "25": [0.02, 77]}, "i_harmonics": {"5": [0.4, 0]}},
                {"u": 207.0, "i": 0.05, "phi_deg": -60, "i_harmonics": {"2": [0.2, -90]}},
                {"u": 0, "i": 85, "phi_deg": 180},
            ],
        }
    )
    one = quiet()
    one.load(state.f, state.channel)
    count = 300
    out = array("i", bytes(4 * 7 * count))
    one.samples(out, 0, count)
    worst = 0.0
    for index, name in enumerate(one.channels):
        components = state.channel(name)
        for frame in range(count):
            true = true_code(one, index, components, state.f, frame)
            worst = max(worst, abs(out[7 * frame + index] - true))
    # 0.5 of a code is rounding; half of the last bit of the phase step adds up to 0.2, the cubic
    # between the points of a table its part of the high harmonics: below the noise of 5 codes
    check("worst sample", worst < 2, worst)
    print("worst sample off by", worst, "codes")


def test_amplitude_and_phase():
    for f_hz in (50.0, 60.0, 40.0):
        state = mains.Mains(3)
        state.apply({"f": f_hz, "phases": [{"phi_deg": 60, "i_harmonics": {"7": [0.3, 33]}}]})
        one = quiet()
        one.load(f_hz, state.channel)
        out = array("i", bytes(4 * 7 * 2000))
        one.samples(out, 0, 2000)
        amplitude, degrees = correlate(out, 7, 0, 1, f_hz)
        true = 230 * math.sqrt(2) / one._lsb[0]
        check("amplitude of u1", abs(amplitude / true - 1) < 1e-6, f_hz, amplitude / true - 1)
        check("phase of u1", abs(degrees) < 0.001, f_hz, degrees)
        amplitude, degrees = correlate(out, 7, 1, 1, f_hz)
        true = 5 * math.sqrt(2) / one._lsb[1]
        check("amplitude of i1", abs(amplitude / true - 1) < 1e-6, f_hz, amplitude / true - 1)
        check("current lags by 60", abs(degrees + 60) < 0.001, f_hz, degrees)
        amplitude, degrees = correlate(out, 7, 1, 7, f_hz)
        check("7th harmonic", abs(amplitude / true - 0.3) < 1e-6, f_hz, amplitude / true)
        # 33 degrees ahead of seven times the fundamental's own phase
        error = (degrees - (33 - 7 * 60) + 180) % 360 - 180
        check("phase of the 7th", abs(error) < 0.001, f_hz, error)
        amplitude, degrees = correlate(out, 7, 2, 1, f_hz)
        check("L2 lags by 120", abs(degrees + 120) < 0.001, f_hz, degrees)


def test_neutral_is_the_sum():
    state = mains.Mains(3)
    state.apply({"phases": [{"i": 3}, {"i": 5}, {"i": 8, "i_harmonics": {"3": [0.5, 10]}}]})
    one = quiet()
    one.load(state.f, state.channel)
    out = array("i", bytes(4 * 7 * 160))
    one.samples(out, 0, 160)
    worst = 0
    for frame in range(160):
        at = 7 * frame
        worst = max(worst, abs(out[at + 1] + out[at + 3] + out[at + 5] - out[at + 6]))
    check("neutral carries the sum", worst <= 2, worst)
    state.apply({"neutral_i": 2.5})
    one.load(state.f, state.channel)
    one.samples(out, 160, 160)
    amplitude, _ = correlate(out, 7, 6, 1, 50.0)
    check("neutral set", abs(amplitude * one._lsb[6] / math.sqrt(2) - 2.5) < 1e-5, amplitude)


def test_phase_goes_on():
    """A change of the mains is no jump of the phase; a gap is the time it lasts."""
    state = mains.Mains(1)
    one = quiet("1ph")
    one.load(50.0, state.channel)
    out = array("i", bytes(4 * 3 * 100))
    one.samples(out, 0, 10)
    state.apply({"f": 60.0})
    one.load(60.0, state.channel)
    one.samples(out, 10, 10)
    lsb = one._lsb[0]
    angle = 2 * math.pi * (50.0 * 10 + 60.0 * 3) / _RATE_HZ
    true = 230 * math.sqrt(2) * math.sin(angle) / lsb
    check("phase over a change", abs(out[9] - true) < 3, out[9], true)
    one.samples(out, 1020, 1)
    angle += 2 * math.pi * 60.0 * 1007 / _RATE_HZ
    true = 230 * math.sqrt(2) * math.sin(angle) / lsb
    check("phase over a gap", abs(out[0] - true) < 30, out[0], true)
    same, parts = array("i", bytes(4 * 300)), array("i", bytes(4 * 300))
    a, b = quiet("1ph", 37.0), quiet("1ph", 37.0)
    for each in (a, b):
        each.load(49.9, state.channel)
    a.samples(same, 0, 100)
    for first in range(0, 100, 20):
        b.samples(memoryview(parts)[3 * first :], first, 20)
    check("blocks do not show", same == parts)


def test_noise():
    one = quiet("1ph", sensors.NOISE_LSB)
    out = array("i", bytes(4 * 3 * 8000))
    one.samples(out, 0, 8000)
    for index in range(3):
        values = [out[k] for k in range(index, 24000, 3)]
        mean = sum(values) / 8000
        power = sum(value * value for value in values) / 8000
        check("noise has no mean", abs(mean) < 3, mean)
        check("noise has its RMS", abs(math.sqrt(power) / sensors.NOISE_LSB - 1) < 0.05, power)
        pairs = sum(out[k] * out[k + 3] for k in range(index, 3 * 7999, 3)) / 7999
        check("noise is white", abs(pairs / power) < 0.05, pairs / power)
    cross = sum(out[k] * out[k + 1] for k in range(0, 24000, 3)) / 8000
    check("channels' noise is independent", abs(cross / power) < 0.05, cross / power)
    again = array("i", bytes(4 * 3 * 100))
    quiet("1ph", sensors.NOISE_LSB).samples(again, 0, 100)
    check("same seed, same noise", again == out[:300])
    quiet("1ph", sensors.NOISE_LSB, seed=8).samples(again, 0, 100)
    check("other seed, other noise", again != out[:300])


def test_clipping():
    state = mains.Mains(3)
    state.apply({"phases": [{"u": 600, "i": 250, "u_harmonics": {"3": [9.9, 0]}}] * 3})
    one = quiet("ct", sensors.NOISE_LSB)
    one.load(50.0, state.channel)
    out = array("i", bytes(4 * 7 * 80))
    one.samples(out, 0, 80)
    check("clips at the top", max(out) == sensors.CODE_MAX, max(out))
    check("clips at the bottom", min(out) == sensors.CODE_MIN, min(out))
    # at the crest nothing wraps round: the code has the wave's sign
    wrong = 0
    for frame in range(80):
        for index in (0, 1):
            name = one.channels[index]
            true = true_code(one, index, state.channel(name), 50.0, frame)
            if abs(true) > 2 * sensors.CODE_MAX and out[7 * frame + index] * true < 0:
                wrong += 1
    check("no code has the wrong sign", wrong == 0, wrong)


def test_speed():
    state = mains.Mains(3)
    one = quiet("3ph", sensors.NOISE_LSB)
    one.load(50.0, state.channel)
    out = array("i", bytes(4 * 7 * 400))
    least_us = 1_000_000
    for block in range(20):
        start_us = time.ticks_us()
        one.samples(out, 400 * block, 400)
        least_us = min(least_us, time.ticks_diff(time.ticks_us(), start_us))
    print("us per frame:", least_us / 400)
    # a hundred times what it takes here: a guard against an interpreted loop, not a benchmark
    check("frames keep up", least_us < 400 * 10)


test_every_sample()
test_amplitude_and_phase()
test_neutral_is_the_sum()
test_phase_goes_on()
test_noise()
test_clipping()
test_speed()
report()
