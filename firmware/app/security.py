"""The meter's security as all channels share it: keys, policy, counters, challenges, lock.

Rows SEC-11, SEC-20, SEC-30 to SEC-36, SEC-41. Keys and passwords stand in sealed settings; the
objects of app.cosem show and change what may be shown and changed, app.dlms uses it.
"""

import hashlib
import struct

from micropython import const

from app import event_codes
from app.counters import Counters, CountersLost
from app.crypto import key_wrap
from app.crypto.gcm import Gcm
from app.lockout import Lockout

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from app.settings import Settings
    from hal import BlockCipher, Memory

# Key ids of key_transfer
GUEK = const(0)  # global unicast encryption key
GBEK = const(1)  # global broadcast encryption key
GAK = const(2)  # authentication key
KEK = const(3)  # master key
_KEYS = const(4)
_KEY_SIZE = const(16)

# Security control byte
AUTHENTICATED = const(0x10)
ENCRYPTED = const(0x20)
BOTH = const(0x30)

# Events of the security log
EVENT_LOCKED = const(46)
EVENT_KEY_CHANGED = const(48)
EVENT_WRONG_TAG = const(49)
EVENT_REPLAY = const(50)
EVENT_LOGIN = const(249)
_TAGS_PER_EVENT = const(3)

TITLE_SIZE = const(8)
_REMEMBERED = const(8)  # challenges sent last, on all channels
_STATE = ">BBBBBB8s"  # policy, restrictions, mechanisms of four clients, client's title
_ANY = const(0xFF)  # the mechanisms of a meter fresh from the factory


class Security:
    """What all associations of this meter stand on."""

    def __init__(
        self,
        memory: "Memory",
        settings: "Settings",
        block_cipher: "Callable[[bytes], BlockCipher]",
        random: "Callable[[int], bytes]",
        utc_s: "Callable[[], int]",
        system_title: bytes,
    ) -> None:
        self.settings = settings
        self.counters = Counters(memory)
        self.lockout = Lockout(memory, utc_s)
        self.system_title = system_title
        self.on_event: Callable[[int], None] = _nobody_listens
        self.block_cipher = block_cipher
        self._random = random
        self._ciphers: list[Gcm | None] = [None, None]  # of GUEK and GBEK, made when first used
        self._challenges: list[bytes] = []
        self._wrong_tags = 0
        state = settings.get("security")
        if len(state) != struct.calcsize(_STATE):
            state = bytes((0, 0, _ANY, _ANY, _ANY, _ANY)) + bytes(TITLE_SIZE)
        values = struct.unpack(_STATE, state)
        self.policy = values[0]  # what every request needs: bits of the security control byte
        self.restrictions = values[1]
        self._mechanisms = values[2:6]
        self.client_title = values[6]  # of the client that logged in last

    def key(self, key_id: int) -> bytes:
        """Return a key, empty if the sealed record is damaged."""
        return self.settings.get("keys")[key_id * _KEY_SIZE : (key_id + 1) * _KEY_SIZE]

    def cipher(self, key_id: int) -> Gcm:
        """Return GCM under GUEK or GBEK. Raises CountersLost if there is no key."""
        cipher = self._ciphers[key_id]
        if cipher is None:
            key = self.key(key_id)
            if not key:
                raise CountersLost
            cipher = self._ciphers[key_id] = Gcm(self.block_cipher(key))
        return cipher

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return a key that came wrapped under the master key. Raises ValueError."""
        kek = self.key(KEK)
        if not kek or len(wrapped) != _KEY_SIZE + 8:
            raise ValueError("not a wrapped key of this suite")
        return key_wrap.unwrap(self.block_cipher(kek), wrapped)

    def change_keys(self, changes: "dict[int, bytes]") -> None:
        """Take over all the given keys or, when OSError or CountersLost is raised, none."""
        keys = bytearray(self.settings.get("keys") or bytes(_KEYS * _KEY_SIZE))
        for key_id, key in changes.items():
            keys[key_id * _KEY_SIZE : (key_id + 1) * _KEY_SIZE] = key
        renewed = [k for k in changes if k < GAK and changes[k] != self.key(k)]
        self.settings.put("keys", keys)
        for key_id in renewed:
            self.counters.renewed(key_id)
        self._ciphers = [None, None]
        self.on_event(EVENT_KEY_CHANGED)

    def set_policy(self, policy: int) -> None:
        """Set the protection that requests need. Raises ValueError if that would lower it."""
        if policy & ~BOTH or self.policy & ~policy:
            raise ValueError("a security policy can only be raised")
        self._store(policy, self.restrictions, self._mechanisms)
        self.policy = policy
        self.on_event(event_codes.PARAMETERS_CHANGED)

    def set_restrictions(self, restrictions: int) -> None:
        """Set which associations are disabled, as access.Client.restriction counts them."""
        self._store(self.policy, restrictions, self._mechanisms)
        self.restrictions = restrictions
        self.on_event(event_codes.PARAMETERS_CHANGED)

    def mechanism(self, slot: int) -> int:
        """Return the only mechanism of a client, 0 for any, 255 for the factory's choice."""
        return self._mechanisms[slot]

    def set_mechanism(self, slot: int, mechanism: int) -> None:
        """Set the only mechanism that a client may use, 0 for any."""
        mechanisms = list(self._mechanisms)
        mechanisms[slot] = mechanism
        self._store(self.policy, self.restrictions, tuple(mechanisms))
        self._mechanisms = tuple(mechanisms)
        self.on_event(event_codes.PARAMETERS_CHANGED)

    def set_client_title(self, title: bytes) -> None:
        """Set the system title of a client that does not send its own. Raises OSError."""
        before = self.client_title
        self.client_title = title
        try:
            self._store(self.policy, self.restrictions, self._mechanisms)
        except OSError:
            self.client_title = before
            raise

    def challenge(self) -> bytes:
        """Return 32 octets that nobody can know and that never come twice. Raises CountersLost.

        The counter makes them differ even if the random source should fail and return the same
        octets again, and the keys in them keep them unknown then.
        """
        number = struct.pack(">I", self.counters.send())
        source = self._random(32) + number + self.settings.get("keys") + self.system_title
        challenge = hashlib.sha256(source).digest()
        self._challenges.append(challenge)
        if len(self._challenges) > _REMEMBERED:
            del self._challenges[0]
        return challenge

    def reflected(self, challenge: bytes) -> bool:
        """Tell whether a client's challenge is one that this meter sent itself."""
        return challenge in self._challenges

    def login_failed(self, now_ms: int) -> None:
        """Count a wrong password or key."""
        if self.lockout.failed(now_ms):
            self.on_event(EVENT_LOCKED)

    def logged_in(self) -> None:
        """A client has proved who it is."""
        self.lockout.succeeded()
        self.on_event(EVENT_LOGIN)

    def wrong_tag(self) -> None:
        """Count an APDU whose tag is wrong; every third one is an event (row SEC-36)."""
        self._wrong_tags += 1
        if self._wrong_tags % _TAGS_PER_EVENT == 0:
            self.on_event(EVENT_WRONG_TAG)

    def _store(self, policy: int, restrictions: int, mechanisms: "tuple[int, ...]") -> None:
        first, second, third, fourth = mechanisms
        state = struct.pack(
            _STATE, policy, restrictions, first, second, third, fourth, self.client_title
        )
        self.settings.put("security", state)


def _nobody_listens(_event: int) -> None:
    """Stand in for the event log."""
