"""Rings through the unmodified drivers on the board's buses: full at start, stalls, faults."""

# heap: 3M

import sys

sys.path.insert(0, "host_tests/on_target/toy")

from checks import check, raises, report
from sim_checks import fresh, run

sys.path.insert(0, "host_tests/reference")
sys.path.insert(0, "firmware")

import asyncio
import gc
import os
import struct
import time

import chipfile
import flash_image
import host
import machine
import machine_bus
import pins
import power
import timeline
import wiring
from devices import fm25v20 as fram_model
from devices import w25q as flash_model
from machine import SPI, Pin

from app.storage import regions
from app.storage.rings import Rings
from drivers.fm25v20 import Fm25v20
from drivers.w25q import W25q

BUS_HZ = 10_000_000
FOLDER = "build/on_target_storage"
# What each kind of row takes: logs a time and a few octets, profiles ten channels.
ROW_SIZES = {"log": 12, "profile": 98, "billing": 72, "waveform": 4022, "weeks": 98}


def row_size_of(name):
    for kind, size in ROW_SIZES.items():
        if kind in name:
            return size
    raise ValueError(name)


class Bus:
    """The SPI that drivers get, counting octets: on the simulated bus they take no time."""

    def __init__(self, spi):
        self._spi = spi
        self.octets = 0

    def write(self, data):
        self.octets += len(data)
        self._spi.write(data)

    def readinto(self, buffer):
        self.octets += len(buffer)
        self._spi.readinto(buffer)

    def us(self):
        """Time that all of it has taken, with the sleeps of the drivers."""
        return timeline.now_us + self.octets * 8 * 1_000_000 // BUS_HZ


class Counted:
    """hal.Flash that counts what is asked of the chip."""

    def __init__(self, flash):
        self._flash = flash
        self.page_size = flash.page_size
        self.sector_size = flash.sector_size
        self.program = flash.program
        self.erase_sector = flash.erase_sector
        self.busy = flash.busy
        self.reads = 0
        self.octets = 0

    @property
    def size(self):
        return self._flash.size

    def read_into(self, address, buffer):
        self.reads += 1
        self.octets += len(buffer)
        self._flash.read_into(address, buffer)


class Board:
    """The memories behind their bus; `boot` is what the firmware sees after a reset."""

    def __init__(self, new):
        fresh()
        timeline.set_rate(1_000_000)
        host.make_folder(FOLDER)
        self.files = [
            chipfile.ChipFile(FOLDER + "/fram.bin", 0x40000, new),
            chipfile.ChipFile(FOLDER + "/flash.bin", 0x1000000, new),
        ]
        self.fram = fram_model.Fm25v20(self.files[0], timeline.now, timeline.at)
        self.flash = flash_model.W25q(self.files[1], timeline.now, timeline.at)
        machine.start(machine.PWRON_RESET)
        wiring.spi(pins.SPI, pins.FRAM_CS, self.fram)
        wiring.spi(pins.SPI, pins.FLASH_CS, self.flash)
        self.boot()

    def boot(self):
        machine.start(machine.PWRON_RESET)
        self.bus = Bus(SPI(pins.SPI, baudrate=BUS_HZ))
        self.memory = Fm25v20(self.bus, Pin(pins.FRAM_CS, Pin.OUT, value=1))
        self.counted = Counted(W25q(self.bus, Pin(pins.FLASH_CS, Pin.OUT, value=1)))
        self.rings = Rings(self.counted, self.memory)

    def close(self):
        self.flash.close()
        for file in self.files:
            file.close()


def record(size, time_s, mark):
    return (struct.pack("<II", time_s, mark) + bytes([mark & 0xFF]) * size)[:size]


