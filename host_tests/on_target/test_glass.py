"""Drivers of OLED and segment glass on the simulated machine, and the view of segments on them."""
# row: DSP-01

import sys

sys.path.insert(0, "host_tests/on_target/toy")

from checks import check, report
from sim_checks import fresh

sys.path.insert(0, "firmware")

import display_glass
import machine
import pins
import timeline
import wiring
from faceplate import glass
from machine import I2C, Pin

from app.display import indicators
from app.display.segment_view import SegmentView
from app.display.view import View
from drivers.ht1621 import Ht1621
from drivers.ht1622 import Ht1622
from drivers.ssd1306 import Ssd1306I2c


def fit(name):
    fresh()
    machine.start(machine.PWRON_RESET)
    chip = display_glass.fit_glass(name)
    chip.power(False)
    chip.power(True)
    return chip


def draw(view):
    view.value("-0123.45")
    view.code("1.8.0*01")
    view.unit("kWh")
    view.indicate(sum(indicators.bit(name) for name in ("T1", "FF", "L1", "L3", "+P")))
    view.flush()


def test_segments():
    for name, driver in (("ht1621", Ht1621), ("ht1622", Ht1622)):
        chip = fit(name)
        lcd = driver(
            Pin(pins.LCD_CS, Pin.OUT, value=1),
            Pin(pins.LCD_WR, Pin.OUT, value=1),
            Pin(pins.LCD_DATA, Pin.OUT),
            Pin(pins.LCD_BACKLIGHT, Pin.OUT),
        )
        view = SegmentView(lcd, pins.segments)
        view.start()
        check(name + " blank", chip.visible() and "#" not in "".join(glass.read(chip)[0]))
        begin_us = timeline.now()
        draw(view)
        took_us = timeline.now() - begin_us
        check(name + " time", took_us < 4000, took_us)
        rows, shown = glass.read(chip)
        texts = (shown["code"], shown["value"], shown["unit"])
        check(name, texts == ("1.8.0*01", "-0123.45", "kWh"), texts)
        beside = (shown["cursors"], shown["phases"], shown["flow"])
        check(name + " beside", beside == (["T1", "FF"], ["L1", "L3"], ["+P"]), beside)
        check(name + " drawn", len(rows) == 64 and "#" in "".join(rows))
        check(name + " clock", not chip.lost_bits)
        writes = chip.writes
        draw(view)
        check(name + " steady", chip.writes == writes)
        view.test(0)
        view.flush()
        check(name + " test", "8" in glass.read(chip)[1]["value"])
        view.backlight(True)
        check(name + " light", chip.backlight == 1)


def test_oled():
    chip = fit("ssd1306")
    wiring.clock_pin(pins.SCL, pins.I2C)
    lcd = Ssd1306I2c(I2C(pins.I2C, freq=400_000), pins.OLED_ADDRESS)
    view = View(lcd)
    view.start()
    check("blank", chip.visible() and "#" not in "".join(chip.rows()))
    draw(view)
    shown = glass.read(chip)[1]
    check("text", (shown["code"], shown["value"]) == ("1.8.0*01", "-0123.45"), shown)
    chip.fault("dead")
    view.value("1")
    view.flush()
    chip.fault("clear")
    chip.power(False)
    chip.power(True)
    view.value("2")
    view.flush()
    shown = glass.read(chip)[1]
    check("back again", (shown["code"], shown["value"]) == ("1.8.0*01", "2"), shown)


test_segments()
test_oled()
report()
