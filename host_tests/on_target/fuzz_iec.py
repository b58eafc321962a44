"""Octets of the optical head into an IEC 62056-21 session: sign-on, read-out, programming."""

from fuzz_corpus import below, choice, mutated
from fuzz_meter import FuzzError, Meter

from app import factory
from app.port_settings import HdlcSettings, LocalPortSettings
from app.transport.data_sets import DataSets
from app.transport.iec62056_21 import Session
from app.transport.programming import Commands

EPISODE = 8
LOCK_MS = 61_000
LONGEST_MESSAGE = 20_000  # a read-out of every register
PASSWORD = b"P1\x02(12345678)"
COMMANDS = (
    PASSWORD,
    b"P2\x02(00000000)",
    b"R1\x02C.1.0()",
    b"R1\x021-0:1.8.0*255()",
    b"R5\x021-0:1.8.0*255(2)",
    b"R2\x020003010001080002()",
    b"W1\x020-0:96.1.8*255(Kitchen)",
    b"W5\x020-0:1.0.0*255(20260131)",
    b"W2\x0200010000600108FF02(0901FF)",
    b"B0",
    b"E2\x02()",
)
OPTIONS = (b"050", b"051", b"052", b"252", b"256", b"059", b"0:1", b"999")
SIGN_ONS = (b"/?!\r\n", b"/?00000001!\r\n", b"/?0000001!\r\n", b"/?99999999!\r\n", b"/? !\r\n")


def with_parity(octets):
    """Even parity in bit 7, as a port sees it that takes 8 bits."""
    checked = []
    for octet in octets:
        ones = sum([octet >> bit & 1 for bit in range(7)])
        checked.append(octet & 0x7F | (ones & 1) << 7)
    return bytes(checked)


def command(text):
    """SOH, the text, ETX and the block check."""
    check = 3
    for octet in text:
        check ^= octet & 0x7F
    return b"\x01" + text + b"\x03" + bytes((check,))


class _Variant:
    phases = 3


class IecFuzz:
    """A session above the meter's real objects, and the clock of the line."""

    name = "iec"

    def __init__(self):
        self.meter = meter = Meter()
        self._settings = LocalPortSettings(
            b"00000001", meter.settings, "optical_port", "optical_texts"
        )
        data = DataSets(meter.resolver, meter.objects.find)
        readout = factory.readout_list(_Variant())
        self._session = Session(
            self._settings,
            HdlcSettings(),
            b"Ferraris-103",
            lambda: Commands(self._settings, data, meter.security),
            lambda: readout,
        )
        self._buffer = memoryview(bytearray(64))

    def make(self):
        """An episode: mostly a sign-on and a choice, then messages good, mutated and broken."""
        parity = not below(3)
        messages = []
        if below(8):
            messages.append(choice(SIGN_ONS[:2]))
            messages.append(b"\x06" + choice(OPTIONS if not below(4) else (b"051",)) + b"\r\n")
        if below(4):
            messages.append(command(PASSWORD))
        for _ in range(EPISODE):
            kind = below(8)
            if kind < 4:
                messages.append(command(mutated(choice(COMMANDS), COMMANDS)))
            elif kind == 4:
                messages.append(mutated(command(choice(COMMANDS)), COMMANDS))
            elif kind == 5:
                messages.append(mutated(choice(SIGN_ONS), SIGN_ONS))
            elif kind == 6:
                messages.append(b"\x06" + mutated(choice(OPTIONS), OPTIONS) + b"\r\n")
            else:
                messages.append(choice((b"\x15", b"\x15" * 5, b"\x06", b"/" * 300, b"\x01" * 9)))
        for message in messages:
            yield with_parity(message) if parity else message

    def feed(self, octets):
        """One input: octets as they come, whole or in pieces."""
        self.exchange(octets, 1 + len(octets) % 3 * 20)

    def exchange(self, octets, piece):
        """What the head says to the octets."""
        session = self._session
        said = b""
        at = 0
        while at < len(octets) and not session.hdlc:
            at += session.receive(memoryview(octets)[at : at + piece], self.meter.now_ms)
            said += self._hear()
        self.meter.now_ms += 20
        self.meter.check()
        return said

    def _hear(self):
        session = self._session
        said = b""
        wait_ms = session.wait_ms(self.meter.now_ms)
        while wait_ms >= 0:
            if wait_ms > 1500:
                raise FuzzError("an answer that waits {} ms".format(wait_ms))
            self.meter.now_ms += wait_ms
            length = session.output(self._buffer, self.meter.now_ms)
            said += bytes(self._buffer[:length])
            if len(said) > LONGEST_MESSAGE:
                raise FuzzError("the head does not stop talking")
            wait_ms = session.wait_ms(self.meter.now_ms)
        return said

    def settle(self):
        """After silence a sign-on is answered, and the password still opens."""
        session = self._session
        session.hdlc_ended()
        for _ in range(6):
            self.meter.now_ms += LOCK_MS
            session.poll(self.meter.now_ms)
            self._hear()
        # a session may have set another address or password: whoever knew the first may
        self._settings.load()
        if self.exchange(b"/?!\r\n", 64)[:4] not in (b"/FRS", b"/FRs"):
            raise FuzzError("the next sign-on is not answered")
        if self.exchange(b"\x06050\r\n", 64)[:1] != b"\x02":
            raise FuzzError("the next read-out does not come")
