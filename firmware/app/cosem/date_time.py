"""COSEM date-time, date and time octets to and from the meter's clock (Blue Book 4.1.6.1).

A date-time has 12 octets: year (2), month, day, weekday, hour, minute, second, hundredths,
deviation in minutes from local time to UTC (2, signed), clock status. FF, FFFF and 8000 mean "not
specified". Row CLK-02.
"""

import struct

from micropython import const

import civil
from app.clock import DST_ACTIVE

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.clock import Clock
    from hal import Buffer

SIZE = const(12)

FORM = ">HBBBBBBBhB"
_DEVIATION_NOT_SPECIFIED = const(-0x8000)
_NOT_SPECIFIED = const(0xFF)
_HUNDREDTHS = const(8)  # place of that octet
_NEVER = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80\x00\xff"  # nothing specified


def pack_into(buffer: "bytearray | memoryview", offset: int, clock: "Clock") -> None:
    """Write the clock's present local time as 12 octets."""
    year, month, day, weekday, hour, minute, second, deviation_min, status = clock.local()
    struct.pack_into(
        FORM,
        buffer,
        offset,
        year,
        month,
        day,
        weekday,
        hour,
        minute,
        second,
        clock.hundredths(),
        deviation_min,
        status,
    )


def utc_s(octets: "Buffer", clock: "Clock") -> int:
    """Return UTC in seconds since 2000 that a full date-time means.

    Weekday and hundredths are not needed: any that can be is taken. Seconds left open count as 0.
    Without a deviation the time is local by the clock's own rules, and in the hour that daylight
    saving repeats the status octet decides. Raises ValueError if date, hour or minute are left
    open or are none.
    """
    year, month, day, weekday, hour, minute, second, hundredths, deviation_min, status = (
        struct.unpack(FORM, octets)
    )
    if not 1 <= weekday <= 7 and weekday != _NOT_SPECIFIED:
        raise ValueError("weekday: 1 to 7")
    if hundredths > 99 and hundredths != _NOT_SPECIFIED:
        raise ValueError("hundredths: 0 to 99")
    if second == _NOT_SPECIFIED:
        second = 0
    local_s = civil.utc_s(year, month, day, hour, minute, second)
    if deviation_min != _DEVIATION_NOT_SPECIFIED:
        if not -720 <= deviation_min <= 840:
            raise ValueError("deviation: -720 to 840 min")
        utc = local_s + deviation_min * 60
    else:
        saving = status != _NOT_SPECIFIED and status & DST_ACTIVE != 0
        utc = clock.zone.utc_s(local_s, saving)
    civil.parts(utc)  # the edge of the calendar in another zone
    return utc


def hundredths(octets: "Buffer") -> int:
    """Return the hundredths of a date-time that `utc_s` has taken, 0 if they are left open."""
    return octets[_HUNDREDTHS] % _NOT_SPECIFIED


def moment(clock: "Clock", utc_s: int) -> bytes:
    """Return a date-time of 12 octets; all of it is not specified for never, which is 0."""
    if not utc_s:
        return _NEVER
    year, month, day, weekday, hour, minute, second, deviation_min, status = clock.local_at(utc_s)
    return struct.pack(
        FORM, year, month, day, weekday, hour, minute, second, 0, deviation_min, status
    )
