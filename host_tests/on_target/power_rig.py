"""The whole meter on the simulated board's chips, fast enough to lose power many times a second.

The firmware is the real one, from app.meter down to the drivers, on the models of FRAM, flash,
clock and glass behind the simulated buses, in virtual time. What differs from the virtual meter:
chips keep their content in RAM, frames do not come from the converter but windows of a given
power straight into the energies, ports lead nowhere, and a boot builds a new `Meter` without
importing the firmware again.
"""

import sys

sys.path.insert(0, "boards/sim")

import loop

loop.install()

import asyncio

import machine
import machine_bus
import pins
import power
import processor
import timeline
import wiring
from devices.ds3231 import Ds3231
from devices.fm25v20 import Fm25v20
from devices.st7567 import St7567
from devices.w25q import W25q

_SECTOR = 4096
WINDOW_FRAMES = 800  # 0.2 s
# what moves by hand: pin, level when it is open or near
COVERS = {
    "terminal": (pins.TERMINAL_COVER, 1),
    "meter": (pins.METER_COVER, 1),
    "magnet": (pins.MAGNET, 0),
}
START_UTC_S = 836_000_000  # in June 2026


class Stop(BaseException):
    """Ends a run of the processor."""


class Content:
    """A chip's cells; sectors that were never written take no room."""

    def __init__(self, size, fill=0xFF):
        self.size = size
        self._blank = bytes((fill,)) * _SECTOR
        self.sectors = {}
        self.octets = 0  # written so far

    def read(self, offset, n):
        out = bytearray(n)
        done = 0
        while done < n:
            number, at = divmod(offset + done, _SECTOR)
            length = min(n - done, _SECTOR - at)
            sector = self.sectors.get(number, self._blank)
            out[done : done + length] = memoryview(sector)[at : at + length]
            done += length
        return bytes(out)

    def write(self, offset, data):
        done = 0
        self.octets += len(data)
        while done < len(data):
            number, at = divmod(offset + done, _SECTOR)
            length = min(len(data) - done, _SECTOR - at)
            if number not in self.sectors:
                self.sectors[number] = bytearray(self._blank)
            self.sectors[number][at : at + length] = memoryview(data)[done : done + length]
            done += length


class _Wire:
    """A serial port that nobody has plugged anything into."""

    def __init__(self):
        self.fifo = b""

    def attach(self, uart):
        pass

    def detach(self, uart):
        pass

    def any(self):
        return 0

    def read(self, count):
        return None

    def write(self, data):
        return len(data)

    def ioctl(self, request, argument):
        return 0

    def init(self, **settings):
        pass

    def txdone(self):
        return True


class _Scale:
    u_pv_per_lsb = [71_525_574] * 3
    i_pa_per_lsb = [23_841_858] * 4
    keep_dc = False


class _Frames:
    """The board's frame source, but without frames."""

    lost = errors = 0

    def __init__(self, bench, driver):
        self._bench = bench
        self._driver = driver

    def __getattr__(self, name):
        return getattr(self._driver, name)

    def start(self):
        if self._bench.converter_dead:
            raise OSError("no answer")

    async def wait(self):
        await asyncio.sleep_ms(1000)

    def take(self, frames, limit):
        return 0


class Quantities:
    """What energies are counted from."""

    phases = 3

    def __init__(self, p_w, q_var):
        self.p_uw = [p_w * 333_333] * 3
        self.q_uvar = [q_var * 333_333] * 3
        self.i_ua = [20_000_000] * 3
        self.u_uv = [230_000_000] * 3


class _Processor(processor.Processor):
    """Boots by building a meter; its modules stay."""

    def __init__(self, bench):
        super().__init__(bench.supply)
        self._bench = bench

    def _boot(self):
        machine.start(self._cause)
        self.boots += 1
        self.boot_us = timeline.now_us
        self.state = processor.RUNNING
        loop.set_domain(loop.METER)
        try:
            self._bench.boot()
        finally:
            loop.set_domain(loop.BENCH)

    def _drop(self):
        loop.drop(loop.METER)
        machine.start(self._cause)


