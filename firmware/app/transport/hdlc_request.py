"""A request on its way in over HDLC: segments joined, the LLC header taken off (IEC 62056-46)."""

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Buffer

_LLC_COMMAND = b"\xe6\xe6\x00"
_LLC = const(3)


class Request:
    """The segments received so far; what comes in one piece stays where it lies."""

    def __init__(self, max_pdu: int) -> None:
        self._most = information_of(max_pdu)
        self._octets: Buffer = b""

    def clear(self) -> None:
        """Forget what has come."""
        self._octets = b""

    def append(self, information: memoryview, more: bool) -> bool:
        """Join a segment; False if the request grows too long, and then it is forgotten."""
        octets = self._octets
        self._octets = b""
        if len(octets) + len(information) > self._most:
            return False
        if octets or more:
            joined = bytearray(octets)
            joined += information
            self._octets = joined
        else:
            self._octets = information
        return True

    def take(self) -> "memoryview | None":
        """Return the APDU and begin anew; None if the LLC header is not that of a command."""
        octets = self._octets
        self._octets = b""
        return apdu_of(memoryview(octets))


def information_of(max_pdu: int) -> int:
    """Return how many octets of information an APDU makes, with its LLC header."""
    return _LLC + max_pdu


def apdu_of(information: memoryview) -> "memoryview | None":
    """Return the APDU behind the LLC header of a command, None if there is no such header."""
    return information[_LLC:] if bytes(information[:_LLC]) == _LLC_COMMAND else None
