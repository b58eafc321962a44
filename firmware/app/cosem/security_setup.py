"""Interface class 64, Security setup, versions 0 and 1 (rows SEC-30 to SEC-33).

The policy can only be raised. Keys come wrapped under the master key; a transfer is carried out
whole or not at all. No key can be read. Which version there is to see follows the security
profile (0-0:128.40.12); what version 1 adds stands in `certificate_methods`.
"""

from micropython import const

from app.attributes import OTHER_REASON, TEMPORARY_FAILURE
from app.axdr import ARRAY, ENUM, OCTET_STRING
from app.cosem.base import EXECUTE, READ, READ_WRITE, InterfaceClass
from app.counters import CountersLost
from app.errors import AccessRefused
from app.security import KEK, PROFILE_SUITE_0, SIGNED_ANSWER, SIGNED_REQUEST, TITLE_SIZE

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.axdr import Reader, Writer
    from app.cosem.base import Key, Session, Work
    from app.security import Security

_HIGHEST_POLICY = const(3)
_POLICY_SHIFT = const(4)  # policy 1 authenticated, 2 encrypted: bits 4 and 5 of the control byte
_REQUESTS = const(2)  # version 1: bits 2 to 4 of the policy are for requests, 5 to 7 for answers
_ANSWERS = const(5)
_SIGNED = const(4)  # authenticated, encrypted, signed
_RESERVED = const(3)
_MOST_KEYS = const(4)
_WRAPPED_SIZE = const(24)


class SecuritySetup(InterfaceClass):
    """Security setup of all associations but the public one."""

    CLASS_ID = 64
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (ENUM, READ),  # 2 security_policy
        (ENUM, READ),  # 3 security_suite
        (OCTET_STRING, READ_WRITE),  # 4 client_system_title
        (OCTET_STRING, READ),  # 5 server_system_title
    )
    METHODS = (
        EXECUTE,  # 1 security_activate
        EXECUTE,  # 2 global_key_transfer
    )

    def __init__(self, security: "Security") -> None:
        self._security = security

    def get(
        self, writer: "Writer", key: "Key", index: int, session: "Session"
    ) -> "Iterator[None] | None":
        """Encode an attribute."""
        if index == 6:
            from app.cosem import certificate_methods

            return certificate_methods.write_list(self._security, writer)
        if index == 2:
            writer.enum(self._policy())
        elif index == 3:
            writer.enum(self._security.suite)
        elif index == 4:
            writer.octet_string(self._security.client_title)
        else:
            writer.octet_string(self._security.system_title)
        return None

    def put(self, reader: "Reader", key: "Key", index: int, session: "Session") -> None:
        """Set the client's system title, the only writable attribute."""
        self._security.set_client_title(reader.octet_string(TITLE_SIZE, TITLE_SIZE))

    def act(
        self, reader: "Reader", key: "Key", index: int, session: "Session"
    ) -> "bytes | Work | None":
        """Raise the policy, take over keys; what else there is in version 1."""
        if index > 2:
            from app.cosem import certificate_methods

            return certificate_methods.act(self._security, reader, index, session)
        if index == 1:
            self._activate(reader.number(ENUM))
        else:
            self._transfer(reader)
        return None

    def _policy(self) -> int:
        """Return the policy as this version has it."""
        security = self._security
        requests = security.policy >> _POLICY_SHIFT
        if self.VERSION == 0:
            return requests
        if security.signing & SIGNED_REQUEST:
            requests |= _SIGNED
        answers = security.answer_policy >> _POLICY_SHIFT
        if security.signing & SIGNED_ANSWER:
            answers |= _SIGNED
        return requests << _REQUESTS | answers << _ANSWERS

    def _activate(self, policy: int) -> None:
        if self.VERSION == 0:
            if policy > _HIGHEST_POLICY:
                raise ValueError("a security policy is 0 to 3")
            self._security.set_policy(policy << _POLICY_SHIFT)
            return
        if policy & _RESERVED:
            raise ValueError("bits 0 and 1 of a security policy are reserved")
        requests = policy >> _REQUESTS
        answers = policy >> _ANSWERS
        signing = SIGNED_REQUEST if requests & _SIGNED else 0
        if answers & _SIGNED:
            signing |= SIGNED_ANSWER
        self._security.set_policy(
            (requests & _HIGHEST_POLICY) << _POLICY_SHIFT,
            (answers & _HIGHEST_POLICY) << _POLICY_SHIFT,
            signing,
        )

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


class SecuritySetup1(SecuritySetup):
    """The same in version 1."""

    VERSION = 1
    ATTRIBUTES = SecuritySetup.ATTRIBUTES + (
        (ARRAY, READ),  # 6 certificates
    )
    METHODS = SecuritySetup.METHODS + (
        EXECUTE,  # 3 key_agreement
        EXECUTE,  # 4 generate_key_pair
        EXECUTE,  # 5 generate_certificate_request
        EXECUTE,  # 6 import_certificate
        EXECUTE,  # 7 export_certificate
        EXECUTE,  # 8 remove_certificate
    )


def of_profile(security: "Security") -> SecuritySetup:
    """Return the version that the security profile shows."""
    if security.profile == PROFILE_SUITE_0:
        return SecuritySetup(security)
    return SecuritySetup1(security)
