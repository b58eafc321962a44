"""Protection of APDUs with the keys of security suite 0 (IEC 62056-53, Green Book 9.2).

    glo- and ded-      tag | length | security control | counter (4) | text | tag (12)
    general-glo, -ded  tag | title  | length | security control | counter (4) | text | tag (12)

The tag is looked at before the counter, so a number counts as used only when its APDU is genuine;
where there is no tag, encryption only, the text has to make sense first. An answer carries the
protection of its request, and at least that of the policy.
"""

import struct

from micropython import const

from app.axdr import Reader, Writer
from app.counters import CountersLost, Replayed
from app.crypto.constant_time import equal
from app.crypto.gcm import TAG_SIZE, Gcm
from app.dlms.services import (
    ACCESS_REQUEST,
    ACTION_REQUEST,
    DECIPHERING_ERROR,
    GET_REQUEST,
    INVOCATION_COUNTER_ERROR,
    OPERATION_NOT_POSSIBLE,
    SERVICE_NOT_ALLOWED,
    SERVICE_NOT_SUPPORTED,
    SET_REQUEST,
    ServiceRefused,
)
from app.errors import EncodingError
from app.security import AUTHENTICATED, BOTH, ENCRYPTED, GAK, REPLAY_PROTECTION, TITLE_SIZE

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.counters import Counters
    from app.security import Security
    from hal import Buffer

GLO_INITIATE_REQUEST = const(0x21)
GLO_INITIATE_RESPONSE = const(0x28)
GENERAL_GLO = const(0xDB)
GENERAL_DED = const(0xDC)
_GLO = const(0x08)  # what is added to the tag of a plain service
_DED = const(0x10)
SERVICES = (GET_REQUEST, SET_REQUEST, ACTION_REQUEST)
TAGS = tuple([tag + _GLO for tag in SERVICES] + [tag + _DED for tag in SERVICES])

GENERAL_TAGS = (GENERAL_GLO, GENERAL_DED)

_BROADCAST = const(0x40)
_HEADER = const(5)  # security control byte and invocation counter
_OVERHEAD = const(21)  # tag, length in three octets, header, authentication tag
_GENERAL_OVERHEAD = const(30)
MOST_OVERHEAD = _GENERAL_OVERHEAD
_LAST_NUMBER = const(0xFFFFFFFF)


class Dedicated:
    """A key that a client chose for one association, with the numbers received under it."""

    def __init__(self, cipher: Gcm) -> None:
        self.cipher = cipher
        self._expected = 0

    def check(self, _key: int, number: int) -> None:
        """Raise Replayed unless the number is above all before."""
        if number < self._expected or number >= _LAST_NUMBER:
            raise Replayed(self._expected)

    def accept(self, key: int, number: int) -> None:
        """Take over a number whose APDU was found genuine."""
        self.check(key, number)
        self._expected = number + 1


