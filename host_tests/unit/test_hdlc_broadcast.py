"""Unnumbered APDUs, to all stations and without a link (IEC 62056-46, SEC-13)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from dlms_rig import NOW_UTC_S, Rig
from hdlc_line import (
    DM,
    LLC,
    LLC_RESPONSE,
    UI,
    Answer,
    Line,
    command,
    information,
    ready,
)

from app.transport import hdlc

ALL_2 = b"\x02\xff"  # logical device 1, all stations
ALL_4 = b"\x00\x02\xfe\xff"
SHIFT = bytes.fromhex("c30181" + "00080000010000ff06" + "01" + "10000a")  # ten seconds on


class Station(Line):
    """A link above the real server."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.rig = Rig()
        self.link = hdlc.HdlcLink(self.rig.channel, self.settings, 1024)


@pytest.mark.row("HDL-03", "SEC-13")
@pytest.mark.parametrize("server", [ALL_2, ALL_4])
@pytest.mark.parametrize("answering", [True, False])
@pytest.mark.parametrize("control", [0x03, UI])
def test_a_broadcast_needs_no_link_and_gets_no_answer(server, answering, control):
    line = Station(answer_all_station=answering)
    assert line.send(command(control, LLC + SHIFT, server=server, client=102)) == []
    assert line.rig.clock.utc_s() == NOW_UTC_S + 10
    wrong = SHIFT[:2] + b"\xc1" + SHIFT[3:]  # confirmed: refused, and in silence
    assert line.send(command(control, LLC + wrong, server=server, client=102)) == []
    assert line.send(command(control, LLC, server=server, client=102)) == []
    assert line.send(command(control, server=server, client=102)) == []
    assert line.rig.clock.utc_s() == NOW_UTC_S + 10
    assert line.rig.server.defects == 0


@pytest.mark.row("SEC-13")
def test_an_unnumbered_apdu_to_this_meter_alone_without_a_link():
    line = Station()
    assert line.send(command(0x03, LLC + SHIFT, client=102)) == []
    assert line.rig.clock.utc_s() == NOW_UTC_S + 10
    assert line.ask(command(UI, LLC + SHIFT, client=102)).control == DM, "who polls learns it"
    assert line.rig.clock.utc_s() == NOW_UTC_S + 10


def test_a_broadcast_does_not_disturb_the_session_of_another():
    line = Station()
    line.connect(client=1)
    aarq = bytes.fromhex(
        "6036a1090607608574050801018a0207808b0760857405080201ac0a8008"
        "3132333435363738be10040e01000000065f1f0400007e1f0080"
    )
    line.ask(information(0, 0, aarq, client=1))
    whole = bytes.fromhex("c001c1000f0000280000ff02010100")
    first = line.ask(information(1, 1, whole[:9], segmented=True, client=1))
    assert first.control == 0x51
    broadcast = command(0x03, LLC + SHIFT, server=ALL_2, client=102)
    assert line.send(broadcast) == []
    second = line.ask(command(0x34, whole[9:], client=1))
    assert second.info[:6] == LLC_RESPONSE + b"\xc4\x02\xc1"
    assert line.send(broadcast) == []
    again = line.ask(ready(1, client=1))
    assert again.info == second.info, "the answer not yet acknowledged is still there"
    assert line.rig.clock.utc_s() == NOW_UTC_S + 20


def whole_answer(line, octets):
    """The frames that bring an answer; they are put together and compared."""
    line.channel.answer = octets
    line.connect()
    frames = line.send(information(0, 0, b"GET"))
    sent = list(frames)
    while Answer(frames[-1], 2).segmented:
        frames = line.send(ready(len(sent) & 7))
        sent += frames
    assert b"".join(Answer(frame, 2).info for frame in sent) == LLC_RESPONSE + octets
    return sent


@pytest.mark.parametrize("window", [1, 3, 7])
def test_no_two_octets_like_flags_stand_side_by_side(window):
    """dlms-cosem takes them for flags and waits for ever; segments vary in size instead."""
    line = Line(max_pdu=2000, window_transmit=window)
    for seed in range(60):
        octets = bytes((seed * 7 + index * index) & 0xFF for index in range(1500))
        for frame in whole_answer(line, octets):
            assert b"~~" not in frame[1:]
    for at in (0, 1, 60, 124, 125, 126, 127, 253, 1498):
        octets = bytearray(b"\x5a" * 1500)
        octets[at : at + 2] = b"~~"
        for frame in whole_answer(line, bytes(octets)):
            assert b"~~" not in frame[1:]


def test_octets_that_are_all_like_flags_arrive():
    line = Line(max_pdu=2000)
    assert len(whole_answer(line, b"~" * 1500)) < 20
