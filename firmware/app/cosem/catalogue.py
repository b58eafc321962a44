"""The catalogue: every COSEM instance of this meter, by logical name.

Single objects stand in a dictionary; registers are found through their files, so that hundreds of
them cost no entry each, and families of objects in the row of their names. `build` is the table of
all instances; it also gives the resolver its way to find objects.
"""

import struct

from micropython import const

import version
from app.axdr import OCTET_STRING, UINT16, UINT32
from app.cosem import access, security_setup, security_values
from app.cosem.association_ln import AssociationLn
from app.cosem.base import READ_WRITE
from app.cosem.clock import Clock
from app.cosem.data import Data
from app.cosem.display_list import DisplayList
from app.cosem.hdlc_setup import HdlcSetup
from app.cosem.ipv4_setup import Ipv4Setup
from app.cosem.local_port_setup import LocalPortSetup
from app.cosem.profile_generic import ProfileGeneric
from app.cosem.register import Register
from app.cosem.sap_assignment import SapAssignment
from app.cosem.tcp_udp_setup import IPV4_SETUP, TcpUdpSetup
from app.cosem.values import DeviceId, Octets, Simple, Structure
from app.security import GBEK, GUEK

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import app.clock
    from app.attributes import Resolver
    from app.cosem.access import Client
    from app.cosem.base import InterfaceClass, Key
    from app.cosem.register import File
    from app.identification import Identification
    from app.port_settings import Ports
    from app.registers import RegisterFile
    from app.security import Security
    from app.settings import Settings
    from hal import Variant

    Past = Callable[[bytes], tuple[InterfaceClass, Key, int] | None]
    Entry = tuple[bytes, InterfaceClass, Key, int]

_F = const(255)
_PAST_MOST = const(12)
_NAME = const(6)  # octets of a logical name
_ELECTRICITY = const(1)  # value group A of the registers
_DEVICE_IDS = const(9)
_DEVICE_NUMBER = const(8)  # digits


class Catalogue:
    """All instances, and the clients that may see them."""

    def __init__(self, clients: "tuple[Client, ...]") -> None:
        self.clients = clients
        self._objects: dict[bytes, tuple[InterfaceClass, Key, int]] = {}
        self._names: list[bytes] = []  # of single objects, in the order of the object list
        self._files: list[tuple[InterfaceClass, File, int]] = []
        self.past: Past | None = None  # finds objects of which F is 1 to 12
        self._families: list[tuple[InterfaceClass, bytes, int]] = []

    def add(
        self, obis: "tuple[int, ...]", handler: "InterfaceClass", key: "Key", group: int
    ) -> None:
        """Add one object; `obis` holds A to E, F is 255."""
        logical_name = bytes(obis) + b"\xff"
        self._objects[logical_name] = (handler, key, group)
        self._names.append(logical_name)

    def exchange(self, obis: "tuple[int, ...]", handler: "InterfaceClass") -> None:
        """Show an object as another version of its class from now on."""
        logical_name = bytes(obis) + b"\xff"
        _, key, group = self._objects[logical_name]
        self._objects[logical_name] = (handler, key, group)

    def add_file(self, file: "File", group: int, handler: "InterfaceClass | None" = None) -> None:
        """Add all registers of a file as objects 1-0:C.D.E.255, of class 3 unless `handler`."""
        self._files.append((handler or Register(file), file, group))

    def add_family(self, handler: "InterfaceClass", names: bytes, group: int) -> None:
        """Add objects of one class by their logical names, end to end; keys count from 0."""
        self._families.append((handler, names, group))

    def find(self, logical_name: bytes) -> "tuple[InterfaceClass, Key, int] | None":
        """Return (class, key, group) of an object, None if the meter has no such object."""
        found = self._objects.get(logical_name)
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
        for handler, names, group in self._families:
            at = names.find(logical_name)
            while at % _NAME and at >= 0:  # octets of two names that look like one
                at = names.find(logical_name, at + 1)
            if at >= 0:
                return handler, at // _NAME, group
        return None

    def entries(self) -> "Iterator[Entry]":
        """Yield (logical name, class, key, group) of every object."""
        for logical_name in self._names:
            handler, key, group = self._objects[logical_name]
            yield logical_name, handler, key, group
        for register, file, group in self._files:
            for index in range(file.count):
                c, d, e = file.obis(index)
                yield bytes((_ELECTRICITY, 0, c, d, e, _F)), register, index, group
        for handler, names, group in self._families:
            for at in range(0, len(names), _NAME):
                yield names[at : at + _NAME], handler, at // _NAME, group

    def visible(self, client: "Client") -> int:
        """Return how many objects the client has any right to."""
        count = 0
        for _, _, group in self._objects.values():
            if client.rights(group):
                count += 1
        for _, file, group in self._files:
            if client.rights(group):
                count += file.count
        for _, names, group in self._families:
            if client.rights(group):
                count += len(names) // _NAME
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
        self.readout_list = b"\x01\x00"
        self.ports: Ports | None = None
        self.measuring_period_s: Callable[[], int] = lambda: 900


