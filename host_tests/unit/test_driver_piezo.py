"""The driver of the keys' sounder on the disc's model, and the disc's own side."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench
from devices import piezo as model

from drivers.piezo import Piezo


class Pwm:
    """A PWM output at 4 kHz."""

    def __init__(self, disc):
        self.disc = disc

    def duty_u16(self, value):
        self.disc.set_wave(4000, value)


class Timer:
    """machine.Timer on the bench's time."""

    ONE_SHOT = 0

    def __init__(self, bench):
        self.bench = bench
        self.number = 0

    def init(self, *, mode, period, callback):
        assert mode == self.ONE_SHOT
        self.number += 1
        number = self.number
        due = self.bench.us + period * 1000
        self.bench.at(due, lambda: callback(self) if number == self.number else None)


@pytest.fixture
def rig():
    bench = Bench()
    disc = model.Piezo(bench.now_us)
    disc.set_wave(4000, 30000)  # whatever was there before
    return bench, disc, Piezo(Pwm(disc), Timer(bench))


@pytest.mark.row("DSP-25")
def test_a_click_ends_by_itself(rig):
    bench, disc, sounder = rig
    assert not disc.sounding
    before = disc.sounds
    bench.run(1000)
    sounder.click()
    assert disc.sounding and disc.hz == 4000
    bench.run(4999)
    assert disc.sounding
    bench.run(2)
    assert not disc.sounding and disc.last_us == 5000
    assert disc.sounds == before + 1


def test_two_keys_at_once_are_one_longer_click(rig):
    bench, disc, sounder = rig
    sounder.click()
    bench.run(3000)
    sounder.click()
    bench.run(4000)
    assert disc.sounding
    bench.run(1001)
    assert not disc.sounding and disc.last_us == 8000


def test_a_disc_without_power_or_with_a_steady_level_is_silent():
    disc = model.Piezo(lambda: 0)
    for hz, duty in ((0, 30000), (4000, 0), (4000, 65535)):
        disc.set_wave(hz, duty)
        assert not disc.sounding and disc.sounds == 0
    disc.set_wave(4000, 1)
    assert disc.sounding
    disc.power(False)
    assert not disc.sounding
    disc.set_wave(4000, 30000)
    assert not disc.sounding
