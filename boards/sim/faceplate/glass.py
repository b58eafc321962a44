"""Reads the meter's glass as an eye would: dots in, the fields of GET /api/lcd out.

The shapes are the firmware's own: every character is drawn once by the firmware's view on a
scratch buffer, and what stands in a cell of the real glass is looked up among them.
"""

from app.display import font, indicators, view

_WIDTH = 128
_HEIGHT = 64
UNREADABLE = "?"


class _Scratch:
    """A glass that nobody sees."""

    def __init__(self):
        self.width = _WIDTH
        self.height = _HEIGHT
        self.buffer = bytearray(_WIDTH * _HEIGHT // 8)

    def show(self, first_page=0, last_page=7):
        pass

    def start(self):
        pass

    def backlight(self, on):
        pass


def rows_of(buffer):
    """Return 64 rows of `.` and `#` for the contents of a MONO_VLSB buffer."""
    return [
        "".join(
            ["#" if buffer[(y >> 3) * _WIDTH + x] >> (y & 7) & 1 else "." for x in range(_WIDTH)]
        )
        for y in range(_HEIGHT)
    ]


def _cut(rows, x, y, width, height):
    return "".join([rows[line][x : x + width] for line in range(y, y + height)])


class Glass:
    """Decodes rows of dots; built once, it holds all shapes."""

    def __init__(self):
        scratch = _Scratch()
        drawn = view.View(scratch)
        self._big = {}
        self._small = {}
        for character in font.SEGMENTS:
            for mark in ("", ".", ":"):
                if character == " " and mark:
                    # A mark alone is drawn behind a blank cell.
                    text = " " + mark
                else:
                    text = character + mark
                drawn.value(text, left=True)
                drawn.code(text)
                rows = rows_of(scratch.buffer)
                self._big[self._cell(rows, font.BIG, 0, view.VALUE_Y)] = text
                self._small[self._cell(rows, font.SMALL, 0, view.CODE_Y)] = text
        self._letters = {bytes(shape): letter for letter, shape in font.LETTERS.items()}
        self._places = self._find_places(drawn, scratch)

    def decode(self, rows):
        """Return the fields that the rows show; what is no character reads `?`."""
        names = [name for name, dots in self._places if self._shows(rows, dots)]
        return {
            "code": self._text(rows, font.SMALL, view.CODE_Y, view.CODE_CELLS, self._small),
            "value": self._text(rows, font.BIG, view.VALUE_Y, view.VALUE_CELLS, self._big),
            "unit": self._unit(rows),
            "cursors": [n for n in names if n not in indicators.PHASES + indicators.FLOWS],
            "phases": [n for n in names if n in indicators.PHASES],
            "flow": [n for n in names if n in indicators.FLOWS],
        }

    @staticmethod
    def _cell(rows, digits, index, y):
        return _cut(rows, index * digits.pitch, y, digits.pitch, digits.height)

    def _text(self, rows, digits, y, count, shapes):
        text = ""
        for index in range(count):
            text += shapes.get(self._cell(rows, digits, index, y), UNREADABLE)
        return text.strip()

    def _unit(self, rows):
        """Letters are parted by blank columns."""
        text = ""
        shape = []
        for x in range(view.UNIT_X, _WIDTH + 1):
            column = 0
            if x < _WIDTH:
                for bit in range(8):
                    if rows[view.LETTERS_Y + bit][x] == "#":
                        column |= 1 << bit
            if column:
                shape.append(column)
            elif shape:
                text += self._letters.get(bytes(shape), UNREADABLE)
                shape = []
        return text

    @staticmethod
    def _find_places(drawn, scratch):
        """Return the dots of each indicator that it shares with no other one."""
        places = []
        for name in indicators.NAMES:
            drawn.clear()
            blank = bytes(scratch.buffer)
            drawn.indicate(indicators.bit(name))
            changed = [new & ~old for new, old in zip(scratch.buffer, blank)]
            places.append((name, changed))
        result = []
        for name, dots in places:
            own = []
            for at, byte in enumerate(dots):
                alone = byte
                for other, others in places:
                    if other != name:
                        alone &= ~others[at]
                for bit in range(8):
                    if alone >> bit & 1:
                        own.append((at % _WIDTH, at // _WIDTH * 8 + bit))
            result.append((name, own))
        drawn.clear()
        return result

    @staticmethod
    def _shows(rows, dots):
        return all(rows[y][x] == "#" for x, y in dots)


_glass = None


def decode(dots):
    """Return what the glass shows; `dots` are 64 rows of `.` and `#`, or a MONO_VLSB buffer."""
    global _glass
    if _glass is None:
        _glass = Glass()
    rows = rows_of(dots) if isinstance(dots, (bytes, bytearray, memoryview)) else dots
    return _glass.decode(rows)
