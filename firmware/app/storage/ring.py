"""A ring of rows of one size over whole blocks of NOR flash; the newest overwrite the oldest.

A block is one erase sector: a header, then slots of row and CRC-32. The opening part of the header
is programmed when the block is begun, the closing part, with the bounds of the rows' times, when
it is left. A row's sequence number is its block's first one plus its place; the CRC is started
with it, so a row cannot pass for another. Slots are programmed in order; the block after the one
that is being filled is erased ahead. Blocks take turns, which spreads the wear.

Rows come in through the journal (app.storage.rings); nothing here waits for the chip, it yields.
"""

import binascii
import struct
from array import array

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Generator

    from app.storage.journal import Entry
    from app.storage.rings import Rings
    from hal import Buffer

    Steps = Generator[None, None, None]  # yields while the chip is at work

_MAGIC = const(0x6D46)
_VERSION = const(1)
_OPENING = "<HBBHHIII"  # magic, version, ring, row size, reserved, turn, first sequence, floor
_OPENING_SIZE = const(20)
_CLOSING = "<II"  # earliest and latest time of the rows
_CLOSING_AT = const(24)  # each part is followed by its CRC
_CLOSING_SIZE = const(8)
_HEADER_SIZE = const(36)
_CRC_SIZE = const(4)
_RESERVE = const(3)  # blocks: the one being filled, the one erased ahead, one that may go bad


