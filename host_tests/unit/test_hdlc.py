"""The HDLC link of a server: what real clients send, and what they should not.

Vectors: frames are built by dlms-cosem (frames.py) and by the formulas of IEC 62056-46; the CRC's
check value 0x906E is that of CRC-16/IBM-SDLC (X.25) in the catalogue of Rocksoft models.
"""

import pytest

from app.transport import hdlc, hdlc_frame, hdlc_parameters

LLC = b"\xe6\xe6\x00"
LLC_RESPONSE = b"\xe6\xe7\x00"
SNRM, DISC, UI, UA, DM, FRMR = 0x93, 0x53, 0x13, 0x73, 0x1F, 0x97
SERVER_1 = b"\x03"
SERVER_2 = b"\x02\x23"  # 1, 17
SERVER_4 = b"\x00\x02\x00\x23"


def crc(octets):
    """CRC-16/X.25, bit by bit: an independent way to the same sum."""
    value = 0xFFFF
    for octet in octets:
        for bit in range(8):
            low = (value ^ octet >> bit) & 1
            value = value >> 1 ^ (0x8408 if low else 0)
    return (value ^ 0xFFFF).to_bytes(2, "little")


def command(control, info=b"", server=SERVER_2, client=16, segmented=False, raw_client=None):
    """A whole frame from client to server."""
    source = raw_client or bytes([client << 1 | 1])
    length = 2 + len(server) + len(source) + 1 + 2 + (2 + len(info) if info else 0)
    head = (0xA000 | segmented << 11 | length).to_bytes(2, "big")
    head += server + source + bytes([control])
    body = head + crc(head) + info if info else head
    return b"\x7e" + body + crc(body) + b"\x7e"


def information(ns, nr, apdu, poll=True, llc=LLC, **more):
    return command(nr << 5 | poll << 4 | ns << 1, llc + apdu, **more)


def ready(nr, poll=True, **more):
    return command(nr << 5 | poll << 4 | 1, **more)


class Answer:
    """A frame from the server, taken apart and checked."""

    def __init__(self, octets, server_length):
        assert octets[0] == octets[-1] == 0x7E
        body = octets[1:-1]
        assert body[0] & 0xF0 == 0xA0
        self.segmented = bool(body[0] & 8)
        assert (body[0] & 7) << 8 | body[1] == len(body)
        assert crc(body[:-2]) == body[-2:]
        self.client = body[2] >> 1
        assert body[2] & 1
        self.server = body[3 : 3 + server_length]
        at = 3 + server_length
        self.control = body[at]
        self.info = b""
        if at + 1 < len(body) - 2:
            assert crc(body[: at + 1]) == body[at + 1 : at + 3]
            self.info = body[at + 3 : -2]

    @property
    def ns(self):
        return self.control >> 1 & 7

    @property
    def nr(self):
        return self.control >> 5

    @property
    def final(self):
        return bool(self.control & 0x10)


class EchoChannel:
    """Answers a request with the request in small letters, or with what a test wants."""

    def __init__(self):
        self.requests = []
        self.lost_count = 0
        self.answer = None

    def request(self, client_sap, server_sap, apdu, reply, now_ms):
        self.requests.append((client_sap, server_sap, bytes(apdu)))
        answer = bytes(apdu).lower() if self.answer is None else self.answer
        reply[: len(answer)] = answer
        return len(answer)

    def lost(self):
        self.lost_count += 1


class Line:
    """A link on a wire with a clock."""

    def __init__(self, max_pdu=1024, **settings):
        self.channel = EchoChannel()
        self.settings = hdlc_parameters.HdlcSettings()
        for name, value in settings.items():
            assert hasattr(self.settings, name)
            setattr(self.settings, name, value)
        self.link = hdlc.HdlcLink(self.channel, self.settings, max_pdu)
        self.buffer = memoryview(bytearray(self.link.frame_max))
        self.now_ms = 1000

    def send(self, octets, piece=None):
        """Send octets, whole or in pieces; return the frames that come back."""
        frames = []
        for at in range(0, len(octets), piece or len(octets) or 1):
            part = octets[at : at + (piece or len(octets))]
            while part:
                taken = self.link.receive(part, self.now_ms)
                length = self.link.output(self.buffer)
                assert taken or length
                part = part[taken:]
                while length:
                    frames.append(bytes(self.buffer[:length]))
                    length = self.link.output(self.buffer)
        return frames

    def ask(self, octets, server_length=2, piece=None):
        """Send octets and return the only answer, taken apart."""
        frames = self.send(octets, piece)
        assert len(frames) == 1, frames
        return Answer(frames[0], server_length)

    def connect(self, info=b"", **more):
        answer = self.ask(command(SNRM, info, **more), len(more.get("server", SERVER_2)))
        assert answer.control == UA
        return answer


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


@pytest.mark.row("HDL-02")
def test_parameters_are_the_lesser_of_both(line):
    proposal = bytes.fromhex("818014 050207ee 06020400 070400000007 080400000003")
    # The client transmits 2030 with window 7 and receives 1024 with window 3.
    answer = line.connect(proposal)
    assert answer.info == bytes.fromhex("818014 05020400 060207ee 070400000003 080400000007")
    small = Line(information_transmit=200, information_receive=300, window_transmit=2)
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


def test_window_lets_several_segments_go_at_once(line):
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


def test_request_in_a_window_is_acknowledged_once(line):
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


@pytest.mark.row("HDL-05")
def test_disconnected_link_says_so(line):
    assert line.ask(information(0, 0, b"GET")).control == DM
    assert line.ask(ready(0)).control == DM
    assert line.ask(command(DISC)).control == DM
    assert line.ask(command(0xBF, b"\x81")).control == DM
    assert line.send(ready(0, poll=False)) == []
    assert line.channel.requests == []


