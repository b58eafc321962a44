"""Sags, swells and cuts of each phase, by the RMS of every half cycle (rows PQL-04 to PQL-08).

A disturbance lasts as long as the voltage is beyond its limit; it counts, and is an event, when
it has lasted for the time set. It ends when the voltage has come back by two hundredths of the
nominal one (IEC 61000-4-30, 5.4), which is the event "voltage normal" if it had been one. What
falls under the limit of a cut is no sag. Where there are no half cycles, as in a leap of the
simulated time or right after a start, the values of the window serve.
"""

import struct

from micropython import const

from app import event_codes
from app.quality import limits
from app.storage import regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.quality.limits import Limits
    from hal import Memory
    from metrology.engine import Engine

KINDS = const(3)
SAGS = const(0)
SWELLS = const(1)
CUTS = const(2)
ANY = const(3)  # column behind the phases
NUMBER = const(0)
DURATION_MS = const(1)  # of the last one
MAGNITUDE_MV = const(2)
_FORM = "<24I"  # sags and swells: of each phase and any, the three above
_COLUMNS = const(4)
_MOST = const(0xFFFFFFFF)
_FEWEST = const(2)  # half cycles that may lack in a window
_COUNT_MASK = const(0x3FFFFFFF)  # half cycles are counted modulo 2**30
_EVENTS = (event_codes.UNDERVOLTAGE, event_codes.OVERVOLTAGE, event_codes.NO_VOLTAGE)
_SLOTS = const(60)  # half cycles that are looked at; the ring keeps some more


