"""RAM that does not keep what is written, before and while the meter runs (row ERR-06)."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from fram_fake import Memory

from app import ram_check
from app.energy_record import EnergyRecord
from app.settings import Settings
from app.storage import regions
from app.storage.integrity import Integrity
from metrology.energy import UNIT_UWS, Energies

BLOCKS = 300


class Variant:
    reference_current_ma = 5000
    transformer = False


class Quantities:
    phases = 3
    i_ua = (20_000_000,) * 3
    u_uv = (230_000_000,) * 3
    p_uw = (1_000_000_000,) * 3
    q_uvar = (500_000_000,) * 3


class Cells(bytearray):
    """A block of RAM with a fault: a bit that sticks, or an address line that does nothing."""

    fault = None

    def __setitem__(self, where, octets):
        super().__setitem__(where, octets)
        if self.fault:
            self.fault()


def taker(faulty_block, fault):
    """What hands out BLOCKS blocks, one of them faulty; `fault(block)` spoils it."""
    blocks = []

    def take(size):
        if len(blocks) == BLOCKS:
            raise MemoryError
        block = Cells(size)
        blocks.append(block)
        if len(blocks) - 1 == faulty_block:
            block.fault = lambda: fault(block, blocks)
        return block

    return take


def sticks(level):
    def fault(block, _):
        octets = memoryview(block)
        octets[517] = octets[517] | 0x10 if level else octets[517] & ~0x10

    return fault


def shadows(block, blocks):
    """Writing this block writes another one as well."""
    memoryview(blocks[3])[:] = block


def test_sound_ram_is_found_sound_and_given_back():
    assert ram_check.test_free(taker(-1, None)) == 0


@pytest.mark.row("ERR-06")
@pytest.mark.parametrize(
    ("fault", "octets"), [(sticks(0), 1), (sticks(1), 1), (shadows, 1)], ids=str
)
def test_cells_that_stick_or_hold_each_other_are_found_before_they_are_used(fault, octets):
    assert ram_check.test_free(taker(11, fault)) >= octets


def test_only_so_much_is_taken_as_there_is(monkeypatch):
    free = [40_000]
    monkeypatch.setattr(ram_check.gc, "mem_free", lambda: free[0], raising=False)

    def take(size):
        free[0] -= size
        return bytearray(size)

    assert ram_check.test_free(take) == 0
    assert 30_000 < free[0] <= 32_768


@pytest.fixture
def energies():
    found = Energies(Variant(), 4_000_000)
    return found


@pytest.mark.row("ERR-06")
@pytest.mark.parametrize("part", ["wh", "residue", "flow_uws"])
@pytest.mark.parametrize("bit", [0, 1, 17, 31])
def test_a_bit_that_flips_in_the_energies_is_seen_and_taken_from_the_record(energies, part, bit):
    record = EnergyRecord(Memory(), energies)
    told = []
    record.on_recovery = lambda: told.append(True)
    for _ in range(20):
        energies.add(Quantities, 800 << 16, 50)
        record.window()
    record.save()
    kept = (list(energies.wh), list(energies.residue), list(energies.flow_uws))
    assert told == []
    getattr(energies, part)[1 if part != "wh" else 0] ^= 1 << bit
    record.save()  # must not keep the damage
    assert told == [True]
    assert (energies.wh, energies.residue, energies.flow_uws) == kept
    getattr(energies, part)[0] ^= 1 << bit
    energies.add(Quantities, 800 << 16)
    assert told == [True, True]
    gained_uws = energies.total_uws(0) - kept[0][0] * UNIT_UWS - kept[1][0]
    assert gained_uws == 3000 * 200_000  # the window counts on what the record held
    energies.add(Quantities, 800 << 16)
    assert told == [True, True]


def test_before_the_first_record_the_energies_begin_anew(energies):
    record = EnergyRecord(Memory(), energies)
    told = []
    record.on_recovery = lambda: told.append(True)
    energies.add(Quantities, 800 << 16)
    energies.wh[0] ^= 1 << 20
    energies.add(Quantities, 800 << 16)
    assert told == [True]
    assert energies.wh[0] == 0


def test_a_memory_that_is_silent_leaves_what_is_there(energies):
    fram = Memory()
    record = EnergyRecord(fram, energies)
    energies.add(Quantities, 800 << 16, 500)
    record.save()
    fram.dead = True
    energies.wh[0] ^= 1 << 3
    wh = energies.wh[0]
    energies.add(Quantities, 800 << 16)
    assert energies.wh[0] == wh


class Part:
    """A part that has lost what a record holds."""

    def __init__(self):
        self.asked = []

    def renew(self, payload):
        self.asked.append(bytes(payload))
        return False


@pytest.mark.row("ERR-06")
def test_settings_in_ram_are_compared_with_their_records(monkeypatch):
    fram = Memory()
    settings = Settings(fram)
    settings.put("clock", b"12345678")
    settings.put("clock", b"87654321")
    for region in ("calibration", "parameters"):
        regions.open_record(fram, region).save(b"stored")
    parts = type("Parts", (), {})()
    parts.settings, parts.parameters, parts.production = settings, Part(), Part()
    told = []
    restored = []
    integrity = Integrity(fram, None, print, restored.append)
    integrity.on_sound = ram_check.RamCheck(parts, told.append).compare
    integrity.check_record("clock")
    assert told == []
    settings._values["clock"] = b"87654320"
    for region in ("clock", "parameters", "calibration", "clock", "tcp", "energies"):
        integrity.check_record(region)
    assert told == ["clock", "parameters", "calibration"]
    assert settings.get("clock") == b"87654321"
    assert parts.parameters.asked == parts.production.asked == [b"stored"]
    assert restored == []