def test_disconnection_and_new_set_up_end_the_association(line):
    line.connect()
    assert line.channel.lost_count == 0
    line.connect()
    assert line.channel.lost_count == 1
    assert line.ask(command(DISC)).control == UA
    assert line.channel.lost_count == 2
    assert line.ask(command(DISC)).control == DM


@pytest.mark.row("HDL-05")
def test_unknown_control_field_is_rejected_until_set_up_anew(line):
    line.connect()
    answer = line.ask(command(0xBF))  # XID
    assert answer.control == FRMR
    assert answer.info == b"\xbf\x00\x01"
    assert line.ask(information(0, 0, b"GET")).info == b"\xbf\x00\x01"
    line.connect()
    assert line.ask(information(0, 0, b"GET")).info == LLC_RESPONSE + b"get"


@pytest.mark.parametrize("control", [0x10 | 3 << 5, 0x11 | 3 << 5])
def test_acknowledgement_of_what_was_not_sent_is_rejected(line, control):
    line.connect()
    answer = line.ask(command(control, LLC + b"GET" if not control & 1 else b""))
    assert answer.control == FRMR and answer.info[2] == 0x08
    assert line.channel.requests == []


def test_information_longer_than_agreed_is_rejected(line):
    line.connect()
    answer = line.ask(information(0, 0, bytes(126)))
    assert answer.control == FRMR and answer.info[2] == 0x04


def test_request_longer_than_the_buffer_is_rejected():
    line = Line(max_pdu=300)
    line.connect()
    line.ask(information(0, 0, bytes(125), segmented=True))
    line.ask(command(1 << 1 | 0x10, bytes(128), segmented=True))
    answer = line.ask(command(2 << 1 | 0x10, bytes(48), segmented=True))
    assert answer.control == FRMR and answer.info[2] == 0x04
    assert line.channel.lost_count == 1
    exact = Line(max_pdu=300)
    exact.connect()
    exact.ask(information(0, 0, bytes(125), segmented=True))
    exact.ask(command(1 << 1 | 0x10, bytes(128), segmented=True))
    exact.ask(command(2 << 1 | 0x10, bytes(47)))
    assert exact.channel.requests == [(16, 1, bytes(300))]


def test_wrong_llc_header_is_acknowledged_but_not_done(line):
    line.connect()
    assert line.ask(information(0, 0, b"GET", llc=b"\xe6\xe7\x00")).control == 0x31
    assert line.ask(command(1 << 1 | 0x10, b"\xe6")).control == 0x51
    assert line.ask(command(2 << 1 | 0x10)).control == 0x71
    assert line.channel.requests == []


@pytest.mark.row("HDL-05")
def test_unnumbered_information_is_answered_the_same_way(line):
    line.connect()
    answer = line.ask(command(UI, LLC + b"GET"))
    assert answer.control == UI and answer.info == LLC_RESPONSE + b"get"
    assert line.send(command(0x03, LLC + b"TELL")) == []
    assert [request[2] for request in line.channel.requests] == [b"GET", b"TELL"]
    assert line.ask(information(0, 0, b"A")).ns == 0


def test_silent_server_acknowledges(line):
    line.channel.answer = b""
    line.connect()
    assert line.ask(information(0, 0, b"UNCONFIRMED")).control == 0x31


def test_own_echo_is_no_command():
    """A half-duplex line returns what is sent; client 1 and server 1 look the same."""
    line = Line()
    line.channel.answer = bytes(300)
    frames = []

    def send(octets):
        answers = line.send(octets)
        for answer in answers:
            assert line.send(answer) == []
        frames.extend(answers)
        return Answer(answers[0], 1)

    send(command(SNRM, server=SERVER_1, client=1))
    send(information(0, 0, b"GET", server=SERVER_1, client=1))
    send(ready(1, server=SERVER_1, client=1))
    last = send(ready(2, server=SERVER_1, client=1))
    assert not last.segmented and last.ns == 2
    assert send(ready(3, server=SERVER_1, client=1)).control == 0x31
    send(command(DISC, server=SERVER_1, client=1))
    assert len(frames) == 6 and len(line.channel.requests) == 1


@pytest.mark.row("HDL-06")
def test_silence_ends_the_link(line):
    line.connect()
    assert line.link.poll(line.now_ms) == 120_000
    line.now_ms += 119_999
    assert line.link.poll(line.now_ms) == 1
    line.ask(information(0, 0, b"GET"))
    line.now_ms += 119_999
    assert line.link.poll(line.now_ms) == 1 and line.link.connected
    line.now_ms += 1
    assert line.link.poll(line.now_ms) == -1 and not line.link.connected
    assert line.channel.lost_count == 1
    assert line.ask(information(1, 1, b"GET")).control == DM


def test_silence_is_measured_across_the_wrap_of_the_ticks(line):
    line.now_ms = 2**30 - 10
    line.connect()
    assert line.link.poll(90) == 119_900


def test_link_without_time_out_stays(line):
    line.settings.inactivity_s = 0
    line.connect()
    assert line.link.poll(line.now_ms + 10**6) == -1 and line.link.connected


def test_lost_line_ends_the_association(line):
    line.connect()
    line.link.lost()
    assert line.channel.lost_count == 1 and not line.link.connected
    line.connect()


def test_reply_that_fills_the_buffer(line):
    line.channel.answer = bytes(1024)
    line.connect(bytes.fromhex("818004 060207ee"))
    assert line.ask(information(0, 0, b"GET")).info == LLC_RESPONSE + bytes(1024)