def build(parts: Parts, resolver: "Resolver", conformance: int, receive_size: int) -> Catalogue:
    """Return the catalogue of this meter and bind the resolver to it."""
    catalogue = Catalogue(access.make_clients())
    _add_association_objects(catalogue, parts, conformance, receive_size)
    _add_identification(catalogue, parts)
    _add_clock(catalogue, parts)
    if parts.ports is not None:
        _add_ports(catalogue, parts.ports)
    lists = ProfileGeneric(parts.clock, READ_WRITE)
    for e, setting, factory_list in (
        (0, "readout_list", parts.readout_list),
        (1, "general_list", parts.general_list),
        (2, "alternate_list", parts.alternate_list),
    ):
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
    security_values.add(catalogue, security)


def _add_identification(catalogue: Catalogue, parts: Parts) -> None:
    data = Data()
    identification = parts.identification
    optical = None if parts.ports is None else parts.ports.optical

    def device_number() -> bytes:
        return parts.settings.get("device_number") or identification.serial_number()

    def set_device_number(number: bytes) -> None:
        """Take over what stands on the label; the optical head answers to it (row IDN-03)."""
        if not number.isdigit():
            raise ValueError("a device number has 8 digits")
        parts.settings.put("device_number", number)
        if optical is not None:
            optical.set_device_address(number)

    number = Octets(device_number, set_device_number, _DEVICE_NUMBER, _DEVICE_NUMBER)
    catalogue.add((1, 0, 0, 0, 0), data, number, access.SETTINGS)
    catalogue.add((0, 0, 96, 1, 20), data, Octets(identification.eui_64), access.READINGS)
    variant = parts.variant  # how the meter was built (row MET-01)
    built = Structure(
        (OCTET_STRING, UINT16, UINT16, UINT16),
        lambda: (
            variant.name.encode(),
            variant.phases,
            variant.nominal_voltage_v,
            variant.nominal_frequency_hz,
        ),
    )
    catalogue.add((0, 0, 128, 0, 0), data, built, access.READINGS)
    for e in range(_DEVICE_IDS):
        group = access.SETTINGS if e else access.READINGS  # the serial number is production's
        catalogue.add((0, 0, 96, 1, e), data, DeviceId(identification, e), group)
    for b, tag, release in ((0, "ME", version.METROLOGY), (1, "AP", version.APPLICATION)):
        firmware = firmware_identification(tag, identification.device_type, release)
        value = Octets(lambda firmware=firmware: firmware)
        catalogue.add((1, b, 0, 2, 0), data, value, access.READINGS)


def _add_clock(catalogue: Catalogue, parts: Parts) -> None:
    data = Data()
    clock = parts.clock
    catalogue.add((0, 0, 1, 0, 0), Clock(clock, parts.measuring_period_s), None, access.CLOCK)
    # row CLK-08: hour, minute, second, hundredths; year (2), month, day, weekday
    time = Octets(lambda: bytes(clock.local()[4:7] + (clock.hundredths(),)))
    catalogue.add((1, 0, 0, 9, 1), data, time, access.READINGS)
    date = Octets(lambda: struct.pack(">HBBB", *clock.local()[:4]))
    catalogue.add((1, 0, 0, 9, 2), data, date, access.READINGS)


def _add_ports(catalogue: Catalogue, ports: "Ports") -> None:
    hdlc = HdlcSetup()
    catalogue.add((0, 0, 20, 0, 0), LocalPortSetup(), ports.optical, access.SECURITY)
    catalogue.add((0, 0, 22, 0, 0), hdlc, ports.hdlc_optical, access.SETTINGS)
    catalogue.add((0, 1, 22, 0, 0), hdlc, ports.hdlc_rs485, access.SETTINGS)
    if ports.tcp is not None:
        catalogue.add((0, 0, 25, 0, 0), TcpUdpSetup(), ports.tcp, access.SETTINGS)
        catalogue.add(IPV4_SETUP, Ipv4Setup(), ports.ip_address, access.SETTINGS)


def firmware_identification(tag: str, device_type: int, release: str) -> bytes:
    """Return 16 ASCII octets: maker 3, tag 2, type 5, revision 6 as M, mmm, bb (row IDN-06)."""
    major, minor, build = (int(number) for number in release.split("."))
    return b"FRS%sIP%03d%d%03d%02d" % (tag.encode(), device_type, major, minor, build)
