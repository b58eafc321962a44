"""Local time: the zone and its daylight saving, by rule or by a table of fixed dates.

Class 8 of the Blue Book: time zone and deviation are minutes from local time to UTC, west
positive; begin and end of daylight saving are date-times with wildcards, begin told in normal
time, end in daylight saving time. A year that stands in the table goes by the table, every other
one by the rule. Rows CLK-03 to CLK-06.
"""

import struct

from micropython import const

import civil

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.settings import Settings
    from hal import Buffer

NOT_SPECIFIED = const(0xFF)
_SECOND_LAST_DAY = const(0xFD)
_LAST_DAY = const(0xFE)
_NO_LEAP_YEAR = const(2027)
_LAST_S = civil.utc_s(2099, 12, 31, 23, 59, 59)

_PACKED = "<hbB12s12s"  # time zone, DST deviation, DST enabled, DST begin, DST end
# Directive 2000/84/EC in the local time of its first zone: last Sundays of March and October
_EU_BEGIN = b"\xff\xff\x03\xfe\x07\x02\x00\x00\x00\x80\x00\x00"
_EU_END = b"\xff\xff\x0a\xfe\x07\x03\x00\x00\x00\x80\x00\x80"
_PATTERN = const(12)  # octets of a date-time
TABLE_ROW = const(24)  # of begin and end
TABLE_YEARS = const(8)


def switch_local_s(pattern: "Buffer", year: int) -> int:
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
        raise ValueError("month: 1 to 12")
    last = civil.days_in_month(year, month)
    backwards = day in (_LAST_DAY, _SECOND_LAST_DAY)
    if day == NOT_SPECIFIED:
        day = 1
    elif backwards:
        day = last - (_LAST_DAY - day)
    days = civil.days_from_date(year, month, day)
    if weekday != NOT_SPECIFIED:
        if not 1 <= weekday <= 7:
            raise ValueError("weekday: 1 to 7")
        distance = weekday - civil.weekday(days)
        days += distance % 7 if not backwards else -(-distance % 7)
    time_of_day_s = 0
    for value, limit, unit_s in ((hour, 23, 3600), (minute, 59, 60), (second, 59, 1)):
        if value != NOT_SPECIFIED:
            if value > limit:
                raise ValueError("not a time of day")
            time_of_day_s += value * unit_s
    return days * civil.DAY_S + time_of_day_s


