"""Whatever comes in: a defined answer or silence, no defect, and the next good request answered.

The corpus is one of every APDU the server understands; hypothesis prints the example that fails.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from dlms_rig import AARQ_LLS, AARQ_PUBLIC, RLRQ, Rig
from hypothesis import given, settings
from hypothesis import strategies as st

ENERGY = bytes.fromhex("c001c100030100010800ff0200")
CLOCK = "0000010000ff"
SERVICES = 0x207E5F
CORPUS = [
    AARQ_LLS,
    AARQ_PUBLIC,
    RLRQ,
    ENERGY,
    *(
        bytes.fromhex(text)
        for text in (
            "c001c1000f0000280000ff0200",
            "c001c100070000150001ff0200",
            "c001c100070000150001ff02010102040204120008090600000 10000ff0f02120000".replace(
                " ", ""
            )
            + "090c07ea0101ffffffffff800000090c07ea0201ffffffffff8000000100",
            "c001c100070000150001ff02010202040600000001060000000a1200011200 00".replace(" ", ""),
            "c002c100000001",
            "c003c10300030100010800ff0200000f0000280000ff020000080000010000ff0200",
            "c101c100080000010000ff0200090c07ea0201ff003b32ffffc400",
            "c102c100010000600101ff02000000000001020902",
            "c103c101000000020141",
            "c104c10200080000010000ff030000080000010000ff07000210ffc40f3c",
            "c105c10200080000010000ff030000080000010000ff07000100000001060210ffc40f3c",
            "c101c100070000150001ff030001010204120003090601 00010800ff0f02120000".replace(" ", ""),
            "c301c100080000010000ff0601100000",
            "c302c100000001",
            "c303c10200080000010000ff0600080000010000ff06021000001000 00".replace(" ", ""),
            "c304c100080000010000ff060000000001021000",
            "c305c10100080000010000ff06000000000104011000 00".replace(" ", ""),
            "c306c101000000020100",
            "d80101",
            "c001c1000f0000280000ff02" + "0102" + "0102" + "120008" + "120003",
            "c001c1000f0000280000ff02" + "0103" + "0101" + "0202" + "120008" + "0906" + CLOCK,
            "d940000001000301"
            + "00030100010800ff02"
            + "020008"
            + CLOCK
            + "03"
            + "030008"
            + CLOCK
            + "06"
            + "0300100000100000",
            "d97000000200" + "0104" + "000f0000280000ff02" + "0100" + "0100",
            "e083000100000d" + "c001c1000f0000280000ff0200",
            "e0830001000100",
            "e003000100000d" + "c001c1000f0000280000ff0200",
            "e0800000000000",
        )
    ),
]
RIG = Rig()  # one for all examples: what one leaves behind meets the next
ANSWERS = {0x61, 0x63, 0xC4, 0xC5, 0xC7, 0xD8, 0xDA, 0xE0}


def check(rig, answer):
    assert rig.server.defects == 0
    assert len(answer) <= rig.max_pdu
    if answer:
        assert answer[0] in ANSWERS
        if answer[0] == 0xD8:
            assert len(answer) == 3


def next_good_request_is_answered(rig):
    """The secret may have been changed by a lucky mutation of a SET; nothing else matters."""
    secret = rig.settings.get("lls")
    rig.settings.put("lls", b"12345678")
    assert rig.apdu(AARQ_LLS)[17] == 0
    assert rig.apdu(ENERGY).hex() == "c401c1001500000000000006bd"
    rig.settings.put("lls", secret)
    assert rig.server.defects == 0


@pytest.mark.parametrize("associated", [True, False])
@pytest.mark.parametrize("number", range(len(CORPUS)))
def test_every_prefix_and_one_octet_more(number, associated):
    rig = Rig()
    apdu = CORPUS[number]
    for size in range(len(apdu) + 1):
        if associated:
            rig.associate(services=SERVICES)
        check(rig, rig.apdu(apdu[:size]))
    if associated:
        rig.associate()
    check(rig, rig.apdu(apdu + b"\x00"))
    next_good_request_is_answered(rig)


def test_a_truncated_request_never_takes_effect():
    for apdu in CORPUS:
        if apdu[0] not in (0xC1, 0xC3, 0xD9):
            continue
        rig = Rig().associate(services=SERVICES)
        before = bytes(rig.memory.octets)
        for size in range(len(apdu)):
            rig.apdu(apdu[:size])
        assert rig.memory.octets == before


@settings(max_examples=400)
@given(st.lists(st.sampled_from(CORPUS), min_size=1, max_size=4), st.data())
def test_mutations(chosen, data):
    rig = RIG
    rig.associate(data.draw(st.sampled_from((12, 13, 64, 1024, 0))), SERVICES)
    for apdu in chosen:
        octets = bytearray(apdu)
        for _ in range(data.draw(st.integers(0, 4))):
            at = data.draw(st.integers(0, len(octets) - 1))
            kind = data.draw(st.sampled_from(("flip", "cut", "insert", "repeat")))
            if kind == "flip":
                octets[at] = data.draw(st.integers(0, 255))
            elif kind == "cut" and len(octets) > 1:
                del octets[at]
            elif kind == "insert":
                octets[at:at] = data.draw(st.binary(max_size=4))
            else:
                octets[at:at] = octets[at : at + 8]
        sap = data.draw(st.sampled_from((1, 1, 1, 16, 0, 0xFFFF)))
        check(rig, rig.apdu(bytes(octets), sap))
    next_good_request_is_answered(rig)


@settings(max_examples=400)
@given(st.binary(max_size=80), st.sampled_from((0x60, 0x62, 0xC0, 0xC1, 0xC3, None)))
def test_any_octets(octets, tag):
    rig = RIG
    rig.associate()
    check(rig, rig.apdu(octets if tag is None else bytes((tag,)) + octets))
    next_good_request_is_answered(rig)


@pytest.mark.parametrize("depth", [15, 16, 17, 100, 400])
def test_deep_nesting_is_refused(depth):
    rig = Rig().associate()
    for brackets in ("0101", "0201"):
        value = bytes.fromhex(brackets) * depth + b"\x00"
        for head in ("c101c100080000010000ff0200", "c301c100080000010000ff0501"):
            answer = rig.apdu(bytes.fromhex(head) + value).hex()
            assert answer in ("c501c10c", "c701c10c00") if depth <= 16 else answer == "d80103"
    next_good_request_is_answered(rig)


@pytest.mark.parametrize(
    "length", ["84ffffffff", "83ffffff", "82ffff", "81ff", "85ffffffffff", "80"]
)
def test_huge_lengths_claim_no_memory(length):
    rig = Rig().associate()
    for tag in ("09", "0a", "0c", "01", "02", "04", "13"):
        answer = rig.apdu(f"c101c100010000600101ff0200{tag}{length}00")
        assert answer.hex() == "d80103"
    for head in ("c102c100010000600101ff0200", "c304c100080000010000ff06"):
        assert rig.apdu(f"{head}0000000001{length}00").hex() == "d80103"
    next_good_request_is_answered(rig)
