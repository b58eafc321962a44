"""Cross-compile a firmware file and run functions of it on the interpreters of this machine."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
KERNEL = ROOT / "firmware" / "metrology" / "kernel.py"
TARGETS = ("armv6m", "armv7emsp")


def _tool(name: str, variable: str) -> str:
    chosen = os.environ.get(variable)
    if chosen:
        return chosen
    beside = Path(sys.executable).parent / name
    if beside.exists():
        return str(beside)
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed; `make setup` installs it")
    return found


def cross_compile(source: Path, arch: str) -> bytes:
    """Compile as the board images do (-O2) and return the .mpy file's bytes."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.mpy"
        subprocess.run(
            [_tool("mpy-cross", "MPY_CROSS"), "-O2", "-march=" + arch, "-o", output, source],
            check=True,
        )
        return output.read_bytes()


_RUNNER = """
import sys, json
sys.path[:0] = json.loads(sys.argv[1])
module = __import__(sys.argv[2], None, None, ("*",))
for line in sys.stdin:
    name, args = json.loads(line)
    args = [bytearray(bytes.fromhex(a)) if isinstance(a, str) else a for a in args]
    result = getattr(module, name)(*args)
    print(json.dumps([result, [bytes(a).hex() for a in args if isinstance(a, bytearray)]]))
"""


class Interpreter:
    """Calls module functions in another interpreter process, many calls in one start."""

    def __init__(self, paths: list[Path], module: str, command: str = "") -> None:
        self._command = command or _tool("micropython", "MICROPYTHON")
        self._paths = [str(path) for path in paths]
        self._module = module

    def run(self, calls: list[tuple]) -> list[tuple[object, list[bytearray]]]:
        """Run `calls`, each (name, arguments...), and return results with the buffers after."""
        lines = []
        for name, *arguments in calls:
            coded = [a if isinstance(a, int) else bytes(a).hex() for a in arguments]
            lines.append(json.dumps([name, coded]))
        done = subprocess.run(
            [self._command, "-c", _RUNNER, json.dumps(self._paths), self._module],
            input="\n".join(lines) + "\n",
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{self._command} failed: {done.stderr[-2000:]}")
        result = []
        for line in done.stdout.splitlines():
            value, buffers = json.loads(line)
            result.append((value, [bytearray.fromhex(text) for text in buffers]))
        return result
