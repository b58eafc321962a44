"""`make size`: what the firmware weighs, as compiled code and as heap, against its budgets.

Every file under firmware/ is compiled as for a board (fold_constants.py, short_names.py) for the
smallest target (armv6m, -O3: no line numbers) and counted by package. A package that outgrew
size_baseline.txt by more than one percent fails the check until the baseline is changed in the
same commit (`tools/size.py --update`), so that growth is seen.
Then the virtual meter shows the heap it needs: the firmware's own share by importing its modules,
the running meter's by its health page, and that it starts in one megabyte without the faceplate.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import board_manifest
import cross_compiler
import precompile
from fold_constants import folded
from running_meter import LAUNCHER, ROOT, MeterError, RunningMeter
from short_names import shortened

FIRMWARE = ROOT / "firmware"
BASELINE = ROOT / "size_baseline.txt"
ARCH = "armv6m"
BUDGET_BYTES = 230 * 1024  # of the design; all drivers of all front ends are counted
LIMIT_BYTES = 380 * 1024  # what is refused until the parts are smaller again
TOLERANCE = 0.01
SMALL_BYTES = 64  # one percent of a small package is less than a line of code
STAY_S = 5.0
# Packages and modules from the bottom of the import order up; the rest follows.
IMPORT_ORDER = (
    *("hal", "version", "metrology", "drivers", "app.storage", "app.attributes", "app.axdr"),
    *("app.errors", "app.clock", "app.settings", "app.registers", "app.cosem", "app.dlms"),
    *("app.display", "app.transport"),
)

# As on a board: the code stands outside of the heap, as in flash.
_IMPORT_SCRIPT = """
import gc, sys
sys.path.insert(0, sys.argv[1])
import rom
code = rom.mount(sys.argv[2])
sys.path[:1] = [code + "/" + folder for folder in ("boards/sim", "firmware", ".venv/upylib")]
gc.collect()
start = before = gc.mem_alloc()
for name in sys.argv[3:]:
    try:
        __import__(name)
    except Exception as error:
        print("skip", name, type(error).__name__, error)
        continue
    gc.collect()
    now = gc.mem_alloc()
    print("heap", name, now - before)
    before = now
