"""Launcher of the virtual meter: `.venv/bin/virtual-meter [options]`.

Starts boards/sim/run.py in the chosen interpreter and passes its output through. The simulated
board cannot restart its own interpreter, so a child that ends with status 75 is started again,
without the options that belong to a first start. SIGINT and SIGTERM stop the child, which writes
what it holds, and end the launcher with status 0. Options are checked by run.py itself; only
--heap and --micropython are for the launcher.

The child is told by an octet at its standard input, which it looks at between two tasks. A signal
breaks MicroPython's unix port off between any two of its own instructions: in the middle of what
it writes to a chip, or with a lock held that nobody gives back.
"""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parent))
import interpreter
import precompile

_RUN = interpreter.ROOT / "boards" / "sim" / "run.py"
_RESTART_STATUS = 75
_VARIABLE = "FERRARIS_LAUNCHED"  # tells boards/sim/run.py that standard input is ours
_STOP_AFTER_S = 30  # a leap of simulated time is left within this
_HEAP_DEFAULT = "4M"
_HEAP_FORM = re.compile(r"([1-9][0-9]*)([kKmM]?)")
_HEAP_LEAST = 640 * 1024  # with less it ends in the middle of its start
_FACTORS = {"": 1, "k": 1024, "m": 1024 * 1024}
_PR_SET_PDEATHSIG = 1  # linux/prctl.h

_FIRST_START_FLAGS = ("--fresh",)
_FIRST_START_VALUES = ("--time",)


class UsageError(Exception):
    """An option of the launcher's own is wrong."""


def _take(options: "list[str]", name: str) -> "tuple[str | None, list[str]]":
    """The last value of option `name`, and the options without it."""
    value = None
    rest: list[str] = []
    given = iter(options)
    for option in given:
        if option == name:
            value = next(given, None)
            if value is None:
                raise UsageError(f"{name} needs a value")
        elif option.startswith(name + "="):
            value = option[len(name) + 1 :]
        else:
            rest.append(option)
    return value, rest


def restart_options(options: "list[str]") -> "list[str]":
    """The options for a restart: chips and clock stay as they are."""
    rest = [option for option in options if option not in _FIRST_START_FLAGS]
    for name in _FIRST_START_VALUES:
        _, rest = _take(rest, name)
    return rest


def _prepare_child() -> None:
    """In the child: have the kernel end it with a killed launcher, for it would keep the ports."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Launcher:
    """One run of the virtual meter, over any number of restarts."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def stop(self, _signal: int, _frame: "FrameType | None") -> None:
        """Signal handler: ask the child to end."""
        self._stopping = True
        self._ask()

    def _ask(self) -> None:
        if self._child is not None and self._child.stdin is not None:
            with contextlib.suppress(OSError):  # it has ended
                self._child.stdin.write(b"q")

    def _wait(self, child: "subprocess.Popen[bytes]") -> int:
        while not self._stopping:
            try:
                return child.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                continue
        try:
            return child.wait(timeout=_STOP_AFTER_S)
        except subprocess.TimeoutExpired:
            print("virtual-meter: the meter did not stop in time and was ended", file=sys.stderr)
            child.kill()
            return child.wait()

    def run(self, command: "list[str]", options: "list[str]") -> int:
        """Run until the meter ends or is stopped; returns the status for the shell."""
        signal.signal(signal.SIGINT, self.stop)
        signal.signal(signal.SIGTERM, self.stop)
        while True:
            # A session of its own: Ctrl-C reaches the child through stop() alone.
            self._child = subprocess.Popen(
                command + options,
                stdin=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
                preexec_fn=_prepare_child,  # noqa: PLW1509 - this program has one thread
            )
            if self._stopping:  # the signal came before there was a child
                self._ask()
            status = self._wait(self._child)
            if self._stopping:
                return 0
            if status != _RESTART_STATUS:
                break
            options = restart_options(options)
        if status < 0:
            name = signal.Signals(-status).name
            print(f"virtual-meter: the interpreter was ended by {name}", file=sys.stderr)
            return 128 - status
        return status


def main(options: "list[str]") -> int:
    """Check the launcher's own options, choose the interpreter, run."""
    try:
        heap, options = _take(options, "--heap")
        wanted, options = _take(options, "--micropython")
        heap = heap or _HEAP_DEFAULT
        form = _HEAP_FORM.fullmatch(heap)
        if form is None:
            raise UsageError(f"--heap {heap}: a size is a number of bytes, or ends in K or M")
        if int(form[1]) * _FACTORS[form[2].lower()] < _HEAP_LEAST:
            raise UsageError(f"--heap {heap}: the meter needs 1M, with the faceplate 2M")
        chosen = interpreter.choose(wanted)
    except (UsageError, interpreter.InterpreterError) as error:
        print(f"virtual-meter: {error}", file=sys.stderr)
        return 2
    if chosen.notice:
        print(f"notice: {chosen.notice}", file=sys.stderr, flush=True)
    folder = precompile.compiled() if chosen.own else None
    if folder is not None:
        os.environ[precompile.VARIABLE] = str(folder)
    os.environ[_VARIABLE] = "1"
    os.environ.setdefault("PYTHONUNBUFFERED", "1")  # CPython too prints `ready` when it is said
    return Launcher().run(chosen.run_script(_RUN, heap), options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
