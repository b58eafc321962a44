"""Counters of outages, resets and battery time as objects of class 1, 3 and 4 (table 13.2).

Of the whole meter, of each phase and of any. 0-0:96.7.11 to .14 hold how long a phase, or any,
has been out in all, with the time at which it failed last. Rows PQL-17, PQL-19, ERR-09, ERR-18,
NOP-02.
"""

from micropython import const

from app import axdr
from app.attributes import READ_WRITE_DENIED
from app.cosem import access
from app.cosem.clock_values import Cells
from app.cosem.data import Data
from app.cosem.extended_register import ExtendedRegister
from app.cosem.register import Register
from app.cosem.supply_values import Counts
from app.cosem.values import Simple
from app.errors import AccessRefused
from app.event_codes import PARAMETERS_CHANGED
from app.quality.phase_failures import ANY, BEGAN_UTC_S, LAST_LONG_S, LONG, NUMBER, TOTAL_S

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.cosem.objects import Objects
    from app.outages import Outages
    from app.quality.phase_failures import PhaseFailures

_SECONDS = const(7)  # unit
_FAILURES = const(96)
_PARAMETERS = const(128)


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


def add(
    objects: "Objects",
    history: "Outages",
    failures: "PhaseFailures",
    phases: int,
    clock: "Clock",
    post: "Callable[[int], None]",
) -> None:
    """Add the objects of the counters; `post` is told of a change of the threshold."""

    def set_threshold(seconds: int) -> None:
        history.set_threshold(seconds)
        post(PARAMETERS_CHANGED)

    data = Data()
    group = access.READINGS
    for field, first, of_any in ((NUMBER, 1, 21), (LONG, 6, 9)):
        counts = Counts(Failed(failures, field, phases).value)
        objects.add_family(counts, _names(first, of_any, phases), group)
    total = ExtendedRegister(Failed(failures, TOTAL_S, phases), clock)
    objects.add_family(total, _names(11, 14, phases), group)
    last_long = Register(Failed(failures, LAST_LONG_S, phases))
    objects.add_family(last_long, _names(16, 19, phases), group)
    for name, count in (
        ((0, 0, _FAILURES, 7, 0), lambda: history.failures),
        ((0, 0, _FAILURES, 7, 5), lambda: history.long_failures),
        ((0, 0, _PARAMETERS, 0, 10), lambda: history.resets),
        ((0, 0, _PARAMETERS, 0, 11), lambda: history.reclosings),
        ((0, 0, _PARAMETERS, 92, 1), lambda: history.battery_s),
    ):
        objects.add(name, data, Simple(axdr.UINT32, count), access.READINGS)
    cells = Cells()
    last = (Simple(axdr.UINT32, lambda: history.long_s), 0, _SECONDS, _refuse)
    objects.add((0, 0, _FAILURES, 7, 15), cells, last, access.READINGS)
    number = Simple(axdr.UINT32, lambda: history.threshold_s, set_threshold)
    threshold = (number, 0, _SECONDS, _refuse)
    objects.add((0, 0, _FAILURES, 7, 20), cells, threshold, access.SETTINGS)


def _refuse() -> None:
    """Stand for a reset that there is not."""
    raise AccessRefused(READ_WRITE_DENIED)
