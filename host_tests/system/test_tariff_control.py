"""Who decides the rate, seen from outside: inputs, frequency, blocks, 48 rates, damaged tables."""

import sys

import clients
import pytest
from conftest import ROOT
from gurux_dlms import GXDateTime, GXDLMSException, GXTime
from gurux_dlms.enums import DataType, DateTimeSkips
from gurux_dlms.objects import (
    GXDLMSActivityCalendar,
    GXDLMSData,
    GXDLMSDayProfile,
    GXDLMSDayProfileAction,
    GXDLMSRegister,
    GXDLMSScriptTable,
    GXDLMSSeasonProfile,
    GXDLMSWeekProfile,
)

sys.path.append(str(ROOT / "firmware"))

from app.storage import record, regions

TARIFFS = "0.0.10.0.100.255"
EXTERNAL_TO_INTERNAL, INTERNAL_TO_EXTERNAL, MEMORY_ERROR = 201, 202, 14
UNDEFINED = 0x80000 | 0x100000  # tariffs and seasons, table 10.2
POWER_W = 6900


class Bench:
    """A meter that stands still at 06:00:10 of a Monday, with a load of 6.9 kW."""

    def __init__(self, meter):
        self.meter = meter
        meter.post("/api/mains", phases=[{"u": 230, "i": 10, "phi_deg": 0}] * 3)

    def client(self):
        socket = clients.Socket(self.meter.ports["cosem"])
        return clients.Gurux(socket, clients.MANAGEMENT, clients.SECRET).connect()

    def do(self, verb):
        """Do something as a client; an idle connection would not outlast a leap."""
        client = self.client()
        try:
            return verb(client)
        finally:
            client.transport.close()

    def get(self, name):
        return self.do(lambda client: client.read(GXDLMSData(name), 2))

    def put(self, name, value, data_type):
        item = GXDLMSData(name)
        item.setDataType(2, data_type)
        item.value = value
        self.do(lambda client: client.write(item, 2))

    def put_raw(self, name, encoded):
        """Write what the client library cannot encode."""
        body = bytes.fromhex("c101c10001") + octets(name) + bytes.fromhex("0200") + encoded
        head = bytes.fromhex("000100010001") + len(body).to_bytes(2, "big")
        self.do(lambda client: client.exchange(head + body))

    def pass_s(self, seconds):
        self.meter.post("/api/advance", seconds=seconds)

    def rate(self):
        return bytes(self.get("0.0.96.14.0.255"))[1]

    def wh(self, *names):
        registers = [GXDLMSRegister(name) for name in names]
        self.do(lambda client: [client.read(register, 2) for register in registers])
        return [register.value for register in registers]

    def codes(self):
        return [event["code"] for event in self.meter.get("/api/events")["events"]]

    def execute(self, number):
        table = GXDLMSScriptTable(TARIFFS)
        self.do(lambda client: client.call(table, 1, number, DataType.UINT16))

    def write_calendar(self, rate):
        """One rate, all days, from 00:00."""
        start = GXDateTime("2000-01-01 00:00:00", "%Y-%m-%d %H:%M:%S")
        start.skip |= DateTimeSkips.YEAR | DateTimeSkips.DAY_OF_WEEK | DateTimeSkips.DEVITATION
        calendar = GXDLMSActivityCalendar()
        calendar.calendarNamePassive = "ONE"
        calendar.seasonProfilePassive = [GXDLMSSeasonProfile(b"ALL", start, b"WEEK")]
        week = GXDLMSWeekProfile()
        week.name = b"WEEK"
        week.monday = week.tuesday = week.wednesday = week.thursday = week.friday = 1
        week.saturday = week.sunday = 1
        calendar.weekProfileTablePassive = [week]
        midnight = GXDLMSDayProfileAction(GXTime("00:00:00", "%H:%M:%S"), TARIFFS, rate)
        calendar.dayProfileTablePassive = [GXDLMSDayProfile(1, [midnight])]

        def write(client):
            for index in (6, 7, 8, 9):
                client.write(calendar, index)
            client.call(calendar, 1, 0, DataType.INT8)

        self.do(write)


def octets(name):
    return bytes(int(part) for part in name.split("."))


