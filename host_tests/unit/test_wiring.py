"""Drawings of the boards' wiring: complete, and what the tables say."""

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import pytest
from PIL import ImageFont

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))

import board_check
import wiring
import wiring_analogue
from board_list import BOARDS

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_a_drawing_has_each_wire_from_its_pin_to_its_end(board):
    root = ET.fromstring(wiring.draw(board))
    rows = board_check.wiring(board)
    assert len(root.findall(SVG + "line")) == len(rows)
    places = {}
    for text in root.iter(SVG + "text"):
        places.setdefault(text.text, []).append((int(text.get("x")), int(text.get("y"))))
    for row in rows:
        (pin,) = places[wiring.pin_text(row)]
        if row["end"]:
            assert any(y == pin[1] and x > pin[0] for x, y in places[row["end"]]), row
    for converter in wiring.converters(rows)[1:]:
        assert any(f'"{converter}"' in str(text) for text in places)
    for part in {row["part"] for row in rows}:
        assert part in places
    width, height = int(root.get("width")), int(root.get("height"))
    assert all(x < width and y < height for spots in places.values() for x, y in spots)


def test_pins_of_a_pico_are_named_with_their_place_on_the_header():
    rows = {row["signal"]: row for row in board_check.wiring(BOARDS["pico_meter"])}
    assert wiring.pin_text(rows["RS485_TX"]) == "GP0, pin 1: rs485 tx"
    assert wiring.pin_text(rows["PULSE_OUTPUT"]) == "GP28, pin 34: pulse output"
    assert wiring.pin_text(rows["LED_REACTIVE"]) == "GP25: led reactive"
    assert wiring.pin_text(rows["EXPANDER_LOCK"]) == "GPA5, pin 26: lock"
    assert wiring.pin_text(rows["EXPANDER_INPUT1"]) == "GPB0, pin 1: input1"


def test_a_picos_drawing_shows_what_stands_before_each_of_its_converters():
    root = ET.fromstring(wiring.draw(BOARDS["pico2_meter"]))
    texts = [text.text for text in root.iter(SVG + "text")]
    for name in wiring.converters(board_check.wiring(BOARDS["pico2_meter"])):
        begin = next(k for k, text in enumerate(texts) if text == wiring.heading(name))
        rest = texts[begin + 1 :]
        end = next((k for k, text in enumerate(rest) if "CONVERTER" in str(text)), len(rest))
        for row in wiring_analogue.table("analogue.csv"):
            shown = {row["input"], row["return"], f"{row['burden']} ohm", row["capacitor"]}
            assert row["converter"] != name or shown <= set(rest[:end])
        for row in wiring_analogue.table("analogue_bias.csv"):
            shown = {row["from"], row["upper"], row["lower"], row["to"]}
            assert (shown <= set(rest[:end])) == (row["converter"] == name)
    for row in wiring.fixed():
        assert row["to"] in texts


def test_biases_are_what_their_dividers_give():
    """And leave room for the sensors' peaks: the inputs are between ground and 3.3 V."""
    bias_v = {row["converter"]: row for row in wiring_analogue.table("analogue_bias.csv")}
    for row in bias_v.values():
        upper, lower = (wiring_analogue.value(row[name]) for name in ("upper", "lower"))
        assert abs(3.3 * lower / (upper + lower) - float(row["volts"])) < 0.01
    maximum_a = {"ads131m0x": 120, "own": 60, "ads1115": 100}  # Imax
    for row in wiring_analogue.table("analogue.csv"):
        burden = wiring_analogue.value(row["burden"])
        secondary_a = maximum_a[row["converter"]] / 2000
        if row["before"]:
            secondary_a = 1.15 * 230 / wiring_analogue.value(row["before"])
        room = float(bias_v[row["converter"]]["volts"]) if row["converter"] in bias_v else 1.2
        assert burden * secondary_a * 2**0.5 < room


