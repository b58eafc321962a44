"""Interface class 23, IEC HDLC setup, over the settings of one HDLC port (rows HDL-01 to HDL-03).

The key of an instance is app.port_settings.HdlcSettings. A change holds for the next link; the one
over which it came goes on as it was agreed upon.
"""

from micropython import const

from app.axdr import ENUM, OCTET_STRING, UINT8, UINT16
from app.cosem.base import READ, READ_WRITE, InterfaceClass

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.axdr import Reader, Writer
    from app.cosem.base import Session
    from app.port_settings import HdlcSettings

# Attribute 2 to 9: field of the settings
_FIELDS = (
    "speed",
    "window_transmit",
    "window_receive",
    "information_transmit",
    "information_receive",
    "inter_octet_ms",
    "inactivity_s",
    "device_address",
)


class HdlcSetup(InterfaceClass):
    """IEC HDLC setup, version 1."""

    CLASS_ID = 23
    VERSION = 1
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (ENUM, READ_WRITE),  # 2 comm_speed
        (UINT8, READ_WRITE),  # 3 window_size_transmit
        (UINT8, READ_WRITE),  # 4 window_size_receive
        (UINT16, READ_WRITE),  # 5 max_info_field_length_transmit
        (UINT16, READ_WRITE),  # 6 max_info_field_length_receive
        (UINT16, READ_WRITE),  # 7 inter_octet_time_out
        (UINT16, READ_WRITE),  # 8 inactivity_time_out
        (UINT16, READ_WRITE),  # 9 device_address
    )

    def get(self, writer: "Writer", key: "HdlcSettings", index: int, session: "Session") -> None:
        """Encode an attribute."""
        writer.number(self.ATTRIBUTES[index - 1][0], getattr(key, _FIELDS[index - 2]))

    def put(self, reader: "Reader", key: "HdlcSettings", index: int, session: "Session") -> None:
        """Set an attribute."""
        key.set(_FIELDS[index - 2], reader.number(self.ATTRIBUTES[index - 1][0]))
