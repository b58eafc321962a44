"""GET: normal, with-list, and long answers in blocks of every size."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from dlms_rig import Rig

from app import axdr

ENERGY = "c001c100030100010800ff0200"
OBJECT_LIST = "c001c1000f0000280000ff0200"
VALUE = "1500000000000006bd"
ALL_SERVICES = 0x007E1F
NO_BLOCKS = 0x00461F
ONLY_GET = 0x000010


@pytest.fixture
def rig():
    return Rig().associate()


def collect(rig, request, size):
    """Follow a long answer to its end; return its octets and the number of blocks."""
    answer = rig.apdu(request)
    collected, blocks = b"", 0
    while True:
        assert answer[:2].hex() == "c402", answer.hex()
        assert answer[2] == 0xC1
        blocks += 1
        assert int.from_bytes(answer[4:8], "big") == blocks
        assert answer[8] == 0
        reader = axdr.Reader(answer, 9)
        part = reader.raw(reader.length())
        assert reader.left() == 0
        assert len(answer) <= size
        collected += part
        if answer[3]:
            return collected, blocks
        assert answer[3] == 0
        # a block is full to the last octet, but where the length before it would grow
        assert len(answer) >= size - 1
        answer = rig.apdu("c002c1" + answer[4:8].hex())


def test_a_normal_answer(rig):
    assert rig.apdu(ENERGY).hex() == "c401c100" + VALUE


@pytest.mark.parametrize("invoke", ["c1", "41", "81", "cf", "00", "e5"])
def test_invoke_id_and_priority_are_mirrored(rig, invoke):
    assert rig.apdu(ENERGY.replace("c001c1", "c001" + invoke))[2] == int(invoke, 16)


@pytest.mark.parametrize(
    ("request_", "result"),
    [
        ("c001c100030100630800ff0200", 4),
        ("c001c100010100010800ff0200", 9),
        ("c001c100030100010800ff0400", 4),
        ("c001c100030100010800ff0000", 4),
        ("c001c100030100010800ffff00", 4),
        ("c001c1000f0000280000ff0700", 3),
    ],
)
def test_errors_by_the_standards_names(rig, request_, result):
    assert rig.apdu(request_).hex() == f"c401c101{result:02x}"


def test_the_public_client_has_no_right_to_a_register():
    rig = Rig()
    rig.apdu("601da109060760857405080101be10040e01000000065f1f0400007e1fffff", sap=16)
    assert rig.apdu(ENERGY, sap=16).hex() == "c401c10103"
    assert rig.apdu(OBJECT_LIST, sap=16)[3] == 0


@pytest.mark.parametrize(
    "request_",
    [
        ENERGY[:-2],
        ENERGY + "00",
        ENERGY[:-2] + "02",
        "c0",
        "c001",
        "c001c1",
        "c003c100",
        "c003c180",
        "c003c101",
        "c003c10100030100010800ff0200ff",
        "c002c1000000",
    ],
)
def test_malformed_requests(rig, request_):
    answer = rig.apdu(request_).hex()
    assert answer in ("d80103", "d80202")
    assert rig.apdu(ENERGY)[3] == 0


def test_unknown_types_of_get(rig):
    for kind in ("00", "04", "ff"):
        assert rig.apdu("c0" + kind + ENERGY[4:]).hex() == "d80202"


def test_selective_access_is_refused_where_it_was_not_negotiated():
    rig = Rig().associate(services=0x007E1B)
    by_entry = "c001c100070000150001ff0201" + "02020406000000010600000001120001120000"
    assert rig.apdu(by_entry).hex() == "d80102"
    assert rig.apdu("c003c10100070000150001ff020102" + "00").hex() == "d80102"


def test_a_list_with_values_and_errors(rig):
    answer = rig.apdu(
        "c003c105"
        "00030100010800ff0200"
        "00030100010800ff0300"
        "00030100630800ff0200"
        "000f0000280000ff0700"
        "0001 00002a0000ff 0100"
    )
    assert answer.hex() == (
        "c403c105" + "00" + VALUE + "0002020f00161e" + "0104" + "0103" + "000906" + "00002a0000ff"
    )


def test_a_list_may_hold_a_long_value(rig):
    """The object list between two registers, against the object list alone."""
    alone, _ = collect(rig, OBJECT_LIST, 1024)
    energy = "00030100010800ff0200"
    octets, _ = collect(rig, f"c003c103{energy}000f0000280000ff0200{energy}", 1024)
    expected = bytes.fromhex("03" + "00" + VALUE) + b"\x00" + alone + bytes.fromhex("00" + VALUE)
    assert octets == expected


@pytest.mark.parametrize(
    "size", [12, 13, 14, 20, 64, 128, 137, 138, 139, 266, 267, 268, 269, 1024]
)
def test_blocks_of_every_size_carry_the_same(size):
    whole = Rig(8192).associate()
    expected = whole.apdu(OBJECT_LIST)[4:]
    assert len(expected) > 4000
    rig = Rig().associate(size)
    octets, blocks = collect(rig, OBJECT_LIST, size)
    assert octets == expected
    assert blocks >= len(expected) // size


def test_a_short_value_goes_in_blocks_where_the_pdu_is_tiny():
    rig = Rig().associate(12)
    assert collect(rig, ENERGY, 12) == (bytes.fromhex(VALUE), 5)
    assert rig.apdu(ENERGY[:-4] + "0100").hex() == "c401c10009060100010800ff"  # just fits
    clock, blocks = collect(rig, "c001c100080000010000ff0200", 12)
    assert (clock[:2].hex(), len(clock), blocks) == ("090c", 14, 7)
    assert rig.apdu("c001c100080000010000ff0400").hex() == "c401c1001100"


def test_without_block_transfer_a_long_answer_is_refused_whole():
    rig = Rig().associate(64, NO_BLOCKS)
    assert rig.apdu(OBJECT_LIST).hex() == "c401c101fa"
    assert rig.apdu("c003c101000f0000280000ff0200").hex() == "d80104"
    assert rig.apdu(ENERGY).hex() == "c401c100" + VALUE
    assert rig.apdu("c002c100000001").hex() == "d80102"


def test_services_that_were_not_negotiated():
    rig = Rig().associate(1024, ONLY_GET)
    assert rig.apdu(ENERGY)[3] == 0
    for request in (
        "c003c10100030100010800ff0200",
        "c002c100000001",
        "c101c100080000010000ff0300100000",
        "c301c100080000010000ff03010f00",
        "c104c101",
        "c303c101",
    ):
        assert rig.apdu(request).hex() == "d80102", request
    rig = Rig().associate(1024, 0x000008)
    assert rig.apdu(ENERGY).hex() == "d80102"


def test_next_without_a_transfer(rig):
    assert rig.apdu("c002c100000001").hex() == "c402c101000000010110"
    rig.apdu(OBJECT_LIST)
    rig.apdu(ENERGY)  # another request ends the transfer
    assert rig.apdu("c002c100000001").hex() == "c402c101000000010110"


@pytest.mark.parametrize("number", ["00000000", "00000002", "ffffffff"])
def test_a_wrong_block_number_ends_the_transfer(rig, number):
    assert rig.apdu(OBJECT_LIST)[3] == 0
    assert rig.apdu("c002c1" + number).hex() == f"c402c101{number}0113"
    assert rig.apdu("c002c100000001").hex() == "c402c101000000010110"


def test_a_lost_link_or_new_association_ends_the_transfer(rig):
    for end in (rig.channel.lost, lambda: rig.apdu("6200")):
        rig.associate()
        rig.apdu(OBJECT_LIST)
        end()
        rig.associate()
        assert rig.apdu("c002c100000001")[-1] == 0x10


def test_an_object_that_fails_half_way_aborts_the_transfer(rig):
    rig.apdu(OBJECT_LIST)
    stream = rig.channel._get.blocks._stream

    def fails():
        raise OSError("no answer")
        yield

    stream.follow(fails())
    answer = rig.apdu("c002c100000001")
    while answer[3] == 0:
        answer = rig.apdu("c002c1" + answer[4:8].hex())
    assert answer[8:].hex() == "010f"
    assert rig.server.defects == 0


def test_127_references_are_the_most(rig):
    reference = "00030100010800ff0200"
    rig = Rig(4096).associate()
    answer = rig.apdu("c003c17f" + reference * 127)
    assert answer.hex() == "c403c17f" + ("00" + VALUE) * 127
    assert rig.apdu("c003c180" + reference * 128).hex() == "d80103"


def test_an_error_of_ours_is_answered_counted_and_told(rig):
    told = []
    rig.server.on_defect = told.append
    rig.registers.value = lambda index: None
    assert rig.apdu(ENERGY).hex() == "d80101"
    assert rig.server.defects == 1
    assert len(told) == 1
    assert rig.apdu("c001c100030100010800ff0300")[3] == 0