@pytest.fixture
def bench(start_meter):
    return Bench(start_meter("--rate", "0", "--time", "2026-01-05T05:00:10"))


@pytest.mark.row("TOU-15")
@pytest.mark.row("TOU-18")
def test_tariff_inputs_choose_the_rate_at_once_or_with_the_measuring_period(bench):
    with pytest.raises(GXDLMSException):
        bench.put("0.0.128.10.1.255", 1, DataType.ENUM)  # the calendar does not wait
    bench.put("0.0.128.10.2.255", 1, DataType.ENUM)
    assert bench.codes().count(INTERNAL_TO_EXTERNAL) == 1
    for inputs, rate in (((1, 0), 2), ((1, 1), 4), ((0, 1), 3), ((0, 0), 1)):
        for number, on in enumerate(inputs, 1):
            bench.meter.post("/api/input", input=number, on=bool(on))
        bench.pass_s(1)
        assert bench.rate() == rate
    bench.put("0.0.128.10.3.255", b"\1\7\6\5", DataType.OCTET_STRING)
    bench.put("0.0.128.10.1.255", 1, DataType.ENUM)
    bench.pass_s(80)  # 06:01:34
    names = ("1.0.1.8.0.255", "1.0.1.8.1.255", "1.0.1.8.7.255")
    before = bench.wh(*names)
    bench.meter.post("/api/input", input=1, on=True)
    bench.pass_s(60)
    assert bench.rate() == 1
    bench.pass_s(900)  # over 06:15:00
    assert bench.rate() == 7
    total, first, seventh = (new - old for new, old in zip(bench.wh(*names), before, strict=True))
    waited_s = 15 * 60 - 94  # to the end of the measuring period
    assert first == pytest.approx(POWER_W * waited_s / 3600, abs=POWER_W * 1.5 / 3600)
    assert first + seventh == pytest.approx(total, abs=2)
    assert total == pytest.approx(POWER_W * 960 / 3600, abs=3)
    with pytest.raises(GXDLMSException):
        bench.put("0.0.128.10.2.255", 0, DataType.ENUM)  # rates wait: external source only
    bench.put("0.0.128.10.1.255", 0, DataType.ENUM)
    bench.put("0.0.128.10.2.255", 0, DataType.ENUM)
    assert bench.codes().count(EXTERNAL_TO_INTERNAL) == 1
    bench.meter.post("/api/input", input=1, on=False)
    bench.pass_s(1)
    assert bench.rate() == 7  # the inputs are not asked any more


@pytest.mark.row("TOU-19")
def test_a_low_frequency_brings_the_special_tariff_and_takes_it_away_again(bench):
    bench.write_calendar(2)
    threshold = bytes.fromhex("0204" + "12bf68" + "12000a" + "120064" + "120008")
    bench.put_raw("0.0.128.10.4.255", threshold)
    bench.pass_s(1)
    assert bench.rate() == 2
    bench.meter.post("/api/mains", f=48.8)
    bench.pass_s(8)
    assert bench.rate() == 2
    bench.pass_s(3)
    assert bench.rate() == 8
    before = bench.wh("1.0.1.8.8.255")[0]
    bench.pass_s(3600)
    assert bench.wh("1.0.1.8.8.255")[0] - before == pytest.approx(POWER_W, abs=3)
    bench.meter.post("/api/supply", on=False)
    bench.pass_s(30)
    bench.meter.post("/api/supply", on=True)
    bench.pass_s(2)
    assert bench.rate() == 8  # it is still low
    bench.meter.post("/api/mains", f=49.05)
    bench.pass_s(30)
    assert bench.rate() == 8  # hysteresis
    bench.meter.post("/api/mains", f=49.5)
    bench.pass_s(3)
    assert bench.rate() == 2


