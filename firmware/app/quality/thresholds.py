"""Thresholds that a client sets for voltage, frequency and current (rows PQL-13 and PQL-14).

Each has a limit and a time, and is off while its limit is 0, as in a new meter. Voltages are
looked at by their mean over the time, or by every window: beyond the limit for the time is an
event, back for the time another. How often the first four were met is kept in FRAM.
"""

import struct

from micropython import const

from app import event_codes as codes
from app.quality.conditions import Condition
from app.storage import regions
from metrology.quantities import isqrt

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.settings import Settings
    from hal import Memory
    from metrology.engine import Engine

AVERAGES = const(2)  # the first so many are means
COUNTED = const(4)
THRESHOLDS = const(11)
_FREQUENCY = const(8)  # and the next one; the last is the current
_CURRENT = const(10)
_STEP_UV = const(100_000)  # of a voltage's limit; the current's in microamperes
_STEP_UHZ = const(10_000)
# event of L1, or of all; whether it is beyond when above
_EVENTS = (
    (codes.AVERAGE_HIGH, True),
    (codes.AVERAGE_LOW, False),
    (codes.EXTREMELY_HIGH, True),
    (codes.EXTREMELY_LOW, False),
    (codes.ABOVE_THRESHOLD, True),
    (codes.ABOVE_THRESHOLD, True),
    (codes.BELOW_THRESHOLD, False),
    (codes.BELOW_THRESHOLD, False),
    (codes.FREQUENCY_HIGH, True),
    (codes.FREQUENCY_LOW, False),
    (codes.OVERCURRENT, True),
)
_FORM = "<22H"  # of each limit, seconds
_COUNTS = "<4I"
_KEY = "thresholds"
_LIMIT_MAX = (5000, 7000, 3000)  # 0.1 V, 0.01 Hz, 0.1 A
_TIME_MAX_S = const(3600)
_PHASES = const(3)


class Thresholds:
    """Follows every window of an engine; `post` takes events. counts: of the first four."""

    def __init__(
        self,
        memory: "Memory",
        settings: "Settings",
        engine: "Engine",
        post: "Callable[[int], None]",
    ) -> None:
        self.counts = [0] * COUNTED
        self._values = [0, 10] * THRESHOLDS
        self._settings = settings
        self._engine = engine
        self._post = post
        self._record = regions.open_record(memory, "threshold_counts")
        kept = settings.get(_KEY)
        if len(kept) == struct.calcsize(_FORM):
            self._values = list(struct.unpack(_FORM, kept))
        try:
            counted = self._record.load()
            if counted is not None and len(counted) == struct.calcsize(_COUNTS):
                self.counts = list(struct.unpack(_COUNTS, counted))
        except OSError:
            pass  # they count as long as the meter has power
        self._conditions: dict[int, Condition] = {}  # of thresholds in use: 3 * place + phase
        self._squares: dict[int, int] = {}  # mV, times ms, of the running mean
        self._lasts_ms = [0] * AVERAGES
        engine.on_window.append(self.window)

    def value(self, place: int) -> "list[int]":
        """Return limit (0.1 V, 0.01 Hz or 0.1 A; 0: off) and seconds of a threshold."""
        return self._values[2 * place : 2 * place + 2]

    def set(self, place: int, limit: int, seconds: int) -> None:
        """Set a threshold. Raises ValueError out of its ranges, OSError."""
        kind = 0 if place < _FREQUENCY else 2 if place == _CURRENT else 1
        if not (0 <= limit <= _LIMIT_MAX[kind] and 1 <= seconds <= _TIME_MAX_S):
            raise ValueError("threshold: 500.0 V, 70.00 Hz, 300.0 A at most; 1 to 3600 s")
        values = list(self._values)
        values[2 * place : 2 * place + 2] = [limit, seconds]
        self._settings.put(_KEY, struct.pack(_FORM, *values))
        self._values = values
        for phase in range(_PHASES):  # it begins anew
            self._conditions.pop(_PHASES * place + phase, None)
            self._squares.pop(_PHASES * place + phase, None)
        if place < AVERAGES:
            self._lasts_ms[place] = 0

    def window(self) -> None:
        """Look at the window that has just been measured."""
        engine = self._engine
        if not engine.quantities.valid:
            return
        ms = (engine.frames_q16 >> 16) * 1_000_000 // engine.rate_mhz
        for place in range(THRESHOLDS):
            if self._values[2 * place]:
                self._look(place, ms)

    def _look(self, place: int, ms: int) -> None:
        quantities = self._engine.quantities
        limit, seconds = self.value(place)
        if place < AVERAGES:
            self._average(place, ms, seconds * 1000)
        elif place < _FREQUENCY:
            for phase in range(quantities.phases):
                self._see(place, phase, quantities.u_uv[phase] - limit * _STEP_UV, ms)
        elif place < _CURRENT:
            self._see(place, 0, quantities.f_uhz - limit * _STEP_UHZ, ms)
        else:
            for phase, i_ua in enumerate(quantities.i_ua):
                self._see(place, phase, i_ua - limit * _STEP_UV, ms)

    def _average(self, place: int, ms: int, period_ms: int) -> None:
        u_uv = self._engine.quantities.u_uv
        phases = self._engine.quantities.phases  # two elements of one phase have one voltage
        first = _PHASES * place
        self._lasts_ms[place] += ms
        lasts_ms = self._lasts_ms[place]
        for phase in range(phases):
            u_mv = u_uv[phase] // 1000
            self._squares[first + phase] = self._squares.get(first + phase, 0) + u_mv * u_mv * ms
        if lasts_ms < period_ms:
            return
        self._lasts_ms[place] = 0
        for phase in range(phases):
            mean_mv = isqrt(self._squares.pop(first + phase) // lasts_ms)
            beyond_uv = mean_mv * 1000 - self._values[2 * place] * _STEP_UV
            self._see(place, phase, beyond_uv, period_ms)

    def _see(self, place: int, phase: int, above: int, ms: int) -> None:
        """Take in by how much a value has lain above the limit for `ms`."""
        code, upwards = _EVENTS[place]
        at = _PHASES * place + phase
        condition = self._conditions.get(at)
        if condition is None:
            condition = self._conditions[at] = Condition(code + phase, _normal(place) + phase)
        beyond = above > 0 if upwards else above < 0
        if not condition.changes(beyond, ms, self._values[2 * place + 1] * 1000):
            return
        if condition.here and place < COUNTED:
            self.counts[place] = self.counts[place] + 1 & 0xFFFFFFFF
            try:
                self._record.save(struct.pack(_COUNTS, *self.counts))
            except OSError:
                pass  # they count as long as the meter has power
        self._post(condition.came if condition.here else condition.went)


def _normal(place: int) -> int:
    """Return the event of L1, or of all, that tells of the end."""
    if place == _CURRENT:
        return codes.CURRENT_NORMAL
    return codes.VOLTAGE_NORMAL if place < _FREQUENCY else codes.FREQUENCY_NORMAL
