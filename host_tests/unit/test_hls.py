"""Who gets in: passwords, challenges, the four passes, the lock after failures."""

import hashlib
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cipher_client import (
    CHALLENGE,
    CLOCK,
    ENERGY,
    ENERGY_ANSWER,
    LLS,
    METER,
    TITLE,
    Client,
    digest,
)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from dlms_rig import AARQ_LLS, AARQ_PUBLIC, NOW_UTC_S, Rig

NOT_POSSIBLE = "d80101"
WRONG = (1, 13)


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.row("SEC-12")
def test_four_passes(rig):
    client = Client(rig).log_in()
    assert client.get() == ENERGY_ANSWER
    assert rig.server.associations() == 1
    assert rig.events == [249]


@pytest.mark.row("SEC-12")
@pytest.mark.parametrize("octet", [0, 1, 4, 5, 16])
@pytest.mark.parametrize("control", [0, 0x10, 0x20, 0x30])
def test_a_wrong_answer_to_the_challenge_ends_it(rig, octet, control):
    client = Client(rig, control=control)
    assert client.associate() == (0, 14)
    proof = bytearray(client.proof())
    proof[octet] ^= 1
    send = client.get if control else client.send
    assert send(client.reply(proof)).hex() == "c701c10300"
    assert rig.server.associations() == 0
    # a second try with the right one comes too late
    client.counter += 2
    again = client.reply(client.proof())
    assert (client.get(again) if control else client.send(again)).hex() == NOT_POSSIBLE
    assert rig.events == []
    assert rig.security.lockout.count == 1


@pytest.mark.parametrize("size", [0, 1, 16, 18, 64])
def test_an_answer_of_another_length(rig, size):
    client = Client(rig)
    client.associate()
    assert client.get(client.reply(b"\x10" + bytes(size))[:15] + b"")[:1] in (b"\xc7", b"\xd8")
    client = Client(rig, counter=100)
    client.associate()
    proof = client.proof()[:size] + bytes(max(0, size - 17))
    assert client.get(client.reply(proof))[:4].hex() in ("c701c103", "c701c1fa")
    assert rig.server.associations() == 0


def test_nothing_else_is_served_before_the_challenge_is_answered(rig):
    client = Client(rig)
    client.associate()
    requests = [
        ENERGY,
        CLOCK,
        bytes.fromhex("c101c100080000010000ff0300100000"),
        bytes.fromhex("c301c100080000010000ff0601100001"),  # another method
        bytes.fromhex("c301c1000f0000280001ff01010901aa"),  # not the current association
        bytes.fromhex("c30101c1000f0000280000ff0101"),
        bytes.fromhex("c303c101000f0000280000ff0101010901aa"),  # in a list
    ]
    for request in requests:
        assert client.send(request).hex() == NOT_POSSIBLE
        assert client.get(request).hex() == NOT_POSSIBLE
    assert rig.server.associations() == 0
    assert client.get(client.reply(client.proof()))[:6].hex() == "c701c1000100"
    assert client.get() == ENERGY_ANSWER


def test_the_reply_belongs_to_a_challenge(rig):
    client = Client(rig)
    assert client.associate(1) == (0, 0)
    assert client.get(client.reply(client.proof(challenge=CHALLENGE))).hex() == "c701c10300"
    assert client.get() == ENERGY_ANSWER


def test_an_answer_cannot_be_used_again(rig):
    client = Client(rig).log_in()
    client.associate()
    old = client.proof()
    client.associate()
    assert client.get(client.reply(old)).hex() == "c701c10300"
    assert rig.server.associations() == 0


def test_an_old_number_in_the_answer_is_a_replay(rig):
    client = Client(rig, control=0).log_in(context=1)
    for counter in (0, 1, 0xFFFFFFFF):
        assert client.associate(context=1) == (0, 14)
        answer = client.send(client.reply(client.proof(counter=counter)))
        assert answer.hex() == "c701c10300"
        assert rig.events[-1] == 50
    assert rig.security.lockout.count == 0
    client.log_in(context=1)


@pytest.mark.parametrize("size", [0, 7, 65])
def test_challenges_have_8_to_64_octets(rig, size):
    assert Client(rig).associate(value=bytes(range(size))) == WRONG
    assert Client(rig, counter=5).associate(value=bytes(range(8))) == (0, 14)
    assert Client(rig, counter=6).associate(value=bytes(range(64))) == (0, 14)


def test_challenges_never_come_twice():
    """Not over restarts, and not even from a random source that has broken down."""
    seen = set()
    memory = None
    for _ in range(8):
        rig = Rig(memory=memory)
        memory = rig.memory
        rig.security._random = bytes
        client = Client(rig, control=0)
        for _ in range(5):
            assert client.associate() == (0, 14)
            assert len(client.to_client) == 32
            seen.add(client.to_client)
    assert len(seen) == 40


