"""Interface class 11, Special days table, version 0 (row TOU-07)."""

from micropython import const

from app import event_codes
from app.axdr import ARRAY, OCTET_STRING, UINT8, UINT16
from app.cosem.base import EXECUTE, READ, READ_WRITE, InterfaceClass
from app.tariff.patterns import DATE_SIZE

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.axdr import Reader, Writer
    from app.cosem.base import Key, Session
    from app.tariff.special_days import Entry, SpecialDays


class SpecialDaysTable(InterfaceClass):
    """The table; `on_change` is called after it, `post` takes event codes."""

    CLASS_ID = 11
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (ARRAY, READ_WRITE),  # 2 entries
    )
    METHODS = (
        EXECUTE,  # 1 insert
        EXECUTE,  # 2 delete
    )

    def __init__(
        self,
        days: "SpecialDays",
        on_change: "Callable[[], None]",
        post: "Callable[[int], None]",
    ) -> None:
        self._days = days
        self._on_change = on_change
        self._post = post

    def get(
        self, writer: "Writer", key: "Key", index: int, session: "Session"
    ) -> "Iterator[None]":
        """Encode the entries, one a part."""
        entries = self._days.entries()
        writer.array(len(entries))
        for number, date, day_id in entries:
            yield
            writer.structure(3)
            writer.uint16(number)
            writer.octet_string(date)
            writer.uint8(day_id)

    def put(self, reader: "Reader", key: "Key", index: int, session: "Session") -> None:
        """Replace all entries."""
        self._days.replace([_entry(reader) for _ in range(reader.array())])
        self._changed()

    def act(self, reader: "Reader", key: "Key", index: int, session: "Session") -> None:
        """Insert or delete an entry."""
        if index == 1:
            self._days.insert(_entry(reader))
        else:
            self._days.delete(reader.number(UINT16))
        self._changed()

    def _changed(self) -> None:
        self._post(event_codes.CALENDAR_CHANGED)
        self._on_change()


def _entry(reader: "Reader") -> "Entry":
    reader.structure(3)
    number = reader.number(UINT16)
    return number, reader.octet_string(DATE_SIZE, DATE_SIZE), reader.number(UINT8)
