"""SSD1306: 128x64 OLED over I2C or SPI as a `hal.Lcd` (Solomon Systech SSD1306 revision 1.5).

`buffer` has the layout of `framebuf.MONO_VLSB`, which is the chip's own: 8 pages of 128 columns, a
byte is 8 dots, the lowest bit on top. A glass that does not answer raises nothing; once it answers
again it is configured and sent everything. It glows by itself: `backlight` makes it bright or dim.
"""

import time

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import I2C, SPI, Pin

_WIDTH = const(128)
_HEIGHT = const(64)
_PAGES = const(8)

# Control bytes of I2C, section 8.1.5.2; with SPI the level of D/C# says the same.
_COMMANDS = const(0x00)
_DATA = const(0x40)

_CONTRAST = const(0x81)
_BRIGHT = const(0xCF)
_DIM = const(0x08)
_OFF = b"\xae"
_SETUP = (
    b"\xd5\x80"  # clock
    b"\xa8\x3f"  # 64 rows
    b"\xd3\x00\x40"  # no offset, starts at line 0
    b"\x20\x00"  # addresses go on along the page, then to the next one
    b"\xda\x12"  # common pins alternate
    b"\xd9\xf1\xdb\x40"  # charging, levels
    b"\x2e\xa4\xa6"  # no scrolling, the RAM's picture, not inverse
    b"\x8d\x14"  # charge pump, which starts with the display
)
_UPRIGHT = b"\xa1\xc8"  # directions of segments and commons on the usual modules
_FLIPPED = b"\xa0\xc0"
_ON = b"\xaf"


class _Ssd1306:
    """What does not depend on the bus; `flipped`: the module is mounted upside down."""

    width: int
    height: int
    buffer: bytearray

    def __init__(self, flipped: bool) -> None:
        self.width = _WIDTH
        self.height = _HEIGHT
        self.buffer = bytearray(_WIDTH * _PAGES)
        self._directions = _FLIPPED if flipped else _UPRIGHT
        self._window = bytearray(b"\x21\x00\x7f\x22\x00\x07")  # columns, pages
        self._light = bytearray((_CONTRAST, _DIM))
        view = memoryview(self.buffer)
        self._pages = [view[page * _WIDTH : (page + 1) * _WIDTH] for page in range(_PAGES)]
        self._lost = True  # the controller knows nothing

    def start(self) -> None:
        """Configure the controller, clear the glass, switch it on."""
        for index in range(len(self.buffer)):
            self.buffer[index] = 0
        self._lost = True
        self.show()

    def refresh(self) -> None:
        """Configure the controller again and send everything, without a blank.

        A discharge through the glass can have reset it, which nothing tells.
        """
        self.show(0, _PAGES - 1, True)

    def show(self, first_page: int = 0, last_page: int = 7, again: bool = False) -> None:
        """Send pages `first_page`..`last_page` of the buffer. Raises ValueError for others.

        `again`: configure a controller that may be at work.
        """
        if not 0 <= first_page <= last_page < _PAGES:
            raise ValueError(f"SSD1306: pages {first_page} to {last_page}")
        lost = self._lost or again
        self._lost = True  # unless all of it goes through
        try:
            if lost:
                first_page = 0
                last_page = _PAGES - 1
                if not again:
                    self._reset()
                    self._send(_COMMANDS, _OFF)
                self._send(_COMMANDS, _SETUP)
                self._send(_COMMANDS, self._directions)
                self._send(_COMMANDS, self._light)
            self._window[4] = first_page
            self._window[5] = last_page
            self._send(_COMMANDS, self._window)
            while first_page <= last_page:
                self._send(_DATA, self._pages[first_page])
                first_page += 1
            if lost:
                self._send(_COMMANDS, _ON)
        except OSError:
            return
        self._lost = False

    def backlight(self, on: bool) -> None:
        """Glow brightly or dimly: dark, the meter could not be read."""
        self._light[1] = _BRIGHT if on else _DIM
        if not self._lost:
            try:
                self._send(_COMMANDS, self._light)
            except OSError:
                self._lost = True

    def _reset(self) -> None:
        """Reset the chip, if there is a wire for it."""

    def _send(self, control: int, octets: "bytes | bytearray | memoryview") -> None:
        """Send commands or data. Raises OSError if the chip does not answer."""
        raise NotImplementedError


class Ssd1306I2c(_Ssd1306):
    """The glass on an I2C bus."""

    def __init__(self, i2c: "I2C", address: int = 0x3C, flipped: bool = False) -> None:
        super().__init__(flipped)
        self._i2c = i2c
        self._address = address

    def _send(self, control: int, octets: "bytes | bytearray | memoryview") -> None:
        self._i2c.writeto_mem(self._address, control, octets)


class Ssd1306Spi(_Ssd1306):
    """The glass on a 4-wire SPI bus, where nothing tells whether it is there."""

    def __init__(
        self, spi: "SPI", cs: "Pin", dc: "Pin", reset: "Pin", flipped: bool = False
    ) -> None:
        super().__init__(flipped)
        self._spi = spi
        self._cs = cs
        self._dc = dc
        self._reset_pin = reset
        cs.value(1)

    def _reset(self) -> None:
        # Section 8.9: low for 3 us at least.
        self._reset_pin.value(0)
        time.sleep_us(10)
        self._reset_pin.value(1)
        time.sleep_us(10)

    def _send(self, control: int, octets: "bytes | bytearray | memoryview") -> None:
        self._dc.value(1 if control == _DATA else 0)
        self._cs.value(0)
        self._spi.write(octets)
        self._cs.value(1)
