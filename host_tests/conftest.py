"""Paths and shims for every test that runs on CPython.

Firmware is imported as it stands: `import metrology.kernel` finds firmware/metrology/kernel.py,
and what CPython lacks comes from host_tests/shims.
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "host_tests" / "shims"), str(ROOT / "firmware")]

import cpython

cpython.install()


@pytest.fixture(scope="session")
def root():
    """The repository's folder."""
    return ROOT
