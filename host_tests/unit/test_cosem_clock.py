"""Class 8: reading and setting the time, its rules, its methods."""

import struct
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from dlms_rig import NOW_UTC_S, Rig
from hypothesis import given, settings
from hypothesis import strategies as st

from app.attributes import Reference

EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)
NAME = "0000010000ff"
CLOCK = bytes.fromhex(NAME)
ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture
def rig():
    return Rig().associate()


def get(rig, index):
    answer = rig.apdu(f"c001c10008{NAME}{index:02x}00")
    assert answer[:4].hex() == "c401c100"
    return answer[4:]


def put(rig, index, value):
    """Set an attribute; return the data-access-result."""
    return rig.apdu(f"c101c10008{NAME}{index:02x}00{value}")[3]


def call(rig, method, value):
    """Execute a method; return the action-result."""
    return rig.apdu(f"c301c10008{NAME}{method:02x}01{value}")[3]


def octets(local, deviation_min=-0x8000, status=0, weekday=0xFF, hundredths=0xFF):
    return (
        struct.pack(
            ">HBBBBBBBhB",
            local.year,
            local.month,
            local.day,
            weekday,
            local.hour,
            local.minute,
            local.second,
            hundredths,
            deviation_min,
            status,
        )
    ).hex()


def moment(rig):
    return EPOCH + timedelta(seconds=rig.clock.utc_s())


@pytest.mark.row("CLK-01", "CLK-02")
def test_time_is_twelve_octets_of_local_time(rig):
    # 2026-01-31T23:59:50Z is the first of February, a Sunday, 00:59:50 in Berlin
    assert get(rig, 2).hex() == "090c" + "07ea0201070 03b3200ffc400".replace(" ", "")


def test_the_other_attributes(rig):
    assert get(rig, 1).hex() == "0906" + NAME
    assert get(rig, 3).hex() == "10ffc4"
    assert get(rig, 4).hex() == "1100"
    assert get(rig, 5).hex() == "090cffff03fe0702000000800000"
    assert get(rig, 6).hex() == "090cffff0afe0703000000800080"
    assert get(rig, 7).hex() == "0f3c"
    assert get(rig, 8).hex() == "0301"
    assert get(rig, 9).hex() == "1601"


@pytest.mark.row("CLK-03")
def test_status_in_july(rig):
    assert put(rig, 2, "090c" + octets(datetime(2026, 7, 1, 12), -120, 0x80)) == 0
    assert get(rig, 4).hex() == "1180"
    assert get(rig, 2).hex() == "090c07ea070103" + "0c000000" + "ff8880"


@pytest.mark.row("CLK-19")
@pytest.mark.parametrize("weekday", [0xFF, 3, 7])
@pytest.mark.parametrize("hundredths", [0xFF, 0, 99])
@pytest.mark.parametrize("deviation", [-0x8000, 0, -60, 600])
def test_set_time_in_every_notation(rig, weekday, hundredths, deviation):
    local = datetime(2027, 3, 4, 5, 6, 7)
    text = octets(local, deviation, 0, weekday, hundredths)
    assert put(rig, 2, "090c" + text) == 0
    used = -60 if deviation == -0x8000 else deviation
    expected = local.replace(tzinfo=timezone.utc) + timedelta(minutes=used)
    assert moment(rig) == expected
    assert rig.rtc.time_s == rig.clock.utc_s()


def test_local_time_without_deviation_follows_the_rules(rig):
    """Every hour around both switches of 2026, against the zone's own data base."""
    for start in (datetime(2026, 3, 28, 20), datetime(2026, 10, 24, 20)):
        for hours in range(14):
            utc = (start + timedelta(hours=hours)).replace(tzinfo=timezone.utc)
            local = utc.astimezone(ZONE)
            status = 0x80 if local.dst() else 0
            assert put(rig, 2, "090c" + octets(local, status=status)) == 0
            assert moment(rig) == utc, local


@pytest.mark.parametrize(
    "text",
    [
        "090c" + octets(datetime(2026, 1, 1), 841),
        "090c" + "ffff" + octets(datetime(2026, 1, 1))[4:],  # year left open
        "090c" + "07ea0d01ff00000000800000",  # month 13
        "090c" + "07ea021dff00000000800000",  # 29 February 2026
        "090c" + "07ea0201ffff000000800000",  # hour left open
        "090c" + "07ea0201ff18000000800000",  # 24 o'clock
        "090c" + "07ea0201ff003c0000800000",  # minute 60
        "090c" + "07ea0201ff00003c00800000",  # second 60
        "090c" + "07ea020108000000ff800000",  # weekday 8
        "090c" + "07ea020100000000ff800000",  # weekday 0
        "090c" + "07ea0201ff00000064800000",  # 100 hundredths
        "090c" + "07eaff01ff00000000800000",  # month left open
        "090c" + "07ea02ffff00000000800000",  # day left open
        "090c" + "07ea02feff00000000800000",  # the last day of the month
        "090c" + "07eafe01ff00000000800000",  # the month of daylight saving
        "090c" + "07ea0201ff00ff0000800000",  # minute left open
        "090c" + "ffffffffffffffffff8000ff",  # all left open
        "090c" + "07cf0c1fff17000000800000",  # 1999
        "090c" + "07d00101ff00000000ffc400",  # 1999 in UTC
        "090b" + octets(datetime(2026, 1, 1))[:22],
        "0900",
    ],
)
def test_what_is_no_time_is_refused(rig, text):
    assert put(rig, 2, text) == 250
    assert rig.clock.utc_s() == NOW_UTC_S


