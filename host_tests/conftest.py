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


def pytest_collection_modifyitems(config, items):
    """With --part 1/2 every second file, with --part 2/2 the others: two runs side by side."""
    if config.option.part is None:
        return
    part, parts = config.option.part
    mine = set(sorted({item.path for item in items})[part - 1 :: parts])
    config.hook.pytest_deselected(items=[item for item in items if item.path not in mine])
    items[:] = [item for item in items if item.path in mine]


@pytest.fixture(scope="session")
def root():
    """The repository's folder."""
    return ROOT
