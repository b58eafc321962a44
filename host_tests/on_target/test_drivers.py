"""The firmware's drivers, unmodified, on the simulated board's machine, buses and chip models."""

import sys

sys.path.insert(0, "host_tests/on_target/toy")

from checks import check, raises, report
from sim_checks import fresh, run

sys.path.insert(0, "firmware")

import time
from array import array

import host
import machine
import machine_bus
import micropython
import pins
import power
import timeline
import wiring
from devices import ads131m0x as adc_model
from devices import ds3231 as rtc_model
from devices import fm25v20 as fram_model
from devices import latching_relay as relay_model
from devices import st7567 as lcd_model
from devices import w25q as flash_model
from machine import I2C, SPI, Pin, SpiCapture, Timer

from drivers.ads131m0x import Ads131m0x
from drivers.ds3231 import Ds3231
from drivers.fm25v20 import Fm25v20
from drivers.latching_relay import LatchingRelay
from drivers.st7567 import St7567
from drivers.w25q import W25q


class Content:
    """A chip file in memory, blank where nothing was written."""

    def __init__(self, fill=0xFF):
        self._fill = fill
        self._blocks = {}

    def _block(self, number):
        if number not in self._blocks:
            self._blocks[number] = bytearray(bytes([self._fill]) * 4096)
        return self._blocks[number]

    def read(self, offset, n):
        return bytes(self._block((offset + k) >> 12)[(offset + k) & 4095] for k in range(n))

    def write(self, offset, data):
        for k in range(len(data)):
            self._block((offset + k) >> 12)[(offset + k) & 4095] = data[k]


class Ramp:
    """Word w of conversion n is 100 n + w - 400000: both signs."""

    def __init__(self, words):
        self.words = words

    def samples(self, out, first_index, count):
        at = 0
        for n in range(first_index, first_index + count):
            for w in range(self.words):
                out[at] = 100 * n + w - 400_000
                at += 1


def start():
    fresh()
    machine.start(machine.PWRON_RESET)


def memory_bus():
    """The bus that memories and glass share, with its drivers and models."""
    start()
    fram = fram_model.Fm25v20(Content(0), timeline.now, timeline.at)
    flash = flash_model.W25q(Content(), timeline.now, timeline.at)
    wiring.spi(pins.SPI, pins.FRAM_CS, fram)
    wiring.spi(pins.SPI, pins.FLASH_CS, flash)
    bus = SPI(pins.SPI, baudrate=10_000_000)
    drivers = (
        Fm25v20(bus, Pin(pins.FRAM_CS, Pin.OUT, value=1)),
        W25q(bus, Pin(pins.FLASH_CS, Pin.OUT, value=1)),
    )
    return drivers, (fram, flash), bus


def test_memories():
    (fram, flash), _, _ = memory_bus()
    fram.write(0x3FFFC, b"last")
    flash.program(0x1000F0, b"sixteen bytes...")
    buffer = bytearray(4)
    fram.read_into(0x3FFFC, buffer)
    check("F-RAM", buffer == b"last", buffer)
    check("flash refuses while busy", raises(OSError, flash.erase_sector, 0))
    flash.read_into(0x1000FC, buffer)  # waits for the page
    check("flash", buffer == b"s...", buffer)
    flash.erase_sector(0x100FFF)
    started = timeline.now_us
    flash.read_into(0, buffer)  # suspends the erase
    check("a reader is quick", timeline.now_us - started < 500)
    while flash.busy():
        time.sleep_ms(1)
    check("sector erase takes its time", 45_000 <= timeline.now_us - started <= 46_000)
    flash.read_into(0x1000FC, buffer)
    check("erased", buffer == b"\xff" * 4, buffer)
    check("sizes", (fram.size, flash.size) == (0x40000, 0x1000000))
    check("out of range", raises(ValueError, fram.write, 0x3FFFE, b"abc"))


# A write that power loss cuts leaves exactly the bytes that were clocked in.
def test_power_loss_in_a_write():
    for cut in (0, 3, 4, 6, 9, 12, 14):
        (fram, _), (chip, _), _ = memory_bus()
        fram.write(64, b"--------")
        supply = power.Supply()
        supply.add(chip)
        machine_bus.supply = supply
        supply.cut_after(chip, cut)
        try:
            fram.write(64, b"ABCDEFGH")
            lost = False
        except power.PowerLost:
            lost = True
        machine_bus.supply = None
        # Enable, status, four bytes of command and address, then data.
        kept = max(0, cut - 6)
        machine.start(machine.PWRON_RESET)
        chip.power(True)
        buffer = bytearray(8)
        Fm25v20(SPI(pins.SPI), Pin(pins.FRAM_CS, Pin.OUT, value=1)).read_into(64, buffer)
        want = (b"ABCDEFGH"[:kept] + b"--------")[:8]
        check("torn write", lost and bytes(buffer) == want, cut, buffer, want)


