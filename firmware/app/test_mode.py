"""Test mode: energies with three decimals for a while, then back by itself (PRD-03, DSP-23)."""

from micropython import const

from app import ticks

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable


class TestMode:
    """`duration_s` tells for how long; it is asked when the mode begins."""

    def __init__(self, duration_s: "Callable[[], int]") -> None:
        self._duration_s = duration_s
        self._on = False
        self._until_ms = 0

    def set(self, on: bool) -> None:
        """Begin, also anew, or end the mode."""
        self._on = on
        self._until_ms = ticks.now_ms() + self._duration_s() * 1000

    def active(self) -> bool:
        """Tell whether the mode is on."""
        if self._on and ticks.until_ms(self._until_ms, ticks.now_ms()) <= 0:
            self._on = False
        return self._on
