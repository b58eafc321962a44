"""Security suite 1 in class 64 version 1: key pairs, certificates, key agreement, mechanism 7."""

import datetime
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cipher_client import ENERGY, ENERGY_ANSWER, METER, TITLE, Client, element
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from suite_1_rig import Client1, SteppingRig, derive, enrolled, octets, unpack

# isort: split
from certificates import FROM, SIGNATURE, UNTIL, Authority, check, public_of, raw, sign

from app.crypto import certificate, p256
from app.event_codes import CERTIFICATE_REFUSED


@pytest.fixture
def parts():
    return enrolled()


def test_the_security_profile_shows_version_and_suite():
    rig = SteppingRig()
    client = Client(rig).log_in()
    profile = bytes.fromhex("c101c100010000 80280cff0200 11")
    suite = bytes.fromhex("c001c1004000002b0000ff0300")
    certificates = bytes.fromhex("c001c1004000002b0000ff0600")
    assert client.get(suite).hex() == "c401c1001600"
    assert client.get(certificates).hex() == "c401c10104"
    assert client.get(profile + b"\x01").hex() == "c501c100"
    assert client.get(suite).hex() == "c401c1001600"
    assert client.get(certificates).hex() == "c401c1000100"
    assert rig.catalogue.find(bytes.fromhex("00002b0000ff"))[0].VERSION == 1
    assert client.get(profile + b"\x03").hex() == "c501c1fa"
    assert client.get(profile + b"\x02").hex() == "c501c100"
    client.control = 0x31  # the suite stands in every security control byte
    assert client.get(suite).hex() == "c401c1001601"
    client.control = 0x30
    assert client.get(suite).hex() == "d80105"
    again = SteppingRig(memory=rig.memory)
    assert again.security.suite == 1
    assert again.catalogue.find(bytes.fromhex("00002b0000ff"))[0].VERSION == 1


def test_methods_of_version_1_need_suite_1():
    rig = SteppingRig()
    rig.security.set_profile(1)
    client = Client1(rig, control=0x30).log_in()
    for index in range(3, 9):
        assert client.method(index, b"\x16\x00")[0] == 3
    assert client.method(9, b"\x16\x00")[0] == 4


def test_mechanism_7(parts):
    rig, client, _, publics = parts
    client.log_in_signed(publics[SIGNATURE])
    assert rig.steps > 150
    assert client.get() == ENERGY_ANSWER
    assert rig.events[-1] == 249
    again = SteppingRig(memory=rig.memory)
    client.rig = again
    client.log_in_signed(publics[SIGNATURE])
    assert client.get() == ENERGY_ANSWER


def test_mechanism_7_with_wrong_signatures(parts):
    rig, client, _, _ = parts
    good = client.prove

    stranger = ec.generate_private_key(ec.SECP256R1())

    def signed(order, key=client.signing):
        """The signature over titles (c, s) and challenges (C, S) in an order."""
        parts = {"c": TITLE, "s": METER, "C": client.own_challenge, "S": client.to_client}
        return sign(key, b"".join(parts[letter] for letter in order))

    for number in range(7):
        rig.now_ms = 100_000 * number
        assert client.associate(7, client.own_challenge) == (0, 14)
        proofs = [bytes(64), good()[:-1], good() + b"\0", signed("csSC", stranger)]
        proofs += [signed("scSC"), signed("csCS"), signed("csCC")]
        refused = "c701c1fa00" if number == 2 else "c701c10300"  # too long to be one
        assert client.get(client.reply(proofs[number])).hex() == refused
        assert client.get().hex() == "d80101"
        rig.security.lockout.succeeded()
    # its own signature sent back: the titles stand the other way round
    assert client.associate(7, client.own_challenge) == (0, 14)
    answer = client.get(client.reply(good()))
    assert client.associate(7, client.own_challenge) == (0, 14)
    assert client.get(client.reply(answer[8:])).hex() == "c701c10300"
    # a client that nobody knows
    unknown = Client1(rig, counter=client.counter, title=b"NEW\0\0\0\0\1", signing=client.signing)
    assert unknown.associate(7, client.own_challenge) == (0, 14)
    assert unknown.get(unknown.reply(unknown.prove())).hex() == "c701c10300"
    assert rig.server.defects == 0


def test_three_wrong_signatures_lock(parts):
    rig, client, _, _ = parts
    for _ in range(3):
        assert client.associate(7, client.own_challenge) == (0, 14)
        assert client.get(client.reply(bytes(64))).hex() == "c701c10300"
    assert rig.events[-1] == 46
    assert client.associate(7, client.own_challenge) == (1, 13)
    rig.now_ms = 61_000
    assert client.associate(7, client.own_challenge) == (0, 14)


