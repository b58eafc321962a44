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


@pytest.mark.parametrize("window", [1, 3, 7])
def test_no_check_sequence_ends_like_a_flag(window):
    """dlms-cosem takes it for the frame's own flag and waits for ever; segments vary in size."""
    line = Line(max_pdu=2000, window_transmit=window)
    ends = 0
    for seed in range(60):
        line.channel.answer = bytes((seed * 7 + index * index) & 0xFF for index in range(1500))
        line.connect()
        frames = line.send(information(0, 0, b"GET"))
        joined = b""
        number = 0
        while True:
            for frame in frames:
                answer = Answer(frame, 2)
                ends += frame[-2] == 0x7E
                joined += answer.info
                number = number + 1 & 7
            if not Answer(frames[-1], 2).segmented:
                break
            frames = line.send(ready(number))
        assert joined == LLC_RESPONSE + line.channel.answer
    assert ends == 0
