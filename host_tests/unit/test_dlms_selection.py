"""Selective access of the services, and of the object list (IEC 62056-62, class 15)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from dlms_cosem import utils
from dlms_rig import Rig

OBJECT_LIST = "c001c1000f0000280000ff02"
GENERAL_LIST = "c001c100070000150001ff02"
BY_CLASS = "0102"
BY_LIST = "0103"
BY_OBJECT = "0104"
CLOCK = "0202" + "120008" + "09060000010000ff"
ENERGY = "0202" + "120003" + "09060100010800ff"
NO_OBJECT = "0202" + "120003" + "09060100636300ff"
WRONG_CLASS = "0202" + "120004" + "09060100010800ff"
PASSWORDS = "0202" + "120013" + "09060000140000ff"  # class 19, out of the public client's sight
SERVICES = 0x007E1F


@pytest.fixture
def rig():
    return Rig().associate()


def collect(rig, request, sap=1):
    """Value of a GET, joined from its blocks."""
    answer = rig.apdu(request, sap)
    if answer[1] == 1:
        assert answer[3] == 0, answer.hex()
        return answer[4:]
    value = b""
    while True:
        assert answer[:2] == b"\xc4\x02", answer.hex()
        assert answer[8] == 0
        at = 10 if answer[9] < 0x80 else 10 + (answer[9] & 0x7F)
        value += answer[at:]
        if answer[3]:
            return value
        answer = rig.apdu(b"\xc0\x02\xc1" + answer[4:8], sap)


def rows(rig, request, sap=1):
    return utils.parse_as_dlms_data(collect(rig, request, sap))


def names(elements):
    return [bytes(element[2]).hex() for element in elements]


def test_selector_1_all_objects_without_their_rights(rig):
    everything = rows(rig, OBJECT_LIST + "00")
    plain = rows(rig, OBJECT_LIST + "010100")
    assert [row[:3] for row in everything] == plain
    assert {len(row) for row in plain} == {3}


def test_selector_2_objects_of_some_classes(rig):
    everything = rows(rig, OBJECT_LIST + "00")
    chosen = rows(rig, OBJECT_LIST + BY_CLASS + "0102" + "120008" + "12000f")
    assert chosen == [row[:3] for row in everything if row[0] in (8, 15)]
    assert rows(rig, OBJECT_LIST + BY_CLASS + "0101" + "12ffff") == []
    assert rows(rig, OBJECT_LIST + BY_CLASS + "0100") == []


def test_selector_3_the_objects_of_a_list_with_their_rights(rig):
    everything = {bytes(row[2]).hex(): row for row in rows(rig, OBJECT_LIST + "00")}
    chosen = rows(rig, OBJECT_LIST + BY_LIST + "0104" + ENERGY + NO_OBJECT + CLOCK + WRONG_CLASS)
    assert names(chosen) == ["0100010800ff", "0000010000ff"]
    assert chosen == [everything[name] for name in names(chosen)]


def test_selector_4_one_object(rig):
    assert names(rows(rig, OBJECT_LIST + BY_OBJECT + CLOCK)) == ["0000010000ff"]
    assert rows(rig, OBJECT_LIST + BY_OBJECT + NO_OBJECT) == []


def test_a_client_sees_no_more_by_selection_than_without():
    rig = Rig()
    aarq = "601da109060760857405080101be10040e01000000065f1f0400007e1fffff"
    rig.apdu(aarq, 16)
    everything = rows(rig, OBJECT_LIST + "00", 16)
    assert names(everything) == names(rows(rig, OBJECT_LIST + "010100", 16))
    assert rows(rig, OBJECT_LIST + BY_LIST + "0102" + PASSWORDS + ENERGY, 16) == []
    assert rows(rig, OBJECT_LIST + BY_CLASS + "0102" + "120013" + "120003", 16) == []
    chosen = rows(rig, OBJECT_LIST + BY_OBJECT + CLOCK, 16)
    assert chosen == [row for row in everything if row[0] == 8]


@pytest.mark.parametrize("size", [12, 20, 64, 300])
def test_a_selection_goes_in_blocks_like_everything(size):
    rig = Rig().associate(pdu_size=size)
    chosen = rows(rig, OBJECT_LIST + BY_LIST + "0102" + ENERGY + CLOCK)
    assert names(chosen) == ["0100010800ff", "0000010000ff"]


@pytest.mark.parametrize(
    ("selection", "result"),
    [
        ("010000", 13),  # no such selectors: scope of access violated
        ("010500", 13),
        ("01ff00", 13),
        ("01010100", 12),  # parameters of another type: type unmatched
        (BY_CLASS + "00", 12),
        (BY_CLASS + "0101" + "1108", 12),
        (BY_CLASS + "0202" + "120008120003", 12),
        (BY_LIST + "0101" + "120008", 12),
        (BY_LIST + CLOCK, 12),
        (BY_OBJECT + "0101" + CLOCK, 12),
        (BY_OBJECT + "0201" + "120008", 12),
        (BY_OBJECT + "0202" + "120008" + "09050000010000", 250),  # a name of five octets
        (BY_OBJECT + "0202" + "120008" + "0a060000010000ff", 12),
    ],
)
def test_wrong_selectors_and_parameters_are_results_not_crashes(rig, selection, result):
    assert rig.apdu(OBJECT_LIST + selection).hex() == f"c401c101{result:02x}"
    assert rig.server.defects == 0


@pytest.mark.parametrize(
    "selection",
    ["01", "0102", "010201", "01020112", "020200", "ff", "0102" + "0101" * 100 + "00"],
)
def test_a_selection_that_is_no_value_is_malformed(rig, selection):
    assert rig.apdu(OBJECT_LIST + selection).hex() == "d80103"
    assert names(rows(rig, OBJECT_LIST + BY_OBJECT + CLOCK)) == ["0000010000ff"]


@pytest.mark.parametrize("index", ["01", "03", "08"])
def test_other_attributes_have_no_parts(rig, index):
    assert rig.apdu(OBJECT_LIST[:-2] + index + "010100").hex() == "c401c1010d"


def test_a_list_of_references_may_hold_selections(rig):
    request = "c003c103" + OBJECT_LIST[6:] + BY_OBJECT + CLOCK + "00080000010000ff0300"
    request += OBJECT_LIST[6:] + "010900"
    answer = rig.apdu(request)
    assert answer[:5].hex() == "c403c10300"
    assert answer[5:9].hex() == "01010204"  # one element with its rights
    assert answer[-6:].hex() == "0010ffc4010d"


def test_nothing_is_selected_for_a_client_that_did_not_agree_to_it():
    rig = Rig().associate(services=SERVICES & ~4)
    assert rig.apdu(OBJECT_LIST + "010100").hex() == "d80102"
    request = "c003c101" + OBJECT_LIST[6:] + "010100"
    assert rig.apdu(request).hex() == "d80102"
    assert rig.apdu(OBJECT_LIST + "00")[:2].hex() == "c402"
