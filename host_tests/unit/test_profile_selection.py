"""Selective access to a log: by range and by entry, with what real clients send and worse."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from dlms_rig import NOW_UTC_S
from profile_rig import (
    CERTIFICATION,
    CLOCK,
    CODE,
    POWER_FAILURES,
    STANDARD,
    ProfileRig,
    by_entry,
    by_range,
    time,
)

import civil
from app.storage import rings

SEED = 20260203
TYPE_UNMATCHED = 12
SCOPE = 13
OTHER = 250
ROWS = 100


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(rings.time, "sleep_ms", lambda _ms: None, raising=False)


@pytest.fixture
def rig():
    rig = ProfileRig()
    rig.fill(ROWS)
    return rig


def codes(rows, column=1):
    return [row[column] for row in rows]


def expected(first, last):
    return [number % 8 + 1 for number in range(first, last)]


def minute(number, **odd):
    return time(NOW_UTC_S + 60 * number, **odd)


def test_attributes_of_a_log(rig):
    assert rig.get(STANDARD, index=3).hex() == "0102" + CLOCK + CODE
    assert rig.get(STANDARD, index=4).hex() == "0600000000"
    assert rig.get(STANDARD, index=5).hex() == "1601"
    assert rig.get(STANDARD, index=6).hex() == "020412000009060000000000000f00120000"
    assert rig.get(STANDARD, index=7).hex() == "06000000" + f"{ROWS:02x}"
    assert rig.get(STANDARD, index=8).hex() == "06000001f4"


def test_the_whole_buffer_is_oldest_first(rig):
    rows = rig.rows(STANDARD)
    assert codes(rows) == expected(0, ROWS)
    # 2026-02-01 00:59:50 local, a Sunday, deviation -60, status normal
    assert rows[0][0].hex() == "07ea02010700" + "3b3200ffc400"


class TestByRange:
    """Conformance: profile by range, whole, outside, part; all columns, one, two."""

    def test_whole(self, rig):
        wide = by_range(minute(-1), minute(ROWS))
        assert rig.rows(STANDARD, wide) == rig.rows(STANDARD)

    def test_outside(self, rig):
        assert rig.rows(STANDARD, by_range(minute(ROWS), minute(ROWS + 5))) == []
        assert rig.rows(STANDARD, by_range(minute(-9), minute(-1))) == []
        assert rig.rows(STANDARD, by_range(minute(9), minute(1))) == []

    @pytest.mark.row("EVT-15")
    def test_part_with_both_ends(self, rig):
        hour = by_range(minute(20), minute(79))
        assert codes(rig.rows(STANDARD, hour)) == expected(20, 80)

    def test_one_column_and_two_in_the_order_asked_for(self, rig):
        part = (minute(3), minute(5))
        assert rig.rows(STANDARD, by_range(*part, [CODE])) == [[4], [5], [6]]
        swapped = rig.rows(STANDARD, by_range(*part, [CODE, CLOCK]))
        assert [row[::-1] for row in swapped] == rig.rows(STANDARD, by_range(*part))

    @pytest.mark.parametrize(
        "odd",
        [
            {},
            {"weekday": 7},
            {"weekday": 1},  # wrong for that day: means nothing
            {"hundredths": 0},
            {"hundredths": 99},
            {"deviation_min": 0x8000},
            {"deviation_min": 0},
            {"deviation_min": 300},
            {"deviation_min": 0x8000, "status": 0x80},
            {"status": 0x00},
            {"weekday": 0, "hundredths": 0, "deviation_min": 0x8000, "status": 0},
        ],
        ids=str,
    )
    def test_all_ways_to_say_a_time(self, rig, odd):
        selection = by_range(minute(3, **odd), minute(5, **odd))
        assert codes(rig.rows(STANDARD, selection)) == [4, 5, 6]

    def test_date_time_and_date_as_types_of_their_own(self, rig):
        bare = [minute(number)[4:] for number in (3, 5)]
        assert codes(rig.rows(STANDARD, by_range("19" + bare[0], "19" + bare[1]))) == [4, 5, 6]
        day = "1a07ea0201ff"
        assert codes(rig.rows(STANDARD, by_range(day, day))) == expected(0, ROWS)
        assert codes(rig.rows(STANDARD, by_range("0905" + day[2:], minute(1)))) == [1, 2]
        assert rig.rows(STANDARD, by_range("1a07ea0202ff", "1a07ea0202ff")) == []

    def test_fields_left_open_reach_as_far_as_there_is(self, rig):
        open_time = "090cffffffffffffffffff8000ff"
        assert codes(rig.rows(STANDARD, by_range(open_time, minute(1)))) == [1, 2]
        assert codes(rig.rows(STANDARD, by_range(minute(98), open_time))) == expected(98, 100)
        month = "090c07ea02ffff" + "ffffffff8000ff"
        assert len(rig.rows(STANDARD, by_range(month, month))) == ROWS
        hour = "090c07ea0201ff" + "01ffffff8000ff"
        rows = rig.rows(STANDARD, by_range(hour, hour))
        assert {row[0][5] for row in rows} == {1}
        assert codes(rows) == expected(1, 61)

    @pytest.mark.parametrize("year", ["0000", "07b2", "076c", "07d0"])
    def test_years_before_the_calendar_are_its_beginning(self, rig, year):
        early = f"090c{year}0101ff000000008000ff"
        late = "090c270f0c1fff173b3bff8000ff"  # year 9999
        assert len(rig.rows(STANDARD, by_range(early, late))) == ROWS
        assert rig.rows(STANDARD, by_range(early, early)) == []

    def test_the_hour_that_comes_twice_is_read_whole(self):
        rig = ProfileRig()
        clock = rig.dlms.clock
        end_utc_s = civil.utc_s(2026, 10, 25, 1)  # 3:00 summer time becomes 2:00
        for minutes in range(-60, 60, 10):
            clock.set_utc_s(end_utc_s + 60 * minutes)
            rig.book.post(1)
        hour = ("090c07ea0a19ff02" + "000000" + "8000ff", "090c07ea0a19ff02" + "3b3b00" + "8000ff")
        rows = rig.rows(STANDARD, by_range(*hour))
        assert len(rows) == 12
        assert {row[0][5] for row in rows} == {2}
        once = by_range(hour[0], hour[1][:-2] + "80")  # to the end of the summer's one
        assert len(rig.rows(STANDARD, once)) == 6

    def test_another_captured_column_restricts(self, rig):
        seven = rig.rows(STANDARD, by_range("1107", "1108", restricting=CODE))
        assert codes(seven) == [code for code in expected(0, ROWS) if code >= 7]
        wide = by_range("0600000007", "15ffffffffffffffff", [CODE], restricting=CODE)
        assert codes(rig.rows(STANDARD, wide), 0) == codes(seven)
        assert rig.rows(STANDARD, by_range("1109", "11ff", restricting=CODE)) == []

    def test_rows_keep_their_order_where_the_clock_was_set_back(self, rig):
        rig.dlms.clock.set_utc_s(NOW_UTC_S + 60 * 50)
        for code in (14, 15, 16):
            rig.book.post(code)
        rows = rig.rows(STANDARD, by_range(minute(49), minute(51)))
        assert codes(rows) == expected(49, 52) + [14, 15, 16]

    @pytest.mark.parametrize(
        ("selection", "result"),
        [
            (by_range("11" + "07", "11" + "08"), TYPE_UNMATCHED),  # a number for the clock
            (by_range("00", "00"), TYPE_UNMATCHED),
            (by_range("0101" + "1107", "1108", restricting=CODE), TYPE_UNMATCHED),
            (by_range("0904" + "01020304", "0904" + "01020304", restricting=CODE), TYPE_UNMATCHED),
            (by_range("1107", "0901ff", restricting=CODE), TYPE_UNMATCHED),
            (by_range("00", "00", restricting=CODE), TYPE_UNMATCHED),
            (by_range("0900", "0900"), OTHER),  # no time has no octets
            (by_range("090d" + "00" * 13, minute(1)), OTHER),
            (by_range("090c07ea021eff000000008000ff", minute(1)), OTHER),  # 30 February
            (by_range("090c07ea0201ff180000008000ff", minute(1)), OTHER),  # hour 24
            (by_range("090c07ea0201ff00000000" + "4000" + "ff", minute(1)), OTHER),
            (by_range(minute(0), minute(1), [CLOCK[:-4] + "0001"]), SCOPE),
            (by_range(minute(0), minute(1), [CLOCK.replace("0f02", "0f03")]), SCOPE),
            (by_range(minute(0), minute(1), [CLOCK] * 3), OTHER),
            (by_range(minute(0), minute(1), ["0203110011021103"]), TYPE_UNMATCHED),
            (by_range(minute(0), minute(1), restricting="00"), TYPE_UNMATCHED),
            (by_range("1101", "1102", restricting=CODE.replace("0b00", "0b01")), SCOPE),
            ("010203" + CLOCK + minute(0) + minute(1), TYPE_UNMATCHED),
            ("01" + "0100", TYPE_UNMATCHED),
            ("01" + "00", TYPE_UNMATCHED),
            ("03" + "00", SCOPE),
            ("00" + "00", SCOPE),
        ],
    )
    def test_what_is_no_range_is_refused(self, rig, selection, result):
        assert rig.get(STANDARD, selection) == result
        assert len(rig.rows(STANDARD)) == ROWS


class TestByEntry:
    """Conformance: profile by entry, one cell, all, part."""

    def test_one_cell(self, rig):
        assert rig.rows(STANDARD, by_entry(3, 3, 2, 2)) == [[3]]

    def test_all(self, rig):
        whole = rig.rows(STANDARD)
        for last in (0, ROWS, ROWS + 1, 0xFFFFFFFF):
            assert rig.rows(STANDARD, by_entry(1, last)) == whole
        assert rig.rows(STANDARD, by_entry(0, 0, 0, 0xFFFF)) == whole

    def test_part(self, rig):
        assert codes(rig.rows(STANDARD, by_entry(98, 0))) == expected(97, 100)
        assert codes(rig.rows(STANDARD, by_entry(1, 1, 2, 0)), 0) == [1]
        assert len(rig.rows(STANDARD, by_entry(5, 6, 1, 1))[0]) == 1

    def test_none(self, rig):
        assert rig.rows(STANDARD, by_entry(ROWS + 1, 0)) == []
        assert rig.rows(STANDARD, by_entry(9, 8)) == []
        assert rig.rows(POWER_FAILURES, by_entry(1, 0)) == []

    @pytest.mark.parametrize(
        ("selection", "result"),
        [
            (by_entry(1, 1, 3, 0), OTHER),  # there are two columns
            (by_entry(1, 1, 2, 1), OTHER),
            ("0202041100" + "0600000001" + "120001" + "120000", TYPE_UNMATCHED),
            ("0202040600000001" + "0600000001" + "1101" + "1100", TYPE_UNMATCHED),
            ("020203" + "0600000001" * 3, TYPE_UNMATCHED),
            ("0200", TYPE_UNMATCHED),
        ],
    )
    def test_what_are_no_entries_is_refused(self, rig, selection, result):
        assert rig.get(STANDARD, selection) == result


def test_only_the_buffer_is_read_in_part(rig):
    for index in (1, 3, 7):
        assert rig.get(STANDARD, by_entry(1, 1), index) == SCOPE


@pytest.mark.parametrize("pdu_size", [24, 64, 128, 300, 1024])
def test_rows_are_whole_at_every_size_of_blocks(pdu_size):
    rig = ProfileRig(pdu_size)
    rig.fill(40)
    assert codes(rig.rows(STANDARD)) == expected(0, 40)
    picked = by_range(minute(7), minute(30), [CODE])
    assert codes(rig.rows(STANDARD, picked), 0) == expected(7, 31)


def test_a_log_that_moves_on_while_it_is_read_keeps_its_length():
    """Five hundred rows go out in blocks while new ones overwrite the oldest."""
    rig = ProfileRig(128)
    rig.fill(500, 1)
    apdu, posted = rig.dlms.apdu, []

    def and_post(octets, sap=1, server=1):
        if len(posted) < 400:
            for _ in range(7):
                posted.append(1)
                rig.book.post(16)
        return apdu(octets, sap, server)

    rig.dlms.apdu = and_post
    whole = rig.rows(STANDARD)
    assert len(whole) == 500
    gone = [row for row in whole if row[0] == b"\xff" * 9 + b"\x80\x00\xff"]
    assert all(row[1] == 0 for row in gone)
    posted.clear()
    some = rig.rows(STANDARD, by_range(time(NOW_UTC_S), time(NOW_UTC_S + 499)))
    assert some
    assert all(len(row) == 2 for row in some)


def test_two_clients_read_one_log_at_once():
    """Each gets its own rows, whatever the other one's block ends in."""
    rig = ProfileRig(40)
    rig.fill(ROWS)
    seen = []
    apdu = rig.dlms.apdu
    log = rig.book.logs[0]

    def and_another(octets, sap=1, server=1):
        log.load(log.next - 1)
        seen.append(log.row())
        return apdu(octets, sap, server)

    rig.dlms.apdu = and_another
    assert codes(rig.rows(STANDARD)) == expected(0, ROWS)
    assert len(seen) > 50


