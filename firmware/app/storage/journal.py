"""Rows on their way to flash: staged in FRAM, so that an append is durable when it returns.

A linear log of entries that starts again at its beginning whenever all of them have arrived in
flash. The body of an entry and the end mark behind it are written first, then its mark in one
byte: before that byte the entry does not exist, after it, it is whole. Row and CRC stand in the
entry as they will stand in flash. In front lies the number of a sector that is being erased.
"""

import binascii
import struct

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Buffer, Memory

    Entry = tuple[int, int, int, int]  # where its row lies, ring, sequence, length

_END = const(0x00)  # nothing behind this
_PENDING = const(0x5A)
_DONE = const(0xA5)  # its row has arrived in flash

_FRONT = const(4)
_HEADER = "<BBHIH"  # mark, ring, row length, sequence, check
_HEADER_SIZE = const(10)
_CHECKED = const(8)  # the check covers the header up to itself, with the mark PENDING
_CRC_SIZE = const(4)


class Journal:
    """The log in `size` bytes of `memory` from `address` on; `scratch` is lent for a moment."""

    def __init__(self, memory: "Memory", address: int, size: int, scratch: memoryview) -> None:
        self._memory = memory
        self._address = address
        self._size = size
        self._scratch = scratch
        self._header = memoryview(bytearray(_HEADER_SIZE))
        self._tail = bytearray(_CRC_SIZE + 1)
        self._end = _FRONT
        self.pending: list[Entry] = []  # oldest first
        self.torn = 0  # one more than the sector whose erase a power cut may have torn
        self.damaged = False  # True: what was found at start is not whole
        self.volatile = False  # True: the FRAM has failed, entries stand in RAM
        try:
            self._load()
        except OSError:
            self._to_ram()

    def put(self, ring: int, sequence: int, row: "Buffer") -> bool:
        """Stage `row`; False if there is no room. It survives power loss when this returns."""
        length = len(row)
        if self._end + _HEADER_SIZE + length + len(self._tail) > self._size:
            return False
        struct.pack_into(_HEADER, self._header, 0, _PENDING, ring, length, sequence, 0)
        struct.pack_into("<H", self._header, _CHECKED, self._check())
        struct.pack_into("<IB", self._tail, 0, binascii.crc32(row, sequence), _END)
        entry = (self._end + _HEADER_SIZE, ring, sequence, length)
        try:
            self._write(entry, row)
        except OSError:
            # Better a row that a power cut may take than none: flash has it in some milliseconds.
            self._to_ram()
            entry = (self._end + _HEADER_SIZE, ring, sequence, length)
            self._write(entry, row)
        self.pending.append(entry)
        self._end = entry[0] + length + _CRC_SIZE
        return True

    def read_into(self, entry: "Entry", offset: int, buffer: "bytearray | memoryview") -> bool:
        """Fill `buffer` from the entry's row and CRC, `offset` bytes behind their start."""
        self._memory.read_into(self._address + entry[0] + offset, buffer)
        return True

    def done(self, entry: "Entry") -> None:
        """Take an entry out whose row has arrived in flash."""
        if entry not in self.pending:
            return  # the FRAM has failed, and taken it along
        self.pending.remove(entry)
        if self.pending:
            self._put_byte(entry[0] - _HEADER_SIZE, _DONE)
        else:
            self._put_byte(_FRONT, _END)
            self._end = _FRONT

    def note(self, torn: int) -> None:
        """Note which sector is being erased; a power cut may leave cells that only look blank."""
        self._put(0, struct.pack("<HH", torn, torn ^ 0xFFFF))
        self.torn = torn

    def _load(self) -> None:
        """Find the entries that a power cut has left."""
        self._memory.read_into(self._address, self._scratch[:_FRONT])
        torn, inverse = struct.unpack_from("<HH", self._scratch)
        if torn == inverse ^ 0xFFFF:  # else the chip is new
            self.torn = torn
        while self._end + _HEADER_SIZE <= self._size:
            self._memory.read_into(self._address + self._end, self._header)
            mark, ring, length, sequence, check = struct.unpack(_HEADER, self._header)
            if mark == _END:
                break
            self._header[0] = _PENDING
            entry = (self._end + _HEADER_SIZE, ring, sequence, length)
            end = entry[0] + length + _CRC_SIZE
            if check != self._check() or end >= self._size:
                self.damaged = mark != 0xFF  # a chip may have been delivered like that
                break
            self._end = end
            if mark != _DONE:
                if self._whole(entry):
                    self.pending.append(entry)
                else:
                    self.damaged = True
        if not self.pending:
            self._end = _FRONT
        self._put_byte(self._end, _END)

    def _check(self) -> int:
        return binascii.crc32(self._header[:_CHECKED]) & 0xFFFF

    def _whole(self, entry: "Entry") -> bool:
        return whole(self.read_into, entry, entry[3], entry[2], self._scratch)

    def _write(self, entry: "Entry", row: "Buffer") -> None:
        """Write an entry, its mark last. Raises OSError if the memory does not hold it."""
        at = self._address + entry[0]
        self._memory.write(at - _HEADER_SIZE + 1, self._header[1:])
        self._memory.write(at, row)
        self._memory.write(at + entry[3], self._tail)
        if not self._whole(entry):
            raise OSError("FRAM does not keep what is written")
        self._memory.write(at - _HEADER_SIZE, self._header[:1])

    def _put_byte(self, offset: int, byte: int) -> None:
        self._put(offset, bytes((byte,)))

    def _put(self, offset: int, data: bytes) -> None:
        try:
            self._memory.write(self._address + offset, data)
        except OSError:
            self._to_ram()

    def _to_ram(self) -> None:
        """Go on in RAM, with what can still be read."""
        ram = _Ram(self._size)
        try:
            self._memory.read_into(self._address, ram.view)
        except OSError:
            self._end = _FRONT
            self.pending = []
        self._memory = ram
        self._address = 0
        self.volatile = True


class _Ram:
    """A `hal.Memory` that forgets."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.view = memoryview(bytearray(size))

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        buffer[:] = self.view[address : address + len(buffer)]

    def write(self, address: int, data: "Buffer") -> None:
        self.view[address : address + len(data)] = data


def whole(
    read_into: "Callable[..., bool]",
    key: "Entry | int",
    length: int,
    seed: int,
    scratch: memoryview,
) -> bool:
    """Tell whether `length` bytes agree with the CRC behind them; `read_into(key, at, part)`."""
    crc = seed
    offset = 0
    while offset < length:
        part = scratch[: min(length - offset, len(scratch))]
        if not read_into(key, offset, part):
            return False
        crc = binascii.crc32(part, crc)
        offset += len(part)
    part = scratch[:_CRC_SIZE]
    return read_into(key, length, part) and struct.unpack_from("<I", part)[0] == crc
