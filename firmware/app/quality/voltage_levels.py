"""What the ten-minute means of the voltages tell: levels, asymmetry, the week by EN 50160.

Each mean counts in one of seven levels of its phase (row PQL-03). Means that lie apart from the
mean of all phases are an asymmetry (row PQL-09). A week is bad for a phase if fewer than 95 % of
its means were within 10 % of the nominal voltage, or one was above 110 % or below 85 % (row
PQL-12). Weeks are local ones and begin on Monday.
"""

import struct

from micropython import const

from app import event_codes
from app.quality import limits
from app.storage import regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.quality.limits import Limits
    from hal import Memory

LEVELS = const(7)
COLUMNS = const(4)
ANY = const(3)  # column behind the phases
WEEKS = const(2)  # the running one, the last one that was whole
TOTAL = const(0)  # means of a week and phase
WITHIN = const(1)
LOWEST_DV = const(2)
HIGHEST_DV = const(3)
_STEPS = (10, 5, 0, -5, -10, -15)  # percent above which levels 1 to 6 begin
_NORMAL = const(95)  # percent of the means of a week
_FORM = "<28II24H"  # levels; the week; of the running and the last week: of each phase, the above
_WEEK = const(28)
_WEEKS = const(29)
_WEEK_S = const(604_800)
_MONDAY_S = const(172_800)  # the first one since 2000
_NO_WEEK = const(0xFFFFFFFF)


class VoltageLevels:
    """Takes every ten-minute mean; `post` takes events, `ended` their ends.

    asymmetric: a phase lay beyond the limits of asymmetry in the last ten minutes
    """

    def __init__(
        self,
        memory: "Memory",
        bounds: "Limits",
        clock: "Clock",
        post: "Callable[[int], None]",
        ended: "Callable[[int], None]",
    ) -> None:
        self.asymmetric = False
        self._limits = bounds
        self._clock = clock
        self._post = post
        self._ended = ended
        self._record = regions.open_record(memory, "voltage_levels")
        self._values = [0] * (_WEEKS + WEEKS * 12)
        self._values[_WEEK] = _NO_WEEK
        try:
            payload = self._record.load()
            if payload is not None and len(payload) == struct.calcsize(_FORM):
                self._values = list(struct.unpack(_FORM, payload))
        except OSError:
            pass  # they count as long as the meter has power

    def count(self, column: int, level: int) -> int:
        """Return how many means of a phase, or of any, were in a level, 0 for U > +10 %."""
        return self._values[column * LEVELS + level]

    def week(self, back: int, phase: int, what: int) -> int:
        """Return what is known of a phase in this week (0) or the last whole one (1)."""
        return self._values[_WEEKS + 12 * back + 4 * phase + what]

    def is_good(self, back: int, phase: int) -> bool:
        """Tell whether a week keeps the limits; one without means does."""
        total = self.week(back, phase, TOTAL)
        if not total:
            return True
        nominal_dv = self._limits.values[limits.NOMINAL]
        return (
            self.week(back, phase, WITHIN) * 100 >= total * _NORMAL
            and self.week(back, phase, HIGHEST_DV) * 100 <= nominal_dv * 110
            and self.week(back, phase, LOWEST_DV) * 100 >= nominal_dv * 85
        )

    def take(self, u_cv: "list[int]", utc_s: int) -> None:
        """Take the means of all phases, in hundredths of a volt, of the interval that ended."""
        self._turn(utc_s)
        nominal_dv = self._limits.values[limits.NOMINAL]
        levels = 0
        for phase, mean_cv in enumerate(u_cv):
            level = self._level(mean_cv, nominal_dv)
            self._values[phase * LEVELS + level] += 1
            levels |= 1 << level
            self._take_into_week(phase, mean_cv, nominal_dv)
        for level in range(LEVELS):
            self._values[ANY * LEVELS + level] += levels >> level & 1
        if len(u_cv) > 1:
            self._compare(u_cv)
        try:
            self._record.save(struct.pack(_FORM, *self._values))
        except OSError:
            pass  # they count as long as the meter has power

    def _level(self, mean_cv: int, nominal_dv: int) -> int:
        for level, percent in enumerate(_STEPS):
            if mean_cv * 10 > nominal_dv * (100 + percent):
                return level
        return LEVELS - 1

    def _take_into_week(self, phase: int, mean_cv: int, nominal_dv: int) -> None:
        at = _WEEKS + 4 * phase
        values = self._values
        mean_dv = min((mean_cv + 5) // 10, 0xFFFF)
        if not values[at + TOTAL]:
            values[at + LOWEST_DV] = values[at + HIGHEST_DV] = mean_dv
        values[at + TOTAL] += 1
        values[at + WITHIN] += 90 * nominal_dv <= 10 * mean_cv <= 110 * nominal_dv
        values[at + LOWEST_DV] = min(values[at + LOWEST_DV], mean_dv)
        values[at + HIGHEST_DV] = max(values[at + HIGHEST_DV], mean_dv)

    def _compare(self, u_cv: "list[int]") -> None:
        total = sum(u_cv)
        phases = len(u_cv)
        upper = self._limits.values[limits.UPPER]
        lower = self._limits.values[limits.LOWER]
        apart = False
        for mean_cv in u_cv:
            share = mean_cv * phases * 1000
            apart = apart or share > upper * total or share < lower * total
        if apart and not self.asymmetric:
            self._post(event_codes.PHASE_ASYMMETRY)
        elif self.asymmetric and not apart:
            self._ended(event_codes.PHASE_ASYMMETRY)
        self.asymmetric = apart

    def _turn(self, utc_s: int) -> None:
        """Let it be the week of the interval that ends at `utc_s`; judge the one before."""
        if self._clock.invalid:
            return
        week = (self._clock.zone.local_s(utc_s - 1) - _MONDAY_S) // _WEEK_S
        values = self._values
        old = values[_WEEK]
        if week == old:
            return
        values[_WEEK] = week
        if old == _NO_WEEK:
            return
        values[_WEEKS + 12 :] = values[_WEEKS : _WEEKS + 12]
        values[_WEEKS : _WEEKS + 12] = [0] * 12
        for phase in range(COLUMNS - 1):
            if not self.is_good(1, phase):
                self._post(event_codes.BAD_VOLTAGE + phase)
