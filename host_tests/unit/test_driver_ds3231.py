"""Driver of the clock on its model; dates are checked against CPython's calendar."""

import datetime
import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench, File, I2c
from devices import ds3231 as model

from drivers.ds3231 import Ds3231

EPOCH = datetime.datetime(2000, 1, 1)
SEED = 68


def utc_s(*fields):
    return int((datetime.datetime(*fields) - EPOCH).total_seconds())


class Rig:
    def __init__(self):
        self.bench = Bench()
        self.chip = model.Ds3231(File(64), self.bench.now_us, self.bench.at)
        self.driver = Ds3231(I2c(self.chip))

    def registers(self, first, count):
        buffer = bytearray(count)
        self.chip.i2c_write(0x68, bytes([first]))
        self.chip.i2c_read(0x68, buffer)
        return bytes(buffer)


@pytest.fixture
def rig():
    return Rig()


def test_new_chip_says_that_its_time_means_nothing(rig):
    rig.driver.check()
    assert rig.driver.oscillator_stopped()
    rig.driver.set_utc_s(utc_s(2026, 1, 31, 23, 59, 50))
    assert not rig.driver.oscillator_stopped()
    assert rig.registers(0, 7).hex() == "50592306310126"  # a Saturday
    assert rig.registers(0x0E, 1) == b"\x04"
    rig.bench.run(20_000_000)
    assert rig.driver.utc_s() == utc_s(2026, 2, 1, 0, 0, 10)


def test_days_of_the_century(rig):
    rng = random.Random(SEED)
    print("seed", SEED)
    day = EPOCH
    while day.year < 2100:
        moment = day + datetime.timedelta(seconds=rng.randrange(86400))
        seconds = int((moment - EPOCH).total_seconds())
        rig.driver.set_utc_s(seconds)
        assert rig.driver.utc_s() == seconds
        assert rig.registers(3, 1)[0] == moment.isoweekday()
        day += datetime.timedelta(days=1 + rng.randrange(9))


@pytest.mark.parametrize(
    "fields",
    [
        (2000, 1, 1), (2000, 2, 29), (2000, 3, 1), (2000, 12, 31), (2023, 2, 28), (2024, 2, 29),
        (2099, 1, 1), (2099, 12, 31, 23, 59, 59),
    ],
)  # fmt: skip
def test_edges_of_the_calendar(rig, fields):
    rig.driver.set_utc_s(utc_s(*fields))
    assert rig.driver.utc_s() == utc_s(*fields)
    assert not rig.registers(5, 1)[0] & 0x80


@pytest.mark.parametrize("seconds", [-1, utc_s(2100, 1, 1)])
def test_times_that_the_chip_cannot_hold_are_refused(rig, seconds):
    rig.driver.set_utc_s(1000)
    with pytest.raises(ValueError, match="2000 to 2099"):
        rig.driver.set_utc_s(seconds)
    assert rig.driver.utc_s() == 1000


def test_twelve_hour_form_is_understood(rig):
    rig.driver.set_utc_s(0)
    for register, hour in ((0x52, 0), (0x41, 1), (0x51, 11), (0x72, 12), (0x61, 13), (0x71, 23)):
        rig.chip.i2c_write(0x68, bytes([2, register]))
        assert rig.driver.utc_s() == hour * 3600


@pytest.mark.parametrize(
    ("register", "value"),
    [
        (0, 0x60), (0, 0x0A), (1, 0x7F), (2, 0x24), (2, 0x40), (2, 0x53), (4, 0), (4, 0x32),
        (4, 0xFF), (5, 0), (5, 0x13), (5, 0x1A), (6, 0xA0), (6, 0x0F),
    ],
)  # fmt: skip
def test_registers_that_are_no_date_are_reported(rig, register, value):
    rig.driver.set_utc_s(0)
    rig.chip.fault("garbage", register=register, value=value)
    with pytest.raises(ValueError, match=r"DS3231|not a"):
        rig.driver.utc_s()
    rig.driver.set_utc_s(77)
    assert rig.driver.utc_s() == 77


@pytest.mark.parametrize(("month", "day"), [(2, 0x30), (4, 0x31), (9, 0x31), (2, 0x29)])
def test_days_that_a_month_has_not(rig, month, day):
    rig.driver.set_utc_s(utc_s(2023, 1, 1))
    rig.chip.fault("garbage", register=5, value=month)
    rig.chip.fault("garbage", register=4, value=day)
    with pytest.raises(ValueError, match="not a date"):
        rig.driver.utc_s()


def test_turn_of_the_century_is_no_date(rig):
    rig.driver.set_utc_s(utc_s(2099, 12, 31, 23, 59, 59))
    rig.bench.run(1_000_000)
    with pytest.raises(ValueError, match="beyond 2099"):
        rig.driver.utc_s()


def test_stopped_oscillator_is_seen_until_the_clock_is_set(rig):
    rig.driver.set_utc_s(1000)
    rig.chip.fault("oscillator_stop")
    rig.chip.fault("clear")
    assert rig.driver.oscillator_stopped()
    rig.driver.set_utc_s(2000)
    assert not rig.driver.oscillator_stopped()


@pytest.mark.parametrize("cdeg", [2525, 0, -25, -4000, 8500])
def test_temperature(rig, cdeg):
    rig.chip.temperature_cdeg = cdeg
    assert rig.driver.temperature_cdeg() == cdeg


@pytest.mark.parametrize("steps", [-128, -1, 0, 1, 127])
def test_aging_trim(rig, steps):
    rig.driver.set_aging(steps)
    assert rig.driver.aging() == steps


@pytest.mark.parametrize("steps", [-129, 128])
def test_aging_beyond_the_register_is_refused(rig, steps):
    with pytest.raises(ValueError, match="aging"):
        rig.driver.set_aging(steps)


def test_trim_makes_up_for_the_crystal(rig):
    rig.chip.drift_ppb = 5000  # 0.43 s a day
    rig.driver.set_utc_s(0)
    rig.driver.set_aging(50)
    rig.bench.run(100 * 86400 * 1_000_000)
    assert rig.driver.utc_s() == 100 * 86400


def test_silent_chip_raises_oserror(rig):
    rig.chip.fault("dead")
    for call in (
        rig.driver.check,
        rig.driver.utc_s,
        rig.driver.oscillator_stopped,
        rig.driver.temperature_cdeg,
        lambda: rig.driver.set_utc_s(1),
    ):
        with pytest.raises(OSError):
            call()
