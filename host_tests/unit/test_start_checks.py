"""What a start says of tables that it found damaged."""

import itertools

import pytest

from app import event_codes, part_checks


class Part:
    def __init__(self, damaged):
        self.damaged = damaged


TEXTS = (
    ("rate registers", event_codes.DATA_DAMAGED),
    ("block registers", event_codes.MEMORY_ERROR),
    ("calendar", event_codes.TARIFF_DAMAGED),
    ("demand registers", event_codes.DATA_DAMAGED),
)


@pytest.mark.parametrize("damaged", list(itertools.product([False, True], repeat=4)))
def test_what_of_the_tariff_is_damaged_is_told_each_by_its_code(damaged):
    told = []
    part_checks.tariff(*map(Part, damaged), lambda *said: told.append(said))
    assert [lasts for _, _, lasts in told] == list(damaged)
    for (text, code, _), (word, number) in zip(told, TEXTS, strict=True):
        assert word in text
        assert code == number
