"""The clock of the running meter, as a client, a bench and the display have it.

Simulated time stands still between two `advance`, so true time is the start plus what was asked
for, and a reading can be held against it to the hundredth.
"""

import datetime
import json

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from gurux_dlms import GXDateTime, GXDLMSException
from gurux_dlms.enums import DataType
from gurux_dlms.objects import (
    GXDLMSClock,
    GXDLMSData,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)

UTC = datetime.timezone.utc
ENERGY = GXDLMSRegister("1.0.1.8.0.255")
START_S = 0.028  # that reading the chips takes before the meter is ready


class Client:
    """A management client, and how much time it has let pass."""

    def __init__(self, meter, start):
        self.meter = meter
        self.true = start
        self.session = None
        self.log_in()

    def log_in(self):
        transport = Socket(self.meter.ports["cosem"])
        self.session = Gurux(transport, MANAGEMENT, SECRET).connect()

    def advance(self, seconds, powered=True):
        self.meter.post("/api/advance", seconds=seconds)
        self.true += datetime.timedelta(seconds=seconds)
        if powered and seconds > 60:  # the meter has hung up meanwhile
            self.log_in()

    def octets(self):
        """Attribute 2 of the clock, undecoded."""
        reply = self.session.exchange(self.session.client.read(GXDLMSClock(), 2))
        return bytes(reply.value)

    def time(self):
        """UTC of attribute 2, with hundredths."""
        value = self.octets()
        year, fields, deviation = value[:2], value[2:4] + value[5:8], value[9:11]
        moment = datetime.datetime(int.from_bytes(year, "big"), *fields, tzinfo=UTC)
        minutes = int.from_bytes(deviation, "big", signed=True)
        return moment + datetime.timedelta(minutes=minutes, milliseconds=10 * value[8])

    def error_s(self):
        return (self.time() - self.true).total_seconds() - START_S

    def status(self):
        return self.octets()[11]

    def energy_wh(self):
        return self.session.read(ENERGY, 2)

    def codes(self):
        """Codes in the standard log of what concerns the clock and its reserve, oldest first."""
        log = GXDLMSProfileGeneric("0.0.99.98.0.255")
        rows = self.session.exchange(self.session.client.read(log, 2)).value
        return [row[1] for row in rows if row[1] in (3, 4, 5, 6, 7, 8)]

    def errors(self):
        return self.session.read(GXDLMSData("0.0.97.97.0.255"), 2)

    def write(self, item, index, value, kind=None):
        if index == 2 and kind is not None:
            item.setDataType(2, kind)
        names = {2: "time" if isinstance(item, GXDLMSClock) else "value", 3: "timeZone"}
        setattr(item, names[index], value)
        self.session.write(item, index)


@pytest.fixture
def client(start_meter):
    meter = start_meter("--rate", "0", "--time", "2026-03-28T23:30:00")
    return Client(meter, datetime.datetime(2026, 3, 28, 23, 30, tzinfo=UTC))


@pytest.mark.row("CLK-07", "CLK-08", "CLK-11")
def test_a_processor_150_ppm_off_keeps_the_chips_time(client):
    """Two hours, 1.1 s by the processor's own crystal; daylight saving begins within them."""
    client.write(GXDLMSClock(), 3, -60)
    client.meter.post("/api/chip", chip="crystal", fault="drift", ppb=150_000)
    client.meter.post("/api/mains", phases=[{"phi_deg": 0}] * 3)
    client.advance(30)
    assert abs(client.error_s()) < 0.03
    before = client.energy_wh()
    for seconds in (5340, 60, 1770):
        client.advance(seconds)
        assert abs(client.error_s()) < 0.05
    octets = client.octets()
    assert octets[:2] + octets[2:4] + octets[5:7] == bytes.fromhex("07ea031d031e")  # 3:30 local
    assert client.status() == 0x80
    energy = client.energy_wh() - before
    assert energy == pytest.approx(3 * 230 * 5 * 7170 / 3600, abs=2)
    assert client.codes() == [3]
    # the glass shows the same wall clock
    seen = set()
    for _ in range(12):
        client.advance(5)
        lcd = client.meter.get("/api/lcd")
        seen.add((lcd["code"], lcd["value"]))
    values = dict(seen)
    assert values["0.9.2"].replace(" ", "") == "2026.03.29"
    assert values["0.9.1"].startswith("03:3")


@pytest.mark.row("CLK-01", "CLK-19")
def test_gurux_sets_the_time_and_calls_each_method(client):
    clock = GXDLMSClock()
    session, gurux = client.session, client.session.client
    client.advance(10)

    def now():
        return (client.time() - client.true).total_seconds()

    wanted = client.true + datetime.timedelta(hours=1, seconds=7)
    client.write(clock, 2, GXDateTime(wanted))
    assert now() == pytest.approx(3607, abs=0.02)
    client.write(clock, 2, GXDateTime(client.true.replace(minute=7, second=29)))
    session.exchange(clock.adjustToQuarter(gurux))
    assert client.time().minute == 0
    client.write(clock, 2, GXDateTime(client.true.replace(minute=7, second=31)))
    session.exchange(clock.adjustToMeasuringPeriod(gurux))
    assert client.time().minute == 15
    client.write(clock, 2, GXDateTime(client.true.replace(minute=7, second=31)))
    session.exchange(clock.adjustToMinute(gurux))
    assert (client.time().minute, client.time().second) == (8, 0)
    session.exchange(clock.shiftTime(gurux, -70))
    assert (client.time().minute, client.time().second) == (6, 50)
    preset = client.true + datetime.timedelta(days=1)
    begin, end = client.true - datetime.timedelta(days=1), preset
    session.exchange(
        clock.presetAdjustingTime(gurux, GXDateTime(preset), GXDateTime(begin), GXDateTime(end))
    )
    session.exchange(clock.adjustToPresetTime(gurux))
    assert now() == pytest.approx(86400, abs=0.02)
    with pytest.raises(GXDLMSException):
        session.exchange(clock.adjustToPresetTime(gurux))
    with pytest.raises(GXDLMSException):
        session.call(clock, 6, 901, DataType.INT16)
    assert now() == pytest.approx(86400, abs=0.02)


