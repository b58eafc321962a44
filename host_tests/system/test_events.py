"""What happens to the meter from outside, as its logs, registers and display tell of it."""

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from gurux_dlms import GXDateTime, GXDLMSException
from gurux_dlms.enums import DataType
from gurux_dlms.objects import (
    GXDLMSClock,
    GXDLMSData,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)

STANDARD, FRAUD, SECURITY = (f"0.0.99.98.{e}.255" for e in (0, 1, 9))
POWER_FAILURES = "1.0.99.97.0.255"
START = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
ENERGIES_SLOT = 268  # octets of one copy, the first ones in the FRAM


class Bench:
    """A meter whose time goes only when asked, and a management client that comes as needed."""

    def __init__(self, meter):
        self.meter = meter

    def client(self, secret=clients.SECRET):
        transport = clients.Socket(self.meter.ports["cosem"])
        return clients.Gurux(transport, clients.MANAGEMENT, secret).connect()

    def pass_time(self, seconds):
        self.meter.post("/api/advance", seconds=seconds)

    def cut(self, seconds):
        self.meter.post("/api/supply", on=False)
        self.pass_time(seconds)

    def back(self):
        self.meter.post("/api/supply", on=True)
        self.pass_time(2)

    def log(self, name):
        """(time in UTC, value) of each row, oldest first."""
        session = self.client()
        profile = GXDLMSProfileGeneric(name)
        session.read(profile, 3)
        rows = session.read(profile, 2)
        session.release()
        return [(row[0].value.astimezone(timezone.utc), row[1]) for row in rows]

    def codes(self, name):
        return [code for _, code in self.log(name)]

    def value(self, name):
        session = self.client()
        value = session.read(GXDLMSData(name), 2)
        session.release()
        return value


@pytest.fixture
def bench(start_meter):
    time = START.strftime("%Y-%m-%dT%H:%M:%S")
    return Bench(start_meter("--rate", "0", "--fresh", "--time", time))


@pytest.mark.row("EVT-01", "EVT-08")
def test_a_power_failure_is_in_two_logs_with_its_times(bench):
    bench.pass_time(10)
    bench.cut(240)
    bench.back()
    events = [(moment, code) for moment, code in bench.log(STANDARD) if code in (1, 2)]
    assert [code for _, code in events][-2:] == [1, 2]
    down, up = events[-2][0], events[-1][0]
    assert abs(down - START - timedelta(seconds=10)) < timedelta(seconds=4)
    assert timedelta(seconds=238) < up - down < timedelta(seconds=243)
    ((end, duration),) = bench.log(POWER_FAILURES)
    assert 238 <= duration <= 243
    assert abs(end - up) < timedelta(seconds=2)
    assert bench.value("0.0.96.11.0.255") == 2
    assert bench.value("0.0.96.11.1.255") == 0
    bench.cut(100)
    bench.back()
    assert len(bench.log(POWER_FAILURES)) == 1  # that was a short one


@pytest.mark.row("EVT-03", "EVT-10", "FRD-06")
def test_wrong_passwords_lock_and_are_one_event(bench):
    assert bench.codes(SECURITY) == [249]
    for _ in range(3):
        with pytest.raises(GXDLMSException):
            bench.client(b"87654321")
    with pytest.raises(GXDLMSException):
        bench.client()
    bench.pass_time(61)
    assert bench.codes(FRAUD) == [46]
    assert 46 not in bench.codes(STANDARD)
    assert set(bench.codes(SECURITY)) == {249}
    assert bench.value("0.0.96.11.1.255") == 46


def test_a_parameter_that_is_set_is_an_event_and_a_clock_that_is_set_is_two(bench):
    session = bench.client()
    clock = GXDLMSClock()
    clock.timeZone = -120
    session.write(clock, 3)
    clock.enabled = False
    session.write(clock, 8)
    assert bench.codes(STANDARD)[-1] == 47
    assert bench.codes(STANDARD).count(47) == 1
    clock.time = GXDateTime(START + timedelta(hours=3))
    session.write(clock, 2)
    events = bench.log(STANDARD)[-2:]
    assert [code for _, code in events] == [4, 5]
    assert abs(events[0][0] - START) < timedelta(seconds=30)
    assert abs(events[1][0] - START - timedelta(hours=3)) < timedelta(seconds=30)


@pytest.mark.row("ERR-01", "ERR-02", "ERR-04", "ERR-12", "ERR-17")
def test_lost_energies_are_an_error_until_a_client_clears_it(bench):
    def fault_shown():
        bench.pass_time(10)  # behind the test of the segments
        return "FF" in bench.meter.get("/api/lcd")["cursors"]

    assert not fault_shown()
    bench.cut(5)
    for copy in (0, 1):
        bench.meter.post("/api/chip", chip="fram", fault="bit_flip", at=copy * ENERGIES_SLOT + 20)
    bench.back()
    faults = [code for code in bench.codes(STANDARD) if code not in (1, 2)]
    assert faults == [14, 230]
    assert bench.value("0.0.97.97.0.255") == 1 << 10
    assert bench.value("0.0.97.97.1.255") == 0x40002
    assert bench.value("0.0.97.97.2.255") == 1 << 9 | 1 << 13
    assert fault_shown()
    session = bench.client()
    register = GXDLMSData("0.0.196.97.10.255")
    register.value = 1 << 10
    register.setDataType(2, DataType.UINT32)
    session.write(register, 2)
    assert not fault_shown()
    register.value = 0
    session.write(register, 2)
    assert fault_shown()
    register = GXDLMSData("0.0.97.97.0.255")
    register.value = 0
    register.setDataType(2, DataType.UINT32)
    session.write(register, 2)
    assert bench.codes(STANDARD)[-1] == 10
    assert bench.value("0.0.97.97.0.255") == 0
    assert not fault_shown()
    bench.cut(5)
    bench.back()
    assert bench.value("0.0.97.97.0.255") == 0


