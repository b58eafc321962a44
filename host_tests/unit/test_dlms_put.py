"""SET and ACTION: normal, with-list, in blocks, unconfirmed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from dlms_rig import NOW_UTC_S, Rig

from app.dlms.put import MAX_LONG_VALUE

ZONE = "00080000010000ff0300"  # descriptor of the time zone, access selection none
DEVIATION = "00080000010000ff0700"
SHIFT = "00080000010000ff06"
TO_MINUTE = "00080000010000ff03"
CUSTOMER = "00010000600101ff0200"


@pytest.fixture
def rig():
    return Rig().associate()


def block(octets):
    return f"{len(octets) // 2:02x}{octets}"


def test_set_normal(rig):
    assert rig.apdu(f"c101c1{ZONE}10ff88").hex() == "c501c100"
    assert rig.clock.time_zone_min == -120


@pytest.mark.parametrize(
    ("descriptor", "value", "result"),
    [
        ("00030100630800ff0200", "00", 4),
        ("00010100010800ff0200", "00", 9),
        ("00030100010800ff0400", "00", 4),
        ("00030100010800ff0200", "0600000000", 3),
        (ZONE, "120000", 12),
        (ZONE, "107fff", 250),
        (ZONE, "020110ffc4", 12),
    ],
)
def test_set_errors_by_the_standards_names(rig, descriptor, value, result):
    assert rig.apdu(f"c101c1{descriptor}{value}").hex() == f"c501c1{result:02x}"
    assert rig.clock.time_zone_min == -60


@pytest.mark.parametrize(
    "request_",
    [
        f"c101c1{ZONE}",
        f"c101c1{ZONE}10",
        f"c101c1{ZONE}10ff",
        f"c101c1{ZONE}10ff8800",
        f"c101c1{ZONE[:-2]}02" + "10ff88",
        f"c101c1{ZONE}1300",
        f"c101c1{ZONE}" + "0101" * 100 + "00",
        f"c101c1{ZONE}0984ffffffff",
        "c104c100",
        "c104c180",
        f"c104c102{ZONE}{DEVIATION}0110ff88",
        f"c104c102{ZONE}{DEVIATION}0210ff88",
        f"c104c101{ZONE}0110ff8800",
        f"c102c1{ZONE}00000000 0103 10ff88"[:-2],
        f"c102c1{ZONE}0200000001 03 10ff88",
        f"c102c1{ZONE}0100000001 03 10ff8800",
        f"c301c1{SHIFT}02",
        f"c301c1{SHIFT}0000",
        f"c301c1{SHIFT}01",
        f"c301c1{SHIFT}01100001ff",
        f"c303c101{SHIFT}02100001100001",
        "c302c1000000",
    ],
)
def test_malformed_requests_change_nothing(rig, request_):
    assert rig.apdu(request_).hex() == "d80103"
    assert rig.clock.time_zone_min == -60
    assert rig.clock.utc_s() == NOW_UTC_S
    assert rig.apdu(f"c101c1{ZONE}10ff88").hex() == "c501c100"


def test_no_attribute_is_set_in_part(rig):
    request = f"c101c1{ZONE[:-2]}01" + "0100" + "10ff88"
    assert rig.apdu(request).hex() == "c501c10d"  # scope of access violated
    rig.associate(services=0x007E1B)
    assert rig.apdu(request).hex() == "d80102"
    assert rig.clock.time_zone_min == -60


def test_unknown_types(rig):
    for request in (f"c106c1{ZONE}00", f"c100c1{ZONE}00", f"c307c1{SHIFT}00"):
        assert rig.apdu(request).hex() == "d80202"


def test_set_with_list_gives_each_its_result(rig):
    request = f"c104c104{ZONE}{DEVIATION}00030100010800ff0200{CUSTOMER}"
    values = "04" + "10ff88" + "0f7f" + "00" + "0902" + b"Me".hex()
    assert rig.apdu(request + values).hex() == "c505c104" + "00" + "fa" + "03" + "00"
    assert rig.clock.time_zone_min == -120
    assert rig.clock.dst_deviation_min == 60
    assert rig.identification.device_id(1) == b"Me"


def test_a_list_whose_results_would_not_fit_is_refused_before_it_takes_effect():
    rig = Rig().associate(12)
    request = f"c104c103{ZONE}{ZONE}{ZONE}03" + "10ff88" * 3
    assert rig.apdu(request).hex() == "d80104"
    assert rig.clock.time_zone_min == -60
    assert rig.apdu(f"c104c102{ZONE}{ZONE}02" + "10ff88" * 2).hex() == "c505c1020000"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 22, 60])
def test_set_in_blocks(rig, size):
    value = "0930" + (b"utility " * 6).hex()
    parts = [value[at : at + 2 * size] for at in range(0, len(value), 2 * size)]
    for number, part in enumerate(parts, 1):
        last = "01" if number == len(parts) else "00"
        head = f"c102c1{CUSTOMER}" if number == 1 else "c103c1"
        answer = rig.apdu(f"{head}{last}{number:08x}{block(part)}").hex()
        expected = f"c503c100{number:08x}" if last == "01" else f"c502c1{number:08x}"
        assert answer == expected
    assert rig.identification.device_id(1) == b"utility " * 6


def test_set_with_list_in_blocks(rig):
    values = "02" + "10ff88" + "0f7f"
    answer = rig.apdu(f"c105c102{ZONE}{DEVIATION}0000000001{block(values[:8])}")
    assert answer.hex() == "c502c100000001"
    answer = rig.apdu(f"c103c10100000002{block(values[8:])}")
    assert answer.hex() == "c504c1" + "0200fa" + "00000002"
    assert rig.clock.time_zone_min == -120


def test_blocks_that_are_wrong_end_the_transfer(rig):
    assert rig.apdu(f"c103c10100000001{block('00')}").hex() == "c503c112" + "00000001"
    assert rig.apdu(f"c102c1{CUSTOMER}0000000002{block('0901')}").hex() == "c503c113" + "00000002"
    assert rig.apdu(f"c102c1{CUSTOMER}0000000001{block('0901')}").hex() == "c502c1" + "00000001"
    assert rig.apdu(f"c103c10100000003{block('41')}").hex() == "c503c113" + "00000003"
    assert rig.apdu(f"c103c10100000002{block('41')}").hex() == "c503c112" + "00000002"
    # a value that is cut off, or has something behind it
    for rest in ("", "4141"):
        rig.apdu(f"c102c1{CUSTOMER}0000000001{block('0901')}")
        assert rig.apdu(f"c103c10100000002{block(rest)}").hex() == "c503c111" + "00000002"
    assert rig.identification.device_id(1) == b""


def test_another_request_ends_the_transfer(rig):
    rig.apdu(f"c102c1{CUSTOMER}0000000001{block('0901')}")
    assert rig.apdu(f"c101c1{ZONE}10ff88").hex() == "c501c100"
    assert rig.apdu(f"c103c10100000002{block('41')}").hex() == "c503c112" + "00000002"


def test_long_values_are_bounded(rig):
    """Memory that a peer can fill has a limit, and reaching it is a protocol error."""
    octets = "00" * 100
    assert rig.apdu(f"c102c1{CUSTOMER}0000000001{block(octets)}").hex() == "c502c100000001"
    number = 1
    while True:
        number += 1
        answer = rig.apdu(f"c103c100{number:08x}{block(octets)}").hex()
        if answer != f"c502c1{number:08x}":
            break
    assert answer == f"c503c111{number:08x}"
    assert (number - 1) * 100 <= MAX_LONG_VALUE < number * 100
    assert rig.channel._set._long is None


def test_action_normal(rig):
    assert rig.apdu(f"c301c1{SHIFT}01100005").hex() == "c701c10000"
    assert rig.clock.utc_s() == NOW_UTC_S + 5


def test_action_errors(rig):
    for method, result in (
        ("00030100630800ff01", 4),
        ("00010100010800ff01", 9),
        ("00030100010800ff01", 3),
        ("00030100010800ff02", 4),
        ("000f0000280000ff01", 12),
        ("000f0000280000ff02", 3),
    ):
        assert rig.apdu(f"c301c1{method}010f00").hex() == f"c701c1{result:02x}00"


def test_action_with_list(rig):
    request = f"c303c103{SHIFT}{TO_MINUTE}00030100010800ff01"
    assert rig.apdu(request + "03" + "100005" + "0f00" + "00").hex() == "c703c103" + "0000" * 2 + (
        "0300"
    )
    assert rig.clock.utc_s() == NOW_UTC_S + 10


def test_action_in_blocks(rig):
    assert rig.apdu(f"c304c1{SHIFT}0000000001{block('1000')}").hex() == "c704c1" + "00000001"
    assert rig.apdu(f"c306c10100000002{block('05')}").hex() == "c701c10000"
    assert rig.clock.utc_s() == NOW_UTC_S + 5
    head = f"c305c102{SHIFT}{TO_MINUTE}"
    assert rig.apdu(f"{head}0000000001{block('02100005')}").hex() == "c704c1" + "00000001"
    assert rig.apdu(f"c306c10100000002{block('0f00')}").hex() == "c703c1" + "02" + "0000" * 2
    assert rig.clock.utc_s() == NOW_UTC_S + 10
    assert rig.apdu(f"c306c10100000001{block('00')}").hex() == "c701c11000"
    assert rig.apdu(f"c304c1{SHIFT}0000000002{block('1000')}").hex() == "c701c10f00"
    assert rig.apdu("c302c100000001").hex() == "c701c11000"


def test_unconfirmed_requests_take_effect_without_an_answer(rig):
    assert rig.apdu(f"c10181{ZONE}10ff88") == b""
    assert rig.clock.time_zone_min == -120
    assert rig.apdu(f"c30181{SHIFT}01100005") == b""
    assert rig.clock.utc_s() == NOW_UTC_S + 5
    assert rig.apdu(f"c10181{ZONE}120000") == b""


def test_a_set_does_not_disturb_the_other_services_blocks(rig):
    rig.apdu(f"c102c1{CUSTOMER}0000000001{block('0901')}")
    assert rig.apdu("c001c100030100010800ff0200")[3] == 0
    assert rig.apdu(f"c103c10100000002{block('41')}").hex() == "c503c100" + "00000002"
    assert rig.identification.device_id(1) == b"A"
