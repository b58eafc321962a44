"""`make test-upy`: run every test_*.py of this folder on MicroPython's unix port.

A test is a script that prints what failed, then `N passed, M failed` as its last line, and exits
with 1 if anything failed. It finds the firmware on its path; a comment `# path: boards/sim` near
the top adds folders, `# heap: 512k` sets the heap. Tests run one by one from the repository's
root, each in an interpreter of its own. Names on the command line choose among them.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import interpreter

_HERE = Path(__file__).resolve().parent
_TIMEOUT_S = 1200
_LAST_LINE = re.compile(r"([0-9]+) passed, ([0-9]+) failed")
_PATH = re.compile(r"^# path: (.+)$", re.MULTILINE)
_HEAP = re.compile(r"^# heap: ([0-9]+[kM]?)$", re.MULTILINE)
_DEFAULT_HEAP = "4M"


class Result:
    """What one script said: counts, and why it counts as broken ("" when it does not)."""

    def __init__(self, passed, failed, broken=""):
        self.passed = passed
        self.failed = failed
        self.broken = broken


def judge(output, status):
    """The result of a script from its output and exit status."""
    lines = output.rstrip().splitlines()
    found = _LAST_LINE.fullmatch(lines[-1].strip()) if lines else None
    if found is None:
        return Result(0, 1, f"no closing line `N passed, M failed` (exit status {status})")
    passed, failed = int(found[1]), int(found[2])
    if passed + failed == 0:
        return Result(0, 1, "it ran no test")
    if bool(failed) != bool(status):
        return Result(passed, failed + 1, f"{failed} failed, but exit status {status}")
    return Result(passed, failed)


def run_script(script, chosen):
    """Run one test and return (result, output)."""
    source = script.read_text(encoding="utf-8")
    folders = [str(ROOT / "firmware")]
    for line in _PATH.findall(source):
        folders += [str(ROOT / folder) for folder in line.split()]
    heap = _HEAP.search(source)
    environment = dict(os.environ, MICROPYPATH=":".join([*folders, ".frozen"]))
    command = chosen.run_script(script, heap[1] if heap else _DEFAULT_HEAP)
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode("utf-8", "replace")
        return Result(0, 1, f"not done after {_TIMEOUT_S} s"), output
    output = done.stdout.decode("utf-8", "replace")
    return judge(output, done.returncode), output


def main(names):
    chosen = interpreter.choose()
    if not chosen.micropython:
        print(f"test-upy: {chosen.notice}; these tests need MicroPython", file=sys.stderr)
        return 1
    scripts = sorted(_HERE.glob("test_*.py"))
    if names:
        scripts = [script for script in scripts if script.name in names or script.stem in names]
    passed = failed = 0
    for script in scripts:
        began = time.monotonic()
        result, output = run_script(script, chosen)
        seconds = time.monotonic() - began
        passed += result.passed
        failed += result.failed
        print(f"{script.stem}: {result.passed} passed, {result.failed} failed ({seconds:.1f} s)")
        if result.failed:
            print("".join(f"    {line}\n" for line in output.splitlines()), end="")
            if result.broken:
                print(f"    {script.stem}: {result.broken}")
        sys.stdout.flush()
    if not scripts:
        print("test-upy: no such test", file=sys.stderr)
        failed += 1
    print(f"{chosen.name}, {len(scripts)} scripts")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
