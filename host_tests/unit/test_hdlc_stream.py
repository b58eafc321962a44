"""HDLC frames in a stream: split, joined, damaged, in noise, at any time (IEC 62056-46, 6.4)."""

import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.transport import hdlc_frame

sys.path.append(str(Path(__file__).parent))

import hdlc_line as base

SNRM_FRAME = base.command(base.SNRM)
GET_FRAME = base.information(0, 0, b"GET")


@pytest.fixture
def line():
    return base.Line()


def test_single_octets(line):
    assert len(line.send(SNRM_FRAME, piece=1)) == 1
    assert len(line.send(GET_FRAME, piece=1)) == 1


def test_two_frames_in_one_piece_are_answered_in_turn(line):
    first, second = line.send(SNRM_FRAME + GET_FRAME)
    assert base.Answer(first, 2).control == base.UA
    assert base.Answer(second, 2).info == base.LLC_RESPONSE + b"get"


def test_shared_and_idle_flags(line):
    frames = line.send(b"~~~~" + SNRM_FRAME[:-1] + GET_FRAME + b"~~~" * 700)
    assert len(frames) == 2


def test_more_frames_than_the_buffer_holds(line):
    frames = line.send(SNRM_FRAME + base.ready(0) * 500)
    assert len(frames) == 501


def test_flags_inside_of_a_frame_are_data(line):
    line.connect()
    answer = line.ask(base.information(0, 0, b"~~\x7e\xa0\x07~"))
    assert answer.info == base.LLC_RESPONSE + b"~~\x7e\xa0\x07~"


@pytest.mark.row("HDL-05")
@pytest.mark.parametrize("at", range(len(GET_FRAME)))
def test_one_wrong_octet_is_silence_and_the_next_frame_counts(line, at):
    line.connect()
    bad = bytearray(GET_FRAME)
    bad[at] ^= 0x55
    assert line.send(bytes(bad)) == []
    line.now_ms += 500
    assert line.ask(GET_FRAME).info == base.LLC_RESPONSE + b"get"


def test_wrong_header_check_with_right_frame_check_is_silence(line):
    line.connect()
    body = bytearray(GET_FRAME[1:-3])
    body[6] ^= 1
    bad = b"~" + bytes(body) + base.crc(bytes(body)) + b"~"
    assert line.send(bad) == []
    assert len(line.send(GET_FRAME)) == 1


@pytest.mark.parametrize("first", [0x90, 0xB0, 0x00, 0xFF])
def test_other_format_types_are_silence(line, first):
    body = bytes([first]) + SNRM_FRAME[2:-3]
    assert line.send(b"~" + body + base.crc(body) + b"~") == []


@pytest.mark.parametrize("length", [0, 1, 6, 7, 9, 2047])
def test_wrong_length_is_silence(line, length):
    body = (0xA000 | length).to_bytes(2, "big") + SNRM_FRAME[3:-3]
    assert line.send(b"~" + body + base.crc(body) + b"~") == []
    line.now_ms += 500
    assert len(line.send(SNRM_FRAME)) == 1


def test_missing_flags(line):
    assert line.send(SNRM_FRAME[1:]) == []
    line.now_ms += 500
    assert line.send(SNRM_FRAME[:-1]) == []
    line.now_ms += 500
    assert len(line.send(SNRM_FRAME)) == 1


def test_silence_within_a_frame_breaks_it(line):
    line.send(SNRM_FRAME[:5])
    line.now_ms += 180  # what holds the task up is longer than the line is silent
    assert len(line.send(SNRM_FRAME[5:])) == 1
    line.send(SNRM_FRAME[:5])
    line.now_ms += 250
    assert line.send(SNRM_FRAME[5:]) == []
    line.settings.inter_octet_ms = 6000
    line.send(SNRM_FRAME[:5])
    line.now_ms += 6000
    assert len(line.send(SNRM_FRAME[5:])) == 1


def test_noise_that_looks_like_a_header_hides_no_frame_behind_it(line):
    noise = b"~\xa0\x14\x00"
    assert len(line.send(noise + SNRM_FRAME + GET_FRAME)) == 2


def test_every_prefix_of_a_session(line):
    session = SNRM_FRAME + GET_FRAME + base.information(1, 1, b"NEXT") + base.command(base.DISC)
    for end in range(len(session)):
        line.send(session[:end])
        line.now_ms += 1000
        line.connect()
        line.ask(base.command(base.DISC))


@settings(max_examples=60)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_any_split_gives_the_same_frames(cuts):
    session = SNRM_FRAME + GET_FRAME + base.information(1, 1, b"A" * 100) + base.ready(2)
    whole = base.Line().send(session)
    assert len(whole) == 4
    line = base.Line()
    frames = []
    at = 0
    for cut in cuts:
        frames += line.send(session[at : at + cut])
        at += cut
    frames += line.send(session[at:])
    assert frames == whole


