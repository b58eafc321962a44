"""The meter's checks of itself, seen through its ports: program memory, RAM, on demand."""

import re
import sys

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from conftest import ROOT
from gurux_dlms import GXUInt32
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSData, GXDLMSProfileGeneric, GXDLMSScriptTable

for folder in ("tools", "firmware"):
    sys.path.append(str(ROOT / folder))
import precompile
import rom_image

from app.storage import record, regions

POWER_DOWN, POWER_UP = 1, 2
BATTERY_LOW = 8
ALARM_BATTERY = 1 << 1
ALARM_PROGRAM = 1 << 8
PROGRAM_MEMORY_ERROR = 12
RAM_ERROR = 13
MEASUREMENT_ERROR = 16
MAGIC = b"\xd2\xcd\x31"  # of a ROMFS image


@pytest.fixture
def connect():
    """`connect(meter)`: a management client on the TCP port."""
    opened = []

    def start(meter):
        socket = Socket(meter.ports["cosem"])
        opened.append(socket)
        return Gurux(socket, MANAGEMENT, SECRET).connect()

    yield start
    for socket in opened:
        socket.close()


def value(client, name):
    return client.read(GXDLMSData(name), 2)


def let_all_alarms_through(client):
    alarms = GXDLMSData("0.0.97.98.10.255")
    alarms.value = GXUInt32(0xFFFFFFFF)
    client.write(alarms, 2)


def codes(client, last):
    """Codes of the newest entries of the standard log."""
    log = GXDLMSProfileGeneric("0.0.99.98.0.255")
    client.read(log, 3)
    used = client.read(log, 7)
    request = client.client.readRowsByEntry(log, max(1, used - last + 1), last)
    return [row[1] for row in client.client.updateValue(log, 2, client.exchange(request).value)]


@pytest.mark.row("ERR-06")
def test_a_bit_that_flips_in_ram_is_an_event_and_the_register_stays_right(start_meter, connect):
    meter = start_meter("--rate", "0")
    meter.post("/api/mains", phases=[{"i": 20, "phi_deg": 0}] * 3)
    meter.post("/api/advance", seconds=60)
    before = meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    for at in (0, 2):
        meter.post("/api/chip", chip="processor", fault="ram", at=at, bit=30)
        meter.post("/api/advance", seconds=10)
    client = connect(meter)
    assert value(client, "0.0.97.97.0.255") == 1 << 9
    assert codes(client, 2) == [RAM_ERROR, RAM_ERROR]
    now = meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    assert now - before == pytest.approx(13_800 * 20 / 3600, abs=2.5)  # a unit for each
    assert meter.get("/api/health")["problems"] == ["RAM: energies"]
    power_cycle(meter)
    assert meter.get("/api/quantities")["energy_wh"]["1.8.0"] >= now
    assert meter.get("/api/health")["problems"] == []


@pytest.mark.row("ERR-14", "PRD-10")
def test_a_check_of_itself_is_made_on_demand_and_its_result_is_read(start_meter, connect):
    meter = start_meter("--rate", "0")
    meter.post("/api/advance", seconds=60)
    assert check_itself(meter, connect) == 0
    meter.post("/api/battery", v=2.5)
    meter.post("/api/mains", phases=[None, {"u": 0}])
    meter.post("/api/chip", chip="fram", fault="bit_flip", at=place_of("power", 0) + 10, bit=3)
    meter.post("/api/chip", chip="processor", fault="ram", at=0, bit=30)
    meter.post("/api/advance", seconds=2)
    found = check_itself(meter, connect)
    assert found == 0x02 | 0x04 | 0x10 | 0x200  # RAM, memory, battery, voltage of L2
    log = codes(connect(meter), 6)
    assert {BATTERY_LOW, RAM_ERROR, 14} <= set(log)


def check_itself(meter, connect):
    """Execute the script and return the result, once it is there."""
    client = connect(meter)
    client.call(GXDLMSScriptTable("0.0.10.0.129.255"), 1, 1, DataType.UINT16)
    assert value(client, "0.0.128.0.12.255")[0] == 1  # it runs
    meter.post("/api/advance", seconds=2)
    assert "8" in meter.get("/api/lcd")["value"]  # the test of all segments
    meter.post("/api/advance", seconds=90)
    state, _, result = value(connect(meter), "0.0.128.0.12.255")
    assert state == 2
    return result


@pytest.mark.row("CLK-15")
def test_a_weak_battery_is_told_at_midnight_and_at_power_up(start_meter, connect):
    meter = start_meter("--rate", "0", "--time", "2026-01-31T23:50:00")
    meter.post("/api/advance", seconds=5)
    client = connect(meter)
    let_all_alarms_through(client)
    meter.post("/api/battery", v=2.9)
    meter.post("/api/advance", seconds=500)
    client = connect(meter)
    assert BATTERY_LOW not in codes(client, 3)
    assert value(client, "0.0.97.98.0.255") & ALARM_BATTERY == 0
    meter.post("/api/advance", seconds=100)
    client = connect(meter)
    assert BATTERY_LOW in codes(client, 3)
    assert value(client, "0.0.97.98.0.255") & ALARM_BATTERY
    assert value(client, "0.0.97.97.1.255") & 0x4000000
    power_cycle(meter)
    client = connect(meter)
    assert codes(client, 3) == [POWER_DOWN, BATTERY_LOW, POWER_UP]
    meter.post("/api/battery", v=3.6)
    power_cycle(meter)
    assert codes(connect(meter), 2) == [POWER_DOWN, POWER_UP]


