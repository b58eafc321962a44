"""The end of billing as a foreign client, the glass and the sealed key have it."""

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from conftest import LAUNCHER, VirtualMeter
from gurux_dlms import GXDateTime, GXDLMSException
from gurux_dlms.enums import DataType, DateTimeSkips
from gurux_dlms.objects import (
    GXDLMSActionSchedule,
    GXDLMSClock,
    GXDLMSData,
    GXDLMSDemandRegister,
    GXDLMSExtendedRegister,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
    GXDLMSScriptTable,
)

BILLING_1, BILLING_2, DAILY = "0.0.98.1.0.255", "0.0.98.2.0.255", "0.0.98.3.0.255"
ALIAS = "1.0.99.130.0.255"
BILLING_CODES = (209, 210, 223, 231)
MANUAL_RESET, SHOW_PAST = "0.0.128.10.5.255", "0.0.128.10.7.255"


def begin(path, start):
    """A meter with a load of 6.9 kW that stands still at `start`."""
    if not LAUNCHER.exists():
        pytest.skip("run `make setup` first")
    meter = VirtualMeter(path / "state", ["--rate", "0", "--model", "3ph"])
    meter.start("--time", start)
    meter.post("/api/mains", phases=[{"u": 230, "i": 10, "phi_deg": 0}] * 3)
    return meter


@pytest.fixture(scope="module")
def year_end(tmp_path_factory):
    """A meter a minute before a year ends; the tests below follow each other."""
    meter = begin(tmp_path_factory.mktemp("billing"), "2025-12-31T23:59:00")
    yield meter
    assert meter.stop() == 0


class Client:
    """A session for one `with`: leaps outlast an idle one."""

    def __init__(self, meter, port="cosem", hdlc=False):
        self._meter, self._port, self._hdlc = meter, port, hdlc

    def __enter__(self):
        socket = clients.Socket(self._meter.ports[self._port])
        self.gurux = clients.Gurux(
            socket, clients.MANAGEMENT, clients.SECRET, hdlc=self._hdlc
        ).connect()
        return self

    def __exit__(self, *_):
        self.gurux.release()
        self.gurux.transport.close()

    def rows(self, name, span=None):
        """Entries as lists, their time in UTC first."""
        profile = GXDLMSProfileGeneric(name)
        self.gurux.read(profile, 3)
        if span is None:
            rows = self.gurux.read(profile, 2)
        else:
            request = self.gurux.client.readRowsByRange(profile, *map(GXDateTime, span))
            reply = self.gurux.exchange(request)
            rows = self.gurux.client.updateValue(profile, 2, reply.value)
        return [[row[0].value.astimezone(timezone.utc), *row[1:]] for row in rows]

    def times(self, name, span=None):
        return [row[0].strftime("%Y-%m-%d %H:%M:%S") for row in self.rows(name, span)]

    def execute(self, number, table="0.0.10.0.1.255"):
        self.gurux.call(GXDLMSScriptTable(table), 1, number, DataType.UINT16)

    def value(self, name):
        return self.gurux.read(GXDLMSData(name), 2)

    def turn_on(self, name):
        option = GXDLMSData(name)
        option.value = True
        option.setDataType(2, DataType.BOOLEAN)
        self.gurux.write(option, 2)

    def set_clock(self, moment):
        clock = GXDLMSClock()
        clock.time = GXDateTime(moment)
        self.gurux.write(clock, 2)


def codes(meter):
    events = meter.get("/api/events")["events"]
    return [event["code"] for event in reversed(events) if event["code"] in BILLING_CODES]


@pytest.mark.row("BIL-02", "BIL-08")
def test_scripts_1_and_2_by_a_client(year_end):
    with Client(year_end) as client:
        client.execute(2)
        assert (len(client.rows(BILLING_1)), len(client.rows(BILLING_2))) == (0, 1)
        assert client.value("0.0.0.1.0.255") == 0
        client.execute(1)
        (row,) = client.rows(BILLING_1)
        assert client.times(BILLING_1) == ["2025-12-31 23:59:00"]
        assert client.value("0.0.0.1.0.255") == 1
        last = client.gurux.read(GXDLMSRegister("0.0.0.1.2.255"), 2)
        assert bytes(last)[:8] == bytes.fromhex("07e90c1f03173b00")
        assert client.rows(ALIAS) == client.rows(BILLING_2)
        for number in (0, 3):
            with pytest.raises(GXDLMSException):
                client.execute(number)
    assert len(row) > 10
    assert codes(year_end) == [209, 231]


