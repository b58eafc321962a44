"""The HDLC link of a server: what real clients send, addresses, parameters, segments, windows.

Vectors: frames are built by dlms-cosem, by gurux-dlms and by the formulas of IEC 62056-46; the
CRC's check value 0x906E is that of CRC-16/IBM-SDLC (X.25) in the catalogue of Rocksoft models.
"""

import sys
from pathlib import Path

import pytest

from app.transport import hdlc_frame

sys.path.append(str(Path(__file__).parent))

from hdlc_line import (
    LLC,
    LLC_RESPONSE,
    SERVER_1,
    SERVER_2,
    SERVER_4,
    SNRM,
    UA,
    Answer,
    Line,
    command,
    crc,
    information,
    ready,
)


@pytest.fixture
def line():
    return Line()


def test_check_sequence_matches_the_catalogue():
    assert hdlc_frame.crc16(b"123456789") ^ 0xFFFF == 0x906E
    assert crc(b"123456789") == b"\x6e\x90"


@pytest.mark.row("HDL-09", "HDL-04")
@pytest.mark.parametrize("server", [SERVER_1, SERVER_2, SERVER_4])
def test_every_address_length_gets_its_link(line, server):
    answer = line.ask(command(SNRM, server=server), len(server))
    assert answer.control == UA
    assert answer.client == 16
    assert answer.server == server
    answer = line.ask(information(0, 0, b"HELLO", server=server), len(server))
    assert answer.info == LLC_RESPONSE + b"hello"
    assert line.channel.requests == [(16, 1, b"HELLO")]


@pytest.mark.row("HDL-03")
@pytest.mark.parametrize(
    ("server", "answered"),
    [
        (b"\x02\xff", True),  # 1, all stations
        (b"\x00\x02\xfe\xff", True),  # 1, all stations
        (b"\xff", False),  # one octet: broadcast, never answered
        (b"\x02\xfd", False),  # 1, calling
        (b"\x00\x02\xfe\xfd", False),
        (b"\x02\x25", False),  # 1, 18: another meter
        (b"\x04\x23", False),  # 2, 17: no such logical device
        (b"\x02\x02\x23", False),  # three octets
        (b"\x00\x02\x00\x00\x23", False),  # five octets
        (b"\x05", False),
        (b"\x01", False),
    ],
)
def test_other_addresses(line, server, answered):
    frames = line.send(command(SNRM, server=server))
    assert bool(frames) == answered
    if answered:
        assert Answer(frames[0], len(server)).server == server


def test_shared_line_keeps_silent_to_all_stations():
    line = Line(answer_all_station=False)
    assert line.send(command(SNRM, server=b"\x02\xff")) == []


def test_device_address_can_be_changed(line):
    line.settings.device_address = 300
    assert line.send(command(SNRM, server=SERVER_4)) == []
    line.connect(server=b"\x00\x02\x04\x59")


def test_source_address_of_two_octets_is_no_client(line):
    assert line.send(command(SNRM, raw_client=b"\x02\x21")) == []


def test_client_frames_of_dlms_cosem_are_obeyed(line):
    frames = pytest.importorskip("dlms_cosem.hdlc.frames")
    from dlms_cosem.hdlc.address import HdlcAddress

    server = HdlcAddress(1, 17, "server")
    client = HdlcAddress(16, None, "client")
    snrm = frames.SetNormalResponseModeFrame(server, client).to_bytes()
    ua = line.send(snrm)[0]
    assert ua[0:1] + ua[-1:] == b"~~"
    assert frames.UnNumberedAcknowledgmentFrame.from_bytes(ua).destination_address == client
    request = frames.InformationFrame(
        server, client, LLC + b"\x60\x00", send_sequence_number=0, receive_sequence_number=0
    )
    reply = frames.InformationFrame.from_bytes(line.send(request.to_bytes())[0])
    assert reply.payload == LLC_RESPONSE + b"\x60\x00"
    assert reply.receive_sequence_number == 1
    disc = frames.DisconnectFrame(server, client).to_bytes()
    frames.UnNumberedAcknowledgmentFrame.from_bytes(line.send(disc)[0])
    assert not line.link.connected


