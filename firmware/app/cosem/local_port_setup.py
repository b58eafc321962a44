"""Interface class 19, IEC local port setup, over the optical head's settings (OPT-02, OPT-03).

The key of the one instance is app.port_settings.LocalPortSettings. A change holds from the next
sign-on; the session that made it goes on as it began. Passwords are written and never read, as the
secret of an association: who may read what a meter holds need not be who may write by its head.
"""

from micropython import const

from app.axdr import ENUM, OCTET_STRING
from app.cosem import access
from app.cosem.base import READ, READ_WRITE, WRITE, InterfaceClass
from app.port_settings import DEVICE_ADDRESS_MAX, KEYS_LENGTH_MAX

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.axdr import Reader, Writer
    from app.cosem.base import Session
    from app.cosem.objects import Objects
    from app.port_settings import LocalPortSettings

# Attribute 2 to 5: field of the settings
_FIELDS = ("default_mode", "default_baud", "proposed_baud", "response_time")
_DEVICE_ADDRESS = const(6)
_FIRST_PASSWORD = const(7)


class LocalPortSetup(InterfaceClass):
    """IEC local port setup, version 1."""

    CLASS_ID = 19
    VERSION = 1
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (ENUM, READ_WRITE),  # 2 default_mode
        (ENUM, READ_WRITE),  # 3 default_baud
        (ENUM, READ_WRITE),  # 4 prop_baud
        (ENUM, READ_WRITE),  # 5 response_time
        (OCTET_STRING, READ_WRITE),  # 6 device_addr
        (OCTET_STRING, WRITE),  # 7 pass_p1
        (OCTET_STRING, WRITE),  # 8 pass_p2
        (OCTET_STRING, WRITE),  # 9 pass_w5
    )

    def get(
        self, writer: "Writer", key: "LocalPortSettings", index: int, session: "Session"
    ) -> None:
        """Encode an attribute."""
        if index < _DEVICE_ADDRESS:
            writer.enum(getattr(key, _FIELDS[index - 2]))
        else:
            writer.octet_string(key.device_address)

    def put(
        self, reader: "Reader", key: "LocalPortSettings", index: int, session: "Session"
    ) -> None:
        """Set an attribute."""
        if index < _DEVICE_ADDRESS:
            key.set(_FIELDS[index - 2], reader.number(ENUM))
        elif index == _DEVICE_ADDRESS:
            key.set_device_address(reader.octet_string(0, DEVICE_ADDRESS_MAX))
        else:
            password = reader.octet_string(1, KEYS_LENGTH_MAX)
            key.set_password(index - _FIRST_PASSWORD, password)


def add(objects: "Objects", settings: "LocalPortSettings") -> None:
    """Add the optical head's."""
    objects.add((0, 0, 20, 0, 0), LocalPortSetup(), settings, access.SECURITY)
