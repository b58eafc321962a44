"""FM25V20A: 256 KiB of SPI F-RAM as a `hal.Memory` (Cypress data sheet 001-90261).

The board gives the bus (mode 0 or 3) and the chip select. A byte is kept as soon as it has been
clocked in, so a write never waits, and power loss cuts it off between two bytes.
"""

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import SPI, Pin

    from hal import Buffer

_WREN = const(0x06)
_WRITE = const(0x02)
_READ = const(0x03)
_RDSR = const(0x05)
_RDID = const(0x9F)

_SR_FIXED = const(0x71)  # bit 6 reads 1; bits 0, 4 and 5 read 0
_SR_PRESENT = const(0x40)
_SR_BITS = const(0x7F)  # all but WPEN
_SR_READY = const(0x42)  # the chip is there, the latch is set, no block is protected

_SIZE = const(0x40000)
_ID = b"\x7f\x7f\x7f\x7f\x7f\x7f\xc2\x25"  # the ninth byte is the die's revision


class Fm25v20:
    """The chip on `spi` with chip select `cs`.

    Its identity is asked before the first access, its status before each: a chip that is missing
    must not pass for blank, nor one that has died for one that has taken a write.
    """

    size: int

    def __init__(self, spi: "SPI", cs: "Pin") -> None:
        self.size = _SIZE
        self._spi = spi
        self._cs = cs
        self._known = False
        self._command = bytearray(4)
        self._enable = bytes((_WREN,))
        self._ask = bytes((_RDSR,))
        self._answer = bytearray(1)
        cs.value(1)

    def check(self) -> None:
        """Raise OSError if the chip does not say that it is an FM25V20."""
        answer = bytearray(len(_ID))
        self._cs.value(0)
        self._spi.write(bytes((_RDID,)))
        self._spi.readinto(answer)
        self._cs.value(1)
        if bytes(answer) != _ID:
            raise OSError("FM25V20: identity " + answer.hex())
        self._known = True

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        """Fill `buffer` from `address`. Raises ValueError out of range, OSError without chip."""
        self._check_access(address, len(buffer))
        if self._status() & _SR_FIXED != _SR_PRESENT:
            raise OSError("FM25V20: no answer")
        self._start(_READ, address)
        self._spi.readinto(buffer)
        self._cs.value(1)

    def write(self, address: int, data: "Buffer") -> None:
        """Write `data` in rising order of addresses.

        Raises ValueError out of range, OSError without chip or if it is protected.
        """
        self._check_access(address, len(data))
        self._cs.value(0)
        self._spi.write(self._enable)  # the write enable latch falls again with every write
        self._cs.value(1)
        status = self._status()
        if status & _SR_BITS != _SR_READY:
            raise OSError(f"FM25V20: status {status:02x}")
        self._start(_WRITE, address)
        self._spi.write(data)
        self._cs.value(1)

    def _check_access(self, address: int, length: int) -> None:
        if address < 0 or address + length > _SIZE:
            raise ValueError(f"FM25V20: {length} bytes at {address}")
        if not self._known:
            self.check()

    def _status(self) -> int:
        self._cs.value(0)
        self._spi.write(self._ask)
        self._spi.readinto(self._answer)
        self._cs.value(1)
        return self._answer[0]

    def _start(self, opcode: int, address: int) -> None:
        command = self._command
        command[0] = opcode
        command[1] = address >> 16
        command[2] = (address >> 8) & 0xFF
        command[3] = address & 0xFF
        self._cs.value(0)
        self._spi.write(command)
