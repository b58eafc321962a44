"""Interface class 64, Security setup, version 0 (rows SEC-30 to SEC-33).

The policy can only be raised. Keys come wrapped under the master key; a transfer is carried out
whole or not at all. No key can be read.
"""

from micropython import const

from app.attributes import OTHER_REASON, TEMPORARY_FAILURE
from app.axdr import ENUM, OCTET_STRING
from app.cosem.base import EXECUTE, READ, READ_WRITE, InterfaceClass
from app.counters import CountersLost
from app.errors import AccessRefused
from app.security import KEK, TITLE_SIZE

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from app.axdr import Reader, Writer
    from app.cosem.base import Key, Session
    from app.security import Security

_SUITE_0 = const(0)  # AES-GCM-128 for authentication and encryption, AES-128 for key wrap
_HIGHEST_POLICY = const(3)
_POLICY_SHIFT = const(4)  # policy 1 authenticated, 2 encrypted: bits 4 and 5 of the control byte
_MOST_KEYS = const(4)
_WRAPPED_SIZE = const(24)


class SecuritySetup(InterfaceClass):
    """Security setup of all associations but the public one."""

    CLASS_ID = 64
    VERSION = 0
    ATTRIBUTES = (
        (1, "logical_name", OCTET_STRING, READ),
        (2, "security_policy", ENUM, READ),
        (3, "security_suite", ENUM, READ),
        (4, "client_system_title", OCTET_STRING, READ_WRITE),
        (5, "server_system_title", OCTET_STRING, READ),
    )
    METHODS = (
        (1, "security_activate", EXECUTE),
        (2, "global_key_transfer", EXECUTE),
    )

    def __init__(self, security: "Security") -> None:
        self._security = security

    def get(self, writer: "Writer", key: "Key", index: int, session: "Session") -> None:
        """Encode an attribute."""
        if index == 2:
            writer.enum(self._security.policy >> _POLICY_SHIFT)
        elif index == 3:
            writer.enum(_SUITE_0)
        elif index == 4:
            writer.octet_string(self._security.client_title)
        else:
            writer.octet_string(self._security.system_title)

    def put(self, reader: "Reader", key: "Key", index: int, session: "Session") -> None:
        """Set the client's system title, the only writable attribute."""
        self._security.set_client_title(reader.octet_string(TITLE_SIZE, TITLE_SIZE))

    def act(self, reader: "Reader", key: "Key", index: int, session: "Session") -> None:
        """Raise the policy, or take over keys."""
        if index == 1:
            policy = reader.number(ENUM)
            if policy > _HIGHEST_POLICY:
                raise ValueError("a security policy is 0 to 3")
            self._security.set_policy(policy << _POLICY_SHIFT)
        else:
            self._transfer(reader)

    def _transfer(self, reader: "Reader") -> None:
        count = reader.array()
        if not 1 <= count <= _MOST_KEYS:
            raise ValueError("a transfer holds one to four keys")
        changes: dict[int, bytes] = {}
        for _ in range(count):
            reader.structure(2)
            key_id = reader.number(ENUM)
            wrapped = reader.octet_string(_WRAPPED_SIZE, _WRAPPED_SIZE)
            if key_id > KEK or key_id in changes:
                raise AccessRefused(OTHER_REASON)
            changes[key_id] = self._security.unwrap(wrapped)
        try:
            self._security.change_keys(changes)
        except CountersLost:
            raise AccessRefused(TEMPORARY_FAILURE) from None
