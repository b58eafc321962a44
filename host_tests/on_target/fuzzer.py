"""Byte-level fuzzing of what reads foreign octets: server, HDLC, wrapper, IEC 62056-21, A-XDR.

The same file runs on MicroPython (test_fuzz.py, `make fuzz`) and on CPython. An input is mutated
from valid requests and frames by a seeded generator. Inputs come in batches on one fresh meter
each; a batch is kept, because what one input leaves behind meets the next, and can be replayed.
Checked for every input: no exception, answers are a server's APDUs and not too long, no defect is
counted; after every few a good request is answered; between batches the heap is at its level.
"""

import gc

from fuzz_corpus import (
    AARQ,
    AARQ_CIPHERED,
    AARQ_GMAC,
    AARQ_PUBLIC,
    APDUS,
    NAME,
    VALUES,
    below,
    choice,
    mutated,
)
from fuzz_iec import IecFuzz
from fuzz_meter import FuzzError, Meter, aes, spoken

from app import axdr
from app.crypto.gcm import Gcm
from app.dlms.server import MAX_PDU, WORKING
from app.errors import EncodingError, TypeUnmatched
from app.port_settings import HdlcSettings
from app.transport.hdlc import HdlcLink
from app.transport.hdlc_frame import crc16
from app.transport.wrapper import WrapperLink

BATCH = 400  # inputs on one meter
EPISODE = 8  # inputs between two good requests
HEAP_OF_A_METER = 12288  # what settings that a client writes may add to a meter
HEAP_BETWEEN_METERS = 12288  # of one with grown buffers a stale pointer may keep; not of each
LONGEST_WINDOW = 64  # APDUs in a row
LOCK_MS = 61_000  # longer than the lock after failed log-ins

GUEK = bytes(range(16))
GAK = bytes(range(0xD0, 0xE0))
TITLE = b"TST\x00\x00\x00\x00\x01"
# What a server may answer with: ACSE, plain and protected services, exception
ANSWERS = bytes.fromhex("6163c4c5c7cccdcfd4d5d7d8dadbdcdddfe0")


class ChannelFuzz:
    """APDUs straight into a channel, in and out of associations, ciphered ones too."""

    name = "channel"

    def __init__(self):
        self.meter = Meter()
        self._reply = bytearray(MAX_PDU)
        self._gcm = Gcm(aes(GUEK))
        self._counter = 1
        self._ciphered = False

    def ask(self, sap, apdu):
        meter = self.meter
        length = meter.channel.request(sap, 1, memoryview(apdu), self._reply, meter.now_ms)
        while length == WORKING:
            length = meter.channel.proceed(self._reply)
        first = bytes(memoryview(self._reply)[: max(0, length)])
        said = 0
        while length:
            if not 0 <= length <= MAX_PDU:
                raise FuzzError("an answer of {} octets".format(length))
            if self._reply[0] not in ANSWERS:
                raise FuzzError("an answer that begins with {:02x}".format(self._reply[0]))
            said += 1
            if said > LONGEST_WINDOW:
                raise FuzzError("the channel does not stop talking")
            length = meter.channel.more(self._reply)
        meter.check()
        return first

    def make(self):
        """An episode: how it begins, then mutated requests."""
        kind = below(8)
        self._ciphered = kind == 0
        start = (AARQ_CIPHERED, AARQ_PUBLIC, AARQ_GMAC, AARQ, AARQ, AARQ, AARQ, b"")[kind]
        sap = 16 if kind == 1 else 1
        for number in range(EPISODE):
            if number % 3 == 0:  # one mutated request or the other has ended it
                yield bytes((sap,)) + start
            apdu = mutated(choice(APDUS), APDUS)
            if self._ciphered and below(4):
                apdu = self._protected(apdu)
                if not below(3):
                    apdu = mutated(apdu, APDUS)
            yield bytes((sap if below(16) else choice((1, 16, 102, 32, 64, 0)),)) + apdu

    def _protected(self, apdu):
        """The APDU as glo-ciphering or general-glo-ciphering with a good tag."""
        self._counter += 1
        number = self._counter.to_bytes(4, "big")
        nonce = TITLE + number
        text = bytearray(len(apdu))
        self._gcm.encrypt(nonce, apdu, text, 0)
        tag = self._gcm.tag(nonce, b"\x30" + GAK, text)
        body = b"\x30" + number + bytes(text) + tag
        length = b"\x82" + len(body).to_bytes(2, "big")
        if below(2):
            return b"\xdb\x08" + TITLE + length + body
        return bytes((apdu[0] + 8 & 0xFF if apdu else 0xC8,)) + length + body

    def feed(self, octets):
        """One input: the client's SAP, then the APDU."""
        self.ask(octets[0], octets[1:])

    def settle(self):
        """A good request is answered."""
        self.meter.now_ms += LOCK_MS
        if self.ask(16, AARQ_PUBLIC)[17:18] != b"\x00":
            raise FuzzError("the next good AARQ is refused")
        if self.ask(16, NAME)[:8] != b"\xc4\x01\xc1\x00\x09\x10FR":
            raise FuzzError("the next good GET is not answered")


