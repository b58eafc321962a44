"""A ring of rows of one size over whole blocks of NOR flash; the newest overwrite the oldest.

A block is one erase sector: a header, then slots of row and CRC-32. The opening part of the header
is programmed when the block is begun, the closing part, with the bounds of the rows' times, when
it is full. A row's sequence number is its block's first one plus its place; the CRC is started
with it, so a row cannot pass for another. Slots are programmed in order; the block after the one
that is being filled is erased ahead. Blocks take turns, which spreads the wear.

A row that power loss has torn was never appended: the header tells that its slot does not count.
Rows NOP-10, NOP-11.
"""

import binascii
import struct
from array import array

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Generator

    from app.storage.rings import Rings
    from hal import Buffer

    Found = tuple[int, int, int, int, int, tuple[int, ...]]
    Steps = Generator[None, None, None]  # yields while the chip is at work

_MARK = b"Fr\x01"  # and the layout of blocks
_OPENING = "<3sBHHIII"  # mark, ring, row size, rows' version, turn, first sequence, floor
_OPENING_SIZE = const(20)
_CLOSING_AT = const(24)  # earliest and latest time of the rows; each part is followed by its CRC
_CLOSING_SIZE = const(8)
_SKIPS_AT = const(36)  # places of slots that do not count, rising
_REST = "<III16H"  # what follows the opening part
_SKIPS_MOST = const(16)
_NO_SKIP = const(0xFFFF)
_HEADER_SIZE = const(68)
_CRC_SIZE = const(4)
PROGRAM = const(0)  # notes of what is under way
ERASE = const(1)
RESERVE = const(3)  # blocks: the one being filled, the one erased ahead, one that may go bad

_NOT_FOUND: "Found" = (0, 0, 0, 0, 0, ())


def rows_of(sector_size: int, row_size: int) -> int:
    """Return how many rows a block takes."""
    return (sector_size - _HEADER_SIZE) // (row_size + _CRC_SIZE)


