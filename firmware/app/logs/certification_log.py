"""The certification log: what was changed of the parameters that bills rest on (row SEC-60).

An entry, with the object's name, its old and its new value, is kept before the change is made; a
log that is full, or that cannot keep it, refuses the change. It is erased only while the parameter
switch is open. Table 8.3 names what is watched; calibration is besides, by its records' checksums.
"""

from micropython import const

from app import parameters
from app.attributes import SCOPE_OF_ACCESS_VIOLATED
from app.axdr import OCTET_STRING, UINT32
from app.errors import AccessRefused
from app.logs.event_log import Log

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.storage.rings import Rings

# parameter, C, D and E of its object 1-0:C.D.E
_WATCHED = (
    (parameters.LED_CONSTANT_ACTIVE, 0, 3, 0),
    (parameters.LED_CONSTANT_REACTIVE, 0, 3, 1),
    (parameters.LED_CONSTANT_APPARENT, 0, 3, 2),
    (parameters.CT_NUMERATOR, 0, 4, 2),
    (parameters.CT_DENOMINATOR, 0, 4, 5),
    (parameters.MEASURING_PERIOD_1, 0, 8, 0),
    (parameters.MEASURING_PERIOD_3, 0, 8, 2),
    (parameters.PERIODS_1, 1, 4, 0),
    (parameters.PERIODS_3, 1, 24, 0),
)


class CertificationLog(Log):
    """The log; `lock` is the parameter switch, `post` takes event codes."""

    def __init__(
        self,
        rings: "Rings",
        clock: "Clock",
        lock: "parameters.ParameterLock",
        post: "Callable[[int], None]",
    ) -> None:
        columns = [
            ((1, bytes((0, 0, 96, 128, e, 255)), 2, 0), tag)
            for e, tag in enumerate((OCTET_STRING, UINT32, UINT32))
        ]
        super().__init__(rings, clock, "certification_log", tuple(columns), post)
        self._lock = lock

    def record(self, parameter: int, old: int, new: int) -> None:
        """Keep an entry if the parameter is watched, before it changes.

        Raises AccessRefused if the log is full, OSError if the entry cannot be kept.
        """
        for watched, c, d, e in _WATCHED:
            if watched == parameter:
                self.keep(bytes((1, 0, c, d, e, 255)), old, new)

    def keep(self, name: bytes, old: int, new: int) -> None:
        """Keep an entry. Raises AccessRefused if the log is full, OSError if it cannot be kept."""
        if self.full():
            raise AccessRefused(SCOPE_OF_ACCESS_VIOLATED)
        self.add(self._clock.utc_s(), (name, old, new))

    def last(self) -> "tuple[int | bytes, ...]":
        """Return name, old and new value of the newest entry; an empty name if there is none."""
        if self.next == self.first or not self.load(self.next - 1):
            return b"", 0, 0
        return self.row()[3:]

    def reset(self) -> None:
        """Forget all entries. Raises AccessRefused under lock, OSError."""
        self._lock.require()
        super().reset()
