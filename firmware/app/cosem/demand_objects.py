"""The objects of demand: averages, last averages, maxima, power factors, sliding currents.

Four files of registers over app.tariff: classes 5, 3, 4 and 5 (rows DEM-01 to DEM-10, MET-16,
MET-18, MET-19, MET-21, TOU-09).
"""

from micropython import const

from app.attributes import READ_WRITE_DENIED
from app.cosem import access
from app.cosem.demand_register import DemandRegister
from app.cosem.extended_register import ExtendedRegister
from app.cosem.register_activation import Assigned, RegisterActivation
from app.errors import AccessRefused
from app.parameters import MEASURING_PERIOD_1, MEASURING_PERIOD_3, PERIODS_1, PERIODS_3
from app.registers import (
    TAG_INT32,
    TAG_UINT16,
    TAG_UINT32,
    UNIT_A,
    UNIT_NONE,
    UNIT_VA,
    UNIT_VAR,
    UNIT_W,
)
from app.tariff import sliding_current
from app.tariff.maxima import KINDS, POWER_FACTOR, RATES

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.cosem.catalogue import Catalogue
    from app.parameters import Parameters
    from app.tariff.averages import Averages
    from app.tariff.demand import Demand
    from app.tariff.maxima import Maxima
    from app.tariff.parts import TariffParts
    from app.tariff.sliding_current import SlidingCurrent

_EXTENDED_REGISTER = const(4)
_CODES = bytes((1, 2, 3, 4, 9, 10, 15))  # C of the registers, in the order of app.tariff.demand
_UNITS = bytes((UNIT_W, UNIT_W, UNIT_VAR, UNIT_VAR, UNIT_VA, UNIT_VA, UNIT_W))
_LIMITER_CODES = bytes((1, 15, 16))
_NET = const(2)  # its place among these
_POWER_FACTOR_C = const(13)
_CURRENT_D, _CURRENT_C = const(4), const(31)
_SCALER = const(-1)
_THOUSANDTHS = const(-3)


class AverageFile:
    """Demands of class 5: 1-0:C.4.0 over measuring period 1, 1-0:C.24.0 over period 3."""

    def __init__(
        self, averages: "Averages", codes: bytes, d: int, parameters: "Parameters"
    ) -> None:
        self._averages = averages
        self._codes = codes
        self._d = d
        self._put = parameters.put
        self.count = len(codes)
        self.current = averages.current
        self.value = averages.last
        self.status = averages.status
        self.capture_utc_s = averages.capture_utc_s
        self.start_utc_s = averages.start_utc_s
        self.reset = averages.reset
        self.next_period = averages.next_period

    def find(self, c: int, d: int, e: int) -> int:
        """Return the index of 1-0:c.d.e.255, -1 if it is none of these."""
        return self._codes.find(bytes((c,))) if d == self._d and e == 0 else -1

    def obis(self, index: int) -> "tuple[int, int, int]":
        """Return (C, D, E) of a register."""
        return self._codes[index], self._d, 0

    def form(self, index: int) -> "tuple[int, int, int]":
        """Return the power of ten, the unit code and the A-XDR type of the value."""
        if self.count == KINDS:
            return _SCALER, _UNITS[index], TAG_UINT32
        return _SCALER, UNIT_W, TAG_INT32 if index == _NET else TAG_UINT32

    def period_s(self, index: int) -> int:
        """Return the measuring period in seconds."""
        return self._averages.period_s

    def periods(self, index: int) -> int:
        """Return how many periods are averaged."""
        return self._averages.periods

    def set_period_s(self, index: int, period_s: int) -> None:
        """Set the measuring period, of all registers; errors as `Parameters.put`."""
        self._put(MEASURING_PERIOD_1 if self.count == KINDS else MEASURING_PERIOD_3, period_s)

    def set_periods(self, index: int, periods: int) -> None:
        """Set the number of periods, of all registers; errors as `Parameters.put`."""
        self._put(PERIODS_1 if self.count == KINDS else PERIODS_3, periods)


class LastFile:
    """Last averages of class 3, 1-0:C.5.0; behind them the power factor 1-0:13.5.0."""

    count = KINDS + 1

    def __init__(self, demand: "Demand") -> None:
        self._demand = demand

    def find(self, c: int, d: int, e: int) -> int:
        """Return the index of 1-0:c.d.e.255, -1 if it is none of these."""
        if d != 5 or e:
            return -1
        return KINDS if c == _POWER_FACTOR_C else _CODES.find(bytes((c,)))

    def obis(self, index: int) -> "tuple[int, int, int]":
        """Return (C, D, E) of a register."""
        return (_POWER_FACTOR_C if index == KINDS else _CODES[index]), 5, 0

    def value(self, index: int) -> int:
        """Return the value."""
        demand = self._demand
        return demand.power_factor if index == KINDS else demand.averages.last(index)

    def form(self, index: int) -> "tuple[int, int, int]":
        """Return the power of ten, the unit code and the A-XDR type of the value."""
        if index == KINDS:
            return _THOUSANDTHS, UNIT_NONE, TAG_UINT16
        return _SCALER, _UNITS[index], TAG_UINT32


