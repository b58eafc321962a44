"""Outages of every length, resets, the battery, chips that die: the whole meter on its chips.

Expected figures are those of rows NOP-01 to NOP-07, PQL-17, ERR-09 and ERR-18 of docs/features.md.
"""
# ruff: noqa: I001 - what is imported later depends on it

import power_rig  # puts virtual time in place
import asyncio

import timeline
from checks import check, report
from power_rig import Bench, window


class Log:
    """What the meter has posted and called since `begin`, over its lives."""

    def __init__(self, bench):
        self.entries = []
        self.missed = []
        self.bench = bench
        bench.before = self.attach

    def attach(self, meter):
        meter.power_up._post = self.post
        meter.power_up.on_power_up.append(self.called)

    def post(self, code, utc_s):
        if utc_s is None:
            utc_s = self.bench.meter.clock.utc_s()
        self.entries.append((code, utc_s - power_rig.START_UTC_S))

    def called(self, outage_s, short):
        self.entries.append(("missed", outage_s))
        self.missed.append((outage_s, short))

    def take(self):
        taken, self.entries = self.entries, []
        return taken

    def codes(self):
        return [code for code, _ in self.take()]


def test_a_new_meter_reports_that_it_starts():
    bench = Bench()
    log = Log(bench)

    async def script():
        await timeline.advance(1)
        check("only power up", log.codes() == [2])
        check("no outage", bench.meter.outages.failures == 0)

    bench.run(script())


# row: NOP-06 NOP-07 PQL-17 ERR-18
def test_outages_are_told_apart_by_their_length():
    bench = Bench()
    log = Log(bench)

    async def script():
        await timeline.advance(20)
        log.take()
        await bench.outage(100)
        check("order", log.take() == [(1, 20), (2, 120), ("missed", 100)])
        history = bench.meter.outages
        counts = (history.failures, history.long_failures, history.reclosings)
        check("100 s are short", counts == (1, 0, 1), counts)
        await timeline.advance(20)
        await bench.outage(200)
        check("order", log.take() == [(1, 140), (2, 340), ("missed", 200)])
        history = bench.meter.outages
        counts = (history.failures, history.long_failures, history.reclosings, history.long_s)
        check("200 s are long", counts == (2, 1, 1, 200), counts)
        await timeline.advance(20)
        await bench.outage(10)
        check("10 s reclose", bench.meter.outages.reclosings == 2)
        check("told", log.missed == [(100, True), (200, False), (10, True)], log.missed)
        bench.meter.outages.set_threshold(5)
        await bench.outage(10)
        history = bench.meter.outages
        check("threshold stays", history.threshold_s == 5)
        check("10 s are long by it", (history.long_failures, history.long_s) == (2, 10))
        for wrong in (0, -1, 86401):
            try:
                history.set_threshold(wrong)
                check("threshold refused", False, wrong)
            except ValueError:
                check("threshold refused", history.threshold_s == 5)

    bench.run(script())


def test_an_outage_without_warning_is_known_to_ten_seconds():
    bench = Bench()
    log = Log(bench)

    async def script():
        await timeline.advance(35)
        log.take()
        window(bench.meter, 10_000, 0)
        await bench.outage(300, 0)
        entries = log.take()
        check("codes", [code for code, _ in entries] == [1, 2, "missed"], entries)
        check("when", 25 <= entries[0][1] <= 35, entries)
        check("how long", 300 <= log.missed[0][0] <= 310 and not log.missed[0][1], log.missed)

    bench.run(script())


def test_a_dip_shorter_than_the_hold_up_is_no_outage():
    bench = Bench()
    log = Log(bench)

    async def script():
        await timeline.advance(15)
        log.take()
        for _ in range(5):
            await bench.outage(0.03)
            await timeline.advance(1)
        check("nothing logged", log.take() == [])
        check("saved each time", bench.meter.power_fail.count == 5)
        check("no boot", bench.processor.boots == 1)
        bench.supply.off(0)  # the record must say again that the meter was running
        bench.supply.on()
        await timeline.advance(0)
        check("seen last after the dips", log.take()[0][1] >= 19)

    bench.run(script())


def test_a_sign_of_life_in_the_hold_up_time_is_no_fault_of_the_memory():
    bench = Bench()

    async def script():
        await timeline.advance(15)
        bench.supply.off(50)
        await timeline.advance(0.01)
        history = bench.meter.outages
        check("it has said farewell", history._state == 0)
        history.seen()  # every ten seconds, and so now and then within the hold-up time
        check("the memory answers", not history.failed)
        check("it lives again", history._state == 1)
        bench.meter.energy_record.save()
        await timeline.advance(1)
        bench.supply.on()
        await timeline.advance(1)
        check("what followed the farewell may be torn", not bench.meter.outages.orderly)
        check("and was not", not bench.meter.outages.damaged)

    bench.run(script())