class Disturbances:
    """Follows every window of an engine; `post` takes events, `ended` their ends."""

    def __init__(
        self,
        memory: "Memory",
        bounds: "Limits",
        engine: "Engine",
        post: "Callable[[int], None]",
        ended: "Callable[[int], None]",
    ) -> None:
        self._limits = bounds
        self._engine = engine
        self._post = post
        self._ended = ended
        self._record = regions.open_record(memory, "disturbances")
        self._phases = phases = engine.quantities.phases
        self._seen = engine.half_cycles.count
        # of each phase and kind: lasting us (-1: none), worst voltage in mV, told
        self._lasting_us = [-1] * (KINDS * phases)
        self._worst_mv = [0] * (KINDS * phases)
        self._told = [False] * (KINDS * phases)
        self._owed = [False] * phases  # something was told and "normal" not yet
        self._values = [0] * (2 * _COLUMNS * 3)
        try:
            payload = self._record.load()
            if payload is not None and len(payload) == struct.calcsize(_FORM):
                self._values = list(struct.unpack(_FORM, payload))
        except OSError:
            pass  # they count as long as the meter has power
        engine.on_window.append(self.window)

    def value(self, kind: int, column: int, what: int) -> int:
        """Return a number, duration or magnitude of the sags or swells of a phase or of any."""
        return self._values[(kind * _COLUMNS + column) * 3 + what]

    def present(self, phase: int) -> bool:
        """Tell whether a phase has voltage: it is not cut (rows PQL-07, PQL-22)."""
        return self._lasting_us[KINDS * phase + CUTS] < 0

    def is_cut(self, phase: int) -> bool:
        """Tell whether a phase has been without voltage for the time set."""
        return self._told[KINDS * phase + CUTS]

    def window(self) -> None:
        """Look at the half cycles of the window that has just been measured."""
        engine = self._engine
        half_cycles = engine.half_cycles
        newest = half_cycles.count
        count = min(newest - self._seen & _COUNT_MASK, _SLOTS)
        self._seen = newest
        window_us = (engine.frames_q16 >> 16) * 1_000_000_000 // engine.rate_mhz
        half_us = half_cycles.half_us()
        # a window begins within a half cycle; one that stands for others has too few of them
        if window_us > (count + _FEWEST) * half_us:
            count = 0
        _, sag_dv, swell_dv = self._limits.values[: limits.SWELL + 1]
        if not count:
            for phase in range(self._phases):
                self._step(phase, engine.quantities.u_uv[phase] // 1000, window_us)
            return
        stirred: list[int] = []
        for phase in range(self._phases):
            low_mv = high_mv = half_cycles.u_mv(newest - 1 & _COUNT_MASK, phase)
            for back in range(2, count + 1):
                u_mv = half_cycles.u_mv(newest - back & _COUNT_MASK, phase)
                low_mv = min(low_mv, u_mv)
                high_mv = max(high_mv, u_mv)
            if low_mv < sag_dv * 100 or high_mv > swell_dv * 100 or self._lasts(phase):
                stirred.append(phase)
        if stirred:  # hardly ever; what happens in all of them is told in its order
            for back in range(count, 0, -1):
                for phase in stirred:
                    self._step(
                        phase, half_cycles.u_mv(newest - back & _COUNT_MASK, phase), half_us
                    )

    def _lasts(self, phase: int) -> bool:
        at = KINDS * phase
        return max(self._lasting_us[at : at + KINDS]) >= 0

    def _step(self, phase: int, u_mv: int, us: int) -> None:
        """Take in that the voltage was `u_mv` for `us`."""
        values = self._limits.values
        back_mv = 2 * values[limits.NOMINAL]  # tenths of a volt: two hundredths in mV
        for kind in (CUTS, SAGS, SWELLS):
            at = KINDS * phase + kind
            lasts = self._lasting_us[at] >= 0
            margin_mv = back_mv if lasts else 0
            limit_mv = values[limits.SAG + kind] * 100
            if kind == SWELLS:
                beyond = u_mv > limit_mv - margin_mv
            else:
                beyond = u_mv < limit_mv + margin_mv
                if kind == SAGS and self._lasting_us[at - SAGS + CUTS] >= 0:
                    beyond = False
            if beyond:
                self._go_on(phase, kind, u_mv, us)
            elif lasts:
                self._end(phase, kind)
        if self._owed[phase] and not self._lasts(phase):
            self._owed[phase] = False
            self._post(event_codes.VOLTAGE_NORMAL + phase)

    def _go_on(self, phase: int, kind: int, u_mv: int, us: int) -> None:
        at = KINDS * phase + kind
        worst_mv = self._worst_mv[at]
        if self._lasting_us[at] < 0:
            self._lasting_us[at] = 0
            worst_mv = u_mv
        self._worst_mv[at] = max(worst_mv, u_mv) if kind == SWELLS else min(worst_mv, u_mv)
        self._lasting_us[at] += us
        due_us = self._limits.values[limits.SAG_S + kind] * 1_000_000
        if not self._told[at] and self._lasting_us[at] >= due_us:
            alone = True  # simultaneous ones are one of "any"
            for other in range(kind, len(self._told), KINDS):
                alone = alone and not self._told[other]
            self._told[at] = self._owed[phase] = True
            if kind != CUTS:
                self._values[(kind * _COLUMNS + phase) * 3] += 1
                if alone:
                    self._values[(kind * _COLUMNS + ANY) * 3] += 1
                self._note(phase, kind)
            self._post(_EVENTS[kind] + phase)

    def _end(self, phase: int, kind: int) -> None:
        at = KINDS * phase + kind
        if self._told[at]:
            if kind != CUTS:
                self._note(phase, kind)
            self._ended(_EVENTS[kind] + phase)
        self._told[at] = False
        self._lasting_us[at] = -1

    def _note(self, phase: int, kind: int) -> None:
        """Keep duration and magnitude as they are now."""
        at = KINDS * phase + kind
        for column in (phase, ANY):
            place = (kind * _COLUMNS + column) * 3
            self._values[place + DURATION_MS] = min(self._lasting_us[at] // 1000, _MOST)
            self._values[place + MAGNITUDE_MV] = self._worst_mv[at]
        try:
            self._record.save(struct.pack(_FORM, *self._values))
        except OSError:
            pass  # they count as long as the meter has power
