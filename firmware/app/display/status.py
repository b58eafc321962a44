"""The meter's state beside the items: phases, directions of power, cursors (rows DSP-03, DSP-05).

Called by the display at each refresh; reads what metrology and clock say and keeps nothing.
"""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.display.indicators import Indicators
    from metrology.energy import Energies
    from metrology.quantities import Quantities

_PHASES = ("L1", "L2", "L3")
_PRESENT_PERCENT = const(50)  # of the nominal voltage
# Below this share of the apparent power a direction is measuring noise: 0.5 %.
_DIRECTION_SHARE = const(200)
_TARIFFS = const(4)  # further ones blink (table 15.1)


class MeterStatus:
    """Sets the indicators of one meter; the attributes are set by those who know."""

    def __init__(
        self,
        quantities: "Quantities",
        energies: "Energies",
        nominal_voltage_v: int,
        clock: "Clock",
    ) -> None:
        self.tariff: Callable[[], int] = _first_tariff  # number of the one in force, 0: none
        self.fault: Callable[[], bool] = _never  # FF
        self.wrong_sequence: Callable[[], bool] = _never  # L1 L2 L3 blink
        self.testing: Callable[[], bool] = _never  # TEST
        self.disconnected = False  # SD
        self._quantities = quantities
        self._energies = energies
        present_uv = nominal_voltage_v * 1_000_000 * _PRESENT_PERCENT // 100
        self.present: Callable[[int], bool] = lambda phase: quantities.u_uv[phase] >= present_uv
        self._clock = clock

    def __call__(self, indicators: "Indicators") -> None:
        """Light what is to be lit."""
        quantities = self._quantities
        wrong = self.wrong_sequence()
        for phase in range(quantities.phases):
            if self.present(phase):
                indicators.set(_PHASES[phase], wrong)
        if self._energies.counting:
            least = quantities.s_total_uva // _DIRECTION_SHARE
            self._direction(indicators, "P", quantities.p_total_uw, least)
            self._direction(indicators, "Q", quantities.q_total_uvar, least)
        tariff = self.tariff()
        if tariff:
            indicators.set(f"T{(tariff - 1) % _TARIFFS + 1}", tariff > _TARIFFS)
        if self.fault():
            indicators.set("FF")
        if self.testing():
            indicators.set("TEST")
        if self.disconnected:
            indicators.set("SD")
        if self._clock.invalid:
            indicators.set("CLK", True)

    def _direction(self, indicators: "Indicators", letter: str, power: int, least: int) -> None:
        if power > least:
            indicators.set("+" + letter)
        elif -power > least:
            indicators.set("-" + letter)


def _never() -> bool:
    return False


def _first_tariff() -> int:
    return 1
