"""End of billing: what one does in which order, exactly once (rows BIL-05 to BIL-15, BIL-17).

A billing is a short row of steps. Which one it has come to is noted in FRAM before and behind
each, so that power may go between any two bytes of it: at the next start it has either not begun,
or it goes on where it was, and each step can tell whether it had been done already. The counter
and the step behind it are one note; the entry is told by the ring's own sequence numbers, an event
by the log. A first step that the flash does not take ends the billing before anything is lost.
"""

import struct

from micropython import const

from app import event_codes
from app.periods import CLOCK_INVALID, NOT_FOR_BILLING
from app.storage import record, regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.clock import Clock
    from app.rows import RowSource
    from app.settings import Settings
    from app.storage.record import Record
    from hal import Memory

    class Log(Protocol):
        """Rows of the log that events of billing enter, the code last."""

        @property
        def first(self) -> int: ...  # noqa: D102
        @property
        def next(self) -> int: ...  # noqa: D102
        def load(self, sequence: int) -> bool: ...  # noqa: D102
        def row(self) -> tuple[int | bytes, ...]: ...  # noqa: D102


SCRIPTS = b"\x00\x00\x0a\x00\x01\xff"  # 0-0:10.0.1.255
# Scripts of that table; the third one is the meter's own
BILLING_1 = const(1)
BILLING_2 = const(2)
DAILY = const(3)

# Why a billing took place, 0-0:128.10.8
NEVER = const(0)
REGULAR = const(1)  # a schedule, or the calendar
REMOTE = const(2)  # a client
MANUAL = const(3)  # the sealed key
TARIFF_CHANGED = const(4)  # another calendar came into force
TENANCY_CHANGED = const(5)

# Options, bits of the setting
MANUAL_RESET = const(1)  # the sealed key may end the billing (row DEM-08)
SHOW_PAST = const(2)  # past values can be put on the display (row BIL-16)

_CODES = {
    REGULAR: event_codes.BILLING_REGULAR,
    REMOTE: event_codes.BILLING_REMOTE,
    MANUAL: event_codes.BILLING_MANUAL,
}

# What each script does; a billing whose step lies behind the last is over.
_STEPS = (
    (),
    ("_capture", "_reset", "_count", "_tell"),
    ("_capture",),
    ("_capture",),
)
_OVER = const(0xFF)
_AGAIN_S = const(60)
_MANUAL_GAP_S = const(86400)

# counter, time stamp of the last, manual reset, moments that the scripts have been done for,
# then the billing under way: script, step, cause, its time, sequence of its entry, of its events
_FORM = "<IIhBI3IBBBIII"


