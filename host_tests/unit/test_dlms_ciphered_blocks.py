"""ACCESS and general block transfer under protection: ciphered first, then cut in blocks."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cipher_client import TITLE, Client, element
from dlms_rig import Rig

INITIATE = "01000000065f1f0400"
SERVICES = "60fe5f"
GENERAL_ONLY = "60025d"
ENERGY = "01" + "00030100010800ff" + "02"
OBJECT_LIST = "01" + "000f0000280000ff" + "02"
ZONE = "02" + "00080000010000ff" + "03"
VALUE = "1500000000000006bd"


def associated(services=SERVICES, size=0xFFFF):
    rig = Rig()
    client = Client(rig)
    initiate = bytes.fromhex(INITIATE + services) + size.to_bytes(2, "big")
    assert client.associate(1, initiate=initiate) == (0, 0)
    return client


def general(client, plain):
    """The plain APDU as general-glo-ciphering."""
    return b"\xdb" + element(0x08, TITLE)[1:] + element(0, client.protect(plain))[1:]


def opened(client, octets):
    """What is in a general-glo-ciphering of the meter."""
    assert octets[:2] == b"\xdb\x08"
    at = 11 if octets[10] < 0x80 else 11 + (octets[10] & 0x7F)
    return client.unprotect(octets[at:])


def fetch(client, answer):
    """Join the blocks of an answer."""
    joined = b""
    number = 0
    while True:
        assert answer[0] == 0xE0, answer.hex()
        at = 7 if answer[6] < 0x80 else 7 + (answer[6] & 0x7F)
        joined += answer[at:]
        if answer[1] & 0x80:
            return joined
        number += 1
        answer = client.send(b"\xe0\x81" + number.to_bytes(2, "big") + answer[2:4] + b"\x00")


def test_access_comes_under_general_protection():
    client = associated()
    request = bytes.fromhex(
        "d9" + "40000001" + "00" + "02" + ENERGY + ZONE + "02" + "00" + "10ff88"
    )
    answer = opened(client, client.send(general(client, request)))
    assert answer.hex() == "da" + "40000001" + "0000" + "02" + VALUE + "00" + "02" + "01000200"
    assert client.rig.clock.time_zone_min == -120


def test_access_has_no_ciphered_form_of_its_own():
    client = associated()
    request = bytes.fromhex("d9" + "40000001" + "00" + "01" + ENERGY + "01" + "00")
    assert client.send(element(0xE1, client.protect(request))).hex() == "d80202"


@pytest.mark.parametrize("size", [64, 200, 1024])
def test_a_long_answer_is_ciphered_whole_and_goes_in_blocks(size):
    client = associated(size=size)
    listed = "04" + "000f0000280000ff" + "02" + "02" + "0101" + "120003"
    request = bytes.fromhex("d9" + "40000001" + "00" + "01" + listed + "01" + "00")
    plain = opened(client, fetch(client, client.send(general(client, request))))
    assert plain[:8].hex() == "da" + "40000001" + "0000" + "01"
    assert plain[-3:].hex() == "010100"
    rig = Rig(0xFFFF).associate(services=0x00FE5F)
    assert plain == rig.apdu(request)
    assert len(plain) > 1024


def test_a_get_whose_client_knows_no_other_blocks():
    client = associated(GENERAL_ONLY, 100)
    by_class = bytes.fromhex("c001c1000f0000280000ff02" + "0102" + "0101" + "120003")
    octets = fetch(client, client.send(client.glo(by_class)))
    assert octets[0] == 0xCC
    assert octets[1] == 0x82
    plain = client.unprotect(octets[4:])
    assert plain == Rig(0xFFFF).associate().apdu(by_class)


def test_what_is_too_long_to_be_ciphered_whole_is_refused():
    client = associated(GENERAL_ONLY, 100)
    everything = bytes.fromhex("c001c1000f0000280000ff0200")
    assert client.send(client.glo(everything)).hex() == "d80104"
    assert client.get()[:4].hex() == "c401c100"


def test_a_ciphered_request_in_blocks():
    client = associated()
    request = client.glo(bytes.fromhex("c101c1" + ZONE[2:] + "00" + "10ff88"))
    half = len(request) // 2
    head = b"\xe0\x01\x00\x01\x00\x00" + bytes((half,)) + request[:half]
    assert client.send(head)[:6].hex() == "e08100010001"
    rest = request[half:]
    answer = client.send(b"\xe0\x81\x00\x02\x00\x01" + bytes((len(rest),)) + rest)
    assert answer[0] == 0xCD
    assert client.unprotect(answer[2:]).hex() == "c501c100"
    assert client.rig.clock.time_zone_min == -120


def test_blocks_do_not_carry_a_plain_request_past_the_policy():
    client = associated()
    client.rig.security.set_policy(0x30)
    request = bytes.fromhex("c001c1" + ENERGY[2:] + "00")
    block = b"\xe0\x81\x00\x01\x00\x00" + bytes((len(request),)) + request
    assert client.send(block).hex() == "d80101"
