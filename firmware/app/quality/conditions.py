"""Conditions of the supply that last for some time: one table, one rule.

A condition comes when what it looks at has been so for its time, and goes when it has not been so
for the same time; coming is an event, going another or the end of an alarm. Missing neutral (row
PQL-11), current without voltage (PQL-16), reversed current (FRD-08, FRD-09), power factor below
its limit (PQL-15), order of the phases (MET-31), a phase that is bypassed (FRD-12), currents that
differ without any in the neutral (PQL-10).
"""

from micropython import const

from app import event_codes as codes
from app.quality import limits

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.quality.limits import Limits
    from metrology.engine import Engine

_NO_EVENT = const(0)
_LASTING_MS = const(5_000)
_SEQUENCE_MS = const(2_000)
_LOW_PERCENT = const(70)
_HIGH_PERCENT = const(128)
_SOME_CURRENT_UA = const(500_000)
_BALANCED_PERCENT = const(80)  # the smallest current of the largest: no more is an unbalance
_ZERO_PERCENT = const(5)  # the sum of the currents, of the largest
_SOME_POWER_UW = const(20_000_000)


class Condition:
    """What counts once it has lasted, and is over once it has been absent for as long.

    here: it counts; came, went: its events, 0 for none
    """

    def __init__(self, came: int, went: int = _NO_EVENT) -> None:
        self.here = False
        self.came = came
        self.went = went
        self._otherwise_ms = 0

    def lasts(self) -> bool:
        """Tell whether it counts."""
        return self.here

    def changes(self, seen: bool, ms: int, due_ms: int) -> bool:
        """Take in what was seen for `ms`; tell whether `here` has changed by that."""
        if seen == self.here:
            self._otherwise_ms = 0
            return False
        self._otherwise_ms += ms
        if self._otherwise_ms < due_ms:
            return False
        self._otherwise_ms = 0
        self.here = seen
        return True


class Conditions:
    """Follows every window of an engine; `post` takes events, `ended` their ends.

    import_only: callable that tells whether energy may flow in one direction only
    bypassed: callable that tells whether the neutral carries another current than the phases;
    bypass_s: callable, for how long that may be
    """

    def __init__(
        self,
        bounds: "Limits",
        engine: "Engine",
        post: "Callable[[int], None]",
        ended: "Callable[[int], None]",
    ) -> None:
        self.import_only: Callable[[], bool] = _never
        self.bypassed: Callable[[], bool] = _never
        self.bypass_s: Callable[[], int] = lambda: 0
        self.neutral_missing = Condition(codes.NEUTRAL_MISSING)
        self.power_factor = Condition(codes.POWER_FACTOR_LOW, codes.POWER_FACTOR_NORMAL)
        self.reversed = Condition(codes.CURRENT_REVERSED)
        self.wrong_sequence = Condition(codes.PHASE_SEQUENCE_REVERSED)
        self.bypass = Condition(codes.PHASE_BYPASSED)
        self.asymmetric_current = Condition(codes.CURRENT_ASYMMETRIC)
        elements = engine.quantities.elements  # the second of one phase is told as L2
        self.reversed_phases = [
            Condition(phase + 1 << 8 | codes.CURRENT_REVERSED) for phase in range(elements)
        ]
        self._without_voltage = [
            Condition(code)
            for code in (
                codes.CURRENT_WITHOUT_VOLTAGE,
                codes.CURRENT_WITHOUT_VOLTAGE + 1,
                codes.CURRENT_WITHOUT_VOLTAGE_3,
            )[:elements]
        ]
        self._limits = bounds
        self._quantities = engine.quantities
        self._engine = engine
        self._post = post
        self._ended = ended
        engine.on_window.append(self.window)

    def window(self) -> None:
        """Look at the window that has just been measured."""
        engine = self._engine
        quantities = self._quantities
        if not quantities.valid:
            return
        ms = (engine.frames_q16 >> 16) * 1_000_000 // engine.rate_mhz
        values = self._limits.values
        nominal_uv = values[limits.NOMINAL] * 100_000
        u_uv = quantities.u_uv
        if quantities.phases > 1:
            low = min(u_uv) * 100 < nominal_uv * _LOW_PERCENT
            high = max(u_uv) * 100 > nominal_uv * _HIGH_PERCENT
            self._see(self.neutral_missing, low and high, ms)
            self._see(self.asymmetric_current, self._unbalanced(), ms)
            self._see(self.wrong_sequence, quantities.rotation() < 0, ms, _SEQUENCE_MS)
        loaded = quantities.s_total_uva > _SOME_POWER_UW
        low = loaded and quantities.pf_total_ppm < values[limits.POWER_FACTOR] * 1000
        self._see(self.power_factor, low, ms, values[limits.POWER_FACTOR_S] * 1000)
        self._see(self.bypass, self.bypassed(), ms, self.bypass_s() * 1000)
        one_way = self.import_only()
        self._see(self.reversed, one_way and quantities.p_total_uw < -_SOME_POWER_UW, ms)
        cut_uv = values[limits.CUT] * 100_000
        for phase in range(quantities.elements):
            without = u_uv[phase] < cut_uv and quantities.i_ua[phase] > _SOME_CURRENT_UA
            self._see(self._without_voltage[phase], without, ms)
            backward = one_way and quantities.p_uw[phase] < -_SOME_POWER_UW
            self._see(self.reversed_phases[phase], backward, ms)

    def _unbalanced(self) -> bool:
        """Tell whether the loads differ and yet nothing flows in the neutral."""
        i_ua = self._quantities.i_ua
        most = max(i_ua)
        if most < _SOME_CURRENT_UA or min(i_ua) * 100 > most * _BALANCED_PERCENT:
            return False
        return self._quantities.i_sum_ua() * 100 < most * _ZERO_PERCENT

    def _see(self, condition: Condition, seen: bool, ms: int, due_ms: int = _LASTING_MS) -> None:
        if not condition.changes(seen, ms, due_ms):
            return
        if condition.here:
            self._post(condition.came)
        elif condition.went:
            self._post(condition.went)
        else:
            self._ended(condition.came)


def _never() -> bool:
    """Stand in for a question that nobody answers: no."""
    return False
