"""COSEM objects of events and errors: what they show, what may be written, who may do it."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from profile_rig import CERTIFICATION, FRAUD, POWER_FAILURES, SECURITY, STANDARD, ProfileRig

from app import event_codes as codes
from app.dlms.server import MAX_PDU
from app.storage import rings


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(rings.time, "sleep_ms", lambda _ms: None, raising=False)


@pytest.fixture
def rig():
    return ProfileRig()


def value(rig, name):
    answer = rig.dlms.apdu(f"c001c10001{name}0200")
    return answer[4:].hex() if answer[3] == 0 else answer[4]


def put(rig, name, encoded):
    return rig.dlms.apdu(f"c101c10001{name}0200{encoded}")[3]


def reset(rig, name):
    return rig.dlms.apdu(f"c301c10007{name}01010f00")[3]


@pytest.mark.row("EVT-01")
def test_event_codes(rig):
    rig.book.post(codes.REPLAYED)
    assert value(rig, "0000600b00ff") == "1100"
    assert value(rig, "0000600b01ff") == "1132"
    assert value(rig, "0000600b09ff") == "1132"
    assert put(rig, "0000600b00ff", "1105") == 3


@pytest.mark.row("ERR-01")
@pytest.mark.row("ERR-02")
def test_error_registers_are_cleared_by_writing(rig):
    rig.book.post(codes.RAM_ERROR)
    assert value(rig, "0000616100ff") == "0600000200"
    assert value(rig, "0000616101ff") == "0600040000"
    assert value(rig, "0000616102ff") == "0600010000"
    assert put(rig, "0000616100ff", "0600000000") == 0
    assert value(rig, "0000616100ff") == "0600000000"
    assert value(rig, "0000616102ff") == "0600010000"
    assert [row[1] for row in rig.rows(STANDARD)] == [13, 10]
    assert put(rig, "0000616102ff", "120000") == 12
    assert value(rig, "0000616102ff") == "0600010000"


@pytest.mark.row("ERR-03")
def test_error_filters(rig):
    rig.book.post(codes.PROGRAM_MEMORY_ERROR)
    assert put(rig, "0000c46100ff", "0600000100") == 0
    assert value(rig, "0000c46100ff") == "0600000100"
    assert value(rig, "0000616100ff") == "0600000000"
    assert value(rig, "0000c46101ff") == value(rig, "0000c46102ff") == "0600000000"
    assert rig.book.errors.fault() is False
    assert put(rig, "0000c46100ff", "0600000000") == 0
    assert rig.book.errors.fault() is True
    assert put(rig, "0000c4610aff", "06ffffffff") == 0
    assert rig.book.errors.fault() is False
    assert [row[1] for row in rig.rows(STANDARD)] == [12, 47]  # one parameterisation


@pytest.mark.row("EVT-04")
def test_the_event_system_is_kept(rig):
    assert value(rig, "010060f500ff") == "1101"
    assert put(rig, "010060f500ff", "1102") == 0
    assert value(rig, "010060f500ff") == "1102"
    assert put(rig, "010060f500ff", "1103") == 250
    assert rig.logs.boot().book.system == 2


def test_the_hold_off_of_the_fraud_log(rig):
    assert value(rig, "0000804601ff") == "0600000384"
    assert put(rig, "0000804601ff", "060000000a") == 0
    assert rig.book.hold_off_s == 10
    assert put(rig, "0000804601ff", "06ffffffff") == 250


@pytest.mark.row("EVT-05")
def test_a_log_is_cleared_by_its_method(rig):
    rig.book.post(codes.POWER_UP)
    rig.book.post(codes.LOGIN_LOCKED)
    assert reset(rig, STANDARD) == 0
    assert [row[1] for row in rig.rows(STANDARD)] == [255]
    assert [row[1] for row in rig.rows(FRAUD)] == [46]
    assert rig.get(STANDARD, index=7).hex() == "0600000001"
    assert rig.dlms.apdu(f"c301c10007{STANDARD}02010f00")[3] == 3  # no capture
    assert rig.dlms.apdu(f"c301c10007{STANDARD}01011100")[3] == 12


def test_the_power_failure_log_is_cleared_to_nothing(rig):
    rig.book.outage(200)
    assert reset(rig, POWER_FAILURES) == 0
    assert rig.rows(POWER_FAILURES) == []
    assert [row[1] for row in rig.rows(STANDARD)] == [254]


def test_rows_of_a_flash_that_dies_are_shown_as_gone(rig):
    rig.fill(3)
    rig.logs.rings.flush()
    rig.logs.flash.dead = True
    assert rig.rows(STANDARD) == [[b"\xff" * 9 + b"\x80\x00\xff", 0]] * 3
    rig.logs.flash.dead = False
    assert [row[1] for row in rig.rows(STANDARD)] == [1, 2, 3]


@pytest.mark.row("SEC-60")
def test_the_last_certified_change_is_shown(rig):
    from app.parameters import CT_NUMERATOR

    assert value(rig, "0000608000ff") == "0900"
    rig.logs.certification.record(CT_NUMERATOR, 1, 40)
    assert value(rig, "0000608000ff") == "0906010000040 2ff".replace(" ", "")
    assert value(rig, "0000608001ff") == "0600000001"
    assert value(rig, "0000608002ff") == "0600000028"
    rig.logs.lock.open = 0
    assert reset(rig, CERTIFICATION) == 3
    rig.logs.lock.open = 1
    assert reset(rig, CERTIFICATION) == 0
    assert rig.rows(CERTIFICATION) == []


def test_the_public_client_sees_no_log(rig):
    from dlms_rig import AARQ_PUBLIC

    dlms = rig.dlms
    assert dlms.apdu(AARQ_PUBLIC, sap=16)[17] == 0
    for name in (STANDARD, SECURITY, POWER_FAILURES):
        assert dlms.apdu(f"c001c10007{name}0200", sap=16).hex() == "c401c10103"
    public = dlms.catalogue.client(16)
    hidden = [name for name, _, _, group in dlms.catalogue.entries() if not public.rights(group)]
    assert {name[2] for name in hidden if name[0] == 0} >= {97, 99, 196}


def test_a_whole_meter_has_all_of_it():
    """Every object answers every attribute that its table lets be read."""
    rig = ProfileRig(MAX_PDU)
    for name, handler, _, _ in rig.dlms.catalogue.entries():
        if handler.CLASS_ID == 7:
            for index in range(1, len(handler.ATTRIBUTES) + 1):
                assert not isinstance(rig.get(name.hex(), index=index), int), (name, index)
