"""Intervals between zero crossings of the voltage that is watched."""

import math
import sys
from array import array
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

from metrology_bench import Variant

from metrology.reference import Reference

CHANNELS = 6
BLOCK = 40
RATE_HZ = 4000
U_PV = 60_000_000


class Watch:
    """Three voltages of one frequency, played block by block to a reference."""

    def __init__(self, f_hz):
        self.reference = Reference(Variant(), [U_PV] * 3, CHANNELS, RATE_HZ * 1000)
        self.f_hz = f_hz
        self.played = 0

    def intervals(self, blocks):
        """What is told after each of some blocks, but zeros."""
        told = []
        for _ in range(blocks):
            frames = array("i", bytes(4 * BLOCK * CHANNELS))
            for k in range(BLOCK):
                angle = 2 * math.pi * self.f_hz * (self.played + k) / RATE_HZ
                for phase in range(3):
                    u = 230 * math.sqrt(2) * math.sin(angle - 2 * math.pi * phase / 3)
                    frames[CHANNELS * k + 2 * phase] = round(u * 1e12 / U_PV)
            self.played += BLOCK
            at = 0
            while at < BLOCK:
                at = self.reference.scan(frames, at, BLOCK) + 1
            told.append(self.reference.interval_q8(BLOCK))
        return [interval for interval in told if interval]


@pytest.mark.parametrize("f_hz", [42, 49.97, 67])
def test_an_interval_is_a_period_from_the_second_crossing_on(f_hz):
    watch = Watch(f_hz)
    seconds = 0.5
    told = watch.intervals(round(seconds * RATE_HZ / BLOCK))
    assert abs(len(told) - (seconds * f_hz - 1)) <= 1.5
    for interval in told[3:]:  # after the low pass has settled
        assert interval / 256 == pytest.approx(RATE_HZ / f_hz, abs=0.02)


def test_no_interval_spans_lost_frames_or_two_phases():
    watch = Watch(50)
    period = RATE_HZ / 50
    watch.intervals(40)
    watch.reference.broken()
    watch.played += 13
    assert watch.intervals(5)[1:] == pytest.approx([256 * period], abs=8)
    watch.intervals(8)
    for _ in range(3):
        watch.reference.next_phase()  # as the engine does: after the scan of a block
        assert watch.reference.interval_q8(BLOCK) == 0
        for interval in watch.intervals(20):
            assert interval == pytest.approx(256 * period, rel=0.02)
