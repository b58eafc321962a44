"""A push button or a switch to ground, with the bounce of its contact.

Up is high. When it goes down or up the level changes at once and then bounces for a few
milliseconds; how often and how long comes from a generator with a seed.
"""

from micropython import const

from .chip import Chip

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .chip import Clock, Schedule

_BOUNCES_MAX = const(4)  # pairs of extra edges
_GAP_MIN_US = const(50)
_GAP_SPAN_US = const(600)  # so that it is over within 5.2 ms
_APART_US = const(100_000)  # from the end of a press to the next


class Key(Chip):
    """The key; `seed` picks the bounces, 0: it does not bounce."""

    NAME = "key"
    FAULTS = {"stuck": ("set_stuck", ())}  # the contact no longer follows the finger

    def __init__(self, now_us: "Clock", at: "Schedule", seed: int = 1) -> None:
        super().__init__()
        self.down = False  # what the finger does
        self.on_level: Callable[[int], None] | None = None
        self._now_us = now_us
        self._at = at
        self._random = seed & 0x7FFFFFFF
        self._level = 1
        self._free_us = 0  # when the last press is over
        self._motion = 0  # counts motions, so that a newer one ends the bounces of an older

    def level(self) -> int:
        """Level of the pin: low while the contact is closed."""
        return self._level

    def set_down(self, down: bool) -> None:
        """Press or release."""
        if down == self.down:
            return
        self.down = down
        if self.stuck or self.dead:
            return
        self._motion += 1
        motion = self._motion
        final = 0 if down else 1
        self._change(final, motion)
        when_us = self._now_us()
        for _ in range(self._next(_BOUNCES_MAX + 1) if self._random else 0):
            for level in (1 - final, final):
                when_us += _GAP_MIN_US + self._next(_GAP_SPAN_US)
                self._at(when_us, lambda level=level: self._change(level, motion))

    def press(self, ms: int) -> None:
        """Press and release after `ms` milliseconds: now, or after the presses before it.

        Raises ValueError below 1.
        """
        if ms < 1:
            raise ValueError("a key is pressed for at least 1 ms")
        start_us = max(self._now_us(), self._free_us)
        end_us = start_us + ms * 1000
        self._free_us = end_us + _APART_US
        if start_us > self._now_us():
            self._at(start_us, lambda: self.set_down(True))
        else:
            self.set_down(True)
        self._at(end_us, lambda: self.set_down(False))

    def _next(self, limit: int) -> int:
        """A number from 0 below `limit`."""
        self._random = (self._random * 1103515245 + 12345) & 0x7FFFFFFF or 1
        return (self._random >> 8) % limit

    def _change(self, level: int, motion: int) -> None:
        if motion != self._motion or level == self._level:
            return
        self._level = level
        if self.on_level:
            self.on_level(level)
