"""Commands of IEC 62056-21 programming mode: passwords, reading, writing, break (6.3.12, 6.5).

    P1 (password)   P2 (key)          right: ACK; wrong, or while log-ins are locked: B0
    R1, R3 or R5 code()               code(value*unit)
    R2 or R4 code()                   code(A-XDR in hexadecimal), the formatted coding
    W1, W3 or W5 code(value)          ACK
    W2 or W4 code(A-XDR, hexadecimal) ACK

What cannot be done is answered by an error message such as `(ER03)`. P1 is the password of class
19, P2 one of up to four keys; either opens for reading, writing needs both (row OPT-08), which in
a new meter are the same and so are given as one. Writing with W5 needs the password W5 besides.
The partial blocks of types 3 and 4 are whole ones: no value here is longer than a block. Wrong
passwords count together with the wrong log-ins of all other ports (row SEC-20).
"""

import binascii

from micropython import const

from app import attributes
from app.crypto.constant_time import equal
from app.errors import AccessRefused, MeterError
from app.security import OPTICAL
from app.transport import iec_message

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.port_settings import LocalPortSettings
    from app.security import Security
    from app.transport.data_sets import DataSets

# What `obey` made of a command
ANSWERED = const(0)  # `answer` is to be sent
OPENED = const(1)
REFUSED = const(2)
BROKEN_OFF = const(3)

# Index in the settings
_KEYS = const(1)
_PASSWORD_W5 = const(2)
_EQUIVALENT = {b"3": b"1", b"4": b"2"}  # types that differ in their blocks only

_UNKNOWN = "ER01"  # no such command
_BAD_FORM = "ER02"  # the data are not what the command asks for
_MISSING = "ER03"  # no such object
_READ_ONLY = "ER04"
_CLOSED = "ER05"  # a password is missing
_BAD_VALUE = "ER06"  # out of range, or of another type
_NOT_STORED = "ER07"


class Commands:
    """The commands of one optical head, and the passwords that open them."""

    def __init__(
        self, settings: "LocalPortSettings", data: "DataSets", security: "Security"
    ) -> None:
        self.data = data
        self.answer = b""  # what is to be sent for the last command
        self._settings = settings
        self._security = security
        self._given = [False, False, False]  # which secrets this session has shown it knows
        # kind -> what carries it out
        self._services = {b"R": self._read, b"W": self._write}

    def begin(self) -> None:
        """Begin a session: no password has been given."""
        self._given = [False, False, False]

    def obey(self, text: memoryview, now_ms: int) -> int:
        """Carry out a command: kind, type, and behind STX its data; ETX is taken off already."""
        kind = bytes(text[:1])
        if kind == b"B" and bytes(text[1:2]) == b"0" and len(text) == 2:
            return BROKEN_OFF
        command = bytes(text[1:2])
        address, bracket, rest = bytes(text[3:]).partition(b"(")
        if bytes(text[2:3]) != b"\x02" or not bracket or rest[-1:] != b")":
            return self._error(_BAD_FORM)
        if kind == b"P" and command in (b"1", b"2"):
            return self._password(command[0] - 0x31, rest[:-1], now_ms)
        return self._carry_out(kind, command, address, rest[:-1])

    def _carry_out(self, kind: bytes, command: bytes, address: bytes, value: bytes) -> int:
        service = self._services.get(kind)
        command = _EQUIVALENT.get(command, command)
        if service is None or command not in (b"1", b"2", b"5"):
            return self._error(_UNKNOWN)
        needed = all(self._given[:2]) if kind == b"W" else any(self._given[:2])
        if not needed:
            return self._error(_CLOSED)
        try:
            service(command, address, value)
        except AccessRefused as error:
            missing = (attributes.OBJECT_UNDEFINED, attributes.OBJECT_CLASS_INCONSISTENT)
            return self._error(_MISSING if error.result in missing else _READ_ONLY)
        except (MeterError, ValueError):
            return self._error(_BAD_VALUE)
        except OSError:
            return self._error(_NOT_STORED)
        return ANSWERED

    def _read(self, command: bytes, address: bytes, value: bytes) -> None:
        found = self.data.reference(address)
        if found is None:
            raise AccessRefused(attributes.OBJECT_UNDEFINED)
        if command == b"2":
            text = self.data.encoded(found[0])
        else:
            text = self.data.word(found[0]).encode()
        self.answer = iec_message.answer(address + b"(" + text + b")")

    def _write(self, command: bytes, address: bytes, value: bytes) -> None:
        found = self.data.reference(address)
        if found is None:
            raise AccessRefused(attributes.OBJECT_UNDEFINED)
        if command == b"5" and not self._given[_PASSWORD_W5]:
            raise AccessRefused(attributes.READ_WRITE_DENIED)
        if command == b"2":
            self.data.write_encoded(found[0], found[1], binascii.unhexlify(value))
        else:
            self.data.write(found[0], found[1], value)
        self.answer = b"\x06"

    def _error(self, name: str) -> int:
        self.answer = iec_message.answer(b"(" + name.encode() + b")")
        return ANSWERED

    def _password(self, index: int, password: bytes, now_ms: int) -> int:
        """Open the session, or count the failure; a locked head refuses the right one too."""
        passwords = self._settings.passwords
        before = self._given
        self.begin()
        security = self._security
        if security.lockout.locked(now_ms):
            return REFUSED
        # an empty password opens to nobody
        given = [bool(secret) and equal(password, secret) for secret in passwords]
        if passwords:
            for key in passwords[_KEYS].split(b","):
                given[_KEYS] |= bool(key) and equal(password, key)
        if not passwords or not given[index]:
            security.login_failed(now_ms)
            return REFUSED
        self._given = [one or other for one, other in zip(before, given)]
        security.logged_in(OPTICAL)
        return OPENED
