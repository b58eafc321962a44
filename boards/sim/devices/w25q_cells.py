"""The cells of a NOR flash: programming clears bits, erasing sets sectors, both may be torn."""

from micropython import const

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from .chip import Content

PAGE = const(256)
SECTOR = const(4096)

_TB = const(0x20)
_SEC = const(0x40)
_CMP = const(0x40)  # in status register 2


class Cells:
    """The array behind the chip's commands; counts what is done to it."""

    def __init__(self, content: "Content") -> None:
        self._content = content
        self.worn: set[int] = set()  # sectors whose cells no longer change
        self.stuck = False  # True: none does
        self.programmed = 0  # bytes, since start
        self.erased = 0  # sectors

    def read(self, address: int, count: int) -> bytes:
        """Bytes as a read command gives them."""
        return self._content.read(address, count)

    def flip(self, address: int, bit: int) -> None:
        """Change one stored bit."""
        self._content.write(address, bytes((self.read(address, 1)[0] ^ (1 << bit),)))

    def program(self, address: int, page: bytearray, filled: bytearray, count: int) -> None:
        """Program the first `count` bytes that were sent; -1: all, else the front is torn."""
        old = self.read(address, PAGE)
        new = bytearray(old)
        whole = count < 0
        for index in range(PAGE):
            if not filled[index]:
                continue
            if whole or count > 0:
                new[index] = old[index] & page[index]
                self.programmed += 1
            else:
                new[index] = old[index] & (page[index] | 0x55)
                break
            count -= 1
        self._change(address, new)

    def erase(self, address: int, count: int, torn: bool) -> None:
        """Erase the first `count` bytes; torn: the byte at the front has some of its bits."""
        blank = b"\xff" * SECTOR
        while count >= SECTOR:
            self._change(address, blank)
            self.erased += 1
            address += SECTOR
            count -= SECTOR
        if count:
            self._change(address, blank[:count])
        if torn:
            address += count
            self._change(address, bytes((self.read(address, 1)[0] | 0xAA,)))

    def _change(self, address: int, data: "bytes | bytearray") -> None:
        if not self.stuck and address // SECTOR not in self.worn:
            self._content.write(address, data)


def protected_range(status_1: int, status_2: int, size: int) -> "tuple[int, int]":
    """First protected address and the one behind the last, by BP, TB, SEC and CMP."""
    level = (status_1 >> 2) & 7
    if level == 0:
        length = 0
    elif level == 7:
        length = size
    elif status_1 & _SEC:
        length = min(SECTOR << (level - 1), 0x8000)
    else:
        length = 0x40000 << (level - 1)
    first = 0 if status_1 & _TB else size - length
    last = first + length
    if status_2 & _CMP:
        return (last, size) if first == 0 else (0, first)
    return first, last
