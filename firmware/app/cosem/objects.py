"""Objects by logical name, and sections of them that are there only while somebody asks.

Most objects of a meter are read once in a while, and what makes them only looks at other parts.
Of a section the names stay; the objects, and the code that they alone need, are made when one of
them is asked for and forgotten when others are.
"""

import sys

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.cosem.base import InterfaceClass, Key

    Found = tuple[InterfaceClass, Key, int]  # class, which of its instances, group
    Find = Callable[[bytes], Found | None]
    Entry = tuple[bytes, InterfaceClass, Key, int]
    Build = Callable[["Objects"], None]

_NAME = const(6)  # octets of a logical name
_OURS = "app."  # modules that may go


class Objects:
    """Single objects, and families of one class; `find` finds any object of the meter."""

    def __init__(self, find: "Find") -> None:
        self.find = find
        self._objects: dict[bytes, Found] = {}
        self._names: list[bytes] = []  # of single objects, in the order of the object list
        self._families: list[tuple[InterfaceClass, bytes, int]] = []

    def add(
        self, obis: "tuple[int, ...]", handler: "InterfaceClass", key: "Key", group: int
    ) -> None:
        """Add one object; `obis` holds A to E, F is 255."""
        logical_name = bytes(obis) + b"\xff"
        self._objects[logical_name] = (handler, key, group)
        self._names.append(logical_name)

    def add_family(self, handler: "InterfaceClass", names: bytes, group: int) -> None:
        """Add objects of one class by their logical names, end to end; keys count from 0."""
        self._families.append((handler, names, group))

    def own(self, logical_name: bytes) -> "Found | None":
        """Return (class, key, group) of one of these, None if it is none of them."""
        found = self._objects.get(logical_name)
        if found is not None:
            return found
        for handler, names, group in self._families:
            place = place_of(logical_name, names)
            if place >= 0:
                return handler, place, group
        return None

    def own_entries(self) -> "Iterator[Entry]":
        """Yield (logical name, class, key, group) of each of these."""
        for logical_name in self._names:
            handler, key, group = self._objects[logical_name]
            yield logical_name, handler, key, group
        for handler, names, group in self._families:
            for at in range(0, len(names), _NAME):
                yield names[at : at + _NAME], handler, at // _NAME, group

    def own_groups(self) -> "Iterator[int]":
        """Yield the group of each of these, in no order."""
        for _, _, group in self._objects.values():
            yield group
        for _, names, group in self._families:
            for _ in range(0, len(names), _NAME):
                yield group


class Section:
    """Objects that `build` adds, the same each time."""

    def __init__(self, build: "Build", find: "Find") -> None:
        self._build = build
        self._find = find
        self._modules: list[str] = []  # that were imported for the objects
        made = self.open()
        self.names = b"".join([entry[0] for entry in made.own_entries()])
        self.groups = bytes(made.own_groups())
        self.close()

    def open(self) -> Objects:
        """Make the objects; of what there was no memory for, nothing stays."""
        before = set(sys.modules)
        made = Objects(self._find)
        complete = False
        try:
            self._build(made)
            complete = True
        finally:
            self._modules = [
                name for name in sys.modules if name not in before and name.startswith(_OURS)
            ]
            if not complete:
                self.close()
        return made

    def close(self) -> None:
        """Let go what the objects needed; who still holds one of them keeps it."""
        for name in self._modules:
            if sys.modules.pop(name, None) is not None:
                package, _, module = name.rpartition(".")
                if package in sys.modules:
                    delattr(sys.modules[package], module)
        self._modules = []


def place_of(logical_name: bytes, names: bytes) -> int:
    """Return the place of a name among others that stand end to end, -1 if it is none of them."""
    at = names.find(logical_name)
    while at % _NAME and at >= 0:  # octets of two names that look like one
        at = names.find(logical_name, at + 1)
    return at // _NAME if at >= 0 else -1
