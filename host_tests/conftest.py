"""Paths and shims for every test that runs on CPython.

Firmware is imported as it stands: `import metrology.kernel` finds firmware/metrology/kernel.py,
and what CPython lacks comes from host_tests/shims.
"""

import argparse
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "host_tests" / "shims"), str(ROOT / "firmware")]

import cpython

cpython.install()

_MINE = pytest.StashKey()

# How long an example takes says how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_addoption(parser):
    parser.addoption("--part", type=_part, metavar="K/N", help="the K-th of N parts of the files")


def _part(text):
    part, slash, parts = text.partition("/")
    if (
        not slash
        or not part.isdecimal()
        or not parts.isdecimal()
        or not 0 < int(part) <= int(parts)
    ):
        raise argparse.ArgumentTypeError("a part is 1/2, 2/2 and the like")
    return int(part), int(parts)


def costs():
    """Seconds that files of tests take, about; those that are not named take one or two."""
    lines = (ROOT / "host_tests" / "costs.txt").read_text().splitlines()
    return {ROOT / "host_tests" / path: int(cost) for cost, path in map(str.split, lines)}


def share(files, part, parts):
    """The files of one part of so many, which take the same time: the next to who has least."""
    known = costs()
    lots = [[0, number, []] for number in range(parts)]
    for file in sorted(files, key=lambda file: (-known.get(file, 1), file)):
        least = min(lots)
        least[0] += known.get(file, 1)
        least[2].append(file)
    return set(lots[part - 1][2])


def pytest_configure(config):
    if config.option.part is not None:
        folders = [config.invocation_params.dir / name for name in config.args]
        files = {file for folder in folders for file in folder.resolve().rglob("test_*.py")}
        config.stash[_MINE] = share(files, *config.option.part)


def pytest_ignore_collect(collection_path, config):
    """With --part 1/2 collect the first of two parts of the files: two runs side by side."""
    mine = config.stash.get(_MINE, None)
    if mine is not None and collection_path.is_file() and collection_path not in mine:
        return True
    return None


@pytest.fixture(scope="session")
def root():
    """The repository's folder."""
    return ROOT
