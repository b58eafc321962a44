"""High level security: what each side answers to the other's challenge (Green Book 9.2.2.2.2).

Mechanism 3 is MD5 and 4 is SHA-1 over challenge and secret; 5 is GMAC under the global keys. The
first two are there for clients that know nothing better and are off in a new meter (row SEC-09).
"""

import hashlib
import struct

from micropython import const

from app.cosem.access import MECHANISM_GMAC, MECHANISM_MD5
from app.crypto.constant_time import equal
from app.errors import MeterError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.dlms.ciphering import Ciphering
    from app.security import Security

    class Digest(Protocol):
        """A hash object of MicroPython."""

        def digest(self) -> bytes: ...  # noqa: D102


SHORTEST_CHALLENGE = const(8)
LONGEST_CHALLENGE = const(64)
_PROOF_SIZE = const(17)  # control byte, counter, tag
_AUTHENTICATED = const(0x10)


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
        if self._mechanism != MECHANISM_GMAC:
            if not equal(proof, self._digest(self.to_client)):
                raise WrongProof
            return self._digest(self._to_server)
        if len(proof) != _PROOF_SIZE or proof[0] != _AUTHENTICATED:
            raise WrongProof
        number = proof[1:5]
        if not equal(proof, ciphering.gmac(ciphering.title, number, self.to_client)):
            raise WrongProof
        self._security.counters.accept_inner(struct.unpack(">I", number)[0], self._expected)
        number = struct.pack(">I", self._security.counters.send())
        return ciphering.gmac(self._security.system_title, number, self._to_server)

    def _digest(self, challenge: bytes) -> bytes:
        # looked up by name: not every board's MicroPython has them (access.MECHANISMS)
        name = "md5" if self._mechanism == MECHANISM_MD5 else "sha1"
        algorithm: Callable[[bytes], Digest] = getattr(hashlib, name)
        return algorithm(challenge + self._secret).digest()
