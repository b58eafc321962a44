"""Values around the clock as objects: limits, chip, fixed dates, reserve.

app.clock, app.zone and app.battery check and keep what is written. What belongs to production is
refused while the parameter switch is closed. Rows CLK-06, CLK-09 to CLK-15, MET-28, PRD-09.
"""

from micropython import const

from app import axdr
from app.cosem import access, date_time
from app.cosem.base import CHOICE, EXECUTE, READ, READ_WRITE, InterfaceClass
from app.cosem.data import Data
from app.cosem.register import scaler_unit
from app.cosem.values import Simple, Value
from app.zone import TABLE_ROW, TABLE_YEARS

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from app.axdr import Reader, Writer
    from app.battery import Battery
    from app.clock import Clock
    from app.cosem.base import Session
    from app.cosem.objects import Objects
    from app.parameters import ParameterLock

    # number, scaler, unit, what resets it
    Cell = tuple[Simple, int, int, Callable[[], None]]

_SECOND = const(7)  # units
_CELSIUS = const(9)
_VOLT = const(35)


class Cells(InterfaceClass):
    """Register, version 0, whose value may be set and reset; the key is a Cell."""

    CLASS_ID = 3
    VERSION = 0
    ATTRIBUTES = (
        (axdr.OCTET_STRING, READ),  # 1 logical_name
        (CHOICE, READ_WRITE),  # 2 value
        (axdr.STRUCTURE, READ),  # 3 scaler_unit
    )
    METHODS = (
        EXECUTE,  # 1 reset
    )

    def get(self, writer: "Writer", key: "Cell", index: int, session: "Session") -> None:
        """Encode an attribute."""
        if index == 2:
            key[0].read(writer)
        else:
            scaler_unit(writer, key[1], key[2])

    def put(self, reader: "Reader", key: "Cell", index: int, session: "Session") -> None:
        """Set the value."""
        key[0].write(reader)

    def act(self, reader: "Reader", key: "Cell", index: int, session: "Session") -> None:
        """Reset the value."""
        reader.number(axdr.INT8)
        key[3]()


class DstTable(Value):
    """Fixed dates of daylight saving: an array of structures of two date-times, begin and end."""

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        table = self._clock.zone.table
        writer.array(len(table) // TABLE_ROW)
        for at in range(0, len(table), date_time.SIZE):
            if at % TABLE_ROW == 0:
                writer.structure(2)
            writer.octet_string(table[at : at + date_time.SIZE])

    def write(self, reader: "Reader") -> None:
        """Take over a new table."""
        rows = b""
        count = reader.array()
        if count > TABLE_YEARS:
            raise ValueError("8 years at most")
        for _ in range(count):
            reader.structure(2)
            for _ in range(2):
                rows += reader.octet_string(date_time.SIZE, date_time.SIZE)
        self._clock.set_dst_table(rows)


def add(objects: "Objects", clock: "Clock", battery: "Battery", lock: "ParameterLock") -> None:
    """Add the objects around the clock."""

    def field(
        tag: int,
        owner: "Any",  # noqa: ANN401 - the clock or its reserve
        name: str,
        setter: str,
        locked: bool = True,
    ) -> "tuple[Simple, Callable[[], None]]":
        """Return `owner.name` as a number, and what sets it to its default."""

        def get() -> int:
            value = getattr(owner, name)
            return value() if callable(value) else value  # pyright: ignore[reportReturnType]

        def put(*value: int) -> None:
            if locked:
                lock.require()
            getattr(owner, setter)(*value)

        return Simple(tag, get, put if setter else None), put

    data = Data()
    cells = Cells()
    for obis, tag, owner, name, setter, scaler, unit in (
        ((1, 0, 0, 9, 11), axdr.UINT16, clock, "shift_limit_s", "set_shift_limit", 0, _SECOND),
        ((0, 0, 96, 6, 0), axdr.UINT32, battery, "use_s", "set_use_s", 0, _SECOND),
        ((0, 0, 96, 6, 3), axdr.UINT16, battery, "voltage_mv", "", -3, _VOLT),
        ((0, 0, 96, 9, 0), axdr.INT16, clock, "temperature_cdeg", "", -2, _CELSIUS),
        ((0, 0, 96, 6, 6), axdr.UINT32, battery, "remaining_s", "set_remaining_s", 0, _SECOND),
    ):
        number, reset = field(tag, owner, name, setter, owner is battery)
        group = access.SETTINGS if setter else access.READINGS  # which nobody may reset
        objects.add(obis, cells, (number, scaler, unit, reset), group)
    for e, tag, owner, name in (
        (1, axdr.ENUM, clock, "test_mode"),
        (2, axdr.INT8, clock, "trim_ppm"),
        (10, axdr.ENUM, battery, "kind"),
        (11, axdr.UINT16, battery, "threshold_mv"),
    ):
        number, _ = field(tag, owner, name, "set_" + name)
        objects.add((0, 0, 128, 30, e), data, number, access.SETTINGS)
    objects.add((0, 0, 128, 30, 20), data, DstTable(clock), access.SETTINGS)
