"""Interface class 17, SAP assignment: the logical devices of this meter (row IDN-05)."""

from micropython import const

from app.axdr import ARRAY, OCTET_STRING
from app.cosem.access import SERVER_SAP
from app.cosem.base import NO_ACCESS, READ, InterfaceClass

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.axdr import Writer
    from app.cosem.base import Key, Session


class SapAssignment(InterfaceClass):
    """SAP assignment, version 0. There is one logical device, so none can be connected."""

    CLASS_ID = 17
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (ARRAY, READ),  # 2 sap_assignment_list
    )
    METHODS = (
        NO_ACCESS,  # 1 connect_logical_device
    )

    def __init__(self, logical_device_name: bytes) -> None:
        self._logical_device_name = logical_device_name

    def get(self, writer: "Writer", key: "Key", index: int, session: "Session") -> None:
        """Encode an attribute."""
        writer.array(1)
        writer.structure(2)
        writer.uint16(SERVER_SAP)
        writer.octet_string(self._logical_device_name)