def check_sequence(octets):
    """HCS or FCS of the octets, low octet first."""
    return (crc16(octets) ^ 0xFFFF).to_bytes(2, "little")


def frame(control, information=b"", client=1, server=b"\x03", segmented=False):
    """A frame with good check sequences between two flags."""
    size = 6 + len(server) + (len(information) + 2 if information else 0)
    head = bytes((0xA0 | segmented << 3 | size >> 8 & 7, size & 0xFF)) + server
    head += bytes((client << 1 | 1, control & 0xFF))
    body = head + check_sequence(head)
    if information:
        body += information
        body += check_sequence(body)
    return b"\x7e" + body + b"\x7e"


SNRM = bytes.fromhex("818014050207ee060207ee070400000001080400000007")
LLC = b"\xe6\xe6\x00"
SERVERS = (b"\x03", b"\x02\x23", b"\x00\x02\x00\x23", b"\xff", b"\x00\x02\x00\x25")


class HdlcFuzz:
    """Octets of a line into an HDLC link above the server: frames good, mutated and broken."""

    name = "hdlc"

    def __init__(self):
        self.meter = Meter()
        self._settings = HdlcSettings()
        self._link = HdlcLink(self.meter.channel, self._settings, MAX_PDU)
        self._buffer = memoryview(bytearray(self._link.frame_max))

    def make(self):
        """An episode: mostly a link and an association, then mutated frames."""
        if below(8):
            yield frame(0x93, SNRM if below(2) else b"") + frame(0x10, LLC + AARQ)
        number = 1
        received = 1
        for _ in range(EPISODE):
            kind = below(8)
            if kind < 4:  # a good frame around a mutated APDU
                information = mutated(LLC + choice(APDUS), APDUS)
                segmented = not below(8)
                octets = frame(
                    received << 5 | 0x10 | number << 1, information, 1, b"\x03", segmented
                )
                number = number + 1 & 7
                received = received if segmented else received + 1 & 7
            elif kind == 4:  # any control field, address and parameters, good checks
                octets = frame(
                    below(256), mutated(choice((SNRM, LLC + NAME)), APDUS), below(128),
                    choice(SERVERS), not below(4),
                )  # fmt: skip
            elif kind == 5:
                octets = frame(choice((0x93, 0x53, 0x11, 0x15, 0x31, 0x13, 0x97, 0x73)))
            else:  # broken frames
                octets = mutated(frame(0x10 | number << 1, LLC + choice(APDUS)), APDUS)
                if kind == 7:
                    octets = octets + octets[1:]
            yield octets

    def feed(self, octets):
        """One input: octets as they come from the line, whole or in pieces."""
        self.exchange(octets, 1 + len(octets) % 7 * 40)

    def exchange(self, octets, piece):
        """Frames that come back, the buffer of the last one being kept."""
        link = self._link
        frames = []
        at = 0
        idle = 0
        while at < len(octets):
            taken = link.receive(memoryview(octets)[at : at + piece], self.meter.now_ms)
            at += taken
            length = spoken(link, self._buffer)
            idle = 0 if taken or length else idle + 1
            if idle > 1:
                raise FuzzError("the link takes nothing and says nothing")
            while length:
                if length > len(self._buffer):
                    raise FuzzError("a frame of {} octets".format(length))
                frames.append(bytes(self._buffer[:length]))
                if len(frames) > 200:
                    raise FuzzError("the link does not stop talking")
                length = spoken(link, self._buffer)
        self.meter.check()
        return frames

    def settle(self):
        """After silence a client connects, associates and reads."""
        self.meter.now_ms += LOCK_MS
        self._link.poll(self.meter.now_ms)
        self.exchange(b"\x7e", 1)  # ends a frame that was cut short
        self.meter.now_ms += 1000
        answers = []
        for octets in (
            frame(0x93, b"", 16),
            frame(0x10, LLC + AARQ_PUBLIC, 16),
            frame(0x32, LLC + NAME, 16),
        ):
            answers = self.exchange(octets, 64)
        if len(answers) != 1 or b"\xc4\x01\xc1\x00\x09\x10FR" not in answers[0]:
            raise FuzzError("the next good request is not answered")


