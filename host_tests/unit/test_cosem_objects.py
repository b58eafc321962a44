"""Every object of the catalogue: types, names, rights and codes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from dlms_rig import Quantities, Rig

from app import axdr
from app.attributes import READ_WRITE_DENIED, Reference
from app.cosem import access
from app.cosem.base import CHOICE, NO_ACCESS, READ, READ_WRITE, WRITE
from app.errors import AccessRefused
from app.identification import firmware_identification


@pytest.fixture
def rig():
    return Rig()


class Session:
    """The management association as an object sees it."""

    def __init__(self, client):
        self.client = client
        self.conformance = 0x005E19
        self.receive_size = 1024
        self.send_size = 512
        self.context = 1
        self.mechanism = 1


def encoded(handler, key, index, session):
    writer = axdr.Writer(bytearray(65536))
    parts = handler.read(writer, key, index, session)
    if parts is not None:
        for _ in parts:
            pass
    return bytes(writer.buffer[: writer.at])


def obis(text):
    """Octets of a code such as "1-0:1.8.0"."""
    a, _, rest = text.partition("-")
    b, _, rest = rest.partition(":")
    return bytes([int(a), int(b), *(int(group) for group in rest.split(".")), 255])


def test_every_attribute_has_the_type_of_its_table(rig):
    session = Session(rig.catalogue.client(1))
    count = 0
    for name, handler, key, _ in rig.catalogue.entries():
        for index, (tag, rights) in enumerate(handler.ATTRIBUTES, 1):
            if index == 1 or not rights & READ:
                continue
            octets = encoded(handler, key, index, session)
            reader = axdr.Reader(octets)
            reader.skip()
            assert reader.left() == 0, (name, index)
            assert tag in (CHOICE, octets[0]), (name, index)
            count += 1
    assert count > 200


def test_names_are_unique_and_found(rig):
    entries = list(rig.catalogue.entries())
    names = [entry[0] for entry in entries]
    assert len(set(names)) == len(names)
    for name, handler, key, group in entries:
        assert rig.catalogue.find(name) == (handler, key, group)
    for client in rig.catalogue.clients:
        seen = [entry for entry in entries if client.rights(entry[3])]
        assert rig.catalogue.visible(client) == len(seen)


@pytest.mark.row("SEC-04", "SEC-08")
def test_the_public_client_sees_the_five_basic_objects_and_its_association(rig):
    public = rig.catalogue.client(16)
    seen = {entry[0] for entry in rig.catalogue.entries() if public.rights(entry[3])}
    assert seen == {
        obis(code)
        for code in (
            "0-0:1.0.0",
            "0-0:40.0.0",
            "0-0:40.0.2",
            "0-0:41.0.0",
            "0-0:42.0.0",
            "0-0:43.1.0",
        )
    }
    for entry in rig.catalogue.entries():
        assert public.rights(entry[3]) in (NO_ACCESS, READ)


@pytest.mark.row("SEC-08")
def test_the_management_client_sees_everything_and_writes_no_reading(rig):
    management = rig.catalogue.client(1)
    for name, handler, _, group in rig.catalogue.entries():
        rights = management.rights(group)
        assert rights & READ
        if handler.CLASS_ID == 3:
            assert not rights & WRITE, name


@pytest.mark.row("EN-02", "EN-05")
def test_all_twelve_energies_are_registers_of_64_bits(rig):
    for code, unit, wh in (
        ("1-0:1.8.0", 30, 1725),
        ("1-0:2.8.0", 30, 12),
        ("1-0:3.8.0", 32, 2988),
        ("1-0:4.8.0", 32, 0),
        ("1-0:5.8.0", 32, 2988),
        ("1-0:6.8.0", 32, 5_000_000_000),
        ("1-0:7.8.0", 32, 0),
        ("1-0:8.8.0", 32, 0),
        ("1-0:9.8.0", 31, 3450),
        ("1-0:10.8.0", 31, 0),
        ("1-0:15.8.0", 30, 1737),
        ("1-0:16.8.0", 30, -4_000_000_000),
    ):
        tag = axdr.INT64 if code == "1-0:16.8.0" else axdr.UINT64
        assert rig.resolver.read(Reference(3, obis(code), 2)) == (tag, wh)
        scaler_unit = rig.resolver.read(Reference(3, obis(code), 3))[1]
        assert scaler_unit == [(axdr.INT8, 0), (axdr.ENUM, unit)]


@pytest.mark.row("MET-10", "MET-13")
def test_instantaneous_values_in_their_units(rig):
    def quantity(code):
        value = rig.resolver.read(Reference(3, obis(code), 2))[1]
        scaler, unit = (part[1] for part in rig.resolver.read(Reference(3, obis(code), 3))[1])
        return value * 10**scaler, unit

    q = Quantities
    for code, micro, unit in (
        ("1-0:32.7.0", q.u_uv[0], 35),
        ("1-0:52.7.0", q.u_uv[1], 35),
        ("1-0:72.7.0", q.u_uv[2], 35),
        ("1-0:31.7.0", q.i_ua[0], 33),
        ("1-0:51.7.0", q.i_ua[1], 33),
        ("1-0:71.7.0", q.i_ua[2], 33),
        ("1-0:90.7.0", sum(q.i_ua), 33),
        ("1-0:14.7.0", q.f_uhz, 44),
        ("1-0:1.7.0", q.p_total_uw, 27),
        ("1-0:2.7.0", 0, 27),
        ("1-0:3.7.0", q.q_total_uvar, 29),
        ("1-0:9.7.0", q.s_total_uva, 28),
        ("1-0:21.7.0", q.p_uw[0], 27),
        ("1-0:62.7.0", -q.p_uw[2], 27),
        ("1-0:33.7.0", q.pf_ppm[0], 255),
    ):
        assert quantity(code) == (pytest.approx(micro / 1e6, rel=1e-3), unit), code


@pytest.mark.row("IDN-01", "IDN-05")
def test_logical_device_name_and_sap_assignment(rig):
    name = b"FRS1030700000001"
    assert rig.resolver.read(Reference(1, obis("0-0:42.0.0"), 2)) == (axdr.OCTET_STRING, name)
    assert rig.resolver.read(Reference(17, obis("0-0:41.0.0"), 2)) == (
        axdr.ARRAY,
        [(axdr.STRUCTURE, [(axdr.UINT16, 1), (axdr.OCTET_STRING, name)])],
    )


@pytest.mark.row("IDN-04")
def test_device_ids_are_kept_and_bounded(rig):
    assert rig.resolver.read(Reference(1, obis("0-0:96.1.0"), 2))[1] == b"00000001"
    customer = Reference(1, obis("0-0:96.1.1"), 2)
    longest = b"x" * 48
    rig.resolver.write(customer, b"\x09\x30" + longest)
    assert rig.resolver.read(customer) == (axdr.OCTET_STRING, longest)
    rig.associate()
    too_long = bytes.fromhex("c101c10001 0000600101ff 0200 0931") + b"y" * 49
    assert rig.apdu(too_long).hex() == "c501c1fa"
    assert rig.resolver.read(customer) == (axdr.OCTET_STRING, longest)
    serial = bytes.fromhex("c101c10001 0000600100ff 0200 0901") + b"y"
    assert rig.apdu(serial).hex() == "c501c103"


@pytest.mark.row("IDN-06")
def test_firmware_identification_has_16_characters(rig):
    assert firmware_identification("ME", 103, "1.23.4") == b"FRSMEIP103102304"
    for code in ("1-0:0.2.0", "1-1:0.2.0"):
        tag, value = rig.resolver.read(Reference(1, obis(code), 2))
        assert tag == axdr.OCTET_STRING
        assert len(value) == 16
        assert value.startswith(b"FRS")


def test_invocation_counter_shows_the_number_accepted_last(rig):
    counter = Reference(1, obis("0-0:43.1.0"), 2)
    assert rig.resolver.read(counter) == (axdr.UINT32, 0)
    rig.security.counters.accept(0, 258)
    assert rig.resolver.read(counter) == (axdr.UINT32, 258)
    with pytest.raises(AccessRefused) as refusal:
        rig.resolver.write(counter, bytes.fromhex("0600000000"))
    assert refusal.value.result == READ_WRITE_DENIED


def test_rights_table_covers_every_group_and_client(rig):
    groups = {entry[3] for entry in rig.catalogue.entries()}
    for client in access.make_clients():
        for group in groups:
            assert 0 <= client.rights(group) <= READ_WRITE | 4
