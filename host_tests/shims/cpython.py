"""What every MicroPython program finds without an import, given to CPython.

`install()` is called once, by conftest.py for the unit tests or by this file itself when it is
run as a program: `python host_tests/shims/cpython.py SCRIPT [arguments]` runs SCRIPT as
MicroPython would, with the shims of this folder first on the path.
"""

import builtins
import gc
import sys
import time
import traceback
from pathlib import Path

_SHIMS = Path(__file__).resolve().parent


def _print_exception(error, file=None):
    """MicroPython's sys.print_exception."""
    traceback.print_exception(type(error), error, error.__traceback__, file=file or sys.stdout)


def _install_ticks():
    """MicroPython's time.ticks_...: counters modulo 2**30."""
    period = 1 << 30
    if not hasattr(time, "ticks_ms"):
        time.ticks_ms = lambda: time.monotonic_ns() // 1_000_000 % period
        time.ticks_us = lambda: time.monotonic_ns() // 1000 % period
        time.ticks_add = lambda ticks, delta: (ticks + delta) % period
        time.ticks_diff = lambda a, b: (a - b + period // 2) % period - period // 2


def install():
    """Put the shims on the path and the missing names in place; harmless when repeated."""
    if str(_SHIMS) not in sys.path:
        sys.path.insert(0, str(_SHIMS))
    import micropython
    import viper_memory

    for name in ("ptr", "ptr8", "ptr16", "ptr32", "uint"):
        setattr(builtins, name, getattr(viper_memory, name))
    # The compiler knows const() even where it was not imported.
    builtins.const = micropython.const
    _install_ticks()
    if not hasattr(sys, "print_exception"):
        sys.print_exception = _print_exception
    # CPython's heap has no fixed size: enough is free, and what is used is not counted.
    if not hasattr(gc, "mem_free"):
        gc.mem_free = lambda: 1 << 30
        gc.mem_alloc = lambda: 0
    # The collector's threshold counts bytes there and objects here: a request is ignored.
    threshold = gc.get_threshold
    if not hasattr(gc, "threshold"):
        gc.threshold = lambda amount=None: threshold()[0] if amount is None else None


def main():
    """Run the script named on the command line."""
    import runpy

    if len(sys.argv) < 2:
        print("usage: cpython.py SCRIPT [arguments]", file=sys.stderr)
        return 2
    script = sys.argv[1]
    sys.argv = sys.argv[1:]
    install()
    sys.path.insert(0, str(Path(script).resolve().parent))
    runpy.run_path(script, run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
