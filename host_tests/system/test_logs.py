"""Foreign clients read the logs: hundreds of rows, by range and by entry, on both links."""

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from conftest import LAUNCHER, VirtualMeter
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.parsers import ProfileGenericBufferParser
from gurux_dlms import GXDateTime
from gurux_dlms.objects import GXDLMSClock, GXDLMSProfileGeneric

STANDARD = "0.0.99.98.0.255"
START = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
SETS = 150  # of the clock, 1000 s forward each: two entries
ROUTES = {"wrapper": ("cosem", False), "rs485": ("rs485", True)}


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """A meter whose clock was set 150 times: 300 entries of events 4 and 5."""
    if not LAUNCHER.exists():
        pytest.skip("run `make setup` first")
    meter = VirtualMeter(tmp_path_factory.mktemp("logs") / "state", ["--rate", "0"])
    meter.start("--time", START.strftime("%Y-%m-%dT%H:%M:%S"))
    session = gurux(meter, "wrapper")
    clock = GXDLMSClock()
    for number in range(1, SETS + 1):
        clock.time = GXDateTime(START + timedelta(seconds=1000 * number))
        session.write(clock, 2)
    session.release()
    yield meter
    assert meter.stop() == 0


def gurux(meter, route):
    port, hdlc = ROUTES[route]
    transport = clients.Socket(meter.ports[port])
    return clients.Gurux(transport, clients.MANAGEMENT, clients.SECRET, hdlc=hdlc).connect()


def clock_rows(rows):
    """(time in UTC, code) of events 4 and 5."""
    pairs = [(row[0].value.astimezone(timezone.utc), row[1]) for row in rows]
    return [(moment, code) for moment, code in pairs if code in (4, 5)]


def expected():
    rows = []
    for number in range(SETS):
        rows.append((START + timedelta(seconds=1000 * number), 4))
        rows.append((START + timedelta(seconds=1000 * (number + 1)), 5))
    return rows


@pytest.mark.row("EVT-02", "EVT-15")
@pytest.mark.parametrize("route", ROUTES)
def test_gurux_reads_a_log_of_hundreds_of_rows(logged, route):
    session = gurux(logged, route)
    log = GXDLMSProfileGeneric(STANDARD)
    in_use, capacity, _, _, _ = [session.read(log, index) for index in (7, 8, 4, 5, 3)]
    assert capacity == 500
    assert [str(captured[0].logicalName) for captured in log.captureObjects] == [
        "0.0.1.0.0.255",
        "0.0.96.11.0.255",
    ]
    rows = session.read(log, 2)
    assert len(rows) == in_use > 300
    assert clock_rows(rows) == expected()

    def ask(request):
        log.buffer = []
        reply = session.exchange(request)
        return session.client.updateValue(log, 2, reply.value)

    assert clock_rows(ask(session.client.readRowsByEntry(log, 2, 1))) == expected()[:1]
    some = ask(session.client.readRowsByEntry(log, 100, 20))
    assert [row[1] for row in some] == [row[1] for row in rows[99:119]]
    begin, end = START + timedelta(hours=5), START + timedelta(hours=7)
    some = ask(session.client.readRowsByRange(log, GXDateTime(begin), GXDateTime(end)))
    assert clock_rows(some) == [row for row in expected() if begin <= row[0] <= end]
    assert len(some) > 10
    session.release()


@pytest.mark.row("EVT-15")
@pytest.mark.parametrize("route", ROUTES)
def test_dlms_cosem_reads_a_log_by_range(logged, route):
    port, hdlc = ROUTES[route]
    transport = clients.Socket(logged.ports[port])
    client = clients.dlms_cosem(transport, clients.MANAGEMENT, clients.SECRET, hdlc=hdlc)
    buffer = clients.attribute(7, "0-0:99.98.0.255", 2)
    clock = clients.attribute(8, "0-0:1.0.0.255", 2)
    code = clients.attribute(1, "0-0:96.11.0.255", 2)

    def decoded(octets):
        rows = parser.parse_bytes(octets)
        return [(row[0].value.astimezone(timezone.utc), row[1].value) for row in rows]

    parser = ProfileGenericBufferParser([clock, code], 0)
    begin, end = START + timedelta(hours=5), START + timedelta(hours=7)
    with client.session() as session:
        if not hdlc:  # a frame with a flag's octet inside, and one of 60 has it, stops this client
            whole = decoded(session.get(buffer))
            assert [row for row in whole if row[1] in (4, 5)] == expected()
        hours = RangeDescriptor(CaptureObject(clock, 0), begin, end)
        some = decoded(session.get(buffer, hours))
    assert some == [row for row in expected() if begin <= row[0] <= end]
    assert len(some) > 10
    transport.close()
