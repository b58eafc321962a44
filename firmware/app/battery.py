"""The reserve of the clock: a battery that ages, or capacitors that the mains charges again.

Use time is the time since the counter was reset, with and without mains, for a battery ages either
way. It is counted by the clock's own seconds since the record was written; a change of the clock
moves the record's time along, so no setting of the time makes a battery older or younger. What a
capacitor has left is its nominal reserve while the mains is there, and it is never to be replaced.
Rows CLK-12 to CLK-15, PRD-09.
"""

import struct

from micropython import const

from app import event_codes
from app.clock import unset

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.clock import Clock
    from app.settings import Settings
    from hal import Voltage

# Kinds of reserve (row CLK-12)
SUPERCAP = const(1)
TWO_SUPERCAPS = const(2)
LITHIUM = const(3)
_LIFE_S = (0, 7 * 86400, 20 * 86400, 631152000)  # 7 days, 20 days, 20 years

_PACKED = "<BHIII"  # kind, threshold, use time, remaining time, UTC that both belong to
_THRESHOLD_MV = const(3000)  # a lithium cell of 3.6 V is empty below
_THRESHOLD_MAX_MV = const(5000)
_DEAD_MV = const(2300)  # a DS3231 does not keep the time below (data sheet rev. 10, VBAT)
_HOUR_S = const(3600)
_DAY_S = const(86400)
_UINT32_MAX = 0xFFFFFFFF


class Battery:
    """Counters and tests of the clock's reserve; `voltage` is None where none is measured.

    What is set belongs to production, so app.cosem.clock_values asks the parameter lock first.
    Setters raise ValueError for what cannot be, OSError if it could not be kept.
    """

    def __init__(
        self,
        voltage: "Voltage | None",
        clock: "Clock",
        settings: "Settings",
    ) -> None:
        self._voltage = voltage
        self._clock = clock
        self._settings = settings
        self.low = False  # as the last test found it
        self.dead = False  # likewise: it keeps nothing any more
        self.worn = False  # no use time remains
        self.kind = LITHIUM
        self.threshold_mv = _THRESHOLD_MV
        self._use_s = 0
        self._remaining_s = _LIFE_S[LITHIUM]
        self._at_utc_s = clock.utc_s()
        packed = settings.get("battery")
        if len(packed) == struct.calcsize(_PACKED):
            self.kind, self.threshold_mv, self._use_s, self._remaining_s, at_utc_s = struct.unpack(
                _PACKED, packed
            )
            if not (clock.invalid or unset(at_utc_s)):  # else nobody knows how long the outage was
                self._at_utc_s = at_utc_s
        clock.on_change.append(self._clock_changed)
        self._hourly = clock.every(_HOUR_S, self._hour)
        clock.every(_DAY_S, lambda _utc_s: self.test())

    def use_s(self) -> int:
        """Return the seconds since the reserve was new."""
        return min(_UINT32_MAX, self._use_s + self._since_s())

    def remaining_s(self) -> int:
        """Return the seconds that the reserve is expected to serve on."""
        if self.kind != LITHIUM:
            return _LIFE_S[self.kind]
        return max(0, self._remaining_s - self._since_s())

    def voltage_mv(self) -> int:
        """Return the voltage of the reserve, 0 where it is not measured."""
        return 0 if self._voltage is None else self._voltage.voltage_mv()

    def power_up(self) -> None:
        """Test as at each power-up (rows CLK-15, NOP-06)."""
        self.low = self.worn = False
        self.test()
        self._hour(0)

    def test(self) -> None:
        """Compare the voltage with its threshold: event 8 when it has become low."""
        measured = self.kind == LITHIUM and self._voltage is not None
        voltage_mv = self.voltage_mv()
        low = measured and voltage_mv < self.threshold_mv
        self.dead = measured and voltage_mv < _DEAD_MV
        if low and not self.low:
            self._clock.tell(event_codes.BATTERY_LOW)
        self.low = low

    def set_use_s(self, seconds: int = 0) -> None:
        """Set the use time; 0 for a new reserve."""
        self._keep(self.kind, self.threshold_mv, seconds, self.remaining_s())

    def set_remaining_s(self, seconds: int | None = None) -> None:
        """Set the time that remains, None: the nominal life; it counts down for a battery only."""
        if seconds is None:
            seconds = _LIFE_S[self.kind]
        self._keep(self.kind, self.threshold_mv, self.use_s(), seconds)

    def set_kind(self, kind: int) -> None:
        """Tell what keeps the clock; its nominal life begins."""
        if not SUPERCAP <= kind <= LITHIUM:
            raise ValueError("reserve: 1 to 3")
        self._keep(kind, self.threshold_mv, self.use_s(), _LIFE_S[kind])

    def set_threshold_mv(self, threshold_mv: int) -> None:
        """Set the voltage below which a battery is low."""
        if not 0 <= threshold_mv <= _THRESHOLD_MAX_MV:
            raise ValueError("threshold: 0 to 5000 mV")
        self._keep(self.kind, threshold_mv, self.use_s(), self.remaining_s())

    def _since_s(self) -> int:
        return max(0, self._clock.utc_s() - self._at_utc_s)

    def _keep(self, kind: int, threshold_mv: int, use_s: int, remaining_s: int) -> None:
        now_utc_s = self._clock.utc_s()
        packed = struct.pack(_PACKED, kind, threshold_mv, use_s, remaining_s, now_utc_s)
        self._settings.put("battery", packed)
        self.kind = kind
        self.threshold_mv = threshold_mv
        self._use_s = use_s
        self._remaining_s = remaining_s
        self._at_utc_s = now_utc_s
        if kind == LITHIUM and remaining_s:
            self._hourly.hasten(now_utc_s + remaining_s)
        self.worn = self.worn and remaining_s == 0

    def _hour(self, _utc_s: int) -> None:
        try:
            self._keep(self.kind, self.threshold_mv, self.use_s(), self.remaining_s())
        except OSError:
            pass  # the counters go on from the last record
        worn = self.remaining_s() == 0
        if worn and not self.worn:
            self._clock.tell(event_codes.REPLACE_BATTERY)
        self.worn = worn

    def _clock_changed(self, old_utc_s: int, new_utc_s: int) -> None:
        self._at_utc_s += new_utc_s - old_utc_s
        self._hour(new_utc_s)
