"""Who may do what: the clients of this meter and one table of their rights (SEC-01 to SEC-08).

Every object of the catalogue belongs to a group; the table says what each client may do with the
objects of a group. What an attribute allows at all stands in its class; a client gets both. An
object without any right is not in the client's object list.
"""

import hashlib

from micropython import const

from app.cosem.base import EXECUTE, NO_ACCESS, READ, READ_WRITE, WRITE

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.security import Security

# Groups of objects
FACTS = const(0)  # names, SAP assignment, counters that a client needs to find its way in
CLOCK = const(1)
CURRENT_ASSOCIATION = const(2)
PUBLIC_ASSOCIATION = const(3)
MANAGEMENT_ASSOCIATION = const(4)
READINGS = const(5)  # measured values, identification, constants
SETTINGS = const(6)
PRE_ESTABLISHED_ASSOCIATION = const(7)
LEVEL_1_ASSOCIATION = const(8)
LEVEL_2_ASSOCIATION = const(9)
LEVEL_3_ASSOCIATION = const(10)
SECURITY = const(11)  # security setup, limit of failures, passwords of ports
SECURITY_STATE = const(12)  # what security tells and nobody sets

# Columns of the table
_PUBLIC = const(0)
_MANAGEMENT = const(1)
_PRE_ESTABLISHED = const(2)
_LEVEL_1 = const(3)
_LEVEL_2 = const(4)
_LEVEL_3 = const(5)

_ALL = READ_WRITE | EXECUTE
_SENDS = WRITE | EXECUTE  # a client whose requests are never answered
_NONE = NO_ACCESS
_RIGHTS = (
    # public  management  pre-est.  level 1     level 2     level 3       group
    (READ,    READ,       _NONE,    READ,       READ,       READ),        # FACTS
    (READ,    _ALL,       _SENDS,   _ALL,       _ALL,       _ALL),        # CLOCK
    (READ,    _ALL,       _NONE,    _ALL,       _ALL,       _ALL),        # CURRENT_ASSOCIATION
    (READ,    READ,       _NONE,    READ,       READ,       READ),        # PUBLIC_ASSOCIATION
    (_NONE,   _ALL,       _NONE,    _NONE,      _NONE,      _NONE),       # MANAGEMENT_ASSOCIATION
    (_NONE,   READ,       _NONE,    READ,       READ,       READ),        # READINGS
    (_NONE,   _ALL,       _NONE,    READ,       READ,       _ALL),        # SETTINGS
    (_NONE,   READ,       _NONE,    _NONE,      _NONE,      _NONE),       # PRE_ESTABLISHED_...
    (_NONE,   _ALL,       _NONE,    _ALL,       _NONE,      _NONE),       # LEVEL_1_ASSOCIATION
    (_NONE,   _ALL,       _NONE,    _NONE,      _ALL,       _NONE),       # LEVEL_2_ASSOCIATION
    (_NONE,   _ALL,       _NONE,    _NONE,      _NONE,      _ALL),        # LEVEL_3_ASSOCIATION
    (_NONE,   _ALL,       _NONE,    _NONE,      _NONE,      _NONE),       # SECURITY
    (_NONE,   READ,       _NONE,    _NONE,      _NONE,      _NONE),       # SECURITY_STATE
)  # fmt: skip

# Authentication mechanisms, IEC 62056-53
MECHANISM_NONE = const(0)
MECHANISM_LLS = const(1)
MECHANISM_AES = const(2)  # the manufacturer's own: AES-128 under the password, as clients have it
MECHANISM_MD5 = const(3)
MECHANISM_SHA1 = const(4)
MECHANISM_GMAC = const(5)
MECHANISM_SHA256 = const(6)
MECHANISM_ECDSA = const(7)
# MD5 and SHA-1 where MicroPython was built with them
_DIGESTS = ((MECHANISM_MD5, "md5"), (MECHANISM_SHA1, "sha1"))
MECHANISMS = tuple(
    [MECHANISM_LLS, MECHANISM_AES]
    + [mechanism for mechanism, name in _DIGESTS if hasattr(hashlib, name)]
    + [MECHANISM_GMAC, MECHANISM_SHA256, MECHANISM_ECDSA]
)
WITH_TITLES = (MECHANISM_GMAC, MECHANISM_SHA256, MECHANISM_ECDSA)  # both titles are needed
WITHOUT_PASSWORD = (MECHANISM_GMAC, MECHANISM_ECDSA)
_FACTORY = (MECHANISM_LLS, MECHANISM_GMAC)
_FACTORY_1 = (MECHANISM_LLS, MECHANISM_GMAC, MECHANISM_ECDSA)  # in suite 1
_FACTORY_CHOICE = const(255)

SERVER_SAP = const(1)
_NO_SLOT = const(-1)


class Client:
    """A client that this meter knows."""

    def __init__(
        self, sap: int, instance: int, group: int, column: int, slot: int, secret: str
    ) -> None:
        self.sap = sap
        self.instance = instance  # e of its association object 0-0:40.0.e
        self.group = group  # rights group of that object
        self.column = column
        self.slot = slot  # place of its mechanism in Security, -1: it does not authenticate
        self.secret = secret  # key of the setting that holds its password, "" for none
        self.associations = 0  # how many are open now, over all channels
        self.pre_established = column == _PRE_ESTABLISHED
        self.local = column == _LEVEL_3  # not over a network (row SEC-07)
        # bit of the association restrictions that disables it, 0: cannot be disabled (SEC-41)
        self.restriction = (1, 2, 4, 0, 0, 0)[column]

    def rights(self, group: int) -> int:
        """Return READ, WRITE and EXECUTE as this client has them for the objects of `group`."""
        return _RIGHTS[group][self.column]

    def mechanisms(self, security: "Security") -> tuple[int, ...]:
        """Return the mechanisms by which this client may log in, the plainest first."""
        if self.slot < 0:
            return (MECHANISM_NONE,)
        chosen = security.mechanism(self.slot)
        if chosen == _FACTORY_CHOICE:
            return _FACTORY_1 if security.suite else _FACTORY
        return (chosen,) if chosen else MECHANISMS


def make_clients() -> tuple[Client, ...]:
    """Return the clients of a meter by SAP (row SEC-02)."""
    return (
        Client(1, 1, MANAGEMENT_ASSOCIATION, _MANAGEMENT, 0, "lls"),
        Client(16, 2, PUBLIC_ASSOCIATION, _PUBLIC, _NO_SLOT, ""),
        Client(102, 3, PRE_ESTABLISHED_ASSOCIATION, _PRE_ESTABLISHED, _NO_SLOT, ""),
        Client(32, 4, LEVEL_1_ASSOCIATION, _LEVEL_1, 1, "lls_1"),
        Client(48, 5, LEVEL_2_ASSOCIATION, _LEVEL_2, 2, "lls_2"),
        Client(64, 6, LEVEL_3_ASSOCIATION, _LEVEL_3, 3, "lls_3"),
    )
