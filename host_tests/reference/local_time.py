"""Local time by another way: the host's zoneinfo, fed with POSIX rules made here.

A rule is (month, week 1 to 5, weekday 1 to 7, hour, minute); week 5 is the last. Python reads it
as RFC 9636 tells from a TZif file whose only content is its footer, so nothing of the firmware's
arithmetic is repeated.
"""

import io
import struct
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)
_HEADER = ">4sc15x6I"


def zone(zone_min, deviation_min=0, begin=None, end=None):
    """Return a tzinfo; minutes are west positive as class 8 has them, rules None: no summer."""
    text = "<N>" + _offset(zone_min)
    if begin:
        text += "<S>" + _offset(zone_min - deviation_min) + "," + _rule(begin) + "," + _rule(end)
    block = struct.pack(_HEADER, b"TZif", b"2", 0, 0, 0, 0, 1, 2) + struct.pack(">lBB", 0, 0, 0)
    data = 2 * (block + b"N\0") + b"\n" + text.encode() + b"\n"
    return ZoneInfo.from_file(io.BytesIO(data), key="rule")


def local(utc_s, there):
    """Return the aware local time of a count of seconds since 2000."""
    return (EPOCH + timedelta(seconds=utc_s)).astimezone(there)


def pattern(rule):
    """Return a rule as class 8 writes it: 12 octets with wildcards."""
    month, week, weekday, hour, minute = rule
    day = 0xFE if week == 5 else 7 * week - 6
    return struct.pack(">HBBBBBBBhB", 0xFFFF, month, day, weekday, hour, minute, 0, 0, -0x8000, 0)


def utc_s(moment):
    """Return seconds since 2000 of an aware datetime."""
    return int((moment - EPOCH).total_seconds())


def _offset(minutes):
    sign = "-" if minutes < 0 else ""
    return f"{sign}{abs(minutes) // 60}:{abs(minutes) % 60:02}"


def _rule(rule):
    month, week, weekday, hour, minute = rule
    return f"M{month}.{week}.{weekday % 7}/{hour}:{minute:02}"
