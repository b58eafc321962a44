"""The objects of the tariff: calendar, special days, scripts, register activation."""

from micropython import const

from app.axdr import ENUM, UINT8, UINT16
from app.cosem import access
from app.cosem.activity_calendar import ActivityCalendar
from app.cosem.data import Data
from app.cosem.register_activation import Assigned, RegisterActivation
from app.cosem.script_table import ScriptTable, StoredScripts
from app.cosem.special_days_table import SpecialDaysTable
from app.cosem.tariff_registers import RateRegisters
from app.cosem.tariff_values import BlockThresholds
from app.cosem.values import Octets, Simple, Structure
from app.tariff.control import CODES
from app.tariff.factory_scripts import factory_scripts

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.cosem.objects import Objects
    from app.registers import RegisterFile
    from app.settings import Settings
    from app.tariff.parts import TariffParts

_REGISTER = const(3)


def add(
    objects: "Objects",
    tariff: "TariffParts",
    settings: "Settings",
    totals: "RegisterFile",
    post: "Callable[[int], None]",
) -> None:
    """Add everything but the registers (tariff_registers)."""
    wake = tariff.clockwork.wake
    group = access.SETTINGS
    calendar = ActivityCalendar(tariff.calendar, objects.find, wake, post)
    objects.add((0, 0, 13, 0, 0), calendar, None, group)
    days = SpecialDaysTable(tariff.special_days, wake, post)
    objects.add((0, 0, 11, 0, 0), days, None, group)
    scripts = StoredScripts(
        settings,
        lambda: "tariff_scripts_48" if tariff.rates.many else "tariff_scripts",
        lambda: factory_scripts(tariff.energy.number(), tariff.element_masks is not None),
        tariff.runner,
    )
    objects.add((0, 0, 10, 0, 100), ScriptTable(objects), scripts, group)
    registers = RateRegisters(tariff.rates, totals)
    energy = Assigned(tariff.energy_masks, registers, _REGISTER)
    objects.add((0, 0, 14, 0, 1), RegisterActivation(), energy, group)
    data = Data()
    for e, masks in enumerate((tariff.energy_masks, tariff.demand_masks)):
        active = Octets(lambda masks=masks: masks.active)  # name of the active mask (row TOU-16)
        objects.add((0, 0, 96, 14, e), data, active, access.READINGS)
    control = tariff.control

    def set_special(threshold_mhz: int, delay_s: int, hysteresis_mhz: int, script: int) -> None:
        control.set_special_tariff((threshold_mhz, delay_s, hysteresis_mhz, script))

    for e, value in (
        (1, Simple(ENUM, lambda: control.synchronised, control.set_synchronised)),
        (2, Simple(ENUM, lambda: control.source, control.set_source)),
        # rates of the input codes 00, 01, 10, 11, an octet each (row TOU-18)
        (3, Octets(lambda: control.map, control.set_map, CODES, CODES)),
        # row TOU-19
        (4, Structure((UINT16,) * 4, control.special_tariff, set_special)),
        (6, BlockThresholds(tariff.blocks, post)),
        (9, Simple(UINT8, tariff.energy.number, tariff.energy.set_number)),
    ):
        objects.add((0, 0, 128, 10, e), data, value, group)
    if tariff.element_masks is not None:
        from app.cosem import element_registers  # few meters have two elements

        element_registers.add(objects, tariff.element_masks, tariff.totals.energies, totals)
