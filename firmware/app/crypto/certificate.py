"""X.509 certificates and requests for them, as far as DLMS uses them (RFC 5280, RFC 2986).

Version 3, keys on P-256, ECDSA with SHA-256. A device is named by its system title in sixteen
hexadecimal digits, the common name of the subject. Extensions that are critical and unknown make
a certificate unusable, as the RFC has it; name constraints and revocation lists are not known.
"""

import binascii

from micropython import const

import civil
from app.crypto import p256

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.crypto.p256 import Steps

_BOOLEAN = const(0x01)
_INTEGER = const(0x02)
_BIT_STRING = const(0x03)
_OCTET_STRING = const(0x04)
_OBJECT_ID = const(0x06)
_UTF8 = const(0x0C)
_SEQUENCE = const(0x30)
_SET = const(0x31)
_UTC_TIME = const(0x17)
_GENERALIZED_TIME = const(0x18)
_VERSION = const(0xA0)
_EXTENSIONS = const(0xA3)

_ECDSA_SHA256 = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
# SubjectPublicKeyInfo up to x and y: id-ecPublicKey, prime256v1, uncompressed point
_PUBLIC_KEY = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01" + (
    b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04"
)
_COMMON_NAME = b"\x55\x04\x03"
_KEY_USAGE = b"\x55\x1d\x0f"
_BASIC_CONSTRAINTS = b"\x55\x1d\x13"
# names of issuer and subject, key identifiers, policies: nothing here depends on them
_PASSED_OVER = (
    b"\x55\x1d\x0e",
    b"\x55\x1d\x11",
    b"\x55\x1d\x12",
    b"\x55\x1d\x20",
    b"\x55\x1d\x23",
)

# keyUsage, as its first octet has them
DIGITAL_SIGNATURE = const(0x80)
KEY_AGREEMENT = const(0x08)
_SIGNS_CERTIFICATES = const(0x04)

_TITLE_DIGITS = const(16)
LONGEST = const(544)


class Certificate:
    """What a certificate says. Raises ValueError if it is none that can be used."""

    def __init__(self, encoded: bytes) -> None:
        self.encoded = bytes(encoded)
        self.usage = 0  # 0: for everything
        self.authority = False  # may sign other certificates
        whole = _Der(self.encoded)
        outer = whole.enter(_SEQUENCE)
        whole.end()
        start = outer.at
        body = outer.enter(_SEQUENCE)
        self.signed = self.encoded[start : outer.at]  # what the signature is over
        if outer.take(_SEQUENCE, whole=True) != _ECDSA_SHA256:
            raise ValueError("not signed by ECDSA with SHA-256")
        self.signature = _raw_signature(outer.take(_BIT_STRING))
        outer.end()
        if body.take(_VERSION) != b"\x02\x01\x02":
            raise ValueError("not version 3")
        self.serial = body.take(_INTEGER)
        if body.take(_SEQUENCE, whole=True) != _ECDSA_SHA256:
            raise ValueError("two algorithms")
        self.issuer = body.take(_SEQUENCE, whole=True)
        validity = body.enter(_SEQUENCE)
        self.not_before_utc_s = validity.moment()
        self.not_after_utc_s = validity.moment()
        self.subject = body.take(_SEQUENCE, whole=True)
        key = body.take(_SEQUENCE, whole=True)
        self.public = key[len(_PUBLIC_KEY) :]
        if key[: len(_PUBLIC_KEY)] != _PUBLIC_KEY:
            raise ValueError("not a key on P-256")
        p256.check_public(self.public)
        if body.left():
            self._extensions(body.enter(_EXTENSIONS))
        body.end()
        self.title = _title(self.subject)  # of the device, empty if it names none

    def valid(self, utc_s: int) -> bool:
        """Tell whether the certificate may be used now."""
        return self.not_before_utc_s <= utc_s <= self.not_after_utc_s

    def verify(self, public: bytes) -> "Steps[bool]":
        """Tell whether the owner of the key signed this certificate."""
        return p256.verify(public, self.signed, self.signature)

    def _extensions(self, reader: "_Der") -> None:
        extensions = reader.enter(_SEQUENCE)
        while extensions.left():
            extension = extensions.enter(_SEQUENCE)
            name = extension.take(_OBJECT_ID)
            critical = extension.peek() == _BOOLEAN and extension.take(_BOOLEAN) != b"\x00"
            value = _Der(extension.take(_OCTET_STRING))
            if name == _KEY_USAGE:
                bits = value.take(_BIT_STRING)
                self.usage = bits[1] if len(bits) > 1 else 0
            elif name == _BASIC_CONSTRAINTS:
                constraints = value.enter(_SEQUENCE)
                self.authority = constraints.peek() == _BOOLEAN and (
                    constraints.take(_BOOLEAN) != b"\x00"
                )
            elif critical and name not in _PASSED_OVER:
                raise ValueError("a critical extension that is not known")
        if self.authority and self.usage and not self.usage & _SIGNS_CERTIFICATES:
            raise ValueError("an authority that may not sign")


