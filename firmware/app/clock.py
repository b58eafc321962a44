"""The meter's time: UTC inside, local time on every face.

A battery-backed chip keeps the time; between two looks at it the processor's ticks count on, so
that asking for the time costs no bus access. The chip tells whole seconds only. A look just when
our own second begins tells on which side of the chip's second that lies, and halves what is
unknown of its place: from half a second at start-up to some milliseconds after a few looks, which
then follow each minute. A processor's crystal that is 50 ppm off moves 3 ms between two of them.

When the chip fails, the ticks go on alone and the status says so. Garbage in it, or a date that
ticks cannot have drifted to, is overwritten with our own time, which stays doubtful until it is
set. Without any time at power-up the clock is invalid and counts from 2001-01-01.

A change up to the shift limit is a synchronisation, any other one is an event with the old time
and one with the new. Rows CLK-01 to CLK-11, CLK-16 to CLK-19, DEM-11.
"""

import struct
import time

from micropython import const

import civil
from app import event_codes
from app.periods import Period
from app.waker import Waker
from app.zone import Zone

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from app.settings import Settings
    from app.tasks import Task
    from hal import RealTimeClock

# Clock status, Blue Book class 8 attribute 4
INVALID = const(0x01)
DOUBTFUL = const(0x02)
DIFFERENT_BASE = const(0x04)  # the processor's crystal in place of the chip's
DST_ACTIVE = const(0x80)

_NEVER_SET_UTC_S = const(31622400)  # 2001-01-01: the sign of a clock that was never set (CLK-16)
_YEAR_S = const(31536000)
_LOOK_PERIOD_S = const(60)
_TICKS_DRIFT = const(4000)  # the processor's crystal is good to one in so many: 250 ppm
_SHARP_MS = const(20)  # so exactly known, a look a minute is enough
_RESOLUTION_MS = const(4)
_UNKNOWN_MS = const(60_000)
_CREDIBLE_S = const(2)  # ticks worse than promised may have gone so far wrong since the last look

_LIMITS = "<Hb"  # shift limit, trim
_SHIFT_LIMIT_S = const(9)
_SHIFT_LIMIT_MAX_S = const(3600)
_TRIM_MAX_PPM = const(12)
_AGING_STEPS_A_PPM = const(10)


def unset(utc_s: int) -> bool:
    """Tell whether a time on record is one of a clock that was never set, which counts from 2001.

    Somebody may set the chip while the meter is off, and how long that was is not known then.
    """
    return _NEVER_SET_UTC_S <= utc_s < _NEVER_SET_UTC_S + _YEAR_S


