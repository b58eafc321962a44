"""Class 15: what an association tells about itself, its object list, its secret."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from dlms_rig import AARQ_LLS, AARQ_PUBLIC, Rig

from app import axdr

CURRENT = "0000280000ff"
MANAGEMENT = "0000280001ff"
PUBLIC = "0000280002ff"


def get(rig, name, index, sap=1):
    """Read one attribute through all its blocks; return the answer's result or its octets."""
    answer = rig.apdu(f"c001c1000f{name}{index:02x}00", sap)
    if answer[1] == 1:
        return answer[4:] if answer[3] == 0 else answer[4]
    collected = b""
    while True:
        reader = axdr.Reader(answer, 9)
        collected += reader.raw(reader.length())
        if answer[3]:
            return collected
        answer = rig.apdu("c002c1" + answer[4:8].hex(), sap)


def object_list(octets):
    """Rows (class, version, name, {attribute: access}, {method: access})."""
    tag, rows = axdr.Reader(octets).data()
    assert tag == axdr.ARRAY
    result = []
    for _, (class_id, version, name, (_, rights)) in rows:
        attributes = {a[1][0][1]: a[1][1][1] for a in rights[0][1]}
        methods = {m[1][0][1]: m[1][1][1] for m in rights[1][1]}
        result.append((class_id[1], version[1], name[1], attributes, methods))
    return result


@pytest.mark.row("SEC-08")
def test_object_list_tells_the_truth_about_every_right():
    rig = Rig().associate()
    rows = object_list(get(rig, CURRENT, 2))
    assert len(rows) == rig.catalogue.visible(rig.catalogue.client(1))
    assert len(rows) > 80
    for class_id, version, name, attributes, methods in rows:
        handler = rig.catalogue.find(name)[0]
        assert (class_id, version) == (handler.CLASS_ID, handler.VERSION)
        assert sorted(attributes) == list(range(1, len(handler.ATTRIBUTES) + 1))
        assert sorted(methods) == list(range(1, len(handler.METHODS) + 1))
        for index, rights in attributes.items():
            answer = rig.apdu(f"c001c1{class_id:04x}{name.hex()}{index:02x}00")
            denied = answer[1] == 1 and answer[3] == 1
            assert denied == (not rights & 1), (name, index)
            if not rights & 2:
                answer = rig.apdu(f"c101c1{class_id:04x}{name.hex()}{index:02x}0000")
                assert answer.hex() == "c501c103", (name, index)
            else:  # null data is of no attribute's type
                answer = rig.apdu(f"c101c1{class_id:04x}{name.hex()}{index:02x}0000")
                assert answer.hex() == "c501c10c", (name, index)
        for index, rights in methods.items():
            if not rights:
                answer = rig.apdu(f"c301c1{class_id:04x}{name.hex()}{index:02x}010f00")
                assert answer.hex() == "c701c10300", (name, index)


@pytest.mark.row("SEC-04")
def test_each_client_gets_its_own_list():
    rig = Rig()
    rig.apdu(AARQ_PUBLIC, sap=16)
    rows = object_list(get(rig, CURRENT, 2, 16))
    assert [(row[0], row[2].hex()) for row in rows] == [
        (15, CURRENT),
        (15, PUBLIC),
        (17, "0000290000ff"),
        (1, "00002a0000ff"),
        (1, "00002b0100ff"),
        (8, "0000010000ff"),
    ]
    assert all(access & 2 == 0 for row in rows for access in row[3].values())
    assert not any(row[4].get(index) for row in rows for index in row[4])
    assert object_list(get(rig, PUBLIC, 2, 16)) == rows
    rig.associate()
    assert object_list(get(rig, PUBLIC, 2)) == rows
    assert object_list(get(rig, MANAGEMENT, 2)) == object_list(get(rig, CURRENT, 2))


@pytest.mark.row("SEC-10")
def test_what_was_negotiated_can_be_read_back():
    rig = Rig().associate(pdu_size=200, services=0x001E1D)
    assert get(rig, CURRENT, 1).hex() == "0906" + CURRENT
    assert get(rig, CURRENT, 3).hex() == "02020f01120001"
    oid = "0207110211101202f411051108"
    assert get(rig, CURRENT, 4).hex() == oid + "11011101"
    assert get(rig, CURRENT, 5).hex() == "02060418001e1d1204001200c811060f000900"
    assert get(rig, CURRENT, 6).hex() == oid + "11021101"
    assert get(rig, CURRENT, 7) == 3
    assert get(rig, CURRENT, 8).hex() == "1602"
    assert get(rig, CURRENT, 9).hex() == "090600002b0000ff"
    assert get(rig, PUBLIC, 9).hex() == "0906000000000000"
    assert get(rig, PUBLIC, 3).hex() == "02020f10120001"
    assert get(rig, PUBLIC, 6).hex() == oid + "11021100"
    assert get(rig, PUBLIC, 8).hex() == "1600"
    assert get(rig, MANAGEMENT, 8).hex() == "1602"
    # not the present association: what the meter can at most
    assert get(rig, PUBLIC, 5).hex() == "02060418605e5d12040012040011060f000900"


def test_the_public_client_reads_its_own_association():
    rig = Rig()
    rig.apdu(AARQ_PUBLIC, sap=16)
    assert get(rig, CURRENT, 3, 16).hex() == "02020f10120001"
    assert get(rig, CURRENT, 6, 16)[-1] == 0
    assert get(rig, MANAGEMENT, 8, 16) == 3


@pytest.mark.parametrize("name", [CURRENT, MANAGEMENT])
def test_the_secret_is_changed_kept_and_never_read(name):
    rig = Rig().associate()
    for short_or_long, octets in (("0907", b"1234567"), ("0941", b"x" * 65)):
        text = f"c101c1000f{name}0700{short_or_long}{octets.hex()}"
        assert rig.apdu(text).hex() == "c501c1fa"
    assert rig.apdu(f"c101c1000f{name}0700 0909 {b'new12345x'.hex()}").hex() == "c501c100"
    assert get(rig, name, 7) == 3
    rig.channel.lost()
    assert rig.apdu(AARQ_LLS)[17] == 1
    renewed = AARQ_LLS.replace(b"\xac\x0a\x80\x0812345678", b"\xac\x0b\x80\x09new12345x")
    renewed = renewed[:1] + bytes((renewed[1] + 1,)) + renewed[2:]
    assert rig.apdu(renewed)[17] == 0
    assert Rig(memory=rig.memory).settings.get("lls") == b"new12345x"


def test_the_public_client_has_no_secret_to_change():
    rig = Rig().associate()
    assert rig.apdu(f"c101c1000f{PUBLIC}07000908{b'12345678'.hex()}").hex() == "c501c103"
    rig.apdu(AARQ_PUBLIC, sap=16)
    assert rig.apdu(f"c101c1000f{CURRENT}07000908{b'12345678'.hex()}", 16).hex() == "c501c103"
