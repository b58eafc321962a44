"""The HDLC cases of the published abstract test suite, by their names, on the RS485 port.

Each negative case ends with a good frame that is answered: nothing wrong may cost the next client.
"""

import socket
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "unit"))

import line_time
import pytest
import real_meter
from hdlc_line import (
    DISC,
    DM,
    FRMR,
    LLC_RESPONSE,
    SERVER_1,
    SERVER_2,
    SERVER_4,
    SNRM,
    UA,
    Answer,
    command,
    crc,
    information,
    ready,
)
from patience import PATIENCE_S

# Public client, context LN without ciphering
AARQ = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400007e1fffff")
GET_NAME = bytes.fromhex("c001c1000100002a0000ff0200")
ALL_PARAMETERS = "8180140502{:04x}0602{:04x}0704{:08x}0804{:08x}"
SILENCE_S = 0.4
AT_ONCE_S = 0.05  # what the meter said until now is on its way


class Station:
    """A client's station on the bus."""

    def __init__(self, meter):
        self.meter = meter
        self.socket = socket.create_connection(("127.0.0.1", meter.ports["rs485"]), PATIENCE_S)
        self.server_length = 2

    def send(self, octets):
        self.socket.sendall(octets)

    def frame(self):
        """The next frame, taken apart and checked."""
        self.socket.settimeout(PATIENCE_S)
        octets = self.socket.recv(1)
        while len(octets) < 3:
            octets += self.socket.recv(1)
        length = (octets[1] & 7) << 8 | octets[2]
        while len(octets) < length + 2:
            octets += self.socket.recv(length + 2 - len(octets))
        return Answer(octets, self.server_length)

    def ask(self, octets):
        self.send(octets)
        return self.frame()

    def silent(self, octets):
        """Send octets; tell whether they stay without an answer."""
        self.send(octets)
        line_time.passes(self.meter, SILENCE_S)
        self.socket.settimeout(SILENCE_S if real_meter.given else AT_ONCE_S)
        try:
            return not self.socket.recv(1)
        except TimeoutError:
            return True

    def connect(self, info=b"", server=SERVER_2):
        self.server_length = len(server)
        answer = self.ask(command(SNRM, info, server=server))
        assert answer.control == UA
        return answer

    def associate(self, **link):
        self.connect(**link)
        answer = self.ask(information(0, 0, AARQ, server=link.get("server", SERVER_2)))
        assert answer.info[:4] == LLC_RESPONSE + b"\x61"

    def disconnected(self):
        """Bring the link to NDM, whatever it was."""
        self.server_length = 2
        assert self.ask(command(DISC)).control in (UA, DM)


@pytest.fixture
def station(wired):
    one = Station(wired)
    one.disconnected()
    yield one
    one.disconnected()
    one.socket.close()


@pytest.fixture
def still(start_meter):
    """A station at a meter whose time stands still but for `advance`."""
    one = Station(start_meter("--rate", "0"))
    yield one
    one.socket.close()


def advance(station, seconds):
    station.meter.post("/api/advance", seconds=seconds)


def raw(head):
    """A frame with a good check sequence around whatever header octets."""
    return b"\x7e" + head + crc(head) + b"\x7e"


def parameters(answer):
    """Negotiated values by their names 5 to 8."""
    info = answer.info
    assert info[:2] == b"\x81\x80" and info[2] == len(info) - 3
    values, at = {}, 3
    while at < len(info):
        values[info[at]] = int.from_bytes(info[at + 2 : at + 2 + info[at + 1]], "big")
        at += 2 + info[at + 1]
    return values


@pytest.mark.row("HDL-05")
def test_frame_p1_connect_and_disconnect(station):
    assert station.ask(command(DISC)).control == DM
    station.connect()
    station.connect()
    assert station.ask(command(DISC)).control == UA
    assert station.ask(command(DISC)).control == DM


def test_frame_p2_inter_frame_time_out(still):
    snrm = command(SNRM)
    still.send(snrm[:5])
    advance(still, 0.01)
    assert still.ask(snrm[5:]).control == UA
    # longer than 25 ms and the 200 ms that a stall of the task may take
    assert still.silent(snrm[:5])
    advance(still, 0.3)
    assert still.silent(snrm[5:])
    assert still.ask(snrm).control == UA


@pytest.mark.row("HDL-06")
def test_frame_p3_inactivity_time_out(still):
    still.associate()
    advance(still, 119)
    assert still.ask(ready(1)).control == 0x31
    advance(still, 121)
    assert still.ask(information(1, 1, GET_NAME)).control == DM
    still.connect()


def test_frame_n1_missing_flags(station):
    snrm = command(SNRM)
    # without a pause the last frame's closing flag would open this one
    assert station.silent(b"")
    assert station.silent(snrm[1:])
    assert station.ask(snrm).control == UA
    assert station.silent(snrm[:-1])
    assert station.ask(command(SNRM)).control == UA


def test_frame_n2_too_short(station):
    for head in (b"\xa0\x03", b"\xa0\x06\x03\x21", b"\xa0\x05\x21"):
        assert station.silent(raw(head))
    station.connect()


