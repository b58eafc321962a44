"""What attackers try, each attack by its name: by APDUs, over reconnects, ports, power cuts."""

import re
import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cipher_client import (
    ENERGY,
    ENERGY_ANSWER,
    GBEK,
    LLS,
    TITLE,
    Client,
    element,
)
from dlms_rig import AARQ_LLS, AARQ_PUBLIC, RLRQ, Rig
from iec_line import Head, command

from app.crypto import constant_time
from app.security import OPTICAL, RS485, TCP

BREAK = command(b"B0")
ROOT = Path(__file__).resolve().parents[2]
NOT_POSSIBLE = "d80101"
DECIPHERING = "d80105"


@pytest.fixture
def rig():
    return Rig()


@pytest.fixture
def client(rig):
    return Client(rig).log_in()


def test_the_lock_is_one_for_all_ports_and_outlasts_a_power_cut():
    """Brute force over several ports, with the power cut between: three tries altogether."""
    head = Head()
    assert head.open(b"1") == BREAK
    wrong = AARQ_LLS.replace(b"12345678", b"12345679")
    for _ in range(2):
        head.rig.now_ms = head.now_ms
        assert head.rig.apdu(wrong)[17] == 1
    assert head.rig.events == [46]
    assert head.open() == BREAK
    again = Head(Rig(memory=head.rig.memory))
    assert again.open() == BREAK
    again.rig.now_ms = again.now_ms
    assert again.rig.apdu(AARQ_LLS)[17] == 1
    again.wait(61_000)
    assert again.open() == b"\x06"
    again.rig.now_ms = again.now_ms
    assert again.rig.apdu(AARQ_LLS)[17] == 0


def test_brute_force_across_reconnects(rig):
    """A new link for each try changes nothing, nor does another client's name."""
    wrong = AARQ_LLS.replace(b"12345678", b"00000000")
    for sap in (1, 32, 48):
        rig.channel = rig.server.open_channel(1024, TCP)
        rig.apdu(wrong, sap)
    assert rig.events == [46]
    for _ in range(3):
        rig.channel = rig.server.open_channel(1024, OPTICAL)
        rig.apdu(wrong)
    assert rig.apdu(AARQ_LLS)[17] == 1
    assert rig.events == [46]
    assert rig.apdu(AARQ_PUBLIC, sap=16)[17] == 0  # who needs no password is served


def test_a_reflected_challenge(rig):
    """The meter's own challenge on a second link would have it answer for the attacker."""
    first = Client(rig)
    first.associate()
    second = Client(Rig(memory=rig.memory), counter=50)
    second.rig = rig
    rig.channel = rig.server.open_channel(1024)
    assert second.associate(value=first.to_client) == (1, 13)


def test_a_reflected_proof(rig):
    """The meter's answer to our challenge is no answer to its own."""
    client = Client(rig)
    client.associate()
    answer = client.get(client.reply(client.proof()))
    client.associate()
    assert client.get(client.reply(answer[8:])).hex() == "c701c10300"


@pytest.mark.parametrize("control", [0x10, 0x20])
def test_downgraded_protection(rig, client, control):
    rig.security.set_policy(0x30)
    assert client.get(control=control).hex() == NOT_POSSIBLE
    assert client.send(ENERGY).hex() == NOT_POSSIBLE
    assert client.get(control=0x00).hex() == DECIPHERING
    # a genuine APDU whose control byte somebody weakened on the line
    strong = bytearray(client.glo(ENERGY))
    strong[2] = control
    assert client.send(strong).hex() in (DECIPHERING, NOT_POSSIBLE)
    assert client.get() == ENERGY_ANSWER
    assert Client(rig, control=control, counter=client.counter).associate()[0] == 1


@pytest.mark.row("SEC-34")
def test_counter_ff_ff_ff_ff(rig, client):
    """It would leave no number for the next one: refused, and told what would be taken."""
    used = client.counter
    answer = client.get(counter=0xFFFFFFFF)
    assert answer[:3].hex() == "d80106"
    assert struct.unpack(">I", answer[3:])[0] == used
    assert rig.events[-1] == 50
    assert client.get(counter=used) == ENERGY_ANSWER
    other = Client(rig, counter=0xFFFFFFFF)
    assert other.send(other.aarq())[:3].hex() == "d80106"
    assert Client(rig, counter=used + 1).associate() == (0, 14)


