"""What the glass shows beside code, value and unit: cursors, phases, directions (table 15.1).

The meter sets them by name, steady or blinking; `view` knows their places. Icons (row DSP-31) have
several states, of which NO_ICON shows nothing; only a glass of dots has them.
"""

from micropython import const

CURSORS = (
    ("T1", "T2", "T3", "T4", "M1", "M2", "M3", "M4", "R1", "R2", "EC", "FF"),
    ("MB", "SD", "SET", "SQ", "REG", "DRO", "COM", "TEST", "CLK", "LR"),
)
PHASES = ("L1", "L2", "L3")
FLOWS = ("-P", "+P", "-Q", "+Q")  # as they stand: the left arrow, then the right one
NAMES = CURSORS[0] + CURSORS[1] + PHASES + FLOWS
ALL = (1 << len(NAMES)) - 1  # 29 bits, still a small integer on 32-bit boards

# Icons: places of their states, an octal digit each
WAN = const(0)  # signal of the modem's network: LINK without a bar, and up to four bars above
HAN = const(1)  # of the radio in the house, likewise
BATTERY = const(2)  # FLAT struck through: blinking when low, lasting when dead
CONTACTOR = const(3)
CONTACTOR_2 = const(4)
LOAD_RELAY = const(5)
ICONS = ("wan", "han", "battery", "contactor", "contactor_2", "load_relay")

NO_ICON = const(0)
LINK = const(1)
FLAT = const(1)
OPEN = const(1)
CLOSED = const(2)
ARMED = const(3)  # open, and a key may close it
ALL_ICONS = const(0o233155)  # each in its highest state

_BITS = {name: 1 << index for index, name in enumerate(NAMES)}


def bit(name: str) -> int:
    """Return the bit of an indicator. Raises KeyError for an unknown name."""
    return _BITS[name]


class Indicators:
    """Which are lit; `blinking` are those that go on and off once a second."""

    def __init__(self) -> None:
        self.steady = self.blinking = 0
        self.icons = self.blinking_icons = 0

    def clear(self) -> None:
        """Switch all off, before the meter's state is set anew."""
        self.steady = self.blinking = 0
        self.icons = self.blinking_icons = 0

    def set(self, name: str, blink: bool = False) -> None:
        """Light an indicator. Raises KeyError for an unknown name."""
        if blink:
            self.blinking |= _BITS[name]
        else:
            self.steady |= _BITS[name]

    def icon(self, icon: int, state: int, blink: bool = False) -> None:
        """Show an icon that nobody has set yet, in one of its states."""
        if blink:
            self.blinking_icons |= state << 3 * icon
        else:
            self.icons |= state << 3 * icon

    def lit(self, phase: bool) -> int:
        """Return the bits to be shown in the first or second half of a second."""
        return self.steady | self.blinking if phase else self.steady & ~self.blinking

    def lit_icons(self, phase: bool) -> int:
        """Return the states of the icons to be shown then, an octal digit each."""
        return self.icons | self.blinking_icons if phase else self.icons
