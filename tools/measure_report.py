"""What `make measure` shows: a table for the terminal, and a picture beside the recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

_COLOURS = ("#8c564b", "#333333", "#7f7f7f")  # L1 brown, L2 black, L3 grey (IEC 60445)
_ZOOM_CYCLES = 3
_MAX_DRAWN = 4000  # points of an overview; a longer recording is drawn as an envelope
_HARMONICS = 25
_PHASOR_CYCLES = 10  # phasors and harmonics are of the last cycles: f may wander in the whole

# Key, heading, unit, decimals of the rows that hold one value a phase.
_ROWS = (
    ("u", "U", "V", 4),
    ("i", "I", "A", 5),
    ("p", "P", "W", 3),
    ("q", "Q1", "var", 3),
    ("s", "S", "VA", 3),
    ("pf", "PF", "", 5),
    ("thd_u", "THD U", "%", 3),
    ("thd_i", "THD I", "%", 3),
)
_ENERGY_NAMES = {
    "1.8.0": "active import +A",
    "2.8.0": "active export -A",
    "3.8.0": "reactive import +R",
    "4.8.0": "reactive export -R",
    "5.8.0": "reactive QI",
    "6.8.0": "reactive QII",
    "7.8.0": "reactive QIII",
    "8.8.0": "reactive QIV",
    "9.8.0": "apparent import +S",
    "10.8.0": "apparent export -S",
    "15.8.0": "active |+A|+|-A|",
    "16.8.0": "active |+A|-|-A|",
}


def _energy_unit(code: str) -> str:
    group = int(code.split(".", maxsplit=1)[0])
    return "Wh" if group in (1, 2, 15, 16) else "VAh" if group in (9, 10) else "varh"


def table(title: str, result: dict[str, Any]) -> str:
    """Lay out the quantities as text, one column per phase and one for the total."""
    phases = len(result["u"])
    lines = [title, ""]
    heads = "".join(f"{'L' + str(n + 1):>16}" for n in range(phases))
    lines.append(f"{'':<12}{heads}{'total':>16}")
    totals = {"p": result["p_total"], "q": sum(result["q"]), "s": sum(result["s"])}
    for key, name, unit, decimals in _ROWS:
        label = f"{name} [{unit}]" if unit else name
        cells = "".join(f"{value:>16.{decimals}f}" for value in result[key])
        if key in totals and phases > 1:
            cells += f"{totals[key]:>16.{decimals}f}"
        lines.append(f"{label:<12}{cells}")
    lines.append(f"{'f [Hz]':<12}{result['f']:>16.5f}")
    lines.append("")
    for code, value in result["energy_wh"].items():
        name = _ENERGY_NAMES.get(code, "")
        lines.append(f"{code:<8}{name:<22}{value:>16.6f} {_energy_unit(code)}")
    return "\n".join(lines)


def _envelope(values: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Thin a long waveform to minimum and maximum of each stretch, so that peaks stay visible."""
    if len(values) <= _MAX_DRAWN:
        return times, values
    stretch = -(-len(values) // (_MAX_DRAWN // 2))
    whole = len(values) // stretch * stretch
    parts = values[:whole].reshape(-1, stretch)
    drawn = np.column_stack((parts.min(axis=1), parts.max(axis=1))).ravel()
    return np.repeat(times[:whole:stretch], 2), drawn


def _order(values: np.ndarray, rate_hz: float, f_hz: float, order: int) -> complex:
    """RMS phasor of one harmonic over the last whole cycles."""
    cycle = rate_hz / f_hz
    count = round(min(int(len(values) / cycle), _PHASOR_CYCLES) * cycle)
    if count == 0:
        return 0j
    k = np.arange(len(values) - count, len(values))
    turn = np.exp(-2j * np.pi * order * f_hz / rate_hz * k)
    return complex(np.sqrt(2) * np.mean(values[k] * turn))


def _phasor(values: np.ndarray, rate_hz: float, f_hz: float) -> complex:
    return _order(values, rate_hz, f_hz, 1)


def _harmonics(values: np.ndarray, rate_hz: float, f_hz: float) -> np.ndarray:
    """Percent of the fundamental for the orders from 2 to 25 or to half the sampling rate."""
    highest = min(_HARMONICS, int(rate_hz / 2 / f_hz))
    fundamental = abs(_phasor(values, rate_hz, f_hz))
    sizes = [abs(_order(values, rate_hz, f_hz, n)) for n in range(2, highest + 1)]
    return np.array(sizes) * (100 / fundamental if fundamental > 0 else 0)


def _draw_waves(axes: Axes, times: np.ndarray, waves: list[np.ndarray], name: str) -> None:
    for n, wave in enumerate(waves):
        x, y = _envelope(wave, times)
        axes.plot(x, y, color=_COLOURS[n], linewidth=0.9, label=f"L{n + 1}")
    axes.set_ylabel(name)
    axes.grid(alpha=0.3)


def _draw_phasors(axes: Axes, voltages: list[complex], currents: list[complex]) -> None:
    """Both kinds on one circle, each in units of its largest; voltage L1 points to the right."""
    turn = np.conj(voltages[0]) / abs(voltages[0]) if abs(voltages[0]) > 0 else 1
    for values, style, kind in ((voltages, "-", "U"), (currents, "--", "I")):
        largest = max(abs(value) for value in values) or 1
        for n, value in enumerate(values):
            if abs(value) < largest * 1e-6:
                continue
            point = value * turn / largest * (1 if kind == "U" else 0.7)
            axes.plot([0, np.angle(point)], [0, abs(point)], style, color=_COLOURS[n], linewidth=2)
            axes.annotate(f"{kind}{n + 1}", (np.angle(point), abs(point)))
    axes.set_yticklabels([])
    axes.set_title("phasors of the last cycles (I dashed, own scale)", fontsize=9)


def picture(
    path: Path,
    title: str,
    rate_hz: float,
    waves: dict[str, np.ndarray],
    result: dict[str, Any],
) -> None:
    """Draw waveforms, their last cycles, phasors and harmonics into a PNG file."""
    phases = len(result["u"])
    voltages = [waves[f"u{n + 1}"] for n in range(phases)]
    currents = [waves[f"i{n + 1}"] for n in range(phases)]
    times = np.arange(len(voltages[0])) / rate_hz
    f_hz = result["f"]
    figure = plt.figure(figsize=(12, 8), dpi=110, layout="constrained")
    figure.suptitle(title)
    grid = figure.add_gridspec(3, 3)
    zoom = slice(0, None) if f_hz <= 0 else slice(-int(_ZOOM_CYCLES * rate_hz / f_hz) - 1, None)
    for row, (kind, unit) in enumerate((("u", "V"), ("i", "A"))):
        chosen = voltages if kind == "u" else currents
        whole = figure.add_subplot(grid[row, 0:2])
        _draw_waves(whole, times, chosen, f"{kind} [{unit}]")
        last = figure.add_subplot(grid[row, 2])
        _draw_waves(last, times[zoom], [wave[zoom] for wave in chosen], "")
        last.set_title("last cycles", fontsize=9)
        if row == 0:
            whole.legend(loc="upper right", fontsize=8)
        else:
            whole.set_xlabel("t [s]")
    if f_hz > 0:
        bars = figure.add_subplot(grid[2, 0:2])
        for n in range(phases):
            for kind, wave, shift in (("U", voltages[n], -0.2), ("I", currents[n], 0.2)):
                sizes = _harmonics(wave, rate_hz, f_hz)
                orders = np.arange(2, 2 + len(sizes)) + shift + 0.12 * (n - (phases - 1) / 2)
                bars.bar(
                    orders,
                    sizes,
                    width=0.1,
                    color=_COLOURS[n],
                    alpha=1 if kind == "I" else 0.45,
                    label=f"{kind}{n + 1}",
                )
        bars.set_xlabel("harmonic, last cycles")
        bars.set_ylabel("% of the fundamental")
        bars.legend(fontsize=7, ncols=phases)
        bars.grid(alpha=0.3)
        _draw_phasors(
            figure.add_subplot(grid[2, 2], projection="polar"),
            [_phasor(wave, rate_hz, f_hz) for wave in voltages],
            [_phasor(wave, rate_hz, f_hz) for wave in currents],
        )
    figure.savefig(path)
    plt.close(figure)
