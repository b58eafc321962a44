"""ADS1115, a 16-bit converter with one multiplexer, behind the I2C bus (TI SBAS444).

The analogue side is `volts(input, time_s)` for AIN0 to AIN3 against ground. A conversion averages
its input over its whole time, as the chip's digital filter does (its first zero is the data rate),
and adds noise. The oscillator may be off by up to 10 %. Not modelled: the comparator, whose
thresholds only keep what is written.
"""

import math

from micropython import const

from .chip import Chip
from .rp2_adc import Random

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .chip import Clock

ADDRESS = const(0x48)

_CONVERSION = const(0)
_CONFIG = const(1)
_DEFAULTS = (0x0000, 0x8583, 0x8000, 0x7FFF)
_RATES = (8, 16, 32, 64, 128, 250, 475, 860)
_FULL_SCALE_V = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)
_MUX = ((0, 1), (0, 3), (1, 3), (2, 3), (0, -1), (1, -1), (2, -1), (3, -1))
_OS = const(0x8000)
_MODE_SINGLE = const(0x0100)
_GENERAL_CALL = const(0)
_RESET = const(0x06)
_WAKE_UP_US = const(25)
_POINTS = const(16)  # of the average over a conversion


class Ads1115(Chip):
    """The chip at `address`; its clock runs `oscillator_ppm` fast."""

    NAME = "ads1115"
    FAULTS = {
        "stuck": ("set_stuck", ()),  # no conversion ever ends
    }

    def __init__(
        self,
        volts: "Callable[[int, float], float]",
        now_us: "Clock",
        address: int = ADDRESS,
        oscillator_ppm: int = 0,
        noise_lsb: float = 0.3,
        seed: int = 1,
    ) -> None:
        super().__init__()
        if not 0x48 <= address <= 0x4B or not -100_000 <= oscillator_ppm <= 100_000:
            raise ValueError("ADS1115: address or oscillator")
        self.conversions = 0
        self._volts = volts
        self._now_us = now_us
        self._address = address
        self._speed = 1 + oscillator_ppm / 1e6
        self._noise_lsb = noise_lsb
        self._random = Random(seed)
        self._reset()

    def power(self, on: bool) -> None:
        """Registers are volatile."""
        super().power(on)
        if on:
            self._reset()

    def i2c_write(self, address: int, data: "bytes | bytearray | memoryview") -> int:
        """Take a write; returns how many octets were acknowledged, -1: not my address."""
        if not self.answers():
            return -1
        if address == _GENERAL_CALL and len(data) and data[0] == _RESET:
            self._reset()
            return len(data)
        if address != self._address:
            return -1
        self._advance()
        if len(data):
            self._pointer = data[0] & 3
        if len(data) >= 3 and self._pointer:
            self._write(data[1] << 8 | data[2])
        return len(data)

    def i2c_read(self, address: int, buffer: "bytearray | memoryview") -> int:
        """Fill `buffer` from the register that the pointer shows; -1: not my address."""
        if not self.answers() or address != self._address:
            return -1
        self._advance()
        value = self._registers[self._pointer]
        if self._pointer == _CONFIG:
            value = value & ~_OS | (0 if self._busy() else _OS)
        for at in range(len(buffer)):
            buffer[at] = (value >> 8, value & 0xFF)[at] if at < 2 else 0xFF
        return len(buffer)

    def _reset(self) -> None:
        self._registers: list[int] = list(_DEFAULTS)
        self._pointer = 0
        self._done_us = -1.0  # when the conversion under way ends, below 0: none is
        self._settings = 0  # configuration of the conversion under way

    def _write(self, value: int) -> None:
        if self._pointer != _CONFIG:
            self._registers[self._pointer] = value
            return
        continuous = not value & _MODE_SINGLE
        start = value & _OS or continuous
        self._registers[_CONFIG] = value & ~_OS
        # A conversion under way ends with the settings that it began with.
        if start and not self._busy():
            self._settings = value
            self._done_us = self._now_us() + _WAKE_UP_US + self._period_us(value)

    def _busy(self) -> bool:
        return self._done_us >= 0

    def _period_us(self, settings: int) -> float:
        return 1e6 / (_RATES[settings >> 5 & 7] * self._speed)

    def _advance(self) -> None:
        """End the conversions whose time has come."""
        while self._busy() and self._done_us <= self._now_us() and not self.stuck:
            self._registers[_CONVERSION] = self._convert()
            if self._registers[_CONFIG] & _MODE_SINGLE:
                self._done_us = -1.0
            else:
                self._settings = self._registers[_CONFIG]
                self._done_us += self._period_us(self._settings)

    def _convert(self) -> int:
        self.conversions += 1
        positive, negative = _MUX[self._settings >> 12 & 7]
        period_us = self._period_us(self._settings)
        total = 0.0
        for point in range(_POINTS):
            time_s = (self._done_us - period_us * (point + 0.5) / _POINTS) / 1e6
            total += self._volts(positive, time_s)
            if negative >= 0:
                total -= self._volts(negative, time_s)
        code = total / _POINTS / _FULL_SCALE_V[self._settings >> 9 & 7] * 32768
        if self._noise_lsb:
            code += self._noise_lsb * self._random.normal()
        return max(-32768, min(32767, math.floor(code + 0.5))) & 0xFFFF