class Clock:
    """UTC and local time over a battery-backed clock chip.

    invalid: the time is not known; doubtful: it may be wrong; both until it is set
    rtc_failed: the chip did not answer at the last look, the processor's ticks count alone
    on_change: called with (old UTC, new UTC) after a change, or when the time became known
    on_event: called with an event code
    """

    def __init__(
        self,
        rtc: "RealTimeClock",
        settings: "Settings",
        on_event: "Callable[[int], None] | None" = None,
    ) -> None:
        self._rtc = rtc
        self._settings = settings
        self.zone = Zone(settings)
        self.on_event = on_event
        self.on_change: list[Callable[[int, int], None]] = []
        self.shift_limit_s = _SHIFT_LIMIT_S
        self.trim_ppm = 0
        self.test_mode = 0  # 1: the chip gives out its seconds
        self.invalid = False
        self.doubtful = False
        self.rtc_failed = False
        self._anchor_s = _NEVER_SET_UTC_S
        self._anchor_ms = time.ticks_ms()  # tick at which the second `_anchor_s` began
        self._ms = 0  # of the running second
        self._owed = False  # the chip has yet to get our time
        self._unsure_ms = _UNKNOWN_MS  # how far the chip's second may lie from ours
        self._drifted_ms = self._anchor_ms  # up to this tick `_unsure_ms` has grown
        self._periods: list[Period] = []
        self._waker = Waker()
        limits = settings.get("clock_limits")
        if len(limits) == struct.calcsize(_LIMITS):
            self.shift_limit_s, self.trim_ppm = struct.unpack(_LIMITS, limits)
        self._read_chip()
        self._saving = self.dst_active(self._anchor_s)
        self.every(_LOOK_PERIOD_S, self._minute)

    def utc_s(self) -> int:
        """Return UTC in whole seconds since 2000-01-01T00:00:00; never less than before."""
        # Where looks have pulled the second later, it holds until the ticks have caught up.
        elapsed_ms = max(0, time.ticks_diff(time.ticks_ms(), self._anchor_ms))
        self._ms = elapsed_ms % 1000
        if elapsed_ms >= 1000:
            self._anchor_s += elapsed_ms // 1000
            self._anchor_ms = time.ticks_add(self._anchor_ms, elapsed_ms - self._ms)
        return self._anchor_s

    def hundredths(self) -> int:
        """Return the hundredths of the running second, 0..99."""
        self.utc_s()
        return self._ms // 10

    def set_utc_s(self, utc_s: int, hundredths: int = 0) -> None:
        """Set the time, here and in the chip. Raises ValueError outside the years 2000 to 2099."""
        civil.parts(utc_s)
        self._move(utc_s, hundredths * 10, True)
        self._write_chip()

    def shift(self, seconds: int, whole: bool = False) -> None:
        """Move the time, to a `whole` second or with its fraction. Raises ValueError.

        A time that is not known stays unknown.
        """
        utc_s = self.utc_s() + seconds
        civil.parts(utc_s)
        self._move(utc_s, 0 if whole else self._ms, False)
        if not self.invalid:
            self._write_chip()

    def every(
        self,
        period_s: int,
        on_end: "Callable[[int], None]",
        on_jump: "Callable[[int, int], None] | None" = None,
    ) -> Period:
        """Call `on_end(boundary UTC)` at each multiple of `period_s` in local time.

        `period_s` divides a day; how changes of the time are met stands in app.periods.
        """
        period = Period(self, period_s, on_end, on_jump)
        self._periods.append(period)
        self.wake()
        return period

    def forget(self, period: Period) -> None:
        """Call the owner of a period no more."""
        self._periods.remove(period)

    def wake(self) -> None:
        """Let `run` look anew at what is due."""
        self._waker.wake()

    def tell(self, code: int) -> None:
        """Report an event of the clock or its reserve."""
        if self.on_event is not None:
            self.on_event(code)

    async def run(self, task: "Task") -> None:
        """Keep the time and call what is due, for ever."""
        while True:
            task.report()
            await self._waker.wait_ms(self.step())

    def step(self) -> int:
        """Do what is due now and return the milliseconds until something is due again."""
        self.settle()
        vague = self._owed or self._unsure_ms > _SHARP_MS
        vague = vague and not (self.rtc_failed or self.invalid)
        if vague:
            self.look()
        utc_s = self.utc_s()
        due_s = min([period.due_utc_s for period in self._periods])
        if vague:
            due_s = min(due_s, utc_s + 1)
        return max(0, (due_s - utc_s) * 1000 - self._ms)

    def settle(self) -> None:
        """Let the periods that are due end now, before what must come after them."""
        utc_s = self.utc_s()
        for period in self._periods:
            period.check(utc_s)

    def look(self) -> None:
        """Compare with the chip and follow it, or put it right."""
        drift_ms = time.ticks_diff(time.ticks_ms(), self._drifted_ms) // _TICKS_DRIFT
        self._unsure_ms = min(_UNKNOWN_MS, self._unsure_ms + drift_ms)
        self._drifted_ms = time.ticks_add(self._drifted_ms, drift_ms * _TICKS_DRIFT)
        wrong = False
        chip_s = 0
        try:
            wrong = self._rtc.oscillator_stopped()
            chip_s = self._rtc.utc_s()
        except OSError:
            self.rtc_failed = True
            return
        except ValueError:
            wrong = True
        self.rtc_failed = False
        if self.invalid:
            if not wrong:  # a chip that was silent at power-up is back
                self._move(chip_s, 500, True)
                self._unsure_ms = 500
                self.doubtful = True
            return
        # What can be: the chip's second has begun, and the next one has not.
        utc_s = self.utc_s()
        behind_ms = (chip_s - utc_s) * 1000 - time.ticks_diff(time.ticks_ms(), self._anchor_ms)
        low_ms = max(behind_ms, -self._unsure_ms)
        high_ms = min(behind_ms + 1000, self._unsure_ms)
        if low_ms > high_ms and abs(behind_ms) <= _CREDIBLE_S * 1000:
            low_ms, high_ms = behind_ms, behind_ms + 1000
        if wrong or low_ms > high_ms:
            self.doubtful = True
            self._owed = True
        if self._owed:
            self._write_chip()
        else:
            self._slew((low_ms + high_ms) // 2)
            self._unsure_ms = max(_RESOLUTION_MS, (high_ms - low_ms) // 2)

    def status(self) -> int:
        """Return the clock status octet now (row CLK-03)."""
        return self.status_at(self.utc_s())

    def status_at(self, utc_s: int) -> int:
        """Return the clock status octet that belongs to `utc_s`."""
        status = DST_ACTIVE if self.dst_active(utc_s) else 0
        if self.invalid:
            status |= INVALID
        if self.doubtful or self.rtc_failed:
            status |= DOUBTFUL
        if self.rtc_failed:
            status |= DIFFERENT_BASE
        return status

    def dst_active(self, utc_s: int) -> bool:
        """Tell whether daylight saving is in force at `utc_s`."""
        return self.zone.dst_active(utc_s)

    def deviation_min(self, utc_s: int) -> int:
        """Return minutes from local time to UTC at `utc_s`, daylight saving included."""
        return self.zone.deviation_min(utc_s)

    def local(self) -> "tuple[int, int, int, int, int, int, int, int, int]":
        """Return (year, month, day, weekday, hour, minute, second, deviation_min, status) now."""
        return self.local_at(self.utc_s())

    def local_at(self, utc_s: int) -> "tuple[int, int, int, int, int, int, int, int, int]":
        """Return local time as `local` does for any UTC time."""
        zone = self.zone
        # unpacking inside a tuple does not exist on MicroPython
        return civil.parts(zone.local_s(utc_s)) + (
            zone.deviation_min(utc_s),
            self.status_at(utc_s),
        )

    def time(self) -> bytes:
        """Return local hour, minute, second, hundredths: 1-0:0.9.1 (row CLK-08)."""
        return bytes(self.local()[4:7] + (self.hundredths(),))

    def date(self) -> bytes:
        """Return local year (2), month, day, weekday: 1-0:0.9.2."""
        return struct.pack(">HBBB", *self.local()[:4])

    def configure(self, **rules: "Any") -> None:  # noqa: ANN401 - as Zone.configure
        """Change rules of local time as `Zone.configure` does; no event (row CLK-07)."""
        self.zone.configure(**rules)
        self._plan()

    def set_dst_table(self, rows: bytes) -> None:
        """Replace the fixed dates as `Zone.set_table` does."""
        self.zone.set_table(rows)
        self._plan()

    def _plan(self) -> None:
        self._saving = self.dst_active(self.utc_s())
        for period in self._periods:
            period.plan()
        self.wake()

    def set_shift_limit(self, seconds: int = _SHIFT_LIMIT_S) -> None:
        """Set the largest change that is a synchronisation. Raises ValueError."""
        if not 0 <= seconds <= _SHIFT_LIMIT_MAX_S:
            raise ValueError("shift limit: 0 to 3600 s")
        self._settings.put("clock_limits", struct.pack(_LIMITS, seconds, self.trim_ppm))
        self.shift_limit_s = seconds

    def set_trim_ppm(self, ppm: int) -> None:
        """Let the chip run faster by `ppm`, slower below 0. Raises ValueError beyond +-12."""
        if not -_TRIM_MAX_PPM <= ppm <= _TRIM_MAX_PPM:
            raise ValueError("trim: -12 to 12 ppm")
        self._rtc.set_aging(-_AGING_STEPS_A_PPM * ppm)
        self._settings.put("clock_limits", struct.pack(_LIMITS, self.shift_limit_s, ppm))
        self.trim_ppm = ppm

    def temperature_cdeg(self) -> int:
        """Return the chip's temperature in hundredths of a degree. Raises OSError."""
        return self._rtc.temperature_cdeg()

    def set_test_mode(self, mode: int) -> None:
        """Let the chip give out its seconds (1) or not (0); ends with the power, too (CLK-10)."""
        if mode not in (0, 1):
            raise ValueError("mode of the clock chip: 0 or 1")
        self._rtc.set_square_wave(mode == 1)
        self.test_mode = mode

    def _minute(self, _utc_s: int) -> None:
        self.look()
        saving = self.dst_active(self.utc_s())
        if saving != self._saving:
            self._saving = saving
            self.tell(event_codes.DAYLIGHT_SAVING_CHANGED)

    def _slew(self, ms: int) -> None:
        """Let the running second begin `ms` earlier."""
        if abs(ms) < 1000:
            self._anchor_ms = time.ticks_add(self._anchor_ms, -ms)
            return
        ahead_ms = self._ms + ms
        self._move(self.utc_s() + ahead_ms // 1000, ahead_ms % 1000, False)

    def _move(self, utc_s: int, ms: int, known: bool) -> None:
        """Let it be `utc_s` and `ms` now, with all that follows but the chip.

        `known`: somebody who knows the time says so.
        """
        old_utc_s = self.utc_s()
        renewed = known and self.invalid
        big = abs(utc_s - old_utc_s) > self.shift_limit_s
        if big:
            self.tell(event_codes.CLOCK_ADJUSTED_OLD)
        self._anchor_s = utc_s
        self._anchor_ms = time.ticks_add(time.ticks_ms(), -ms)
        if known:
            self.invalid = self.doubtful = False
        if big:
            self._saving = self.dst_active(utc_s)
            self.tell(event_codes.CLOCK_ADJUSTED_NEW)
        if utc_s != old_utc_s:
            for period in self._periods:
                period.moved(old_utc_s, utc_s)
        if utc_s != old_utc_s or renewed:
            for callback in self.on_change:
                callback(old_utc_s, utc_s)
        self.wake()

    def _write_chip(self) -> None:
        """Give the chip our time; it begins a second when it is written."""
        utc_s = self.utc_s()
        ms = self._ms
        try:
            self._rtc.set_utc_s(utc_s + (1 if ms >= 500 else 0))
            self.rtc_failed = False
            self._owed = ms > _SHARP_MS  # once more when our own second begins
            self._unsure_ms = ms + _RESOLUTION_MS
        except OSError:
            self.rtc_failed = True
            self._owed = True

    def _read_chip(self) -> None:
        try:
            self._rtc.check()
            self._rtc.set_aging(-_AGING_STEPS_A_PPM * self.trim_ppm)
            self.invalid = self._rtc.oscillator_stopped()
            if not self.invalid:
                self._anchor_s = self._rtc.utc_s()
                self._anchor_ms = time.ticks_add(time.ticks_ms(), -500)
                self._unsure_ms = 500
        except ValueError:
            self.invalid = True
        except OSError:
            self.invalid = True
            self.rtc_failed = True
