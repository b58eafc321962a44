"""DS3231, temperature-compensated real-time clock, behind its bus (Maxim 19-5170 revision 10).

The count of seconds goes on with virtual time, on the battery too. Registers 00 to 06 are made
from it when they are read; the chip takes every fourth year for a leap year. Values that are no
date are kept as written and stand still, one of the things that "undefined operation" allows.
What the battery keeps is written to the chip file at each change and by `save`.

Pin INT/SQW leads to a counter: `square_wave_edges` tells how many seconds the chip has given out.
Not modelled: the alarms (their registers only keep what is written) and the 32 kHz pin, which the
board leaves open.
"""

from micropython import const

from .chip import Chip, float_high

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from .chip import Clock, Content, Schedule

_ADDRESS = const(0x68)
_CONTROL = const(0x0E)
_STATUS = const(0x0F)
_AGING = const(0x10)
_TEMPERATURE = const(0x11)
_REGISTERS = const(0x13)

_EOSC = const(0x80)  # control: the oscillator stops on battery
_CONV = const(0x20)  # control: convert the temperature now
_NOT_ONE_HERTZ = const(0x1C)  # control: RS2 and RS1 zero give 1 Hz, INTCN zero gives it out
_OSF = const(0x80)  # status: the oscillator has stopped
_STATUS_ZERO_ONLY = const(0x83)  # OSF, A2F and A1F: writing 1 leaves them
_EN32KHZ = const(0x08)
_BSY = const(0x04)

_CONVERSION_US = const(200_000)
_CONVERSION_EVERY_US = const(64_000_000)
_DAYS_A_CENTURY = const(36525)  # with a leap year every four years
_DAY_S = const(86400)
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MAGIC = b"DS31"
_FILE_SIZE = const(64)


def _bcd(value: int) -> int:
    return value // 10 << 4 | value % 10


def _number(bcd: int) -> int:
    """The number that a BCD octet means, -1 if a digit is above 9."""
    if bcd & 0x0F > 9 or bcd >> 4 > 9:
        return -1
    return (bcd >> 4) * 10 + (bcd & 0x0F)


def _date(day: int) -> "tuple[int, int, int]":
    """Year 0 to 199, month, day of the month of a day since 2000-01-01."""
    day %= 2 * _DAYS_A_CENTURY
    year = day // 1461 * 4
    day %= 1461
    if day >= 366:
        year += 1 + (day - 366) // 365
        day = (day - 366) % 365
    month = 0
    while day >= _MONTH_DAYS[month] + (1 if month == 1 and year % 4 == 0 else 0):
        day -= _MONTH_DAYS[month] + (1 if month == 1 and year % 4 == 0 else 0)
        month += 1
    return (year, month + 1, day + 1)


def _day_number(year: int, month: int, day: int) -> int:
    """Days since 2000-01-01, -1 if there is no such day."""
    if not 1 <= month <= 12:
        return -1
    leap = 1 if year % 4 == 0 else 0
    if not 1 <= day <= _MONTH_DAYS[month - 1] + (leap if month == 2 else 0):
        return -1
    days = year * 365 + (year + 3) // 4 + sum(_MONTH_DAYS[: month - 1]) + day - 1
    return days + (leap if month > 2 else 0)


