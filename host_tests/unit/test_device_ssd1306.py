"""The OLED controller's model against the data sheet SSD1306 revision 1.5."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Spi, command
from devices.ssd1306 import Ssd1306

UPRIGHT = (0xA1, 0xC8)
SWITCH_ON = (0x8D, 0x14, 0xAF)


class Rig:
    def __init__(self, *arguments, **keywords):
        self.chip = Ssd1306(*arguments, **keywords)

    def commands(self, *values):
        assert self.chip.i2c_write(0x3C, bytes((0, *values))) == 1 + len(values)

    def data(self, *values):
        assert self.chip.i2c_write(0x3C, bytes((0x40, *values))) == 1 + len(values)

    def dots(self):
        return {(x, y) for y in range(64) for x in range(128) if self.chip.pixel(x, y)}


@pytest.fixture
def rig():
    rig = Rig()
    rig.commands(*UPRIGHT, *SWITCH_ON)
    return rig


def test_dark_until_switched_on_behind_its_charge_pump():
    rig = Rig()
    rig.commands(*UPRIGHT)
    rig.data(1)
    rig.commands(0xAF)
    assert rig.dots() == set()
    rig.commands(0x8D, 0x14)  # section 2 of the charge pump's note: before the display
    assert rig.dots() == set()
    rig.commands(0xAF)
    assert rig.dots() == {(0, 0)}
    rig.commands(0xAE)
    assert rig.dots() == set()


def test_page_addressing_is_the_default(rig):
    rig.commands(0xB2, 0x01, 0x11)
    rig.data(0x81, 0x01)
    assert rig.dots() == {(17, 16), (17, 23), (18, 16)}
    rig.commands(0xB0, 0x0F, 0x17)
    rig.data(1, 1)  # behind the last column comes the first one of the same page
    assert {(127, 0), (0, 0)} <= rig.dots()
    rig.commands(0x21, 5, 6, 0x22, 3, 4)  # for the other modes only
    rig.data(1)
    assert (1, 0) in rig.dots()


def test_horizontal_addressing_goes_round_its_window(rig):
    rig.commands(0x20, 0x00, 0x21, 10, 11, 0x22, 2, 3)
    rig.data(1, 2, 4, 8)
    assert rig.dots() == {(10, 16), (11, 17), (10, 26), (11, 27)}
    rig.data(0)
    assert rig.dots() == {(11, 17), (10, 26), (11, 27)}
    rig.commands(0xB7, 0x0F)  # for page addressing only
    rig.data(0)
    assert rig.dots() == {(10, 26), (11, 27)}


def test_vertical_addressing(rig):
    rig.commands(0x20, 0x01, 0x21, 10, 11, 0x22, 2, 3)
    rig.data(1, 2, 4, 8)
    assert rig.dots() == {(10, 16), (10, 25), (11, 18), (11, 27)}


def test_wrong_arguments_change_nothing(rig):
    rig.commands(0x20, 0x00, 0x21, 10, 11, 0x22, 2, 3)
    rig.commands(0x21, 9, 8, 0x22, 5, 4, 0x20, 0x03, 0xA8, 0x0E)
    rig.data(1)
    assert rig.dots() == {(10, 16)}


def test_directions():
    """Commons act at once, segments on what is written from then on (section 10.1.8)."""
    rig = Rig()
    rig.commands(0xA0, 0xC0, *SWITCH_ON)
    rig.data(1)
    assert rig.dots() == {(127, 63)}
    rig.commands(*UPRIGHT)
    assert rig.dots() == {(127, 0)}
    rig.data(1)
    assert rig.dots() == {(127, 0), (1, 0)}


@pytest.mark.parametrize(
    ("commands", "dot"),
    [
        ([0x48], (0, 0)),
        ([0x41], (0, 7)),
        ([0xD3, 0x08], (0, 0)),
        ([0xA8, 0x1F], (0, 40)),  # half of the rows, at the end of the glass
        ([0xDA, 0x32], (0, 40)),  # halves of the commons exchanged
        ([0xDA, 0x02], (0, 16)),  # pins in sequence on a glass where they alternate
    ],
)
def test_start_line_offset_multiplex_and_pins(rig, commands, dot):
    rig.commands(0xB1)
    rig.data(1)
    assert rig.dots() == {(0, 8)}
    rig.commands(*commands)
    assert rig.dots() == {dot}


def test_inversion_and_all_points(rig):
    rig.data(1)
    rig.commands(0xA7)
    assert len(rig.dots()) == 128 * 64 - 1
    rig.commands(0xA5)
    assert len(rig.dots()) == 128 * 64
    rig.commands(0xA6, 0xA4)
    assert rig.dots() == {(0, 0)}


def test_commands_may_be_parted_anywhere(rig):
    rig.commands(0x81)
    rig.commands(0xFF)
    assert rig.chip.contrast == 0xFF and rig.chip.backlight
    rig.commands(0x81, 0x08)
    assert not rig.chip.backlight


def test_control_bytes(rig):
    """With the continuation bit a control byte stands before every octet (section 8.1.5.2)."""
    octets = bytes((0x80, 0xB1, 0xC0, 0x01, 0x80, 0xA7, 0x80, 0xA6, 0x40, 0x02))
    assert rig.chip.i2c_write(0x3C, octets) == len(octets)
    assert rig.dots() == {(0, 8), (1, 9)}
    before = rig.dots()
    rig.chip.i2c_write(0x3C, bytes((0x41, 0xFF, 0xFF)))
    rig.chip.i2c_write(0x3C, bytes((0x01, 0xAE)))
    assert rig.dots() == before
    assert rig.chip.refused == 3
    for nothing in (b"", b"\x00", b"\x40", b"\x80"):
        assert rig.chip.i2c_write(0x3C, nothing) == len(nothing)


def test_other_addresses_and_status(rig):
    assert rig.chip.i2c_write(0x3D, b"\x00\xae") == -1
    assert rig.chip.i2c_read(0x3D, bytearray(1)) == -1
    status = bytearray(1)
    assert rig.chip.i2c_read(0x3C, status) == 0 and status[0] == 0
    rig.commands(0xAE)
    rig.chip.i2c_read(0x3C, status)
    assert status[0] == 0x40


def test_scrolling_is_taken_with_its_arguments(rig):
    rig.data(1)
    rig.commands(0x26, 0, 0, 0, 7, 0, 0xFF, 0x29, 0, 0, 0, 7, 1, 0xA3, 0, 64, 0x2F, 0x2E)
    assert rig.dots() == {(0, 0)}


def test_spi_says_by_a_pin_what_is_data(rig):
    spi = Spi(rig.chip)
    rig.chip.set_dc(0)
    command(spi, [0xB3])
    rig.chip.set_dc(1)
    assert command(spi, [0x10], 2) == b"\xff\xff"  # reading clocks in zeros
    assert rig.dots() == {(0, 28)}
    rig.chip.set_reset(0)
    command(spi, [0xFF])
    assert not rig.chip.visible()
    rig.chip.set_reset(1)
    rig.commands(*UPRIGHT, *SWITCH_ON)
    assert rig.dots() == {(0, 28)}


def test_ram_is_undefined_after_power(rig):
    rig.chip.power(False)
    assert rig.chip.i2c_write(0x3C, b"\x00\xaf") == -1
    rig.chip.power(True)
    assert not rig.chip.visible()
    rig.commands(*SWITCH_ON)
    assert len(rig.dots()) > 1000


def test_module_upside_down():
    rig = Rig(rotated=True)
    rig.commands(0xA0, 0xC0, *SWITCH_ON)
    rig.data(1)
    assert rig.dots() == {(0, 0)}


def test_faults(rig):
    rig.data(1)
    rig.chip.fault("stuck")
    rig.commands(0xAE)
    assert rig.dots() == {(0, 0)}
    rig.chip.fault("clear")
    rig.chip.fault("dead")
    assert rig.chip.i2c_write(0x3C, b"\x00") == -1 and rig.dots() == set()
    rig.chip.fault("clear")
    rig.chip.fault("reset")
    assert not rig.chip.visible()
    with pytest.raises(ValueError, match="lcd has no fault 'crack', only clear, dead, reset"):
        rig.chip.fault("crack")