@pytest.mark.row("SEC-34")
def test_a_replay_is_an_event(rig, client):
    recorded = client.glo(ENERGY)
    client.send(recorded)
    rig.events.clear()
    assert client.send(recorded)[:3].hex() == "d80106"
    assert rig.events == [50]


def test_a_flood_of_replays_is_an_event_a_minute(rig, client):
    recorded = client.glo(ENERGY)
    client.send(recorded)
    rig.events.clear()
    for _ in range(50):
        assert client.send(recorded)[:3].hex() == "d80106"
    assert rig.events == [50]
    rig.clock.set_utc_s(rig.clock.utc_s() + 60)
    client.send(recorded)
    assert rig.events == [50, 50]
    rig.clock.set_utc_s(rig.clock.utc_s() - 86_400)  # the clock may be set back
    client.send(recorded)
    assert rig.events == [50, 50, 50]


def test_a_replay_after_a_power_cut(rig, client):
    recorded = [client.glo(ENERGY), client.aarq()]
    client.send(recorded[0])
    client.send(recorded[1])
    client.rig = Rig(memory=rig.memory)
    assert client.send(recorded[1])[:3].hex() == "d80106"
    client.log_in()
    assert client.send(recorded[0])[:3].hex() == "d80106"


@pytest.mark.row("SEC-36")
def test_truncated_tags(rig, client):
    """Fewer octets of a tag are guessed sooner: none but all twelve are taken."""
    good = client.glo(ENERGY)
    body = good[2:]
    for size in range(12):
        cut = body[: len(body) - 12 + size]
        assert client.send(element(0xC8, cut))[:1] == b"\xd8", size
    assert rig.events.count(49) == 1  # twelve wrong tags in a minute
    assert client.send(element(0xC8, body + b"\0"))[:1] == b"\xd8"
    assert client.send(good)[0] == 0xCC


@pytest.mark.row("SEC-36")
def test_three_bad_tags_are_one_event(rig, client):
    rig.events.clear()
    for _ in range(3):
        wrong = bytearray(client.glo(ENERGY))
        wrong[-1] ^= 1
        assert client.send(wrong).hex() == DECIPHERING
    assert rig.events == [49]
    assert rig.security.counters.last(0) < client.counter - 3


def test_a_ciphered_apdu_in_a_plain_context(rig):
    client = Client(rig, control=0)
    assert client.associate(1, context=1) == (0, 0)
    for control in (0x10, 0x20, 0x30):
        assert client.send(client.glo(ENERGY, control=control)).hex() == "d80202"
    assert client.send(ENERGY) == ENERGY_ANSWER


def test_a_second_aarq_on_an_open_link(rig, client):
    """It ends the first association whatever becomes of the second."""
    wrong = AARQ_LLS.replace(b"12345678", b"00000000")
    assert rig.apdu(wrong)[17] == 1
    assert client.get().hex() == NOT_POSSIBLE
    assert rig.server.associations() == 0


def test_a_skipped_release(rig, client):
    """DISC, a closed connection, or nothing at all: the next client finds no open door."""
    rig.channel.lost()
    assert client.get().hex() == NOT_POSSIBLE
    assert rig.apdu(ENERGY).hex() == NOT_POSSIBLE
    client.log_in()
    # an unprotected or badly protected RLRQ does not end what was opened under protection
    assert client.send(RLRQ).hex() == "6303800101"
    bad = bytearray(
        element(0x62, b"\x80\x01\0" + element(0xBE, element(4, client.glo_initiate())))
    )
    bad[-1] ^= 1
    assert client.send(bad).hex() == "6303800101"
    assert client.get() == ENERGY_ANSWER


