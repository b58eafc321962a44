"""Pictures of a sweep: error against current with the limits shaded, influences as bars."""

from __future__ import annotations

from typing import Any

import accuracy_limits as limits
import matplotlib as mpl
import numpy as np
from accuracy_frontend import Nameplate
from accuracy_judge import Judged, Outcome, Verdict
from accuracy_limits import Limits
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

mpl.rcParams["svg.fonttype"] = "none"
mpl.rcParams["svg.hashsalt"] = "ferraris"
mpl.rcParams["font.size"] = 9

_LINEAR = 0.1  # percent: up to here the error axis is linear, beyond logarithmic
_LIMIT = "#b3261e"
_INSIDE = "#e8f2ea"
_LINES = ("#1f5a96", "#c0561c", "#3f7d4e")
_PHASES = {"L1": "#8c564b", "L2": "#222222", "L3": "#8a8a8a"}  # brown, black, grey (IEC 60445)
_TICKS = (-20, -5, -2, -1, -0.5, -0.2, -0.1, -0.05, 0, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 20)


def draw(title: str, plate: Nameplate, outcomes: list[Outcome], verdict: Verdict) -> list[Figure]:
    """All pictures of one meter; limits are those of the verdict's class."""
    of = verdict.limits
    result = [_load(title, plate, outcomes, of)]
    if plate.phases > 1:
        result.append(_one_phase(title, plate, outcomes, of))
    reactive = limits.of("R2", plate.transformer)
    if reactive is not None:
        result.append(_reactive(title, plate, outcomes, reactive))
    bars = _influences(title, verdict)
    return [*result, bars] if bars is not None else result


def _plain(value: float, _: int | None) -> str:
    return f"{value:g}"


def _signed(value: float, _: int | None) -> str:
    return f"{value:+g}" if value else "0"


def _figure(title: str, panels: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(11, 3.7), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    axes: Any = figure.subplots(1, panels, sharey=True, squeeze=False)
    return figure, list(axes[0])


def _staircase(of: Limits, table: str, factor: str, last: float) -> tuple[Any, Any]:
    """Currents and limits of a table's bands, as a line with steps."""
    x: list[float] = []
    y: list[float] = []
    for band in of.bands.get(table, ()):
        if factor in band.factors:
            x += [band.from_rel, band.below_rel or last]
            y += [band.percent, band.percent]
    return np.array(x), np.array(y)


def _prepare(
    axes: Axes, plate: Nameplate, of: Limits, table: str, factor: str, heading: str
) -> float:
    """Shade what the class allows; return its widest limit."""
    last = plate.maximum_a / plate.reference_a
    x, y = _staircase(of, table, factor, last)
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=_LINEAR, linscale=1.0)
    if len(x):
        x = x * plate.reference_a
        axes.fill_between(x, -y, y, color=_INSIDE, zorder=0)
        for side in (-1, 1):
            axes.plot(x, side * y, color=_LIMIT, linewidth=1.1, zorder=1)
    axes.axhline(0, color="#555555", linewidth=0.6, zorder=1)
    axes.set_title(heading, fontsize=9.5, loc="left")
    axes.set_xlabel("current in A")
    axes.grid(alpha=0.25, which="major")
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    return float(y.max()) if len(y) else 1.0


def _finish(axes: list[Axes], plate: Nameplate, widest: float, outcomes: list[Outcome]) -> None:
    """Common scales: what the limits or the errors need."""
    largest = max((abs(o.value) for o in outcomes if o.value is not None), default=0.0)
    top = max(widest, largest) * 1.3
    ticks = [tick for tick in _TICKS if abs(tick) <= top]
    lowest = min((o.point.condition.current_a for o in outcomes), default=plate.reference_a)
    for one in axes:
        one.set_ylim(-top, top)
        one.set_xlim(lowest * 0.8, plate.maximum_a * 1.25)
        one.yaxis.set_major_locator(FixedLocator(ticks))
        one.yaxis.set_minor_locator(NullLocator())
        one.yaxis.set_major_formatter(FuncFormatter(_signed))
    axes[0].set_ylabel(f"error in %, logarithmic beyond {_LINEAR:g}")


def _curve(
    axes: Axes, outcomes: list[Outcome], colour: str, label: str, style: str = "o-"
) -> None:
    pairs = sorted((o.point.condition.current_a, o.value) for o in outcomes if o.value is not None)
    if pairs:
        x, y = zip(*pairs, strict=True)
        axes.plot(x, y, style, color=colour, label=label, markersize=3.5, linewidth=1.2)


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:  # else nothing was measured
        axes.legend(loc="lower right", bbox_to_anchor=(1, 0.08), fontsize=8, frameon=False)


