"""An answer that is made while it is sent.

A Stream holds one part of an encoded answer at a time and asks the object behind it for the next
part when that is used up, so a buffer or an object list of any length needs PART_SIZE octets.
"""

from micropython import const

from app.axdr import Writer
from app.cosem.base import PART_SIZE

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator


class Stream:
    """The octets of one answer, in order. What is to come is written to `writer`."""

    def __init__(self) -> None:
        self.writer = Writer(bytearray(PART_SIZE))
        self._view = memoryview(self.writer.buffer)
        self._parts: Iterator[None] | None = None
        self._taken = 0  # octets of the present part that have left

    def follow(self, parts: "Iterator[None] | None") -> None:
        """Set what writes the parts after the present one, None if that is all."""
        self._parts = parts

    def fill(self, buffer: "bytearray | memoryview", at: int, end: int) -> int:
        """Move octets into `buffer[at:end]` and return where they end.

        What an object raises while it makes a part comes through.
        """
        while at < end and not self.exhausted():
            count = min(self.writer.at - self._taken, end - at)
            buffer[at : at + count] = self._view[self._taken : self._taken + count]
            self._taken += count
            at += count
        return at

    def exhausted(self) -> bool:
        """Tell whether nothing is left, by making the next part if the present one is used up."""
        while self._taken == self.writer.at:
            if self._parts is None:
                return True
            self.writer.at = 0
            self._taken = 0
            try:
                next(self._parts)
            except StopIteration:
                self._parts = None
        return False
