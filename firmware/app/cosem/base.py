"""What all interface classes share: the tables and the checks that follow from them.

A handler is one object for all instances of its class. `read`, `write` and `execute` are the way
in for the services and the resolver; they check the index and the type against the tables and call
`get`, `put` and `act`, which a class fills in. Attribute 1, the logical name, is answered by the
caller, who has it. A large value is made in parts: `get` then returns a generator that writes one
part, of at most PART_SIZE octets, at each step, so that no list or buffer lies in RAM whole.
"""

from micropython import const

from app.attributes import OBJECT_UNDEFINED, READ_WRITE_DENIED, SCOPE_OF_ACCESS_VIOLATED
from app.axdr import Reader
from app.errors import AccessRefused, TypeUnmatched

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any

    from app.axdr import Writer

    # what a handler makes of its instances, and the association that asks, differ by class
    Key = Any
    Session = Any
    # what a method that takes long does step by step; its value is what the method returns
    Work = Generator[None, None, bytes | None]
    AttributeRow = tuple[int, int]  # A-XDR tag or CHOICE, access

# Access of an attribute as attribute_access_descriptor counts it; EXECUTE is for methods
NO_ACCESS = const(0)
READ = const(1)
WRITE = const(2)
READ_WRITE = const(3)
EXECUTE = const(4)

CHOICE = const(-1)  # type of an attribute whose instances differ
PART_SIZE = const(256)


class Selection:
    """Which part of an attribute a client wants: selective access, IEC 62056-62 4.1.3."""

    def __init__(self, selector: int, parameters: bytes) -> None:
        self.selector = selector  # what it means is the class's business
        self._parameters = parameters  # one A-XDR value; its form has been checked

    def reader(self) -> Reader:
        """Return the parameters, from their beginning."""
        return Reader(self._parameters)


class InterfaceClass:
    """One interface class; a subclass adds its tables and what they mean.

    Attributes and methods count from 1. Index and name of each stand behind its row as a comment,
    from which tools/objects.py takes them: the meter itself needs no names.
    """

    CLASS_ID: int = 0
    VERSION: int = 0
    ATTRIBUTES: "tuple[AttributeRow, ...]" = ()
    METHODS: "tuple[int, ...]" = ()  # access of each

    def read(
        self,
        writer: "Writer",
        key: "Key",
        index: int,
        session: "Session",
        selection: "Selection | None" = None,
    ) -> "Iterator[None] | None":
        """Encode attribute `index` (2 or more), or return a generator that does it in parts.

        Raises AccessRefused if there is no such attribute or it is not readable, BufferFull; and
        what `select` raises.
        """
        if not 2 <= index <= len(self.ATTRIBUTES):
            raise AccessRefused(OBJECT_UNDEFINED)
        if not self.ATTRIBUTES[index - 1][1] & READ:
            raise AccessRefused(READ_WRITE_DENIED)
        if selection is not None:
            return self.select(writer, key, index, session, selection)
        return self.get(writer, key, index, session)

    def write(self, reader: "Reader", key: "Key", index: int, session: "Session") -> None:
        """Set attribute `index` from the value at the reader's place.

        Raises AccessRefused, TypeUnmatched, EncodingError or ValueError if the value is out of
        range, OSError if it could not be stored; the old value stays then.
        """
        if not 1 <= index <= len(self.ATTRIBUTES):
            raise AccessRefused(OBJECT_UNDEFINED)
        tag, access = self.ATTRIBUTES[index - 1]
        if not access & WRITE:
            raise AccessRefused(READ_WRITE_DENIED)
        if tag not in (CHOICE, reader.peek()):
            raise TypeUnmatched
        self.put(reader, key, index, session)

    def execute(
        self, reader: "Reader", key: "Key", index: int, session: "Session"
    ) -> "bytes | Work | None":
        """Invoke method `index` with the parameter at the reader's place; errors as `write`.

        Returns the encoded return value, None if the method has none; or, if it takes long, a
        generator that has read the parameter and does the rest, which ends with the same.
        """
        if not 1 <= index <= len(self.METHODS):
            raise AccessRefused(OBJECT_UNDEFINED)
        if not self.METHODS[index - 1]:
            raise AccessRefused(READ_WRITE_DENIED)
        return self.act(reader, key, index, session)

    def get(
        self, writer: "Writer", key: "Key", index: int, session: "Session"
    ) -> "Iterator[None] | None":
        """Encode a readable attribute of the table."""
        raise AccessRefused(READ_WRITE_DENIED)

    def select(
        self,
        writer: "Writer",
        key: "Key",
        index: int,
        session: "Session",
        selection: Selection,
    ) -> "Iterator[None] | None":
        """Encode the selected part of a readable attribute of the table.

        Raises AccessRefused where a class has no such selector, EncodingError or ValueError if
        its parameters are wrong. The parameters outlast the request, so a generator may read them.
        """
        raise AccessRefused(SCOPE_OF_ACCESS_VIOLATED)

    def put(self, reader: "Reader", key: "Key", index: int, session: "Session") -> None:
        """Set a writable attribute of the table; the tag has been checked."""
        raise AccessRefused(READ_WRITE_DENIED)

    def act(
        self, reader: "Reader", key: "Key", index: int, session: "Session"
    ) -> "bytes | Work | None":
        """Invoke a method of the table that is accessible."""
        raise AccessRefused(READ_WRITE_DENIED)
