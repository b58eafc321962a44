"""The meter's time: UTC inside, local time on every face.

The battery-backed clock chip is read at start and then disciplines the count of the processor's
ticks, so that asking for the time costs no bus access. Time zone and daylight saving follow class
8 of the Blue Book: time_zone and deviation are minutes from local time to UTC, west positive;
begin and end of daylight saving are date-times with wildcards. Rows CLK-01 to CLK-06, CLK-16,
CLK-18.
"""

import struct
import time

from micropython import const

import civil

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from app.settings import Settings
    from hal import RealTimeClock

# Clock status, Blue Book class 8 attribute 4
INVALID = const(0x01)
DOUBTFUL = const(0x02)
DST_ACTIVE = const(0x80)

NOT_SPECIFIED = const(0xFF)
_SECOND_LAST_DAY = const(0xFD)
_LAST_DAY = const(0xFE)
_NEVER_SET_UTC_S = const(31622400)  # 2001-01-01: the sign of a clock that was never set (CLK-16)

_PACKED = "<hbB12s12s"  # time zone, DST deviation, DST enabled, DST begin, DST end
# Directive 2000/84/EC in the local time of its first zone: last Sundays of March and October
_EU_BEGIN = b"\xff\xff\x03\xfe\x07\x02\x00\x00\x00\x80\x00\x00"
_EU_END = b"\xff\xff\x0a\xfe\x07\x03\x00\x00\x00\x80\x00\x80"


def switch_local_s(pattern: bytes, year: int) -> int:
    """Return the local time in seconds since 2000 that a DST pattern means in `year`.

    `pattern` is a 12-byte date-time with wildcards (Blue Book 4.1.6.1): year FFFF repeats, day FE
    and FD are the last and second last day of the month, a weekday other than FF picks that
    weekday on or before such a day and on or after any other day. Raises ValueError if it names
    no day.
    """
    fixed_year, month, day, weekday, hour, minute, second = struct.unpack_from(">HBBBBBB", pattern)
    if fixed_year != 0xFFFF:
        year = fixed_year
    if not 1 <= month <= 12:
        raise ValueError("month of a daylight saving switch must be 1 to 12")
    last = civil.days_in_month(year, month)
    backwards = day in (_LAST_DAY, _SECOND_LAST_DAY)
    if day == NOT_SPECIFIED:
        day = 1
    elif backwards:
        day = last - (_LAST_DAY - day)
    days = civil.days_from_date(year, month, day)
    if weekday != NOT_SPECIFIED:
        if not 1 <= weekday <= 7:
            raise ValueError("weekday of a daylight saving switch must be 1 to 7")
        distance = weekday - civil.weekday(days)
        days += distance % 7 if not backwards else -(-distance % 7)
    time_of_day_s = 0
    for value, limit, unit_s in ((hour, 23, 3600), (minute, 59, 60), (second, 59, 1)):
        if value != NOT_SPECIFIED:
            if value > limit:
                raise ValueError("time of a daylight saving switch is not a time of day")
            time_of_day_s += value * unit_s
    return days * civil.DAY_S + time_of_day_s