def test_all_rings_full_at_start():
    board = Board(True)
    for name, _, _, _ in regions.RINGS:
        number, sector, blocks, _, version = regions.find_ring(name)
        kind = (number, row_size_of(name), version, flash_image.numbered)
        for place, content in flash_image.full_ring(kind, blocks):
            board.files[1].write((sector + place) * 4096, content)
    board.boot()
    gc.collect()
    before = gc.mem_alloc()
    started_us, host_us = board.bus.us(), host.ticks_us()
    rings = [board.rings.open(name, row_size_of(name)) for name, _, _, _ in regions.RINGS]
    host_us = time.ticks_diff(host.ticks_us(), host_us)
    bus_us = board.bus.us() - started_us
    gc.collect()
    rows = sum(ring.next - ring.first for ring in rings)
    print(
        "   ", len(rings), "rings,", rows, "rows: opened in", host_us // 1000, "ms here,",
        bus_us // 1000, "ms on a real bus;", board.counted.reads, "reads;",
        gc.mem_alloc() - before, "bytes of heap",
    )  # fmt: skip
    blocks = sum(ring.blocks for ring in rings)
    check("one read a block and a few a ring", board.counted.reads <= blocks + 30 * len(rings))
    check("not a tenth of the chip is read", board.counted.octets * 10 < blocks * 4096)
    for (name, _, limit, _), ring in zip(regions.RINGS, rings):
        size = row_size_of(name)
        full = (ring.blocks - 1) * flash_image.rows_of(size) - 1
        kept = min(full, ring.capacity)
        check("all rows are kept", ring.next - ring.first == kept, name, ring.first, ring.next)
        check("the promise", kept >= (limit or ring.capacity), name)
        last = bytearray(size)
        for sequence in (ring.first, ring.next - 1):
            check("a row is whole", ring.read_into(sequence, last), name, sequence)
            number = struct.unpack_from("<I", last, 4)[0]
            check("and the one asked for", number == sequence, name, sequence)
    ring = rings[16]
    last = bytearray(ring.row_size)
    ring.read_into(ring.next - 200, last)
    time_s = struct.unpack_from("<I", last)[0]
    before = board.counted.reads
    found = list(ring.span(time_s, time_s + 599))
    check("a span of ten rows", found == list(range(ring.next - 200, ring.next - 190)), found)
    check("found by the bounds", board.counted.reads - before < 2 * ring.blocks + 200)
    board.close()


async def fill(board, ring, count, period_ms=20):
    """Append rows with the drain running; return the longest piece of work, in us of a real bus.

    An append that the flash refuses is passed over.
    """
    rings = board.rings
    step = rings.step
    longest_us = 0

    def timed():
        nonlocal longest_us
        before_us = board.bus.us()
        busy = step()
        longest_us = max(longest_us, board.bus.us() - before_us)
        return busy

    rings.step = timed
    drain = asyncio.create_task(rings.drain())
    for mark in range(count):
        before_us = board.bus.us()
        try:
            ring.append(record(ring.row_size, mark, mark))
        except OSError:
            pass
        longest_us = max(longest_us, board.bus.us() - before_us)
        await asyncio.sleep_ms(period_ms)
    drain.cancel()
    rings.step = step
    return longest_us


async def stalls(board):
    ring = board.rings.open("billing_1", 98)
    erased = board.flash.cells.erased
    longest_us = await fill(board, ring, 2000)
    print(
        "    longest stall while rows are stored and sectors erased, on the bus:", longest_us, "us"
    )
    check("nobody waits for an erase", longest_us < 5000, longest_us)
    check("sectors were erased", board.flash.cells.erased > erased)
    check("all are there", ring.next - ring.first == ring.capacity)
    board.close()


