"""Where events are posted: into the logs that keep them, with what they set (section 8).

`post` may be called from anywhere in the cooperative part, at any time: before the logs are open
it remembers a few, and what no memory can hold is counted. It never raises.
"""

import struct

from micropython import const

from app import event_codes
from app.axdr import UINT32
from app.logs.alarms import REGISTER, Alarms
from app.logs.error_register import ErrorRegisters
from app.logs.event_log import EventLog, Log
from app.logs.events import FRAUD, FRAUD_ALARM, GONE, LOGS, NO_ALARM, alert_of, meaning
from app.storage import regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.settings import Settings
    from app.storage.rings import Rings
    from hal import Memory

HOLD_OFF_MAX_S = const(86400)
_HOLD_OFF_S = const(900)
_IDIS = const(1)
_SYSTEMS = const(3)  # VDEW, IDIS, EDF
_CHANGES = "<II"  # number, UTC of the last
_SETTINGS = "<IB"  # hold-off of the fraud log, event system
_WAITING_MOST = const(16)
_ONE_PARAMETERISATION_S = const(60)
_RECALLED = const(32)  # entries of the fraud log: more than it has codes
# Their owners know what has changed; the number on the label is written with that of the head.
_NO_PARAMETERS = ("keys", "security", "battery", "device_number", "consumer_code")
_LAST_LONG_FAILURE = (3, b"\x00\x00\x60\x07\x13\xff", 2, 0)


