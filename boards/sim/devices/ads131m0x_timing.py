"""When the ADS131M0x converters convert: counts their conversions in virtual time."""

from micropython import const

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .chip import Clock, Schedule


class Conversions:
    """Conversions since the simulation began; one takes `oversampling` modulator clocks.

    The modulator runs at half of `clock_hz`. `running()` tells whether the chip converts now.
    """

    def __init__(
        self,
        clock_hz: int,
        running: "Callable[[], bool]",
        now_us: "Clock",
        at: "Schedule | None",
    ) -> None:
        self.next_index = 0  # conversion that the next new frame carries
        self._clock_hz = clock_hz
        self._running = running
        self._now_us = now_us
        self._at = at
        self._oversampling = 1024
        self._start_us = now_us()
        self._start_index = 0
        self._on_drdy: Callable[[int], None] | None = None
        self._drdy_us = -1

    def clocks(self, us: int) -> int:
        """Clocks of the crystal in `us` microseconds."""
        return us * self._clock_hz // 1_000_000

    def restart(self, oversampling: int) -> None:
        """Begin to convert anew, from now."""
        self._oversampling = oversampling
        self._start_us = self._now_us()
        self._start_index = self.next_index
        self._schedule()

    def done(self) -> int:
        """Index after the last conversion that is done."""
        clocks = (self._now_us() - self._start_us) * self._clock_hz
        return self._start_index + clocks // (2_000_000 * self._oversampling)

    def due(self) -> int:
        """Conversions done and not read yet, also those that a slow reader has lost."""
        return max(0, self.done() - self.next_index) if self._running() else 0

    def skip(self) -> None:
        """Forget the conversions that nobody has read."""
        self.next_index = self.done()

    def watch(self, callback: "Callable[[int], None]") -> None:
        """Call `callback(0)` at each conversion from now on."""
        self._on_drdy = callback
        self._schedule()

    def _schedule(self) -> None:
        if self._at is None or self._on_drdy is None:
            return
        clocks = (self.done() + 1 - self._start_index) * 2_000_000 * self._oversampling
        self._drdy_us = self._start_us + -(-clocks // self._clock_hz)
        self._at(self._drdy_us, self._falls)

    def _falls(self) -> None:
        if self._now_us() != self._drdy_us or self._on_drdy is None:
            return  # conversions have been restarted since
        if self._running():
            self._on_drdy(0)
        self._schedule()
