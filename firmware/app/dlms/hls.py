"""High level security: what each side answers to the other's challenge (Green Book 9.2.2.2.2).

Mechanism 2 is AES-128 of the challenge under the secret, 3 is MD5 and 4 is SHA-1 over challenge
and secret, 6 is SHA-256 over secret, titles and challenges; 5 is GMAC under the global keys, 7 a
signature over titles and challenges (suite 1). Those that rest on a password are there for clients
that know nothing better and are off in a new meter (row SEC-09).
"""

import hashlib
import struct

from micropython import const

from app.cosem.access import (
    MECHANISM_AES,
    MECHANISM_ECDSA,
    MECHANISM_GMAC,
    MECHANISM_MD5,
    MECHANISM_SHA256,
)
from app.crypto.constant_time import equal
from app.errors import MeterError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.crypto.p256 import Steps
    from app.dlms.ciphering import Ciphering
    from app.security import Security

    class Digest(Protocol):
        """A hash object of MicroPython."""

        def digest(self) -> bytes: ...  # noqa: D102


SHORTEST_CHALLENGE = const(8)
LONGEST_CHALLENGE = const(64)
_PROOF_SIZE = const(17)  # control byte, counter, tag
_AUTHENTICATED = const(0x10)
_BLOCK = const(16)


class WrongProof(MeterError):  # noqa: N818 - what happened
    """The client does not know the key or the secret."""


class Exchange:
    """The four passes of one association: two challenges, two answers."""

    def __init__(
        self, mechanism: int, secret: bytes, to_server: bytes, security: "Security"
    ) -> None:
        self._mechanism = mechanism
        self._secret = secret
        self._to_server = to_server  # the client's challenge
        self._security = security
        self.to_client = security.challenge()
        # numbers up to here are gone; the APDU around the client's answer may be numbered above it
        self._expected = security.counters.expected(0)

    def reply(self, proof: bytes, ciphering: "Ciphering") -> bytes:
        """Check the client's answer and return the meter's.

        Raises WrongProof, Replayed, CountersLost.
        """
        security = self._security
        own = security.system_title
        if self._mechanism != MECHANISM_GMAC:
            if not equal(proof, self._digest(ciphering.title, own, self.to_client)):
                raise WrongProof
            return self._digest(own, ciphering.title, self._to_server)
        if len(proof) != _PROOF_SIZE or proof[0] != _AUTHENTICATED | security.suite:
            raise WrongProof
        number = proof[1:5]
        if not equal(proof, ciphering.gmac(ciphering.title, number, self.to_client)):
            raise WrongProof
        security.counters.accept_inner(struct.unpack(">I", number)[0], self._expected)
        number = struct.pack(">I", security.counters.send())
        return ciphering.gmac(own, number, self._to_server)

    @property
    def signs(self) -> bool:
        """True for mechanism 7, whose answer takes long."""
        return self._mechanism == MECHANISM_ECDSA

    def signature(self, proof: bytes, title: bytes) -> "Steps[bytes]":
        """As `reply`, for mechanism 7. Raises WrongProof."""
        from app.credentials import SIGNATURE, UnknownKey
        from app.crypto import p256

        own = self._security.system_title
        try:
            credentials = self._security.credentials()
            public = credentials.public_key(title, SIGNATURE)
            private = credentials.private_key(SIGNATURE)
        except UnknownKey:
            raise WrongProof from None
        signed = title + own + self.to_client + self._to_server
        if not (yield from p256.verify(public, signed, proof)):
            raise WrongProof
        answer = own + title + self._to_server + self.to_client
        return (yield from p256.sign(private, answer))

    def _digest(self, sender: bytes, receiver: bytes, challenge: bytes) -> bytes:
        if self._mechanism == MECHANISM_AES:
            return self._encrypted(challenge)
        if self._mechanism == MECHANISM_SHA256:
            other = self._to_server if challenge is self.to_client else self.to_client
            return hashlib.sha256(self._secret + sender + receiver + challenge + other).digest()
        # looked up by name: not every board's MicroPython has them (access.MECHANISMS)
        name = "md5" if self._mechanism == MECHANISM_MD5 else "sha1"
        algorithm: Callable[[bytes], Digest] = getattr(hashlib, name)
        return algorithm(challenge + self._secret).digest()

    def _encrypted(self, challenge: bytes) -> bytes:
        """Return the challenge in AES-128 blocks, challenge and secret filled up with zeros."""
        plain = challenge + bytes(-len(challenge) % _BLOCK)
        encrypted = bytearray(len(plain))
        key = (self._secret + bytes(_BLOCK))[:_BLOCK]
        self._security.block_cipher(key).encrypt(plain, encrypted)
        return bytes(encrypted)
