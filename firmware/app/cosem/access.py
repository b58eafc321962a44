"""Who may do what: the clients of this meter and one table of their rights (SEC-02 to SEC-08).

Every object of the catalogue belongs to a group; the table says what each client may do with the
objects of a group. What an attribute allows at all stands in its class; a client gets both. An
object without any right is not in the client's object list.
"""

from micropython import const

from app.cosem.base import EXECUTE, NO_ACCESS, READ, READ_WRITE

# Groups of objects
FACTS = const(0)  # names, SAP assignment, counters that a client needs to find its way in
CLOCK = const(1)
CURRENT_ASSOCIATION = const(2)
PUBLIC_ASSOCIATION = const(3)
MANAGEMENT_ASSOCIATION = const(4)
READINGS = const(5)  # measured values, identification, constants
SETTINGS = const(6)

# Columns of the table
_PUBLIC = const(0)
_MANAGEMENT = const(1)

_ALL = READ_WRITE | EXECUTE
_RIGHTS = (
    # public    management      group
    (READ,      READ),          # FACTS
    (READ,      _ALL),          # CLOCK
    (READ,      _ALL),          # CURRENT_ASSOCIATION
    (READ,      READ),          # PUBLIC_ASSOCIATION
    (NO_ACCESS, _ALL),          # MANAGEMENT_ASSOCIATION
    (NO_ACCESS, READ),          # READINGS
    (NO_ACCESS, _ALL),          # SETTINGS
)  # fmt: skip

# Authentication mechanisms, IEC 62056-53
MECHANISM_NONE = const(0)
MECHANISM_LLS = const(1)

SERVER_SAP = const(1)


class Client:
    """A client that this meter knows."""

    def __init__(
        self, sap: int, instance: int, group: int, column: int, mechanism: int, secret: str
    ) -> None:
        self.sap = sap
        self.instance = instance  # e of its association object 0-0:40.0.e
        self.group = group  # rights group of that object
        self.column = column
        self.mechanism = mechanism
        self.secret = secret  # key of the setting that holds its password, "" for none
        self.associations = 0  # how many are open now, over all channels

    def rights(self, group: int) -> int:
        """Return READ, WRITE and EXECUTE as this client has them for the objects of `group`."""
        return _RIGHTS[group][self.column]


def make_clients() -> tuple[Client, ...]:
    """Return the clients of a meter (SAP 16 public, SAP 1 management)."""
    return (
        Client(1, 1, MANAGEMENT_ASSOCIATION, _MANAGEMENT, MECHANISM_LLS, "lls"),
        Client(16, 2, PUBLIC_ASSOCIATION, _PUBLIC, MECHANISM_NONE, ""),
    )