class Clock:
    """UTC and local time over a battery-backed clock chip."""

    def __init__(self, rtc: "RealTimeClock", settings: "Settings") -> None:
        self._rtc = rtc
        self._settings = settings
        self._anchor_s = _NEVER_SET_UTC_S
        self._anchor_ms = time.ticks_ms()
        self._dst_year = 0  # year that the two cached switches belong to
        self._dst_begin_utc_s = 0
        self._dst_end_utc_s = 0
        self.invalid = False  # True: the chip stood still or gave no date since it was last set
        self.rtc_failed = False  # True: the chip did not answer
        self.time_zone_min = 0
        self.dst_deviation_min = 60
        self.dst_enabled = True
        self.dst_begin = _EU_BEGIN
        self.dst_end = _EU_END
        self._restore()
        self._read_chip()

    def utc_s(self) -> int:
        """Return UTC in whole seconds since 2000-01-01T00:00:00."""
        elapsed_s = time.ticks_diff(time.ticks_ms(), self._anchor_ms) // 1000
        if elapsed_s >= 60:
            # the ticks wrap within days: the anchor must never fall that far behind
            self._anchor_s += elapsed_s
            self._anchor_ms = time.ticks_add(self._anchor_ms, elapsed_s * 1000)
            elapsed_s = 0
        return self._anchor_s + elapsed_s

    def hundredths(self) -> int:
        """Return the hundredths of the running second, 0..99."""
        self.utc_s()
        return time.ticks_diff(time.ticks_ms(), self._anchor_ms) % 1000 // 10

    def set_utc_s(self, utc_s: int) -> None:
        """Set the time, here and in the chip. Raises ValueError outside the years 2000 to 2099."""
        civil.parts(utc_s)
        try:
            self._rtc.set_utc_s(utc_s)
            self.rtc_failed = False
        except OSError:
            self.rtc_failed = True
        self._anchor_s = utc_s
        self._anchor_ms = time.ticks_ms()
        self.invalid = False

    def discipline(self) -> None:
        """Follow the chip where the processor's ticks have drifted from it by more than a second.

        The chip tells whole seconds only, so a difference of one may be no difference at all.
        """
        try:
            chip_s = self._rtc.utc_s()
        except (OSError, ValueError):
            self.rtc_failed = True
            return
        self.rtc_failed = False
        if not -1 <= chip_s - self.utc_s() <= 1:
            self._anchor_s = chip_s
            self._anchor_ms = time.ticks_ms()

    def status(self) -> int:
        """Return the clock status octet now (row CLK-03)."""
        return self.status_at(self.utc_s())

    def status_at(self, utc_s: int) -> int:
        """Return the clock status octet that belongs to `utc_s`."""
        status = DST_ACTIVE if self.dst_active(utc_s) else 0
        if self.invalid:
            status |= INVALID
        if self.rtc_failed:
            status |= DOUBTFUL
        return status

    def dst_active(self, utc_s: int) -> bool:
        """Tell whether daylight saving is in force at `utc_s`; also south of the equator."""
        if not self.dst_enabled:
            return False
        year = civil.parts(max(0, utc_s - self.time_zone_min * 60))[0]
        if year != self._dst_year:
            self._find_switches(year)
        begin_s, end_s = self._dst_begin_utc_s, self._dst_end_utc_s
        if begin_s <= end_s:
            return begin_s <= utc_s < end_s
        return not end_s <= utc_s < begin_s

    def deviation_min(self, utc_s: int) -> int:
        """Return minutes from local time to UTC at `utc_s`, daylight saving included."""
        return self.time_zone_min - (self.dst_deviation_min if self.dst_active(utc_s) else 0)

    def local(self) -> "tuple[int, int, int, int, int, int, int, int, int]":
        """Return (year, month, day, weekday, hour, minute, second, deviation_min, status) now."""
        return self.local_at(self.utc_s())

    def local_at(self, utc_s: int) -> "tuple[int, int, int, int, int, int, int, int, int]":
        """Return local time as `local` does for any UTC time."""
        deviation_min = self.deviation_min(utc_s)
        fields = civil.parts(max(0, utc_s - deviation_min * 60))
        # unpacking inside a tuple does not exist on MicroPython
        return fields + (deviation_min, self.status_at(utc_s))

    def configure(
        self,
        time_zone_min: int | None = None,
        dst_deviation_min: int | None = None,
        dst_enabled: bool | None = None,
        dst_begin: bytes | None = None,
        dst_end: bytes | None = None,
    ) -> None:
        """Change the rules of local time and keep them; what is left out stays.

        Raises ValueError for a zone beyond +-720 min, a deviation beyond +-120 min (row CLK-04)
        or a switch that names no day; nothing is changed then.
        """
        zone = self.time_zone_min if time_zone_min is None else time_zone_min
        deviation = self.dst_deviation_min if dst_deviation_min is None else dst_deviation_min
        enabled = self.dst_enabled if dst_enabled is None else dst_enabled
        begin = self.dst_begin if dst_begin is None else bytes(dst_begin)
        end = self.dst_end if dst_end is None else bytes(dst_end)
        if not -720 <= zone <= 720:
            raise ValueError("time zone must be -720 to 720 minutes")
        if not -120 <= deviation <= 120:
            raise ValueError("daylight saving deviation must be -120 to 120 minutes")
        for pattern in (begin, end):
            if len(pattern) != 12:
                raise ValueError("a date-time has 12 octets")
            switch_local_s(pattern, 2028)
        self._settings.put("clock", struct.pack(_PACKED, zone, deviation, enabled, begin, end))
        self._restore()

    def _restore(self) -> None:
        packed = self._settings.get("clock")
        if len(packed) != struct.calcsize(_PACKED):
            return
        zone, deviation, enabled, begin, end = struct.unpack(_PACKED, packed)
        self.time_zone_min = zone
        self.dst_deviation_min = deviation
        self.dst_enabled = bool(enabled)
        self.dst_begin = begin
        self.dst_end = end
        self._dst_year = 0

    def _find_switches(self, year: int) -> None:
        # begin is told in normal time, end in daylight saving time
        zone_s = self.time_zone_min * 60
        deviation_s = self.dst_deviation_min * 60
        self._dst_begin_utc_s = switch_local_s(self.dst_begin, year) + zone_s
        self._dst_end_utc_s = switch_local_s(self.dst_end, year) + zone_s - deviation_s
        self._dst_year = year

    def _read_chip(self) -> None:
        try:
            self.invalid = self._rtc.oscillator_stopped()
            chip_s = self._rtc.utc_s()
        except ValueError:
            self.invalid = True
            chip_s = _NEVER_SET_UTC_S
        except OSError:
            self.invalid = True
            self.rtc_failed = True
            chip_s = _NEVER_SET_UTC_S
        self._anchor_s = _NEVER_SET_UTC_S if self.invalid else chip_s
        self._anchor_ms = time.ticks_ms()
