"""The lists of what is shown: general (automatic) and alternate (by key), rows DSP-15 to DSP-17.

A list is held as attribute 3 of its profile object is encoded, so what a client writes is what is
shown. Of its entries only the one that is shown is there decoded: a long list costs no heap.
"""

from micropython import const

from app.attributes import Reference
from app.axdr import Reader
from app.errors import MeterError
from app.rows import CAPTURE_OBJECT_SIZE, read_object

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH_MAX = const(64)
_HEAD = const(2)  # octets before the first entry


class DisplayList:
    """The references of one list; `fetch()` gives its encoded octets."""

    def __init__(self, fetch: "Callable[[], bytes]") -> None:
        self._fetch = fetch
        self._encoded = b""
        self._count = 0
        self._at = -1  # of the reference that is there
        self._reference = Reference(0, b"", 0)

    def count(self) -> int:
        """Return how many entries the list has as it stands now; octets that are no list none."""
        encoded = self._fetch()
        if encoded != self._encoded:
            self._encoded = encoded
            self._count = _checked(encoded)
            self._at = -1
        return self._count

    def reference(self, at: int) -> Reference:
        """Return what an entry names, the same object while no other is asked for.

        Raises IndexError if there is none such.
        """
        if at >= self.count():
            raise IndexError
        if at != self._at:
            reader = Reader(self._encoded, _HEAD + CAPTURE_OBJECT_SIZE * at)
            class_id, logical_name, index, _ = read_object(reader)
            self._reference = Reference(class_id, logical_name, index)
            self._at = at
        return self._reference


def _checked(encoded: bytes) -> int:
    """Return how many entries there are, 0 if one of them is none."""
    reader = Reader(encoded)
    try:
        count = reader.array()
        for _ in range(count):
            read_object(reader)
    except MeterError:
        return 0
    return min(count, _LENGTH_MAX)
