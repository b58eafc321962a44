"""The catalogue: every COSEM instance of this meter, by logical name.

Single objects stand in a dictionary; registers are found through their files, so that hundreds of
them cost no entry each, and families of objects in the row of their names. What is asked for
once in a while stands in sections, which are made when one of their objects is. `build` adds what
every meter has; it also gives the resolver its way to find objects.
"""

import struct

from micropython import const

from app.axdr import UINT32
from app.cosem import access, security_setup
from app.cosem.association_ln import AssociationLn
from app.cosem.base import NO_ACCESS, READ_WRITE
from app.cosem.clock import Clock
from app.cosem.data import Data
from app.cosem.display_list import DisplayList
from app.cosem.objects import Objects, Section, place_of
from app.cosem.profile_generic import ProfileGeneric
from app.cosem.register import Register
from app.cosem.sap_assignment import SapAssignment
from app.cosem.values import Octets, Simple
from app.security import GBEK, GUEK

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import app.clock
    from app.attributes import Resolver
    from app.cosem.access import Client
    from app.cosem.base import InterfaceClass
    from app.cosem.objects import Build, Entry, Find, Found
    from app.cosem.register import File
    from app.identification import Identification
    from app.port_settings import Ports
    from app.registers import RegisterFile
    from app.security import Security
    from app.settings import Settings
    from hal import Variant

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


class Parts:
    """What the objects stand on; app.meter fills it in once."""

    def __init__(
        self,
        registers: "RegisterFile",
        clock: "app.clock.Clock",
        settings: "Settings",
        identification: "Identification",
        variant: "Variant",
        security: "Security",
    ) -> None:
        self.registers = registers
        self.clock = clock
        self.settings = settings
        self.identification = identification
        self.variant = variant
        self.security = security
        self.general_list = b"\x01\x00"  # factory lists as attribute 3 of class 7 is encoded
        self.alternate_list = b"\x01\x00"
        self.readout_list = b"\x01\x00"  # empty: there is none
        self.ports: Ports | None = None
        self.measuring_period_s: Callable[[], int] = lambda: 900


def build(parts: Parts, resolver: "Resolver", conformance: int, receive_size: int) -> Catalogue:
    """Return the catalogue of this meter and bind the resolver to it."""
    catalogue = Catalogue(access.make_clients())
    _add_association_objects(catalogue, parts, conformance, receive_size)
    _add_clock(catalogue, parts)
    for section in (_security, _identification, _ports):
        catalogue.add_section(lambda objects, section=section: section(objects, parts))
    lists = ProfileGeneric(parts.clock, READ_WRITE)
    for e, setting, factory_list in (
        (0, "readout_list", parts.readout_list),
        (1, "general_list", parts.general_list),
        (2, "alternate_list", parts.alternate_list),
    ):
        if factory_list:
            key = DisplayList(resolver, parts.settings, setting, factory_list)
            catalogue.add((0, 0, 21, 0, e), lists, key, access.SETTINGS)
    catalogue.add_file(parts.registers, access.READINGS)
    resolver.bind(catalogue.find, access.SECURITY)
    return catalogue


def _add_association_objects(
    catalogue: Catalogue, parts: Parts, conformance: int, receive_size: int
) -> None:
    data = Data()
    name = parts.identification.logical_device_name()
    association = AssociationLn(catalogue, parts.security, conformance, receive_size)
    catalogue.add((0, 0, 40, 0, 0), association, None, access.CURRENT_ASSOCIATION)
    for client in catalogue.clients:
        catalogue.add((0, 0, 40, 0, client.instance), association, client, client.group)
    catalogue.add((0, 0, 41, 0, 0), SapAssignment(name), None, access.FACTS)
    catalogue.add((0, 0, 42, 0, 0), data, Octets(lambda: name), access.FACTS)
    security = parts.security
    setup = (0, 0, 43, 0, 0)
    catalogue.add(setup, security_setup.of_profile(security), None, access.SECURITY)
    security.on_profile = lambda: catalogue.exchange(setup, security_setup.of_profile(security))
    counter = Simple(UINT32, lambda: security.counters.last(GUEK))  # row SEC-34
    catalogue.add((0, 0, 43, 1, 0), data, counter, access.FACTS)
    counter = Simple(UINT32, lambda: security.counters.last(GBEK))
    catalogue.add((0, 0, 43, 1, 1), data, counter, access.READINGS)


def _add_clock(catalogue: Catalogue, parts: Parts) -> None:
    data = Data()
    clock = parts.clock
    catalogue.add((0, 0, 1, 0, 0), Clock(clock, parts.measuring_period_s), None, access.CLOCK)
    # row CLK-08: hour, minute, second, hundredths; year (2), month, day, weekday
    time = Octets(lambda: bytes(clock.local()[4:7] + (clock.hundredths(),)))
    catalogue.add((1, 0, 0, 9, 1), data, time, access.READINGS)
    date = Octets(lambda: struct.pack(">HBBB", *clock.local()[:4]))
    catalogue.add((1, 0, 0, 9, 2), data, date, access.READINGS)


def _security(objects: Objects, parts: Parts) -> None:
    from app.cosem import security_values

    security_values.add(objects, parts.security)


def _identification(objects: Objects, parts: Parts) -> None:
    from app.cosem import identification_values

    identification_values.add(objects, parts)


def _ports(objects: Objects, parts: Parts) -> None:
    if parts.ports is not None:
        from app.cosem import port_objects

        port_objects.add(objects, parts.ports)
