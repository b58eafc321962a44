"""Values of class 1 objects about security: failed log-ins, restrictions (rows SEC-20, SEC-41).

0-0:128.40.1 failures counted since the last success, .2 how many lock, .3 time of the last one in
seconds since 2000-01-01 UTC (0: never). .11 associations that are disabled: bit 0 public, 1
management, 2 pre-established. .12 suite and version of class 64: 0 suite 0 and version 0, 1 suite
0 and 1, 2 suite 1 and 1. 0-b:128.40.10 options of channel b: bit 0 ignore the service class, 1
refuse replays, 2 by the book.
"""

from micropython import const

from app.attributes import READ_WRITE_DENIED
from app.axdr import UINT8, UINT32
from app.cosem import access
from app.cosem.data import Data
from app.cosem.values import Simple
from app.errors import AccessRefused
from app.event_codes import PARAMETERS_CHANGED
from app.security import CHANNELS

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.cosem.objects import Objects
    from app.security import Security

_RESTRICTIONS = const(0x07)  # public, management, pre-established
_MANAGEMENT = const(0x02)


def add(objects: "Objects", security: "Security") -> None:
    """Add the objects."""
    lockout = security.lockout

    def set_limit(failures: int) -> None:
        lockout.set_limit(failures)
        security.on_event(PARAMETERS_CHANGED)

    def restrict(associations: int) -> None:
        if associations & ~_RESTRICTIONS:
            raise ValueError("there are three associations that can be disabled")
        if associations & _MANAGEMENT:  # nobody could undo it
            raise AccessRefused(READ_WRITE_DENIED)
        security.set_restrictions(associations)

    data = Data()
    for e, value, group in (
        (1, Simple(UINT8, lambda: lockout.count), access.SECURITY_STATE),
        (2, Simple(UINT8, lambda: lockout.limit, set_limit), access.SECURITY),
        (3, Simple(UINT32, lambda: lockout.last_failure_utc_s), access.SECURITY_STATE),
        (11, Simple(UINT8, lambda: security.restrictions, restrict), access.SECURITY),
        (12, Simple(UINT8, lambda: security.profile, security.set_profile), access.SECURITY),
    ):
        objects.add((0, 0, 128, 40, e), data, value, group)
    for channel in range(CHANNELS):
        options = Simple(
            UINT8,
            lambda channel=channel: security.options(channel),
            lambda bits, channel=channel: security.set_options(channel, bits),
        )
        objects.add((0, channel, 128, 40, 10), data, options, access.SECURITY)
