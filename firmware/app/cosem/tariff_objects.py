"""The objects of the tariff: calendar, special days, scripts, register activation, rates."""

from micropython import const

from app.axdr import ENUM, UINT8
from app.cosem import access
from app.cosem.activity_calendar import ActivityCalendar
from app.cosem.data import Data
from app.cosem.register import Register
from app.cosem.register_activation import Assigned, RegisterActivation
from app.cosem.script_table import ScriptTable, StoredScripts
from app.cosem.special_days_table import SpecialDaysTable
from app.cosem.tariff_registers import BlockRegisters, RateRegisters, block_names
from app.cosem.tariff_values import ActiveTariff, BlockThresholds, InputMap, SpecialTariff
from app.cosem.values import Number
from app.tariff.factory_scripts import factory_scripts

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from app.cosem.catalogue import Catalogue
    from app.registers import RegisterFile
    from app.settings import Settings
    from app.tariff.parts import TariffParts

_REGISTER = const(3)


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
    calendar = ActivityCalendar(tariff.calendar, catalogue.find, wake, post)
    catalogue.add((0, 0, 13, 0, 0), calendar, None, group)
    days = SpecialDaysTable(tariff.special_days, wake, post)
    catalogue.add((0, 0, 11, 0, 0), days, None, group)
    scripts = StoredScripts(
        settings,
        lambda: "tariff_scripts_48" if tariff.rates.many else "tariff_scripts",
        lambda: factory_scripts(tariff.energy.number()),
    )
    catalogue.add((0, 0, 10, 0, 100), ScriptTable(catalogue, tariff.runner), scripts, group)
    registers = RateRegisters(tariff.rates, totals)
    energy = Assigned(tariff.energy_masks, registers, _REGISTER)
    catalogue.add((0, 0, 14, 0, 1), RegisterActivation(), energy, group)
    active = ActiveTariff(tariff.energy_masks)
    data = Data()
    catalogue.add((0, 0, 96, 14, 0), data, active, access.READINGS)
    active = ActiveTariff(tariff.demand_masks)
    catalogue.add((0, 0, 96, 14, 1), data, active, access.READINGS)
    catalogue.add_file(registers, access.READINGS)
    control = tariff.control
    for e, value in (
        (1, Number(ENUM, lambda: control.synchronised, control.set_synchronised)),
        (2, Number(ENUM, lambda: control.source, control.set_source)),
        (3, InputMap(control)),
        (4, SpecialTariff(control)),
        (6, BlockThresholds(tariff.blocks, post)),
        (9, Number(UINT8, tariff.energy.number, tariff.energy.set_number)),
    ):
        catalogue.add((0, 0, 128, 10, e), data, value, group)
    blocks = Register(BlockRegisters(tariff.blocks, totals))
    catalogue.add_family(blocks, block_names(), access.READINGS)
