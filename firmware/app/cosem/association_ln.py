"""Interface class 15, Association LN (rows SEC-01, SEC-08 to SEC-10, TCP-18).

The key of an instance is the Client whose association it describes; None stands for the current
association 0-0:40.0.0, whose client is that of the session asking. The object list is made while
it is sent, from the catalogue and the table of rights.
"""

from micropython import const

from app.attributes import OBJECT_UNAVAILABLE, READ_WRITE_DENIED, SCOPE_OF_ACCESS_VIOLATED
from app.axdr import ARRAY, ENUM, NULL, OCTET_STRING, STRUCTURE, UINT8, UINT16
from app.cosem.access import MECHANISM_ECDSA, MECHANISMS, SERVER_SAP
from app.cosem.base import (
    CHOICE,
    EXECUTE,
    NO_ACCESS,
    READ,
    READ_WRITE,
    WRITE,
    InterfaceClass,
)
from app.errors import AccessRefused

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any, Protocol

    from app.axdr import Reader, Writer
    from app.cosem.access import Client
    from app.cosem.base import Selection, Work
    from app.cosem.catalogue import Catalogue, Entry
    from app.security import Security

    class Session(Protocol):
        """What an open association tells about itself."""

        client: Client
        conformance: int
        receive_size: int
        send_size: int
        limit: int
        context: int
        mechanism: int
        in_blocks: bool
        rest: Any

        @property
        def title(self) -> bytes:
            """The client's system title, empty if it needed none."""
            ...

        def reply_to_hls(self, proof: bytes) -> "bytes | Generator[None, None, bytes]":
            """Check what the client answered to the challenge; return the answer to its own.

            Or, where that takes long, return what will.
            """
            ...


# association_status
_NON_ASSOCIATED = const(0)
_ASSOCIATED = const(2)

# Selectors of the object list
_WITHOUT_RIGHTS = const(1)
_BY_CLASS = const(2)
_BY_LIST = const(3)
_BY_OBJECT = const(4)

_DLMS_VERSION = const(6)
_CONFORMANCE_BITS = const(24)
_SECURITY_SETUP = b"\x00\x00\x2b\x00\x00\xff"
_NO_OBJECT = bytes(6)
_LONGEST_PROOF = const(64)
_SHORTEST_SECRET = const(8)
_LONGEST_SECRET = const(64)

# joint-iso-ccitt(2) country(16) country-name(756) identified-organisation(5) DLMS-UA(8)
_CONTEXT = const(1)  # application-context
_MECHANISM = const(2)  # authentication-mechanism-name
_LN_WITHOUT_CIPHERING = const(1)
_MECHANISM_OCTETS = b"\x60\x85\x74\x05\x08\x02"  # the same in BER
_ARCS = ((UINT8, 2), (UINT8, 16), (UINT16, 756), (UINT8, 5), (UINT8, 8))


