"""The segment glass controllers' models against the data sheets HT1621 2.90 and HT1622 2.70."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench
from devices.ht1621 import Ht1621
from devices.ht1622 import Ht1622

COMMAND, WRITE, READ = "100", "101", "110"
SYS_DIS, SYS_EN, LCD_OFF, LCD_ON = "000000000", "000000010", "000000100", "000000110"
BIAS_3_COM_4, BIAS_2_COM_4, BIAS_3_COM_3 = "001010010", "001010000", "001001010"
TEST, NORMAL = "111000000", "111000110"


class Rig:
    def __init__(self, model=Ht1621):
        self.time = Bench()
        self.chip = model(self.time.now_us)
        self.low_us = self.high_us = 4

    def bits(self, text):
        """One transfer; blanks part its bits for the reader."""
        self.chip.set_cs(0)
        for bit in text.replace(" ", ""):
            self.chip.set_wr(0)
            self.chip.set_data(int(bit))
            self.time.run(self.low_us)
            self.chip.set_wr(1)
            self.time.run(self.high_us)
        self.chip.set_cs(1)

    def lit(self):
        return {bit for bit in range(4 * self.chip.ADDRESSES) if self.chip.lit(bit)}


@pytest.fixture
def rig():
    rig = Rig()
    rig.bits(COMMAND + SYS_EN + BIAS_3_COM_4 + LCD_ON)
    return rig


def test_dark_until_oscillator_bias_and_duty_are_set():
    rig = Rig()
    rig.bits(WRITE + "000011" + "1000")
    for commands in (SYS_EN, LCD_ON):
        rig.bits(COMMAND + commands)
        assert rig.lit() == set()
    rig.bits(COMMAND + BIAS_3_COM_4)
    assert rig.lit() == {12}
    for wrong in (BIAS_2_COM_4, BIAS_3_COM_3, LCD_OFF, TEST, SYS_DIS):
        rig.bits(COMMAND + wrong)
        assert rig.lit() == set()
        rig.bits(COMMAND + SYS_EN + BIAS_3_COM_4 + LCD_ON + NORMAL)
        assert rig.lit() == {12}


def test_address_comes_highest_bit_first_and_data_lowest_bit_first(rig):
    rig.bits(WRITE + "000110" + "1100")
    assert rig.chip.ram[6] == 0b0011
    assert rig.lit() == {24, 25}


def test_successive_nibbles_go_to_successive_addresses_and_round(rig):
    rig.bits(WRITE + "011110" + "1000 0100 0010 0001")
    assert rig.lit() == {30 * 4, 31 * 4 + 1, 0 * 4 + 2, 1 * 4 + 3}


def test_what_is_not_complete_is_dropped(rig):
    rig.bits(WRITE + "000000" + "1111 111")
    assert rig.lit() == {0, 1, 2, 3}
    rig.bits(COMMAND + LCD_OFF[:8])
    assert rig.lit() == {0, 1, 2, 3}
    for nothing in ("", "1", "10", WRITE, WRITE + "00001"):
        rig.bits(nothing)
    assert rig.lit() == {0, 1, 2, 3}


@pytest.mark.parametrize("mode", [READ, "000", "001", "010", "011", "111"])
def test_other_modes_change_nothing(rig, mode):
    rig.bits(mode + "000000" + "1111 1111")
    rig.bits(mode + LCD_OFF)
    assert rig.lit() == set()
    rig.bits(WRITE + "000000" + "1111")
    assert rig.lit() == {0, 1, 2, 3}


def test_nothing_is_clocked_in_without_chip_select(rig):
    for level in (0, 1) * 20:
        rig.chip.set_data(1)
        rig.chip.set_wr(level)
    assert rig.lit() == set()


@pytest.mark.parametrize(("low_us", "high_us"), [(3, 4), (4, 3), (0, 0)])
def test_a_clock_that_is_too_fast_loses_bits(rig, low_us, high_us):
    rig.low_us, rig.high_us = low_us, high_us
    rig.bits(WRITE + "000000" + "1111")
    assert rig.lit() == set()
    assert rig.chip.lost_bits


def test_tone_and_timer_commands_are_taken_and_change_nothing_to_see(rig):
    before = rig.chip.writes
    rig.bits(COMMAND + "000010000" + "000010010" + "000001010" + "010000000" + "100010000")
    assert rig.chip.writes == before + 5
    rig.bits(WRITE + "000000" + "1000")
    assert rig.lit() == {0}


def test_ram_is_undefined_and_dark_after_power(rig):
    rig.chip.power(False)
    rig.bits(COMMAND + SYS_EN + BIAS_3_COM_4 + LCD_ON)
    assert not rig.chip.visible()
    rig.chip.power(True)
    assert not rig.chip.visible()
    rig.bits(COMMAND + SYS_EN + BIAS_3_COM_4 + LCD_ON)
    assert len(rig.lit()) > 20


def test_faults(rig):
    rig.bits(WRITE + "000000" + "1000")
    rig.chip.fault("bit_flip", at=1, bit=2)
    assert rig.lit() == {0, 6}
    for at, bit in ((32, 0), (-1, 0), (0, 4)):
        with pytest.raises(ValueError, match="no such bit"):
            rig.chip.fault("bit_flip", at=at, bit=bit)
    rig.chip.fault("stuck")
    rig.bits(WRITE + "000000" + "1111")
    assert rig.lit() == {0, 6}
    rig.chip.fault("clear")
    rig.chip.fault("dead")
    assert rig.lit() == set()
    rig.chip.fault("clear")
    rig.chip.fault("reset")
    assert rig.lit() == set()
    with pytest.raises(ValueError, match="lcd has no fault 'crack', only bit_flip, clear, dead"):
        rig.chip.fault("crack")


def test_ht1622_has_eight_commons_in_two_addresses_a_segment():
    rig = Rig(Ht1622)
    rig.bits(COMMAND + SYS_EN + LCD_ON)  # its bias is fixed
    rig.bits(COMMAND + BIAS_3_COM_3)  # no command of this one
    rig.bits(WRITE + "111110" + "1000 0001 0100")
    assert rig.lit() == {62 * 4, 63 * 4 + 3, 1}


def test_a_picture_that_may_have_changed_looks_different(rig):
    seen = {rig.chip.appearance()}
    for change in (
        lambda: rig.bits(WRITE + "000000" + "1000"),
        lambda: rig.bits(COMMAND + LCD_OFF),
        lambda: rig.bits(COMMAND + LCD_ON),
        lambda: rig.chip.fault("bit_flip", at=0),
        lambda: rig.chip.fault("reset"),
    ):
        change()
        assert rig.chip.appearance() not in seen
        seen.add(rig.chip.appearance())
