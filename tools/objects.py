"""`make objects`: writes docs/objects.md, the object model, from the meter's own catalogue.

A three-phase meter is built on the simulated board in this process, with the shims of host_tests
in place of what CPython lacks, and its catalogue asked for every object: class, version,
attributes with the type that is really encoded, and what each client may do. `--check` compares
with the file instead of writing it.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
_FOLDERS = ("host_tests/shims", "boards/sim", "firmware")
sys.path[:0] = [str(ROOT / folder) for folder in _FOLDERS]

import cpython  # noqa: E402 - found by the path above

cpython.install()

import loop  # noqa: E402 # pyright: ignore

loop.install()  # before anything imports asyncio

import assembly  # noqa: E402 # pyright: ignore
import machine  # noqa: E402 # pyright: ignore
import options  # noqa: E402 # pyright: ignore

from app import axdr  # noqa: E402
from app.cosem import base  # noqa: E402
from app.errors import MeterError  # noqa: E402

if TYPE_CHECKING:
    from app.cosem.access import Client

DOCUMENT = ROOT / "docs" / "objects.md"
_GENERATOR = 1 << 20  # octets that the longest list of this meter needs at most

_CLIENTS = {
    1: "management",
    16: "public",
    32: "level 1",
    48: "level 2",
    64: "level 3",
    102: "pre-established",
}
_TYPES = {
    axdr.NULL: "null-data",
    axdr.ARRAY: "array",
    axdr.STRUCTURE: "structure",
    axdr.BOOLEAN: "boolean",
    axdr.BIT_STRING: "bit-string",
    axdr.INT32: "double-long",
    axdr.UINT32: "double-long-unsigned",
    axdr.OCTET_STRING: "octet-string",
    axdr.VISIBLE_STRING: "visible-string",
    axdr.UTF8_STRING: "utf8-string",
    axdr.BCD: "bcd",
    axdr.INT8: "integer",
    axdr.INT16: "long",
    axdr.UINT8: "unsigned",
    axdr.UINT16: "long-unsigned",
    axdr.COMPACT_ARRAY: "compact-array",
    axdr.INT64: "long64",
    axdr.UINT64: "long64-unsigned",
    axdr.ENUM: "enum",
    axdr.FLOAT32: "float32",
    axdr.FLOAT64: "float64",
    axdr.DATE_TIME: "date-time",
    axdr.DATE: "date",
    axdr.TIME: "time",
    base.CHOICE: "CHOICE",
}
# Codes of the Blue Book that occur here
_UNITS = {
    7: "s",
    8: "°",
    9: "°C",
    27: "W",
    28: "VA",
    29: "var",
    30: "Wh",
    31: "VAh",
    32: "varh",
    33: "A",
    35: "V",
    44: "Hz",
    45: "imp/Wh",
    46: "imp/varh",
    56: "%",
    255: "",
}

_INTRODUCTION = """\
# Object model

Written by `make objects` from the catalogue of the firmware; do not edit. A three-phase meter with
TCP, as `make run` starts it. Classes and attributes are named as in IEC 62056-62 (Blue Book).

## Clients

A client is known by its SAP. What it may do with an object is what its column says; the object
list that it reads shows the same, and holds only objects of which it may do something. How each
logs in is told in [virtual-meter.md](virtual-meter.md).
"""
_CLASSES = """\
## Interface classes

`R` can be read, `W` written, `X` executed, by a client that has the right; `-` by nobody.
The type of a CHOICE stands with the object.
"""
_OBJECTS = """\
## Objects

In a client's column: attributes that it reads (`r`) and writes (`w`), methods that it executes
(`x`). Whatever stands there not is answered read-write-denied (3).
"""


class Entry:
    """One object of the catalogue."""

    def __init__(
        self, logical_name: bytes, handler: base.InterfaceClass, key: object, group: int
    ) -> None:
        a, b, c, d, e, f = logical_name
        self.obis = f"{a}-{b}:{c}.{d}.{e}.{f}"
        self.logical_name = logical_name
        self.handler = handler
        self.key = key
        self.group = group


def meter_catalogue() -> tuple[list[Entry], tuple[Client, ...]]:
    """Every object of a meter fresh from the factory, sorted by OBIS code, and its clients."""
    with tempfile.TemporaryDirectory() as state:
        line = ["--fresh", "--http", "0", "--rate", "0", "--state", state]
        board = assembly.Assembly(options.parse(line))  # pyright: ignore
        machine.start(machine.PWRON_RESET)  # pyright: ignore
        loop.set_domain(loop.METER)  # pyright: ignore
        import main as firmware  # pyright: ignore

        built = firmware.meter.catalogue  # pyright: ignore
        board.close()  # pyright: ignore
    entries = [Entry(*entry) for entry in built.entries()]
    return sorted(entries, key=lambda entry: entry.logical_name), built.clients


def encoded(entry: Entry, index: int) -> bytes | None:
    """Attribute `index` as it is sent, None if it cannot be read without an association."""
    writer = axdr.Writer(bytearray(_GENERATOR))
    try:
        parts = entry.handler.read(writer, entry.key, index, None)
        for _ in parts or ():
            pass
    except MeterError:
        return None
    return bytes(writer.buffer[: writer.at])


def type_of(entry: Entry, index: int) -> str:
    """What the object really sends where its class leaves the type open."""
    tag = entry.handler.ATTRIBUTES[index - 1][0]
    if tag == base.CHOICE:
        octets = encoded(entry, index)
        if octets:
            tag = octets[0]
    return _TYPES[tag]


def unit_of(entry: Entry) -> str:
    """Scaler and unit of a register as `0.01 A`, "" for other classes."""
    if entry.handler.CLASS_ID not in (3, 4, 5):
        return ""
    octets = encoded(entry, 4 if entry.handler.CLASS_ID == 5 else 3)
    assert octets is not None
    scaler = octets[3] - 256 if octets[3] > 127 else octets[3]
    unit = _UNITS.get(octets[5], f"unit {octets[5]}")
    return f"10^{scaler} {unit}".strip() if scaler else unit


def numbers(indices: Iterable[int]) -> str:
    """Indices as people write them: 1-4, 7."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs)


