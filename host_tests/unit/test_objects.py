"""docs/objects.md says what the catalogue holds."""

import importlib.util

import pytest


@pytest.fixture(scope="module")
def objects(root):
    spec = importlib.util.spec_from_file_location("objects", root / "tools" / "objects.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_document_is_up_to_date(objects):
    stands = objects.DOCUMENT.read_text(encoding="utf-8")
    assert stands == objects.document(), "run `make objects` and commit docs/objects.md"


def test_every_object_stands_once_with_its_rights(objects):
    entries, clients = objects.meter_catalogue()
    text = objects.document()
    for entry in entries:
        assert text.count(f"\n| {entry.obis} |") == 1
    clock = next(entry for entry in entries if entry.obis == "0-0:1.0.0.255")
    by_sap = {client.sap: client for client in clients}
    assert objects.rights_of(clock, by_sap[16]) == "r 1-9"
    assert objects.rights_of(clock, by_sap[1]) == "r 1-9; w 2-3, 5-8; x 1-6"
    energy = next(entry for entry in entries if entry.obis == "1-0:1.8.0.255")
    assert objects.open_types(energy) == "long64-unsigned"
    assert objects.unit_of(energy) == "Wh"
    assert objects.rights_of(energy, by_sap[16]) == ""
