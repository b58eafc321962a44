"""Cross-compile a firmware file and run functions of it on the interpreters of this machine."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.append(str(ROOT / "tools"))

import cross_compiler
import size

KERNEL = ROOT / "firmware" / "metrology" / "kernel.py"
VOLTAGE_KERNEL = KERNEL.with_name("voltage_kernel.py")
WAVEFORM_KERNEL = KERNEL.with_name("waveform_kernel.py")
SHARE_KERNEL = KERNEL.with_name("share_kernel.py")
TARGETS = ("armv6m", "armv7emsp")


def cross_compile(source: Path, arch: str) -> bytes:
    """Compile as the board images do (-O2) and return the .mpy file's bytes."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.mpy"
        subprocess.run(
            [cross_compiler.find(), "-O2", "-march=" + arch, "-o", output, source],
            check=True,
        )
        return output.read_bytes()


# A program is a list of steps on named buffers, the same for every interpreter:
#   ("set", name, bytes)        fill a buffer, which exists from then on
#   ("call", function, [..])    arguments are numbers or names of buffers; gives its result
#   ("get", name)               gives the buffer's bytes
_RUNNER = """
import sys, json
sys.path[:0] = json.loads(sys.argv[1])
module = __import__(sys.argv[2], None, None, ("*",))
buffers = {}
for line in sys.stdin:
    verb, name, rest = json.loads(line)
    if verb == "set":
        buffers[name] = bytearray(bytes.fromhex(rest))
    elif verb == "get":
        print(json.dumps(bytes(buffers[name]).hex()))
    else:
        args = [a if isinstance(a, int) else buffers[a] for a in rest]
        print(json.dumps(getattr(module, name)(*args)))
"""


def run_interpreter(
    steps: list[tuple], paths: list[Path], module: str, command: str = ""
) -> list[object]:
    """Run a program in a fresh process of the unix port; return what its steps gave."""
    lines = []
    for verb, name, *rest in steps:
        value = rest[0] if rest else None
        lines.append(json.dumps([verb, name, value.hex() if verb == "set" else value]))
    done = subprocess.run(
        [
            command or size.micropython(),
            *("-X", "heapsize=16M", "-c", _RUNNER),
            json.dumps([str(path) for path in paths]),
            module,
        ],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"unix port failed: {done.stderr[-2000:]}")
    given = [json.loads(line) for line in done.stdout.splitlines()]
    return [bytes.fromhex(value) if isinstance(value, str) else value for value in given]


def run_in_place(steps: list[tuple], call: object) -> list[object]:
    """Run a program by calling `call(function, *arguments)`: a machine's or a Python module's."""
    buffers: dict[str, bytearray] = {}
    given: list[object] = []
    for verb, name, *rest in steps:
        if verb == "set":
            buffers[name] = bytearray(rest[0])
        elif verb == "get":
            given.append(bytes(buffers[name]))
        else:
            arguments = [a if isinstance(a, int) else buffers[a] for a in rest[0]]
            given.append(call(name, *arguments))
    return given