def test_certificates_are_listed_exported_and_removed(parts):
    rig, client, authority, publics = parts
    listed = client.get(bytes.fromhex("c001c1004000002b0000ff0600"))
    assert listed[:6].hex() == "c40" + "1c1000105" if listed[1] == 1 else listed[1] == 2
    root = x509.load_der_x509_certificate(authority.certificate)
    for entity, kind, title, public in (
        (0, 0, METER, publics[0]),
        (0, 1, METER, publics[1]),
        (1, 0, TITLE, client.signing.public_key()),
        (1, 1, TITLE, client.agreeing.public_key()),
        (2, 0, b"", authority.key.public_key()),
    ):
        name = bytes((2, 2, 0x16, 0, 2, 3, 0x16, entity, 0x16, kind)) + octets(title)
        result, data = client.method(7, name)
        assert result == 0
        found = x509.load_der_x509_certificate(unpack(data))
        assert raw(found.public_key()) == raw(public)
        serial = found.serial_number
        number = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
        for form in (number, element(2, number)):
            by_serial = bytes((2, 2, 0x16, 1, 2, 2)) + octets(form)
            by_serial += octets(root.subject.public_bytes())
            assert client.method(7, by_serial) == (0, data)
    assert client.method(7, bytes.fromhex("0202160002031600160009085453540000000001"))[0] == 4
    assert client.method(7, bytes.fromhex("02021602020316001600 0900"))[0] == 250
    mine = bytes.fromhex("0202160002031601160009085453540000000001")
    assert client.method(8, mine) == (0, None)
    assert client.method(8, mine) == (4, None)
    again = SteppingRig(memory=rig.memory)
    assert len(again.security.credentials().certificates()) == 4
    # the root stays while the switch is closed
    root_name = bytes.fromhex("02021600020316021600 0900")
    assert client.method(8, root_name) == (3, None)
    rig.security.credentials()._locked = lambda: False
    assert client.method(8, root_name) == (0, None)


def test_certificates_that_are_refused(parts):
    rig, client, authority, publics = parts
    key = ec.generate_private_key(ec.SECP256R1())
    other = Authority("Other root")
    false = Authority("Test root")  # its name, another key
    public = key.public_key()
    title = b"ABC\0\0\0\0\2"
    before = bytes(rig.memory.octets)
    past = (FROM, datetime.datetime(2026, 1, 1))
    future = (datetime.datetime(2027, 1, 1), UNTIL)
    p384 = ec.generate_private_key(ec.SECP384R1()).public_key()
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")
    good = authority.sign(title, public, SIGNATURE)
    refused = [
        (other.certificate, 3),  # a root while the switch is closed
        (other.sign(title, public, SIGNATURE), 4),
        (false.sign(title, public, SIGNATURE), 250),
        (authority.sign(title, public, SIGNATURE, span=past), 250),
        (authority.sign(title, public, SIGNATURE, span=future), 250),
        (authority.sign(title, p384, SIGNATURE), 250),
        (authority.sign(title, public, SIGNATURE, extra=[(unknown, True)]), 250),
        (authority.sign(METER, public, SIGNATURE), 250),  # not the meter's key
        (authority.sign(METER, publics[0], None), 250),  # for what?
        (authority.sign(other.name, public, SIGNATURE), 250),  # nobody's
        (good[:-1], 250),
        (good + b"\0", 250),
        (good[:-1] + bytes((good[-1] ^ 1,)), 250),
        (b"\x30\x00", 250),
        (bytes(300), 250),
    ]
    for encoded, result in refused:
        assert client.method(6, octets(encoded)) == (result, None), encoded.hex()
        assert rig.events[-1] == CERTIFICATE_REFUSED
    assert client.method(6, b"\x11\x00")[0] == 12
    names = ("certificate_", "key_pairs")
    assert len(rig.security.credentials().certificates()) == 5, names
    assert client.method(6, octets(good)) == (0, None)
    assert before != bytes(rig.memory.octets)
    # six are the most; a renewed one takes its predecessor's place
    more = authority.sign(b"ABC\0\0\0\0\3", public, SIGNATURE)
    assert client.method(6, octets(more)) == (2, None)
    assert client.method(6, octets(authority.sign(title, public, SIGNATURE))) == (0, None)
    extra = [(x509.SubjectKeyIdentifier.from_public_key(public), False), (unknown, False)]
    assert client.method(6, octets(authority.sign(title, public, SIGNATURE, extra=extra)))[0] == 0
    for size in range(0, len(good), 7):
        assert client.method(6, octets(good[:size]))[0] in (250, 12, 4)
    assert rig.server.defects == 0


def test_an_expired_certificate_opens_nothing(parts):
    rig, client, _, publics = parts
    client.log_in_signed(publics[SIGNATURE])
    rig.clock.set_utc_s(rig.clock.utc_s() + 30 * 365 * 86400)
    assert client.associate(7, client.own_challenge) == (0, 14)
    assert client.get(client.reply(client.prove())).hex() == "c701c10300"


