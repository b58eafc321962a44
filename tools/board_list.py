"""The boards of boards/: their processor, how their code gets on them, what memory they have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from board_chips import CHIPS
from board_memory import PARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
COMMON = ROOT / "boards" / "common"
FIRMWARE = ROOT / "firmware"

# What a port's MicroPython brings; everything else must be in the manifest.
_ALWAYS = (
    "array asyncio binascii collections deflate errno framebuf gc hashlib io machine math "
    "micropython os random re struct sys time uctypes vfs"
)
MICROPYTHON = (1, 25)  # the oldest that is asked for: .mpy version 6.3, hard timers, ROMFS


@dataclass(frozen=True)
class Board:
    """A board of ours.

    march: mpy-cross's name of the architecture
    heap: octets that MicroPython has free there before anything is imported
    flash: octets of the flash that the code is in
    machine: what the board says of itself in `sys.implementation._machine`
    usb: vendor and product number, to find it among the serial ports
    parts: octets of the heap that board.py's parts take (tools/board_memory.py)
    """

    name: str
    chip: str
    march: str
    heap: int
    flash: int
    machine: str
    usb: tuple[int, int]
    built_in: frozenset[str]
    parts: int = PARTS

    @property
    def folder(self) -> Path:
        """Where its board.py stands."""
        return ROOT / "boards" / self.name

    @property
    def rp2(self) -> bool:
        """Whether its MicroPython is that of ports/rp2."""
        return "rp2" in self.built_in


def _modules(more: str) -> frozenset[str]:
    return frozenset((_ALWAYS + " " + more).split())


_RP2 = _modules("rp2 cryptolib")

BOARDS = {
    board.name: board
    for board in (
        Board(
            "pico2_meter",
            "rp2350",
            "armv7emsp",
            481 * 1024,
            4 << 20,
            "RP2350",
            (0x2E8A, 0x0005),
            _RP2,
        ),
        Board(
            "pico_meter", "rp2040", "armv6m", 236 * 1024, 2 << 20, "RP2040", (0x2E8A, 0x0005), _RP2
        ),
        Board(
            "pyboard_meter",
            "stm32f405",
            "armv7emsp",
            104 * 1024,  # with boards/pyboard_meter/stack.ld
            1 << 20,
            "STM32F405",
            (0xF055, 0x9800),
            _modules("pyb stm"),
            17 * 1024,
        ),
    )
}


class UnknownBoardError(Exception):
    """There is no such board, or not all of it; the text tells what there is."""


def named(name: str) -> Board:
    """The board of a name."""
    if name not in BOARDS:
        text = f"there is no board {name!r}, only {', '.join(BOARDS)}"
        if name and (ROOT / "boards" / name / "board.py").is_file():
            text += f"; boards/{name} is there, tools/board_list.py does not list it"
        raise UnknownBoardError(text)
    board = BOARDS[name]
    if board.chip not in CHIPS:
        raise UnknownBoardError(
            f"{name} has the chip {board.chip!r}, tools/board_chips.py only {', '.join(CHIPS)}"
        )
    if not (board.folder / "board.py").is_file():
        raise UnknownBoardError(f"{name} is listed, and there is no boards/{name}/board.py")
    return board


def chosen(names: Sequence[str]) -> list[Board]:
    """The boards of these names, all without one."""
    return [named(name) for name in names or BOARDS]
