"""Flipped bits, memories that die or stick, a flash that takes nothing more: degraded but honest.

The works of the power-cut torture write everything; then the chips fail, not the power. Rows
NOP-08, ERR-07, ERR-12 and NOP-11 of docs/features.md say what is expected.
"""
# heap: 16M
# ruff: noqa: I001 - what is imported later depends on it

import power_rig  # noqa: F401 - puts virtual time in place

import gc
import random

import timeline
import torture_values
import torture_works
from checks import check, report
from power_rig import Bench, window

from app.storage import regions

SEED = 20260201
FLIPS = 25
_HEADER = 8
_CRC = 4


def slots():
    """Name, address and capacity of both slots of each region."""
    found = []
    address = 0
    for name, capacity, _ in regions.REGIONS:
        for _ in range(2):
            found.append((name, address))
            address += regions.slot_size(capacity)
    return found


class Flips:
    """One meter whose memory loses a bit between its lives."""

    def __init__(self):
        self.works = torture_works.make(random)
        self.bench = Bench()
        self.bench.before = self.judge
        self.older = {}  # value of a work before its last change
        self.codes = []
        self.judging = False

    def judge(self, meter):
        post = meter.power_up._post

        def note(code, utc_s):
            self.codes.append(code & 0xFF)
            post(code, utc_s)

        meter.power_up._post = note
        for work in self.works:
            if isinstance(work, torture_values.Value) and work.allowed:
                work.allowed = work.allowed + (self.older.get(work),)
            if isinstance(work, torture_works.Energies):
                # the older copy is one save behind, and a save follows each unit
                work.shown = [wh - 2 for wh in work.shown]
            if isinstance(work, torture_works.PowerCounters):
                work.least = (work.least[0] - 1, work.least[1] - 10)
            work.check(meter)
            for text in work.violations:
                check(text, False)
            work.violations = []

    def act(self):
        meter = self.bench.meter
        for _ in range(12):
            work = random.choice(self.works)
            before = work.read(meter) if isinstance(work, torture_values.Value) else None
            work.act(meter)
            if before is not None and work.read(meter) != before:
                self.older[work] = before

    async def run(self):
        places = slots()
        cells = self.bench.cells
        await timeline.advance(1)
        for number in range(FLIPS):
            self.act()
            await timeline.advance(3)  # rows arrive in flash
            self.bench.supply.off()
            await timeline.advance(10)
            name, address = random.choice(places)
            head = cells.read(address, _HEADER)
            length = head[4] | head[5] << 8
            written = head not in (b"\xff" * _HEADER, bytes(_HEADER))
            if written:
                at = address + random.randrange(_HEADER - 1 + length + _CRC)
                at += 1 if at - address >= _HEADER - 1 else 0  # one octet of the header is spare
                cells.write(at, bytes((cells.read(at, 1)[0] ^ 1 << random.randrange(8),)))
            self.codes.clear()
            self.bench.supply.on()
            await timeline.advance(0)
            if written and name != "power":
                told = [text for text in self.bench.meter.problems if name in text]
                check("told", told, number, name, self.bench.meter.problems)
                check("event", 14 in self.codes or 16 in self.codes, name, self.codes)
            # repaired: the next start has nothing to tell
            await timeline.advance(2)
            self.bench.supply.off()
            await timeline.advance(1)
            self.bench.supply.on()
            await timeline.advance(0)
            check("repaired", self.bench.meter.problems == [], name, self.bench.meter.problems)
            gc.collect()


# row: NOP-08
def test_a_flipped_bit_is_found_told_and_repaired():
    random.seed(SEED)
    print("seed", SEED)
    flips = Flips()
    flips.bench.run(flips.run())


def test_both_copies_gone_are_told_and_never_believed():
    bench = Bench()

    async def script():
        await timeline.advance(1)
        window(bench.meter, 10_000, 0, 1000)
        bench.meter.clock.set_shift_limit(77)
        bench.supply.off()
        await timeline.advance(1)
        for name, address in slots():
            if name in ("energies", "clock_limits"):
                at = address + _HEADER
                bench.cells.write(at, bytes((bench.cells.read(at, 1)[0] ^ 1,)))
        bench.supply.on()
        await timeline.advance(1)
        problems = "; ".join(bench.meter.problems)
        check("energies", "energies" in problems and bench.meter.engine.energies.wh[0] == 0)
        check("setting", "clock_limits" in problems, problems)
        check("error bit", bench.meter.events.errors.value(0) & 0x400)
        window(bench.meter, 10_000, 0, 1000)
        check("it measures on", bench.meter.engine.energies.wh[0] > 500)

    bench.run(script())


def test_a_flash_that_fails_stops_nobody():
    for fault in ("dead", "stuck"):
        bench = Bench()

        async def script(bench=bench, fault=fault):
            await timeline.advance(5)
            bench.flash.fault(fault)
            for _ in range(8):
                bench.meter.events.post(14)
                await timeline.advance(5)
            check("told", bench.meter.problems != [], fault)
            check("error bit", bench.meter.events.errors.value(1) & 0x8000, fault)
            window(bench.meter, 10_000, 0, 1000)
            wh = bench.meter.engine.energies.wh[0]
            await bench.outage(20)
            check("registers stay", bench.meter.engine.energies.wh[0] == wh, fault)
            check("it runs", bench.processor.boots == 2 and bench.meter.supervisor.restarts() == 0)
            bench.flash.fault("clear")
            await timeline.advance(60)
            before = bench.meter.events.logs[0].next
            bench.meter.events.post(14)
            await timeline.advance(5)
            check("logs again", bench.meter.events.logs[0].next == before + 1, fault)
            await bench.outage(20)
            log = bench.meter.events.logs[0]
            check("and keeps it", log.load(before) and log.row()[3] == 14, fault)

        bench.run(script())


def test_a_parameter_that_rots_is_found_within_the_hour():
    """Row ERR-07."""
    bench = Bench()

    async def script():
        await timeline.advance(5)
        bench.meter.clock.set_shift_limit(77)
        bench.meter.clock.set_shift_limit(78)
        for name, address in slots():
            if name == "clock_limits":
                bench.cells.write(address + _HEADER, b"\x55")
                break
        await timeline.advance(3700)
        check("told", any("clock_limits" in text for text in bench.meter.problems))
        check("error bit", bench.meter.events.errors.value(0) & 0x400)
        await bench.outage(10)
        check("repaired", bench.meter.clock.shift_limit_s == 78 and bench.meter.problems == [])

    bench.run(script())


for test in (
    test_a_flipped_bit_is_found_told_and_repaired,
    test_both_copies_gone_are_told_and_never_believed,
    test_a_flash_that_fails_stops_nobody,
    test_a_parameter_that_rots_is_found_within_the_hour,
):
    test()
report()
