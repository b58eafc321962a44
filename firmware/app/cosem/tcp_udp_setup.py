"""Interface class 41, TCP-UDP setup, over the settings of COSEM over TCP (rows TCP-03 to TCP-05).

The key of the one instance is app.port_settings.TcpSettings. The port changes when the link starts
anew; number of connections and inactivity time-out hold for connections opened from now on.
"""

from micropython import const

from app.axdr import OCTET_STRING, UINT8, UINT16
from app.cosem.base import READ, READ_WRITE, InterfaceClass

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.axdr import Reader, Writer
    from app.cosem.base import Session
    from app.port_settings import TcpSettings

IPV4_SETUP = (0, 0, 25, 1, 0)  # IP_reference: the object that holds the address

# Attribute 2 to 6: field of the settings
_FIELDS = ("port", "", "segment_size", "clients_max", "inactivity_s")
_PORT = const(2)
_IP_REFERENCE = const(3)


class TcpUdpSetup(InterfaceClass):
    """TCP-UDP setup, version 0; there is no UDP (row TCP-06)."""

    CLASS_ID = 41
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (UINT16, READ_WRITE),  # 2 TCP-UDP_port
        (OCTET_STRING, READ),  # 3 IP_reference
        # of the network stack:
        (UINT16, READ),  # 4 MSS
        (UINT8, READ_WRITE),  # 5 nb_of_sim_conn
        (UINT16, READ_WRITE),  # 6 inactivity_time_out
    )

    def get(self, writer: "Writer", key: "TcpSettings", index: int, session: "Session") -> None:
        """Encode an attribute."""
        if index == _IP_REFERENCE:
            writer.octet_string(bytes(IPV4_SETUP) + b"\xff")
        else:
            writer.number(self.ATTRIBUTES[index - 1][0], getattr(key, _FIELDS[index - 2]))

    def put(self, reader: "Reader", key: "TcpSettings", index: int, session: "Session") -> None:
        """Set an attribute."""
        value = reader.number(self.ATTRIBUTES[index - 1][0])
        if index == _PORT:
            key.set_port(value)
        else:
            key.set(_FIELDS[index - 2], value)
