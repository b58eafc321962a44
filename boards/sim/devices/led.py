"""A light-emitting diode that a test head watches: counts its pulses and measures them."""

from micropython import const

from .chip import Chip

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .chip import Clock, Schedule


class Led(Chip):
    """The diode, lit by a high level."""

    NAME = "led"
    FAULTS = {"stuck": ("set_stuck", ())}  # stays as it is

    def __init__(self, now_us: "Clock", at: "Schedule | None" = None) -> None:
        super().__init__()
        self.lit = 0
        self.pulses = 0  # times that it went from dark to lit
        self.last_rise_us = -1
        self.last_period_us = 0  # from the last rise but one to the last
        self.last_width_us = 0  # of the last pulse that has ended
        self.on_pulse: Callable[[int], None] | None = None  # gets the time of each rise
        self._now_us = now_us

    def power(self, on: bool) -> None:
        """Dark without power."""
        if not on:
            self.set_level(0)
        super().power(on)

    def set_level(self, level: int) -> None:
        """Level of the pin that feeds it."""
        level = 1 if level and self.powered else 0
        if level == self.lit or self.stuck or self.dead:
            return
        self.lit = level
        now_us = self._now_us()
        if not level:
            self.last_width_us = now_us - self.last_rise_us
            return
        self.pulses += 1
        if self.last_rise_us >= 0:
            self.last_period_us = now_us - self.last_rise_us
        self.last_rise_us = now_us
        if self.on_pulse:
            self.on_pulse(now_us)
