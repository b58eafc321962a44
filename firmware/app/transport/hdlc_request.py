"""A request on its way in over HDLC: segments joined, the LLC header taken off (IEC 62056-46)."""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Buffer

_LLC_COMMAND = b"\xe6\xe6\x00"
_LLC = const(3)


class Request:
    """The segments received so far."""

    def __init__(self, max_pdu: int) -> None:
        self._view = memoryview(bytearray(_LLC + max_pdu))
        self._length = 0

    def clear(self) -> None:
        """Forget what has come."""
        self._length = 0

    def append(self, information: "Buffer") -> bool:
        """Join a segment; False if the request grows too long, and then it is forgotten."""
        end = self._length + len(information)
        if end > len(self._view):
            self._length = 0
            return False
        self._view[self._length : end] = information
        self._length = end
        return True

    def take(self) -> "memoryview | None":
        """Return the APDU and begin anew; None if the LLC header is not that of a command."""
        length = self._length
        self._length = 0
        return apdu_of(self._view[:length])


def apdu_of(information: memoryview) -> "memoryview | None":
    """Return the APDU behind the LLC header of a command, None if there is no such header."""
    return information[_LLC:] if bytes(information[:_LLC]) == _LLC_COMMAND else None
