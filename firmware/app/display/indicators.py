"""What the glass shows beside code, value and unit: cursors, phases, directions (table 15.1).

The meter sets them by name, steady or blinking; `view` knows their places.
"""

CURSORS = (
    ("T1", "T2", "T3", "T4", "M1", "M2", "M3", "M4", "R1", "R2", "EC", "FF"),
    ("MB", "SD", "SET", "SQ", "REG", "DRO", "COM", "TEST", "CLK", "LR"),
)
PHASES = ("L1", "L2", "L3")
FLOWS = ("-P", "+P", "-Q", "+Q")  # as they stand: the left arrow, then the right one
NAMES = CURSORS[0] + CURSORS[1] + PHASES + FLOWS
ALL = (1 << len(NAMES)) - 1  # 29 bits, still a small integer on 32-bit boards

_BITS = {name: 1 << index for index, name in enumerate(NAMES)}


def bit(name: str) -> int:
    """Return the bit of an indicator. Raises KeyError for an unknown name."""
    return _BITS[name]


class Indicators:
    """Which are lit; `blinking` are those that go on and off once a second."""

    def __init__(self) -> None:
        self.steady = 0
        self.blinking = 0

    def clear(self) -> None:
        """Switch all off, before the meter's state is set anew."""
        self.steady = self.blinking = 0

    def set(self, name: str, blink: bool = False) -> None:
        """Light an indicator. Raises KeyError for an unknown name."""
        if blink:
            self.blinking |= _BITS[name]
        else:
            self.steady |= _BITS[name]

    def lit(self, phase: bool) -> int:
        """Return the bits to be shown in the first or second half of a second."""
        return self.steady | self.blinking if phase else self.steady & ~self.blinking
