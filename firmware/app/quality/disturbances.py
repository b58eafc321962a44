"""Sags, swells and cuts of each phase, by the RMS of every half cycle (rows PQL-04 to PQL-08).

A disturbance lasts as long as the voltage is beyond its limit; it counts, and is an event, when
it has lasted for the time set. It ends when the voltage has come back by two hundredths of the
nominal one (IEC 61000-4-30, 5.4), which is the event "voltage normal" if it had been one. A sag
that falls under the limit of a cut goes on meanwhile and is as deep as that; but the time below
that limit does not make a sag of what else would be a cut only. Sags of several phases that
overlap are one of any phase, from the first that begins until the last has ended. Where there
are no half cycles, as in a leap of the simulated time, the values of the window serve.
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
        self._seen = [engine.half_cycles.count(phase) for phase in range(phases)]
        self._fresh = [0] * phases  # half cycles of the last window
        # of each phase and kind: lasting us (-1: none), worst voltage in mV, told
        self._lasting_us = [-1] * (KINDS * phases)
        self._worst_mv = [0] * (KINDS * phases)
        self._counted_us = [0] * (KINDS * phases)  # of that time what counts, see above
        self._told = [False] * (KINDS * phases)
        # of sags and swells of any phase: the same
        self._any_us = [0, 0]
        self._any_mv = [_MOST, 0]
        self._any_told = [False, False]
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
        fewest = most = 0
        for phase in range(self._phases):
            newest = half_cycles.count(phase)
            fresh = min(newest - self._seen[phase] & _COUNT_MASK, _SLOTS)
            self._seen[phase] = newest
            self._fresh[phase] = fresh
            fewest = min(fewest, fresh) if phase else fresh
            most = max(most, fresh)
        window_us = (engine.frames_q16 >> 16) * 1_000_000_000 // engine.rate_mhz
        half_us = half_cycles.half_us()
        # a window begins within a half cycle; one that stands for others has far too few of them
        if window_us > (fewest + _FEWEST) * 2 * half_us:
            for phase in range(self._phases if engine.quantities.valid else 0):
                self._step(phase, engine.quantities.u_uv[phase] // 1000, window_us)
            self._pass(window_us)
            return
        stirred = [phase for phase in range(self._phases) if self._stirs(phase)]
        if stirred:  # hardly ever; what happens in all of them is told in its order
            for back in range(most, 0, -1):
                for phase in stirred:
                    if back <= self._fresh[phase]:
                        u_mv = half_cycles.u_mv(self._seen[phase] - back & _COUNT_MASK, phase)
                        if u_mv >= 0:
                            self._step(phase, u_mv, half_us)
                self._pass(half_us)

    def _stirs(self, phase: int) -> bool:
        """Tell whether the half cycles of a window have to be looked at in their order."""
        if self._lasts(phase):
            return True
        half_cycles = self._engine.half_cycles
        values = self._limits.values
        low_mv, high_mv = values[limits.SAG] * 100, values[limits.SWELL] * 100
        for back in range(1, self._fresh[phase] + 1):
            u_mv = half_cycles.u_mv(self._seen[phase] - back & _COUNT_MASK, phase)
            if u_mv > high_mv or 0 <= u_mv < low_mv:
                return True
        return False

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
            over_mv = u_mv - values[limits.SAG + kind] * 100
            if kind != SWELLS:
                over_mv = -over_mv
            if over_mv > (-back_mv if lasts else 0):
                self._go_on(phase, kind, u_mv, us)
            elif lasts:
                self._end(phase, kind)
        if self._owed[phase] and not self._lasts(phase):
            self._owed[phase] = False
            self._post(event_codes.VOLTAGE_NORMAL + phase)

    def _pass(self, us: int) -> None:
        """Let time pass for what lasts in any phase."""
        for kind in (SAGS, SWELLS):
            if max(self._lasting_us[kind::KINDS]) >= 0:
                self._any_us[kind] += us
            else:
                self._any_us[kind] = 0
                self._any_mv[kind] = _MOST if kind == SAGS else 0
                self._any_told[kind] = False

    def _go_on(self, phase: int, kind: int, u_mv: int, us: int) -> None:
        at = KINDS * phase + kind
        if self._lasting_us[at] < 0:
            self._lasting_us[at] = self._counted_us[at] = 0
            self._worst_mv[at] = u_mv
        worse = max if kind == SWELLS else min
        self._worst_mv[at] = worse(self._worst_mv[at], u_mv)
        if kind != CUTS:
            self._any_mv[kind] = worse(self._any_mv[kind], u_mv)
        self._lasting_us[at] += us
        if kind == SAGS and not self.present(phase):
            return
        self._counted_us[at] += us
        wanted_s = self._limits.values[limits.SAG_S + kind]
        if not self._told[at] and self._counted_us[at] >= wanted_s * 1_000_000:
            self._told[at] = self._owed[phase] = True
            if kind != CUTS:
                self._values[(kind * _COLUMNS + phase) * 3] += 1
                if not self._any_told[kind]:
                    self._any_told[kind] = True
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
        lasting_us, any_us = self._lasting_us[at], self._any_us[kind]
        for column, us, worst_mv in (
            (phase, lasting_us, self._worst_mv[at]),
            (ANY, max(lasting_us, any_us), self._any_mv[kind]),
        ):
            place = (kind * _COLUMNS + column) * 3
            self._values[place + DURATION_MS] = min(us // 1000, _MOST)
            self._values[place + MAGNITUDE_MV] = worst_mv
        try:
            self._record.save(struct.pack(_FORM, *self._values))
        except OSError:
            pass  # they count as long as the meter has power
