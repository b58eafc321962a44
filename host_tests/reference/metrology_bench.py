"""A test bench for metrology: variants, sensor scales, frame sources and mains made of sines.

Unlike the simulated board's world it works in plain floats on CPython and knows the truth of
every quantity it plays.
"""

import importlib.util
import math
import random
from array import array
from pathlib import Path

from metrology.calibration import Calibration
from metrology.engine import Engine

_spec = importlib.util.spec_from_file_location(
    "metrology_truth", Path(__file__).parent / "metrology.py"
)
truth = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(truth)

U_V_PER_LSB = 60e-6  # 503 V peak at full scale
I_A_PER_LSB = 18e-6  # 151 A peak
ROOT2 = math.sqrt(2)


class Variant:
    def __init__(self, phases=3, f_hz=50, transformer=False, pulses_per_kwh=1000):
        self.name = "ct" if transformer else f"{phases}ph"
        self.phases = phases
        self.nominal_voltage_v = 230
        self.nominal_frequency_hz = f_hz
        self.reference_current_ma = 5000
        self.maximum_current_ma = 6000 if transformer else 85000
        self.transformer = transformer
        self.pulses_per_kwh = pulses_per_kwh


class Scale:
    def __init__(self, phases=3, keep_dc=False):
        self.u_pv_per_lsb = [round(U_V_PER_LSB * 1e12)] * phases
        self.i_pa_per_lsb = [round(I_A_PER_LSB * 1e12)] * (phases + 1)
        self.keep_dc = keep_dc


class Source:
    """Plays frames (tuples of codes) in blocks; `more` appends to what is still to come."""

    def __init__(self, channels, rate_hz=4000, block=40):
        self.rate_mhz = round(rate_hz * 1000)
        self.channels = channels
        self.lost = 0
        self.skew_ns = [0] * 3
        self.errors = 0
        self.block = block
        self.frames = []
        self.at = 0

    def start(self):
        pass

    async def wait(self):
        pass

    def take(self, frames, limit):
        part = self.frames[self.at : self.at + min(limit, self.block)]
        self.at += len(part)
        for k, frame in enumerate(part):
            frames[k * self.channels : (k + 1) * self.channels] = array("i", frame)
        return len(part)


class Phase:
    """One phase's truth: RMS values of the fundamental, lag, harmonics {n: (ratio, degrees)}."""

    def __init__(self, u=230.0, i=5.0, phi_deg=0.0, u_harmonics=None, i_harmonics=None, dc=(0, 0)):
        self.u, self.i, self.phi = u, i, math.radians(phi_deg)
        self.u_harmonics = u_harmonics or {}
        self.i_harmonics = i_harmonics or {}
        self.dc = dc  # codes

    @property
    def u_rms(self):
        return self.u * math.sqrt(1 + sum(r * r for r, _ in self.u_harmonics.values()))

    @property
    def i_rms(self):
        return self.i * math.sqrt(1 + sum(r * r for r, _ in self.i_harmonics.values()))

    @property
    def p(self):
        total = math.cos(self.phi)
        for n, (ratio, angle) in self.u_harmonics.items():
            if n in self.i_harmonics:
                other, its_angle = self.i_harmonics[n]
                lag = n * self.phi + math.radians(angle - its_angle)
                total += ratio * other * math.cos(lag)
        return self.u * self.i * total

    @property
    def q(self):
        return self.u * self.i * math.sin(self.phi)

    @property
    def thd_u(self):
        return math.sqrt(sum(r * r for r, _ in self.u_harmonics.values()))

    @property
    def thd_i(self):
        return math.sqrt(sum(r * r for r, _ in self.i_harmonics.values()))


class Mains:
    """Phases (sequence L1 L2 L3) at one frequency; time runs on from call to call."""

    def __init__(self, phases, f_hz=50.0, rate_hz=4000.0, noise=0.0, neutral_i=0.0, seed=7):
        self.phases = phases
        self.f_hz = f_hz
        self.rate_hz = rate_hz
        self.noise = noise
        self.neutral_i = neutral_i
        self.random = random.Random(seed)
        self.turn = 0.05  # of the first voltage, in turns

    def frame(self):
        angle = 2 * math.pi * self.turn
        self.turn = (self.turn + self.f_hz / self.rate_hz) % 1.0
        frame = []
        for k, phase in enumerate(self.phases):
            u_angle = angle - 2 * math.pi * k / 3
            u = _wave(u_angle, phase.u_harmonics) * phase.u * ROOT2 / U_V_PER_LSB
            i = _wave(u_angle - phase.phi, phase.i_harmonics) * phase.i * ROOT2 / I_A_PER_LSB
            frame += [self._code(u + phase.dc[0]), self._code(i + phase.dc[1])]
        frame.append(self._code(self.neutral_i * ROOT2 / I_A_PER_LSB * math.sin(angle)))
        return tuple(frame)

    def frames(self, count):
        return [self.frame() for _ in range(count)]

    def _code(self, value):
        if self.noise:
            value += self.random.gauss(0, self.noise)
        return max(-(1 << 23), min((1 << 23) - 1, round(value)))


def _wave(angle, harmonics):
    value = math.sin(angle)
    for n, (ratio, degrees) in harmonics.items():
        value += ratio * math.sin(n * angle + math.radians(degrees))
    return value


class Bench:
    """An engine with its source; `play` feeds seconds of a mains to it."""

    def __init__(self, mains, keep_dc=False, calibration=None, **variant):
        phases = len(mains.phases)
        self.mains = mains
        self.source = Source(2 * phases + 1, mains.rate_hz)
        self.engine = Engine(
            self.source,
            Scale(phases, keep_dc),
            Variant(phases, **variant),
            calibration or Calibration(phases),
        )
        self.engine.keep_waves()
        self.engine.watch_half_cycles()
        self.closed = []  # (whole, frames_q16, cycles) of each window
        self.engine.tap = lambda sums: self.closed.append(
            (sums.whole, sums.frames_q16, sums.cycles)
        )

    def play(self, seconds):
        self.source.frames = self.mains.frames(round(seconds * self.mains.rate_hz))
        self.source.at = 0
        self.engine.poll()
        return self.engine.quantities


def run(phases, seconds=0.7, keep_dc=False, calibration=None, variant=None, **mains):
    """Play a steady mains to a new engine; return the bench."""
    bench = Bench(
        Mains(phases, **mains), keep_dc=keep_dc, calibration=calibration, **(variant or {})
    )
    bench.play(seconds)
    return bench


class PlayedOutput:
    """A `hal.PulseOutput` that notes what it is given, spans end to end."""

    def __init__(self):
        self.now_us = 0
        self.rises_us = []
        self.widths_us = []
        self.lit = False
        self.inverted = False
        self.flushes = 0

    def train(self, count, first_q8, step_q8, width_us, span_us):
        for k in range(count):
            self.rises_us.append(self.now_us + (first_q8 + k * step_q8 >> 8))
            self.widths_us.append(width_us)
        self.now_us += span_us

    def steady(self, lit):
        self.lit = lit

    def invert(self, inverted):
        self.inverted = inverted

    def flush(self):
        self.flushes += 1
