"""Drawings of the boards' wiring: complete, and what the tables say."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

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
    assert wiring.pin_text(rows["EXPANDER_LOCK"]) == "GPA5: lock"


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
    fitted = (BOARDS["pico2_meter"].folder / "fitted.py").read_text()
    assert factors()["ads131m0x", "current of L1, L2, L3, N"] in fitted


def test_the_drawings_in_the_repository_are_of_these_tables(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["wiring.py", "--check"])
    assert wiring.main() == 0
    monkeypatch.setattr(wiring, "draw", lambda _board: "another")
    assert wiring.main() == 1
    assert "boards/pico2_meter/wiring.svg is not what the tables say" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["wiring.py", "nano"])
    assert wiring.main() == 2
