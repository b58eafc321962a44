"""The lists of what is shown: general (automatic) and alternate (by key), rows DSP-15 to DSP-17.

A list is held as attribute 3 of its profile object is encoded, so what a client writes is what is
shown; it is decoded again only when its octets changed.
"""

from micropython import const

from app.attributes import Reference
from app.axdr import Reader
from app.errors import MeterError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH_MAX = const(64)


class DisplayList:
    """The references of one list; `fetch()` gives its encoded octets."""

    def __init__(self, fetch: "Callable[[], bytes]") -> None:
        self._fetch = fetch
        self._encoded = b""
        self._references: list[Reference] = []

    def references(self) -> "list[Reference]":
        """Return the list as it stands now; octets that are no list make it empty."""
        encoded = self._fetch()
        if encoded != self._encoded:
            self._encoded = encoded
            self._references = _decode(encoded)
        return self._references


def _decode(encoded: bytes) -> "list[Reference]":
    try:
        elements = Reader(encoded).data()[1]
        return [
            Reference(fields[0][1], bytes(fields[1][1]), fields[2][1])
            for fields in (element[1] for element in elements[:_LENGTH_MAX])
            if len(fields[1][1]) == 6
        ]
    except (MeterError, TypeError, IndexError):
        return []
