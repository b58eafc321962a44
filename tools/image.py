"""`make image BOARD=...`: compile a board's code, pack it, say what it weighs and whether it fits.

    image.py [BOARD ...] [--list] [--fitted FILE]

Makes build/boards/<board>/mpy/ and <board>.romfs, the same as a ROMFS image with the signature of
the build behind it. Without names all boards are made. Ends with 1 if something does not compile.
Where `fitted.py` leaves the choice of parts open, it is the largest that fits by estimate into a
board with a MicroPython of our definition; a board too small for its code is told, and made all
the same.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import board_build
import board_definition
import board_manifest
import board_memory
import rom_image
from board_list import BOARDS, Board, UnknownBoardError, chosen

_BUDGET_KB = 230  # of the design, for the complete product


def packages(files: dict[str, bytes]) -> dict[str, int]:
    """Octets by folder, two levels of it."""
    sizes: dict[str, int] = {}
    for path, content in files.items():
        folder = "/".join(path.split("/")[:-1][:2]) or "top"
        sizes[folder] = sizes.get(folder, 0) + len(content)
    return sizes


def report(built: board_build.Built, image: bytes, every_file: bool) -> list[str]:
    """What was made, line by line."""
    lines = [f"{built.board.name}: {len(built.files)} files for {built.board.march}"]
    sizes = (
        {path: len(content) for path, content in built.files.items()}
        if every_file
        else packages(built.files)
    )
    lines += [f"  {name:<32} {sizes[name]:>8}" for name in sorted(sizes)]
    lines.append(
        f"  {'all':<32} {built.size:>8}  {board_memory.kilo(built.size)} KB,"
        f" the design's budget is {_BUDGET_KB} KB"
    )
    lines.append(f"  {'ROMFS image with signature':<32} {len(image):>8}")
    metrology, application = rom_image.image_digests(image)
    lines.append(f"  metrology {metrology.hex().upper()} application {application.hex().upper()}")
    lines += [f"  {_room(built, one)}" for one in board_definition.variants(built.board)]
    lines.append(f"  parts: {built.choice}. RAM, estimated in KB (never measured on a board):")
    for choice, code in built.resident.items():
        if choice == built.choice or built.auto:
            for way, estimate in _memory(built.board, code, choice):
                lines.append(f"    {choice:<8} {way:<14} {estimate}")
    return lines


def made(board: Board, fitted: Path | None) -> board_build.Built:
    """The code of a board, with as many parts as fit where the choice is open."""
    every = board_build.build(board, fitted)
    if not every.auto:
        return every
    romfs = board_definition.layout(board).romfs > 0
    held = board_definition.held(board)
    choice = board_memory.fitting(every.resident, board.heap, romfs, held, board.parts)
    if choice == every.choice:
        return every
    return replace(board_build.build(board, fitted, choice), resident=every.resident)


def _memory(
    board: Board, code: dict[str, int], choice: str
) -> list[tuple[str, board_memory.Estimate]]:
    """RAM for each way in which the board can have the code, with stock MicroPython the first."""
    ways = [("from files", board_memory.from_files(code, choice, board.heap, (), board.parts))]
    if board_definition.layout(board).romfs:
        held = board_definition.held(board)
        name = "ROMFS + frozen" if held else "from ROMFS"
        ways.append((name, board_memory.from_romfs(code, choice, board.heap, held, board.parts)))
    if any(
        not board_definition.layout(board, one).romfs for one in board_definition.variants(board)
    ):
        ways.append(("all frozen", board_memory.frozen(code, choice, board.heap, board.parts)))
    return ways


def _room(built: board_build.Built, variant: str) -> str:
    """Whether it has room in flash, as the board's definition divides it."""
    room = board_definition.layout(built.board, variant)
    text = f"flash{' with BOARD_VARIANT=' + variant if variant else ''}:"
    text += f" {board_memory.kilo(room.firmware)} KB for MicroPython and what is frozen"
    if room.romfs:
        text += f", two slots of {board_memory.kilo(room.slot)} KB in the ROMFS"
    wrong = board_definition.fits(built.board, built.files, variant)
    return f"{text}: {'; '.join(wrong) or 'fits'}"


def main() -> int:
    """Make images; 1 if one cannot be made, 2 for a board that there is not."""
    parser = argparse.ArgumentParser(description="Compile and pack the code of boards.")
    parser.add_argument("boards", nargs="*", metavar="BOARD", help=", ".join(BOARDS))
    parser.add_argument("--list", action="store_true", help="every file with its size")
    parser.add_argument("--fitted", type=Path, help="a fitted.py of your own")
    options = parser.parse_args()
    try:
        for board in chosen(options.boards):
            built = made(board, options.fitted)
            image = built.image()
            target = board_build.BUILD / board.name / f"{board.name}.romfs"
            target.write_bytes(image)
            print("\n".join(report(built, image, options.list)))
            print(f"  {target.relative_to(board_build.ROOT)}")
    except UnknownBoardError as error:
        print(f"image: {error}", file=sys.stderr)
        return 2
    except (
        board_build.BuildError,
        board_definition.DefinitionError,
        board_manifest.ManifestError,
        ValueError,
    ) as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