async def worn(board):
    """A sector of the ring no longer takes anything; one bit in a row flips."""
    ring = board.rings.open("billing_1", 98)
    told = []
    board.rings.on_trouble = told.append
    board.flash.fault("worn", sector=ring.sector + 2)
    await fill(board, ring, 200)
    check("the sector is told of", told == ["sector"], told)
    check("and remembered", board.rings.bad == [ring.sector + 2])
    row = bytearray(98)
    whole = all(ring.read_into(sequence, row) for sequence in range(200))
    check("no row is lost", whole and ring.first == 0)
    board.boot()
    check("it stays remembered", board.rings.bad == [ring.sector + 2])
    ring = board.rings.open("billing_1", 98)
    board.flash.fault("bit_flip", at=ring.sector * 4096 + 36 + 102 * 7 + 50, bit=2)
    wrong = [sequence for sequence in range(200) if not ring.read_into(sequence, row)]
    check("a flipped bit damages its row", wrong == [7], wrong)
    board.close()


async def trouble(board, fault):
    """The chip fails while rows come; it is said, and nothing waits for long."""
    ring = board.rings.open("billing_1", 98)
    told = []
    board.rings.on_trouble = told.append
    await fill(board, ring, 10)
    board.flash.fault(fault)
    longest_us = await fill(board, ring, 20)
    await fill(board, ring, 5, 5000)
    check("it is told once", told == ["flash"], fault, told)
    check("no sector is condemned for it", not board.rings.bad, fault)
    check("nobody waits", longest_us < 50_000, fault, longest_us)
    check("nothing is taken", ring.next == 10, fault)
    row = bytearray(98)
    if fault in ("dead", "busy"):
        check("a stored row says why not", raises(OSError, ring.read_into, 0, row), fault)
    else:
        check("a stored row is read", ring.read_into(0, row), fault)
    board.boot()  # a restart changes nothing about it
    ring = board.rings.open("billing_1", 98)
    board.flash.fault("clear")
    await fill(board, ring, 3, 6000)  # within ten seconds it is tried again
    check("it works when it comes back", not board.rings.failed, fault)
    marks = []
    for sequence in range(ring.first, ring.next):
        if ring.read_into(sequence, row):
            marks.append(struct.unpack_from("<I", row, 4)[0])
    check("in order, nothing missing", marks[:10] == list(range(10)), fault, marks)
    check("and goes on", marks[-1] == 2, fault, marks)
    board.close()


# The supply goes at chosen bytes of the chips' transfers, also in the middle of an operation.
def test_power_cuts():
    board = Board(True)
    kept = []
    for cut in range(0, 400, 7):
        ring = board.rings.open("billing_1", 98)
        supply = power.Supply()
        supply.add(board.fram)
        supply.add(board.flash)
        machine_bus.supply = supply
        supply.cut_after(board.fram if cut % 2 else board.flash, cut)
        mark = 10_000 * (cut + 1)
        try:
            for _ in range(50):
                mark += 1
                ring.append(record(98, mark, mark))
                kept.append(mark)
                board.rings.flush()
        except power.PowerLost:
            pass
        machine_bus.supply = None
        board.fram.power(True)
        board.flash.power(True)
        board.boot()
        ring = board.rings.open("billing_1", 98)
        found = []
        row = bytearray(98)
        for sequence in range(max(ring.first, ring.next - 200), ring.next):
            if ring.read_into(sequence, row):
                found.append(struct.unpack_from("<I", row)[0])
        if found and found[-1] == mark and mark not in kept:
            kept.append(mark)  # it was whole before the power went
        check("what was appended is there", found == kept[-len(found) :], cut, found[-3:])
        check("all of it", len(found) >= min(len(kept), 200), cut, len(found), len(kept))
    board.close()


def test_stalls():
    run(stalls(Board(True)))


def test_worn_cells():
    run(worn(Board(True)))


def test_chips_in_trouble():
    for fault in ("dead", "busy", "protect", "stuck"):
        run(trouble(Board(True), fault))


for test in (
    test_all_rings_full_at_start,
    test_stalls,
    test_worn_cells,
    test_chips_in_trouble,
    test_power_cuts,
):
    test()
for name in ("fram.bin", "flash.bin"):
    os.remove(FOLDER + "/" + name)
report()
