"""Draws what stands before a converter: sensor, burden, filter, and the bias where it wants one.

From boards/common/analogue.csv and analogue_bias.csv, whose values the READMEs reckon with.
"""

from __future__ import annotations

import csv
import sys
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from board_list import COMMON

_LEFT, _SENSOR = 20, 170  # a sensor's box
_BURDEN, _SERIES, _NODE, _INPUT = 250, 320, 450, 520
_LEAD = 52  # between a sensor's two leads
_HEIGHT = 104
_BIAS_HEIGHT = 150


def table(name: str) -> list[dict[str, str]]:
    """The rows of one of the tables."""
    with (COMMON / name).open(newline="") as file:
        return list(csv.DictReader(file))


def value(text: str) -> float:
    """Ohms of "115 k", "6.2"."""
    number, _, unit = text.partition(" ")
    return float(number) * (1000 if unit == "k" else 1)


def _text(x: int, y: int, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'


def _path(points: str) -> str:
    return f'<path d="{points}" class="w" fill="none"/>'


def _box(x: int, y: int, width: int, height: int, kind: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" class="{kind}"/>'


def _resistor(x: int, y: int, upright: bool = False) -> str:
    width, height = (12, 30) if upright else (40, 12)
    return (
        f'<rect x="{x - width // 2}" y="{y - height // 2}" width="{width}" height="{height}" '
        'class="w" fill="white"/>'
    )


def _capacitor(x: int, y: int) -> str:
    """Two plates with a gap between them, in a wire that runs down through `x`, `y`."""
    return f'<rect x="{x - 4}" y="{y - 3}" width="8" height="6" fill="white"/>' + _path(
        f"M{x - 11} {y - 3}h22M{x - 11} {y + 3}h22"
    )


def _node(x: int, y: int) -> str:
    return f'<circle cx="{x}" cy="{y}" r="3" fill="#2a6f97"/>'


def _channel(row: dict[str, str], y: int) -> list[str]:
    """A sensor's two leads to the converter: the one that is measured above, its return below."""
    top, bottom = y + 34, y + 34 + _LEAD
    middle = (top + bottom) // 2
    before = f"L by fuse and {row['before']}; N" if row["before"] else "the wire through it"
    return [
        _text(_LEFT, y + 12, row["what"], "t"),
        _box(_LEFT, top - 12, _SENSOR, _LEAD + 24, "c"),
        _text(_LEFT + 8, middle - 4, row["sensor"], "t"),
        _text(_LEFT + 8, middle + 14, before),
        _path(f"M{_LEFT + _SENSOR} {top}H{_INPUT}"),
        _path(f"M{_LEFT + _SENSOR} {bottom}H{_INPUT}"),
        _path(f"M{_BURDEN} {top}V{bottom}M{_NODE} {top}V{bottom}"),
        *(_node(x, at) for x in (_BURDEN, _NODE) for at in (top, bottom)),
        _resistor(_BURDEN, middle, upright=True),
        _text(_BURDEN + 12, middle + 4, f"{row['burden']} ohm"),
        _resistor(_SERIES + 40, top),
        _text(_SERIES + 40, top - 10, row["series"], anchor="middle"),
        _capacitor(_NODE, middle),
        _text(_NODE + 16, middle + 4, row["capacitor"]),
        _text(_INPUT + 8, top + 4, row["input"]),
        _text(_INPUT + 8, bottom + 4, row["return"]),
    ]


def _bias(row: dict[str, str], y: int) -> list[str]:
    """The divider that the returns lead to, and what holds it still."""
    top, middle, bottom = y + 34, y + 80, y + 126
    x, cap = _BURDEN, _SERIES + 40
    return [
        _text(_LEFT, y + 12, f"bias of {row['volts']} V, for all returns together", "t"),
        _text(x - 12, top + 4, row["from"], anchor="end"),
        _text(x - 12, bottom + 4, row["to"], anchor="end"),
        _path(f"M{x} {top}V{bottom}H{_NODE}M{x} {middle}H{_INPUT}"),
        _path(f"M{cap} {middle}V{bottom}M{_NODE} {middle}V{bottom}"),
        *(_node(*at) for at in ((x, middle), (cap, middle), (_NODE, middle), (cap, bottom))),
        _resistor(x, (top + middle) // 2, upright=True),
        _resistor(x, (middle + bottom) // 2, upright=True),
        _text(x + 12, (top + middle) // 2 + 4, row["upper"]),
        _text(x + 12, (middle + bottom) // 2 + 4, row["lower"]),
        _capacitor(cap, (middle + bottom) // 2),
        _text(cap + 16, (middle + bottom) // 2 + 4, "10 uF"),
        _capacitor(_NODE, (middle + bottom) // 2),
        _text(_NODE + 16, (middle + bottom) // 2 + 4, "100 nF"),
        _text(_INPUT + 8, middle + 4, "bias"),
    ]


def draw(converter: str, y: int) -> tuple[list[str], int]:
    """The analogue side of a converter from `y` downwards, and where it ends."""
    parts: list[str] = []
    for row in table("analogue.csv"):
        if row["converter"] == converter:
            parts += _channel(row, y)
            y += _HEIGHT + 16
    for row in table("analogue_bias.csv"):
        if row["converter"] == converter:
            parts += _bias(row, y)
            y += _BIAS_HEIGHT
    return parts, y
