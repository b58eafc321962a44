"""general-ciphering with identified, wrapped and agreed keys, general-signing, policies of version
1 of class 64: what is answered, refused, and never taken twice.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cipher_client import ENERGY, ENERGY_ANSWER, KEK, METER, TITLE, Client, element
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from suite_1_rig import Client1, SteppingRig, derive, enrolled, field

# isort: split
from certificates import AGREEMENT, SIGNATURE, check, public_of, raw, sign

from app.crypto import key_wrap
from app.crypto.aes import SoftwareAes
from app.crypto.gcm import Gcm

DECIPHERING = "d80105"
NOT_POSSIBLE = "d80101"
IDENTIFIED = b"\x01\x00\x00"
POLICY = bytes.fromhex("c301c1 0040 00002b0000ff 01 01 16")


def protect(client, plain, header, key=None, counter=None, control=None):
    """Ciphered content, with the fields before it in the associated data (Green Book 9.2.7.2)."""
    control = client.control if control is None else control
    if counter is None:
        counter = client.counter
        client.counter += 1
    cipher = client.cipher if key is None else Gcm(SoftwareAes(key))
    nonce = client.title + counter.to_bytes(4, "big")
    text = bytearray(plain)
    associated = bytes((control,)) + client.gak + header
    if control & 0x20:
        cipher.encrypt(nonce, plain, text, 0)
        tag = cipher.tag(nonce, associated, text)
    else:
        tag = cipher.tag(nonce, associated + plain, b"")
    if not control & 0x10:
        tag = b""
    return bytes((control,)) + nonce[8:] + bytes(text) + tag


def take(octets, at):
    """The field that begins at `at`, and where the next one does."""
    size = octets[at]
    at += 1
    if size >= 0x80:
        count = size & 0x7F
        size = int.from_bytes(octets[at : at + count], "big")
        at += count
    return octets[at : at + size], at + size


def header_of(answer):
    """The five fields of a general answer and where they end."""
    fields, at = [], 1
    for _ in range(5):
        value, at = take(answer, at)
        fields.append(value)
    return fields, at


class Talk:
    """Requests of a client in general-ciphering."""

    def __init__(self, client):
        self.client = client

    def ask(self, plain=ENERGY, info=IDENTIFIED, key=None, header=None, **options):
        """Send a request; returns the plain answer and its key-info, or the exception."""
        client = self.client
        header = client.header() if header is None else header
        content = protect(client, plain, header, key, **options)
        answer = client.send(b"\xdd" + header + info + field(content))
        if answer[:1] == b"\xd8":
            return answer.hex()
        return self.open(answer, key)

    def open(self, answer, key):
        assert answer[0] == 0xDD
        fields, at = header_of(answer)
        assert fields[1:] == [METER, self.client.title, b"", b""]
        self.transaction = fields[0]
        header = answer[1:at]
        info_at = at
        at += 1
        if answer[info_at]:
            choice = answer[at]
            at += 2
            if choice == 1:
                _, at = take(answer, at)
            elif choice == 2:
                self.parameters, at = take(answer, at - 1)
                self.data, at = take(answer, at)
                key = self.answer_key()
        self.info = answer[info_at:at]
        content, at = take(answer, at)
        assert at == len(answer)
        cipher = self.client.cipher if key is None else Gcm(SoftwareAes(key))
        control, nonce, text = content[0], METER + content[1:5], content[5:-12]
        associated = bytes((control,)) + self.client.gak + header
        if not control & 0x20:
            assert cipher.verify(nonce, associated + text, b"", content[-12:])
            return bytes(text)
        assert cipher.verify(nonce, associated, text, content[-12:])
        plain = bytearray(text)
        cipher.encrypt(nonce, text, plain, 0)
        return bytes(plain)

    def answer_key(self):
        raise AssertionError("no key is agreed on in suite 0")


@pytest.fixture
def rig():
    return SteppingRig()


@pytest.fixture
def talk(rig):
    client = Client1(rig, control=0x30).log_in()
    return Talk(client)


def wrapped(key, kek=KEK):
    return b"\x01\x01\x00" + field(key_wrap.wrap(SoftwareAes(kek), key))


@pytest.mark.parametrize("control", [0x10, 0x30])
def test_identified_keys(rig, talk, control):
    assert talk.ask(control=control) == ENERGY_ANSWER
    assert talk.info == IDENTIFIED
    assert talk.ask(info=b"\x00") == ENERGY_ANSWER  # no key-info: the global key
    assert talk.info == b"\x00"
    short = talk.client.header()
    assert talk.ask(header=short[:1] + short[1:9] + b"\0\0\0\0") == ENERGY_ANSWER
    assert talk.client.get() == ENERGY_ANSWER
    assert rig.security.counters.last(0) == talk.client.counter - 1


def test_wrapped_keys(rig, talk):
    key = os.urandom(16)
    assert talk.ask(info=wrapped(key), key=key, counter=0) == ENERGY_ANSWER
    assert talk.info == wrapped(key)
    assert talk.ask(info=wrapped(key, key), key=key, counter=0) == DECIPHERING
    assert talk.ask(info=wrapped(bytes(16)), key=key, counter=0) == DECIPHERING
    assert talk.ask(info=b"\x01\x01\x01" + wrapped(key)[3:], key=key) == DECIPHERING
    assert talk.ask(info=b"\x01\x01\x00\x08" + bytes(8), key=key) == DECIPHERING
    # a key that anybody could make up proves nothing without a tag
    assert talk.ask(info=wrapped(key), key=key, control=0x20) == DECIPHERING
    assert rig.events.count(49) == 1
    assert talk.ask(info=wrapped(key), key=key) == ENERGY_ANSWER


def test_nothing_is_taken_twice(rig, talk):
    client = talk.client
    key = os.urandom(16)
    header = client.header()
    content = protect(client, ENERGY, header, key, 0)
    recorded = b"\xdd" + header + wrapped(key) + field(content)
    assert client.send(recorded)[0] == 0xDD
    assert client.send(recorded).hex() == f"d80106{client.transaction + 1:08x}"
    assert rig.events[-1] == 50
    header = client.header()
    recorded_2 = b"\xdd" + header + IDENTIFIED + field(protect(client, ENERGY, header))
    assert client.send(recorded_2)[0] == 0xDD
    assert client.send(recorded_2)[:3].hex() == "d80106"
    # nor after a power cut, in the next association
    client.rig = SteppingRig(memory=rig.memory)
    client.log_in()
    for octets in (recorded, recorded_2):
        assert client.send(octets)[:3].hex() == "d80106"
    assert talk.ask(info=wrapped(key), key=key, counter=0) == ENERGY_ANSWER


def test_every_field_is_authenticated(rig, talk):
    client = talk.client
    header = client.header()
    good = b"\xdd" + header + IDENTIFIED + field(protect(client, ENERGY, header))
    for at in range(len(good)):
        if at == len(header) + 2:
            continue  # the broadcast key or none: refused as such below
        wrong = bytearray(good)
        wrong[at] ^= 1
        answer = client.send(wrong)
        assert answer[:1] == b"\xd8" or not answer, at
    for size in range(len(good)):
        assert client.send(good[:size])[:1] in (b"\xd8", b"")
    assert client.send(good + b"\0")[0] == 0xD8
    assert talk.ask(info=b"\x01\x00\x01") == DECIPHERING
    assert talk.ask(info=b"\x01\x00\x07") == DECIPHERING
    assert talk.ask(info=b"\x01\x03\x00") == DECIPHERING
    assert talk.ask(info=b"\x01\x02\x01\x02\x00") == DECIPHERING  # an agreed key in suite 0
    assert talk.ask(b"\x60\x00") == DECIPHERING
    assert talk.ask(header=field(b"") + field(b"XYZ\0\0\0\0\1") + field(METER) + b"\0\0") == (
        DECIPHERING
    )
    assert talk.ask(header=field(b"") + field(TITLE) + field(TITLE) + b"\0\0") == DECIPHERING
    assert client.send(good)[0] == 0xDD
    assert rig.server.defects == 0


def test_general_protection_must_be_agreed_on(rig):
    client = Client1(rig, control=0x30)
    client.log_in(initiate=bytes.fromhex("01000000065f1f0400007e1fffff"))
    assert Talk(client).ask() == "d80102"
    client.send(client.aarq(1, b"12345678", context=1))
    assert Talk(client).ask() == "d80202"


def test_access_in_general_ciphering(rig):
    client = Client1(rig, control=0x30)
    client.log_in(initiate=bytes.fromhex("01000000065f1f040040fe5fffff"))
    request = bytes.fromhex("d9 40000001 00 01 01 0003 0100010800ff 02 01 00")
    answer = Talk(client).ask(request)
    assert answer[:5].hex() == "da40000001"
    assert answer[-2:].hex() == "0100"  # a get, success
    assert ENERGY_ANSWER[4:] in answer


def test_a_pdu_that_is_too_small_for_the_answer(rig):
    client = Client1(rig, control=0x30)
    client.log_in(initiate=bytes.fromhex("01000000065f1f0400407e1f0048"))
    assert Talk(client).ask() == "d80104"
    assert client.get() == ENERGY_ANSWER


class Agreeing(Talk):
    """Suite 1: keys agreed by elliptic curves."""

    def __init__(self, client, publics):
        super().__init__(client)
        self.publics = publics

    def one_pass(self, signed=b"", signer=None, **options):
        ephemeral = ec.generate_private_key(ec.SECP256R1())
        own = raw(ephemeral.public_key())
        signature = sign(signer or self.client.signing, signed + own)
        secret = ephemeral.exchange(ec.ECDH(), self.publics[AGREEMENT])
        key = derive(secret, TITLE, METER)
        info = b"\x01\x02\x01\x01" + field(own + signature)
        return self.ask(info=info, key=key, counter=0, **options)

    def static(self, **options):
        header = self.client.header()
        secret = self.client.agreeing.exchange(ec.ECDH(), self.publics[AGREEMENT])
        key = derive(secret, TITLE, header[:9] + METER)
        info = b"\x01\x02\x01\x02\x00"
        return self.ask(info=info, key=key, counter=0, header=header, **options)

    def answer_key(self):
        if self.parameters == b"\x01":
            own, signature = self.data[:64], self.data[64:]
            check(self.publics[SIGNATURE], signature, own)
            secret = self.client.agreeing.exchange(ec.ECDH(), public_of(own))
            return derive(secret, METER, TITLE)
        assert (self.parameters, self.data) == (b"\x02", b"")
        secret = self.client.agreeing.exchange(ec.ECDH(), self.publics[AGREEMENT])
        return derive(secret, METER, field(self.transaction) + TITLE)


@pytest.fixture(scope="module")
def shared():
    return enrolled()


@pytest.fixture
def agreeing(shared):
    rig, client, _, publics = shared
    rig.channel.lost()
    client.log_in()
    return Agreeing(client, publics)


def test_one_pass_diffie_hellman(agreeing):
    """C(1e, 1s): ephemeral key of the client, static one of the meter; the answer vice versa."""
    assert agreeing.one_pass() == ENERGY_ANSWER
    assert agreeing.info[:4].hex() == "01020101"
    assert agreeing.one_pass(signed=b"\x01") == ENERGY_ANSWER
    assert agreeing.one_pass(control=0x11) == ENERGY_ANSWER
    assert agreeing.one_pass(control=0x30) == DECIPHERING  # another suite
    assert agreeing.one_pass(signed=b"\x00") == DECIPHERING
    assert agreeing.one_pass(signer=ec.generate_private_key(ec.SECP256R1())) == DECIPHERING
    assert agreeing.one_pass(control=0x21) == DECIPHERING


def test_static_unified_model(agreeing):
    """C(0e, 2s): static keys of both; the transaction-id makes each key another one."""
    assert agreeing.static() == ENERGY_ANSWER
    first = agreeing.info
    assert first.hex() == "0102010200"
    assert agreeing.static() == ENERGY_ANSWER
    key = os.urandom(16)
    assert agreeing.ask(info=first, key=key) == DECIPHERING
    assert agreeing.ask(info=b"\x01\x02\x01\x02\x01\x00", key=key)[:4] == "d801"
    assert agreeing.ask(info=b"\x01\x02\x01\x07\x00", key=key)[:4] == "d801"


def signed_request(client, content, key=None, header=None):
    header = client.header() if header is None else header
    signature = sign(key or client.signing, header + content)
    return b"\xdf" + header + field(content) + field(signature)


def signed_answer(public, answer):
    assert answer[0] == 0xDF, answer.hex()
    _, end = header_of(answer)
    content, at = take(answer, end)
    signature, at = take(answer, at)
    assert at == len(answer)
    check(public, signature, answer[1:end] + content)
    with pytest.raises(InvalidSignature):
        check(public, signature, answer[1:end] + content + b"\0")
    return content


def test_general_signing(agreeing):
    client = agreeing.client
    public = agreeing.publics[SIGNATURE]
    assert signed_answer(public, client.send(signed_request(client, ENERGY))) == ENERGY_ANSWER
    content = signed_answer(public, client.send(signed_request(client, client.glo(ENERGY))))
    assert content[0] == 0xCC
    assert client.unprotect(content[2:]) == ENERGY_ANSWER
    again = signed_request(client, ENERGY)
    assert client.send(again)[0] == 0xDF
    assert client.send(again)[:3].hex() == "d80106"
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert client.send(signed_request(client, ENERGY, stranger)).hex() == DECIPHERING
    good = signed_request(client, ENERGY)
    for at in range(0, len(good), 9):
        wrong = bytearray(good)
        wrong[at] ^= 2
        assert client.send(wrong)[:1] in (b"\xd8", b"")
    assert client.send(good)[0] == 0xDF
    assert client.rig.server.defects == 0


def activate(client, policy, request=None):
    request = POLICY + bytes((policy,)) if request is None else request
    return client.get(request)


@pytest.mark.row("SEC-30")
def test_policies_of_version_1():
    """Requests: bits 2 to 4 authenticated, encrypted, signed; answers: bits 5 to 7."""
    rig = SteppingRig()
    rig.security.set_profile(1)
    client = Client1(rig, control=0x30).log_in()
    read = bytes.fromhex("c001c1004000002b0000ff0200")
    assert client.get(read).hex() == "c401c1001600"
    for policy in (0x01, 0x02, 0x10, 0x80, 0x93):
        assert activate(client, policy).hex() == "c701c1fa00"
    assert activate(client, 0x04).hex() == "c701c10000"
    assert client.get(control=0x20).hex() == NOT_POSSIBLE
    assert client.send(client.glo(ENERGY, control=0x10))[2] == 0x10
    assert activate(client, 0x44).hex() == "c701c10000"  # answers are encrypted besides
    assert client.send(client.glo(ENERGY, control=0x10))[2] == 0x30
    assert activate(client, 0x04).hex() == "c701c1fa00"
    assert client.get(read).hex() == "c401c1001644"
    assert activate(client, 0x6C).hex() == "c701c10000"
    assert client.get(read).hex() == "c401c100166c"
    assert SteppingRig(memory=rig.memory).security.answer_policy == 0x30
    rig.security.set_profile(0)
    assert client.get(read).hex() == "c401c1001603"


def test_a_policy_that_asks_for_signatures():
    rig, client, _, publics = enrolled()
    public = publics[SIGNATURE]
    assert activate(client, 0x80).hex() == "c701c10000"
    answer = signed_answer(public, client.send(client.glo(ENERGY)))
    assert client.unprotect(answer[2:]) == ENERGY_ANSWER
    request = signed_request(client, client.glo(POLICY + b"\x90"))
    assert signed_answer(public, client.send(request))[0] == 0xCF
    assert client.get().hex() == NOT_POSSIBLE
    assert client.send(ENERGY).hex() == NOT_POSSIBLE
    answer = signed_answer(public, client.send(signed_request(client, client.glo(ENERGY))))
    assert client.unprotect(answer[2:]) == ENERGY_ANSWER
    assert Client(rig, control=0).associate(1, context=1) == (1, 2)
    with pytest.raises(ValueError, match="signatures"):
        rig.security.set_profile(1)
    assert element(1, b"") == b"\x01\x00"
