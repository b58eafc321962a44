"""DS3231: the battery-backed clock as a `hal.RealTimeClock` (Maxim 19-5170 revision 10).

The chip keeps UTC in BCD, 24-hour form. Its century bit would lead beyond 2099, where the meter's
calendar ends (row CLK-18) and the chip's leap years go wrong: such a time is no date here.
"""

from micropython import const

import civil

_TYPE_CHECKING = const(False)

if _TYPE_CHECKING:
    from machine import I2C

_ADDRESS = const(0x68)
_SECONDS = const(0x00)
_ALARM = const(0x07)  # no alarm is used: the battery keeps here that a setting is under way
_CONTROL = const(0x0E)
_STATUS = const(0x0F)
_AGING = const(0x10)
_TEMPERATURE = const(0x11)

_CENTURY = const(0x80)  # in the month
_HOURS_12 = const(0x40)
_PM = const(0x20)
_OSF = const(0x80)
_UNDER_WAY = const(0x5A)
# EOSC clear: the oscillator runs on battery; INTCN set: no square wave; no alarm interrupts.
_CONTROL_VALUE = const(0x04)
_SQUARE_WAVE = const(0x00)  # INTCN and both rate bits clear: 1 Hz on INT/SQW


def _bcd(value: int) -> int:
    return value // 10 << 4 | value % 10


def _number(bcd: int) -> int:
    """Number of two BCD digits. Raises ValueError for any other octet."""
    if bcd & 0x0F > 9 or bcd > 0x99:
        raise ValueError("DS3231: no BCD " + hex(bcd))
    return (bcd >> 4) * 10 + (bcd & 0x0F)


class Ds3231:
    """The chip on `i2c`."""

    def __init__(self, i2c: "I2C") -> None:
        self._i2c = i2c
        self._time = bytearray(7)
        self._one = bytearray(1)
        self._two = bytearray(2)

    def check(self) -> None:
        """Let the oscillator run on battery too. Raises OSError if the chip does not answer."""
        self._write_register(_CONTROL, _CONTROL_VALUE)

    def utc_s(self) -> int:
        """Seconds since 2000-01-01. Raises OSError without answer, ValueError if it is no date."""
        registers = self._time
        self._i2c.readfrom_mem_into(_ADDRESS, _SECONDS, registers)
        second = _number(registers[0])
        minute = _number(registers[1])
        hour = registers[2]
        if hour & _HOURS_12:
            afternoon = hour & _PM
            hour = _number(hour & 0x1F)
            if not 1 <= hour <= 12:
                raise ValueError("DS3231: no hour")
            hour = hour % 12 + (12 if afternoon else 0)
        else:
            hour = _number(hour)
        if registers[5] & _CENTURY:
            raise ValueError("DS3231: beyond 2099")
        month = _number(registers[5])
        return civil.utc_s(
            2000 + _number(registers[6]), month, _number(registers[4]), hour, minute, second
        )

    def set_utc_s(self, utc_s: int) -> None:
        """Set the clock and clear the oscillator-stop flag.

        Raises ValueError for a time before 2000 or after 2099.
        """
        year, month, day, weekday, hour, minute, second = civil.parts(utc_s)
        registers = self._time
        registers[0] = _bcd(second)
        registers[1] = _bcd(minute)
        registers[2] = _bcd(hour)
        registers[3] = weekday
        registers[4] = _bcd(day)
        registers[5] = _bcd(month)
        registers[6] = _bcd(year - 2000)
        self._write_register(_ALARM, _UNDER_WAY)
        self._i2c.writeto_mem(_ADDRESS, _SECONDS, registers)
        self._write_register(_STATUS, self._read_register(_STATUS) & ~_OSF & 0xFF)
        self._write_register(_ALARM, 0)

    def oscillator_stopped(self) -> bool:
        """True if the clock has stood still since it was last set, or setting it was cut off.

        Power that goes between two octets leaves a mixture of two dates.
        """
        stopped = self._read_register(_STATUS) & _OSF
        return bool(stopped or self._read_register(_ALARM) == _UNDER_WAY)

    def set_square_wave(self, on: bool) -> None:
        """Give out the seconds at pin INT/SQW, or let it rest."""
        self._write_register(_CONTROL, _SQUARE_WAVE if on else _CONTROL_VALUE)

    def temperature_cdeg(self) -> int:
        """Temperature of the crystal in hundredths of a degree, steps of a quarter degree."""
        self._i2c.readfrom_mem_into(_ADDRESS, _TEMPERATURE, self._two)
        quarters = self._two[0] << 2 | self._two[1] >> 6
        if quarters & 0x200:
            quarters -= 0x400
        return quarters * 25

    def aging(self) -> int:
        """Trim of the crystal, -128 to 127, about 0.1 ppm a step; positive slows the clock."""
        value = self._read_register(_AGING)
        return value - 256 if value & 0x80 else value

    def set_aging(self, steps: int) -> None:
        """Trim the crystal. Raises ValueError beyond -128 to 127."""
        if not -128 <= steps <= 127:
            raise ValueError(f"DS3231: aging {steps}")
        self._write_register(_AGING, steps & 0xFF)

    def _read_register(self, register: int) -> int:
        self._i2c.readfrom_mem_into(_ADDRESS, register, self._one)
        return self._one[0]

    def _write_register(self, register: int, value: int) -> None:
        self._one[0] = value
        self._i2c.writeto_mem(_ADDRESS, register, self._one)
