"""Objects of the alarms: registers, filters, descriptors, status, monitors (rows ALM-01 to 09)."""

from micropython import const

from app.axdr import UINT8, UINT32
from app.cosem import access
from app.cosem.data import Data
from app.cosem.register_monitor import RegisterMonitor
from app.cosem.values import Simple
from app.logs import alarms
from app.logs.alarm_monitors import AlarmMonitor

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.cosem.objects import Objects
    from app.logs.alarm_monitors import AlarmMonitors
    from app.logs.event_book import EventBook

# kind, D and first E of 0-0:D.98.E
_WORDS = (
    (alarms.REGISTER, 97, 0),
    (alarms.DESCRIPTOR, 97, 20),
    (alarms.ON, 196, 0),
    (alarms.OFF, 196, 10),
)
_FILTER_E = const(10)


def _word(book: "EventBook", kind: int, register: int) -> Simple:
    """Bits that are written as 0 are cleared."""
    return Simple(
        UINT32,
        lambda: book.alarms.word(kind, register),
        lambda kept: book.clear_alarms(kind, register, kept),
    )


def _filter(book: "EventBook", register: int) -> Simple:
    return Simple(
        UINT32,
        lambda: book.alarms.word(alarms.FILTER, register),
        lambda mask: book.set_alarm_filter(register, mask),
    )


def add(objects: "Objects", book: "EventBook", monitors: "AlarmMonitors") -> None:
    """Add the objects."""
    data = Data()
    watch = RegisterMonitor()
    for register in range(alarms.ALARMS):
        for kind, d, e in _WORDS:
            value = _word(book, kind, register)
            objects.add((0, 0, d, 98, e + register), data, value, access.SETTINGS)
        mask = _filter(book, register)
        objects.add((0, 0, 97, 98, _FILTER_E + register), data, mask, access.SETTINGS)
        monitor = AlarmMonitor(monitors, register)
        objects.add((0, 0, 16, 1, register), watch, monitor, access.SETTINGS)
    system = Simple(UINT8, lambda: book.alarms.chosen, book.choose_alarm_system)
    objects.add((1, 0, 96, 245, 1), data, system, access.SETTINGS)
