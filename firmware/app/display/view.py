"""Draws the display's fields on a glass of dots and sends what changed (row DSP-01).

    pages 0-1   code in five small digits, phases, directions of power, unit
    pages 2-5   value in eight large digits, each with decimal point or colon behind it;
                below it the icons
    pages 6-7   cursors

Only the pages of fields that changed are sent: sending is what costs.
"""

import framebuf
from micropython import const

from app.display import font, indicators
from app.display.fields import VALUE_CELLS, Fields

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Sequence

    from hal import Lcd

_WIDTH = const(128)
VALUE_Y = 16
CODE_Y = 1
LETTERS_Y = 3
PHASES_X = (52, 62, 73)
FLOWS_X = (85, 95)  # left and right arrow; the letter stands between them
FLOW_LETTER_X = 90
FLOWS_Y = (1, 8)
UNIT_X = 100
ICONS_Y = 42
CURSORS_Y = (50, 58)

# Where an icon stands, its sign, and what stands behind it by its state: a picture, or bars
ICON_PLACES = (
    (1, "W", ""),
    (24, "H", ""),
    (47, "B", ""),
    (64, "1", "oca"),
    (87, "2", "oca"),
    (110, "R", "oc"),
)
ICON_WIDTH = 18
ICON_HEIGHT = 6

_CODE_PAGES = const(0x03)
_VALUE_PAGES = const(0x3C)
_ICON_PAGES = const(0x20)
_BAR = const(3)  # columns of a bar of the signal's strength, with the gap


def tiny_width(name: str) -> int:
    """Return the width of a word in tiny letters."""
    return sum(len(font.TINY.get(letter)) + 1 for letter in name) - 1


def spread(names: "Sequence[str]") -> "list[int]":
    """Return x of each word of a row in tiny letters, spread evenly over the glass."""
    free = _WIDTH - 1 - sum(tiny_width(name) for name in names)
    x = 1
    places: list[int] = []
    for index, name in enumerate(names):
        places.append(x + free * index // (len(names) - 1))
        x += tiny_width(name)
    return places


CURSOR_PLACES = [(x, y) for names, y in zip(indicators.CURSORS, CURSORS_Y) for x in spread(names)]


class View(Fields):
    """The fields on a glass of dots."""

    _lcd: "Lcd"

    def _forget(self) -> None:
        super()._forget()
        lcd = self._lcd
        self._buffer = lcd.buffer
        self._frame = framebuf.FrameBuffer(lcd.buffer, lcd.width, lcd.height, framebuf.MONO_VLSB)
        self._frame.fill(0)
        self._dirty = 0xFF  # one bit a page

    def flush(self) -> None:
        """Send the pages that changed."""
        page = 0
        while self._dirty:
            if self._dirty & 1:
                first = page
                while self._dirty & 2:
                    self._dirty >>= 1
                    page += 1
                self._lcd.show(first, page)
            self._dirty >>= 1
            page += 1

    def _draw_unit(self, text: str) -> None:
        self._frame.fill_rect(UNIT_X, 0, _WIDTH - UNIT_X, 16, 0)
        # A letter without a shape is left out.
        shapes = [shape for shape in [font.LETTERS.get(letter) for letter in text] if shape]
        width = sum(len(shape) + 1 for shape in shapes) - 1
        # At the right end, as on a glass with fixed units.
        x = max(UNIT_X, _WIDTH - width)
        for shape in shapes:
            if x + len(shape) <= _WIDTH:
                x = self._columns(x, LETTERS_Y, shape, True) + 1
        self._dirty |= _CODE_PAGES

    def _draw_indicator(self, index: int, name: str, on: bool) -> None:
        cursors = len(CURSOR_PLACES)
        if index < cursors:
            x, y = CURSOR_PLACES[index]
            self._word(x, y, name, font.TINY, on)
            self._dirty |= 1 << (y >> 3)
            return
        self._dirty |= _CODE_PAGES
        index -= cursors
        if index < len(indicators.PHASES):
            self._word(PHASES_X[index], LETTERS_Y, name, font.LETTERS, on)
            return
        index -= len(indicators.PHASES)
        row = index >> 1
        arrow = font.TINY.get("<>"[index & 1])
        self._columns(FLOWS_X[index & 1], FLOWS_Y[row], arrow, on)
        # The letter between the arrows is lit with either of them.
        either = indicators.bit("-" + name[1]) | indicators.bit("+" + name[1])
        self._columns(FLOW_LETTER_X, FLOWS_Y[row], font.TINY.get(name[1]), self._lit & either != 0)

    def _draw_icon(self, icon: int, state: int) -> None:
        x, sign, pictures = ICON_PLACES[icon]
        self._frame.fill_rect(x, ICONS_Y, ICON_WIDTH, ICON_HEIGHT, 0)
        self._dirty |= _ICON_PAGES
        if state:
            x = self._columns(x, ICONS_Y, font.ICONS.get(sign), True) + 1
            shape = font.ICONS.get(pictures[state - 1] if pictures else "b")
            self._columns(x, ICONS_Y, shape if pictures else shape[: _BAR * (state - 1)], True)

    def _word(self, x: int, y: int, word: str, letters: font.Letters, on: bool) -> None:
        for letter in word:
            x = self._columns(x, y, letters.get(letter), on) + 1

    def _columns(self, x: int, y: int, shape: bytes, on: bool) -> int:
        """Light or clear the dots of a letter; return the column behind it."""
        buffer = self._buffer
        at = (y >> 3) * _WIDTH + x
        shift = y & 7
        for column in shape:
            dots = column << shift
            low = dots & 0xFF
            high = dots >> 8
            if on:
                buffer[at] |= low
            else:
                buffer[at] &= ~low & 0xFF
            if high:
                if on:
                    buffer[at + _WIDTH] |= high
                else:
                    buffer[at + _WIDTH] &= ~high & 0xFF
            at += 1
        return x + len(shape)

    def _draw_cell(self, place: int, character: str, mark: str) -> None:
        if place < VALUE_CELLS:
            digits = font.BIG
            y = VALUE_Y
            self._dirty |= _VALUE_PAGES
        else:
            place -= VALUE_CELLS
            digits = font.SMALL
            y = CODE_Y
            self._dirty |= _CODE_PAGES
        x = place * digits.pitch
        self._frame.fill_rect(x, y, digits.pitch, digits.height, 0)
        segments = font.segments(character)
        for index in range(7):
            if segments >> index & 1:
                self._rectangles(x, y, digits.segments[index], 1)
        if character == font.ROUND:
            self._rectangles(x, y, digits.segments[font.ROUNDING], 0)
        if character == font.SLANTED:
            self._rectangles(x, y, digits.segments[font.STROKE], 1)
        if mark != " ":
            index = font.FIRST_MARK + font.MARKS.index(mark)
            self._rectangles(x, y, digits.segments[index], 1)

    def _rectangles(self, x: int, y: int, rectangles: bytes, color: int) -> None:
        frame = self._frame
        for at in range(0, len(rectangles), 4):
            frame.fill_rect(
                x + rectangles[at],
                y + rectangles[at + 1],
                rectangles[at + 2],
                rectangles[at + 3],
                color,
            )
