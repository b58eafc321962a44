"""Recordings as text: columns t, u1, i1 and so on, in seconds, volts and amperes.

Written by oscilloscopes, loggers and spreadsheets, so separators, decimal commas, quotes, units in
the header and comment lines vary; what cannot be told apart with certainty is refused with its
line and column.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

COLUMNS = ("t", "u1", "i1", "u2", "i2", "u3", "i3", "in")
_COMMENTS = ("#", "%", "//")
_JITTER = 0.4  # of a step: coarse time stamps pass, a missing or doubled sample does not


class CsvError(Exception):
    """The recording cannot be used; the text is one line and says where."""


def _separator(line: str) -> str:
    for candidate in (";", "\t", ","):
        if candidate in line:
            return candidate
    raise CsvError("the first line names no columns; expected t,u1,i1[,u2,i2,u3,i3]")


def _names(line: str, separator: str) -> list[str]:
    names = []
    for cell in line.split(separator):
        text = re.sub(r"[\[(].*[\])]", "", cell).strip().strip("\"'").strip().lower()
        names.append("t" if text == "time" else text)
    return names


def _check_names(names: list[str]) -> None:
    for name in names:
        if name and names.count(name) > 1:
            raise CsvError(f"column {name} is named twice")
    if "t" not in names or "u1" not in names or "i1" not in names:
        missing = ", ".join(name for name in ("t", "u1", "i1") if name not in names)
        raise CsvError(f"column {missing} is missing; the header line must name t,u1,i1")
    for phase in (2, 3):
        pair = [name for name in (f"u{phase}", f"i{phase}") if name in names]
        if len(pair) == 1:
            other = f"i{phase}" if pair[0][0] == "u" else f"u{phase}"
            raise CsvError(f"column {other} is missing, {pair[0]} is there")
    if "u3" in names and "u2" not in names:
        raise CsvError("columns u2 and i2 are missing, phase 3 is there")


def _parse(cell: str, line_number: int, name: str, decimal_comma: bool) -> float:
    text = cell.strip().strip("\"'").strip()
    if decimal_comma:
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        shown = text if len(text) <= 20 else text[:20] + "..."
        raise CsvError(f"line {line_number}, column {name}: {shown!r} is not a number") from None
    if not math.isfinite(value):
        raise CsvError(f"line {line_number}, column {name}: {text} is not a finite number")
    return value


def _rate(times: np.ndarray, lines: list[int]) -> float:
    """Check that samples are evenly spaced and return their rate in hertz."""
    steps = np.diff(times)
    step_s = float(np.median(steps))
    if step_s <= 0:
        raise CsvError(f"line {lines[1]}: time does not rise, or its column is too coarse")
    uneven = np.abs(steps - step_s) > _JITTER * step_s
    if uneven.any():
        at = int(np.argmax(uneven))
        raise CsvError(
            f"line {lines[at + 1]}: time step {float(steps[at]):g} s, others are {step_s:g} s; "
            "samples must be evenly spaced"
        )
    mean_s = float(times[-1] - times[0]) / len(steps)
    drift = np.abs(times - times[0] - mean_s * np.arange(len(times)))
    if float(drift.max()) > step_s:
        at = int(np.argmax(drift))
        raise CsvError(
            f"line {lines[at]}: time is {float(drift[at]):g} s off an even spacing of {mean_s:g} s"
        )
    return 1.0 / mean_s


def read(
    path: Path | str, progress: Callable[[int], None] | None = None
) -> tuple[float, dict[str, np.ndarray], list[str]]:
    """Read a recording: rate in hertz, one array per channel, names of columns left out.

    `progress` is called with the number of lines read, every hundred thousand lines.
    """
    names: list[str] = []
    wanted: list[int] = []
    separator = ","
    rows: list[list[float]] = []
    lines: list[int] = []
    try:
        file = Path(path).open(encoding="utf-8-sig")  # noqa: SIM115 - closed below
        with file:
            for line_number, line in enumerate(file, 1):
                text = line.strip()
                if not text or text.startswith(_COMMENTS):
                    continue
                if not names:
                    separator = _separator(text)
                    names = _names(text, separator)
                    _check_names(names)
                    wanted = [names.index(name) for name in COLUMNS if name in names]
                    continue
                cells = text.split(separator)
                if len(cells) == len(names) + 1 and not cells[-1].strip():
                    cells.pop()  # a separator at the end of the line
                if len(cells) != len(names):
                    raise CsvError(
                        f"line {line_number}: {len(cells)} columns, the header has {len(names)}"
                    )
                rows.append(
                    [_parse(cells[k], line_number, names[k], separator != ",") for k in wanted]
                )
                lines.append(line_number)
                if progress is not None and len(rows) % 100000 == 0:
                    progress(len(rows))
    except UnicodeDecodeError as error:
        raise CsvError(f"not a text file (byte {error.start})") from error
    if not names:
        raise CsvError("the file is empty")
    if len(rows) < 3:
        raise CsvError(f"too few samples: {len(rows)}")
    table = np.array(rows)
    rate_hz = _rate(table[:, 0], lines)
    used = [name for name in COLUMNS if name in names]
    channels = {name: table[:, k] for k, name in enumerate(used) if name != "t"}
    left_out = [name for name in names if name and name not in COLUMNS]
    return rate_hz, channels, left_out