def first_of_month():
    moment = GXDateTime("2000-01-01 00:00:00", "%Y-%m-%d %H:%M:%S")
    moment.skip |= DateTimeSkips.YEAR | DateTimeSkips.MONTH | DateTimeSkips.DAY_OF_WEEK
    return moment


def test_the_first_of_the_month_comes_over_the_years_end(year_end):
    schedule = GXDLMSActionSchedule("0.0.15.0.0.255")
    with Client(year_end) as client:
        schedule.executionTime = [first_of_month()]
        client.gurux.write(schedule, 4)
        assert len(client.gurux.read(schedule, 4)) == 1
        schedule.executionTime = [first_of_month()] * 5
        with pytest.raises(GXDLMSException):
            client.gurux.write(schedule, 4)
    year_end.post("/api/advance", seconds=70)
    with Client(year_end) as client:
        assert client.times(BILLING_1)[1:] == ["2026-01-01 00:00:00"]
        assert client.times(DAILY) == ["2026-01-01 00:00:00"]
        assert client.value("0.0.0.1.0.255") == 2
        # 6.9 kW for a minute, at the stroke of midnight and not some seconds later
        energy = [row[2] for row in client.rows(BILLING_1)]
        assert energy[1] - energy[0] == pytest.approx(115, abs=3)
    assert codes(year_end)[2:] == [223, 231]


def test_a_clock_set_three_months_on_makes_one_entry_of_the_first(year_end):
    with Client(year_end) as client:
        client.set_clock(datetime(2026, 4, 10, 12, tzinfo=timezone.utc))
    year_end.post("/api/advance", seconds=2)
    with Client(year_end) as client:
        assert client.times(BILLING_1)[2:] == ["2026-02-01 00:00:00"]
        assert client.times(DAILY)[1:] == ["2026-01-02 00:00:00"]
    events = year_end.get("/api/events")["events"]
    at = {event["time"][:15] for event in events if event["code"] in (223, 231)}
    assert "2026-04-10T12:0" in at


@pytest.mark.row("BIL-16")
@pytest.mark.parametrize(("port", "hdlc"), [("cosem", False), ("optical", True)])
def test_entries_are_read_by_range_on_both_ports(year_end, port, hdlc):
    with Client(year_end, port, hdlc) as client:
        for _ in range(2):
            client.execute(1)
            year_end.post("/api/advance", seconds=100)
        before, last = (row[0] for row in client.rows(BILLING_1)[-2:])
        half = timedelta(seconds=30)
        assert last - before > half
        span = client.times(BILLING_1, [before - half, before + half])
        assert span == [before.strftime("%Y-%m-%d %H:%M:%S")]
        assert client.times(BILLING_1, [last + half, last + 2 * half]) == []


def test_past_values_come_to_the_display_if_they_may(year_end):
    past = GXDLMSRegister("1.0.1.8.0.1")
    with Client(year_end) as client:
        with pytest.raises(GXDLMSException):
            client.gurux.read(past, 2)
        client.turn_on(SHOW_PAST)
        assert client.gurux.read(past, 2) == client.rows(BILLING_1)[-1][2]
        show(client, "0.0.21.0.1.255", ["1.0.1.8.0.1", "1.0.1.8.0.12"])
        wh = client.rows(BILLING_1)[-1][2]
    for _ in range(30):
        year_end.post("/api/advance", seconds=1)
        lcd = year_end.get("/api/lcd")
        if lcd["code"] == "1.8.0*01":
            break
    assert (lcd["code"], lcd["unit"]) == ("1.8.0*01", "kWh")
    assert lcd["value"] == f"{wh // 10 / 100:09.2f}"


