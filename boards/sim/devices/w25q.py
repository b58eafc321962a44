"""W25Q128JV, 16-MiB SPI NOR flash, behind its bus (Winbond data sheet revision F).

Programming and erasing begin when the chip select rises at the end of their command and take the
typical time of the data sheet; meanwhile only the status registers answer. The cells change when
that time is over. If the power goes before, the operation stays torn: of a page the first bytes
are programmed, of a sector the first bytes are erased, and the byte at the front has some bits of
each. An erase can be suspended for reading and resumed; a page program cannot here.
The non-volatile status bits live as long as the model.
"""

from micropython import const

from .chip import Chip, float_high, transfer_length
from .w25q_cells import PAGE, SECTOR, Cells, protected_range

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from .chip import Clock, Content, Schedule

    Out = bytes | bytearray | memoryview | None
    In = bytearray | memoryview | None

_WRITE_STATUS_1 = const(0x01)
_PAGE_PROGRAM = const(0x02)
_READ = const(0x03)
_WRITE_DISABLE = const(0x04)
_READ_STATUS_1 = const(0x05)
_WRITE_ENABLE = const(0x06)
_FAST_READ = const(0x0B)
_WRITE_STATUS_3 = const(0x11)
_READ_STATUS_3 = const(0x15)
_SECTOR_ERASE = const(0x20)
_WRITE_STATUS_2 = const(0x31)
_READ_STATUS_2 = const(0x35)
_UNIQUE_ID = const(0x4B)
_BLOCK_ERASE_32K = const(0x52)
_CHIP_ERASE_60 = const(0x60)
_ENABLE_RESET = const(0x66)
_SUSPEND = const(0x75)
_RESUME = const(0x7A)
_MANUFACTURER_ID = const(0x90)
_RESET = const(0x99)
_JEDEC_ID = const(0x9F)
_RELEASE_POWER_DOWN = const(0xAB)
_POWER_DOWN = const(0xB9)
_CHIP_ERASE = const(0xC7)
_BLOCK_ERASE_64K = const(0xD8)

_SIZE = const(0x1000000)

_BUSY = const(0x01)
_WEL = const(0x02)
_QE = const(0x02)  # in status register 2
_SUS = const(0x80)  # in status register 2

# Typical times of the AC table, microseconds.
_PROGRAM_US = const(400)
_WRITE_STATUS_US = const(10_000)
_RESET_US = const(30)
_SUSPEND_US = const(20)
_ERASES = {  # opcode: size, microseconds
    _SECTOR_ERASE: (SECTOR, 45_000),
    _BLOCK_ERASE_32K: (0x8000, 120_000),
    _BLOCK_ERASE_64K: (0x10000, 150_000),
    _CHIP_ERASE: (_SIZE, 40_000_000),
    _CHIP_ERASE_60: (_SIZE, 40_000_000),
}
_ADDRESSED = (
    _READ, _FAST_READ, _PAGE_PROGRAM, _SECTOR_ERASE, _BLOCK_ERASE_32K, _BLOCK_ERASE_64K,
)  # fmt: skip
_STATUS = {_READ_STATUS_1: 0, _READ_STATUS_2: 1, _READ_STATUS_3: 2}
_WHILE_BUSY = (_READ_STATUS_1, _READ_STATUS_2, _READ_STATUS_3, _ENABLE_RESET, _RESET, _SUSPEND)
_STATUS_WRITE = {_WRITE_STATUS_1: 0, _WRITE_STATUS_2: 1, _WRITE_STATUS_3: 2}
_STATUS_MASK = (0xFC, 0x7B, 0x64)

_JEDEC = b"\xef\x40\x18"
_UNIQUE = b"\xd1\x62\x38\x51\x4b\x2f\x1c\x2e"


