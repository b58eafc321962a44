"""Holds a board's definition for MicroPython to what its ports ask for, before anyone builds it.

Read are `mpconfigboard.h`, `.cmake` or `.mk`, `pins.csv`, `board.json` and `manifest_frozen.py`,
as far as our boards use them. Flash of an RP2 from below: MicroPython, the ROMFS, the file system
that ends it (ports/rp2/rp2_flash.c); of an STM32F405: vectors, file system, everything else
(ports/stm32/boards/stm32f405.ld).
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import board_manifest
from board_chips import CHIPS
from board_list import COMMON, Board

if TYPE_CHECKING:
    from pathlib import Path

SLOTS = 2  # of an application in the ROMFS, so that one is whole while the other is written
_SECTOR = 4096
_MICROPYTHON = 400 * 1024  # about, with nothing of ours
_FROZEN_SHARE = 1.2  # octets of flash for an octet of .mpy: tables and pointers are 32 bits there
_FLASH = {"rp2040": 2 << 20, "rp2350": 4 << 20}
_STM32_TEXT = 896 * 1024  # sectors 5 to 11
_JSON = {
    "deploy": list, "docs": str, "features": list, "images": list, "mcu": str, "product": str,
    "thumbnail": str, "url": str, "vendor": str,
}  # fmt: skip
_NAMES_OF_PINS = re.compile(r"(\w+),(GPIO\d+|P[A-K]\d+)")


class DefinitionError(Exception):
    """A definition cannot be read; the text says what."""


@dataclass(frozen=True)
class Layout:
    """Octets of a board's flash: for MicroPython and what is frozen, the ROMFS, the files."""

    firmware: int
    romfs: int
    files: int

    @property
    def slot(self) -> int:
        """Octets of a slot of the ROMFS."""
        return self.romfs // SLOTS