def test_hundredths_are_taken_and_seconds_may_be_left_open(rig):
    moments = []
    rig.clock._move = lambda utc_s, ms, known: moments.append((utc_s - NOW_UTC_S, ms))
    assert put(rig, 2, "090c" + "07ea0131ff173b3263000000".replace("0131", "011f")) == 0
    assert put(rig, 2, "090c" + "07ea011fff173bffff000000") == 0
    assert moments == [(0, 990), (-50, 0)]


def octet(least, most):
    """Mostly what a field may be or just may not, now and then anything."""
    near = st.integers(least - 1 if least else 0, most + 1)
    return st.one_of(near, near, near, st.just(255), st.integers(0, 255))


@settings(max_examples=400)
@given(
    year=st.one_of(st.integers(1999, 2101), st.integers(2001, 2098), st.integers(0, 0xFFFF)),
    fields=st.tuples(
        octet(1, 12),
        octet(1, 31),
        octet(1, 7),
        octet(0, 23),
        octet(0, 59),
        octet(0, 59),
        octet(0, 99),
    ),
    deviation=st.one_of(st.just(-0x8000), st.integers(-730, 850), st.integers(-0x8000, 0x7FFF)),
    status=st.sampled_from([0, 0x80, 0xFF, 3]),
)
def test_any_twelve_octets_are_a_time_or_refused(year, fields, deviation, status):
    """Against datetime and zoneinfo; a refused one changes nothing."""
    rig = Rig().associate()
    before = rig.clock.utc_s()
    month, day, weekday, hour, minute, second, hundredths = fields
    text = struct.pack(">H7BhB", year, *fields, deviation, status).hex()
    expected = None
    try:
        local = datetime(year, month, day, hour, minute, 0 if second == 255 else second)
        if deviation == -0x8000:
            # the first of the two that an hour may come as is daylight saving
            fold = 0 if status != 255 and status & 0x80 else 1
            there = local.replace(tzinfo=ZONE, fold=fold)
            gap = there.astimezone(timezone.utc).astimezone(ZONE).replace(tzinfo=None) != local
            moment = (there.replace(fold=0) if gap else there).astimezone(timezone.utc)
        elif -720 <= deviation <= 840:
            moment = local.replace(tzinfo=timezone.utc) + timedelta(minutes=deviation)
        else:
            raise ValueError
        if (weekday == 255 or 1 <= weekday <= 7) and (hundredths == 255 or hundredths <= 99):
            expected = int((moment - EPOCH).total_seconds())
        if not (2000 <= year <= 2099 and 2000 <= moment.year <= 2099):
            expected = None
    except ValueError:
        pass
    result = put(rig, 2, "090c" + text)
    if expected is None:
        assert (result, rig.clock.utc_s()) == (250, before)
    else:
        assert (result, rig.clock.utc_s()) == (0, expected)


@pytest.mark.parametrize("text", ["00", "0600000000", "19" + octets(datetime(2026, 1, 1))])
def test_another_type_is_unmatched(rig, text):
    assert put(rig, 2, text) == 12
    assert rig.clock.utc_s() == NOW_UTC_S


@pytest.mark.row("CLK-04")
def test_rules_are_set_kept_and_bounded(rig):
    assert put(rig, 3, "100000") == 0
    assert put(rig, 7, "0f78") == 0
    assert put(rig, 7, "0f79") == 250
    assert put(rig, 3, "1002d1") == 250
    assert put(rig, 8, "0300") == 0
    assert put(rig, 5, "090cffff04fe0702000000800000") == 0
    assert put(rig, 5, "090cffff0dfe0702000000800000") == 250
    assert put(rig, 6, "090affff04fe070200000080") == 250
    again = type(rig.clock)(rig.rtc, rig.settings).zone
    assert (again.time_zone_min, again.dst_deviation_min, again.dst_enabled) == (0, 120, False)
    assert again.dst_begin.hex() == "ffff04fe0702000000800000"
    assert put(rig, 4, "1100") == 3
    assert put(rig, 9, "1601") == 3
    assert put(rig, 1, "0906" + NAME) == 3
    assert put(rig, 10, "00") == 4