class WrapperFuzz:
    """Octets of a TCP connection into a wrapper link above the server."""

    name = "wrapper"

    def __init__(self):
        self.meter = Meter()
        self._buffer = memoryview(bytearray(2048))
        self._open()

    def _open(self):
        self._link = WrapperLink(self.meter.channel, MAX_PDU, self.meter.now_ms)

    @staticmethod
    def wrapped(apdu, sap=1):
        size = len(apdu)
        return bytes((0, 1, 0, sap, 0, 1, size >> 8, size & 0xFF)) + apdu

    def make(self):
        """An episode: mostly an association, then APDUs in headers good and bad."""
        if below(8):
            yield self.wrapped(AARQ)
        for _ in range(EPISODE):
            octets = self.wrapped(mutated(choice(APDUS), APDUS))
            kind = below(4)
            if kind == 0:
                octets = mutated(octets, APDUS)
            elif kind == 1:
                octets += self.wrapped(choice(APDUS))
            yield octets

    def feed(self, octets):
        """One input: octets as they come, whole or in pieces."""
        self.exchange(octets, 1 + len(octets) % 5 * 50)
        if self._link.closed:
            self._link.lost()
            self._open()

    def exchange(self, octets, piece):
        """What comes back."""
        link = self._link
        answer = b""
        at = 0
        while at < len(octets) and not link.closed:
            taken = link.receive(memoryview(octets)[at : at + piece], self.meter.now_ms)
            at += taken
            length = spoken(link, self._buffer[: 16 + piece])
            if not taken and not length and not link.closed:
                raise FuzzError("the link takes nothing and says nothing")
            while length:
                answer += bytes(self._buffer[:length])
                length = spoken(link, self._buffer[: 16 + piece])
        if len(answer) > 64 * MAX_PDU:
            raise FuzzError("more is answered than was asked")
        self.meter.check()
        return answer

    def settle(self):
        """A new connection is served."""
        self._link.lost()
        self.meter.now_ms += LOCK_MS
        self._open()
        self.exchange(self.wrapped(AARQ_PUBLIC, 16), 64)
        if b"\xc4\x01\xc1\x00\x09\x10FR" not in self.exchange(self.wrapped(NAME, 16), 64):
            raise FuzzError("the next good request is not answered")