class AssociationLn(InterfaceClass):
    """Association LN, version 1."""

    CLASS_ID = 15
    VERSION = 1
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (ARRAY, READ),  # 2 object_list
        (STRUCTURE, READ),  # 3 associated_partners_id
        (STRUCTURE, READ),  # 4 application_context_name
        (STRUCTURE, READ),  # 5 xdlms_context_info
        (CHOICE, READ_WRITE),  # 6 authentication_mechanism_name
        (OCTET_STRING, WRITE),  # 7 secret
        (ENUM, READ),  # 8 association_status
        (OCTET_STRING, READ),  # 9 security_setup_reference
    )
    METHODS = (
        EXECUTE,  # 1 reply_to_HLS_authentication
        NO_ACCESS,  # 2 change_HLS_secret
        NO_ACCESS,  # 3 add_object
        NO_ACCESS,  # 4 remove_object
    )

    def __init__(
        self, catalogue: "Catalogue", security: "Security", conformance: int, receive_size: int
    ) -> None:
        self._catalogue = catalogue
        self._security = security
        self._conformance = conformance  # services that this server offers
        self._receive_size = receive_size

    def get(
        self, writer: "Writer", key: "Client | None", index: int, session: "Session | None"
    ) -> "Iterator[None] | None":
        """Encode an attribute."""
        client = _client(key, session)
        if index == 2:
            count = self._catalogue.visible(client)
            return _object_list(writer, count, _all(self._catalogue, client), client)
        if index == 3:
            writer.structure(2)
            writer.int8(client.sap)
            writer.uint16(SERVER_SAP)
        elif index == 4:
            current = session if key is None else None
            context = _LN_WITHOUT_CIPHERING if current is None else current.context
            _object_identifier(writer, _CONTEXT, context)
        elif index == 5:
            self._context_info(writer, session if key is None else None)
        elif index == 6:
            current = session if key is None else None
            allowed = client.mechanisms(self._security)
            mechanism = allowed[0] if current is None else current.mechanism
            _object_identifier(writer, _MECHANISM, mechanism)
        elif index == 8:
            writer.enum(_ASSOCIATED if client.associations else _NON_ASSOCIATED)
        else:
            writer.octet_string(_SECURITY_SETUP if client.slot >= 0 else _NO_OBJECT)
        return None

    def select(
        self,
        writer: "Writer",
        key: "Client | None",
        index: int,
        session: "Session | None",
        selection: "Selection",
    ) -> "Iterator[None]":
        """Encode the object list in part: without rights, by class, by object (IEC 62056-62)."""
        selector = selection.selector
        if index != 2 or not _WITHOUT_RIGHTS <= selector <= _BY_OBJECT:
            raise AccessRefused(SCOPE_OF_ACCESS_VIOLATED)
        client = _client(key, session)
        catalogue = self._catalogue
        reader = selection.reader()
        if selector == _WITHOUT_RIGHTS:
            reader.expect(NULL)
            return _object_list(writer, catalogue.visible(client), _all(catalogue, client), None)
        if selector == _BY_CLASS:
            classes = [reader.number(UINT16) for _ in range(reader.array())]
            count = 0
            for _ in _of_classes(catalogue, client, classes):
                count += 1
            return _object_list(writer, count, _of_classes(catalogue, client, classes), None)
        names = [_object_id(reader) for _ in range(reader.array() if selector == _BY_LIST else 1)]
        found = _named(catalogue, client, names)
        return _object_list(writer, len(found), iter(found), client)

    def put(
        self, reader: "Reader", key: "Client | None", index: int, session: "Session | None"
    ) -> None:
        """Set an attribute."""
        client = _client(key, session)
        if client.slot < 0:
            raise AccessRefused(READ_WRITE_DENIED)
        if index == 6:
            mechanism = _read_mechanism(reader)
            if mechanism == MECHANISM_ECDSA and not self._security.suite:
                raise ValueError("signatures need security suite 1")
            self._security.set_mechanism(client.slot, mechanism)
        else:
            secret = reader.octet_string(_SHORTEST_SECRET, _LONGEST_SECRET)
            self._security.settings.put(client.secret, secret)

    def act(
        self, reader: "Reader", key: "Client | None", index: int, session: "Session | None"
    ) -> "bytes | Work":
        """Reply to the challenge: pass 3 of high level security, the answer is pass 4."""
        if session is None or _client(key, session) is not session.client:
            raise AccessRefused(READ_WRITE_DENIED)
        reply = session.reply_to_hls(reader.octet_string(1, _LONGEST_PROOF))
        return _encoded(reply) if isinstance(reply, bytes) else _encoded_later(reply)

    def _context_info(self, writer: "Writer", session: "Session | None") -> None:
        conformance = self._conformance if session is None else session.conformance
        receive_size = self._receive_size if session is None else session.receive_size
        writer.structure(6)
        writer.bit_string(_CONFORMANCE_BITS, conformance.to_bytes(3, "big"))
        writer.uint16(receive_size)
        writer.uint16(receive_size if session is None else session.send_size)
        writer.uint8(_DLMS_VERSION)
        writer.int8(0)  # quality of service
        writer.octet_string(b"")  # no ciphering info


