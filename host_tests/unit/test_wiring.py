"""Drawings of the boards' wiring: complete, and what the tables say."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))

import board_check
import wiring
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


def test_the_drawings_in_the_repository_are_of_these_tables(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["wiring.py", "--check"])
    assert wiring.main() == 0
    monkeypatch.setattr(wiring, "draw", lambda _board: "another")
    assert wiring.main() == 1
    assert "boards/pico2_meter/wiring.svg is not what the tables say" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["wiring.py", "nano"])
    assert wiring.main() == 2
