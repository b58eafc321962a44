"""Pictures of `.` and `#` as PNG files of one bit a dot, small enough for a repository."""

import struct
import zlib
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def write(path: Path, rows: list[str]) -> None:
    """Write rows of equal length, `#` black on white. Raises OSError."""
    width = len(rows[0])
    stride = -(-width // 8)
    lines = b""
    for row in rows:
        bits = "".join("0" if dot == "#" else "1" for dot in row)
        lines += b"\x00" + int(bits.ljust(8 * stride, "0"), 2).to_bytes(stride, "big")
    path.write_bytes(
        _SIGNATURE
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), 1, 0, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(lines, 9))
        + _chunk(b"IEND", b"")
    )


def read(path: Path) -> list[str]:
    """Return the rows of a file that `write` has written. Raises OSError, ValueError."""
    data = path.read_bytes()
    try:
        width, height, lines = _parted(data)
    except (ValueError, struct.error, zlib.error) as error:
        raise ValueError(f"{path}: {error}; write it anew by `make pictures`") from None
    stride = 1 + -(-width // 8)
    if len(lines) != stride * height or any(lines[::stride]):
        raise ValueError(f"{path}: another program's PNG; write it anew by `make pictures`")
    rows: list[str] = []
    for line in range(0, len(lines), stride):
        bits = "".join(f"{octet:08b}" for octet in lines[line + 1 : line + stride])
        rows.append("".join(".#"[bit == "0"] for bit in bits[:width]))
    return rows


def _parted(data: bytes) -> tuple[int, int, bytes]:
    """Return width, height and lines, each behind its filter."""
    if data[:8] != _SIGNATURE:
        raise ValueError("no PNG")
    at = 8
    packed = b""
    width = height = 0
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, *form = struct.unpack(">IIBBBBB", content)
            if form != [1, 0, 0, 0, 0]:
                raise ValueError("not one bit a dot")
        elif kind == b"IDAT":
            packed += content
        at += length + 12
    return width, height, zlib.decompress(packed)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
