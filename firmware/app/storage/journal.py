"""Rows on their way to flash: staged in FRAM, so that an append is durable when it returns.

A linear log of entries that starts again at its beginning whenever all of them have arrived in
flash. The body of an entry and the end mark behind it are written first, then its mark in one
byte: before that byte the entry does not exist, after it, it is whole. Row and CRC stand in the
entry as they will stand in flash.
"""

import binascii
import struct

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from hal import Buffer, Memory

    Entry = tuple[int, int, int, int]  # where its row lies, ring, sequence, length

_END = const(0x00)  # nothing behind this
_PENDING = const(0x5A)
_DONE = const(0xA5)  # its row has arrived in flash

_HEADER = "<BBHIH"  # mark, ring, row length, sequence, check
_HEADER_SIZE = const(10)
_CHECKED = const(8)  # the check covers the header up to itself, with the mark PENDING
_TAIL_SIZE = const(5)  # CRC, end mark


class Journal:
    """The log in `size` bytes of `memory` from `address` on; `scratch` is lent for a moment."""

    def __init__(self, memory: "Memory", address: int, size: int, scratch: memoryview) -> None:
        self._memory = memory
        self._address = address
        self._size = size
        self._scratch = scratch
        self._head = bytearray(_HEADER_SIZE)
        self._tail = bytearray(_TAIL_SIZE)
        self._mark = bytearray(1)
        self._end = 0
        self.pending: list[Entry] = []  # oldest first
        self.damaged = False  # True: what was found at start ended in an entry with a wrong CRC
        self.volatile = False  # True: the FRAM has failed, entries stand in RAM
        try:
            self._load()
        except OSError:
            self._to_ram()

    def put(self, ring: int, sequence: int, row: "Buffer") -> bool:
        """Stage `row`; False if there is no room. It survives power loss when this returns."""
        length = len(row)
        start = self._end
        if start + _HEADER_SIZE + length + _TAIL_SIZE > self._size:
            return False
        self._pack_header(ring, length, sequence)
        struct.pack_into("<IB", self._tail, 0, binascii.crc32(row, sequence), _END)
        try:
            self._write(start, row, length)
        except OSError:
            # Better a row that a power cut may take than none: flash has it in some milliseconds.
            self._to_ram()
            start = 0
            self._write(0, row, length)
        self._end = start + _HEADER_SIZE + length + _TAIL_SIZE - 1
        self.pending.append((start + _HEADER_SIZE, ring, sequence, length))
        return True

    def read_into(self, entry: "Entry", offset: int, buffer: "bytearray | memoryview") -> None:
        """Fill `buffer` from the entry's row and CRC, `offset` bytes behind their start."""
        self._memory.read_into(self._address + entry[0] + offset, buffer)

    def done(self, entry: "Entry") -> None:
        """Take an entry out whose row has arrived in flash."""
        self.pending.remove(entry)
        if self.pending:
            self._set_mark(entry[0] - _HEADER_SIZE, _DONE)
        else:
            self._set_mark(0, _END)
            self._end = 0

    def _load(self) -> None:
        """Find the entries that a power cut has left."""
        offset = 0
        while offset + _HEADER_SIZE + _TAIL_SIZE <= self._size:
            self._memory.read_into(self._address + offset, self._head)
            mark, ring, length, sequence, check = struct.unpack(_HEADER, self._head)
            if mark == _END:
                break
            self._head[0] = _PENDING
            sound = check == binascii.crc32(memoryview(self._head)[:_CHECKED]) & 0xFFFF
            entry = (offset + _HEADER_SIZE, ring, sequence, length)
            offset += _HEADER_SIZE + length + _TAIL_SIZE - 1
            if not sound or offset >= self._size:
                self.damaged = mark != 0xFF  # a chip as delivered may hold that
                break
            if mark != _DONE:
                if self.whole(entry):
                    self.pending.append(entry)
                else:
                    self.damaged = True
            self._end = offset
        if not self.pending:
            self._end = 0
        self._set_mark(self._end, _END)

    def whole(self, entry: "Entry") -> bool:
        """Tell whether row and CRC of an entry agree."""
        _, _, sequence, length = entry
        crc = sequence
        offset = 0
        while offset < length:
            piece = self._scratch[: min(length - offset, len(self._scratch))]
            self.read_into(entry, offset, piece)
            crc = binascii.crc32(piece, crc)
            offset += len(piece)
        self.read_into(entry, length, self._scratch[:4])
        return crc == struct.unpack_from("<I", self._scratch)[0]

    def _pack_header(self, ring: int, length: int, sequence: int) -> None:
        head = self._head
        struct.pack_into(_HEADER, head, 0, _PENDING, ring, length, sequence, 0)
        check = binascii.crc32(memoryview(head)[:_CHECKED]) & 0xFFFF
        struct.pack_into("<H", head, _CHECKED, check)

    def _write(self, start: int, row: "Buffer", length: int) -> None:
        """Write an entry, its mark last. Raises OSError if the memory does not hold it."""
        address = self._address + start
        self._memory.write(address + 1, memoryview(self._head)[1:])
        self._memory.write(address + _HEADER_SIZE, row)
        self._memory.write(address + _HEADER_SIZE + length, self._tail)
        sequence = struct.unpack_from("<I", self._head, 4)[0]
        if not self.whole((start + _HEADER_SIZE, 0, sequence, length)):
            raise OSError("FRAM does not keep what is written")
        self._memory.write(address, memoryview(self._head)[:1])

    def _set_mark(self, offset: int, mark: int) -> None:
        self._mark[0] = mark
        try:
            self._memory.write(self._address + offset, self._mark)
        except OSError:
            self._to_ram()

    def _to_ram(self) -> None:
        """Go on in RAM; what stood in the FRAM cannot be read any more."""
        if not self.volatile:
            self.volatile = True
            self._memory = _Ram(self._size)
            self._address = 0
            self._end = 0
            self.pending = []


class _Ram:
    """A `hal.Memory` that forgets."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._bytes = bytearray(size)

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        buffer[:] = memoryview(self._bytes)[address : address + len(buffer)]

    def write(self, address: int, data: "Buffer") -> None:
        self._bytes[address : address + len(data)] = data
