"""`make frozen`: write what a firmware of one's own is about to hold of ours.

    frozen_sources.py [BOARD ...]

Where all but main.py and fitted.py is frozen, these are the sources as board_build.py compiles
them, with constants folded and private names short, and a manifest that names them: of frozen code
names are most of what takes RAM. Part of the firmware alone is frozen as it stands, for what is
compiled apart could not know the other's names.

A note of which sources they are is frozen with them: `make flash` compares it with those it finds,
because code that stands in the firmware is not put on the board again.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import board_manifest
import fold_constants
import short_names
from board_list import BOARDS, ROOT, Board, UnknownBoardError, chosen

FOLDER = ROOT / "build" / "frozen"  # as the manifests say
MANIFEST = "manifest.py"
_FILES = {"main", "fitted"}  # beside frozen code


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


def _folded(board: Board, manifest: str) -> dict[str, str]:
    """The text of each file that is frozen, by where it stands: `app/clock.py`."""
    frozen = board_manifest.read(board.name, name=manifest)
    names = {source.module for source in frozen}
    beside = [one for one in board_manifest.read(board.name) if one.module not in names]
    if not {one.module for one in beside} <= _FILES:
        text = f"{manifest}: more than main.py and fitted.py are files"
        raise board_manifest.ManifestError(text)
    # fitted.py is the user's: none of its values may get into the firmware
    sources = [*frozen, *(one for one in beside if one.module in board_manifest.START)]
    asked = {name for one in beside for name in board_manifest.imported(one)}
    texts = {source.module: source.path.read_text() for source in sources}
    texts = short_names.shortened(fold_constants.folded(texts, asked & names))
    return {source.target: texts[source.module] for source in frozen}


def write(board: Board) -> list[Path]:
    """Write all that is to be frozen, return the notes: none if a firmware holds nothing of ours.

    Raises board_manifest.ManifestError, and SyntaxError with the module's name as its file.
    """
    notes: list[Path] = []
    for manifest, found in digests(board).items():
        folder = FOLDER / board.name / Path(manifest).stem
        shutil.rmtree(folder, ignore_errors=True)
        texts = {board_manifest.NOTE: f'SOURCES = "{found}"\n'}
        if board_manifest.made(board.name, manifest):
            texts |= _folded(board, manifest)
            # last: half of it is no firmware
            texts[MANIFEST] = "".join(f"module({path!r}, opt=3)\n" for path in texts)
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        notes.append(folder / board_manifest.NOTE)
    return notes


def main() -> int:
    """Write what is frozen; 1 if that cannot be done, 2 for a board that there is not."""
    parser = argparse.ArgumentParser(description="Write what a firmware is built from.")
    parser.add_argument("boards", nargs="*", metavar="BOARD", help=", ".join(BOARDS))
    options = parser.parse_args()
    try:
        for board in chosen(options.boards):
            notes = [str(note.relative_to(ROOT)) for note in write(board)]
            print(f"{board.name}: {', '.join(notes) or 'nothing is frozen'}")
    except UnknownBoardError as error:
        print(f"frozen: {error}", file=sys.stderr)
        return 2
    except (board_manifest.ManifestError, SyntaxError) as error:
        print(f"frozen: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