class Ring:
    """Rows of `row_size` bytes; opened by `Rings.open`.

    `place` is what regions.find_ring gives. The first four bytes of a row are its UTC seconds,
    little-endian. Raises ValueError if not one row fits a block.
    """

    def __init__(
        self, rings: "Rings", place: "tuple[int, ...]", row_size: int, layout: int = 0
    ) -> None:
        self.number, self.sector, self.blocks, limit, version = place
        self._version = (version ^ layout) & 0xFFFF
        self._rings = rings
        self._scratch = rings.scratch
        self._rows = rows_of(rings.sector_size, row_size)
        if row_size < 4 or self._rows < 1:
            raise ValueError("row size")
        self.row_size = row_size
        self.capacity = (self.blocks - RESERVE) * self._rows  # rows that are kept for certain
        if limit:
            self.capacity = min(limit, self.capacity)
        self._firsts = array("i", [-1] * self.blocks)  # first sequence of each, -1: no rows
        self._oldest = -1  # the lowest of them, -1: to be found
        self._head = self.blocks - 1  # the block being filled
        self._left = -1  # slots free in it, -1: it is closed
        self.turn = 0  # blocks opened since the ring was new; over `blocks`: erase cycles
        self._spare = -1  # the block that is known to be blank
        self._unclosed = -1  # a full block whose bounds are still to be written
        self._floor = 0  # rows below were cleared
        # Block found last, sequences from and up to which it serves, bounds of the rows' times,
        # slots that do not count
        self._found = _NOT_FOUND
        self._skips: tuple[int, ...] = ()  # slots of the head that do not count
        self.next = 0  # sequence of the next row to be appended
        self.ready = False  # False: the chip has not been read yet
        self.foreign = False  # True: the newest rows found had another size or layout

    @property
    def first(self) -> int:
        """Sequence of the oldest row that can be read; `next` if there is none."""
        if self._oldest < 0:
            self._oldest = self.next
            for first in self._firsts:
                if 0 <= first < self._oldest:
                    self._oldest = first
        return max(self._oldest, self._floor, self.next - self.capacity)

    def append(self, row: "Buffer") -> None:
        """Add a row; after return it survives power loss. Waits some milliseconds at most.

        Only where a whole block of rows comes within the time of an erase, it is waited for.
        Raises ValueError if the row has another size, OSError if flash does not take it.
        """
        if len(row) != self.row_size:
            raise ValueError("row size")
        with self._rings:
            sequence = self.next
            while True:
                if self._left <= 0:
                    self.begin()
                sector = self.sector + self._head
                address = self._address(self._head, sequence, self._skips)
                self._rings.note(PROGRAM, sector + 1)
                self._rings.program(address, row)
                crc = binascii.crc32(row, sequence)
                self._rings.program(address + self.row_size, struct.pack("<I", crc))
                self.next = sequence + 1
                if self.whole(sequence):
                    break
                # Cells that do not take it: what the block holds stays readable, but it is left.
                self.next = sequence
                self._left = -1
                self._rings.mark_bad(sector)
            self._left -= 1
            self._rings.note(PROGRAM, 0)

    def clear(self) -> None:
        """Forget all rows, for good when this returns; sequence numbers go on. Raises OSError."""
        floor = self._floor
        with self._rings:
            self._floor = self.next
            try:
                self.begin()
            except OSError:
                self._floor = floor
                raise

    def read_into(self, sequence: int, row: "bytearray | memoryview") -> bool:
        """Fill `row` with a row; False if it is damaged or missing.

        Raises ValueError outside `first` up to `next` or if `row` has another size, OSError if the
        chip does not answer.
        """
        if not self.first <= sequence < self.next or len(row) != self.row_size:
            raise ValueError("row")
        tail = self._scratch[:_CRC_SIZE]
        return (
            self.fetch(sequence, 0, row)
            and self.fetch(sequence, self.row_size, tail)
            and struct.unpack_from("<I", tail)[0] == binascii.crc32(row, sequence)
        )

    def whole(self, sequence: int) -> bool:
        """Tell whether a row is as it was appended, like `read_into` without a buffer."""
        crc = sequence
        offset = 0
        while offset < self.row_size:
            part = self._scratch[: min(self.row_size - offset, len(self._scratch))]
            if not self.fetch(sequence, offset, part):
                return False
            crc = binascii.crc32(part, crc)
            offset += len(part)
        part = self._scratch[:_CRC_SIZE]
        return self.fetch(sequence, offset, part) and struct.unpack_from("<I", part)[0] == crc

    def span(self, from_s: int, to_s: int) -> "Generator[int, None, None]":
        """Sequences of the rows whose time lies in `from_s` to `to_s`, both included.

        A block whose bounds lie outside is passed over unread, one that lies inside comes whole,
        damaged rows too. Rows come in their own order, also where the clock was set back. Raises
        OSError if the chip does not answer.
        """
        sequence = 0
        while True:
            sequence = max(sequence, self.first)  # rows may have gone meanwhile
            if sequence >= self.next:
                return
            _, _, end, earliest, latest, _ = self._find(sequence)
            if latest < from_s or to_s < earliest:
                sequence = end
            inside = from_s <= earliest and latest <= to_s
            while sequence < end:
                time_s = from_s if inside else self._time_s(sequence)
                if time_s is not None and from_s <= time_s <= to_s:
                    yield sequence
                sequence += 1

    # What the keeper of the rings calls.

    def scan(self) -> None:
        """Read the headers of all blocks. Raises OSError if the chip does not answer."""
        head = -1
        newest = 0
        for block in range(self.blocks):
            opening = self._opening(block)
            if opening is None:
                continue
            _, _, row_size, version, turn, first, floor = opening
            if row_size == self.row_size and version == self._version:
                self._firsts[block] = first
            if turn > newest:
                newest = turn
                head = block
                self._floor = floor
                self.next = first + rows_of(self._rings.sector_size, row_size)
        if head >= 0:
            self._head = head
            self.turn = newest
            if self._firsts[head] < 0:
                self._floor = self.next  # rows of another layout: none is left
                self.foreign = True
            else:
                self._scan_head()
        self._oldest = -1
        self.ready = True

    def prepare(self) -> "Steps":
        """Have a blank block ready behind the one being filled. Raises OSError if none can be."""
        while not self.prepared():
            block = self._after()
            self._firsts[block] = self._oldest = -1
            self._found = _NOT_FOUND
            if (yield from self._rings.make_blank(self.sector + block)):
                self._spare = block

    def prepared(self) -> bool:
        """Tell whether the next block is blank."""
        return self._after() == self._spare

    def begin(self) -> None:
        """Leave the present block and open the next one. Raises OSError if none can be."""
        if self._left == 0:
            self._unclosed = self._head
        self._left = -1
        while True:
            self._rings.finish(self)
            block = self._spare
            self._spare = -1
            self.turn += 1
            self._rings.note(PROGRAM, self.sector + block + 1)
            opening = (_MARK, self.number, self.row_size, self._version, self.turn, self.next)
            header = bytearray(_OPENING_SIZE + _CRC_SIZE)
            struct.pack_into(_OPENING, header, 0, *opening, self._floor)
            struct.pack_into("<I", header, _OPENING_SIZE, _crc(header, 0))
            self._rings.program(self._base(block), header)
            if self._opening(block) is not None:
                break
            self._rings.mark_bad(self.sector + block)
        self._head = block
        self._firsts[block] = self.next
        self._oldest = -1
        self._found = _NOT_FOUND
        self._left = self._rows
        self._skips = ()

    def close(self) -> "Steps":
        """Write the bounds of a full block's times, so that `span` need not read its rows."""
        block = self._unclosed
        if block < 0:
            return
        self._unclosed = -1
        first = self._firsts[block]
        earliest = 0xFFFFFFFF
        latest = 0
        for sequence in range(first, self._find(first)[2]):
            time_s = self._time_s(sequence)
            if time_s is not None:
                earliest = min(earliest, time_s)
                latest = max(latest, time_s)
            yield
        closing = bytearray(_CLOSING_SIZE + _CRC_SIZE)
        struct.pack_into("<II", closing, 0, earliest, latest)
        struct.pack_into("<I", closing, _CLOSING_SIZE, _crc(closing, first))
        if self._firsts[block] == first:
            self._rings.program(self._base(block) + _CLOSING_AT, closing)

    def _opening(self, block: int) -> "tuple[int, ...] | None":
        header = self._scratch[: _OPENING_SIZE + _CRC_SIZE]
        self._rings.read_into(self._base(block), header)
        opening = struct.unpack_from(_OPENING, header)
        right = struct.unpack_from("<I", header, _OPENING_SIZE)[0] == _crc(header, 0)
        return opening if right and opening[:2] == (_MARK, self.number) else None

    def _rest(self, block: int) -> "tuple[int, int, tuple[int, ...]]":
        """Return the bounds of the times in a block, and its slots that do not count."""
        part = self._scratch[: _HEADER_SIZE - _CLOSING_AT]
        self._rings.read_into(self._base(block) + _CLOSING_AT, part)
        values = struct.unpack_from(_REST, part)
        skips = tuple([place for place in values[3:] if place != _NO_SKIP])
        if values[2] != _crc(part[: _CLOSING_SIZE + _CRC_SIZE], self._firsts[block]):
            return 0, 0xFFFFFFFF, skips
        return values[0], values[1], skips

    def _scan_head(self) -> None:
        """Find the first blank slot of the head: slots are programmed in order."""
        base = self._base(self._head) + _HEADER_SIZE
        slot = self.row_size + _CRC_SIZE
        low = 0
        high = self._rows
        while low < high:
            middle = (low + high) // 2
            if self._rings.blank(base + middle * slot, slot):
                high = middle
            else:
                low = middle + 1
        # One that is beyond was being written when the power went: the same bytes complete it.
        self._skips = tuple([place for place in self._rest(self._head)[2] if place < low])
        self.next = self._firsts[self._head] + low - len(self._skips)
        self._left = self._rows - low
        sector = self.sector + self._head
        # Cells that were being programmed when the power went may only look blank.
        noted = self._rings.noted[PROGRAM] == sector + 1
        if low and low - 1 not in self._skips and not self.whole(self.next - 1):
            self.next -= 1
            self._skip(low - 1)
            if not noted and self._left >= 0:
                self._rings.tell(self)
        elif noted and self._left:
            self._left -= 1
            self._skip(low)
        if sector in self._rings.bad:
            self._left = -1

    def _skip(self, place: int) -> None:
        """Count a slot of the head no more. Begins no row before it is known to be skipped."""
        at = self._base(self._head)
        skips = len(self._skips)
        if skips == _SKIPS_MOST:
            self._left = -1
            return
        slot = self.row_size + _CRC_SIZE
        self._rings.program(at + _HEADER_SIZE + place * slot, bytes(4))
        self._rings.program(at + _SKIPS_AT + 2 * skips, struct.pack("<H", place))
        self._skips += (place,)
        self._found = _NOT_FOUND
        self._rings.note(PROGRAM, 0)

    def _base(self, block: int) -> int:
        return (self.sector + block) * self._rings.sector_size

    def _after(self) -> int:
        """Return the good block whose turn is next. Raises OSError if there is none."""
        for step in range(1, self.blocks):
            block = (self._head + step) % self.blocks
            if self.sector + block not in self._rings.bad:
                return block
        raise OSError("no good sector is left")

    # Rows.

    def _find(self, sequence: int) -> "Found":
        """Return the block that has to hold a row, and what is known of it."""
        block, start, end = self._found[:3]
        if not start <= sequence < end:
            begin = 1
            if 0 < end <= sequence:  # it comes behind the one found
                begin = (block - self._head) % self.blocks or self.blocks
            block = start = 0
            end = self.next
            for step in range(begin, self.blocks + 1):  # from the oldest to the head
                index = (self._head + step) % self.blocks
                first = self._firsts[index]
                if first > sequence:
                    end = first
                    break
                if first >= 0:  # of two with the same number the later holds the row
                    block = index
                    start = first
            rest = (0, 0xFFFFFFFF, self._skips)
            if block != self._head:
                rest = self._rest(block)
            self._found = (block, start, end) + rest
        return self._found

    def fetch(self, sequence: int, offset: int, buffer: "bytearray | memoryview") -> bool:
        """Read from a row, `first` up to `next`, and its CRC; False if no block holds it."""
        block, _, _, _, _, skips = self._find(sequence)
        address = self._address(block, sequence, skips)
        end = address + self.row_size + _CRC_SIZE
        if self._firsts[block] < 0 or end > self._base(block + 1):
            return False
        self._rings.read_into(address + offset, buffer)
        return True

    def _time_s(self, sequence: int) -> "int | None":
        part = self._scratch[:4]
        return struct.unpack_from("<I", part)[0] if self.fetch(sequence, 0, part) else None

    def _address(self, block: int, sequence: int, skips: "tuple[int, ...]") -> int:
        place = sequence - self._firsts[block]
        for skip in skips:
            place += skip <= place
        return self._base(block) + _HEADER_SIZE + place * (self.row_size + _CRC_SIZE)


def _crc(part: "bytearray | memoryview", seed: int) -> int:
    """Return what the last four bytes of a header's part have to be."""
    return binascii.crc32(memoryview(part)[:-_CRC_SIZE], seed)
