"""An answer that is made while it is sent.

A Stream holds one part of an encoded answer at a time and asks the object behind it for the next
part when that is used up, so a buffer or an object list of any length needs PART_SIZE octets.
"""

from micropython import const

from app.axdr import Writer
from app.cosem.base import PART_SIZE
from app.dlms.conformance import GENERAL_BLOCK_TRANSFER
from app.dlms.services import (
    ANSWERED_ERRORS,
    OPERATION_NOT_POSSIBLE,
    PDU_TOO_LONG,
    SERVICE_NOT_ALLOWED,
    ServiceRefused,
)
from app.errors import MeterError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.cosem.association_ln import Session


class AnswerTooLong(MeterError):  # noqa: N818 - nobody's fault
    """The answer needs blocks and the client did not agree to them."""


class Stream:
    """The octets of one answer, in order. What is to come is written to `writer`."""

    def __init__(self, beginning: bytes = b"") -> None:
        self.writer = Writer(bytearray(max(PART_SIZE, len(beginning))))
        self.writer.raw(beginning)
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


def pieces(writer: Writer, octets: bytes) -> "Iterator[None]":
    """Write octets of any number as parts."""
    for at in range(0, len(octets), PART_SIZE):
        writer.raw(octets[at : at + PART_SIZE])
        yield


def refuse_long(session: "Session") -> None:
    """Raise ServiceRefused unless the client takes an answer in general blocks."""
    if not session.conformance & GENERAL_BLOCK_TRANSFER:
        raise ServiceRefused(SERVICE_NOT_ALLOWED, PDU_TOO_LONG)


def send(session: "Session", stream: Stream, reply: "bytearray | memoryview", at: int) -> int:
    """Write what fits from `reply[at:]` on and return where it ends; the rest is the session's.

    Raises AnswerTooLong if there is a rest and the client takes no general blocks. What an object
    raises while it makes a part comes through.
    """
    end = stream.fill(reply, at, session.limit)
    if not stream.exhausted():
        if not session.conformance & GENERAL_BLOCK_TRANSFER:
            raise AnswerTooLong
        session.rest = stream
    return end


def send_or_refuse(
    session: "Session", stream: Stream, reply: "bytearray | memoryview", at: int
) -> int:
    """Do as `send`, with ServiceRefused for whatever goes wrong."""
    try:
        return send(session, stream, reply, at)
    except AnswerTooLong:
        raise ServiceRefused(SERVICE_NOT_ALLOWED, PDU_TOO_LONG) from None
    except ANSWERED_ERRORS:
        raise ServiceRefused(SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE) from None
