"""What class 64 version 1 adds to version 0: key agreement, key pairs, certificates (suite 1).

Imported when the security profile shows version 1 and one of these is asked for. What takes long
is a generator, see app.crypto.p256.
"""

from micropython import const

from app.attributes import OBJECT_UNDEFINED, OTHER_REASON, READ_WRITE_DENIED, TEMPORARY_FAILURE
from app.axdr import ARRAY, ENUM, OCTET_STRING, Writer
from app.counters import CountersLost
from app.credentials import SIGNATURE, UnknownKey
from app.crypto import certificate, p256
from app.errors import AccessRefused
from app.security import KEK

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.axdr import Reader
    from app.cosem.base import Session, Work
    from app.credentials import Credentials
    from app.crypto.certificate import Certificate
    from app.security import Security

_KEY_AGREEMENT = const(3)
_GENERATE_KEY_PAIR = const(4)
_GENERATE_REQUEST = const(5)
_IMPORT = const(6)
_EXPORT = const(7)
_REMOVE = const(8)

_KEY_DATA_SIZE = const(128)  # ephemeral public key and signature
_MOST_KEYS = const(4)
_LONGEST_NAME = const(128)
_LONGEST_SERIAL = const(24)
_BY_ENTITY = const(0)
_BY_SERIAL = const(1)


def act(security: "Security", reader: "Reader", index: int, session: "Session") -> "Work":
    """Read the parameter of method 3 to 8 and return the work."""
    if not security.suite:
        raise AccessRefused(READ_WRITE_DENIED)
    credentials = security.credentials()
    if index == _KEY_AGREEMENT:
        return _agree(security, _keys_asked(reader), session.title)
    if index == _GENERATE_KEY_PAIR:
        return credentials.generate(reader.number(ENUM))
    if index == _GENERATE_REQUEST:
        return _request(credentials, reader.number(ENUM))
    if index == _IMPORT:
        return _import(security, reader.octet_string(1, certificate.LONGEST))
    found = _asked(credentials, reader)
    if index == _EXPORT:
        return _export(found)
    return _remove(credentials, found)


def write_list(security: "Security", writer: Writer) -> "Iterator[None]":
    """Encode attribute 6, one certificate a part."""
    credentials = security.credentials()
    found = credentials.certificates()
    writer.array(len(found))
    for one in found:
        yield
        writer.structure(6)
        writer.enum(credentials.entity(one))
        writer.enum(credentials.kind(one))
        for text in (one.serial, one.issuer, one.subject, b""):
            writer.octet_string(text)


def _asked(credentials: "Credentials", reader: "Reader") -> "Certificate":
    """Read a certificate_identification and return the certificate."""
    reader.structure(2)
    how = reader.number(ENUM)
    if how == _BY_ENTITY:
        reader.structure(3)
        entity = reader.number(ENUM)
        kind = reader.number(ENUM)
        found = credentials.find(entity, kind, reader.octet_string(0, 8))
    elif how == _BY_SERIAL:
        reader.structure(2)
        serial = reader.octet_string(1, _LONGEST_SERIAL)
        found = credentials.find_serial(serial, reader.octet_string(1, _LONGEST_NAME))
    else:
        raise ValueError("a certificate is named by entity or by serial number")
    if found is None:
        raise AccessRefused(OBJECT_UNDEFINED)
    return found


def _request(credentials: "Credentials", kind: int) -> "Work":
    return _octets((yield from credentials.request(kind)))


def _import(security: "Security", encoded: bytes) -> "Work":
    try:
        yield from security.credentials().take(encoded)
    except (AccessRefused, ValueError):
        security.certificate_refused()
        raise


def _export(found: "Certificate") -> "Work":
    yield
    return _octets(found.encoded)


def _remove(credentials: "Credentials", found: "Certificate") -> "Work":
    yield
    credentials.remove(found)


def _keys_asked(reader: "Reader") -> "list[tuple[int, bytes]]":
    count = reader.array()
    if not 1 <= count <= _MOST_KEYS:
        raise ValueError("one to four keys are agreed on")
    asked: list[tuple[int, bytes]] = []
    for _ in range(count):
        reader.structure(2)
        key_id = reader.number(ENUM)
        if key_id > KEK or key_id in [one[0] for one in asked]:
            raise AccessRefused(OTHER_REASON)
        asked.append((key_id, reader.octet_string(_KEY_DATA_SIZE, _KEY_DATA_SIZE)))
    return asked


def _agree(security: "Security", asked: "list[tuple[int, bytes]]", title: bytes) -> "Work":
    """Agree on keys by the ephemeral unified model, C(2e, 0s): all of them or none.

    The client's ephemeral key and the meter's own are each signed together with the key's id.
    """
    credentials = security.credentials()
    answer = Writer(bytearray(4 + len(asked) * (_KEY_DATA_SIZE + 8)))
    answer.octet(ARRAY)
    answer.length(len(asked))
    changes: dict[int, bytes] = {}
    try:
        client = credentials.public_key(title, SIGNATURE)
        signer = credentials.private_key(SIGNATURE)
        for key_id, data in asked:
            mark = bytes((key_id,))
            public = data[: p256.PUBLIC_SIZE]
            if not (yield from p256.verify(client, mark + public, data[p256.PUBLIC_SIZE :])):
                security.wrong_tag()
                raise AccessRefused(OTHER_REASON)
            private = p256.private_key(security.random(40))
            own = yield from p256.public_key(private)
            secret = yield from p256.shared_secret(private, public)
            algorithm = p256.AES_WRAP_128 if key_id == KEK else p256.AES_GCM_128
            changes[key_id] = p256.derive(secret, algorithm, title, security.system_title)
            signature = yield from p256.sign(signer, mark + own)
            answer.structure(2)
            answer.enum(key_id)
            answer.octet_string(own + signature)
        security.change_keys(changes)
    except UnknownKey:
        raise AccessRefused(OBJECT_UNDEFINED) from None
    except CountersLost:
        raise AccessRefused(TEMPORARY_FAILURE) from None
    return bytes(answer.buffer[: answer.at])


def _octets(octets: bytes) -> bytes:
    writer = Writer(bytearray(len(octets) + 4))
    writer.string(OCTET_STRING, octets)
    return bytes(writer.buffer[: writer.at])
