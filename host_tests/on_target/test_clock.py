"""The clock's task on MicroPython: its waits, its wake-ups, its heap, on the chip's model.

Virtual time under MicroPython's own asyncio; the processor's crystal is off.
"""

# heap: 512k
# ruff: noqa: I001 - what is imported later depends on it

import sys

sys.path.insert(0, "host_tests/on_target/toy")

from checks import check, report
from sim_checks import fresh, run  # puts virtual time in place

import asyncio
import gc

import pins
import timeline
import wiring
from devices import ds3231 as rtc_model
from machine import I2C

import civil
from app.clock import Clock
from drivers.ds3231 import Ds3231

START = civil.utc_s(2026, 11, 21, 12)


class Content:
    def __init__(self):
        self.data = bytearray(64)

    def read(self, offset, n):
        return bytes(self.data[offset : offset + n])

    def write(self, offset, data):
        self.data[offset : offset + len(data)] = data


class Settings:
    def get(self, key):
        return b""


class Task:
    reports = 0

    def report(self):
        self.reports += 1


def make(ppb=0):
    fresh()
    timeline.set_rate(0)
    wiring.clear()
    chip = rtc_model.Ds3231(Content(), timeline.now, timeline.at)
    chip.set_utc_s(START)
    wiring.i2c(pins.I2C, pins.RTC_ADDRESS, chip)
    timeline.set_crystal(ppb)
    return Clock(Ds3231(I2C(pins.I2C, freq=400_000)), Settings()), chip


def error_ms(clock):
    return (clock.utc_s() - START) * 1000 + clock.hundredths() * 10 - timeline.now_us // 1000


async def day(clock, ppm):
    task = Task()
    keeper = asyncio.create_task(clock.run(task))
    await timeline.advance(20)
    worst = 0
    for _ in range(24):
        await timeline.advance(3600)
        worst = max(worst, abs(error_ms(clock)))
    check("its task wakes a few times a minute at most", 1440 <= task.reports < 3000, task.reports)
    print("a day at", ppm, "ppm: at worst", worst, "ms")
    check("a day stays within half a second", worst < 100, ppm, worst)
    keeper.cancel()


def test_drift():
    for ppm in (50, -50):
        clock, _ = make(ppm * 1000)
        run(day(clock, ppm))


def test_boundaries():
    clock, _ = make(20_000)
    called = []

    def note(utc_s):
        called.append((utc_s - START, (timeline.now_us + 500_000) // 1_000_000))

    async def bench():
        keeper = asyncio.create_task(clock.run(Task()))
        clock.every(900, note)
        await timeline.advance(1000)
        clock.set_utc_s(START + 1795)  # the task sleeps until the next minute, and is woken
        await timeline.advance(10)
        keeper.cancel()

    run(bench())
    check("each boundary in its second", called == [(900, 900), (1800, 1005)], called)


def test_heap():
    clock, _ = make()

    async def bench():
        keeper = asyncio.create_task(clock.run(Task()))
        await timeline.advance(600)
        gc.collect()
        before = gc.mem_alloc()
        await timeline.advance(6 * 3600)
        gc.collect()
        check("nothing piles up", gc.mem_alloc() - before < 1000, gc.mem_alloc() - before)
        gc.disable()
        before = gc.mem_alloc()
        for _ in range(100):
            clock.utc_s()
        used = gc.mem_alloc() - before
        gc.enable()
        check("asking for the time costs no heap", used < 100, used)
        keeper.cancel()

    run(bench())


test_drift()
test_boundaries()
test_heap()
report()
