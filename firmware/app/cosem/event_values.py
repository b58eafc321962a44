"""Objects of events and errors: logs of class 7, codes, registers and filters of class 1.

Rows EVT-01, EVT-04, EVT-07, EVT-08, ERR-01 to ERR-04, SEC-60, SEC-64.
"""

from micropython import const

from app import event_codes
from app.axdr import OCTET_STRING, UINT8, UINT32
from app.cosem import access
from app.cosem.base import EXECUTE
from app.cosem.data import Data
from app.cosem.profile_generic import ProfileGeneric
from app.cosem.values import Value
from app.logs.error_register import REGISTERS
from app.logs.events import LOGS

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from app.axdr import Reader, Writer
    from app.clock import Clock
    from app.cosem.catalogue import Catalogue
    from app.logs.certification_log import CertificationLog
    from app.logs.event_book import EventBook
    from app.logs.event_log import EventLog

_CHANGE_TAGS = (OCTET_STRING, UINT32, UINT32)
_FILTER_E = (0, 1, 2, 10)  # of 0-0:196.97.E


class EventCode(Value):
    """The latest code of a log, 0 since power-up."""

    def __init__(self, log: "EventLog") -> None:
        self._log = log

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.uint8(self._log.latest)


class ErrorRegister(Value):
    """An error register: bits that are written as 0 are cleared."""

    def __init__(self, book: "EventBook", register: int) -> None:
        self._book = book
        self._register = register

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.uint32(self._book.errors.value(self._register))

    def write(self, reader: "Reader") -> None:
        """Clear bits."""
        self._book.clear_errors(self._register, reader.number(UINT32))


class ErrorFilter(Value):
    """A filter of errors: 1 hides the bit."""

    def __init__(self, book: "EventBook", number: int) -> None:
        self._book = book
        self._number = number

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.uint32(self._book.errors.filter(self._number))

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        self._book.errors.set_filter(self._number, reader.number(UINT32))
        self._book.post(event_codes.PARAMETERS_CHANGED)


class HoldOff(Value):
    """Seconds in which the fraud log takes a code once."""

    def __init__(self, book: "EventBook") -> None:
        self._book = book

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.uint32(self._book.hold_off_s)

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        self._book.set_hold_off(reader.number(UINT32))


class EventSystem(Value):
    """Code system from the next start on: 0 VDEW, 1 IDIS, 2 EDF."""

    def __init__(self, book: "EventBook") -> None:
        self._book = book

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.uint8(self._book.system)

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        self._book.set_system(reader.number(UINT8))


class LastChange(Value):
    """Name, old or new value of the certified parameter that was changed last."""

    def __init__(self, log: "CertificationLog", place: int) -> None:
        self._log = log
        self._place = place

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.data(_CHANGE_TAGS[self._place], self._log.last()[self._place])


def add_events(
    objects: "Catalogue", book: "EventBook", certification: "CertificationLog", clock: "Clock"
) -> None:
    """Add the objects; the logs must be open."""
    data = Data()
    logs = ProfileGeneric(clock, reset=EXECUTE)
    for log, (_, e) in zip(book.logs, LOGS):
        objects.add((0, 0, 99, 98, e), logs, log, access.SETTINGS)
        objects.add((0, 0, 96, 11, e), data, EventCode(log), access.READINGS)
    objects.add((1, 0, 99, 97, 0), logs, book.power_failures, access.SETTINGS)
    objects.add((1, 0, 99, 99, 0), logs, certification, access.SETTINGS)
    for e in range(REGISTERS):
        objects.add((0, 0, 97, 97, e), data, ErrorRegister(book, e), access.SETTINGS)
        objects.add((0, 0, 96, 128, e), data, LastChange(certification, e), access.READINGS)
    for number, e in enumerate(_FILTER_E):
        objects.add((0, 0, 196, 97, e), data, ErrorFilter(book, number), access.SETTINGS)
    objects.add((0, 0, 128, 70, 1), data, HoldOff(book), access.SETTINGS)
    objects.add((1, 0, 96, 245, 0), data, EventSystem(book), access.SETTINGS)
