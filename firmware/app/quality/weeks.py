"""What EN 50160 asks of the supply's voltage, week by week: how much of it kept its limits.

Ten-minute means of the voltages, of their distortion and of the unbalance are compared, and means
of ten seconds of the frequency; sags, swells and interruptions are counted. Weeks are local ones
and begin on Monday. Kept in FRAM with each ten minutes; a week that is over is told to
`on_week`, which makes a row of it. Windows between two means that were not measured for long
enough count for nothing.
"""

import struct

from micropython import const

from app.quality import disturbances, limits, phase_failures
from app.storage import regions
from metrology.quantities import isqrt

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.quality.disturbances import Disturbances
    from app.quality.limits import Limits
    from app.quality.phase_failures import PhaseFailures
    from hal import Memory
    from metrology.engine import Engine

# What is counted of a week, in the order of the object: means, those of each phase within 10 %,
# within +10 % and -15 %, with a distortion within 8 %; with an unbalance within 2 %; means of the
# frequency, those within 1 %, those within +4 % and -6 %
MEANS = const(0)
WITHIN = const(1)
WIDELY = const(4)
THD = const(7)
UNBALANCE = const(10)
FREQUENCIES = const(11)
F_WITHIN = const(12)
F_WIDELY = const(13)
_COUNTS = const(14)
SAGS = const(14)  # and swells, and interruptions
VERDICT = const(17)  # bits 0 to 2 voltage of a phase, 3 to 5 distortion, 6 unbalance, 7 frequency
FIELDS = const(18)

_PHASES = const(3)
_FORM = "<I17I17I3I"  # number of the week; of it, of the week before; sags and so on at its start
_NO_WEEK = const(0xFFFFFFFF)
_WEEK_S = const(604_800)
_MONDAY_S = const(172_800)  # the first one since 2000
_UINT32 = const(0xFFFFFFFF)
_MEAN_S = const(10)  # of the frequency
_THD_MOST_PPM = const(80_000)
_UNBALANCE_MOST_PPM = const(20_000)
_MOST_PERCENT = const(95)  # of the means
_F_PERMILLE = const(995)  # of those of the frequency


