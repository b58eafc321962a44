"""The light of the glass: for some time after a key, or after what else wants it (row DSP-22)."""

from micropython import const

from app import ticks

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.display.fields import Fields


class Light:
    """The light of one glass; `wanted` tells whether something else than a key wants it now."""

    def __init__(self, view: "Fields") -> None:
        self.wanted: Callable[[], bool] = lambda: False
        self._view = view
        self._lit = False
        self._since_ms = 0

    def on(self, now_ms: int, seconds: int) -> None:
        """Light up, unless the time is none."""
        self._since_ms = now_ms
        if seconds and not self._lit:
            self._lit = True
            self._view.backlight(True)

    def off(self) -> None:
        """Go out."""
        self._lit = False
        self._view.backlight(False)

    def tick(self, now_ms: int, seconds: int) -> None:
        """Go out when the time is over."""
        if self.wanted():
            self.on(now_ms, seconds)
        if self._lit and -ticks.until_ms(self._since_ms, now_ms) >= seconds * 1000:
            self.off()
