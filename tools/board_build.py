"""Compiles a board's files and packs them as its processor takes them.

The files are those of the board's manifest; what nothing imports on it stays out. `fitted.py` may
come from elsewhere, for a meter whose sensors are not those of the repository's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))
import board_manifest
import cross_compiler
import fold_constants
import rom_image
import short_names
from board_list import ROOT, Board

if TYPE_CHECKING:
    from collections.abc import Container

BUILD = ROOT / "build" / "boards"


class BuildError(Exception):
    """A file does not compile, or there is no compiler; the text says which and why."""


@dataclass(frozen=True)
class Built:
    """A board's code, ready to be copied: .mpy files below `folder`."""

    board: Board
    folder: Path
    files: dict[str, bytes]  # path on the board without the root, "app/clock.mpy"

    @property
    def size(self) -> int:
        """Octets of all files."""
        return sum(len(content) for content in self.files.values())

    def without(self, paths: Container[str]) -> Built:
        """All but these files, on the disk too; what is the same stands in the firmware."""
        for path in self.files:
            if path in paths:
                (self.folder / path).unlink()
        rest = {path: code for path, code in self.files.items() if path not in paths}
        return replace(self, files=rest)

    def image(self) -> bytes:
        """The ROMFS image with the signature of the build behind it."""
        return rom_image.signed(rom_image.image_of(self.folder), self.folder)


def _compile(
    compiler: str, board: Board, source: board_manifest.Source, text: str, target: Path
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    folded = target.with_suffix(".py")
    folded.write_text(text, encoding="utf-8")
    command = [compiler, "-O3", f"-march={board.march}", "-s", source.module, "-o", str(target)]
    done = subprocess.run([*command, str(folded)], capture_output=True, text=True, check=False)
    folded.unlink()
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1]
        raise BuildError(f"{source.path}: {reason}")


def build(board: Board, fitted: Path | None = None) -> Built:
    """Compile a board's files anew. Raises BuildError, board_manifest.ManifestError."""
    try:
        compiler = cross_compiler.find()
    except FileNotFoundError as error:
        raise BuildError(str(error)) from None
    folder = BUILD / board.name / "mpy"
    shutil.rmtree(folder, ignore_errors=True)
    sources = board_manifest.needed(board_manifest.read(board.name))
    if fitted is not None:
        if not fitted.is_file():
            raise BuildError(f"there is no file {fitted}")
        sources = [
            board_manifest.Source(fitted.resolve(), one.target) if one.module == "fitted" else one
            for one in sources
        ]

    paths = {one.module: one.path for one in sources}
    try:
        texts = fold_constants.folded({name: path.read_text() for name, path in paths.items()})
        texts = short_names.shortened(texts)
    except SyntaxError as error:
        raise BuildError(f"{paths[str(error.filename)]}: SyntaxError: {error.msg}") from None

    def one(source: board_manifest.Source) -> tuple[str, bytes]:
        target = (folder / source.target).with_suffix(".mpy")
        _compile(compiler, board, source, texts[source.module], target)
        return str(target.relative_to(folder)), target.read_bytes()

    with ThreadPoolExecutor() as pool:
        files = dict(pool.map(one, sources))
    return Built(board, folder, files)