class Weeks:
    """Follows every window of an engine, and what else is counted."""

    def __init__(
        self,
        memory: "Memory",
        bounds: "Limits",
        clock: "Clock",
        engine: "Engine",
        counted: "tuple[Disturbances, PhaseFailures]",
    ) -> None:
        self.on_week: Callable[[int], None] | None = None
        self._limits = bounds
        self._clock = clock
        self._engine = engine
        self._disturbances, self._failures = counted
        self._record = regions.open_record(memory, "week")
        self._week = _NO_WEEK
        self._now = [0] * VERDICT
        self._before = [0] * VERDICT
        self._begin = self._numbers()  # sags, swells and interruptions when the week began
        try:
            payload = self._record.load()
            if payload is not None and len(payload) == struct.calcsize(_FORM):
                kept = struct.unpack(_FORM, payload)
                self._week = kept[0]
                self._now[:] = kept[1:18]
                self._before[:] = kept[18:35]
                self._begin[:] = kept[35:]
        except OSError:
            pass  # they count as long as the meter has power
        self._squares = [0] * (_PHASES + 1)  # of distortions and unbalance, times frames
        self._frames = 0
        self._f_sum = self._f_frames = 0
        engine.on_window.append(self.window)

    def values(self, back: int) -> "list[int]":
        """Return the fields of the week that runs (0) or of the one before (1)."""
        values = list(self._before if back else self._now)
        if not back:
            values[SAGS:] = self._since()
        values.append(self._verdict(values))
        return values

    def window(self) -> None:
        """Take in the window that has just been measured."""
        engine = self._engine
        quantities = engine.quantities
        frames = engine.frames_q16 >> 16
        if not engine.last_whole or not quantities.valid:
            self._f_sum = self._f_frames = 0
            return
        squares = self._squares
        for phase, thd_ppm in enumerate(quantities.thd_u_ppm):
            squares[phase] += thd_ppm * thd_ppm * frames
        squares[_PHASES] += quantities.unbalance_ppm() ** 2 * frames
        self._frames += frames
        if not quantities.f_uhz:  # no voltage to tell it by: not a frequency of the supply
            self._f_sum = self._f_frames = 0
            return
        self._f_sum += quantities.f_uhz * frames
        self._f_frames += frames
        means = self._f_frames * 1000 // (engine.rate_mhz * _MEAN_S)
        if means:  # one, but where simulated time leaps
            f_uhz = self._f_sum // self._f_frames
            share = 100 * f_uhz
            nominal_uhz = engine.nominal_uhz
            self._now[FREQUENCIES] += means
            self._now[F_WITHIN] += means * (99 * nominal_uhz <= share <= 101 * nominal_uhz)
            self._now[F_WIDELY] += means * (94 * nominal_uhz <= share <= 104 * nominal_uhz)
            self._f_frames -= means * engine.rate_mhz * _MEAN_S // 1000
            self._f_sum = f_uhz * self._f_frames

    def take(self, u_cv: "list[int]", utc_s: int) -> None:
        """Take the means of the ten minutes that end at `utc_s`; none: they do not count."""
        self._turn(utc_s)
        now = self._now
        frames = max(1, self._frames)
        nominal_dv = self._limits.values[limits.NOMINAL]
        if u_cv:
            now[MEANS] += 1
            now[UNBALANCE] += isqrt(self._squares[_PHASES] // frames) <= _UNBALANCE_MOST_PPM
        for phase, mean_cv in enumerate(u_cv):
            share = 10 * mean_cv
            now[WITHIN + phase] += 90 * nominal_dv <= share <= 110 * nominal_dv
            now[WIDELY + phase] += 85 * nominal_dv <= share <= 110 * nominal_dv
            now[THD + phase] += isqrt(self._squares[phase] // frames) <= _THD_MOST_PPM
        self._squares = [0] * (_PHASES + 1)
        self._frames = 0
        self._keep()

    def _verdict(self, values: "list[int]") -> int:
        """Return which limits a week did not keep; 0: all, or nothing was measured."""
        means = values[MEANS]
        bad = 0
        for phase in range(self._engine.quantities.phases):
            low = values[WITHIN + phase] * 100 < means * _MOST_PERCENT
            bad |= (low or values[WIDELY + phase] < means) << phase
            bad |= (values[THD + phase] * 100 < means * _MOST_PERCENT) << _PHASES + phase
        bad |= (values[UNBALANCE] * 100 < means * _MOST_PERCENT) << 6
        frequencies = values[FREQUENCIES]
        low = values[F_WITHIN] * 1000 < frequencies * _F_PERMILLE
        return bad | (low or values[F_WIDELY] < frequencies) << 7

    def _turn(self, utc_s: int) -> None:
        """Let it be the week of the interval that ends at `utc_s`."""
        if self._clock.invalid:
            return
        zone = self._clock.zone
        local_s = zone.local_s(utc_s - 1) - _MONDAY_S
        old, week = self._week, local_s // _WEEK_S
        if week == old:
            return
        self._week = week
        if old == _NO_WEEK:
            return
        since = self._since()
        for place in range(_COUNTS):
            self._before[place] = self._now[place]
            self._now[place] = 0
        self._before[SAGS:] = since
        self._begin = self._numbers()
        if self.on_week is not None:
            ended_s = (old + 1) * _WEEK_S + _MONDAY_S
            self.on_week(zone.utc_s(ended_s, zone.dst_active(utc_s)))

    def _numbers(self) -> "list[int]":
        number = self._disturbances.value
        return [
            number(disturbances.SAGS, disturbances.ANY, disturbances.NUMBER),
            number(disturbances.SWELLS, disturbances.ANY, disturbances.NUMBER),
            self._failures.value(phase_failures.ANY, phase_failures.NUMBER),
        ]

    def _since(self) -> "list[int]":
        """Return how many sags, swells and interruptions the running week has had."""
        numbers = self._numbers()
        return [numbers[k] - self._begin[k] & _UINT32 for k in range(len(numbers))]

    def _keep(self) -> None:
        values = [self._week] + self._now + self._before + self._begin
        try:
            self._record.save(struct.pack(_FORM, *values))
        except OSError:
            pass  # they count as long as the meter has power