@pytest.mark.parametrize("format_type", [0x80, 0x90, 0xB0, 0xC0, 0x20, 0x00])
def test_frame_n3_format_type(station, format_type):
    assert station.silent(raw(bytes((format_type, 8)) + SERVER_2 + b"\x21\x93"))
    station.connect()


@pytest.mark.parametrize("length", [7, 9, 40, 0])
def test_frame_n4_length(station, length):
    assert station.silent(raw(bytes((0xA0, length)) + SERVER_2 + b"\x21\x93"))
    station.send(bytes(64))  # what a wrong length still waits for
    station.connect()


def test_frame_n5_control_field(station):
    station.connect()
    answer = station.ask(command(0x3F))  # no command of this profile
    assert answer.control == FRMR
    assert answer.info[0] == 0x3F
    station.connect()


def test_frame_n7_hcs(station):
    station.connect()
    frame = bytearray(information(0, 0, AARQ)[1:-3])
    frame[6] ^= 0x01
    assert station.silent(b"\x7e" + bytes(frame) + crc(bytes(frame)) + b"\x7e")
    assert station.ask(information(0, 0, AARQ)).info[3:4] == b"\x61"


@pytest.mark.row("HDL-05")
def test_frame_n8_fcs(station):
    for octet in (-2, -3):
        frame = bytearray(command(SNRM))
        frame[octet] ^= 0x01
        assert station.silent(bytes(frame))
    station.connect()


@pytest.mark.row("HDL-09")
@pytest.mark.parametrize("server", [SERVER_1, SERVER_2, SERVER_4])
def test_address_p1(station, server):
    station.associate(server=server)
    answer = station.ask(information(1, 1, GET_NAME, server=server))
    assert answer.server == server and answer.client == 16
    assert answer.info[3:7] == bytes.fromhex("c401c100")


def test_address_n1_two_byte_source(station):
    assert station.silent(command(SNRM, raw_client=b"\x02\x21"))
    station.connect()


@pytest.mark.parametrize("server", [b"\x02\x25", b"\x04\x23", b"\x05", b"\x00\x02\x00\x25"])
def test_address_n4_unknown_destination(station, server):
    assert station.silent(command(SNRM, server=server))
    station.connect()


def test_address_n6_one_byte_where_more_are_expected(station):
    # the lower address without the upper one: nobody's logical device
    assert station.silent(command(SNRM, server=b"\x23"))
    station.connect()


@pytest.mark.parametrize("server", [b"\x02\x02\x23", b"\x00\x02\x00\x00\x23"])
def test_address_n7_three_or_five_bytes(station, server):
    assert station.silent(command(SNRM, server=server))
    station.connect()


@pytest.mark.row("HDL-02")
@pytest.mark.parametrize("length", [128, 32, 500, 2030, 4000])
def test_ndm2nrm_p1_maximum_information_length(station, length):
    agreed = parameters(
        station.connect(bytes.fromhex(ALL_PARAMETERS.format(length, length, 1, 1)))
    )
    assert agreed[5] == agreed[6] == min(length, 2030)
    station.disconnected()
    station.associate(info=bytes.fromhex(f"8180040602{length:04x}"))
    answer = station.ask(information(1, 1, GET_NAME))
    assert len(answer.info) <= length


def test_ndm2nrm_p2_window(station):
    for window in (1, 3, 7):
        info = bytes.fromhex(ALL_PARAMETERS.format(128, 128, window, window))
        agreed = parameters(station.connect(info))
        assert 1 <= agreed[7] <= window
        assert 1 <= agreed[8] <= window


@pytest.mark.row("HDL-05")
def test_info_p1(station):
    station.associate()
    for number in range(1, 12):
        answer = station.ask(information(number & 7, number & 7, GET_NAME))
        assert answer.ns == number & 7 and answer.nr == number + 1 & 7
        assert answer.info[:7] == LLC_RESPONSE + bytes.fromhex("c401c100")


def test_info_n1_too_long(station):
    station.connect()
    assert station.ask(information(0, 0, bytes(126))).control == FRMR
    station.connect()


def test_info_n2_wrong_receive_number(station):
    station.associate()
    answer = station.ask(information(1, 5, GET_NAME))
    assert answer.control == FRMR
    station.connect()


def test_info_n3_wrong_send_number(station):
    station.associate()
    answer = station.ask(information(4, 1, GET_NAME))
    assert answer.control == 0x31  # RR: 1 is expected
    answer = station.ask(information(1, 1, GET_NAME))
    assert answer.info[3:7] == bytes.fromhex("c401c100")


def test_the_same_information_frame_twice_is_carried_out_once(station):
    station.associate()
    first = station.ask(information(1, 1, GET_NAME))
    again = station.ask(information(1, 1, GET_NAME))
    assert (again.ns, again.nr, again.info) == (first.ns, first.nr, first.info)
    assert station.ask(ready(2)).control == 0x51


def test_ndmop_n1_information_while_disconnected(station):
    assert station.ask(information(0, 0, GET_NAME)).control == DM
    assert station.ask(ready(0)).control == DM
    station.connect()
