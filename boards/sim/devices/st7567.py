"""ST7567, controller of a 128x64 glass, behind the 4-line SPI bus (Sitronix ST7567 version 1.4).

The bus only writes. `rows` is the physical side: what the eye sees, after start line, directions,
inversion and power, on a glass whose columns hang on segments 0 to 127 and rows on commons 0 to
63.
"""

from micropython import const

from .chip import Chip, float_high, transfer_length

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from .chip import Clock, Schedule

    Out = bytes | bytearray | memoryview | None
    In = bytearray | memoryview | None

_COLUMNS = const(132)
_PAGES = const(9)  # the ninth holds the icon line, which this glass has not
WIDTH = const(128)
HEIGHT = const(64)

_SET_CONTRAST = const(0x81)
_SET_BOOSTER = const(0xF8)
_POWER_ALL = const(7)  # booster, regulator, follower


class St7567(Chip):
    """The controller with its glass; `rotated`: the glass is mounted upside down."""

    NAME = "lcd"

    def __init__(
        self,
        rotated: bool = False,
        now_us: "Clock | None" = None,
        at: "Schedule | None" = None,
    ) -> None:
        super().__init__()
        self.rotated = rotated
        self.backlight = 0
        self.ram = bytearray(_PAGES * _COLUMNS)
        self.writes = 0  # data bytes received, ever rising: tells a poller that something changed
        self._a0 = 0
        self._held_in_reset = False
        self._reset_registers(True)

    # Physical side.

    def power(self, on: bool) -> None:
        """The RAM forgets without power; registers start at their defaults."""
        super().power(on)
        if on:
            for index in range(len(self.ram)):
                self.ram[index] = 0xA5 if index & 1 else 0x5A  # undefined, so not blank
            self._reset_registers(True)

    def set_reset(self, level: int) -> None:
        """Level of RSTB: low holds the chip in reset."""
        self._held_in_reset = not level
        if not level:
            self._reset_registers(True)

    def set_dc(self, level: int) -> None:
        """Level of A0: low for commands, high for data."""
        self._a0 = level

    def set_backlight(self, level: int) -> None:
        """Level of the backlight's switch."""
        self.backlight = level

    def visible(self) -> bool:
        """Whether the glass shows anything: display on, drive voltage there."""
        return self.answers() and self.on == 1 and self.power_control == _POWER_ALL

    def appearance(self) -> "tuple[object, ...]":
        """Return what changes whenever the picture may have changed."""
        return (
            self.writes,
            self.visible(),
            self.start_line << 2 | self.inverse << 1 | self.all_points,
        )

    def pixel(self, x: int, y: int) -> int:
        """Dot in column `x` from the left and row `y` from the top as the reader sees it."""
        if not self.visible():
            return 0
        if self.rotated:
            x = WIDTH - 1 - x
            y = HEIGHT - 1 - y
        if self.all_points:
            return 1
        column = _COLUMNS - 1 - x if self.segments_reversed else x
        line = HEIGHT - 1 - y if self.commons_reversed else y
        line = (line + self.start_line) % HEIGHT
        dot = (self.ram[(line >> 3) * _COLUMNS + column] >> (line & 7)) & 1
        return dot ^ self.inverse

    def rows(self) -> "list[str]":
        """The glass as 64 rows of `.` and `#`."""
        return [
            "".join(["#" if self.pixel(x, y) else "." for x in range(WIDTH)])
            for y in range(HEIGHT)
        ]

    # Bus side.

    def select(self) -> None:
        """Take the falling chip select; commands and data need no framing."""

    def deselect(self) -> None:
        """Take the rising chip select; nothing is pending, a two-byte command goes on later."""

    def transfer(self, out_buf: "Out", in_buf: "In") -> None:
        """Take commands or data, as A0 says. The chip has no output here."""
        float_high(in_buf)
        count = transfer_length(out_buf, in_buf)
        if not self.answers() or self._held_in_reset or self.stuck:
            return
        if self._a0:
            self._data(bytes(count) if out_buf is None else out_buf, count)
            return
        for index in range(count):
            byte = 0 if out_buf is None else out_buf[index]
            if self._argument_of:
                self._argument(byte)
            else:
                self._command(byte)

    def _reset_registers(self, hardware: bool) -> None:
        """Bring registers to their defaults; the reset command leaves the upper half alone."""
        if hardware:
            self.on = 0
            self.inverse = 0
            self.all_points = 0
            self.segments_reversed = 0
            self.bias = 0  # 0: 1/9, 1: 1/7
            self.power_control = 0
            self.booster = 0  # 0: four times, 1: five times
        self.start_line = 0
        self.page = 0
        self.column = 0
        self.commons_reversed = 0
        self.regulation_ratio = 4
        self.contrast = 0x20
        self._read_modify_write = False
        self._saved_column = 0
        self._argument_of = 0  # command whose second byte is due, 0: none

    def _data(self, data: "Out", count: int) -> None:
        """Take octets for the columns of a page, all at once for speed; the last column stays."""
        if not count or data is None:
            return
        if self.page < _PAGES:
            start = self.page * _COLUMNS + self.column
            fitting = min(count, _COLUMNS - self.column)
            self.ram[start : start + fitting] = memoryview(data)[:fitting]
            if count > fitting:
                self.ram[start + fitting - 1] = data[count - 1]
        self.column = min(self.column + count, _COLUMNS - 1)
        self.writes += count

    def _argument(self, byte: int) -> None:
        if self._argument_of == _SET_CONTRAST:
            self.contrast = byte & 0x3F
        else:
            self.booster = byte & 1
        self._argument_of = 0

    def _command(self, byte: int) -> None:
        if byte < 0x10:
            self.column = min(self.column & 0xF0 | byte, _COLUMNS - 1)
        elif byte < 0x20:
            self.column = (byte & 0x0F) << 4 | self.column & 0x0F
            # The low half usually comes next, so the sum is checked there.
        elif byte < 0x28:
            self.regulation_ratio = byte & 7
        elif byte < 0x30:
            self.power_control = byte & 7
        elif 0x40 <= byte < 0x80:
            self.start_line = byte & 0x3F
        elif 0xB0 <= byte <= 0xB8:
            self.page = byte & 0x0F
        elif 0xC0 <= byte < 0xD0:
            self.commons_reversed = (byte >> 3) & 1
        else:
            self._single(byte)

    def _single(self, byte: int) -> None:
        """Commands of one value each."""
        flag = byte & 1
        pair = byte & 0xFE
        if byte in (_SET_CONTRAST, _SET_BOOSTER):
            self._argument_of = byte
        elif pair == 0xA0:
            self.segments_reversed = flag
        elif pair == 0xA2:
            self.bias = flag
        elif pair == 0xA4:
            self.all_points = flag
        elif pair == 0xA6:
            self.inverse = flag
        elif pair == 0xAE:
            self.on = flag
        elif byte == 0xE0:
            self._read_modify_write = True
            self._saved_column = self.column
        elif byte == 0xEE and self._read_modify_write:
            self._read_modify_write = False
            self.column = self._saved_column
        elif byte == 0xE2:
            self._reset_registers(False)
