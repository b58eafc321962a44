"""The processor's watchdog, begun with its first feeding.

It cannot be stopped again, and its longest time is not enough for what comes before: importing
the application from files, and the first look at all of the memories.
"""

from machine import WDT
from micropython import const

_TIMEOUT_MS = const(8000)


class LateWatchdog:
    """A `hal.Watchdog`."""

    def __init__(self) -> None:
        self._watchdog: WDT | None = None

    def feed(self) -> None:
        """Put the reset off by eight seconds."""
        if self._watchdog is None:
            self._watchdog = WDT(timeout=_TIMEOUT_MS)
        self._watchdog.feed()