def test_a_short_name_context(rig):
    for context in (2, 4, 0, 5, 255):
        body = AARQ_LLS[:10] + bytes((context,)) + AARQ_LLS[11:]
        answer = rig.apdu(body)
        assert (answer[17], answer[24]) == (1, 2)


@pytest.mark.row("SEC-40")
def test_channel_options(rig, client):
    """Replay protection off takes a replay (for tests only), on again refuses it."""
    put = bytes.fromhex("c101c10001 0002 80280aff 0200 11")
    read = bytes.fromhex("c001c10001 0002 80280aff 0200")
    rig.channel = rig.server.open_channel(1024, TCP)
    client.log_in()
    assert client.get(read).hex() == "c401c1001106"
    assert client.get(put + b"\x08").hex() == "c501c1fa"
    assert client.get(put + b"\x04").hex() == "c501c100"
    recorded = client.glo(ENERGY)
    for _ in range(3):
        assert client.send(recorded)[0] == 0xCC
    high = client.counter
    assert client.get(counter=1) == ENERGY_ANSWER
    client.counter = high
    assert client.get(put + b"\x06").hex() == "c501c100"
    assert client.send(recorded)[:3].hex() == "d80106"
    assert Rig(memory=rig.memory).security.options(TCP) == 6
    # other channels are untouched: each has its own options
    assert rig.security.options(RS485) == rig.security.options(OPTICAL) == 6


def test_options_of_service_class_and_release(rig):
    rig.associate()
    unconfirmed = bytes.fromhex("c00181") + ENERGY[3:]
    title = bytes.fromhex("c101810040 00002b0000ff 0400 0908") + TITLE
    assert rig.apdu(title) == b""
    rig.security.set_options(RS485, 7)
    assert rig.apdu(title)[:1] == b"\xc5"
    assert rig.apdu(unconfirmed)[0] == 0xC4
    client = Client(rig).log_in()
    assert client.send(RLRQ).hex() == "6303800101"
    rig.security.set_options(RS485, 2)
    assert client.send(RLRQ).hex() == "6303800100"
    assert rig.server.associations() == 0


def test_broadcasts_without_the_right_key(rig):
    """Signed broadcasts: another key, an old number, too little protection: no action, silence."""
    rig.security.set_policy(0x10)
    clock = bytes.fromhex("c101810008 0000010000ff 0300 10ffc4")
    sender = Client(rig, sap=102, control=0x50, guek=GBEK)

    def broadcast(**options):
        body = sender.protect(clock, **options)
        apdu = b"\xdb\x08" + TITLE + element(0, body)[1:]
        return rig.apdu(apdu, 102, 0x7F)

    assert broadcast() == b""
    assert rig.clock.time_zone_min == -60
    rig.clock.configure(time_zone_min=0)
    for options in ({"counter": 1}, {"control": 0x10}, {"control": 0x40}):
        assert broadcast(**options) == b""
        assert rig.clock.time_zone_min == 0
    sender.cipher = Client(rig, guek=bytes(16)).cipher
    assert broadcast() == b""
    assert rig.apdu(clock, 102, 0x7F) == b""
    assert rig.clock.time_zone_min == 0


def test_comparisons_take_no_shortcut():
    """By construction: what is secret is compared by `equal` alone, never by == or !=."""
    compared = re.compile(r"\b(secret|password|proof)s?\b[^()\[]*(==|!=)")
    found = []
    for folder in ("app/dlms", "app/crypto", "app/transport", "app/cosem"):
        for path in sorted((ROOT / "firmware" / folder).glob("*.py")):
            for line in path.read_text(encoding="utf-8").splitlines():
                if compared.search(line.split("#")[0]):
                    found.append(f"{path.name}: {line.strip()}")
    assert not found


@pytest.mark.parametrize("place", range(8))
def test_a_comparison_looks_at_every_octet(place):
    looked = []

    class Watched(bytes):
        def __getitem__(self, index):
            looked.append(index)
            return super().__getitem__(index)

    given = bytearray(LLS)
    given[place] ^= 1
    assert not constant_time.equal(Watched(given), LLS)
    assert looked == list(range(len(LLS)))
