"""References to attributes and methods, and the one resolver behind them.

Display lists, profiles, scripts and monitors stand below the COSEM objects and name what they
need by a Reference: class, logical name, attribute or method. The catalogue gives the resolver its
way to find an object when the meter is built, so nothing below imports the objects and nothing
keeps a second list of what the meter can read. The meter itself asks here: no access right of any
client applies.
"""

from micropython import const

from app import axdr
from app.errors import AccessRefused, TypeUnmatched

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Any, Protocol

    from hal import Buffer

    Key = Any
    Session = Any

    class InterfaceObject(Protocol):
        """What a class of app.cosem offers; `key` tells which of its instances is meant."""

        CLASS_ID: int

        def read(  # noqa: D102
            self, writer: axdr.Writer, key: Key, index: int, session: Session
        ) -> "Iterator[None] | None": ...
        def write(  # noqa: D102
            self, reader: axdr.Reader, key: Key, index: int, session: Session
        ) -> None: ...
        def execute(  # noqa: D102
            self, reader: axdr.Reader, key: Key, index: int, session: Session
        ) -> "bytes | Generator[None, None, bytes | None] | None": ...

    Find = Callable[[bytes], "tuple[InterfaceObject, Key, int] | None"]

# data-access-result and action-result, IEC 62056-53
SUCCESS = const(0)
HARDWARE_FAULT = const(1)
TEMPORARY_FAILURE = const(2)
READ_WRITE_DENIED = const(3)
OBJECT_UNDEFINED = const(4)
OBJECT_CLASS_INCONSISTENT = const(9)
OBJECT_UNAVAILABLE = const(11)
TYPE_UNMATCHED = const(12)
SCOPE_OF_ACCESS_VIOLATED = const(13)
OTHER_REASON = const(250)

_LARGEST_VALUE = const(256)  # octets of an encoded attribute that a list or profile may hold


class Reference:
    """Names one attribute or method of one object."""

    def __init__(self, class_id: int, logical_name: bytes, index: int) -> None:
        self.class_id = class_id
        self.logical_name = logical_name
        self.index = index

    def __repr__(self) -> str:
        a, b, c, d, e, f = self.logical_name
        return f"{self.class_id}/{a}-{b}:{c}.{d}.{e}.{f}/{self.index}"


class Resolver:
    """Reads, writes and executes what a Reference names."""

    def __init__(self) -> None:
        self._find: Find | None = None
        self._withheld = -1  # group of objects that are read into no list
        self._scratch = bytearray(_LARGEST_VALUE)

    def bind(self, find: "Find", withheld: int = -1) -> None:
        """Called once by the catalogue: `find(logical_name)` gives (class, key, group) or None.

        Objects of the group `withheld` are not read: who reads a list may have no right to them.
        """
        self._find = find
        self._withheld = withheld

    def _object(self, reference: Reference) -> "tuple[InterfaceObject, Key, int]":
        found = None if self._find is None else self._find(reference.logical_name)
        if found is None:
            raise AccessRefused(OBJECT_UNDEFINED)
        if reference.class_id != found[0].CLASS_ID:
            raise AccessRefused(OBJECT_CLASS_INCONSISTENT)
        return found

    def read_into(self, reference: Reference, writer: "axdr.Writer") -> None:
        """Encode the attribute at the writer's place.

        Raises AccessRefused if there is no such attribute, or if it is a buffer or list that is
        made in parts: such a value belongs into no list. Raises BufferFull if it does not fit.
        """
        handler, key, group = self._object(reference)
        if reference.index == 1:
            writer.octet_string(reference.logical_name)
        elif group == self._withheld:
            raise AccessRefused(READ_WRITE_DENIED)
        elif handler.read(writer, key, reference.index, None) is not None:
            raise AccessRefused(SCOPE_OF_ACCESS_VIOLATED)

    def read_element(self, reference: Reference, data_index: int, writer: "axdr.Writer") -> None:
        """Encode element `data_index` of an attribute, the first is 1; 0 is the whole attribute.

        Raises TypeUnmatched if it has no elements; other errors as `read_into`.
        """
        if data_index == 0:
            self.read_into(reference, writer)
            return
        whole = axdr.Writer(self._scratch)
        self.read_into(reference, whole)
        reader = axdr.Reader(self._scratch, 0, whole.at)
        if reader.octet() not in (axdr.STRUCTURE, axdr.ARRAY):
            raise TypeUnmatched
        if data_index > reader.length():
            raise AccessRefused(OBJECT_UNDEFINED)
        for _ in range(data_index - 1):
            reader.skip()
        start = reader.at
        reader.skip()
        writer.raw(memoryview(self._scratch)[start : reader.at])

    def read(self, reference: Reference) -> "axdr.Value":
        """Return the attribute's value as a pair (A-XDR tag, value); errors as `read_into`."""
        writer = axdr.Writer(self._scratch)
        self.read_into(reference, writer)
        return axdr.Reader(self._scratch, 0, writer.at).data()

    def write(self, reference: Reference, encoded: "Buffer") -> None:
        """Set the attribute to an A-XDR value. Raises AccessRefused or EncodingError."""
        handler, key, _ = self._object(reference)
        handler.write(axdr.Reader(encoded), key, reference.index, None)

    def execute(self, reference: Reference, encoded: "Buffer") -> None:
        """Invoke the method with an A-XDR parameter. Raises AccessRefused or EncodingError."""
        handler, key, _ = self._object(reference)
        returned = handler.execute(axdr.Reader(encoded), key, reference.index, None)
        if returned is not None and not isinstance(returned, bytes):
            raise AccessRefused(SCOPE_OF_ACCESS_VIOLATED)  # takes long: not for scripts
