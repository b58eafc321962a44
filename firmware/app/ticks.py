"""The time that protocol and display code gets as an argument: milliseconds, modulo 2**30."""

import time

from micropython import const

_TICKS_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_START_MS = time.ticks_ms()


def now_ms() -> int:
    """Return milliseconds since start; differences hold modulo 2**30 (12 days)."""
    return time.ticks_diff(time.ticks_ms(), _START_MS) & _TICKS_MASK


def until_ms(due_ms: int, now: int) -> int:
    """Return how long it is from `now` to `due_ms`; zero or negative once it is due."""
    return ((due_ms - now + _HALF) & _TICKS_MASK) - _HALF
