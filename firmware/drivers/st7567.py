"""ST7567: 128x64 glass over 4-line SPI as a `hal.Lcd` (Sitronix ST7567 version 1.4).

`buffer` has the layout of `framebuf.MONO_VLSB`, which is the chip's own: 8 pages of 128 columns, a
byte is 8 dots, the lowest bit on top. `show` sends pages as they stand.
"""

import time

from micropython import const

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import SPI, Pin

    from hal import Output

_WIDTH = const(128)
_HEIGHT = const(64)
_PAGES = const(8)

_COLUMN_LOW = const(0x00)
_COLUMN_HIGH = const(0x10)
_POWER_CONTROL = const(0x28)
_REGULATION_RATIO = const(0x20)
_START_LINE = const(0x40)
_CONTRAST = const(0x81)
_SEGMENTS_NORMAL = const(0xA0)
_SEGMENTS_REVERSED = const(0xA1)
_BIAS_1_9 = const(0xA2)
_ALL_POINTS_OFF = const(0xA4)
_NOT_INVERSE = const(0xA6)
_DISPLAY_ON = const(0xAF)
_PAGE = const(0xB0)
_COMMONS_NORMAL = const(0xC0)
_COMMONS_REVERSED = const(0xC8)

_BOOSTER = const(4)
_REGULATOR = const(2)
_FOLLOWER = const(1)
_DEFAULT_CONTRAST = const(0x20)


class St7567:
    """The glass on `spi`; `flipped`: it is mounted upside down, with its spare columns first."""

    width: int
    height: int
    buffer: bytearray

    def __init__(
        self,
        spi: "SPI",
        cs: "Pin",
        dc: "Pin",
        reset: "Output",
        backlight: "Output",
        flipped: bool = False,
    ) -> None:
        self.width = _WIDTH
        self.height = _HEIGHT
        self.buffer = bytearray(_WIDTH * _PAGES)
        self._spi = spi
        self._cs = cs
        self._dc = dc
        self._reset = reset
        self._backlight = backlight
        self._flipped = flipped
        # The chip drives 132 segments; with the segments reversed the glass's first column is the
        # fifth of the chip's memory.
        self._first_column = 4 if flipped else 0
        self._commands = bytearray(3)
        self._two = bytearray(2)
        view = memoryview(self.buffer)
        self._pages = [view[page * _WIDTH : (page + 1) * _WIDTH] for page in range(_PAGES)]
        cs.value(1)
        backlight.value(0)

    def start(self) -> None:
        """Reset and configure the controller, clear the glass, switch it on."""
        self._reset.value(0)
        time.sleep_us(10)
        self._reset.value(1)
        time.sleep_ms(1)
        self._configure()
        # Data sheet, power-on flow: the stages start one after the other.
        self._two[0] = _POWER_CONTROL | _BOOSTER
        self._two[1] = _POWER_CONTROL | _BOOSTER | _REGULATOR
        self._send(self._two)
        time.sleep_ms(1)
        self._send(bytes((_POWER_CONTROL | _BOOSTER | _REGULATOR | _FOLLOWER,)))
        for index in range(len(self.buffer)):
            self.buffer[index] = 0
        self.show()
        self._send(bytes((_DISPLAY_ON,)))

    def refresh(self) -> None:
        """Configure the controller again and send everything, without a blank.

        A discharge through the glass can have reset it, which nothing tells.
        """
        self._configure()
        self._send(bytes((_POWER_CONTROL | _BOOSTER | _REGULATOR | _FOLLOWER,)))
        self.show()
        self._send(bytes((_DISPLAY_ON,)))

    def _configure(self) -> None:
        self._send(
            bytes(
                (
                    _BIAS_1_9,
                    _SEGMENTS_REVERSED if self._flipped else _SEGMENTS_NORMAL,
                    _COMMONS_REVERSED if self._flipped else _COMMONS_NORMAL,
                    _REGULATION_RATIO | 4,
                    _NOT_INVERSE,
                    _ALL_POINTS_OFF,
                    _START_LINE,
                )
            )
        )
        self.contrast(_DEFAULT_CONTRAST)

    def show(self, first_page: int = 0, last_page: int = 7) -> None:
        """Send pages `first_page`..`last_page` of the buffer. Raises ValueError for others."""
        if not 0 <= first_page <= last_page < _PAGES:
            raise ValueError(f"ST7567: pages {first_page} to {last_page}")
        commands = self._commands
        commands[1] = _COLUMN_HIGH | self._first_column >> 4
        commands[2] = _COLUMN_LOW | self._first_column & 0x0F
        page = first_page
        while page <= last_page:
            commands[0] = _PAGE | page
            self._send(commands)
            self._dc.value(1)
            self._cs.value(0)
            self._spi.write(self._pages[page])
            self._cs.value(1)
            page += 1

    def contrast(self, level: int) -> None:
        """Set the drive voltage, 0 to 63. Raises ValueError for another level."""
        if not 0 <= level <= 63:
            raise ValueError(f"ST7567: contrast {level}")
        self._two[0] = _CONTRAST
        self._two[1] = level
        self._send(self._two)

    def backlight(self, on: bool) -> None:
        """Switch the backlight."""
        self._backlight.value(1 if on else 0)

    def _send(self, commands: "bytes | bytearray") -> None:
        self._dc.value(0)
        self._cs.value(0)
        self._spi.write(commands)
        self._cs.value(1)
