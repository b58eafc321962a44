"""The optical head as hand-held units and PC clients use it, over the simulated wire.

iec62056-21 drives mode C, gurux-dlms the HDLC session that mode E leads to.
"""

import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import line_time
import pytest
import real_meter
from gurux_dlms import GXDLMSException
from gurux_dlms.objects import GXDLMSIECLocalPortSetup, GXDLMSRegister
from iec62056_21 import messages, utils
from iec62056_21.client import Iec6205621Client
from patience import PATIENCE_S

MAKER = b"/FRS5\\2Ferraris-"
IDENTIFICATION = MAKER + b"103\r\n"
PASSWORD = "12345678"
DEVICE_ADDRESS = "00000001"
BREAK = b"\x01B0\x03q"
SILENCE_S = 1
AT_ONCE_S = 0.05  # what the meter said until now is on its way
_REAL_S = 2  # a real head tells nobody that it is idle


class Wire:
    """Raw octets on the optical head."""

    def __init__(self, meter):
        self._meter = meter
        self.socket = socket.create_connection(("127.0.0.1", meter.ports["optical"]), PATIENCE_S)

    def say(self, octets):
        """Send what is answered after a pause."""
        self.send(octets)
        line_time.passes(self._meter)

    def send(self, octets):
        self.socket.sendall(octets)

    def until(self, end):
        """What comes up to and with `end`."""
        got = b""
        while not got.endswith(end):
            octets = self.socket.recv(1)
            assert octets, got
            got += octets
        return got

    def silent(self):
        """Tell whether nothing comes for a while."""
        line_time.passes(self._meter, SILENCE_S)
        self.socket.settimeout(SILENCE_S if real_meter.given else AT_ONCE_S)
        try:
            return not self.socket.recv(1)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_S)

    def receive(self):
        return self.socket.recv(4096)


@pytest.fixture
def wire(wired):
    with line_time.still(wired):
        opened = Wire(wired)
        yield opened
        opened.send(BREAK)
        opened.socket.close()  # a bridge to a real head lets it go by that
        idle(wired)


@pytest.fixture
def client(meter):
    """An iec62056-21 client that is connected to the head."""
    one = Iec6205621Client.with_tcp_transport(
        ("127.0.0.1", meter.ports["optical"]), device_address=DEVICE_ADDRESS, password=PASSWORD
    )
    one.transport.timeout = PATIENCE_S
    with line_time.still(meter):
        one.connect()
        send = one.transport.send
        one.transport.send = lambda octets: (send(octets), line_time.passes(meter))
        yield one
        one.send_break()
        idle(meter)
    one.disconnect()


def line(meter):
    """Baud rate and format as the UART stands."""
    state = meter.get("/api/ports")["optical"]
    return state["baud"], state["format"]


def idle(meter):
    """Wait until the head waits for a sign-on again."""
    if real_meter.given:
        time.sleep(_REAL_S)
        return
    line_time.passes(meter, line_time.FORGETS_S)
    assert line(meter) == (300, "7E1"), "the head back at its first rate"


def log_in(client):
    """Open programming mode: the password request is answered with P1."""
    request = client.access_programming_mode()
    assert (request.command, request.command_type) == ("P", 0)
    assert request.data_set.value == DEVICE_ADDRESS
    password = messages.DataSet(address="", value=PASSWORD)
    client.transport.send(messages.CommandMessage("P", 1, password).to_bytes())
    assert client.transport.recv(1) == b"\x06"


@pytest.mark.row("OPT-01", "OPT-05", "OPT-09")
def test_client_reads_out_and_sees_what_the_meter_measures(meter, client):
    values = {data.address: data for data in client.standard_readout().data}
    assert client.manufacturer_id == "FRS"
    assert client.switchover_baudrate == 9600
    assert client.identification == "2Ferraris-103"
    assert values["1-0:0.0.0"].value == DEVICE_ADDRESS
    assert values["1-0:1.8.0"].unit == "kWh"
    quantities = meter.get("/api/quantities")
    shown = float(values["1-0:32.7.0"].value)
    assert values["1-0:32.7.0"].unit == "V"
    assert shown == pytest.approx(quantities["u"][0], rel=0.002)
    energy_kwh = float(values["1-0:1.8.0"].value)
    assert 0 <= quantities["energy_wh"]["1.8.0"] / 1000 - energy_kwh < 0.01 + 0.001


@pytest.mark.row("OPT-01")
def test_client_programs(client):
    log_in(client)
    client.write_single_value("0-0:96.1.1", "UTILITY 7")
    assert client.read_single_value("0-0:96.1.1").value == "UTILITY 7"
    data = client.read_single_value("1-0:1.8.0")
    assert data.unit == "kWh"
    assert client.read_single_value("9.9.9").value == "ER03"
    client.write_single_value("0-0:96.1.1", "")


