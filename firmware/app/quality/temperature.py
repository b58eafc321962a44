"""Watches the temperature in the meter's case: event 206 when it becomes too hot (row MET-27).

The sensor is the clock chip's, which measures once a minute; a chip that does not answer tells
nothing here. The event comes again only after the case has cooled down by some degrees.
"""

from micropython import const

from app import event_codes

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.settings import Settings

_LIMIT_C = const(85)
_LIMIT_MIN_C = const(20)
_LIMIT_MAX_C = const(125)
_HYSTERESIS_CDEG = const(300)
_PERIOD_S = const(60)


class Temperature:
    """The watch.

    hot: the case is, or has not cooled down yet; limit_c: degrees Celsius
    """

    def __init__(
        self, clock: "Clock", settings: "Settings", on_event: "Callable[[int], None]"
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._on_event = on_event
        self.hot = False
        self.limit_c = _LIMIT_C
        stored = settings.get("overheating")
        if len(stored) == 1:
            self.limit_c = stored[0]
        clock.every(_PERIOD_S, self._minute)

    def set_limit_c(self, limit_c: int) -> None:
        """Set the temperature above which it is too hot. Raises ValueError, OSError."""
        if not _LIMIT_MIN_C <= limit_c <= _LIMIT_MAX_C:
            raise ValueError("limit of the temperature: 20 to 125 degrees")
        self._settings.put("overheating", bytes((limit_c,)))
        self.limit_c = limit_c

    def _minute(self, _utc_s: int) -> None:
        try:
            cdeg = self._clock.temperature_cdeg()
        except OSError:
            return
        if cdeg > self.limit_c * 100:
            if not self.hot:
                self.hot = True
                self._on_event(event_codes.OVERHEATED)
        elif cdeg < self.limit_c * 100 - _HYSTERESIS_CDEG:
            self.hot = False
