"""Means and extremes of voltages and currents, and the watch of the case's temperature.

Rows MET-20 and MET-22 to MET-24: 1-0:32.24.0, 0-0:128.8.e of table 1.1 with its search period
128.8.50, and 1-0:32.6.0, 32.3.0, 31.6.0, 31.3.0, of the previous billing period with F = 101; L2
and L3 likewise. Row MET-27: 0-0:128.9.0 is the temperature, in degrees Celsius, that is too hot.
"""

from micropython import const

from app import axdr
from app.cosem import access
from app.cosem.data import Data
from app.cosem.extended_register import ExtendedRegister
from app.cosem.register import Register
from app.cosem.values import Simple
from app.event_codes import PARAMETERS_CHANGED
from app.quality.extremes import BILLING
from app.registers import TAG_UINT32, UNIT_A, UNIT_V

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.cosem.objects import Objects
    from app.quality.extremes import Extremes
    from app.quality.temperature import Temperature

_VOLTAGE_C = const(32)
_PHASE_C = const(20)
_MEAN_D = const(24)
_MAXIMUM_D = const(6)
_MINIMUM_D = const(3)
_PREVIOUS = const(101)
_TODAY_ROWS = const(4)


class Extreme:
    """Rows of the extremes from one on, by index."""

    def __init__(self, extremes: "Extremes", first: int) -> None:
        self._extremes = extremes
        self._first = first

    def value(self, index: int) -> int:
        """Return hundredths of a volt, or milliamperes."""
        return self._extremes.value(self._first + index)

    def form(self, index: int) -> "tuple[int, int, int]":
        """Return the power of ten, the unit code and the A-XDR type of the value."""
        if self._first >= BILLING and index & 4:
            return -3, UNIT_A, TAG_UINT32
        return -2, UNIT_V, TAG_UINT32

    def status(self, index: int) -> int:
        """Return no bits: a doubtful period is not compared."""
        return 0

    def capture_utc_s(self, index: int) -> int:
        """Return the end of the search period that was the extreme, 0 if there is none."""
        return self._extremes.capture_utc_s(self._first + index)


class Mean(Extreme):
    """Voltages of the last ten minutes, by phase."""

    def value(self, index: int) -> int:
        """Return hundredths of a volt."""
        return self._extremes.mean_cv(index)


def add(
    objects: "Objects",
    extremes: "Extremes",
    temperature: "Temperature",
    clock: "Clock",
    post: "Callable[[int], None]",
) -> None:
    """Add all of them to the catalogue; `post` is told of a change of the search period."""

    def set_search_s(search_s: int) -> None:
        extremes.set_search_s(search_s)
        post(PARAMETERS_CHANGED)

    means = daily = billing = b""
    for column in range(extremes.phases + 1):
        for e in range(_TODAY_ROWS):
            daily += bytes((0, 0, 128, 8, 10 * column + e, 255))
    for phase in range(extremes.phases):
        c = _VOLTAGE_C + _PHASE_C * phase
        means += bytes((1, 0, c, _MEAN_D, 0, 255))
        for quantity in (0, 1):
            for d in (_MAXIMUM_D, _MINIMUM_D):
                for f in (255, _PREVIOUS):
                    billing += bytes((1, 0, c - quantity, d, 0, f))
    group = access.READINGS
    objects.add_family(Register(Mean(extremes, 0)), means, group)
    for first, names in ((0, daily), (BILLING, billing)):
        objects.add_family(ExtendedRegister(Extreme(extremes, first), clock), names, group)
    period = Simple(axdr.UINT16, lambda: extremes.search_s, set_search_s)
    objects.add((0, 0, 128, 8, 50), Data(), period, access.SETTINGS)
    limit = Simple(axdr.INT8, lambda: temperature.limit_c, temperature.set_limit_c)
    objects.add((0, 0, 128, 9, 0), Data(), limit, access.SETTINGS)
