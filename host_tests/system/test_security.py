"""Security on the running meter: every level of two clients over TCP and RS485; what must fail.

Each test has a meter of its own or counts on from what the public client reads, as clients do.
"""

import clients
import pytest
import secure_clients
from dlms_cosem import utils
from gurux_dlms import GXDLMSException
from gurux_dlms.enums import Authentication, Security
from gurux_dlms.objects import GXDLMSClock, GXDLMSRegister, GXDLMSSecuritySetup
from gurux_dlms.objects.enums import GlobalKeyType
from secure_lines import ROUTES, Line

LEVELS = [Security.AUTHENTICATION, Security.ENCRYPTION, Security.AUTHENTICATION_ENCRYPTION]
ROUTE = pytest.mark.parametrize("route", ROUTES)


@pytest.fixture
def line(meter, route):
    line = Line(meter, route)
    yield line
    line.close()


@ROUTE
@pytest.mark.row("SEC-09")
@pytest.mark.parametrize("security", LEVELS, ids=["10", "20", "30"])
@pytest.mark.parametrize("authentication", [Authentication.LOW, Authentication.HIGH_GMAC])
def test_gurux_reads_at_every_level(line, authentication, security):
    secret = clients.SECRET if authentication == Authentication.LOW else None
    session = line.gurux(authentication=authentication, security=security, secret=secret)
    session.connect()
    assert len(session.objects()) > 80
    energy = GXDLMSRegister("1.0.1.8.0.255")
    assert session.read(energy, 2) >= 0
    assert session.read(energy, 2) <= session.read(energy, 2)
    session.release()


@ROUTE
def test_gurux_reads_under_a_dedicated_key(line):
    session = line.gurux(dedicated=bytes(range(0xA0, 0xB0))).connect()
    assert len(session.objects()) > 80
    session.release()


@ROUTE
@pytest.mark.parametrize("secret", [None, clients.SECRET], ids=["GMAC", "LLS"])
def test_dlms_cosem_reads_under_protection(meter, route, secret):
    line = Line(meter, route)
    counter = line.next_counter()
    line.close()
    line = Line(meter, route)
    client = secure_clients.secure_dlms_cosem(
        line.transport,
        counter,
        secret=secret,
        hdlc=line.hdlc,
        physical=line.physical if line.hdlc else None,
    )
    with client.session():
        for _ in range(10):
            value = utils.parse_as_dlms_data(client.get(clients.attribute(3, "1-0:1.8.0.255", 2)))
            assert value >= 0
        rows = client.get(clients.attribute(15, "0-0:40.0.0.255", 2))
        assert len(utils.parse_as_dlms_data(rows)) > 80
    line.close()


@pytest.mark.parametrize("route", ["wrapper", "rs485"])  # the head's pauses need time that goes on
def test_wrong_keys_open_nothing_and_lock(start_meter, route):
    meter = start_meter("--rate", "0")
    for number in range(3):
        line = Line(meter, route)
        with pytest.raises((GXDLMSException, ValueError)):
            line.gurux(counter=number + 1, guek=bytes(16)).connect()
        line.close()
    line = Line(meter, route)
    with pytest.raises(GXDLMSException):
        line.gurux(counter=50).connect()
    # the other port is locked too, and the public client is not
    assert line.next_counter() == 1
    line.close()
    other = Line(meter, "rs485" if route == "wrapper" else "wrapper")
    with pytest.raises(GXDLMSException):
        other.gurux(counter=60).connect()
    meter.post("/api/advance", seconds=61)
    session = other.gurux(counter=70).connect()
    assert session.read(GXDLMSRegister("1.0.14.7.0.255"), 2) is not None
    other.close()


def test_numbers_rise_over_a_power_cut(start_meter):
    meter = start_meter()
    line = Line(meter, "wrapper")
    recorded = []
    send = line.transport.send
    line.transport.send = lambda octets: (recorded.append(bytes(octets)), send(octets))
    session = line.gurux(counter=1).connect()
    session.read(GXDLMSClock(), 2)
    last = session.counter - 1
    line.close()
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=2)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=1)
    line = Line(meter, "wrapper")
    assert line.next_counter() == last + 1
    # what was recorded before the cut opens nothing afterwards
    aarq = next(octets for octets in recorded if octets[8] == 0x60 and octets[3] == 1)
    line.transport.send(aarq)
    answer = line.transport.receive()
    assert answer[8:11].hex() == "d80106"
    assert int.from_bytes(answer[11:15], "big") == last + 1
    line.gurux(counter=last + 1).connect().release()
    line.close()