class Bench:
    """One board and its power; `work(meter)` is a coroutine function that runs beside the meter.

    before, after: called with the meter when it was built and before its tasks start, and after.
    """

    def __init__(self, work=None):
        timeline.reset()
        wiring.clear()
        timeline.set_rate(0)
        self.work = work
        self.before = _nothing
        self.after = _nothing
        self.converter_dead = False
        self.meter = None
        self.supply = power.Supply(self._good)
        machine_bus.supply = self.supply
        wiring.drive(pins.SUPPLY_GOOD, 1)
        wiring.drive(pins.LOCK, 1)
        for pin, level in COVERS.values():
            wiring.drive(pin, 1 - level)
        wiring.clock_pin(pins.SCK, pins.SPI)
        self.cells = Content(0x40000)  # of the FRAM
        self.fram = Fm25v20(self.cells, timeline.now, timeline.at)
        self.flash = W25q(Content(0x1000000), timeline.now, timeline.at)
        self.lcd = St7567(now_us=timeline.now, at=timeline.at)
        self.rtc = Ds3231(Content(64), timeline.now, timeline.at)
        self.rtc.set_utc_s(START_UTC_S)
        wiring.spi(pins.SPI, pins.FRAM_CS, self.fram)
        wiring.spi(pins.SPI, pins.FLASH_CS, self.flash)
        wiring.spi(pins.SPI, pins.LCD_CS, self.lcd)
        wiring.spi(pins.ADC_SPI, pins.ADC_CS, self.lcd)  # the bus must exist, nobody uses it
        wiring.output(pins.LCD_DC, self.lcd.set_dc)
        wiring.output(pins.LCD_RESET, self.lcd.set_reset, idle=1)
        wiring.output(pins.LCD_BACKLIGHT, self.lcd.set_backlight)
        wiring.output(pins.BATTERY_HOLD, self.supply.hold)
        wiring.analog(pins.BATTERY_ADC, lambda: 35_747)  # 3.6 V
        wiring.i2c(pins.I2C, pins.RTC_ADDRESS, self.rtc)
        wiring.clock_pin(pins.SCL, pins.I2C)
        for chip in (self.fram, self.flash, self.lcd, self.rtc):
            self.supply.add(chip)
        pins.scale = _Scale()
        pins.tcp = None
        self.processor = _Processor(self)

    def boot(self):
        """Build the meter and start it; called by the processor."""
        import board
        from app.meter import Meter

        board.UART = lambda number, baudrate: _Uart()
        parts = board.Parts()
        parts.frames = _Frames(self, parts.frames)
        self.meter = None
        meter = Meter(parts)
        self.meter = meter
        self.before(meter)
        meter.start()
        self.after(meter)
        if self.work is not None:
            asyncio.create_task(self.work(meter))

    def run(self, script):
        """Run the bench's coroutine `script` and the meter beside it."""

        async def run_script():
            try:
                await script
            except Exception as error:
                timeline.interrupt(error)
                return
            timeline.interrupt(Stop())

        loop.create_task(run_script(), loop.BENCH)
        try:
            self.processor.run()
        except Stop:
            self.processor.stop()
        loop.drop(loop.BENCH)

    async def outage(self, seconds, holdup_ms=50):
        """Cut the mains for so long; it comes back also while the firmware stands still."""
        self.supply.off(holdup_ms)
        timeline.after(int(seconds * 1_000_000), self.supply.on)
        await timeline.advance(seconds)

    def press(self, down):
        """Press or release the scroll key, without bounce."""
        wiring.drive(pins.KEY_SCROLL, 0 if down else 1)
        self.supply.key("scroll", down)

    def move(self, name, active):
        """Open or close a cover, bring or take the magnet."""
        pin, level = COVERS[name]
        wiring.drive(pin, level if active else 1 - level)
        self.supply.nudge()

    def _good(self, level):
        wiring.drive(pins.SUPPLY_GOOD, level)


class _Uart(_Wire):
    notifies = True


def window(meter, p_w, q_var, windows=1):
    """Let the meter have measured windows of 0.2 s with these powers."""
    engine = meter.engine
    engine.energies.add(Quantities(p_w, q_var), WINDOW_FRAMES << 16, windows)
    engine.pulses.window(engine.energies, WINDOW_FRAMES * windows)
    for callback in engine.on_window:
        callback()


def _nothing(meter):
    pass
