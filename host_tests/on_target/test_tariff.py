"""Rates, masks, blocks and inputs on MicroPython: its arrays, records and interrupts.

Registers of 48 rates come and go and are back after a start; without them they cost no heap. A
pulse at a tariff input is a change from 100 ms on, at the moment of its edge.
"""

# heap: 1M
# row: EN-04

import gc
import sys

sys.path.insert(0, "host_tests/on_target/toy")

from checks import check, raises, report
from sim_checks import fresh, run

sys.path.insert(0, "host_tests/on_target")

import asyncio

import wiring
from machine import Pin
from sparse_memory import SparseMemory

from app import ticks
from app.settings import Settings
from app.tariff.activation import rate_name
from app.tariff.blocks import Blocks
from app.tariff.energy_rates import EnergyRates
from app.tariff.factory_scripts import factory_scripts
from app.tariff.inputs import Inputs
from app.tariff.window_totals import WindowTotals

PINS = (40, 41)
SHARE_UWS = 7_000_000_123


class Energies:
    element_uws = ()

    def __init__(self):
        self.wh = [5_000_000_000] * 12
        self.residue = [0] * 12

    def window(self, tariff):
        for kind in range(11):
            units, self.residue[kind] = divmod(self.residue[kind] + SHARE_UWS, 3_600_000_000)
            self.wh[kind] += units
        tariff.window()


class Engine:
    """Windows that take no time."""

    rate_mhz = 4_000_000
    frames_q16 = 0

    def __init__(self, energies):
        self.energies = energies


class Tariff:
    def __init__(self, memory, energies):
        settings = Settings(memory)
        self.totals = WindowTotals(Engine(energies))
        self.energy = EnergyRates(memory, settings, self.totals, lambda: None, ticks.now_ms)
        self.rates = self.energy.registers
        self.blocks = Blocks(memory, self.rates.value_wh, lambda: None)

    def window(self):
        self.totals.window()
        self.rates.window()


def import_wh(tariff):
    registers = list(range(8)) + list(range(88, tariff.rates.count))
    return [tariff.rates.value_wh(index) for index in registers]


def test_rates():
    fresh()
    memory = SparseMemory()
    energies = Energies()
    tariff = Tariff(memory, energies)
    first_wh = energies.wh[0]
    for count in (8, 48):
        tariff.energy.set_number(count)
        for rate in range(1, count + 1):
            tariff.energy.masks.activate(rate_name(rate))
            tariff.window()  # settles what a moment in the running window has left open
            before = import_wh(tariff)
            for _ in range(3):
                energies.window(tariff)
            grown = [n + 1 for n, wh in enumerate(import_wh(tariff)) if wh != before[n]]
            check("only the rate grows", grown == [rate], rate, grown)
        held = import_wh(tariff)
        gained = energies.wh[0] - first_wh
        check("sum of the rates", gained - count < sum(held) <= gained, sum(held), gained)
        tariff.blocks.new_period()
        again = Tariff(memory, energies)
        check("rates are back", import_wh(again) == held)
        check("their number is", again.energy.number() == count)
        blocks = [again.blocks.value_wh(0, rate) for rate in range(8)]
        check("blocks are", blocks == held[:8], blocks)
        tariff = again
    tariff.energy.set_number(8)
    check("the first rates stay", import_wh(tariff) == held[:8])
    tariff.energy.set_number(48)
    check("the others have rested", import_wh(tariff) == held)
    check("no third number", raises(ValueError, tariff.energy.set_number, 16))
    check(
        "a script each", len(factory_scripts(48)) == 2 + 8 * 49 + 40 * 28, len(factory_scripts(48))
    )


def test_heap():
    fresh()
    memory = SparseMemory()
    energies = Energies()
    taken = []
    for count in (8, 48, 8):
        Tariff(memory, energies).energy.set_number(count)
        gc.collect()
        before = gc.mem_alloc()
        tariff = Tariff(memory, energies)
        gc.collect()
        taken.append(gc.mem_alloc() - before)
        del tariff
    print("heap of the tariff with 8, 48, 8 rates:", taken)
    check("rates that are off cost no heap", taken[2] <= taken[0] + 64, taken)
    check("rates that are on do", taken[1] > taken[0] + 640, taken)


def test_inputs():
    fresh()
    for pin in PINS:
        wiring.drive(pin, 1)
    told = []
    inputs = Inputs(
        [Pin(pin, Pin.IN, Pin.PULL_UP) for pin in PINS],
        lambda code, at_ms: told.append((code, at_ms)),
    )

    async def bench():
        task = asyncio.create_task(inputs.run())
        await asyncio.sleep_ms(500)
        check("the first code", [code for code, _ in told] == [0], told)
        del told[:]
        wiring.drive(PINS[0], 0)
        await asyncio.sleep_ms(50)
        wiring.drive(PINS[0], 1)
        await asyncio.sleep_ms(500)
        check("50 ms are none", told == [], told)
        edge_ms = ticks.now_ms()
        wiring.drive(PINS[0], 0)
        await asyncio.sleep_ms(150)
        check("150 ms are one", told == [(1, edge_ms)], told, edge_ms)
        edge_ms = ticks.now_ms()
        for _ in range(20):  # it bounces for 400 ms; the last edge counts
            wiring.drive(PINS[1], 0)
            await asyncio.sleep_ms(10)
            wiring.drive(PINS[1], 1)
            await asyncio.sleep_ms(10)
        wiring.drive(PINS[1], 0)
        await asyncio.sleep_ms(500)
        check("bounce is waited out", told[1:] == [(3, edge_ms + 400)], told, edge_ms)
        task.cancel()

    run(bench())


test_rates()
test_heap()
test_inputs()
report()