class W25q(Chip):
    """The chip; `content` is its chip file, FF where it has never been written."""

    NAME = "flash"
    FAULTS = {
        "bit_flip": ("flip_bit", (("at", None), ("bit", 0))),
        "stuck": ("set_stuck", ()),  # cells no longer change; the chip still says busy
        "busy": ("set_busy", ()),  # the chip says busy for ever
        "protect": ("protect", ()),  # all BP bits are set: programming and erasing are ignored
        "worn": ("wear_out", (("sector", None),)),  # cells of a sector no longer change
        "slow": ("set_slow", (("percent", 900),)),  # near the maxima of the data sheet
    }

    def __init__(self, content: "Content", now_us: "Clock", at: "Schedule | None" = None) -> None:
        super().__init__()
        self.size = _SIZE
        self.cells = Cells(content)
        self._now_us = now_us
        self._at = at
        self._slow_percent = 100
        self._hung = False
        self._suspended = 0  # opcode of the erase that is suspended, 0: none
        self._suspended_address = 0
        self._left_us = 0  # its time that is left, and all of it
        self._total_us = 0
        self._page = bytearray(PAGE)
        self._filled = bytearray(PAGE)  # 1: this byte of the page was sent
        self._status = bytearray((0, _QE, 0x60))  # QE set and 25 % drive: factory default
        self._write_enabled = False
        self._powered_down = False
        self._reset_enabled = False
        self._operation = 0  # opcode of what is under way, 0: none
        self._operation_address = 0
        self._started_us = 0
        self._busy_until_us = 0
        self._opcode = -1  # -1: none, or one that the chip ignores
        self._position = 0
        self._address = 0
        self._value = 0

    def power(self, on: bool) -> None:
        """Without power an operation under way stays torn; latches and power-down are lost."""
        if not on and self.powered:
            self._settle()
            self._tear()
            if self._resumable():
                self._resume()
                self._tear()
        super().power(on)
        self._write_enabled = False
        self._powered_down = False
        self._reset_enabled = False
        self._operation = self._suspended = 0
        self._busy_until_us = 0
        self._opcode = -1

    def close(self) -> None:
        """Let what is under way come to its end, for an orderly end of the simulation."""
        self._busy_until_us = 0
        self._settle()
        if self._resumable():
            self._resume()
            self._busy_until_us = 0
            self._settle()

    def counts(self) -> "dict[str, int]":
        """Bytes that were programmed, sectors that were erased."""
        return {"bytes_programmed": self.cells.programmed, "sectors_erased": self.cells.erased}

    def clear_faults(self) -> None:
        """End every fault; a flipped bit stays flipped."""
        super().clear_faults()
        self._slow_percent = 100
        self._hung = False
        self.cells.worn.clear()
        self.cells.stuck = False
        self._status[0] = 0

    def flip_bit(self, at: int, bit: int) -> None:
        """Change one stored bit."""
        if not 0 <= at < _SIZE or not 0 <= bit < 8:
            raise ValueError(f"bit_flip outside the chip: at {at} bit {bit}")
        self.cells.flip(at, bit)

    def set_busy(self) -> None:
        """Hang the chip's state machine."""
        self._hung = True

    def protect(self) -> None:
        """Protect the whole array, as a stray write to the status register does."""
        self._status[0] = 0x1C

    def wear_out(self, sector: int) -> None:
        """Make the cells of one sector keep what they hold."""
        if not 0 <= sector < _SIZE // SECTOR:
            raise ValueError(f"worn outside the chip: sector {sector}")
        self.cells.worn.add(sector)

    def set_slow(self, percent: int) -> None:
        """Make operations take `percent` of their typical time."""
        if not 1 <= percent <= 10_000:
            raise ValueError("slow needs percent from 1 to 10000")
        self._slow_percent = percent

    def busy(self) -> bool:
        """Physical side: an operation is under way."""
        self._settle()
        return self._operation != 0

    def select(self) -> None:
        """Take the falling chip select: the next byte is an opcode."""
        self._settle()
        self._opcode = -1
        self._position = 0
        self._address = 0
        self._value = 0

    def transfer(self, out_buf: "Out", in_buf: "In") -> None:
        """Clock the bytes of both buffers."""
        if not self.answers():
            float_high(in_buf)
            return
        count = transfer_length(out_buf, in_buf)
        index = 0
        while index < count:
            if self._position >= 4 and self._opcode == _READ:
                self._read(in_buf, index, count)
                self._position += count - index
                return
            byte = 0 if out_buf is None else out_buf[index]
            if self._position == 0:
                self._begin(byte)
                answer = 0xFF
            else:
                answer = self._next(byte)
            if in_buf is not None:
                in_buf[index] = answer
            self._position += 1
            index += 1

    def _begin(self, opcode: int) -> None:
        """Take the opcode unless the chip is busy or asleep and ignores it."""
        reset_enabled = self._reset_enabled
        self._reset_enabled = opcode == _ENABLE_RESET
        self._opcode = -1
        self._settle()
        if opcode == _RESET and not reset_enabled:
            return
        if (self._operation or self._hung) and opcode not in _WHILE_BUSY:
            return
        if self._powered_down and opcode != _RELEASE_POWER_DOWN:
            return
        self._opcode = opcode
        if opcode == _PAGE_PROGRAM:
            for index in range(PAGE):
                self._filled[index] = 0

    def _next(self, byte: int) -> int:
        """Take a byte behind the opcode; return what DO shows meanwhile."""
        position = self._position
        opcode = self._opcode
        if opcode in _ADDRESSED or opcode == _MANUFACTURER_ID:
            if position <= 3:
                self._address = (self._address << 8 | byte) & (_SIZE - 1)
            elif opcode == _FAST_READ and position == 4:
                self._opcode = _READ  # the dummy byte is over
            elif opcode == _PAGE_PROGRAM:
                self._page[self._address & 0xFF] = byte
                self._filled[self._address & 0xFF] = 1
                # Behind the page's last byte the address goes on at its first.
                self._address = self._address & ~0xFF | (self._address + 1) & 0xFF
            elif opcode == _MANUFACTURER_ID:
                return (0xEF, 0x17)[(position + self._address) & 1]
        elif opcode in _STATUS:
            return self.status(_STATUS[opcode])
        elif opcode in _STATUS_WRITE and position <= 2:
            self._value |= byte << (8 * (position - 1))
        elif opcode == _JEDEC_ID and position <= 3:
            return _JEDEC[position - 1]
        elif opcode == _UNIQUE_ID and 5 <= position <= 12:
            return _UNIQUE[position - 5]
        elif opcode == _RELEASE_POWER_DOWN and position >= 4:
            return 0x17
        return 0xFF

    def _read(self, in_buf: "In", start: int, count: int) -> None:
        """Read on; the address rolls over at the end of the array."""
        while start < count:
            length = min(count - start, _SIZE - self._address)
            if in_buf is not None:
                in_buf[start : start + length] = self.cells.read(self._address, length)
            self._address = (self._address + length) & (_SIZE - 1)
            start += length

    def status(self, index: int) -> int:
        """Status register 1, 2 or 3 (`index` 0 to 2) as it reads now."""
        self._settle()
        value = self._status[index]
        if index == 0:
            value |= _WEL if self._write_enabled else 0
            value |= _BUSY if self._operation or self._hung else 0
        elif index == 1:
            value |= _SUS if self._suspended else 0
        return value

    def deselect(self) -> None:
        """Take the rising chip select: what the command asks for begins here, if it is whole."""
        opcode = self._opcode
        position = self._position
        self._opcode = -1
        if opcode < 0 or not self.answers():
            return
        if opcode == _WRITE_ENABLE:
            self._write_enabled = True
        elif opcode == _WRITE_DISABLE:
            self._write_enabled = False
        elif opcode == _POWER_DOWN:
            self._powered_down = True
        elif opcode == _RELEASE_POWER_DOWN:
            self._powered_down = False
        elif opcode == _SUSPEND:
            self._suspend()
        elif opcode == _RESUME and self._resumable():
            self._resume()
        elif opcode == _RESET:
            self._tear()
            self._suspended = 0
            self._write_enabled = False
            self._powered_down = False
            self._run(_RESET, 0, _RESET_US)
        elif self._write_enabled:
            self._begin_write(opcode, position)

    def _begin_write(self, opcode: int, position: int) -> None:
        """Start what needs the write enable latch, unless its range is protected."""
        if opcode in _STATUS_WRITE and position in (2, 3):
            first = _STATUS_WRITE[opcode]
            self._status[first] = self._value & _STATUS_MASK[first]
            if first == 0 and position == 3:
                self._status[1] = (self._value >> 8) & _STATUS_MASK[1]
            self._run(opcode, 0, _WRITE_STATUS_US)
        elif opcode == _PAGE_PROGRAM and position > 4:
            if not self._protected(self._address & ~0xFF, PAGE):
                self._run(opcode, self._address & ~0xFF, _PROGRAM_US)
        elif opcode in _ERASES:
            size, duration_us = _ERASES[opcode]
            if self._suspended:
                return
            if size == _SIZE and position == 1:
                self._address = 0
            elif size == _SIZE or position != 4:
                return
            if not self._protected(self._address & ~(size - 1), size):
                self._run(opcode, self._address & ~(size - 1), duration_us)

    def _run(self, opcode: int, address: int, duration_us: int) -> None:
        self._operation = opcode
        self._operation_address = address
        self._started_us = self._now_us()
        self._busy_until_us = self._started_us + duration_us * self._slow_percent // 100
        if self._at is not None:
            self._at(self._busy_until_us, self._settle)

    def _suspend(self) -> None:
        """Interrupt an erase; the chip can be read 20 us later."""
        if self._operation in (_SECTOR_ERASE, _BLOCK_ERASE_32K, _BLOCK_ERASE_64K):
            self._suspended = self._operation
            self._suspended_address = self._operation_address
            self._left_us = self._busy_until_us - self._now_us()
            self._total_us = self._busy_until_us - self._started_us
            self._run(_SUSPEND, 0, _SUSPEND_US)

    def _resumable(self) -> bool:
        return self._suspended != 0 and not self._operation

    def _resume(self) -> None:
        """Go on with the suspended erase, from what it has done."""
        self._operation = self._suspended
        self._operation_address = self._suspended_address
        self._suspended = 0
        self._busy_until_us = self._now_us() + self._left_us
        self._started_us = self._busy_until_us - self._total_us
        self._write_enabled = True
        if self._at is not None:
            self._at(self._busy_until_us, self._settle)

    def _protected(self, address: int, size: int) -> bool:
        """Tell whether any byte of the range is protected; WEL falls then."""
        first, last = protected_range(self._status[0], self._status[1], _SIZE)
        hit = address < last and address + size > first
        if hit:
            self._write_enabled = False
        return hit

    def _settle(self) -> None:
        """Finish the operation whose time is over."""
        if not self._operation or self._now_us() < self._busy_until_us:
            return
        self._apply(1, 1)
        self._operation = 0
        self._write_enabled = False

    def _tear(self) -> None:
        """Leave the operation where the power or a reset has cut it."""
        if self._operation:
            duration_us = self._busy_until_us - self._started_us
            self._apply(self._now_us() - self._started_us, duration_us)
            self._operation = 0

    def _apply(self, part: int, whole: int) -> None:
        """Change the cells as far as `part` of `whole` of the operation's time has brought it."""
        if whole <= 0:
            return
        self.cells.stuck = self.stuck
        if self._operation == _PAGE_PROGRAM:
            count = -1 if part >= whole else sum(self._filled) * part // whole
            self.cells.program(self._operation_address, self._page, self._filled, count)
        elif self._operation in _ERASES:
            size = _ERASES[self._operation][0]
            self.cells.erase(self._operation_address, size * part // whole, part < whole)
