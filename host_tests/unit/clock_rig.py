"""The meter's clock on its unmodified driver and the chip's model, time by hand.

`ClockRig` is the bench: true time, a processor whose crystal may be off, the chip with its
battery, a FRAM. `boot` begins a life of the firmware's clock and battery, `run` lets time pass as
the clock's own task would sleep through it.
"""

import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench, File, I2c
from devices.ds3231 import Ds3231 as Chip
from fram_fake import Memory

from app.attributes import READ_WRITE_DENIED
from app.battery import Battery
from app.clock import Clock
from app.errors import AccessRefused
from app.event_codes import POWER_DOWN, POWER_UP
from app.outages import Outages
from app.power_up import PowerUp
from app.settings import Settings
from drivers.ds3231 import Ds3231

TICKS = 2**30


class Lock:
    """The parameter switch."""

    def __init__(self):
        self.closed = True

    def require(self):
        if self.closed:
            raise AccessRefused(READ_WRITE_DENIED)


class Cell:
    """A battery to be measured."""

    mv = 3600

    def voltage_mv(self):
        return self.mv


class ClockRig:
    """One meter's clock; `ppm` is what the processor's crystal runs fast."""

    def __init__(self, utc_s=0, ppm=0, first_us=0, zone=()):
        self.bench = Bench()
        self.bench.us = first_us
        self.ppm = ppm
        self.chip = Chip(File(64), self.bench.now_us, self.bench.at)
        self.chip.set_utc_s(utc_s)
        self.base_us = first_us - utc_s * 1_000_000  # of true time
        self.memory = Memory()
        self.cell = Cell()
        self.events = []
        self.post = None  # told each code, if there is one
        self.lives = 0
        time.ticks_ms = self.ticks_ms
        time.ticks_add = lambda a, b: (a + b) % TICKS
        time.ticks_diff = lambda a, b: (a - b + TICKS // 2) % TICKS - TICKS // 2
        self.boot()
        if zone:
            self.clock.configure(**dict(zone))

    def ticks_ms(self):
        return self.bench.us * (1_000_000 + self.ppm) // 1_000_000_000 % TICKS

    def true_us(self):
        """True UTC in microseconds."""
        return self.bench.us - self.base_us

    def boot(self, power_on=True):
        """Begin a life of the firmware; not `power_on`: only the processor was reset."""
        self.lives += 1
        self.settings = Settings(self.memory)
        self.clock = Clock(Ds3231(I2c(self.chip)), self.settings)
        self.clock.on_event = self._post
        self.battery = Battery(self.cell, self.clock, self.settings)
        self.outages = Outages(self.memory, self.clock)
        self.power_up = PowerUp(self.outages, self.clock, self._post)
        self.power_up.test_battery = self.battery.power_up
        self.power_up.run(power_on)

    def power_cut(self, seconds):
        """Cut the power and bring it back: a new life begins."""
        self.chip.power(False)
        self.bench.run(int(seconds * 1_000_000))
        self.chip.power(True)
        self.boot()

    def run(self, seconds):
        """Let true time pass; the clock's task does what is due."""
        end_us = self.bench.us + int(seconds * 1_000_000)
        while True:
            wait_ms = self.clock.step()
            wake_us = self._when(wait_ms)
            if wake_us > end_us:
                break
            self.bench.run(max(0, wake_us - self.bench.us))
        self.bench.run(end_us - self.bench.us)

    def error_ms(self):
        """By how much the clock is ahead of true time."""
        seconds = self.clock.utc_s()
        return seconds * 1000 + self.clock._ms - self.true_us() / 1000

    def codes(self):
        """Return the codes of the events since the last call."""
        codes = [code for code, _ in self.events]
        self.events.clear()
        return codes

    def _post(self, code, utc_s=None):
        if code not in (POWER_DOWN, POWER_UP):
            self.events.append((code, self.clock.utc_s() if utc_s is None else utc_s))
            if self.post:
                self.post(code)

    def _when(self, wait_ms):
        """True time at which the processor's ticks have gone on by `wait_ms`."""
        ticks = self.bench.us * (1_000_000 + self.ppm) // 1_000_000_000 + wait_ms
        return -(-ticks * 1_000_000_000 // (1_000_000 + self.ppm))