def boxes(root):
    """Each text with its class, its left edge, its line, and its width in a wide common font."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = {
        kind: ImageFont.truetype(folder / name, size)
        for kind, name, size in (
            ("", "DejaVuSans.ttf", 13),
            ("t", "DejaVuSans-Bold.ttf", 13),
            ("n", "DejaVuSans.ttf", 11),
        )
    }
    share = {"middle": 0.5, "end": 1}
    for text in root.iter(SVG + "text"):
        width = fonts[text.get("class", "")].getlength(text.text or "")
        left = int(text.get("x")) - width * share.get(text.get("text-anchor"), 0)
        yield text.text, left, int(text.get("y")), width


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_no_text_of_a_drawing_runs_into_another_one_or_out_of_its_box(board):
    root = ET.fromstring(wiring.draw(board))
    width = int(root.get("width"))
    lines = {}
    for text, left, y, wide in boxes(root):
        assert left >= 0 and left + wide < width, text
        lines.setdefault(y, []).append((left, left + wide, text))
    for texts in lines.values():
        texts.sort()
        for (_, end, one), (begin, _, other) in zip(texts, texts[1:], strict=False):
            assert end < begin, (one, other)
    frames = [tuple(int(box.get(name)) for name in ("x", "y", "width", "height"))
              for box in root.iter(SVG + "rect") if box.get("class") in ("p", "c")]  # fmt: skip
    for text, left, y, wide in boxes(root):
        for x, top, across, down in frames:
            if x <= left < x + across and top < y < top + down:
                assert left + wide < x + across, text


_NUMBER = re.compile(r"\b[A-Z]{2,}-?\d\w*")
_PACKAGE = re.compile(r"(TQFP|TSSOP|SOIC|DIP|DFN|SOT)")
_NOT_DRAWN = {
    "SC1631",
    "CR2032",
    "SCT-013",
    "DC5",
}  # the Pico, a cell, one transformer of many, a voltage


def test_what_is_drawn_is_in_the_list_of_parts_and_the_other_way_round():
    readme = (BOARDS["pico2_meter"].folder / "README.md").read_text()
    bought = readme.split("## Parts")[1].split("**Supply.**")[0]
    table = " ".join(line.split("|")[1] for line in bought.splitlines() if line.startswith("|"))
    drawn = {row["part"] for row in board_check.wiring(BOARDS["pico2_meter"], "ads131m0x")}
    drawn |= {row["part"] for row in wiring.fixed() if row["converter"] != "ads1115"}
    drawn |= {row["sensor"] for row in wiring_analogue.table("analogue.csv")}
    shown = set(_NUMBER.findall(" ".join(drawn)))
    assert len(shown) > 10
    assert {number for number in shown if number not in table} == set()
    listed = {number for number in _NUMBER.findall(table) if not _PACKAGE.match(number)}
    assert {
        number for number in listed if not any(number.startswith(part) for part in shown)
    } == _NOT_DRAWN


def factors():
    """What `fitted.py` says of the sensors that are drawn, by converter and what it is of."""
    found = {}
    for row in wiring_analogue.table("analogue.csv"):
        burden = wiring_analogue.value(row["burden"])
        if row["before"]:
            text = f"VOLTAGE_RATIO = {round(wiring_analogue.value(row['before']) / burden)}"
        else:
            text = f"CURRENT_MA_PER_V = {round(2_000_000 / burden):_}"
        found[row["converter"], row["what"]] = text
    return found


def test_the_instructions_name_the_factors_of_the_sensors_that_are_drawn():
    readme = (BOARDS["pico2_meter"].folder / "README.md").read_text()
    for text in factors().values():
        assert text in readme
    for board in BOARDS.values():
        fitted = (board.folder / "fitted.py").read_text().splitlines()
        drawn = [text for (name, _), text in factors().items() if name == "ads131m0x"]
        assert len(drawn) == 2 and set(drawn) <= set(fitted)


def test_the_drawings_in_the_repository_are_of_these_tables(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["wiring.py", "--check"])
    assert wiring.main() == 0
    monkeypatch.setattr(wiring, "draw", lambda _board: "another")
    assert wiring.main() == 1
    assert "boards/pico2_meter/wiring.svg is not what the tables say" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["wiring.py", "nano"])
    assert wiring.main() == 2
