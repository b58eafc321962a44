"""Conditions of the supply that last for some time: one table, one rule.

A condition comes when what it looks at has been so for its time, and goes when it has not been so
for the same time; coming is an event, going another or the end of an alarm. Missing neutral (row
PQL-11), current without voltage (PQL-16), reversed current (FRD-08, FRD-09), power factor below
its limit (PQL-15).
"""

from micropython import const

from app import event_codes as codes
from app.quality import limits

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from app.quality.limits import Limits
    from metrology.engine import Engine

_NEUTRAL = const(0)
_POWER_FACTOR = const(1)
_REVERSED = const(2)
_PHASE = const(3)  # the conditions of L1 begin here
_NO_VOLTAGE = const(0)
_REVERSED_PHASE = const(1)
_KINDS = const(2)  # of each phase
_NO_EVENT = const(0)
_LASTING_MS = const(5_000)
_LOW_PERCENT = const(70)
_HIGH_PERCENT = const(128)
_SOME_CURRENT_UA = const(500_000)
_SOME_POWER_UW = const(20_000_000)


class Conditions:
    """Follows every window of an engine; `post` takes events, `ended` their ends.

    import_only: callable that tells whether energy may flow in one direction only
    """

    def __init__(
        self,
        bounds: "Limits",
        engine: "Engine",
        post: "Callable[[int], None]",
        ended: "Callable[[int], None]",
    ) -> None:
        self.import_only: Callable[[], bool] = _never
        self._limits = bounds
        self._quantities = engine.quantities
        self._engine = engine
        self._post = post
        self._ended = ended
        phases = engine.quantities.phases
        count = _PHASE + _KINDS * phases
        self._here = [False] * count
        self._changing_ms = [0] * count  # for how long each has been otherwise
        engine.on_window.append(self.window)

    def neutral_missing(self) -> bool:
        """Tell whether the neutral seems to be broken."""
        return self._here[_NEUTRAL]

    def reversed(self) -> bool:
        """Tell whether energy flows back where it may not."""
        return self._here[_REVERSED]

    def phase_reversed(self, phase: int) -> bool:
        """Tell whether the current of a phase flows the wrong way."""
        return self._here[_PHASE + _KINDS * phase + _REVERSED_PHASE]

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
            self._see(_NEUTRAL, ms, low and max(u_uv) * 100 > nominal_uv * _HIGH_PERCENT)
        loaded = quantities.s_total_uva > _SOME_POWER_UW
        low = loaded and quantities.pf_total_ppm < values[limits.POWER_FACTOR] * 1000
        self._see(_POWER_FACTOR, ms, low)
        one_way = self.import_only()
        self._see(_REVERSED, ms, one_way and quantities.p_total_uw < -_SOME_POWER_UW)
        cut_uv = values[limits.CUT] * 100_000
        for phase in range(quantities.phases):
            at = _PHASE + _KINDS * phase
            without = u_uv[phase] < cut_uv and quantities.i_ua[phase] > _SOME_CURRENT_UA
            self._see(at + _NO_VOLTAGE, ms, without)
            backward = one_way and quantities.p_uw[phase] < -_SOME_POWER_UW
            self._see(at + _REVERSED_PHASE, ms, backward)

    def _see(self, at: int, ms: int, here: bool) -> None:
        if here == self._here[at]:
            self._changing_ms[at] = 0
            return
        self._changing_ms[at] += ms
        if at == _POWER_FACTOR:
            due_ms = self._limits.values[limits.POWER_FACTOR_S] * 1000
        else:
            due_ms = _LASTING_MS
        if self._changing_ms[at] < due_ms:
            return
        self._changing_ms[at] = 0
        self._here[at] = here
        came, went = _events_of(at)
        if here and came:
            self._post(came)
        elif went and not here:
            self._post(went)
        elif came:
            self._ended(came)


def _events_of(at: int) -> "tuple[int, int]":
    """Return the events of a condition that comes and of one that goes, 0 for none."""
    if at == _NEUTRAL:
        return codes.NEUTRAL_MISSING, _NO_EVENT
    if at == _POWER_FACTOR:
        return codes.POWER_FACTOR_LOW, codes.POWER_FACTOR_NORMAL
    if at == _REVERSED:
        return codes.CURRENT_REVERSED, _NO_EVENT
    phase, kind = divmod(at - _PHASE, _KINDS)
    if kind == _REVERSED_PHASE:
        return phase + 1 << 8 | codes.CURRENT_REVERSED, _NO_EVENT
    if phase == 2:
        return codes.CURRENT_WITHOUT_VOLTAGE_3, _NO_EVENT
    return codes.CURRENT_WITHOUT_VOLTAGE + phase, _NO_EVENT


def _never() -> bool:
    """Stand in for the question whether energy may flow in one direction only."""
    return False