def test_the_faceplate_tells_the_last_events(bench):
    bench.cut(5)
    bench.back()
    bench.client()
    book = bench.meter.get("/api/events")
    latest = [(entry["log"], entry["code"], entry["text"]) for entry in book["events"]]
    assert latest[0] == ("security", 249, "Successful user authentication")
    assert latest[1:3] == [
        ("standard", 2, "Power up of the whole device"),
        ("standard", 1, "Power down of the whole device"),
    ]
    assert book["errors"] == [0, 0, 0]
    assert book["lost"] == 0
    assert book["events"][0]["time"].startswith("2026-03-02T12:00:")


@pytest.mark.row("EVT-05")
def test_a_log_that_was_cleared_begins_with_255_over_power(bench):
    session = bench.client()
    log = GXDLMSProfileGeneric(SECURITY)
    session.call(log, 1, 0, DataType.INT8)
    bench.cut(5)
    bench.back()
    assert bench.codes(SECURITY)[0] == 255
    assert bench.codes(STANDARD)[0] == 2


@pytest.mark.row("ALM-01", "ALM-03", "ALM-11")
def test_an_alarm_that_is_let_through_stands_over_power_until_it_is_cleared(bench):
    """The monitor's script is not there yet: its task goes on all the same."""
    session = bench.client()
    mask = GXDLMSData("0.0.97.98.10.255")
    mask.value = 1 << 13
    mask.setDataType(2, DataType.UINT32)
    session.write(mask, 2)
    session.release()
    for _ in range(3):
        with pytest.raises(GXDLMSException):
            bench.client(b"87654321")
    bench.cut(240)
    bench.back()
    with pytest.raises(GXDLMSException):
        bench.client()  # the lock starts over
    bench.pass_time(61)
    assert bench.value("0.0.97.98.0.255") == bench.value("0.0.97.98.20.255") == 1 << 13
    assert bench.meter.get("/api/health")["task_restarts"] == 0
    session = bench.client()
    register = GXDLMSData("0.0.97.98.0.255")
    register.value = 0
    register.setDataType(2, DataType.UINT32)
    session.write(register, 2)
    session.release()
    assert bench.value("0.0.97.98.0.255") == 0
    assert bench.value("0.0.97.98.20.255") == 1 << 13
    assert bench.codes(STANDARD)[-1] == 11


@pytest.mark.row("EVT-14", "SEC-60")
def test_the_101st_certified_change_is_refused(bench):
    """The log blocks; erasing it, under the cover only, lets changes through again."""
    bench.meter.post("/api/cover", cover="meter", open=True)
    bench.meter.post("/api/lock", locked=False)
    bench.pass_time(2)
    session = bench.client()
    constant = GXDLMSRegister("1.0.0.3.0.255")
    values = (3200, 4000)  # imp/kWh; a new meter has 1000
    for number in range(101):
        constant.value = values[number % 2]
        constant.setDataType(2, DataType.UINT32)
        if number < 100:
            session.write(constant, 2)
    with pytest.raises(GXDLMSException):
        session.write(constant, 2)
    assert session.read(GXDLMSRegister("1.0.0.3.0.255"), 2) == values[1]
    log = GXDLMSProfileGeneric("1.0.99.99.0.255")
    assert session.read(log, 7) == 100
    bench.meter.post("/api/lock", locked=True)
    with pytest.raises(GXDLMSException):
        session.call(log, 1, 0, DataType.INT8)
    bench.meter.post("/api/lock", locked=False)
    session.call(log, 1, 0, DataType.INT8)
    constant.value = values[0]
    session.write(constant, 2)
    assert session.read(GXDLMSRegister("1.0.0.3.0.255"), 2) == values[0]


@pytest.mark.row("PRD-16")
@pytest.mark.parametrize(
    ("model", "phases", "transformer"), [("3ph", 3, False), ("1ph", 1, False), ("ct", 3, True)]
)
def test_what_a_meter_does_not_have_is_not_among_its_objects(
    start_meter, model, phases, transformer
):
    """Bit 0 of the features tells of several phases, bit 1 of current transformers."""
    bench = Bench(start_meter("--rate", "0", "--fresh", "--model", model))
    session = bench.client()
    flags = session.read(GXDLMSData("0.0.128.0.20.255"), 2)
    assert (flags & 1, flags >> 1 & 1) == (phases > 1, transformer)
    names = {str(item.logicalName) for item in session.objects()}
    assert "1.0.32.7.0.255" in names
    of_others = {
        f"{name}.255"
        for name in (
            "1.0.52.7.0", "1.0.72.7.0", "1.0.71.7.0", "1.0.72.32.0", "1.0.72.36.0", "0.0.96.7.2",
            "0.0.128.7.21", "0.0.128.7.31",
        )
    }  # fmt: skip
    assert of_others <= names if flags & 1 else names.isdisjoint(of_others)
    ratios = {"1.0.0.4.2.255", "1.0.0.4.5.255", "0.0.128.0.2.255"}
    assert ratios <= names if flags & 2 else names.isdisjoint(ratios)
    session.release()
