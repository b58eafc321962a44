"""Values of past billing periods as objects: F = 1 is the newest entry of billing 1 (row BIL-16).

Such an object is of the class of the one that was captured, has its scaler and unit, and of the
other attributes those that are columns. It is found, but it stands in no object list.
"""

from micropython import const

from app.attributes import OBJECT_UNDEFINED
from app.axdr import Reader
from app.cosem.base import InterfaceClass
from app.errors import AccessRefused
from app.rows import read_object
from app.tariff.billing import SHOW_PAST

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.axdr import Writer
    from app.cosem.base import Key, Session
    from app.cosem.objects import Find, Found
    from app.rows import RowSource
    from app.tariff.billing import Billing

_SCALER_UNIT = const(3)
_REGISTERS = (3, 4)


class PastValue(InterfaceClass):
    """One object as it was at a billing; the key is its logical name."""

    def __init__(self, rows: "RowSource", present: InterfaceClass, key: "Key") -> None:
        self.CLASS_ID = present.CLASS_ID
        self.VERSION = present.VERSION
        self.ATTRIBUTES = present.ATTRIBUTES
        self.METHODS = present.METHODS
        self._rows = rows
        self._present = present
        self._key = key

    def get(
        self, writer: "Writer", key: bytes, index: int, session: "Session"
    ) -> "Iterator[None] | None":
        """Encode an attribute; null-data where there is no such period yet."""
        if index == _SCALER_UNIT and self.CLASS_ID in _REGISTERS:
            return self._present.read(writer, self._key, index, session)
        column = self._column((self.CLASS_ID, key[:5] + b"\xff", index, 0))
        sequence = self._rows.next - key[5]
        if sequence >= self._rows.first and self._rows.load(sequence):
            self._rows.write(writer, column)
        else:
            writer.null()
        return None

    def _column(self, wanted: "tuple[int, bytes, int, int]") -> int:
        reader = Reader(self._rows.columns())
        for place in range(reader.array()):
            if read_object(reader) == wanted:
                return place
        raise AccessRefused(OBJECT_UNDEFINED)


def finder(find: "Find", billings: "Billing") -> "Find":
    """Return what finds objects as they were at an end of billing, while they are shown."""

    def past(logical_name: bytes) -> "Found | None":
        found = None
        if logical_name[5] and billings.option(SHOW_PAST):
            found = find(logical_name[:5] + b"\xff")
        if found is None:
            return None
        return PastValue(billings.profiles[0], found[0], found[1]), logical_name, found[2]

    return past
