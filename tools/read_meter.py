"""`make read`: what a meter tells over DLMS, object by object, as its own list names them.

    make read PORT=/dev/ttyUSB0                      values: data, registers, demands, the clock
    make read HOST=192.168.1.5 ARGS="1-0:1.8.0"      every attribute of an object
    make read HOST=192.168.1.5 ARGS=--all            every attribute of all, buffers left out

Exit status: 0 read, 1 an object that was asked for is not there, 2 it could not be done.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, cast

import meter_options
import meter_place
from gurux_dlms import GXDLMSConverter
from gurux_dlms.enums import ObjectType
from meter_link import Link, LinkError, Progress, Refused

_LIST = (15, "0-0:40.0.0", 2)
_READABLE = 1  # bit of an attribute's access mode
_DATA, _REGISTER, _EXTENDED, _DEMAND, _PROFILE, _CLOCK = 1, 3, 4, 5, 7, 8
_VALUES = {_DATA: (2,), _REGISTER: (2,), _EXTENDED: (2, 5), _DEMAND: (2, 3), _CLOCK: (2,)}
_SCALED = {_REGISTER: (3, (2,)), _EXTENDED: (3, (2,)), _DEMAND: (4, (2, 3))}
_BUFFER = 2
_UNITS = {
    7: "s", 9: "°C", 27: "W", 28: "VA", 29: "var", 30: "Wh", 31: "VAh", 32: "varh", 33: "A",
    35: "V", 44: "Hz", 48: "Vh", 53: "K",
}  # fmt: skip
_CODE, _VALUE = 20, 34  # widths of columns
_DATE_TIME = 12  # octets


class Item:
    """One line of the meter's object list."""

    def __init__(self, row: list[Any]) -> None:
        self.class_id: int = row[0]
        name: bytes = row[2]
        a, b, c, d, e, f = name
        self.code = f"{a}-{b}:{c}.{d}.{e}" + ("" if f == 0xFF else f".{f}")
        self.name = ".".join(str(part) for part in name)
        self.readable: list[int] = [one[0] for one in row[3][0] if one[1] & _READABLE]

    def describe(self, converter: GXDLMSConverter) -> str:
        """Return the standard's words for the code, as gurux-dlms has them."""
        try:
            found: list[str] = converter.getDescription(self.name, ObjectType(self.class_id))
        except ValueError:  # a class that it does not know
            return ""
        text = found[0] if found else ""
        return "" if text == "Invalid" else " ".join(text.removeprefix("Ch. 0 ").split())


def objects(link: Link, progress: Progress) -> list[Item]:
    """Return the meter's list. Raises LinkError."""
    rows = link.get(*_LIST, progress)
    if not isinstance(rows, list) or not rows:
        raise LinkError("the meter has no list of objects for us")
    return [Item(row) for row in rows]


def read(link: Link, item: Item, indices: list[int]) -> list[tuple[int, str]]:
    """Return attributes as text."""
    scaler_index, scaled = _SCALED.get(item.class_id, (0, ()))
    scaler, unit = 0, ""
    if scaler_index and set(scaled) & set(indices):
        pair = link.get(item.class_id, item.code, scaler_index)
        if isinstance(pair, list):
            scaler, unit = pair[0], _UNITS.get(pair[1], "")
    texts: list[tuple[int, str]] = []
    for index in indices:
        try:
            value = link.get(item.class_id, item.code, index)
        except Refused as error:
            texts.append((index, f"({error})"))
            continue
        if index in scaled and isinstance(value, int):
            number = f"{value * 10.0**scaler:.{max(0, -scaler)}f}"
            texts.append((index, f"{number} {unit}".rstrip()))
        else:
            texts.append((index, text_of(value)))
    return texts


def text_of(value: object) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, bytes):
        return _octets(value)
    if isinstance(value, list):
        return "{" + ", ".join(text_of(part) for part in cast("list[object]", value)) + "}"
    return "" if value is None else str(value)


def _octets(octets: bytes) -> str:
    if len(octets) == _DATE_TIME:
        year = octets[0] << 8 | octets[1]
        if 2000 <= year <= 2099 and octets[2] <= 12 and octets[5] <= 24:
            return "{}-{:02}-{:02} {:02}:{:02}:{:02}".format(year, *octets[2:4], *octets[5:8])
    if octets and all(0x20 <= octet < 0x7F for octet in octets):
        return octets.decode()
    return octets.hex(" ")


def wanted(item: Item, codes: list[str], everything: bool) -> list[int]:
    """Return the attributes of an object that are asked for."""
    if codes:
        return item.readable if item.code in codes else []
    if everything:
        buffer = item.class_id == _PROFILE
        return [index for index in item.readable if not (buffer and index == _BUFFER)]
    return [index for index in _VALUES.get(item.class_id, ()) if index in item.readable]


def show(link: Link, codes: list[str], everything: bool) -> int:
    """Print what is asked for. Raises LinkError."""
    converter = GXDLMSConverter()
    items = objects(link, _counting("object list"))
    chosen = [(item, indices) for item in items if (indices := wanted(item, codes, everything))]
    for number, (item, indices) in enumerate(chosen, 1):
        _tell(f"{number} of {len(chosen)}")
        words = item.describe(converter)
        lines = read(link, item, indices)
        _tell("")
        for index, text in lines:
            code = item.code if len(lines) == 1 else f"{item.code} /{index}"
            print(f"{code:{_CODE}} {text:{_VALUE}} {words}".rstrip(), flush=True)
            words = ""
    missing = set(codes) - {item.code for item in items}
    for code in sorted(missing):
        print(f"read: {code} is not in the meter's list", file=sys.stderr)
    return 1 if missing else 0


def _counting(text: str) -> Progress:
    def count(done: int, _parts: int) -> None:
        _tell(f"{text}, part {done}")

    return count


def _tell(text: str) -> None:
    """How far it is, on one line of a terminal."""
    if sys.stderr.isatty():
        print(f"\r{text:<30}", end="" if text else "\r", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("codes", nargs="*", metavar="CODE", help="an object, as 1-0:1.8.0")
    parser.add_argument("--all", action="store_true", help="every attribute of every object")
    meter_options.add(parser.add_argument_group("the meter"))
    options = parser.parse_args(arguments)
    try:
        with meter_place.of(options).link() as link:
            return show(link, options.codes, options.all)
    except LinkError as error:
        print(f"read: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nread: stopped", file=sys.stderr)
    except BrokenPipeError:  # the reader of our output has gone
        sys.stderr.close()
    return 2


if __name__ == "__main__":
    sys.exit(main())
