"""A certification authority, keys and signatures of clients, by the `cryptography` package."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

SIGNATURE, AGREEMENT = 0, 1
FROM = datetime.datetime(2025, 1, 1)
UNTIL = datetime.datetime(2045, 1, 1)


class Authority:
    """A certification authority: a key and a certificate that it signed itself."""

    def __init__(self, name="Test root"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self.sign(self.name, self.key.public_key(), authority=True)

    def sign(self, subject, public, kind=None, authority=False, span=(FROM, UNTIL), extra=()):
        """A certificate of a key, DER; `subject` is a system title or a Name."""
        if isinstance(subject, bytes):
            title = subject.hex().upper()
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
        builder = builder.public_key(public).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(span[0]).not_valid_after(span[1])
        if authority:
            builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        if authority or kind is not None:
            builder = builder.add_extension(
                x509.KeyUsage(
                    digital_signature=kind == SIGNATURE, key_agreement=kind == AGREEMENT,
                    key_cert_sign=authority, crl_sign=authority, content_commitment=False,
                    key_encipherment=False, data_encipherment=False, encipher_only=False,
                    decipher_only=False,
                ),
                True,
            )  # fmt: skip
        for extension, critical in extra:
            builder = builder.add_extension(extension, critical)
        signed = builder.sign(self.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.DER)


def raw(public):
    """x and y of a public key."""
    numbers = public.public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def public_of(octets):
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + octets)


def sign(key, message):
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def check(public, signature, message):
    """Raise InvalidSignature unless it is right."""
    numbers = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    public.verify(utils.encode_dss_signature(*numbers), message, ec.ECDSA(hashes.SHA256()))
