"""Sliding average of the phase currents: 90 periods of a second, in whole amperes (row MET-21).

A period is a second of measured time; what a window brings is shared out among the seconds that
it covers. Nothing is kept through an outage: the fuse has cooled down.
"""

from array import array

from micropython import const

from app import ticks

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.tariff.window_totals import WindowTotals
    from metrology.engine import Engine

PERIOD_S = const(1)
PERIODS = const(90)
_PERIOD_MS = const(1000)


class SlidingCurrent:
    """The averages of all phases; to be told of each measuring window by `window`."""

    def __init__(self, engine: "Engine", totals: "WindowTotals") -> None:
        self._engine = engine
        self._totals = totals
        phases = engine.quantities.phases
        self.phases = phases
        self._ended_ma = array("I", bytes(4 * PERIODS * phases))  # of the seconds that ended
        self._sum_ma = [0] * phases
        self._running = [0] * phases  # mA ms of the second that runs
        self._running_ms = 0
        self._next = 0
        self._ended_ms = ticks.now_ms()  # when the last second ended

    def last_ma(self, phase: int) -> int:
        """Return the average of the last 90 seconds that have ended."""
        return self._sum_ma[phase] // PERIODS

    def current_ma(self, phase: int) -> int:
        """Return what the running second and the 89 before it come to, over all 90."""
        oldest_ma = self._ended_ma[phase * PERIODS + self._next]
        running_ma = self._running[phase] // _PERIOD_MS
        return (self._sum_ma[phase] - oldest_ma + running_ma) // PERIODS

    def passed_s(self) -> int:
        """Return how long ago the last second ended."""
        return ticks.until_ms(ticks.now_ms(), self._ended_ms) // 1000

    def reset(self, index: int) -> None:
        """Begin anew with one phase."""
        for place in range(PERIODS):
            self._ended_ma[index * PERIODS + place] = 0
        self._sum_ma[index] = self._running[index] = 0

    def window(self) -> None:
        """Add a measuring window; to be called after each, when its length is known."""
        currents_ua = self._engine.quantities.i_ua
        left_ms = self._totals.length_ms
        while left_ms:
            share_ms = min(left_ms, _PERIOD_MS - self._running_ms)
            for phase in range(self.phases):
                self._running[phase] += currents_ua[phase] // 1000 * share_ms
            self._running_ms += share_ms
            left_ms -= share_ms
            if self._running_ms == _PERIOD_MS:
                self._end()
        self._ended_ms = self._totals.last_ms - self._running_ms

    def _end(self) -> None:
        for phase in range(self.phases):
            at = phase * PERIODS + self._next
            ended_ma = self._running[phase] // _PERIOD_MS
            self._sum_ma[phase] += ended_ma - self._ended_ma[at]
            self._ended_ma[at] = ended_ma
            self._running[phase] = 0
        self._running_ms = 0
        self._next = (self._next + 1) % PERIODS