def test_clock():
    start()
    chip = rtc_model.Ds3231(Content(), timeline.now, timeline.at)
    wiring.i2c(pins.I2C, pins.RTC_ADDRESS, chip)
    rtc = Ds3231(I2C(pins.I2C, freq=400_000))
    check("never set", rtc.oscillator_stopped())
    rtc.set_utc_s(823_219_190)  # 2026-02-01T23:59:50
    timeline.pass_us(15_000_000)
    check("runs", rtc.utc_s() == 823_219_205, rtc.utc_s())
    check("set", not rtc.oscillator_stopped())
    check("temperature", rtc.temperature_cdeg() == 2300)
    chip.fault("garbage", register=1, value=0x7F)
    check("garbage", raises(ValueError, rtc.utc_s))
    chip.fault("dead")
    check("silent", raises(OSError, rtc.utc_s))


def test_glass():
    start()
    chip = lcd_model.St7567(False)
    chip.power(False)
    chip.power(True)
    wiring.spi(pins.SPI, pins.LCD_CS, chip)
    wiring.output(pins.LCD_DC, chip.set_dc)
    wiring.output(pins.LCD_RESET, chip.set_reset, idle=1)
    wiring.output(pins.LCD_BACKLIGHT, chip.set_backlight)
    lcd = St7567(
        SPI(pins.SPI, baudrate=10_000_000),
        Pin(pins.LCD_CS, Pin.OUT, value=1),
        Pin(pins.LCD_DC, Pin.OUT),
        Pin(pins.LCD_RESET, Pin.OUT, value=1),
        Pin(pins.LCD_BACKLIGHT, Pin.OUT),
    )
    lcd.start()
    check("blank", not any("#" in row for row in chip.rows()))
    import framebuf

    picture = framebuf.FrameBuffer(lcd.buffer, lcd.width, lcd.height, framebuf.MONO_VLSB)
    picture.hline(0, 0, 128, 1)
    picture.pixel(127, 63, 1)
    lcd.show()
    rows = chip.rows()
    check("line", rows[0] == "#" * 128 and "#" not in rows[1])
    check("corner", rows[63] == "." * 127 + "#")
    lcd.backlight(True)
    check("backlight", chip.backlight == 1)


def test_relay():
    start()
    chip = relay_model.LatchingRelay(None, timeline.now, timeline.at)
    wiring.output(pins.DISCONNECTOR_OPEN, chip.set_open)
    wiring.output(pins.DISCONNECTOR_CLOSE, chip.set_close)
    wiring.input(pins.DISCONNECTOR_SENSE, chip.sense)
    relay = LatchingRelay(
        Pin(pins.DISCONNECTOR_OPEN, Pin.OUT),
        Pin(pins.DISCONNECTOR_CLOSE, Pin.OUT),
        Pin(pins.DISCONNECTOR_SENSE, Pin.IN, Pin.PULL_UP),
        Timer(-1),
    )
    check("closed at first", relay.closed())
    relay.open()
    relay.close()
    timeline.pass_us(40_000)
    check("opens", not relay.closed() and chip.energised())
    timeline.pass_us(10_000)
    check("pulse over", not chip.energised() and relay.busy())
    timeline.pass_us(1_000_000)
    check("then closes", relay.closed() and relay.confirmed() and not relay.busy())
    counts = (chip.operations, chip.both_coils, chip.hurried, chip.burnt)
    check("coils", counts == (2, 0, 0, False), counts)
    # The pulse ends while a program that hangs only looks at the time.
    relay.open()
    started = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), started) < 60:
        pass
    check("ends in a busy loop", not chip.energised() and not relay.closed())


def front_end(channels, roles):
    start()
    chip = adc_model.Ads131m0x(
        channels,
        Ramp(channels),
        channels,
        list(range(channels)),
        8_192_000,
        timeline.now,
        timeline.at,
    )
    wiring.spi(pins.ADC_SPI, pins.ADC_CS, chip)
    wiring.output(pins.ADC_RESET, chip.set_reset, idle=1)
    wiring.input(pins.ADC_DRDY, chip.drdy)
    bus = SPI(pins.ADC_SPI, baudrate=16_000_000, phase=1)
    capture = SpiCapture(bus, Pin(pins.ADC_CS), Pin(pins.ADC_DRDY))
    source = Ads131m0x(
        bus,
        Pin(pins.ADC_CS, Pin.OUT, value=1),
        Pin(pins.ADC_RESET, Pin.OUT, value=1),
        Pin(pins.ADC_DRDY, Pin.IN),
        capture,
        channels,
        8_192_000,
        roles,
    )
    return chip, source


class Collector:
    """Takes frames as the engine does and looks at each."""

    def __init__(self, source, roles):
        self.source = source
        self.roles = roles
        self.frames = array("i", [0] * (64 * len(roles)))
        self.first_words = []
        self.whole = True

    async def collect(self, seconds):
        end = timeline.now_us + seconds * 1_000_000
        while timeline.now_us < end:
            await self.source.wait()
            count = self.source.take(self.frames, 64)
            while count:
                for n in range(count):
                    self.look(n * len(self.roles))
                count = self.source.take(self.frames, 64)

    def look(self, at):
        first = self.frames[at]
        self.first_words.append(first)
        for w, role in enumerate(self.roles):
            if self.frames[at + w] != first + role - self.roles[0]:
                self.whole = False


