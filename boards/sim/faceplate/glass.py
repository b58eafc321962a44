"""Reads the meter's glass as an eye would: dots in, the fields of GET /api/lcd out.

The shapes are the firmware's own: every character is drawn once by the firmware's view on a
scratch buffer, and what stands in a cell of the real glass is looked up among them.
"""

import pins
from micropython import const

from app.display import fields, font, indicators, view

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from faceplate.artwork import SegmentGlass

    Dots = list[tuple[int, int]]

_WIDTH = const(128)
_HEIGHT = const(64)
_UNREADABLE = "?"
_BARS = ("no signal", "1 bar", "2 bars", "3 bars", "4 bars")
_CONTACTS = ("open", "closed", "armed")
_ICON_WORDS = (_BARS, _BARS, ("flat",), _CONTACTS, _CONTACTS, _CONTACTS)


class _Scratch:
    """A glass that nobody sees."""

    def __init__(self) -> None:
        self.width = _WIDTH
        self.height = _HEIGHT
        self.buffer = bytearray(_WIDTH * _HEIGHT // 8)

    def start(self) -> None:
        pass

    def refresh(self) -> None:
        pass

    def show(self, first_page: int = 0, last_page: int = 7) -> None:
        pass

    def backlight(self, on: bool) -> None:
        pass


def _row(buffer: bytearray, x: int, y: int, width: int) -> str:
    start = (y >> 3) * _WIDTH + x
    bit = 1 << (y & 7)
    return "".join(["#" if buffer[at] & bit else "." for at in range(start, start + width)])


def rows_of(buffer: bytearray) -> "list[str]":
    """Return 64 rows of `.` and `#` for the contents of a MONO_VLSB buffer."""
    return [_row(buffer, 0, y, _WIDTH) for y in range(_HEIGHT)]


def _drawn(buffer: bytearray, digits: font.Digits, y: int) -> str:
    """Return the dots of the first cell of a field."""
    return "".join([_row(buffer, 0, line, digits.pitch) for line in range(y, y + digits.height)])


class Glass:
    """Decodes rows of dots; built once, it holds all shapes."""

    def __init__(self) -> None:
        scratch = _Scratch()
        drawing = view.View(scratch)
        buffer = scratch.buffer
        self._big: dict[str, str] = {}
        self._small: dict[str, str] = {}
        for character in font.CHARACTERS:
            for mark in ("",) + tuple(font.MARKS):
                text = character + mark
                drawing.code(text)
                self._small[_drawn(buffer, font.SMALL, view.CODE_Y)] = text
                if mark in fields.VALUE_MARKS:
                    drawing.value(text, True)
                    self._big[_drawn(buffer, font.BIG, view.VALUE_Y)] = text
        self._letters = {font.LETTERS.get(letter): letter for letter in font.LETTERS.letters}
        self._places = _find_places(drawing, buffer)
        self._icons = _icon_shapes(drawing, buffer)

    def decode(self, rows: "list[str]") -> "dict[str, Any]":
        """Return the fields that the rows show; what is no character reads `?`."""
        names = [name for name, dots in self._places if _shows(rows, dots)]
        beside = indicators.PHASES + indicators.FLOWS
        return {
            "code": _text(rows, font.SMALL, view.CODE_Y, fields.CODE_CELLS, self._small),
            "value": _text(rows, font.BIG, view.VALUE_Y, fields.VALUE_CELLS, self._big),
            "unit": self._unit(rows),
            "cursors": [name for name in names if name not in beside],
            "phases": [name for name in names if name in indicators.PHASES],
            "flow": [name for name in names if name in indicators.FLOWS],
            "icons": self._shown_icons(rows),
        }

    def _shown_icons(self, rows: "list[str]") -> "dict[str, str]":
        """Return what the icons that are there say."""
        found: dict[str, str] = {}
        for icon, name in enumerate(indicators.ICONS):
            dots = _icon_dots(rows, icon)
            if "#" in dots:
                shapes = self._icons[icon]
                state = shapes.index(dots) - 1 if dots in shapes else -1
                found[name] = _ICON_WORDS[icon][state] if state >= 0 else _UNREADABLE
        return found

    def _unit(self, rows: "list[str]") -> str:
        """Letters are parted by blank columns."""
        text = ""
        shape: list[int] = []
        for x in range(view.UNIT_X, _WIDTH + 1):
            column = 0
            if x < _WIDTH:
                for bit in range(8):
                    if rows[view.LETTERS_Y + bit][x] == "#":
                        column |= 1 << bit
            if column:
                shape.append(column)
            elif shape:
                text += self._letters.get(bytes(shape), _UNREADABLE)
                shape = []
        return text


def _text(
    rows: "list[str]", digits: font.Digits, y: int, count: int, shapes: "dict[str, str]"
) -> str:
    text = ""
    lines = rows[y : y + digits.height]
    for x in range(0, count * digits.pitch, digits.pitch):
        cell = "".join([line[x : x + digits.pitch] for line in lines])
        text += shapes.get(cell, _UNREADABLE)
    return text.strip()


def _icon_dots(rows: "list[str]", icon: int) -> str:
    x = view.ICON_PLACES[icon][0]
    lines = rows[view.ICONS_Y : view.ICONS_Y + view.ICON_HEIGHT]
    return "".join([line[x : x + view.ICON_WIDTH] for line in lines])


def _icon_shapes(drawing: view.View, buffer: bytearray) -> "list[list[str]]":
    """Return the dots of each state of each icon."""
    shapes: list[list[str]] = []
    for icon in range(len(indicators.ICONS)):
        shapes.append([])
        for state in range((indicators.ALL_ICONS >> 3 * icon & 7) + 1):
            drawing.clear()
            drawing.indicate(0, state << 3 * icon)
            shapes[icon].append(_icon_dots(rows_of(buffer), icon))
    drawing.clear()
    return shapes


def _find_places(drawing: view.View, buffer: bytearray) -> "list[tuple[str, Dots]]":
    """Return the dots that each indicator has to itself: the letters between arrows are shared."""
    shapes: list[tuple[str, bytes]] = []
    for name in indicators.NAMES:
        drawing.clear()
        drawing.indicate(indicators.bit(name))
        shapes.append((name, bytes(buffer)))
    drawing.clear()
    places: list[tuple[str, Dots]] = []
    for name, shape in shapes:
        dots: Dots = []
        for at, byte in enumerate(shape):
            if byte:
                for other, others in shapes:
                    if other != name:
                        byte &= ~others[at]  # noqa: PLW2901 - what remains is its own
            for bit in range(8):
                if byte >> bit & 1:
                    dots.append((at % _WIDTH, at // _WIDTH * 8 + bit))
        places.append((name, dots))
    return places


def _shows(rows: "list[str]", dots: "Dots") -> bool:
    return all(rows[y][x] == "#" for x, y in dots)


_glasses: "list[Glass]" = []
_drawings: "dict[object, SegmentGlass]" = {}  # by the table of the glass


def read(
    lcd: "Any",  # noqa: ANN401 - display_glass.Glass, of the kind that the table tells
) -> "tuple[list[str], dict[str, Any]]":
    """Return the picture of the board's display and what it says."""
    layout = pins.segments
    if layout is None:
        rows: list[str] = lcd.rows()
        return rows, decode(rows)
    if layout not in _drawings:
        from faceplate.artwork import SegmentGlass

        _drawings.clear()
        _drawings[layout] = SegmentGlass(layout)
    drawing = _drawings[layout]
    return drawing.rows(lcd.lit), drawing.decode(lcd.lit)


def decode(dots: "list[str] | bytearray") -> "dict[str, Any]":
    """Return what the glass shows; `dots` are 64 rows of `.` and `#`, or a MONO_VLSB buffer."""
    if not _glasses:
        _glasses.append(Glass())
    return _glasses[0].decode(rows_of(dots) if isinstance(dots, bytearray) else dots)
