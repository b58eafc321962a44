"""The simulated processor's pins, buses, timers and frame capture on toy chips."""

# ruff: noqa: I001 - what is imported later depends on it

import sys

sys.path.insert(0, "host_tests/on_target/toy")

from checks import check, raises, report
from sim_checks import fresh  # puts virtual time in place

import machine
import timeline
import wiring
from machine import ADC, I2C, RTC, SPI, Pin, Signal, SoftI2C, SoftSPI, SpiCapture, Timer
from toy_chips import Converter, Memory, Registers


def start():
    fresh()
    machine.start(machine.PWRON_RESET)


def test_output_pins():
    start()
    heard = []
    wiring.output(5, heard.append)
    wiring.output(6, heard.append, idle=1)
    pin = Pin(5, Pin.OUT)
    pin.on()
    pin.on()
    pin.toggle()
    pin(1)
    check("only changes are told", heard == [1, 0, 1], heard)
    check("an output reads what it puts out", pin.value() == 1 and Pin(5)() == 1)
    lamp = Signal(6, Pin.OUT, invert=True, value=1)
    lamp.on()
    check("an inverted signal", heard[3:] == [0] and lamp.value() == 1, heard)
    machine.start(machine.HARD_RESET)
    check("a reset lets go of every pin", heard[4:] in ([0, 1], [1, 0]), heard)


def test_input_pins():
    start()
    level = [1]
    wiring.input(7, lambda: level[0])
    check("a getter", Pin(7, Pin.IN).value() == 1)
    level[0] = 0
    check("a getter again", Pin(7).value() == 0)
    check("pulled up", Pin(8, Pin.IN, Pin.PULL_UP).value() == 1)
    check("pulled down", Pin(8, Pin.IN, Pin.PULL_DOWN).value() == 0)
    bus = Pin(9, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1)
    check("open drain let go", bus.value() == 1)
    wiring.drive(9, 0)
    check("open drain pulled by a part", bus.value() == 0)
    bus.off()
    check("open drain pulled by the processor", bus.value() == 0)
    for bad in (-1, wiring.PINS, "X1", None, 1.5):
        check("unknown pin", raises(ValueError, Pin, bad), bad)
    check("bad mode", raises(ValueError, Pin, 1, 9))


def test_interrupts():
    start()
    heard = []
    pin = Pin(10, Pin.IN, Pin.PULL_UP)
    pin.irq(lambda p: heard.append(p.value()), Pin.IRQ_FALLING)
    wiring.drive(10, 0)
    wiring.drive(10, 0)
    wiring.drive(10, None)
    wiring.drive(10, 0)
    check("falling edges only, also from the pull", heard == [0, 0], heard)
    state = machine.disable_irq()
    wiring.drive(10, 1)
    wiring.drive(10, 0)
    check("held back", len(heard) == 2)
    machine.enable_irq(state)
    check("and told afterwards", len(heard) == 3)

    def bad(pin):
        heard.append("bad")
        raise KeyError(pin)

    pin.irq(bad, Pin.IRQ_RISING | Pin.IRQ_FALLING)
    wiring.drive(10, 1)
    wiring.drive(10, 0)
    check("a handler that raises is taken off", heard[3:] == ["bad"], heard)
    pin.irq(None)
    check("bad trigger", raises(ValueError, pin.irq, bad, 64))


def test_spi():
    start()
    first, second = Memory(), Memory()
    wiring.spi(1, 20, first)
    wiring.spi(1, 21, second)
    wiring.clock_pin(22, 1)
    spi = SPI(1, baudrate=8_000_000)
    cs_first, cs_second = Pin(20, Pin.OUT, value=1), Pin(21, Pin.OUT, value=1)
    cs_second.off()
    spi.write(b"\x02\x10abc")
    cs_second.on()
    check("only the selected chip hears", second.cells[16:19] == b"abc" and not any(first.cells))
    answer = bytearray(5)
    cs_second.off()
    SoftSPI(sck=Pin(22)).write_readinto(b"\x03\x10\0\0\0", answer)
    cs_second.on()
    check("a chip answers", answer[2:] == b"abc", answer)
    check("nobody answers", spi.read(3) == b"\xff\xff\xff")
    cs_first.off()
    spi.write(b"\x03\x00")
    buf = bytearray(b"xx")
    spi.readinto(buf, 0x55)
    check("readinto", buf == b"\0\0")
    cs_second.off()
    check("two at once", raises(RuntimeError, spi.write, b"\0"))
    cs_first.on()
    cs_second.on()
    check("unknown bus", raises(ValueError, SPI, 7))
    check("unknown clock pin", raises(ValueError, SoftSPI, sck=Pin(3)))
    check("lengths", raises(ValueError, spi.write_readinto, b"ab", bytearray(3)))
    check("bad baud rate", raises(ValueError, spi.init, 0))