def test_front_end():
    for channels, roles in ((8, [0, 1, 2, 3, 4, 5, 6]), (4, [0, 1, 2])):
        chip, source = front_end(channels, roles)
        source.start()
        collector = Collector(source, roles)
        timeline.set_rate(1_000_000)
        run(collector.collect(2))
        seen = collector.first_words
        check("rate", 7990 <= len(seen) <= 8010, len(seen))
        check("words of a frame belong together", collector.whole)
        in_step = all(seen[k + 1] - seen[k] == 100 for k in range(len(seen) - 1))
        check("no frame lost or twice", in_step and source.lost == 0 and source.errors == 0)
        chip.fault("crc_error", count=5)
        run(collector.collect(1))
        check("wrong CRCs are counted", source.errors == 5, source.errors)
        timeline.pass_us(200_000)
        run(collector.collect(1))
        check("a stall of 200 ms loses frames", 250 < source.lost < 350, source.lost)
    chip, source = front_end(4, [0, 1, 2])
    source.start()
    collector = Collector(source, [0, 1, 2])
    timeline.set_rate(1_000_000)
    run(collector.collect(1))
    for fault, least, most in (("brown_out", 1, 60), ("drdy_stuck", 3600, 4100)):
        lost, restarts, before = source.lost, source.restarts, len(collector.first_words)
        chip.fault(fault)
        run(collector.collect(1))
        chip.fault("clear")
        run(collector.collect(1))
        lost = source.lost - lost
        check(fault + " is noticed", source.restarts > restarts, source.restarts)
        check(fault + " is counted", least <= lost <= most, lost)
        seen = len(collector.first_words) - before
        check(fault + ": measured again", abs(seen + lost - 8000) < 600, (seen, lost))
    check("never words of another frame", collector.whole and source.errors == 0)
    chip, source = front_end(4, [0, 1, 2])
    chip.fault("dead")
    check("dead front end", raises(OSError, source.start))


def test_taking_frames_allocates_nothing():
    _, source = front_end(8, [0, 1, 2, 3, 4, 5, 6])
    source.start()
    frames = array("i", [0] * (64 * 7))
    timeline.pass_us(50_000)
    source.take(frames, 64)
    micropython.heap_lock()
    try:
        taken = source.take(frames, 64) + source.take(frames, 64) + source.take(frames, 64)
        allocated = False
    except MemoryError:
        taken = 0
        allocated = True
    micropython.heap_unlock()
    check("no allocation", taken == 136 and not allocated, taken)


# The compiled frame loop against the bus's exact way, byte for byte
def test_whole_frames_equal_single_transfers():
    rigs = []
    for _ in range(2):
        start()
        chip = adc_model.Ads131m0x(
            8, Ramp(7), 7, [0, 1, 2, 3, 4, 5, 6, -1], 8_192_000, timeline.now, timeline.at
        )
        registers = chip._registers
        registers.write(0x04, 0x7531)
        registers.write(0x0B, 0x1200)  # channel 0: offset 18
        registers.write(0x0A + 5, 0xFFFF)  # channel 1: offset -256
        registers.write(0x0C + 10, 0xABCD)
        registers.write(0x09 + 15, 0x0003)  # channel 3: the negative test signal
        rigs.append(chip)
    slow, fast = rigs
    start()
    size = 30
    count = 300
    one_by_one = bytearray(size * count)
    view = memoryview(one_by_one)
    slow.select()
    slow.transfer(None, bytearray(size))  # the answer that the reset has left
    slow.deselect()
    slow.skip()
    fast.select()
    fast.transfer(None, bytearray(size))
    fast.deselect()
    fast.skip()
    for n in range(count):
        timeline.pass_us(250)
        slow.select()
        slow.transfer(None, view[n * size : (n + 1) * size])
        slow.deselect()
    at_once = bytearray(size * count)
    done = fast.clock_frames(at_once, 0, count)
    check("frames", done == count)
    check("same bytes", at_once == one_by_one)


def test_speed_of_the_frame_loop():
    start()

    class Still:
        def samples(self, out, first_index, count):
            pass

    chip = adc_model.Ads131m0x(
        8, Still(), 7, [0, 1, 2, 3, 4, 5, 6, -1], 8_192_000, timeline.now, timeline.at
    )
    ring = bytearray(30 * 512)
    chip.clock_frames(ring, 0, 512)
    best_us = 1_000_000
    for _ in range(20):
        started = host.ticks_us()
        chip.clock_frames(ring, 0, 512)
        best_us = min(best_us, host.ticks_us() - started)
    print(f"one frame of eight channels: {best_us / 512:.2f} us")
    # Frames at five times real time must leave most of the host to everything else.
    check("at most 10 us a frame on a loaded host", best_us <= 5120, best_us)


for test in (
    test_memories,
    test_power_loss_in_a_write,
    test_clock,
    test_glass,
    test_relay,
    test_front_end,
    test_taking_frames_allocates_nothing,
    test_whole_frames_equal_single_transfers,
    test_speed_of_the_frame_loop,
):
    test()
report()
