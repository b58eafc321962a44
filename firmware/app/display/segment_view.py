"""Lights the display's fields on a glass of fixed segments, by the board's table (row DSP-01).

A cell has no slanted stroke: Z looks like 2, and S like 5. A unit that the glass lacks, or has
in part, is left out, as are indicators.
"""

from micropython import const

from app.display import font
from app.display.fields import Fields

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import SegmentLcd, Segments

_CELL = const(10)  # octets a cell of the table
_POINT = const(7)
_COLON = const(8)
_STAR = const(9)
_ABSENT = const(255)


class SegmentView(Fields):
    """The fields on a segment glass."""

    _lcd: "SegmentLcd"

    def __init__(self, lcd: "SegmentLcd", layout: "Segments") -> None:
        self._layout = layout
        super().__init__(lcd)

    def test(self, picture: int) -> None:
        """Show a picture of the display test; the first one lights whatever the glass has."""
        super().test(picture)
        if picture == 0:
            layout = self._layout
            for table in (layout.cells, layout.unit_bits, layout.indicators):
                for bit in table:
                    self._light(bit, 1)
            # What is lit besides goes out with whatever comes next.
            self._cells = [("", "")] * len(self._cells)
            self._unit = "?"

    def flush(self) -> None:
        """Send what changed."""
        self._lcd.show()

    def _light(self, bit: int, on: int) -> None:
        if bit != _ABSENT:
            buffer = self._lcd.buffer
            mask = 1 << (bit & 7)
            if on:
                buffer[bit >> 3] |= mask
            else:
                buffer[bit >> 3] &= ~mask

    def _draw_cell(self, place: int, character: str, mark: str) -> None:
        lit = font.segments("2" if character == font.SLANTED else character)
        if mark != " ":
            lit |= 1 << _STAR if mark == "*" else 1 << _POINT
            if mark == ":":
                lit |= 1 << _COLON
        cells = self._layout.cells
        for index in range(_CELL):
            self._light(cells[place * _CELL + index], lit >> index & 1)

    def _draw_unit(self, text: str) -> None:
        layout = self._layout
        lit = 0
        while text:
            for index, name in enumerate(layout.units):
                if text.startswith(name):
                    lit |= 1 << index
                    text = text[len(name) :]
                    break
            else:
                lit = 0
                break
        for index, bit in enumerate(layout.unit_bits):
            self._light(bit, lit >> index & 1)

    def _draw_indicator(self, index: int, name: str, on: bool) -> None:
        self._light(self._layout.indicators[index], on)
