"""Resets and power cuts of the simulated processor: what ends, what stays, what starts again."""

# ruff: noqa: I001 - what is imported later depends on it

import sys

sys.path.insert(0, "host_tests/on_target/toy")

from checks import check, raises, report
from host_ports import free_ports
from sim_checks import Stop, fresh  # puts virtual time in place

import asyncio
import gc
import time

import loop
import machine
import machine_bus
import net
import power
import processor
import timeline
import toy_state
import wiring
from machine import SPI, WDT, Pin
from toy_chips import Memory

_CS = 20
_GOOD = 28


class Bench:
    """A supply, a memory chip and the processor."""

    def __init__(self, scenario):
        fresh()
        timeline.set_rate(0)
        self.chip = Memory()
        self.good = []
        wiring.spi(1, _CS, self.chip)
        self.supply = power.Supply(self.hear_good)
        self.supply.add(self.chip)
        machine_bus.supply = self.supply
        self.processor = processor.Processor(self.supply)
        toy_state.scenario = scenario
        toy_state.lives.clear()

    def hear_good(self, level):
        self.good.append(level)
        wiring.drive(_GOOD, level)

    def run(self, seconds=0.0, bench=None):
        """Run the processor for so long in virtual time, or until the bench's coroutine ends."""

        async def work():
            if bench is not None:
                await bench()
            else:
                await timeline.advance(seconds)
            timeline.interrupt(Stop())

        loop.create_task(work(), loop.BENCH)
        try:
            self.processor.run()
        except Stop:
            self.processor.stop()


def write(data, address=0):
    """What a driver does to store bytes."""
    cs = Pin(_CS, Pin.OUT, value=1)
    spi = SPI(1, baudrate=8_000_000)
    cs.off()
    spi.write(bytes((2, address)))
    spi.write(data)
    cs.on()


def test_resets():
    heard = []

    def scenario():
        heard.append(machine.reset_cause())

        async def task():
            await asyncio.sleep_ms(100)
            if len(heard) == 1:
                machine.reset()
            if len(heard) == 2:
                machine.soft_reset()
            if len(heard) == 3:
                WDT(timeout=1000)
                await asyncio.sleep_ms(900)
                heard.append("alive")
                await asyncio.sleep_ms(200)
                heard.append("never")

        asyncio.create_task(task())

    bench = Bench(scenario)
    bench.run(5)
    check(
        "causes",
        heard
        == [
            machine.PWRON_RESET,
            machine.HARD_RESET,
            machine.SOFT_RESET,
            "alive",
            machine.WDT_RESET,
        ],
        heard,
    )
    check("main is imported anew each time", toy_state.lives == [1, 1, 1, 1], toy_state.lives)
    check("boots are counted", bench.processor.boots == 4)
    check("time since the last boot", timeline.now_us - bench.processor.boot_us == 3_700_000)


def test_fed_watchdog():
    fed = []

    def scenario():
        watchdog = WDT(timeout=1000)

        async def task():
            while True:
                await asyncio.sleep_ms(600)
                watchdog.feed()
                fed.append(timeline.now_us)

        asyncio.create_task(task())

    bench = Bench(scenario)
    bench.run(60)
    check("a fed watchdog does not bite", bench.processor.boots == 1 and len(fed) == 100, len(fed))


def test_watchdog_bites_a_driver():
    def scenario():
        WDT(timeout=1000)

        async def task():
            time.sleep(10)  # noqa: ASYNC251 - a driver that blocks
            toy_state.lives.append("never")

        if len(toy_state.lives) == 1:
            asyncio.create_task(task())

    bench = Bench(scenario)
    bench.run(1.5)
    check("a blocking driver is left", toy_state.lives == [1, 1], toy_state.lives)


