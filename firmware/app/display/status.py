"""The meter's state beside the items: phases, directions of power, cursors (rows DSP-03, DSP-05).

Called by the display at each refresh; reads what metrology and clock say. A phase's sign is dark
without voltage, blinks alone while its power flows against that of another phase, and all three
blink in a wrong order or when the neutral and a phase have changed places.

A part that comes later, a modem or a disconnector, tells its own by a callable in `others`; until
then its cursors (MB, SD, SET, SQ, REG, DRO, EC, R1, R2) and its icons are dark.
"""

from micropython import const

from app.display.indicators import BATTERY, FLAT

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.display.indicators import Indicators
    from metrology.energy import Energies
    from metrology.quantities import Quantities

_PHASES = ("L1", "L2", "L3")
_PRESENT_PERCENT = const(50)  # of the nominal voltage
# Below this share of the apparent power a direction is measuring noise: 0.5 %.
_DIRECTION_SHARE = const(200)
_TARIFFS = ("T1", "T2", "T3", "T4")  # further ones blink (table 15.1)
_DEMANDS = ("M1", "M2", "M3", "M4")
_SOME_POWER_UW = const(20_000_000)  # less says nothing of a phase's direction
# Of the nominal voltage: what lies between two phases is 173 %, a phase has 80 to 120 %.
_BETWEEN_PHASES_PERCENT = const(150)
_PHASE_LEAST_PERCENT = const(80)
_PHASE_MOST_PERCENT = const(120)


class MeterStatus:
    """Sets the indicators of one meter; the attributes are set by those who know."""

    def __init__(
        self,
        quantities: "Quantities",
        energies: "Energies",
        nominal_voltage_v: int,
        clock: "Clock",
    ) -> None:
        self.tariff: Callable[[], int] = _none  # number of the one in force, 0: none
        self.demand_rate: Callable[[], int] = _none  # whose maximum is followed, 0: none
        self.fault: Callable[[], bool] = _never  # FF
        self.wrong_sequence: Callable[[], bool] = _never  # L1 L2 L3 blink
        self.testing: Callable[[], bool] = _never  # TEST
        self.connections: Callable[[], int] = _none  # associations on any port: COM
        self.octets: Callable[[], int] = _none  # that have come or gone: COM blinks
        self.battery_low: Callable[[], bool] = _never
        self.battery_dead: Callable[[], bool] = _never
        self.others: list[Callable[[Indicators], None]] = []  # what other parts have to show
        self._octets = 0
        self._quantities = quantities
        self._energies = energies
        self._percent_uv = nominal_voltage_v * 10_000
        present_uv = self._percent_uv * _PRESENT_PERCENT
        self.present: Callable[[int], bool] = lambda phase: quantities.u_uv[phase] >= present_uv
        self._clock = clock

    def __call__(self, indicators: "Indicators") -> None:
        """Light what is to be lit."""
        quantities = self._quantities
        wrong = self.wrong_sequence() or self.neutral_swapped()
        for phase in range(quantities.phases):
            if self.present(phase):
                indicators.set(_PHASES[phase], wrong or self.backward(phase))
        if self._energies.counting:
            least = quantities.s_total_uva // _DIRECTION_SHARE
            self._direction(indicators, ("-P", "+P"), quantities.p_total_uw, least)
            self._direction(indicators, ("-Q", "+Q"), quantities.q_total_uvar, least)
        tariff = self.tariff()
        if tariff:
            indicators.set(_TARIFFS[(tariff - 1) & 3], tariff > len(_TARIFFS))
        rate = self.demand_rate()
        if 0 < rate <= len(_DEMANDS):
            indicators.set(_DEMANDS[rate - 1])
        octets = self.octets()
        if self.connections() or octets != self._octets:
            indicators.set("COM", octets != self._octets)
            self._octets = octets
        if self.fault():
            indicators.set("FF")
        if self.testing():
            indicators.set("TEST")
        dead = self.battery_dead()
        if dead or self.battery_low():
            indicators.icon(BATTERY, FLAT, not dead)
        if self._clock.invalid:
            indicators.set("CLK", True)
        for show in self.others:
            show(indicators)

    def backward(self, phase: int) -> bool:
        """Tell whether power flows out of a phase while it flows into another one."""
        p_uw = self._quantities.p_uw
        return p_uw[phase] < -_SOME_POWER_UW and max(p_uw) > _SOME_POWER_UW

    def neutral_swapped(self) -> bool:
        """Tell whether neutral and a phase have changed places.

        Of three phases, that one keeps its voltage; the two others have that between phases.
        """
        percents = sorted([u_uv // self._percent_uv for u_uv in self._quantities.u_uv])
        return (
            len(percents) == len(_PHASES)
            and _PHASE_LEAST_PERCENT <= percents[0] <= _PHASE_MOST_PERCENT
            and percents[1] >= _BETWEEN_PHASES_PERCENT
        )

    def _direction(
        self, indicators: "Indicators", names: "tuple[str, str]", power: int, least: int
    ) -> None:
        if abs(power) > least:
            indicators.set(names[power > 0])


def _never() -> bool:
    return False


def _none() -> int:
    return 0
