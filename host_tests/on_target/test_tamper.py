"""Covers and magnet, with and without mains: what the fraud log says, and when.

Codes are those of table 8.2 of docs/features.md; times are those at which the bench moved.
"""
# ruff: noqa: I001 - what is imported later depends on it

import power_rig  # puts virtual time in place

import timeline
from checks import check, report
from power_rig import Bench

from app.logs.events import FRAUD
from app.storage import regions


def entries(bench):
    """(code, seconds since the bench began) of the fraud log, its first entry left out."""
    log = bench.meter.events.logs[FRAUD]
    found = []
    for sequence in range(log.first, log.next):
        check("entry is whole", log.load(sequence))
        row = log.row()
        found.append((row[-1], row[0] - power_rig.START_UTC_S))
    return found


# row: FRD-01 FRD-02 FRD-03
def test_what_moves_while_the_meter_runs_is_logged_and_counted():
    bench = Bench()

    async def script():
        await timeline.advance(10)
        for name in ("terminal", "meter", "magnet"):
            bench.move(name, True)
            await timeline.advance(5)
            bench.move(name, False)
            await timeline.advance(5)
        expected = [(40, 10), (41, 15), (44, 20), (45, 25), (42, 30), (43, 35)]
        check("log", entries(bench) == expected, entries(bench))
        check("counts", bench.meter.tamper.counts == [1, 1, 1], bench.meter.tamper.counts)
        bits = bench.meter.events.errors.value(1)
        check("bits", bits & 0xB000000 == 0xB000000, hex(bits))
        await bench.outage(100)
        check("nothing twice", entries(bench) == expected, entries(bench))
        check("counts stay", bench.meter.tamper.counts == [1, 1, 1])

    bench.run(script())


def test_a_switch_that_bounces_is_one_opening():
    bench = Bench()

    async def script():
        await timeline.advance(10)
        for _ in range(15):
            bench.move("terminal", True)
            await timeline.advance(0.002)
            bench.move("terminal", False)
            await timeline.advance(0.003)
        bench.move("terminal", True)
        await timeline.advance(5)
        check("one", [code for code, _ in entries(bench)] == [40], entries(bench))
        check("counted once", bench.meter.tamper.counts[0] == 1)
        check("open", bench.meter.tamper.active(0))

    bench.run(script())


# row: NOP-04 EVT-17 FRD-04
def test_what_moves_without_mains_is_logged_with_its_true_time():
    bench = Bench()

    async def script():
        await timeline.advance(10)
        bench.supply.off()
        await timeline.advance(90)
        began_us = timeline.now_us
        bench.move("terminal", True)
        while bench.supply.powered:
            await timeline.advance(0.1)
        check("soon off again", timeline.now_us - began_us < 1_000_000)
        await timeline.advance(100 - (timeline.now_us - began_us) / 1e6)
        bench.move("magnet", True)
        await timeline.advance(10)
        bench.move("magnet", False)
        await timeline.advance(90)
        bench.move("terminal", False)
        await timeline.advance(10)
        check("off", not bench.supply.powered)
        bench.supply.on()
        await timeline.advance(5)
        expected = [(40, 100), (42, 200), (43, 210), (41, 300)]
        check("log", entries(bench) == expected, entries(bench))
        history = bench.meter.outages
        check("one outage", (history.failures, history.long_s) == (1, 300), history.long_s)
        check("the battery's budget is for reading", history.battery_s == 0)
        check("no problems", bench.meter.problems == [], bench.meter.problems)
        check("in order", bench.meter.outages.orderly)

    bench.run(script())


# row: NOP-04
def test_without_a_battery_it_is_found_at_power_up():
    bench = Bench()

    async def script():
        await timeline.advance(10)
        bench.supply.set_battery(False)
        bench.supply.off()
        await timeline.advance(90)
        bench.move("meter", True)
        await timeline.advance(100)
        check("off", not bench.supply.powered)
        bench.supply.on()
        await timeline.advance(5)
        check("log", entries(bench) == [(44, 200)], entries(bench))

    bench.run(script())


def test_a_key_held_while_a_cover_is_open_still_opens_the_meter():
    bench = Bench()

    async def script():
        await timeline.advance(10)
        bench.supply.off()
        await timeline.advance(10)
        bench.move("terminal", True)
        bench.press(True)
        await timeline.advance(5)
        check("awake", bench.lcd.visible() and bench.lcd.backlight)
        bench.move("terminal", False)
        await timeline.advance(1)
        codes = [code for code, _ in entries(bench)]
        check("both", codes == [40, 41], codes)
        bench.press(False)
        await timeline.advance(20)
        check("off", not bench.supply.powered)

    bench.run(script())


def test_a_line_that_never_rests_does_not_empty_the_battery():
    bench = Bench()

    async def script():
        await timeline.advance(10)
        bench.supply.off()
        await timeline.advance(10)
        bench.move("terminal", True)
        for step in range(200):
            await timeline.advance(0.02)
            bench.meter and power_rig.wiring.drive(power_rig.pins.TERMINAL_COVER, step % 2)
        check("off after two seconds", not bench.supply.powered)

    bench.run(script())


# row: FRD-04
def test_a_cut_in_any_octet_tells_an_opening_once():
    for octets in range(0, 200, 13):
        bench = Bench()

        async def script(bench=bench, octets=octets):
            await timeline.advance(10)
            bench.supply.cut_after(bench.fram, octets)
            bench.move("terminal", True)
            await timeline.advance(1)
            bench.supply.off(0)
            await timeline.advance(1)
            bench.supply.on()
            await timeline.advance(1)
            codes = [code for code, _ in entries(bench)]
            check("told once", codes == [40], octets, codes)
            check("counted", bench.meter.tamper.counts[0] == 1, octets)
            record = regions.open_record(bench.meter.board.fram, "tamper")
            check("kept", record.load() is not None)

        bench.run(script())


def test_a_clock_that_is_set_leaves_the_next_outage_right():
    for days, seconds in ((1, 100), (-1, 100), (30, 200)):
        for holdup_ms in (0, 50):
            bench = Bench()

            async def script(bench=bench, days=days, seconds=seconds, holdup_ms=holdup_ms):
                await timeline.advance(15)
                clock = bench.meter.clock
                clock.set_utc_s(clock.utc_s() + days * 86400)
                await timeline.advance(1)
                await bench.outage(seconds, holdup_ms)
                history = bench.meter.outages
                expected = (1, 1 if seconds > 180 else 0)
                check("one", (history.failures, history.long_failures) == expected, days)
                found_s = bench.meter.power_up.outage_s
                check("as long as it was", 0 <= found_s - seconds <= 2, found_s, days)

            bench.run(script())


def test_a_clock_that_is_set_on_battery_leaves_the_outage_right():
    bench = Bench()

    async def script():
        await timeline.advance(15)
        bench.supply.off(0)  # no farewell was said
        await timeline.advance(50)
        bench.press(True)
        await timeline.advance(5)
        clock = bench.meter.clock
        clock.set_utc_s(clock.utc_s() + 3600)
        bench.meter.outages.set_threshold(120)
        bench.press(False)
        await timeline.advance(95)
        bench.supply.on()
        await timeline.advance(1)
        found_s = bench.meter.power_up.outage_s
        check("as long as it was", 149 <= found_s <= 160, found_s)
        check("threshold is kept", bench.meter.outages.threshold_s == 120)
        check("it counts as one", bench.meter.outages.long_failures == 1)

    bench.run(script())


for name in sorted(globals()):
    if name.startswith("test_"):
        globals()[name]()
report()
