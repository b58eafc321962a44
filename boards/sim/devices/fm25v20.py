"""FM25V20A, 2-Mbit SPI F-RAM, behind its bus (Cypress data sheet 001-90261).

Bytes are stored as they arrive: there is no write delay, so what power loss cuts off is simply
not written. WEL falls with the rising chip select of WRITE and WRSR. The status register's
non-volatile bits live as long as the model.
"""

from micropython import const

from .chip import Chip, float_high, transfer_length

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from .chip import Clock, Content, Schedule

    Out = bytes | bytearray | memoryview | None
    In = bytearray | memoryview | None

_WRSR = const(0x01)
_WRITE = const(0x02)
_READ = const(0x03)
_WRDI = const(0x04)
_RDSR = const(0x05)
_WREN = const(0x06)
_FSTRD = const(0x0B)
_RDID = const(0x9F)
_SLEEP = const(0xB9)

_SIZE = const(0x40000)  # 18 address bits, the upper six of the three bytes are not decoded
_SR_WEL = const(0x02)
_SR_FIXED = const(0x40)  # bit 6 reads 1, bits 0, 4 and 5 read 0
_SR_WRITABLE = const(0x8C)  # WPEN, BP1, BP0
_WAKE_US = const(450)  # tREC, recovery from sleep
_PROTECTED_FROM = (_SIZE, 0x30000, 0x20000, 0)  # by BP1, BP0

_ID = b"\x7f\x7f\x7f\x7f\x7f\x7f\xc2\x25\x08"

_ADDRESS_BYTES = {_READ: 3, _WRITE: 3, _FSTRD: 4}  # FSTRD: one dummy byte behind the address


class Fm25v20(Chip):
    """The chip; `content` is its chip file."""

    NAME = "fram"
    FAULTS = {
        "bit_flip": ("flip_bit", (("at", None), ("bit", 0))),
        "stuck": ("set_stuck", ()),  # writes no longer change a cell
        "protect": ("protect", ()),  # both BP bits are set: writes are ignored
        "tear": ("tear_after", (("after", 0),)),  # its supply goes after so many written bytes
    }

    def __init__(self, content: "Content", now_us: "Clock", at: "Schedule | None" = None) -> None:
        super().__init__()
        self.size = _SIZE
        self.write_protect = 1  # the WP pin, low protects the status register if WPEN is set
        self._content = content
        self._now_us = now_us
        self._protection = 0  # WPEN, BP1, BP0
        self._write_enabled = False
        self._asleep = False
        self._awake_at_us = 0
        self._bytes_left = -1  # until the supply goes; -1: it does not
        self._stored = 0  # bytes, since the program began
        self._opcode = -1
        self._position = 0
        self._address = 0

    def power(self, on: bool) -> None:
        """WEL falls and sleep ends with the power; content and protection stay."""
        super().power(on)
        self._write_enabled = False
        self._asleep = False
        self._awake_at_us = 0
        self._opcode = -1
        if on:
            self._bytes_left = -1

    def counts(self) -> "dict[str, int]":
        """Bytes that were stored."""
        return {"bytes_written": self._stored}

    def clear_faults(self) -> None:
        """End every fault; a flipped bit stays flipped."""
        super().clear_faults()
        self._bytes_left = -1
        self._protection = 0

    def protect(self) -> None:
        """Protect the whole array, as a stray write to the status register does."""
        self._protection = 0x0C

    def flip_bit(self, at: int, bit: int) -> None:
        """Change one stored bit, as a particle does."""
        if not 0 <= at < _SIZE or not 0 <= bit < 8:
            raise ValueError(f"bit_flip outside the chip: at {at} bit {bit}")
        self._content.write(at, bytes((self._content.read(at, 1)[0] ^ (1 << bit),)))

    def tear_after(self, after: int) -> None:
        """Take the chip's own supply away after `after` more stored bytes, until `power(True)`."""
        if after < 0:
            raise ValueError("tear needs after >= 0")
        self._bytes_left = after

    def select(self) -> None:
        """Take the falling chip select: the next byte is an opcode; a sleeping chip wakes."""
        self._opcode = -1
        self._position = 0
        self._address = 0
        if self._asleep:
            self._asleep = False
            self._awake_at_us = self._now_us() + _WAKE_US

    def deselect(self) -> None:
        """Take the rising chip select: latches and sleep follow the opcode that ends here."""
        if not self.answers():
            return
        if self._opcode == _WREN:
            self._write_enabled = True
        elif self._opcode in (_WRDI, _WRSR) or (self._opcode == _WRITE and self._position > 4):
            self._write_enabled = False
        elif self._opcode == _SLEEP:
            self._asleep = True
        self._opcode = -1

    def transfer(self, out_buf: "Out", in_buf: "In") -> None:
        """Clock the bytes of both buffers; the first byte after the chip select is the opcode."""
        if not self.answers() or self._now_us() < self._awake_at_us:
            float_high(in_buf)
            return
        count = transfer_length(out_buf, in_buf)
        index = 0
        while index < count:
            header = 1 + _ADDRESS_BYTES.get(self._opcode, 0)
            if self._position >= header and self._opcode in _ADDRESS_BYTES:
                self._data(out_buf, in_buf, index, count)
                self._position += count - index
                return
            byte = 0 if out_buf is None else out_buf[index]
            answer = self._header_byte(byte)
            if in_buf is not None:
                in_buf[index] = answer
            self._position += 1
            index += 1

    def _header_byte(self, byte: int) -> int:
        """Take one byte of opcode, address or register; return what DOUT shows meanwhile."""
        position = self._position
        if position == 0:
            self._opcode = byte
        elif self._opcode in _ADDRESS_BYTES:
            if position <= 3:
                self._address = (self._address << 8 | byte) & (_SIZE - 1)
        elif self._opcode == _RDSR:
            return _SR_FIXED | self._protection | (_SR_WEL if self._write_enabled else 0)
        elif self._opcode == _RDID and position <= len(_ID):
            return _ID[position - 1]
        elif self._opcode == _WRSR and position == 1:
            self._write_status(byte)
        return 0xFF

    def _write_status(self, byte: int) -> None:
        """Change the protection unless the latch or the WP pin forbids it."""
        if self._write_enabled and (self.write_protect or not self._protection & 0x80):
            self._protection = byte & _SR_WRITABLE

    def _data(self, out_buf: "Out", in_buf: "In", start: int, count: int) -> None:
        """Read or write `count - start` bytes; the address rolls over at the end of the array."""
        while start < count:
            length = min(count - start, _SIZE - self._address)
            if self._opcode == _WRITE:
                self._store(out_buf, start, length)
                float_high(in_buf)
            elif in_buf is not None:
                in_buf[start : start + length] = self._content.read(self._address, length)
            self._address = (self._address + length) & (_SIZE - 1)
            start += length

    def _store(self, out_buf: "Out", start: int, length: int) -> None:
        """Write in rising order of addresses, as far as protection and the supply allow."""
        limit = _PROTECTED_FROM[(self._protection >> 2) & 3]
        if not self._write_enabled or self.stuck or not self.powered:
            return
        length = max(0, min(length, limit - self._address))
        if 0 <= self._bytes_left <= length:
            length = self._bytes_left
            self.powered = False
        elif self._bytes_left > 0:
            self._bytes_left -= length
        if length:
            self._stored += length
            data = bytes(length) if out_buf is None else out_buf[start : start + length]
            self._content.write(self._address, data)
