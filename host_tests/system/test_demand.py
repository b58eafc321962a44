"""Demand, read by a foreign client: a load runs, time flies, the clock jumps, power goes."""

import datetime
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from gurux_dlms import GXDLMSException
from gurux_dlms.enums import DataType
from gurux_dlms.objects import (
    GXDLMSClock,
    GXDLMSData,
    GXDLMSDemandRegister,
    GXDLMSExtendedRegister,
    GXDLMSRegister,
    GXDLMSRegisterActivation,
    GXDLMSScript,
    GXDLMSScriptAction,
    GXDLMSScriptTable,
)
from gurux_dlms.objects.enums import ScriptActionType

IMPORT, NET = "1.0.1.4.0.255", "1.0.16.24.0.255"
LIMITER = "1.0.1.24.0.255"
NOT_FOR_BILLING, ADJUSTED, POWER_DOWN = 0x04, 0x20, 0x80


class Site:
    """A meter that stands still but for `advance`, and short sessions of a client with it."""

    def __init__(self, start_meter):
        self.meter = start_meter("--rate", "0", "--time", "2026-01-05T11:58:00")
        self.load(0)
        self.advance(5)

    def advance(self, seconds):
        self.meter.post("/api/advance", seconds=seconds)

    def until(self, clock):
        """Let time run to hh:mm:ss of the day."""
        now = datetime.datetime.fromisoformat(self.meter.get("/api/state")["time"][:19])
        hour, minute, second = (int(part) for part in clock.split(":"))
        self.advance((now.replace(hour=hour, minute=minute, second=second) - now).seconds)

    def load(self, watts, phi_deg=0):
        ampere = abs(watts) / 3 / 230
        phases = [{"u": 230, "i": ampere, "phi_deg": phi_deg + (180 if watts < 0 else 0)}] * 3
        self.meter.post("/api/mains", phases=phases)

    def ask(self, do):
        """Do something in a session of its own: leaps outlast an idle one."""
        socket = clients.Socket(self.meter.ports["cosem"])
        try:
            return do(clients.Gurux(socket, clients.MANAGEMENT, clients.SECRET).connect())
        finally:
            socket.close()

    def demand(self, code=IMPORT):
        """Attributes 2 to 9 of a demand register by name, watts and times of the day."""

        def read(client):
            register = GXDLMSDemandRegister(code)
            for index in range(2, 10):
                client.read(register, index)
            values = [client.read(register, index) for index in (2, 3)]
            return {
                "current": values[0],
                "last": values[1],
                "status": register.status,
                "captured": text_of(register.captureTime),
                "started": text_of(register.startTimeCurrent),
                "period": register.period,
                "periods": register.numberOfPeriods,
            }

        return self.ask(read)

    def maximum(self, code="1.0.1.6.0.255"):
        """Value and time of a maximum."""

        def read(client):
            register = GXDLMSExtendedRegister(code)
            client.read(register, 3)
            return client.read(register, 2), text_of(client.read(register, 5))

        return self.ask(read)

    def register(self, code):
        def read(client):
            register = GXDLMSRegister(code)
            client.read(register, 3)
            return client.read(register, 2)

        return self.ask(read)

    def shift(self, seconds):
        self.ask(lambda client: client.call(GXDLMSClock(), 6, seconds, DataType.INT16))

    def unlock(self):
        self.meter.post("/api/cover", cover="meter", open=True)
        self.meter.post("/api/lock", locked=False)

    def set_period(self, code, seconds):
        data = GXDLMSData(code)
        data.setDataType(2, DataType.UINT16)
        data.value = seconds
        self.ask(lambda client: client.write(data, 2))

    def set_periods(self, code, count):
        register = GXDLMSDemandRegister(code)
        register.numberOfPeriods = count
        self.ask(lambda client: client.write(register, 9))


def text_of(time):
    return time.value.strftime("%H:%M:%S") if time and time.value else ""


