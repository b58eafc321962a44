"""The catalogue: every COSEM instance of this meter, by logical name.

Single objects stand in a dictionary; registers are found through their files, so that hundreds of
them cost no entry each, and families of objects in the row of their names. What is asked for
once in a while stands in sections, which are made when one of their objects is.
"""

from micropython import const

from app.cosem.base import NO_ACCESS
from app.cosem.objects import Objects, Section, place_of
from app.cosem.register import Register

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.cosem.access import Client
    from app.cosem.base import InterfaceClass
    from app.cosem.objects import Build, Entry, Find, Found
    from app.cosem.register import File

_F = const(255)
_PAST_MOST = const(12)
_OPEN_MOST = const(3)  # sections whose objects are there at a time
_ELECTRICITY = const(1)  # value group A of the registers


class Catalogue(Objects):
    """All instances, and the clients that may see them."""

    def __init__(self, clients: "tuple[Client, ...]") -> None:
        super().__init__(self._found)
        self.clients = clients
        self._files: list[tuple[InterfaceClass, File, int]] = []
        self.past: Find | None = None  # finds objects of which F is 1 to 12
        self._sections: list[Section] = []
        self._open: list[tuple[Section, Objects]] = []  # the one that was asked last is last

    def exchange(self, obis: "tuple[int, ...]", handler: "InterfaceClass") -> None:
        """Show an object as another version of its class from now on."""
        logical_name = bytes(obis) + b"\xff"
        _, key, group = self._objects[logical_name]
        self._objects[logical_name] = (handler, key, group)

    def add_file(self, file: "File", group: int, handler: "InterfaceClass | None" = None) -> None:
        """Add all registers of a file as objects 1-0:C.D.E.255, of class 3 unless `handler`."""
        self._files.append((handler or Register(file), file, group))

    def add_section(self, build: "Build") -> None:
        """Add objects that are made by `build`, each time that they are asked for."""
        self._sections.append(Section(build, self.find))

    def _found(self, logical_name: bytes) -> "Found | None":
        """Return (class, key, group) of an object, None if the meter has no such object."""
        found = self.own(logical_name)
        if found is not None:
            return found
        a, b, c, d, e, f = logical_name
        if f <= _PAST_MOST and self.past is not None:
            return self.past(logical_name)
        if a == _ELECTRICITY and b == 0 and f == _F:
            for register, file, group in self._files:
                index = file.find(c, d, e)
                if index >= 0:
                    return register, index, group
        for section in self._sections:
            if place_of(logical_name, section.names) >= 0:
                return self._opened(section).own(logical_name)
        return None

    def _opened(self, section: Section) -> Objects:
        """Return the objects of a section, and forget those that were not asked for longest."""
        for place, pair in enumerate(self._open):
            if pair[0] is section:
                self._open.append(self._open.pop(place))
                return pair[1]
        if len(self._open) >= _OPEN_MOST:
            self._open.pop(0)[0].close()
        made = section.open()
        self._open.append((section, made))
        return made

    def entries(self) -> "Iterator[Entry]":
        """Yield (logical name, class, key, group) of every object."""
        yield from self.own_entries()
        for register, file, group in self._files:
            for index in range(file.count):
                c, d, e = file.obis(index)
                yield bytes((_ELECTRICITY, 0, c, d, e, _F)), register, index, group
        for section in self._sections:
            yield from self._opened(section).own_entries()

    def visible(self, client: "Client") -> int:
        """Return how many objects the client has any right to."""
        count = 0
        for group in self.own_groups():
            count += client.rights(group) != NO_ACCESS
        for _, file, group in self._files:
            if client.rights(group):
                count += file.count
        for section in self._sections:
            for group in section.groups:
                count += client.rights(group) != NO_ACCESS
        return count

    def client(self, sap: int) -> "Client | None":
        """Return the client with this SAP, None if the meter does not know it."""
        for client in self.clients:
            if client.sap == sap:
                return client
        return None
