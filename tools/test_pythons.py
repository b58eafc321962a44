"""`make test-unit-all`: the unit tests on several CPythons.

Each Python gets an environment of its own below build/, with the `unit` group of pyproject.toml
and what the tests import of the `dev` group, and runs host_tests/unit. Without arguments
every CPython from 3.10 to 3.13 is taken that stands on the path or among pyenv's versions; with
arguments just those, each a command or a path: `tools/test_pythons.py python3.12`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import setup_env

ROOT = setup_env.ROOT
_MINORS = (10, 11, 12, 13)
_CHECKERS = ("codespell", "mpremote", "pyright", "ruff")  # of the dev group, no test needs these


def version_of(python: str) -> str:
    """`3.12` for a CPython that can be started, else an empty text."""
    script = "import sys; print(sys.implementation.name, *sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    words = done.stdout.split()
    return ".".join(words[1:]) if words[:1] == ["cpython"] else ""


def find() -> "dict[str, str]":
    """Version and path of each CPython that is installed, one per version."""
    found: dict[str, str] = {}
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in _MINORS:
        candidates = [shutil.which(f"python3.{minor}")]
        candidates += sorted(str(path) for path in pyenv.glob(f"3.{minor}.*/bin/python3"))
        for path in candidates:
            if path and version_of(path) == f"3.{minor}":
                found[f"3.{minor}"] = path
                break
    return found


def run_tests(version: str, python: str) -> bool:
    """Make the environment if it is not there and run the unit tests in it."""
    home = ROOT / "build" / f"python{version}"
    inside = home / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", str(home)], check=True)
    groups = setup_env.read_groups()
    also = [line for line in groups["dev"] if not line.startswith(_CHECKERS)]
    install = [str(inside), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    subprocess.run([*install, *groups["unit"], *also], check=True)
    print(f"== CPython {version} ({python})", flush=True)
    command = [str(inside), "-m", "pytest", "-q", "host_tests/unit"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def main(arguments: "list[str]") -> int:
    """Test with each Python; 1 if any failed, 2 if there was none."""
    if arguments:
        pythons = {version_of(python): python for python in arguments}
        if "" in pythons:
            print(f"test-unit: {pythons['']} is no CPython that can be started", file=sys.stderr)
            return 2
    else:
        pythons = find()
    if not pythons:
        print("test-unit: no CPython from 3.10 to 3.13 was found", file=sys.stderr)
        return 2
    passed = {version: run_tests(version, python) for version, python in pythons.items()}
    for version, good in passed.items():
        print(f"CPython {version}: {'passed' if good else 'FAILED'}")
    return 0 if all(passed.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