def test_a_new_pair_serves_when_its_certificate_comes(parts):
    rig, client, authority, publics = parts
    assert client.method(4, b"\x16\x00") == (0, None)
    client.log_in_signed(publics[SIGNATURE])
    _, data = client.method(5, b"\x16\x00")
    renewed = x509.load_der_x509_csr(unpack(data)).public_key()
    assert raw(renewed) != raw(publics[SIGNATURE])
    assert client.method(6, octets(authority.sign(METER, renewed, SIGNATURE))) == (0, None)
    for _ in range(2):
        client.log_in_signed(renewed)
        client.rig = SteppingRig(memory=rig.memory)
    for parameter in (b"\x16\x02", b"\x16\x03"):
        assert client.log_in().method(4, parameter)[0] == 250
    assert client.method(4, b"\x11\x00")[0] == 12


def agree(client, key_id, ephemeral, signature=None):
    public = raw(ephemeral.public_key())
    signature = signature or sign(client.signing, bytes((key_id,)) + public)
    return bytes((2, 2, 0x16, key_id)) + octets(public + signature)


def test_key_agreement(parts):
    """C(2e, 0s): the client's ephemeral key and the meter's give new keys, all or none."""
    rig, client, _, publics = parts
    ephemerals = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    request = b"\x01\x02" + agree(client, 0, ephemerals[0]) + agree(client, 2, ephemerals[1])
    result, data = client.method(3, request)
    assert result == 0
    assert rig.events[-1] == 48
    assert data[:2].hex() == "0102"
    keys = []
    for index, key_id in enumerate((0, 2)):
        one = data[2 + index * 135 :][:135]
        assert one[:7].hex() == f"020216{key_id:02x}098180"
        own = one[7:71]
        check(publics[SIGNATURE], one[71:], bytes((key_id,)) + own)
        secret = ephemerals[index].exchange(ec.ECDH(), public_of(own))
        keys.append(derive(secret, TITLE, METER))
    assert client.get().hex() == "d80105"
    renewed = Client1(rig, guek=keys[0], gak=keys[1]).log_in()
    assert renewed.get() == ENERGY_ANSWER


def test_key_agreements_that_change_nothing(parts):
    rig, client, _, _ = parts
    before = rig.settings.get("keys")
    key = ec.generate_private_key(ec.SECP256R1())
    other = sign(client.signing, b"\x02" + raw(key.public_key()))
    off = bytes((2, 2, 0x16, 0)) + octets(bytes(64) + sign(client.signing, b"\0" + bytes(64)))
    for request in (
        b"\x01\x00",
        b"\x01\x01" + agree(client, 4, key),
        b"\x01\x01" + agree(client, 0, key, other),
        b"\x01\x01" + off,
        b"\x01\x02" + agree(client, 0, key) * 2,
        b"\x01\x02" + agree(client, 0, key) + agree(client, 2, key, bytes(64)),
        b"\x01\x01\x02\x02\x16\x00" + octets(bytes(127)),
    ):
        assert client.method(3, request)[0] == 250
    assert client.method(3, b"\x0f\x00")[0] == 12
    assert rig.settings.get("keys") == before
    assert client.get(ENERGY) == ENERGY_ANSWER
    assert rig.server.defects == 0


@pytest.mark.row("SEC-61")
def test_no_private_key_shows(parts):
    rig, client, _, _ = parts
    pairs = rig.settings.get("key_pairs")
    for at in (0, 32, 128, 160):
        private = pairs[at : at + 32]
        if any(private):
            assert private[:8] not in bytes(rig.memory.octets)
            assert private not in client.get(bytes.fromhex("c001c1004000002b0000ff0600"))


def test_mutated_certificates_are_refused_and_nothing_else():
    """Octets changed, cut out, doubled: a ValueError, or the signature is wrong."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    numbers = random.Random(seed)
    authority = Authority()
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    good = authority.sign(TITLE, key, SIGNATURE)
    root = certificate.Certificate(authority.certificate)
    believed = 0
    for _ in range(3000):
        octets_of = bytearray(good)
        for _ in range(numbers.randrange(1, 4)):
            at = numbers.randrange(len(octets_of))
            kind = numbers.randrange(3)
            if kind == 0:
                octets_of[at] ^= 1 << numbers.randrange(8)
            elif kind == 1:
                del octets_of[at : at + numbers.randrange(1, 9)]
            else:
                octets_of[at:at] = octets_of[at : at + numbers.randrange(1, 9)]
            if not octets_of:
                octets_of = bytearray(b"0")
        try:
            found = certificate.Certificate(bytes(octets_of))
        except ValueError:
            continue
        if found.signed != certificate.Certificate(good).signed and numbers.randrange(8) == 0:
            believed += p256.finish(found.verify(root.public))
    assert not believed
