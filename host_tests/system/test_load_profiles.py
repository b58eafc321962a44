"""Foreign clients read, change and clear load profiles over both links, while days pass."""

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

import clients
import flash_image
import pytest
import storage
from conftest import LAUNCHER, VirtualMeter
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.parsers import ProfileGenericBufferParser
from gurux_dlms import GXDateTime, GXDLMSException
from gurux_dlms.enums import DataType
from gurux_dlms.objects import (
    GXDLMSCaptureObject,
    GXDLMSClock,
    GXDLMSData,
    GXDLMSDemandRegister,
    GXDLMSExtendedRegister,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)

from app.storage import regions

LP1 = "1.0.99.1.0.255"
LP2 = "1.0.99.2.0.255"
LP3 = "1.0.99.3.0.255"
LP4 = "1.0.99.129.0.255"
MEMORY_BIT = 1 << 10
FORM = "0.0.128.51.0.255"
FILLED = 800_000_000  # seconds since 2000: the oldest entries that the flash is filled with
START = datetime(2026, 3, 1, 22, 50, tzinfo=timezone.utc)
DAY = datetime(2025, 7, 1, tzinfo=timezone.utc)
QUARTER = timedelta(minutes=15)
LIVE_H = 2
ROUTES = {"wrapper": ("cosem", False), "rs485": ("rs485", True)}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A meter with full profiles that has measured 3 x 10 A for two hours since."""
    if not LAUNCHER.exists():
        pytest.skip("run `make setup` first")
    state = tmp_path_factory.mktemp("load") / "state"
    state.mkdir()
    storage.full_flash(state / "flash.bin", FILLED)
    meter = VirtualMeter(state, ["--rate", "0"])
    meter.start("--time", START.strftime("%Y-%m-%dT%H:%M:%S"))
    meter.post("/api/mains", phases=[{"u": 230, "i": 10, "phi_deg": 0}] * 3)
    meter.post("/api/advance", seconds=LIVE_H * 3600)
    yield meter
    assert meter.stop() == 0


def gurux(meter, route="wrapper"):
    port, hdlc = ROUTES[route]
    transport = clients.Socket(meter.ports[port])
    return clients.Gurux(transport, clients.MANAGEMENT, clients.SECRET, hdlc=hdlc).connect()


def opened(session, name):
    profile = GXDLMSProfileGeneric(name)
    for index in (3, 4, 7, 8):
        session.read(profile, index)
    return profile


def rows(session, profile, request):
    profile.buffer = []
    return session.client.updateValue(profile, 2, session.exchange(request).value)


def times(found):
    return [row[0].value.astimezone(timezone.utc) for row in found]


@pytest.mark.row("LPR-10")
@pytest.mark.parametrize("route", ROUTES)
def test_gurux_reads_one_day_out_of_a_full_profile(loaded, route):
    session = gurux(loaded, route)
    profile = opened(session, LP1)
    assert profile.entriesInUse == profile.profileEntries > 60 * 96
    begin, end = GXDateTime(DAY + QUARTER), GXDateTime(DAY + timedelta(days=1))
    day = rows(session, profile, session.client.readRowsByRange(profile, begin, end))
    since = datetime(2000, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=FILLED)
    odd = (since - DAY) % QUARTER  # the filling does not keep to the quarters
    assert times(day) == [DAY + QUARTER + odd + number * QUARTER for number in range(95)]
    assert {row[1] for row in day} == {0}
    numbers = [row[2] for row in day]
    assert numbers == [(numbers[0] + number) % 100 for number in range(95)]
    first = rows(session, profile, session.client.readRowsByEntry(profile, 1, 1))
    entry = (day[0][0].value - first[0][0].value) // QUARTER + 1
    by_entry = rows(session, profile, session.client.readRowsByEntry(profile, entry, 95))
    assert [row[2] for row in by_entry] == numbers
    session.release()


@pytest.mark.row("LPR-03")
def test_entries_of_a_load(loaded):
    session = gurux(loaded)
    profile = opened(session, LP1)
    last = profile.entriesInUse - 4 * LIVE_H + 1
    live = rows(session, profile, session.client.readRowsByEntry(profile, last, 4 * LIVE_H))
    assert times(live) == [
        START + timedelta(minutes=10) + number * QUARTER for number in range(4 * LIVE_H)
    ]
    assert {row[1] for row in live} == {0}
    steps = [b[2] - a[2] for a, b in zip(live, live[1:], strict=False)]
    assert all(1722 <= step <= 1728 for step in steps), steps  # 3 x 230 V x 10 A x 15 min
    for name in (LP1, LP3, LP4):  # every column of the factory has room for its value
        profile = opened(session, name)
        newest = session.client.readRowsByEntry(profile, profile.entriesInUse, 1)
        assert None not in rows(session, profile, newest)[0], name
    session.release()


def test_all_kinds_of_values_can_be_recorded(loaded):
    """Row LPR-11 but for the signal quality: there is no modem yet."""
    session = gurux(loaded)
    profile = opened(session, LP3)
    profile.captureObjects.clear()
    wanted = [(GXDLMSClock(), 2), (GXDLMSData("0.0.96.10.3.255"), 2)]
    wanted += [(GXDLMSDemandRegister("1.0.1.4.0.255"), index) for index in (2, 3, 6)]
    wanted += [(GXDLMSExtendedRegister("1.0.1.6.0.255"), index) for index in (2, 5)]
    wanted += [(GXDLMSRegister(f"1.0.{c}.8.0.255"), 2) for c in (1, 2, 5, 9, 15, 16)]
    codes = [f"{c + phase}.7.0" for phase in (0, 20, 40) for c in (31, 32, 33, 34)]
    codes += ["32.7.124", "31.7.124"]
    wanted += [(GXDLMSRegister(f"1.0.{code}.255"), 2) for code in codes]
    wanted += [(GXDLMSData("0.0.97.97.0.255"), 2), (GXDLMSRegister("0.0.96.6.3.255"), 2)]
    assert len(wanted) <= 32
    for item, index in wanted:
        profile.captureObjects.append((item, GXDLMSCaptureObject(index, 0)))
    session.write(profile, 3)
    profile.capturePeriod = 300
    session.write(profile, 4)
    loaded.post("/api/advance", seconds=300)
    session = gurux(loaded)
    row = session.read(profile, 2)[-1]
    assert len(row) == len(wanted)
    assert None not in row
    assert row[2] == row[3] or abs(row[3] - 69_000) < 100  # 6.9 kW, in tenths of a watt
    session.release()


def test_dlms_cosem_reads_some_hours(loaded):
    transport = clients.Socket(loaded.ports["cosem"])
    client = clients.dlms_cosem(transport, clients.MANAGEMENT, clients.SECRET)
    buffer = clients.attribute(7, "1-0:99.129.0.255", 2)
    clock = clients.attribute(8, "0-0:1.0.0.255", 2)
    columns = [clock, clients.attribute(1, "0-0:96.10.4.255", 2)]
    columns += [clients.attribute(3, f"1-0:{c}.7.0.255", 2) for c in (32, 52, 72, 31, 51, 71)]
    begin, end = START + timedelta(minutes=10), START + timedelta(minutes=70)
    with client.session() as session:
        hours = RangeDescriptor(CaptureObject(clock, 0), begin, end)
        some = ProfileGenericBufferParser(columns, 600).parse_bytes(session.get(buffer, hours))
    assert [row[0].value.astimezone(timezone.utc) for row in some] == [
        begin + timedelta(minutes=10 * number) for number in range(7)
    ]
    for row in some:
        values = [column.value for column in row[1:]]
        assert values[0] == 0
        assert all(abs(value - 23000) < 20 for value in values[1:4])
        assert all(abs(value - 10000) < 20 for value in values[4:])
    transport.close()


@pytest.mark.row("LPR-09")
def test_gurux_makes_up_the_times_that_the_compressed_form_leaves_out(loaded):
    session = gurux(loaded)
    profile = opened(session, LP1)
    first = profile.entriesInUse - 7
    whole = rows(session, profile, session.client.readRowsByEntry(profile, first, 8))
    octets = {}
    form = GXDLMSData(FORM)
    form.setDataType(2, DataType.UINT8)
    for form.value in (0, 1, 2):
        session.write(form, 2)
        reply = session.exchange(session.client.readRowsByEntry(profile, first, 8))
        octets[form.value] = reply.data.size
        profile.buffer = []
        found = session.client.updateValue(profile, 2, reply.value)
        assert times(found) == times(whole)
        if form.value < 2:
            assert [row[1:] for row in found] == [row[1:] for row in whole]
        else:  # null-data: as in the row before
            assert [row[2] for row in found] == [row[2] for row in whole]
            assert {row[3] for row in found[1:]} == {None}
    assert octets[0] - octets[1] == 7 * 13  # date-times of all but the first
    assert octets[2] < octets[1] / 2
    form.value = 3
    with pytest.raises(GXDLMSException):
        session.write(form, 2)
    form.value = 0
    session.write(form, 2)
    session.release()


@pytest.mark.row("LPR-01", "LPR-06", "LPR-13")
@pytest.mark.parametrize("route", ROUTES)
def test_gurux_sets_columns_and_period_and_resets(loaded, route):
    session = gurux(loaded, route)
    profile = opened(session, {"wrapper": LP4, "rs485": LP2}[route])
    assert profile.entriesInUse > 0
    profile.captureObjects.clear()
    for captured in (GXDLMSClock(), GXDLMSRegister("1.0.14.7.0.255")):
        profile.captureObjects.append((captured, GXDLMSCaptureObject(2, 0)))
    frequency = profile.captureObjects[1][0]
    scaler_unit = (GXDLMSRegister("1.0.32.7.0.255"), GXDLMSCaptureObject(3, 2))
    profile.captureObjects.append(scaler_unit)
    wide = profile.profileEntries
    session.write(profile, 3)
    assert session.read(profile, 7) == 0
    assert session.read(profile, 8) > 2 * wide
    profile.capturePeriod = 300
    session.write(profile, 4)
    loaded.post("/api/advance", seconds=600)
    session = gurux(loaded, route)  # the other one has been idle too long
    found = session.read(profile, 2)
    assert [row[2] for row in found] == [35, 35]
    assert [round(row[1], -2) for row in found] == [50_000, 50_000]
    assert (times(found)[1] - times(found)[0]).total_seconds() == 300
    assert frequency.logicalName == "1.0.14.7.0.255"

    profile.captureObjects.append((GXDLMSRegister("1.0.99.7.0.255"), GXDLMSCaptureObject(2, 0)))
    with pytest.raises(GXDLMSException):
        session.write(profile, 3)
    session.read(profile, 3)
    assert len(profile.captureObjects) == 3
    profile.capturePeriod = 700
    with pytest.raises(GXDLMSException):
        session.write(profile, 4)
    with pytest.raises(GXDLMSException):
        session.call(profile, 2, 0, DataType.INT8)
    assert len(session.read(profile, 2)) == 2

    before = loaded.get("/api/events")["posted"]
    session.call(profile, 1, 0, DataType.INT8)
    assert session.read(profile, 7) == 0
    told = loaded.get("/api/events")
    fresh = told["events"][: told["posted"] - before]
    assert [event["code"] for event in fresh].count(254) == 1
    session.release()


@pytest.mark.row("LPR-08")
def test_a_byte_that_is_corrupted_costs_its_entry_and_sets_the_error_bit(loaded):
    session = gurux(loaded)
    errors = GXDLMSData("0.0.97.97.0.255")
    assert session.read(errors, 2) & MEMORY_BIT == 0
    _, sector, blocks, _, _ = regions.find_ring("load_profile_1")
    rows_a_sector = flash_image.rows_of(storage.shape("load_profile_1")[0])
    place = blocks // 2
    at = (sector + place) * flash_image.SECTOR + flash_image.HEADER
    loaded.post("/api/chip", chip="flash", fault="bit_flip", at=at + 20, bit=3)
    profile = opened(session, LP1)
    begun = datetime(2000, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=FILLED)
    first = rows(session, profile, session.client.readRowsByEntry(profile, 1, 1))
    entry = place * rows_a_sector - (times(first)[0] - begun) // QUARTER + 1
    three = rows(session, profile, session.client.readRowsByEntry(profile, entry - 1, 3))
    assert [row[1] for row in three] == [0, 0x05, 0]  # ERR and DNV
    assert three[1][2:] == [None] * 7
    assert session.read(errors, 2) & MEMORY_BIT
    assert "memory: load_profile_1" in loaded.get("/api/health")["problems"]
    session.release()
