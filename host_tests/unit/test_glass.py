"""What the firmware draws, the bench reads back: every character, mark, unit and indicator."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.display import font, indicators, view

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "boards" / "sim")]

from faceplate import glass
from lcd_double import Lcd


@pytest.fixture
def lcd():
    return Lcd()


CHARACTER = st.sampled_from(sorted(font.CHARACTERS))
CELL = st.tuples(CHARACTER, st.sampled_from(["", ".", ":"]))
CODE_CELL = st.tuples(CHARACTER, st.sampled_from(["", ".", ":", "*"]))
FIELD = st.lists(CELL, max_size=8).map(lambda cells: "".join(c + m for c, m in cells))
UNITS = ["", "kWh", "kvarh", "kVAh", "kW", "kvar", "kVA", "V", "A", "Hz", "\xb0C", "m\xb3"]
UNITS += ["%", "dBm", "s", "min", "h", "d"]


@pytest.mark.row("DSP-01", "DSP-04", "DSP-09")
@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            FIELD,
            st.lists(CODE_CELL, max_size=5).map(lambda cells: "".join(c + m for c, m in cells)),
            st.sampled_from(UNITS),
            st.integers(0, indicators.ALL),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_is_drawn_is_read_back(pictures):
    """One picture after the other on one glass, by sent pages alone."""
    lcd = Lcd()
    lcd.start()
    drawn = view.View(lcd)
    for value, code, unit, lit, left in pictures:
        drawn.value(value, left)
        drawn.code(code)
        drawn.unit(unit)
        drawn.indicate(lit)
        drawn.flush()
        assert lcd.sent == lcd.buffer
        read = glass.decode(glass.rows_of(lcd.sent))
        assert read["value"] == value.strip()
        assert read["code"] == code.strip()
        assert read["unit"] == unit
        names = [name for name in indicators.NAMES if lit & indicators.bit(name)]
        assert read["cursors"] + read["phases"] + read["flow"] == names


@pytest.mark.parametrize("character", sorted(font.CHARACTERS))
def test_every_character_has_a_shape_of_its_own(character, lcd):
    drawn = view.View(lcd)
    drawn.value("8" + character + "8")
    drawn.code("8" + character + "8")
    read = glass.decode(lcd.buffer)
    assert read["value"] == read["code"] == "8" + character + "8"


@pytest.mark.row("DSP-04")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tESt123", "tESt123"),
        ("BDINORT", "bdinort"),
        ("acefgjlpsyz"[:8], "ACEFGJLP"),
        ("syz", "SYZ"),
        ("a*b", "A b"),
        ("Kk?Mx", ""),
        ("FErrAriS", "FErrAriS"),
        ("rESEt", "rESEt"),
        ("1.2.3", "1.2.3"),
        ("12:34:56", "12:34:56"),
        (".5", ".5"),
        ("123456789", "12345678"),
        ("1.2.3.4.5.6.7.8.9", "1.2.3.4.5.6.7.8."),
        ("", ""),
    ],
)
def test_characters_that_the_glass_lacks(text, shown, lcd):
    view.View(lcd).value(text, True)
    assert glass.decode(lcd.buffer)["value"] == shown


@pytest.mark.row("DSP-02", "PRD-12")
def test_display_test_lights_everything(lcd):
    view.View(lcd).test(0)
    read = glass.decode(lcd.buffer)
    assert read["value"] == "8." * 8
    assert read["code"] == "8." * 5
    assert read["unit"] == "kvarh"
    assert tuple(read["cursors"] + read["phases"] + read["flow"]) == indicators.NAMES
    assert tuple(read["icons"]) == indicators.ICONS


def test_odd_and_even_pictures_make_up_the_whole(lcd):
    drawn = view.View(lcd)
    pictures = []
    for picture in range(4):
        drawn.test(picture)
        read = glass.decode(lcd.buffer)
        signs = read["cursors"] + read["phases"] + read["flow"] + list(read["icons"])
        pictures.append(set(signs))
    assert pictures[1] | pictures[2] == pictures[0]
    assert not pictures[3] and lcd.buffer == bytes(1024)


def test_only_what_changed_is_sent(lcd):
    drawn = view.View(lcd)
    drawn.value("000123.45")
    drawn.code("1.8.0")
    drawn.flush()
    assert sorted(set(lcd.pages)) == list(range(8))  # the first time all of it
    lcd.pages.clear()
    drawn.value("000123.45")
    drawn.code("1.8.0")
    drawn.indicate(0)
    drawn.flush()
    assert lcd.pages == []
    drawn.value("000123.46")
    drawn.flush()
    assert lcd.pages == [2, 3, 4, 5]
    lcd.pages.clear()
    drawn.indicate(indicators.bit("T1") | indicators.bit("+P"))
    drawn.flush()
    assert lcd.pages == [0, 1, 6]


def test_fields_do_not_touch():
    """Each field changes dots of its own alone."""
    blank = Lcd()
    view.View(blank)
    changed = []
    for draw in (
        lambda drawn: drawn.value("8." * 8),
        lambda drawn: drawn.value("8:" * 8),
        lambda drawn: drawn.code("8." * 5),
        lambda drawn: drawn.unit("kvarh"),
        *(
            lambda drawn, name=name: drawn.indicate(indicators.bit(name))
            for name in indicators.CURSORS[0] + indicators.CURSORS[1] + indicators.PHASES
        ),
        lambda drawn: drawn.indicate(sum(indicators.bit(name) for name in indicators.FLOWS)),
    ):
        lcd = Lcd()
        draw(view.View(lcd))
        assert any(lcd.buffer)
        changed.append(int.from_bytes(lcd.buffer, "little"))
    values = changed[0] | changed[1]
    changed[:2] = [values]
    for index, one in enumerate(changed):
        for other in changed[index + 1 :]:
            assert not one & other


def test_noise_is_not_read_as_text():
    assert glass.decode(["#" * 128] * 64)["value"] == "?" * 8
    assert glass.decode(["." * 128] * 64) == {
        "code": "",
        "value": "",
        "unit": "",
        "cursors": [],
        "phases": [],
        "flow": [],
        "icons": {},
    }
    assert glass.decode(["#" * 128] * 64)["icons"] == dict.fromkeys(indicators.ICONS, "?")
