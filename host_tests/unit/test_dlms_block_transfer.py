"""General block transfer both ways: windows, gaps, repetition, abort (Green Book 9.4.6.13)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from dlms_rig import Rig

from app.dlms.block_transfer import MAX_LONG_REQUEST

OBJECT_LIST = "c001c1000f0000280000ff0200"
ENERGY = "c001c100030100010800ff0200"
ENERGY_ANSWER = "c401c1001500000000000006bd"
ZONE = "00080000010000ff0300"
GENERAL_ONLY = 0x20021D  # general block transfer, lists, GET, SET, selective access, ACTION
BOTH_KINDS = 0x207E1F
ABORT = bytes.fromhex("e0800000000000")


def block(number, acknowledged, octets=b"", last=True, streaming=False, window=1):
    size = len(octets)
    length = bytes((size,)) if size < 0x80 else b"\x81" + bytes((size,))
    head = bytes((0xE0, last << 7 | streaming << 6 | window))
    return head + number.to_bytes(2, "big") + acknowledged.to_bytes(2, "big") + length + octets


class Block:
    def __init__(self, apdu):
        assert apdu[0] == 0xE0, apdu.hex()
        self.last = bool(apdu[1] & 0x80)
        self.streaming = bool(apdu[1] & 0x40)
        self.window = apdu[1] & 0x3F
        self.number = int.from_bytes(apdu[2:4], "big")
        self.acknowledged = int.from_bytes(apdu[4:6], "big")
        at = 7 if apdu[6] < 0x80 else 7 + (apdu[6] & 0x7F)
        self.octets = apdu[at:]
        declared = apdu[6] if at == 7 else int.from_bytes(apdu[7:at], "big")
        assert declared == len(self.octets)


class Peer:
    """A client that takes blocks; `lose` names the numbers that never reach it, once each."""

    def __init__(self, size=200, services=GENERAL_ONLY, lose=(), local=False):
        self.rig = Rig(local=local).associate(pdu_size=size, services=services)
        self.size = size
        self.lose = set(lose)
        self.number = 0
        self.sent = []

    def exchange(self, octets):
        """Send an APDU; return everything that comes back before the meter waits."""
        answers = [self.rig.apdu(octets)]
        while True:
            length = self.rig.channel.more(self.rig.reply)
            if not length:
                break
            answers.append(bytes(self.rig.reply[:length]))
        assert all(len(answer) <= self.size for answer in answers)
        return [answer for answer in answers if answer]

    def get(self, request, window=3):
        """The answer to a plain request, joined from its blocks."""
        return self.fetch(self.exchange(request), window)

    def fetch(self, answers, window):
        received = {}
        acknowledged = 0
        final = 0
        while True:
            for answer in answers:
                got = Block(answer)
                self.sent.append(got)
                if got.number in self.lose:
                    self.lose.remove(got.number)
                    continue
                received[got.number] = got.octets
                if got.last:
                    final = got.number
            acknowledged = acknowledged or min(received) - 1
            while acknowledged + 1 in received:
                acknowledged += 1
            if final and acknowledged == final:
                return b"".join(received[number] for number in sorted(received))
            self.number += 1
            answers = self.exchange(block(self.number, acknowledged, window=window))
            assert len(answers) <= window


def reference(request=OBJECT_LIST):
    """The same answer where it needs no blocks."""
    rig = Rig(0xFFFF).associate()
    return rig.apdu(request)


@pytest.mark.parametrize("window", [1, 2, 3, 9, 63])
@pytest.mark.parametrize("size", [12, 20, 134, 135, 136, 137, 200, 264, 265, 1024])
def test_an_answer_in_windows(size, window):
    peer = Peer(size)
    assert peer.get(OBJECT_LIST, window) == reference()
    numbers = [got.number for got in peer.sent]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [got.last for got in peer.sent] == [False] * (len(numbers) - 1) + [True]
    full = {len(got.octets) for got in peer.sent[:-1]}
    assert len(full) == 1
    assert full.pop() >= size - 10  # a block is full but for its header


def test_all_of_a_window_but_its_end_is_streaming():
    peer = Peer(400)
    first = [Block(answer) for answer in peer.exchange(OBJECT_LIST)]
    assert [(got.number, got.streaming, got.acknowledged) for got in first] == [(1, False, 0)]
    second = [Block(answer) for answer in peer.exchange(block(1, 1, window=4))]
    assert [(got.number, got.streaming) for got in second] == [
        (2, True), (3, True), (4, True), (5, False),
    ]  # fmt: skip
    assert {got.acknowledged for got in second} == {1}


def test_a_window_is_no_longer_than_what_can_be_sent_again():
    peer = Peer(1024)
    peer.exchange(OBJECT_LIST)
    assert len(peer.exchange(block(1, 1, window=63))) == 2  # blocks of a kilobyte


@pytest.mark.parametrize("window", [1, 4, 63])
def test_on_a_serial_line_every_block_is_asked_for(window):
    """The meter may not speak unasked, and clients do not poll between the blocks of a window."""
    peer = Peer(200, local=True)
    assert peer.get(OBJECT_LIST, window) == reference()
    assert not any(got.streaming for got in peer.sent)
    assert {got.window for got in peer.sent} == {1}, "nor is the client to send more in a row"
    assert peer.number == len(peer.sent) - 1


@pytest.mark.parametrize("lose", [{2}, {3}, {4}, {2, 3}, {2, 4}, {5, 6, 7}])
def test_lost_blocks_are_sent_again(lose):
    peer = Peer(200, lose=lose)
    assert peer.get(OBJECT_LIST, 3) == reference()
    assert not peer.lose


def test_one_lost_block_alone_is_asked_for_and_the_rest_skipped():
    """A head end that keeps what came behind a gap: window 1 for the gap, then on from the end."""
    peer = Peer(200)
    first = peer.exchange(OBJECT_LIST)
    window = peer.exchange(block(1, 1, window=3))
    again = peer.exchange(block(2, 2, window=1))
    assert [Block(answer).number for answer in again] == [3]
    assert Block(again[0]).octets == Block(window[1]).octets
    later = peer.exchange(block(3, 4, window=1))
    assert [Block(answer).number for answer in later] == [5]
    octets = b"".join(Block(answer).octets for answer in first + window + later)
    assert reference().startswith(octets)


@pytest.mark.parametrize("acknowledged", [0, 9, 0xFFFF])
def test_a_number_never_sent_or_long_gone_ends_the_transfer(acknowledged):
    peer = Peer(200)
    peer.exchange(OBJECT_LIST)
    peer.exchange(block(1, 1, window=3))
    peer.exchange(block(2, 4, window=1))
    assert peer.exchange(block(3, acknowledged)) == [ABORT]
    assert peer.exchange(block(4, 5)) == [ABORT], "nothing is left of it"
    assert peer.exchange(bytes.fromhex(ENERGY))[0].hex() == ENERGY_ANSWER


def test_the_client_aborts():
    peer = Peer(200)
    peer.exchange(OBJECT_LIST)
    assert peer.exchange(ABORT) == []
    assert peer.exchange(block(1, 1)) == [ABORT]


def test_the_end_may_be_acknowledged_and_another_request_ends_everything():
    peer = Peer(1024)
    peer.get(OBJECT_LIST)
    assert peer.exchange(block(peer.number + 1, peer.sent[-1].number)) == []
    peer.exchange(OBJECT_LIST)
    assert peer.exchange(bytes.fromhex(ENERGY))[0].hex() == ENERGY_ANSWER
    assert peer.exchange(block(1, 1)) == [ABORT]


def test_an_object_that_fails_half_way_aborts_the_transfer(monkeypatch):
    peer = Peer(200)
    peer.exchange(OBJECT_LIST)

    def fails():
        raise OSError("no answer")
        yield

    peer.rig.channel._transfer._stream.follow(fails())
    answers = peer.exchange(block(1, 1, window=9))
    assert answers[-1] == ABORT
    assert peer.rig.server.defects == 0


def blocks_of(request, size, window=1):
    """The request as blocks of `size` octets, each window's last one not streaming."""
    parts = [request[at : at + size] for at in range(0, len(request), size)]
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        streaming = not last and (index + 1) % window != 0
        yield block(index + 1, index // window, part, last, streaming)


@pytest.mark.parametrize("window", [1, 2, 4, 8])
@pytest.mark.parametrize("size", [1, 5, 18])
def test_a_request_in_blocks(size, window):
    peer = Peer()
    request = bytes.fromhex(f"c101c1{ZONE}10ff88")
    answers = []
    for part in blocks_of(request, size, window):
        answers = peer.exchange(part)
        if not part[1] & 0x80 and part[1] & 0x40:
            assert answers == [], "nothing is said in the middle of a window"
        elif not part[1] & 0x80:
            got = Block(answers[0])
            assert (got.octets, got.acknowledged) == (b"", int.from_bytes(part[2:4], "big"))
            assert got.last
            assert got.window == 8
    assert [answer.hex() for answer in answers] == ["c501c100"]
    assert peer.rig.clock.time_zone_min == -120


def test_a_gap_in_a_request_is_acknowledged_up_to_it():
    peer = Peer()
    parts = list(blocks_of(bytes.fromhex(f"c101c1{ZONE}10ff88"), 4, 4))
    peer.exchange(parts[0])
    peer.exchange(parts[2])
    got = Block(peer.exchange(parts[3])[0])
    assert got.acknowledged == 1
    assert peer.rig.clock.time_zone_min == -60
    for part in parts[1:-1]:
        peer.exchange(part)
    assert peer.exchange(parts[-1])[0].hex() == "c501c100"
    assert peer.rig.clock.time_zone_min == -120


def test_a_lost_last_block_is_sent_again():
    peer = Peer()
    parts = list(blocks_of(bytes.fromhex(f"c101c1{ZONE}10ff88"), 9, 1))
    assert Block(peer.exchange(parts[1])[0]).octets == b"", "it came first: nothing to add it to"
    peer = Peer()
    peer.exchange(parts[0])
    peer.exchange(parts[0])  # once more: it begins anew
    assert peer.exchange(parts[1])[0].hex() == "c501c100"


def test_request_and_answer_in_blocks():
    peer = Peer(100)
    parts = list(blocks_of(bytes.fromhex(OBJECT_LIST), 6, 1))
    for part in parts[:-1]:
        peer.exchange(part)
    peer.number = len(parts)
    answers = peer.exchange(parts[-1][:1] + b"\x83" + parts[-1][2:])
    assert [Block(answer).streaming for answer in answers] == [True, True, False]
    assert {Block(answer).acknowledged for answer in answers} == {len(parts)}
    assert peer.fetch(answers, 3) == reference()


def test_who_agreed_to_both_kinds_gets_what_the_request_came_in():
    peer = Peer(200, BOTH_KINDS)
    assert peer.exchange(OBJECT_LIST)[0][:2].hex() == "c402"
    answer = peer.exchange(block(1, 0, bytes.fromhex(OBJECT_LIST), window=2))
    assert [Block(one).number for one in answer] == [1, 2]


def test_a_request_longer_than_the_meter_takes_is_aborted():
    peer = Peer(1024)
    octets = bytes.fromhex("c101c100010000600101ff0200" + "0982ffff") + bytes(233)
    answers = []
    for number in range(1, 200):
        answers = peer.exchange(block(number, 0, octets, last=False))
        if answers == [ABORT]:
            break
    assert answers == [ABORT]
    assert (number - 1) * len(octets) <= MAX_LONG_REQUEST < number * len(octets)


@pytest.mark.parametrize(
    "inside",
    ["e0810001000000", "6203800100", "601da109060760857405080101be10040e", "ff", "d80101"],
)
def test_only_services_come_in_blocks(inside):
    peer = Peer()
    answers = peer.exchange(block(1, 0, bytes.fromhex(inside)))
    assert answers[0][:2] == b"\xd8\x02"
    assert peer.exchange(bytes.fromhex(ENERGY))[0].hex() == ENERGY_ANSWER


@pytest.mark.parametrize("octets", ["e0", "e081", "e08100010000", "e081000100000501", "e08100"])
def test_malformed_blocks(octets):
    peer = Peer()
    assert peer.exchange(bytes.fromhex(octets))[0].hex() == "d80103"


def test_refused_where_it_was_not_negotiated_or_before_the_association():
    peer = Peer(services=0x007E1F)
    request = block(1, 0, bytes.fromhex(ENERGY))
    assert peer.exchange(request)[0].hex() == "d80102"
    assert Rig().apdu(request).hex() == "d80101"
    assert peer.rig.apdu(request, sap=16).hex() == "d80101"


def test_a_lost_link_ends_the_transfer():
    peer = Peer()
    peer.exchange(OBJECT_LIST)
    peer.rig.channel.lost()
    assert peer.exchange(block(1, 1))[0].hex() == "d80101"
    peer.rig.associate(services=GENERAL_ONLY)
    assert peer.exchange(block(1, 1)) == [ABORT]
