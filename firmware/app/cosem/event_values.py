"""Objects of events and errors: logs of class 7, codes, registers and filters of class 1.

Rows EVT-01, EVT-04, EVT-07, EVT-08, EVT-13, ERR-01 to ERR-04, FRD-16, SEC-60, SEC-64.
0-0:128.92.2 counts the erase cycles of the flash that they lie in (row NOP-10).
"""

from micropython import const

from app.axdr import OCTET_STRING, UINT8, UINT16, UINT32
from app.cosem import access
from app.cosem.base import EXECUTE
from app.cosem.data import Data
from app.cosem.date_time import moment
from app.cosem.profile_generic import ProfileGeneric
from app.cosem.values import Octets, Simple
from app.logs.error_register import REGISTERS
from app.logs.events import LOGS

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.clock import Clock
    from app.cosem.objects import Objects
    from app.logs.certification_log import CertificationLog
    from app.logs.event_book import EventBook
    from app.logs.event_log import EventLog

# name, old and new value of the certified parameter that was changed last
_CHANGE_TAGS = (OCTET_STRING, UINT32, UINT32)
_FILTER_E = (0, 1, 2, 10)  # of 0-0:196.97.E


def _event_code(log: "EventLog") -> Simple:
    return Simple(UINT8, lambda: log.latest)


def _error_register(book: "EventBook", register: int) -> Simple:
    """Bits that are written as 0 are cleared."""
    return Simple(
        UINT32,
        lambda: book.errors.value(register),
        lambda kept: book.clear_errors(register, kept),
    )


def _error_filter(book: "EventBook", number: int) -> Simple:
    return Simple(
        UINT32,
        lambda: book.errors.filter(number),
        lambda mask: book.set_error_filter(number, mask),
    )


def add_events(
    objects: "Objects", book: "EventBook", certification: "CertificationLog", clock: "Clock"
) -> None:
    """Add the objects; the logs must be open."""
    data = Data()
    logs = ProfileGeneric(clock, reset=EXECUTE)
    for log, (_, e) in zip(book.logs, LOGS):
        objects.add((0, 0, 99, 98, e), logs, log, access.SETTINGS)
        objects.add((0, 0, 96, 11, e), data, _event_code(log), access.READINGS)
    objects.add((1, 0, 99, 97, 0), logs, book.power_failures, access.SETTINGS)
    objects.add((1, 0, 99, 99, 0), logs, certification, access.SETTINGS)
    for e in range(REGISTERS):
        objects.add((0, 0, 97, 97, e), data, _error_register(book, e), access.SETTINGS)
        change = Simple(_CHANGE_TAGS[e], lambda e=e: certification.last()[e])
        objects.add((0, 0, 96, 128, e), data, change, access.READINGS)
    for number, e in enumerate(_FILTER_E):
        objects.add((0, 0, 196, 97, e), data, _error_filter(book, number), access.SETTINGS)
    objects.add((0, 0, 128, 92, 2), data, Simple(UINT32, book.cycles), access.READINGS)
    objects.add((0, 0, 96, 2, 0), data, Simple(UINT32, lambda: book.changes), access.READINGS)
    changed = Octets(lambda: moment(clock, book.changed_utc_s))
    objects.add((0, 0, 96, 2, 1), data, changed, access.READINGS)
    alert = Simple(UINT16, lambda: book.alert)
    objects.add((0, 0, 96, 11, 20), data, alert, access.READINGS)
    hold_off = Simple(UINT32, lambda: book.hold_off_s, book.set_hold_off)
    objects.add((0, 0, 128, 70, 1), data, hold_off, access.SETTINGS)
    system = Simple(UINT8, lambda: book.system, book.set_system)
    objects.add((1, 0, 96, 245, 0), data, system, access.SETTINGS)
