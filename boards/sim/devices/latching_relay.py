"""Latching relay with two coils and a sense contact, driven by one pin a coil.

A coil moves the contact when it has been energised alone for the operate time. It is made for
pulses: beyond `BURN_US` it burns and never moves the contact again. The contact bounces where the
pins read it, and stays where it is without power; a chip file of one byte keeps it.
"""

from micropython import const

from .chip import Chip

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .chip import Clock, Content, Schedule

OPERATE_US = const(15_000)  # from the coil's current to the contact
BURN_US = const(1_000_000)
MINIMUM_PAUSE_US = const(450_000)  # from one pulse's end to the next pulse, for the coils' heat
_OPEN = const(0)
_CLOSE = const(1)


class LatchingRelay(Chip):
    """The relay; `content` keeps the contact, None: it starts closed as delivered."""

    NAME = "relay"
    FAULTS = {"stuck": ("set_stuck", ())}  # the contact is welded or jammed

    def __init__(self, content: "Content | None", now_us: "Clock", at: "Schedule") -> None:
        super().__init__()
        self.closed = True
        self.operations = 0  # moves of the contact
        self.both_coils = 0  # times that both coils were driven together
        self.hurried = 0  # pulses that came too soon after the one before
        self.burnt = False
        self.on_change: Callable[[bool], None] | None = None  # the world's load follows this
        self.on_sense: Callable[[int], None] | None = None
        self._content = content
        self._now_us = now_us
        self._at = at
        self._levels = [0, 0]
        self._since_us = [0, 0]
        self._ended_us = -MINIMUM_PAUSE_US
        if content is not None:
            self.closed = content.read(0, 1) != b"O"

    def power(self, on: bool) -> None:
        """Without power no coil is driven; the contact stays."""
        super().power(on)
        if not on:
            self.set_open(0)
            self.set_close(0)

    def set_open(self, level: int) -> None:
        """Level of the pin that drives the opening coil."""
        self._set(_OPEN, level)

    def set_close(self, level: int) -> None:
        """Level of the pin that drives the closing coil."""
        self._set(_CLOSE, level)

    def sense(self) -> int:
        """Level of the sense pin: low while the contact is closed."""
        return 0 if self.closed and self.answers() else 1

    def energised(self) -> bool:
        """Whether any coil carries current now."""
        return bool(self._levels[_OPEN] or self._levels[_CLOSE])

    def move(self, closed: bool) -> None:
        """Physical side: put the contact where a hand, a shock or a coil has brought it."""
        if closed == self.closed or self.stuck:
            return
        self.closed = closed
        self.operations += 1
        if self._content is not None:
            self._content.write(0, b"C" if closed else b"O")
        if self.on_sense:
            self.on_sense(self.sense())
        if self.on_change:
            self.on_change(closed)

    def _set(self, coil: int, level: int) -> None:
        level = 1 if level and self.powered else 0
        if level == self._levels[coil]:
            return
        now_us = self._now_us()
        if not level:
            self._levels[coil] = 0
            self._ended_us = now_us
            return
        if now_us - self._ended_us < MINIMUM_PAUSE_US:
            self.hurried += 1
        self._levels[coil] = 1
        self._since_us[coil] = now_us
        if self._levels[1 - coil]:
            self.both_coils += 1
        self._at(now_us + OPERATE_US, lambda: self._operate(coil, now_us))
        self._at(now_us + BURN_US, lambda: self._burn(coil, now_us))

    def _alone(self, coil: int, since_us: int) -> bool:
        """Whether the pulse that began at `since_us` still drives its coil."""
        return bool(self._levels[coil]) and self._since_us[coil] == since_us

    def _operate(self, coil: int, since_us: int) -> None:
        able = not (self.burnt or self.dead or self._levels[1 - coil])
        if able and self._alone(coil, since_us):
            self.move(coil == _CLOSE)

    def _burn(self, coil: int, since_us: int) -> None:
        if self._alone(coil, since_us):
            self.burnt = True
