"""The display on MicroPython: what is drawn is read back, its tasks run, a steady glass is free.

Keys are pins of this test; the glass is the one of no chip; time is the test's.
"""
# row: DSP-01 DSP-15 DSP-16

import asyncio
import gc
import sys

sys.path.append("boards/sim")

from checks import check, report, soon
from faceplate import glass

from app import ticks
from app.attributes import Reference
from app.display import font, indicators, keys, view
from app.display.display import Display
from app.errors import AccessRefused


class Lcd:
    def __init__(self):
        self.width = 128
        self.height = 64
        self.buffer = bytearray(1024)
        self.started = False
        self.light = False
        self.pages = 0

    def start(self):
        self.started = True

    def show(self, first_page=0, last_page=7):
        self.pages += last_page - first_page + 1

    def refresh(self):
        self.show()

    def backlight(self, on):
        self.light = on


class Pin:
    IRQ_FALLING = 4
    IRQ_RISING = 8

    def __init__(self):
        self.level = 1
        self.handler = None

    def value(self):
        return self.level

    def irq(self, handler, trigger):
        self.handler = handler

    def set(self, level):
        self.level = level
        self.handler(self)


class List:
    def __init__(self, *groups):
        self.items = [Reference(3, bytes((1, 0) + group + (255,)), 2) for group in groups]

    def count(self):
        return len(self.items)

    def reference(self, at):
        return self.items[at]


VALUES = {(1, 8, 0): (123456, 0, 30), (1, 7, 0): (3450, 0, 27), (32, 7, 0): (2301, -1, 35)}


def read(reference):
    value = VALUES.get(tuple(reference.logical_name[2:5]))
    if value is None:
        raise AccessRefused(4)
    return value


def status(shown):
    for name in ("L1", "L2", "L3", "+P", "T1"):
        shown.set(name)


def test_every_character():
    lcd = Lcd()
    drawn = view.View(lcd)
    for character in font.CHARACTERS:
        for mark in ("", ".", ":"):
            text = "8" + character + mark + "8"
            drawn.value(text)
            drawn.code(text)
            shown = glass.decode(lcd.buffer)
            check(text, shown["value"] == text and shown["code"] == text)
    for name in indicators.NAMES:
        drawn.indicate(indicators.bit(name))
        shown = glass.decode(lcd.buffer)
        check(name, shown["cursors"] + shown["phases"] + shown["flow"] == [name])


def test_steady_glass():
    """A day of one unchanged item: nothing is sent, nothing stays on the heap."""
    lcd = Lcd()
    display = Display(view.View(lcd), List((1, 8, 0)), List(), read, status)
    display.begin(0)
    now_ms = 0
    while now_ms < 60_000:
        now_ms += display.tick(now_ms)
    lcd.pages = 0
    gc.collect()
    before = gc.mem_alloc()
    while now_ms < 3_600_000:
        now_ms += display.tick(now_ms)
    gc.collect()
    check("a glass a minute is sent", lcd.pages in (59 * 8, 60 * 8), lcd.pages)
    check("the heap grew", gc.mem_alloc() <= before + 64)


class Clock:
    """The time of display and keys; it passes when the test says so, however busy the machine."""

    now_ms = 0

    @staticmethod
    def ticks_ms():
        return Clock.now_ms

    @staticmethod
    def ticks_diff(one, other):
        return one - other


class Task:
    def report(self):
        pass


async def test_tasks():
    ticks.now_ms, keys.time = Clock.ticks_ms, Clock
    lcd = Lcd()
    general = List((1, 8, 0), (1, 7, 0))
    display = Display(view.View(lcd), general, List((32, 7, 0), (99, 99, 0)), read, status)
    display.console.options = lambda: 0  # the reduced console
    heard = []

    def on_key(number, kind):
        heard.append(kind)
        display.on_key(number, kind)

    def shown(word):
        return glass.decode(lcd.buffer)[word]

    pin = Pin()
    key = keys.Key(pin, keys.SCROLL, on_key)
    tasks = [asyncio.create_task(display.run(Task())), asyncio.create_task(key.run())]
    check("started, lit", await soon(lambda: lcd.started and lcd.light))
    check("key watched", await soon(lambda: pin.handler))

    async def turns_to(word, text, seconds):
        """The picture is there when its time has come, and not before."""
        Clock.now_ms += seconds * 1000 - 1
        display.wake()
        await asyncio.sleep_ms(20)
        check(text + " too early", shown(word) != text)
        Clock.now_ms += 1
        display.wake()
        check(text, await soon(lambda: shown(word) == text), shown(word))

    await turns_to("value", display.times.name, display.times.test_s)
    await turns_to("code", "1.8.0", display.times.name_s)
    await turns_to("value", "3.45", display.times.auto_scroll_s)

    async def press():
        heard.clear()
        for level in (0, 1, 0):  # bounce
            pin.set(level)
            await asyncio.sleep_ms(1)
        check("down once", await soon(lambda: heard) and heard == [keys.DOWN], heard)
        pin.set(1)
        check("up", await soon(lambda: len(heard) > 1) and heard[1:] == [keys.SHORT], heard)
        return shown("value")

    check("manual", await press() == "230.1")
    check("missing object", await press() == "Error 23")
    check("end", await press() == "End")
    check("from the start", await press() == "230.1")
    for task in tasks:
        task.cancel()
    await asyncio.sleep_ms(10)


test_every_character()
test_steady_glass()
asyncio.run(test_tasks())
report()
