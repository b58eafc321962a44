"""What clients of twenty years do to a meter: sessions as they come, octets as they come, ports.

Each test is one habit; docs of the habits are in the names. Raw octets, gurux-dlms, both ways in.
"""

import datetime
import socket
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "unit"))

import clients
import line_time
import raw_links
from gurux_dlms import GXDLMSClient
from gurux_dlms.objects import GXDLMSClock, GXDLMSProfileGeneric, GXDLMSTcpUdpSetup
from hdlc_line import LLC_RESPONSE, SNRM, UA, Answer, command, information
from patience import PATIENCE_S, until
from test_conformance_appl import lls, public

NAME = bytes.fromhex("c001c1000100002a0000ff0200")
ENERGY = bytes.fromhex("c001c100030100010800ff0200")
ROUTES = {
    "wrapper": ("cosem", False, 1),
    "rs485": ("rs485", True, GXDLMSClient.getServerAddress(1, 17)),
    "optical": ("optical", True, 1),
}


def wrapped(apdu, sap=16):
    return b"".join(word.to_bytes(2, "big") for word in (1, sap, 1, len(apdu))) + apdu


@pytest.fixture
def wire(wired):
    """`wire("cosem")`: a plain TCP connection, closed after the test."""
    opened = []

    def connect(port):
        opened.append(socket.create_connection(("127.0.0.1", wired.ports[port]), PATIENCE_S))
        opened[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def take(connection, count):
    octets = b""
    while len(octets) < count:
        more = connection.recv(count - len(octets))
        if not more:
            raise ConnectionError("the meter closed the connection")
        octets += more
    return octets


def answer(connection):
    return take(connection, int.from_bytes(take(connection, 8)[6:], "big"))


def plain(rows):
    return [[str(value) for value in row] for row in rows]


@pytest.mark.row("TCP-18")
@pytest.mark.parametrize("route", ROUTES)
def test_a_plain_session_of_a_head_end(wired, route):
    """Object list, all scalers by lists, profiles: 7, 8, 4, 5, row 1 by entry, then by range."""
    port, hdlc, server = ROUTES[route]
    transport = clients.Socket(wired.ports[port])
    session = clients.Gurux(
        transport, clients.MANAGEMENT, clients.SECRET, hdlc=hdlc, server=server
    ).connect()
    objects = session.objects()
    registers = [item for item in objects if int(item.objectType) == 3]
    for at in range(0, len(registers), 10):
        session.read_list([(item, 3) for item in registers[at : at + 10]])
    assert all(int(item.unit) for item in registers)
    logs = 0
    for item in objects:
        if not isinstance(item, GXDLMSProfileGeneric):
            continue
        session.read(item, 3)
        in_use, capacity, _, method = (session.read(item, index) for index in (7, 8, 4, 5))
        assert 0 <= in_use <= capacity
        assert 1 <= int(method) <= 6
        columns = [
            (column.logicalName, where.attributeIndex) for column, where in item.captureObjects
        ]
        if not in_use or ("0.0.1.0.0.255", 2) not in columns:
            continue
        logs += 1
        rows = plain(session.read(item, 2))
        assert in_use <= len(rows) <= session.read(item, 7)  # a period may end meanwhile
        reply = session.exchange(session.client.readRowsByEntry(item, 1, 1))
        assert plain(session.client.updateValue(item, 2, reply.value)) == rows[:1]
        now = session.read(GXDLMSClock("0.0.1.0.0.255"), 2).value
        first, last = now - datetime.timedelta(days=2), now + datetime.timedelta(days=2)
        reply = session.exchange(session.client.readRowsByRange(item, first, last))
        by_range = plain(session.client.updateValue(item, 2, reply.value))
        assert by_range[: len(rows)] == rows, "read by blocks and by range it is the same"
    session.release()
    transport.close()
    if not logs:
        pytest.skip("no profile with a clock and rows yet")


def test_tcp_octets_come_as_they_like(wire):
    connection = wire("cosem")
    # two APDUs in one segment
    connection.sendall(wrapped(public()) + wrapped(NAME))
    assert answer(connection)[17] == 0
    assert answer(connection)[:6].hex() == "c401c1000910"
    # one octet at a time
    for octet in wrapped(NAME):
        connection.sendall(bytes((octet,)))
    assert answer(connection)[:6].hex() == "c401c1000910"
    # header and APDU apart, the next header with the end of this one
    both = wrapped(NAME) + wrapped(NAME)
    connection.sendall(both[:8])
    time.sleep(0.05)
    connection.sendall(both[8:25])
    time.sleep(0.05)
    connection.sendall(both[25:])
    assert answer(connection) == answer(connection)


def test_an_apdu_of_no_octets_or_of_one_is_answered(wire):
    connection = wire("cosem")
    connection.sendall(wrapped(b"") + wrapped(b"\xc0"))
    assert answer(connection).hex() == "d80103"
    assert answer(connection).hex() == "d80101"
    connection.sendall(wrapped(public()) + wrapped(b"\xc0") + wrapped(NAME))
    assert answer(connection)[17] == 0
    assert answer(connection).hex() == "d80103"
    assert answer(connection)[:6].hex() == "c401c1000910"


def test_serial_octets_come_as_they_like(wired, wire):
    with line_time.still(wired):  # a frame ends with a silence
        as_they_like(wire("rs485"))


def as_they_like(connection):

    def frame():
        octets = take(connection, 3)
        size = (octets[1] & 7) << 8 | octets[2]
        return Answer(octets + take(connection, size - 1), 1)

    server = b"\x03"
    connection.sendall(command(0x53, server=server))
    frame()
    # idle flags, then one octet at a time
    for octet in b"\x7e" * 5 + command(SNRM, server=server):
        connection.sendall(bytes((octet,)))
    assert frame().control == UA
    # two frames with one flag between them: the second only acknowledges
    asked = information(0, 0, public(), server=server)
    connection.sendall(asked[:-1] + b"\x7e" * 3)
    assert frame().info[:4] == LLC_RESPONSE + b"\x61"
    # the meter's own words come back from a half-duplex line
    reply = information(1, 1, NAME, server=server)
    connection.sendall(reply)
    said = frame()
    assert said.info[:9] == LLC_RESPONSE + bytes.fromhex("c401c1000910")
    connection.sendall(command(0x53, server=server))
    assert frame().control == UA


def test_a_client_that_just_closes_ends_its_association(meter, wire):
    before = meter.get("/api/ports")
    connection = wire("cosem")
    connection.sendall(wrapped(lls(), 1))
    assert answer(connection)[17] == 0
    connection.close()
    most = before["cosem"]["associations"]
    until(lambda: meter.get("/api/ports")["cosem"]["associations"] <= most, "the end of it")


@pytest.mark.parametrize("kind", raw_links.LINKS)
def test_another_client_takes_over_a_link_without_a_release(wired, kind):
    link = raw_links.LINKS[kind](wired, 16)
    assert link.ask(public())[17] == 0
    assert link.ask(NAME)[:4].hex() == "c401c100"
    link.sap = 1
    assert link.ask(NAME).hex() == "d80101", "not its association"
    assert link.ask(lls())[17] == 0
    assert link.ask(ENERGY)[:5].hex() == "c401c10015"
    link.sap = 16
    assert link.ask(NAME).hex() == "d80101", "the old one has ended"
    link.sap = 1
    link.close()


@pytest.mark.row("HDL-08")
def test_associations_on_every_port_at_once_are_apart(meter):
    links = [raw_links.WrapperLink(meter, sap) for sap in (16, 1, 16)]
    links.append(raw_links.HdlcLink(meter, 1))
    for link in links:
        assert link.ask(public() if link.sap == 16 else lls())[17] == 0
    assert meter.get("/api/ports")["rs485"]["associations"] >= 1
    for _ in range(3):
        for link in links:
            expected = "c401c10015" if link.sap == 1 else "c401c10103"
            assert link.ask(ENERGY)[:5].hex() == expected
    assert links[0].ask(bytes.fromhex("6203800100")).hex() == "6303800100"
    assert links[0].ask(NAME).hex() == "d80101"
    assert links[2].ask(NAME)[:4].hex() == "c401c100"
    for link in links:
        link.close()


@pytest.mark.row("TCP-02")
@pytest.mark.parametrize(
    "head", ["0002001000010001c0", "0000001000010001c0", "000100100001ffffc0"]
)
def test_another_version_or_an_impossible_length_closes(wire, head):
    connection = wire("cosem")
    connection.sendall(bytes.fromhex(head))
    assert connection.recv(100) == b""
    again = wire("cosem")
    again.sendall(wrapped(public()))
    assert answer(again)[17] == 0


@pytest.mark.row("TCP-06")
def test_udp_has_no_answer(meter):
    for port in (meter.ports["cosem"], meter.ports["cosem"] + 1):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.settimeout(0.5)
            one.connect(("127.0.0.1", port))
            one.send(wrapped(public()))
            with pytest.raises((TimeoutError, ConnectionRefusedError)):
                one.recv(100)


@pytest.mark.row("TCP-04")
def test_another_tcp_port_holds_at_once_and_costs_nobody_his_connection(start_meter):
    meter = start_meter()
    old, new = meter.ports["cosem"], meter.ports["modem"]  # which nothing serves
    stays = raw_links.WrapperLink(meter, 16)
    assert stays.ask(public())[17] == 0
    transport = clients.Socket(meter.ports["rs485"])
    session = clients.Gurux(transport, clients.MANAGEMENT, clients.SECRET, hdlc=True).connect()
    setup = GXDLMSTcpUdpSetup("0.0.25.0.0.255")
    session.read(setup, 2)
    assert setup.port == old
    setup.port = new
    session.write(setup, 2)
    meter.ports["cosem"] = new

    def connected():
        try:
            return raw_links.WrapperLink(meter, 16)
        except ConnectionRefusedError:
            return None

    other = until(connected, "the new port open")
    assert other.ask(public())[17] == 0
    assert stays.ask(NAME)[:4].hex() == "c401c100", "who was connected stays so"
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", old), 2)
    for link in (stays, other):
        link.close()
    transport.close()