def indices(wanted: Iterable[object]) -> list[int]:
    """Numbers, counted from 1, of what is true."""
    return [index for index, true in enumerate(wanted, 1) if true]


def names_of(handler: base.InterfaceClass, table: str) -> dict[int, str]:
    """Names of attributes or methods by index, from the comments behind a class's table."""
    names: dict[int, str] = {}
    for owner in reversed(type(handler).__mro__[:-1]):
        inside = False
        importlib.import_module(owner.__module__)  # a section's code is forgotten once it is read
        for line in inspect.getsource(owner).splitlines():
            inside = f"{table} = " in line or (inside and line.strip() != ")")
            found = re.search(r"# (\d+) ([\w-]+)$", line) if inside else None
            if found:
                names[int(found[1])] = found[2]
    return names


def rights_of(entry: Entry, client: Client) -> str:
    """What a client may do with an object, as the table shows it."""
    rights = client.rights(entry.group)
    said: list[str] = []
    for letter, bit in (("r", base.READ), ("w", base.WRITE)):
        allowed = indices(row[1] & rights & bit for row in entry.handler.ATTRIBUTES)
        if allowed:
            said.append(f"{letter} {numbers(allowed)}")
    allowed = indices(access & rights & base.EXECUTE for access in entry.handler.METHODS)
    if allowed:
        said.append(f"x {numbers(allowed)}")
    return "; ".join(said)


def access_of(access: int) -> str:
    """Access of an attribute or method as its class has it."""
    letters = ("R", base.READ), ("W", base.WRITE), ("X", base.EXECUTE)
    return "".join(letter for letter, bit in letters if access & bit) or "-"


def table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    """A table of Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def classes(entries: list[Entry]) -> list[str]:
    """The interface classes in use, each with its attributes and methods."""
    lines: list[str] = []
    handlers = {(e.handler.CLASS_ID, e.handler.VERSION): e.handler for e in entries}
    for (class_id, version), handler in sorted(handlers.items()):
        title = (handler.__doc__ or "").split(", version")[0]
        lines += [f"### Class {class_id}, version {version}: {title}", ""]
        names = names_of(handler, "ATTRIBUTES")
        rows = [
            [str(index), names[index], _TYPES[tag], access_of(access)]
            for index, (tag, access) in enumerate(handler.ATTRIBUTES, 1)
        ]
        lines += table(["attribute", "name", "type", "access"], rows)
        if handler.METHODS:
            names = names_of(handler, "METHODS")
            rows = [
                [str(index), names[index], access_of(access)]
                for index, access in enumerate(handler.METHODS, 1)
            ]
            lines += table(["method", "name", "access"], rows)
    return lines


def open_types(entry: Entry) -> str:
    """Types of the attributes whose class leaves them open."""
    open_ones = indices(row[0] == base.CHOICE for row in entry.handler.ATTRIBUTES)
    if len(open_ones) == 1:
        return type_of(entry, open_ones[0])
    return ", ".join(f"{index}: {type_of(entry, index)}" for index in open_ones)


def document() -> str:
    """The whole text of docs/objects.md."""
    entries, clients = meter_catalogue()
    ordered = sorted(clients, key=lambda client: client.sap)
    lines = _INTRODUCTION.splitlines() + [""]
    rows: list[list[str]] = []
    for client in ordered:
        seen = sum(1 for entry in entries if rights_of(entry, client))
        association = f"0-0:40.0.{client.instance}.255"
        rows.append([str(client.sap), _CLIENTS[client.sap], association, str(seen)])
    lines += table(["SAP", "client", "its association", "objects"], rows)
    lines += _CLASSES.splitlines() + [""] + classes(entries)
    lines += [*_OBJECTS.splitlines(), "", f"{len(entries)} objects.", ""]
    head = ["OBIS", "class", "version", "value", "unit"]
    head += [_CLIENTS[client.sap] for client in ordered]
    rows = [
        [
            entry.obis,
            str(entry.handler.CLASS_ID),
            str(entry.handler.VERSION),
            open_types(entry),
            unit_of(entry),
            *(rights_of(entry, client) for client in ordered),
        ]
        for entry in entries
    ]
    return "\n".join(lines + table(head, rows))


def main(arguments: list[str]) -> int:
    """Write or check the document; 0 if it stands."""
    parser = argparse.ArgumentParser(description="Writes docs/objects.md from the catalogue.")
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args(arguments)
    text = document()
    if options.check:
        if DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == text:
            return 0
        print("docs/objects.md is out of date: run `make objects`", file=sys.stderr)
        return 1
    DOCUMENT.write_text(text, encoding="utf-8")
    print(f"{DOCUMENT.relative_to(ROOT)}: {text.count(chr(10))} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
