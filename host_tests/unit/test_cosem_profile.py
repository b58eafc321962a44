"""Class 7 as display list: capture objects written and kept, the buffer shows what they read."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from dlms_rig import Rig

from app import axdr
from app.attributes import Reference
from app.cosem.display_list import MAX_DISPLAY_ENTRIES
from app.errors import AccessRefused

GENERAL = "0000150001ff"
ALTERNATE = "0000150002ff"


@pytest.fixture
def rig():
    return Rig().associate()


def entry(class_id, name, index, data_index=0):
    return f"0204 12{class_id:04x} 0906{name} 0f{index:02x} 12{data_index:04x}".replace(" ", "")


def listed(*entries):
    return "01" + (f"{len(entries):02x}" if len(entries) < 128 else "") + "".join(entries)


def set_list(rig, name, value):
    return rig.apdu(f"c101c10007{name}0300{value}")[3]


def get(rig, name, index):
    answer = rig.apdu(f"c001c10007{name}{index:02x}00")
    assert answer[:4].hex() == "c401c100", answer.hex()
    return answer[4:]


ENERGY = entry(3, "0100010800ff", 2)
CLOCK = entry(8, "0000010000ff", 2)


def test_lists_are_written_read_and_kept_apart(rig):
    assert get(rig, GENERAL, 3).hex() == "0100"
    assert set_list(rig, GENERAL, listed(ENERGY, CLOCK)) == 0
    assert set_list(rig, ALTERNATE, listed(CLOCK)) == 0
    assert get(rig, GENERAL, 3).hex() == listed(ENERGY, CLOCK)
    assert get(rig, ALTERNATE, 3).hex() == listed(CLOCK)
    again = type(rig.settings)(rig.memory)
    assert again.get("general_list").hex() == listed(ENERGY, CLOCK)


def test_the_buffer_is_one_row_of_present_values(rig):
    set_list(rig, GENERAL, listed(ENERGY, CLOCK))
    assert get(rig, GENERAL, 2).hex() == (
        "010102021500000000000006bd090c07ea02010700 3b3200ffc400".replace(" ", "")
    )


def test_entries_that_cannot_be_read_are_null(rig):
    entries = (
        entry(3, "0100630800ff", 2),  # no such object
        entry(1, "0100010800ff", 2),  # wrong class
        entry(3, "0100010800ff", 9),  # no such attribute
        entry(7, GENERAL, 2),  # this very buffer
        entry(15, "0000280002ff", 2),  # an object list
        entry(15, "0000280001ff", 7),  # a secret
        entry(0xFFFF, "ffffffffffff", -1 & 0xFF),
    )
    assert set_list(rig, GENERAL, listed(*entries)) == 0
    assert get(rig, GENERAL, 2).hex() == "01010207" + "00" * 7


def test_a_data_index_picks_an_element_of_a_structure(rig):
    scaler_unit = "0100200700ff"
    entries = [entry(3, scaler_unit, 3, index) for index in range(4)]
    assert set_list(rig, GENERAL, listed(*entries)) == 0
    assert get(rig, GENERAL, 2).hex() == "01010204" + "02020ffe1623" + "0ffe" + "1623" + "00"


@pytest.mark.row("DSP-17")
def test_at_most_64_entries(rig):
    full = listed(*[ENERGY] * MAX_DISPLAY_ENTRIES)
    # longer than one PDU: goes in and out in blocks
    value = bytes.fromhex(full)
    first = bytes.fromhex(f"c102c10007{GENERAL}0300 00 00000001 8203e8".replace(" ", ""))
    assert rig.apdu(first + value[:1000]).hex() == "c502c100000001"
    rest = value[1000:]
    last = bytes.fromhex("c103c1 01 00000002") + b"\x81" + bytes((len(rest),)) + rest
    assert rig.apdu(last).hex() == "c503c10000000002"
    assert rig.resolver.read(Reference(7, bytes.fromhex(GENERAL), 8))[1] == 1
    collected = b""
    answer = rig.apdu(f"c001c10007{GENERAL}0300")
    while True:
        assert answer[:3].hex() == "c402c1"
        reader = axdr.Reader(answer, 9)
        collected += reader.raw(reader.length())
        if answer[3]:
            break
        answer = rig.apdu("c002c1" + answer[4:8].hex())
    assert collected == value
    too_many = bytes.fromhex("0141" + ENERGY * 65)
    with pytest.raises(ValueError, match="64"):
        rig.resolver.write(Reference(7, bytes.fromhex(ALTERNATE), 3), too_many)
    assert get(rig, ALTERNATE, 3).hex() == "0100"


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("00", 12),
        ("0200", 12),
        ("0101" + "0f00", 12),
        ("0101" + "0203" + ENERGY[4:-6], 12),
        ("0101" + ENERGY.replace("120003", "110003").replace("1100", "11", 1), 12),
        ("0101" + ENERGY.replace("0906", "0905").replace("ff0f", "0f"), 250),
    ],
)
def test_what_is_no_list_is_refused(rig, value, result):
    assert set_list(rig, GENERAL, value) == result
    assert get(rig, GENERAL, 3).hex() == "0100"


def test_the_fixed_attributes(rig):
    assert get(rig, GENERAL, 1).hex() == "0906" + GENERAL
    assert get(rig, GENERAL, 4).hex() == "0600000000"
    assert get(rig, GENERAL, 5).hex() == "1601"
    assert get(rig, GENERAL, 6).hex() == entry(0, "000000000000", 0)
    assert get(rig, GENERAL, 7).hex() == "0600000001"
    assert get(rig, GENERAL, 8).hex() == "0600000001"
    for index in (2, 4, 5, 6, 7, 8):
        assert rig.apdu(f"c101c10007{GENERAL}{index:02x}000600000000")[3] == 3
    assert rig.apdu(f"c301c10007{GENERAL}01010f00").hex() == "c701c10300"
    assert rig.apdu(f"c301c10007{GENERAL}02010f00").hex() == "c701c10300"


def test_an_empty_setting_shows_the_factory_list():
    rig = Rig()
    _, key, _ = rig.catalogue.find(bytes.fromhex(GENERAL))
    key._factory_list = bytes.fromhex(listed(ENERGY))
    assert rig.associate() and get(rig, GENERAL, 3).hex() == listed(ENERGY)


def test_buffers_are_no_single_values(rig):
    for index in (2, 3):
        with pytest.raises(AccessRefused):
            rig.resolver.read(Reference(7, bytes.fromhex(GENERAL), index))


def test_a_dead_memory_is_a_hardware_fault(rig):
    rig.memory.dead = True
    assert set_list(rig, GENERAL, listed(ENERGY)) == 1
    assert get(rig, GENERAL, 3).hex() == "0100"
