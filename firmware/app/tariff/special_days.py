"""Special days: dates whose day profile is not the one of their weekday (class 11, row TOU-07).

An entry is an index, a date with or without open parts, and a day id. Where several name a day,
the first in the table counts.
"""

import struct

from micropython import const

from app.tariff import patterns

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.settings import Settings

    Entry = tuple[int, bytes, int]  # index, date of 5 octets, day id

ENTRIES_MAX = const(64)
_FORM = "<H5sB"
_SIZE = const(8)


class SpecialDays:
    """The table over the setting `special_days`."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings

    def entries(self) -> "list[Entry]":
        """Return every entry in the order of the table."""
        stored = self._settings.get("special_days")
        return [struct.unpack_from(_FORM, stored, at) for at in range(0, len(stored), _SIZE)]

    def day_id(self, days: int) -> int:
        """Return the day id of a day counted from 2000, -1 if it is no special day."""
        for _, date, day_id in self.entries():
            if patterns.date_matches(date, days):
                return day_id
        return -1

    def replace(self, entries: "list[Entry]") -> None:
        """Replace the table. Raises ValueError, and keeps the old one, for what is no table."""
        if len(entries) > ENTRIES_MAX:
            raise ValueError("a meter has at most 64 special days")
        encoded = b""
        for index, date, day_id in entries:
            patterns.check_date(date)
            encoded += struct.pack(_FORM, index, date, day_id)
        self._settings.put("special_days", encoded)

    def insert(self, entry: "Entry") -> None:
        """Add an entry; one of the same index or date gives way (Blue Book, class 11)."""
        index, date, _ = entry
        rest = [old for old in self.entries() if old[0] != index and old[1] != date]
        self.replace(rest + [entry])

    def delete(self, index: int) -> None:
        """Remove the entries of an index. Raises ValueError if there is none."""
        entries = self.entries()
        rest = [old for old in entries if old[0] != index]
        if len(rest) == len(entries):
            raise ValueError("no special day has this index")
        self.replace(rest)
