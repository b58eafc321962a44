"""The fields on a segment glass: what is lit, read back by the board's table, and what is not."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.display import font, indicators
from app.display.segment_view import SegmentView

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "boards" / "sim")]

import segments
from faceplate.artwork import SegmentGlass

BITS = {"ht1621": 128, "ht1622": 256}


class Lcd:
    """A segment glass without a chip."""

    def __init__(self, bits):
        self.buffer = bytearray(bits // 8)
        self.sent = bytes(self.buffer)
        self.light = None

    def start(self):
        self.buffer[:] = bytes(len(self.buffer))
        self.show()

    def show(self):
        self.sent = bytes(self.buffer)

    def refresh(self):
        self.show()

    def backlight(self, on):
        self.light = on

    def lit(self, bit):
        return bool(self.sent[bit >> 3] >> (bit & 7) & 1)


class Rig:
    def __init__(self, name):
        self.name = name
        self.layout = segments.layout(name)
        self.lcd = Lcd(BITS[name])
        self.view = SegmentView(self.lcd, self.layout)
        self.view.start()
        self.glass = SegmentGlass(self.layout)

    @property
    def shown(self):
        self.view.flush()
        return self.glass.decode(self.lcd.lit)

    def lit(self):
        self.view.flush()
        return {bit for bit in range(BITS[self.name]) if self.lcd.lit(bit)}


@pytest.fixture(params=sorted(BITS))
def rig(request):
    return Rig(request.param)


def known(layout):
    tables = (layout.cells, layout.unit_bits, layout.indicators)
    return [bit for table in tables for bit in table if bit != 255]


def test_no_bit_lights_two_things(rig):
    bits = known(rig.layout)
    assert len(set(bits)) == len(bits)
    assert max(bits) < BITS[rig.name]
    assert len(rig.layout.cells) == 130
    assert len(rig.layout.units) == len(rig.layout.unit_bits)
    assert len(rig.layout.indicators) == len(indicators.NAMES)
    if rig.name == "ht1621":
        assert len(bits) == 128  # each of its segments is used


def test_nothing_is_drawn_over_another(rig):
    """The drawing of the faceplate; a direction's letter is shared, as are corners of digits."""
    seen = {}
    for bit, dots in rig.glass._dots.items():
        assert dots
        for dot in dots:
            assert 0 <= dot[0] < 128 and 0 <= dot[1] < 64
            seen.setdefault(dot, []).append(bit)
    cells = set(rig.layout.cells)
    flows = set(rig.layout.indicators[-4:])
    for bits in seen.values():
        assert len(bits) == 1 or set(bits) <= cells or set(bits) <= flows


@pytest.mark.row("DSP-04")
@pytest.mark.parametrize("character", sorted(font.CHARACTERS))
def test_characters_and_what_stands_for_those_that_look_alike(rig, character):
    rig.view.value("8" + character + "8")
    rig.view.code("8" + character + "8")
    same = {"S": "5", "Z": "2"}.get(character, character)
    assert rig.shown["value"] == rig.shown["code"] == "8" + same + "8"


@pytest.mark.row("DSP-01", "DSP-09")
@pytest.mark.parametrize(
    ("code", "value", "unit", "left"),
    [
        ("1.8.0", "000123.45", "kWh", False),
        ("3.8.0", "-0047.110", "kvarh", False),
        ("9.8.0*01", "0.123", "kVAh", False),
        ("1.7.0", "-3.450", "kW", False),
        ("3.7.0", "0.001", "kvar", False),
        ("9.7.0", "12.345", "kVA", False),
        ("32.7.0", "230.1", "V", False),
        ("31.7.0", "5.00", "A", False),
        ("14.7.0", "50.00", "Hz", False),
        ("0.9.1", "12:34:56", "", False),
        ("0.9.2", "2026.01.31", "", True),
        ("C.1.0", "67F40301", "", True),
        ("F.F.0", "8000.0", "", False),
        ("", "End", "", True),
        ("", "Error 11", "", True),
    ],
)
def test_items_read_as_they_are(rig, code, value, unit, left):
    rig.view.value(value, left)
    rig.view.code(code)
    rig.view.unit(unit)
    shown = rig.shown
    assert (shown["code"], shown["unit"]) == (code, unit)
    assert shown["value"] == value


def test_what_the_glass_lacks_is_left_out(rig):
    rig.view.unit("min")
    assert rig.lit() == set()
    rig.view.unit("kWd")
    assert rig.lit() == set()
    rig.view.unit("\xb0C")
    assert rig.shown["unit"] == ("" if rig.name == "ht1621" else "\xb0C")
    rig.view.unit("")
    for name in indicators.NAMES:
        rig.view.indicate(indicators.bit(name))
        there = rig.layout.indicators[indicators.NAMES.index(name)] != 255
        shown = rig.shown
        assert shown["cursors"] + shown["phases"] + shown["flow"] == [name] * there
    for name in ("T1", "T2", "T3", "T4", "FF", "SD", "TEST", "CLK", "LR"):
        assert rig.layout.indicators[indicators.NAMES.index(name)] != 255
    rig.view.indicate(0)
    rig.view.value("1.2.3.4.5.6.7.8.")
    assert rig.shown["value"] == "1.2.3.4.5.6.7.8" + ("" if rig.name == "ht1621" else ".")


@pytest.mark.row("DSP-02", "PRD-12")
def test_display_test_lights_whatever_there_is_and_leaves_nothing(rig):
    rig.view.test(0)
    assert rig.lit() == set(known(rig.layout))
    rig.view.test(1)
    odd = rig.lit()
    rig.view.test(2)
    even = rig.lit()
    assert odd and even and not odd & even
    rig.view.test(0)
    rig.view.value("88888.888", True)
    rig.view.code("8.8.8")
    rig.view.unit("kvarh")
    rig.view.indicate(0)
    shown = rig.shown
    assert (shown["value"], shown["code"], shown["unit"]) == ("88888.888", "8.8.8", "kvarh")
    rig.view.test(0)
    rig.view.test(3)
    assert rig.lit() == set()


FIELD = st.text(alphabet=font.CHARACTERS + ".:*xKQ", max_size=20)


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            FIELD,
            FIELD,
            st.sampled_from(["", "kWh", "kvarh", "V", "min", "x"]),
            st.integers(0, indicators.ALL),
            st.booleans(),
            st.integers(-1, 3),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_a_picture_does_not_depend_on_those_before(pictures):
    for name in BITS:
        used = Rig(name)
        for value, code, unit, lit, left, test in pictures:
            if test >= 0:
                used.view.test(test)
            fresh = Rig(name)
            for rig in (used, fresh):
                rig.view.value(value, left)
                rig.view.code(code)
                rig.view.unit(unit)
                rig.view.indicate(lit)
            assert used.lit() == fresh.lit()


def test_start_blanks_and_light_is_passed_on(rig):
    rig.view.value("1")
    rig.view.flush()
    rig.view.start()
    assert rig.lit() == set()
    rig.view.value("1")
    assert rig.shown["value"] == "1"
    rig.view.backlight(True)
    assert rig.lcd.light is True


def test_noise_is_not_read_as_text(rig):
    shown = rig.glass.decode(lambda bit: bit % 3 == 0)
    assert "?" in shown["value"]
    blank = rig.glass.decode(lambda _bit: False)
    assert (blank["value"], blank["code"], blank["unit"], blank["cursors"]) == ("", "", "", [])
    assert rig.glass.rows(lambda _bit: False) == ["." * 128] * 64
    assert segments.layout("st7567") is None