@pytest.fixture
def site(start_meter):
    return Site(start_meter)


@pytest.mark.row("DEM-01", "DEM-03", "DEM-04", "DEM-05", "DEM-06", "DEM-07")
def test_a_kilowatt_a_peak_and_the_bill(site):
    site.until("12:00:01")
    site.load(1000)
    site.until("12:07:30")
    half = site.demand()
    assert half["current"] == pytest.approx(500, abs=3)
    assert (half["period"], half["periods"], half["started"]) == (900, 1, "12:00:00")
    site.until("12:14:59")
    assert site.demand()["current"] == pytest.approx(1000, abs=4)
    assert site.maximum()[0] == 0
    site.until("12:15:05")
    ended = site.demand()
    assert ended["last"] == pytest.approx(1000, abs=2)
    assert (ended["status"], ended["captured"], ended["started"]) == (0, "12:15:00", "12:15:00")
    assert site.register("1.0.1.5.0.255") == ended["last"]
    assert site.maximum() == (ended["last"], "12:15:00")
    site.load(10_000)  # a peak of 90 s
    site.advance(90)
    site.load(1000)
    site.until("12:30:05")
    assert site.maximum() == (pytest.approx(1000 + 9000 * 90 / 900, rel=0.005), "12:30:00")
    site.load(0)
    site.until("12:45:05")
    assert site.demand()["last"] == pytest.approx(5 / 900 * 1000, abs=2)
    assert site.maximum()[1] == "12:30:00"
    bill = GXDLMSScriptTable("0.0.10.0.1.255")
    site.ask(lambda client: client.call(bill, 1, 1, DataType.UINT16))
    assert site.maximum()[0] == 0
    assert site.demand()["last"] == site.register("1.0.1.5.0.255") == 0


@pytest.mark.row("DEM-02", "DEM-10", "MET-16", "MET-21", "MET-29")
def test_sliding_demand_the_limiter_and_a_fuse(site):
    with pytest.raises(GXDLMSException):
        site.set_period("1.0.0.8.0.255", 300)  # the switch is closed
    site.unlock()
    with pytest.raises(GXDLMSException):
        site.set_period("1.0.0.8.0.255", 700)
    site.set_period("1.0.0.8.0.255", 300)
    site.set_periods(IMPORT, 3)
    site.set_period("1.0.0.8.2.255", 60)
    site.set_periods(LIMITER, 5)
    assert site.demand()["period"] == 300
    site.until("12:00:00")
    site.load(3000)
    seen = []
    for minute in (4, 6, 11, 16, 21):
        site.until(f"12:{minute:02}:00")
        seen.append(round(site.demand()["last"] / 10) * 10)
    assert seen == [0, 1000, 2000, 3000, 3000]
    sliding = site.demand()
    assert (sliding["captured"], sliding["started"]) == ("12:20:00", "12:10:00")
    assert site.maximum()[0] == pytest.approx(3000, abs=3)
    assert site.demand(LIMITER)["last"] == pytest.approx(3000, abs=3)
    site.load(-3000)
    site.advance(4 * 60)
    assert site.demand(LIMITER)["last"] > 400
    site.advance(2 * 60)
    assert site.demand(LIMITER)["last"] == pytest.approx(0, abs=5)
    assert site.demand(NET)["last"] == pytest.approx(-3000, abs=3)
    assert site.demand("1.0.31.4.0.255")["last"] == 4  # of 4.35 A
    assert (site.demand("1.0.31.4.0.255")["periods"]) == 90


