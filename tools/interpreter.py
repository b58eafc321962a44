"""Which interpreter runs the firmware on this PC.

The order: what the caller or the environment's MICROPYTHON names, the MicroPython in .venv, and
last CPython with the shims of host_tests. The firmware's kernel needs MicroPython's viper
compiler, so an interpreter is asked to compile a viper function before it is taken.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Compiles and runs only where the native code emitter for this machine is built in.
_PROBE = (
    "import sys, micropython\n"
    "@micropython.viper\n"
    "def double(x: int) -> int:\n"
    "    return x * 2\n"
    "version = '.'.join(str(number) for number in sys.implementation[1][:3])\n"
    "print(sys.implementation[0], version, double(21))\n"
)


class InterpreterError(Exception):
    """The interpreter that was asked for cannot be used at all."""


class Interpreter:
    """A command that runs scripts, and what is to be said about the choice."""

    def __init__(
        self, command: "list[str]", name: str, micropython: bool, notice: str = ""
    ) -> None:
        self.command = command
        self.name = name
        self.micropython = micropython  # False: CPython with the shims
        self.own = False  # True: the one that .venv brought, whose compiler stands beside it
        self.notice = notice  # one sentence for the terminal, "" when all is as it should be

    def run_script(self, script: Path, heap: "str | None" = None) -> "list[str]":
        """The command that runs `script`; `heap` counts on MicroPython only."""
        heap_option = ["-X", f"heapsize={heap}"] if heap and self.micropython else []
        return [*self.command, *heap_option, str(script)]


def _probe(path: str) -> "str | None":
    """Name and version of the interpreter at `path`, or None when it has no viper.

    However long it takes: on a busy machine who is late is no other.
    """
    try:
        done = subprocess.run(
            [path, "-c", _PROBE],
            stdin=subprocess.DEVNULL,  # a program of another kind may wait for words
            capture_output=True,
            text=True,
            check=False,
        )
    except (OSError, UnicodeDecodeError):
        return None
    words = done.stdout.split()
    if done.returncode or len(words) != 3 or words[0] != "micropython" or words[2] != "42":
        return None
    return f"MicroPython {words[1]}"


def _cpython(notice: str) -> Interpreter:
    shim = ROOT / "host_tests" / "shims" / "cpython.py"
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Interpreter([sys.executable, str(shim)], f"CPython {version}", False, notice)


def choose(wanted: "str | None" = None) -> Interpreter:
    """The interpreter for the virtual meter and for tests on target.

    `wanted`, else the environment's MICROPYTHON, is a path or a command name; a name that is no
    program raises InterpreterError, for nothing else was asked for.
    """
    asked = wanted or os.environ.get("MICROPYTHON", "")
    if asked:
        path = shutil.which(asked)
        if path is None:
            raise InterpreterError(f"MICROPYTHON={asked} is not a program that can be run")
        path = str(Path(path).absolute())
        name = _probe(path)
        if name:
            return Interpreter([path], name, True, f"{path} ({name}) runs the meter")
        return _cpython(f"{asked} is no MicroPython with viper: CPython runs the meter, slowly")
    own = ROOT / ".venv" / "bin" / "micropython"
    if own.exists():
        name = _probe(str(own))
        if name:
            chosen = Interpreter([str(own)], name, True)
            chosen.own = True
            return chosen
    return _cpython(
        "no MicroPython with viper in .venv: CPython runs the meter, slowly "
        "(MICROPYTHON=/path names another interpreter)"
    )
