"""The simulated board's segment glasses: which RAM bit of the controller lights what.

A VDEW layout of our own: eight digits of value, five of code, unit, phases, directions, cursors.
The glass of an HT1621 has 128 segments and must do with nine cursors and the electrical units;
that of an HT1622 has all. Bit n is bit n % 4 of address n // 4. A real board has a table like
these, made from the drawing of its glass.
"""

_NONE = 255  # the glass has it not

# In the order of app.display.indicators.NAMES, as everything that knows a meter's glass.
_CURSORS = 22


class Segments:
    """A glass, as `hal.Segments` has it."""

    def __init__(
        self, cells: bytes, units: "tuple[str, ...]", unit_bits: bytes, indicators: bytes
    ) -> None:
        self.cells = cells
        self.units = units
        self.unit_bits = unit_bits
        self.indicators = indicators


def _ht1621() -> Segments:
    """Digits of two addresses each: f g e d, then a b c and what is beside the digit."""
    cells = b""
    colons = {3: 7 * 8 + 7, 5: 104}  # for the time, on the right: 12:34:56
    for place in range(13):
        at = place * 8
        cells += bytes((at + 4, at + 5, at + 6, at + 3, at + 2, at, at + 1))
        cells += bytes((_NONE if place in (7, 12) else at + 7, colons.get(place, _NONE)))
        cells += bytes((12 * 8 + 7 if place == 10 else _NONE,))  # the star of 1.8.0*01
    indicators = bytearray(bytes((_NONE,)) * _CURSORS)
    # T1 to T4, FF; SD, TEST, CLK, LR
    for bit, index in enumerate((0, 1, 2, 3, 11, 13, 19, 20, 21)):
        indicators[index] = 105 + bit
    return Segments(
        cells,
        ("k", "W", "var", "V", "A", "h", "Hz"),
        bytes(range(114, 121)),
        bytes(indicators) + bytes(range(121, 128)),
    )


def _ht1622() -> Segments:
    """Digits of one segment pin each: commons 0 to 6 are a to g, 7 the point."""
    cells = b""
    for place in range(13):
        at = place * 8
        star = _NONE if place < 8 else 112 + place - 8
        cells += bytes(range(at, at + 8)) + bytes((104 + place if place < 8 else _NONE, star))
    return Segments(
        cells,
        ("k", "W", "var", "V", "A", "h", "Hz", "\xb0C", "m\xb3", "%"),
        bytes(range(120, 130)),
        bytes(range(136, 165)),
    )


def layout(glass: str) -> "Segments | None":
    """Return the table of a glass by its controller's name; None: it has dots."""
    if glass == "ht1621":
        return _ht1621()
    return _ht1622() if glass == "ht1622" else None
