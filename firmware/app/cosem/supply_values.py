"""Objects of power quality: limits, sags and swells, voltage levels (rows PQL-02 to PQL-15).

1-0:C.32.0, C.33.0, C.34.0 are number, duration (ms) and magnitude (mV) of sags, C.36.0 to C.38.0
of swells; C is 32, 52, 72 by phase and 12 for any. 0-0:128.7.E counts ten-minute means by level;
0-0:128.7.90 and .91 hold this week and the last whole one by EN 50160: for each phase how many
means there were, how many within 10 %, lowest and highest in tenths of a volt. 0-0:128.7.92 and
.93 are what EN 50160 asks of them, as app.quality.weeks counts it; 1-0:99.142.0 keeps the weeks.
0-0:128.7.60 to .63 and .70 to .76 are thresholds, a limit and seconds each, .64 to .67 count how
often the first four were met (rows PQL-13 and PQL-14).
"""

from micropython import const

from app.axdr import OCTET_STRING, STRUCTURE, UINT16, UINT32
from app.cosem import access
from app.cosem.base import CHOICE, NO_ACCESS, READ, READ_WRITE, InterfaceClass
from app.cosem.data import Data
from app.cosem.register import Register, scaler_unit
from app.cosem.values import Structure, Value
from app.quality import disturbances, limits, voltage_levels
from app.quality.thresholds import COUNTED

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.axdr import Reader, Writer
    from app.cosem.base import Session
    from app.cosem.objects import Objects
    from app.quality.disturbances import Disturbances
    from app.quality.limits import Limits
    from app.quality.parts import QualityParts
    from app.quality.thresholds import Thresholds
    from app.quality.voltage_levels import VoltageLevels
    from app.quality.weeks import Weeks

_UNIT_V = const(35)
_UNIT_S = const(7)
_NO_UNIT = const(255)
# limit, name, power of ten and unit
_LIMITS = (
    (limits.NOMINAL, (1, 0, 0, 6, 0), -1, _UNIT_V),
    (limits.SAG, (1, 0, 12, 31, 0), -1, _UNIT_V),
    (limits.SWELL, (1, 0, 12, 35, 0), -1, _UNIT_V),
    (limits.CUT, (1, 0, 12, 39, 0), -1, _UNIT_V),
    (limits.SAG_S, (1, 0, 12, 43, 0), 0, _UNIT_S),
    (limits.SWELL_S, (1, 0, 12, 44, 0), 0, _UNIT_S),
    (limits.CUT_S, (1, 0, 12, 45, 0), 0, _UNIT_S),
    (limits.UPPER, (0, 0, 128, 7, 50), -3, _NO_UNIT),
    (limits.LOWER, (0, 0, 128, 7, 51), -3, _NO_UNIT),
    (limits.POWER_FACTOR, (0, 0, 128, 7, 80), -3, _NO_UNIT),
    (limits.POWER_FACTOR_S, (0, 0, 128, 7, 81), 0, _UNIT_S),
)
_C = (32, 52, 72, 12)  # of L1, L2, L3 and any
_D = (32, 36)  # of sags and swells; duration and magnitude follow
_LEVELS_E = const(11)
_WEEKS_E = const(90)
_SUMMARIES_E = const(92)
_THRESHOLDS_E = (60, 61, 62, 63, 70, 71, 72, 73, 74, 75, 76)
_COUNTS_E = const(64)


class Counts(InterfaceClass):
    """Data, version 0: many counters of 32 bits, by index."""

    CLASS_ID = 1
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (CHOICE, READ),  # 2 value
    )

    def __init__(self, count: "Callable[[int], int]") -> None:
        self._count = count

    def get(self, writer: "Writer", key: int, index: int, session: "Session") -> None:
        """Encode the value."""
        writer.uint32(self._count(key))


class LimitRegister(InterfaceClass):
    """Register, version 0, whose value may be set: the limits, by index into _LIMITS."""

    CLASS_ID = 3
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (CHOICE, READ_WRITE),  # 2 value
        (STRUCTURE, READ),  # 3 scaler_unit
    )
    METHODS = (
        NO_ACCESS,  # 1 reset
    )

    def __init__(self, bounds: "Limits") -> None:
        self._limits = bounds

    def get(self, writer: "Writer", key: int, index: int, session: "Session") -> None:
        """Encode an attribute."""
        place, _, scaler, unit = _LIMITS[key]
        if index == 2:
            writer.uint16(self._limits.values[place])
        else:
            scaler_unit(writer, scaler, unit)

    def put(self, reader: "Reader", key: int, index: int, session: "Session") -> None:
        """Set the limit. Raises ValueError, OSError."""
        self._limits.set(_LIMITS[key][0], reader.number(UINT16))


