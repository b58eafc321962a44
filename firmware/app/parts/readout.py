"""IEC 62056-21 at the optical head: data read-out, programming, and the way on to HDLC."""

from micropython import const

from app import factory
from app.dlms.server import MAX_PDU
from app.transport.hdlc import HdlcLink
from app.transport.iec62056_21 import Session
from app.transport.optical_link import OpticalLink

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.attributes import Resolver
    from app.cosem.catalogue import Catalogue
    from app.cosem.objects import Build, Objects
    from app.identification import Identification
    from app.port_settings import Ports
    from app.security import Security
    from app.settings import Settings
    from app.transport.channel import Channel
    from app.transport.programming import Commands
    from hal import Board

    class Meter(Protocol):
        """What this stands on, and what opens the optical head."""

        board: Board
        catalogue: Catalogue
        identification: Identification
        open_optical: Callable[[Channel], OpticalLink]
        ports: Ports
        readout_list: bytes
        resolver: Resolver
        security: Security
        settings: Settings


def fit(meter: "Meter") -> "tuple[Build, ...]":
    """Let the optical head listen to both protocols."""
    meter.readout_list = factory.readout_list(meter.board.variant)
    meter.open_optical = lambda channel: _link(meter, channel)

    def port(objects: "Objects") -> None:
        from app.cosem import local_port_setup

        local_port_setup.add(objects, meter.ports.optical)

    return (port,)


def join(meter: "Meter") -> None:
    """Nobody else has to know."""


def _link(meter: "Meter", channel: "Channel") -> OpticalLink:
    ports = meter.ports
    session = Session(
        ports.optical,
        ports.hdlc_optical,
        b"Ferraris-%d" % meter.identification.device_type,
        lambda: _commands(meter),
        lambda: meter.settings.get("readout_list") or meter.readout_list,
    )
    link = HdlcLink(channel, ports.hdlc_optical, MAX_PDU)
    return OpticalLink(meter.board.optical, session, link)


def _commands(meter: "Meter") -> "Commands":
    """Make what reads and writes in the optical head's own protocol, at its first use."""
    from app.transport.data_sets import DataSets
    from app.transport.programming import Commands

    data = DataSets(meter.resolver, meter.catalogue.find)
    return Commands(meter.ports.optical, data, meter.security)
