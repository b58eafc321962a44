"""Memories that are full, flip bits or fail while a client reads: what it is told."""

import sys

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from conftest import ROOT
from gurux_dlms import GXDLMSException
from gurux_dlms.objects import GXDLMSClock, GXDLMSData, GXDLMSProfileGeneric, GXDLMSRegister

for folder in ("tools", "firmware"):
    sys.path.append(str(ROOT / folder))
import storage

from app.storage import record, regions

MEMORY_ERROR = 14  # its event, IDIS
BIT = 1 << 10  # of 0-0:97.97.0
STANDARD_LOG = "0.0.99.98.0.255"


@pytest.fixture
def session():
    """`session(meter)`: a management client on the TCP port."""
    opened = []

    def start(meter):
        socket = Socket(meter.ports["cosem"])
        opened.append(socket)
        return Gurux(socket, MANAGEMENT, SECRET).connect()

    yield start
    for socket in opened:
        socket.close()


def codes(client, last=20):
    """Codes of the newest entries of the standard log."""
    log = GXDLMSProfileGeneric(STANDARD_LOG)
    client.read(log, 3)
    used = client.read(log, 7)
    request = client.client.readRowsByEntry(log, max(1, used - last + 1), last)
    reply = client.exchange(request)
    return [row[1] for row in client.client.updateValue(log, 2, reply.value)]


def errors(client):
    return client.read(GXDLMSData("0.0.97.97.0.255"), 2)


def energy_wh(meter):
    return meter.get("/api/quantities")["energy_wh"]["1.8.0"]


def offset(name, slot):
    """Where the payload of a region's copy begins in the FRAM."""
    at = 0
    for region, capacity, _ in regions.REGIONS:
        if region == name:
            return at + slot * record.slot_size(capacity) + 8
        at += 2 * record.slot_size(capacity)
    raise KeyError(name)


def spoil(meter, name, *slots):
    for slot in slots:
        meter.post("/api/chip", chip="fram", fault="bit_flip", at=offset(name, slot), bit=3)


def power_cycle(meter, seconds=10):
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=seconds)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=5)


def set_zone(client, minutes):
    clock = GXDLMSClock("0.0.1.0.0.255")
    clock.timeZone = minutes
    client.write(clock, 3)


def zone(client):
    return client.read(GXDLMSClock("0.0.1.0.0.255"), 3)


@pytest.mark.row("NOP-10", "NOP-11")
def test_a_flash_full_to_the_last_ring_loses_its_oldest_entry_and_no_register(
    start_meter, session, tmp_path
):
    state = tmp_path / "full"
    state.mkdir()
    rows = storage.full_flash(state / "flash.bin")
    assert rows > 50_000
    meter = start_meter("--rate", "0", "--time", "2026-06-01T12:00:00", state=state)
    client = session(meter)
    log = GXDLMSProfileGeneric(STANDARD_LOG)
    client.read(log, 3)
    assert client.read(log, 7) == client.read(log, 8) == 500
    request = client.client.readRowsByEntry(log, 1, 2)
    before = client.client.updateValue(log, 2, client.exchange(request).value)
    assert client.read(GXDLMSData("0.0.128.92.2.255"), 2) == 2  # it has gone round twice
    began_wh = energy_wh(meter)
    set_zone(client, 60)
    meter.post("/api/advance", seconds=60)
    assert codes(client, 2)[-1] == 47  # the newest is there
    assert client.read(log, 7) == 500
    request = client.client.readRowsByEntry(log, 1, 1)
    after = client.client.updateValue(log, 2, client.exchange(request).value)
    assert after[0][0].value == before[1][0].value  # and the oldest is gone
    assert energy_wh(meter) > began_wh


@pytest.mark.row("ERR-07", "NOP-08")
@pytest.mark.parametrize("slots", [(1,), (0, 1)])
def test_a_corrupted_parameter_is_noticed_within_the_hour_and_repaired(
    start_meter, session, slots
):
    meter = start_meter("--rate", "0")
    client = session(meter)
    set_zone(client, 120)
    meter.post("/api/advance", seconds=5)
    assert errors(client) & BIT == 0
    spoil(meter, "clock", *slots)
    meter.post("/api/advance", seconds=3600)
    client = session(meter)
    assert errors(client) & BIT
    assert codes(client)[-1] == MEMORY_ERROR
    assert "memory: clock" in meter.get("/api/health")["problems"]
    power_cycle(meter)
    client = session(meter)
    assert zone(client) == 120  # it stands in both copies again
    assert meter.get("/api/health")["problems"] == []