def test_a_reflected_challenge_is_refused(rig):
    """On any channel: an attacker must not make the meter answer its own challenge."""
    client = Client(rig, control=0)
    client.associate()
    other = rig.server.open_channel(1024)
    rig.channel, first = other, rig.channel
    attacker = Client(rig, control=0)
    assert attacker.associate(value=client.to_client) == WRONG
    rig.channel = first
    # the meter's answer to the client's challenge does not pass as the client's own
    assert client.send(client.reply(client.proof(challenge=CHALLENGE))).hex() == "c701c10300"


def test_the_meter_s_own_title_is_refused(rig):
    for title in (METER, bytes(8), b"", b"TST0001", b"TST000001"):
        for context in (1, 3):
            client = Client(rig, title=title if len(title) == 8 else TITLE)
            assert client.associate(context=context, title=title) == (1, 3)
    assert rig.server.associations() == 0


def test_a_client_without_a_title_has_the_one_that_was_set(rig):
    rig.security.set_client_title(TITLE)
    assert Rig(memory=rig.memory).security.client_title == TITLE
    assert Client(rig).associate(title=b"") == (0, 14)


@pytest.mark.row("SEC-09")
@pytest.mark.parametrize("mechanism", [3, 4])
def test_digests(rig, mechanism):
    client = Client(rig, control=0)
    assert client.associate(mechanism, CHALLENGE, context=1) == (1, 11)
    rig.security.set_mechanism(0, mechanism)
    assert client.associate(mechanism, CHALLENGE, context=1) == (0, 14)
    reply = client.reply(digest(mechanism, client.to_client, b"12345678"))
    answer = client.send(reply)
    assert answer[8:] == digest(mechanism, CHALLENGE, b"12345678")
    assert client.send(ENERGY) == ENERGY_ANSWER
    client.associate(mechanism, CHALLENGE, context=1)
    assert client.send(reply).hex() == "c701c10300"


def test_digests_without_a_password_are_refused(rig):
    rig.security.set_mechanism(1, 3)
    assert Client(rig, sap=32, control=0).associate(3, CHALLENGE, context=1) == WRONG


@pytest.mark.row("SEC-11")
def test_the_mechanism_of_an_association_can_be_fixed(rig):
    rig.associate()
    put = "c101c1000f0000280000ff0600"
    arcs = "1102 1110 1202f4 1105 1108"
    for value, result in (
        ("0907 60857405080208", "fa"),  # a mechanism that is not known here
        ("0907 60857405080207", "fa"),  # signatures are of suite 1
        ("0907 60857405080105", "fa"),  # an application context
        ("0901 60", "fa"),
        ("1105", "0c"),
        (f"0207 {arcs} 1101 1105", "fa"),
        (f"0207 {arcs} 1102 1109", "fa"),
        (f"0206 {arcs} 1102", "0c"),
        ("0907 60857405080205", "00"),
    ):
        assert rig.apdu(put + value).hex() == "c501c1" + result
    for meter in (rig, Rig(memory=rig.memory)):
        assert meter.apdu(AARQ_LLS)[24] == 11
        client = Client(meter, counter=meter.security.counters.expected(0)).log_in()
        read = client.get(bytes.fromhex("c001c1000f0000280000ff0600"))
        assert read[4:].hex() == "0207" + arcs.replace(" ", "") + "11021105"
    any_of_all = bytes.fromhex(put + f"0207 {arcs} 1102 1100")
    assert client.get(any_of_all).hex() == "c501c100"
    for mechanism in (1, 2, 3, 4, 5, 6):
        value = b"12345678" if mechanism == 1 else CHALLENGE
        assert Client(meter, control=0).associate(mechanism, value, context=1)[0] == 0
    # the public client has no mechanism to fix
    meter.associate()
    name = "c101c1000f0000280002ff0600 0907 60857405080205"
    assert meter.apdu(name).hex() == "c501c103"


@pytest.mark.row("SEC-20")
def test_three_wrong_passwords_lock_for_a_minute(rig):
    wrong = AARQ_LLS.replace(b"12345678", b"12345679")
    rig.now_ms = 1000
    for _ in range(3):
        assert rig.apdu(wrong)[24] == 13
    assert rig.events == [46]
    assert rig.security.lockout.last_failure_utc_s == NOW_UTC_S
    for _ in range(3):
        assert rig.apdu(AARQ_LLS)[24] == 13
        assert rig.apdu(wrong)[24] == 13
    assert rig.events == [46]
    # another port, another mechanism, another link: the same lock
    rig.channel.lost()
    rig.channel = rig.server.open_channel(1024)
    assert Client(rig).associate() == WRONG
    assert rig.apdu(AARQ_PUBLIC, sap=16)[24] == 0
    rig.now_ms = 60_999
    assert rig.apdu(AARQ_LLS)[24] == 13
    rig.now_ms = 61_000
    assert rig.apdu(AARQ_LLS)[24] == 0
    assert rig.events == [46, 249]
    assert rig.remote == 1


