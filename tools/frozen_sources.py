"""`make frozen`: note which of our sources a firmware of one's own is about to hold.

    frozen_sources.py [BOARD ...]

The note is a module that is frozen with them: `make flash` compares it with the sources it finds,
because code that stands in the firmware is not put on the board again.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import board_manifest
from board_list import BOARDS, ROOT, Board, UnknownBoardError, chosen

FOLDER = ROOT / "build" / "frozen"  # as the manifests say


def digests(board: Board) -> dict[str, str]:
    """For each manifest of the board's firmware what the sources are known by, if it has any."""
    found = {name: _digest(board, name) for name in board_manifest.frozen_manifests(board.name)}
    return {name: digest for name, digest in found.items() if digest}


def _digest(board: Board, manifest: str) -> str:
    known = hashlib.sha256()
    sources = [
        source
        for source in board_manifest.read(board.name, name=manifest)
        if source.target != board_manifest.NOTE
    ]
    for source in sources:  # by their names
        content = source.path.read_bytes()
        known.update(f"{source.target} {len(content)}\n".encode() + content)
    return known.hexdigest() if sources else ""


def write(board: Board) -> list[Path]:
    """Write the notes; none for a board whose firmware holds nothing of ours."""
    notes: list[Path] = []
    for manifest, found in digests(board).items():
        note = FOLDER / board.name / Path(manifest).stem / board_manifest.NOTE
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(f'SOURCES = "{found}"\n')
        notes.append(note)
    return notes


def main() -> int:
    """Write notes; 2 for a board that there is not."""
    parser = argparse.ArgumentParser(description="Note what a firmware is built from.")
    parser.add_argument("boards", nargs="*", metavar="BOARD", help=", ".join(BOARDS))
    options = parser.parse_args()
    try:
        for board in chosen(options.boards):
            notes = [str(note.relative_to(ROOT)) for note in write(board)]
            print(f"{board.name}: {', '.join(notes) or 'nothing is frozen'}")
    except UnknownBoardError as error:
        print(f"frozen: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
