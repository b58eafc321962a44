"""Counters of outages, resets and battery time as objects of class 1 and 3 (table 13.2).

The whole meter's: failures of single phases are counted by those who watch the voltages. Rows
PQL-17, ERR-09, ERR-18, NOP-02.
"""

from micropython import const

from app import axdr
from app.attributes import READ_WRITE_DENIED
from app.cosem import access
from app.cosem.clock_values import Cells
from app.cosem.data import Data
from app.cosem.values import Counter, Number
from app.errors import AccessRefused

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from app.cosem.catalogue import Catalogue
    from app.outages import Outages

_SECONDS = const(7)  # unit
_FAILURES = const(96)
_PARAMETERS = const(128)


def add(catalogue: "Catalogue", history: "Outages") -> None:
    """Add the objects of the counters."""
    data = Data()
    for name, count in (
        ((0, 0, _FAILURES, 7, 0), lambda: history.failures),
        ((0, 0, _FAILURES, 7, 5), lambda: history.long_failures),
        ((0, 0, _PARAMETERS, 0, 10), lambda: history.resets),
        ((0, 0, _PARAMETERS, 0, 11), lambda: history.reclosings),
        ((0, 0, _PARAMETERS, 92, 1), lambda: history.battery_s),
    ):
        catalogue.add(name, data, Counter(count), access.READINGS)
    cells = Cells()
    last = (Number(axdr.UINT32, lambda: history.long_s), 0, _SECONDS, _refuse)
    for e in (15, 19):  # of all phases, and of any: the power failure log captures it
        catalogue.add((0, 0, _FAILURES, 7, e), cells, last, access.READINGS)
    number = Number(axdr.UINT32, lambda: history.threshold_s, history.set_threshold)
    threshold = (number, 0, _SECONDS, _refuse)
    catalogue.add((0, 0, _FAILURES, 7, 20), cells, threshold, access.SETTINGS)


def _refuse() -> None:
    """Stand for a reset that there is not."""
    raise AccessRefused(READ_WRITE_DENIED)
