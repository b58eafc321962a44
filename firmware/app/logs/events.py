"""What each event means to this meter: the logs that keep it, its alarm, its error bits.

The table is events.csv (rows EVT-03, ALM-09, ERR-02); the meter carries it packed. A code is
logged without its upper byte: that tells causes of one event apart, and events that share a code
in different logs (app.event_codes).
"""

import struct

from micropython import const

from app.logs.event_table import ALERTS, ERRORS, EVENTS

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Ring, E of the log 0-0:99.98.E and of its event code object 0-0:96.11.E
LOGS = (
    ("standard_log", 0),
    ("fraud_log", 1),
    ("disconnector_log", 2),
    ("mbus_log", 3),
    ("quality_log", 4),
    ("communication_log", 5),
    ("load_log", 6),
    ("firmware_log", 8),
    ("security_log", 9),
    ("prepayment_log", 10),
)
STANDARD = const(0)
FRAUD = const(1)
SECURITY = const(8)

NO_ALARM = const(0xFF)
GONE = const(0x80)  # added to an alarm: its condition has ended
FRAUD_ALARM = const(13)  # what every event of the fraud log raises (row ALM-11)
_EVENT = "<HHB"
_EVENT_SIZE = const(5)
_ERROR = "<H3I"
_ERROR_SIZE = const(14)
_ALERT = "<HH"
_ALERT_SIZE = const(4)
_UNKNOWN = (0, 1, NO_ALARM)  # an event that no table names is told in the standard log


def meaning(code: int) -> "tuple[int, int]":
    """Return logs, as a sum of bits 1 << place in LOGS, and alarm (32 * register + bit)."""
    _, logs, alarm = _find(EVENTS, _EVENT, _EVENT_SIZE, code) or _UNKNOWN
    return logs, alarm


def error_bits(code: int) -> "tuple[int, ...]":
    """Return an event's bits in the three error registers."""
    return (_find(ERRORS, _ERROR, _ERROR_SIZE, code) or (0, 0, 0, 0))[1:]


def alert_of(code: int) -> int:
    """Return the id of the alert that an event is besides, 0 for none (row EVT-13)."""
    return (_find(ALERTS, _ALERT, _ALERT_SIZE, code) or (0, 0))[1]


def all_error_bits() -> "Iterator[tuple[int, int, int, int]]":
    """Yield code and bits in the three error registers of every error."""
    for at in range(0, len(ERRORS), _ERROR_SIZE):
        yield struct.unpack_from(_ERROR, ERRORS, at)


def _find(table: bytes, form: str, size: int, code: int) -> "tuple[Any, ...] | None":
    low, high = 0, len(table) // size
    while low < high:
        middle = (low + high) // 2
        row = struct.unpack_from(form, table, middle * size)
        if row[0] == code:
            return row
        if row[0] < code:
            low = middle + 1
        else:
            high = middle
    return None
