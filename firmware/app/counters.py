"""Invocation counters of the keys: no number is used or accepted twice (rows SEC-34, SEC-35).

A counter and a system title make the nonce of one protected APDU, and a nonce that comes twice
under one key lays both texts open. Numbers to send are therefore reserved in FRAM a block ahead:
what a power cut leaves unused is skipped. Numbers received are stored before the APDU takes
effect. When both copies of a record are damaged nobody knows which numbers are gone: nothing is
protected or accepted any more until new keys come.
"""

import struct

from micropython import const

from app.errors import MeterError
from app.storage import record, regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.storage.record import Record
    from hal import Memory

_RESERVE = const(256)
_TRANSACTION_SIZE = const(8)
_LAST = const(0xFFFFFFFF)  # never used, never accepted: nothing could follow it


class Replayed(MeterError):  # noqa: N818 - what happened
    """A number came that is not above the last one; `expected` would be."""

    def __init__(self, expected: int) -> None:
        super().__init__(expected)
        self.expected = expected


class CountersLost(MeterError):  # noqa: N818 - what happened
    """The counters are damaged, used up or cannot be stored: nothing can be protected."""


class Counters:
    """Counters over `memory`: one for what is sent, one for each global key that receives."""

    def __init__(self, memory: "Memory") -> None:
        self._sent_record = regions.open_record(memory, "send_counter")
        self._received_record = regions.open_record(memory, "invocation_counter")
        self._transaction_record = regions.open_record(memory, "transaction")
        self._transaction = 0  # the last one accepted
        self._expected = [0, 0]  # the smallest acceptable number of GUEK and GBEK
        self._next = 1  # some clients take 0 for a number that has been used
        self._reserved = 1  # numbers below may be sent
        self.lost = False
        self._load()

    def last(self, key: int) -> int:
        """Return the last number accepted under key 0 (GUEK) or 1 (GBEK), 0 if none was."""
        return max(0, self._expected[key] - 1)

    def expected(self, key: int) -> int:
        """Return the smallest number that would be accepted."""
        return self._expected[key]

    def check(self, key: int, number: int) -> None:
        """Raise Replayed unless the number may come now, CountersLost if that is not known."""
        if self.lost:
            raise CountersLost
        if number < self._expected[key] or number >= _LAST:
            raise Replayed(self._expected[key])

    def accept(self, key: int, number: int) -> None:
        """Take over a number whose APDU was found genuine; errors as `check`."""
        self.check(key, number)
        expected = list(self._expected)
        expected[key] = number + 1
        self._store(expected)

    def accept_inner(self, number: int, expected: int) -> None:
        """Take over a GUEK number from inside an APDU that may bear a higher one itself.

        `expected` is what was expected before that APDU came; errors as `check`.
        """
        if self.lost:
            raise CountersLost
        if number < expected or number >= _LAST:
            raise Replayed(expected)
        if number >= self._expected[0]:
            self.accept(0, number)

    def check_transaction(self, identifier: bytes) -> int:
        """Return the number of a transaction-id. Raises Replayed if it is not above the last.

        It stands for the counter where each APDU has a key of its own, or none.
        """
        number = int.from_bytes(identifier, "big")
        if self.lost:
            raise CountersLost
        if number <= self._transaction or len(identifier) > _TRANSACTION_SIZE:
            raise Replayed((self._transaction + 1) & _LAST)
        return number

    def accept_transaction(self, identifier: bytes) -> None:
        """Take over a transaction-id whose APDU was found genuine; errors as `check`."""
        number = self.check_transaction(identifier)
        _keep(self._transaction_record, number.to_bytes(_TRANSACTION_SIZE, "big"))
        self._transaction = number

    def send(self) -> int:
        """Return a number that was never returned before. Raises CountersLost."""
        if self.lost:
            raise CountersLost
        number = self._next
        if number >= self._reserved:
            self._reserve(number + _RESERVE)
        self._next = number + 1
        return number

    def renewed(self, key: int) -> None:
        """A new key has come: the client counts from the start again. Raises CountersLost.

        What is sent is counted on, so that a key that should come back meets no old number.
        """
        expected = list(self._expected)
        expected[key] = 0
        self._store(expected)
        if self.lost:
            self._reserve(self._next + _RESERVE)
            self.lost = False

    def _load(self) -> None:
        try:
            received = self._received_record.load()
            if received is not None:
                self._expected = list(struct.unpack_from(">II", received))
            transaction = self._transaction_record.load()
            if transaction is not None:
                self._transaction = int.from_bytes(bytes(transaction), "big")
            sent = self._sent_record.load()
            if sent is not None:
                self._next = self._reserved = struct.unpack_from(">I", sent)[0]
        except (OSError, ValueError):
            self.lost = True
        for stored in (self._received_record, self._sent_record, self._transaction_record):
            if stored.state >= record.LOST:
                self.lost = True

    def _store(self, expected: "list[int]") -> None:
        _keep(self._received_record, struct.pack(">II", expected[0], expected[1]))
        self._expected = expected

    def _reserve(self, reserved: int) -> None:
        if reserved > _LAST:
            raise CountersLost
        _keep(self._sent_record, struct.pack(">I", reserved))
        self._reserved = reserved


def _keep(stored: "Record", payload: bytes) -> None:
    """Store a counter in both copies: one that falls back to the older would repeat numbers."""
    try:
        stored.save(payload)
        stored.save(payload)
    except OSError:
        raise CountersLost from None
