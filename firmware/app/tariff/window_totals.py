"""Where the totals stood at a moment: between the ends of two windows, or after the last one.

A window is measured frames, and they come late: by a block on a board, by up to a window when
several are handed over as one. So the time at which a window ended is counted in its own frames,
which no task delays, and fitted to the ticks: the least delay that was seen counts as none. A
moment inside the last window gets its share of that window by time; a moment after it gets what
the last window would have given, which the next difference takes back where it was not so.
"""

from micropython import const

from app import ticks
from metrology.energy import ENERGIES, UNIT_UWS

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from metrology.engine import Engine

_LAG_MS = const(1500)  # more is time that nobody measured: frames were lost
_DRIFT_MS = const(5000)  # two crystals part by at most 1 ms in so many: 200 ppm


class WindowTotals:
    """The totals at the ends of the last two windows; to be told of each one by `window`.

    last_ms: ticks at which the last window ended; length_ms: how long it was
    """

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.energies = engine.energies
        self.last_ms = ticks.now_ms()
        self.length_ms = 0  # of the last window
        self._part = 0  # of a millisecond, in 1 / (65536 * rate_mhz)
        self._drift_ms = 0
        self._last = [0] * (2 * ENERGIES)
        self._before = [0] * (2 * ENERGIES)
        self.forget()

    def forget(self) -> None:
        """Begin anew where the totals stand: they were restored or set."""
        self._remember()
        self._remember()
        self.length_ms = 0
        self.last_ms = ticks.now_ms()

    def window(self) -> None:
        """Take note of the totals; to be called after each measuring window."""
        self._remember()
        amount = self._engine.frames_q16 * 1_000_000 + self._part
        unit = 65536 * self._engine.rate_mhz
        length_ms = amount // unit
        self._part = amount - length_ms * unit
        self.length_ms = length_ms
        now_ms = ticks.now_ms()
        lag_ms = ticks.until_ms(now_ms, self.last_ms) - length_ms
        self._drift_ms += length_ms
        if lag_ms > 0 and self._drift_ms >= _DRIFT_MS:
            lag_ms -= self._drift_ms // _DRIFT_MS
            self._drift_ms %= _DRIFT_MS
        if not 0 <= lag_ms <= _LAG_MS + length_ms:
            lag_ms = 0
        self.last_ms = now_ms - lag_ms

    def at_uws(self, index: int, at_ms: int) -> int:
        """Return an energy at a moment in ticks, in micro-watt-seconds.

        A moment before the last window counts as its begin; one long after it as not measured.
        """
        last, before = self._last, self._before
        at = 2 * index
        total = last[at] * UNIT_UWS + last[at + 1]
        length_ms = self.length_ms
        if not length_ms:
            return total
        past_ms = max(ticks.until_ms(at_ms, self.last_ms), -length_ms)
        if past_ms > _LAG_MS + length_ms:
            return total
        gained = total - before[at] * UNIT_UWS - before[at + 1]
        return total + gained * past_ms // length_ms

    def _remember(self) -> None:
        before, last = self._before, self._last
        wh, residue = self.energies.wh, self.energies.residue
        for index in range(ENERGIES):
            at = 2 * index
            before[at] = last[at]
            before[at + 1] = last[at + 1]
            last[at] = wh[index]
            last[at + 1] = residue[index]