class MaximumFile:
    """Maxima of class 4, 1-0:C.6.0 to C.6.8, behind them the minimum power factor 1-0:13.3.0."""

    count = POWER_FACTOR + 1

    def __init__(self, maxima: "Maxima") -> None:
        self.value = maxima.value
        self.status = maxima.status
        self.capture_utc_s = maxima.capture_utc_s

    def find(self, c: int, d: int, e: int) -> int:
        """Return the index of 1-0:c.d.e.255, -1 if it is none of these."""
        if (c, d, e) == (_POWER_FACTOR_C, 3, 0):
            return POWER_FACTOR
        kind = _CODES.find(bytes((c,)))
        return kind * (RATES + 1) + e if d == 6 and e <= RATES and kind >= 0 else -1

    def obis(self, index: int) -> "tuple[int, int, int]":
        """Return (C, D, E) of a register."""
        if index == POWER_FACTOR:
            return _POWER_FACTOR_C, 3, 0
        return _CODES[index // (RATES + 1)], 6, index % (RATES + 1)

    def form(self, index: int) -> "tuple[int, int, int]":
        """Return the power of ten, the unit code and the A-XDR type of the value."""
        if index == POWER_FACTOR:
            return _THOUSANDTHS, UNIT_NONE, TAG_UINT16
        return _SCALER, _UNITS[index // (RATES + 1)], TAG_UINT32


class RatedMaxima:
    """Those maxima that a rate has, as the registers that 0-0:14.0.2 switches."""

    count = KINDS * RATES

    def find(self, c: int, d: int, e: int) -> int:
        """Return the index of 1-0:c.d.e.255, -1 if it is none of these."""
        kind = _CODES.find(bytes((c,)))
        return kind * RATES + e - 1 if d == 6 and 1 <= e <= RATES and kind >= 0 else -1

    def obis(self, index: int) -> "tuple[int, int, int]":
        """Return (C, D, E) of a register."""
        return _CODES[index // RATES], 6, index % RATES + 1


class CurrentFile:
    """Sliding average currents of the phases, 1-0:31.4.0, 51.4.0 and 71.4.0, rounded down."""

    def __init__(
        self, currents: "SlidingCurrent", clock: "Clock", primary: "Callable[[int], int]"
    ) -> None:
        self._currents = currents
        self._clock = clock
        self._primary = primary
        self.count = currents.phases
        self.reset = currents.reset

    def find(self, c: int, d: int, e: int) -> int:
        """Return the index of 1-0:c.d.e.255, -1 if it is none of these."""
        phase, rest = divmod(c - _CURRENT_C, 20)
        return phase if not rest and 0 <= phase < self.count and (d, e) == (4, 0) else -1

    def obis(self, index: int) -> "tuple[int, int, int]":
        """Return (C, D, E) of a register."""
        return _CURRENT_C + 20 * index, _CURRENT_D, 0

    def current(self, index: int) -> int:
        """Return the average with the running second, in A."""
        return self._primary(self._currents.current_ma(index)) // 1000

    def value(self, index: int) -> int:
        """Return the average of the seconds that have ended, in A."""
        return self._primary(self._currents.last_ma(index)) // 1000

    def form(self, index: int) -> "tuple[int, int, int]":
        """Return the power of ten, the unit code and the A-XDR type of the value."""
        return 0, UNIT_A, TAG_UINT16

    def status(self, index: int) -> int:
        """Return no bits: a second is over before the clock can be set."""
        return 0

    def capture_utc_s(self, index: int) -> int:
        """Return when the last second ended."""
        return self._clock.utc_s() - self._currents.passed_s()

    def start_utc_s(self, index: int) -> int:
        """Return since when the current average counts."""
        return self.capture_utc_s(index) - sliding_current.PERIODS + 1

    def period_s(self, index: int) -> int:
        """Return the length of a period."""
        return sliding_current.PERIOD_S

    def periods(self, index: int) -> int:
        """Return how many periods are averaged."""
        return sliding_current.PERIODS

    def set_period_s(self, index: int, period_s: int) -> None:
        """Refuse: the period is fixed."""
        raise AccessRefused(READ_WRITE_DENIED)

    def set_periods(self, index: int, periods: int) -> None:
        """Refuse: the number is fixed."""
        raise AccessRefused(READ_WRITE_DENIED)

    def next_period(self, index: int) -> None:
        """Refuse: each second ends by itself."""
        raise AccessRefused(READ_WRITE_DENIED)


def add(
    catalogue: "Catalogue",
    tariff: "TariffParts",
    clock: "Clock",
    parameters: "Parameters",
    primary: "Callable[[int], int]",
) -> None:
    """Add everything to the catalogue; `primary` as the register file has it."""
    demand = tariff.demand
    for averages, codes, d in ((demand.averages, _CODES, 4), (demand.limiter, _LIMITER_CODES, 24)):
        file = AverageFile(averages, codes, d, parameters)
        catalogue.add_file(file, access.SETTINGS, DemandRegister(file, clock))
    catalogue.add_file(LastFile(demand), access.READINGS)
    file = MaximumFile(demand.maxima)
    catalogue.add_file(file, access.READINGS, ExtendedRegister(file, clock))
    file = CurrentFile(tariff.currents, clock, primary)
    catalogue.add_file(file, access.SETTINGS, DemandRegister(file, clock))
    masks = Assigned(tariff.demand_masks, RatedMaxima(), _EXTENDED_REGISTER)
    catalogue.add((0, 0, 14, 0, 2), RegisterActivation(), masks, access.SETTINGS)
