"""Codes of the events that this meter can post, IDIS system (row EVT-04).

What each code means, which log keeps it and what it sets stands in app.logs; here are the names
that those who notice something call it by. A log shows the lower byte of a code; the upper byte
tells causes of one event apart, which set different bits of the error registers.
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
CALENDAR_ACTIVATED = const(9)
ERRORS_CLEARED = const(10)
ALARMS_CLEARED = const(11)
PROGRAM_MEMORY_ERROR = const(12)
RAM_ERROR = const(13)
MEMORY_ERROR = const(14)  # non-volatile memory
WATCHDOG_RESET = const(15)
MEASUREMENT_ERROR = const(16)
CALENDAR_CHANGED = const(19)  # its passive half, its start or the special days
TERMINAL_COVER_REMOVED = const(40)
TERMINAL_COVER_CLOSED = const(41)
STRONG_FIELD = const(42)  # magnetic, constant
STRONG_FIELD_GONE = const(43)
METER_COVER_REMOVED = const(44)
METER_COVER_CLOSED = const(45)
LOGIN_LOCKED = const(46)  # too many wrong passwords or keys
PARAMETERS_CHANGED = const(47)
KEYS_CHANGED = const(48)
DECIPHERING_FAILED = const(49)
REPLAYED = const(50)
LOCAL_COMMUNICATION = const(53)  # an attempt at the optical head
UNDERVOLTAGE = const(76)  # L1; L2 and L3 follow, as below
OVERVOLTAGE = const(79)
NO_VOLTAGE = const(82)
VOLTAGE_NORMAL = const(85)
PHASE_SEQUENCE_REVERSED = const(88)
NEUTRAL_MISSING = const(89)
PHASE_ASYMMETRY = const(90)
CURRENT_REVERSED = const(91)
BAD_VOLTAGE = const(92)  # L1
LOCAL_LOGIN = const(158)  # the same in the communication log
POWER_FACTOR_LOW = const(214)
POWER_FACTOR_NORMAL = const(215)
FREQUENCY_HIGH = const(216)
FREQUENCY_LOW = const(217)
HIGH_VOLTAGE_DISCHARGE = const(218)
FREQUENCY_NORMAL = const(219)
OVERCURRENT = const(220)  # L1
CURRENT_NORMAL = const(224)  # L1
CURRENT_WITHOUT_VOLTAGE = const(228)  # L1; L3 is below
TARIFF_INTERNAL = const(201)  # its source was external before
TARIFF_EXTERNAL = const(202)
OVERHEATED = const(206)
BILLING_REMOTE = const(209)  # end of billing by a client
BILLING_MANUAL = const(210)  # by the sealed key
BILLING_REGULAR = const(223)  # by a schedule
FATAL_ERROR = const(230)
BILLING_RESET = const(231)
PHASE_FAILED = const(232)  # L1
PHASE_RESTORED = const(235)
LOGGED_IN = const(249)
PHASE_BYPASSED = const(251)
PROFILE_CLEARED = const(254)
LOG_CLEARED = const(255)

LONG_OUTAGE = const(0x100 | 2)  # no entry, an alert
AVERAGE_LOW = const(0x100 | 76)  # L1, as the next five
BELOW_THRESHOLD = const(0x200 | 76)
AVERAGE_HIGH = const(0x100 | 79)
EXTREMELY_HIGH = const(0x200 | 79)
ABOVE_THRESHOLD = const(0x300 | 79)
EXTREMELY_LOW = const(0x100 | 82)
CURRENT_ASYMMETRIC = const(0x100 | 89)  # no entry, an alarm
CURRENT_WITHOUT_VOLTAGE_3 = const(0x100 | 230)
CLOCK_CHIP_FAILED = const(0x100 | 6)
REMOTE_LOGIN = const(0x100 | 152)
CERTIFICATE_REFUSED = const(0x100 | 49)
BACKUP_DAMAGED = const(0x100 | 14)  # one copy of the energies
DATA_DAMAGED = const(0x200 | 14)  # both copies
PARAMETERS_DAMAGED = const(0x300 | 14)
FLASH_FAILED = const(0x400 | 14)
PROFILE_DAMAGED = const(0x500 | 14)
LOG_DAMAGED = const(0x600 | 14)
TARIFF_DAMAGED = const(0x700 | 14)  # calendar, masks or scripts, both copies
CALIBRATION_DAMAGED = const(0x100 | 16)
