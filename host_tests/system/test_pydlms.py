"""pydlms-client reads the running meter: every port, every protection, both kinds of blocks.

It is the client that speaks general block transfer and ACCESS as the standard has them.
"""

import datetime

import clients
import pytest
import real_meter

pydlms = pytest.importorskip("pydlms")

from patience import PATIENCE_S
from pydlms import AccessAction, AccessGet, AccessSet, DlmsClient, DlmsData
from pydlms.apdu import xdlms
from pydlms.association import Mechanism
from pydlms.security.context import SecurityContext

GUEK = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
GAK = bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")
TITLE = b"TST\x00\x00\x00\x00\x01"
ENERGY, CLOCK, LABEL, LOG = "1.0.1.8.0.255", "0.0.1.0.0.255", "0.0.96.1.8.255", "0.0.99.98.0.255"
OBJECTS, LIST = "0.0.40.0.0.255", "0.0.21.0.1.255"
ROUTES = {"wrapper": ("cosem", False), "rs485": ("rs485", True), "optical": ("optical", True)}
GENERAL_ONLY = (
    "GENERAL_PROTECTION",
    "GET",
    "SET",
    "ACTION",
    "SELECTIVE_ACCESS",
    "MULTIPLE_REFERENCES",
)


def conformance(names):
    bits = xdlms.Conformance(0)
    for name in names:
        bits |= xdlms.Conformance[name]
    return bits


PROTECTION = {
    "plain": {},
    "glo": {"protection": "glo"},
    "general-glo": {"protection": "general-glo"},
    "dedicated": {"protection": "glo", "use_dedicated_key": True},
}


@pytest.fixture
def connect(wired):
    """`connect("rs485", "glo", ...)`: a client of the management SAP, closed after the test."""
    opened = []

    def make(route, protection="plain", **settings):
        port, hdlc = ROUTES[route]
        if protection == "plain":
            settings.update(mechanism=Mechanism.LLS, password=clients.SECRET)
        else:
            real_meter.needs_bench()  # another one has keys of its own
            settings.update(
                mechanism=Mechanism(5),
                security=SecurityContext(GUEK, GAK, TITLE),
                discover_invocation_counter=True,
                **PROTECTION[protection],
            )
        client = DlmsClient.tcp(
            "127.0.0.1", wired.ports[port], client_sap=1, hdlc=hdlc, timeout=PATIENCE_S, **settings
        )
        opened.append(client)
        client.connect()
        return client

    yield make
    for client in opened:
        client.close()


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("protection", PROTECTION)
def test_a_session_under_every_protection(meter, connect, route, protection):
    client = connect(route, protection)
    assert client.get("0.0.42.0.0.255", 1, 2).value[:3] == b"FRS"
    assert len(client.get_association_view()) > 80
    least_wh = meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    energy_wh = float(client.get_register(ENERGY).value)
    assert int(least_wh) <= energy_wh <= meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    assert client.get_clock() is not None
    many = client.get_many([(ENERGY, 3, 2), (ENERGY, 3, 3), (CLOCK, 8, 3)])
    assert len(many) == 3
    client.set(LABEL, 1, 2, DlmsData.octet_string(b"pydlms"))
    assert client.get(LABEL, 1, 2).value == b"pydlms"
    client.action(CLOCK, 8, 6, DlmsData.int16(0))


@pytest.mark.parametrize("route", ROUTES)
def test_a_log_by_range_and_entry(connect, route):
    client = connect(route)
    whole = client.read_profile(LOG)
    assert whole.rows
    first = client.read_profile(LOG, xdlms.entry_descriptor(1, 1))
    assert first.rows == whole.rows[:1]
    now = datetime.datetime.now(datetime.timezone.utc)
    long_ago = now - datetime.timedelta(days=4000)
    ahead = now + datetime.timedelta(days=4000)

    def octets(when):
        return DlmsData.octet_string(pydlms.CosemDateTime.from_datetime(when).to_bytes())

    everything = client.read_profile(LOG, xdlms.range_descriptor(octets(long_ago), octets(ahead)))
    assert everything.rows[: len(whole.rows)] == whole.rows
    before = long_ago + datetime.timedelta(days=1)
    assert not client.read_profile(
        LOG, xdlms.range_descriptor(octets(long_ago), octets(before))
    ).rows


@pytest.mark.changes
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("protection", ["plain", "glo"])
@pytest.mark.parametrize("window", [1, 3, 8])
def test_general_blocks_both_ways(connect, route, protection, window):
    client = connect(
        route,
        protection,
        propose_gbt=True,
        gbt_window=window,
        max_receive_pdu_size=200,
        conformance=conformance(GENERAL_ONLY),
    )
    registers = xdlms.SelectiveAccess(2, DlmsData.array([DlmsData.uint16(3)]))
    assert len(client.get(OBJECTS, 15, 2, access=registers).value) > 80
    shown = client.get(LIST, 7, 3)
    long = DlmsData.array(list(shown.value) * (60 // len(shown.value)))
    client.set(LIST, 7, 3, long)  # longer than the meter's PDU
    assert len(client.get(LIST, 7, 3).value) == len(long.value)
    client.set(LIST, 7, 3, shown)


@pytest.mark.changes
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("protection", ["plain", "glo", "general-glo"])
def test_access_long_and_short(connect, route, protection):
    client = connect(
        route,
        protection,
        propose_access=True,
        propose_gbt=True,
        gbt_window=3,
        max_receive_pdu_size=300,
    )
    outcomes = client.access(
        [
            AccessGet(ENERGY, 3, 2),
            AccessSet(LABEL, 1, 2, DlmsData.octet_string(b"one")),
            AccessGet(LABEL, 1, 2),
            AccessGet("9.9.9.9.9.255", 3, 2),
            AccessAction(CLOCK, 8, 6, DlmsData.int16(0)),
            *[AccessGet(ENERGY, 3, 1)] * 40,
        ]
    )
    assert [outcome.ok for outcome in outcomes] == [True, True, True, False, True] + [True] * 40
    assert outcomes[2].data.value == b"one"