@pytest.mark.row("DEM-11", "DEM-13")
def test_the_clock_is_synchronised_changed_and_jumps(site):
    site.load(1000)
    site.until("12:05:00")
    site.shift(8)
    site.until("12:15:01")
    ended = site.demand()
    assert (ended["captured"], ended["status"]) == ("12:15:00", 0)
    assert ended["last"] == pytest.approx(1000, abs=2)
    best = site.maximum()
    site.load(5000)
    site.until("12:20:00")
    site.shift(10)
    broken = site.demand()
    assert broken["status"] == ADJUSTED | NOT_FOR_BILLING
    assert (broken["captured"], broken["started"]) == ("12:20:00", "12:20:10")
    site.shift(600)
    site.shift(600)  # 20 minutes ahead
    assert site.demand()["started"] == "12:40:10"
    site.until("12:45:01")
    assert site.demand()["captured"] == "12:45:00"
    assert site.maximum() == best  # nothing of that is a maximum
    site.load(2000)
    site.shift(-600)
    assert site.demand()["started"] == "12:35:01"
    site.until("12:45:30")
    assert site.demand()["captured"] == "12:45:00"
    assert site.maximum() == best
    site.until("13:00:05")
    assert site.demand()["status"] == 0
    assert site.maximum() == (pytest.approx(2000, abs=3), "13:00:00")


def test_an_outage_is_within_a_period_or_ends_it(site):
    site.load(1800)
    site.until("12:20:00")
    site.meter.post("/api/supply", on=False)
    site.advance(100)
    site.meter.post("/api/supply", on=True)
    site.until("12:30:05")
    ended = site.demand()
    assert ended["status"] == POWER_DOWN
    assert ended["last"] == pytest.approx(1800 * 800 / 900, abs=8)
    site.until("12:40:00")
    site.meter.post("/api/supply", on=False)
    site.advance(1500)
    site.meter.post("/api/supply", on=True)
    site.advance(3)
    ended = site.demand()
    assert (ended["captured"], ended["started"]) == ("12:45:00", "13:00:00")
    assert ended["status"] == POWER_DOWN
    assert ended["last"] == pytest.approx(1200, abs=8)
    site.until("13:15:05")
    assert site.demand()["last"] == pytest.approx(1800 * 10 / 15, abs=12)
    total = site.register("1.0.1.8.0.255")
    assert total == pytest.approx(1800 * (75 * 60 + 120 - 100 - 1500) / 3600, abs=10)


@pytest.mark.row("DEM-14", "TOU-09", "TOU-17", "MET-18", "MET-19")
def test_rates_of_demand_are_switched_with_energy_or_apart(site):
    table = GXDLMSScriptTable("0.0.10.0.100.255")
    masks = GXDLMSRegisterActivation("0.0.14.0.2.255")

    def active(client):
        return [bytes(client.read(GXDLMSData(f"0.0.96.14.{e}.255"), 2)) for e in (0, 1)]

    assert len(site.ask(lambda client: client.read(masks, 2))) == 56
    site.ask(lambda client: client.call(table, 1, 2, DataType.UINT16))
    assert site.ask(active) == [b"\0\2", b"\0\2"]
    demand_alone = GXDLMSScriptAction()  # scripts of one's own in place of the factory's
    demand_alone.type_ = ScriptActionType.WRITE
    demand_alone.target = masks
    demand_alone.index = 4
    demand_alone.parameter, demand_alone.parameterDataType = b"\0\3", DataType.OCTET_STRING
    script = GXDLMSScript()
    script.id = 9
    script.actions = [demand_alone]
    table.scripts = [script]
    site.ask(lambda client: client.write(table, 2))
    site.ask(lambda client: client.call(table, 1, 9, DataType.UINT16))
    assert site.ask(active) == [b"\0\2", b"\0\3"]
    site.load(1000, 60)
    site.until("12:15:05")
    grown = [e for e in range(9) if site.maximum(f"1.0.1.6.{e}.255")[0] > 100]
    assert grown == [0, 3]
    assert site.register("1.0.1.8.2.255") > site.register("1.0.1.8.3.255") == 0
    assert site.register("1.0.13.5.0.255") == pytest.approx(0.5, abs=0.002)
    assert site.maximum("1.0.13.3.0.255")[0] == site.register("1.0.13.5.0.255")
