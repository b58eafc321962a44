"""Compiles a board's files and packs them as its processor takes them.

The files are those of the board's manifest; what nothing imports on it stays out. `fitted.py` may
come from elsewhere, for a meter whose sensors are not those of the repository's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))
import board_check
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
    choice: str = ""  # of parts, that it was made with
    auto: bool = False  # it was asked for none: the choice is this tool's
    resident: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    """Of this choice and those that have less: what is loaded at the start, octets by path."""

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


def _with_fitted(every: list[board_manifest.Source], fitted: Path) -> list[board_manifest.Source]:
    """The files, with a `fitted.py` of the user's own."""
    if not fitted.is_file():
        raise BuildError(f"there is no file {fitted}")
    return [
        board_manifest.Source(fitted.resolve(), one.target) if one.module == "fitted" else one
        for one in every
    ]


def _resident(
    every: list[board_manifest.Source], choice: str, files: dict[str, bytes]
) -> dict[str, dict[str, int]]:
    """What is loaded at the start, of the choice and those after it in their list."""
    names = list(board_manifest.choices(every))
    at_start = {
        name: (one.compiled for one in board_manifest.resident(every, name))
        for name in names[names.index(choice) :]
    }
    return {
        name: {path: len(files[path]) for path in paths if path in files}
        for name, paths in at_start.items()
    }


def build(board: Board, fitted: Path | None = None, choice: str = "") -> Built:
    """Compile a board's files anew. Raises BuildError, board_manifest.ManifestError.

    `choice`: of parts, where `fitted.py` leaves it open; without one all that there are.
    """
    try:
        compiler = cross_compiler.find()
    except FileNotFoundError as error:
        raise BuildError(str(error)) from None
    folder = BUILD / board.name / "mpy"
    shutil.rmtree(folder, ignore_errors=True)
    every = board_manifest.read(board.name)
    if fitted is not None:
        every = _with_fitted(every, fitted)
    asked = board_manifest.asked(every)
    fault = board_check.fitted_fault(board, fitted or board.folder / "fitted.py")
    if fault:
        raise BuildError(fault)
    auto = asked == board_manifest.AUTO
    if not auto:
        choice = asked
    elif not choice:
        choice = next(iter(board_manifest.choices(every)))
    sources = board_manifest.needed(every, choice)
    paths = {one.module: one.path for one in sources}
    texts = {name: path.read_text() for name, path in paths.items()}
    if auto:
        texts["fitted"] = board_manifest.with_choice(texts["fitted"], choice)
    try:
        texts = fold_constants.folded(texts)
        texts = short_names.shortened(texts)
    except SyntaxError as error:
        raise BuildError(f"{paths[str(error.filename)]}: SyntaxError: {error.msg}") from None

    def one(source: board_manifest.Source) -> tuple[str, bytes]:
        target = folder / source.compiled
        _compile(compiler, board, source, texts[source.module], target)
        return source.compiled, target.read_bytes()

    with ThreadPoolExecutor() as pool:
        files = dict(pool.map(one, sources))
    return Built(board, folder, files, choice, auto, _resident(every, choice, files))
