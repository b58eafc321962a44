"""Counters of outages, resets and battery time as objects of class 1 and 3 (table 13.2).

Of the whole meter; failure_values has those of its phases. Rows PQL-17, ERR-09, ERR-18, NOP-02.
"""

from micropython import const

from app import axdr
from app.attributes import READ_WRITE_DENIED
from app.cosem import access
from app.cosem.clock_values import Cells
from app.cosem.data import Data
from app.cosem.values import Simple
from app.errors import AccessRefused
from app.event_codes import PARAMETERS_CHANGED

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.cosem.objects import Objects
    from app.outages import Outages

_SECONDS = const(7)  # unit
_FAILURES = const(96)
_PARAMETERS = const(128)


def add(objects: "Objects", history: "Outages", post: "Callable[[int], None]") -> None:
    """Add the objects of the counters; `post` is told of a change of the threshold."""

    def set_threshold(seconds: int) -> None:
        history.set_threshold(seconds)
        post(PARAMETERS_CHANGED)

    data = Data()
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
