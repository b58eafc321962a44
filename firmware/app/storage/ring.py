"""A ring of rows of one size over whole blocks of NOR flash; the newest overwrite the oldest.

A block is one erase sector: a header, then slots of row and CRC-32. The opening part of the header
is programmed when the block is begun, the closing part, with the bounds of the rows' times, when
it is left. A row's sequence number is its block's first one plus its place; the CRC is started
with it, so a row cannot pass for another. Slots are programmed in order; the block after the one
that is being filled is erased ahead. Blocks take turns, which spreads the wear.

Rows come in through the journal (app.storage.rings); nothing here waits for the chip, it yields.
Rows NOP-10, NOP-11.
"""

import binascii
import struct
from array import array

from micropython import const

from app.storage.journal import whole

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Generator

    from app.storage.journal import Entry
    from app.storage.rings import Rings
    from hal import Buffer

    Steps = Generator[None, None, None]  # yields while the chip is at work

_MARK = b"Fr\x01"  # and the layout of blocks
_OPENING = "<3sBHHIII"  # mark, ring, row size, rows' version, turn, first sequence, floor
_OPENING_SIZE = const(20)
_CLOSING_AT = const(24)  # earliest and latest time of the rows; each part is followed by its CRC
_CLOSING_SIZE = const(8)
_HEADER_SIZE = const(36)
_CRC_SIZE = const(4)
RESERVE = const(3)  # blocks: the one being filled, the one erased ahead, one that may go bad


def rows_of(sector_size: int, row_size: int) -> int:
    """Return how many rows a block takes."""
    return (sector_size - _HEADER_SIZE) // (row_size + _CRC_SIZE)