def _of(outcomes: list[Outcome], table: str, factor: str | None = None) -> list[Outcome]:
    return [
        o for o in outcomes
        if o.point.table == table and factor in (None, o.point.factor)
    ]  # fmt: skip


def _load(title: str, plate: Nameplate, outcomes: list[Outcome], of: Limits) -> Figure:
    figure, axes = _figure(f"{title}: active energy, limits of {of.title}", 3)
    factors = (limits.UNITY, limits.HALF_IND, limits.EIGHT_CAP)
    widest = 0.0
    for one, factor, colour in zip(axes, factors, _LINES, strict=True):
        widest = max(widest, _prepare(one, plate, of, limits.LOAD, factor, f"PF {factor}"))
        chosen = _of(outcomes, limits.LOAD, factor)
        _curve(one, [o for o in chosen if not o.point.export], colour, "import")
        _curve(one, [o for o in chosen if o.point.export], "#222222", "export", "x")
        _legend(one)
    _finish(axes, plate, widest, _of(outcomes, limits.LOAD))
    return figure


def _one_phase(title: str, plate: Nameplate, outcomes: list[Outcome], of: Limits) -> Figure:
    figure, axes = _figure(f"{title}: load on one phase, limits of {of.title}", 2)
    widest = 0.0
    for one, factor in zip(axes, (limits.UNITY, limits.HALF_IND), strict=True):
        widest = max(widest, _prepare(one, plate, of, limits.ONE_PHASE, factor, f"PF {factor}"))
        for name, colour in _PHASES.items():
            chosen = _of(outcomes, limits.ONE_PHASE, factor)
            _curve(one, [o for o in chosen if o.point.note.endswith(name)], colour, name)
        _legend(one)
    _finish(axes, plate, widest, _of(outcomes, limits.ONE_PHASE))
    return figure


def _reactive(title: str, plate: Nameplate, outcomes: list[Outcome], of: Limits) -> Figure:
    figure, axes = _figure(f"{title}: reactive energy, limits of {of.title}", 3)
    widest = 0.0
    factors = (limits.UNITY, limits.HALF, limits.QUARTER)
    for one, factor, colour in zip(axes, factors, _LINES, strict=True):
        widest = max(
            widest, _prepare(one, plate, of, limits.REACTIVE, factor, f"sin phi {factor}")
        )
        chosen = _of(outcomes, limits.REACTIVE, factor)
        _curve(one, [o for o in chosen if o.point.note == "ind"], colour, "inductive")
        _curve(one, [o for o in chosen if o.point.note == "cap"], "#222222", "capacitive", "x")
        _legend(one)
    _finish(axes, plate, widest, _of(outcomes, limits.REACTIVE))
    return figure


def _influences(title: str, verdict: Verdict) -> Figure | None:
    """How much of its limit each influence takes up, worst point of each."""
    rows: list[Judged] = [
        verdict.tables[name][0]
        for name in verdict.limits.variation
        if name in verdict.tables and verdict.tables[name][0].outcome.value is not None
    ]
    if not rows:
        return None
    figure = Figure(figsize=(11, 0.9 + 0.32 * len(rows)), layout="constrained")
    figure.suptitle(
        f"{title}: influences, part of the variation that {verdict.limits.title} allows",
        x=0.01, ha="left", fontsize=11, fontweight="bold",
    )  # fmt: skip
    axes = figure.subplots()
    shown = max(1.15, min(3.0, max(row.used for row in rows) * 1.2))
    for k, row in enumerate(reversed(rows)):
        point, value = row.outcome.point, row.outcome.value or 0.0
        used = min(row.used, shown)
        axes.barh(k, used, height=0.55, color=_LIMIT if row.used > 1 else _LINES[0])
        unit = "%/K" if point.table == limits.TEMPERATURE else "%"
        text = f" {value:+.3g} of {row.allowed:g} {unit} (PF {point.factor}, {point.note})"
        inside = used > 0.6 * shown
        axes.text(
            used - 0.01 if inside else used, k, text + (" " if inside else ""), va="center",
            ha="right" if inside else "left", fontsize=8, color="white" if inside else "#222222",
        )  # fmt: skip
    axes.set_yticks(range(len(rows)), [row.outcome.point.table for row in reversed(rows)])
    axes.axvline(1, color=_LIMIT, linewidth=1.2)
    axes.set_xlim(0, shown)
    axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
    axes.grid(alpha=0.25, axis="x")
    return figure
