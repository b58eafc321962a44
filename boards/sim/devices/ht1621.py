"""HT1621, RAM mapping controller of a segment glass (Holtek HT1621 revision 2.90).

Pins CS, WR and DATA; RD is left open, so what the chip would give out is not modelled, nor are
its tone, timer and watchdog beyond their commands. `lit` is the physical side, a glass made for
four commons and a third of bias. A WR pulse that is too short is no clock: its bit is lost.
"""

from micropython import const

from .chip import Chip

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from .chip import Clock, Schedule

_WRITE = const(0b101)
_COMMAND = const(0b100)
_MODE_BITS = const(3)
_ADDRESS_BITS = const(6)
_COMMAND_BITS = const(9)

_WR_PULSE_US = const(4)  # 3.34 us at 3 V, in whole microseconds


class Ht1621(Chip):
    """The controller with its glass; without `now_us` the clock may be as fast as it likes."""

    NAME = "lcd"
    FAULTS = {
        "stuck": ("set_stuck", ()),  # WR is broken
        "reset": ("reset", ()),  # as by a discharge through the glass
        "bit_flip": ("flip", (("at", None), ("bit", 0))),
    }
    ADDRESSES = 32
    COMMONS = 4

    def __init__(self, now_us: "Clock | None" = None, at: "Schedule | None" = None) -> None:
        super().__init__()
        self.backlight = 0
        self.ram = bytearray(self.ADDRESSES)  # a nibble an address
        self.writes = 0  # nibbles and commands taken, ever rising
        self.lost_bits = 0  # clocked too fast
        self._now_us = now_us
        self._cs = self._wr = 1
        self._data = 0
        self._edge_us = -_WR_PULSE_US
        self._too_short = False
        self._end_transfer()
        self.reset()

    # Physical side.

    def power(self, on: bool) -> None:
        """The RAM forgets without power; all is off at first."""
        super().power(on)
        if on:
            for index in range(self.ADDRESSES):
                self.ram[index] = 0x0A if index & 1 else 0x05  # undefined, so not blank
            self.reset()

    def reset(self) -> None:
        """Bring the commands to their defaults, as power on does."""
        self.writes += 1
        self.oscillator = 0
        self.bias_generator = 0
        self.clock = "rc"
        self.commons = 2
        self.bias = 2  # one part of this
        self.testing = False

    def flip(self, at: int, bit: int) -> None:
        """Change a bit of the RAM. Raises ValueError if there is none such."""
        if not (0 <= at < self.ADDRESSES and 0 <= bit < 4):
            raise ValueError("bit_flip: there is no such bit")
        self.ram[at] ^= 1 << bit
        self.writes += 1

    def visible(self) -> bool:
        """Whether the glass shows what the RAM holds: oscillator, bias and duty as it needs."""
        driven = self.answers() and self.oscillator and self.bias_generator and not self.testing
        return bool(driven) and self._suits()

    def lit(self, bit: int) -> bool:
        """Whether the segment at bit n % 4 of address n // 4 is dark to the eye."""
        return self.visible() and bool(self.ram[bit >> 2] >> (bit & 3) & 1)

    def appearance(self) -> "tuple[object, ...]":
        """Return what changes whenever the picture may have changed."""
        return self.writes, self.visible()

    def set_backlight(self, level: int) -> None:
        """Level of the backlight's switch."""
        self.backlight = level

    # Bus side.

    def set_cs(self, level: int) -> None:
        """Level of CS: high ends a transfer, and what is not complete is dropped."""
        self._cs = level
        self._end_transfer()

    def set_data(self, level: int) -> None:
        """Level of DATA."""
        self._data = level

    def set_wr(self, level: int) -> None:
        """Level of WR: the bit is taken as it rises."""
        if level == self._wr:
            return
        self._wr = level
        if self._now_us is not None:
            now_us = self._now_us()
            self._too_short = now_us - self._edge_us < _WR_PULSE_US or (
                self._too_short and level == 1
            )
            self._edge_us = now_us
        if not level or self._cs or not self.answers() or self.stuck:
            return
        if self._too_short:
            self.lost_bits += 1
            return
        self._bit(self._data)

    def _suits(self) -> bool:
        return self.commons == 4 and self.bias == 3

    def _end_transfer(self) -> None:
        self._mode = 0  # 0: not known yet
        self._address = -1
        self._bits = 0
        self._count = 0

    def _bit(self, level: int) -> None:
        self._bits = self._bits << 1 | level
        self._count += 1
        if not self._mode:
            if self._count == _MODE_BITS:
                self._mode = self._bits  # one that is none clocks in nothing
                self._take()
        elif self._mode == _COMMAND:
            if self._count == _COMMAND_BITS:
                self._command(self._take() >> 1)
        elif self._mode == _WRITE:
            if self._address < 0:
                if self._count == _ADDRESS_BITS:
                    self._address = self._take()
            elif self._count == 4:
                self._nibble(self._take())

    def _take(self) -> int:
        bits = self._bits
        self._bits = 0
        self._count = 0
        return bits

    def _nibble(self, bits: int) -> None:
        """Take D0 to D3; the address goes on, and round."""
        self._address %= self.ADDRESSES
        self.ram[self._address] = (
            (bits & 1) << 3 | (bits & 2) << 1 | (bits & 4) >> 1 | (bits & 8) >> 3
        )
        self._address += 1
        self.writes += 1

    def _command(self, code: int) -> None:
        self.writes += 1
        if code < 4:
            flag = code & 1
            if code & 2:
                self.bias_generator = flag
            else:
                self.oscillator = flag
                self.bias_generator &= flag
        elif code & 0xF8 == 0x18:
            self.clock = "external" if code & 4 else "rc"
        elif code in (0xE0, 0xE3):
            self.testing = code == 0xE0
        else:
            self._own_command(code)

    def _own_command(self, code: int) -> None:
        """Commands that others of the family have not."""
        if code & 0xFC == 0x14:
            self.clock = "crystal"
        elif code & 0xF0 == 0x20 and code & 0x0C != 0x0C:
            self.commons = 2 + (code >> 2 & 3)
            self.bias = 2 + (code & 1)
