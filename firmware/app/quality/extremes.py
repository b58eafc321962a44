"""Means of voltages and currents, and their extremes of a day and of a billing period.

Windows of the metrology, each 0.2 s, are averaged over ten minutes of the clock (row MET-20) and
over a search period, which is a parameter: its root mean square is what is compared, so a short
spike makes no extreme (rows MET-22 to MET-24). A period of which less than three quarters were
measured, after a start or a change of the clock, is not compared.

Days are local ones. Yesterday is the day before today or nothing: a meter that was off for a day
does not show an older one. All values are kept in FRAM at the end of each search period.
"""

import struct

from micropython import const

import civil
from app.storage import record, regions
from metrology.quantities import isqrt, rounded

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from hal import Memory
    from metrology.engine import Engine

MEAN_S = const(600)
_SEARCH_MIN_S = const(10)
_HOUR_S = const(3600)

# Rows of the record. A day's: column (mean of all phases, L1, L2, L3), then these.
PEAK = const(0)
PEAK_YESTERDAY = const(1)
MINIMUM = const(2)
MINIMUM_YESTERDAY = const(3)
# A billing period's: phase, U or I, maximum or minimum, present or previous period
BILLING = const(16)
_BILLING_END = const(40)
_HEAD = "<HHI"  # day since 2000, search period, 0
_HEAD_SIZE = const(8)
_ROW = "<II"  # hundredths of a volt or milliamperes; UTC of the period's end, 0: no value
_ROW_SIZE = const(8)
_NO_DAY = const(0xFFFF)


