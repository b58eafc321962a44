"""A load profile on the glass in three layers: days, entries of one, values of one of them.

DATE begins with the newest day and goes back, TIME goes through a day from its begin, ATTR shows
the columns as the buffer holds them (rows LPR-16, DSP-30). To find a day costs its own entries.
Where the clock was set back over midnight, a day comes once for each run of entries that bears it.
An entry that is damaged or has gone meanwhile shows dashes.
"""

from micropython import const

from app.axdr import Reader, Writer
from app.display import formats
from app.display.display_list import DisplayList
from app.display.layers import Items, Layer
from app.errors import MeterError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Any

    from app.attributes import Reference
    from app.display.fields import Fields
    from app.display.reading import Item, Read
    from app.rows import RowSource

_DATE = const(5)  # octets of a date-time that hold it; the time follows
_TRIES = const(64)  # damaged entries that are passed over at once
_MOST = const(600)  # entries that are shown as one day: two of 25 hours of 5 minutes
_CLOCK = const(8)  # class of the column that the upper layers show
_VALUE_SIZE = const(64)
_NO_UNIT = const(255)


class Days(Layer):
    """Layer DATE; `code` stands beside it."""

    def __init__(self, rows: "RowSource", code: str, read: "Read", item: "Item") -> None:
        super().__init__()
        self._rows = rows
        self._code = code
        self._read = read
        self._item = item
        # Its first and last entry; none: there is no further day.
        self._first = self._last = -1
        self._go(rows.next - 1)

    def at_end(self) -> bool:
        """Tell whether there is no further day."""
        return self._last < self._rows.first

    def step(self) -> bool:
        """Go to the day before."""
        self._go(self._rows.next - 1 if self.at_end() else self._first - 1)
        return True

    def draw(self, view: "Fields", renew: bool) -> None:
        """Show the date."""
        if renew:
            _show(view, formats.date(self._time(self._last)[:_DATE]), self._code)

    def leads(self) -> bool:
        """Tell whether a day is shown."""
        return not self.at_end()

    def open(self) -> Layer:
        """Return the entries of the day."""
        first = max(self._first, self._rows.first)
        return _Entries(self._rows, self._code, first, self._last, self._read, self._item)

    def _go(self, last: int) -> None:
        """Take the day that ends with an entry."""
        rows = self._rows
        tries = 0
        while last >= rows.first and not rows.load(last):
            last -= 1
            tries += 1
            if tries == _TRIES:
                last = -1
        self._first = self._last = last
        if last < rows.first:
            return
        # Row by row, a day's at most: a clock that was set back leaves the same date elsewhere,
        # and no search can tell what lies between. A damaged row belongs to the day around it.
        date = rows.dated()[:4]
        least = max(rows.first, last - _MOST)
        while last > least:
            last -= 1
            if rows.load(last):
                if rows.dated()[:4] != date:
                    break
                self._first = last

    def _time(self, sequence: int) -> bytes:
        self._rows.load(sequence)
        return self._rows.dated()


class _Entries(Layer):
    """Layer TIME."""

    def __init__(
        self,
        rows: "RowSource",
        code: str,
        first: int,
        last: int,
        read: "Read",
        item: "Item",
    ) -> None:
        super().__init__()
        self._rows = rows
        self._code = code
        self._first = first
        self._last = last
        self._read = read
        self._item = item

    def length(self) -> int:
        """Return how many entries the day has."""
        return self._last - self._first + 1

    def draw(self, view: "Fields", renew: bool) -> None:
        """Show the time of the entry."""
        if renew:
            self._rows.load(self._first + self.at)
            _show(view, formats.time(self._rows.dated()[_DATE:]), self._code)

    def leads(self) -> bool:
        """Tell whether an entry is shown."""
        return not self.at_end()

    def open(self) -> Layer:
        """Return the values of the entry."""
        values = _Values(self._rows, self._first + self.at, self._read)
        return Items(values, values.read, self._item)


class _Values:
    """Layer ATTR: the columns of one entry as a display list."""

    def __init__(self, rows: "RowSource", sequence: int, live: "Read") -> None:
        self._rows = rows
        self._sequence = sequence
        self._live = live
        listed = DisplayList(rows.columns)
        self._all = [listed.reference(at) for at in range(listed.count())]
        self._shown = [one for one in self._all if one.class_id != _CLOCK]

    def count(self) -> int:
        """Return how many columns stand behind the clock."""
        return len(self._shown)

    def reference(self, at: int) -> "Reference":
        """Return one of them."""
        return self._shown[at]

    def read(self, reference: "Reference") -> "tuple[Any, int, int]":
        """Return what the entry holds, with scaler and unit as the object has them now."""
        if not self._rows.load(self._sequence):
            return None, 0, _NO_UNIT
        writer = Writer(bytearray(_VALUE_SIZE))
        self._rows.write(writer, self._all.index(reference))
        value = Reader(writer.buffer).data()[1]
        try:
            _, scaler, unit = self._live(reference)
        except MeterError:
            scaler, unit = 0, _NO_UNIT
        return value, scaler, unit


def _show(view: "Fields", text: str, code: str) -> None:
    view.value(text, True)
    view.code(code)
    view.unit("")
