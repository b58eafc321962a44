"""What each event means to this meter: the one table of logs and alarms (row EVT-03).

Table 8.2 says which logs keep an event, table 9.1 which alarm it raises. A code is logged without
its upper byte: that only tells causes of one event apart (app.event_codes).
"""

from micropython import const

from app import event_codes as codes

# Places of the logs in LOGS, and the same as bits of the table
STANDARD = const(0)
FRAUD = const(1)
SECURITY = const(2)
_S = const(1)
_F = const(2)
_Y = const(4)

# Ring, E of the log 0-0:99.98.E and of its event code object 0-0:96.11.E
LOGS = (("standard_log", 0), ("fraud_log", 1), ("security_log", 9))

NO_ALARM = const(-1)
_FRAUD_ALARM = const(13)
_ALARM_2 = const(32)

# code, logs, alarm: 32 * register + bit
EVENTS = (
    (codes.POWER_DOWN, _S, _ALARM_2 + 0),
    (codes.POWER_UP, _S, _ALARM_2 + 1),
    (codes.DAYLIGHT_SAVING_CHANGED, _S, NO_ALARM),
    (codes.CLOCK_ADJUSTED_OLD, _S, NO_ALARM),
    (codes.CLOCK_ADJUSTED_NEW, _S, NO_ALARM),
    (codes.CLOCK_INVALID, _S, 0),
    (codes.REPLACE_BATTERY, _S, 1),
    (codes.BATTERY_LOW, _S, 1),
    (codes.CALENDAR_ACTIVATED, _S, NO_ALARM),
    (codes.ERRORS_CLEARED, _S, NO_ALARM),
    (codes.PROGRAM_MEMORY_ERROR, _S, 8),
    (codes.RAM_ERROR, _S, 9),
    (codes.MEMORY_ERROR, _S, 10),
    (codes.WATCHDOG_RESET, _S, 12),
    (codes.MEASUREMENT_ERROR, _S, 11),
    (codes.CALENDAR_CHANGED, _S, NO_ALARM),
    (codes.TERMINAL_COVER_REMOVED, _F, _FRAUD_ALARM),
    (codes.TERMINAL_COVER_CLOSED, _F, NO_ALARM),
    (codes.STRONG_FIELD, _F, _FRAUD_ALARM),
    (codes.STRONG_FIELD_GONE, _F, NO_ALARM),
    (codes.METER_COVER_REMOVED, _F, _FRAUD_ALARM),
    (codes.METER_COVER_CLOSED, _F, NO_ALARM),
    (codes.LOGIN_LOCKED, _F, _FRAUD_ALARM),
    (codes.PARAMETERS_CHANGED, _S, NO_ALARM),
    (codes.KEYS_CHANGED, _S | _Y, _ALARM_2 + 13),
    (codes.DECIPHERING_FAILED, _F | _Y, _FRAUD_ALARM),
    (codes.REPLAYED, _F | _Y, _FRAUD_ALARM),
    (codes.PHASE_SEQUENCE_REVERSED, _S, _ALARM_2 + 11),
    (codes.TARIFF_INTERNAL, _S, NO_ALARM),
    (codes.TARIFF_EXTERNAL, _S, NO_ALARM),
    (codes.OVERHEATED, _S, NO_ALARM),
    (codes.BILLING_REMOTE, _S, NO_ALARM),
    (codes.BILLING_MANUAL, _S, NO_ALARM),
    (codes.BILLING_REGULAR, _S, NO_ALARM),
    (codes.FATAL_ERROR, _S, NO_ALARM),
    (codes.BILLING_RESET, _S, NO_ALARM),
    (codes.LOGGED_IN, _Y, NO_ALARM),
    (codes.PROFILE_CLEARED, _S, NO_ALARM),
)


def logs_of(code: int) -> int:
    """Return the logs that keep an event, as a sum of bits 1 << place in LOGS."""
    for number, logs, _ in EVENTS:
        if number == code & 0xFF:
            return logs
    return _S