def test_power_failures_and_certified_changes_have_their_own_columns(rig):
    from app.parameters import LED_CONSTANT_ACTIVE

    rig.book.outage(240)
    assert rig.rows(POWER_FAILURES)[0][1] == 240
    rig.logs.certification.record(LED_CONSTANT_ACTIVE, 1000, 3200)
    assert rig.rows(CERTIFICATION)[0][1:] == [bytes((1, 0, 0, 3, 0, 255)), 1000, 3200]
    named = "020412000109060000608000ff0f02120000"
    assert rig.rows(CERTIFICATION, by_range("0906010000030000", "090601000003ffff", [named],
                                            restricting=named)) == [
        [bytes((1, 0, 0, 3, 0, 255))]
    ]  # fmt: skip


def test_random_descriptors_never_break_the_server(rig):
    source = random.Random(SEED)
    print("seed", SEED)
    good = [by_range(minute(3), minute(5), [CODE]), by_entry(1, 2)]
    for _ in range(3000):
        octets = bytearray.fromhex(source.choice(good))
        for _ in range(source.choice((1, 1, 2, 5))):
            octets[source.randrange(len(octets))] = source.randrange(256)
        octets = octets[: source.choice((len(octets), source.randrange(1, len(octets) + 1)))]
        answer = rig.dlms.apdu("c001c10007" + STANDARD + "0201" + octets.hex())
        assert answer[:1].hex() in ("c4", "d8")
    assert codes(rig.rows(STANDARD, by_entry(1, 2))) == [1, 2]
