"""The objects of the end of billing: scripts, schedules, profiles, counter, options (BIL-*)."""

from micropython import const

from app.axdr import BOOLEAN, UINT8, UINT32
from app.cosem import access
from app.cosem.base import EXECUTE, READ_WRITE
from app.cosem.clock_values import Cells
from app.cosem.data import Data
from app.cosem.profile_generic import ProfileGeneric
from app.cosem.script_table import BuiltInScripts, ScriptTable
from app.cosem.single_action_schedule import SingleActionSchedule
from app.cosem.values import Simple, Value
from app.rows import NO_TIME, write_time
from app.tariff import billing

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.axdr import Writer
    from app.clock import Clock
    from app.cosem.objects import Objects
    from app.tariff.billing import Billing
    from app.tariff.parts import TariffParts

_NO_UNIT = const(255)


class LastBilling(Value):
    """Time of the last end of billing, as the clock column of its entry has it (row BIL-14)."""

    def __init__(self, billings: "Billing") -> None:
        self._billings = billings

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        last = self._billings.last
        if last is None:
            writer.octet_string(NO_TIME)
        else:
            write_time(writer, *last)


def add(objects: "Objects", tariff: "TariffParts", clock: "Clock") -> None:
    """Add everything to the catalogue."""
    billings = tariff.billing

    def run(number: int, by_client: bool) -> None:
        billings.capture(number, billing.REMOTE if by_client else billing.REGULAR)

    group = access.SETTINGS
    scripts = ScriptTable(objects)
    tenancy = BuiltInScripts(
        1,
        lambda _number, _by_client: billings.capture(billing.BILLING_2, billing.TENANCY_CHANGED),
    )
    objects.add((0, 0, 10, 0, 1), scripts, BuiltInScripts(billing.BILLING_2, run), group)
    objects.add((0, 0, 10, 0, 128), scripts, tenancy, group)
    schedule = SingleActionSchedule(tariff.clockwork)
    for d, key in enumerate(tariff.schedules):
        objects.add((0, 0, 15, d, 0), schedule, key, group)
    profile = ProfileGeneric(clock, READ_WRITE, reset=EXECUTE)
    for d, rows in enumerate(billings.profiles):
        objects.add((0, 0, 98, d + 1, 0), profile, rows, group)
    objects.add((1, 0, 99, 130, 0), profile, billings.profiles[1], group)  # row BIL-03

    def option(place: int) -> Simple:
        return Simple(
            BOOLEAN,
            lambda: billings.option(place),
            lambda chosen: billings.set_option(place, chosen),
        )

    data = Data()
    for obis, key, rights in (
        ((0, 0, 0, 1, 0), Simple(UINT32, lambda: billings.count), access.READINGS),
        ((0, 0, 128, 10, 5), option(billing.MANUAL_RESET), group),
        ((0, 0, 128, 10, 7), option(billing.SHOW_PAST), group),
        ((0, 0, 128, 10, 8), Simple(UINT8, lambda: billings.cause), access.READINGS),
    ):
        objects.add(obis, data, key, rights)

    last = (LastBilling(billings), 0, _NO_UNIT, None)
    objects.add((0, 0, 0, 1, 2), Cells(), last, access.READINGS)