@pytest.mark.row("NOP-08")
def test_the_older_copy_serves_when_the_newest_is_corrupt(start_meter, session):
    meter = start_meter("--rate", "0")
    meter.post("/api/mains", phases=[{"i": 20, "phi_deg": 0}] * 3)
    meter.post("/api/advance", seconds=600)
    power_cycle(meter)
    meter.post("/api/mains", phases=[{"i": 0}] * 3)
    meter.post("/api/advance", seconds=5)
    kept_wh = energy_wh(meter)
    assert kept_wh > 2000
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=10)
    for slot in (0, 1):  # one after the other each is the only one
        spoil(meter, "energies", slot)
        meter.post("/api/supply", on=True)
        meter.post("/api/advance", seconds=5)
        assert energy_wh(meter) == pytest.approx(kept_wh, abs=1)
        client = session(meter)
        assert errors(client) & BIT
        assert MEMORY_ERROR in codes(client, 6)
        meter.post("/api/mains", phases=[{"i": 20}] * 3)  # a save writes both again
        meter.post("/api/advance", seconds=5)
        meter.post("/api/mains", phases=[{"i": 0}] * 3)
        meter.post("/api/advance", seconds=5)
        kept_wh = energy_wh(meter)
        meter.post("/api/supply", on=False)
        meter.post("/api/advance", seconds=10)


@pytest.mark.row("ERR-16")
def test_a_bit_flipped_in_a_stored_log_is_reported_at_the_next_power_up(start_meter, session):
    meter = start_meter("--rate", "0", "--time", "2026-06-01T12:00:00")
    client = session(meter)
    for minutes in (30, 60, 90):
        set_zone(client, minutes)
        meter.post("/api/advance", seconds=120)
    power_cycle(meter)
    assert errors(session(meter)) & BIT == 0
    meter.post("/api/chip", chip="flash", fault="bit_flip", at=68 + 12 + 1, bit=5)  # second row
    power_cycle(meter)
    meter.post("/api/advance", seconds=60)
    client = session(meter)
    assert errors(client) & BIT
    assert MEMORY_ERROR in codes(client, 3)
    assert "memory: standard_log" in meter.get("/api/health")["problems"]
    log = GXDLMSProfileGeneric(STANDARD_LOG)
    client.read(log, 3)
    rows = client.client.updateValue(
        log, 2, client.exchange(client.client.readRowsByEntry(log, 1, 4)).value
    )
    assert len(rows) == 4  # the damaged entry is flagged, its neighbours are whole
    years = [row[0].value.year if row[0] and row[0].value else None for row in rows]
    assert years[0] == years[2] == years[3] == 2026
    assert years[1] != 2026


@pytest.mark.parametrize("fault", ["dead", "busy", "protect", "stuck"])
def test_a_flash_that_fails_stops_neither_measuring_nor_other_objects(start_meter, session, fault):
    meter = start_meter("--rate", "0")
    client = session(meter)
    set_zone(client, 30)
    meter.post("/api/advance", seconds=5)
    meter.post("/api/chip", chip="flash", fault=fault)
    began_wh = energy_wh(meter)
    set_zone(client, 60)  # settings lie elsewhere
    meter.post("/api/advance", seconds=120)
    register = GXDLMSRegister("1.0.1.8.0.255")
    client.read(register, 3)
    assert client.read(register, 2) > began_wh
    set_zone(client, 90)  # a minute later it is an event of its own, which nothing can keep
    meter.post("/api/advance", seconds=5)
    log = GXDLMSProfileGeneric(STANDARD_LOG)
    client.read(log, 3)
    times = [row[0].value.year if row[0] and row[0].value else 0 for row in client.read(log, 2)]
    assert times
    if fault in ("dead", "busy"):  # what cannot be read is shown, and shown as damaged
        assert max(times) <= 2000
    else:
        assert min(times) > 2020
    assert zone(client) == 90
    assert errors(client) & BIT
    assert "memory: flash" in meter.get("/api/health")["problems"]
    assert meter.get("/api/health")["task_restarts"] == 0
    meter.post("/api/chip", chip="flash", fault="clear")
    meter.post("/api/advance", seconds=90)
    set_zone(client, 120)
    assert codes(client)[-1] == 47  # it keeps events again


@pytest.mark.row("NOP-09")
@pytest.mark.parametrize("fault", ["dead", "protect", "stuck"])
def test_a_setting_that_the_fram_does_not_keep_is_refused(start_meter, session, fault):
    meter = start_meter("--rate", "0")
    client = session(meter)
    set_zone(client, 30)
    meter.post("/api/chip", chip="fram", fault=fault)
    began_wh = energy_wh(meter)
    with pytest.raises(GXDLMSException):
        set_zone(client, 60)
    assert zone(client) == 30
    meter.post("/api/advance", seconds=60)
    assert energy_wh(meter) > began_wh
    assert errors(client) & BIT
    assert meter.get("/api/health")["problems"]
    meter.post("/api/chip", chip="fram", fault="clear")
    meter.post("/api/advance", seconds=15)
    set_zone(client, 60)
    assert zone(client) == 60
    power_cycle(meter)
    assert zone(session(meter)) == 60


def test_blank_chips_are_a_new_meter(start_meter, session, tmp_path):
    """Chips as they are delivered: FRAM zeros, flash FF; neither is an error."""
    state = tmp_path / "new"
    state.mkdir()
    (state / "fram.bin").write_bytes(bytes(0x40000))
    meter = start_meter("--rate", "0", state=state)
    meter.post("/api/advance", seconds=60)
    assert meter.get("/api/health")["problems"] == []
    client = session(meter)
    assert errors(client) & BIT == 0