@settings(max_examples=150)
@given(st.binary(max_size=300), st.booleans())
def test_any_octets_leave_a_working_link(octets, framed):
    line = base.Line(max_pdu=256)
    line.connect()
    line.send(b"~" + octets + b"~" if framed else octets)
    line.now_ms += 1000
    line.connect()
    assert line.ask(GET_FRAME).info == base.LLC_RESPONSE + b"get"


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, 255), st.binary(max_size=140), st.booleans()),
        max_size=12,
    )
)
def test_any_frames_leave_a_working_link(frames):
    """Whole frames of any control field, information and segmentation, in any order."""
    line = base.Line(max_pdu=256)
    line.channel.answer = bytes(200)
    line.connect()
    for control, info, segmented in frames:
        for answer in line.send(base.command(control, info, segmented=segmented)):
            base.Answer(answer, 2)
    line.connect()
    assert line.ask(GET_FRAME).info[:3] == base.LLC_RESPONSE


def test_lossy_line_delivers_every_request_once():
    """A client that repeats itself over a line that loses every fifth frame, either way."""
    seed = 20260131
    print("seed", seed)
    chance = random.Random(seed)
    line = base.Line()
    line.connect()
    send = receive = 0

    def exchange(frame):
        if chance.random() < 0.2:
            return []
        answers = [base.Answer(answer, 2) for answer in line.send(frame)]
        return [answer for answer in answers if chance.random() >= 0.2]

    for count in range(150):
        request = b"%d:" % count + b"R" * chance.randrange(100)
        line.channel.answer = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 400)))
        frame = base.information(send, receive, request)
        send = send + 1 & 7
        reply = b""
        acknowledged = False
        while True:
            got = exchange(frame if not acknowledged else base.ready(receive))
            for answer in got:
                if answer.nr == send:
                    acknowledged = True
                if not answer.control & 1 and answer.ns == receive:
                    receive = receive + 1 & 7
                    reply += answer.info
                    if not answer.segmented:
                        break
            else:
                continue
            break
        assert reply == base.LLC_RESPONSE + line.channel.answer
        assert len(line.channel.requests) == count + 1
        assert line.channel.requests[-1][2] == request


LONG = bytes.fromhex("818008 050207ee 060207ee")  # 2030 octets of information both ways


def test_room_for_frames_comes_with_the_agreement_and_what_stands_behind_it_stays():
    line = base.Line()
    get = base.information(0, 0, b"X" * 1024)
    assert line.ask(base.information(0, 0, b"X" * 1100)).control == base.DM, "of any length"
    frames = line.send(base.command(base.SNRM, LONG) + get)
    assert len(frames) == 2
    assert base.Answer(frames[1], 2).info == base.LLC_RESPONSE + b"x" * 1024
    answer = line.ask(base.information(1, 1, bytes(2027)))
    assert answer.control == base.FRMR and answer.info[2] == 0x04, "found, and too long"
    line.connect()
    answer = line.ask(base.information(0, 0, bytes(2027)))
    assert answer.control == base.FRMR and answer.info[2] == 0x04, "not held, and too long"


def test_without_room_for_long_frames_the_agreement_is_as_long_as_a_request(monkeypatch):
    line = base.Line()

    def full(size=b""):
        if isinstance(size, int) and size > 2000:
            raise MemoryError
        return bytearray(size)

    monkeypatch.setattr(hdlc_frame, "bytearray", full, raising=False)
    answer = line.connect(LONG)
    assert answer.info[3:11] == bytes.fromhex("050207ee 06020403")
    assert len(line.ask(base.information(0, 0, b"X" * 1024)).info) == 1027


def test_octets_that_come_while_the_meter_works_are_not_taken():
    line = base.Line()
    line.connect()
    line.link.working = True
    assert line.link.receive(base.ready(0), line.now_ms) == 0
    line.link.working = False
    assert line.ask(base.ready(0)).control == 0x11


def test_hostile_flags_cost_little():
    """Headers in every third octet: no octet is summed up more than a few times."""
    reader = hdlc_frame.FrameReader(2030)
    counted = 0
    true_crc = hdlc_frame.crc16

    def counting(octets):
        nonlocal counted
        counted += len(octets)
        return true_crc(octets)

    hdlc_frame.crc16 = counting
    try:
        octets = b"~\xa0\x0b" * 2000
        while octets:
            octets = octets[reader.feed(octets, 0) :]
            assert not reader.next()
    finally:
        hdlc_frame.crc16 = true_crc
    assert counted < 4 * 6000
