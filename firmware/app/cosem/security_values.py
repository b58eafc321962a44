"""Values of class 1 objects about security: failed log-ins, restrictions (rows SEC-20, SEC-41).

0-0:128.40.1 failures counted now, .2 how many lock, .3 time of the last one, .11 bit mask of
associations that are disabled, .12 security profile; 0-b:128.40.10 options of channel b.
"""

from micropython import const

from app.attributes import READ_WRITE_DENIED
from app.axdr import UINT8, UINT32
from app.cosem.values import Value
from app.errors import AccessRefused
from app.event_codes import PARAMETERS_CHANGED

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.axdr import Reader, Writer
    from app.lockout import Lockout
    from app.security import Security

_RESTRICTIONS = const(0x07)  # public, management, pre-established
_MANAGEMENT = const(0x02)


class FailureCount(Value):
    """Log-ins that failed since the last success; only to be read."""

    def __init__(self, lockout: "Lockout") -> None:
        self._lockout = lockout

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.uint8(self._lockout.count)


class FailureLimit(Value):
    """How many failures lock."""

    def __init__(self, security: "Security") -> None:
        self._lockout = security.lockout
        self._tell = security.on_event

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.uint8(self._lockout.limit)

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        self._lockout.set_limit(reader.number(UINT8))
        self._tell(PARAMETERS_CHANGED)


class LastFailure(Value):
    """When a log-in failed last, in seconds since 2000-01-01 UTC; 0: never."""

    def __init__(self, lockout: "Lockout") -> None:
        self._lockout = lockout

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.number(UINT32, self._lockout.last_failure_utc_s)


class Restrictions(Value):
    """Which associations are disabled: bit 0 public, 1 management, 2 pre-established."""

    def __init__(self, security: "Security") -> None:
        self._security = security

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.uint8(self._security.restrictions)

    def write(self, reader: "Reader") -> None:
        """Take over a new value; nobody could undo a disabled management."""
        value = reader.number(UINT8)
        if value & ~_RESTRICTIONS:
            raise ValueError("there are three associations that can be disabled")
        if value & _MANAGEMENT:
            raise AccessRefused(READ_WRITE_DENIED)
        self._security.set_restrictions(value)


class Profile(Value):
    """Suite and version of class 64: 0 suite 0 and version 0, 1 suite 0 and 1, 2 suite 1 and 1."""

    def __init__(self, security: "Security") -> None:
        self._security = security

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.uint8(self._security.profile)

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        self._security.set_profile(reader.number(UINT8))


class ChannelOptions(Value):
    """Options of one channel: bit 0 ignore the service class, 1 refuse replays, 2 by the book."""

    def __init__(self, security: "Security", channel: int) -> None:
        self._security = security
        self._channel = channel

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.uint8(self._security.options(self._channel))

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        self._security.set_options(self._channel, reader.number(UINT8))