class Lasted:
    """Duration and magnitude of the last sag or swell; index: kind, column, which of the two."""

    def __init__(self, source: "Disturbances", columns: "list[int]") -> None:
        self._source = source
        self._columns = columns

    def value(self, index: int) -> int:
        """Return milliseconds or millivolts."""
        what = disturbances.DURATION_MS + (index & 1)
        kind, place = divmod(index >> 1, len(self._columns))
        return self._source.value(kind, self._columns[place], what)

    def form(self, index: int) -> "tuple[int, int, int]":
        """Return the power of ten, the unit code and the A-XDR type of the value."""
        return -3, _UNIT_V if index & 1 else _UNIT_S, UINT32


class Week(Value):
    """A week by EN 50160: an array of phases."""

    def __init__(self, levels: "VoltageLevels", back: int, phases: int) -> None:
        self._levels = levels
        self._back = back
        self._phases = phases

    def read(self, writer: "Writer") -> None:
        """Encode what is known of each phase."""
        writer.array(self._phases)
        for phase in range(self._phases):
            writer.structure(4)
            for what in range(4):
                writer.uint16(self._levels.week(self._back, phase, what))


class Summary(Value):
    """A week by EN 50160: a structure of counters."""

    def __init__(self, weeks: "Weeks", back: int) -> None:
        self._weeks = weeks
        self._back = back

    def read(self, writer: "Writer") -> None:
        """Encode them."""
        values = self._weeks.values(self._back)
        writer.structure(len(values))
        for value in values:
            writer.uint32(value)


def _threshold(thresholds: "Thresholds", place: int) -> Structure:
    """Limit in 0.1 V, 0.01 Hz or 0.1 A, and seconds."""

    def put(limit: int, seconds: int) -> None:
        thresholds.set(place, limit, seconds)

    return Structure((UINT16,) * 2, lambda: thresholds.value(place), put)


def add(objects: "Objects", quality: "QualityParts", phases: int) -> None:
    """Add the objects."""
    group = access.READINGS
    names = b"".join([bytes(name + (255,)) for _, name, _, _ in _LIMITS])
    objects.add_family(LimitRegister(quality.limits), names, access.SETTINGS)
    source = quality.disturbances
    columns = list(range(phases)) + [disturbances.ANY]  # of a phase that is not there: none
    many = len(columns)
    numbers = lasted = levels = b""
    for d in _D:
        for c in [_C[column] for column in columns]:
            numbers += bytes((1, 0, c, d, 0, 255))
            lasted += bytes((1, 0, c, d + 1, 0, 255, 1, 0, c, d + 2, 0, 255))
    for column in columns:
        for level in range(voltage_levels.LEVELS):
            levels += bytes((0, 0, 128, 7, _LEVELS_E + 10 * column + level, 255))
    number = disturbances.NUMBER
    counts = Counts(lambda key: source.value(key // many, columns[key % many], number))
    objects.add_family(counts, numbers, group)
    objects.add_family(Register(Lasted(source, columns)), lasted, group)
    table = quality.levels
    per = voltage_levels.LEVELS
    objects.add_family(
        Counts(lambda key: table.count(columns[key // per], key % per)), levels, group
    )
    data = Data()
    bypass = quality.bypass
    if bypass.measured:
        # from when on a bypass is one: percent, milliamperes, seconds (row FRD-12)
        bounds = Structure(
            (UINT16,) * 3, lambda: bypass.values, lambda *them: bypass.set(list(them))
        )
        objects.add((0, 0, 128, 80, 10), data, bounds, access.SETTINGS)
    thresholds = quality.thresholds
    for place, e in enumerate(_THRESHOLDS_E):
        objects.add((0, 0, 128, 7, e), data, _threshold(thresholds, place), access.SETTINGS)
    met = b"".join([bytes((0, 0, 128, 7, _COUNTS_E + k, 255)) for k in range(COUNTED)])
    objects.add_family(Counts(lambda key: thresholds.counts[key]), met, group)
    for back in range(voltage_levels.WEEKS):
        objects.add((0, 0, 128, 7, _WEEKS_E + back), data, Week(table, back, phases), group)
        summary = Summary(quality.weeks, back)
        objects.add((0, 0, 128, 7, _SUMMARIES_E + back), data, summary, group)
