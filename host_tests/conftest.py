"""Paths and shims for every test that runs on CPython.

Firmware is imported as it stands: `import metrology.kernel` finds firmware/metrology/kernel.py,
and what CPython lacks comes from host_tests/shims.
"""

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


@pytest.fixture(scope="session")
def root():
    """The repository's folder."""
    return ROOT