@pytest.mark.row("CLK-16", "CLK-17")
def test_a_battery_that_fails_costs_the_time_and_no_energy(client):
    client.meter.post("/api/mains", phases=[{"phi_deg": 0}] * 3)
    client.advance(60)
    client.meter.post("/api/battery", present=False)
    before = client.energy_wh()
    client.meter.post("/api/supply", on=False)
    client.advance(3600, powered=False)
    client.meter.post("/api/supply", on=True)
    client.advance(65)
    assert client.time().date() == datetime.date(2001, 1, 1)
    assert client.status() == 0x01
    assert client.codes() == [6, 8]  # without a battery its voltage is low, too
    assert client.errors() & 0x01
    client.meter.post("/api/battery", present=True)
    client.advance(300)
    lcds = []
    for _ in range(4):
        client.advance(0.5)
        lcds.append("CLK" in client.meter.get("/api/lcd")["cursors"])
    assert True in lcds
    assert False in lcds  # it blinks
    measured = client.energy_wh()
    assert measured - before == pytest.approx(3450 * 367 / 3600, abs=3)
    client.write(GXDLMSClock(), 2, GXDateTime(client.true))
    client.advance(1)
    assert client.status() == 0
    assert client.errors() & 0x01 == 0
    assert client.codes() == [6, 8, 4, 5]
    assert abs(client.error_s()) < 0.05
    assert client.energy_wh() - measured <= 1
    assert "CLK" not in client.meter.get("/api/lcd")["cursors"]


@pytest.mark.row("CLK-14", "PRD-09")
def test_a_battery_at_the_end_of_its_life(client):
    remaining = GXDLMSRegister("0.0.96.6.6.255")
    with pytest.raises(GXDLMSException):
        client.write(remaining, 2, 10, DataType.UINT32)
    client.meter.post("/api/cover", cover="meter", open=True)
    client.meter.post("/api/lock", locked=False)
    client.write(remaining, 2, 10, DataType.UINT32)
    client.advance(9)
    assert client.codes() == []
    client.advance(2)
    assert client.codes() == [7]
    assert client.session.read(remaining, 2) == 0


@pytest.mark.row("CLK-09")
def test_small_corrections_are_no_events(client):
    session, clock = client.session, GXDLMSClock()
    session.exchange(clock.shiftTime(session.client, 5))
    session.exchange(clock.shiftTime(session.client, -9))
    assert client.codes() == []
    session.exchange(clock.shiftTime(session.client, 60))
    assert client.codes() == [4, 5]


@pytest.mark.row("CLK-10", "PRD-04")
def test_test_mode_and_battery_from_outside(client):
    mode = GXDLMSData("0.0.128.30.1.255")
    voltage = GXDLMSRegister("0.0.96.6.3.255")
    assert client.session.read(voltage, 2) == pytest.approx(3600, abs=1)
    client.meter.post("/api/battery", v=2.9)
    assert client.session.read(voltage, 2) == pytest.approx(2900, abs=1)
    with pytest.raises(GXDLMSException):
        client.write(mode, 2, 1, DataType.ENUM)
    client.meter.post("/api/cover", cover="meter", open=True)
    client.meter.post("/api/lock", locked=False)
    client.write(mode, 2, 1, DataType.ENUM)
    client.advance(30)
    client.write(mode, 2, 0, DataType.ENUM)
    client.advance(10)
    assert client.meter.get("/api/state")["rtc"]["test_pulses"] == 30


def test_a_clock_chip_that_lies_or_dies_moves_no_clock(client):
    client.advance(20)
    for fault in (
        {"fault": "jump", "seconds": 86400},
        {"fault": "jump", "seconds": -100},
        {"fault": "garbage", "register": 1, "value": 0x7F},
        {"fault": "dead"},
    ):
        client.meter.post("/api/chip", chip="rtc", **fault)
        client.advance(125)
        assert abs(client.error_s()) < 0.05, fault
        assert client.status() & 0x02, fault  # doubtful
        problems = client.meter.get("/api/health")["problems"]
        assert ("clock chip does not answer" in problems) == (fault["fault"] == "dead")
        client.meter.post("/api/chip", chip="rtc", fault="clear")
        client.advance(70)
        rtc = client.meter.get("/api/state")["rtc"]["time"]
        assert abs(datetime.datetime.fromisoformat(rtc.replace("Z", "+00:00")) - client.true) <= (
            datetime.timedelta(seconds=1)
        ), json.dumps(fault)
    client.write(GXDLMSClock(), 2, GXDateTime(client.true))
    assert client.status() == 0
