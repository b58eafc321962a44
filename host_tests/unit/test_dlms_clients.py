"""gurux-dlms and dlms-cosem against the server in the same process, over the TCP wrapper."""

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

pytest.importorskip("gurux_dlms")
pytest.importorskip("dlms_cosem")

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
from dlms_cosem import utils
from dlms_cosem.client import DataResultError
from dlms_cosem.exceptions import DlmsClientException
from dlms_rig import NOW_UTC_S, Quantities, Rig
from gurux_dlms import GXDateTime, GXDLMSAccessItem, GXDLMSException
from gurux_dlms.enums import (
    AccessMode,
    AccessServiceCommandType,
    Conformance,
    DataType,
    ObjectType,
)
from gurux_dlms.objects import (
    GXDLMSCaptureObject,
    GXDLMSClock,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)

ONE_ENERGY = bytes.fromhex("0101020412000309060100010800ff0f02120000")
NOW = datetime(2000, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=NOW_UTC_S)


@pytest.fixture
def rig():
    return Rig()


def management(rig, **options):
    return clients.Gurux(rig.transport(), clients.MANAGEMENT, clients.SECRET, **options).connect()


def by_name(objects):
    return {item.logicalName: item for item in objects}


@pytest.mark.row("SEC-08")
@pytest.mark.parametrize("pdu_size", [64, 128, 300, 1024, 0xFFFF])
def test_gurux_reads_every_attribute_of_every_object(rig, pdu_size):
    # gurux cannot read a profile without columns
    for key in ("general_list", "alternate_list", "readout_list"):
        rig.settings.put(key, ONE_ENERGY)
    session = management(rig, pdu_size=pdu_size)
    objects = session.objects()
    assert len(objects) == rig.catalogue.visible(rig.catalogue.client(1))
    read = 0
    for item in objects:
        # the buffer of a profile wants the columns first
        for index in sorted(range(1, item.getAttributeCount() + 1), key=lambda i: (i == 2, i)):
            if item.getAccess(index) & AccessMode.READ:
                session.read(item, index)
                read += 1
            else:
                with pytest.raises(GXDLMSException):
                    session.read(item, index)
    assert read > 300
    session.release()
    assert rig.server.associations() == 0


@pytest.mark.row("EN-02")
def test_gurux_shows_values_with_their_units(rig):
    session = management(rig)
    objects = by_name(session.objects())
    for code, value, unit in (
        ("1.0.1.8.0.255", 1725, 30),
        ("1.0.16.8.0.255", -4_000_000_000, 30),
        ("1.0.32.7.0.255", Quantities.u_uv[0] / 1e6, 35),
        ("1.0.31.7.0.255", Quantities.i_ua[0] / 1e6, 33),
        ("1.0.1.7.0.255", Quantities.p_total_uw / 1e6, 27),
        ("1.0.14.7.0.255", 50, 44),
    ):
        item = objects[code]
        session.read(item, 3)
        session.read(item, 2)
        assert item.value == pytest.approx(value), code
        assert item.unit == unit


@pytest.mark.parametrize("pdu_size", [128, 1024])
def test_gurux_reads_scalers_and_units_by_list(rig, pdu_size):
    session = management(rig, pdu_size=pdu_size)
    registers = [o for o in session.objects() if o.objectType == ObjectType.REGISTER]
    assert len(registers) > 60
    session.read_list([(item, 3) for item in registers])
    for item in registers:
        assert item.unit != 0, item.logicalName
    lists = [apdu for apdu, _ in session.transport.log if apdu[:2] == b"\xc0\x03"]
    assert len(lists) >= len(registers) / 10


@pytest.mark.row("CLK-01", "CLK-19")
def test_gurux_reads_and_sets_the_clock(rig):
    session = management(rig)
    clock = by_name(session.objects())["0.0.1.0.0.255"]
    session.read(clock, 2)
    assert clients.seconds_apart(clock.time, NOW) < 1
    moment = datetime(2026, 7, 14, 12, 34, 56, tzinfo=timezone.utc)
    clock.time = GXDateTime(moment)
    session.write(clock, 2)
    assert rig.rtc.time_s == (moment - datetime(2000, 1, 1, tzinfo=timezone.utc)).total_seconds()
    session.call(clock, 6, 30, DataType.INT16)
    session.read(clock, 2)
    assert clients.seconds_apart(clock.time, moment + timedelta(seconds=30)) < 1


@pytest.mark.row("SEC-04")
def test_gurux_as_public_client(rig):
    session = clients.Gurux(rig.transport(), clients.PUBLIC).connect()
    objects = by_name(session.objects())
    assert sorted(objects) == [
        "0.0.1.0.0.255",
        "0.0.40.0.0.255",
        "0.0.40.0.2.255",
        "0.0.41.0.0.255",
        "0.0.42.0.0.255",
        "0.0.43.1.0.255",
    ]
    assert session.read(objects["0.0.43.1.0.255"], 2) == 0
    assert session.read(objects["0.0.42.0.0.255"], 2) == "FRS1030700000001"
    clock = GXDLMSClock()
    clock.time = GXDateTime(NOW)
    for forbidden in (
        lambda: session.write(clock, 2),
        lambda: session.call(clock, 6, 30, DataType.INT16),
        lambda: session.read(GXDLMSProfileGeneric("0.0.21.0.1.255"), 3),
    ):
        with pytest.raises(GXDLMSException):
            forbidden()
    assert rig.clock.utc_s() == NOW_UTC_S
    # the management client on the same connection, without a release between
    again = clients.Gurux(session.transport, clients.MANAGEMENT, clients.SECRET).connect()
    assert len(again.objects()) > 80


