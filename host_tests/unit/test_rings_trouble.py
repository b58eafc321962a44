"""Rings over flash and FRAM that fail: worn sectors, dead and stuck chips, flipped bits."""

import struct
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from flash_fake import PowerLost
from ring_rig import Rig, use_small_map

from app.storage import rings as rings_module
from app.storage.ring import ERASE
from app.storage.rings import Rings

HEADER = 68


@pytest.fixture(autouse=True)
def small_map(monkeypatch):
    use_small_map(monkeypatch)


def test_worn_sectors_are_passed_over_and_remembered():
    rig = Rig(500)
    rig.flash.worn = {2}
    for n in range(60):
        rig.append(n, n)
        rig.rings.flush()
        assert rig.rows() == [(k, k) for k in range(max(0, n + 1 - rig.ring.capacity), n + 1)]
    rig.drain()
    assert rig.rings.bad == [2]
    assert rig.troubles == ["sector"]
    erases = rig.flash.erases.get(2)
    rig.boot()
    assert rig.rings.bad == [2]
    assert rig.rows()[-1] == (59, 59)
    for n in range(60, 120):
        rig.append(n, n)
    rig.drain()
    assert rig.flash.erases.get(2) == erases  # it is not tried again


def test_a_sector_that_wears_out_while_it_is_filled_keeps_what_it_holds():
    rig = Rig(500)
    for n in range(3):
        rig.append(n, n)
    rig.rings.flush()
    rig.flash.worn = {0}
    for n in range(3, 20):
        rig.append(n, n)
    rig.rings.flush()
    assert [mark for _, mark in rig.rows()] == list(range(20))
    rig.boot()
    assert [mark for _, mark in rig.rows()] == list(range(20))


def test_one_flipped_bit_damages_one_row():
    rig = Rig(500)
    for n in range(5):
        rig.append(n, n)
    rig.rings.flush()
    rig.flash.octets[HEADER + 2 * 504 + 77] ^= 0x10
    assert [mark for _, mark in rig.rows()] == [0, 1, 3, 4]
    rig.boot()
    assert [mark for _, mark in rig.rows()] == [0, 1, 3, 4]


def test_two_rings_share_the_flash():
    rig = Rig(40)
    other = rig.rings.open("c", 24)
    for n in range(30):
        rig.append(n, n)
        other.append(struct.pack("<I", n) + bytes(20))
    rig.boot()
    other = rig.rings.open("c", 24)
    assert other.next == 30
    rig.rings.flush()
    buffer = bytearray(24)
    assert other.read_into(29, buffer)
    assert [mark for _, mark in rig.rows()] == list(range(30))


def test_a_dead_flash_refuses_rows_at_once_and_takes_them_later(monkeypatch):
    rig = Rig(500)
    rig.append(1, 1)
    rig.rings.flush()
    rig.flash.dead = True
    monkeypatch.setattr(rings_module.time, "sleep_ms", pytest.fail)
    for n in range(2, 9):
        with pytest.raises(OSError, match=r"flash|answer"):
            rig.append(n, n)
    rig.drain()
    assert rig.rings.failed
    assert rig.troubles == ["flash"]
    assert rig.ring.next == 1
    rig.flash.dead = False
    rig.append(9, 9)
    assert not rig.rings.failed
    assert [mark for _, mark in rig.rows()] == [1, 9]


def test_a_dead_flash_at_start_is_read_when_it_comes_back():
    rig = Rig(500)
    rig.append(1, 1)
    rig.rings.flush()
    rig.flash.dead = True
    rig.boot()
    assert rig.rings.failed
    assert rig.ring.first == rig.ring.next
    with pytest.raises(OSError, match="flash"):
        rig.append(2, 2)
    rig.flash.dead = False
    rig.rings.flush()
    rig.append(2, 2)
    assert [mark for _, mark in rig.rows()] == [1, 2]


def test_a_dead_fram_leaves_rows_alone():
    rig = Rig(500)
    rig.append(1, 1)
    rig.fram.dead = True
    rig.append(2, 2)
    rig.boot()
    rig.append(3, 3)
    rig.drain()
    assert rig.troubles == []  # others tell of it
    assert [mark for _, mark in rig.rows()] == [1, 2, 3]


@pytest.mark.parametrize("fault", ["worn", "stuck_busy", "dead"])
def test_a_chip_that_fails_as_a_whole_condemns_no_sector(fault, monkeypatch):
    rig = Rig(500)
    for n in range(10):
        rig.append(n, n)
    rig.rings.flush()
    ticks = iter(range(0, 10**9, 100))
    monkeypatch.setattr(rings_module.time, "ticks_ms", lambda: next(ticks))
    if fault == "worn":
        rig.flash.worn = set(range(20))
    else:
        setattr(rig.flash, fault, True)
    for n in range(10, 15):
        with pytest.raises(OSError, match=r"flash|answer"):
            rig.append(n, n)
    rig.drain()
    assert rig.rings.failed
    assert rig.troubles == ["flash"]
    assert rig.rings.bad == []
    if fault == "worn":
        assert [mark for _, mark in rig.rows()] == list(range(10))
    rig.flash.worn = set()
    rig.flash.stuck_busy = rig.flash.dead = False
    rig.drain()
    for n in range(10, 15):
        rig.append(n, n)
    assert not rig.rings.failed
    rig.boot()
    assert [mark for _, mark in rig.rows()] == list(range(15))