class Billing:
    """The billings of one meter over `memory`.

    profiles: billing 1, billing 2, daily billing
    on_billing: run in this order behind the capture of script 1; power may go between, so what
    they do must do no harm when it is done twice
    count: billings of script 1; last: UTC, deviation and clock status of the newest, or None
    cause: why the last entry was made
    """

    def __init__(
        self,
        memory: "Memory",
        settings: "Settings",
        clock: "Clock",
        profiles: "tuple[RowSource, RowSource, RowSource]",
        log: "Log",
        post: "Callable[[int], None]",
    ) -> None:
        self.profiles = profiles
        self.on_billing: list[Callable[[], None]] = []
        self.count = 0
        self.last: tuple[int, int, int] | None = None
        self.cause = NEVER
        self.damaged = False  # True: both copies of the record were unreadable
        self._unread = False  # True: the memory did not answer at the start
        self._settings = settings
        self._clock = clock
        self._log = log
        self._post = post
        self._manual_utc_s = 0
        self._done = [0, 0, 0]
        self._script = 0
        self._step = _OVER
        self._utc_s = 0
        self._sequence = 0
        self._logged = 0
        self._record: Record = regions.open_record(memory, "billing")
        self._restore()

    def capture(self, script: int, cause: int, utc_s: int = -1) -> None:
        """Carry a script out now, its entry dated `utc_s`, or now.

        One of before that could not be finished is finished first; if it is asked for again
        within a minute, that is all. Raises OSError if the memories do not take it, then nothing
        has begun, or it goes on at the next call or start.
        """
        if utc_s < 0:
            utc_s = self._clock.utc_s()
        if self._step != _OVER:
            same = (self._script, self.cause) == (script, cause)
            same = same and abs(utc_s - self._utc_s) < _AGAIN_S
            self.resume()
            if same:
                return
        before = (self._script, self.cause)
        self._script = script
        self.cause = cause
        self._step = 0
        self._utc_s = utc_s
        self._sequence = self.profiles[script - 1].next
        self._logged = self._log.next
        try:
            self._keep()
            self._capture()
        except OSError:
            if self.profiles[script - 1].next <= self._sequence:
                self._step = _OVER
                self._script, self.cause = before
                self._keep()
            raise
        self._behind()
        self.resume()

    def resume(self) -> None:
        """Finish a billing that the last life of the meter had begun. Raises OSError."""
        while self._step != _OVER:
            getattr(self, _STEPS[self._script][self._step])()
            self._behind()

    def restart(self) -> None:
        """Finish a billing at the start, or leave it for the next call. Never raises."""
        try:
            self.resume()
        except OSError:
            pass  # who keeps the memory that does not answer tells of it

    def note(self, cause: int) -> None:
        """Make an entry of billing 2 for a cause that is no billing (row BIL-17). Never raises."""
        try:
            self.capture(BILLING_2, cause)
        except OSError:
            pass  # the keeper of the flash tells; what brings the change is not to be stopped

    def option(self, option: int) -> bool:
        """Tell whether an option is on; in a new meter none is."""
        return self._options() & option != 0

    def set_option(self, option: int, on: bool) -> None:
        """Turn an option on or off. Raises OSError, and leaves it as it is."""
        options = self._options() & ~option
        self._settings.put("billing_options", bytes((options | option if on else options,)))

    def did(self, script: int, utc_s: int) -> bool:
        """Tell whether the last scheduled billing of a script was the one of this moment."""
        return self._done[script - 1] == utc_s

    def manual(self) -> bool:
        """Do script 1 for the sealed key; False if it may not (row DEM-08).

        That is: unless the option is on, within 24 hours of the last time, and by a clock that
        does not know the time. Raises OSError as `capture`.
        """
        if not self.option(MANUAL_RESET):
            return False
        away_s = abs(self._clock.utc_s() - self._manual_utc_s)
        if self._clock.invalid or (self._manual_utc_s and away_s < _MANUAL_GAP_S):
            return False
        self.capture(BILLING_1, MANUAL)
        return True

    # -- the steps -------------------------------------------------------------------------

    def _capture(self) -> None:
        profile = self.profiles[self._script - 1]
        if profile.next <= self._sequence:
            bits = CLOCK_INVALID | NOT_FOR_BILLING if self._clock.invalid else 0
            profile.capture_at(self._utc_s, bits)
        if self.cause == REGULAR:
            self._done[self._script - 1] = self._utc_s
        elif self.cause == MANUAL:
            self._manual_utc_s = self._utc_s

    def _reset(self) -> None:
        for callback in self.on_billing:
            callback()

    def _count(self) -> None:
        clock, utc_s = self._clock, self._utc_s
        self.count = (self.count + 1) & 0xFFFFFFFF
        self.last = (utc_s, clock.deviation_min(utc_s), clock.status_at(utc_s))

    def _tell(self) -> None:
        for code in (_CODES.get(self.cause), event_codes.BILLING_RESET):
            if code is not None and not self._is_logged(code):
                self._post(code)

    # -- parts -----------------------------------------------------------------------------

    def _is_logged(self, code: int) -> bool:
        log = self._log
        for sequence in range(max(log.first, self._logged), log.next):
            if log.load(sequence) and log.row()[-1] == code:
                return True
        return False

    def _options(self) -> int:
        stored = self._settings.get("billing_options")
        return stored[0] if stored else 0

    def _behind(self) -> None:
        """Note that a step is done."""
        self._step += 1
        if self._step == len(_STEPS[self._script]):
            self._step = _OVER
        self._keep()

    def _keep(self) -> None:
        if self._unread:
            raise OSError("the counter has not been read")
        utc_s, deviation_min, status = self.last or (0, 0, 0)
        numbers = (self.count, utc_s, deviation_min, status, self._manual_utc_s) + tuple(
            self._done
        )
        work = (self._script, self._step, self.cause, self._utc_s, self._sequence, self._logged)
        self._record.save(struct.pack(_FORM, *(numbers + work)))

    def _restore(self) -> None:
        try:
            payload = self._record.load()
        except OSError:
            self._unread = True
            return
        self.damaged = self._record.state >= record.LOST
        if payload is None:
            return
        numbers = struct.unpack(_FORM, payload)
        self.count = numbers[0]
        if numbers[1]:
            self.last = (numbers[1], numbers[2], numbers[3])
        self._manual_utc_s = numbers[4]
        self._done = list(numbers[5:8])
        self._script, self._step, self.cause, self._utc_s, self._sequence, self._logged = numbers[
            8:
        ]
