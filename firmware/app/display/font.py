"""Shapes of everything on the glass: seven-segment digits in two sizes, units, small letters.

Digits are lists of rectangles as `framebuf.fill_rect` takes them; letters are columns, lowest bit
on top. Which characters exist is row DSP-04.
"""

from micropython import const

# Segments, named as usual: a on top, clockwise to f, g in the middle.
_A = const(1)
_B = const(2)
_C = const(4)
_D = const(8)
_E = const(16)
_F = const(32)
_G = const(64)
ROUND = 128  # shorter tips: S beside 5
SLANTED = 256  # a stroke from the upper right to the lower left: Z beside 2

SEGMENTS = {
    " ": 0,
    "_": _D,
    "-": _G,
    "0": _A | _B | _C | _D | _E | _F,
    "1": _B | _C,
    "2": _A | _B | _D | _E | _G,
    "3": _A | _B | _C | _D | _G,
    "4": _B | _C | _F | _G,
    "5": _A | _C | _D | _F | _G,
    "6": _A | _C | _D | _E | _F | _G,
    "7": _A | _B | _C,
    "8": _A | _B | _C | _D | _E | _F | _G,
    "9": _A | _B | _C | _D | _F | _G,
    "A": _A | _B | _C | _E | _F | _G,
    "b": _C | _D | _E | _F | _G,
    "C": _A | _D | _E | _F,
    "d": _B | _C | _D | _E | _G,
    "E": _A | _D | _E | _F | _G,
    "F": _A | _E | _F | _G,
    "G": _A | _C | _D | _E | _F,
    "H": _B | _C | _E | _F | _G,
    "i": _C,
    "J": _B | _C | _D | _E,
    "L": _D | _E | _F,
    "n": _C | _E | _G,
    "o": _C | _D | _E | _G,
    "P": _A | _B | _E | _F | _G,
    "r": _E | _G,
    "S": _A | _C | _D | _F | _G | ROUND,
    "t": _D | _E | _F | _G,
    "U": _B | _C | _D | _E | _F,
    "Y": _B | _C | _D | _F | _G,
    "Z": _A | _D | SLANTED,
}
# What a text may hold besides, and how it is shown; h and u are needed by the meter's own texts.
_SHOWN_AS = {
    "B": "b",
    "D": "d",
    "I": "i",
    "N": "n",
    "O": "o",
    "R": "r",
    "T": "t",
}
_SMALL_SHOWN_CAPITAL = "acefghjlpsuyz"


def shown(character: str) -> str:
    """Return the character of the glass that stands for `character`; blank if there is none."""
    if character in SEGMENTS:
        return character
    if character in _SMALL_SHOWN_CAPITAL:
        return character.upper()
    return _SHOWN_AS.get(character, " ")


class Digits:
    """One size of digits: cell, marks beside it, and the rectangles of each segment."""

    def __init__(self, size: "tuple[int, int, int]", segments: "tuple[bytes, ...]") -> None:
        self.width, self.height, self.pitch = size
        # Rectangles x, y, width, height of the segments a to g, then of what ROUND takes away,
        # the slanted stroke, the decimal point and the colon.
        self.segments = segments


