"""The time that protocol code gets as an argument: milliseconds, modulo 2**30."""

import time

from micropython import const

_TICKS_MASK = const(0x3FFFFFFF)
_START_MS = time.ticks_ms()


def now_ms() -> int:
    """Return milliseconds since start; differences hold modulo 2**30 (12 days)."""
    return time.ticks_diff(time.ticks_ms(), _START_MS) & _TICKS_MASK