def test_client_frames_of_gurux_are_obeyed(line):
    gurux = pytest.importorskip("gurux_dlms")
    client = gurux.GXDLMSClient(True, 16, gurux.GXDLMSClient.getServerAddress(1, 17))
    client.hdlcSettings.maxInfoTX = client.hdlcSettings.maxInfoRX = 1000
    ua = line.send(bytes(client.snrmRequest()))[0]
    reply = gurux.GXReplyData()
    assert client.getData(gurux.GXByteBuffer(ua), reply, None)
    client.parseUAResponse(reply.data)
    assert client.hdlcSettings.maxInfoRX == 1000
    aarq = bytes(client.aarqRequest()[0])
    answer = line.ask(aarq)
    assert answer.info[:3] == LLC_RESPONSE
    assert line.channel.requests[0][2][0] == 0x60


@pytest.mark.row("HDL-02")
def test_parameters_default_to_128_and_window_1(line):
    answer = line.connect()
    assert answer.info == bytes.fromhex("818012 050180 060180 070400000001 080400000001")


def test_window_is_one_unless_set_otherwise(line):
    answer = line.connect(bytes.fromhex("81800c 070400000007 080400000007"))
    assert answer.info == bytes.fromhex("818012 050180 060180 070400000001 080400000001")


@pytest.mark.row("HDL-02")
def test_parameters_are_the_lesser_of_both():
    line = Line(window_transmit=7, window_receive=7)
    proposal = bytes.fromhex("818014 050207ee 06020400 070400000007 080400000003")
    # The client transmits 2030 with window 7 and receives 1024 with window 3.
    answer = line.connect(proposal)
    assert answer.info == bytes.fromhex("818014 05020400 060207ee 070400000003 080400000007")
    small = Line(
        information_transmit=200, information_receive=300, window_transmit=2, window_receive=7
    )
    answer = small.connect(proposal)
    assert answer.info == bytes.fromhex("818013 0501c8 0602012c 070400000002 080400000007")


@pytest.mark.parametrize(
    "proposal",
    ["00", "8180", "818000", "8280 03 050140", "818005 0500060000", "8180ff 05", "818003 050500"],
)
def test_bad_proposals_propose_nothing(line, proposal):
    answer = line.connect(bytes.fromhex(proposal))
    assert answer.info == bytes.fromhex("818012 050180 060180 070400000001 080400000001")


@pytest.mark.row("HDL-05")
@pytest.mark.parametrize("piece", [None, 1, 7])
def test_long_answer_comes_in_segments(line, piece):
    line.channel.answer = bytes(range(256)) * 2 + bytes(88)
    line.connect()
    answer = line.ask(information(0, 0, b"GET"), piece=piece)
    whole = answer.info
    number = 0
    while answer.segmented:
        assert answer.ns == number and answer.nr == 1 and answer.final
        assert len(answer.info) == 128
        number = number + 1 & 7
        answer = line.ask(ready(number), piece=piece)
        whole += answer.info
    assert whole == LLC_RESPONSE + line.channel.answer
    assert len(line.channel.requests) == 1
    assert line.ask(ready(number + 1 & 7)).control == 0x31  # RR, nothing more


def test_window_lets_several_segments_go_at_once():
    line = Line(window_transmit=7)
    line.channel.answer = bytes(range(250)) * 4
    line.connect(bytes.fromhex("818006 080400000003"))
    frames = [Answer(frame, 2) for frame in line.send(information(0, 0, b"GET"))]
    assert [frame.ns for frame in frames] == [0, 1, 2]
    assert [frame.final for frame in frames] == [False, False, True]
    # Frame 1 got lost on the way: everything from there on again.
    again = [Answer(frame, 2) for frame in line.send(ready(1))]
    assert [frame.ns for frame in again] == [1, 2, 3]
    assert again[0].info == frames[1].info
    rest = [Answer(frame, 2) for frame in line.send(ready(4))]
    rest += [Answer(frame, 2) for frame in line.send(ready(7))]
    whole = b"".join(frame.info for frame in [frames[0], *again, *rest])
    assert whole == LLC_RESPONSE + line.channel.answer
    assert not rest[-1].segmented and rest[-1].final


