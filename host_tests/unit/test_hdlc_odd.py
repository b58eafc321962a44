"""The HDLC link of a server where things go wrong: not connected, rejected, echoed, silent.

Expected answers are those of IEC 62056-46, 6.4, and of the conformance cases NDMOP, FRAME, INFO.
"""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from hdlc_line import (
    DISC,
    DM,
    FRMR,
    LLC,
    LLC_RESPONSE,
    SERVER_1,
    SNRM,
    UA,
    UI,
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


LONG = bytes(1100)  # of information: no buffer is so long before a longer one is agreed upon


@pytest.mark.parametrize("piece", [None, 1, 7, 1000])
def test_a_frame_too_long_to_be_held_is_rejected_and_the_next_one_found(line, piece):
    """ISO/IEC 13239: condition Y of FRMR; while disconnected DM, as to any command that polls."""
    assert line.ask(information(0, 0, LONG), piece=piece).control == DM
    for silent in (information(0, 0, LONG, poll=False), command(SNRM, LONG), command(DISC, LONG)):
        assert line.send(silent, piece) == []
    line.connect()
    one_flag = information(0, 0, LONG)[:-1] + ready(0)
    frames = line.send(one_flag, piece)
    assert [Answer(frame, 2).control for frame in frames] == [FRMR, FRMR]
    assert Answer(frames[0], 2).info == b"\x10\x00\x04"
    assert line.channel.lost_count == 1
    assert line.ask(command(DISC, LONG) + command(UI, LLC + LONG)).info == b"\x13\x00\x04"
    line.connect()
    assert line.ask(information(0, 0, b"GET"), piece=piece).info == LLC_RESPONSE + b"get"


@pytest.mark.parametrize("at", [3, 8, 500, -3, -1], ids=["address", "HCS", "data", "FCS", "flag"])
def test_a_damaged_frame_too_long_to_be_held_vanishes(line, at):
    line.connect()
    frame = bytearray(information(0, 0, LONG))
    frame[at] ^= 0x04
    assert line.send(bytes(frame)) == []
    line.now_ms += 1000
    assert line.ask(information(0, 0, b"GET")).info == LLC_RESPONSE + b"get"


def test_a_frame_too_long_that_breaks_off_ends_with_silence(line):
    line.connect()
    assert line.send(information(0, 0, LONG)[:600]) == []
    line.now_ms += 1000
    assert line.ask(information(0, 0, b"GET")).info == LLC_RESPONSE + b"get"


def test_a_frame_too_long_for_others_or_for_all_is_not_answered(line):
    for server in (b"\x02\x25", b"\x02\xff", b"\x04\x23"):
        assert line.send(information(0, 0, LONG, server=server)) == []
        assert line.send(command(UI, LLC + LONG, server=server)) == []
    assert line.channel.requests == []


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


def test_a_poll_with_the_check_sequence_of_an_answer_is_no_echo():
    """One answer in 65536 ends in the FCS of the client's next RR; a long one has hundreds."""
    line = Line()
    poll = ready(1, server=SERVER_1, client=1)
    steps = [int.from_bytes(crc(bytes([n])), "little") ^ 0xFF00 for n in range(256)]

    def step(value, octet):  # CRC-16/X.25 by octets, from the bitwise sums of single ones
        return value >> 8 ^ steps[(value ^ octet ^ 0xFF) & 0xFF]

    line.channel.answer = bytes(125 + 60)
    line.send(command(SNRM, server=SERVER_1, client=1))
    [first] = line.send(information(0, 0, b"GET", server=SERVER_1, client=1))
    body = first[1:-5]
    state = int.from_bytes(crc(body), "little") ^ 0xFFFF
    wanted = int.from_bytes(poll[-3:-1], "little") ^ 0xFFFF
    a, b = next(
        (a, b) for a in range(256) for b in range(256) if step(step(state, a), b) == wanted
    )
    line = Line()
    line.channel.answer = bytes(123) + bytes((a, b)) + bytes(60)
    line.send(command(SNRM, server=SERVER_1, client=1))
    [first] = line.send(information(0, 0, b"GET", server=SERVER_1, client=1))
    assert first[-3:-1] == poll[-3:-1]
    [second] = line.send(poll)
    assert not Answer(second, 1).segmented


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