def _defined(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^#define[ \t]+(\w+)[ \t]+(.+?)[ \t]*$", path.read_text(), re.M))


def _number(names: dict[str, str], name: str) -> int:
    text = names.get(name, "")
    if not re.fullmatch(r"[\d\s()*+-]+", text):
        raise DefinitionError(f"mpconfigboard.h: {name} is {text or 'not defined'}")
    return eval(text)  # digits and signs


def settings(board: Board) -> dict[str, str]:
    """What `mpconfigboard.cmake` or `.mk` sets."""
    for suffix, form in (
        ("cmake", r"^\s*set\((\w+)\s+\"?(.+?)\"?\)"),
        ("mk", r"^(\w+)\s*\??=\s*(.*?)\s*$"),
    ):
        path = board.folder / f"mpconfigboard.{suffix}"
        if path.exists():
            return dict(re.findall(form, path.read_text(), re.M))
    raise DefinitionError("there is neither mpconfigboard.cmake nor mpconfigboard.mk")


def layout(board: Board) -> Layout:
    """The regions of a board's flash. Raises DefinitionError."""
    if board.chip not in _FLASH:
        return Layout(_STM32_TEXT, 0, 112 * 1024)
    names = _defined(board.folder / "mpconfigboard.h")
    romfs = _number(names, "MICROPY_HW_ROMFS_BYTES")
    files = _number(names, "MICROPY_HW_FLASH_STORAGE_BYTES")
    told = settings(board).get("MICROPY_HW_FLASH_STORAGE_BYTES")
    if told != str(files):
        raise DefinitionError(f"mpconfigboard.cmake says {told} octets of files, .h {files}")
    for what, size in (("the ROMFS", romfs), ("the file system", files)):
        if size <= 0 or size % _SECTOR:
            raise DefinitionError(f"{what} has {size} octets, no whole sectors of {_SECTOR}")
    if romfs % (SLOTS * _SECTOR):
        raise DefinitionError(f"the ROMFS does not make {SLOTS} slots of whole sectors")
    firmware = _FLASH[board.chip] - romfs - files
    if firmware < _MICROPYTHON:
        raise DefinitionError(f"{firmware} octets are left for MicroPython")
    return Layout(firmware, romfs, files)


def frozen(board: Board) -> set[str]:
    """Paths of what the board's firmware holds of ours, `app/clock.py`."""
    sources = board_manifest.read(board.name, name="manifest_frozen.py")
    return {source.target for source in sources}


def fits(board: Board, files: dict[str, bytes]) -> list[str]:
    """What of a board's compiled code has no room in its flash, in words; empty: all has."""
    room = layout(board)
    held = {path.removesuffix(".py") + ".mpy" for path in frozen(board)}
    inside = sum(len(code) for path, code in files.items() if path in held)
    beside = sum(len(code) for code in files.values()) - inside
    wrong: list[str] = []
    if _MICROPYTHON + inside * _FROZEN_SHARE > room.firmware:
        wrong.append(f"{inside} octets of frozen code beside MicroPython in {room.firmware}")
    if room.romfs and beside > room.slot:
        wrong.append(f"{beside} octets of code in a slot of {room.slot}")
    return wrong


def _pins(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = _NAMES_OF_PINS.fullmatch(line)
        if match is None or match[1] in found:
            raise DefinitionError(f"{path.name}, line {number}: {line}")
        found[match[1]] = match[2]
    return found


def _pin_faults(board: Board, wired: list[dict[str, str]]) -> list[str]:
    """Where pins.csv differs from the table of wiring, whose pins are the processor's."""
    own = board.folder / "pins.csv"
    named = _pins(own if own.exists() else COMMON / "pins.csv")
    rows = {row["signal"]: row["pin"] for row in wired if row["on"] == "processor"}
    if board.chip in _FLASH:  # the signals' names
        wanted = {signal: pin.replace("GP", "GPIO") for signal, pin in rows.items()}
    else:  # those on the board itself
        wanted = CHIPS[board.chip].names
        missing = sorted(set(rows.values()) - set(named.values()))
        if missing:
            return [f"pins.csv does not name {', '.join(missing)}"]
    return [
        f"pins.csv: {name} is {named.get(name, 'missing')}, not {pin}"
        for name, pin in wanted.items()
        if named.get(name) != pin
    ]


def _header_faults(board: Board) -> list[str]:
    """What the header of an STM32's board names that pins.csv has not."""
    if board.chip in _FLASH:
        return []
    pins = {pin[1:] for pin in _pins(board.folder / "pins.csv").values()}
    used = re.findall(r"\(pin_(\w+)\)", (board.folder / "mpconfigboard.h").read_text())
    return [f"mpconfigboard.h: {pin} is not in pins.csv" for pin in used if pin not in pins]


def _json_faults(board: Board) -> list[str]:
    try:
        told = json.loads((board.folder / "board.json").read_text())
    except ValueError as error:
        return [f"board.json: {error}"]
    wrong = [
        f"board.json: {name} is no {kind.__name__}"
        for name, kind in _JSON.items()
        if not isinstance(told.get(name), kind)
    ]
    wrong += [f"board.json: nobody knows {name}" for name in sorted(set(told) - set(_JSON))]
    return wrong + [
        f"board.json: there is no {name}"
        for name in (*told.get("deploy", ()), *told.get("images", ()))
        if not (board.folder / name).is_file()
    ]


def _frozen_faults(board: Board) -> list[str]:
    every = {source.target: source for source in board_manifest.read(board.name)}
    held = frozen(board)
    wrong = [
        f"manifest_frozen.py: {path} is not in manifest.py" for path in sorted(held - set(every))
    ]
    sources = [every[path] for path in sorted(held & set(every))]
    # main.py and fitted.py are files, and what is frozen must do without what is not
    reached = board_manifest.missing(sources, {*board.built_in, "fitted"})
    return wrong + [f"manifest_frozen.py: {text}" for text in reached]


def faults(board: Board, wired: list[dict[str, str]]) -> list[str]:
    """All that is wrong with a board's definition, in words."""
    try:
        layout(board)
        made = settings(board)
        manifest = made.get("MICROPY_FROZEN_MANIFEST", made.get("FROZEN_MANIFEST", ""))
        wrong = [] if manifest.endswith("/manifest_frozen.py") else ["no manifest_frozen.py"]
        return (
            wrong
            + _pin_faults(board, wired)
            + _header_faults(board)
            + _json_faults(board)
            + _frozen_faults(board)
        )
    except (DefinitionError, FileNotFoundError, csv.Error) as error:
        return [str(error)]
