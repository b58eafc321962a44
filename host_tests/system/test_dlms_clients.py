"""Foreign DLMS clients read the running meter through its ports."""

import sys
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from dlms_cosem import utils
from dlms_cosem.client import DataResultError
from dlms_cosem.exceptions import DlmsClientException
from gurux_dlms import GXDateTime, GXDLMSClient, GXDLMSException
from gurux_dlms.enums import AccessMode, ObjectType, Unit
from gurux_dlms.objects import GXDLMSRegister
from patience import PATIENCE_S

# port, HDLC, server address
ONE_BYTE = 1
TWO_BYTES = GXDLMSClient.getServerAddress(1, 17)
FOUR_BYTES = GXDLMSClient.getServerAddress(1, 17, 4)
ROUTES = {
    "wrapper": ("cosem", False, 1),
    "rs485": ("rs485", True, ONE_BYTE),
    "rs485 two bytes": ("rs485", True, TWO_BYTES),
    "rs485 four bytes": ("rs485", True, FOUR_BYTES),
    "optical": ("optical", True, ONE_BYTE),
}
# code, what /api/quantities says
QUANTITIES = (
    ("1.0.32.7.0.255", lambda q: q["u"][0]),
    ("1.0.31.7.0.255", lambda q: q["i"][0]),
    ("1.0.1.7.0.255", lambda q: max(0, q["p_total"])),
    ("1.0.13.7.0.255", lambda q: 0.5),  # 60 degrees
    ("1.0.14.7.0.255", lambda q: q["f"]),
)


@pytest.fixture
def connection(wired):
    """`connection("cosem")`: a TCP connection to one of the ports, closed after the test."""
    opened = []

    def connect(port):
        opened.append(clients.Socket(wired.ports[port]))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def gurux(connect, route, sap=clients.MANAGEMENT, secret=clients.SECRET, **options):
    port, hdlc, server = ROUTES[route]
    return clients.Gurux(connect(port), sap, secret, hdlc=hdlc, server=server, **options).connect()


def by_name(objects):
    return {item.logicalName: item for item in objects}


def steady(meter):
    """A load of 230 V, 5 A and 60 degrees on three phases."""
    meter.post("/api/mains", f=50.0, phases=[{"u": 230, "i": 5, "phi_deg": 60}] * 3)
    meter.post("/api/advance", seconds=5)


def time_of(meter):
    """What the bench says, in UTC."""
    return datetime.fromisoformat(meter.get("/api/state")["time"].replace("Z", "+00:00"))


def shown_wh(meter):
    return meter.get("/api/quantities")["energy_wh"]["1.8.0"]


@pytest.mark.row("SEC-62", "EN-02", "MET-17", "CLK-01")
@pytest.mark.parametrize("route", ROUTES)
def test_gurux_reads_objects_clock_and_registers(meter, connection, route):
    steady(meter)
    session = gurux(connection, route)
    objects = by_name(session.objects())
    assert len(objects) > 80
    clock = objects["0.0.1.0.0.255"]
    before = time_of(meter)
    session.read(clock, 2)
    second = timedelta(seconds=1)  # the clock has hundredths, the other one has not
    assert before - second <= clock.time.value.astimezone(timezone.utc) <= time_of(meter) + second
    quantities = meter.get("/api/quantities")
    for code, expected in QUANTITIES:
        item = objects[code]
        session.read(item, 3)
        session.read(item, 2)
        assert item.value == pytest.approx(expected(quantities), rel=0.002), code
    energy = objects["1.0.1.8.0.255"]
    session.read(energy, 3)
    least = shown_wh(meter)
    session.read(energy, 2)
    assert int(least) <= energy.value <= shown_wh(meter)
    session.release()


@pytest.mark.row("SEC-08")
@pytest.mark.parametrize(
    ("route", "pdu_size"), [("wrapper", 0xFFFF), ("wrapper", 64), ("rs485", 300)]
)
def test_gurux_reads_every_attribute(connection, route, pdu_size):
    session = gurux(connection, route, pdu_size=pdu_size)
    read = 0
    for item in session.objects():
        # the buffer of a profile wants the columns first
        for index in sorted(range(1, item.getAttributeCount() + 1), key=lambda i: (i == 2, i)):
            if item.getAccess(index) & AccessMode.READ:
                session.read(item, index)
                read += 1
    assert read > 300
    session.release()


@pytest.mark.parametrize("route", ["wrapper", "rs485"])
def test_gurux_reads_all_scalers_by_list(connection, route):
    session = gurux(connection, route)
    registers = [o for o in session.objects() if o.objectType == ObjectType.REGISTER]
    session.read_list([(item, 3) for item in registers])
    assert all(item.unit for item in registers)
    session.release()


