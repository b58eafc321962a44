"""The DLMS server's part of `make bench` (tools/bench_dlms.py), on MicroPython and on CPython.

    bench_dlms.py plain|ciphered COUNT    GETs through the wrapper link, no socket
    bench_dlms.py line INFORMATION        a long list over HDLC in frames of that many octets

The first prints the time of one request in us; CPU time is for the caller to measure, who takes
off that of a run without requests. The second prints octets to the meter, octets from the meter,
octets of the list among them, frames from the meter, and the time that the meter took in us.
"""

import sys
import time

from fuzz_corpus import AARQ, ENERGY
from fuzz_meter import Meter, aes
from fuzzer import LLC, frame

from app.crypto.gcm import Gcm
from app.dlms.server import MAX_PDU
from app.port_settings import HdlcSettings
from app.transport.hdlc import HdlcLink
from app.transport.wrapper import WrapperLink

GUEK = bytes(range(16))
GAK = bytes(range(0xD0, 0xE0))
TITLE = b"TST\x00\x00\x00\x00\x01"
OBJECT_LIST = bytes.fromhex("c001c1000f0000280000ff0200")
CIPHERED_AARQ = bytes.fromhex(
    "6042a109060760857405080103a60a040854535400000000018a0207808b0760857405080201ac0a8008"
    "3132333435363738be10040e01000000065f1f0400407e1f0400"
)


def wrapped(apdu):
    size = len(apdu)
    return bytes((0, 1, 0, 1, 0, 1, size >> 8, size & 0xFF)) + apdu


class Protection:
    """A client's side of suite 0, prepared before the clock runs."""

    def __init__(self):
        self._gcm = Gcm(aes(GUEK))

    def glo(self, number):
        """A GET of the energy under authentication and encryption."""
        octets = number.to_bytes(4, "big")
        text = bytearray(len(ENERGY))
        self._gcm.encrypt(TITLE + octets, ENERGY, text, 0)
        tag = self._gcm.tag(TITLE + octets, b"\x30" + GAK, text)
        body = b"\x30" + octets + bytes(text) + tag
        return b"\xc8" + bytes((len(body),)) + body


def now_us():
    if hasattr(time, "ticks_us"):
        return time.ticks_us()
    return int(time.perf_counter() * 1e6)


def requests_of(kind, count):
    if kind == "plain":
        return [memoryview(wrapped(ENERGY))] * count
    protection = Protection()
    return [memoryview(wrapped(protection.glo(number))) for number in range(1, count + 1)]


def gets(kind, count):
    meter = Meter()
    link = WrapperLink(meter.channel, MAX_PDU, 0)
    buffer = memoryview(bytearray(512))

    def ask(octets):
        link.receive(octets, 0)
        said = link.output(buffer)
        link.output(buffer)
        return said

    good = 8 + 13 + (19 if kind == "ciphered" else 0)
    if ask(wrapped(CIPHERED_AARQ if kind == "ciphered" else AARQ)) < 40:
        raise ValueError("no association")
    requests = requests_of(kind, count)
    began = now_us()
    for request in requests:
        if ask(request) != good:
            raise ValueError("a wrong answer: " + bytes(buffer[:16]).hex())
    if count:
        print((now_us() - began) / count)


def line(information):
    """Read the object list as a client does that acknowledges and asks for the next."""
    meter = Meter()
    link = HdlcLink(meter.channel, HdlcSettings(), MAX_PDU)
    buffer = memoryview(bytearray(link.frame_max))
    size = information.to_bytes(2, "big")
    set_up = b"\x81\x80\x08\x05\x02" + size + b"\x06\x02" + size
    sent = received = frames = took_us = content = 0

    def ask(octets):
        nonlocal sent, received, frames, took_us
        began = now_us()
        link.receive(octets, 0)
        length = link.output(buffer)
        took_us += now_us() - began
        sent += len(octets)
        received += length
        frames += 1
        return bytes(buffer[:length])

    ask(frame(0x93, set_up))
    ask(frame(0x10, LLC + AARQ))
    sent = received = frames = took_us = 0
    number = turn = 1
    octets = ask(frame(turn << 5 | 0x10 | number << 1, LLC + OBJECT_LIST))
    last = False
    while not last:
        apdu = octets[8:-3]
        while octets[1] & 8:
            turn = turn + 1 & 7
            octets = ask(frame(turn << 5 | 0x11))
            apdu += octets[8:-3]
        turn = turn + 1 & 7
        apdu = apdu[apdu.find(b"\xc4") :]
        last = bool(apdu[3])
        content += len(apdu) - (10 if apdu[9] < 0x80 else 10 + (apdu[9] & 0x7F))
        if not last:
            number = number + 1 & 7
            octets = ask(frame(turn << 5 | 0x10 | number << 1, LLC + b"\xc0\x02\xc1" + apdu[4:8]))
    print(sent, received, content, frames, took_us)


if sys.argv[1] == "line":
    line(int(sys.argv[2]))
else:
    gets(sys.argv[1], int(sys.argv[2]))
