"""Profiles that capture: rows of any readable attributes, columns that a client chooses."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import capture_rig
from capture_rig import CLOCK, NAME, STATUS, CaptureRig, PowerLost, register
from dlms_rig import NOW_UTC_S
from profile_rig import by_entry, by_range, time

from app import axdr
from app.errors import MeterError
from app.rows import pack_objects
from app.storage import rings

SEED = 20260611
SCOPE = 13
UNDEFINED = 4
CLASS = 9
DENIED = 3
TYPE = 12
OTHER = 250
CLEARED = 254

VOLTAGE = register(32, 7)
A_PLUS = register(1)
ASSOCIATION = b"\x00\x00\x28\x00\x00\xff"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(rings.time, "sleep_ms", lambda _ms: None, raising=False)


@pytest.fixture
def rig():
    return CaptureRig()


def encoded(*objects):
    return pack_objects(list(objects)).hex()


def test_a_row_is_what_the_attributes_read_in_their_own_types(rig):
    rig.capture(status=0x24)
    assert rig.values() == [
        [
            # 2026-02-01 01:00:50 local, a Sunday, deviation -60, status normal
            (axdr.OCTET_STRING, bytes.fromhex("07ea0201070100320" + "0ffc400")),
            (axdr.UINT8, 0x24),
            (axdr.UINT64, 1725),
            (axdr.UINT32, 23000),
        ]
    ]


def test_attributes_of_a_profile(rig):
    rig.capture(3)
    objects = (CLOCK, STATUS, A_PLUS, VOLTAGE)
    assert rig.get(NAME, index=3).hex() == encoded(*objects)
    assert rig.get(NAME, index=4).hex() == "0600000000"
    assert rig.get(NAME, index=5).hex() == "1601"
    assert rig.get(NAME, index=7).hex() == "0600000003"
    assert axdr.Reader(rig.get(NAME, index=8)).data()[1] == rig.profile.capacity


def test_rows_survive_a_restart_and_go_on(rig):
    rig.capture(5)
    rows = rig.rows(NAME)
    rig.boot()
    assert rig.rows(NAME) == rows
    assert rig.posted == []
    rig.capture()
    assert len(rig.rows(NAME)) == 6


def test_a_part_of_the_buffer_by_range_and_by_entry(rig):
    rig.capture(20)
    rows = rig.rows(NAME)
    part = by_range(time(NOW_UTC_S + 5 * 60), time(NOW_UTC_S + 9 * 60))
    assert rig.rows(NAME, part) == rows[4:9]
    assert rig.rows(NAME, by_entry(3, 7)) == rows[2:7]
    assert rig.rows(NAME, by_entry(3, 7, 2, 3)) == [row[1:3] for row in rows[2:7]]
    two = by_range(time(NOW_UTC_S + 60), time(NOW_UTC_S + 60), [encoded(A_PLUS)[4:]])
    assert rig.rows(NAME, two) == [[1725]]


class TestColumns:
    @pytest.mark.parametrize("blocks", [2, 20, 31])
    def test_others_are_captured_from_then_on(self, rig, blocks):
        rig.capture(4)
        objects = [CLOCK] + [register(1 + n % 8) for n in range(blocks)]
        assert rig.set(3, objects) == 0
        assert rig.get(NAME, index=3).hex() == encoded(*objects)
        assert rig.rows(NAME) == []
        assert rig.posted == [CLEARED]
        rig.capture(2)
        rig.boot()
        assert rig.get(NAME, index=3).hex() == encoded(*objects)
        wh = rig.dlms.registers
        expected = [wh.value(wh.find(1 + n % 8, 8, 0)) for n in range(blocks)]
        assert [row[1:] for row in rig.rows(NAME)] == [expected] * 2

    def test_the_same_columns_written_back_change_nothing(self, rig):
        rig.capture(2)
        assert rig.set(3, [CLOCK, STATUS, A_PLUS, VOLTAGE]) == 0
        assert rig.posted == []
        assert len(rig.rows(NAME)) == 2

    def test_columns_of_one_size_are_told_apart(self, rig):
        """Rows of the first setup must not show as rows of the second."""
        assert rig.set(3, [CLOCK, register(1)]) == 0
        rig.capture(3)
        assert rig.set(3, [CLOCK, register(2)]) == 0
        rig.capture()
        assert [row[1] for row in rig.rows(NAME)] == [12]
        assert rig.set(3, [CLOCK, register(1)]) == 0
        assert rig.rows(NAME) == []

    def test_without_clock_and_status(self, rig):
        assert rig.set(3, [VOLTAGE]) == 0
        rig.capture(2)
        assert rig.rows(NAME) == [[23000], [23000]]
        both = by_range(time(NOW_UTC_S), time(NOW_UTC_S + 60))
        assert rig.rows(NAME, both) == [[23000]]

    def test_elements_of_a_structure(self, rig):
        scaler_unit = (3, VOLTAGE[1], 3)
        assert rig.set(3, [(*scaler_unit, 1), (*scaler_unit, 2)]) == 0
        rig.capture()
        assert rig.values() == [[(axdr.INT8, -2), (axdr.ENUM, 35)]]

    @pytest.mark.row("LPR-04")
    @pytest.mark.parametrize(
        ("objects", "why"),
        [
            ([CLOCK] * 33, OTHER),
            ([], OTHER),
            ([(3, VOLTAGE[1], 3, 0)], TYPE),  # a structure
            ([(3, VOLTAGE[1], 3, 3)], UNDEFINED),  # of two elements
            ([(3, VOLTAGE[1], 2, 1)], TYPE),  # an element of what has none
            ([register(99)], UNDEFINED),
            ([(4, A_PLUS[1], 2, 0)], CLASS),
            ([(3, A_PLUS[1], 4, 0)], UNDEFINED),
            ([(3, A_PLUS[1], 0, 0)], UNDEFINED),
            ([(3, A_PLUS[1], -1, 0)], UNDEFINED),
            ([(15, ASSOCIATION, 7, 0)], DENIED),  # a secret
            ([(19, b"\x00\x00\x14\x00\x00\xff", 7, 0)], DENIED),  # not every client's
            ([(15, ASSOCIATION, 2, 0)], 11),  # of a client that is not there
            ([(7, bytes.fromhex(NAME), 2, 0)], SCOPE),
            ([(8, CLOCK[1], 2, 0), register(1), register(98)], UNDEFINED),
        ],
        ids=str,
    )
    def test_what_cannot_be_captured_is_refused_and_the_old_ones_stay(self, rig, objects, why):
        rig.capture(3)
        rows = rig.rows(NAME)
        assert rig.set(3, objects) == why
        rig.boot()
        assert rig.get(NAME, index=3).hex() == encoded(CLOCK, STATUS, A_PLUS, VOLTAGE)
        assert rig.rows(NAME) == rows
        assert rig.posted == []

    @pytest.mark.parametrize(
        "value",
        ["0100", "0101", "010112000f", "01020204120008", "0101020312000809060000010000ff0f02",
         "0101020412000809050000010000 0f02120000", "09020101", "0182ffff", "0184ffffffff"],
    )  # fmt: skip
    def test_what_is_no_list_of_columns_is_refused(self, rig, value):
        rig.capture(3)
        assert rig.set(3, value.replace(" ", "")) != 0
        assert len(rig.rows(NAME)) == 3
        assert rig.set(3, [VOLTAGE]) == 0

    def test_a_value_that_is_too_large_is_refused(self, rig):
        rig.dlms.catalogue.add((0, 0, 1, 9, 9), Data(), Octets(49), 5)
        assert rig.set(3, [(1, b"\x00\x00\x01\x09\x09\xff", 2, 0)]) == OTHER
        rig.dlms.catalogue.add((0, 0, 1, 9, 9), Data(), Octets(700), 5)
        assert rig.set(3, [(1, b"\x00\x00\x01\x09\x09\xff", 2, 0)]) == OTHER
        rig.dlms.catalogue.add((0, 0, 1, 9, 9), Data(), Octets(48), 5)
        assert rig.set(3, [(1, b"\x00\x00\x01\x09\x09\xff", 2, 0)]) == 0
        rig.capture()
        assert rig.rows(NAME) == [[bytes(48)]]
        assert rig.set(3, [(1, b"\x00\x00\x01\x09\x09\xff", 2, 0)] * 13) == OTHER  # the row

    def test_more_columns_leave_room_for_fewer_rows(self, rig):
        few = rig.profile.capacity
        assert rig.set(3, [CLOCK] + [register(1 + n % 8) for n in range(31)]) == 0
        assert rig.profile.capacity < few / 3

    def test_every_attribute_of_the_meter_is_taken_or_refused(self, rig):
        taken = refused = 0
        for logical_name, handler, _, _ in list(rig.dlms.catalogue.entries()):
            for index in range(1, len(handler.ATTRIBUTES) + 2):
                wanted = (handler.CLASS_ID, logical_name, index, 0)
                reader = axdr.Reader(pack_objects([wanted]))
                try:
                    rig.profile.set_columns(reader)
                    taken += 1
                    rig.capture()
                    # its own number of rows has changed meanwhile
                    assert rig.values()[0][0][0] == rig.dlms.resolver.read(reference(wanted))[0]
                except (MeterError, ValueError):
                    refused += 1
        assert taken > 250
        assert refused > 100


class Data(capture_rig.ProfileGeneric):
    """Data of a test: class 1 whose value is what the key writes."""

    CLASS_ID = 1

    def __init__(self):
        self.ATTRIBUTES = ((9, 1), (-1, 1))

    def get(self, writer, key, index, session):
        key.read(writer)


class Octets:
    def __init__(self, count):
        self.count = count

    def read(self, writer):
        if self.count < 0:
            raise OSError("chip")
        writer.octet_string(bytes(self.count))


def reference(wanted):
    from app.attributes import Reference

    return Reference(*wanted[:3])


def test_what_cannot_be_read_at_its_time_is_null_data(rig):
    octets = Octets(6)
    rig.dlms.catalogue.add((0, 0, 1, 9, 9), Data(), octets, 5)
    assert rig.set(3, [VOLTAGE, (1, b"\x00\x00\x01\x09\x09\xff", 2, 0), A_PLUS]) == 0
    for count in (6, 12, 13, -1, 0):  # a longer string than there is room for, a chip that fails
        octets.count = count
        rig.capture()
    assert [row[1] for row in rig.rows(NAME)] == [bytes(6), bytes(12), None, None, b""]
    assert [row[::2] for row in rig.rows(NAME)] == [[23000, 1725]] * 5


@pytest.mark.row("LPR-01")
def test_reset_forgets_all_rows_for_good(rig):
    rig.capture(50)
    assert rig.invoke(1) == 0
    assert rig.get(NAME, index=7).hex() == "0600000000"
    assert rig.rows(NAME) == []
    assert rig.posted == [CLEARED]
    rig.boot()
    assert rig.rows(NAME) == []
    rig.capture()
    assert len(rig.rows(NAME)) == 1
    assert rig.invoke(2) == DENIED  # this one captures by itself
    assert rig.set(4, "0600000384") == DENIED


def test_rows_go_on_when_the_ring_is_full(rig):
    scaler_unit = (3, VOLTAGE[1], 3, 1)
    assert rig.set(3, [register(6)] * 31 + [scaler_unit]) == 0  # few rows a block
    capacity = rig.profile.capacity
    for number in range(capacity + 300):
        rig.profile.capture_at(NOW_UTC_S + number)
        rig.rings.flush()
    first = rig.profile.first
    assert rig.profile.next - first == capacity
    assert rig.rows(NAME, by_entry(1, 1))[0][:2] == [5_000_000_000] * 2
    oldest = list(rig.profile.span(NOW_UTC_S, NOW_UTC_S + 301))
    assert oldest == [first, first + 1]


@pytest.mark.row("LPR-08")
def test_a_damaged_row_is_marked_and_told_once(rig):
    rig.capture(3)
    rows = rig.values()
    at = rig.flash.octets.find(bytes(rig.recorder.row[8:13]))
    rig.flash.octets[at + 2] ^= 0x10
    damaged = [
        (axdr.OCTET_STRING, bytes.fromhex("ffffffffffffffffff8000ff")),
        (axdr.UINT8, 0x05),
        (axdr.NULL, None),
        (axdr.NULL, None),
    ]
    for _ in range(2):
        assert rig.values() == [damaged] + rows[1:]
    assert rig.damaged == ["load_profile_1"]


def test_a_flash_that_fails_refuses_and_goes_on_later(rig):
    rig.capture(3)
    rig.flash.dead = True
    with pytest.raises(OSError):
        rig.capture()
    assert rig.invoke(1) != 0
    rig.flash.dead = False
    rig.rings.flush()
    rig.capture()
    assert len(rig.rows(NAME)) == 4


def test_the_power_may_go_at_any_byte_of_a_change():
    """Then the old columns stand with their rows, or the new ones without any."""
    rng = random.Random(SEED)
    old = encoded(CLOCK, STATUS, A_PLUS, VOLTAGE)
    new = [CLOCK, STATUS, register(3), VOLTAGE]  # rows of the same size
    seen = set()
    rig = CaptureRig()
    rig.capture(4)
    rows = rig.rows(NAME)
    image = bytes(rig.fram.octets), bytes(rig.flash.octets)
    for cut in [*range(120), *(rng.randrange(120, 260) for _ in range(60))]:
        rig.fram.octets[:], rig.flash.octets[:] = image
        rig.boot()
        chip = rng.choice((rig.fram, rig.flash))
        chip.cut_after = cut
        try:
            rig.set(3, new)
        except PowerLost:
            pass
        told = rig.posted
        rig.boot()
        told += rig.posted
        kept = rig.get(NAME, index=3).hex()
        if kept == old:
            assert rig.rows(NAME) == rows, (SEED, cut)
            assert told == []
        else:
            assert kept == encoded(*new)
            assert rig.rows(NAME) == [], (SEED, cut)
            assert told == [CLEARED]
            rig.capture()
            assert [row[2] for row in rig.rows(NAME)] == [2988]
        seen.add(kept)
    assert len(seen) == 2