@pytest.mark.changes  # it is logged
def test_wrong_password_breaks_off(wire):
    wire.say(b"/?!\r\n")
    assert wire.until(b"\n").startswith(MAKER)
    wire.say(b"\x06051\r\n")
    wire.until(b"\x03a")
    wire.say(utils.add_bcc(b"\x01P1\x02(00000000)\x03"))
    assert wire.until(b"q") == BREAK
    assert wire.silent()


@pytest.mark.row("OPT-07")
def test_other_address_is_met_with_silence(meter, wire):
    wire.say(b"/?99999999!\r\n")
    assert wire.silent()
    for address in (b"00000001", b"1", b""):
        wire.say(b"/?" + address + b"!\r\n")
        assert wire.until(b"\n") == IDENTIFICATION


@pytest.mark.row("OPT-03")
def test_baud_rate_changes_with_the_choice_and_back(meter, wire):
    assert line(meter) == (300, "7E1")
    wire.say(b"/?!\r\n")
    wire.until(b"\n")
    assert line(meter) == (300, "7E1")
    wire.say(b"\x06051\r\n")
    wire.until(b"\x03a")
    assert line(meter) == (9600, "7E1")
    wire.send(BREAK)
    idle(meter)


@pytest.mark.row("OPT-10")
def test_parity_in_bit_7_is_kept_up_and_wrong_parity_ignored(meter, wire):
    def parity(octets):
        return bytes(octet | (bin(octet).count("1") & 1) << 7 for octet in octets)

    wire.say(b"/\xbf!\r\n")
    assert wire.silent()
    wire.say(parity(b"/?!\r\n"))
    assert wire.until(b"\n") == parity(IDENTIFICATION)


@pytest.mark.row("OPT-05", "OPT-06", "OPT-10")
def test_mode_e_leads_to_hdlc_at_the_agreed_rate(wired, wire):
    wire.say(b"/?!\r\n")
    wire.until(b"\n")
    wire.say(b"\x06252\r\n")
    assert wire.until(b"\n") == b"\x06252\r\n"
    session = clients.Gurux(wire, clients.MANAGEMENT, clients.SECRET, hdlc=True).connect()
    if not real_meter.given:
        assert line(wired) == (9600, "8N1")
    energy = GXDLMSRegister("1.0.1.8.0.255")
    session.read(energy, 3)
    session.read(energy, 2)
    assert energy.value >= 0
    session.release()
    idle(wired)


@pytest.mark.row("OPT-01")
def test_hdlc_directly(wire):
    session = clients.Gurux(wire, clients.MANAGEMENT, clients.SECRET, hdlc=True).connect()
    energy = GXDLMSRegister("1.0.1.8.0.255")
    session.read(energy, 3)
    session.read(energy, 2)
    session.release()
    if not real_meter.given:  # whose bridge has signed on for us
        wire.say(b"/?!\r\n")
        assert wire.until(b"\n") == IDENTIFICATION


@pytest.mark.row("OPT-06", "OPT-11")
def test_silence_after_the_offer_gives_a_read_out_at_300_baud(meter, wire):
    wire.say(b"/?!\r\n")
    wire.until(b"\n")
    line_time.passes(meter, 2)
    block = wire.until(b"!\r\n\x03") + wire.receive()
    assert utils.bcc_valid(block)
    assert line(meter) == (300, "7E1")


@pytest.mark.row("OPT-12")
def test_optical_and_tcp_readouts_together(meter, client):
    connection = clients.Socket(meter.ports["cosem"])
    session = clients.Gurux(connection, clients.MANAGEMENT, clients.SECRET).connect()
    log_in(client)
    energy = GXDLMSRegister("1.0.1.8.0.255")
    session.read(energy, 3)
    for _ in range(5):
        optical_kwh = float(client.read_single_value("1-0:1.8.0").value)
        session.read(energy, 2)
        assert 0 <= energy.value / 1000 - optical_kwh < 0.02
    session.release()
    connection.close()


@pytest.mark.row("OPT-02")
def test_local_port_setup_by_a_client(meter):
    connection = clients.Socket(meter.ports["cosem"])
    session = clients.Gurux(connection, clients.MANAGEMENT, clients.SECRET).connect()
    setup = GXDLMSIECLocalPortSetup("0.0.20.0.0.255")
    for index in range(1, 7):
        session.read(setup, index)
    assert setup.deviceAddress == DEVICE_ADDRESS
    for index in (7, 8, 9):
        with pytest.raises(GXDLMSException, match="Read"):
            session.read(setup, index)
    # SET of attribute 3 to 10, behind the wrapper's header
    connection.send(bytes.fromhex("0001 0001 0001 000f c101c1 0013 0000140000ff 03 00 160a"))
    assert connection.receive()[8:] == bytes.fromhex("c501c1fa")
    session.read(setup, 3)
    assert int(setup.defaultBaudrate) == 0
    session.release()
    connection.close()
