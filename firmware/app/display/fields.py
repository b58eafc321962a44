"""What stands in the display's fields, on whatever glass: `view` and `segment_view` draw it.

A field is drawn again only when it changes.
"""

from micropython import const

from app.display import font, indicators

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Lcd, SegmentLcd

VALUE_CELLS = 8
CODE_CELLS = 5
VALUE_MARKS = ".:"

_BLANK = (" ", " ")  # a cell: its character and the mark behind it


def cells(text: str, count: int, known: str) -> "list[tuple[str, str]]":
    """Part a text into cells, each a character as it is shown and the mark behind it.

    `known`: the marks that the field has.
    """
    # pairs: to join strings takes long, because MicroPython looks whether it knows the result
    found: list[tuple[str, str]] = []
    for character in text:
        if character in known and found and found[-1][1] == " ":
            found[-1] = (found[-1][0], character)
            continue
        if len(found) == count:
            break
        marks = character in known
        found.append((" ", character) if marks else (font.shown(character), " "))
    return found


class Fields:
    """The fields of one glass. Nothing appears before `flush`."""

    def __init__(self, lcd: "Lcd | SegmentLcd") -> None:
        self._lcd = lcd
        self._forget()

    def start(self) -> None:
        """Reset the glass, which blanks it."""
        self._lcd.start()
        self._forget()

    def refresh(self) -> None:
        """Bring the glass into its state again, should something have reset its controller."""
        self._lcd.refresh()

    def backlight(self, on: bool) -> None:
        """Switch the light of the glass."""
        self._lcd.backlight(on)

    def value(self, text: str, left: bool = False) -> None:
        """Show a value, at the right or the left end of its field."""
        shown = cells(text, VALUE_CELLS, VALUE_MARKS)
        blank = [_BLANK] * (VALUE_CELLS - len(shown))
        self._put(0, shown + blank if left else blank + shown)

    def code(self, text: str) -> None:
        """Show the code of what the value is."""
        shown = cells(text, CODE_CELLS, font.MARKS)
        self._put(VALUE_CELLS, shown + [_BLANK] * (CODE_CELLS - len(shown)))

    def unit(self, text: str) -> None:
        """Show a unit, as far as the glass has it."""
        if text != self._unit:
            self._unit = text
            self._draw_unit(text)

    def indicate(self, lit: int, icons: int = 0) -> None:
        """Show the indicators whose bits are set, the icons in their states, and only those."""
        changed = lit ^ self._lit
        self._lit = lit
        for index, name in enumerate(indicators.NAMES if changed else ()):
            if changed >> index & 1:
                self._draw_indicator(index, name, lit >> index & 1 != 0)
        changed = icons ^ self._icons
        self._icons = icons
        for icon in range(len(indicators.ICONS) if changed else 0):
            if changed >> 3 * icon & 7:
                self._draw_icon(icon, icons >> 3 * icon & 7)

    def test(self, picture: int) -> None:
        """Show a picture of the display test: 0 all segments, 1 odd, 2 even, 3 none (KEY-08)."""
        if picture == 0:
            self.value("8." * VALUE_CELLS)
            self.code("8." * CODE_CELLS)
            self.unit("kvarh")
            self.indicate(indicators.ALL, indicators.ALL_ICONS)
        elif picture == 3:
            self.clear()
        else:
            first = picture == 1
            self.value(("8. " if first else " 8.") * (VALUE_CELLS // 2))
            self.code(("8. " * 3)[:-1] if first else " 8." * 2)
            self.unit("kvarh" if first else "")
            mask, icons = (0x15555555, 0o070707) if first else (0x0AAAAAAA, 0o707070)
            self.indicate(indicators.ALL & mask, indicators.ALL_ICONS & icons)

    def clear(self) -> None:
        """Blank every field."""
        self.value("")
        self.code("")
        self.unit("")
        self.indicate(0)

    def flush(self) -> None:
        """Send what changed."""
        raise NotImplementedError

    def _forget(self) -> None:
        """Know the glass to be blank; extended by the kinds of glass."""
        self._cells: list[tuple[str, str]] = [_BLANK] * (VALUE_CELLS + CODE_CELLS)
        self._unit = ""
        self._lit = self._icons = 0

    def _put(self, place: int, shown: "list[tuple[str, str]]") -> None:
        for cell in shown:
            if cell != self._cells[place]:
                self._cells[place] = cell
                self._draw_cell(place, cell[0], cell[1])
            place += 1

    def _draw_cell(self, place: int, character: str, mark: str) -> None:
        """Draw one of the value's cells, or of the code's behind them."""
        raise NotImplementedError

    def _draw_unit(self, text: str) -> None:
        raise NotImplementedError

    def _draw_indicator(self, index: int, name: str, on: bool) -> None:
        raise NotImplementedError

    def _draw_icon(self, icon: int, state: int) -> None:
        """Draw an icon in its state, on a glass that has it."""
