"""Codes of the events that this meter can post, IDIS system (row EVT-04).

What each code means, which log keeps it and what it sets stands in app.logs.events; here are the
names that those who notice something call it by.
"""

from micropython import const

POWER_DOWN = const(1)
POWER_UP = const(2)
DAYLIGHT_SAVING_CHANGED = const(3)
CLOCK_ADJUSTED_OLD = const(4)  # stamped with the time before the change
CLOCK_ADJUSTED_NEW = const(5)
CLOCK_INVALID = const(6)
REPLACE_BATTERY = const(7)
BATTERY_LOW = const(8)
ERRORS_CLEARED = const(10)
PROGRAM_MEMORY_ERROR = const(12)
RAM_ERROR = const(13)
MEMORY_ERROR = const(14)  # non-volatile memory
WATCHDOG_RESET = const(15)
MEASUREMENT_ERROR = const(16)
LOGIN_LOCKED = const(46)  # too many wrong passwords or keys
PARAMETERS_CHANGED = const(47)
KEYS_CHANGED = const(48)
DECIPHERING_FAILED = const(49)
REPLAYED = const(50)
FATAL_ERROR = const(230)
LOGGED_IN = const(249)
PROFILE_CLEARED = const(254)
LOG_CLEARED = const(255)
