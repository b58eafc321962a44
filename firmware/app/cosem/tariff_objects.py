"""The objects of the tariff: calendar, special days, scripts, register activation, rates."""

from micropython import const

from app.cosem import access
from app.cosem.activity_calendar import ActivityCalendar
from app.cosem.data import Data
from app.cosem.register_activation import Assigned, RegisterActivation
from app.cosem.script_table import ScriptTable, StoredScripts
from app.cosem.special_days_table import SpecialDaysTable
from app.cosem.values import Value
from app.tariff.parts import factory_scripts
from app.tariff.rates import RATES, REGISTERS

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from app.axdr import Writer
    from app.cosem.catalogue import Catalogue
    from app.registers import RegisterFile
    from app.settings import Settings
    from app.tariff.activation import Activation
    from app.tariff.parts import TariffParts
    from app.tariff.rates import RateEnergies

_REGISTER = const(3)
_ENERGY_D = const(8)


class RateRegisters:
    """The rate registers as a file of registers, 1-0:C.8.1 to C.8.8 of eleven energies.

    What they share with the totals, unit and type, is asked of the totals' own file.
    """

    count = REGISTERS

    def __init__(self, rates: "RateEnergies", totals: "RegisterFile") -> None:
        self._rates = rates
        self._totals = totals

    def find(self, c: int, d: int, e: int) -> int:
        """Return the index of 1-0:C.D.E.255, -1 if it is no rate register."""
        if d != _ENERGY_D or not 1 <= e <= RATES:
            return -1
        kind = c - 1 if 1 <= c <= 10 else (10 if c == 15 else -1)
        return kind * RATES + e - 1 if kind >= 0 else -1

    def obis(self, index: int) -> tuple[int, int, int]:
        """Return (C, D, E) of a register."""
        kind, rate = divmod(index, RATES)
        return (kind + 1 if kind < 10 else 15), _ENERGY_D, rate + 1

    def value(self, index: int) -> int:
        """Return the energy in Wh, varh or VAh."""
        return self._rates.value_wh(index)

    def scaler(self, index: int) -> int:
        """Return the power of ten of the value."""
        return self._totals.scaler(self._total(index))

    def unit(self, index: int) -> int:
        """Return the unit code of the Blue Book."""
        return self._totals.unit(self._total(index))

    def tag(self, index: int) -> int:
        """Return the A-XDR type of the value."""
        return self._totals.tag(self._total(index))

    def _total(self, index: int) -> int:
        c, d, _ = self.obis(index)
        return self._totals.find(c, d, 0)


class ActiveTariff(Value):
    """Currently active tariff: the name of the active mask (row TOU-16)."""

    def __init__(self, activation: "Activation") -> None:
        self._activation = activation

    def read(self, writer: "Writer") -> None:
        """Encode the name."""
        writer.octet_string(self._activation.active)


def add(
    catalogue: "Catalogue",
    tariff: "TariffParts",
    settings: "Settings",
    totals: "RegisterFile",
    post: "Callable[[int], None]",
) -> None:
    """Add everything to the catalogue."""
    wake = tariff.clockwork.wake
    group = access.SETTINGS
    calendar = ActivityCalendar(tariff.calendar, wake, post)
    catalogue.add((0, 0, 13, 0, 0), calendar, None, group)
    days = SpecialDaysTable(tariff.special_days, wake, post)
    catalogue.add((0, 0, 11, 0, 0), days, None, group)
    scripts = StoredScripts(settings, "tariff_scripts", factory_scripts())
    catalogue.add((0, 0, 10, 0, 100), ScriptTable(catalogue, tariff.runner), scripts, group)
    registers = RateRegisters(tariff.rates, totals)
    energy = Assigned(tariff.energy_masks, registers, _REGISTER)
    catalogue.add((0, 0, 14, 0, 1), RegisterActivation(), energy, group)
    active = ActiveTariff(tariff.energy_masks)
    catalogue.add((0, 0, 96, 14, 0), Data(), active, access.READINGS)
    catalogue.add_file(registers, access.READINGS)