class EventBook:
    """All event logs and the error registers of a meter.

    logs: by place in app.logs.events.LOGS; power_failures: of the whole meter, row EVT-08
    hold_off_s: a code enters the fraud log once in this time (row EVT-07)
    system: code system chosen for the next start (row EVT-04)
    changes, changed_utc_s: of parameters, how many and when the last (row FRD-16)
    alert: id of the latest event that is an alert, 0 since power-up (row EVT-13)
    posted, lost: events since start, and those of them that no log could keep
    """

    def __init__(self, memory: "Memory", settings: "Settings") -> None:
        self.errors = ErrorRegisters(memory)
        self.alarms = Alarms(memory)
        self.logs: list[EventLog] = []
        self.power_failures: Log | None = None
        self.hold_off_s = _HOLD_OFF_S
        self.system = _IDIS
        self.alert = 0
        self.posted = 0
        self.lost = 0
        self.changes = 0
        self.changed_utc_s = 0
        self._settings = settings
        self._clock: Clock | None = None
        self.cycles: Callable[[], int] = lambda: 0  # erase cycles of the flash
        self._waiting: list[tuple[int, int | None]] = []
        self._held: dict[int, int] = {}  # code -> UTC of its last entry in the fraud log
        self._parameterised_utc_s = -1
        self._configuration = regions.open_record(memory, "configuration")
        try:
            counted = self._configuration.load()
            if counted is not None:
                self.changes, self.changed_utc_s = struct.unpack(_CHANGES, counted)
        except OSError:
            pass  # they count as long as the meter has power
        kept = settings.get("events")
        if len(kept) == struct.calcsize(_SETTINGS):
            self.hold_off_s, self.system = struct.unpack(_SETTINGS, kept)

    def open(self, rings: "Rings", clock: "Clock") -> None:
        """Open the logs; events posted before are dated now, where they bear no time."""
        self.logs = [EventLog(rings, clock, name, e) for name, e in LOGS]
        columns = ((_LAST_LONG_FAILURE, UINT32),)
        self.power_failures = Log(rings, clock, "power_failure_log", columns, self.post)
        self._clock = clock
        self.cycles = rings.cycles
        self._recall(self.logs[FRAUD])
        waiting = self._waiting
        self._waiting = []
        for code, utc_s in waiting:
            self._enter(code, clock.utc_s() if utc_s is None else utc_s)

    def post(self, code: int, utc_s: int | None = None) -> None:
        """Note an event, dated now or `utc_s`; set its error bits and alarms. Never raises."""
        self.posted += 1
        self.alert = alert_of(code) or self.alert
        self.errors.set(code)
        self._alarm(code)
        if self._clock is not None:
            self._enter(code, self._clock.utc_s() if utc_s is None else utc_s)
        elif len(self._waiting) < _WAITING_MOST:
            self._waiting.append((code, utc_s))
        else:
            self.lost += 1
        if code == event_codes.DATA_DAMAGED:  # the meter has to be replaced (rows ERR-12, ERR-17)
            self.post(event_codes.FATAL_ERROR, utc_s)

    def post_again(self, code: int, utc_s: int) -> None:
        """Post an event that a start finds untold, unless the fraud log has it. Never raises."""
        if self._held.get(code & 0xFF) != utc_s:
            self.post(code, utc_s)

    def fault(self, code: int) -> None:
        """Post the event of an error unless the error stands already. Never raises."""
        if not self.errors.stands(code):
            self.post(code)

    def ended(self, code: int) -> None:
        """Note that the condition which an event told of is gone. Never raises."""
        alarm = meaning(code)[1]
        if alarm != NO_ALARM:
            self.alarms.went(alarm)

    def setting_changed(self, key: str) -> None:
        """Post event 47 for a setting that is a parameter. Never raises."""
        if key not in _NO_PARAMETERS:
            self.post(event_codes.PARAMETERS_CHANGED)

    def outage(self, duration_s: int) -> None:
        """Note the end of a long power failure, of the meter or of a phase. Never raises."""
        self.post(event_codes.LONG_OUTAGE)
        if self._clock is None or self.power_failures is None:
            self.lost += 1
            return
        try:
            self.power_failures.add(self._clock.utc_s(), (max(0, duration_s),))
        except (OSError, ValueError):
            self.lost += 1

    def set_hold_off(self, seconds: int) -> None:
        """Set the hold-off of the fraud log. Raises ValueError beyond a day, OSError."""
        if not 0 <= seconds <= HOLD_OFF_MAX_S:
            raise ValueError("hold-off of the fraud log: 0 to 86400 s")
        self._settings.put("events", struct.pack(_SETTINGS, seconds, self.system))
        self.hold_off_s = seconds

    def set_system(self, system: int) -> None:
        """Choose the code system for the next start. Raises ValueError, OSError."""
        if not 0 <= system < _SYSTEMS:
            raise ValueError("event system: 0 VDEW, 1 IDIS, 2 EDF")
        self._settings.put("events", struct.pack(_SETTINGS, self.hold_off_s, system))
        self.system = system

    def clear_errors(self, register: int, kept: int) -> None:
        """Clear bits of an error register, as ErrorRegisters.clear does, and note that."""
        self.errors.clear(register, kept)
        self.post(event_codes.ERRORS_CLEARED)

    def set_error_filter(self, number: int, mask: int) -> None:
        """Set a filter of the error registers. Raises OSError, and keeps the old one."""
        self.errors.set_filter(number, mask)
        self.post(event_codes.PARAMETERS_CHANGED)

    def clear_alarms(self, kind: int, register: int, kept: int) -> None:
        """Clear bits of an alarm word, as Alarms.clear does; of a register it is an event."""
        self.alarms.clear(kind, register, kept)
        if kind == REGISTER:
            self.post(event_codes.ALARMS_CLEARED)

    def set_alarm_filter(self, register: int, mask: int) -> None:
        """Let alarms through. Raises OSError, and keeps the old filter."""
        self.alarms.set_filter(register, mask)
        self.post(event_codes.PARAMETERS_CHANGED)

    def choose_alarm_system(self, system: int) -> None:
        """Choose the layout of the alarms for the next start. Raises ValueError, OSError."""
        self.alarms.choose_system(system)
        self.post(event_codes.PARAMETERS_CHANGED)

    def _alarm(self, code: int) -> None:
        logs, alarm = meaning(code)
        if alarm != NO_ALARM and alarm & GONE:
            self.alarms.went(alarm & ~GONE)
        elif alarm != NO_ALARM:
            self.alarms.came(alarm)
        if logs & 1 << FRAUD:
            self.alarms.came(FRAUD_ALARM)

    def _enter(self, code: int, utc_s: int) -> None:
        logs = meaning(code)[0]
        code &= 0xFF
        if code == event_codes.PARAMETERS_CHANGED:
            self._count_change(utc_s)
            if self._same_parameterisation(utc_s):
                return
        for place, log in enumerate(self.logs):
            if not logs & 1 << place or (place == FRAUD and self._holds_off(code, utc_s)):
                continue
            try:
                log.post(utc_s, code)
            except (OSError, ValueError):
                self.lost += 1

    def _count_change(self, utc_s: int) -> None:
        self.changes = self.changes + 1 & 0xFFFFFFFF
        self.changed_utc_s = utc_s
        try:
            self._configuration.save(struct.pack(_CHANGES, self.changes, utc_s))
        except OSError:
            pass  # they count as long as the meter has power

    def _recall(self, log: Log) -> None:
        """Find out when each code entered the fraud log last: a start ends no hold-off."""
        for sequence in range(max(log.first, log.next - _RECALLED), log.next):
            if log.load(sequence):
                row = log.row()
                self._held[int(row[3])] = int(row[0])

    def _same_parameterisation(self, utc_s: int) -> bool:
        """Tell whether changes have followed each other within a minute: they are one event."""
        last_utc_s = self._parameterised_utc_s
        self._parameterised_utc_s = utc_s
        return last_utc_s >= 0 and abs(utc_s - last_utc_s) < _ONE_PARAMETERISATION_S

    def _holds_off(self, code: int, utc_s: int) -> bool:
        """Tell whether the fraud log is closed to a code; else close it from now on.

        A clock set by more than the hold-off opens it.
        """
        last_utc_s = self._held.get(code)
        if last_utc_s is not None and abs(utc_s - last_utc_s) < self.hold_off_s:
            return True
        self._held[code] = utc_s
        return False
