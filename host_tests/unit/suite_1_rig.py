"""A meter in security suite 1 and a client with keys of its own, down to the octets.

The client's side is done by the `cryptography` package alone: keys, signatures, certificates.
"""

import hashlib

from cipher_client import GAK, GUEK, METER, TITLE, Client, element
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from dlms_rig import Rig

# isort: split
from certificates import AGREEMENT, SIGNATURE, Authority, check, sign

SETUP = bytes.fromhex("0040 00002b0000ff")
AES_GCM_128 = bytes.fromhex("60857405080300")


def derive(secret, party_u, party_v, algorithm=AES_GCM_128):
    source = b"\0\0\0\1" + secret + algorithm + party_u + party_v
    return hashlib.sha256(source).digest()[:16]


def octets(value):
    """Data of type octet-string."""
    return element(9, value)


def field(value):
    """Length and octets, as the general services have them."""
    return element(0, value)[1:]


class SteppingRig(Rig):
    """A rig whose long answers are waited for; `steps` counts what the last one took."""

    steps = 0

    def apdu(self, request, sap=1, server=1):
        if isinstance(request, str):
            request = bytes.fromhex(request)
        request = memoryview(bytes(request))
        length = self.channel.request(sap, server, request, self.reply, self.now_ms)
        self.steps = 0
        while length < 0:
            self.steps += 1
            length = self.channel.proceed(self.reply)
        return bytes(self.reply[:length])


class Client1(Client):
    """A client of suite 1 with keys for signing and agreeing."""

    def __init__(self, rig, control=0x31, counter=1, title=TITLE, guek=GUEK, gak=GAK, **more):
        super().__init__(rig, control=control, counter=counter, title=title, guek=guek, gak=gak)
        self.signing = more.get("signing") or ec.generate_private_key(ec.SECP256R1())
        self.agreeing = more.get("agreeing") or ec.generate_private_key(ec.SECP256R1())
        self.context = b""
        self.transaction = 0

    def method(self, index, parameter=None):
        """Invoke a method of the security setup; return (result, returned data or None)."""
        request = b"\xc3\x01\xc1" + SETUP + bytes((index,))
        request += b"\x00" if parameter is None else b"\x01" + parameter
        answer = self.get(request)
        if answer[:1] == b"\xd8":
            return answer.hex(), None
        assert answer[:3].hex() == "c701c1", answer.hex()
        if answer[4:5] != b"\x01":
            return answer[3], None
        assert answer[5] == 0
        return answer[3], answer[6:]

    def enroll(self, authority, kind):
        """Have the meter make a key pair, certify it and bring the certificate; its public key."""
        assert self.method(4, bytes((0x16, kind))) == (0, None)
        result, data = self.method(5, bytes((0x16, kind)))
        assert result == 0
        request = x509.load_der_x509_csr(unpack(data))
        assert request.is_signature_valid
        certificate = authority.sign(METER, request.public_key(), kind)
        assert self.method(6, octets(certificate)) == (0, None)
        return request.public_key()

    def prove(self):
        """What mechanism 7 answers to a challenge."""
        return sign(self.signing, self.title + METER + self.to_client + self.own_challenge)

    own_challenge = bytes(range(0x20, 0x40))

    def log_in_signed(self, meter_public, **options):
        """All four passes of mechanism 7."""
        assert self.associate(7, self.own_challenge, **options) == (0, 14)
        answer = self.get(self.reply(self.prove()))
        assert answer[:8].hex() == "c701c10001000940", answer.hex()
        check(meter_public, answer[8:], METER + self.title + self.own_challenge + self.to_client)
        return self

    def header(self, to=METER):
        """Fields of a general APDU up to the key; the transaction-id rises."""
        self.transaction += 1
        number = self.transaction.to_bytes(8, "big")
        return field(number) + field(self.title) + field(to) + b"\0\0"


def unpack(data):
    """Octets of an encoded octet-string."""
    assert data[0] == 9
    start = {0x81: 3, 0x82: 4}.get(data[1], 2)
    return data[start:]


def enrolled(**options):
    """A rig in suite 1 with all keys in place, its client, and the meter's public keys."""
    rig = SteppingRig(**options)
    rig.security.set_profile(2)
    authority = Authority()
    client = Client1(rig).log_in()
    assert client.method(6, octets(authority.certificate)) == (0, None)
    for key, kind in ((client.signing, SIGNATURE), (client.agreeing, AGREEMENT)):
        certificate = authority.sign(TITLE, key.public_key(), kind)
        assert client.method(6, octets(certificate)) == (0, None)
    publics = [client.enroll(authority, kind) for kind in (SIGNATURE, AGREEMENT)]
    return rig, client, authority, publics
