"""The data-ready capture on the simulated machine: pin interrupt, SPI, the converter's model."""

import sys

sys.path.insert(0, "host_tests/on_target/toy")

from checks import check, raises, report
from sim_checks import fresh

sys.path.insert(0, "firmware")

import time
from array import array

import machine
import micropython
import pins
import timeline
import wiring
from devices import ads131m0x as adc_model
from machine import SPI, Pin, Timer

from drivers.ads131m0x import Ads131m0x
from drivers.irq_spi_capture import IrqSpiCapture

FRAME_US = 250
FRAME_BYTES = 18


class Ramp:
    """Word w of conversion n is 100 n + w - 4000: both signs."""

    def samples(self, out, first_index, count):
        for k in range(4 * count):
            out[k] = 100 * (first_index + k // 4) + k % 4 - 4000


class Line:
    """The data-ready line: falls at each conversion; `masked` holds the edges back."""

    def __init__(self, chip):
        self.masked = False
        self.pending = False
        chip.watch_drdy(self.falls)

    def falls(self, _level):
        if self.masked:
            self.pending = True
            return
        wiring.drive(pins.ADC_DRDY, 1)
        wiring.drive(pins.ADC_DRDY, 0)

    def unmask(self):
        """Interrupts are on again: the edge that waits, one however many there were, arrives."""
        self.masked = False
        if self.pending:
            self.pending = False
            self.falls(0)


def rig():
    fresh()
    machine.start(machine.PWRON_RESET)
    chip = adc_model.Ads131m0x(4, Ramp(), 4, [0, 1, 2, 3], 8_192_000, timeline.now, timeline.at)
    wiring.spi(pins.ADC_SPI, pins.ADC_CS, chip)
    wiring.output(pins.ADC_RESET, chip.set_reset, idle=1)
    bus = SPI(pins.ADC_SPI, baudrate=10_000_000, polarity=0, phase=1)
    cs = Pin(pins.ADC_CS, Pin.OUT, value=1)
    drdy = Pin(pins.ADC_DRDY, Pin.IN)
    capture = IrqSpiCapture(bus, cs, drdy, Timer(-1), FRAME_US)
    driver = Ads131m0x(
        bus, cs, Pin(pins.ADC_RESET, Pin.OUT, value=1), drdy, capture, 4, 8_192_000, [0, 1, 2]
    )
    return chip, Line(chip), capture, driver


FRAMES = array("i", [0] * (3 * 64))


def drain(driver):
    """Conversion numbers of what is ready; None where the words do not belong together."""
    found = []
    while True:
        count = driver.take(FRAMES, 64)
        if not count:
            return found
        for k in range(0, 3 * count, 3):
            n = (FRAMES[k] + 4000) // 100
            good = FRAMES[k + 1] == FRAMES[k] + 1 and FRAMES[k + 2] == FRAMES[k] + 2
            found.append(n if good else None)


def run_ms(ms, driver, found):
    for _ in range(0, ms, 10):
        time.sleep_ms(10)
        found.extend(drain(driver))


def consecutive(found):
    return all(found[k + 1] == found[k] + 1 for k in range(len(found) - 1))


def test_every_conversion_for_a_second():
    _, _, capture, driver = rig()
    driver.start()
    found = []
    run_ms(1000, driver, found)
    check("4000 a second", 3998 <= len(found) <= 4000, len(found))
    check("none left out, none twice", consecutive(found))
    check("none lost", (driver.lost, driver.errors, capture.missed()) == (0, 0, 0))


def test_late_handler():
    """Interrupts off for so long: what the chip holds is read, the rest counted, to the frame."""
    for off_us in (100, 240, 260, 490, 510, 760, 1010, 5010):
        _, line, _, driver = rig()
        driver.start()
        found = []
        run_ms(50, driver, found)
        line.masked = True
        time.sleep_us(off_us)
        line.unmask()
        run_ms(50, driver, found)
        gone = found[-1] - found[0] + 1 - len(found)
        check("missed, {} us".format(off_us), driver.lost == gone, (driver.lost, gone))
        check("about right", abs(gone - max(0, off_us // FRAME_US - 2)) <= 1, (off_us, gone))
        check("in order", sorted(set(found)) == found)
        check("sound", driver.errors == 0 and None not in found)
        before = len(found)
        run_ms(200, driver, found)
        check("in step again", consecutive(found[before:]))


def test_stuck_line_and_its_return():
    _, line, _, driver = rig()
    driver.start()
    found = []
    run_ms(50, driver, found)
    line.masked = True
    run_ms(300, driver, found)
    check("tried again", driver.restarts >= 2, driver.restarts)
    check("counted", 1100 <= driver.lost <= 1250, driver.lost)
    line.masked = False
    run_ms(150, driver, found)
    before = len(found)
    run_ms(100, driver, found)
    check("frames again", len(found) - before >= 360, len(found) - before)
    check("in order", consecutive(found[before:]))


class QuietPin:
    """A pin and a bus that allocate nothing, as a processor's own do."""

    IRQ_FALLING = 2

    def __init__(self):
        self.handler = None

    def irq(self, handler, trigger=0, hard=False):
        self.handler = handler

    def value(self, level):
        pass


class QuietBus:
    def readinto(self, buffer):
        buffer[1] = 0x0F
        buffer[0] += 1 if buffer[0] < 255 else -255


class QuietTimer:
    PERIODIC = 1

    def init(self, mode, period, callback):
        pass

    def deinit(self):
        pass


def test_handler_allocates_nothing():
    drdy = QuietPin()
    capture = IrqSpiCapture(QuietBus(), QuietPin(), drdy, QuietTimer(), FRAME_US)
    check("no whole frames", raises(ValueError, capture.start, bytearray(35), FRAME_BYTES))
    check("no ring", raises(ValueError, capture.start, bytearray(0), FRAME_BYTES))
    ring = bytearray(8 * FRAME_BYTES)
    capture.start(ring, FRAME_BYTES)
    handler = drdy.handler
    handler(drdy)  # first use of names
    capture._count = 0x3FFFFFFE
    micropython.heap_lock()
    try:
        for _ in range(20):  # round the ring, over the counter's end
            handler(drdy)
        capture._next_us = time.ticks_add(time.ticks_us(), -10 * FRAME_US)  # ten frames late
        handler(drdy)
        micropython.heap_unlock()
    except MemoryError as error:
        micropython.heap_unlock()
        raise error
    check("count went round", capture.count() == 20 + 2 - 2, capture.count())
    check("missed", capture.missed() == 9, capture.missed())
    capture.stop()
    check("no handler any more", drdy.handler is None)
    before = capture.count()
    handler(drdy)  # an edge that was on its way
    check("nothing after the stop", capture.count() == before)


test_every_conversion_for_a_second()
test_late_handler()
test_stuck_line_and_its_return()
test_handler_allocates_nothing()
report()