@pytest.mark.parametrize(
    ("method", "second_of_hour", "result"),
    [
        (1, 449, 0),
        (1, 450, 900),
        (1, 3599, 3600),
        (2, 1349, 900),
        (2, 1350, 1800),
        (3, 89, 60),
        (3, 90, 120),
        (3, 29, 0),
    ],
)
def test_adjust_to_the_nearest(rig, method, second_of_hour, result):
    rig.clock.set_utc_s(NOW_UTC_S // 3600 * 3600 + second_of_hour)
    assert call(rig, method, "0f00") == 0
    assert rig.clock.utc_s() - NOW_UTC_S // 3600 * 3600 == result


def test_quarters_are_local_ones(rig):
    rig.clock.configure(time_zone_min=-345)  # Nepal: local quarters are UTC quarters as well
    rig.clock.configure(time_zone_min=-340)  # an invented zone where they are not
    rig.clock.set_utc_s(NOW_UTC_S // 3600 * 3600 + 340)
    assert call(rig, 1, "0f00") == 0
    assert (rig.clock.utc_s() + 340 * 60) % 900 == 0


def test_shift_time(rig):
    assert call(rig, 6, "100384") == 0
    assert rig.clock.utc_s() == NOW_UTC_S + 900
    assert call(rig, 6, "10fc7c") == 0
    assert rig.clock.utc_s() == NOW_UTC_S
    for text, result in (("100385", 250), ("10fc7b", 250), ("0f01", 12), ("00", 12)):
        assert call(rig, 6, text) == result
    assert rig.clock.utc_s() == NOW_UTC_S


def test_preset_time_counts_inside_its_validity_and_once(rig):
    assert call(rig, 4, "0f00") == 250
    preset = datetime(2026, 2, 1, 10)
    begin, end = datetime(2026, 1, 31), datetime(2026, 2, 2)
    parameter = "0203" + "".join("090c" + octets(t, 0) for t in (preset, begin, end))
    assert call(rig, 5, parameter) == 0
    rig.clock.set_utc_s(NOW_UTC_S + 5 * 86400)
    assert call(rig, 4, "0f00") == 250
    rig.clock.set_utc_s(NOW_UTC_S)
    assert call(rig, 4, "0f00") == 0
    assert moment(rig) == preset.replace(tzinfo=timezone.utc)
    assert call(rig, 4, "0f00") == 250
    backwards = "0203" + "".join("090c" + octets(t, 0) for t in (preset, end, begin))
    assert call(rig, 5, backwards) == 250
    assert call(rig, 4, "0f00") == 250
    for text in ("0202" + parameter[4:-28], "0f00", parameter[:-2]):
        assert rig.apdu(f"c301c10008{NAME}0501{text}")[0] in (0xC7, 0xD8)


def test_methods_want_their_parameter(rig):
    assert rig.apdu(f"c301c10008{NAME}0300").hex() == "c701c10c00"
    assert call(rig, 7, "0f00") == 4
    assert call(rig, 0, "0f00") == 4


def test_a_dead_memory_is_a_hardware_fault(rig):
    rig.memory.dead = True
    assert put(rig, 3, "100000") == 1
    assert rig.clock.zone.time_zone_min == -60


def test_local_time_and_date_for_the_display(rig):
    assert rig.resolver.read(Reference(1, bytes((1, 0, 0, 9, 1, 255)), 2))[1].hex() == "003b3200"
    assert rig.resolver.read(Reference(1, bytes((1, 0, 0, 9, 2, 255)), 2))[1].hex() == "07ea020107"


@pytest.mark.row("CLK-09")
@pytest.mark.parametrize(("method", "parameter"), [(1, "0f00"), (4, "0f00"), (6, "10003c")])
def test_methods_that_move_the_time_far_are_events(rig, method, parameter):
    codes = []
    rig.clock.on_event = codes.append
    rig.clock.set_utc_s(NOW_UTC_S + 60)
    assert codes == [4, 5]
    preset = octets(datetime(2026, 2, 1, 1), 0)
    assert call(rig, 5, f"0203090c{preset}090c{octets(datetime(2026, 1, 1), 0)}090c{preset}") == 0
    assert call(rig, method, parameter) == 0
    assert codes == [4, 5, 4, 5]


@pytest.mark.row("CLK-19")
def test_the_public_client_reads_and_never_sets(rig):
    public = Rig()
    public.apdu("601da109060760857405080101be10040e01000000065f1f0400007e1fffff", sap=16)
    assert public.apdu(f"c001c10008{NAME}0200", sap=16)[:4].hex() == "c401c100"
    text = "090c" + octets(datetime(2027, 1, 1), 0)
    assert public.apdu(f"c101c10008{NAME}0200{text}", sap=16).hex() == "c501c103"
    assert public.apdu(f"c301c10008{NAME}06010f00", sap=16).hex() == "c701c10300"
    assert public.clock.utc_s() == NOW_UTC_S