class AxdrFuzz:
    """Octets into the reader of A-XDR values: a value, or one of two errors."""

    name = "axdr"

    def make(self):
        """Mutated values."""
        for _ in range(EPISODE):
            yield mutated(choice(VALUES), VALUES)

    def feed(self, octets):
        """Read the value as data, as nothing, and as every type that is expected."""
        reader = axdr.Reader(octets)
        try:
            value = reader.data()
        except EncodingError:
            value = None
        end = reader.at
        if end > len(octets):
            raise FuzzError("read beyond the end")
        reader = axdr.Reader(octets)
        try:
            reader.skip()
            if value is None or reader.at != end:
                raise FuzzError("data and skip disagree")
        except EncodingError:
            if value is not None:
                raise FuzzError("data and skip disagree") from None
        for read in (
            lambda r: r.number(axdr.UINT32),
            lambda r: r.octet_string(1, 64),
            lambda r: r.structure(2),
            axdr.Reader.array,
            axdr.Reader.boolean,
            axdr.Reader.long,
        ):
            try:
                read(axdr.Reader(octets))
            except (EncodingError, TypeUnmatched):
                pass
        if value is not None:
            self._again(value, end)

    @staticmethod
    def _again(value, end):
        writer = axdr.Writer(bytearray(2 * end + 8))
        writer.data(value[0], value[1])
        again = axdr.Reader(writer.buffer, 0, writer.at).data()
        if repr(again) != repr(value):
            raise FuzzError("a value changes when it is written and read")

    def settle(self):
        """A good value is read."""
        if axdr.Reader(b"\x02\x02\x0f\xff\x16\x1e").data() != (2, [(15, -1), (22, 30)]):
            raise FuzzError("the next good value is not read")


TARGETS = {one.name: one for one in (ChannelFuzz, HdlcFuzz, WrapperFuzz, IecFuzz, AxdrFuzz)}


def heap():
    """Octets of heap in use, 0 where the interpreter cannot tell."""
    gc.collect()
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


class Failure:
    """What went wrong, and the inputs of its batch, the last one being the culprit."""

    def __init__(self, target, text, inputs):
        self.target = target
        self.text = text
        self.inputs = inputs

    def save(self, path):
        """Write the batch as text that `replay` takes."""
        with open(path, "w") as file:
            file.write(self.target + "\n# " + self.text.replace("\n", " ") + "\n")
            for octets in self.inputs:
                file.write((octets.hex() if octets is not None else "settle") + "\n")


def describe(error):
    return (
        error.args[0]
        if isinstance(error, FuzzError)
        else "{}: {}".format(type(error).__name__, error)
    )


def run_batch(name, count=BATCH):
    """Feed `count` or a few more inputs to a fresh meter; return (inputs fed, Failure or None)."""
    inputs = []
    fed = 0
    try:
        target = TARGETS[name]()
        target.settle()
        level = heap()
        while fed < count:
            for octets in target.make():
                inputs.append(octets)
                target.feed(octets)
                fed += 1
            inputs.append(None)
            target.settle()
        # the list of inputs is the harness's own
        kept = sum([64 + len(octets or b"") for octets in inputs]) + 64 * len(inputs)
        grown = heap() - level - kept
        if grown > HEAP_OF_A_METER:
            raise FuzzError("the heap grew by {} octets".format(grown))
    except Exception as error:
        return fed, Failure(name, describe(error), inputs)
    return fed, None


def run(name, count, progress=None):
    """Feed `count` inputs in batches; return (inputs fed, Failure or None)."""
    fed = 0
    level = 0
    batches = 0
    while fed < count:
        done, failure = run_batch(name, min(BATCH, count - fed))
        fed += done
        batches += 1
        if failure is not None:
            return fed, failure
        now = heap()
        if batches == 2:
            level = now
        elif batches > 2 and now > level + HEAP_BETWEEN_METERS:
            return fed, Failure(name, "{} octets of heap stay behind".format(now - level), [])
        if progress is not None:
            progress(fed)
    return fed, None


def replay(path):
    """Feed the inputs of a file that `Failure.save` wrote; return the Failure or None."""
    with open(path) as file:
        lines = [line.strip() for line in file if not line.startswith("#")]
    target = TARGETS[lines[0]]()
    inputs = []
    try:
        target.settle()
        for line in lines[1:]:
            inputs.append(None if line == "settle" else bytes.fromhex(line))
            if line == "settle":
                target.settle()
            else:
                target.feed(inputs[-1])
    except Exception as error:
        return Failure(lines[0], describe(error), inputs)
    return None