@pytest.mark.parametrize("secret", [b"12345679", b"1", None])
def test_a_wrong_password_is_refused_to_gurux(rig, secret):
    with pytest.raises(GXDLMSException) as refusal:
        clients.Gurux(rig.transport(), clients.MANAGEMENT, secret).connect()
    assert "permanently rejected" in str(refusal.value)
    assert rig.server.associations() == 0


@pytest.mark.row("DSP-17")
@pytest.mark.parametrize("pdu_size", [128, 1024])
def test_gurux_writes_a_display_list_and_reads_its_row(rig, pdu_size):
    session = management(rig, pdu_size=pdu_size)
    objects = by_name(session.objects())
    general = objects["0.0.21.0.1.255"]
    registers = [o for o in objects.values() if o.objectType == ObjectType.REGISTER][:64]
    assert len(registers) == 64
    general.captureObjects = [(item, GXDLMSCaptureObject(2, 0)) for item in registers]
    session.write(general, 3)
    general.captureObjects = []
    session.read(general, 3)
    assert [item.logicalName for item, _ in general.captureObjects] == [
        item.logicalName for item in registers
    ]
    rows = session.read(general, 2)
    assert len(rows) == 1
    expected = [
        rig.registers.value(rig.registers.find(*[int(g) for g in o.logicalName.split(".")[2:5]]))
        for o in registers
    ]
    assert rows[0] == expected
    assert session.read(general, 7) == 1


def test_gurux_changes_the_password(rig):
    session = management(rig)
    association = by_name(session.objects())["0.0.40.0.0.255"]
    association.secret = b"87654321"
    session.write(association, 7)
    session.release()
    with pytest.raises(GXDLMSException):
        management(rig)
    clients.Gurux(rig.transport(), clients.MANAGEMENT, b"87654321").connect()


@pytest.mark.row("EN-02")
@pytest.mark.parametrize("pdu_size", [40, 128, 65535])
def test_dlms_cosem_reads_through_blocks(rig, pdu_size):
    client = clients.dlms_cosem(
        rig.transport(), clients.MANAGEMENT, clients.SECRET, pdu_size=max(pdu_size, 128)
    )
    with client.session():
        octets = client.get(clients.attribute(15, "0-0:40.0.0.255", 2))
        rows = utils.parse_as_dlms_data(octets)
        assert len(rows) == rig.catalogue.visible(rig.catalogue.client(1))
        assert {len(row) for row in rows} == {4}
        for code, value in (("1-0:1.8.0.255", 1725), ("1-0:32.7.0.255", 23000)):
            octets = client.get(clients.attribute(3, code, 2))
            assert utils.parse_as_dlms_data(octets) == value
        with pytest.raises(DataResultError, match="OBJECT_UNDEFINED"):
            client.get(clients.attribute(3, "1-0:99.8.0.255", 2))
    assert rig.server.associations() == 0


@pytest.mark.row("SEC-04")
def test_dlms_cosem_is_held_to_its_rights(rig):
    with clients.dlms_cosem(rig.transport(), clients.PUBLIC).session() as client:
        client.get(clients.attribute(8, "0-0:1.0.0.255", 2))
        with pytest.raises(DataResultError, match="READ_WRITE_DENIED"):
            client.get(clients.attribute(3, "1-0:1.8.0.255", 2))
    wrong = clients.dlms_cosem(rig.transport(), clients.MANAGEMENT, b"12345679")
    wrong.connect()
    with pytest.raises(DlmsClientException, match="AUTHENTICATION_FAILED"):
        wrong.associate()


@pytest.mark.parametrize("pdu_size", [None, 64])
def test_gurux_uses_access(rig, pdu_size):
    session = clients.Gurux(rig.transport(), clients.MANAGEMENT, clients.SECRET, pdu_size=pdu_size)
    session.client.proposedConformance |= Conformance.GENERAL_BLOCK_TRANSFER
    session.client.settings.blockNumber = 1  # what gurux-dlms itself forgets to set
    session.connect()
    energy = GXDLMSRegister("1.0.1.8.0.255")
    clock = GXDLMSClock("0.0.1.0.0.255")
    kinds = AccessServiceCommandType
    items = [
        GXDLMSAccessItem(kinds.GET, energy, 3),
        GXDLMSAccessItem(kinds.GET, energy, 2),
        GXDLMSAccessItem(kinds.GET, clock, 2),
    ]
    reply = session.exchange(session.client.accessRequest(None, items))
    session.client.parseAccessResponse(items, reply.data)
    assert [int(item.error) for item in items] == [0, 0, 0]
    assert energy.value == 1725
    assert str(clock.time) != ""