BIG = Digits(
    (11, 25, 16),
    (
        b"\x01\x00\x09\x01\x02\x01\x07\x01\x03\x02\x05\x01",
        b"\x0a\x01\x01\x0b\x09\x02\x01\x0a\x08\x03\x01\x08",
        b"\x0a\x0d\x01\x0b\x09\x0d\x01\x0a\x08\x0e\x01\x08",
        b"\x03\x16\x05\x01\x02\x17\x07\x01\x01\x18\x09\x01",
        b"\x00\x0d\x01\x0b\x01\x0d\x01\x0a\x02\x0e\x01\x08",
        b"\x00\x01\x01\x0b\x01\x02\x01\x0a\x02\x03\x01\x08",
        b"\x03\x0b\x05\x01\x02\x0c\x07\x01\x03\x0d\x05\x01",
        b"\x08\x00\x02\x03\x01\x16\x02\x03",
        b"\x08\x03\x03\x03\x06\x06\x04\x03\x05\x09\x03\x03\x03\x0c\x03\x03\x02\x0f\x03\x03\x00\x12\x03\x04",
        b"\x0c\x16\x03\x03",
        b"\x0c\x07\x03\x03\x0c\x0f\x03\x03",
    ),
)
SMALL = Digits(
    (6, 12, 10),
    (
        b"\x01\x00\x04\x02",
        b"\x04\x01\x02\x05",
        b"\x04\x06\x02\x05",
        b"\x01\x0a\x04\x02",
        b"\x00\x06\x02\x05",
        b"\x00\x01\x02\x05",
        b"\x01\x05\x04\x02",
        b"\x04\x00\x01\x02\x01\x0a\x01\x02",
        b"\x04\x02\x02\x02\x03\x04\x02\x02\x02\x06\x02\x02\x01\x08\x02\x02",
        b"\x07\x0a\x02\x02",
        b"\x07\x03\x02\x02\x07\x07\x02\x02",
    ),
)
ROUNDING = 7  # indexes of Digits.segments
STROKE = 8
POINT = 9
COLON = 10

# Letters of 8 rows for the unit and the phases.
LETTERS = {
    "k": b"\xff\x20\x50\x88",
    "W": b"\x7f\x80\x40\x38\x40\x80\x7f",
    "h": b"\xff\x08\x08\xf0",
    "v": b"\x38\x40\x80\x40\x38",
    "a": b"\x40\xa8\xa8\xf0",
    "r": b"\xf8\x10\x08",
    "V": b"\x1f\x60\x80\x60\x1f",
    "A": b"\xf8\x26\x21\x26\xf8",
    "H": b"\xff\x08\x08\x08\xff",
    "z": b"\xc8\xa8\xa8\x98",
    "m": b"\xf8\x08\xf8\x08\xf0",
    "\xb3": b"\x11\x15\x0a",  # raised 3
    "\xb0": b"\x02\x05\x02",  # degree
    "C": b"\x7e\x81\x81\x81\x42",
    "%": b"\x43\x33\x08\xcc\xc2",
    "s": b"\x90\xa8\xa8\x48",
    "d": b"\x70\x88\x88\xff",
    "i": b"\xf9",
    "n": b"\xf8\x08\x08\xf0",
    "B": b"\xff\x89\x89\x89\x76",
    "J": b"\x40\x80\x80\x7f",
    "M": b"\xff\x02\x0c\x02\xff",
    "L": b"\xff\x80\x80",
    "P": b"\xff\x09\x09\x06",
    "b": b"\xff\x88\x88\x70",
    "G": b"\x7e\x81\x81\x91\x72",
    "1": b"\x82\xff\x80",
    "2": b"\xc2\xa1\x91\x8e",
    "3": b"\x42\x81\x89\x76",
}

# Letters of 5 rows for the cursors; < and > are the arrows of the power's direction.
TINY = {
    "T": b"\x01\x1f\x01",
    "M": b"\x1f\x02\x04\x02\x1f",
    "B": b"\x1f\x15\x0a",
    "S": b"\x12\x15\x09",
    "D": b"\x1f\x11\x0e",
    "E": b"\x1f\x15\x11",
    "Q": b"\x0e\x11\x09\x16",
    "R": b"\x1f\x05\x1a",
    "G": b"\x0e\x11\x1d",
    "O": b"\x1f\x11\x1f",
    "F": b"\x1f\x05\x01",
    "C": b"\x0e\x11\x11",
    "L": b"\x1f\x10\x10",
    "K": b"\x1f\x04\x1b",
    "P": b"\x1f\x05\x05\x02",
    "1": b"\x12\x1f\x10",
    "2": b"\x19\x15\x12",
    "3": b"\x11\x15\x1f",
    "4": b"\x07\x04\x1f",
    "<": b"\x04\x0e\x1f",
    ">": b"\x1f\x0e\x04",
}