@pytest.mark.row("EN-02", "CLK-01", "TCP-01")
@pytest.mark.parametrize(
    ("port", "hdlc", "physical"),
    [("cosem", False, None), ("rs485", True, None), ("rs485", True, 17), ("optical", True, None)],
)
def test_dlms_cosem_reads_objects_clock_and_registers(meter, connection, port, hdlc, physical):
    steady(meter)
    client = clients.dlms_cosem(
        connection(port), clients.MANAGEMENT, clients.SECRET, hdlc=hdlc, physical=physical
    )
    with client.session():
        rows = utils.parse_as_dlms_data(client.get(clients.attribute(15, "0-0:40.0.0.255", 2)))
        assert len(rows) > 80
        assert len(client.get(clients.attribute(8, "0-0:1.0.0.255", 2))) == 14
        quantities = meter.get("/api/quantities")
        for code, expected in QUANTITIES:
            name = "{}-{}:{}.{}.{}.{}".format(*code.split("."))
            value = utils.parse_as_dlms_data(client.get(clients.attribute(3, name, 2)))
            scaler, _ = utils.parse_as_dlms_data(client.get(clients.attribute(3, name, 3)))
            assert value * 10**scaler == pytest.approx(expected(quantities), rel=0.002), code
        least = shown_wh(meter)
        energy = utils.parse_as_dlms_data(client.get(clients.attribute(3, "1-0:1.8.0.255", 2)))
        assert int(least) <= energy <= shown_wh(meter)


@pytest.mark.row("SEC-04", "SEC-62")
@pytest.mark.parametrize("route", ["wrapper", "rs485", "optical"])
def test_the_public_client_reads_what_it_may(connection, route):
    session = gurux(connection, route, clients.PUBLIC, None)
    objects = by_name(session.objects())
    assert len(objects) == 6
    assert session.read(objects["0.0.42.0.0.255"], 2).startswith("FRS")
    session.read(objects["0.0.1.0.0.255"], 2)
    session.read(objects["0.0.43.1.0.255"], 2)
    with pytest.raises(GXDLMSException):
        session.read(GXDLMSRegister("1.0.1.8.0.255"), 2)
    session.release()


@pytest.mark.row("SEC-62")
@pytest.mark.changes  # it is logged
@pytest.mark.parametrize("route", ["wrapper", "rs485", "optical"])
def test_a_wrong_password_is_refused(connection, route):
    with pytest.raises(GXDLMSException, match="rejected"):
        gurux(connection, route, secret=clients.SECRET[::-1])
    port, hdlc, _ = ROUTES[route]
    again = clients.Gurux(connection(port), clients.MANAGEMENT, clients.SECRET, hdlc=hdlc)
    again.connect().release()


@pytest.mark.changes
def test_dlms_cosem_with_a_wrong_password_or_without_rights(connection):
    wrong = clients.dlms_cosem(connection("cosem"), clients.MANAGEMENT, clients.SECRET[::-1])
    wrong.connect()
    with pytest.raises(DlmsClientException, match="AUTHENTICATION_FAILED"):
        wrong.associate()
    with (
        clients.dlms_cosem(connection("cosem"), clients.PUBLIC).session() as public,
        pytest.raises(DataResultError, match="READ_WRITE_DENIED"),
    ):
        public.get(clients.attribute(3, "1-0:1.8.0.255", 2))


@pytest.mark.row("HDL-08")
def test_several_clients_at_once(meter):
    """Three TCP clients and one on each serial port read at the same time."""
    failures = []

    def read(route):
        try:
            port, hdlc, server = ROUTES[route]
            transport = clients.Socket(meter.ports[port])
            session = clients.Gurux(
                transport, clients.MANAGEMENT, clients.SECRET, hdlc=hdlc, server=server
            ).connect()
            assert len(session.objects()) > 80
            energy = GXDLMSRegister("1.0.1.8.0.255")
            for _ in range(20):
                session.read(energy, 3)
                assert energy.unit == Unit.ACTIVE_ENERGY
            session.release()
            transport.close()
        except Exception as error:
            failures.append((route, error))

    threads = [
        threading.Thread(target=read, args=(route,))
        for route in ("wrapper", "wrapper", "wrapper", "rs485", "optical")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert not failures


@pytest.mark.parametrize("port", ["cosem", "rs485", "optical"])
def test_garbage_does_no_harm(wired, port):
    for octets in (
        b"\x00" * 300,
        bytes(range(256)) * 8,
        b"\x7e" * 64,
        b"\x00\x01\x00\x10\x00\x01\xff\xff",
    ):
        transport = clients.Socket(wired.ports[port])
        transport.send(octets)
        transport.close()
    _, hdlc, server = next(route for route in ROUTES.values() if route[0] == port)
    transport = clients.Socket(wired.ports[port])
    session = clients.Gurux(transport, clients.PUBLIC, hdlc=hdlc, server=server).connect()
    assert len(session.objects()) == 6
    session.release()
    transport.close()


@pytest.mark.row("CLK-19")
def test_the_clock_is_set_through_the_port(start_meter):
    meter = start_meter("--time", "2026-01-31T23:59:50", "--rate", "0", "--fresh")
    transport = clients.Socket(meter.ports["cosem"])
    session = clients.Gurux(transport, clients.MANAGEMENT, clients.SECRET).connect()
    clock = by_name(session.objects())["0.0.1.0.0.255"]
    session.read(clock, 2)
    assert (
        clients.seconds_apart(clock.time, datetime(2026, 1, 31, 23, 59, 50, tzinfo=timezone.utc))
        < 2
    )
    moment = datetime(2027, 6, 30, 12, 0, 0, tzinfo=timezone.utc)
    clock.time = GXDateTime(moment)
    session.write(clock, 2)
    shown = datetime.fromisoformat(meter.get("/api/state")["time"].replace("Z", "+00:00"))
    assert abs((shown - moment).total_seconds()) < 2
    transport.close()
