"""The background check: what flips a bit meanwhile is noticed within the hour, and repaired."""

import asyncio
import struct
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from ring_rig import Rig, use_small_map

from app.settings import Settings
from app.storage import integrity, record, regions
from app.storage.integrity import Integrity


class Bench(Rig):
    def __init__(self):
        super().__init__(500)
        self.told = []
        self.restored = []
        self.settings = Settings(self.fram)
        self.integrity = Integrity(self.fram, self.rings, self.told.append, self.restore)

    def restore(self, name):
        self.restored.append(name)
        self.settings.restore(name)

    def check_all(self):
        for name, _, _ in regions.REGIONS:
            self.integrity.check_record(name)

    def spoil(self, name, *slots):
        """Flip a bit in these copies of a region."""
        region = regions.open_record(self.fram, name)
        for slot in slots:
            self.fram.octets[region._addresses[slot] + 9] ^= 0x20

    def state(self, name):
        region = regions.open_record(self.fram, name)
        region.load()
        return region.state


@pytest.fixture
def bench(monkeypatch):
    use_small_map(monkeypatch)
    return Bench()


def test_what_is_sound_or_was_never_written_is_left_alone(bench):
    bench.settings.put("clock", b"1234")
    before = bytes(bench.fram.octets)
    bench.check_all()
    assert bench.told == bench.restored == []
    assert bytes(bench.fram.octets) == before


@pytest.mark.parametrize("slot", [0, 1])
def test_one_damaged_copy_is_told_and_repaired(bench, slot):
    bench.settings.put("clock", b"1234")
    bench.spoil("clock", slot)
    bench.check_all()
    assert bench.told == ["clock"]
    assert bench.state("clock") == record.OK
    assert bench.restored == ["clock"]  # what runs is newer than either copy may be
    bench.check_all()
    bench.spoil("clock", 1 - slot)  # a second fault is a new one
    bench.check_all()
    assert bench.told == ["clock", "clock"]


def test_two_damaged_copies_come_back_from_ram(bench):
    bench.settings.put("clock", b"1234")
    bench.spoil("clock", 0, 1)
    bench.settings.on_change = pytest.fail  # nobody has changed anything
    bench.check_all()
    assert bench.told == bench.restored == ["clock"]
    assert Settings(bench.fram).get("clock") == b"1234"


def test_damage_that_stays_is_told_once(bench):
    region = regions.open_record(bench.fram, "calibration")
    region.load()
    region.save(b"x")
    bench.spoil("calibration", 0, 1)
    bench.check_all()
    bench.check_all()
    assert bench.told == ["calibration"]


def test_a_dead_memory_is_told_for_each_region_once(bench):
    bench.fram.dead = True
    bench.check_all()
    bench.check_all()
    assert sorted(bench.told) == sorted(name for name, _, _ in regions.REGIONS)


async def hours(bench, sleeps):
    """Run the task until it has slept so often; return the milliseconds."""
    task = asyncio.ensure_future(bench.integrity.run())
    while bench.sleeps < sleeps:
        await asyncio.sleep(0)
    task.cancel()


@pytest.fixture
def quick(bench, monkeypatch):
    bench.slept_ms = bench.sleeps = 0

    async def sleep_ms(ms):
        bench.slept_ms += ms
        bench.sleeps += 1
        await asyncio.sleep(0)

    monkeypatch.setattr(integrity.asyncio, "sleep_ms", sleep_ms, raising=False)
    return bench


def test_every_record_is_read_within_the_hour(quick):
    quick.settings.put("clock", b"1234")
    quick.spoil("clock", 0)
    asyncio.run(hours(quick, len(regions.REGIONS)))
    assert quick.told == ["clock"]
    assert quick.slept_ms <= 3_700_000


def test_a_bit_flipped_in_a_stored_row_is_told_after_the_next_start(quick):
    for n in range(20):
        quick.append(n, n)
    quick.rings.flush()
    quick.flash.octets[4096 + 68 + 3 * 504 + 100] ^= 1
    quick.boot()
    quick.rings.open("c", 24).append(struct.pack("<I", 1) + bytes(20))
    quick.integrity = Integrity(quick.fram, quick.rings, quick.told.append, quick.restore)
    asyncio.run(hours(quick, 12))
    assert quick.told == ["a"]


def test_sound_rows_are_not_told(quick):
    for n in range(60):
        quick.append(n, n)
    quick.append(61, 61)
    asyncio.run(hours(quick, 20))
    assert quick.told == []
