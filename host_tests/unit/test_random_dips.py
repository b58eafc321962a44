"""A thousand random sags through the half-cycle kernel and what finds sags, against floats."""

import random
import sys
from array import array
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

from dips import cycle_rms, dips, first_crossing, wave
from quality_rig import QualityRig

from app.quality import limits
from app.quality.disturbances import DURATION_MS, MAGNITUDE_MV, NUMBER, SAGS, Disturbances
from metrology.half_cycle import HalfCycles

SAGS_EACH = 250
RATE_HZ = 4000
NOMINAL_V = 230
THRESHOLD_V, HYSTERESIS_V = 0.8 * NOMINAL_V, 0.02 * NOMINAL_V
U_V_PER_LSB = 60e-6
BLOCK = 40  # frames
WINDOW = 20  # blocks
DEPTH_V = 0.005 * NOMINAL_V
FRAMES = 2 * BLOCK * WINDOW  # two windows: a sag and calm around it
FIRST = 200  # frame in which the earliest begins


class Line:
    """Three phases of waves through the real ring of half cycles to what looks for sags."""

    def __init__(self, f_hz):
        self.rig = rig = QualityRig(3)
        self.turn = f_hz / RATE_HZ  # of a frame
        rig.limits.set(limits.SAG_S, 0)
        rig.limits.set(limits.CUT, 100)  # 10 V: all are sags
        u_pv = [round(U_V_PER_LSB * 1e12)] * 3
        rig.engine.half_cycles = self.ring = HalfCycles(u_pv, 6, RATE_HZ * 1000, 50_000_000)
        rig.engine.frames_q16 = BLOCK * WINDOW << 16
        self.ring.set_frequency(round(f_hz * 1e6))
        self.ring.set_zero([0, 0, 0])
        self.watch = Disturbances(
            rig.logs.fram, rig.limits, rig.engine, rig.events.append, rig.ends.append
        )
        self.played = 0

    def play(self, phases):
        """Let three rows of volts pass."""
        codes = np.zeros((len(phases[0]), 6), dtype="<i4")
        for phase, u in enumerate(phases):
            codes[:, 2 * phase] = np.round(u / U_V_PER_LSB)
        for at in range(0, len(codes), BLOCK):
            block = array("i", codes[at : at + BLOCK].tobytes())
            self.ring.add(block, BLOCK)
            self.played += BLOCK
            if self.played % (BLOCK * WINDOW) == 0:
                # as the engine does: where the sine of the window stands between two frames
                end = (self.played - 0.5) * self.turn % 1
                uhz = round(self.turn * RATE_HZ * 1e6)
                self.ring.follow(self.rig.engine.quantities, 0, uhz, round(end * 360e6))
                for callback in self.rig.engine.on_window:
                    callback()


def calm(f_hz, start):
    """Three voltages of `FRAMES` frames from frame `start` on."""
    angle = 2 * np.pi * f_hz * start / RATE_HZ
    return [
        wave(f_hz, RATE_HZ, FRAMES, 0, 0, 1, angle=angle - 2 * np.pi * phase / 3)
        for phase in range(3)
    ]


@pytest.mark.parametrize("f_hz", [49.6, 50, 50.37, 60.1])
def test_depth_and_duration_of_random_sags(f_hz):
    """Each phase has sags of its own: any depth, length and instant, one after the other."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    source = random.Random(seed)
    line = Line(f_hz)
    judged = 0
    line.play(calm(f_hz, 0))  # until the ring knows where the voltages cross zero
    line.play(calm(f_hz, line.played))
    known = [line.watch.value(SAGS, phase, NUMBER) for phase in range(3)]
    while judged < SAGS_EACH:
        start = line.played
        waves = []
        for phase in range(3):
            begin = FIRST + source.randrange(160)
            length = source.randrange(40, 600)
            factor = source.uniform(0.06, 0.85)
            angle = 2 * np.pi * (line.turn * start - phase / 3)
            waves.append(wave(f_hz, RATE_HZ, FRAMES, begin, length, factor, angle=angle))
        line.play(waves)
        for phase, u in enumerate(waves):
            _, rms = cycle_rms(u, f_hz, RATE_HZ, first_crossing(u, f_hz, RATE_HZ, FIRST))
            told = [line.watch.value(SAGS, phase, what) for what in range(3)]
            count = told[NUMBER] - known[phase]
            known[phase] = told[NUMBER]
            lowest = float(min(rms))
            if abs(lowest - THRESHOLD_V) < DEPTH_V:
                continue  # one may see it and the other not
            expected = dips(rms, THRESHOLD_V, HYSTERESIS_V)
            assert count == len(expected), (phase, lowest)
            if count != 1:
                continue
            judged += 1
            _, halves, depth = expected[0]
            half_ms = 500 / f_hz
            assert abs(told[MAGNITUDE_MV] / 1000 - depth) <= DEPTH_V
            assert abs(told[DURATION_MS] - halves * half_ms) <= half_ms + 1
