"""A client of ciphered associations down to the octets, so that a test can get each one wrong."""

import hashlib

from app.crypto.aes import SoftwareAes
from app.crypto.gcm import Gcm

GUEK = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
GBEK = bytes.fromhex("101112131415161718191A1B1C1D1E1F")
GAK = bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")
KEK = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
TITLE = b"TST\x00\x00\x00\x00\x01"
METER = bytes.fromhex("4652536770000001")
CHALLENGE = bytes(range(0x30, 0x40))
LLS = b"12345678"
INITIATE = bytes.fromhex("01000000065f1f0400407e1fffff")
ENERGY = bytes.fromhex("c001c100030100010800ff0200")
ENERGY_ANSWER = bytes.fromhex("c401c1001500000000000006bd")
CLOCK = bytes.fromhex("c001c100080000010000ff0200")


def element(tag, content):
    size = len(content)
    head = (tag, size) if size < 0x80 else (tag, 0x81, size)
    if size > 0xFF:
        head = (tag, 0x82, size >> 8, size & 0xFF)
    return bytes(head) + content


class Client:
    """One client on a Rig; `control` is its security control byte."""

    def __init__(self, rig, sap=1, control=0x30, counter=1, title=TITLE, guek=GUEK, gak=GAK):
        self.rig = rig
        self.sap = sap
        self.control = control
        self.counter = counter
        self.title = title
        self.gak = gak
        self.cipher = Gcm(SoftwareAes(guek))
        self.to_client = b""

    def send(self, octets, server=1):
        return self.rig.apdu(octets, self.sap, server)

    def protect(self, plain, control=None, counter=None, title=None, cipher=None):
        """Control byte, number, text and tag; counts on unless a number is given."""
        control = self.control if control is None else control
        if counter is None:
            counter = self.counter
            self.counter += 1
        number = counter.to_bytes(4, "big")
        nonce = (title or self.title) + number
        cipher = cipher or self.cipher
        text = bytearray(plain)
        if control & 0x20:
            cipher.encrypt(nonce, plain, text, 0)
        tag = b""
        if control & 0x10:
            associated = bytes((control,)) + self.gak
            if control & 0x20:
                tag = cipher.tag(nonce, associated, text)
            else:
                tag = cipher.tag(nonce, associated + plain, b"")
        return bytes((control,)) + number + bytes(text) + tag

    def unprotect(self, octets, title=METER, cipher=None):
        control, nonce = octets[0], title + octets[1:5]
        cipher = cipher or self.cipher
        end = len(octets) - (12 if control & 0x10 else 0)
        text = octets[5:end]
        plain = bytearray(text)
        if control & 0x20:
            cipher.encrypt(nonce, text, plain, 0)
        if control & 0x10:
            associated = bytes((control,)) + self.gak
            if control & 0x20:
                assert cipher.verify(nonce, associated, text, octets[end:])
            else:
                assert cipher.verify(nonce, associated + bytes(plain), b"", octets[end:])
        return bytes(plain)

    def glo(self, plain, **options):
        return element(plain[0] + 8, self.protect(plain, **options))

    def glo_initiate(self, **options):
        return element(0x21, self.protect(INITIATE, **options))

    def get(self, plain=ENERGY, **options):
        """Send a protected request; return the plain answer, or the exception-response."""
        answer = self.send(self.glo(plain, **options))
        if answer[:1] == b"\xd8" or not answer:
            return answer
        assert answer[0] == answer_tag(plain[0]) + 8
        start = {0x81: 3, 0x82: 4}.get(answer[1], 2)
        assert answer == element(answer[0], answer[start:])
        return self.unprotect(answer[start:])

    def aarq(self, mechanism=5, value=CHALLENGE, context=3, initiate=INITIATE, title=None):
        """An AARQ; in context 3 its initiate request is protected if `control` is not 0."""
        title = self.title if title is None else title
        body = bytes.fromhex("a1090607608574050801") + bytes((context,))
        if title:
            body += element(0xA6, element(0x04, title))
        if mechanism:
            body += bytes.fromhex("8a0207808b07608574050802") + bytes((mechanism,))
            body += element(0xAC, element(0x80, value))
        if context == 3 and self.control:
            initiate = element(0x21, self.protect(initiate))
        body += element(0xBE, element(0x04, initiate))
        return element(0x60, body)

    def associate(self, mechanism=5, value=None, **options):
        """Send an AARQ; return (result, diagnostic)."""
        if value is None:
            value = LLS if mechanism == 1 else CHALLENGE
        answer = self.send(self.aarq(mechanism, value, **options))
        assert answer[0] == 0x61, answer.hex()
        at = answer.find(b"\xaa")
        self.to_client = answer[at + 4 : at + 4 + answer[at + 3]] if at > 0 else b""
        return answer[17], answer[24]

    def proof(self, challenge=None, counter=None):
        """What mechanism 5 answers to a challenge."""
        if counter is None:
            counter = self.counter
            self.counter += 1
        number = counter.to_bytes(4, "big")
        challenge = self.to_client if challenge is None else challenge
        mark = bytes((0x10 | self.control & 0x0F,))  # the suite beside
        tag = self.cipher.tag(self.title + number, mark + self.gak + challenge, b"")
        return mark + number + tag

    @staticmethod
    def reply(proof):
        """Pass 3: the action that carries a proof."""
        return bytes.fromhex("c301c1000f0000280000ff0101") + element(0x09, proof)

    def log_in(self, **options):
        """All four passes of mechanism 5."""
        assert self.associate(**options) == (0, 14)
        proof = self.proof()
        answer = self.get(self.reply(proof)) if self.control else self.send(self.reply(proof))
        assert answer[:6].hex() == "c701c1000100", answer.hex()
        mark = proof[:1]
        tag = self.cipher.tag(METER + answer[9:13], mark + self.gak + CHALLENGE, b"")
        assert answer[8:] == mark + answer[9:13] + tag
        return self


def answer_tag(tag):
    return {0xC0: 0xC4, 0xC1: 0xC5, 0xC3: 0xC7}[tag]


def digest(mechanism, challenge, secret):
    return {3: hashlib.md5, 4: hashlib.sha1}[mechanism](challenge + secret).digest()
