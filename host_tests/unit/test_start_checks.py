"""What a start says of tables that it found damaged."""

import pytest

from app import event_codes, start_checks


class Part:
    def __init__(self, damaged):
        self.damaged = damaged


@pytest.mark.parametrize("rates", [False, True])
@pytest.mark.parametrize("calendar", [False, True])
def test_damaged_rates_and_calendars_are_told_each_by_its_code(rates, calendar):
    told = []
    start_checks.tariff(Part(rates), Part(calendar), lambda text, code: told.append((text, code)))
    expected = [("rate registers", event_codes.DATA_DAMAGED)] * rates
    expected += [("calendar", event_codes.MEMORY_ERROR)] * calendar
    assert len(told) == len(expected)
    for (text, code), (word, number) in zip(told, expected, strict=True):
        assert word in text
        assert code == number
