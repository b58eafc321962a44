"""Packs compiled code into a ROMFS image that the unix port keeps outside of its heap.

On a board MicroPython runs code from flash where it stands. The unix port has no flash, but it
puts the machine code of a module into memory of its own; so the image travels behind the few
octets of machine code of a module (the .mpy format is MicroPython's tools/mpy-tool.py), and
boards/sim/rom.py mounts it there. Bytecode then costs no heap, as on a board.

Behind the image stands the signature of the build, which the meter compares with what it runs
(firmware/app/program_memory.py). `python tools/rom_image.py` prints the digests that the virtual
meter of these sources shows as 1-0:0.2.8 and 1-1:0.2.8.
"""

import hashlib
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from mpremote.romfs import VfsRomWriter

OFFSET = 256  # of the image behind the start of the machine code, which is shorter
_HEADER_SIZE = 4
_FUNCTION_TABLE = 0  # the one constant that machine code brings
# Folders of the firmware; the rest is application.
LEGALLY_RELEVANT = ("adafruit_ads1x15", "adafruit_bus_device", "drivers", "metrology")
SIGNATURE = "<4sII16s16s"  # mark, begin and end of the legally relevant part, digests
_MARK = b"FrS1"
_DIGEST_SIZE = 16
_MODULE = "import micropython\n@micropython.viper\ndef image():\n    pass\n"


def image_of(folder: Path) -> bytes:
    """The files of a folder as a ROMFS image."""
    writer = VfsRomWriter()
    _add(writer, folder)
    return bytes(writer.finalise())


def signed(image: bytes, folder: Path) -> bytes:
    """The image of a folder with the signature of the build behind it."""
    part = b"".join(_record(folder / name) for name in LEGALLY_RELEVANT)
    begin = image.find(part) if part else 0
    if begin < 0:
        raise ValueError("the legally relevant part does not stand in one piece")
    end = begin + len(part)
    return image + struct.pack(
        SIGNATURE, _MARK, begin, end, digest(part), digest(image[:begin] + image[end:])
    )


def digest(part: bytes) -> bytes:
    """The 16 octets by which a part of the code is known."""
    return hashlib.sha256(part).digest()[:_DIGEST_SIZE]


def _record(folder: Path) -> bytes:
    """A folder as it stands in an image, nothing where there is none."""
    if not folder.is_dir():
        return b""
    writer = VfsRomWriter()
    writer.opendir(folder.name)
    _add(writer, folder)
    writer.closedir()
    image = bytes(writer.finalise())
    at = len(writer.ROMFS_HEADER)
    while image[at] >= 0x80:  # the length, seven bits an octet
        at += 1
    return image[at + 1 :]


def _add(writer: VfsRomWriter, folder: Path) -> None:
    # what is legally relevant stands together
    for path in sorted(
        folder.iterdir(), key=lambda path: (path.name not in LEGALLY_RELEVANT, path)
    ):
        if path.is_dir():
            writer.opendir(path.name)
            _add(writer, path)
            writer.closedir()
        elif path.suffix == ".mpy":
            writer.mkfile(path.name, path.read_bytes())


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = _HEADER_SIZE

    def number(self) -> int:
        value = 0
        while True:
            octet = self.data[self.at]
            self.at += 1
            value = value << 7 | octet & 0x7F
            if octet < 0x80:
                return value


def _number(value: int) -> bytes:
    octets = [value & 0x7F]
    while value > 0x7F:
        value >>= 7
        octets.insert(0, 0x80 | value & 0x7F)
    return bytes(octets)


def module_with(image: bytes, compiler: str, architecture: str) -> bytes:
    """A .mpy whose function `image` has the image `OFFSET` octets behind its machine code."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "rom_image.py", Path(folder) / "rom_image.mpy"
        source.write_text(_MODULE)
        command = [compiler, f"-march={architecture}", "-s", "rom_image.py", "-o", target, source]
        subprocess.run(command, check=True, capture_output=True)
        data = target.read_bytes()
    reader = _Reader(data)
    names, objects = reader.number(), reader.number()
    for _ in range(names):
        name = reader.number()
        if not name & 1:  # not one of the names that every interpreter knows
            reader.at += (name >> 1) + 1
    for _ in range(objects):
        if reader.number() != _FUNCTION_TABLE:
            raise ValueError("a compiled module with constants")
    own = reader.number() >> 3  # the module's own bytecode
    reader.at += own
    if reader.number() != 1:
        raise ValueError("a compiled module with other functions than one")
    head = reader.at
    kind = reader.number()
    code = data[reader.at : reader.at + (kind >> 3)]
    rest = data[reader.at + len(code) :]
    code = code.ljust(OFFSET, b"\0") + image
    return data[:head] + _number(len(code) << 3 | kind & 7) + code + rest


def main() -> None:
    """Print the digests of the virtual meter's code."""
    import precompile

    folder = precompile.compiled()
    if folder is None:
        sys.exit("there is no compiler for this machine")
    image = signed(image_of(precompile.COMPILED), precompile.COMPILED / "firmware")
    for name, found in zip(("1-0:0.2.8", "1-1:0.2.8"), image_digests(image), strict=True):
        print(name, found.hex().upper())


def image_digests(image: bytes) -> "tuple[bytes, bytes]":
    """The digests in an image's signature: the legally relevant part's, the application's."""
    return struct.unpack_from(SIGNATURE, image, len(image) - struct.calcsize(SIGNATURE))[3:]


if __name__ == "__main__":
    main()