print("total", before - start, gc.mem_free())
"""


class SizeError(Exception):
    """The measurement cannot be made; the text is one line."""


def micropython() -> str:
    """Path of the interpreter: chosen by the environment, beside this Python, or on the path."""
    beside = Path(sys.executable).with_name("micropython")
    found = os.environ.get("MICROPYTHON") or shutil.which(beside) or shutil.which(beside.name)
    if not found:
        raise SizeError("there is no MicroPython; `make setup` installs it")
    return found


def sources() -> list[Path]:
    """Firmware files that become part of an image."""
    return sorted(p for p in FIRMWARE.rglob("*.py") if not p.name.startswith("manifest"))


def package_of(source: Path) -> str:
    """Folder below firmware/; files at its top count as `top`."""
    parts = source.relative_to(FIRMWARE).parts[:-1]
    return "/".join(parts) if parts else "top"


def module_of(source: Path) -> str:
    """The name that the firmware imports a file by."""
    parts = source.relative_to(FIRMWARE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def compiled_size(source: Path, text: str, folder: Path) -> int:
    """Bytes of the .mpy file of a source's text as boards compile it."""
    try:
        compiler = cross_compiler.find()
    except FileNotFoundError as error:
        raise SizeError(str(error)) from None
    name = module_of(source)
    (folder / "in.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            *(compiler, "-O3", "-march=" + ARCH, "-s", name),
            *("-o", folder / "out.mpy", folder / "in.py"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SizeError(f"{source.relative_to(ROOT)}: {done.stderr.strip().splitlines()[-1]}")
    return (folder / "out.mpy").stat().st_size


def package_sizes() -> dict[str, int]:
    """Compiled bytes of every package."""
    sizes: dict[str, int] = {}
    files = sources()
    try:
        texts = shortened(folded({module_of(source): source.read_text() for source in files}))
    except SyntaxError as error:
        raise SizeError(f"{error.filename}: SyntaxError: {error.msg}") from None
    with tempfile.TemporaryDirectory() as folder:
        for source in files:
            package = package_of(source)
            size = compiled_size(source, texts[module_of(source)], Path(folder))
            sizes[package] = sizes.get(package, 0) + size
    return sizes


def read_baseline(path: Path = BASELINE) -> dict[str, int]:
    """Return packages and bytes of the baseline; empty if there is none yet."""
    if not path.exists():
        return {}
    sizes = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.split("#")[0].split()
        if not text:
            continue
        if len(text) != 2 or not text[1].isdigit():
            raise SizeError(f"{path.name}, line {number}: expected a package and its bytes")
        sizes[text[0]] = int(text[1])
    return sizes


def write_baseline(sizes: dict[str, int], path: Path = BASELINE) -> None:
    """Store sizes as the new baseline."""
    lines = ["# Bytes of .mpy files by package, armv6m -O3; written by tools/size.py --update."]
    lines += [f"{package} {sizes[package]}" for package in sorted(sizes)]
    path.write_text("\n".join(lines) + "\n")


def compare(sizes: dict[str, int], baseline: dict[str, int]) -> list[str]:
    """Say which packages outgrew their baseline, and whether the whole exceeds its budget."""
    faults = []
    for package, size in sizes.items():
        if package not in baseline:
            faults.append(f"{package} is not in {BASELINE.name}")
            continue
        limit = baseline[package] + max(baseline[package] * TOLERANCE, SMALL_BYTES)
        if size > limit:
            faults.append(f"{package} grew from {baseline[package]} to {size} bytes")
    total, old_total = sum(sizes.values()), sum(baseline.values())
    if baseline and total > old_total * (1 + TOLERANCE):
        faults.append(f"the whole grew from {old_total} to {total} bytes")
    if total > LIMIT_BYTES:
        faults.append(f"{total} bytes exceed the limit of {LIMIT_BYTES}")
    return faults


def print_sizes(sizes: dict[str, int], baseline: dict[str, int]) -> None:
    """Table of packages."""
    print(f"{'package':<20} {'.mpy bytes':>10} {'baseline':>10} {'change':>8}")
    for package in sorted(sizes):
        old = baseline.get(package)
        change = f"{sizes[package] - old:+d}" if old is not None else "new"
        print(
            f"{package:<20} {sizes[package]:>10} {old if old is not None else '-':>10} {change:>8}"
        )
    total = sum(sizes.values())
    print(
        f"{'all':<20} {total:>10} {sum(baseline.values()):>10}   "
        f"{100 * total / BUDGET_BYTES:.1f} % of the budget of {BUDGET_BYTES}"
    )


def _depth(name: str) -> int:
    """Place of a module in the order of imports: what stands lower is paid for first."""
    for place, start in enumerate(IMPORT_ORDER):
        if name == start or name.startswith(start + "."):
            return place
    return len(IMPORT_ORDER)


def module_names() -> list[str]:
    """List firmware modules that can be imported without starting the meter, lowest first."""
    names = [module_of(source) for source in sources()]
    return sorted((n for n in names if n != "main"), key=lambda name: (_depth(name), name))


def import_heap() -> None:
    """Print what importing the firmware costs on the unix port, by package."""
    image = precompile.compiled()
    if image is None:
        print("\nno image of the code can be made here: the heap of the imports is not measured")
        return
    done = subprocess.run(
        [
            micropython(),
            *("-X", "heapsize=8M", "-c", _IMPORT_SCRIPT),
            *(str(ROOT / "boards" / "sim"), str(image)),
            *module_names(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise SizeError("import on the unix port failed: " + done.stderr.strip()[-300:])
    packages: dict[str, int] = {}
    for line in done.stdout.splitlines():
        word, *rest = line.split()
        if word == "heap":
            package = "/".join(rest[0].split(".")[:2]) if "." in rest[0] else "top"
            folder = FIRMWARE / package
            package = package if folder.is_dir() else package.split("/")[0]
            packages[package] = packages.get(package, 0) + int(rest[1])
        elif word == "skip":
            print("not imported:", " ".join(rest))
        elif word == "total":
            print("\nheap after importing every module (64-bit; code outside, as in flash):")
            for package in sorted(packages):
                print(f"{package:<20} {packages[package]:>10}")
            print(f"{'firmware':<20} {int(rest[0]):>10}")


def running_heap() -> None:
    """Print the running meter's heap, and prove that one megabyte is enough without faceplate."""
    if not LAUNCHER.exists():
        print("\nno virtual meter installed (`make setup`): its heap is not measured")
        return
    print("\nvirtual meter with faceplate (simulation included), by choice of parts:")
    for choice in board_manifest.choices(board_manifest.firmware()):
        with RunningMeter("--parts", choice) as meter:
            time.sleep(3)
            health = meter.call("/api/health")
        used, free = health["heap_used"], health["heap_free"]
        print(f"{choice:<20} {used:>10} bytes used, {free} free")
    with RunningMeter("--heap", "1M", faceplate=False) as meter:
        meter.stay_up(STAY_S)
    print(f"virtual meter with --http 0 --heap 1M: ready, and running {STAY_S:g} s later")


def main() -> int:
    """Run the checks; 1 if a budget or the baseline is exceeded, 2 if one cannot be measured."""
    parser = argparse.ArgumentParser(description="Sizes of the firmware against its budgets.")
    parser.add_argument("--update", action="store_true", help="store the sizes as the baseline")
    parser.add_argument("--no-heap", action="store_true", help="compiled sizes only")
    options = parser.parse_args()
    try:
        sizes = package_sizes()
        if options.update:
            write_baseline(sizes)
        baseline = read_baseline()
        print_sizes(sizes, baseline)
        if not options.no_heap:
            import_heap()
            running_heap()
    except (SizeError, MeterError) as error:
        print("size:", error, file=sys.stderr)
        return 2
    faults = compare(sizes, baseline)
    for fault in faults:
        print("size:", fault, file=sys.stderr)
    if faults:
        print("size: tools/size.py --update accepts new sizes", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