def request(title: bytes, private: bytes, public: bytes) -> "Steps[bytes]":
    """Return the request for a certificate of a device's key (PKCS #10)."""
    name = _element(_OBJECT_ID, _COMMON_NAME) + _element(_UTF8, _digits(title))
    subject = _element(_SEQUENCE, _element(_SET, _element(_SEQUENCE, name)))
    information = _element(
        _SEQUENCE, b"\x02\x01\x00" + subject + _PUBLIC_KEY + public + b"\xa0\x00"
    )
    signature = yield from p256.sign(private, information)
    numbers = _integer(signature[:32]) + _integer(signature[32:])
    bits = _element(_BIT_STRING, b"\x00" + _element(_SEQUENCE, numbers))
    return _element(_SEQUENCE, information + _ECDSA_SHA256 + bits)


class _Der:
    """Reads elements of DER one behind the other. Raises ValueError for what is none."""

    def __init__(self, octets: bytes, at: int = 0, end: int = -1) -> None:
        self._octets = octets
        self.at = at
        self._end = len(octets) if end < 0 else end

    def left(self) -> bool:
        return self.at < self._end

    def end(self) -> None:
        if self.left():
            raise ValueError("more than there should be")

    def peek(self) -> int:
        return self._octets[self.at] if self.left() else -1

    def enter(self, tag: int) -> "_Der":
        """Return a reader for the content of the next element, and step over it."""
        octets, start = self._octets, self.at + 2
        if start > self._end or octets[self.at] != tag:
            raise ValueError("not the element that should stand here")
        size = octets[self.at + 1]
        if size >= 0x80:
            count = size & 0x7F
            if not 1 <= count <= 2 or start + count > self._end:
                raise ValueError("a length that cannot be")
            size = int.from_bytes(octets[start : start + count], "big")
            start += count
        if start + size > self._end:
            raise ValueError("longer than what it stands in")
        self.at = start + size
        return _Der(octets, start, self.at)

    def take(self, tag: int, whole: bool = False) -> bytes:
        """Return the content of the next element, with its tag and length if it is `whole`."""
        start = self.at
        inner = self.enter(tag)
        return self._octets[start if whole else inner.at : self.at]

    def moment(self) -> int:
        """Read a time in seconds since 2000 UTC."""
        tag = self.peek()
        text = self.take(_GENERALIZED_TIME if tag == _GENERALIZED_TIME else _UTC_TIME)
        if tag == _UTC_TIME:
            text = (b"20" if text[:2] < b"50" else b"19") + text
        if len(text) != 15 or text[14:] != b"Z" or not text[:14].isdigit():
            raise ValueError("not a time in UTC")
        year, month, day, hour, minute, second = (
            int(text[at:end]) for at, end in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))
        )
        if not 2000 <= year <= 2099:  # as good as for ever; the clock knows this century only
            year, month, day = (2099, 12, 31) if year > 2099 else (2000, 1, 1)
        return civil.utc_s(year, month, day, hour, minute, second)


def _digits(title: bytes) -> bytes:
    return binascii.hexlify(title).upper()


def _title(name: bytes) -> bytes:
    """Return the system title that the common name of a Name holds."""
    names = _Der(name).enter(_SEQUENCE)
    while names.left():
        pair = names.enter(_SET).enter(_SEQUENCE)
        kind = pair.take(_OBJECT_ID)
        text = pair.take(pair.peek())
        if kind == _COMMON_NAME and len(text) == _TITLE_DIGITS:
            try:
                return binascii.unhexlify(text)
            except ValueError:
                return b""
    return b""


def _raw_signature(bits: bytes) -> bytes:
    """Return r and s of the signature in a bit string."""
    if bits[:1] != b"\x00":
        raise ValueError("not a signature")
    numbers = _Der(bits, 1).enter(_SEQUENCE)
    signature = b""
    for _ in range(2):
        number = numbers.take(_INTEGER)
        if number[:1] == b"\x00":
            number = number[1:]
        if len(number) > p256.SIZE:
            raise ValueError("not a signature on P-256")
        signature += bytes(p256.SIZE - len(number)) + number
    return signature


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    if size < 0x100:
        return bytes((tag, 0x81, size)) + content
    return bytes((tag, 0x82, size >> 8, size & 0xFF)) + content


def _integer(octets: bytes) -> bytes:
    """Encode an unsigned number in as few octets as it needs."""
    octets = octets.lstrip(b"\x00")
    if not octets or octets[0] & 0x80:
        octets = b"\x00" + octets
    return _element(_INTEGER, octets)
