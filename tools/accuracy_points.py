"""The sweep: which conditions are measured for which table, in quick and in full."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import accuracy_limits as limits
from accuracy_frontend import Nameplate
from accuracy_signal import ALL, BURST, FIFTH, FIRED, HALF_WAVE, Condition

LAG_DEG = {
    limits.UNITY: 0.0,
    limits.HALF_IND: 60.0,
    limits.EIGHT_CAP: -math.degrees(math.acos(0.8)),
}
SIN_DEG = {
    limits.UNITY: 90.0,
    limits.HALF: 30.0,
    limits.QUARTER: math.degrees(math.asin(0.25)),
}
# A kelvin's coefficient is asked between these distances from the temperature of calibration
KELVIN = (-33.0, 22.0)

_LADDER = (1.0, 2.0, 5.0)
_FULL_LADDER = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)


@dataclass(frozen=True)
class Point:
    """One line of a table. With a base, it is the error's variation from there that counts."""

    table: str
    factor: str  # power factor, or sin phi
    rel: float  # current in multiples of the reference current
    condition: Condition
    note: str = ""
    base: Condition | None = None
    export: bool = False

    @property
    def reactive(self) -> bool:
        """True if reactive energy is compared."""
        return self.table == limits.REACTIVE


def ladder(plate: Nameplate, first: float, full: bool) -> list[float]:
    """Multiples of the reference current from `first` to Imax, knees of the limits included."""
    last = plate.maximum_a / plate.reference_a
    steps = _FULL_LADDER if full else _LADDER
    values = {first, last}
    for decade in (0.01, 0.1, 1.0, 10.0):
        values.update(decade * step for step in steps)
    chosen = sorted(round(value, 6) for value in values if first <= value <= last)
    return [value for k, value in enumerate(chosen) if k == 0 or value > chosen[k - 1] * 1.01]


def _first_rel(plate: Nameplate) -> float:
    """Lowest multiple of the current that any class asks for."""
    return 0.01 if plate.transformer else 0.03


def _load(plate: Nameplate, full: bool) -> list[Point]:
    points: list[Point] = []
    for factor, lag in LAG_DEG.items():
        first = _first_rel(plate) * (1 if factor == limits.UNITY else 2)
        for rel in ladder(plate, first, full):
            condition = Condition(rel * plate.reference_a, lag)
            points.append(Point(limits.LOAD, factor, rel, condition))
            if factor != limits.EIGHT_CAP and (full or rel in (0.1, 1.0)):
                back = replace(condition, lag_deg=lag + 180)
                points.append(Point(limits.LOAD, factor, rel, back, "export", export=True))
    return points


def _one_phase(plate: Nameplate, full: bool) -> list[Point]:
    if plate.phases == 1:
        return []
    knee = 0.05 if plate.transformer else 0.1
    last = plate.maximum_a / plate.reference_a
    points: list[Point] = []
    for factor in (limits.UNITY, limits.HALF_IND):
        first = knee if factor == limits.UNITY else 2 * knee
        values = ladder(plate, first, True) if full else [first, 1.0, last]
        for rel in values:
            for phase in ALL:
                condition = Condition(rel * plate.reference_a, LAG_DEG[factor], (phase,))
                points.append(
                    Point(limits.ONE_PHASE, factor, rel, condition, f"load on L{phase + 1}")
                )
    return points


def _reactive(plate: Nameplate, full: bool) -> list[Point]:
    points: list[Point] = []
    knee = 0.05 if plate.transformer else 0.1
    lowest = {limits.UNITY: 0.4 * knee + 0.01 * (not plate.transformer), limits.HALF: knee}
    for factor, lag in SIN_DEG.items():
        for sign, note in ((1, "ind"), (-1, "cap")):
            for rel in ladder(plate, lowest.get(factor, 2 * knee), full):
                if sign < 0 and not full and rel not in (0.1, 1.0):
                    continue
                condition = Condition(rel * plate.reference_a, sign * lag)
                points.append(Point(limits.REACTIVE, factor, rel, condition, note))
    return points


def _variation(
    table: str, factor: str, rel: float, plate: Nameplate, note: str, **change: object
) -> Point:
    base = Condition(rel * plate.reference_a, LAG_DEG[factor])
    return Point(table, factor, rel, replace(base, **change), note, base)  # type: ignore[arg-type]


def _influences(plate: Nameplate, full: bool) -> list[Point]:
    last = plate.maximum_a / plate.reference_a
    knee = 0.05 if plate.transformer else 0.1
    points: list[Point] = []
    for factor in (limits.UNITY, limits.HALF_IND):
        first = knee if factor == limits.UNITY else 2 * knee
        values = ladder(plate, first, False) if full else [first, 1.0, last]
        for rel in values:
            for part in (-0.10, 0.10):
                points.append(_variation(
                    limits.VOLTAGE, factor, rel, plate, f"{part:+.0%} U", u_rel=1 + part
                ))  # fmt: skip
            for part in (-0.02, 0.02):
                points.append(_variation(
                    limits.FREQUENCY, factor, rel, plate, f"{part:+.0%} f", f_rel=1 + part
                ))  # fmt: skip
        for kelvin in KELVIN:
            points.append(_variation(
                limits.TEMPERATURE, factor, 1.0, plate, f"{kelvin:+.0f} K", kelvin=kelvin
            ))  # fmt: skip
    if plate.phases == 3:
        points.append(_variation(
            limits.ORDER, limits.UNITY, 0.1, plate, "L1 L3 L2", reversed_order=True
        ))  # fmt: skip
        for missing in ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2)):
            note = "without " + " ".join(f"L{phase + 1}" for phase in missing)
            points.append(_variation(
                limits.MISSING, limits.UNITY, 1.0, plate, note, missing=missing
            ))  # fmt: skip
    points += [
        _variation(limits.FIFTH, limits.UNITY, last / 2, plate, "10 % U, 40 % I", wave=FIFTH),
        _variation(limits.FIRED, limits.UNITY, 0.5, plate, "from 90 degrees", wave=FIRED),
        _variation(limits.BURST, limits.UNITY, 0.5, plate, "2 cycles on, 2 off", wave=BURST),
    ]
    if not plate.transformer:
        points.append(_variation(
            limits.HALF_WAVE, limits.UNITY, last, plate, "Imax / root 2", wave=HALF_WAVE
        ))  # fmt: skip
    return points


def starts(plate: Nameplate, rels: set[float]) -> list[Point]:
    """Starting currents in both directions, and no load."""
    points: list[Point] = []
    for rel in sorted(rels):
        for lag, note in ((0.0, "import"), (180.0, "export")):
            condition = Condition(rel * plate.reference_a, lag)
            points.append(Point(limits.START, limits.UNITY, rel, condition, note, export=lag > 0))
    nothing = Condition(0.0, u_rel=1.15)
    points.append(Point(limits.NO_LOAD, limits.UNITY, 0.0, nothing, "115 % U"))
    return points


def sweep(plate: Nameplate, start_rels: set[float], full: bool) -> list[Point]:
    """All points of a meter."""
    return [
        *_load(plate, full),
        *_one_phase(plate, full),
        *_reactive(plate, full),
        *_influences(plate, full),
        *starts(plate, start_rels),
    ]


def conditions(points: list[Point]) -> list[Condition]:
    """What has to be measured for these points, each once, in a steady order."""
    found: dict[Condition, None] = {}
    for point in points:
        if point.base is not None:
            found[point.base] = None
        found[point.condition] = None
    return list(found)
