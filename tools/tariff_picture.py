"""A year of a tariff as a picture: one row a day, one colour a rate."""

from __future__ import annotations

import datetime
from pathlib import Path

import matplotlib as mpl
import numpy as np
from tariff_dates import MONTHS
from tariff_model import Tariff, name_text
from tariff_text import label
from tariff_year import Year, spans

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

FORMATS = (".png", ".svg", ".pdf")
_MINUTES = 1440
_NOTHING = "#ffffff"
# from cheap to dear; told apart by lightness too, for eyes that see no red or green
_SHADES = ("#1f3a6e", "#2f6fb0", "#5aa9c7", "#a6d5cf", "#f3e3a1", "#f0b35c", "#d96c3a", "#a32436")
_FEW = 5  # so many rates need the ends of the shades
_MONTHS = [month[:3].capitalize() for month in MONTHS]


def colors(tariff: Tariff, rates: list[int]) -> dict[int, str]:
    """Return a colour for each rate, by price; without prices by number, 1 as the dearest."""

    def dearness(number: int) -> tuple[float, int]:
        price = tariff.rate(number).price
        return (0.0 if price is None else price, -number)

    rising = sorted(rates, key=dearness)
    few = len(rising) < _FEW
    first, last = (1, len(_SHADES) - 2) if few else (0, len(_SHADES) - 1)
    steps = max(1, len(rising) - 1)
    found = {
        number: _SHADES[first + round(n * (last - first) / steps)]
        for n, number in enumerate(rising)
    }
    return {number: tariff.rate(number).color or found[number] for number in rates}


def draw(tariff: Tariff, year: Year, target: Path) -> None:
    """Draw the year into a file whose ending says what it is. Raises OSError, ValueError."""
    if target.suffix.lower() not in FORMATS:
        raise ValueError(
            f"a picture ends in {', '.join(FORMATS)}, not in {target.suffix or target}"
        )
    mpl.rcParams["svg.hashsalt"] = "tariff"  # the same picture has the same octets
    figure, axes = plt.subplots(figsize=(9.6, 10.4), layout="constrained")
    hours = year.hours()
    shades = colors(tariff, [rate for rate in hours if rate])
    _heat_map(axes, year, shades)
    _seasons_and_holidays(axes, year)
    title = f"{name_text(tariff.tables.name)}, {year.year}"
    if tariff.description:
        title += f"\n{tariff.description}"
    axes.set_title(title, loc="left", fontsize=13)
    handles: list[Artist] = [
        Patch(color=shades[rate], label=f"{rate}  {label(tariff, rate, hours)}") for rate in shades
    ]
    if 0 in hours:
        handles.append(
            Patch(facecolor=_NOTHING, edgecolor="#888888", label=f"no rate, {hours[0]:.0f} h")
        )
    if any(day.special for day in year.days):
        handles.append(
            Line2D([], [], linestyle="", marker="<", color="#222222", label="special day")
        )
    axes.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0, -0.045), ncol=2, frameon=False,
        fontsize=10, handlelength=1.4, borderaxespad=0,
    )  # fmt: skip
    metadata = {"Date": None} if target.suffix.lower() == ".svg" else None
    if target.suffix.lower() == ".pdf":
        metadata = {"CreationDate": None}
    try:
        figure.savefig(target, dpi=110, metadata=metadata)
    finally:
        plt.close(figure)


def _heat_map(axes: Axes, year: Year, shades: dict[int, str]) -> None:
    number = {0: 0} | {rate: n for n, rate in enumerate(shades, 1)}
    cells = np.zeros((len(year.days), _MINUTES), dtype=np.uint8)
    for row, day in enumerate(year.days):
        for begin, end, rate in spans(day.switches):
            cells[row, begin // 60 : (end + 59) // 60] = number[rate]
    tints = ListedColormap([_NOTHING, *shades.values()])
    axes.imshow(
        cells, aspect="auto", interpolation="nearest", cmap=tints, vmin=-0.5,
        vmax=len(shades) + 0.5, extent=(0, 24, len(year.days), 0),
    )  # fmt: skip
    axes.set_xticks(range(0, 25, 3), [f"{hour:02}:00" for hour in range(0, 25, 3)])
    firsts = [n for n, day in enumerate(year.days) if day.date.day == 1]
    ends = [*firsts[1:], len(year.days)]
    axes.set_yticks([(a + b) / 2 for a, b in zip(firsts, ends, strict=True)], _MONTHS)
    axes.tick_params(axis="y", length=0)
    for first in firsts[1:]:
        axes.axhline(first, color="white", linewidth=0.8)
    for hour in range(3, 24, 3):
        axes.axvline(hour, color="white", linewidth=0.4, alpha=0.5)


def _seasons_and_holidays(axes: Axes, year: Year) -> None:
    """Mark at the right edge where seasons begin, and which days are special."""
    season = year.days[0].season
    for row, day in enumerate(year.days):
        if row and day.season != season:
            axes.annotate(
                f"{name_text(day.season)} from {_day_text(day.date)}", (24, row), (14, 0),
                textcoords="offset points", fontsize=8, va="center", annotation_clip=False,
            )  # fmt: skip
            axes.plot([24, 24.35], [row, row], color="#444444", linewidth=1, clip_on=False)
        season = day.season
    special = [row + 0.5 for row, day in enumerate(year.days) if day.special]
    if special:
        axes.plot(
            [24.12] * len(special), special, linestyle="", marker="<", markersize=4,
            color="#222222", clip_on=False,
        )  # fmt: skip
    axes.set_xlim(0, 24)
    axes.set_ylim(len(year.days), 0)


def _day_text(date: datetime.date) -> str:
    return f"{date.day} {_MONTHS[date.month - 1]}"