def test_i2c():
    start()
    chip = Registers(0x68)
    wiring.i2c(1, 0x68, chip)
    wiring.clock_pin(7, 1)
    i2c = I2C(1, scl=Pin(7), sda=Pin(6), freq=400_000)
    check("scan", i2c.scan() == [0x68])
    i2c.writeto_mem(0x68, 3, b"xyz")
    check("memory", i2c.readfrom_mem(0x68, 4, 2) == b"yz")
    check("write", i2c.writeto(0x68, b"\x04") == 1)
    check("read", SoftI2C(Pin(7), Pin(6)).readfrom(0x68, 2) == b"yz")
    check("vector", i2c.writevto(0x68, (b"\x01", b"ab")) == 3 and chip.cells[1:3] == b"ab")
    check("partial acknowledge", i2c.writeto(0x68, b"\x0f12") == 2)
    check("register not acknowledged", raises(OSError, i2c.writeto_mem, 0x68, 15, b"12"))
    try:
        i2c.readfrom(0x50, 1)
        check("nobody there", False)
    except OSError as error:
        check("nobody there", error.errno == 19, error)
    chip.power(False)
    check("no power", raises(OSError, i2c.readfrom, 0x68, 1) and i2c.scan() == [])
    check("unknown bus", raises(ValueError, I2C, 0))


def test_timers():
    start()
    heard = []
    every = Timer(period=10, callback=lambda t: heard.append(timeline.now_us))
    once = Timer(-1, mode=Timer.ONE_SHOT, period=25, callback=lambda t: heard.append("once"))
    fast = Timer(freq=1000, callback=lambda t: heard.append("fast"))
    timeline.pass_us(1500)
    fast.deinit()
    timeline.pass_us(29_000)
    check("timers", heard == ["fast", 10_000, 20_000, "once", 30_000], heard)
    every.deinit()
    once.deinit()
    timeline.pass_us(100_000)
    check("stopped", len(heard) == 5)
    check("bad period", raises(ValueError, Timer, period=0))
    check("unknown timer", raises(ValueError, Timer, 3, period=1))


def test_clock():
    start()
    rtc = RTC()
    check("starts in 2021", rtc.datetime()[:3] == (2021, 1, 1), rtc.datetime())
    rtc.datetime((2026, 2, 28, 0, 23, 59, 58, 0))
    timeline.pass_us(3_000_000)
    check("goes on", rtc.datetime() == (2026, 3, 1, 6, 0, 0, 1, 0), rtc.datetime())
    machine.start(machine.WDT_RESET)
    check("survives a reset", RTC().datetime()[0] == 2026)
    machine.start(machine.PWRON_RESET)
    check("not a power cut", RTC().datetime()[0] == 2021)


def test_odds():
    start()
    wiring.analog(47, lambda: 70_000)
    check("ADC", ADC(Pin(47)).read_u16() == 65535)
    check("no ADC", raises(ValueError, ADC, 3))
    check("identity", len(machine.unique_id()) == 8)
    check("cause", machine.reset_cause() == machine.PWRON_RESET)
    before_us = timeline.now_us
    machine.lightsleep(5)
    machine.idle()
    check("sleep", timeline.now_us == before_us + 6000)


def test_capture():
    start()
    chip = Converter(timeline.now)
    wiring.spi(0, 17, chip)
    capture = SpiCapture(SPI(0), Pin(17, Pin.OUT, value=1), Pin(21))
    ring = bytearray(3 * 100)
    heard = []
    capture.irq(lambda c: heard.append(c.count()))
    timeline.pass_us(3_300)
    first = timeline.now_us // 250
    capture.start(ring, 3)
    timeline.pass_us(50_000)
    check("blocks", heard == [40, 80, 120, 160, 200], heard)
    whole = all(
        int.from_bytes(ring[3 * i : 3 * i + 3], "big") == first + 100 + i for i in range(100)
    )
    check("the ring holds the last frames in order", whole)
    capture.hold()
    timeline.pass_us(1_000_000)
    check("held", capture.count() == 200)
    check("due", capture.due() == 4000, capture.due())
    capture.drop(3975)
    check("some at once", capture.deliver(20) == 20)
    check("the rest stays due", (capture.count(), capture.due()) == (220, 5))
    at = 3 * (capture.count() - 20) % len(ring)
    number = int.from_bytes(ring[at : at + 3], "big")
    check("what was dropped is missing", number == first + 200 + 3975, number)
    capture.release()
    timeline.pass_us(10_000)
    check("goes on with what is due", capture.count() == 265, capture.count())
    chip.power(False)
    timeline.pass_us(100_000)
    check("a silent chip", capture.count() == 265)
    check("ring of broken frames", raises(ValueError, capture.start, bytearray(10), 3))
    check("no chip there", raises(ValueError, SpiCapture, SPI(0), Pin(18)))
    machine.start(machine.HARD_RESET)
    chip.power(True)
    timeline.pass_us(100_000)
    check("ends with a reset", capture.count() == 265)


for test in (
    test_output_pins,
    test_input_pins,
    test_interrupts,
    test_spi,
    test_i2c,
    test_timers,
    test_clock,
    test_odds,
    test_capture,
):
    test()
report()