def test_holdup():
    trace = []

    def scenario():
        pin = Pin(_GOOD, Pin.IN, Pin.PULL_UP)
        pin.irq(lambda p: trace.append(("falls", timeline.now_us // 1000)), Pin.IRQ_FALLING)

        async def task():
            while True:
                trace.append(timeline.now_us // 1000)
                await asyncio.sleep_ms(20)

        asyncio.create_task(task())

    bench = Bench(scenario)

    async def work():
        await timeline.advance(0.1)
        bench.supply.off()
        await timeline.advance(0.03)
        check("still powered", bench.supply.powered and bench.chip.powered)
        await timeline.advance(0.07)
        check("powered off", not bench.supply.powered and not bench.chip.powered)
        check("processor off", bench.processor.state == processor.OFF)
        check("uptime off", bench.processor.uptime_s() == 0)
        await timeline.advance(1)
        trace.append("on")
        bench.supply.on()
        await timeline.advance(0.01)
        check("power is back", bench.chip.powered and bench.processor.state == processor.RUNNING)
        bench.supply.off(100)
        await timeline.advance(0.05)
        bench.supply.on()
        await timeline.advance(0.1)
        check("a short dip does not reset", bench.processor.boots == 2, bench.processor.boots)
        bench.supply.off(0)
        await asyncio.sleep_ms(0)
        check("no hold-up", not bench.supply.powered)
        bench.supply.off()
        bench.supply.on()
        bench.supply.on()
        await timeline.advance(0.01)
        check("back again", bench.processor.boots == 3)

    bench.run(bench=work)
    check(
        "firmware sees the line fall and runs until the end",
        trace[:11] == [0, 20, 40, 60, 80, 100, ("falls", 100), 120, 140, "on", 1200],
        trace[:11],
    )
    check("line", bench.good == [0, 1, 0, 1, 0, 1], bench.good)
    check("bad times", raises(ValueError, bench.supply.off, -1))
    check("bad times", raises(ValueError, bench.supply.off, "50"))


def test_torn_write():
    data = bytes(range(1, 101))
    results = []

    def scenario():
        async def task():
            write(data)
            results.append("whole")

        asyncio.create_task(task())

    for cut in (0, 1, 2, 3, 50, 101, 102, 103):
        bench = Bench(scenario)
        bench.supply.cut_after(bench.chip, cut)
        bench.run(0.1)
        stored = max(0, min(100, cut - 2))
        torn = bench.chip.cells[:stored] == data[:stored] and not any(bench.chip.cells[stored:100])
        check("torn at that byte", torn, cut, bytes(bench.chip.cells[:8]))
        expected = ["whole"] if cut > 102 else []
        check("the driver never returns", results == expected, cut, results)
        check("powered", bench.supply.powered == (cut > 102), cut)
        results.clear()


def test_holdup_ends_in_a_transfer():
    """8 MHz is one byte in a microsecond: 100 bytes in 60 us get as far as 58 data bytes."""
    data = bytes(range(1, 101))

    def scenario():
        async def task():
            await asyncio.sleep_ms(10)
            write(data)
            toy_state.lives.append("never")

        asyncio.create_task(task())

    bench = Bench(scenario)

    async def work():
        await timeline.advance(0.005)
        bench.supply.off(5.06)
        await timeline.advance(0.1)

    bench.run(bench=work)
    torn = bytes(bench.chip.cells[:60])
    check("torn by time", torn == data[:58] + b"\0\0", torn)
    check("the driver does not return", toy_state.lives == [1], toy_state.lives)
    check("the power went at its time", not bench.supply.powered)


def test_power_cut_in_start():
    def scenario():
        write(b"boot", len(toy_state.lives) * 8)

    bench = Bench(scenario)
    bench.supply.cut_after(bench.chip, 3)

    async def work():
        await timeline.advance(0.1)
        check("off", bench.processor.state == processor.OFF)
        bench.supply.on()
        await timeline.advance(0.1)

    bench.run(bench=work)
    check("first boot torn", bench.chip.cells[8:12] == b"b\0\0\0")
    check("second boot whole", bench.chip.cells[16:20] == b"boot")


def test_halted():
    trouble = [True]

    def scenario():
        if trouble[0]:
            raise OSError(5)

    bench = Bench(scenario)

    async def work():
        await timeline.advance(1)
        check("halted", bench.processor.state == processor.HALTED)
        check("says why", "OSError" in bench.processor.error, bench.processor.error)
        trouble[0] = False
        bench.supply.off()
        await timeline.advance(1)
        bench.supply.on()
        await timeline.advance(1)
        check("runs after the next power-up", bench.processor.state == processor.RUNNING)
        check("no error any more", bench.processor.error == "")

    bench.run(bench=work)


def test_memory_over_reboots():
    def scenario():
        ballast = bytearray(50_000)

        async def task():
            event = asyncio.Event()
            flag = asyncio.ThreadSafeFlag()
            pin = Pin(_GOOD, Pin.IN)
            pin.irq(lambda p: flag.set(), Pin.IRQ_FALLING)
            machine.Timer(period=7, callback=lambda t: ballast)
            asyncio.create_task(waits(event, ballast))
            await flag.wait()
            await event.wait()

        async def waits(event, data):
            await event.wait()
            return data

        asyncio.create_task(task())

    bench = Bench(scenario)
    levels = []

    async def work():
        for _ in range(12):
            await timeline.advance(0.5)
            bench.supply.off()
            await timeline.advance(1)
            gc.collect()
            levels.append(gc.mem_alloc())
            bench.supply.on()
        await timeline.advance(0.1)

    bench.run(bench=work)
    check("thirteen lives", bench.processor.boots == 13, bench.processor.boots)
    check("memory comes back", levels[11] - levels[1] < 2000, levels)


def test_listener_survives():
    """A TCP server of the firmware opens its port again after each reboot."""
    port = free_ports(1)

    def scenario():
        async def answer(reader, writer):
            while True:
                line = await reader.readline()
                if not line:
                    break
                writer.write(b"%d " % len(toy_state.lives) + line)
                await writer.drain()

        async def serve():
            await asyncio.start_server(answer, "127.0.0.1", port)

        asyncio.create_task(serve())

    bench = Bench(scenario)
    heard = []

    async def ask(word):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(word)
        await writer.drain()
        heard.append(await reader.readline())
        return reader

    async def work():
        for word in (b"one\n", b"two\n", b"three\n"):
            await timeline.advance(0.01)
            reader = await ask(word)
            check("the meter has sockets", net.open_count(loop.METER) == 2)
            bench.supply.off(0)
            await timeline.advance(0.01)
            check("and loses them", net.open_count(loop.METER) == 0)
            check("the connection ends", await reader.readline() == b"")
            bench.supply.on()

    bench.run(bench=work)
    check("answers", heard == [b"1 one\n", b"2 two\n", b"3 three\n"], heard)


def test_bench_goes_on():
    """Tasks of the bench neither end with the meter nor wait for it."""
    ticks = []

    def scenario():
        async def task():
            machine.reset()

        if len(toy_state.lives) < 4:
            asyncio.create_task(task())

    bench = Bench(scenario)

    async def ticker():
        while True:
            ticks.append(timeline.now_us)
            await asyncio.sleep_ms(10)

    loop.create_task(ticker(), loop.BENCH)
    bench.run(0.1)
    check("goes on", ticks == list(range(0, 110_000, 10_000)), ticks)
    check("boots", bench.processor.boots == 4)


for test in (
    test_resets,
    test_fed_watchdog,
    test_watchdog_bites_a_driver,
    test_holdup,
    test_torn_write,
    test_holdup_ends_in_a_transfer,
    test_power_cut_in_start,
    test_halted,
    test_memory_over_reboots,
    test_listener_survives,
    test_bench_goes_on,
):
    test()
report()
