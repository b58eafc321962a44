"""What a segment glass looks like, in dots, and what it says: from RAM bits to GET /api/lcd.

The drawing is as large as a glass of dots. Digits have the shapes of the firmware's font; what
they say is read from the bits by the board's table, not from the drawing.
"""

from micropython import const

from app.display import font, indicators, view
from app.display.fields import VALUE_CELLS

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from segments import Segments

    Dots = list[tuple[int, int]]

_WIDTH = const(128)
_HEIGHT = const(64)
_CELLS = const(13)
_CELL = const(10)
_POINT = const(7)
_COLON = const(8)
_STAR = const(9)
_ABSENT = const(255)

_VALUE_Y = const(19)
_PHASES_AT = ((52, 2), (61, 2), (71, 2))
_FLOWS_AT = ((51, 10), (55, 10), (67, 10), (71, 10))  # -P, +P, -Q, +Q
_UNITS_AT = {
    "k": (81, 0), "W": (86, 0), "V": (94, 0), "A": (100, 0), "var": (107, 0), "h": (123, 0),
    "Hz": (86, 9), "\xb0C": (98, 9), "m\xb3": (109, 9), "%": (121, 9),
}  # fmt: skip
_CURSOR_ROWS = const(10)  # as many cursors stand in one row


def _word(text: str, letters: font.Letters, x: int, y: int) -> "Dots":
    dots: Dots = []
    for letter in text:
        for column in letters.get(letter):
            dots += [(x, y + bit) for bit in range(8) if column >> bit & 1]
            x += 1
        x += 1
    return dots


def _rectangles(shape: bytes, x: int, y: int) -> "Dots":
    dots: Dots = []
    for at in range(0, len(shape), 4):
        left, top, width, height = shape[at : at + 4]
        dots += [(x + left + i, y + top + j) for j in range(height) for i in range(width)]
    return dots


def _cell(place: int, index: int) -> "Dots":
    """Return the dots of a digit's segment or of a mark beside it."""
    if place < VALUE_CELLS:
        digits, x, y = font.BIG, place * font.BIG.pitch, _VALUE_Y
    else:
        digits, x, y = font.SMALL, (place - VALUE_CELLS) * font.SMALL.pitch, view.CODE_Y
    if index < _POINT:
        return _rectangles(digits.segments[index], x, y)
    shape = digits.segments[font.FIRST_MARK + (0, 1, 2)[index - _POINT]]
    return _rectangles(shape[:4] if index == _COLON else shape, x, y)


def _indicators(bits: bytes) -> "dict[int, Dots]":
    """Return the dots of each indicator that the glass has, by its bit."""
    cursors = indicators.CURSORS[0] + indicators.CURSORS[1]
    fitted = [name for name, bit in zip(cursors, bits) if bit != _ABSENT]
    drawn: dict[int, Dots] = {}
    if len(fitted) > _CURSOR_ROWS:
        places = dict(zip(cursors, view.CURSOR_PLACES))
    else:
        places = {name: (x, 54) for name, x in zip(fitted, view.spread(fitted))}
    for name, bit in zip(indicators.NAMES, bits):
        if bit == _ABSENT:
            continue
        if name in places:
            drawn[bit] = _word(name, font.TINY, places[name][0], places[name][1])
        elif name in indicators.PHASES:
            x, y = _PHASES_AT[indicators.PHASES.index(name)]
            drawn[bit] = _word(name, font.TINY, x, y)
        else:
            # the arrow with the letter that it belongs to
            x, y = _FLOWS_AT[indicators.FLOWS.index(name)]
            drawn[bit] = _word("<" + name[1] if name[0] == "-" else name[1] + ">", font.TINY, x, y)
    return drawn


class SegmentGlass:
    """One kind of glass; built once, it holds the dots of all its segments."""

    def __init__(self, layout: "Segments") -> None:
        self._layout = layout
        self._dots = _indicators(layout.indicators)
        for place in range(_CELLS):
            for index in range(_CELL):
                bit = layout.cells[place * _CELL + index]
                if bit != _ABSENT:
                    self._dots[bit] = _cell(place, index)
        for name, bit in zip(layout.units, layout.unit_bits):
            x, y = _UNITS_AT[name]
            self._dots[bit] = _word(name, font.LETTERS, x, y)
        # The first of those that look alike: 5, not S.
        self._characters: dict[int, str] = {}
        for character in font.CHARACTERS:
            self._characters.setdefault(font.segments(character), character)

    def rows(self, lit: "Callable[[int], bool]") -> "list[str]":
        """Return the drawing with the bits that `lit` tells, 64 rows of `.` and `#`."""
        picture = [bytearray(b"." * _WIDTH) for _ in range(_HEIGHT)]
        for bit, dots in self._dots.items():
            if lit(bit):
                for x, y in dots:
                    picture[y][x] = 0x23  # "#"
        return [row.decode() for row in picture]

    def decode(self, lit: "Callable[[int], bool]") -> "dict[str, Any]":
        """Return the fields; what is no character reads `?`."""
        layout = self._layout
        texts = [self._text(place, lit) for place in range(_CELLS)]
        names = [
            name
            for name, bit in zip(indicators.NAMES, layout.indicators)
            if bit != _ABSENT and lit(bit)
        ]
        beside = indicators.PHASES + indicators.FLOWS
        units = [name for name, bit in zip(layout.units, layout.unit_bits) if lit(bit)]
        return {
            "code": "".join(texts[VALUE_CELLS:]).strip(),
            "value": "".join(texts[:VALUE_CELLS]).strip(),
            "unit": "".join(units),
            "cursors": [name for name in names if name not in beside],
            "phases": [name for name in names if name in indicators.PHASES],
            "flow": [name for name in names if name in indicators.FLOWS],
            "icons": {},  # no segment glass has them
        }

    def _text(self, place: int, lit: "Callable[[int], bool]") -> str:
        """Return a cell's character and its mark."""
        shown = 0
        for index in range(_CELL):
            bit = self._layout.cells[place * _CELL + index]
            if bit != _ABSENT and lit(bit):
                shown |= 1 << index
        text = self._characters.get(shown & 0x7F, "?")
        if shown >> _COLON & 1:
            return text + ":"
        if shown >> _STAR & 1:
            return text + "*"
        return text + "." if shown >> _POINT & 1 else text
