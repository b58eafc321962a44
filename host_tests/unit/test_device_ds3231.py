"""The clock's model against the data sheet 19-5170 revision 10."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench, File
from devices.ds3231 import Ds3231

DAY_S = 86400


class Rig:
    def __init__(self, content=None):
        self.bench = Bench()
        self.file = content or File(64)
        self.chip = Ds3231(self.file, self.bench.now_us, self.bench.at)

    def read(self, register, count=1):
        buffer = bytearray(count)
        assert self.chip.i2c_write(0x68, bytes([register])) == 1
        assert self.chip.i2c_read(0x68, buffer) == 0
        return bytes(buffer)

    def write(self, register, *values):
        assert self.chip.i2c_write(0x68, bytes([register, *values])) == 1 + len(values)

    def pass_s(self, seconds):
        self.bench.run(int(seconds * 1_000_000))


@pytest.fixture
def rig():
    return Rig()


def test_first_power_shows_the_defaults_of_the_data_sheet(rig):
    assert rig.chip.lost_power
    assert rig.read(0, 7).hex() == "00000001010100"
    assert rig.read(0x0E, 3).hex() == "1c8800"


def test_only_its_address_is_acknowledged(rig):
    assert rig.chip.i2c_write(0x69, b"\x00") == -1
    assert rig.chip.i2c_read(0x69, bytearray(1)) == -1
    rig.chip.fault("dead")
    assert rig.chip.i2c_write(0x68, b"\x00") == -1


def test_pointer_wraps_behind_the_last_register(rig):
    rig.write(0, 0x45, 0x59, 0x23, 6, 0x31, 0x01, 0x26)
    assert rig.read(0x12, 4)[1:].hex() == "455923"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("595923063101" + "26", "000000070102" + "26"),
        ("595923073112" + "99", "000000010181" + "00"),  # the century bit turns
        ("595923012802" + "24", "000000022902" + "24"),
        ("595923012802" + "23", "000000020103" + "23"),
    ],
)
def test_roll_over(rig, before, after):
    rig.write(0, *bytes.fromhex(before))
    rig.pass_s(1)
    assert rig.read(0, 7).hex() == after


@pytest.mark.parametrize(
    ("written", "minutes", "read"),
    [(0x71, 60, 0x52), (0x51, 60, 0x72), (0x72, 60, 0x61), (0x52, 60, 0x41), (0x61, 0, 0x61)],
)
def test_twelve_hour_form(rig, written, minutes, read):
    """Bit 6: 12-hour form, bit 5: afternoon; 11 PM, 11 AM, 12 PM, 12 AM, 1 PM, the hour after."""
    rig.write(0, 0, 0, written)
    rig.pass_s(60 * minutes)
    assert rig.read(2)[0] == read


def test_writing_the_seconds_restarts_the_count_inside_them(rig):
    rig.write(0, 0, 0, 0, 1, 1, 1, 0x26)
    rig.pass_s(0.9)
    rig.write(0, 0)
    rig.pass_s(0.9)
    assert rig.read(0) == b"\x00"
    rig.write(1, 0x30)  # minutes alone do not
    rig.pass_s(0.2)
    assert rig.read(0, 2).hex() == "0130"


@pytest.mark.parametrize(
    ("register", "value"), [(1, 0x7F), (5, 0x13), (4, 0x00), (2, 0x24), (3, 0)]
)
def test_no_date_stays_as_written(rig, register, value):
    rig.write(0, 0, 0, 0, 1, 1, 1, 0x26)
    rig.write(register, value)
    rig.pass_s(5)
    assert rig.read(register)[0] == value
    rig.write(register, (0, 0, 0, 1, 1, 1, 0)[register])
    rig.pass_s(5)
    assert rig.read(0)[0] == 5


def test_flags_can_only_be_cleared(rig):
    rig.write(0x0F, 0x08)
    assert rig.read(0x0F) == b"\x08"
    rig.write(0x0F, 0x88)
    assert rig.read(0x0F) == b"\x08"
    rig.write(0x11, 0x55)  # the temperature is read-only
    assert rig.read(0x11) == b"\x17"


@pytest.mark.parametrize(
    ("celsius", "registers"), [(25.25, "1940"), (0, "0000"), (-0.25, "ffc0"), (-40, "d800")]
)
def test_temperature(rig, celsius, registers):
    """25.25 degrees is the data sheet's example."""
    rig.chip.temperature_cdeg = int(celsius * 100)
    assert rig.read(0x11, 2).hex() == registers


