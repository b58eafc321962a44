"""`make docs`: draw each board's wiring from its own tables, boards/<board>/wiring.svg.

    wiring.py [BOARD ...] [--check]

Pins come from the table that the code uses, what is at their ends from wiring.csv
(tools/board_check.py holds both together). Ends with 1 if `--check` finds a drawing out of date.
"""

from __future__ import annotations

import argparse
import sys
from html import escape
from itertools import groupby
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wiring_analogue
from board_check import wiring
from board_chips import CHIPS
from board_list import BOARDS, ROOT, Board, UnknownBoardError, chosen

_LINE = 22  # height of a wire's row
_GAP = 16  # between two parts
_LEFT, _LEFT_WIDTH = 20, 260
_FIXED = 310  # where the other pins' ends begin
_RIGHT, _RIGHT_WIDTH = 520, 300
_WIDTH = _RIGHT + _RIGHT_WIDTH + 20
_FIRST = "ads131m0x"
_CONVERTERS = {
    _FIRST: "ADS131M08 (ADS131M04 for one phase: AIN0 voltage, AIN1 current, AIN2 neutral)",
    "ads1115": "ADS1115",
    "own": "processor's own ADC",
}
_STYLE = (
    "text{font:13px sans-serif;fill:#222}.t{font-weight:bold}.n{fill:#666;font-size:11px}"
    ".w{stroke:#2a6f97;stroke-width:1.5}.p{fill:#e8f1f6;stroke:#2a6f97}.c{fill:#f6f3e8;stroke:#977a2a}"
)


def pin_text(row: dict[str, str]) -> str:
    """What stands at a pin: its label, its place on the header, the signal."""
    where = f"{row['label']}, pin {row['place']}" if row["place"] else row["label"]
    signal = row["signal"].removeprefix("EXPANDER_").removeprefix("OWN_")
    return f"{where}: {signal.lower().replace('_', ' ')}"


def heading(converter: str) -> str:
    """What stands above the drawing of what is before a converter."""
    return f"Before the {_CONVERTERS[converter]}"


class Drawing:
    """Text of an SVG that grows downwards."""

    def __init__(self, title: str) -> None:
        self._parts: list[str] = []
        self._y = 20
        self.title(title)

    def title(self, text: str) -> None:
        """A heading."""
        self.text(_LEFT, self._y + 4, text, "t")
        self._y += 24

    def text(self, x: int, y: int, text: str, kind: str = "") -> None:
        """A line of text."""
        mark = f' class="{kind}"' if kind else ""
        self._parts.append(f'<text x="{x}" y="{y}"{mark}>{escape(text)}</text>')

    def box(self, x: int, y: int, width: int, height: int, kind: str) -> None:
        """A part."""
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" class="{kind}"/>'
        )

    def chip(self, name: str, rows: list[dict[str, str]]) -> None:
        """A chip with all its pins on the left, what is at their ends on the right."""
        top = self._y
        groups = [(part, list(ends)) for part, ends in groupby(rows, lambda row: row["part"])]
        height = sum(_LINE * (len(ends) + 1) + _GAP for _, ends in groups)
        self.box(_LEFT, top, _LEFT_WIDTH, height, "p")
        self.text(_LEFT + 8, top + 16, name, "t")
        for part, ends in groups:
            self.box(_RIGHT, self._y, _RIGHT_WIDTH, _LINE * (len(ends) + 1), "c")
            self.text(_RIGHT + 8, self._y + 16, part, "t")
            for row in ends:
                self._y += _LINE
                self._wire(row)
            self._y += _LINE + _GAP
        self._y += _GAP

    def fixed(self, rows: list[dict[str, str]]) -> None:
        """Pins that lead to no processor, a line each."""
        for row in rows:
            self.text(_LEFT + 8, self._y + 8, f"{row['part']} {row['end']}")
            self.text(_FIXED, self._y + 8, row["to"])
            self._y += _LINE
        self._y += _GAP

    def analogue(self, converter: str) -> None:
        """What stands before a converter."""
        self.title(heading(converter))
        parts, self._y = wiring_analogue.draw(converter, self._y)
        self._parts += parts
        self._y += _GAP

    def _wire(self, row: dict[str, str]) -> None:
        y = self._y + 12
        self.text(_LEFT + 8, y + 4, pin_text(row))
        right = _LEFT + _LEFT_WIDTH
        self._parts.append(f'<line x1="{right}" y1="{y}" x2="{_RIGHT}" y2="{y}" class="w"/>')
        if row["note"]:
            self.text(right + 12, y - 3, row["note"], "n")
        self.text(_RIGHT + 8, y + 4, row["end"])

    def svg(self) -> str:
        """The whole drawing."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{self._y}" '
            f'viewBox="0 0 {_WIDTH} {self._y}">\n<style>{_STYLE}</style>\n'
            f'<rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(self._parts)
            + "\n</svg>\n"
        )


def draw(board: Board) -> str:
    """The wiring of a board as SVG. Raises ValueError if its tables do not agree."""
    first, *others = converters(wiring(board)) or [""]
    rows = wiring(board, first)
    drawing = Drawing(f"{board.name}: every wire")
    drawing.title("Pull-ups lead to 3.3 V, pull-downs to GND; each chip has 100 nF at its supply")
    if supply := CHIPS[board.chip].supply:
        drawing.title(supply)
    for on, name in (("processor", CHIPS[board.chip].name), ("MCP23017", "MCP23017")):
        drawing.chip(name, [row for row in rows if row["on"] == on])
    drawing.title("The parts' other pins; what is not named stays open")
    there = " ".join(row["part"] for row in rows)
    drawing.fixed(
        [
            row
            for row in fixed()
            if row["converter"] == _FIRST or (not row["converter"] and row["part"] in there)
        ]
    )
    drawing.analogue(_FIRST)
    for converter in others:
        drawing.title(
            f'Otherwise, with CONVERTER = "{converter}": no ADS131M08, all else as above'
        )
        changed = [row for row in wiring(board, converter) if row not in rows]
        drawing.chip(CHIPS[board.chip].name, changed)
        drawing.fixed([row for row in fixed() if row["converter"] == converter])
        drawing.analogue(converter)
    return drawing.svg()


def fixed() -> list[dict[str, str]]:
    """Pins of chips that lead to no processor: part, end, to what, and of which converter."""
    return wiring_analogue.table("wiring_fixed.csv")


def converters(rows: list[dict[str, str]]) -> list[str]:
    """The converters that the rows are of, in their order; the first comes with the board."""
    return list(dict.fromkeys(name for row in rows for name in row["converter"].split()))


def main() -> int:
    """Draw, or compare; 1 if a drawing is out of date, 2 for a board that there is not."""
    parser = argparse.ArgumentParser(description="Draw the wiring of boards.")
    parser.add_argument("boards", nargs="*", metavar="BOARD", help=", ".join(BOARDS))
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    options = parser.parse_args()
    try:
        boards = chosen(options.boards)
    except UnknownBoardError as error:
        print(f"wiring: {error}", file=sys.stderr)
        return 2
    stale = 0
    for board in boards:
        target = board.folder / "wiring.svg"
        text = draw(board)
        name = target.relative_to(ROOT)
        if options.check:
            if not target.exists() or target.read_text() != text:
                stale = 1
                print(f"{name} is not what the tables say: make docs")
        else:
            target.write_text(text)
            print(name)
    return stale


if __name__ == "__main__":
    sys.exit(main())
