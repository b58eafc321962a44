"""Device number, EUI-64 and firmware versions as clients have them (IDN-03, IDN-09, IDN-11)."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent))

from dlms_rig import Rig

import version
from app.identification import firmware_identification

NUMBER = "00010100000000ff02"
HEAD_ADDRESS = "00130000140000ff06"
EUI = "00010000600114ff02"
FIRMWARE = {"ME": "00010100000200ff02", "AP": "00010101000200ff02"}
RELEASES = st.tuples(st.integers(0, 9), st.integers(0, 999), st.integers(0, 99))


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


@pytest.mark.row("IDN-11")
def test_each_build_of_a_part_counts_that_part_on(monkeypatch):
    """Maker, part (the sub-system), series IP103, then major, minor and build."""
    monkeypatch.setattr(version, "METROLOGY", "1.2.3")
    seen = []
    for release in ("0.1.9", "0.1.10", "0.2.0", "0.10.0", "1.0.0"):
        monkeypatch.setattr(version, "APPLICATION", release)
        rig = Rig().associate()
        major, minor, build = (int(number) for number in release.split("."))
        text = f"FRSAPIP103{major}{minor:03}{build:02}"
        assert get(rig, FIRMWARE["AP"]) == "0910" + text.encode().hex()
        # the part that is approved has a number of its own
        assert get(rig, FIRMWARE["ME"]) == "0910" + b"FRSMEIP103100203".hex()
        for name in FIRMWARE.values():
            assert put(rig, name, "0910" + b"FRSAPIP103999999".hex()) == 3
        seen.append(text)
    assert seen == sorted(set(seen))


@pytest.mark.row("IDN-11")
@given(RELEASES, RELEASES)
def test_a_later_release_sorts_behind_an_earlier_one(one, other):
    releases = [".".join(str(number) for number in release) for release in (one, other)]
    texts = [firmware_identification("AP", 103, release) for release in releases]
    assert [len(text) for text in texts] == [16, 16]
    assert (texts[0] < texts[1], texts[0] == texts[1]) == (one < other, one == other)


def test_the_versions_of_this_release_fit_the_identification():
    for release in (version.METROLOGY, version.APPLICATION):
        assert len(firmware_identification("AP", 103, release)) == 16
