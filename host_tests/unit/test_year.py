"""Weeks of a meter's life with all that happens to its clock; `make year` runs whole years."""

import random
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import pytest
from year_rig import Year


@pytest.mark.parametrize("first", [(2026, 3, 15), (2027, 10, 20)])
def test_four_weeks_keep_energy_to_the_unit_and_the_calendar_right(first):
    """Over a switch of daylight saving, with daily corrections and two battery failures."""
    seed = random.randrange(2**32)
    print("seed", seed)
    year = Year(seed, 28, first)
    year.run()
    print(year.report())
    assert not year.failures
    assert len(year.corrections) >= 24
    assert year.entries > 28 * 90
