"""W25Q128JV and its family: SPI NOR flash as a `hal.Flash` (Winbond W25Q128JV revision F).

The board gives the bus (mode 0 or 3) and the chip select. Programming and erasing only start here:
the caller polls `busy()`, so that a sector erase (45 ms, at worst 400 ms) stops nobody. Who reads
or programs meanwhile suspends the erase for that long, or waits for a page that is being
programmed (0.4 ms, at worst 3 ms).
"""

import time

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import SPI, Pin

    from hal import Buffer

_PAGE_PROGRAM = const(0x02)
_READ = const(0x03)
_READ_STATUS_1 = const(0x05)
_READ_STATUS_2 = const(0x35)
_WRITE_ENABLE = const(0x06)
_SECTOR_ERASE = const(0x20)
_SUSPEND = const(0x75)
_RESUME = const(0x7A)
_JEDEC_ID = const(0x9F)
_RELEASE_POWER_DOWN = const(0xAB)

_BUSY = const(0x01)
_WEL = const(0x02)
_PROTECTED = const(0x7C)  # SEC, TB, BP2 to BP0
_SUS = const(0x80)  # in status register 2
_NO_ANSWER = const(0xFF)  # a line that nobody drives

_WINBOND = const(0xEF)
_PAGE_SIZE = const(256)
_SECTOR_SIZE = const(4096)
_RESTART_WAIT_MS = const(500)  # a sector erase takes 400 ms at worst
_PAUSE_US = const(20)  # an erase is suspended after 20 us
_PAUSES = const(200)  # a page takes 3 ms at worst
_MAX_SIZE = const(0x1000000)  # what three address bytes reach


class W25q:
    """The chip on `spi` with chip select `cs`, asked for its size when that is first needed."""

    page_size: int
    sector_size: int

    def __init__(self, spi: "SPI", cs: "Pin") -> None:
        self._size = 0  # 0: not known yet
        self._restart_wait_ms = _RESTART_WAIT_MS
        self._erasing = False
        self.page_size = _PAGE_SIZE
        self.sector_size = _SECTOR_SIZE
        self._spi = spi
        self._cs = cs
        self._command = bytearray(4)
        self._one = bytearray(1)
        cs.value(1)

    @property
    def size(self) -> int:
        """Bytes of the chip. Raises OSError as `check` does."""
        if not self._size:
            self.check()
        return self._size

    def check(self) -> None:
        """Wake the chip and learn its size; OSError if it is no Winbond flash up to 16 MiB.

        After a restart in the middle of an erase the chip is busy and hides its identity, so the
        first call waits for it, at most half a second; one that was suspended goes on.
        """
        self._send(_RELEASE_POWER_DOWN)
        self._send(_RESUME)
        while self.busy():
            if not self._restart_wait_ms:
                raise OSError("W25Q: stays busy")
            self._restart_wait_ms -= 1
            time.sleep_ms(1)
        answer = bytearray(3)
        self._one[0] = _JEDEC_ID
        self._cs.value(0)
        self._spi.write(self._one)
        self._spi.readinto(answer)
        self._cs.value(1)
        size = 1 << answer[2] if answer[2] <= 24 else 0
        if answer[0] != _WINBOND or not _SECTOR_SIZE <= size <= _MAX_SIZE:
            raise OSError("W25Q: identity " + answer.hex())
        self._size = size

    def busy(self) -> bool:
        """True while the chip programs or erases. Raises OSError if it does not answer."""
        if self._status() & _BUSY:
            return True
        self._erasing = False
        return False

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        """Fill `buffer` from `address`; a sector that is being erased reads as anything.

        Raises ValueError out of range, OSError if the chip stays busy or does not answer.
        """
        self._check_range(address, len(buffer))
        suspended = self._interrupt()
        self._start(_READ, address)
        self._spi.readinto(buffer)
        self._cs.value(1)
        if suspended:
            self._send(_RESUME)

    def program(self, address: int, data: "Buffer") -> None:
        """Start programming inside one page, not of a sector that is being erased.

        Raises ValueError, OSError if the chip stays busy, is protected or does not answer.
        """
        length = len(data)
        self._check_range(address, length)
        if length == 0 or (address & (_PAGE_SIZE - 1)) + length > _PAGE_SIZE:
            raise ValueError(f"W25Q: {length} bytes at {address} are not in one page")
        suspended = self._interrupt()
        self._enable_write()
        self._start(_PAGE_PROGRAM, address)
        self._spi.write(data)
        self._cs.value(1)
        if suspended:
            self._wait()
            self._send(_RESUME)

    def erase_sector(self, address: int) -> None:
        """Start erasing the 4-KiB sector around `address`. Raises ValueError, OSError if busy."""
        self._check_range(address, 1)
        if self.busy():
            raise OSError("W25Q: busy")
        self._enable_write()
        self._start(_SECTOR_ERASE, address)
        self._cs.value(1)
        self._erasing = True

    def _check_range(self, address: int, length: int) -> None:
        if address < 0 or address + length > self.size:
            raise ValueError(f"W25Q: {length} bytes at {address}")

    def _interrupt(self) -> bool:
        """Make a busy chip listen; True if an erase has to be resumed then."""
        if not self.busy():
            return False
        if self._erasing:
            self._send(_SUSPEND)
        self._wait()
        # An erase that has come to its end meanwhile is not suspended.
        return bool(self._status(_READ_STATUS_2) & _SUS)

    def _wait(self) -> None:
        for _ in range(_PAUSES):
            time.sleep_us(_PAUSE_US)
            if not self._status() & _BUSY:
                return
        raise OSError("W25Q: busy")

    def _enable_write(self) -> None:
        self._send(_WRITE_ENABLE)
        status = self._status()
        if status & _PROTECTED or not status & _WEL:
            raise OSError(f"W25Q: status {status:02x}")

    def _send(self, opcode: int) -> None:
        self._one[0] = opcode
        self._cs.value(0)
        self._spi.write(self._one)
        self._cs.value(1)

    def _status(self, opcode: int = _READ_STATUS_1) -> int:
        self._one[0] = opcode
        self._cs.value(0)
        self._spi.write(self._one)
        self._spi.readinto(self._one)
        self._cs.value(1)
        if self._one[0] == _NO_ANSWER:
            raise OSError("W25Q: no answer")
        return self._one[0]

    def _start(self, opcode: int, address: int) -> None:
        command = self._command
        command[0] = opcode
        command[1] = address >> 16
        command[2] = (address >> 8) & 0xFF
        command[3] = address & 0xFF
        self._cs.value(0)
        self._spi.write(command)
