"""Parameters of the ports: HDLC of optical head and RS485, TCP with its address."""

from micropython import const

from app.cosem import access
from app.cosem.hdlc_setup import HdlcSetup
from app.cosem.ipv4_setup import Ipv4Setup
from app.cosem.tcp_udp_setup import IPV4_SETUP, TcpUdpSetup

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.cosem.objects import Objects
    from app.port_settings import Ports


def add(objects: "Objects", ports: "Ports") -> None:
    """Add the objects."""
    hdlc = HdlcSetup()
    objects.add((0, 0, 22, 0, 0), hdlc, ports.hdlc_optical, access.SETTINGS)
    objects.add((0, 1, 22, 0, 0), hdlc, ports.hdlc_rs485, access.SETTINGS)
    if ports.tcp is not None:
        objects.add((0, 0, 25, 0, 0), TcpUdpSetup(), ports.tcp, access.SETTINGS)
        objects.add(IPV4_SETUP, Ipv4Setup(), ports.ip_address, access.SETTINGS)
