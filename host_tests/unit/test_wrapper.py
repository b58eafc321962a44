"""The DLMS wrapper of TCP: headers, splits, limits, silence (IEC 62056-47)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.transport import wrapper


def wrap(apdu, source=16, destination=1, version=1, length=None):
    size = len(apdu) if length is None else length
    words = (version, source, destination, size)
    return b"".join(word.to_bytes(2, "big") for word in words) + apdu


class EchoChannel:
    def __init__(self):
        self.requests = []
        self.lost_count = 0
        self.answer = None
        self.further = []

    def request(self, client_sap, server_sap, apdu, reply, now_ms):
        self.requests.append((client_sap, server_sap, bytes(apdu)))
        answer = bytes(apdu).lower() if self.answer is None else self.answer
        reply[: len(answer)] = answer
        return len(answer)

    def more(self, reply):
        answer = self.further.pop(0) if self.further else b""
        reply[: len(answer)] = answer
        return len(answer)

    def lost(self):
        self.lost_count += 1


class Connection:
    def __init__(self, max_pdu=1024, size=512):
        self.channel = EchoChannel()
        self.link = wrapper.WrapperLink(self.channel, max_pdu, 0)
        self.buffer = memoryview(bytearray(size))

    def send(self, octets):
        out = b""
        while octets and not self.link.closed:
            octets = octets[self.link.receive(octets, 0) :]
            length = self.link.output(self.buffer)
            while length:
                out += bytes(self.buffer[:length])
                length = self.link.output(self.buffer)
        return out


@pytest.mark.row("TCP-01")
def test_reply_goes_back_to_the_port_it_came_from():
    connection = Connection()
    assert connection.send(wrap(b"GET", 102)) == wrap(b"get", 1, 102)
    assert connection.channel.requests == [(102, 1, b"GET")]


def test_frames_of_gurux_are_understood():
    gurux = pytest.importorskip("gurux_dlms")
    from gurux_dlms.enums import InterfaceType

    client = gurux.GXDLMSClient(True, 16, 1, interfaceType=InterfaceType.WRAPPER)
    aarq = bytes(client.aarqRequest()[0])
    connection = Connection()
    answer = connection.send(aarq)
    assert connection.channel.requests[0][:2] == (16, 1)
    assert answer[:8] == wrap(answer[8:], 1, 16)[:8]
    assert answer[8:] == aarq[8:].lower()


def test_frames_of_dlms_cosem_are_understood():
    module = pytest.importorskip("dlms_cosem.protocol.wrappers")
    header = module.WrapperHeader(source_wport=1, destination_wport=1, length=3)
    request = module.WrapperProtocolDataUnit(b"GET", header).to_bytes()
    answer = module.WrapperProtocolDataUnit.from_bytes(Connection().send(request))
    assert answer.data == b"get"


@settings(max_examples=60)
@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 40))
def test_any_split_gives_the_same_answers(cuts, size):
    stream = wrap(b"ONE") + wrap(b"TWO" * 100, 1) + wrap(b"3", 32)
    connection = Connection(size=size)
    out = b""
    at = 0
    for cut in cuts:
        out += connection.send(stream[at : at + cut])
        at += cut
    out += connection.send(stream[at:])
    assert out == wrap(b"one", 1, 16) + wrap(b"two" * 100, 1, 1) + wrap(b"3", 1, 32)


@pytest.mark.row("TCP-02")
@pytest.mark.parametrize(
    "octets",
    [
        wrap(b"GET", version=2),
        wrap(b"GET", version=0x100),
        wrap(b"", length=1025),
        wrap(b"", length=0xFFFF),
    ],
)
def test_senseless_header_closes(octets):
    connection = Connection()
    assert connection.send(octets + wrap(b"GET")) == b""
    assert connection.link.closed
    assert connection.channel.requests == []


def test_an_apdu_of_no_octets_goes_up_like_any_other():
    connection = Connection()
    connection.channel.answer = b"what?"
    assert connection.send(wrap(b"") + wrap(b"GET")) == wrap(b"what?", 1, 16) * 2
    assert connection.channel.requests == [(16, 1, b""), (16, 1, b"GET")]


def test_what_follows_an_answer_unasked_goes_to_who_asked():
    connection = Connection(size=5)
    connection.channel.further = [b"two", b"three"]
    assert connection.send(wrap(b"ONE", 102)) == (
        wrap(b"one", 1, 102) + wrap(b"two", 1, 102) + wrap(b"three", 1, 102)
    )
    connection.channel.answer = b""
    connection.channel.further = [b"never"]
    assert connection.send(wrap(b"ONE")) == b"", "nothing follows where nothing was said"


def test_longest_request_and_answer_fit():
    connection = Connection(max_pdu=300)
    connection.channel.answer = bytes(range(256)) + bytes(44)
    assert connection.send(wrap(bytes(300))) == wrap(connection.channel.answer, 1, 16)


def test_request_without_answer():
    connection = Connection()
    connection.channel.answer = b""
    assert connection.send(wrap(b"TELL")) == b""
    connection.channel.answer = None
    assert connection.send(wrap(b"ASK")) == wrap(b"ask", 1, 16)


@pytest.mark.row("TCP-03")
def test_silence_closes():
    link = wrapper.WrapperLink(EchoChannel(), 100, 5)
    assert link.poll(5) == 180_000
    link.receive(b"\x00", 1005)
    assert link.poll(181_004) == 1 and not link.closed
    assert link.poll(181_005) == -1 and link.closed
    link.inactivity_s = 0
    assert link.poll(10**9) == -1


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_octets_are_answered_or_close(octets):
    connection = Connection(max_pdu=64)
    connection.send(octets)
    for client, server, apdu in connection.channel.requests:
        assert wrap(apdu, client, server) in octets
