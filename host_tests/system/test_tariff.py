"""A foreign client writes a calendar, and the meter's rates follow it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from gurux_dlms import GXDateTime, GXDLMSException, GXTime
from gurux_dlms.enums import DataType, DateTimeSkips
from gurux_dlms.objects import (
    GXDLMSActivityCalendar,
    GXDLMSData,
    GXDLMSDayProfile,
    GXDLMSDayProfileAction,
    GXDLMSRegister,
    GXDLMSRegisterActivation,
    GXDLMSScriptTable,
    GXDLMSSeasonProfile,
    GXDLMSSpecialDaysTable,
    GXDLMSWeekProfile,
)

TARIFFS = "0.0.10.0.100.255"
CALENDAR_ACTIVATED = 9


def codes(meter):
    return [event["code"] for event in meter.get("/api/events")["events"]]


@pytest.fixture
def night_meter(start_meter):
    """A meter that stands still half a minute before 06:00 of a Monday in winter."""
    meter = start_meter("--rate", "0", "--time", "2026-01-05T05:59:30", "--model", "3ph")
    meter.post("/api/mains", phases=[{"u": 230, "i": 10, "phi_deg": 0}] * 3)
    return meter


def connected(meter):
    socket = clients.Socket(meter.ports["cosem"])
    return clients.Gurux(socket, clients.MANAGEMENT, clients.SECRET).connect()


@pytest.fixture
def client(night_meter):
    session = connected(night_meter)
    yield session
    session.transport.close()


def any_time(hour, minute):
    return GXTime(f"{hour:02}:{minute:02}:00", "%H:%M:%S")


def every_year():
    moment = GXDateTime("2000-01-01 00:00:00", "%Y-%m-%d %H:%M:%S")
    moment.skip |= DateTimeSkips.YEAR | DateTimeSkips.DAY_OF_WEEK | DateTimeSkips.DEVITATION
    return moment


def action(hour, minute, rate):
    return GXDLMSDayProfileAction(any_time(hour, minute), TARIFFS, rate)


def write_calendar(client, days):
    calendar = GXDLMSActivityCalendar()
    calendar.calendarNamePassive = "HOME"
    calendar.seasonProfilePassive = [GXDLMSSeasonProfile(b"ALL", every_year(), b"WEEK")]
    week = GXDLMSWeekProfile()
    week.name = b"WEEK"
    week.monday = week.tuesday = week.wednesday = week.thursday = week.friday = 1
    week.saturday = week.sunday = 2
    calendar.weekProfileTablePassive = [week]
    calendar.dayProfileTablePassive = days
    for index in (6, 7, 8, 9):
        client.write(calendar, index)
    client.call(calendar, 1, 0, DataType.INT8)


def read_wh(meter, rates):
    """Active import by rate, over a connection of its own: leaps outlast an idle one."""
    client = connected(meter)
    registers = {rate: GXDLMSRegister(f"1.0.1.8.{rate}.255") for rate in rates}
    for register in registers.values():
        client.read(register, 2)
    client.transport.close()
    return {rate: register.value for rate, register in registers.items()}


@pytest.mark.row("TOU-03")
def test_a_written_calendar_is_activated_and_switches_on_the_second(night_meter, client):
    days = [
        GXDLMSDayProfile(1, [action(6, 0, 1), action(22, 0, 2)]),
        GXDLMSDayProfile(2, [action(0, 0, 3)]),
    ]
    calendar = GXDLMSActivityCalendar()
    with pytest.raises(GXDLMSException):
        client.write(calendar, 2)  # the active half is not to be written
    write_calendar(client, days)
    assert client.read(calendar, 2) in ("HOME", b"HOME")
    assert len(client.read(calendar, 5)) == 2
    assert CALENDAR_ACTIVATED in codes(night_meter)
    night_meter.post("/api/advance", seconds=10)  # 05:59:40: what began yesterday evening
    before = read_wh(night_meter, (0, 1, 2, 3))
    night_meter.post("/api/advance", seconds=3620)  # to 07:00:00
    after = read_wh(night_meter, (0, 1, 2, 3))
    # 6900 W for 20 s in rate 3 of Sunday, for an hour in rate 1
    assert after[1] - before[1] == pytest.approx(6900, abs=3)
    assert after[3] - before[3] == pytest.approx(6900 * 20 / 3600, abs=3)
    assert after[2] == before[2]
    assert sum(after[rate] for rate in (1, 2, 3)) == pytest.approx(after[0], abs=3)


@pytest.mark.row("TOU-05")
def test_the_passive_calendar_takes_over_when_its_time_comes(night_meter, client):
    write_calendar(client, [GXDLMSDayProfile(1, [action(0, 0, 1)]), GXDLMSDayProfile(2, [])])
    before = codes(night_meter).count(CALENDAR_ACTIVATED)
    calendar = GXDLMSActivityCalendar()
    calendar.calendarNamePassive = "NEXT"
    client.write(calendar, 6)
    calendar.time = GXDateTime("2026-01-05 06:30:00", "%Y-%m-%d %H:%M:%S")
    calendar.time.skip |= DateTimeSkips.DEVITATION
    client.write(calendar, 10)
    night_meter.post("/api/advance", seconds=1700)
    client = connected(night_meter)
    assert client.read(calendar, 2) in ("HOME", b"HOME")
    client.transport.close()
    night_meter.post("/api/advance", seconds=200)
    client = connected(night_meter)
    assert client.read(calendar, 2) in ("NEXT", b"NEXT")
    client.transport.close()
    assert codes(night_meter).count(CALENDAR_ACTIVATED) == before + 1


@pytest.mark.row("TOU-08")
@pytest.mark.row("TOU-16")
def test_the_active_mask_chooses_the_rate_and_is_shown(night_meter, client):
    activation = GXDLMSRegisterActivation("0.0.14.0.1.255")
    assert len(client.read(activation, 2)) == 88
    activation.activeMask = b"\x00\x03"
    client.write(activation, 4)
    night_meter.post("/api/advance", seconds=2)
    assert "T3" in night_meter.get("/api/lcd")["cursors"]
    shown = GXDLMSData("0.0.96.14.0.255")
    assert bytes(client.read(shown, 2)) == bytes(client.read(activation, 4)) == b"\x00\x03"
    before = read_wh(night_meter, range(1, 9))
    night_meter.post("/api/advance", seconds=600)
    after = read_wh(night_meter, range(1, 9))
    grown = [rate for rate in range(1, 9) if after[rate] != before[rate]]
    assert grown == [3]
    activation.activeMask = b"\x00\x09"
    client = connected(night_meter)
    with pytest.raises(GXDLMSException):
        client.write(activation, 4)


@pytest.mark.row("TOU-13")
def test_a_script_runs_and_an_unknown_one_is_refused(night_meter, client):
    table = GXDLMSScriptTable(TARIFFS)
    assert [script.id for script in client.read(table, 2)] == list(range(1, 9))
    client.call(table, 1, 5, DataType.UINT16)
    activation = GXDLMSRegisterActivation("0.0.14.0.1.255")
    client.read(activation, 4)
    assert bytes(activation.activeMask) == b"\x00\x05"
    with pytest.raises(GXDLMSException):
        client.call(table, 1, 9, DataType.UINT16)
    with pytest.raises(GXDLMSException):
        client.call(table, 1, 0, DataType.UINT16)
    client.read(activation, 4)
    assert bytes(activation.activeMask) == b"\x00\x05"


def test_the_largest_day_table_goes_in_and_comes_out(client):
    days = [
        GXDLMSDayProfile(number, [action(n // 2, n % 2 * 30, n % 8 + 1) for n in range(48)])
        for number in range(1, 25)
    ]
    write_calendar(client, days)
    calendar = GXDLMSActivityCalendar()
    read = client.read(calendar, 5)
    assert [len(day.daySchedules) for day in read] == [48] * 24
    calendar.dayProfileTablePassive = [*days, GXDLMSDayProfile(25, [])]
    with pytest.raises(GXDLMSException):
        client.write(calendar, 9)
    assert len(client.read(calendar, 9)) == 24


def test_special_days_are_inserted_and_deleted(client):
    table = GXDLMSSpecialDaysTable()
    insert = bytes.fromhex("0203" + "120001" + "0905ffff0c19ff" + "1102")
    client.exchange(client.client.method(table, 1, insert, DataType.STRUCTURE))
    assert len(client.read(table, 2)) == 1
    client.call(table, 2, 1, DataType.UINT16)
    assert len(client.read(table, 2)) == 0
    with pytest.raises(GXDLMSException):
        client.call(table, 2, 1, DataType.UINT16)
