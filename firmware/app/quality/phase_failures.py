"""Power failures of each phase and of any (table 13.2, rows PQL-17 and PQL-19).

A phase fails while its voltage is cut, and with the whole meter. A failure that lasts longer than
the threshold of long ones is a long one too; what is known of the last is when it began and how
long it was. A phase that is out when the meter loses its supply goes on being out.
"""

import struct

from micropython import const

from app import event_codes
from app.storage import regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.outages import Outages
    from app.quality.disturbances import Disturbances
    from hal import Memory
    from metrology.engine import Engine

ANY = const(3)  # column behind the phases
NUMBER = const(0)
LONG = const(1)
BEGAN_UTC_S = const(2)  # the last one, 0: none
LAST_LONG_S = const(3)
TOTAL_S = const(4)
_FIELDS = const(5)
_COLUMNS = const(4)
_FORM = "<20I4I"  # by column; since when each is out, 0: it is not
_SINCE = const(20)
_SIZE = const(24)
_UINT32 = const(0xFFFFFFFF)


class PhaseFailures:
    """Follows every window of an engine, behind what finds the cuts.

    on_long: told the seconds of each long failure, of any phase or the meter, at its end (PQL-18)
    """

    def __init__(
        self,
        memory: "Memory",
        clock: "Clock",
        outages: "Outages",
        disturbances: "Disturbances",
        engine: "Engine",
        post: "Callable[[int], None]",
    ) -> None:
        self._clock = clock
        self._outages = outages
        self._disturbances = disturbances
        self._phases = engine.quantities.phases
        self._record = regions.open_record(memory, "phase_failures")
        self._values = [0] * _SIZE
        self._post = post
        self.on_long: Callable[[int], None] = _nobody
        try:
            payload = self._record.load()
            if payload is not None and len(payload) == struct.calcsize(_FORM):
                self._values = list(struct.unpack(_FORM, payload))
        except OSError:
            pass  # they count as long as the meter has power
        self._missing = 0  # columns that are out
        for column in range(_COLUMNS):
            self._missing |= (self._values[_SINCE + column] != 0) << column
        engine.on_window.append(self.window)

    def value(self, column: int, field: int) -> int:
        """Return what is known of the failures of a phase, or of any."""
        return self._values[_FIELDS * column + field]

    def window(self) -> None:
        """Look at which phases are there."""
        missing = 0
        for phase in range(self._phases):
            # one that was out at the start is not cut for long enough yet
            out = self._missing >> phase & 1 and not self._disturbances.present(phase)
            missing |= bool(out or self._disturbances.is_cut(phase)) << phase
        missing |= (missing != 0) << ANY
        if missing == self._missing:
            return
        now_utc_s = self._clock.utc_s()
        for column in range(_COLUMNS):
            since_utc_s = self._values[_SINCE + column]
            if missing >> column & 1 and not since_utc_s:
                self._begin(column, now_utc_s)
                if column != ANY:
                    self._post(event_codes.PHASE_FAILED + column)
            elif since_utc_s and not missing >> column & 1:
                self._end(column, now_utc_s - since_utc_s)
                if column != ANY:
                    self._post(event_codes.PHASE_RESTORED + column)
                elif now_utc_s - since_utc_s > self._outages.threshold_s:
                    self.on_long(now_utc_s - since_utc_s)
        self._missing = missing
        self._keep()

    def power_up(self, outage_s: int, short: bool) -> None:
        """Count an outage of the whole meter; unknown lengths are -1.

        One that a phase's failure goes on through is told of at the end of that.
        """
        if not (short or self._values[_SINCE + ANY]):
            self.on_long(outage_s)
        began_utc_s = max(1, self._clock.utc_s() - max(0, outage_s))
        for column in range(_COLUMNS):
            built = column < self._phases or column == ANY
            if built and not self._values[_SINCE + column]:
                self._begin(column, began_utc_s)
                self._end(column, max(0, outage_s))
        self._keep()

    def _begin(self, column: int, utc_s: int) -> None:
        at = _FIELDS * column
        self._values[at + NUMBER] = self._values[at + NUMBER] + 1 & _UINT32
        self._values[at + BEGAN_UTC_S] = utc_s
        self._values[_SINCE + column] = max(1, utc_s)

    def _end(self, column: int, seconds: int) -> None:
        at = _FIELDS * column
        seconds = min(max(0, seconds), _UINT32)  # the clock may have been set back
        if seconds > self._outages.threshold_s:
            self._values[at + LONG] = self._values[at + LONG] + 1 & _UINT32
            self._values[at + LAST_LONG_S] = seconds
        self._values[at + TOTAL_S] = min(self._values[at + TOTAL_S] + seconds, _UINT32)
        self._values[_SINCE + column] = 0

    def _keep(self) -> None:
        try:
            self._record.save(struct.pack(_FORM, *self._values))
        except OSError:
            pass  # they count as long as the meter has power


def _nobody(_seconds: int) -> None:
    """Stand in for who wants to know."""
