"""Interface class 5, Demand register: a current and a last average with their times.

The key of an instance is an index into a file of registers. Rows DEM-01, DEM-02, MET-16, MET-21.
"""

from micropython import const

from app.axdr import INT8, OCTET_STRING, STRUCTURE, UINT8, UINT16, UINT32
from app.cosem.base import CHOICE, EXECUTE, READ, READ_WRITE
from app.cosem.date_time import moment
from app.cosem.extended_register import ExtendedRegister

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.axdr import Reader, Writer
    from app.clock import Clock
    from app.cosem import extended_register
    from app.cosem.base import Session

    class File(extended_register.File, Protocol):
        """Demands by index; `value` is the last average."""

        def current(self, index: int) -> int: ...  # noqa: D102
        def start_utc_s(self, index: int) -> int: ...  # noqa: D102
        def period_s(self, index: int) -> int: ...  # noqa: D102
        def periods(self, index: int) -> int: ...  # noqa: D102
        def set_period_s(self, index: int, period_s: int) -> None: ...  # noqa: D102
        def set_periods(self, index: int, periods: int) -> None: ...  # noqa: D102
        def reset(self, index: int) -> None: ...  # noqa: D102
        def next_period(self, index: int) -> None: ...  # noqa: D102


class DemandRegister(ExtendedRegister):
    """Demand register, version 0."""

    CLASS_ID = 5
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (CHOICE, READ),  # 2 current_average_value
        (CHOICE, READ),  # 3 last_average_value
        (STRUCTURE, READ),  # 4 scaler_unit
        (UINT8, READ),  # 5 status
        (OCTET_STRING, READ),  # 6 capture_time
        (OCTET_STRING, READ),  # 7 start_time_current
        (UINT32, READ_WRITE),  # 8 period
        (UINT16, READ_WRITE),  # 9 number_of_periods
    )
    METHODS = (
        EXECUTE,  # 1 reset
        EXECUTE,  # 2 next_period
    )

    def __init__(self, file: "File", clock: "Clock") -> None:
        super().__init__(file, clock)
        self.file = file

    def get(self, writer: "Writer", key: int, index: int, session: "Session") -> None:
        """Encode an attribute."""
        file = self.file
        if index == 2:
            writer.number(file.form(key)[2], file.current(key))
        elif index < 7:
            # an extended register's attributes stand one place further
            super().get(writer, key, index - 1, session)
        elif index == 7:
            writer.octet_string(moment(self._clock, file.start_utc_s(key)))
        elif index == 8:
            writer.uint32(file.period_s(key))
        else:
            writer.uint16(file.periods(key))

    def put(self, reader: "Reader", key: int, index: int, session: "Session") -> None:
        """Set the period or the number of periods, which others may share."""
        if index == 8:
            self.file.set_period_s(key, reader.number(UINT32))
        else:
            self.file.set_periods(key, reader.number(UINT16))

    def act(self, reader: "Reader", key: int, index: int, session: "Session") -> None:
        """Set both averages to zero, or end the running period."""
        reader.number(INT8)
        if index == 1:
            self.file.reset(key)
        else:
            self.file.next_period(key)
