"""What is wrong in a tariff's file, collected while it is read, and how it is put into words."""

from __future__ import annotations

import datetime
import difflib
import math
import reprlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeGuard, Union

from tariff_model import RATES_MAX, name_octets

KeyPath = tuple[Union[str, int], ...]  # noqa: UP007 - evaluated, also by CPython 3.10
Table = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """A mistake, or a warning, and the key that it is about."""

    path: KeyPath
    text: str
    warning: bool = False


class Findings:
    """The findings about a file's `data`, and the checks that all of its parts share."""

    def __init__(self, data: Table) -> None:
        self.data = data
        self.found: list[Finding] = []

    def error(self, path: KeyPath, text: str) -> None:
        """Note a mistake."""
        self.found.append(Finding(path, text))

    def warn(self, path: KeyPath, text: str) -> None:
        """Note what is odd."""
        self.found.append(Finding(path, text, warning=True))

    def table(self, key: str, *, required: bool = False) -> Table:
        """Return a table of the file, an empty one if there is none."""
        value = self.data.get(key)
        if value is None:
            if required:
                self.error((), f"has no [{key}]")
            return {}
        if not isinstance(value, dict):
            if not any(finding.path == (key,) for finding in self.found):
                self.error((key,), f"is a table, not {shown(value)}")
            return {}
        if required and not value:
            self.error((key,), "is empty")
        return value

    def is_table(self, path: KeyPath, value: object, form: str) -> bool:
        """True for a table; else note what form is wanted."""
        if isinstance(value, dict):
            return True
        self.error(path, f"{form}, not {shown(value)}")
        return False

    def known(self, path: KeyPath, table: Table, known: tuple[str, ...]) -> None:
        """Note keys that mean nothing."""
        for key in table:
            if key not in known:
                self.error((*path, key), f"is no key here{instead(key, known)}")

    def at_most(self, path: KeyPath, found: Table, most: int, what: str) -> None:
        """Note entries too many."""
        if len(found) > most:
            self.error((*path, list(found)[most]), f"one too many: the meter takes {most} {what}")

    def name(self, path: KeyPath, value: object, most: int) -> bytes:
        """Return the octets of a name; b"" where it has none that the meter takes."""
        if not isinstance(value, str):
            text = "has no name" if value is None else f"is a text, not {shown(value)}"
            self.error(() if value is None else path, text)
            return b""
        octets = self.try_name(value)
        if octets is None:
            self.error(path, "0x and hexadecimal digits in pairs, or a plain name")
            return b""
        if not 1 <= len(octets) <= most:
            size = f"has {len(octets)} octets" if octets else "is empty"
            self.error(path, f"the name {size}; the meter takes 1 to {most}")
        return octets

    def try_name(self, value: object) -> bytes | None:
        """Return the octets of a name, None for what is none."""
        try:
            return name_octets(value) if isinstance(value, str) else None
        except ValueError:
            return None

    def day_id(self, path: KeyPath, what: object, ids: dict[str, int]) -> int:
        """Return the id of a day type that is named, or given by its number."""
        if isinstance(what, str) and what in ids:
            return ids[what]
        if is_int(what) and what in ids.values():
            return what
        self.error(path, unknown("day type", what, ids))
        return 0

    def text(self, key: str) -> str:
        """Return a text of the file, an empty one if there is none."""
        value = self.data.get(key, "")
        if not isinstance(value, str):
            self.error((key,), f"is a text, not {shown(value)}")
            return ""
        self.printable((key,), value)
        return value

    def printable(self, path: KeyPath, text: str) -> None:
        """Note a text that a terminal would not show but obey."""
        if not text.isprintable():
            self.error(path, "has characters that cannot be shown")


def shown(value: object) -> str:
    """Return a value for a message, cut short, as TOML has it where that is easy."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "a list"
    return reprlib.repr(value).replace("'", '"')


def is_int(value: object) -> TypeGuard[int]:
    """True for a whole number, which a truth value is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_price(value: object) -> TypeGuard[float]:
    """True for a number that can be paid."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and abs(value) < 1e9


def unknown(what: str, given: object, known: Collection[str]) -> str:
    """Return the sentence about a name that is not among the known ones."""
    if given is None:
        return f"has no {what}"
    names = list(known)
    if not isinstance(given, str):
        return f"is the name of a {what}, not {shown(given)}"
    listed = f"; there is {joined(names)}" if 0 < len(names) <= RATES_MAX else ""
    return f"there is no {what} {shown(given)}{instead(given, names) or listed}"


def instead(word: str, known: Collection[str]) -> str:
    """Return a question after what else was meant, where something comes near."""
    near = difflib.get_close_matches(word, list(known), 1)
    return f'; is "{near[0]}" meant?' if near else ""


def joined(words: list[str]) -> str:
    """Return one, two and three."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