@pytest.mark.row("TOU-20")
@pytest.mark.row("EN-04")
def test_blocks_and_forty_eight_rates_count_what_the_total_counts(bench):
    names = bench.do(lambda client: [item.logicalName for item in client.objects()])
    assert len(set(names)) == len(names)
    assert "1.0.1.128.48.255" in names
    assert "1.0.1.8.9.255" not in names
    thresholds = bytes.fromhex(
        "0103" + "".join("0108" + f"06{wh:08x}" * 8 for wh in (1000, 3000, 0))
    )
    bench.put_raw("0.0.128.10.6.255", thresholds)
    blocks = [f"1.0.1.128.{block}1.255" for block in range(1, 5)]
    start = bench.wh("1.0.1.8.1.255")[0]
    bench.pass_s(3600)
    assert bench.wh(*blocks) == [1000, 2000, bench.wh("1.0.1.8.1.255")[0] - 3000, 0]
    billing = GXDLMSScriptTable("0.0.10.0.1.255")
    bench.do(lambda client: client.call(billing, 1, 1, DataType.UINT16))
    third = bench.wh(*blocks)[2]
    bench.pass_s(360)
    now = bench.wh(*blocks)
    assert now[0] == pytest.approx(1000 + POWER_W / 10, abs=2)
    assert now[1:] == [2000, third, 0]
    assert sum(now) == bench.wh("1.0.1.8.1.255")[0] >= start

    bench.put("0.0.128.10.9.255", 48, DataType.UINT8)
    names = bench.do(lambda client: [item.logicalName for item in client.objects()])
    assert [f"1.0.1.8.{rate}.255" in names for rate in (9, 48, 49)] == [True, True, False]
    bench.execute(48)
    bench.pass_s(600)
    bench.execute(20)
    bench.pass_s(300)
    energies = bench.wh(*[f"1.0.1.8.{rate}.255" for rate in range(49)])
    assert energies[48] == pytest.approx(POWER_W / 6, abs=2)
    assert energies[20] == pytest.approx(POWER_W / 12, abs=2)
    assert sum(energies[1:]) == pytest.approx(energies[0], abs=48)
    exported = bench.wh(*[f"1.0.15.8.{rate}.255" for rate in range(9)])
    assert sum(exported[1:]) == pytest.approx(exported[0], abs=8)


def payload_of(name):
    """Where the payloads of both copies of a region begin in the FRAM."""
    at = 0
    for region, capacity, _ in regions.REGIONS:
        if region == name:
            return [at + slot * record.slot_size(capacity) + 8 for slot in (0, 1)]
        at += 2 * record.slot_size(capacity)
    raise KeyError(name)


@pytest.mark.row("TOU-24")
@pytest.mark.parametrize("restarted", [True, False])
def test_a_damaged_calendar_is_an_error_and_the_first_rate_counts(bench, restarted):
    bench.write_calendar(3)
    bench.pass_s(1)
    assert bench.rate() == 3
    for at in payload_of("calendar_active"):
        bench.meter.post("/api/chip", chip="fram", fault="bit_flip", at=at + 4)
    if restarted:
        bench.meter.post("/api/supply", on=False)
        bench.pass_s(1)
        bench.meter.post("/api/supply", on=True)
        bench.pass_s(15)
    else:
        bench.pass_s(2 * 3600)  # all records are checked once an hour
    assert bench.rate() == 1
    assert bench.get("0.0.97.97.1.255") & UNDEFINED == UNDEFINED
    assert MEMORY_ERROR in bench.codes()
    assert any("calendar" in text for text in bench.meter.get("/api/health")["problems"])
    before = bench.wh("1.0.1.8.0.255", "1.0.1.8.1.255")
    bench.pass_s(3600)
    after = bench.wh("1.0.1.8.0.255", "1.0.1.8.1.255")
    assert after[1] - before[1] == pytest.approx(POWER_W, abs=3)
    energies = bench.wh(*[f"1.0.1.8.{rate}.255" for rate in range(9)])
    assert sum(energies[1:]) == pytest.approx(energies[0], abs=8)
    bench.put("0.0.97.97.1.255", 0, DataType.UINT32)
    assert bench.get("0.0.97.97.1.255") & UNDEFINED == UNDEFINED  # the cause lasts
    bench.write_calendar(4)
    bench.pass_s(15)
    assert bench.rate() == 4
    bench.put("0.0.97.97.1.255", 0, DataType.UINT32)
    assert bench.get("0.0.97.97.1.255") & UNDEFINED == 0
    texts = bench.meter.get("/api/health")["problems"]
    assert not any("both copies of the active calendar" in text for text in texts)
