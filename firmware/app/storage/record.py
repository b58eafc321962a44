"""A record in FRAM that power loss cannot tear: two slots, written in turn.

Each slot holds a sequence number, a format version, the payload's length, the payload and a CRC-32
over all of it. A save goes to the slot with the older sequence number, so that the newer one stays
whole until the last byte of the CRC has arrived. Row EN-06.
"""

import binascii
import struct

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from hal import Buffer, Memory

OK = const(0)  # both slots are whole
TWIN = const(1)  # one slot is damaged or missing, the other one served
BLANK = const(2)  # never written, or the very first save was cut off
LOST = const(3)  # both slots were written, and neither is whole

_HEADER = "<IHBB"  # sequence, payload length, format version, reserved
_HEADER_SIZE = const(8)
_CRC_SIZE = const(4)
_SEQUENCE_MASK = const(0xFFFFFFFF)


def slot_size(capacity: int) -> int:
    """Return the bytes that one of the two slots takes for payloads of up to `capacity` bytes."""
    return _HEADER_SIZE + capacity + _CRC_SIZE


class Record:
    """One named record of up to `capacity` bytes at `address`; takes two slots."""

    def __init__(self, memory: "Memory", address: int, capacity: int, version: int) -> None:
        self._memory = memory
        self._addresses = (address, address + slot_size(capacity))
        self._buffer = bytearray(slot_size(capacity))
        self._view = memoryview(self._buffer)
        self.capacity = capacity
        self.version = version
        self.state = BLANK  # OK, TWIN, BLANK or LOST as the last load found it
        self._sequence = 0
        self._next_slot = 0

    def load(self) -> "memoryview | None":
        """Return the newest whole payload, or None; `state` tells what was found.

        The view is valid until the next call. A payload of another format version counts as
        damaged. Raises OSError if the memory does not answer.
        """
        newest = -1
        whole = 0
        blank = 0
        for slot in (0, 1):
            sequence = self._check(slot)
            if sequence == 0:
                blank += 1
            elif sequence > 0:
                whole += 1
                if newest < 0 or (sequence - self._sequence) & _SEQUENCE_MASK < 1 << 31:
                    newest = slot
                    self._sequence = sequence
        if newest < 0:
            self.state = BLANK if blank else LOST
            self._sequence = 0
            self._next_slot = 0
            return None
        self.state = OK if whole == 2 else TWIN
        self._next_slot = 1 - newest
        self._check(newest)
        length = struct.unpack_from(_HEADER, self._buffer, 0)[1]
        return self._view[_HEADER_SIZE : _HEADER_SIZE + length]

    def save(self, payload: "Buffer") -> None:
        """Write `payload` to the older slot; the newer one is untouched until this one is whole.

        Raises ValueError if it is longer than the capacity, OSError if the memory does not answer.
        """
        length = len(payload)
        if length > self.capacity:
            raise ValueError("record longer than its region")
        sequence = (self._sequence + 1) & _SEQUENCE_MASK or 1
        struct.pack_into(_HEADER, self._buffer, 0, sequence, length, self.version, 0)
        self._view[_HEADER_SIZE : _HEADER_SIZE + length] = payload
        end = _HEADER_SIZE + length
        struct.pack_into("<I", self._buffer, end, binascii.crc32(self._view[:end]))
        slot = self._view[: end + _CRC_SIZE]
        self._memory.write(self._addresses[self._next_slot], slot)
        # only now: a write that failed must not make the good slot the next one to be overwritten
        self._sequence = sequence
        self._next_slot = 1 - self._next_slot
        if self.state != OK:
            # The twin is missing or damaged: without it one flipped bit would lose everything.
            self._memory.write(self._addresses[self._next_slot], slot)
            self.state = OK

    def _check(self, slot: int) -> int:
        """Read a slot into the buffer; return its sequence, 0 if never written, -1 if damaged."""
        self._memory.read_into(self._addresses[slot], self._buffer)
        sequence, length, version, _ = struct.unpack_from(_HEADER, self._buffer, 0)
        if (sequence, length) in ((0, 0), (_SEQUENCE_MASK, 0xFFFF)):  # as delivered, or erased
            return 0
        end = _HEADER_SIZE + length
        if length > self.capacity or version != self.version:
            return -1
        crc = struct.unpack_from("<I", self._buffer, end)[0]
        return sequence if crc == binascii.crc32(self._view[:end]) else -1