@pytest.mark.row("SEC-61", "SEC-30")
def test_keys_change_stay_and_do_not_show_in_the_chips(start_meter):
    meter = start_meter()
    line = Line(meter, "wrapper")
    session = line.gurux(counter=1).connect()
    setup = GXDLMSSecuritySetup("0.0.43.0.0.255")
    keys = {
        GlobalKeyType.UNICAST_ENCRYPTION: b"one new unicast!",
        GlobalKeyType.AUTHENTICATION: b"a new authentic.",
    }
    changes = list(keys.items())
    session.exchange(setup.globalKeyTransfer(session.client, secure_clients.KEK, changes))
    line.close()
    line = Line(meter, "wrapper")
    renewed = {"guek": b"one new unicast!", "gak": b"a new authentic."}
    session = line.gurux(counter=1, **renewed).connect()
    session.call(setup, 1, 3, 22)  # policy 3, an enum
    assert session.read(setup, 2) == 3
    line.close()
    assert meter.stop() == 0
    for chip in meter.state.iterdir():
        octets = chip.read_bytes()
        for key in renewed.values():
            assert key not in octets, chip.name
            assert key[:8] not in octets, chip.name
    again = meter.start()
    line = Line(again, "wrapper")
    with pytest.raises(GXDLMSException):
        clients.Gurux(line.transport, clients.MANAGEMENT, clients.SECRET).connect()
    with pytest.raises((GXDLMSException, ValueError)):
        line.gurux(counter=500).connect()
    session = line.gurux(counter=500, **renewed).connect()
    assert session.read(setup, 2) == 3
    line.close()
    assert not [text for text in meter.lines if "unicast" in text or "Traceback" in text]


@ROUTE
def test_a_release_without_protection_ends_nothing(line):
    session = line.gurux(protected_release=False).connect()
    session.exchange(session.client.releaseRequest())
    assert session.read(GXDLMSRegister("1.0.14.7.0.255"), 2) is not None
    session.client.useProtectedRelease = True
    session.release()


@ROUTE
def test_another_client_takes_over_without_a_release(line):
    session = line.gurux().connect()
    session.read(GXDLMSClock(), 2)
    public = clients.Gurux(
        line.transport, clients.PUBLIC, hdlc=line.hdlc, server=line.server
    ).connect()
    assert len(public.objects()) == 6
    session = line.gurux(counter=session.counter).connect()
    session.read(GXDLMSClock(), 2)
    session.release()


@pytest.mark.row("SEC-62")
def test_rights_are_the_same_on_every_port(meter):
    """Object lists with every right of every attribute and method, as three ports tell them."""
    for sap, secret in ((clients.PUBLIC, None), (clients.MANAGEMENT, clients.SECRET)):
        lists = {}
        for port, hdlc in (("cosem", False), ("rs485", True), ("optical", True)):
            transport = clients.Socket(meter.ports[port])
            session = clients.Gurux(transport, sap, secret, hdlc=hdlc).connect()
            reply = session.exchange(session.client.getObjectsRequest())
            lists[port] = bytes(reply.data.array())
            session.release()
            transport.close()
        assert lists["cosem"] == lists["rs485"] == lists["optical"]
        assert len(lists["cosem"]) > 300


@pytest.mark.row("SEC-07")
def test_level_3_comes_in_on_local_ports_only(meter):
    line = Line(meter, "wrapper")
    counter = line.next_counter()
    with pytest.raises(GXDLMSException):
        line.gurux(counter, sap=64).connect()
    session = line.gurux(counter + 10, sap=32).connect()
    assert session.read(GXDLMSRegister("1.0.14.7.0.255"), 2) is not None
    counter = session.counter
    line.close()
    line = Line(meter, "rs485")
    session = line.gurux(counter, sap=64).connect()
    assert session.read(GXDLMSRegister("1.0.14.7.0.255"), 2) is not None
    session.release()
    line.close()