class Ring:
    """Rows of `row_size` bytes; opened by `Rings.open`.

    `place` is what regions.find_ring gives. The first four bytes of a row are its UTC seconds,
    little-endian. Raises ValueError if not one row fits a block.
    """

    def __init__(self, rings: "Rings", place: "tuple[int, ...]", row_size: int) -> None:
        self.number, self.sector, self.blocks, limit, self._version = place
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
        self._head = self.blocks - 1  # the block being filled
        self._left = -1  # slots free in it, -1: it is closed
        self.turn = 0  # blocks opened since the ring was new; over `blocks`: erase cycles
        self._spare = -1  # the block that is known to be blank
        self._floor = 0  # rows below were cleared
        self._stored = 0  # sequence of the next row to be programmed
        self._found = (0, 0, 0)  # block found last, sequences from and up to which it serves
        self.next = 0  # sequence of the next row to be appended
        self.ready = False  # False: the chip has not been read yet

    @property
    def first(self) -> int:
        """Sequence of the oldest row that can be read; `next` if there is none."""
        oldest = self._stored  # staged rows lie behind it
        for first in self._firsts:
            if 0 <= first < oldest:
                oldest = first
        return max(oldest, self._floor, self.next - self.capacity)

    def append(self, row: "Buffer") -> None:
        """Add a row; after return it survives power loss.

        Raises ValueError if it has another size, OSError if nothing can hold it.
        """
        if len(row) != self.row_size:
            raise ValueError("row size")
        self._rings.stage(self, row)
        self.next += 1

    def clear(self) -> None:
        """Forget all rows, for good when this returns; sequence numbers go on.

        Raises OSError if nothing can hold that.
        """
        self._rings.stage(self, b"")
        self._floor = self.next

    def read_into(self, sequence: int, row: "bytearray | memoryview") -> bool:
        """Fill `row` with a row; False if it is damaged or missing.

        Raises ValueError outside `first` up to `next` or if `row` has another size, OSError if the
        chip does not answer.
        """
        if not self.first <= sequence < self.next or len(row) != self.row_size:
            raise ValueError("row")
        tail = self._scratch[:_CRC_SIZE]
        return (
            self._fetch(sequence, 0, row)
            and self._fetch(sequence, self.row_size, tail)
            and struct.unpack_from("<I", tail)[0] == binascii.crc32(row, sequence)
        )

    def whole(self, sequence: int) -> bool:
        """Tell whether a row is as it was appended, like `read_into` without a buffer."""
        return whole(self._fetch, sequence, self.row_size, sequence, self._scratch)

    def span(self, from_s: int, to_s: int) -> "Generator[int, None, None]":
        """Sequences of the rows whose time lies in `from_s` to `to_s`, both included.

        A block whose bounds lie outside is passed over unread. Rows come in their own order, also
        where the clock was set back. Raises OSError if the chip does not answer.
        """
        sequence = 0
        while True:
            sequence = max(sequence, self.first)  # rows may have gone meanwhile
            if sequence >= self.next:
                return
            end = self.next
            if sequence < self._stored:
                end = self._find(sequence)[2]
                if not self._overlaps(from_s, to_s):
                    sequence = end
            while sequence < end:
                time_s = self._time_s(sequence)
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
                self._floor = floor
                self._stored = first + rows_of(self._rings.sector_size, row_size)
                head = block
        if head >= 0:
            self._head = head
            self.turn = newest
            if self._firsts[head] < 0:
                self._floor = self._stored  # rows of another layout: none is left
            else:
                self._scan_head()
        self.next = self._stored
        self.ready = True

    def restage(self, sequence: int, length: int) -> bool:
        """Take over an entry that the journal has kept; False if it does not belong here."""
        if length == 0:
            self._floor = sequence
            self.next = max(self.next, sequence)
            return True
        if length != self.row_size:
            return False
        if sequence == self._stored - 1 and self._left >= 0 and not self.whole(sequence):
            # Power went while it was programmed. Bits only fall: the same bytes complete it.
            self._stored -= 1
            self._left += 1
        self.next = max(self.next, sequence + 1)
        return True

    def store(self, entry: "Entry") -> "Steps":
        """Program an entry of the journal into its slot. Raises OSError if no block takes it."""
        _, _, sequence, length = entry
        if length == 0:
            yield from self._begin(sequence)
            return
        while sequence >= self._stored:
            if self._left <= 0 or sequence != self._stored:
                yield from self._begin(sequence)
            yield from self._rings.copy(entry, self._address(self._head, sequence))
            self._stored = sequence + 1
            if self.whole(sequence):
                self._left -= 1
            else:
                # Cells that do not take it: what the block holds stays readable, but it is left.
                self._stored = sequence
                self._left = -1
                self._rings.mark_bad(self.sector + self._head)

    def prepare(self) -> "Steps":
        """Have a blank block ready behind the one being filled. Raises OSError if none can be."""
        while not self.prepared():
            block = self._after()
            self._firsts[block] = -1
            self._found = (0, 0, 0)
            if (yield from self._rings.make_blank(self.sector + block)):
                self._spare = block

    def prepared(self) -> bool:
        """Tell whether the next block is blank."""
        return self._after() == self._spare

    # Blocks.

    def _begin(self, sequence: int) -> "Steps":
        """Leave the present block and open the next one for rows from `sequence` on."""
        yield from self._close()
        self._left = -1
        while True:
            yield from self.prepare()
            block = self._spare
            self._spare = -1
            self.turn += 1
            opening = (_MARK, self.number, self.row_size, self._version, self.turn, sequence)
            header = bytearray(_OPENING_SIZE + _CRC_SIZE)
            struct.pack_into(_OPENING, header, 0, *opening, min(self._floor, sequence))
            struct.pack_into("<I", header, _OPENING_SIZE, _crc(header, 0))
            yield from self._rings.program(self._base(block), header)
            if self._opening(block) is not None:
                break
            self._rings.mark_bad(self.sector + block)
        self._head = block
        self._firsts[block] = sequence
        self._found = (0, 0, 0)
        self._stored = sequence
        self._left = self._rows

    def _close(self) -> "Steps":
        """Write the bounds of the block's times, so that `span` need not read its rows."""
        first = self._firsts[self._head]
        if self._left < 0 or first >= self._stored:
            return
        earliest = 0xFFFFFFFF
        latest = 0
        for sequence in range(first, self._stored):
            time_s = self._time_s(sequence)
            if time_s is not None:
                earliest = min(earliest, time_s)
                latest = max(latest, time_s)
            yield
        closing = bytearray(_CLOSING_SIZE + _CRC_SIZE)
        struct.pack_into("<II", closing, 0, earliest, latest)
        struct.pack_into("<I", closing, _CLOSING_SIZE, _crc(closing, first))
        yield from self._rings.program(self._base(self._head) + _CLOSING_AT, closing)

    def _opening(self, block: int) -> "tuple[int, ...] | None":
        header = self._scratch[: _OPENING_SIZE + _CRC_SIZE]
        self._rings.read_into(self._base(block), header)
        opening = struct.unpack_from(_OPENING, header)
        right = struct.unpack_from("<I", header, _OPENING_SIZE)[0] == _crc(header, 0)
        return opening if right and opening[:2] == (_MARK, self.number) else None

    def _overlaps(self, from_s: int, to_s: int) -> bool:
        """Tell whether the block found last may hold a time in the span."""
        block, first, _ = self._found
        closing = self._scratch[: _CLOSING_SIZE + _CRC_SIZE]
        self._rings.read_into(self._base(block) + _CLOSING_AT, closing)
        earliest, latest, crc = struct.unpack_from("<III", closing)
        return crc != _crc(closing, first) or (from_s <= latest and earliest <= to_s)

    def _scan_head(self) -> None:
        """Find the first blank slot of the head: slots are programmed in order."""
        first = self._firsts[self._head]
        low = 0
        high = self._rows
        while low < high:
            middle = (low + high) // 2
            at = self._address(self._head, first + middle)
            if self._rings.blank(at, self.row_size + _CRC_SIZE):
                high = middle
            else:
                low = middle + 1
        self._stored = first + low
        closed = not self._rings.blank(self._base(self._head) + _CLOSING_AT, _CLOSING_SIZE)
        self._left = -1 if closed else self._rows - low

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

    def _find(self, sequence: int) -> "tuple[int, int, int]":
        """Return the block that has to hold a stored row, and the sequences that it serves."""
        if not self._found[1] <= sequence < self._found[2]:
            block = 0
            start = -1
            end = self._stored
            for index, first in enumerate(self._firsts):
                if start < first <= sequence:
                    block = index
                    start = first
                elif sequence < first < end:
                    end = first
            self._found = (block, max(0, start), end)
        return self._found

    def _fetch(self, sequence: int, offset: int, buffer: "bytearray | memoryview") -> bool:
        """Read from a row and its CRC, stored or staged; False if no block holds it."""
        if sequence >= self._stored:
            return self._rings.staged_into(self.number, sequence, offset, buffer)
        block = self._find(sequence)[0]
        first = self._firsts[block]
        if first < 0 or sequence - first >= self._rows:
            return False
        self._rings.read_into(self._address(block, sequence) + offset, buffer)
        return True

    def _time_s(self, sequence: int) -> "int | None":
        part = self._scratch[:4]
        return struct.unpack_from("<I", part)[0] if self._fetch(sequence, 0, part) else None

    def _address(self, block: int, sequence: int) -> int:
        slot = (sequence - self._firsts[block]) * (self.row_size + _CRC_SIZE)
        return self._base(block) + _HEADER_SIZE + slot


def _crc(part: "bytearray | memoryview", seed: int) -> int:
    """Return what the last four bytes of a header's part have to be."""
    return binascii.crc32(memoryview(part)[:-_CRC_SIZE], seed)
