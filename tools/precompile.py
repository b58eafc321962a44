"""Compiles firmware and simulation for the interpreter in .venv, and packs them as for a board.

A board runs its code from flash. Code that the interpreter compiles by itself stands in its heap,
and the virtual meter's heap shall be near to a board's. Only what changed is compiled, so the
sources stay the one thing to edit. Where there is no compiler for this machine the sources run.
"""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cross_compiler

ROOT = Path(__file__).resolve().parent.parent
COMPILED = ROOT / ".venv" / "mpy"
ROM = ROOT / ".venv" / "rom"
VARIABLE = "FERRARIS_ROM"  # tells boards/sim/run.py where the image is
_FOLDERS = ("firmware", "boards/sim", ".venv/upylib")
_ARCHITECTURES = {"x86_64": "x64", "AMD64": "x64"}


def _compile(command: "list[str]", source: Path, text: str, target: Path) -> bool:
    """Compile what a source is with folded constants, unless that was compiled before."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # the text that was compiled, beside the compiled ones
    kept = COMPILED.with_name("folded") / source.relative_to(ROOT)
    if target.exists() and kept.exists() and kept.read_text() == text:
        target.touch()
        return True
    kept.parent.mkdir(parents=True, exist_ok=True)
    folded = kept.with_suffix(f".{os.getpid()}.py")  # two meters may start at once
    made = target.with_suffix(f".{os.getpid()}")
    folded.write_text(text)
    name = str(source.relative_to(ROOT))
    command = [*command, "-s", name, "-o", str(made), str(folded)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        made.unlink(missing_ok=True)
        folded.unlink()
        return False
    made.replace(target)
    folded.replace(kept)
    return True


def _sources() -> "dict[Path, Path]":
    """All sources with what they are compiled to."""
    return {
        source: COMPILED / source.relative_to(ROOT).with_suffix(".mpy")
        for folder in _FOLDERS
        for source in (ROOT / folder).rglob("*.py")
    }


def _stale(source: Path, target: Path) -> bool:
    return not target.exists() or target.stat().st_mtime <= source.stat().st_mtime


def _texts(sources: "Iterable[Path]") -> "dict[Path, str]":
    """What is compiled of each source; firmware and simulation are folded as one image."""
    import fold_constants
    import short_names

    texts = {source: source.read_text() for source in sources}
    names: dict[str, Path] = {}
    simulated: list[str] = []
    for folder in _FOLDERS[:2]:
        for source in texts:
            if (ROOT / folder) in source.parents and source.name != "manifest.py":
                parts = source.relative_to(ROOT / folder).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                names[name] = source
                if folder == _FOLDERS[1]:
                    simulated.append(name)  # some take the place of MicroPython's own modules
    image = {name: texts[source] for name, source in names.items()}
    for name, text in short_names.shortened(fold_constants.folded(image, simulated)).items():
        texts[names[name]] = text
    return texts


def compiled() -> "Path | None":
    """Bring the image up to date; return its folder, None where the sources serve."""
    compiler = cross_compiler.own()
    architecture = _ARCHITECTURES.get(platform.machine())
    if architecture is None or compiler is None:
        return None
    COMPILED.parent.mkdir(parents=True, exist_ok=True)
    with COMPILED.with_name("mpy.lock").open("w") as lock:
        # meters that start at once would clear away what the other one has just compiled
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _up_to_date(compiler, architecture)


def _up_to_date(compiler: Path, architecture: str) -> "Path | None":
    import rom_image

    beside = [Path(__file__).with_name(name) for name in ("fold_constants.py", "short_names.py")]
    newest = max(tool.stat().st_mtime for tool in (compiler, *beside))
    if COMPILED.exists() and COMPILED.stat().st_mtime < newest:
        shutil.rmtree(COMPILED, ignore_errors=True)  # made by another version
    COMPILED.mkdir(parents=True, exist_ok=True)
    targets = _sources()
    due = any(_stale(source, target) for source, target in targets.items())
    if due:
        said = "compiling what has changed, which takes some seconds"
        print(f"virtual-meter: {said}", file=sys.stderr, flush=True)
        command = [str(compiler), f"-march={architecture}"]
        try:
            texts = _texts(targets)
        except SyntaxError:
            return None  # the interpreter says better what is wrong with a source
        with ThreadPoolExecutor() as pool:
            sources = list(texts)
            work = [[texts[source] for source in sources], [targets[source] for source in sources]]
            if not all(list(pool.map(partial(_compile, command), sources, *work))):
                return None
    compiled_ones = set(targets.values())
    orphans = [found for found in COMPILED.rglob("*.mpy") if found not in compiled_ones]
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