def test_an_outage_that_outlasted_the_clock_counts_as_long():
    bench = Bench()
    log = Log(bench)

    async def script():
        await timeline.advance(15)
        log.take()
        bench.supply.off()
        await timeline.advance(1)
        bench.rtc.fault("oscillator_stop")
        bench.supply.on()
        await timeline.advance(0)
        check("order", log.codes() == [1, 6, 2, "missed"])
        check("not known", log.missed == [(-1, False)], log.missed)
        check("long", bench.meter.outages.long_failures == 1)

    bench.run(script())


# row: ERR-09 NOP-14
def test_a_blocked_task_leads_to_a_restart():
    bench = Bench()
    log = Log(bench)

    async def blocks(_task):
        timeline.pass_us(60_000_000)

    async def script():
        await timeline.advance(30)
        window(bench.meter, 20_000, 0, 10)
        before = list(bench.meter.engine.energies.wh)
        log.take()
        began_us = timeline.now_us
        bench.meter.supervisor.start("blocked", blocks)
        while bench.processor.boots == 1:
            await timeline.advance(0.1)
        check("within the limit", timeline.now_us - began_us <= 8_100_000)
        check("event 15, no outage", log.codes() == [15])
        check("counted", bench.meter.outages.resets == 1 and bench.meter.outages.failures == 0)
        check("energy", bench.meter.engine.energies.wh == before)
        await bench.outage(30)
        check("the next outage is one", log.codes() == [1, 2, "missed"])
        check("counter stays", bench.meter.outages.resets == 1)

    bench.run(script())


def test_a_task_that_went_silent_leads_to_a_restart():
    bench = Bench()
    log = Log(bench)

    async def silent(task):
        await asyncio.Event().wait()

    async def script():
        await timeline.advance(5)
        log.take()
        bench.meter.supervisor.start("silent", silent, 5)
        await timeline.advance(20)
        check("restarted", log.codes() == [15] and bench.processor.boots == 2)

    bench.run(script())


# row: NOP-01 NOP-02
def test_the_battery_serves_whoever_holds_a_key():
    bench = Bench()
    log = Log(bench)

    async def use(held_s):
        """Hold the key; return how long the meter was on in seconds."""
        began_us = timeline.now_us
        bench.press(True)
        await timeline.advance(held_s)
        bench.press(False)
        while bench.supply.powered:
            await timeline.advance(0.1)
        return (timeline.now_us - began_us) / 1e6

    async def script():
        await timeline.advance(30)
        await timeline.advance(30)
        log.take()
        bench.supply.off()
        await timeline.advance(100)
        check("off", not bench.supply.powered)
        used = await use(3)
        check("three seconds are too short", used <= 3.2, used)
        check("the glass stays dark", not bench.lcd.answers())
        used = await use(5)
        check("fifteen seconds without a key", 19.9 <= used <= 20.4, used)
        bench.press(True)
        await timeline.advance(5)
        check("the glass shows", bench.lcd.visible() and bench.lcd.backlight)
        check("used up", bench.meter.outages.battery_s == 30, bench.meter.outages.battery_s)
        bench.press(False)
        began_us = timeline.now_us
        for step in range(300):
            await timeline.advance(0.5)
            if not bench.supply.powered:
                break
            bench.press(step % 10 == 0)
        used = (timeline.now_us - began_us) / 1e6
        check("two minutes at most", 118 <= used <= 120.5, used)
        check("nothing logged", log.take() == [])
        bench.supply.on()
        await timeline.advance(0)
        spent = bench.meter.outages.battery_s
        check("budget counter", 140 <= spent <= 150, spent)
        check("one outage", log.codes() == [1, 2, "missed"])
        bench.meter.outages.battery_s = 180_000
        bench.meter.outages.seen()
        bench.supply.off()
        await timeline.advance(1)
        used = await use(6)
        check("the budget is spent", used <= 6.2 and not bench.lcd.backlight, used)

    bench.run(script())


def test_mains_that_comes_back_ends_the_use():
    bench = Bench()
    log = Log(bench)

    async def script():
        await timeline.advance(20)
        log.take()
        bench.supply.off()
        await timeline.advance(200)
        bench.press(True)
        await timeline.advance(6)
        bench.press(False)
        check("no metrology", "metrology" not in [t.name for t in bench.meter.supervisor.tasks])
        bench.supply.on()
        await timeline.advance(1)
        check("the order of a power up", log.codes() == [1, 2, "missed"])
        check("the whole outage", log.missed == [(206, False)], log.missed)
        check("all tasks", "metrology" in [t.name for t in bench.meter.supervisor.tasks])

    bench.run(script())


