"""A record in FRAM that power loss cannot tear: two slots, written in turn.

Each slot holds a sequence number, a format version, the payload's length, the payload and a CRC-32
over all of it. A save goes to the slot with the older sequence number, so that the newer one stays
whole until the last byte of the CRC has arrived; it is read back, for a chip that has died takes
every write in silence. Rows EN-06, NOP-08, NOP-09.
"""

import binascii
import struct

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Buffer, Memory

    Migrate = Callable[[memoryview, int], bytes]  # an older payload and its version: today's

OK = const(0)  # both slots are whole
TWIN = const(1)  # one slot is damaged or missing, the other one served
BLANK = const(2)  # never written, or the very first save was cut off
LOST = const(3)  # both slots were written, and neither is whole or understood
NEWER = const(4)  # a later firmware has written it: kept, and never overwritten

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
        self.state = BLANK  # OK, TWIN, BLANK, LOST or NEWER as the last load found it
        self._sequence = 0
        self._next_slot = 0

    def load(self, migrate: "Migrate | None" = None) -> "Buffer | None":
        """Return the newest whole payload, or None; `state` tells what was found.

        The view is valid until the next call. A payload of an older format version goes through
        `migrate`; without it, it counts as damaged. Raises OSError if the memory does not answer.
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
        _, length, version, _ = struct.unpack_from(_HEADER, self._buffer, 0)
        payload = self._view[_HEADER_SIZE : _HEADER_SIZE + length]
        if version == self.version:
            return payload
        if version > self.version:
            self.state = NEWER
        elif migrate is not None:
            return migrate(payload, version)
        else:
            self.state = LOST
        return None

    def save(self, payload: "Buffer") -> None:
        """Write `payload` to the older slot; the newer one is untouched until this one is whole.

        Raises ValueError if it is longer than the capacity, OSError if the memory does not answer
        or does not keep it, or if a newer firmware's record stands there.
        """
        length = len(payload)
        if length > self.capacity:
            raise ValueError("record longer than its region")
        if self.state == NEWER:
            raise OSError("record of a newer firmware")
        sequence = (self._sequence + 1) & _SEQUENCE_MASK or 1
        struct.pack_into(_HEADER, self._buffer, 0, sequence, length, self.version, 0)
        self._view[_HEADER_SIZE : _HEADER_SIZE + length] = payload
        end = _HEADER_SIZE + length
        struct.pack_into("<I", self._buffer, end, binascii.crc32(self._view[:end]))
        slot = self._view[: end + _CRC_SIZE]
        self._memory.write(self._addresses[self._next_slot], slot)
        if self._check(self._next_slot) != sequence:
            raise OSError("memory does not keep what is written")
        # only now: a write that failed must not make the good slot the next one to be overwritten
        self._sequence = sequence
        self._next_slot = 1 - self._next_slot
        if self.state != OK:
            # The twin is missing or damaged: without it one flipped bit would lose everything.
            self._memory.write(self._addresses[self._next_slot], slot)
            self.state = OK

    def repair(self) -> None:
        """Write the copy that `load` has just found whole over the damaged one.

        Harmless to whoever else holds this record open. Raises OSError.
        """
        if self.state == TWIN:
            length = struct.unpack_from(_HEADER, self._buffer, 0)[1]
            slot = self._view[: slot_size(length)]
            self._memory.write(self._addresses[self._next_slot], slot)

    def erase(self) -> None:
        """Overwrite both slots, as if nothing had ever been saved. Raises OSError."""
        for index in range(len(self._buffer)):
            self._buffer[index] = 0
        for address in self._addresses:
            self._memory.write(address, self._view)
        self._sequence = 0
        self.state = BLANK

    def _check(self, slot: int) -> int:
        """Read a slot into the buffer; return its sequence, 0 if never written, -1 if damaged."""
        self._memory.read_into(self._addresses[slot], self._buffer)
        sequence, length, _, _ = struct.unpack_from(_HEADER, self._buffer, 0)
        if (sequence, length) in ((0, 0), (_SEQUENCE_MASK, 0xFFFF)):  # as delivered, or erased
            return 0
        end = _HEADER_SIZE + length
        if length > self.capacity:
            return -1
        crc = struct.unpack_from("<I", self._buffer, end)[0]
        return sequence if crc == binascii.crc32(self._view[:end]) else -1
