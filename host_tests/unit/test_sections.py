"""Sections of the catalogue: objects that are made when they are asked for, and forgotten."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import pytest
from dlms_rig import Rig

from app.axdr import UINT8
from app.cosem import access
from app.cosem.data import Data
from app.cosem.objects import place_of
from app.cosem.values import Simple

_OPEN_MOST = 3


class Made:
    """Sections of two objects each, and how often they were made."""

    def __init__(self, catalogue):
        self.catalogue = catalogue
        self.counts = [0] * 5
        for number in range(5):
            catalogue.add_section(lambda objects, number=number: self._build(objects, number))

    def _build(self, objects, number):
        self.counts[number] += 1
        data = Data()
        value = Simple(UINT8, lambda: number)
        objects.add((0, 0, 129, 1, number), data, value, access.READINGS)
        objects.add_family(data, bytes((0, 0, 129, 2, number, 255)), access.SECURITY)


@pytest.fixture
def rig():
    rig = Rig()
    rig.associate()
    return rig


def name(number):
    return bytes((0, 0, 129, 1, number, 255))


def test_a_section_is_made_when_one_of_its_objects_is_asked_for(rig):
    made = Made(rig.catalogue)
    assert made.counts == [1] * 5  # for the names
    assert rig.catalogue.find(name(2))[2] == access.READINGS
    assert made.counts == [1, 1, 2, 1, 1]
    assert rig.catalogue.find(bytes((0, 0, 129, 2, 2, 255)))[1:] == (0, access.SECURITY)
    assert made.counts == [1, 1, 2, 1, 1]  # it is still there
    assert rig.catalogue.find(name(5)) is None
    assert rig.apdu("c001c1" + "0001" + name(4).hex() + "0200").hex() == "c401c1001104"


def test_what_was_not_asked_for_longest_is_forgotten(rig):
    made = Made(rig.catalogue)
    for number in (0, 1, 2, 0, 3):  # the fourth takes the place of 1
        rig.catalogue.find(name(number))
    assert made.counts == [2, 2, 2, 2, 1]
    rig.catalogue.find(name(0))
    assert made.counts[0] == 2
    rig.catalogue.find(name(1))
    assert made.counts[1] == 3
    assert len(rig.catalogue._open) == _OPEN_MOST


def test_sections_stand_in_the_object_list_with_their_groups(rig):
    public = rig.catalogue.client(16)
    seen = rig.catalogue.visible(public), rig.catalogue.visible(rig.catalogue.client(1))
    Made(rig.catalogue)
    assert rig.catalogue.visible(public) == seen[0] + 5 * bool(public.rights(access.READINGS))
    assert rig.catalogue.visible(rig.catalogue.client(1)) == seen[1] + 10
    names = [entry[0] for entry in rig.catalogue.entries()]
    assert len(names) == len(set(names))
    assert [found for found in names if found[2:4] == b"\x81\x01"] == [name(n) for n in range(5)]


def test_code_that_only_a_section_needs_goes_with_it(rig):
    kept = sys.modules.pop("app.cosem.bench_values", None)
    vars(sys.modules["app.cosem"]).pop("bench_values", None)
    try:

        def build(_objects):
            from app.cosem import bench_values

            assert bench_values.add_bench

        rig.catalogue.add_section(build)
        assert "app.cosem.bench_values" not in sys.modules
        assert not hasattr(sys.modules["app.cosem"], "bench_values")
        assert "app.cosem.base" in sys.modules
    finally:
        if kept is not None:
            sys.modules["app.cosem.bench_values"] = kept
            sys.modules["app.cosem"].bench_values = kept


def test_what_could_not_be_made_leaves_nothing_and_is_made_the_next_time(rig):
    name = "app.cosem.bench_values"
    kept = sys.modules.pop(name, None)
    vars(sys.modules["app.cosem"]).pop("bench_values", None)
    fail = False
    try:

        def build(objects):
            from app.cosem import bench_values

            if fail:
                raise MemoryError(bench_values)
            objects.add((0, 0, 129, 3, 0), Data(), None, access.READINGS)

        rig.catalogue.add_section(build)
        Made(rig.catalogue)
        for number in (0, 1, 2):
            rig.catalogue.find(bytes((0, 0, 129, 1, number, 255)))
        fail = True
        for _ in range(2):
            with pytest.raises(MemoryError):
                rig.catalogue.find(bytes((0, 0, 129, 3, 0, 255)))
            assert name not in sys.modules
            assert not hasattr(sys.modules["app.cosem"], "bench_values")
        assert len(rig.catalogue._open) < _OPEN_MOST  # memory that the next try may use
        fail = False
        assert rig.catalogue.find(bytes((0, 0, 129, 3, 0, 255)))[2] == access.READINGS
        assert name in sys.modules
        for number in range(3):  # it goes as others do
            rig.catalogue.find(bytes((0, 0, 129, 1, number, 255)))
        assert name not in sys.modules
    finally:
        if kept is not None:
            sys.modules[name] = kept
            sys.modules["app.cosem"].bench_values = kept


def test_a_name_is_no_other_two_names_halves():
    names = bytes((1, 0, 1, 8, 0, 255, 0, 0, 1, 0, 0, 255))
    assert place_of(names[6:], names) == 1
    assert place_of(names[3:9], names) == -1
    assert place_of(names[3:9], names + names[3:9]) == 2
