"""The limits of power quality, kept as one setting: voltages in tenths of a volt, times in s."""

import struct

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.settings import Settings

NOMINAL = const(0)
SAG = const(1)
SWELL = const(2)
CUT = const(3)
SAG_S = const(4)
SWELL_S = const(5)
CUT_S = const(6)
UPPER = const(7)  # asymmetry, of a phase to the mean of all, in thousandths
LOWER = const(8)
POWER_FACTOR = const(9)  # thousandths, 0: nobody is told
POWER_FACTOR_S = const(10)
_FORM = "<11H"
_KEY = "quality"
_VOLTAGE_MAX_DV = const(5000)
_TIME_MAX_S = const(3600)
_DISTURBANCE_MAX_S = const(300)  # row PQL-14; 0 counts a half cycle
# lowest and highest value of each
_BOUNDS = (
    (500, _VOLTAGE_MAX_DV),
    (100, _VOLTAGE_MAX_DV),
    (100, _VOLTAGE_MAX_DV),
    (100, _VOLTAGE_MAX_DV),
    (0, _DISTURBANCE_MAX_S),
    (0, _DISTURBANCE_MAX_S),
    (0, _TIME_MAX_S),
    (1001, 2000),
    (1, 999),
    (0, 1000),
    (1, _TIME_MAX_S),
)


class Limits:
    """All limits; `values` by the places above."""

    def __init__(self, settings: "Settings", nominal_v: int) -> None:
        self._settings = settings
        nominal_dv = 10 * nominal_v
        # EN 50160 and rows PQL-02, PQL-06, PQL-07, PQL-09
        self.values = [
            nominal_dv,
            nominal_dv * 8 // 10,
            nominal_dv * 115 // 100,
            nominal_dv // 2,
            1,
            1,
            1,
            1030,
            970,
            0,
            900,
        ]
        kept = settings.get(_KEY)
        if len(kept) == struct.calcsize(_FORM):
            self.values = list(struct.unpack(_FORM, kept))

    def set(self, place: int, value: int) -> None:
        """Set a limit. Raises ValueError out of its range or of the order cut, sag, swell."""
        low, high = _BOUNDS[place]
        if not low <= value <= high:
            raise ValueError("limit out of its range")
        values = list(self.values)
        values[place] = value
        if not values[CUT] < values[SAG] < values[SWELL]:
            raise ValueError("limits of voltage: cut below sag below swell")
        self._settings.put(_KEY, struct.pack(_FORM, *values))
        self.values = values
