"""SSD1306, controller of a 128x64 OLED, on I2C or 4-wire SPI (Solomon Systech SSD1306 rev. 1.5).

`rows` is the physical side: what glows, on a module as they are usual: upright with segments and
commons reversed, common pins alternating, fed by the chip's charge pump. Scrolling, fading and
zooming are not modelled: their commands are taken and do nothing.
"""

from micropython import const

from .chip import Chip, float_high, transfer_length

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from .chip import Clock, Schedule

    Out = bytes | bytearray | memoryview | None
    In = bytearray | memoryview | None

WIDTH = const(128)
HEIGHT = const(64)
_PAGES = const(8)

_HORIZONTAL = const(0)
_VERTICAL = const(1)
_BY_PAGE = const(2)

_DISPLAY_OFF = const(0x40)  # status bit
_BRIGHT = const(0x80)  # contrast from which the glass lights a dark room

# Commands with arguments, and how many.
_ARGUMENTS = {
    0x20: 1, 0x21: 2, 0x22: 2, 0x23: 1, 0x26: 6, 0x27: 6, 0x29: 5, 0x2A: 5, 0x81: 1, 0x8D: 1,
    0xA3: 2, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD6: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1,
}  # fmt: skip


class Ssd1306(Chip):
    """The controller with its glass; `rotated`: the module is mounted upside down."""

    NAME = "lcd"
    FAULTS = {
        "stuck": ("set_stuck", ()),  # takes what comes and does nothing with it
        "reset": ("reset", ()),  # as by a discharge through the glass
    }

    def __init__(
        self,
        rotated: bool = False,
        now_us: "Clock | None" = None,
        at: "Schedule | None" = None,
        address: int = 0x3C,
    ) -> None:
        super().__init__()
        self.rotated = rotated
        self.ram = bytearray(_PAGES * WIDTH)  # by page and segment
        self.writes = 0  # octets taken, ever rising
        self.refused = 0  # octets behind a control byte that is none
        self._address = address
        self._dc = 0
        self._held_in_reset = False
        self.reset()

    # Physical side.

    def power(self, on: bool) -> None:
        """The RAM forgets without power; registers start at their defaults."""
        super().power(on)
        if on:
            for index in range(len(self.ram)):
                self.ram[index] = 0xA5 if index & 1 else 0x5A  # undefined, so not blank
            self.reset()

    def reset(self) -> None:
        """Bring the registers to their defaults; the RAM stays."""
        self.writes += 1
        self.on = 0
        self.inverse = 0
        self.all_points = 0
        self.contrast = 0x7F
        self.mode = _BY_PAGE
        self.start_line = 0
        self.offset = 0
        self.rows_driven = HEIGHT
        self.segments_reversed = 0
        self.commons_reversed = 0
        self.common_pins = 0x12
        self.charge_pump = 0
        self._pumping = 0  # since the display was switched on
        self._columns = [0, WIDTH - 1]
        self._pages = [0, _PAGES - 1]
        self._column = 0
        self._page = 0
        self._command = 0
        self._arguments: list[int] = []  # of the command under way
        self._due = 0  # how many more it takes

    def visible(self) -> bool:
        """Whether the glass shows anything: on, and with its high voltage."""
        return self.answers() and bool(self.on and self._pumping)

    @property
    def backlight(self) -> int:
        """Whether it glows brightly."""
        return 1 if self.visible() and self.contrast >= _BRIGHT else 0

    def appearance(self) -> "tuple[object, ...]":
        """Return what changes whenever the picture may have changed."""
        return self.writes, self.visible()

    def pixel(self, x: int, y: int) -> int:
        """Dot in column `x` from the left and row `y` from the top as the reader sees it."""
        if not self.visible():
            return 0
        if self.rotated:
            x = WIDTH - 1 - x
            y = HEIGHT - 1 - y
        common = HEIGHT - 1 - y
        if not self.common_pins & 0x10:
            # Sequential: even rows of the glass hang on the lower half of the pins.
            common = 32 * (common & 1) + (common >> 1)
        if self.common_pins & 0x20:
            common ^= 32
        if common >= self.rows_driven:
            return 0
        if self.all_points:
            return 1
        line = self.rows_driven - 1 - common if self.commons_reversed else common
        line = (line + self.offset + self.start_line) % HEIGHT
        return (self.ram[(line >> 3) * WIDTH + WIDTH - 1 - x] >> (line & 7) & 1) ^ self.inverse

    def rows(self) -> "list[str]":
        """The glass as 64 rows of `.` and `#`."""
        return [
            "".join(["#" if self.pixel(x, y) else "." for x in range(WIDTH)])
            for y in range(HEIGHT)
        ]

    # Bus side.

    def i2c_write(self, address: int, data: "bytes | bytearray | memoryview") -> int:
        """Take control bytes and what follows them; -1 for another address."""
        if address != self._address or not self.answers():
            return -1
        at = 0
        while at < len(data):
            control = data[at]
            at += 1
            # With the continuation bit set one octet follows, then the next control byte.
            end = min(at + 1, len(data)) if control & 0x80 else len(data)
            if control & 0x3F:
                self.refused += end - at
            else:
                self._octets(data, at, end, control & 0x40)
            at = end
        return len(data)

    def i2c_read(self, address: int, buf: "bytearray | memoryview") -> int:
        """Give the status; -1 for another address."""
        if address != self._address or not self.answers():
            return -1
        for index in range(len(buf)):
            buf[index] = 0 if self.on else _DISPLAY_OFF
        return 0

    def set_reset(self, level: int) -> None:
        """Level of RES#: low holds the chip in reset."""
        self._held_in_reset = not level
        if not level:
            self.reset()

    def set_dc(self, level: int) -> None:
        """Level of D/C#: low for commands, high for data."""
        self._dc = level

    def select(self) -> None:
        """Take the falling chip select; commands and data need no framing."""

    def deselect(self) -> None:
        """Take the rising chip select; a command may go on later."""

    def transfer(self, out_buf: "Out", in_buf: "In") -> None:
        """Take commands or data, as D/C# says. The chip has no output here."""
        float_high(in_buf)
        count = transfer_length(out_buf, in_buf)
        if self.answers():
            self._octets(bytes(count) if out_buf is None else out_buf, 0, count, self._dc)

    def _octets(
        self, octets: "bytes | bytearray | memoryview", start: int, end: int, data: int
    ) -> None:
        if self.stuck or self._held_in_reset:
            return
        self.writes += end - start
        for index in range(start, end):
            if data:
                self._dots(octets[index])
            elif self._due:
                self._arguments.append(octets[index])
                self._due -= 1
                if not self._due:
                    self._long_command(self._command, self._arguments)
            else:
                self._command = octets[index]
                self._arguments = []
                self._due = _ARGUMENTS.get(self._command, 0)
                if not self._due:
                    self._short_command(self._command)

    def _dots(self, octet: int) -> None:
        """Take eight dots; the pointer goes on as the addressing mode says."""
        column = WIDTH - 1 - self._column if self.segments_reversed else self._column
        self.ram[self._page * WIDTH + column] = octet
        if self.mode == _VERTICAL:
            if self._next_page():
                self._next_column()
        elif self._next_column() and self.mode == _HORIZONTAL:
            self._next_page()

    def _next_column(self) -> bool:
        """Go to the next column; True if that is the first one again."""
        first, last = self._columns if self.mode != _BY_PAGE else (0, WIDTH - 1)
        wraps = self._column == last
        self._column = first if wraps else (self._column + 1) % WIDTH
        return wraps

    def _next_page(self) -> bool:
        wraps = self._page == self._pages[1]
        self._page = self._pages[0] if wraps else (self._page + 1) % _PAGES
        return wraps

    def _short_command(self, code: int) -> None:
        flag = code & 1
        pair = code & 0xFE
        if code < 0x20:
            if self.mode == _BY_PAGE:
                if code < 0x10:
                    self._column = self._column & 0x70 | code
                else:
                    self._column = (code & 7) << 4 | self._column & 0x0F
        elif 0x40 <= code < 0x80:
            self.start_line = code & 0x3F
        elif pair == 0xA0:
            self.segments_reversed = flag  # of what is written from now on
        elif pair == 0xA4:
            self.all_points = flag
        elif pair == 0xA6:
            self.inverse = flag
        elif pair == 0xAE:
            self.on = flag
            self._pumping = flag & self.charge_pump
        elif 0xB0 <= code < 0xB8:
            if self.mode == _BY_PAGE:
                self._page = code & 7
        elif 0xC0 <= code < 0xD0:
            self.commons_reversed = code >> 3 & 1

    def _long_command(self, code: int, arguments: "list[int]") -> None:
        first = arguments[0]
        if code == 0x20:
            if first & 3 != 3:
                self.mode = first & 3
        elif code in (0x21, 0x22):
            self._window(code == 0x21, first, arguments[1])
        elif code == 0x81:
            self.contrast = first
        elif code == 0x8D:
            self.charge_pump = first >> 2 & 1
        elif code == 0xA8:
            if first & 0x3F >= 15:
                self.rows_driven = (first & 0x3F) + 1
        elif code == 0xD3:
            self.offset = first & 0x3F
        elif code == 0xDA:
            self.common_pins = first

    def _window(self, columns: bool, first: int, last: int) -> None:
        """Set the columns or pages that are written round, and go to the first one."""
        mask = WIDTH - 1 if columns else _PAGES - 1
        first &= mask
        last &= mask
        if self.mode == _BY_PAGE or first > last:
            return
        if columns:
            self._columns = [first, last]
            self._column = first
        else:
            self._pages = [first, last]
            self._page = first