def test_a_battery_that_is_taken_away_ends_the_use():
    bench = Bench()

    async def script():
        await timeline.advance(1)
        bench.supply.off()
        await timeline.advance(1)
        bench.press(True)
        await timeline.advance(6)
        bench.supply.set_battery(False)
        await timeline.advance(0)
        check("off", not bench.supply.powered)
        bench.press(False)
        bench.press(True)
        await timeline.advance(6)
        check("stays off", not bench.supply.powered)

    bench.run(script())


def test_a_dead_converter_is_told_and_tried_again():
    bench = Bench()
    log = Log(bench)
    bench.converter_dead = True

    async def script():
        await timeline.advance(10)
        check("event 16", 16 in log.codes())
        check("told", any("converter" in text for text in bench.meter.problems))
        await timeline.advance(120)
        check("tries do not starve the watchdog", bench.processor.boots == 1)
        bench.converter_dead = False
        await timeline.advance(70)
        check("it measures again", bench.meter.problems == [], bench.meter.problems)
        check("no reset", bench.processor.boots == 1)

    bench.run(script())


def test_a_memory_that_dies_is_told_and_taken_up_again():
    for fault in ("dead", "stuck"):
        bench = Bench()
        log = Log(bench)

        async def script(bench=bench, log=log, fault=fault):
            await timeline.advance(20)
            window(bench.meter, 20_000, 0, 10)
            log.take()
            bench.fram.fault(fault)
            window(bench.meter, 20_000, 0, 10)
            await timeline.advance(11)
            check(fault, log.codes() == [14] and len(bench.meter.problems) == 1)
            window(bench.meter, 20_000, 0, 100)
            wh = bench.meter.engine.energies.wh[0]
            check("it counts on", wh >= 130, wh)
            bench.fram.fault("clear")
            await timeline.advance(11)
            check("told no more", bench.meter.problems == [])
            await bench.outage(10, 0)
            check("nothing is lost", bench.meter.engine.energies.wh[0] == wh)

        bench.run(script())


def test_a_memory_that_was_dead_at_start_keeps_what_it_holds():
    bench = Bench()

    async def script():
        await timeline.advance(20)
        window(bench.meter, 20_000, 0, 1000)
        bench.meter.clock.set_shift_limit(77)
        before = bench.meter.engine.energies.wh[0]
        bench.supply.off()
        await timeline.advance(10)
        bench.fram.fault("dead")
        bench.supply.on()
        await timeline.advance(30)
        check("it runs without", bench.meter.engine.energies.wh[0] == 0)
        check("and says so", len(bench.meter.problems) > 0)
        check("factory's limit", bench.meter.clock.shift_limit_s != 77)
        window(bench.meter, 20_000, 0, 1000)
        added = bench.meter.engine.energies.wh[0]
        check("it counts", added > 1000, added)
        bench.fram.fault("clear")
        await timeline.advance(20)
        after = bench.meter.engine.energies.wh[0]
        check("both together", before + added <= after <= before + added + 1, before, added, after)
        check("started anew", bench.meter.clock.shift_limit_s == 77)
        check("counters", bench.meter.outages.failures == 0, bench.meter.outages.failures)
        check("no problem left", bench.meter.problems == [], bench.meter.problems)
        await bench.outage(5)
        check("for good", bench.meter.engine.energies.wh[0] == after)

    bench.run(script())


for test in (
    test_a_memory_that_was_dead_at_start_keeps_what_it_holds,
    test_a_new_meter_reports_that_it_starts,
    test_outages_are_told_apart_by_their_length,
    test_an_outage_without_warning_is_known_to_ten_seconds,
    test_a_dip_shorter_than_the_hold_up_is_no_outage,
    test_a_sign_of_life_in_the_hold_up_time_is_no_fault_of_the_memory,
    test_an_outage_that_outlasted_the_clock_counts_as_long,
    test_a_blocked_task_leads_to_a_restart,
    test_a_task_that_went_silent_leads_to_a_restart,
    test_the_battery_serves_whoever_holds_a_key,
    test_mains_that_comes_back_ends_the_use,
    test_a_battery_that_is_taken_away_ends_the_use,
    test_a_dead_converter_is_told_and_tried_again,
    test_a_memory_that_dies_is_told_and_taken_up_again,
):
    test()
report()
