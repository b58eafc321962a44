"""Interface class 42, IPv4 setup: the meter's own address on its network (row TCP-08).

The key of the one instance is the address in dotted notation, or "" where there is none. It comes
from the board's network, so nothing here can be written.
"""

from micropython import const

from app.axdr import ARRAY, BOOLEAN, OCTET_STRING, UINT32
from app.cosem.base import READ, InterfaceClass

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.axdr import Writer
    from app.cosem.base import Session

_NO_REFERENCE = bytes(6)
_IP_ADDRESS = const(3)
_DHCP = const(8)


class Ipv4Setup(InterfaceClass):
    """IPv4 setup, version 0."""

    CLASS_ID = 42
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (OCTET_STRING, READ),  # 2 DL_reference
        (UINT32, READ),  # 3 IP_address
        (ARRAY, READ),  # 4 multicast_IP_address
        (ARRAY, READ),  # 5 IP_options
        (UINT32, READ),  # 6 subnet_mask
        (UINT32, READ),  # 7 gateway_IP_address
        (BOOLEAN, READ),  # 8 use_DHCP_flag
        (UINT32, READ),  # 9 primary_DNS_address
        (UINT32, READ),  # 10 secondary_DNS_address
    )
    METHODS = (
        0,  # 1 add_mc_IP_address
        0,  # 2 delete_mc_IP_address
        0,  # 3 get_nbof_mc_IP_addresses
    )

    def get(self, writer: "Writer", key: str, index: int, session: "Session") -> None:
        """Encode an attribute."""
        tag = self.ATTRIBUTES[index - 1][0]
        if tag == OCTET_STRING:
            writer.octet_string(_NO_REFERENCE)
        elif tag == ARRAY:
            writer.array(0)
        elif index == _DHCP:
            writer.boolean(True)
        else:
            writer.uint32(_number(key) if index == _IP_ADDRESS else 0)


def _number(dotted: str) -> int:
    """Return an address as a number, 0 for what is none: a name, or every address of the host."""
    number = 0
    parts = dotted.split(".")
    if len(parts) != 4:
        return 0
    for part in parts:
        if not part.isdigit():
            return 0
        number = number << 8 | int(part) & 0xFF
    return number
