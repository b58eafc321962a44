"""Failures of phases as objects of class 1, 3 and 4: how many, how long, the last (table 13.2).

Of each phase and of any. 0-0:96.7.11 to .14 hold how long a phase, or any, has been out in all,
with the time at which it failed last. Rows PQL-17, PQL-19.
"""

from micropython import const

from app import axdr
from app.cosem import access
from app.cosem.extended_register import ExtendedRegister
from app.cosem.register import Register
from app.cosem.supply_values import Counts
from app.quality.phase_failures import ANY, BEGAN_UTC_S, LAST_LONG_S, LONG, NUMBER, TOTAL_S

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.clock import Clock
    from app.cosem.objects import Objects
    from app.quality.phase_failures import PhaseFailures

_SECONDS = const(7)  # unit
_FAILURES = const(96)


class Failed:
    """One field of the failures of each phase and of any, by index."""

    def __init__(self, failures: "PhaseFailures", field: int, phases: int) -> None:
        self._failures = failures
        self._field = field
        self._phases = phases

    def _column(self, index: int) -> int:
        return index if index < self._phases else ANY

    def value(self, index: int) -> int:
        """Return a number, or seconds."""
        return self._failures.value(self._column(index), self._field)

    def form(self, index: int) -> "tuple[int, int, int]":
        """Return the power of ten, the unit code and the A-XDR type of the value."""
        return 0, _SECONDS, axdr.UINT32

    def status(self, index: int) -> int:
        """Return no bits."""
        return 0

    def capture_utc_s(self, index: int) -> int:
        """Return when the last failure began, 0 if there was none."""
        return self._failures.value(self._column(index), BEGAN_UTC_S)


def _names(first: int, of_any: int, phases: int) -> bytes:
    columns = list(range(first, first + phases)) + [of_any]
    return b"".join([bytes((0, 0, _FAILURES, 7, e, 255)) for e in columns])


def add(objects: "Objects", failures: "PhaseFailures", phases: int, clock: "Clock") -> None:
    """Add the objects of the failures of phases."""
    group = access.READINGS
    for field, first, of_any in ((NUMBER, 1, 21), (LONG, 6, 9)):
        counts = Counts(Failed(failures, field, phases).value)
        objects.add_family(counts, _names(first, of_any, phases), group)
    total = ExtendedRegister(Failed(failures, TOTAL_S, phases), clock)
    objects.add_family(total, _names(11, 14, phases), group)
    last_long = Register(Failed(failures, LAST_LONG_S, phases))
    objects.add_family(last_long, _names(16, 19, phases), group)