class Zone:
    """The rules of local time; `configure` and `set_table` change them for good."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self.time_zone_min = 0
        self.dst_deviation_min = 60
        self.dst_enabled = True
        self.dst_begin = _EU_BEGIN
        self.dst_end = _EU_END
        self.table = settings.get("dst_table")  # begin and end of each year
        self._year = 0  # that the two cached switches belong to
        self._begin_utc_s = 0
        self._end_utc_s = 0
        packed = settings.get("clock")
        if len(packed) == struct.calcsize(_PACKED):
            self._take(struct.unpack(_PACKED, packed))
        # What an older firmware took must not stop the clock of this one.
        if len(self.table) % TABLE_ROW:
            self.table = b""
        try:
            self._check_rule(self.dst_begin, self.dst_end)
        except ValueError:
            self.dst_begin = _EU_BEGIN
            self.dst_end = _EU_END

    def dst_active(self, utc_s: int) -> bool:
        """Tell whether daylight saving is in force at `utc_s`; also south of the equator."""
        if not self.dst_enabled:
            return False
        year = civil.parts(_inside(utc_s - self.time_zone_min * 60))[0]
        if year != self._year:
            self._find_switches(year)
        begin_s, end_s = self._begin_utc_s, self._end_utc_s
        if begin_s <= end_s:
            return begin_s <= utc_s < end_s
        return not end_s <= utc_s < begin_s

    def deviation_min(self, utc_s: int) -> int:
        """Return minutes from local time to UTC at `utc_s`, daylight saving included."""
        return self.time_zone_min - (self.dst_deviation_min if self.dst_active(utc_s) else 0)

    def local_s(self, utc_s: int) -> int:
        """Return local time as seconds since 2000-01-01T00:00:00 on the wall."""
        return _inside(utc_s - self.deviation_min(utc_s) * 60)

    def utc_s(self, local_s: int, saving: bool) -> int:
        """Return UTC of a local time; `saving` decides in the hour that comes twice.

        A time that the switch leaves out counts as normal time.
        """
        normal_s = local_s + self.time_zone_min * 60
        saving_s = normal_s - self.dst_deviation_min * 60
        if saving_s < 0 or not self.dst_active(saving_s):
            return normal_s
        return saving_s if saving or self.dst_active(normal_s) else normal_s

    def next_boundary(self, utc_s: int, period_s: int) -> int:
        """Return the first moment after `utc_s` at which local time is a multiple of `period_s`.

        `period_s` divides a day. A day has 23 or 25 hours when daylight saving begins or ends; a
        boundary that the switch leaves out is the switch itself, one that comes twice counts once.
        """
        due_s = utc_s + period_s - self.local_s(utc_s) % period_s
        if self.local_s(due_s) % period_s == 0:
            return due_s
        # Local time is moved on the way there: does the boundary come after that?
        after_min = self.deviation_min(due_s)
        other_s = due_s + (after_min - self.deviation_min(utc_s)) * 60
        if self.deviation_min(other_s) == after_min:
            return other_s
        begin_s = self._begin_utc_s
        return begin_s if utc_s < begin_s <= due_s else self._end_utc_s

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
        or a switch that names no day in some year; nothing is changed then.
        """
        zone = self.time_zone_min if time_zone_min is None else time_zone_min
        deviation = self.dst_deviation_min if dst_deviation_min is None else dst_deviation_min
        enabled = self.dst_enabled if dst_enabled is None else dst_enabled
        begin = self.dst_begin if dst_begin is None else bytes(dst_begin)
        end = self.dst_end if dst_end is None else bytes(dst_end)
        if not -720 <= zone <= 720:
            raise ValueError("time zone: -720 to 720 min")
        if not -120 <= deviation <= 120:
            raise ValueError("deviation: -120 to 120 min")
        self._check_rule(begin, end)
        values = (zone, deviation, enabled, begin, end)
        self._settings.put("clock", struct.pack(_PACKED, *values))
        self._take(values)

    def set_table(self, rows: bytes) -> None:
        """Replace the dates of single years: begin and end of each, none: the rule alone.

        Raises ValueError for what is no date, leaves the year open, or stands twice.
        """
        years: list[int] = []
        for at in range(0, len(rows), _PATTERN):
            year = struct.unpack_from(">H", rows, at)[0]
            switch_local_s(rows[at : at + _PATTERN], 0)
            if at % TABLE_ROW == 0:
                if year in years or len(years) == TABLE_YEARS:
                    raise ValueError("each year once, 8 at most")
                years.append(year)
            elif year != years[-1]:
                raise ValueError("begin and end in one year")
        self._settings.put("dst_table", rows)
        self.table = bytes(rows)
        self._year = 0

    def _check_rule(self, begin: bytes, end: bytes) -> None:
        for pattern in (begin, end):
            if len(pattern) != _PATTERN:
                raise ValueError("12 octets")
            switch_local_s(pattern, _NO_LEAP_YEAR)

    def _take(self, values: "tuple[int, int, int, bytes, bytes]") -> None:
        self.time_zone_min, self.dst_deviation_min, enabled, self.dst_begin, self.dst_end = values
        self.dst_enabled = bool(enabled)
        self._year = 0

    def _find_switches(self, year: int) -> None:
        begin, end = self.dst_begin, self.dst_end
        for at in range(0, len(self.table), TABLE_ROW):
            if struct.unpack_from(">H", self.table, at)[0] == year:
                begin = self.table[at : at + _PATTERN]
                end = self.table[at + _PATTERN : at + TABLE_ROW]
        zone_s = self.time_zone_min * 60
        self._begin_utc_s = switch_local_s(begin, year) + zone_s
        self._end_utc_s = switch_local_s(end, year) + zone_s - self.dst_deviation_min * 60
        self._year = year


def _inside(local_s: int) -> int:
    """Return the time, held within the calendar's hundred years."""
    return max(0, min(local_s, _LAST_S))
