"""Protected APDUs: what is accepted, refused and answered; counters, policy, release, keys."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cipher_client import (
    CLOCK,
    ENERGY,
    ENERGY_ANSWER,
    GAK,
    GUEK,
    INITIATE,
    KEK,
    METER,
    TITLE,
    Client,
    element,
)
from dlms_rig import AARQ_LLS, AARQ_PUBLIC, NOW_UTC_S, RLRQ, Rig

from app.crypto import key_wrap
from app.crypto.aes import SoftwareAes
from app.crypto.gcm import Gcm

NOT_POSSIBLE = "d80101"
DECIPHERING = "d80105"
SETUP = "0040 00002b0000ff"


@pytest.fixture
def rig():
    return Rig()


@pytest.fixture
def client(rig):
    return Client(rig).log_in()


@pytest.mark.row("SEC-31")
@pytest.mark.parametrize("control", [0x10, 0x20, 0x30])
def test_the_answer_carries_the_protection_of_the_request(rig, control):
    client = Client(rig, control=control).log_in()
    for now in (control, 0x10, 0x20, 0x30):
        answer = client.send(client.glo(ENERGY, control=now))
        assert answer[0] == 0xCC
        assert answer[2] == now
        assert client.unprotect(answer[2:]) == ENERGY_ANSWER
    assert client.send(ENERGY) == ENERGY_ANSWER  # policy 0 asks for nothing


@pytest.mark.parametrize("control", [0x10, 0x20, 0x30])
def test_a_replayed_apdu_is_refused(rig, control):
    client = Client(rig, control=control).log_in()
    recorded = client.glo(ENERGY)
    assert client.send(recorded)[0] == 0xCC
    for _ in range(2):
        assert client.send(recorded).hex() == f"d80106{client.counter:08x}"
        assert rig.events[-1] == 50
    assert client.get(counter=1).hex() == f"d80106{client.counter:08x}"
    assert client.get() == ENERGY_ANSWER
    # on another link, after a power cut
    rig.channel.lost()
    fresh = Rig(memory=rig.memory)
    client.rig = fresh
    assert client.send(recorded).hex() == NOT_POSSIBLE
    client.log_in()
    assert client.send(recorded).hex() == f"d80106{client.counter:08x}"


def test_a_replayed_aarq_is_refused_with_the_number_expected(rig):
    client = Client(rig)
    recorded = client.aarq()
    assert client.send(recorded)[24] == 14
    assert client.send(recorded).hex() == "d8010600000002"
    assert client.associate() == (0, 14)


def test_the_last_number_is_never_accepted(rig, client):
    assert client.get(counter=0xFFFFFFFF)[:3].hex() == "d80106"
    assert client.get(counter=0xFFFFFFFE) == ENERGY_ANSWER
    assert client.get(counter=0xFFFFFFFE).hex() == "d80106ffffffff"
    assert rig.security.counters.last(0) == 0xFFFFFFFE


def test_wrong_tags(rig, client):
    for at in (2, 8, 15, 20, -1):
        wrong = bytearray(client.glo(ENERGY))
        wrong[at] ^= 0x01
        assert client.send(wrong).hex() in (DECIPHERING, "d80106")
        client.counter -= 1  # a number of which nothing genuine came is not used up
    assert rig.events.count(49) == 1
    assert client.get() == ENERGY_ANSWER
    assert rig.security.counters.last(0) == client.counter - 1


@pytest.mark.row("SEC-36", "FRD-07")
def test_a_flood_of_wrong_tags_and_replays_is_an_event_each_a_minute(rig, client):
    replayed = client.glo(ENERGY)
    client.send(replayed)
    wrong = bytearray(client.glo(ENERGY))
    wrong[-1] ^= 1
    for minute in range(3):
        rig.clock.set_utc_s(NOW_UTC_S + 60 * minute)
        for _ in range(50):
            client.send(wrong)
            client.send(replayed)
        rig.clock.set_utc_s(NOW_UTC_S + 60 * minute + 59)
        client.send(wrong)
        client.send(replayed)
    told = [code for code in rig.events if code in (49, 50)]
    assert told.count(49) == told.count(50) == 3


def test_text_that_makes_no_sense_does_not_move_the_counter(rig, client):
    """Encryption alone has no tag: anybody could send the highest number."""
    garbage = b"\x20" + (0xFFFFFFF0).to_bytes(4, "big") + bytes(range(40))
    assert client.send(element(0xC8, garbage)).hex() == DECIPHERING
    aarq = client.aarq()
    at = aarq.index(b"\xbe")
    attack = aarq[2:at] + element(0xBE, element(0x04, element(0x21, garbage)))
    assert client.send(element(0x60, attack))[17] == 1
    assert rig.security.counters.last(0) < 100


@pytest.mark.parametrize("control", [0x00, 0x31, 0x32, 0x3F, 0x70, 0xB0, 0xF0, 0x80, 0x40])
def test_strange_security_control_bytes(rig, client, control):
    """Another suite, the broadcast key set, compression, no protection at all."""
    assert client.get(control=control).hex() == DECIPHERING
    assert client.get() == ENERGY_ANSWER


def test_a_protected_apdu_must_hold_what_its_tag_says(rig, client):
    for tag in (0xC9, 0xCB, 0xD0, 0xD1):
        answer = client.send(element(tag, client.protect(ENERGY))).hex()
        assert answer in (DECIPHERING, "d80102")
    for inner in (
        b"",
        b"\xc0",
        b"\x60\x00",
        b"\x62\x00",
        bytes((0xC8, 3, 1, 2, 3)),
        client.aarq(),
    ):
        assert client.send(element(0xC8, client.protect(inner)))[0] == 0xD8
    assert client.get() == ENERGY_ANSWER
    assert client.get(b"\xc0\x09\xc1\x00").hex() == "d80202"
    assert client.get(b"\xc0\x01\xc1\x00")[0] == 0xD8
    assert rig.server.defects == 0


def test_lengths_that_lie(rig, client):
    good = client.glo(ENERGY)
    for bad in (good[:-1], good + b"\0", good[:1] + b"\x84\xff\xff\xff\xff" + good[2:], good[:4]):
        assert client.send(bad)[0] == 0xD8
    assert client.send(good)[0] == 0xCC
    for size in range(len(good)):
        assert client.send(good[:size])[:1] in (b"", b"\xd8")
    assert rig.server.defects == 0


@pytest.mark.row("SEC-10")
def test_ciphered_apdus_in_a_context_without_ciphering(rig):
    client = Client(rig, control=0x30)
    client.control = 0
    client.log_in(context=1)
    client.control = 0x30
    assert client.get().hex() == "d80202"
    assert client.send(element(0xDB, element(8, TITLE)[1:] + client.glo(ENERGY)[1:])).hex() == (
        "d80202"
    )
    # nor a protected initiate request
    body = client.aarq(context=1, initiate=element(0x21, client.protect(INITIATE)))
    assert client.send(body)[17] == 1


def general(client, plain, tag=0xDB, title=TITLE, cipher=None, **options):
    octets = client.protect(plain, cipher=cipher, **options)
    answer = client.send(bytes((tag, len(title))) + title + element(0, octets)[1:])
    if answer[:1] in (b"\xd8", b""):
        return answer
    assert answer[:2] == bytes((tag, 8))
    assert answer[2:10] == METER
    return client.unprotect(answer[11:], cipher=cipher)


def test_general_glo_ciphering(rig, client):
    assert general(client, ENERGY) == ENERGY_ANSWER
    assert general(client, ENERGY, title=b"") == ENERGY_ANSWER
    assert general(client, ENERGY, title=b"XYZ\0\0\0\0\1").hex() == DECIPHERING
    assert general(client, ENERGY, title=TITLE[:7]).hex() == DECIPHERING
    assert general(client, RLRQ).hex() == DECIPHERING


def test_general_protection_has_to_be_negotiated(rig):
    without = INITIATE.replace(bytes.fromhex("407e1f"), bytes.fromhex("007e1f"))
    client = Client(rig).log_in(initiate=without)
    assert general(client, ENERGY).hex() == "d80102"
    assert client.get() == ENERGY_ANSWER


def test_a_dedicated_key_has_its_own_numbers(rig):
    key = bytes(range(0x70, 0x80))
    dedicated = Gcm(SoftwareAes(key))
    initiate = b"\x01\x01\x10" + key + INITIATE[2:]
    client = Client(rig, counter=500).log_in(initiate=initiate)
    used = client.counter
    for number in (0, 1, 7):
        octets = client.protect(ENERGY, counter=number, cipher=dedicated)
        answer = client.send(element(0xD0, octets))
        assert answer[0] == 0xD4
        assert client.unprotect(answer[2:], cipher=dedicated) == ENERGY_ANSWER
    assert client.send(element(0xD0, octets)).hex() == "d8010600000008"
    assert general(client, ENERGY, 0xDC, counter=8, cipher=dedicated) == ENERGY_ANSWER
    assert client.send(element(0xD0, client.protect(ENERGY, counter=9))).hex() == DECIPHERING
    assert client.get(counter=used) == ENERGY_ANSWER
    # the next association has none
    client.counter = used + 1
    client.log_in()
    octets = client.protect(ENERGY, counter=20, cipher=dedicated)
    assert client.send(element(0xD0, octets)).hex() == "d80102"


def test_a_dedicated_key_must_come_under_protection(rig):
    key = bytes(range(0x70, 0x80))
    client = Client(rig, control=0)
    client.associate(1, initiate=b"\x01\x01\x10" + key + INITIATE[2:])
    octets = client.protect(ENERGY, control=0x30, cipher=Gcm(SoftwareAes(key)))
    assert client.send(element(0xD0, octets)).hex() == "d80102"
    short = b"\x01\x01\x08" + key[:8] + INITIATE[2:]
    assert Client(rig, counter=9).associate(1, initiate=short) == (1, 1)


@pytest.mark.row("SEC-35")
def test_nonces_of_the_meter_all_differ():
    seen = set()
    memory = None
    for round_number in range(4):
        rig = Rig(memory=memory)
        memory = rig.memory
        client = Client(rig, counter=1 + 1000 * round_number)
        for _ in range(3):
            client.log_in()
            for _ in range(120):
                answer = client.send(client.glo(CLOCK))
                assert answer[3:7] not in seen
                seen.add(answer[3:7])
    assert len(seen) == 4 * 3 * 120


@pytest.mark.row("SEC-30")
@pytest.mark.parametrize("policy", [1, 2, 3])
@pytest.mark.parametrize("control", [0, 0x10, 0x20, 0x30])
def test_policies(rig, policy, control):
    rig.security.set_policy(policy << 4)
    enough = control & (policy << 4) == policy << 4
    client = Client(rig, control=control)
    if not enough:
        assert client.associate()[0] == 1
        assert client.associate(1)[0] == 1
        assert client.associate(1, context=1) == (1, 2)
        strong = Client(rig, counter=10).log_in()
        assert strong.get(control=control).hex() in (NOT_POSSIBLE, DECIPHERING)
        assert strong.send(ENERGY).hex() == NOT_POSSIBLE
        assert strong.get() == ENERGY_ANSWER
    else:
        client.log_in()
        assert client.get() == ENERGY_ANSWER
        assert client.send(ENERGY).hex() == NOT_POSSIBLE
    assert rig.apdu(AARQ_LLS)[24] == 2
    # the public client reads on
    assert rig.apdu(AARQ_PUBLIC, sap=16)[17] == 0
    assert rig.apdu(CLOCK, sap=16)[3] == 0
    assert Rig(memory=rig.memory).security.policy == policy << 4


def test_an_open_plain_association_ends_with_the_policy(rig):
    rig.associate()
    assert rig.apdu(ENERGY) == ENERGY_ANSWER
    assert rig.apdu(f"c301c1{SETUP}01 01 1603").hex() == "c701c10000"
    assert rig.apdu(ENERGY).hex() == NOT_POSSIBLE


def test_release_under_protection(rig, client):
    """An attacker on the line must not end what others have opened under protection."""
    assert client.send(RLRQ).hex() == "6303800101"  # not finished
    assert client.get() == ENERGY_ANSWER
    good = element(0x62, b"\x80\x01\x00" + element(0xBE, element(4, client.glo_initiate())))
    for at in range(7, len(good), 5):
        wrong = bytearray(good)
        wrong[at] ^= 0x55
        assert client.send(wrong)[:1] in (b"\x63", b"\xd8")
        assert rig.server.associations() == 1
    answer = client.send(good)
    assert answer[:5].hex() == "6328800100"
    assert client.unprotect(answer[11:])[0] == 8
    assert rig.server.associations() == 0
    assert client.get().hex() == NOT_POSSIBLE
    assert client.send(RLRQ).hex() == "6303800100"


def test_a_client_ends_its_own_association_only(rig):
    rig.associate()
    for sap in (16, 32, 2):
        assert rig.apdu(RLRQ, sap).hex() == "6303800100"
        assert rig.apdu(ENERGY) == ENERGY_ANSWER
    # what is in it does not matter where nothing is protected
    assert rig.apdu("6206800100be010f").hex() == "6303800100"
    assert rig.apdu(ENERGY).hex() == NOT_POSSIBLE


def test_a_second_aarq_on_an_open_link(rig, client):
    assert rig.apdu(AARQ_PUBLIC, sap=16)[17] == 0
    assert rig.server.associations() == 1
    assert client.get().hex() == NOT_POSSIBLE
    client.log_in()
    assert client.get() == ENERGY_ANSWER
    assert rig.server.associations() == 1
    assert rig.apdu(AARQ_LLS)[17] == 0
    assert client.get().hex() == "d80202"


def transfer(client, *keys, kek=KEK):
    body = bytes((1, len(keys)))
    for key_id, key in keys:
        wrapped = key_wrap.wrap(SoftwareAes(kek), key)
        body += bytes((2, 2, 0x16, key_id)) + element(9, wrapped)
    request = bytes.fromhex("c301c1" + SETUP + "02 01") + body
    return client.get(request)


NEW = bytes(range(0x80, 0x90))


def test_key_transfer(rig, client):
    assert transfer(client, (0, NEW)).hex() == "c701c10000"
    assert rig.events[-1] == 48
    assert client.get().hex() == DECIPHERING
    again = Client(rig, counter=1, guek=NEW).log_in()
    assert transfer(again, (2, NEW[::-1]), (3, NEW)).hex() == "c701c10000"
    fresh = Rig(memory=rig.memory)
    third = Client(fresh, counter=100, guek=NEW, gak=NEW[::-1]).log_in()
    assert transfer(third, (0, GUEK)).hex() == "c701c1fa00"  # the old master key
    assert transfer(third, (0, GUEK), (2, GAK), kek=NEW).hex() == "c701c10000"
    Client(fresh, counter=1).log_in()


def test_a_key_that_is_sent_again_does_not_begin_its_numbers_again(rig, client):
    assert transfer(client, (0, GUEK)).hex() == "c701c10000"
    assert client.get(counter=1)[:3].hex() == "d80106"
    assert client.get() == ENERGY_ANSWER


def test_bad_key_transfers_change_nothing(rig, client):
    before = rig.settings.get("keys")
    assert transfer(client, (4, NEW)).hex() == "c701c1fa00"
    assert transfer(client, (0, NEW), (7, NEW)).hex() == "c701c1fa00"
    assert transfer(client, (0, NEW), (0, NEW)).hex() == "c701c1fa00"
    assert transfer(client).hex() == "c701c1fa00"
    assert transfer(client, (0, NEW), kek=NEW).hex() == "c701c1fa00"
    assert transfer(client, (0, NEW + NEW[:8])).hex() == "c701c1fa00"
    assert transfer(client, *[(0, NEW)] * 5).hex() == "c701c1fa00"
    for body in ("0f00", "0101 0f00", "0101 0202 1600 0900", "0101 0201 1600"):
        request = bytes.fromhex("c301c1" + SETUP + "02 01" + body)
        assert client.get(request)[:3].hex() == "c701c1"
    rig.memory.dead = True
    assert transfer(client, (0, NEW))[:1] == b"\xd8"
    assert rig.settings.get("keys") == before
    assert 48 not in rig.events


@pytest.mark.row("SEC-61")
def test_no_secret_can_be_read_or_found(rig, client):
    assert transfer(client, (0, NEW), (1, NEW[::-1]), (2, GAK), (3, KEK)).hex() == "c701c10000"
    client = Client(rig, guek=NEW).log_in()
    request = bytes.fromhex("c101c1000f0000280001ff0700") + element(9, b"a-new-password")
    assert client.get(request).hex() == "c501c100"
    secrets = (NEW, NEW[::-1], GAK, KEK, b"a-new-password")
    for secret in secrets:
        for start in range(len(secret) - 6):
            assert secret[start : start + 7] not in bytes(rig.memory.octets)
    manager = rig.catalogue.client(1)
    rig.channel.lost()
    rig.settings.put("lls", b"12345678")
    rig.associate()
    for name, handler, _, group in rig.catalogue.entries():
        for index, (_, access) in enumerate(handler.ATTRIBUTES, 1):
            if manager.rights(group) & access & 1:
                class_id = handler.CLASS_ID.to_bytes(2, "big")
                answer = rig.apdu(b"\xc0\x01\xc1" + class_id + name + bytes((index, 0)))
                for secret in secrets:
                    assert secret[:8] not in answer, (name, index)


def test_damaged_keys_open_nothing(rig):
    rig.settings.put("keys", bytes(16) * 4)
    rig.settings.put("lls", b"12345678")
    at = rig.memory.octets
    for place in range(0, len(at), 3):
        at[place] ^= 0xFF
    broken = Rig(memory=rig.memory)
    assert {"keys", "lls"} <= set(broken.settings.damaged)
    assert broken.apdu(AARQ_LLS)[24] == 13
    assert Client(broken).associate()[0] == 1
    assert Client(broken, control=0).associate(context=1)[0] == 1
    assert broken.apdu(AARQ_PUBLIC, sap=16)[17] == 0
    assert broken.server.associations() == 1


def test_secrets_do_not_show_in_errors(rig, capsys):
    client = Client(rig)
    for value in (b"12345679", b"x" * 64, b""):
        client.associate(1, value)
    rig.now_ms = 60_000
    client.log_in()
    transfer(client, (9, NEW))
    output = capsys.readouterr()
    assert output.out == output.err == ""
