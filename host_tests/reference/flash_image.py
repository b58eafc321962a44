"""What a flash full of rows looks like, byte for byte, written down apart from the firmware.

A block of 4096 bytes: `Fr` and layout 1, ring, row size (2), version of the rows (2), blocks begun
so far (4), first sequence number (4), oldest sequence not cleared (4), CRC-32 of these 20 bytes;
earliest and latest time of the rows (4, 4), CRC-32 of these 8 bytes started with the first
sequence number; places of up to 16 slots that do not count (2 each, FF for none); then slots of a
row and its CRC-32, started with the row's sequence number. All little-endian. Runs on CPython and
on MicroPython.
"""

import binascii
import struct

SECTOR = 4096
HEADER = 68


def rows_of(row_size):
    """Rows of a block."""
    return (SECTOR - HEADER) // (row_size + 4)


def numbered(row_size, sequence):
    """What stands behind the time: the row's number, and as many octets more."""
    return (struct.pack("<I", sequence) + bytes([sequence & 0xFF]) * row_size)[: row_size - 4]


def block(kind, turn, first, count, time_s, closed):
    """One block of `count` rows from `first` on, the first one dated `time_s`.

    `kind`: ring, row size, version of the rows, callable(row size, sequence) for what a row holds;
    seconds between two rows, a minute where there is no such element.
    """
    number, row_size, version, body = kind[:4]
    period_s = kind[4] if len(kind) > 4 else 60
    opening = b"Fr\x01" + struct.pack("<BHHIII", number, row_size, version, turn, first, 0)
    opening += struct.pack("<I", binascii.crc32(opening))
    closing = b"\xff" * 12
    if closed:
        closing = struct.pack("<II", time_s, time_s + period_s * (count - 1))
        closing += struct.pack("<I", binascii.crc32(closing, first))
    parts = [opening, closing, b"\xff" * 32]
    for place in range(count):
        data = struct.pack("<I", time_s + period_s * place) + body(row_size, first + place)
        parts.append(data)
        parts.append(struct.pack("<I", binascii.crc32(data, first + place)))
    filled = b"".join(parts)
    return filled + b"\xff" * (SECTOR - len(filled))


def full_ring(kind, blocks, laps=2, time_s=800_000_000):
    """Yield (block's place, its bytes) of a ring that has gone round `laps` times.

    The last block is erased ahead, the one before it lacks one row of being full.
    """
    rows = rows_of(kind[1])
    for place in range(blocks - 1):
        turn = (laps - 1) * blocks + place + 1
        last = place == blocks - 2
        count = rows - 1 if last else rows
        started_s = time_s + (kind[4] if len(kind) > 4 else 60) * place * rows
        yield place, block(kind, turn, (turn - 1) * rows, count, started_s, not last)
    yield blocks - 1, b"\xff" * SECTOR
