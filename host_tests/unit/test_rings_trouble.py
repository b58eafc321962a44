"""Rings over flash and FRAM that fail: worn sectors, dead and stuck chips, flipped bits."""

import struct
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from flash_fake import PowerLost
from ring_rig import Rig, use_small_map

from app.storage import regions
from app.storage import rings as rings_module


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
    rig.flash.octets[36 + 2 * 504 + 77] ^= 0x10
    assert [mark for _, mark in rig.rows()] == [0, 1, 3, 4]
    rig.boot()
    assert [mark for _, mark in rig.rows()] == [0, 1, 3, 4]


def test_two_rings_share_the_journal():
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


def test_a_dead_flash_lets_rows_pile_up_and_takes_them_later():
    rig = Rig(500)
    rig.append(1, 1)
    rig.rings.flush()
    rig.flash.dead = True
    for n in range(2, 9):
        rig.append(n, n)
    rig.drain()
    rig.drain()
    assert rig.rings.failed
    assert rig.troubles == ["flash"]
    with pytest.raises(OSError, match="journal full"):
        rig.append(9, 9)
    rig.flash.dead = False
    rig.append(9, 9)
    rig.rings.flush()
    assert not rig.rings.failed
    assert [mark for _, mark in rig.rows()] == list(range(1, 10))


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


def test_a_dead_fram_leaves_rows_that_flash_has():
    rig = Rig(500)
    rig.append(1, 1)
    rig.rings.flush()
    rig.fram.dead = True
    rig.append(2, 2)
    assert rig.rings.journal.volatile
    rig.drain()
    assert rig.troubles == ["journal"]
    rig.boot()
    assert [mark for _, mark in rig.rows()] == [1, 2]


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
        rig.append(n, n)
    rig.drain()
    assert rig.rings.failed
    assert rig.troubles == ["flash"]
    assert rig.rings.bad == []
    rig.flash.worn = set()
    rig.flash.stuck_busy = rig.flash.dead = False
    rig.drain()
    assert not rig.rings.failed
    assert [mark for _, mark in rig.rows()] == list(range(15))
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
    torn = rig.rings.journal.torn - 1
    start = torn * 4096
    rig.flash.octets[start : start + 4096] = b"\xff" * 4096  # it only looks blank
    erases = rig.flash.erases[torn]
    rig.boot()
    assert rig.rings.journal.torn == torn + 1
    rig.drain()
    assert rig.flash.erases[torn] == erases + 1
    assert rig.rings.journal.torn == 0


def test_a_journal_damaged_by_a_flipped_bit_says_so_and_keeps_the_rest():
    rig = Rig(500)
    for n in range(4):
        rig.append(n, n)
    at = regions.JOURNAL_ADDRESS + rig.rings.journal.pending[1][0] + 100
    rig.fram.octets[at] ^= 4
    rig.boot()
    rig.drain()
    assert rig.troubles == ["journal"]
    assert [mark for _, mark in rig.rows()] == [0, 2, 3]  # the damaged one is missed, not made up
    assert rig.ring.next == 4


def test_a_fram_that_does_not_keep_what_is_written_is_noticed():
    rig = Rig(500)
    rig.append(1, 1)
    rig.fram.write = lambda _address, _data: None
    rig.append(2, 2)
    assert [mark for _, mark in rig.rows()] == [1, 2]
    rig.drain()
    assert rig.troubles == ["journal"]
    assert [mark for _, mark in rig.rows()] == [1, 2]


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
    assert rig.ring.turn // rig.ring.blocks == max(erases)
    rig.boot()
    assert rig.ring.turn // rig.ring.blocks == max(erases)