class Ds3231(Chip):
    """The chip with its battery; `content` is its chip file of at least 64 bytes."""

    NAME = "rtc"
    FAULTS = {
        "oscillator_stop": ("stop_oscillator", ()),
        "garbage": ("spoil", (("register", 1), ("value", 0x7F))),  # e.g. a digit above 9
        "jump": ("jump", (("seconds", None),)),
        "drift": ("set_drift", (("ppb", None),)),
    }

    def __init__(self, content: "Content", now_us: "Clock", at: "Schedule | None" = None) -> None:
        super().__init__()
        self.temperature_cdeg = 2300  # of the crystal, hundredths of a degree
        self.drift_ppb = 0  # what the crystal runs fast, without aging offset
        self.battery = True
        self.lost_power = False  # the content was not valid when the simulation began
        self._content = content
        self._now_us = now_us
        self._registers = bytearray(_REGISTERS)
        self._latched = bytearray(_REGISTERS)  # time registers as of the last START
        self._pointer = 0
        self._raw = False  # the time registers hold no date and stand still
        self._twelve_hours = False
        self._weekday_shift = 0
        self._stopped = False
        self._base_s = 0  # seconds since 2000-01-01 at `_base_us`
        self._base_us = 0
        self._rest_ppb_us = 0
        self._converted_us = -_CONVERSION_EVERY_US
        self._conversion_from_us = -1
        self._edges = 0  # given out before the output was switched last
        self._edges_from_s = -1  # the count when it was switched on, -1: it is off
        self._load()

    # Physical side.

    def utc_s(self) -> int:
        """Seconds since 2000-01-01 that the chip has counted."""
        return self._base_s + self._elapsed_us() // 1_000_000

    def set_utc_s(self, utc_s: int) -> None:
        """Set the count as production does: valid, the oscillator running."""
        self._base_s = utc_s % (2 * _DAYS_A_CENTURY * _DAY_S)
        self._base_us = self._now_us()
        self._raw = False
        self._weekday_shift = 0
        self._twelve_hours = False
        self._stopped = False
        self._registers[_STATUS] &= ~_OSF & 0xFF
        self.lost_power = False
        self.save()

    def elapse(self, seconds: int) -> None:
        """Let time pass that the simulation was not running: the clock ran on its battery."""
        if not self._stopped and not self._raw and not self._registers[_CONTROL] & _EOSC:
            self._base_s += seconds

    def power(self, on: bool) -> None:
        """Without main power the battery keeps the clock, if there is one and EOSC is clear."""
        if on == self.powered:
            return
        if not on:
            self._give_out(False)
            self.save()
            if not self.battery:
                self._reset()
                self._stop()
            elif self._registers[_CONTROL] & _EOSC:
                self._stop()
        super().power(on)
        if on:
            self._resume()

    def set_battery(self, present: bool) -> None:
        """Put the battery in or take it out; without any supply the clock forgets all."""
        self.battery = present
        if not present and not self.powered:
            self._reset()
            self._stop()
            self.save()

    def stop_oscillator(self) -> None:
        """Stop the crystal until `clear`; the flag stays until it is cleared by the firmware."""
        self._stop()
        self.save()

    def clear_faults(self) -> None:
        """End every fault; the flag that the oscillator has stopped stays."""
        super().clear_faults()
        self._resume()

    def spoil(self, register: int, value: int) -> None:
        """Put `value` into time register `register`, past the chip's own logic."""
        if not 0 <= register <= 6 or not 0 <= value <= 0xFF:
            raise ValueError("garbage needs register 0 to 6 and value 0 to 255")
        self._latch()
        self._latched[register] = value
        self._take_time(register)

    def jump(self, seconds: int) -> None:
        """Let the count be another one, as a disturbance might leave it."""
        self._base_s = (self._base_s + seconds) % (2 * _DAYS_A_CENTURY * _DAY_S)
        self.save()

    def set_drift(self, ppb: int) -> None:
        """Let the crystal run fast by so many parts in 10**9, slow below 0; `clear` leaves it."""
        if not -1_000_000 <= ppb <= 1_000_000:
            raise ValueError("ppb must lie from -1000000 to 1000000")
        self._rebase()
        self.drift_ppb = ppb

    def square_wave_edges(self) -> int:
        """Falling edges that pin INT/SQW has given since the simulation began: one a second."""
        running = self.utc_s() - self._edges_from_s if self._edges_from_s >= 0 else 0
        return self._edges + running

    def save(self) -> None:
        """Write what the battery keeps to the chip file."""
        data = bytearray(_FILE_SIZE)
        data[:4] = _MAGIC
        data[4] = 1 if self._raw else 0
        data[5] = 1 if self._twelve_hours else 0
        data[6] = self._weekday_shift
        data[8:16] = self.utc_s().to_bytes(8, "little")
        self._latch()
        data[16 : 16 + _REGISTERS] = self._registers
        data[40:47] = self._latched[:7]
        data[63] = sum(data[:63]) & 0xFF
        self._content.write(0, data)

    # Bus side.

    def i2c_write(self, address: int, data: "bytes | bytearray | memoryview") -> int:
        """Take a write transaction: the first byte is the register pointer. See the protocol."""
        if address != _ADDRESS or not self.answers():
            return -1
        self._latch()
        first_time = -1
        for index in range(len(data)):
            if index == 0:
                self._pointer = data[0] % _REGISTERS
                continue
            if self._pointer < 7:
                self._latched[self._pointer] = data[index]
                first_time = self._pointer if first_time < 0 else min(first_time, self._pointer)
            else:
                self._write(self._pointer, data[index])
            self._pointer = (self._pointer + 1) % _REGISTERS
        if first_time >= 0:
            self._take_time(first_time)
        if len(data) > 1:
            self.save()
        return len(data)

    def i2c_read(self, address: int, buf: "bytearray | memoryview") -> int:
        """Fill `buf` from the register pointer on; 0, or -1 if the chip does not answer."""
        if address != _ADDRESS or not self.answers():
            float_high(buf)
            return -1
        self._latch()
        self._convert()
        for index in range(len(buf)):
            if self._pointer == 0 and index:
                self._latch()
            if self._pointer < 7:
                buf[index] = self._latched[self._pointer]
            else:
                buf[index] = self._registers[self._pointer]
            self._pointer = (self._pointer + 1) % _REGISTERS
        return 0

    # What the chip does inside.

    def _load(self) -> None:
        data = self._content.read(0, _FILE_SIZE)
        self._base_us = self._now_us()
        if data[:4] != _MAGIC or data[63] != sum(data[:63]) & 0xFF:
            self._reset()
            self.lost_power = True
            return
        self._raw = bool(data[4])
        self._twelve_hours = bool(data[5])
        self._weekday_shift = data[6]
        self._base_s = int.from_bytes(data[8:16], "little")
        self._registers[:] = data[16 : 16 + _REGISTERS]
        self._latched[:7] = data[40:47]

    def _reset(self) -> None:
        """First power: 2000-01-01T00:00:00, the flag says that the count means nothing."""
        for index in range(_REGISTERS):
            self._registers[index] = 0
        self._registers[_CONTROL] = 0x1C
        self._registers[_STATUS] = _OSF | _EN32KHZ
        self._base_s = 0
        self._base_us = self._now_us()
        self._raw = False
        self._twelve_hours = False
        self._weekday_shift = 2  # the day register starts at 1; 2000-01-01 was a Saturday, ISO 6
        self._stopped = False

    def _rate_ppb(self) -> int:
        aging = self._registers[_AGING]
        return self.drift_ppb - 100 * (aging - 256 if aging & 0x80 else aging)

    def _elapsed_us(self) -> int:
        """Microseconds of the crystal since the base."""
        if self._stopped or self._raw:
            return 0
        elapsed_us = self._now_us() - self._base_us
        return elapsed_us + elapsed_us * self._rate_ppb() // 1_000_000_000

    def _rebase(self) -> None:
        """Move the base to now, so that a change of rate counts from now only."""
        elapsed_us = self._elapsed_us()
        self._base_s += elapsed_us // 1_000_000
        self._base_us = self._now_us() - elapsed_us % 1_000_000

    def _stop(self) -> None:
        if not self._stopped:
            self._rebase()
        self._stopped = True
        self._registers[_STATUS] |= _OSF

    def _resume(self) -> None:
        if self._stopped:
            self._stopped = False
            self._base_us = self._now_us()

    def _latch(self) -> None:
        """Copy the running time to the buffer that the bus reads."""
        if self._raw:
            return
        seconds = self.utc_s()
        year, month, day = _date(seconds // _DAY_S)
        hour = seconds // 3600 % 24
        latched = self._latched
        latched[0] = _bcd(seconds % 60)
        latched[1] = _bcd(seconds // 60 % 60)
        latched[2] = _bcd(hour)
        if self._twelve_hours:
            latched[2] = 0x40 | (0x20 if hour >= 12 else 0) | _bcd((hour + 11) % 12 + 1)
        latched[3] = (seconds // _DAY_S + 5 + self._weekday_shift) % 7 + 1
        latched[4] = _bcd(day)
        latched[5] = _bcd(month) | (0x80 if year >= 100 else 0)
        latched[6] = _bcd(year % 100)

    def _take_time(self, first: int) -> None:
        """Count on from the time registers as they were written, `first` the lowest of them."""
        latched = self._latched
        second = _number(latched[0])
        minute = _number(latched[1])
        self._twelve_hours = bool(latched[2] & 0x40)
        if self._twelve_hours:
            hour = _number(latched[2] & 0x1F)
            hour = hour % 12 + (12 if latched[2] & 0x20 else 0) if 1 <= hour <= 12 else -1
        else:
            hour = _number(latched[2])
        month = _number(latched[5] & 0x7F)
        year = _number(latched[6])
        day = _number(latched[4])
        days = _day_number(year + (100 if latched[5] & 0x80 else 0), month, day)
        valid = 0 <= second < 60 and 0 <= minute < 60 and 0 <= hour < 24
        self._rebase()
        self._raw = not (valid and year >= 0 and days >= 0 and 1 <= latched[3] <= 7)
        if self._raw:
            return
        self._base_s = days * _DAY_S + hour * 3600 + minute * 60 + second
        self._weekday_shift = (latched[3] - 1 - days - 5) % 7
        if first == 0:
            self._base_us = self._now_us()  # writing the seconds restarts the count inside them

    def _write(self, register: int, value: int) -> None:
        """Write a register above the time."""
        if register == _STATUS:
            flags = self._registers[_STATUS] & value & _STATUS_ZERO_ONLY
            value = flags | value & _EN32KHZ | self._registers[_STATUS] & _BSY
        elif register == _CONTROL:
            if value & _CONV:
                self._conversion_from_us = self._now_us()
            self._give_out(not value & _NOT_ONE_HERTZ)
        elif register == _AGING:
            self._rebase()
        elif register >= _TEMPERATURE:
            return
        self._registers[register] = value

    def _give_out(self, on: bool) -> None:
        """Switch the square wave; on battery it is off (BBSQW is never set)."""
        self._edges = self.square_wave_edges()
        self._edges_from_s = self.utc_s() if on else -1

    def _convert(self) -> None:
        """Bring the temperature and the flags of its conversion up to now."""
        now_us = self._now_us()
        busy = 0
        if self._conversion_from_us >= 0:
            if now_us - self._conversion_from_us < _CONVERSION_US:
                busy = _BSY
            else:
                self._conversion_from_us = -1
                self._registers[_CONTROL] &= ~_CONV & 0xFF
                self._converted_us = -_CONVERSION_EVERY_US
        self._registers[_STATUS] = self._registers[_STATUS] & ~_BSY & 0xFF | busy
        if now_us - self._converted_us >= _CONVERSION_EVERY_US and not busy:
            self._converted_us = now_us
            quarters = self.temperature_cdeg // 25
            self._registers[_TEMPERATURE] = (quarters >> 2) & 0xFF
            self._registers[_TEMPERATURE + 1] = (quarters & 3) << 6
