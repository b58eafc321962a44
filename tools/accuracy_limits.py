"""Limits of error as data: what a class of a standard allows at a test point.

These are the limits as this project holds them; no standard's text is quoted, and passing here is
no certificate. Currents are multiples of the reference current (Ib of a direct meter, In behind
transformers). In EN 50470-3, Itr is a tenth of Ib and a twentieth of In.
"""

from __future__ import annotations

from dataclasses import dataclass

# What is swept; the keys of tables and limits
LOAD = "load"
ONE_PHASE = "one phase"
REACTIVE = "reactive"
VOLTAGE = "voltage"
FREQUENCY = "frequency"
ORDER = "phase order"
MISSING = "missing phases"
FIFTH = "5th harmonic"
HALF_WAVE = "half-wave current"
FIRED = "fired current"
BURST = "bursts"
TEMPERATURE = "temperature"
START = "start"
NO_LOAD = "no load"

# Power factors; of reactive points, sin phi
UNITY = "1"
HALF_IND = "0.5 ind"
EIGHT_CAP = "0.8 cap"
QUARTER = "0.25"
HALF = "0.5"


@dataclass(frozen=True)
class Band:
    """A limit in percent for `factors`, from one multiple of the current up to below another."""

    factors: tuple[str, ...]
    from_rel: float
    below_rel: float | None  # None: up to and with Imax
    percent: float

    def holds(self, factor: str, rel: float) -> bool:
        """True if the band has a limit for this point."""
        if factor not in self.factors or rel < self.from_rel * (1 - 1e-9):
            return False
        return self.below_rel is None or rel < self.below_rel * (1 - 1e-9)


@dataclass(frozen=True)
class Limits:
    """A class for one kind of connection."""

    name: str
    standard: str
    transformer: bool
    bands: dict[str, tuple[Band, ...]]  # by table
    variation: dict[str, dict[str, float]]  # by table and power factor
    start_rel: float | None = None  # starting current

    @property
    def title(self) -> str:
        """How the report calls it."""
        return f"{self.standard} class {self.name}"

    def allowed(self, table: str, factor: str, rel: float) -> float | None:
        """Percent (variation: percent; temperature: percent a kelvin), None without a limit."""
        if table in self.variation:
            return self.variation[table].get(factor)
        for band in self.bands.get(table, ()):
            if band.holds(factor, rel):
                return band.percent
        return None


_PF = (HALF_IND, EIGHT_CAP)
_ANY = (UNITY, HALF_IND, EIGHT_CAP)


def _iec_21(name: str, transformer: bool) -> Limits:
    """IEC 62053-21; the limits below the knee, above it, and of one phase."""
    low, main, single = {"1": (1.5, 1.0, 2.0), "2": (2.5, 2.0, 3.0)}[name]
    knee = 0.05 if transformer else 0.1
    first = 0.02 if transformer else 0.05
    second = name == "2"
    pf = (HALF_IND,) if second else _PF
    variation = {
        VOLTAGE: {UNITY: 1.0, HALF_IND: 1.5} if second else {UNITY: 0.7, HALF_IND: 1.0},
        FREQUENCY: {UNITY: 0.8, HALF_IND: 1.0} if second else {UNITY: 0.5, HALF_IND: 0.7},
        ORDER: {UNITY: 1.5},
        MISSING: {UNITY: 4.0 if second else 2.0},
        FIFTH: {UNITY: 1.0 if second else 0.8},
        FIRED: {UNITY: 6.0 if second else 3.0},
        BURST: {UNITY: 6.0 if second else 3.0},
        TEMPERATURE: {UNITY: 0.10, HALF_IND: 0.15} if second else {UNITY: 0.05, HALF_IND: 0.07},
    }
    if not transformer:
        variation[HALF_WAVE] = {UNITY: 6.0 if second else 3.0}
    return Limits(
        name,
        "IEC 62053-21",
        transformer,
        {
            LOAD: (
                Band((UNITY,), first, knee, low),
                Band((UNITY,), knee, None, main),
                Band(pf, knee, 2 * knee, low),
                Band(pf, 2 * knee, None, main),
            ),
            ONE_PHASE: (
                Band((UNITY,), knee, None, single),
                Band((HALF_IND,), 2 * knee, None, single),
            ),
        },
        variation,
        start_rel=(0.003 if second else 0.002) if transformer else (0.005 if second else 0.004),
    )


