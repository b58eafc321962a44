"""Holds a board's definition for MicroPython to what its ports ask for, before anyone builds it.

Read are `mpconfigboard.h`, `.cmake` or `.mk`, `mpconfigvariant_*.cmake`, `pins.csv`, `board.json`
and the manifests of what is frozen, as far as our boards use them. Flash of an RP2 from below:
MicroPython, the ROMFS, the file system that ends it (ports/rp2/rp2_flash.c); of an STM32F405:
vectors, file system, everything else (ports/stm32/boards/stm32f405.ld).
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import board_manifest
import short_names
from board_chips import CHIPS
from board_list import COMMON, ROOT, Board

if TYPE_CHECKING:
    from pathlib import Path

SLOTS = 2  # of an application in the ROMFS, so that one is whole while the other is written
_SECTOR = 4096
_MICROPYTHON = 400 * 1024  # about, with nothing of ours
_FROZEN_SHARE = 1.2  # octets of flash for an octet of .mpy: tables and pointers are 32 bits there
_STM32 = "stm32f405"
_STM32_TEXT = 896 * 1024  # sectors 5 to 11
_JSON = {
    "deploy": list, "docs": str, "features": list, "images": list, "mcu": str, "product": str,
    "thumbnail": str, "url": str, "vendor": str,
}  # fmt: skip
_APPENDED = re.compile(r"^\s*list\(APPEND MICROPY_DEF_BOARD (\w+)=(.+?)\)", re.M)
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


def variants(board: Board) -> list[str]:
    """What a MicroPython of the board can be built as, with BOARD_VARIANT=; "" is itself.

    Empty for a board that has no definition, only MicroPython as it can be downloaded.
    """
    if not (board.folder / "mpconfigboard.h").is_file():
        return []
    paths = board.folder.glob("mpconfigvariant_*.cmake")
    return ["", *sorted(path.stem.removeprefix("mpconfigvariant_") for path in paths)]


def settings(board: Board, variant: str = "") -> dict[str, str]:
    """What `mpconfigboard.cmake` or `.mk` sets, and then the variant's file."""
    for suffix, form in (
        ("cmake", r"^\s*set\((\w+)\s+\"?(.+?)\"?\)"),
        ("mk", r"^(\w+)\s*\??=\s*(.*?)\s*$"),
    ):
        path = board.folder / f"mpconfigboard.{suffix}"
        if path.exists():
            made = dict(re.findall(form, path.read_text(), re.M))
            if variant:
                text = (board.folder / f"mpconfigvariant_{variant}.{suffix}").read_text()
                made |= dict(re.findall(form, text, re.M))
                made |= dict(_APPENDED.findall(text))
            return made
    raise DefinitionError("there is neither mpconfigboard.cmake nor mpconfigboard.mk")


def manifest(board: Board, variant: str = "") -> str:
    """The name of the manifest of what stands in the firmware. Raises DefinitionError."""
    made = settings(board, variant)
    path = made.get("MICROPY_FROZEN_MANIFEST", made.get("FROZEN_MANIFEST", ""))
    folder, _, name = path.rpartition("/")
    own = folder in ("${MICROPY_BOARD_DIR}", "$(BOARD_DIR)")
    if not own or name not in board_manifest.frozen_manifests(board.name):
        raise DefinitionError(f"no manifest of what is frozen: {path or 'none'}")
    return name


def layout(board: Board, variant: str = "") -> Layout:
    """The regions of a board's flash. Raises DefinitionError."""
    if not variants(board):
        return Layout(board.flash, 0, 0)
    if board.chip == _STM32:
        return Layout(_STM32_TEXT, 0, 112 * 1024)
    if not board.rp2:
        raise DefinitionError(
            f"tools/board_definition.py does not know how a {board.chip} is divided"
        )
    names = _defined(board.folder / "mpconfigboard.h")
    romfs = _number(names | settings(board, variant), "MICROPY_HW_ROMFS_BYTES")
    files = _number(names, "MICROPY_HW_FLASH_STORAGE_BYTES")
    told = settings(board).get("MICROPY_HW_FLASH_STORAGE_BYTES")
    if told != str(files):
        raise DefinitionError(f"mpconfigboard.cmake says {told} octets of files, .h {files}")
    for what, size, least in (("the ROMFS", romfs, 0), ("the file system", files, _SECTOR)):
        if size < least or size % _SECTOR:
            raise DefinitionError(f"{what} has {size} octets, no whole sectors of {_SECTOR}")
    if romfs % (SLOTS * _SECTOR):
        raise DefinitionError(f"the ROMFS does not make {SLOTS} slots of whole sectors")
    firmware = board.flash - romfs - files
    if firmware < _MICROPYTHON:
        raise DefinitionError(f"{firmware} octets are left for MicroPython")
    return Layout(firmware, romfs, files)


def _frozen(board: Board, variant: str) -> list[board_manifest.Source]:
    if not variants(board):
        return []
    sources = board_manifest.read(board.name, name=manifest(board, variant))
    return [source for source in sources if source.target != board_manifest.NOTE]


def frozen(board: Board, variant: str = "") -> set[str]:
    """Paths of what the board's firmware holds of ours, `app/clock.py`."""
    return {source.target for source in _frozen(board, variant)}


def held(board: Board, variant: str = "") -> set[str]:
    """The same as they are compiled, `app/clock.mpy`."""
    return {source.compiled for source in _frozen(board, variant)}


def fits(board: Board, files: dict[str, bytes], variant: str = "") -> list[str]:
    """What of a board's compiled code has no room in its flash, in words; empty: all has."""
    room = layout(board, variant)
    kept = held(board, variant)
    inside = sum(len(code) for path, code in files.items() if path in kept)
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
    if board.rp2:  # the signals' names
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
    if board.rp2:
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


def _frozen_faults(board: Board, variant: str) -> list[str]:
    name = manifest(board, variant)
    every = {source.target: source for source in board_manifest.read(board.name)}
    kept = frozen(board, variant)
    wrong = [f"{name}: {path} is not in manifest.py" for path in sorted(kept - set(every))]
    sources = [every[path] for path in sorted(kept & set(every))]
    written = ROOT / "build" / "frozen" / board.name / name.removesuffix(".py") / "manifest.py"
    wrong += [
        f"{name} includes {path}, make frozen writes {written}"
        for path in board_manifest.made(board.name, name)
        if path != written
    ]
    if kept and not board_manifest.made(board.name, name):
        texts = {source.module: source.path.read_text() for source in every.values()}
        crossing = short_names.over_border(texts, {source.module for source in sources})
        wrong += [f"{name}: {text}" for text in crossing]
    # main.py and fitted.py are files, and what is frozen must do without what is not
    reached = board_manifest.missing(sources, {*board.built_in, "fitted"})
    return wrong + [f"{name}: {text}" for text in reached]


def faults(board: Board, wired: list[dict[str, str]]) -> list[str]:
    """All that is wrong with a board's definition, in words."""
    try:
        wrong: list[str] = []
        if not variants(board):
            return wrong
        for variant in variants(board):
            layout(board, variant)
            wrong += _frozen_faults(board, variant)
        return wrong + _pin_faults(board, wired) + _header_faults(board) + _json_faults(board)
    except (DefinitionError, FileNotFoundError, csv.Error) as error:
        return [str(error)]
