"""The build's image where it stands in the flash: the first ROMFS partition, if there is one."""

import vfs
from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    import hal

_PARTITIONS = const(1)  # of vfs.rom_ioctl: how many there are,
_PARTITION = const(2)  # one of them
_HEADER = b"\xd2\xcd\x31"  # of an image; then its length, seven bits an octet
_SIGNATURE = const(44)  # behind it (app/program_memory.py)


def image() -> "hal.Buffer | None":
    """Return the image with its signature; None where MicroPython has no partition, or no image.

    What runs is that image, unless there are files of the same names: those come first.
    """
    ask = getattr(vfs, "rom_ioctl", None)
    if ask is None or ask(_PARTITIONS) < 1:
        return None
    rom = memoryview(ask(_PARTITION, 0))
    if bytes(rom[:3]) != _HEADER:
        return None
    at, size = 3, rom[3] & 0x7F
    while rom[at] > 0x7F:
        at += 1
        size = size << 7 | rom[at] & 0x7F
    return rom[: at + 1 + size + _SIGNATURE]
