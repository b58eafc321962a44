"""Device number and EUI-64 as clients read and set them (rows IDN-03, IDN-09)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from dlms_rig import Rig

NUMBER = "00010100000000ff02"
HEAD_ADDRESS = "00130000140000ff06"
EUI = "00010000600114ff02"


@pytest.fixture
def rig():
    return Rig().associate()


def get(rig, attribute):
    answer = rig.apdu("c001c1" + attribute + "00")
    assert answer[:4].hex() == "c401c100"
    return answer[4:].hex()


def put(rig, attribute, value):
    return rig.apdu("c101c1" + attribute + "00" + value)[3]


@pytest.mark.row("IDN-03")
def test_the_device_number_is_the_heads_address_too(rig):
    assert get(rig, NUMBER) == "0908" + b"00000001".hex()
    assert put(rig, NUMBER, "0908" + b"12345678".hex()) == 0
    assert get(rig, NUMBER) == get(rig, HEAD_ADDRESS) == "0908" + b"12345678".hex()
    again = Rig(memory=rig.memory).associate()
    assert get(again, NUMBER) == get(again, HEAD_ADDRESS) == "0908" + b"12345678".hex()


@pytest.mark.row("IDN-03")
@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("0907" + b"1234567".hex(), 250),
        ("0909" + b"123456789".hex(), 250),
        ("0908" + b"1234567a".hex(), 250),
        ("0908" + b"1234 678".hex(), 250),
        ("0a08" + b"12345678".hex(), 12),
        ("0600000001", 12),
    ],
)
def test_what_is_not_eight_digits_is_refused(rig, value, result):
    assert put(rig, NUMBER, value) == result
    assert get(rig, NUMBER) == get(rig, HEAD_ADDRESS) == "0908" + b"00000001".hex()


@pytest.mark.row("IDN-09")
def test_the_eui_64_is_fixed_and_eight_octets(rig):
    assert get(rig, EUI) == "0908" + "02" + b"FRS".hex() + "00000001"
    assert put(rig, EUI, "09080000000000000000") == 3
    # bit 1 of the first octet: locally administered, bit 0: an individual's
    assert int(get(rig, EUI)[4:6], 16) & 3 == 2
