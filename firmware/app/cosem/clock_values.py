"""Values around the clock as objects: limits, chip, fixed dates, reserve.

app.clock, app.zone and app.battery check and keep what is written. What belongs to production is
refused while the parameter switch is closed. Rows CLK-06, CLK-09 to CLK-15, MET-28, PRD-09.
"""

import struct

from micropython import const

from app import axdr
from app.cosem import access, date_time
from app.cosem.base import CHOICE, EXECUTE, READ, READ_WRITE, InterfaceClass
from app.cosem.data import Data
from app.cosem.values import Number, Value
from app.zone import TABLE_ROW, TABLE_YEARS

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from app.axdr import Reader, Writer
    from app.battery import Battery
    from app.clock import Clock
    from app.cosem.base import Session
    from app.cosem.catalogue import Catalogue
    from app.parameters import ParameterLock

    # type, scaler, unit, reading, setting or None, reset or None
    Cell = tuple[
        int,
        int,
        int,
        Callable[[], int],
        Callable[[int], None] | None,
        Callable[[], None] | None,
    ]

_UNIT_SECOND = const(7)
_UNIT_VOLT = const(35)
_MILLI = const(-3)


class Cells(InterfaceClass):
    """Register, version 0, whose value may be set and reset; the key is a Cell."""

    CLASS_ID = 3
    VERSION = 0
    ATTRIBUTES = (
        (1, "logical_name", axdr.OCTET_STRING, READ),
        (2, "value", CHOICE, READ_WRITE),
        (3, "scaler_unit", axdr.STRUCTURE, READ),
    )
    METHODS = ((1, "reset", EXECUTE),)

    def get(self, writer: "Writer", key: "Cell", index: int, session: "Session") -> None:
        """Encode an attribute."""
        if index == 2:
            writer.number(key[0], key[3]())
        else:
            writer.structure(2)
            writer.int8(key[1])
            writer.enum(key[2])

    def put(self, reader: "Reader", key: "Cell", index: int, session: "Session") -> None:
        """Set the value."""
        if key[4] is None:
            super().put(reader, key, index, session)
        else:
            key[4](reader.number(key[0]))

    def act(self, reader: "Reader", key: "Cell", index: int, session: "Session") -> None:
        """Reset the value."""
        reader.number(axdr.INT8)
        if key[5] is None:
            super().act(reader, key, index, session)
        else:
            key[5]()


class DstTable(Value):
    """Fixed dates of daylight saving: an array of structures of two date-times, begin and end."""

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        table = self._clock.zone.table
        size = struct.calcsize(TABLE_ROW)
        writer.array(len(table) // size)
        for offset in range(0, len(table), size):
            year, *begin_end = struct.unpack_from(TABLE_ROW, table, offset)
            writer.structure(2)
            for at in (0, 4):
                month, day, hour, minute = begin_end[at : at + 4]
                octets = struct.pack(
                    date_time.FORM, year, month, day, 255, hour, minute, 0, 0, -0x8000, 0
                )
                writer.octet_string(octets)

    def write(self, reader: "Reader") -> None:
        """Take over a new table: whole minutes, begin and end in one year."""
        rows = bytearray()
        count = reader.array()
        if count > TABLE_YEARS:
            raise ValueError("20 years at most")
        for _ in range(count):
            reader.structure(2)
            for first in (True, False):
                octets = reader.octet_string(date_time.SIZE, date_time.SIZE)
                if first:
                    rows += octets[:2]
                elif octets[:2] != bytes(rows[-6:-4]):
                    raise ValueError("begin and end of one year stand together")
                rows += octets[2:4] + octets[5:7]
        self._clock.set_dst_table(bytes(rows))


def add(catalogue: "Catalogue", clock: "Clock", battery: "Battery", lock: "ParameterLock") -> None:
    """Add the objects around the clock."""

    def unlocked(setter: "Callable[[int], None]") -> "Callable[[int], None]":
        def put(value: int) -> None:
            lock.require()
            setter(value)

        return put

    data = Data()
    cells = Cells()
    seconds = (axdr.UINT32, 0, _UNIT_SECOND)
    limit = (axdr.UINT16, 0, _UNIT_SECOND, lambda: clock.shift_limit_s, clock.set_shift_limit)
    catalogue.add((1, 0, 0, 9, 11), cells, limit + (None,), access.SETTINGS)
    for e, tag, get, put in (
        (1, axdr.ENUM, lambda: clock.test_mode, unlocked(clock.set_test_mode)),
        (2, axdr.INT8, lambda: clock.trim_ppm, unlocked(clock.set_trim)),
        (10, axdr.ENUM, lambda: battery.kind, battery.set_kind),
        (11, axdr.UINT16, lambda: battery.threshold_mv, battery.set_threshold_mv),
    ):
        catalogue.add((0, 0, 128, 30, e), data, Number(tag, get, put), access.SETTINGS)
    catalogue.add((0, 0, 128, 30, 20), data, DstTable(clock), access.SETTINGS)
    for e, key in (
        (0, seconds + (battery.use_s, battery.set_use_s, lambda: battery.set_use_s(0))),
        (6, seconds + (battery.remaining_s, battery.set_remaining_s, battery.reset_remaining)),
    ):
        catalogue.add((0, 0, 96, 6, e), cells, key, access.SETTINGS)
    voltage = (axdr.UINT16, _MILLI, _UNIT_VOLT, battery.voltage_mv, None, None)
    catalogue.add((0, 0, 96, 6, 3), cells, voltage, access.READINGS)
