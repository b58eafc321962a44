"""The answer on its way to an HDLC client: segments, window and repetition (IEC 62056-46, 6.4.4).

The channel above writes an APDU into `apdu`; it leaves as information frames with the LLC header
of a response before it. What the client's N(R) does not acknowledge is sent again.
"""

from array import array

from micropython import const

_LLC_RESPONSE = b"\xe6\xe7\x00"
_LLC = const(3)
_TWO_FLAGS = b"~~"


class Reply:
    """One answer, and the send side's sequence numbers, which outlast it."""

    def __init__(self, max_pdu: int) -> None:
        self.apdu = bytearray(max_pdu)
        self.length = 0  # with LLC header; 0: nothing to send
        self.number = 0  # V(S), of the next information frame
        self._view = memoryview(self.apdu)
        self._sent = 0  # octets
        self._acknowledged = 0  # octets
        self._acknowledged_number = 0  # the client has all before it
        self._sizes = array("H", bytes(16))  # octets of the frame with each number

    def restart(self) -> None:
        """Begin with the numbers of a new link."""
        self.number = self._acknowledged_number = 0
        self.drop()

    def drop(self) -> None:
        """Forget the answer: the client does not want the rest of it."""
        self.length = self._sent = self._acknowledged = 0

    def begin(self, apdu_length: int) -> None:
        """Have `apdu_length` octets of `apdu` sent; 0: there is no answer."""
        self.drop()
        self.length = _LLC + apdu_length if apdu_length else 0

    def waits(self) -> bool:
        """Tell whether there is something to send."""
        return self._sent < self.length

    def acknowledge(self, number: int) -> bool:
        """Take N(R): what lies before it arrived, what lies behind it is to be sent again.

        False if nothing with that number was sent.
        """
        arrived = number - self._acknowledged_number & 7
        if arrived > (self.number - self._acknowledged_number & 7):
            return False
        for index in range(arrived):
            self._acknowledged += self._sizes[self._acknowledged_number + index & 7]
        self._acknowledged = min(self._acknowledged, self.length)
        self._sent = self._acknowledged
        self._acknowledged_number = self.number = number
        return True

    def next_segment(self, buffer: memoryview, at: int, information_max: int) -> int:
        """Copy the next segment to `buffer[at:]`, count it as sent and return its length.

        It ends between two octets like flags, where there are such; rows of them stay whole.
        """
        size = min(information_max, self.length - self._sent)
        start = self._sent
        apdu = self.apdu
        twins = apdu.find(_TWO_FLAGS, max(start - _LLC, 0), max(start + size - _LLC, 0))
        if twins >= 0 and apdu.find(_TWO_FLAGS, twins + 1, twins + 3) < 0:
            size = twins + 1 + _LLC - start
        end = self._sent = start + size
        self._sizes[self.number] = size
        self.number = self.number + 1 & 7
        self._copy(buffer, at, start, end)
        return size

    def undo(self) -> None:
        """Take the segment made last as not made."""
        self.number = self.number - 1 & 7
        self._sent -= self._sizes[self.number]

    def whole(self, buffer: memoryview, at: int) -> int:
        """Copy all of it to `buffer[at:]`, for a frame without number; it is done with then."""
        size = self.length
        self._copy(buffer, at, 0, size)
        self.drop()
        return size

    def _copy(self, buffer: memoryview, at: int, start: int, end: int) -> None:
        while start < _LLC and start < end:
            buffer[at] = _LLC_RESPONSE[start]
            at += 1
            start += 1
        if start < end:
            buffer[at : at + end - start] = self._view[start - _LLC : end - _LLC]
