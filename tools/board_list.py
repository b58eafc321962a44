"""The boards of boards/: their processor, how their code gets on them, what memory they have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
    machine: what the board says of itself in `sys.implementation._machine`
    usb: vendor and product number, to find it among the serial ports
    """

    name: str
    chip: str
    march: str
    heap: int
    machine: str
    usb: tuple[int, int]
    built_in: frozenset[str]

    @property
    def folder(self) -> Path:
        """Where its board.py stands."""
        return ROOT / "boards" / self.name


def _modules(more: str) -> frozenset[str]:
    return frozenset((_ALWAYS + " " + more).split())


_RP2 = _modules("rp2 cryptolib")

BOARDS = {
    board.name: board
    for board in (
        Board("pico2_meter", "rp2350", "armv7emsp", 497 * 1024, "RP2350", (0x2E8A, 0x0005), _RP2),
        Board("pico_meter", "rp2040", "armv6m", 241 * 1024, "RP2040", (0x2E8A, 0x0005), _RP2),
        Board(
            "pyboard_meter",
            "stm32f405",
            "armv7emsp",
            103 * 1024,
            "STM32F405",
            (0xF055, 0x9800),
            _modules("pyb stm"),
        ),
    )
}


class UnknownBoardError(Exception):
    """There is no such board; the text lists those that there are."""


def named(name: str) -> Board:
    """The board of a name."""
    if name not in BOARDS:
        raise UnknownBoardError(f"there is no board {name!r}, only {', '.join(BOARDS)}")
    return BOARDS[name]
