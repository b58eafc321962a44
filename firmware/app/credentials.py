"""Key pairs and certificates of security suite 1, in FRAM (class 64 version 1).

A private key never leaves; it rests sealed. A new pair serves as soon as its certificate is here,
which tells that the utility knows it. Certificates are believed if an authority that is here
signed them. The first authority is taken from whoever may manage the security setup; later ones
come and go only while the parameter switch is open, for whoever brings an authority can be anyone.
"""

from micropython import const

from app.attributes import OBJECT_UNDEFINED, READ_WRITE_DENIED, TEMPORARY_FAILURE
from app.crypto import certificate, p256
from app.errors import AccessRefused, MeterError
from app.storage import regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.crypto.certificate import Certificate
    from app.crypto.p256 import Steps
    from app.settings import Settings
    from hal import Memory

# certificate_type
SIGNATURE = const(0)
AGREEMENT = const(1)
_TLS = const(2)
_OTHER_TYPE = const(3)
_USAGES = (certificate.DIGITAL_SIGNATURE, certificate.KEY_AGREEMENT)
# certificate_entity
SERVER = const(0)
CLIENT = const(1)
AUTHORITY = const(2)
_OTHER_ENTITY = const(3)

_SLOTS = const(6)
_PAIRS = const(2)
_PAIR_SIZE = const(128)  # private key, the next one, public key of the next one
_NEXT = const(32)
_NEXT_PUBLIC = const(64)


class UnknownKey(MeterError):  # noqa: N818 - what happened
    """There is no such key, or no certificate that vouches for it."""


