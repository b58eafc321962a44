"""Whether a phase is bypassed: the phases' currents together are not what the neutral carries.

Compared are the RMS of the sum of the phases' currents and that of the neutral, so that it does
not matter which way round the neutral's sensor sits (row FRD-12). The fundamentals say nearly
always that all is well; only when they do not are the samples of two cycles added up, for
harmonics of the third order add up in the neutral. Needs a meter that measures the neutral.
"""

import struct

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.settings import Settings
    from metrology.engine import Engine

PERCENT = const(0)  # of the larger of the two
LEAST_MA = const(1)
LASTING_S = const(2)
_FORM = "<BHH"
_KEY = "bypass"
_BOUNDS = ((1, 100), (50, 60_000), (1, 3600))
_REST_WINDOWS = const(25)  # 5 s between two looks at the samples


class Bypass:
    """Looks at an engine's last window; values: percent, milliamperes, seconds."""

    def __init__(self, settings: "Settings", engine: "Engine", measured: bool) -> None:
        self.values = [10, 500, 60]
        self.measured = measured  # the neutral is
        self._settings = settings
        self._engine = engine
        self._different = False
        self._rest = 0
        kept = settings.get(_KEY)
        if len(kept) == struct.calcsize(_FORM):
            self.values = list(struct.unpack(_FORM, kept))

    def set(self, values: "list[int]") -> None:
        """Set all three. Raises ValueError out of their ranges, OSError."""
        for value, (low, high) in zip(values, _BOUNDS):
            if not low <= value <= high:
                raise ValueError("bypass: 1 to 100 %, 50 to 60000 mA, 1 to 3600 s")
        self._settings.put(_KEY, struct.pack(_FORM, *values))
        self.values = values

    def lasting_s(self) -> int:
        """Return for how long the currents may differ."""
        return self.values[LASTING_S]

    def seen(self) -> bool:
        """Tell whether the currents differ now."""
        if not self.measured:
            return False
        quantities = self._engine.quantities
        if not self._differ(quantities.i_sum_ua()):
            self._different = False
            self._rest = 0
        elif self._rest:
            self._rest -= 1
        else:
            self._rest = _REST_WINDOWS
            try:
                capture = self._engine.capture()
            except ValueError:
                return self._different  # two cycles have not been measured yet
            self._different = self._differ(capture.sum_of_currents(quantities.elements))
        return self._different

    def _differ(self, sum_ua: int) -> bool:
        in_ua = self._engine.quantities.in_ua
        least_ua = max(
            self.values[LEAST_MA] * 1000, max(sum_ua, in_ua) * self.values[PERCENT] // 100
        )
        return abs(sum_ua - in_ua) > least_ua
