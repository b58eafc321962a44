"""Classes 19, 23, 41 and 42: attributes, ranges, what is kept, and what the links make of it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from dlms_rig import Rig
from hdlc_line import DISC, SNRM, Line, command

from app import axdr
from app.attributes import READ_WRITE_DENIED, Reference
from app.cosem.hdlc_setup import HdlcSetup
from app.cosem.ipv4_setup import Ipv4Setup
from app.cosem.local_port_setup import LocalPortSetup
from app.cosem.tcp_udp_setup import TcpUdpSetup
from app.errors import AccessRefused, EncodingError, TypeUnmatched
from app.port_settings import BAUD_RATES, HdlcSettings, LocalPortSettings, Ports, TcpSettings

SERIAL = b"00000001"
TCP = ("192.168.1.7", 4059)


@pytest.fixture
def rig():
    return Rig()


def ports(rig):
    """The settings of all ports, as a start of the meter loads them."""
    return Ports(rig.settings, SERIAL, TCP)


def get(handler, key, index):
    writer = axdr.Writer(bytearray(256))
    assert handler.read(writer, key, index, None) is None
    return axdr.Reader(writer.buffer, 0, writer.at).data()


def put(handler, key, index, tag, value):
    writer = axdr.Writer(bytearray(64))
    writer.data(tag, value)
    handler.write(axdr.Reader(writer.buffer, 0, writer.at), key, index, None)


@pytest.mark.row("OPT-02")
def test_local_port_setup_from_the_factory(rig):
    handler, key = LocalPortSetup(), ports(rig).optical
    assert [get(handler, key, index) for index in range(2, 7)] == [
        (axdr.ENUM, 0),
        (axdr.ENUM, 0),
        (axdr.ENUM, 5),
        (axdr.ENUM, 1),
        (axdr.OCTET_STRING, SERIAL),
    ]
    assert key.passwords == [b"12345678"] * 3


@pytest.mark.parametrize("index", [7, 8, 9])
def test_passwords_are_written_and_never_read(rig, index):
    handler, key = LocalPortSetup(), ports(rig).optical
    put(handler, key, index, axdr.OCTET_STRING, b"secret")
    assert key.passwords[index - 7] == b"secret"
    writer = axdr.Writer(bytearray(64))
    with pytest.raises(AccessRefused) as refused:
        handler.read(writer, key, index, None)
    assert refused.value.result == READ_WRITE_DENIED
    assert not writer.at


@pytest.mark.row("OPT-02", "OPT-03")
@pytest.mark.parametrize(
    ("index", "good", "bad"),
    [
        (2, (0, 1, 2), (3, 255)),
        (3, range(10), (10, 255)),
        (4, range(10), (10,)),
        (5, (0, 1), (2,)),
    ],
)
def test_local_port_setup_takes_what_is_in_range(rig, index, good, bad):
    handler, key = LocalPortSetup(), ports(rig).optical
    for value in good:
        put(handler, key, index, axdr.ENUM, value)
        assert get(handler, key, index) == (axdr.ENUM, value)
        assert get(handler, ports(rig).optical, index) == (axdr.ENUM, value)  # it is kept
    for value in bad:
        with pytest.raises(ValueError, match="must be"):
            put(handler, key, index, axdr.ENUM, value)
    with pytest.raises(TypeUnmatched):
        put(handler, key, index, axdr.UINT8, 0)
    assert get(handler, key, index) == (axdr.ENUM, good[-1])


@pytest.mark.row("OPT-02", "OPT-03")
def test_baud_rates_by_their_enumeration():
    assert BAUD_RATES == (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)


def test_device_address_and_passwords_are_kept(rig):
    handler, key = LocalPortSetup(), ports(rig).optical
    put(handler, key, 6, axdr.OCTET_STRING, b"UTILITY 42")
    put(handler, key, 7, axdr.OCTET_STRING, b"first")
    put(handler, key, 9, axdr.OCTET_STRING, b"x" * 16)
    again = ports(rig).optical
    assert again.device_address == b"UTILITY 42"
    assert again.passwords == [b"first", b"12345678", b"x" * 16]
    put(handler, key, 6, axdr.OCTET_STRING, b"")
    assert ports(rig).optical.device_address == SERIAL


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (6, b"x" * 17),
        (6, b"a!"),
        (6, b"\x80"),
        (7, b""),
        (7, b"x" * 17),
        (8, b"x" * 36),
        (8, b"1,2,3,4,5"),
        (9, b"a)b"),
        (7, b"a b"),
    ],
)
def test_device_address_and_passwords_refused(rig, index, value):
    handler, key = LocalPortSetup(), ports(rig).optical
    before = key.device_address, key.passwords
    with pytest.raises((ValueError, EncodingError)):
        put(handler, key, index, axdr.OCTET_STRING, value)
    assert (key.device_address, key.passwords) == before


def test_damaged_passwords_open_nothing(rig):
    rig.settings.put("optical_texts", b"\x08123")
    key = LocalPortSettings(SERIAL, rig.settings, "optical_port", "optical_texts")
    assert key.passwords == []
    assert key.device_address == SERIAL
    key.set_password(0, b"renewed")
    assert ports(rig).optical.passwords == [b"renewed", b"", b""]


@pytest.mark.row("HDL-01", "HDL-02")
def test_hdlc_setup_from_the_factory(rig):
    handler = HdlcSetup()
    for key in (ports(rig).hdlc_optical, ports(rig).hdlc_rs485):
        assert [get(handler, key, index)[1] for index in range(2, 10)] == [
            5, 1, 1, 2030, 2030, 25, 120, 17,
        ]  # fmt: skip


@pytest.mark.row("HDL-01", "HDL-03")
@pytest.mark.parametrize(
    ("index", "tag", "good", "bad"),
    [
        (2, axdr.ENUM, range(10), (10, 255)),
        (3, axdr.UINT8, range(1, 8), (0, 8)),
        (4, axdr.UINT8, range(1, 8), (0, 8)),
        (5, axdr.UINT16, (32, 128, 2030), (31, 2031)),
        (6, axdr.UINT16, (32, 128, 2030), (31, 2031)),
        (7, axdr.UINT16, (20, 6000), (19, 6001)),
        (8, axdr.UINT16, (0, 65535), ()),
        (9, axdr.UINT16, (16, 0x7D, 0x80, 0x3FFD), (0, 15, 0x7E, 0x7F, 0x3FFE, 0x3FFF)),
    ],
)
def test_hdlc_setup_takes_what_is_in_range(rig, index, tag, good, bad):
    handler, key = HdlcSetup(), ports(rig).hdlc_rs485
    for value in good:
        put(handler, key, index, tag, value)
        assert get(handler, key, index) == (tag, value)
        assert get(handler, ports(rig).hdlc_rs485, index) == (tag, value)
    for value in bad:
        with pytest.raises(ValueError, match=r"must be|this address"):
            put(handler, key, index, tag, value)
    assert get(handler, key, index) == (tag, good[-1])
    other = ports(rig).hdlc_optical
    assert get(handler, other, index) == get(handler, HdlcSettings(), index)


@pytest.mark.row("HDL-01")
def test_hdlc_settings_hold_for_the_next_link():
    line = Line()
    line.connect()
    line.settings.set("device_address", 300)
    line.settings.set("information_transmit", 64)
    assert line.ask(command(0x11)).control == 0x11  # the link goes on under its old address
    assert line.ask(command(DISC)).control == 0x73
    assert line.send(command(SNRM)) == []
    answer = line.connect(server=b"\x00\x02\x04\x59")
    assert answer.info[3:6] == bytes.fromhex("050140")


@pytest.mark.row("TCP-04", "TCP-05")
def test_tcp_udp_setup(rig):
    handler, key = TcpUdpSetup(), ports(rig).tcp
    assert [get(handler, key, index)[1] for index in range(2, 7)] == [
        4059, b"\x00\x00\x19\x01\x00\xff", 576, 5, 180,
    ]  # fmt: skip
    for index, tag, value in ((2, axdr.UINT16, 5000), (5, axdr.UINT8, 2), (6, axdr.UINT16, 15)):
        put(handler, key, index, tag, value)
        assert get(handler, ports(rig).tcp, index) == (tag, value)
    for index, tag, value in ((2, axdr.UINT16, 0), (5, axdr.UINT8, 0), (5, axdr.UINT8, 9)):
        with pytest.raises(ValueError, match="must be"):
            put(handler, key, index, tag, value)
    for index in (3, 4):
        with pytest.raises(AccessRefused):
            put(handler, key, index, axdr.UINT16, 500)


def test_port_of_the_board_serves_until_another_is_written(rig):
    assert TcpSettings(5300, rig.settings, "tcp").port == 5300
    TcpSettings(5300, rig.settings, "tcp").set("inactivity_s", 60)
    moved = TcpSettings(6300, rig.settings, "tcp")
    assert (moved.port, moved.inactivity_s) == (6300, 60)
    moved.set_port(5000)
    assert TcpSettings(7300, rig.settings, "tcp").port == 5000


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("192.168.1.7", 0xC0A80107),
        ("0.0.0.0", 0),
        ("127.0.0.1", 0x7F000001),
        ("localhost", 0),
        ("a.b.c.d", 0),
        ("", 0),
    ],
)
def test_ipv4_setup(address, number):
    handler = Ipv4Setup()
    values = [get(handler, address, index) for index in range(2, 11)]
    assert values[1] == (axdr.UINT32, number)
    assert [value[1] for value in values] == [bytes(6), number, [], [], 0, 0, True, 0, 0]
    with pytest.raises(AccessRefused):
        put(handler, address, 3, axdr.UINT32, 1)


def test_a_setting_that_cannot_be_stored_does_not_change(rig):
    handler, key = HdlcSetup(), ports(rig).hdlc_rs485
    rig.memory.dead = True
    with pytest.raises(OSError, match="no answer"):
        put(handler, key, 9, axdr.UINT16, 99)
    assert key.device_address == 17


def test_nonsense_in_a_setting_leaves_the_factory_values(rig):
    rig.settings.put("hdlc_rs485", b"\x63" + bytes(10))
    assert ports(rig).hdlc_rs485.window_transmit == 1
    rig.settings.put("hdlc_rs485", b"\x63" + bytes(12))
    key = ports(rig).hdlc_rs485
    assert (key.speed, key.window_transmit, key.device_address) == (5, 1, 17)


def test_objects_are_in_the_catalogue_of_a_meter_with_ports(rig):
    for class_id, name in ((19, "0000140000ff"), (23, "0001160000ff"), (41, "0000190000ff")):
        assert rig.resolver.read(Reference(class_id, bytes.fromhex(name), 1))
