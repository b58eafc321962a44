"""From measured conditions to verdicts: every point of a table against a class's limit."""

from __future__ import annotations

from dataclasses import dataclass

import accuracy_limits as limits
from accuracy_frontend import Nameplate
from accuracy_limits import Limits
from accuracy_points import Point
from accuracy_run import Measured
from accuracy_signal import Condition

# Where a table's points are judged by registers that move or stand still, not by a percentage
_COUNTED = (limits.START, limits.NO_LOAD)
_STARTED = 0.5  # part of the true energy that a meter that runs registers at least


@dataclass(frozen=True)
class Outcome:
    """One point: percent of error or variation (temperature: percent a kelvin), or None."""

    point: Point
    measured: Measured
    value: float | None
    error: float | None  # the point's own error, whatever counts
    wrong: str  # a reason to fail at any limit


@dataclass(frozen=True)
class Judged:
    """An outcome against a class. `used` is the part of the limit it takes up."""

    outcome: Outcome
    allowed: float | None  # None: judged by registers alone
    used: float


@dataclass
class Verdict:
    """A class's tables: every judged point, worst first."""

    limits: Limits
    tables: dict[str, list[Judged]]

    @property
    def passed(self) -> bool:
        """True if every point is within its limit."""
        return all(rows[0].used <= 1 for rows in self.tables.values())


def outcomes(
    points: list[Point], found: dict[Condition, Measured], plate: Nameplate
) -> list[Outcome]:
    """Turn measured conditions into the values that limits are set for."""
    result: list[Outcome] = []
    for point in points:
        measured = found[point.condition]
        error = measured.reactive_percent if point.reactive else measured.active_percent
        value = error
        if point.base is not None and error is not None:
            base = found[point.base].active_percent
            value = None if base is None else error - base
        if point.table == limits.TEMPERATURE and value is not None:
            value /= point.condition.kelvin
        wrong = measured.wrong
        if not measured.pulses_agree:
            wrong = "pulses and register disagree"
        elif point.table == limits.START:
            wrong = wrong or _not_started(measured)
        elif point.table == limits.NO_LOAD:
            wrong = wrong or _runs_idle(measured, plate)
        result.append(Outcome(point, measured, value, error, wrong))
    return result


def _not_started(measured: Measured) -> str:
    error = measured.active_percent
    if error is None or error < -100 * _STARTED:
        return "the meter does not start"
    return ""


def _runs_idle(measured: Measured, plate: Nameplate) -> str:
    """At most one pulse in 600e6 / (k * m * Un * Imax) minutes."""
    pulses = sum(measured.gained_wh[:2]) / 1000 * plate.pulses_per_kwh
    minutes = 600e6 / (plate.pulses_per_kwh * plate.phases * plate.voltage_v * plate.maximum_a)
    if pulses * minutes * 60 / measured.seconds > 1:
        return "the meter runs without a load"
    return ""


def judge(found: list[Outcome], of: Limits) -> Verdict:
    """Hold outcomes against one class."""
    tables: dict[str, list[Judged]] = {}
    for outcome in found:
        point = outcome.point
        allowed = None
        if point.table == limits.START:
            if of.start_rel is None or abs(point.rel / of.start_rel - 1) > 1e-6:
                continue
        elif point.table == limits.NO_LOAD:
            if of.start_rel is None:
                continue
        else:
            allowed = of.allowed(point.table, point.factor, point.rel)
            if allowed is None:
                continue
        tables.setdefault(point.table, []).append(
            Judged(outcome, allowed, _used(outcome, allowed))
        )
    for rows in tables.values():
        rows.sort(key=lambda row: -row.used)
    return Verdict(of, tables)


def _used(outcome: Outcome, allowed: float | None) -> float:
    if outcome.wrong:
        return float("inf")
    if outcome.point.table in _COUNTED or allowed is None:
        return 0.0
    # A point of a table with limits always has a true energy
    return float("inf") if outcome.value is None else abs(outcome.value) / allowed
