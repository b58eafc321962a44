"""The objects of every meter that a client reads: the way in, security, time, names, readings."""

from micropython import const

from app.axdr import UINT32
from app.cosem import access, security_setup
from app.cosem.association_ln import AssociationLn
from app.cosem.base import READ_WRITE
from app.cosem.catalogue import Catalogue
from app.cosem.clock import Clock
from app.cosem.data import Data
from app.cosem.display_list import DisplayList
from app.cosem.profile_generic import ProfileGeneric
from app.cosem.sap_assignment import SapAssignment
from app.cosem.values import Octets, Simple
from app.security import GBEK, GUEK

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    import app.clock
    from app.attributes import Resolver
    from app.cosem.objects import Objects
    from app.identification import Identification
    from app.port_settings import Ports
    from app.registers import RegisterFile
    from app.security import Security
    from app.settings import Settings
    from hal import Variant


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
    catalogue.add(
        (0, 0, 1, 0, 0), Clock(parts.clock, parts.measuring_period_s), None, access.CLOCK
    )
    data = Data()
    catalogue.add((1, 0, 0, 9, 1), data, Octets(parts.clock.time), access.READINGS)
    catalogue.add((1, 0, 0, 9, 2), data, Octets(parts.clock.date), access.READINGS)
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


def _security(objects: "Objects", parts: Parts) -> None:
    from app.cosem import security_values

    security_values.add(objects, parts.security)


def _identification(objects: "Objects", parts: Parts) -> None:
    from app.cosem import identification_values

    ports = parts.ports
    identification_values.add(
        objects,
        parts.identification,
        parts.settings,
        parts.variant,
        None if ports is None else ports.optical,
    )


def _ports(objects: "Objects", parts: Parts) -> None:
    if parts.ports is not None:
        from app.cosem import port_objects

        port_objects.add(objects, parts.ports)
