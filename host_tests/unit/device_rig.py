"""The parts of a board that the device test looks at, and time that passes as it waits."""

import asyncio
from array import array

from app.storage import regions

FREE_SECTOR = regions.IMAGE_SECTOR - 1
_CIPHERED = bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a")  # FIPS 197, appendix C.1


class Fram:
    """A quarter of a megabyte, of which only the last four octets are there."""

    size = 1 << 18
    keeps = True

    def __init__(self, fault=""):
        self.fault = fault
        self.cells = bytearray(b"\x12\x34\x56\x78")

    def check(self):
        if self.fault:
            raise OSError(self.fault)

    def read_into(self, at, target):
        assert at + len(target) == self.size
        target[:] = self.cells

    def write(self, at, data):
        assert at + len(data) == self.size
        if self.keeps:
            self.cells[:] = data


class Flash:
    """16 MB, of which only the sector that nothing lies in is there; it takes its time."""

    size, sector_size = 1 << 24, 4096

    def __init__(self):
        self.cells = bytearray(b"\x12\x34\x56\x78")
        self.at_work = 0
        self.erases = self.programs = True  # it does

    def busy(self):
        self.at_work = max(0, self.at_work - 1)
        return self.at_work > 0

    def erase_sector(self, at):
        assert at == FREE_SECTOR * self.sector_size
        self.at_work = 45
        if self.erases:
            self.cells[:] = b"\xff" * 4

    def program(self, at, data):
        assert at == FREE_SECTOR * self.sector_size
        assert not self.at_work
        self.at_work = 3
        if self.programs:
            self.cells[:] = bytes(kept & new for kept, new in zip(self.cells, data, strict=True))

    def read_into(self, at, target):
        assert at == FREE_SECTOR * self.sector_size
        assert not self.at_work
        target[:] = self.cells


class Parts:
    """A board whose every part answers; tests take some of them away."""

    def __init__(self):
        self.fram = Fram()
        self.flash = Flash()
        self.rtc = self.lcd = self.frames = self
        self.battery = None
        self.key_scroll = self.key_reset = self.terminal_cover = self.meter_cover = Line(1)
        self.magnetic_field = self.lock = self.supply_good = Line(1)
        self.inputs = [Line(0), Line(1)]
        self.expander = None
        self.led_active = self.led_reactive = self.pulse_output = self
        self.pulse_outputs = []
        self.rs485, self.optical = Port(b""), Port(b"\x55\xaa\x00\xff")
        self.disconnector = self
        self.state = self.sticks = False
        self.stopped = False
        self.trains = []
        self.buffer = bytearray(8)
        self.shown = b""
        self.light = False
        # of the converter
        self.rate_mhz, self.channels, self.lost, self.errors = 4_000_000, 2, 0, 0
        self.given = 0
        self.code, self.noise = 5, 1

    def block_cipher(self, _key):
        return self

    def encrypt(self, _source, target):
        target[:] = _CIPHERED

    def unique_id(self):
        return bytes(8)

    def check(self):
        pass

    def temperature_cdeg(self):
        return 2150

    def oscillator_stopped(self):
        return self.stopped

    def utc_s(self):
        return 1

    def closed(self):
        return self.state

    def open(self):
        self.state = self.sticks

    def close(self):
        self.state = True

    def start(self):
        pass

    def show(self):
        self.shown = bytes(self.buffer)

    def backlight(self, on):
        self.light = on

    def train(self, *what):
        self.trains.append(what)

    async def wait(self):
        await asyncio.sleep_ms(5)

    def take(self, frames, limit):
        """Frames as time asks for them; words about `code` and the same with the other sign."""
        due = Clock.us * self.rate_mhz // 1_000_000_000 - self.given
        if not self.given:
            self.given, due = due, 0
        count = min(due, limit)
        self.given += count
        codes = [self.code + self.noise, self.code - self.noise] * (count // 2 + 1)
        frames[: count * 2] = array(
            "i", [sign * code for code in codes[:count] for sign in (1, -1)]
        )
        return count


class Line:
    def __init__(self, level):
        self.level = level

    def value(self):
        return self.level


class Port:
    def __init__(self, echo):
        self.echo = echo
        self.due = b""

    def init(self, _rate):
        self.due = b""

    def any(self):
        return len(self.due)

    def read(self, count):
        heard, self.due = self.due[:count], self.due[count:]
        return heard or None

    def write(self, data):
        assert data
        self.due = self.echo

    def txdone(self):
        return True


class Clock:
    """Time that passes as somebody waits, and only then."""

    us = 1_000_000

    @staticmethod
    async def sleep_ms(ms):
        Clock.us += 1000 * ms
        await asyncio.sleep(0)

    @staticmethod
    async def wait_for_ms(work, limit_ms):
        task = asyncio.ensure_future(work)
        for _ in range(100):
            if task.done():
                return task.result()
            await asyncio.sleep(0)
        task.cancel()
        Clock.us += 1000 * limit_ms
        raise asyncio.TimeoutError
