"""A client's end of an optical head, for tests: the session over a real catalogue, and a clock.

The block check is computed as the standard words it: the exclusive or of everything behind the
first SOH or STX, up to and with ETX (IEC 62056-21, 6.3.14 and figure 2).
"""

import functools
import operator

from dlms_rig import Rig, Variant

from app import factory
from app.port_settings import HdlcSettings, LocalPortSettings
from app.transport.data_sets import DataSets
from app.transport.iec62056_21 import Session
from app.transport.programming import Commands

SERIAL = b"00000001"
PASSWORD = b"12345678"


def bcc(octets):
    return bytes([functools.reduce(operator.xor, octets)])


def command(text, data=None):
    """SOH text STX data ETX BCC; without data there is no STX."""
    body = text + (b"" if data is None else b"\x02" + data) + b"\x03"
    return b"\x01" + body + bcc(body)


def with_parity(octets):
    """7 bits and even parity as a port sees them that takes 8 bits."""
    return bytes(octet | (bin(octet).count("1") & 1) << 7 for octet in octets)


class Head:
    """The optical head with a clock that only tests turn on."""

    def __init__(self, rig=None):
        self.rig = rig or Rig()
        self.settings = LocalPortSettings(
            SERIAL, self.rig.settings, "optical_port", "optical_texts"
        )
        self.hdlc = HdlcSettings()
        self.data = DataSets(self.rig.resolver, self.rig.catalogue.find)
        self.commands = Commands(self.settings, self.data, self.rig.security)
        self.list = factory.readout_list(Variant())
        self.session = Session(
            self.settings, self.hdlc, b"Ferraris-103", lambda: self.commands, lambda: self.list
        )
        self.buffer = memoryview(bytearray(64))
        self.now_ms = 1000
        self.waited_ms = 0  # before the last answer

    def wait(self, ms):
        """Let time pass as the link's task does; return what the head says in it."""
        said = b""
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            left_ms = self.session.poll(self.now_ms)
            said += self.hear()
            step_ms = end_ms - self.now_ms if left_ms < 0 else min(left_ms, end_ms - self.now_ms)
            self.now_ms += max(step_ms, 1)
        self.session.poll(self.now_ms)
        return said + self.hear()

    def hear(self):
        """What the head has to say now, with the pause it makes before."""
        said = b""
        self.waited_ms = 0
        left_ms = self.session.wait_ms(self.now_ms)
        while left_ms >= 0:
            self.now_ms += left_ms
            self.waited_ms += left_ms
            length = self.session.output(self.buffer, self.now_ms)
            said += bytes(self.buffer[:length])
            left_ms = self.session.wait_ms(self.now_ms)
        return said

    def send(self, octets, gap_ms=0):
        """Send octets, one by one with a gap if asked; return the answers."""
        answers = b""
        pieces = [octets[at : at + 1] for at in range(len(octets))] if gap_ms else [octets]
        for piece in pieces:
            rest = piece
            while rest:
                taken = self.session.receive(rest, self.now_ms)
                rest = rest[taken:]
                answers += self.hear()
                if self.session.hdlc:
                    break
            self.now_ms += gap_ms
        return answers

    def sign_on(self, address=b""):
        return self.send(b"/?" + address + b"!\r\n")

    def programming(self):
        """Sign on and choose programming mode; return the password request."""
        assert self.sign_on()
        return self.send(b"\x06051\r\n")

    def open(self, password=PASSWORD, kind=b"P1"):
        """Open programming mode with a password."""
        self.programming()
        return self.send(command(kind, b"(" + password + b")"))

    def ask(self, kind, data):
        """Send a command in programming mode; return the data of the answer, checked."""
        answer = self.send(command(kind, data))
        if answer in (b"\x06", b"\x15", b""):
            return answer
        assert answer[:1] == b"\x02" and answer[-2:-1] == b"\x03"
        assert bcc(answer[1:-1]) == answer[-1:]
        return answer[1:-2]


def lines(data_message):
    """The lines of a data message, its frame and block check verified."""
    assert data_message[:1] == b"\x02"
    assert data_message[-2:-1] == b"\x03"
    assert bcc(data_message[1:-1]) == data_message[-1:]
    text = data_message[1:-2].decode("ascii")
    assert text.endswith("!\r\n")
    return text[:-3].splitlines()
