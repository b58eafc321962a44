"""Takes the place of MicroPython's module `time` on the simulated board: virtual time.

The ticks wrap as on the boards' 32-bit ports. The clock counts from 2000-01-01T00:00:00 as theirs
does, starts at 2021-01-01 when the processor gets power, and is set by machine.RTC.
`install` must run before anything imports `time` or `asyncio` for the meter.
"""

import sys
import time as host_time

import timeline
from micropython import const

_TICKS_MASK = const(0x3FFFFFFF)
_TICKS_HALF = const(0x20000000)
_POWER_ON_S = const(662_774_400)  # 2021-01-01T00:00:00
_DAYS_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)

# Microseconds of the processor's clock since 2000 when virtual time was zero.
_clock_offset_us = _POWER_ON_S * 1_000_000


def ticks_ms() -> int:
    """Return a millisecond count that wraps at 2**30."""
    timeline.stall()
    return (timeline.processor_us() // 1000) & _TICKS_MASK


def ticks_us() -> int:
    """Return a microsecond count that wraps at 2**30."""
    timeline.stall()
    return timeline.processor_us() & _TICKS_MASK


def ticks_cpu() -> int:
    """Return a count of the highest resolution there is, here microseconds."""
    return ticks_us()


def ticks_add(ticks: int, delta: int) -> int:
    """Return `ticks` moved by `delta`. Raises OverflowError if that is half the period or more."""
    if not -_TICKS_HALF < delta < _TICKS_HALF:
        raise OverflowError("ticks interval overflow")
    return (ticks + delta) & _TICKS_MASK


def ticks_diff(end: int, start: int) -> int:
    """Return the signed distance from `start` to `end`."""
    return ((end - start + _TICKS_HALF) & _TICKS_MASK) - _TICKS_HALF


def sleep_us(us: int) -> None:
    """Let virtual time pass; hardware goes on, tasks do not."""
    if us > 0:
        timeline.pass_us(us)


def sleep_ms(ms: int) -> None:
    """Let virtual time pass; hardware goes on, tasks do not."""
    if ms > 0:
        timeline.pass_us(ms * 1000)


def sleep(seconds: float) -> None:
    """Let virtual time pass; hardware goes on, tasks do not."""
    if seconds < 0:
        raise ValueError("sleep must be non-negative")
    timeline.pass_us(int(seconds * 1_000_000))


def time_ns() -> int:
    """Return nanoseconds of the processor's clock since 2000-01-01."""
    timeline.stall()
    return (timeline.now_us + _clock_offset_us) * 1000


def time() -> int:
    """Return seconds of the processor's clock since 2000-01-01."""
    timeline.stall()
    return (timeline.now_us + _clock_offset_us) // 1_000_000


def set_clock(seconds: int) -> None:
    """Set the processor's clock: machine.RTC."""
    global _clock_offset_us
    _clock_offset_us = seconds * 1_000_000 - timeline.now_us


def power_on() -> None:
    """Let the processor's clock start where it does without a battery."""
    set_clock(_POWER_ON_S)


def _leap_year(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_before_year(year: int) -> int:
    past = year - 1
    return past * 365 + past // 4 - past // 100 + past // 400


_EPOCH_DAY = _days_before_year(2000)


def mktime(fields: "tuple[int, ...]") -> int:
    """Return seconds since 2000-01-01 of (year, month, day, hour, minute, second, ...).

    Fields out of their range carry over, as on MicroPython.
    """
    if len(fields) < 8 or len(fields) > 9:
        raise TypeError("mktime needs a tuple of length 8 or 9")
    year, month, day, hour, minute, second = fields[:6]
    year += (month - 1) // 12
    month = (month - 1) % 12
    days = _days_before_year(year) - _EPOCH_DAY + _DAYS_BEFORE[month] + day - 1
    if month > 1 and _leap_year(year):
        days += 1
    return days * 86400 + hour * 3600 + minute * 60 + second


def gmtime(seconds: "int | None" = None) -> "tuple[int, ...]":
    """Return (year, month, day, hour, minute, second, weekday 0..6, day of the year 1..366)."""
    if seconds is None:
        seconds = time()
    days, rest = divmod(int(seconds), 86400)
    weekday = (days + 5) % 7  # 2000-01-01 was a Saturday
    year = 2000 + days // 365
    while mktime((year, 1, 1, 0, 0, 0, 0, 0)) > days * 86400:
        year -= 1
    day = days - mktime((year, 1, 1, 0, 0, 0, 0, 0)) // 86400
    month = 12
    while True:
        before = _DAYS_BEFORE[month - 1] + (1 if month > 2 and _leap_year(year) else 0)
        if before <= day:
            break
        month -= 1
    hour, rest = divmod(rest, 3600)
    minute, second = divmod(rest, 60)
    return (year, month, day - before + 1, hour, minute, second, weekday, day + 1)


localtime = gmtime


def install() -> None:
    """Let every later `import time` find this module."""
    sys.modules["time"] = sys.modules[__name__]


def __getattr__(name: str) -> object:
    # CPython's own library asks for monotonic, perf_counter and the like: those are the host's.
    if timeline.MICROPYTHON or name.startswith("__"):
        raise AttributeError(name)
    return getattr(host_time, name)