def test_frames_over_255_octets_use_the_long_length(line):
    line.channel.answer = bytes(1000)
    line.connect(bytes.fromhex("818008 050207ee 060207ee"))
    answer = line.ask(information(0, 0, b"X" * 1000))
    assert answer.info == LLC_RESPONSE + bytes(1000)
    assert line.channel.requests == [(16, 1, b"X" * 1000)]


@pytest.mark.row("HDL-05")
def test_segmented_request_is_joined(line):
    line.connect()
    answer = line.ask(information(0, 0, b"ABC", segmented=True))
    assert answer.control == 0x31 and not answer.info
    answer = line.ask(command(1 << 1 | 0x10, b"DEF", segmented=True))
    assert answer.control == 0x51
    answer = line.ask(command(2 << 1 | 0x10, b"GHI"))
    assert answer.info == LLC_RESPONSE + b"abcdefghi"
    assert answer.nr == 3


def test_request_in_a_window_is_acknowledged_once():
    line = Line(window_receive=7)
    line.connect(bytes.fromhex("818006 070400000003"))
    assert line.send(information(0, 0, b"ABC", poll=False, segmented=True)) == []
    assert line.send(command(1 << 1, b"DEF", segmented=True)) == []
    answer = line.ask(command(2 << 1 | 0x10, b"GHI"))
    assert answer.info == LLC_RESPONSE + b"abcdefghi"


def test_repeated_request_is_answered_again_but_done_once(line):
    line.connect()
    first = line.ask(information(0, 0, b"SET"))
    second = line.ask(information(0, 0, b"SET"))
    assert second.info == first.info and second.control == first.control
    assert len(line.channel.requests) == 1
    third = line.ask(information(1, 1, b"NEXT"))
    assert third.info == LLC_RESPONSE + b"next"
    assert third.ns == 1 and third.nr == 2


def test_repeated_segment_of_a_request_is_not_joined_twice(line):
    line.connect()
    for _ in range(2):
        assert line.ask(information(0, 0, b"ABC", segmented=True)).control == 0x31
    assert line.ask(command(1 << 1 | 0x10, b"DEF")).info == LLC_RESPONSE + b"abcdef"


def test_request_out_of_sequence_is_not_done(line):
    line.connect()
    assert line.ask(information(3, 0, b"SET")).control == 0x11  # RR, still waits for 0
    assert line.channel.requests == []


def test_new_request_drops_what_was_not_fetched(line):
    line.channel.answer = bytes(500)
    line.connect()
    assert line.ask(information(0, 0, b"GET")).segmented
    line.channel.answer = b"short"
    answer = line.ask(information(1, 1, b"GET"))
    assert answer.info == LLC_RESPONSE + b"short" and answer.ns == 1


def test_many_exchanges_wrap_the_numbers(line):
    line.connect()
    for count in range(40):
        number = count & 7
        answer = line.ask(information(number, number, b"%d" % count))
        assert answer.info == LLC_RESPONSE + b"%d" % count
        assert (answer.ns, answer.nr) == (number, number + 1 & 7)


def test_client_that_is_not_ready_is_waited_for(line):
    line.channel.answer = bytes(300)
    line.connect()
    line.send(information(0, 0, b"GET"))
    assert line.ask(command(1 << 5 | 0x15)).control == 0x31  # RNR is answered RR
    assert line.ask(ready(1)).ns == 1


def test_client_can_change_on_one_link(line):
    line.connect()
    line.ask(information(0, 0, b"PUBLIC"))
    answer = line.ask(information(1, 1, b"MANAGEMENT", client=1))
    assert answer.client == 1
    assert [request[0] for request in line.channel.requests] == [16, 1]