class Means:
    """Root mean squares of U and I of each phase; a window weighs by its length."""

    def __init__(self, phases: int) -> None:
        self._squares = [0] * (2 * phases)
        self.frames = 0

    def add(self, engine: "Engine") -> None:
        """Add the window that has just been measured."""
        quantities = engine.quantities
        frames = engine.frames_q16 >> 16
        squares = self._squares
        for phase in range(quantities.phases):
            u_mv = quantities.u_uv[phase] // 1000
            squares[2 * phase] += u_mv * u_mv * frames
            i_ua = quantities.i_ua[phase]
            squares[2 * phase + 1] += i_ua * i_ua * frames
        self.frames += frames

    def pour(self, source: "Means") -> None:
        """Take in all windows of another."""
        for at, square in enumerate(source._squares):
            self._squares[at] += square
        self.frames += source.frames

    def values(self) -> "list[int]":
        """Return U in hundredths of a volt and I in milliamperes, by phase; 0 without windows."""
        frames = self.frames or 1
        return [
            rounded(isqrt(square // frames), 1000 if at % 2 else 10)
            for at, square in enumerate(self._squares)
        ]

    def clear(self) -> None:
        """Begin anew."""
        for at in range(len(self._squares)):
            self._squares[at] = 0
        self.frames = 0


class Extremes:
    """Follows every window of an engine.

    damaged: both copies of the record were unreadable at start, extremes begin anew
    on_mean: takes the means of U of each phase, in hundredths of a volt, and the end in UTC of
        each ten minutes; no means unless three quarters were measured
    """

    def __init__(self, memory: "Memory", clock: "Clock", engine: "Engine") -> None:
        self.phases = engine.quantities.phases
        self.damaged = False
        self.on_mean: Callable[[list[int], int], None] | None = None
        self.search_s = MEAN_S
        self._clock = clock
        self._engine = engine
        self._memory = memory
        self._unread = False  # True: not to be overwritten by what began without it
        self._day = _NO_DAY
        self._state = bytearray(_HEAD_SIZE + _BILLING_END * _ROW_SIZE)
        self._load()
        self._newest = Means(self.phases)  # windows that the others have not yet
        self._running = Means(self.phases)  # of the ten minutes
        self._search = Means(self.phases)
        self._mean: list[int] = []  # of the last ten minutes, nothing before they have passed
        self._turn(clock.utc_s())
        clock.every(MEAN_S, self._end_mean, self._break_mean)
        self._period = clock.every(self.search_s, self._end, self._jump)
        engine.on_window.append(self.window)

    def window(self) -> None:
        """Take in the window that has just been measured."""
        self._newest.add(self._engine)

    def mean_cv(self, phase: int) -> int:
        """Return a voltage's mean of the last ten minutes; of what has passed of the first."""
        if self._mean:
            return self._mean[2 * phase]
        self._pour()
        return self._running.values()[2 * phase]

    def value(self, row: int) -> int:
        """Return an extreme in hundredths of a volt or in milliamperes, 0 if there is none."""
        return self._row(row)[0]

    def capture_utc_s(self, row: int) -> int:
        """Return the end of the search period that was the extreme, 0 if there is none."""
        return self._row(row)[1]

    def set_search_s(self, search_s: int) -> None:
        """Set the search period; the running one is left out.

        Raises ValueError unless it divides an hour and has 10 s at least.
        """
        if search_s < _SEARCH_MIN_S or _HOUR_S % search_s:
            raise ValueError("search period: divides 3600 s, 10 s at least")
        self.search_s = search_s
        self._pour()
        self._search.clear()
        self._period.set_length(search_s)
        self._save()

    def new_billing_period(self) -> None:
        """Let the extremes of the billing period be those of the previous one (row MET-24).

        Does nothing if nothing was compared since: billing that was cut off may call it twice.
        """
        if not self.capture_utc_s(BILLING):
            return
        for row in range(BILLING, _BILLING_END, 2):
            self._put(row + 1, *self._row(row))
            self._put(row, 0, 0)
        self._save()

    def _pour(self) -> None:
        self._running.pour(self._newest)
        self._search.pour(self._newest)
        self._newest.clear()

    def _end_mean(self, utc_s: int) -> None:
        self._pour()
        self._mean = self._running.values()
        whole = self._running.frames * 4000 >= self._engine.rate_mhz * MEAN_S * 3
        self._running.clear()
        if self.on_mean is not None:
            self.on_mean(self._mean[::2] if whole else [], utc_s)

    def _break_mean(self, _old_utc_s: int, _new_utc_s: int) -> None:
        self._pour()
        self._running.clear()

    def _end(self, utc_s: int) -> None:
        """Compare the search period that ends; at midnight it belongs to the day that ends."""
        self._pour()
        rate_mhz = self._engine.rate_mhz
        if self._search.frames * 4000 >= rate_mhz * self.search_s * 3:
            values = self._search.values()
            self._turn(utc_s - 1)
            total = 0
            for phase in range(self.phases):
                u_cv = values[2 * phase]
                total += u_cv
                self._compare_day(phase + 1, u_cv, utc_s)
                for quantity in (0, 1):
                    row = BILLING + 8 * phase + 4 * quantity
                    self._compare(row, values[2 * phase + quantity], utc_s, True)
                    self._compare(row + 2, values[2 * phase + quantity], utc_s, False)
            self._compare_day(0, rounded(total, self.phases), utc_s)
        self._search.clear()
        self._turn(utc_s)
        self._save()

    def _jump(self, _old_utc_s: int, new_utc_s: int) -> None:
        self._pour()
        self._search.clear()
        self._turn(new_utc_s)
        self._save()

    def _compare_day(self, column: int, u_cv: int, utc_s: int) -> None:
        self._compare(4 * column + PEAK, u_cv, utc_s, True)
        self._compare(4 * column + MINIMUM, u_cv, utc_s, False)

    def _compare(self, row: int, value: int, utc_s: int, higher: bool) -> None:
        old, captured = self._row(row)
        if not captured or (value > old if higher else value < old):
            self._put(row, value, utc_s)

    def _turn(self, utc_s: int) -> None:
        """Let it be the day of `utc_s`, if that is known."""
        if self._clock.invalid:
            return
        day = self._clock.zone.local_s(utc_s) // civil.DAY_S
        if day == self._day:
            return
        for row in range(0, BILLING, 2):
            if day == self._day + 1:
                self._put(row + 1, *self._row(row))
            else:
                self._put(row + 1, 0, 0)
            self._put(row, 0, 0)
        self._day = day

    def _row(self, row: int) -> "tuple[int, int]":
        return struct.unpack_from(_ROW, self._state, _HEAD_SIZE + row * _ROW_SIZE)

    def _put(self, row: int, value: int, utc_s: int) -> None:
        struct.pack_into(_ROW, self._state, _HEAD_SIZE + row * _ROW_SIZE, value, utc_s)

    def _load(self) -> None:
        stored = regions.open_record(self._memory, "extremes")
        try:
            payload = stored.load()
        except OSError:
            self._unread = True
            return
        self.damaged = stored.state >= record.LOST
        if payload is not None and len(payload) == len(self._state):
            self._state[:] = payload
            self._day, search_s, _ = struct.unpack_from(_HEAD, payload, 0)
            if search_s >= _SEARCH_MIN_S and not _HOUR_S % search_s:
                self.search_s = search_s

    def _save(self) -> None:
        if self._unread:
            return
        struct.pack_into(_HEAD, self._state, 0, self._day, self.search_s, 0)
        stored = regions.open_record(self._memory, "extremes")
        try:
            stored.load()
            stored.save(self._state)
        except OSError:
            pass  # they hold as long as the meter has power; others tell of the memory
