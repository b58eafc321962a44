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

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from app.credentials import Credentials
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

_TAGS_PER_EVENT = const(3)
_SELDOM_S = const(60)  # between events that anybody can cause: a flood must not wear the flash

TITLE_SIZE = const(8)
_REMEMBERED = const(8)  # challenges sent last, on all channels
# policy for requests, restrictions, mechanisms of four clients, client's title, profile, policy
# for answers, signing, options of the channels
_STATE = ">BBBBBB8sBBBBBB"
_OLD_STATE = const(14)  # without what stands behind the title
_ANY = const(0xFF)  # the mechanisms of a meter fresh from the factory

# Profiles: which suite the keys are used in, and which version of class 64 shows it
PROFILE_SUITE_0 = const(0)  # suite 0, class 64 version 0
PROFILE_SUITE_0_V1 = const(1)  # suite 0, class 64 version 1
PROFILE_SUITE_1 = const(2)  # suite 1, class 64 version 1

_ECDSA = const(7)  # the mechanism that signs
# What has to be signed (class 64 version 1)
SIGNED_REQUEST = const(1)
SIGNED_ANSWER = const(2)

# Options of a channel (row SEC-40)
IGNORE_SERVICE_CLASS = const(1)
REPLAY_PROTECTION = const(2)
ASSOCIATION_BY_BOOK = const(4)
_FACTORY_OPTIONS = const(6)
OPTICAL = const(0)  # channels by B of 0-b:128.40.10
RS485 = const(1)
TCP = const(2)
CHANNELS = const(3)


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
        self.on_profile: Callable[[], None] = _nothing_to_show
        self.block_cipher = block_cipher
        self._random = random
        self._ciphers: list[Gcm | None] = [None, None]  # of GUEK and GBEK, made when first used
        self._challenges: list[bytes] = []
        self._wrong_tags = 0
        self._told_utc_s: dict[int, int] = {}  # when events that anybody can cause were told
        self._memory = memory
        self._utc_s = utc_s
        self.parameters_locked: Callable[[], bool] = _always
        self._credentials: Credentials | None = None
        values = self._load(settings.get("security"))
        self.policy = values[0]  # what every request needs: bits of the security control byte
        self.restrictions = values[1]
        self._mechanisms = values[2:6]
        self.client_title = values[6]  # of the client that logged in last
        self.profile = values[7]
        self.answer_policy = values[8]  # what every answer gets, as `policy`
        self.signing = values[9]  # SIGNED_REQUEST, SIGNED_ANSWER
        self._options = values[10:13]

    def _load(self, state: bytes) -> "tuple[Any, ...]":
        if len(state) == _OLD_STATE:
            state += bytes((0, state[0], 0)) + bytes((_FACTORY_OPTIONS,)) * CHANNELS
        if len(state) != struct.calcsize(_STATE):
            state = bytes((0, 0, _ANY, _ANY, _ANY, _ANY)) + bytes(TITLE_SIZE + 3)
            state += bytes((_FACTORY_OPTIONS,)) * CHANNELS
        return struct.unpack(_STATE, state)

    @property
    def suite(self) -> int:
        """The security suite: 0 or 1."""
        return 1 if self.profile == PROFILE_SUITE_1 else 0

    @property
    def demanding(self) -> bool:
        """True if the policy asks for any protection."""
        return bool(self.policy or self.answer_policy or self.signing)

    def credentials(self) -> "Credentials":
        """Return key pairs and certificates; nothing of them is in RAM before the first call."""
        if self._credentials is None:
            from app.credentials import Credentials

            self._credentials = Credentials(
                self._memory,
                self.settings,
                self._random,
                self._utc_s,
                self.parameters_locked,
                self.system_title,
            )
        return self._credentials

    def random(self, count: int) -> bytes:
        """Return random octets that nobody can know even when the board's source fails."""
        octets = b""
        while len(octets) < count:
            octets += self._mixed()
        return octets[:count]

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
        self.on_event(event_codes.KEYS_CHANGED)

    def set_policy(self, policy: int, answers: int = -1, signing: int = 0) -> None:
        """Set the protection that requests need and answers get.

        Raises ValueError if that would lower it, OSError.
        """
        answers = policy if answers < 0 else answers
        if (policy | answers) & ~BOTH or (signing and not self.suite):
            raise ValueError("a policy that this suite does not have")
        if self.policy & ~policy or self.answer_policy & ~answers or self.signing & ~signing:
            raise ValueError("a security policy can only be raised")
        self._change(policy=policy, answer_policy=answers, signing=signing)

    def set_profile(self, profile: int) -> None:
        """Set suite and version of class 64. Raises ValueError, OSError."""
        if not PROFILE_SUITE_0 <= profile <= PROFILE_SUITE_1:
            raise ValueError("the security profile is 0 to 2")
        signs = self.signing or _ECDSA in self._mechanisms
        if signs and profile != PROFILE_SUITE_1:
            raise ValueError("policy or log-in ask for signatures")
        self._change(profile=profile)
        self.on_profile()

    def options(self, channel: int) -> int:
        """Return the options of channel 0 optical head, 1 RS485, 2 TCP."""
        return self._options[channel]

    def set_options(self, channel: int, options: int) -> None:
        """Set the options of a channel."""
        if options > IGNORE_SERVICE_CLASS | REPLAY_PROTECTION | ASSOCIATION_BY_BOOK:
            raise ValueError("a channel has three options")
        all_options = self._options[:channel] + (options,) + self._options[channel + 1 :]
        self._change(_options=all_options)

    def set_restrictions(self, restrictions: int) -> None:
        """Set which associations are disabled, as access.Client.restriction counts them."""
        self._change(restrictions=restrictions)

    def mechanism(self, slot: int) -> int:
        """Return the only mechanism of a client, 0 for any, 255 for the factory's choice."""
        return self._mechanisms[slot]

    def set_mechanism(self, slot: int, mechanism: int) -> None:
        """Set the only mechanism that a client may use, 0 for any."""
        mechanisms = list(self._mechanisms)
        mechanisms[slot] = mechanism
        self._change(_mechanisms=tuple(mechanisms))

    def set_client_title(self, title: bytes) -> None:
        """Set the system title of a client that does not send its own. Raises OSError."""
        self._change(client_title=title)

    def challenge(self) -> bytes:
        """Return 32 octets that nobody can know and that never come twice. Raises CountersLost.

        The counter makes them differ even if the random source should fail and return the same
        octets again, and the keys in them keep them unknown then.
        """
        challenge = self._mixed()
        self._challenges.append(challenge)
        if len(self._challenges) > _REMEMBERED:
            del self._challenges[0]
        return challenge

    def _mixed(self) -> bytes:
        number = struct.pack(">I", self.counters.send())
        source = self._random(32) + number + self.settings.get("keys") + self.system_title
        return hashlib.sha256(source).digest()

    def reflected(self, challenge: bytes) -> bool:
        """Tell whether a client's challenge is one that this meter sent itself."""
        return challenge in self._challenges

    def login_failed(self, now_ms: int) -> None:
        """Count a wrong password or key."""
        if self.lockout.failed(now_ms):
            self.on_event(event_codes.LOGIN_LOCKED)

    def logged_in(self, port: int) -> None:
        """A client has proved who it is, on one of the ports above (row FRD-15)."""
        self.lockout.succeeded()
        self.on_event(event_codes.LOGGED_IN)
        if port == OPTICAL:
            self._tell_seldom(event_codes.LOCAL_COMMUNICATION)
            self._tell_seldom(event_codes.LOCAL_LOGIN)
        elif port == TCP:
            self._tell_seldom(event_codes.REMOTE_LOGIN)

    def certificate_refused(self) -> None:
        """Somebody brought a certificate that cannot be believed."""
        self.on_event(event_codes.CERTIFICATE_REFUSED)

    def replayed(self) -> None:
        """Somebody sent a message again; the logs take one such event a minute."""
        self._tell_seldom(event_codes.REPLAYED)

    def wrong_tag(self) -> None:
        """Count an APDU whose tag is wrong; three are an event, one a minute (row SEC-36)."""
        self._wrong_tags += 1
        if self._wrong_tags >= _TAGS_PER_EVENT and self._tell_seldom(
            event_codes.DECIPHERING_FAILED
        ):
            self._wrong_tags = 0

    def _tell_seldom(self, code: int) -> bool:
        """Post an event unless it was in the last minute; tell whether it was posted."""
        now_s = self._utc_s()
        if abs(now_s - self._told_utc_s.get(code, -_SELDOM_S)) < _SELDOM_S:
            return False
        self._told_utc_s[code] = now_s
        self.on_event(code)
        return True

    def _change(self, **changes: "int | bytes | tuple[int, ...]") -> None:
        """Change attributes together, once they are stored. Raises OSError."""

        def now(name: str) -> "Any":  # noqa: ANN401 - they differ
            return changes.get(name, getattr(self, name))

        state = struct.pack(
            _STATE,
            now("policy"),
            now("restrictions"),
            *now("_mechanisms"),
            now("client_title"),
            now("profile"),
            now("answer_policy"),
            now("signing"),
            *now("_options"),
        )
        self.settings.put("security", state)
        for name, value in changes.items():
            setattr(self, name, value)
        if "client_title" not in changes:
            self.on_event(event_codes.PARAMETERS_CHANGED)


def _nothing_to_show() -> None:
    """Stand in for the security setup object."""


def _always() -> bool:
    """Stand in for the parameter switch: closed."""
    return True


def _nobody_listens(_event: int) -> None:
    """Stand in for the event log."""
