"""Clients and their rights: levels, broadcasts, restrictions; counters that a power cut meets."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cipher_client import CLOCK, ENERGY, ENERGY_ANSWER, GBEK, TITLE, Client, element
from dlms_rig import AARQ_LLS, AARQ_PUBLIC, NOW_UTC_S, Memory, Rig

from app.axdr import Reader
from app.counters import Counters, CountersLost, Replayed
from app.crypto.aes import SoftwareAes
from app.crypto.gcm import Gcm

LEVELS = {32: ("lls_1", 4), 48: ("lls_2", 5), 64: ("lls_3", 6)}
SHIFT = bytes.fromhex(
    "c3018100080000010000ff0601100005"
)  # the clock, five seconds on, unconfirmed
CUSTOMER = "00010000600101ff02"  # device ID 1


@pytest.fixture
def rig():
    return Rig()


def put(client, descriptor, value):
    return client.send(bytes.fromhex(f"c101c1{descriptor}00{value}")).hex()


def open_level(rig, sap, password=None, **options):
    client = Client(rig, sap=sap, control=0, **options)
    secret = LEVELS[sap][0].encode() + b"-secret" if password is None else password
    return client, client.associate(1, secret, context=1)


@pytest.fixture
def with_passwords(rig):
    for name, instance in LEVELS.values():
        rig.associate()
        octets = element(9, name.encode() + b"-secret").hex()
        descriptor = f"000f00002800{instance:02x}ff07"
        assert rig.apdu(f"c101c1{descriptor}00{octets}").hex() == "c501c100"
    rig.channel.lost()
    return rig


@pytest.mark.row("SEC-63")
def test_a_password_for_each_client(with_passwords):
    rig = with_passwords
    for sap in LEVELS:
        for other in LEVELS:
            secret = LEVELS[other][0].encode() + b"-secret"
            _, result = open_level(rig, sap, secret)
            assert result == ((0, 0) if other == sap else (1, 13))
            rig.security.lockout.succeeded()
        assert open_level(rig, sap, b"12345678")[1] == (1, 13)
        rig.security.lockout.succeeded()
    assert open_level(Rig(memory=rig.memory), 48)[1] == (0, 0)


def test_a_level_without_a_password_is_closed(rig):
    for sap in LEVELS:
        for password in (b"", b"12345678"):
            assert open_level(rig, sap, password)[1] == (1, 13)
            rig.security.lockout.succeeded()


@pytest.mark.row("SEC-07")
def test_rights_of_the_levels(with_passwords):
    rig = with_passwords
    for sap, settable in ((32, False), (48, False), (64, True)):
        client, result = open_level(rig, sap)
        assert result == (0, 0)
        assert client.send(ENERGY) == ENERGY_ANSWER
        assert client.send(CLOCK)[3] == 0
        assert put(client, "00080000010000ff03", "10ffc4") == "c501c100"
        assert put(client, CUSTOMER, "090141") == ("c501c100" if settable else "c501c103")
        # nobody but management reaches the keys
        answer = client.send(bytes.fromhex("c001c1004000002b0000ff0200"))
        assert answer.hex() == "c401c10103"
        answer = client.send(bytes.fromhex("c301c1004000002b0000ff01011603"))
        assert answer.hex() == "c701c10300"
        # its own association, not that of another
        own = f"000f00002800{LEVELS[sap][1]:02x}ff07"
        assert put(client, own, "09086e65772d70617373") == "c501c100"
        assert put(client, "000f0000280001ff07", "09086e65772d70617373") == "c501c103"
    assert rig.apdu(AARQ_LLS)[17] == 0


@pytest.mark.row("SEC-07")
def test_level_3_does_not_come_over_a_network(with_passwords):
    remote = Rig(memory=with_passwords.memory, local=False)
    assert open_level(remote, 64)[1] == (1, 3)
    assert open_level(remote, 48)[1] == (0, 0)
    assert remote.apdu(AARQ_LLS)[17] == 0


def object_list(rig, sap):
    """Read attribute 2 of the current association, in blocks or not."""
    answer = rig.apdu("c001c1000f0000280000ff0200", sap)
    octets = b""
    while answer[1] == 2:
        at = {0x81: 11, 0x82: 12}.get(answer[9], 10)
        octets += answer[at:]
        if answer[3]:
            break
        answer = rig.apdu(b"\xc0\x02\xc1" + answer[4:8], sap)
    else:
        octets = answer[4:]
    return Reader(octets).data()[1]


@pytest.mark.row("SEC-01", "SEC-02")
def test_each_client_has_its_own_object_list(with_passwords):
    rig = with_passwords
    names = {}
    for sap in (16, 1, 32, 48, 64):
        client = Client(rig, sap=sap, control=0)
        if sap == 16:
            assert client.associate(0, context=1, title=b"") == (0, 0)
        elif sap == 1:
            assert client.associate(1, context=1) == (0, 0)
        else:
            client, result = open_level(rig, sap)
            assert result == (0, 0)
        me = rig.catalogue.client(sap)
        names[sap] = {bytes(row[1][2][1]) for row in object_list(rig, sap)}
        assert len(names[sap]) == rig.catalogue.visible(me)
        own = bytes((0, 0, 40, 0, me.instance, 255))
        assert own in names[sap]
    assert names[16] < names[32]
    others = [bytes((0, 0, 40, 0, e, 255)) for e in (1, 4, 6)]
    assert not names[48] & set(others)


@pytest.mark.row("SEC-03")
def test_management_can_be_held_to_hls(rig):
    assert rig.apdu(AARQ_LLS)[24] == 0  # what the factory leaves as the fallback
    gmac = "c101c1000f0000280001ff0600 0907 60857405080205"
    assert rig.apdu(gmac).hex() == "c501c100"
    for meter in (rig, Rig(memory=rig.memory)):
        for client in (Client(meter), Client(meter, control=0)):
            context = 3 if client.control else 1
            assert client.associate(1, context=context)[0] == 1
            assert client.send(ENERGY)[:1] != ENERGY_ANSWER[:1]
        none = Client(meter, control=0)
        assert none.associate(0, context=1, title=b"")[0] == 1
        counter = meter.security.counters.expected(0)
        assert Client(meter, counter=counter).log_in().get() == ENERGY_ANSWER
        # public needs nothing, pre-established asks nobody
        public = Client(meter, sap=16, control=0)
        assert public.associate(0, context=1, title=b"") == (0, 0)
        assert public.send(CLOCK)[3] == 0
        before = meter.clock.utc_s()
        assert meter.apdu(SHIFT, 102) == b""
        assert meter.clock.utc_s() == before + 5


@pytest.mark.row("SEC-05")
def test_broadcasts_are_carried_out_and_not_answered(rig):
    for server in (1, 0x7F, 0x3FFF):
        before = rig.clock.utc_s()
        assert rig.apdu(SHIFT, 102, server) == b""
        assert rig.clock.utc_s() == before + 5
    assert rig.apdu("c10181 00080000010000ff03 00 10ffa6", 102) == b""  # time zone, by SET
    assert rig.clock.time_zone_min == -90
    confirmed = SHIFT.replace(b"\xc3\x01\x81", b"\xc3\x01\xc1")
    for request in (ENERGY, CLOCK, confirmed, b"\xc0", b"\x62\x03\x80\x01\x00"):
        assert rig.apdu(request, 102)[:1] == b"\xd8"
        assert rig.apdu(request, 102, 0x7F) == b""  # the whole bus must not answer at once
    assert rig.apdu(AARQ_PUBLIC, 102)[24] == 3
    # no rights but these
    assert rig.apdu(f"c10181{CUSTOMER}00090141", 102) == b""
    assert rig.identification.device_id(1) == b""
    assert rig.clock.utc_s() == NOW_UTC_S + 15


def test_a_broadcast_leaves_an_open_association_alone(rig):
    rig.associate()
    rig.apdu(SHIFT, 102)
    assert rig.apdu(ENERGY) == ENERGY_ANSWER


def broadcast(rig, control=0x50, counter=1, key=GBEK, form=0xDB, title=TITLE):
    client = Client(rig, guek=key)
    octets = client.protect(SHIFT, control=control, counter=counter)
    return rig.apdu(bytes((form, len(title))) + title + element(0, octets)[1:], 102)


def test_signed_broadcasts(rig):
    rig.security.set_policy(0x10)
    assert rig.apdu(SHIFT, 102).hex() == "d80101"
    assert broadcast(rig) == b""
    assert rig.clock.utc_s() == NOW_UTC_S + 5
    assert broadcast(rig).hex() == "d8010600000002"
    assert broadcast(Rig(memory=rig.memory)).hex() == "d8010600000002"
    assert broadcast(rig, control=0x70, counter=2) == b""
    for wrong in (
        {"key": bytes(16)},
        {"control": 0x10},  # the unicast key set
        {"control": 0x60},  # encrypted only: anybody could have made it
        {"title": b"other\0\0\1", "key": bytes(16)},
    ):
        assert broadcast(rig, counter=9, **wrong).hex() == "d80105"
    assert rig.clock.utc_s() == NOW_UTC_S + 10
    assert rig.security.counters.last(0) == 0
    assert rig.security.counters.last(1) == 2


@pytest.mark.row("SEC-41")
def test_associations_can_be_disabled(rig):
    rig.associate()
    mask = "00010000802811ff02".replace("2811", "280b")
    assert rig.apdu(f"c101c1{mask}001105").hex() == "c501c100"
    for meter in (rig, Rig(memory=rig.memory)):
        assert meter.apdu(AARQ_PUBLIC, sap=16)[24] == 3
        assert meter.apdu(SHIFT, 102).hex() == "d80101"
        assert meter.apdu(AARQ_LLS)[24] == 0
    # management could not be enabled again by anybody
    assert rig.apdu(AARQ_LLS)[24] == 0
    for value, result in (("1102", "03"), ("1108", "fa"), ("1100", "00")):
        assert rig.apdu(f"c101c1{mask}00{value}").hex() == "c501c1" + result
    assert rig.apdu(AARQ_PUBLIC, sap=16)[24] == 0


class PowerLost(BaseException):
    pass


class CutMemory(Memory):
    """Loses power after a number of octets."""

    def __init__(self):
        super().__init__()
        self.left = -1

    def write(self, address, data):
        for offset, octet in enumerate(bytes(data)):
            if self.left == 0:
                raise PowerLost
            self.left -= 1
            self.octets[address + offset] = octet


@given(cuts=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 90)), max_size=12))
@settings(max_examples=60)
def test_no_number_comes_twice_over_power_cuts(cuts):
    memory = CutMemory()
    sent = set()
    accepted = -1
    for count, left in cuts:
        memory.left = -1
        counters = Counters(memory)
        assert not counters.lost
        memory.left = left
        try:
            for _ in range(count):
                number = counters.send()
                assert number not in sent
                sent.add(number)
                expected = counters.expected(0)
                assert expected > accepted
                counters.accept(0, expected)
                accepted = expected
                with pytest.raises(Replayed):
                    counters.check(0, expected)
        except PowerLost:
            pass


def test_damaged_counters_stop_everything_until_keys_change(rig):
    client = Client(rig, counter=5).log_in()
    client.get()
    from app.storage import regions

    for name in ("send_counter", "invocation_counter"):
        record = regions.open_record(rig.memory, name)
        for place in record._addresses:
            rig.memory.octets[place + 8] ^= 0xFF
            rig.memory.octets[place] |= 1  # a slot that was never written is no damage
    broken = Rig(memory=rig.memory)
    assert broken.security.counters.lost
    with pytest.raises(CountersLost):
        broken.security.counters.send()
    client.rig = broken
    assert client.associate()[0] == 1
    assert broken.apdu(AARQ_LLS)[17] == 0
    assert broken.security.lockout.count == 0
    broken.security.change_keys({0: bytes(range(16, 32))})
    assert not broken.security.counters.lost
    Client(broken, counter=1, guek=bytes(range(16, 32))).log_in()


def test_numbers_end_before_they_would_come_twice(rig):
    counters = rig.security.counters
    counters._next = counters._reserved = 0xFFFFFFFF - 300
    for _ in range(256):
        counters.send()
    with pytest.raises(CountersLost):
        counters.send()
    assert Client(rig).associate()[0] == 1


def test_gcm_tables_are_made_once_for_a_key(rig):
    first = rig.security.cipher(0)
    assert rig.security.cipher(0) is first
    assert isinstance(first, Gcm)
    rig.security.change_keys({3: bytes(16)})
    assert rig.security.cipher(0) is not first
    assert isinstance(rig.security.block_cipher(bytes(16)), SoftwareAes)


@pytest.mark.parametrize("left", range(0, 260, 5))
def test_a_power_cut_changes_all_keys_or_none(left):
    memory = CutMemory()
    rig = Rig(memory=memory)
    before = rig.settings.get("keys")
    rig.security.change_keys({0: bytes(16), 2: bytes(range(16))})
    between = rig.settings.get("keys")
    assert before != between
    memory.left = left
    after = bytes(range(64))
    changes = {key_id: after[16 * key_id : 16 * key_id + 16] for key_id in range(4)}
    try:
        rig.security.change_keys(changes)
    except PowerLost:
        pass
    memory.left = -1
    fresh = Rig(memory=memory)
    assert fresh.settings.get("keys") in (between, after)
    assert not fresh.security.counters.lost
    assert fresh.settings.damaged == []