class Ciphering:
    """Protection as one channel uses it."""

    def __init__(self, security: "Security", key_id: int, port: int = -1) -> None:
        self._security = security
        self._port = port  # whose options say whether numbers matter, -1: they always do
        self._key_id = key_id  # the global key that requests come under
        self.title = b""  # of the client, 8 octets while an association needs it
        self.dedicated: Dedicated | None = None
        self._form = 0  # tag of the request under way
        self._number = 0  # its invocation counter
        self.control = 0  # its security control byte
        # what it came under and its answer goes under, even if it changed the keys
        self._used: Gcm | None = None
        self._used_gak = b""
        self.context = b""  # what stands before the text in general-ciphering is protected too

    def reset(self, title: bytes) -> None:
        """Begin with another client."""
        self.title = title
        self.dedicated = None

    def overhead(self, form: int) -> int:
        """Return how many octets protection may add to an answer to a request with this tag."""
        return _GENERAL_OVERHEAD if form in GENERAL_TAGS else _OVERHEAD

    def open(self, apdu: "Buffer") -> bytearray:
        """Return the plain APDU in a protected one.

        Raises EncodingError, or ServiceRefused if the protection is wrong, too weak or replayed.
        """
        form = apdu[0]
        reader = Reader(apdu, 1)
        title = self.title
        if form in GENERAL_TAGS:
            given = reader.raw(reader.length())
            if given and title and given != title:
                raise ServiceRefused(SERVICE_NOT_ALLOWED, DECIPHERING_ERROR)
            title = given or title
        if reader.length() != reader.left():
            raise EncodingError
        dedicated = form == GENERAL_DED or (form != GENERAL_GLO and form & 0xF8 == 0xD0)
        octets = apdu[reader.at :]
        plain = self.unprotect(octets, title, dedicated)
        tag = plain[0] if plain else 0
        expected = (form, form) if form in GENERAL_TAGS else (tag + _GLO, tag + _DED)
        if form != expected[1 if dedicated else 0] or not (
            tag in SERVICES
            or (form in GENERAL_TAGS and tag == ACCESS_REQUEST)  # has no form of its own
        ):
            raise ServiceRefused(SERVICE_NOT_ALLOWED, DECIPHERING_ERROR)
        self.accept(dedicated)
        self._form = form
        return plain

    def close(self, reply: bytearray, length: int) -> int:
        """Protect the answer in `reply[:length]` as the request was; return its new length."""
        plain = bytes(memoryview(reply)[:length])
        if self._form in GENERAL_TAGS:
            writer = Writer(reply)
            writer.octet(self._form)
            writer.length(TITLE_SIZE)
            writer.raw(self._security.system_title)
        else:
            dedicated = self._form & 0xF8 == 0xD0
            writer = Writer(reply)
            writer.octet(plain[0] + (_DED if dedicated else _GLO))
        self.protect(writer, plain, self.control)
        return writer.at

    def unprotect(
        self,
        octets: "Buffer",
        title: bytes,
        dedicated: bool,
        own: "Gcm | None" = None,
        context: bytes = b"",
    ) -> bytearray:
        """Return the text of `octets`, which begin with the security control byte.

        Its number is checked, unless the APDU has a key of its `own`; `accept` takes it over when
        the text makes sense. `context` stands before the text and is authenticated with it.
        """
        if len(octets) <= _HEADER or len(title) != TITLE_SIZE:
            raise EncodingError
        control = octets[0]
        self._check_control(control, dedicated)
        self.context = context
        self.control = control
        self._number = struct.unpack_from(">I", octets, 1)[0]
        nonce = title + bytes(octets[1:_HEADER])
        plain = bytearray()
        try:
            self._used = cipher = own or self._cipher(dedicated)
            self._used_gak = self._security.key(GAK)
            plain = self._verify(cipher, nonce, control, octets)
            if own is None:
                self._numbers(dedicated).check(self._key_id, self._number)
        except (Replayed, CountersLost) as error:
            if not self._bears(error):
                raise self.refusal(error) from None
        return plain

    def accept(self, dedicated: bool) -> None:
        """Take over the number of what was unprotected last."""
        try:
            self._numbers(dedicated).accept(self._key_id, self._number)
        except (Replayed, CountersLost) as error:
            if not self._bears(error):
                raise self.refusal(error) from None

    def refusal(self, error: Exception) -> ServiceRefused:
        """Return the answer to a number that came before, or that cannot be known."""
        if not isinstance(error, Replayed):
            return ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)
        self._security.replayed()
        return ServiceRefused(SERVICE_NOT_ALLOWED, INVOCATION_COUNTER_ERROR, error.expected)

    def use(self, key: "Gcm") -> None:
        """Have the next answer protected under another key than its request."""
        self._used = key

    def _bears(self, error: Exception) -> bool:
        """Tell whether this port takes numbers that came before (row SEC-40)."""
        return (
            self._port >= 0
            and isinstance(error, Replayed)
            and not self._security.options(self._port) & REPLAY_PROTECTION
        )

    def _numbers(self, dedicated: bool) -> "Dedicated | Counters":
        if dedicated and self.dedicated is not None:
            return self.dedicated
        return self._security.counters

    def protect(self, writer: Writer, plain: bytes, control: int) -> None:
        """Write length, header, text and tag of a `plain` that answers what came last."""
        control = (control | self._security.answer_policy) & BOTH | self._security.suite
        cipher = self._used
        try:
            if cipher is None:
                raise CountersLost
            number = struct.pack(">I", self._security.counters.send())
        except CountersLost:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE) from None
        nonce = self._security.system_title + number
        tagged = control & AUTHENTICATED
        writer.length(_HEADER + len(plain) + (TAG_SIZE if tagged else 0))
        writer.octet(control)
        writer.raw(number)
        text = plain
        if control & ENCRYPTED:
            text = bytearray(len(plain))
            cipher.encrypt(nonce, plain, text, 0)
        writer.raw(text)
        if tagged:
            writer.raw(self._tag(cipher, nonce, control, text))

    def gmac(self, title: bytes, number: bytes, challenge: bytes) -> bytes:
        """Return the proof of mechanism 5: control byte, counter, tag over the challenge."""
        self._used_gak = self._security.key(GAK)
        self.context = b""
        control = AUTHENTICATED | self._security.suite
        tag = self._tag(self._cipher(False), title + number, control, challenge)
        return bytes((control,)) + number + tag

    def _check_control(self, control: int, dedicated: bool) -> None:
        """Refuse another suite, compression, the wrong set of keys or too little protection."""
        broadcast = 0 if dedicated else self._key_id * _BROADCAST
        needed = AUTHENTICATED if broadcast else BOTH
        if control & ~BOTH != broadcast | self._security.suite or not control & needed:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, DECIPHERING_ERROR)
        if self._security.policy & ~control:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)

    def _cipher(self, dedicated: bool) -> Gcm:
        if not dedicated:
            return self._security.cipher(self._key_id)
        if self.dedicated is None:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, SERVICE_NOT_SUPPORTED)
        return self.dedicated.cipher

    def _verify(self, cipher: Gcm, nonce: bytes, control: int, octets: "Buffer") -> bytearray:
        """Return the text if the tag is right; without authentication there is none to check."""
        end = len(octets)
        if control & AUTHENTICATED:
            end -= TAG_SIZE
            if end < _HEADER:
                raise EncodingError
        text = bytes(octets[_HEADER:end])
        if control & AUTHENTICATED:
            expected = self._tag(cipher, nonce, control, text)
            if not equal(bytes(octets[end:]), expected):
                self._security.wrong_tag()
                raise ServiceRefused(SERVICE_NOT_ALLOWED, DECIPHERING_ERROR)
        plain = bytearray(text)
        if control & ENCRYPTED:
            cipher.encrypt(nonce, text, plain, 0)
        return plain

    def _tag(self, cipher: Gcm, nonce: bytes, control: int, text: "Buffer") -> bytes:
        """Return the tag over text that is encrypted, or open in the associated data."""
        associated = bytes((control,)) + self._used_gak + self.context
        if control & ENCRYPTED:
            return cipher.tag(nonce, associated, text)
        return cipher.tag(nonce, associated + bytes(text), b"")
