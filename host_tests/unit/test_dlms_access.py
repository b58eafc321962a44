"""The ACCESS service (Green Book 9.3.5, 9.4.6)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from dlms_rig import NOW_UTC_S, Rig

INVOKE = "40000001"
ENERGY = "00030100010800ff"
CLOCK = "00080000010000ff"
ENERGY_VALUE = "1500000000000006bd"
GET_ENERGY = "01" + ENERGY + "02"
GET_UNIT = "01" + ENERGY + "03"
GET_NOTHING = "01" + "00030100636300ff" + "02"
SET_ZONE = "02" + CLOCK + "03"
GET_ZONE = "01" + CLOCK + "03"
PRESET = "03" + CLOCK + "05"
SHIFT = "03" + CLOCK + "06"
WITH_ACCESS = 0x00FE5F
WITH_BLOCKS = 0x20FE5F


def access(specifications, values, invoke=INVOKE, date_time="00"):
    count = f"{len(specifications):02x}"
    return "d9" + invoke + date_time + count + "".join(specifications) + count + "".join(values)


@pytest.fixture
def rig():
    return Rig().associate(services=WITH_ACCESS)


def test_get_set_and_action_in_one_request(rig):
    answer = rig.apdu(
        access([GET_ENERGY, SET_ZONE, GET_ZONE, SHIFT], ["00", "10ff88", "00", "10000a"])
    )
    values = ENERGY_VALUE + "00" + "10ff88" + "00"
    assert answer.hex() == "da" + INVOKE + "00" + "00" + "04" + values + (
        "04" + "0100" + "0200" + "0100" + "0300"
    )
    assert rig.clock.time_zone_min == -120
    assert rig.clock.utc_s() == NOW_UTC_S + 10


def test_each_element_has_its_own_result(rig):
    answer = rig.apdu(access([GET_NOTHING, SET_ZONE, GET_UNIT], ["00", "0901ff", "00"]))
    assert answer.hex() == "da" + INVOKE + "0000" + "03" + "00" + "00" + "02020f00161e" + (
        "03" + "0104" + "020c" + "0100"
    )


def test_break_on_error_leaves_the_rest_undone(rig):
    request = [GET_ENERGY, GET_NOTHING, SET_ZONE, SHIFT]
    values = ["00", "00", "10ff88", "10000a"]
    answer = rig.apdu(access(request, values, "60000001"))
    assert answer.hex() == "da" + "60000001" + "0000" + "04" + ENERGY_VALUE + "000000" + (
        "04" + "0100" + "0104" + "02fa" + "03fa"
    )
    assert rig.clock.time_zone_min == -60
    assert rig.clock.utc_s() == NOW_UTC_S


def test_a_self_descriptive_answer_repeats_what_was_asked(rig):
    answer = rig.apdu(access([GET_ENERGY, GET_UNIT], ["00", "00"], "d0000007"))
    assert answer.hex() == "da" + "d0000007" + "00" + "01" + "02" + GET_ENERGY + GET_UNIT + (
        "02" + ENERGY_VALUE + "02020f00161e" + "02" + "0100" + "0100"
    )


def test_an_unconfirmed_request_takes_effect_in_silence(rig):
    assert rig.apdu(access([SET_ZONE, SHIFT], ["10ff88", "10000a"], "00000001")) == b""
    assert rig.clock.time_zone_min == -120
    assert rig.clock.utc_s() == NOW_UTC_S + 10


def test_the_clients_time_is_passed_over(rig):
    time = "0c" + "07ea0101ff00000000800000"
    answer = rig.apdu(access([GET_ENERGY], ["00"], date_time=time))
    assert answer.hex().endswith("01" + ENERGY_VALUE + "010100")


def test_selections_of_gets_and_sets(rig):
    one = "04" + "000f0000280000ff" + "02" + "04" + "0202" + "120008" + "09060000010000ff"
    part = "05" + CLOCK + "03" + "00" + "00"
    answer = rig.apdu(access([one, part], ["00", "10ff88"])).hex()
    assert answer.startswith("da" + INVOKE + "0000" + "02" + "01010204120008")
    assert answer.endswith("00" + "02" + "0100" + "020d")
    assert rig.clock.time_zone_min == -60
    plain = Rig().associate(services=WITH_ACCESS & ~4)
    assert plain.apdu(access([one], ["00"])).hex() == "d80102"


def test_rights_are_those_of_the_single_services():
    rig = Rig()
    rig.apdu("601da109060760857405080101be10040e01000000065f1f0400" + "00fe5fffff", 16)
    answer = rig.apdu(access([GET_ENERGY, SET_ZONE, SHIFT], ["00", "10ff88", "10000a"]), 16)
    assert answer.hex().endswith("000000" + "03" + "0103" + "0203" + "0303")
    assert rig.clock.utc_s() == NOW_UTC_S


@pytest.mark.parametrize(
    ("services", "specification"),
    [(0x00FE5F & ~0x10, GET_ENERGY), (0x00FE5F & ~8, SET_ZONE), (0x00FE5F & ~1, SHIFT)],
)
def test_elements_of_services_that_were_not_negotiated(services, specification):
    rig = Rig().associate(services=services)
    assert rig.apdu(access([specification], ["10000a"])).hex() == "d80102"
    assert rig.clock.utc_s() == NOW_UTC_S


def test_refused_where_it_was_not_negotiated():
    rig = Rig().associate(services=0x007E1F)
    assert rig.apdu(access([GET_ENERGY], ["00"])).hex() == "d80102"
    assert Rig().apdu(access([GET_ENERGY], ["00"])).hex() == "d80101"


GOOD = access([GET_ENERGY, SET_ZONE], ["00", "10ff88"])


@pytest.mark.parametrize(
    "request_",
    [
        *(GOOD[: 2 * size] for size in range(3, len(GOOD) // 2)),
        GOOD + "00",
        access([], []),
        access([GET_ENERGY], ["00"], date_time="0107"),
        access(["00" + ENERGY + "02"], ["00"]),
        access(["06" + ENERGY + "02"], ["00"]),
        GOOD.replace("02" + "00" + "10ff88", "01" + "00"),
        "d9" + INVOKE + "00" + "80" + GET_ENERGY,
        "d9" + INVOKE + "00" + "ff" + GET_ENERGY,
    ],
)
def test_malformed_requests_change_nothing(rig, request_):
    assert rig.apdu(request_).hex() == "d80103"
    assert rig.clock.time_zone_min == -60
    assert rig.server.defects == 0


def test_a_long_answer_without_blocks_is_refused_before_it_takes_effect():
    rig = Rig().associate(pdu_size=40, services=WITH_ACCESS)
    request = access([SET_ZONE] * 12, ["10ff88"] * 12)
    assert rig.apdu(request).hex() == "d80104"
    assert rig.clock.time_zone_min == -60
    assert rig.apdu(access([GET_ENERGY] * 4, ["00"] * 4)).hex() == "d80104"


@pytest.mark.parametrize("size", [12, 60, 300])
def test_a_long_answer_goes_in_general_blocks(size):
    listed = "01" + "000f0000280000ff" + "02"
    request = access([GET_ENERGY, listed, GET_ZONE], ["00"] * 3)
    whole = Rig(0xFFFF).associate(services=WITH_ACCESS).apdu(request)
    rig = Rig().associate(pdu_size=size, services=WITH_BLOCKS)
    answer = rig.apdu(request)
    joined = b""
    number = 0
    while True:
        assert answer[0] == 0xE0
        at = 7 if answer[6] < 0x80 else 7 + (answer[6] & 0x7F)
        joined += answer[at:]
        if answer[1] & 0x80:
            break
        number += 1
        answer = rig.apdu(b"\xe0\x81" + number.to_bytes(2, "big") + answer[2:4] + b"\x00")
    assert joined == whole
