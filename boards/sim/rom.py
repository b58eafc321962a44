"""Compiled code that stands outside of the heap, as a board's stands in flash.

`tools/rom_image.py` made a module whose only function carries a ROMFS image behind its machine
code, which the unix port keeps in memory of its own. The image is mounted where it stands;
`program` is what a board reads of its flash: the image and the signature behind it.
"""

import struct
import sys

import uctypes
import vfs

OFFSET = 256  # tools/rom_image.py
_CODE_AT = 24  # a function object's pointer to its machine code, MicroPython's py/objfun.h
_MAGIC = b"\xd2\xcd\x31"
_SIGNATURE_SIZE = 44  # of tools/rom_image.py
_MOUNT = "/rom"
program: "bytearray | None" = None


def mount(folder: str) -> "str | None":
    """Mount the image in `folder`; return where, None if it is not where it should be."""
    global program
    sys.path.insert(0, folder)
    import rom_image  # pyright: ignore

    del sys.path[0]
    function = uctypes.bytearray_at(id(rom_image.image) + _CODE_AT, 8)  # pyright: ignore
    start = struct.unpack("<Q", function)[0] + OFFSET
    head = uctypes.bytearray_at(start, 16)
    if bytes(head[:3]) != _MAGIC:
        return None
    size, at = 0, 3
    while True:
        size = size << 7 | head[at] & 0x7F
        at += 1
        if head[at - 1] < 0x80:
            break
    image = uctypes.bytearray_at(start, at + size)
    program = uctypes.bytearray_at(start, at + size + _SIGNATURE_SIZE)  # pyright: ignore
    vfs.mount(vfs.VfsRom(image), _MOUNT)  # pyright: ignore - stubs of the boards lack it
    return _MOUNT
