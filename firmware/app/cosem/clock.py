"""Interface class 8, Clock, over the meter's clock (rows CLK-01 to CLK-06, CLK-19).

The key of the one instance is not used. The rules of local time are kept by app.zone; here they
are only packed and unpacked.
"""

from micropython import const

from app.attributes import OTHER_REASON
from app.axdr import BOOLEAN, ENUM, INT8, INT16, OCTET_STRING, UINT8
from app.cosem import date_time
from app.cosem.base import EXECUTE, READ, READ_WRITE, InterfaceClass
from app.errors import AccessRefused

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import app.clock
    from app.axdr import Reader, Writer
    from app.cosem.base import Key, Session

_QUARTER_S = const(900)
_MINUTE_S = const(60)
_LARGEST_SHIFT_S = const(900)
# Attributes 3 to 8 as app.zone names them; begin and end are patterns of a date-time
_RULES = (
    "time_zone_min", "", "dst_begin", "dst_end", "dst_deviation_min", "dst_enabled"
)  # fmt: skip
_PATTERNS = (5, 6)
_INTERNAL_CRYSTAL = const(1)  # clock_base


class Clock(InterfaceClass):
    """Clock, version 0."""

    CLASS_ID = 8
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (OCTET_STRING, READ_WRITE),  # 2 time
        (INT16, READ_WRITE),  # 3 time_zone
        (UINT8, READ),  # 4 status
        (OCTET_STRING, READ_WRITE),  # 5 daylight_savings_begin
        (OCTET_STRING, READ_WRITE),  # 6 daylight_savings_end
        (INT8, READ_WRITE),  # 7 daylight_savings_deviation
        (BOOLEAN, READ_WRITE),  # 8 daylight_savings_enabled
        (ENUM, READ),  # 9 clock_base
    )
    METHODS = (
        EXECUTE,  # 1 adjust_to_quarter
        EXECUTE,  # 2 adjust_to_measuring_period
        EXECUTE,  # 3 adjust_to_minute
        EXECUTE,  # 4 adjust_to_preset_time
        EXECUTE,  # 5 preset_adjusting_time
        EXECUTE,  # 6 shift_time
    )

    def __init__(self, clock: "app.clock.Clock", measuring_period_s: "Callable[[], int]") -> None:
        self._clock = clock
        self._measuring_period_s = measuring_period_s
        self._octets = bytearray(date_time.SIZE)
        # Preset time, begin and end of its validity, in UTC; None: no time is preset
        self._preset_utc_s: tuple[int, int, int] | None = None

    def get(self, writer: "Writer", key: "Key", index: int, session: "Session") -> None:
        """Encode an attribute."""
        clock = self._clock
        if index == 2:
            date_time.pack_into(self._octets, 0, clock)
            writer.octet_string(self._octets)
        elif index == 4:
            writer.uint8(clock.status())
        elif index == 9:
            writer.enum(_INTERNAL_CRYSTAL)
        else:
            value: Any = getattr(clock.zone, _RULES[index - 3])
            if index in _PATTERNS:
                writer.octet_string(value)
            elif index == 8:
                writer.boolean(value)
            else:
                writer.number(INT16 if index == 3 else INT8, value)

    def put(self, reader: "Reader", key: "Key", index: int, session: "Session") -> None:
        """Set an attribute."""
        clock = self._clock
        if index == 2:
            octets = reader.octet_string(date_time.SIZE, date_time.SIZE)
            clock.set_utc_s(date_time.utc_s(octets, clock), date_time.hundredths(octets))
            return
        if index in _PATTERNS:
            value = reader.octet_string(date_time.SIZE, date_time.SIZE)
        elif index == 8:
            value = reader.boolean()
        else:
            value = reader.number(INT16 if index == 3 else INT8)
        clock.configure(**{_RULES[index - 3]: value})

    def act(self, reader: "Reader", key: "Key", index: int, session: "Session") -> None:
        """Invoke a method."""
        if index == 5:
            reader.structure(3)
            preset_s = self._time(reader)
            begin_s = self._time(reader)
            end_s = self._time(reader)
            if end_s < begin_s:
                raise ValueError("ends before it begins")
            self._preset_utc_s = (preset_s, begin_s, end_s)
            return
        if index == 6:
            shift_s = reader.number(INT16)
            if not -_LARGEST_SHIFT_S <= shift_s <= _LARGEST_SHIFT_S:
                raise ValueError("a shift is at most 900 seconds")
            self._clock.shift(shift_s)
            return
        reader.number(INT8)  # these methods carry an integer that means nothing
        if index == 1:
            self._adjust_to(_QUARTER_S)
        elif index == 2:
            self._adjust_to(self._measuring_period_s())
        elif index == 3:
            self._adjust_to(_MINUTE_S)
        else:
            self._adjust_to_preset_time()

    def _time(self, reader: "Reader") -> int:
        return date_time.utc_s(reader.octet_string(date_time.SIZE, date_time.SIZE), self._clock)

    def _adjust_to(self, period_s: int) -> None:
        """Set the time to the nearest multiple of `period_s` in local time, the middle upwards."""
        clock = self._clock
        past_s = clock.zone.local_s(clock.utc_s()) % period_s
        clock.shift(-past_s if 2 * past_s < period_s else period_s - past_s, True)

    def _adjust_to_preset_time(self) -> None:
        if self._preset_utc_s is None:
            raise AccessRefused(OTHER_REASON)
        preset_s, begin_s, end_s = self._preset_utc_s
        if not begin_s <= self._clock.utc_s() <= end_s:
            raise AccessRefused(OTHER_REASON)
        self._preset_utc_s = None
        self._clock.set_utc_s(preset_s)
