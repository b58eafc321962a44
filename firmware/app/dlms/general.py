"""general-ciphering and general-signing of one request and its answer (Green Book 9.2.7.2).

    DD  transaction | originator | recipient | time | other | key | text under the key
    DF  transaction | originator | recipient | time | other | content | signature

Every field but the key has its length before it. The key is a global one (identified), one that
came wrapped under the master key, or, in suite 1, one agreed by elliptic curves: from an ephemeral
key of the originator, which it has signed, or from the static keys of both. A number cannot tell
whether an APDU under such a key came before, because each may have a key of its own, which begins
at nothing: there, and where something is only signed, the transaction-id has to rise. The module
is imported when the first such APDU comes.
"""

from micropython import const

from app.axdr import Reader, Writer
from app.counters import CountersLost, Replayed
from app.credentials import AGREEMENT, SIGNATURE, UnknownKey
from app.crypto import p256
from app.crypto.gcm import Gcm
from app.dlms import ciphering
from app.dlms.services import (
    ACCESS_REQUEST,
    DECIPHERING_ERROR,
    OPERATION_NOT_POSSIBLE,
    PDU_TOO_LONG,
    SERVICE_NOT_ALLOWED,
    ServiceRefused,
)
from app.errors import EncodingError
from app.security import GUEK, SIGNED_ANSWER, SIGNED_REQUEST

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.credentials import Credentials
    from app.crypto.p256 import Steps
    from app.dlms.association import Association
    from app.security import Security
    from hal import Buffer

GENERAL_CIPHERING = const(0xDD)
GENERAL_SIGNING = const(0xDF)

# key-info
_IDENTIFIED = const(0)
_WRAPPED = const(1)
_MASTER = const(0)  # kek-id
_AGREED = const(2)
_ONE_PASS = b"\x01"  # key-parameters: C(1e, 1s)
_STATIC = b"\x02"  # C(0e, 2s)

_HEADER_MAX = const(48)  # tag, transaction-id, titles, two empty fields, lengths of the rest
_TRANSACTION_MAX = const(16)
_KEY_INFO_MAX = const(134)
_SIGNATURE_FIELD = const(65)
_SMALLEST_ANSWER = const(16)


