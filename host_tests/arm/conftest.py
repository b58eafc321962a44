"""Fixtures for the proof on 32-bit Arm: cross-compiled modules and the machines that run them."""

import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
if str(_HERE) not in sys.path:
    sys.path.insert(0, str(_HERE))


@pytest.fixture(scope="session")
def report(request):
    """Lines added here appear in pytest's summary, so that budgets are seen in every run."""
    return request.config.stash.setdefault(_LINES, [])


_LINES = pytest.StashKey()


def pytest_terminal_summary(terminalreporter, config):
    lines = config.stash.get(_LINES, [])
    if lines:
        terminalreporter.section("kernel on 32-bit Arm")
        for line in lines:
            terminalreporter.write_line(line)