def test_temperature_is_converted_every_64_s_or_on_demand(rig):
    rig.read(0x11)
    rig.chip.temperature_cdeg = 5000
    rig.pass_s(63)
    assert rig.read(0x11) == b"\x17"
    rig.write(0x0E, 0x3C)
    assert rig.read(0x0F)[0] & 0x04
    rig.pass_s(0.2)
    assert rig.read(0x0E) == b"\x1c"
    assert rig.read(0x11) == b"\x32"
    rig.chip.temperature_cdeg = 1000
    rig.pass_s(64)
    assert rig.read(0x11) == b"\x0a"


def test_aging_slows_the_clock_by_a_tenth_of_a_ppm_a_step(rig):
    rig.chip.drift_ppb = 5000
    rig.chip.set_utc_s(0)
    rig.pass_s(1_000_000)
    assert rig.chip.utc_s() == 1_000_005
    rig.write(0x10, 100)
    rig.pass_s(1_000_000)
    assert rig.chip.utc_s() == 2_000_000
    rig.write(0x10, 0x9C)
    rig.pass_s(1_000_000)
    assert rig.chip.utc_s() == 3_000_015


def test_battery_keeps_the_clock_and_the_file_keeps_it_all(rig):
    rig.chip.set_utc_s(1000)
    rig.chip.power(False)
    rig.pass_s(50)
    assert rig.chip.i2c_write(0x68, b"\x00") == -1
    rig.chip.power(True)
    assert rig.chip.utc_s() == 1050
    assert rig.read(0x0F)[0] & 0x80 == 0
    rig.chip.save()
    again = Rig(rig.file)
    assert not again.chip.lost_power
    assert again.chip.utc_s() == 1050
    again.chip.elapse(3600)
    assert again.chip.utc_s() == 4650
    rig.file.data[10] ^= 1
    assert Rig(rig.file).chip.lost_power


def test_without_battery_power_loss_forgets_all(rig):
    rig.chip.set_utc_s(1000)
    rig.chip.set_battery(False)
    assert rig.chip.utc_s() == 1000
    rig.chip.power(False)
    rig.pass_s(50)
    rig.chip.power(True)
    assert rig.read(0x0F)[0] & 0x80
    assert rig.chip.utc_s() == 0
    rig.chip.set_battery(True)
    rig.chip.power(False)
    rig.chip.set_battery(False)
    assert rig.chip.utc_s() == 0


def test_oscillator_stopped_on_battery_by_its_bit(rig):
    rig.chip.set_utc_s(1000)
    rig.write(0x0E, 0x9C)
    rig.pass_s(10)
    assert rig.chip.utc_s() == 1010
    rig.chip.power(False)
    rig.pass_s(50)
    rig.chip.power(True)
    rig.pass_s(5)
    assert rig.chip.utc_s() == 1015
    assert rig.read(0x0F)[0] & 0x80


def test_faults(rig):
    rig.chip.set_utc_s(1000)
    rig.chip.fault("oscillator_stop")
    rig.pass_s(100)
    assert rig.chip.utc_s() == 1000
    assert rig.read(0x0F)[0] & 0x80
    rig.chip.fault("clear")
    rig.pass_s(100)
    assert rig.chip.utc_s() == 1100
    rig.chip.fault("garbage", register=5, value=0x5A)
    assert rig.read(5) == b"\x5a"
    for name, arguments in (
        ("garbage", {"register": 7}),
        ("flood", {}),
        ("garbage", {"value": 256}),
    ):
        with pytest.raises(ValueError, match=r"register 0 to 6|has no fault"):
            rig.chip.fault(name, **arguments)