def power_cycle(meter):
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=5)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=5)


@pytest.mark.row("ERR-08")
def test_a_calibration_with_a_wrong_sum_is_a_measuring_error(start_meter, connect):
    meter = start_meter("--rate", "0")
    meter.post("/api/advance", seconds=5)
    assert value(connect(meter), "0.0.97.97.0.255") == 0
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=5)
    for slot in (0, 1):
        at = place_of("calibration", slot)
        meter.post("/api/chip", chip="fram", fault="bit_flip", at=at, bit=3)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=5)
    client = connect(meter)
    assert value(client, "0.0.97.97.0.255") & 1 << 11
    assert value(client, "0.0.97.97.1.255") & 0x8
    assert MEASUREMENT_ERROR in codes(client, 3)
    assert "calibration" in meter.get("/api/health")["problems"][0]


def place_of(region, slot):
    """Where a copy of a region begins in the FRAM."""
    at = 0
    for name, capacity, _ in regions.REGIONS:
        if name == region:
            return at + slot * record.slot_size(capacity)
        at += 2 * record.slot_size(capacity)
    raise KeyError(region)


@pytest.mark.row("NOP-04", "EVT-17", "FRD-01", "FRD-04")
def test_covers_and_magnet_are_logged_without_mains_with_their_true_time(start_meter, connect):
    meter = start_meter("--rate", "0", "--time", "2026-01-15T12:00:00")
    meter.post("/api/advance", seconds=60)
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=600)
    for path, body in (("cover", {"cover": "terminal", "open": True}), ("magnet", {"on": True})):
        meter.post("/api/" + path, **body)
        meter.post("/api/advance", seconds=1)
        assert meter.get("/api/state")["powered"] is False  # a moment of the battery was enough
        meter.post("/api/advance", seconds=59)
    meter.post("/api/cover", cover="terminal", open=False)
    meter.post("/api/magnet", on=False)
    meter.post("/api/advance", seconds=60)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=5)
    client = connect(meter)
    log = GXDLMSProfileGeneric("0.0.99.98.1.255")
    client.read(log, 3)
    request = client.client.readRowsByEntry(log, 1, client.read(log, 7))
    rows = client.client.updateValue(log, 2, client.exchange(request).value)
    found = [(f"{row[0].value:%H:%M}", row[1]) for row in rows]
    assert found == [("12:11", 40), ("12:12", 42), ("12:13", 41), ("12:13", 43)]
    assert value(client, "0.0.128.80.1.255") == 1
    assert meter.get("/api/health")["problems"] == []
    assert meter.get("/api/health")["power_failures"] == 1


@pytest.fixture
def image():
    """The image that the virtual meter runs, with the signature behind it."""
    folder = precompile.compiled()
    if folder is None:
        pytest.skip("the sources run where there is no compiler")
    module = (folder / "rom_image.mpy").read_bytes()
    return module[module.index(MAGIC) :]


@pytest.mark.row("ERR-05", "ERR-15", "IDN-07", "PRD-11")
def test_a_changed_octet_of_the_program_is_found_within_the_hour(start_meter, connect, image):
    meter = start_meter("--rate", "0")
    client = connect(meter)
    assert [value(client, f"1.{b}.0.2.8.255") for b in (0, 1)] == [bytes(16)] * 2
    meter.post("/api/advance", seconds=60)
    body = rom_image.image_of(precompile.COMPILED)
    signed = rom_image.signed(body, precompile.COMPILED / "firmware")
    digests = list(rom_image.image_digests(signed))
    client = connect(meter)
    assert [value(client, f"1.{b}.0.2.8.255") for b in (0, 1)] == digests
    assert all(re.match(rb"\S+", value(client, f"1.{b}.0.2.0.255")) for b in (0, 1))
    assert value(client, "0.0.97.97.0.255") == 0
    let_all_alarms_through(client)
    # the name of a file that nothing here imports: the interpreter shall live
    at = image.index(b"calibration_step.mpy")
    meter.post("/api/chip", chip="processor", fault="bit_flip", at=at, bit=2)
    meter.post("/api/advance", seconds=3600)
    client = connect(meter)
    assert value(client, "0.0.97.97.0.255") == 1 << 8
    assert codes(client, 1) == [PROGRAM_MEMORY_ERROR]
    assert value(client, "0.0.97.98.0.255") == ALARM_PROGRAM
    assert value(client, "1.0.0.2.8.255") != digests[0]  # the legally relevant part has changed
    assert value(client, "1.1.0.2.8.255") == digests[1]
    assert len(meter.get("/api/health")["problems"]) == 1
    meter.post("/api/chip", chip="processor", fault="clear")
    meter.post("/api/advance", seconds=3600)
    client = connect(meter)
    assert value(client, "1.0.0.2.8.255") == digests[0]
    assert meter.get("/api/health")["problems"] == []
    assert value(client, "0.0.97.97.0.255") == 1 << 8  # it stays until a client clears it
