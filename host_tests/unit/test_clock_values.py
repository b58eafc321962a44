"""The objects around the clock: limits, chip, fixed dates, reserve."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from clock_rig import Cell, Lock
from dlms_rig import NOW_UTC_S, Rig

from app.battery import Battery
from app.cosem import clock_values

SECONDS = "02020f001607"
REFUSED, OTHER, UNMATCHED, HARDWARE = 3, 250, 12, 1


@pytest.fixture
def rig():
    rig = Rig().associate()
    rig.lock = Lock()
    rig.cell = Cell()
    rig.battery = Battery(rig.cell, rig.clock, rig.settings)
    clock_values.add(rig.catalogue, rig.clock, rig.battery, rig.lock)
    rig.rtc.square_wave = None
    rig.rtc.set_square_wave = lambda on: setattr(rig.rtc, "square_wave", on)
    rig.rtc.aging = None
    rig.rtc.set_aging = lambda steps: setattr(rig.rtc, "aging", steps)
    return rig


def name(*obis):
    return bytes(obis).hex() + "ff"


def get(rig, class_id, obis, index=2):
    answer = rig.apdu(f"c001c1{class_id:04x}{name(*obis)}{index:02x}00")
    assert answer[:4].hex() == "c401c100", answer.hex()
    return answer[4:].hex()


def put(rig, class_id, obis, value):
    return rig.apdu(f"c101c1{class_id:04x}{name(*obis)}0200{value}")[3]


def reset(rig, obis):
    return rig.apdu(f"c301c10003{name(*obis)}01010f00")[3]


LIMIT = (1, 0, 0, 9, 11)
MODE = (0, 0, 128, 30, 1)
TRIM = (0, 0, 128, 30, 2)
KIND = (0, 0, 128, 30, 10)
THRESHOLD = (0, 0, 128, 30, 11)
TABLE = (0, 0, 128, 30, 20)
USE = (0, 0, 96, 6, 0)
VOLTAGE = (0, 0, 96, 6, 3)
REMAINING = (0, 0, 96, 6, 6)


@pytest.mark.row("CLK-09")
def test_the_shift_limit(rig):
    assert get(rig, 3, LIMIT) == "120009"
    assert get(rig, 3, LIMIT, 3) == SECONDS
    assert put(rig, 3, LIMIT, "12003c") == 0
    assert rig.clock.shift_limit_s == 60
    assert put(rig, 3, LIMIT, "120e11") == OTHER
    assert put(rig, 3, LIMIT, "0600000001") == UNMATCHED
    assert get(rig, 3, LIMIT) == "12003c"
    assert reset(rig, LIMIT) == 0
    assert get(rig, 3, LIMIT) == "120009"


@pytest.mark.row("CLK-10", "CLK-11")
def test_mode_and_trim_of_the_chip_only_unlocked(rig):
    for obis, value in ((MODE, "1601"), (TRIM, "0ffd")):
        assert put(rig, 1, obis, value) == REFUSED
    assert (rig.rtc.square_wave, rig.rtc.aging) == (None, None)
    assert (get(rig, 1, MODE), get(rig, 1, TRIM)) == ("1600", "0f00")
    rig.lock.closed = False
    assert put(rig, 1, MODE, "1601") == 0
    assert put(rig, 1, TRIM, "0ffd") == 0
    assert rig.rtc.square_wave is True
    assert rig.rtc.aging == 30  # 0.1 ppm a step, positive slows
    assert (get(rig, 1, MODE), get(rig, 1, TRIM)) == ("1601", "0ffd")
    for obis, value in ((MODE, "1602"), (TRIM, "0f0d"), (TRIM, "0ff3")):
        assert put(rig, 1, obis, value) == OTHER
    assert put(rig, 1, MODE, "1600") == 0
    assert rig.rtc.square_wave is False


def dates(begin, end):
    return "0202090c" + begin + "090c" + end


APRIL = "07ea0403ff02000000800000"
SEPTEMBER = "07ea0901ff03000000800000"


@pytest.mark.row("CLK-06")
def test_fixed_dates_are_written_as_they_are_read(rig):
    assert get(rig, 1, TABLE) == "0100"
    assert put(rig, 1, TABLE, "0101" + dates(APRIL, SEPTEMBER)) == 0
    assert get(rig, 1, TABLE) == "0101" + dates(APRIL, SEPTEMBER)
    utc_s = NOW_UTC_S + 61 * 86400  # 3 April 2026, 00:59:50 in Central European time
    assert not rig.clock.dst_active(utc_s)
    assert rig.clock.dst_active(utc_s + 3610)
    assert put(rig, 1, TABLE, "0100") == 0
    assert rig.clock.dst_active(utc_s)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("0101" + dates(APRIL, SEPTEMBER.replace("07ea", "07eb")), OTHER),
        ("0102" + dates(APRIL, SEPTEMBER) * 2, OTHER),
        ("0101" + dates("ffff" + APRIL[4:], "ffff" + SEPTEMBER[4:]), OTHER),
        ("0101" + dates(APRIL.replace("0403", "041f"), SEPTEMBER), OTHER),
        ("0109" + dates(APRIL, SEPTEMBER) * 9, OTHER),
        ("0101" + "0201090c" + APRIL, UNMATCHED),
        ("0101" + dates(APRIL, SEPTEMBER)[:-2], None),
        ("00", UNMATCHED),
    ],
)
def test_a_wrong_table_is_refused(rig, value, result):
    assert put(rig, 1, TABLE, "0101" + dates(APRIL, SEPTEMBER)) == 0
    if result is None:
        assert rig.apdu(f"c101c10001{name(*TABLE)}0200{value}")[0] != 0xC5
    else:
        assert put(rig, 1, TABLE, value) == result
    assert get(rig, 1, TABLE) == "0101" + dates(APRIL, SEPTEMBER)


@pytest.mark.row("CLK-13", "CLK-14", "PRD-09")
def test_counters_of_the_reserve_only_unlocked(rig):
    rig.clock._anchor_s += 3600
    assert get(rig, 3, USE) == "0600000e10"
    assert get(rig, 3, USE, 3) == SECONDS
    assert get(rig, 3, REMAINING) == f"06{631152000 - 3600:08x}"
    assert get(rig, 3, REMAINING, 3) == SECONDS
    for call in (
        lambda: put(rig, 3, USE, "0600000000"),
        lambda: put(rig, 3, REMAINING, "060000000a"),
        lambda: reset(rig, USE),
        lambda: reset(rig, REMAINING),
    ):
        assert call() == REFUSED
    rig.lock.closed = False
    assert put(rig, 3, REMAINING, "060000000a") == 0
    assert get(rig, 3, REMAINING) == "060000000a"
    assert reset(rig, REMAINING) == 0
    assert get(rig, 3, REMAINING) == f"06{631152000:08x}"
    assert put(rig, 3, USE, "0600000005") == 0
    assert get(rig, 3, USE) == "0600000005"
    assert reset(rig, USE) == 0
    assert get(rig, 3, USE) == "0600000000"
    rig.memory.dead = True
    assert reset(rig, USE) == HARDWARE


@pytest.mark.row("CLK-12")
def test_the_kind_of_reserve_drives_what_remains(rig):
    assert get(rig, 1, KIND) == "1603"
    assert put(rig, 1, KIND, "1601") == REFUSED
    rig.lock.closed = False
    for kind, days in ((1, 7), (2, 20), (3, 7305)):
        assert put(rig, 1, KIND, f"16{kind:02x}") == 0
        assert get(rig, 3, REMAINING) == f"06{days * 86400:08x}"
    for wrong in ("1600", "1604"):
        assert put(rig, 1, KIND, wrong) == OTHER
    assert get(rig, 1, KIND) == "1603"


def test_the_voltage_is_read_in_volts_with_a_scaler(rig):
    rig.cell.mv = 2987
    assert get(rig, 3, VOLTAGE) == f"12{2987:04x}"
    assert get(rig, 3, VOLTAGE, 3) == "02020ffd1623"
    rig.lock.closed = False
    assert put(rig, 3, VOLTAGE, "120000") == REFUSED
    assert reset(rig, VOLTAGE) == REFUSED
    assert get(rig, 1, THRESHOLD) == "120bb8"
    assert put(rig, 1, THRESHOLD, "120bc0") == 0
    assert rig.battery.threshold_mv == 3008
    assert put(rig, 1, THRESHOLD, "121389") == OTHER


def test_the_temperature_of_the_chip_in_hundredths_of_a_degree(rig):
    rig.rtc.temperature_cdeg = lambda: -1225
    assert get(rig, 3, (0, 0, 96, 9, 0)) == "10fb37"
    assert get(rig, 3, (0, 0, 96, 9, 0), 3) == "02020ffe1609"

    def silent():
        raise OSError(19)

    rig.rtc.temperature_cdeg = silent
    answer = rig.apdu(f"c001c10003{name(0, 0, 96, 9, 0)}0200")
    assert answer.hex() == f"c401c101{HARDWARE:02x}"


def test_a_client_that_may_only_read_sets_nothing(rig):
    """Level 1 reads settings and sets none (docs/security.md)."""
    rig.lock.closed = False
    assert rig.apdu("6203800100")[0] == 0x63
    aarq = "6036a1090607608574050801018a0207808b0760857405080201ac0a80083132333435363738be10"
    rig.settings.put("lls_1", b"12345678")
    rig.apdu(aarq + "040e01000000065f1f0400007e1fffff", sap=32)
    for class_id, obis, value in (
        (3, LIMIT, "12003c"),
        (1, TABLE, "0100"),
        (1, MODE, "1601"),
        (3, REMAINING, "060000000a"),
    ):
        answer = rig.apdu(f"c101c1{class_id:04x}{name(*obis)}0200{value}", sap=32)
        assert answer.hex() == "c501c103"
    assert rig.clock.shift_limit_s == 9
