"""The glass controller's model against the data sheet ST7567 version 1.4."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Spi, command
from devices.st7567 import St7567

SWITCH_ON = [0x2F, 0xAF]


class Rig:
    def __init__(self, rotated=False):
        self.chip = St7567(rotated)
        self.spi = Spi(self.chip)

    def commands(self, *values):
        self.chip.set_dc(0)
        command(self.spi, values)

    def data(self, page, column, *values):
        self.commands(0xB0 | page, 0x10 | column >> 4, column & 15)
        self.chip.set_dc(1)
        command(self.spi, values)

    def dots(self):
        return {(x, y) for y in range(64) for x in range(128) if self.chip.pixel(x, y)}


@pytest.fixture
def rig():
    rig = Rig()
    rig.commands(*SWITCH_ON)
    return rig


def test_dark_until_switched_on_with_its_voltage():
    rig = Rig()
    rig.data(0, 0, 0x01)
    assert rig.dots() == set()
    rig.commands(0xAF)
    assert rig.dots() == set()
    for stages in (0x2C, 0x2E, 0x2D):
        rig.commands(stages)
        assert rig.dots() == set()
    rig.commands(0x2F)
    assert rig.dots() == {(0, 0)}
    rig.commands(0xAE)
    assert rig.dots() == set()


def test_pages_columns_and_the_lowest_bit_on_top(rig):
    rig.data(2, 17, 0x81, 0x01)
    assert rig.dots() == {(17, 16), (17, 23), (18, 16)}
    rows = rig.chip.rows()
    assert len(rows) == 64
    assert {len(row) for row in rows} == {128}
    assert rows[16] == "." * 17 + "##" + "." * 109


def test_column_stops_at_the_last_one(rig):
    rig.data(0, 130, 1, 2, 4, 8)
    assert rig.chip.ram[130] == 1
    assert rig.chip.ram[131] == 8
    assert rig.chip.ram[132] == 0


@pytest.mark.parametrize(
    ("commands", "dot"),
    [
        ([0xA0, 0xC0], (5, 8)),
        ([0xA1, 0xC0], (126, 8)),  # column 5 is segment 126
        ([0xA0, 0xC8], (5, 55)),
        ([0x48], (5, 0)),
        ([0x49], (5, 63)),
    ],
)
def test_directions_and_start_line(rig, commands, dot):
    rig.data(1, 5, 0x01)
    rig.commands(*commands)
    assert rig.dots() == {dot}


def test_inversion_and_all_points(rig):
    rig.data(0, 0, 0x01)
    rig.commands(0xA7)
    assert len(rig.dots()) == 128 * 64 - 1
    rig.commands(0xA5)
    assert len(rig.dots()) == 128 * 64
    rig.commands(0xA6, 0xA4)
    assert rig.dots() == {(0, 0)}


def test_commands_of_two_bytes_and_settings(rig):
    rig.commands(0x81)
    rig.commands(0x2A)  # in a transfer of its own, and no power control
    assert rig.chip.contrast == 0x2A
    assert rig.chip.power_control == 7
    rig.commands(0xF8, 0x01, 0xA3, 0x25)
    assert (rig.chip.booster, rig.chip.bias, rig.chip.regulation_ratio) == (1, 1, 5)


def test_read_modify_write_returns_to_its_column(rig):
    rig.commands(0xB0, 0x10, 0x07, 0xE0)
    rig.chip.set_dc(1)
    command(rig.spi, [0xFF])
    rig.commands(0xEE)
    rig.chip.set_dc(1)
    command(rig.spi, [0x01])
    assert rig.dots() == {(7, 0)}


def test_reset_command_keeps_the_picture_and_the_power(rig):
    rig.data(3, 9, 0x10)
    rig.commands(0x81, 0x3F, 0x50, 0xC8, 0xE2)
    assert rig.chip.contrast == 0x20
    assert rig.dots() == {(9, 28)}


def test_reset_pin_switches_off_and_holds(rig):
    rig.data(3, 9, 0x10)
    rig.chip.set_reset(0)
    rig.commands(*SWITCH_ON)
    assert rig.dots() == set()
    rig.chip.set_reset(1)
    assert rig.dots() == set()
    rig.commands(*SWITCH_ON)
    assert rig.dots() == {(9, 28)}


def test_ram_is_undefined_after_power(rig):
    rig.chip.power(False)
    assert rig.dots() == set()
    rig.chip.power(True)
    rig.commands(*SWITCH_ON)
    assert len(rig.dots()) > 1000


def test_glass_upside_down():
    rig = Rig(rotated=True)
    rig.commands(*SWITCH_ON)
    rig.data(0, 0, 0x01)
    assert rig.dots() == {(127, 63)}


def test_faults(rig):
    rig.chip.fault("dead")
    assert rig.dots() == set()
    rig.chip.fault("clear")
    with pytest.raises(ValueError, match="lcd has no fault 'crack', only clear, dead"):
        rig.chip.fault("crack")
