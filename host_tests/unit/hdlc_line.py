"""A client's end of an HDLC line, for tests: builds commands, takes answers apart.

The check sequence is computed bit by bit here, another way than the firmware's.
"""

from app.transport import hdlc, hdlc_parameters

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