class Ring:
    """Rows of `row_size` bytes over `blocks` sectors from `sector` on; opened by `Rings.open`.

    The first four bytes of a row are its UTC seconds, little-endian. Raises ValueError if not one
    row fits a block.
    """

    def __init__(
        self, rings: "Rings", number: int, sector: int, blocks: int, limit: int, row_size: int
    ) -> None:
        self._rings = rings
        self._number = number
        self._sector = sector
        self._blocks = blocks
        self._slot = row_size + _CRC_SIZE
        self._rows = (rings.sector_size - _HEADER_SIZE) // self._slot  # slots of a block
        if row_size < 4 or self._rows < 1:
            raise ValueError("row size")
        self.row_size = row_size
        self.capacity = (blocks - _RESERVE) * self._rows  # rows that are kept for certain
        if limit:
            self.capacity = min(limit, self.capacity)
        self._firsts = array("i", [-1] * blocks)  # first sequence of each block, -1: no rows
        self._head = blocks - 1  # the block being filled
        self._left = -1  # slots free in it, -1: it is closed
        self._turn = 0  # blocks opened since the ring was new
        self._spare = -1  # the block that is known to be blank
        self._floor = 0  # rows below were cleared
        self._stored = 0  # sequence of the next row to be programmed
        self._span = (0, 0, 0)  # block found last, the sequences from and up to which it serves
        self.next = 0  # sequence of the next row to be appended
        self.ready = False  # False: the chip has not been read yet

    @property
    def first(self) -> int:
        """Sequence of the oldest row that can be read; `next` if there is none."""
        oldest = self._stored  # staged rows lie behind it
        for first in self._firsts:
            if 0 <= first < oldest:
                oldest = first
        return min(self.next, max(oldest, self._floor, self.next - self.capacity))

    @property
    def cycles(self) -> int:
        """How often the blocks of the ring have been erased, rounded up."""
        return -(-self._turn // self._blocks)

    def append(self, row: "Buffer") -> None:
        """Add a row; after return it survives power loss.

        Raises ValueError if it has another size, OSError if nothing can hold it.
        """
        if len(row) != self.row_size:
            raise ValueError("row size")
        self._rings.stage(self._number, self.next, row)
        self.next += 1

    def clear(self) -> None:
        """Forget all rows, for good when this returns; sequence numbers go on.

        Raises OSError if nothing can hold that.
        """
        self._rings.stage(self._number, self.next, b"")
        self._floor = self.next

    def read_into(self, sequence: int, row: "bytearray | memoryview") -> bool:
        """Fill `row` with a row; False if it is damaged or missing.

        Raises ValueError outside `first` up to `next` or if `row` has another size, OSError if the
        chip does not answer.
        """
        if not self.first <= sequence < self.next or len(row) != self.row_size:
            raise ValueError("row")
        tail = self._rings.scratch[:_CRC_SIZE]
        if not self._fetch(sequence, 0, row) or not self._fetch(sequence, self.row_size, tail):
            return False
        return struct.unpack_from("<I", tail)[0] == binascii.crc32(row, sequence)

    def span(self, from_s: int, to_s: int) -> "Generator[int, None, None]":
        """Sequences of the rows whose time lies in `from_s` to `to_s`, both included.

        A block whose bounds lie outside is passed over unread. Rows come in their own order, also
        where the clock was set back. Raises OSError if the chip does not answer.
        """
        sequence = self.first
        while True:
            sequence = max(sequence, self.first)  # rows may have gone meanwhile
            if sequence >= self.next:
                return
            if sequence < self._stored:
                end = self._find(sequence)[2]
                if not self._overlaps(from_s, to_s):
                    sequence = end
                    continue
            else:
                end = self.next
            while sequence < end:
                time = self._rings.scratch[:4]
                held = self._fetch(sequence, 0, time)
                if held and from_s <= struct.unpack_from("<I", time)[0] <= to_s:
                    yield sequence
                sequence += 1

    # What the journal's keeper calls.

    def scan(self) -> None:
        """Read the headers of all blocks. Raises OSError if the chip does not answer."""
        head = -1
        for block in range(self._blocks):
            opening = self._opening(block)
            if opening is None:
                continue
            _, _, _, row_size, _, turn, first, floor = opening
            end = first + (self._rings.sector_size - _HEADER_SIZE) // (row_size + _CRC_SIZE)
            if row_size == self.row_size:
                self._firsts[block] = first
            if turn > self._turn:
                self._turn = turn
                self._floor = floor
                self._stored = end
                head = block
        if head >= 0:
            self._head = head
            if self._firsts[head] < 0:
                self._floor = self._stored  # rows of another layout: none is left
            else:
                self._scan_head()
        self.next = max(self.next, self._stored)
        self._floor = min(self._floor, self.next)
        self.ready = True

    def restage(self, sequence: int, length: int) -> bool:
        """Take over an entry that the journal has kept; False if it does not belong here."""
        if length == 0:
            self.next = max(self.next, sequence)
            self._floor = max(self._floor, sequence)
        elif length != self.row_size:
            return False
        elif sequence == self._stored - 1 and self._left >= 0 and not self._whole(sequence):
            # Power went while it was programmed. Bits only fall: the same bytes complete it.
            self._stored -= 1
            self._left += 1
        self.next = max(self.next, sequence + (length > 0))
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
            yield from self._rings.copy(entry, self._address(self._head, sequence), self._slot)
            self._stored = sequence + 1
            if self._whole(sequence):
                self._left -= 1
            else:
                # Cells that do not take it: what the block holds stays readable, but it is left.
                self._stored = sequence
                self._left = -1
                self._rings.mark_bad(self._sector + self._head)

    def prepare(self) -> "Steps":
        """Have a blank block ready behind the one being filled."""
        while True:
            block = self._after(self._head)
            if block == self._spare:
                return
            self._firsts[block] = -1
            self._span = (0, 0, 0)
            if (yield from self._rings.make_blank(self._sector + block)):
                self._spare = block
                return

    def prepared(self) -> bool:
        """Tell whether the next block is blank."""
        return self._after(self._head) == self._spare

    # Blocks.

    def _begin(self, sequence: int) -> "Steps":
        """Leave the present block and open the next one for rows from `sequence` on."""
        yield from self._close()
        self._left = -1
        while True:
            yield from self.prepare()
            block = self._spare
            self._spare = -1
            self._turn += 1
            header = bytearray(_OPENING_SIZE + _CRC_SIZE)
            struct.pack_into(
                _OPENING, header, 0,
                _MAGIC, _VERSION, self._number, self.row_size, 0, self._turn, sequence,
                min(self._floor, sequence),
            )  # fmt: skip
            _seal(header, 0)
            yield from self._rings.program(self._base(block), header)
            if self._opening(block) is not None:
                break
            self._rings.mark_bad(self._sector + block)
        self._head = block
        self._firsts[block] = sequence
        self._span = (0, 0, 0)
        self._stored = sequence
        self._left = self._rows

    def _close(self) -> "Steps":
        """Write the bounds of the block's times, so that `span` need not read its rows."""
        first = self._firsts[self._head]
        if first < 0 or first >= self._stored:
            return
        earliest = 0xFFFFFFFF
        latest = 0
        for sequence in range(first, self._stored):
            time = self._rings.scratch[:4]
            self._fetch(sequence, 0, time)
            time_s = struct.unpack_from("<I", time)[0]
            earliest = min(earliest, time_s)
            latest = max(latest, time_s)
            yield
        closing = bytearray(_CLOSING_SIZE + _CRC_SIZE)
        struct.pack_into(_CLOSING, closing, 0, earliest, latest)
        _seal(closing, first)
        yield from self._rings.program(self._base(self._head) + _CLOSING_AT, closing)

    def _opening(self, block: int) -> "tuple[int, ...] | None":
        header = self._rings.scratch[: _OPENING_SIZE + _CRC_SIZE]
        self._rings.read_into(self._base(block), header)
        opening = struct.unpack_from(_OPENING, header)
        if opening[:3] != (_MAGIC, _VERSION, self._number) or not _sealed(header, 0):
            return None
        return opening

    def _overlaps(self, from_s: int, to_s: int) -> bool:
        """Tell whether the block found last may hold a time in the span."""
        block, first, _ = self._span
        closing = self._rings.scratch[: _CLOSING_SIZE + _CRC_SIZE]
        self._rings.read_into(self._base(block) + _CLOSING_AT, closing)
        if block == self._head or not _sealed(closing, first):
            return True
        earliest, latest = struct.unpack_from(_CLOSING, closing)
        return from_s <= latest and earliest <= to_s

    def _scan_head(self) -> None:
        """Find the first blank slot of the head: slots are programmed in order."""
        first = self._firsts[self._head]
        low = 0
        high = self._rows
        while low < high:
            middle = (low + high) // 2
            if self._rings.blank(self._address(self._head, first + middle), self._slot):
                high = middle
            else:
                low = middle + 1
        self._stored = first + low
        closed = not self._rings.blank(self._base(self._head) + _CLOSING_AT, _CLOSING_SIZE)
        self._left = -1 if closed else self._rows - low

    # Rows.

    def _find(self, sequence: int) -> "tuple[int, int, int]":
        """Return the block that has to hold a stored row, and the sequences that it serves."""
        if not self._span[1] <= sequence < self._span[2]:
            block = 0
            start = -1
            end = self._stored
            for index in range(self._blocks):
                first = self._firsts[index]
                if start < first <= sequence:
                    block = index
                    start = first
                elif sequence < first < end:
                    end = first
            self._span = (block, max(0, start), end)
        return self._span

    def _fetch(self, sequence: int, offset: int, buffer: "bytearray | memoryview") -> bool:
        """Read from a row and its CRC, stored or staged; False if no block holds it."""
        if sequence >= self._stored:
            return self._rings.staged_into(self._number, sequence, offset, buffer)
        block = self._find(sequence)[0]
        if not 0 <= sequence - self._firsts[block] < self._rows:
            return False
        self._rings.read_into(self._address(block, sequence) + offset, buffer)
        return True

    def _whole(self, sequence: int) -> bool:
        """Tell whether flash holds the row as it was appended."""
        crc = sequence
        offset = 0
        while offset < self.row_size:
            piece = self._rings.scratch[: min(self.row_size - offset, len(self._rings.scratch))]
            if not self._fetch(sequence, offset, piece):
                return False
            crc = binascii.crc32(piece, crc)
            offset += len(piece)
        tail = self._rings.scratch[:_CRC_SIZE]
        return self._fetch(sequence, offset, tail) and crc == struct.unpack_from("<I", tail)[0]

    def _base(self, block: int) -> int:
        return (self._sector + block) * self._rings.sector_size

    def _address(self, block: int, sequence: int) -> int:
        return self._base(block) + _HEADER_SIZE + (sequence - self._firsts[block]) * self._slot

    def _after(self, block: int) -> int:
        """Return the next good block in turn. Raises OSError if there is none."""
        for _ in range(self._blocks):
            block = (block + 1) % self._blocks
            if self._sector + block not in self._rings.bad:
                return block
        raise OSError("no good sector is left")


def _seal(part: bytearray, seed: int) -> None:
    """Put the CRC of a header's part behind it."""
    end = len(part) - _CRC_SIZE
    struct.pack_into("<I", part, end, binascii.crc32(memoryview(part)[:end], seed))


def _sealed(part: memoryview, seed: int) -> bool:
    end = len(part) - _CRC_SIZE
    return struct.unpack_from("<I", part, end)[0] == binascii.crc32(part[:end], seed)
