"""A piezo disc that someone listens to: counts how often it sounded, and how."""

from micropython import const

from .chip import Chip

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from .chip import Clock


class Piezo(Chip):
    """The disc, driven by a wave."""

    NAME = "sounder"
    FAULTS = {}

    def __init__(self, now_us: "Clock") -> None:
        super().__init__()
        self.sounds = 0  # that have begun
        self.hz = 0  # of the last one
        self.last_us = 0  # how long the last one that has ended was heard
        self.sounding = False
        self._since_us = 0
        self._now_us = now_us

    def power(self, on: bool) -> None:
        """Be silent without power."""
        if not on:
            self.set_wave(0, 0)
        super().power(on)

    def set_wave(self, hz: int, duty_u16: int) -> None:
        """Take the wave at its pins; nothing is heard while they stand still."""
        sounding = self.powered and hz > 0 and 0 < duty_u16 < 65535
        if sounding == self.sounding:
            return
        self.sounding = sounding
        if sounding:
            self.sounds += 1
            self.hz = hz
            self._since_us = self._now_us()
        else:
            self.last_us = self._now_us() - self._since_us