@pytest.mark.row("SEC-20")
def test_a_power_cut_does_not_open_the_lock(rig):
    wrong = AARQ_LLS.replace(b"12345678", b"12345679")
    for count in range(3):
        rig.apdu(wrong)
        rig = Rig(memory=rig.memory)
        assert rig.security.lockout.count == count + 1
    rig.now_ms = 777
    assert rig.apdu(AARQ_LLS)[24] == 13
    rig.now_ms = 60_776
    assert rig.apdu(AARQ_LLS)[24] == 13
    rig.now_ms = 60_777
    assert rig.apdu(AARQ_LLS)[24] == 0
    assert rig.security.lockout.last_failure_utc_s == NOW_UTC_S


def test_the_lock_counts_over_the_end_of_the_ticks(rig):
    rig.now_ms = (1 << 30) - 10
    for _ in range(3):
        rig.apdu(AARQ_LLS.replace(b"12345678", b"12345679"))
    rig.now_ms = 59_989
    assert rig.apdu(AARQ_LLS)[24] == 13
    rig.now_ms = 59_990
    assert rig.apdu(AARQ_LLS)[24] == 0


def test_a_success_forgets_the_failures_before(rig):
    wrong = AARQ_LLS.replace(b"12345678", b"12345679")
    for _ in range(4):
        rig.apdu(wrong)
        rig.apdu(wrong)
        assert rig.apdu(AARQ_LLS)[24] == 0
    assert 46 not in rig.events


@pytest.mark.parametrize("wrong", ["guek", "gak"])
def test_wrong_keys_are_counted_like_wrong_passwords(rig, wrong):
    for number in range(3):
        client = Client(rig, counter=number + 1, **{wrong: os.urandom(16)})
        assert client.associate() == WRONG
    assert 46 in rig.events
    assert Client(rig, counter=50).associate() == WRONG
    rig.now_ms = 60_000
    Client(rig, counter=50).log_in()


def test_the_lock_holds_a_challenge_that_is_open(rig):
    client = Client(rig)
    client.associate()
    rig.channel, pending = rig.server.open_channel(1024), rig.channel
    for _ in range(3):
        rig.apdu(AARQ_LLS.replace(b"12345678", b"12345679"))
    rig.channel = pending
    assert client.get(client.reply(client.proof())).hex() == "c701c10300"


@pytest.mark.row("SEC-20")
def test_the_objects_of_the_lock(rig):
    rig.apdu(AARQ_LLS.replace(b"12345678", b"12345679"))
    rig.security.lockout.count = 0
    rig.associate()
    assert rig.apdu("c001c100010000802801ff0200").hex() == "c401c1001100"
    assert rig.apdu("c001c100010000802802ff0200").hex() == "c401c1001103"
    assert rig.apdu("c001c100010000802803ff0200").hex() == f"c401c10006{NOW_UTC_S:08x}"
    for value, result in (("1105", "00"), ("1100", "fa"), ("1115", "fa"), ("120005", "0c")):
        assert rig.apdu("c101c100010000802802ff0200" + value).hex() == "c501c1" + result
    assert rig.apdu("c101c100010000802801ff02001100").hex() == "c501c103"
    fresh = Rig(memory=rig.memory)
    assert fresh.security.lockout.limit == 5


@pytest.mark.row("SEC-21")
def test_each_log_in_is_one_event(rig):
    for client, mechanism in ((Client(rig), 5), (Client(rig, control=0), 1)):
        rig.events.clear()
        if mechanism == 5:
            client.log_in()
        else:
            assert client.associate(1, context=1) == (0, 0)
        assert rig.events == [249]
    rig.events.clear()
    rig.apdu(AARQ_PUBLIC, sap=16)
    assert Client(rig, counter=50).associate() == (0, 14)  # not proved yet
    assert rig.events == []


@pytest.mark.parametrize("mechanism", [2, 6])
def test_passwords_by_aes_and_sha_256(rig, mechanism):
    """Mechanism 2 as clients in the field have it, 6 of the Green Book; off in a new meter."""
    client = Client(rig, control=0)
    assert client.associate(mechanism, CHALLENGE, context=1) == (1, 11)
    rig.security.set_mechanism(0, mechanism)

    def answer(first, second, challenge, other):
        if mechanism == 2:
            key = algorithms.AES(LLS + bytes(8))
            return Cipher(key, modes.ECB()).encryptor().update(challenge)
        return hashlib.sha256(LLS + first + second + challenge + other).digest()

    for spoilt in (False, True):
        assert client.associate(mechanism, CHALLENGE, context=1) == (0, 14)
        proof = answer(TITLE, METER, client.to_client, CHALLENGE)
        if spoilt:
            proof = bytes((proof[0] ^ 1,)) + proof[1:]
        given = client.send(client.reply(proof))
        if spoilt:
            assert given.hex() == "c701c10300"
        else:
            assert given[8:] == answer(METER, TITLE, CHALLENGE, client.to_client)
