"""What reading costs: a day out of a full profile costs that day, and no profile lies in RAM."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import log_rig
from dlms_rig import NOW_UTC_S
from profile_rig import by_entry, by_range, time

from app.axdr import UINT32, Writer
from app.cosem.base import PART_SIZE, Selection
from app.cosem.profile_generic import ProfileGeneric
from app.logs.event_log import Log
from app.storage import rings

PERIOD_S = 900
DAY = 96
COLUMNS = tuple(((3, bytes((1, 0, c, 8, 0, 255)), 2, 0), UINT32) for c in range(1, 11))
BLOCK_ROWS = 78  # of 51 octets each in a sector of 4096
BLOCKS = 60 * DAY // BLOCK_ROWS + 1
HEADS = 2 * (BLOCKS + BLOCK_ROWS)  # counting and sending; and times in the open block
ROW_OCTETS = 2 + 14 + 10 * 5  # a structure, a date-time, ten numbers


@pytest.fixture(scope="module")
def profiles():
    """Profiles of a quarter of an hour and ten columns: ten days, and sixty."""
    patched = pytest.MonkeyPatch()
    patched.setattr(log_rig, "SECTORS", 400)
    patched.setattr(rings.time, "sleep_ms", lambda _ms: None, raising=False)
    made = {}
    for days in (10, 60):
        rig = log_rig.LogRig()
        log = Log(rig.rings, rig.clock, "load_profile_1", COLUMNS, lambda _code: None)
        for number in range(days * DAY):
            log.add(NOW_UTC_S + PERIOD_S * number, tuple(range(number, number + 10)))
            while number % 50 == 0 and rig.rings.step():
                pass
        rig.rings.flush()
        assert log.next - log.first == days * DAY <= log.capacity
        made[days] = (rig, log)
    yield made
    patched.undo()


def read(rig, log, selection):
    """(octets, reads of the flash, reads before the first octet)."""
    writer = Writer(bytearray(PART_SIZE))
    selection = bytes.fromhex(selection)
    before = rig.flash.reads
    parts = ProfileGeneric(rig.clock).select(
        writer, log, 2, None, Selection(selection[0], selection[1:])
    )
    octets = b""
    first = 0
    for _ in parts:
        first = first or rig.flash.reads - before
        octets += writer.buffer[: writer.at]
        writer.at = 0
    octets += writer.buffer[: writer.at]
    return octets, rig.flash.reads - before, first


def day(number):
    begin = NOW_UTC_S + number * 86400
    return by_range(time(begin), time(begin + 86399))


@pytest.mark.row("LPR-10")
def test_a_day_costs_the_same_out_of_a_profile_of_any_length(profiles):
    cost = {}
    for days, (rig, log) in profiles.items():
        octets, cost[days], _ = read(rig, log, day(5))
        assert len(octets) == 2 + DAY * ROW_OCTETS
        assert octets[:2] == bytes((1, DAY))
        # rows of the blocks that the day touches, twice their times; and two heads of each block
        assert cost[days] < HEADS + 6 * DAY
    rig, log = profiles[60]
    whole = read(rig, log, by_entry(1, 0))[1]
    assert cost[60] < whole / 10
    assert cost[60] - cost[10] < HEADS


def test_entries_are_reached_without_a_search(profiles):
    rig, log = profiles[60]
    octets, reads, first = read(rig, log, by_entry(3000, 3000 + DAY - 1))
    assert len(octets) == 2 + DAY * ROW_OCTETS
    assert first < 20
    assert reads < 4 * DAY


def test_a_day_outside_reads_heads_only(profiles):
    rig, log = profiles[60]
    octets, reads, _ = read(rig, log, day(100))
    assert octets == b"\x01\x00"
    assert reads < HEADS


def test_a_range_of_all_rows_is_counted_by_heads(profiles):
    rig, log = profiles[60]
    octets, reads, first = read(rig, log, by_range(time(NOW_UTC_S), time(NOW_UTC_S + 60 * 86400)))
    assert len(octets) == 4 + 60 * DAY * ROW_OCTETS
    assert first < HEADS
    assert reads < 3 * 60 * DAY
