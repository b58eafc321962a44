"""The ADS1115's model against the data sheet SBAS444."""

import math
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench
from devices.ads1115 import Ads1115

RATES = (8, 16, 32, 64, 128, 250, 475, 860)


class Rig:
    def __init__(self, volts=lambda _n, _s: 0.0, **options):
        self.bench = Bench()
        options.setdefault("noise_lsb", 0)
        self.chip = Ads1115(volts, self.bench.now_us, **options)

    def write(self, register, value):
        assert self.chip.i2c_write(0x48, bytes((register, value >> 8, value & 0xFF))) == 3

    def read(self, register=None):
        if register is not None:
            assert self.chip.i2c_write(0x48, bytes((register,))) == 1
        buffer = bytearray(2)
        assert self.chip.i2c_read(0x48, buffer) == 2
        return buffer[0] << 8 | buffer[1]

    def convert(self, config):
        self.write(1, config | 0x8000)
        self.bench.run(200_000)
        return self.read(0)


def test_defaults():
    rig = Rig()
    assert [rig.read(k) for k in range(4)] == [0, 0x8583, 0x8000, 0x7FFF]


def test_registers_keep_what_is_written_but_the_result():
    rig = Rig()
    for register, value in ((1, 0x4283), (2, 0x1234), (3, 0x5678)):
        rig.write(register, value)
    rig.write(0, 0xFFFF)
    assert rig.read(0) != 0xFFFF
    assert (rig.read(2), rig.read(3)) == (0x1234, 0x5678)


def test_other_addresses_do_not_answer_and_general_call_resets():
    rig = Rig()
    assert rig.chip.i2c_write(0x49, b"\x01") == -1
    assert rig.chip.i2c_read(0x49, bytearray(2)) == -1
    rig.write(1, 0x4283)
    assert rig.chip.i2c_write(0, b"\x06") == 1
    assert rig.read(1) == 0x8583
    rig.chip.power(False)
    assert rig.chip.i2c_write(0x48, b"\x01") == -1
    assert Rig(address=0x4B).chip.i2c_write(0x4B, b"") == 0
    with pytest.raises(ValueError, match="ADS1115"):
        Rig(address=0x4C)


@pytest.mark.parametrize("code", range(8))
@pytest.mark.parametrize("ppm", [-100_000, 0, 100_000])
def test_a_conversion_takes_its_time(code, ppm):
    rig = Rig(oscillator_ppm=ppm)
    rig.write(1, 0x8103 | code << 5)
    assert not rig.read(1) & 0x8000
    period_us = 1e6 / (RATES[code] * (1 + ppm / 1e6))
    rig.bench.run(int(25 + period_us) - 1)
    assert not rig.read(1) & 0x8000
    rig.bench.run(2)
    assert rig.read(1) & 0x8000
    assert rig.chip.conversions == 1


@pytest.mark.parametrize(
    ("mux", "volts"),
    [(0, -0.1), (1, -0.7), (2, -0.6), (3, -0.4), (4, 0.1), (5, 0.2), (6, 0.4), (7, 0.8)],
)
def test_multiplexer(mux, volts):
    rig = Rig(lambda n, _s: (0.1, 0.2, 0.4, 0.8)[n])
    code = rig.convert(mux << 12 | 0x0383)  # +-4.096 V
    code -= 0x10000 if code & 0x8000 else 0
    assert code == round(volts / 4.096 * 32768)


@pytest.mark.parametrize(
    ("gain", "full_scale"),
    list(enumerate((6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256))),
)
def test_gain_and_clipping(gain, full_scale):
    rig = Rig(lambda n, _s: full_scale / 3 if n == 0 else full_scale * 1.1)
    assert rig.convert(0x4183 | gain << 9) == round(32768 / 3)
    assert rig.convert(0x5183 | gain << 9) == 0x7FFF


def test_continuous_mode_goes_on_and_takes_a_new_setting_after_the_one_under_way():
    rig = Rig(lambda n, _s: 0.5 * n)
    rig.write(1, 0x50E3)  # AIN1, 860 a second, continuous
    rig.bench.run(10_000)
    assert rig.read(0) == round(0.5 / 6.144 * 32768)
    assert 7 <= rig.chip.conversions <= 8
    before = rig.chip.conversions
    rig.write(1, 0x60E3)
    rig.bench.run(1_163)
    assert rig.read(0) == round(0.5 / 6.144 * 32768)
    rig.bench.run(1_163)
    assert rig.read(0) == round(1.0 / 6.144 * 32768)
    assert rig.chip.conversions == before + 2


def test_a_conversion_averages_its_input():
    """The digital filter's first zero is the data rate, at half of it 64 % are left."""
    for hz, share in ((860, 0.0), (430, 2 / math.pi), (50, 0.9944)):
        best = 0
        for start in range(0, 8600, 430):
            rig = Rig(lambda n, s, hz=hz: math.sin(2 * math.pi * hz * s) if n == 0 else 0.0)
            rig.bench.run(start)
            rig.write(1, 0xC5E3)
            rig.bench.run(2000)
            code = rig.read(0)
            best = max(best, abs(code - (0x10000 if code & 0x8000 else 0)))
        assert best / 16000 == pytest.approx(share, abs=0.06)


def test_stuck_chip_never_ends():
    rig = Rig()
    rig.chip.fault("stuck")
    rig.write(1, 0xC5E3)
    rig.bench.run(1_000_000)
    assert not rig.read(1) & 0x8000
    rig.chip.fault("clear")
    assert rig.read(1) & 0x8000