def test_a_sector_that_was_being_erased_when_the_power_went_is_erased_again():
    rig = Rig(500)
    erase = rig.flash.erase_sector

    def erase_until_the_power_goes(address):
        rig.flash.cut_after = 10
        erase(address)

    for n in range(60):
        rig.append(n, n)
        rig.rings.flush()
    rig.flash.erase_sector = erase_until_the_power_goes
    with pytest.raises(PowerLost):
        for n in range(60, 80):
            rig.append(n, n)
            rig.rings.flush()
    rig.flash.erase_sector = erase
    torn = rig.rings.noted[ERASE] - 1
    start = torn * 4096
    rig.flash.octets[start : start + 4096] = b"\xff" * 4096  # it only looks blank
    erases = rig.flash.erases[torn]
    rig.boot()
    assert rig.rings.noted[ERASE] == torn + 1
    rig.drain()
    assert rig.flash.erases[torn] == erases + 1
    assert rig.rings.noted == [0, 0]


@pytest.mark.parametrize("spoilt", [1, 3, 16])
def test_slots_that_power_cuts_have_torn_do_not_count(spoilt):
    rig = Rig(100)
    kept = []
    for n in range(spoilt):
        rig.append(n, n)
        kept.append(n)
        rig.flash.cut_after = (0, 1, 60, 103)[n % 4]  # no byte, one, some, all but one
        with pytest.raises(PowerLost):
            rig.append(900, 900)
        rig.boot()
        assert [mark for _, mark in rig.rows()] == kept
        assert rig.ring.next == len(kept)
    rig.append(99, 99)
    assert [mark for _, mark in rig.rows()] == [*kept, 99]
    rig.boot()
    assert [mark for _, mark in rig.rows()] == [*kept, 99]
    assert rig.ring._firsts[0] == 0
    assert rig.ring._head == 0  # up to sixteen in a block cost no block
    rig.drain()
    assert rig.troubles == []  # a power cut is no damage


def test_a_power_cut_while_a_torn_slot_is_put_aside_changes_nothing():
    for cut in range(7):
        rig = Rig(500)
        for n in range(3):
            rig.append(n, n)
        rig.flash.cut_after = 100
        with pytest.raises(PowerLost):
            rig.append(900, 900)
        rig.flash.restart()
        rig.fram.cut_after = None
        rig.flash.cut_after = cut
        try:
            rings = Rings(rig.flash, rig.fram)
            rings.open("a", 500)
        except PowerLost:
            pass
        rig.boot()
        rig.append(3, 3)
        assert [mark for _, mark in rig.rows()] == [0, 1, 2, 3]
        rig.boot()
        assert [mark for _, mark in rig.rows()] == [0, 1, 2, 3]


def test_a_last_row_that_no_power_cut_explains_is_told():
    rig = Rig(500)
    for n in range(3):
        rig.append(n, n)
    rig.flash.octets[HEADER + 2 * 504 + 77] ^= 0x10
    rig.boot()
    rig.drain()
    assert rig.troubles == ["a"]
    assert [mark for _, mark in rig.rows()] == [0, 1]
    rig.append(3, 3)
    rig.boot()
    rig.drain()
    assert rig.troubles == ["a"]  # once
    assert [mark for _, mark in rig.rows()] == [0, 1, 3]


def test_a_flash_too_small_for_the_map_is_said():
    rig = Rig(500, "a")
    rig.flash.size = 4 * 4096
    rig.boot()
    assert rig.rings.failed
    with pytest.raises(OSError, match="flash"):
        rig.append(1, 1)


def test_trouble_may_be_logged_in_a_ring():
    rig = Rig(500)
    rig.rings.on_trouble = lambda part: rig.append(7000, len(part))
    rig.flash.worn = {1}
    for n in range(20):
        rig.append(n, n)
        if n % 5 == 0:
            rig.drain()
    rig.drain()
    assert (7000, len("sector")) in rig.rows()


def test_wear_is_spread_over_all_blocks():
    rig = Rig(500)
    for n in range(400):
        rig.append(n, n)
        rig.rings.flush()
    erases = [rig.flash.erases.get(sector, 0) for sector in range(6)]
    assert max(erases) - min(erases) <= 1
    assert 0 <= rig.rings.cycles() - max(erases) <= 1
    rig.boot()
    assert 0 <= rig.rings.cycles() - max(erases) <= 1