def _iec_22(name: str) -> Limits:
    """IEC 62053-22, transformer meters."""
    better = name == "0.2S"

    def pick(fine: float, coarse: float) -> float:
        return fine if better else coarse

    return Limits(
        name,
        "IEC 62053-22",
        True,
        {
            LOAD: (
                Band((UNITY,), 0.01, 0.05, pick(0.4, 1.0)),
                Band((UNITY,), 0.05, None, pick(0.2, 0.5)),
                Band(_PF, 0.02, 0.1, pick(0.5, 1.0)),
                Band(_PF, 0.1, None, pick(0.3, 0.6)),
            ),
            ONE_PHASE: (
                Band((UNITY,), 0.05, None, pick(0.3, 0.6)),
                Band((HALF_IND,), 0.1, None, pick(0.4, 1.0)),
            ),
        },
        {
            VOLTAGE: {UNITY: pick(0.1, 0.2), HALF_IND: pick(0.2, 0.4)},
            FREQUENCY: {UNITY: pick(0.1, 0.2), HALF_IND: pick(0.1, 0.2)},
            ORDER: {UNITY: pick(0.05, 0.1)},
            MISSING: {UNITY: pick(0.5, 1.0)},
            FIFTH: {UNITY: pick(0.4, 0.5)},
            BURST: {UNITY: pick(0.6, 1.5)},
            TEMPERATURE: {
                UNITY: pick(0.01, 0.03),
                HALF_IND: pick(0.02, 0.05),
            },
        },
        start_rel=0.001,
    )


def _mid(name: str, transformer: bool) -> Limits:
    """EN 50470-3 at +5..30 degrees C."""
    at = "ABC".index(name)
    low, main, single = ((3.5, 3.5, 4.0), (2.0, 2.0, 2.5), (1.0, 0.7, 1.0))[at]
    turn = 0.05 if transformer else 0.1
    lowest = turn * ((0.4, 0.2, 0.2) if transformer else (0.5, 0.5, 0.3))[at]
    start = turn * ((0.06, 0.04, 0.02) if transformer else (0.05, 0.04, 0.04))[at]
    return Limits(
        name,
        "EN 50470-3",
        transformer,
        {
            LOAD: (Band((UNITY,), lowest, turn, low), Band(_ANY, turn, None, main)),
            ONE_PHASE: (Band((UNITY, HALF_IND), turn, None, single),),
        },
        {FIFTH: {UNITY: (1.0, 0.8, 0.5)[at]}},
        start_rel=start,
    )


def _iec_23(name: str, transformer: bool) -> Limits:
    """IEC 62053-23; factors are sin phi."""
    main, weak = {"2": (2.0, 2.5), "3": (3.0, 4.0)}[name]
    knee = 0.05 if transformer else 0.1
    first = 0.02 if transformer else 0.05
    return Limits(
        name,
        "IEC 62053-23",
        transformer,
        {
            REACTIVE: (
                Band((UNITY,), first, knee, weak),
                Band((UNITY,), knee, None, main),
                Band((HALF,), knee, 2 * knee, weak),
                Band((HALF,), 2 * knee, None, main),
                Band((QUARTER,), 2 * knee, None, weak),
            )
        },
        {},
    )


# By the word the command line takes
CLASSES: dict[str, dict[bool, Limits]] = {
    "0.2S": {True: _iec_22("0.2S")},
    "0.5S": {True: _iec_22("0.5S")},
    "1": {transformer: _iec_21("1", transformer) for transformer in (False, True)},
    "2": {transformer: _iec_21("2", transformer) for transformer in (False, True)},
    "A": {transformer: _mid("A", transformer) for transformer in (False, True)},
    "B": {transformer: _mid("B", transformer) for transformer in (False, True)},
    "C": {transformer: _mid("C", transformer) for transformer in (False, True)},
    "R2": {transformer: _iec_23("2", transformer) for transformer in (False, True)},
    "R3": {transformer: _iec_23("3", transformer) for transformer in (False, True)},
}


def of(name: str, transformer: bool) -> Limits | None:
    """The class for a kind of connection; None if it is not made for that."""
    return CLASSES[name].get(transformer)