class General:
    """One request, opened, and its answer, closed. Made for each request."""

    def __init__(self, security: "Security", session: "Association") -> None:
        self._security = security
        self._session = session
        self._ciphering = session.ciphering
        self._form = 0  # tag of the APDU
        self._ciphered = False  # what is signed is protected besides
        self._transaction = b""
        self._own = False  # the APDU had a key of its own
        self._key_info = b"\x00"  # for the answer
        self._agreement = b""  # key-parameters

    def open(self, apdu: "Buffer") -> "Steps[Buffer]":
        """Return the plain service. Raises EncodingError, ServiceRefused."""
        self._form = apdu[0]
        if self._form == GENERAL_CIPHERING:
            plain = yield from self._decipher(Reader(apdu, 1))
        elif self._form == GENERAL_SIGNING:
            plain = yield from self._check_signature(Reader(apdu, 1))
        else:
            plain = self._open_inner(apdu)
        if self._form != GENERAL_SIGNING and self._security.signing & SIGNED_REQUEST:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)
        if not plain or (plain[0] not in ciphering.SERVICES and plain[0] != ACCESS_REQUEST):
            raise ServiceRefused(SERVICE_NOT_ALLOWED, DECIPHERING_ERROR)
        self._accept()
        return plain

    def limit(self) -> int:
        """Return how long the plain answer may be. Raises ServiceRefused if there is no room."""
        overhead = self._ciphering.overhead(ciphering.GENERAL_GLO)
        if self._form in (GENERAL_CIPHERING, GENERAL_SIGNING):
            overhead += _HEADER_MAX
        if self._form == GENERAL_CIPHERING:
            overhead += max(len(self._key_info), _KEY_INFO_MAX if self._agreement else 0)
        if self._signs():
            overhead += _HEADER_MAX + _SIGNATURE_FIELD
        limit = self._session.send_size - overhead
        if limit < _SMALLEST_ANSWER:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, PDU_TOO_LONG)
        return limit

    def close(self, reply: bytearray, length: int) -> "Steps[int]":
        """Protect the answer in `reply[:length]` as its request was; return its new length."""
        if self._form == GENERAL_CIPHERING:
            length = yield from self._cipher(reply, length)
        elif self._ciphered:
            length = self._ciphering.close(reply, length)
        if self._signs():
            length = yield from self._sign(reply, length)
        return length

    def _signs(self) -> bool:
        return self._form == GENERAL_SIGNING or self._security.signing & SIGNED_ANSWER != 0

    def _header(self, reader: Reader) -> bytes:
        """Read the fields that both forms begin with; return them as they stand."""
        start = reader.at
        self._transaction = reader.raw(reader.length())
        originator = reader.raw(reader.length())
        recipient = reader.raw(reader.length())
        reader.raw(reader.length())  # date-time
        reader.raw(reader.length())  # other-information
        if originator not in (b"", self._ciphering.title) or (
            recipient not in (b"", self._security.system_title)
        ):
            raise ServiceRefused(SERVICE_NOT_ALLOWED, DECIPHERING_ERROR)
        if len(self._transaction) > _TRANSACTION_MAX:
            raise EncodingError
        return bytes(reader.buffer[start : reader.at])

    def _answer_header(self) -> bytes:
        fields = b""
        for field in (self._transaction, self._security.system_title, self._ciphering.title):
            fields += bytes((len(field),)) + field
        return fields + b"\x00\x00"

    # -- general-signing -------------------------------------------------------------------

    def _check_signature(self, reader: Reader) -> "Steps[Buffer]":
        header = self._header(reader)
        content = reader.raw(reader.length())
        signature = reader.raw(reader.length())
        if reader.left() or not content:
            raise EncodingError
        yield from self._verify(header + content, signature)
        return self._open_inner(content)

    def _open_inner(self, content: "Buffer") -> "Buffer":
        """Return the plain service of an APDU that is protected as usual, or not at all."""
        if content[0] in ciphering.TAGS or content[0] in ciphering.GENERAL_TAGS:
            self._ciphered = True
            return self._ciphering.open(content)
        if self._security.policy:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE)
        self._own = self._form == GENERAL_SIGNING
        return content

    def _verify(self, signed: bytes, signature: bytes) -> "Steps[None]":
        """Raise ServiceRefused unless the client signed this."""
        try:
            public = self._credentials().public_key(self._ciphering.title, SIGNATURE)
            right = yield from p256.verify(public, signed, signature)
        except UnknownKey:
            right = False
        if not right:
            raise self._wrong()

    def _sign(self, reply: bytearray, length: int) -> "Steps[int]":
        content = bytes(memoryview(reply)[:length])
        header = self._answer_header()
        try:
            private = self._credentials().private_key(SIGNATURE)
        except UnknownKey:
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE) from None
        signature = yield from p256.sign(private, header + content)
        writer = Writer(reply)
        writer.octet(GENERAL_SIGNING)
        writer.raw(header)
        writer.length(length)
        writer.raw(content)
        writer.length(len(signature))
        writer.raw(signature)
        return writer.at

    # -- general-ciphering -----------------------------------------------------------------

    def _decipher(self, reader: Reader) -> "Steps[Buffer]":
        header = self._header(reader)
        start = reader.at
        key = yield from self._key(reader)
        if key is not None:
            self._own = True
        if not self._agreement:
            self._key_info = bytes(reader.buffer[start : reader.at])
        octets = reader.raw(reader.length())
        if reader.left():
            raise EncodingError
        cipher = None if key is None else Gcm(self._security.block_cipher(key))
        title = self._ciphering.title
        plain = self._ciphering.unprotect(octets, title, False, cipher, header)
        if self._own and not octets[0] & 0x10:
            # encryption alone: whoever knows nothing could make such a key and text up
            raise ServiceRefused(SERVICE_NOT_ALLOWED, DECIPHERING_ERROR)
        return plain

    def _key(self, reader: Reader) -> "Steps[bytes | None]":
        """Return the key that key-info tells, None for the global one."""
        if not reader.octet():
            return None
        choice = reader.octet()
        if choice == _AGREED:
            parameters = reader.raw(reader.length())
            return (yield from self._agreed(parameters, reader.raw(reader.length())))
        key_id = reader.octet()
        if choice == _IDENTIFIED and key_id == GUEK:
            return None
        if choice == _WRAPPED and key_id == _MASTER:
            try:
                return self._security.unwrap(reader.raw(reader.length()))
            except ValueError:
                pass
        raise self._wrong()

    def _agreed(self, parameters: bytes, data: bytes) -> "Steps[bytes]":
        own = self._security.system_title
        title = self._ciphering.title
        try:
            credentials = self._credentials()
            if parameters == _ONE_PASS and len(data) == p256.PUBLIC_SIZE + p256.SIGNATURE_SIZE:
                public = data[: p256.PUBLIC_SIZE]
                signature = data[p256.PUBLIC_SIZE :]
                signer = credentials.public_key(title, SIGNATURE)
                # some clients sign key-parameters and key, as key_agreement has it
                if not (yield from p256.verify(signer, public, signature)):
                    yield from self._verify(parameters + public, signature)
            elif parameters == _STATIC and not data:
                public = credentials.public_key(title, AGREEMENT)
                own = bytes((len(self._transaction),)) + self._transaction + own
            else:
                raise EncodingError
            private = credentials.private_key(AGREEMENT)
            secret = yield from p256.shared_secret(private, public)
        except (UnknownKey, ValueError):
            raise self._wrong() from None
        self._agreement = parameters
        return p256.derive(secret, p256.AES_GCM_128, title, own)

    def _cipher(self, reply: bytearray, length: int) -> "Steps[int]":
        plain = bytes(memoryview(reply)[:length])
        header = self._answer_header()
        if self._agreement:
            key = yield from self._agree_anew()
            self._ciphering.use(Gcm(self._security.block_cipher(key)))
        self._ciphering.context = header
        writer = Writer(reply)
        writer.octet(GENERAL_CIPHERING)
        writer.raw(header)
        writer.raw(self._key_info)
        self._ciphering.protect(writer, plain, self._ciphering.control)
        return writer.at

    def _agree_anew(self) -> "Steps[bytes]":
        """Return the key of the answer, whose originator is this meter; sets its key-info."""
        title = self._ciphering.title
        try:
            credentials = self._credentials()
            public = credentials.public_key(title, AGREEMENT)
            data = b""
            if self._agreement == _ONE_PASS:
                private = p256.private_key(self._security.random(40))
                ephemeral = yield from p256.public_key(private)
                signer = credentials.private_key(SIGNATURE)
                data = ephemeral + (yield from p256.sign(signer, ephemeral))
            else:
                private = credentials.private_key(AGREEMENT)
                title = bytes((len(self._transaction),)) + self._transaction + title
        except (UnknownKey, CountersLost):
            raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE) from None
        secret = yield from p256.shared_secret(private, public)
        info = Writer(bytearray(_KEY_INFO_MAX))
        info.raw(b"\x01\x02\x01" + self._agreement)
        info.length(len(data))
        info.raw(data)
        self._key_info = bytes(info.buffer[: info.at])
        return p256.derive(secret, p256.AES_GCM_128, self._security.system_title, title)

    # -- what both need --------------------------------------------------------------------

    def _credentials(self) -> "Credentials":
        if not self._security.suite:
            raise UnknownKey
        return self._security.credentials()

    def _accept(self) -> None:
        """Take over what tells that this APDU did not come before."""
        try:
            if self._own:
                self._security.counters.accept_transaction(self._transaction)
            elif self._form == GENERAL_CIPHERING:
                self._ciphering.accept(False)
        except (Replayed, CountersLost) as error:
            raise self._ciphering.refusal(error) from None

    def _wrong(self) -> ServiceRefused:
        """Count what is not genuine; return the answer to it."""
        self._security.wrong_tag()
        return ServiceRefused(SERVICE_NOT_ALLOWED, DECIPHERING_ERROR)