def _encoded(reply: bytes) -> bytes:
    return bytes((OCTET_STRING, len(reply))) + reply


def _encoded_later(work: "Generator[None, None, bytes]") -> "Work":
    reply = yield from work
    return _encoded(reply)


def _client(key: "Client | None", session: "Session | None") -> "Client":
    if key is not None:
        return key
    if session is None:
        raise AccessRefused(OBJECT_UNAVAILABLE)
    return session.client


def _object_identifier(writer: "Writer", arc: int, last: int) -> None:
    """Write a name of the DLMS UA as the structure of its arcs."""
    writer.structure(7)
    for tag, number in _ARCS:
        writer.number(tag, number)
    writer.uint8(arc)
    writer.uint8(last)


def _read_mechanism(reader: "Reader") -> int:
    """Read a mechanism's name, as structure or as octets; 0 stands for any (row SEC-11)."""
    if reader.peek() == OCTET_STRING:
        octets = reader.octet_string(7, 7)
        name = octets[:6]
        mechanism = octets[6]
        if name != _MECHANISM_OCTETS:
            raise ValueError("not the name of a mechanism")
    else:
        reader.structure(7)
        for tag, number in _ARCS:
            if reader.number(tag) != number:
                raise ValueError("not the name of a mechanism")
        if reader.number(UINT8) != _MECHANISM:
            raise ValueError("not the name of a mechanism")
        mechanism = reader.number(UINT8)
    if mechanism and mechanism not in MECHANISMS:
        raise ValueError("this meter does not know the mechanism")
    return mechanism


def _object_id(reader: "Reader") -> tuple[int, bytes]:
    reader.structure(2)
    class_id = reader.number(UINT16)
    return class_id, reader.octet_string(6, 6)


def _all(catalogue: "Catalogue", client: "Client") -> "Iterator[Entry]":
    for entry in catalogue.entries():
        if client.rights(entry[3]) != NO_ACCESS:
            yield entry


def _of_classes(
    catalogue: "Catalogue", client: "Client", classes: "list[int]"
) -> "Iterator[Entry]":
    for entry in _all(catalogue, client):
        if entry[1].CLASS_ID in classes:
            yield entry


def _named(
    catalogue: "Catalogue", client: "Client", names: "list[tuple[int, bytes]]"
) -> "list[Entry]":
    """Return those of the objects that there are and the client may know of."""
    entries: list[Entry] = []
    for class_id, logical_name in names:
        found = catalogue.find(logical_name)
        if found is not None and class_id == found[0].CLASS_ID and client.rights(found[2]):
            entries.append((logical_name, found[0], found[1], found[2]))
    return entries


def _object_list(
    writer: "Writer", count: int, entries: "Iterator[Entry]", client: "Client | None"
) -> "Iterator[None]":
    """Write `count` elements, with the rights of `client`, or without any if that is None."""
    writer.array(count)
    for logical_name, handler, _, group in entries:
        yield
        writer.structure(3 if client is None else 4)
        writer.uint16(handler.CLASS_ID)
        writer.uint8(handler.VERSION)
        writer.octet_string(logical_name)
        if client is not None:
            _access_rights(writer, handler, client.rights(group))


def _access_rights(writer: "Writer", handler: "InterfaceClass", rights: int) -> None:
    writer.structure(2)
    writer.array(len(handler.ATTRIBUTES))
    for index, (_, access) in enumerate(handler.ATTRIBUTES, 1):
        writer.structure(3)
        writer.int8(index)
        writer.enum(access & rights & READ_WRITE)
        writer.null()
    writer.array(len(handler.METHODS))
    for index, access in enumerate(handler.METHODS, 1):
        writer.structure(2)
        writer.int8(index)
        writer.enum(1 if access & rights & EXECUTE else 0)