class Credentials:
    """The meter's key pairs and all certificates."""

    def __init__(
        self,
        memory: "Memory",
        settings: "Settings",
        random: "Callable[[int], bytes]",
        utc_s: "Callable[[], int]",
        locked: "Callable[[], bool]",
        title: bytes,
    ) -> None:
        self._memory = memory
        self._settings = settings
        self._random = random
        self._utc_s = utc_s
        self._locked = locked  # tells whether the parameter switch is closed
        self._title = title
        self._slots: list[Certificate | None] = [self._load(slot) for slot in range(_SLOTS)]

    def certificates(self) -> "list[Certificate]":
        """Return all certificates."""
        return [found for found in self._slots if found is not None]

    def entity(self, found: "Certificate") -> int:
        """Return whose certificate it is."""
        if found.authority:
            return AUTHORITY
        if found.title == self._title:
            return SERVER
        return CLIENT if found.title else _OTHER_ENTITY

    def kind(self, found: "Certificate") -> int:
        """Return the certificate_type: what its key is for."""
        if found.authority:
            return SIGNATURE
        uses = [kind for kind in (SIGNATURE, AGREEMENT) if found.usage & _USAGES[kind]]
        if len(uses) == 1:
            return uses[0]
        return _TLS if uses else _OTHER_TYPE

    def find(self, entity: int, kind: int, title: bytes) -> "Certificate | None":
        """Return a certificate by whose and what it is."""
        for found in self.certificates():
            if self.entity(found) == entity and self.kind(found) == kind and found.title == title:
                return found
        return None

    def find_serial(self, serial: bytes, issuer: bytes) -> "Certificate | None":
        """Return a certificate by its number, with or without its encoding around it."""
        for found in self.certificates():
            if found.issuer == issuer and serial in (found.serial, _integer(found.serial)):
                return found
        return None

    def public_key(self, title: bytes, kind: int) -> bytes:
        """Return the public key of a client. Raises UnknownKey."""
        for found in self.certificates():
            if self.entity(found) != CLIENT or found.title != title:
                continue
            usable = not found.usage or found.usage & _USAGES[kind]
            if usable and self._utc_s() <= found.not_after_utc_s:
                return found.public
        raise UnknownKey

    def private_key(self, kind: int) -> bytes:
        """Return the meter's own private key. Raises UnknownKey."""
        at = kind * _PAIR_SIZE
        pairs = self._pairs()
        own = self.find(SERVER, kind, self._title)
        if own is not None and own.public == pairs[at + _NEXT_PUBLIC : at + _PAIR_SIZE]:
            return pairs[at + _NEXT : at + _NEXT_PUBLIC]
        private = pairs[at : at + _NEXT]
        if own is None or not any(private):
            raise UnknownKey
        return private

    def generate(self, kind: int) -> "Steps[None]":
        """Make a new pair, which serves as soon as its certificate comes."""
        self._check_kind(kind)
        private = p256.private_key(self._random(40))
        public = yield from p256.public_key(private)
        try:
            serving = self.private_key(kind)
        except UnknownKey:
            serving = bytes(_NEXT)
        pairs = self._pairs()
        at = kind * _PAIR_SIZE
        pair = serving + private + public
        self._settings.put("key_pairs", pairs[:at] + pair + pairs[at + _PAIR_SIZE :])

    def request(self, kind: int) -> "Steps[bytes]":
        """Return the request for a certificate of the newest pair."""
        self._check_kind(kind)
        at = kind * _PAIR_SIZE
        pair = self._pairs()[at : at + _PAIR_SIZE]
        if not any(pair):
            raise AccessRefused(OBJECT_UNDEFINED)
        private = pair[_NEXT:_NEXT_PUBLIC]
        return (yield from certificate.request(self._title, private, pair[_NEXT_PUBLIC:]))

    def take(self, encoded: bytes) -> "Steps[None]":
        """Take a certificate into the meter. Raises AccessRefused or ValueError if it is none."""
        if len(encoded) > certificate.LONGEST:
            raise ValueError("a certificate of this meter has at most 544 octets")
        new = certificate.Certificate(encoded)
        if not new.valid(self._utc_s()):
            raise ValueError("not valid now")
        signer = self._signer(new)
        if not (yield from new.verify(signer.public)):
            raise ValueError("not signed by its issuer")
        entity = self.entity(new)
        kind = self.kind(new)
        if entity == SERVER:
            self._check_kind(kind)
            self._check_own(new, kind)
        elif entity == _OTHER_ENTITY:
            raise ValueError("it names no system title")
        self._store(self._slot_for(new, entity, kind), new)

    def remove(self, found: "Certificate") -> None:
        """Remove a certificate. Raises AccessRefused for an authority under lock, OSError."""
        if found.authority and self._locked():
            raise AccessRefused(READ_WRITE_DENIED)
        self._store(self._slots.index(found), None)

    def _signer(self, new: "Certificate") -> "Certificate":
        """Return who has to have signed a certificate: an authority, or itself if it is a root."""
        authorities = [found for found in self.certificates() if found.authority]
        if new.authority and new.subject == new.issuer:
            if authorities and self._locked():
                raise AccessRefused(READ_WRITE_DENIED)
            return new
        for found in authorities:
            if found.subject == new.issuer and found.valid(self._utc_s()):
                return found
        raise AccessRefused(OBJECT_UNDEFINED)

    def _check_own(self, new: "Certificate", kind: int) -> None:
        """Refuse a certificate of a key that the meter does not have."""
        at = kind * _PAIR_SIZE
        old = self.find(SERVER, kind, self._title)
        publics = [self._pairs()[at + _NEXT_PUBLIC : at + _PAIR_SIZE]]
        if old is not None:
            publics.append(old.public)
        if new.public not in publics:
            raise ValueError("not the meter's key")

    def _slot_for(self, new: "Certificate", entity: int, kind: int) -> int:
        """Return where a certificate goes: in place of the one it renews, or a free slot."""
        for slot, old in enumerate(self._slots):
            if old is None or self.entity(old) != entity:
                continue
            if old.subject == new.subject and self.kind(old) == kind:
                return slot
        if None not in self._slots:
            raise AccessRefused(TEMPORARY_FAILURE)  # all six are taken
        return self._slots.index(None)

    def _check_kind(self, kind: int) -> None:
        if kind not in (SIGNATURE, AGREEMENT):
            raise ValueError("this meter signs and agrees, it has no TLS")

    def _pairs(self) -> bytes:
        pairs = self._settings.get("key_pairs")
        return pairs if len(pairs) == _PAIRS * _PAIR_SIZE else bytes(_PAIRS * _PAIR_SIZE)

    def _load(self, slot: int) -> "Certificate | None":
        try:
            payload = regions.open_record(self._memory, "certificate_" + str(slot)).load()
            return certificate.Certificate(bytes(payload)) if payload else None
        except (OSError, ValueError):
            return None

    def _store(self, slot: int, new: "Certificate | None") -> None:
        region = regions.open_record(self._memory, "certificate_" + str(slot))
        region.load()
        region.save(b"" if new is None else new.encoded)
        self._slots[slot] = new


def _integer(octets: bytes) -> bytes:
    return bytes((2, len(octets))) + octets
