"""Demand of this meter: averages over the two measuring periods, maxima, power factor.

Measuring period 1 is for demand: once, at its end, its averages are compared with the maxima (row
DEM-06), unless it was broken off or shorter than it should be (row DEM-13). Measuring period 3 is
for the limiter (row DEM-10). Both follow app.parameters at once (row MET-29).
"""

from micropython import const

from app.parameters import (
    MEASURING_PERIOD_1,
    MEASURING_PERIOD_3,
    PERIODS_1,
    PERIODS_3,
)
from app.tariff.averages import Averages
from app.tariff.maxima import POWER_FACTOR_MAX, Maxima
from metrology.energy import (
    A_ABSOLUTE,
    A_EXPORT,
    A_IMPORT,
    A_NET,
    Q_NEGATIVE,
    Q_POSITIVE,
    S_EXPORT,
    S_IMPORT,
)

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.parameters import Parameters
    from app.tariff.window_totals import WindowTotals
    from hal import Memory

# in the order of the registers: C is 1, 2, 3, 4, 9, 10, 15
KINDS = (A_IMPORT, A_EXPORT, Q_POSITIVE, Q_NEGATIVE, S_IMPORT, S_EXPORT, A_ABSOLUTE)
LIMITER_KINDS = (A_IMPORT, A_ABSOLUTE, A_NET)
_VA_UWS = const(1_000_000)
_PLACE_A = const(0)
_PLACE_S = const(4)


class Demand:
    """All registers of demand.

    averages, limiter: over measuring periods 1 and 3; maxima
    power_factor: of the last measuring period 1, in thousandths
    damaged: both copies of maxima or averages were unreadable, those begin at zero
    on_period_end: called with the time of each regular end of a measuring period 1 and its bits
    (table 6.2), when all registers stand
    """

    def __init__(
        self,
        memory: "Memory",
        clock: "Clock",
        totals: "WindowTotals",
        parameters: "Parameters",
    ) -> None:
        self._parameters = parameters
        self.averages = Averages(memory, "demand", clock, totals, KINDS)
        self.limiter = Averages(memory, "limiter_demand", clock, totals, LIMITER_KINDS)
        self.maxima = Maxima(memory)
        self.on_period_end: list[Callable[[int, int], None]] = []
        get = parameters.get
        self.averages.restore(get(MEASURING_PERIOD_1), get(PERIODS_1))
        self.limiter.restore(get(MEASURING_PERIOD_3), get(PERIODS_3))
        self.damaged = self.maxima.damaged or self.averages.damaged or self.limiter.damaged
        self.power_factor = POWER_FACTOR_MAX
        self._form_power_factor()
        self.averages.on_end = self._end
        self.averages.on_break = self._form_power_factor
        parameters.followers.append(self._follow)
        clock.on_change.append(self.averages.clock_changed)
        clock.on_change.append(self.limiter.clock_changed)

    @property
    def period_s(self) -> int:
        """Measuring period 1 in seconds."""
        return self.averages.period_s

    def start(self, outage: bool) -> None:
        """Begin to measure; `outage`: the supply has been away."""
        self.averages.start(outage)
        self.limiter.start(outage)

    def reset_maxima(self) -> None:
        """Set averages and maxima of demand to zero: they have been billed (row DEM-07)."""
        self.maxima.reset()
        self.averages.billed()

    def reset_power_factor(self) -> None:
        """Set the lowest power factor of the billing period to one (rows MET-19, BIL-05)."""
        self.maxima.reset_power_factor()

    def keep(self) -> None:
        """Store everything again: what was stored has been damaged meanwhile."""
        self.maxima.keep()
        self.averages.keep()
        self.limiter.keep()

    def _follow(self) -> None:
        get = self._parameters.get
        self.averages.configure(get(MEASURING_PERIOD_1), get(PERIODS_1))
        self.limiter.configure(get(MEASURING_PERIOD_3), get(PERIODS_3))

    def _end(self, utc_s: int, bits: int, full: int) -> None:
        changed = False
        self._form_power_factor()
        for place in range(len(KINDS)):
            if full >> place & 1:
                last = self.averages.last(place)
                changed = self.maxima.compare(place, last, utc_s, bits) or changed
        if full >> _PLACE_S & 1:
            lowest = self.maxima.compare_power_factor(self.power_factor, utc_s, bits)
            changed = lowest or changed
        if changed:
            self.maxima.keep()
        for listener in self.on_period_end:
            listener(utc_s, bits)

    def _form_power_factor(self) -> None:
        """Divide A+ by S+ of the last period (row MET-18).

        Below 1 VA, which no load above the start threshold stays, it is one.
        """
        active = self.averages.ended_uws(_PLACE_A)
        apparent = self.averages.ended_uws(_PLACE_S)
        self.power_factor = POWER_FACTOR_MAX
        if apparent >= self.averages.period_s * _VA_UWS:
            factor = (2 * active * POWER_FACTOR_MAX + apparent) // (2 * apparent)
            self.power_factor = min(factor, POWER_FACTOR_MAX)
