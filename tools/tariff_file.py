"""A tariff's file: TOML read into a tariff, with every mistake in it and the line that it is on.

`load` never raises for what a file may hold; it returns problems. TOML readers do not tell where
a value stood, so `locate` asks the reader itself: it is the first line up to which the file has
the key.
"""

from __future__ import annotations

import bisect
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tariff_findings import Finding, KeyPath
from tariff_model import Tariff
from tariff_reader import Reader

try:
    import tomllib
except ImportError:  # CPython 3.10 has no TOML reader; its pip carries one
    from pip._vendor import tomli as tomllib  # pyright: ignore

_SIZE_MAX = 1 << 20
_LOCATED_MAX = 40  # of one file: finding the line costs time, and nobody reads more
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")
_BARE_TIME = re.compile(r"\s*\d{1,2}:\d\d(:\d\d)?\s*=")


@dataclass(frozen=True)
class Problem:
    """What is wrong in a file, or worth a look; line 0 is the file as a whole."""

    line: int
    where: str
    text: str
    warning: bool = False

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        kind = "warning: " if self.warning else ""
        return f"{place}{kind}{self.where + ': ' if self.where else ''}{self.text}"


def load(path: Path) -> tuple[Tariff | None, list[Problem]]:
    """Return the tariff of a file, None if there is an error among the problems."""
    try:
        with path.open("rb") as file:
            octets = file.read(_SIZE_MAX + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero in it
        reason = getattr(error, "strerror", None) or str(error)
        return None, [Problem(0, "", f"cannot be read: {reason}")]
    if len(octets) > _SIZE_MAX:
        return None, [Problem(0, "", "has more than a megabyte; a tariff is a small file")]
    try:
        source = octets.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = octets[: error.start].count(b"\n") + 1
        return None, [Problem(line, "", "is no text in UTF-8")]
    return parse(source)


def parse(source: str) -> tuple[Tariff | None, list[Problem]]:
    """Return the tariff of a file's text, as `load` does."""
    try:
        data = tomllib.loads(source)
    except (ValueError, RecursionError) as error:
        return None, [_not_toml(source, error)]
    reader = Reader(data)
    tariff = reader.read()
    problems = [_problem(source, finding, n) for n, finding in enumerate(reader.found)]
    problems.sort(key=lambda problem: (problem.warning, problem.line))
    return (None if any(not p.warning for p in problems) else tariff), problems


def _problem(source: str, finding: Finding, number: int) -> Problem:
    line = locate(source, finding.path) if number < _LOCATED_MAX else 0
    return Problem(line, key_text(finding.path), finding.text, finding.warning)


def key_text(path: KeyPath) -> str:
    """Return a key as it could be written in TOML."""
    words = ""
    for key in path:
        if isinstance(key, int):
            words += f"[{key}]"
            continue
        bare = re.fullmatch(r"[A-Za-z0-9_-]+", key)
        words += ("." if words else "") + (key if bare else json.dumps(key, ensure_ascii=False))
    return words


def locate(source: str, path: KeyPath) -> int:
    """Return the line on which a key of a readable file begins, 0 for the file as a whole."""
    if not path:
        return 0
    lines = source.split("\n")
    return 1 + bisect.bisect_left(
        range(1, len(lines)), True, key=lambda end: _has(_parsed(lines, end), path)
    )


def _parsed(lines: list[str], end: int) -> dict[str, Any]:
    """Return what is in the first `end` lines, and in those that finish a value begun there."""
    for more in range(end, len(lines)):
        try:
            return tomllib.loads("\n".join(lines[:more]) + "\n")
        except ValueError:
            continue
    return tomllib.loads("\n".join(lines))


def _has(data: Any, path: KeyPath) -> bool:  # noqa: ANN401 - whatever the file holds
    for key in path:
        if isinstance(key, int):
            if not isinstance(data, list) or key >= len(data):
                return False
            data = data[key]
        elif not isinstance(data, dict) or key not in data:
            return False
        else:
            data = data[key]
    return True


def _not_toml(source: str, error: Exception) -> Problem:
    if isinstance(error, RecursionError):
        return Problem(0, "", "is nested too deep")
    match = _AT.search(str(error))
    line = int(match[1]) if match and match[1] else source.count("\n") + 1 if match else 0
    text = _AT.sub("", str(error))
    lines = source.split("\n")
    hint = ""
    if 0 < line <= len(lines) and _BARE_TIME.match(lines[line - 1]):
        hint = '; a time of day stands in quotation marks: "06:00" = "day"'
    elif "overwrite" in text or "twice" in text:
        hint = "; this name is there already"
    return Problem(line, "", f"is not TOML: {text}{hint}")