@pytest.mark.row("DEM-07", "MET-19", "BIL-05", "BIL-15")
def test_one_execution_has_all_five_effects(year_end):
    year_end.post("/api/mains", phases=[{"i": 20, "phi_deg": 60}] * 3)
    year_end.post("/api/advance", seconds=1900)
    lowest = GXDLMSExtendedRegister("1.0.13.3.0.255")
    maximum = GXDLMSExtendedRegister("1.0.1.6.0.255")
    demand = GXDLMSDemandRegister("1.0.1.4.0.255")
    with Client(year_end) as client:
        before = [client.gurux.read(maximum, 2), client.gurux.read(demand, 3)]
        assert before == [pytest.approx(69000, abs=20)] * 2  # tenths of a watt
        assert client.gurux.read(lowest, 2) == pytest.approx(500, abs=2)
        at = client.gurux.read(maximum, 5).value
        count, logged = client.value("0.0.0.1.0.255"), codes(year_end)
        client.execute(1)
        profile = GXDLMSProfileGeneric(BILLING_1)
        client.gurux.read(profile, 3)
        columns = [
            (str(item.logicalName), captured.attributeIndex)
            for item, captured in profile.captureObjects
        ]
        row = client.rows(BILLING_1)[-1]
        name = "1.0.1.6.0.255"
        assert row[columns.index((name, 2))] == before[0]
        assert row[columns.index((name, 5))].value == at
        assert (client.gurux.read(maximum, 2), client.gurux.read(lowest, 2)) == (0, 1000)
        assert [client.gurux.read(demand, index) for index in (2, 3)] == [0, 0]
        assert client.value("0.0.0.1.0.255") == count + 1
    assert codes(year_end) == [*logged, 209, 231]


@pytest.mark.row("DEM-09")
def test_the_integration_period_comes_to_the_display(year_end):
    with Client(year_end) as client:
        assert client.value("1.0.0.8.0.255") == 900
        show(client, "0.0.21.0.1.255", ["1.0.0.8.0.255"], 1)
    for _ in range(30):
        year_end.post("/api/advance", seconds=1)
        lcd = year_end.get("/api/lcd")
        if lcd["code"] == "0.8.0":
            break
    assert (lcd["code"], lcd["value"]) == ("0.8.0", "900")


def show(client, name, registers, class_id=3):
    """Make a display list of registers."""
    encoded = bytes((1, len(registers)))
    for register in registers:
        octets = bytes(int(number) for number in register.split("."))
        encoded += (
            b"\x02\x04\x12\x00"
            + bytes((class_id,))
            + b"\x09\x06"
            + octets
            + b"\x0f\x02\x12\x00\x00"
        )
    octets = bytes(int(number) for number in name.split("."))
    apdu = b"\xc1\x01\xc1\x00\x07" + octets + b"\x03\x00" + encoded
    frame = b"\x00\x01\x00\x01\x00\x01" + len(apdu).to_bytes(2, "big") + apdu
    client.gurux.transport.send(frame)
    assert client.gurux.transport.receive()[-4:] == b"\xc5\x01\xc1\x00"


def test_the_sealed_key_resets_only_if_it_may_and_once_a_day(year_end):
    year_end.post("/api/advance", seconds=20)  # a glass that has just started tells its name
    before = codes(year_end)
    hold_reset(year_end)
    assert codes(year_end) == before  # factory: disabled
    with Client(year_end) as client:
        client.turn_on(MANUAL_RESET)
    assert hold_reset(year_end) == "rSUCCESS"
    after = codes(year_end)
    assert after != before
    assert after[-2:] == [210, 231]
    assert hold_reset(year_end) == "rEJECtEd"
    assert codes(year_end) == after
    hold_reset(year_end, "scroll")
    assert codes(year_end) == after


def hold_reset(meter, key="reset"):
    """Hold a key for six seconds; return what the glass says then."""
    meter.post("/api/key", key=key, down=True)
    meter.post("/api/advance", seconds=6)
    meter.post("/api/key", key=key, down=False)
    meter.post("/api/advance", seconds=1)
    return meter.get("/api/lcd")["value"]


def test_a_billing_missed_while_off_is_done_at_power_up(year_end):
    with Client(year_end) as client:
        client.set_clock(datetime(2026, 11, 30, 23, 59, tzinfo=timezone.utc))
    year_end.post("/api/advance", seconds=20)
    with Client(year_end) as client:
        count = client.value("0.0.0.1.0.255")
    year_end.post("/api/supply", on=False)
    year_end.post("/api/advance", seconds=3600)
    year_end.post("/api/supply", on=True)
    year_end.post("/api/advance", seconds=5)
    with Client(year_end) as client:
        assert client.times(BILLING_1)[-1] == "2026-12-01 00:00:00"
        assert client.value("0.0.0.1.0.255") == count + 1
    events = year_end.get("/api/events")["events"]
    newest = [event["code"] for event in events if event["code"] in (1, 2, 223, 231)][:4]
    assert newest == [231, 223, 2, 1]
    reset = next(event for event in events if event["code"] == 231)
    at = datetime.fromisoformat(reset["time"].replace("Z", "+00:00"))
    power_up = datetime(2026, 12, 1, 0, 59, 20, tzinfo=timezone.utc)
    assert timedelta(0) <= at - power_up < timedelta(seconds=10)
