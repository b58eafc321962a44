"""Ports: the RS485 driver's direction on a modelled UART, a UART that is written in pieces."""

import io
import random
import sys
from math import ceil
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import Bench

from drivers import rs485
from drivers.piecewise_uart import PiecewiseUart
from drivers.rs485 import Rs485

POLL, READABLE, WRITABLE = 3, 1, 4
SEED = 485


class Uart:
    """A UART with a send buffer and a shift register: what is on its wire, and when."""

    def __init__(self, bench, buffer=2100):
        self.bench = bench
        self.buffer = buffer
        self.received = bytearray()
        self.wire = []  # begin and end of each octet, and the octet
        self.bit_us = 0
        self.bits = 0

    def init(self, baudrate, bits, parity, stop):
        self.bit_us = 1_000_000 / baudrate
        self.bits = 1 + bits + (parity is not None) + stop

    def waiting(self):
        return sum(1 for begin, _, _ in self.wire if begin > self.bench.us)

    def write(self, data):
        taken = bytes(data)[: self.buffer - self.waiting()]
        for octet in taken:
            begin = max(self.bench.us, self.wire[-1][1] if self.wire else 0)
            self.wire.append((begin, begin + self.bits * self.bit_us, octet))
        return len(taken)

    def txdone(self):
        return not self.wire or self.wire[-1][1] <= self.bench.us

    def any(self):
        return len(self.received)

    def read(self, count):
        taken = bytes(self.received[:count])
        del self.received[:count]
        return taken or None


class Timer:
    """A hard timer on the bench."""

    PERIODIC = 1

    def __init__(self, bench):
        self.bench = bench
        self.life = 0

    def init(self, mode, period, callback, hard):
        assert mode == self.PERIODIC
        assert hard, "a collection would hold the line"
        self.life += 1
        self.next(self.life, period, callback)

    def deinit(self):
        self.life += 1

    def next(self, life, period, callback):
        def fire():
            if life == self.life:
                self.next(life, period, callback)
                callback(self)

        self.bench.at(self.bench.us + period * 1000, fire)


class Direction:
    def __init__(self, bench):
        self.bench = bench
        self.level = 1  # as a pin that floats might be
        self.edges = []

    def value(self, level=None):
        if level is None:
            return self.level
        if level != self.level:
            self.edges.append((self.bench.us, level))
        self.level = level
        return None


class Rig:
    def __init__(self, monkeypatch, baudrate=9600, **options):
        self.bench = Bench()
        monkeypatch.setattr(rs485, "time", self.bench)
        self.uart = Uart(self.bench, **options)
        self.direction = Direction(self.bench)
        self.port = Rs485(self.uart, self.direction, Timer(self.bench))
        assert self.direction.level == 0, "the line is free from the beginning"
        self.direction.edges.clear()
        self.port.init(baudrate)

    def driven(self):
        """Begin and end of each time that the line was driven."""
        edges = self.direction.edges
        assert [level for _, level in edges] == [1, 0] * (len(edges) // 2)
        return [(edges[k][0], edges[k + 1][0]) for k in range(0, len(edges), 2)]


@pytest.mark.parametrize("baudrate", [300, 9600, 115_200])
@pytest.mark.parametrize("size", [1, 25, 520])
def test_the_line_is_driven_from_a_bit_before_to_the_last_stop_bit(monkeypatch, baudrate, size):
    rig = Rig(monkeypatch, baudrate)
    assert rig.port.txdone()
    assert rig.port.write(bytes(size)) == size
    assert not rig.port.txdone()
    rig.bench.run(60_000_000)
    ((begin, end),) = rig.driven()
    first, last = rig.uart.wire[0][0], rig.uart.wire[-1][1]
    assert begin + rig.uart.bit_us <= first
    assert last <= end <= last + 1_000, "let go within a millisecond"
    assert rig.port.txdone()


def test_octets_written_while_it_sends_go_out_in_one_piece(monkeypatch):
    rig = Rig(monkeypatch, 19_200)
    source = random.Random(SEED)
    print("seed", SEED)
    sent = bytearray()
    for _ in range(50):
        piece = source.randbytes(source.randrange(1, 20))
        sent += piece
        assert rig.port.write(piece) == len(piece)
        rig.bench.run(source.randrange(len(piece) * 500))
    rig.bench.run(2_000_000)
    assert len(rig.driven()) == 1
    assert bytes(octet for _, _, octet in rig.uart.wire) == sent


def test_two_messages_leave_the_line_to_the_other_side_between_them(monkeypatch):
    rig = Rig(monkeypatch)
    for _ in range(2):
        rig.port.write(b"7 octets")
        rig.bench.run(50_000)
    times = rig.driven()
    assert len(times) == 2
    assert times[0][1] < times[1][0]


def test_format_reaches_the_uart(monkeypatch):
    rig = Rig(monkeypatch)
    rig.port.init(300, bits=7, parity=0, stop=1)
    assert (rig.uart.bits, round(rig.uart.bit_us)) == (10, 3333)
    rig.port.write(b"/")
    rig.bench.run(1_000_000)
    assert rig.driven()[0][1] >= 10 * 3333


def test_a_full_buffer_takes_what_it_can_and_the_streams_wait(monkeypatch):
    rig = Rig(monkeypatch, buffer=64)
    assert rig.port.write(bytes(200)) == 64
    assert rig.port.ioctl(POLL, READABLE | WRITABLE) == 0
    rig.bench.run(1_000_000)
    assert rig.port.ioctl(POLL, READABLE | WRITABLE) == WRITABLE
    rig.uart.received += b"abc"
    assert rig.port.ioctl(POLL, READABLE | WRITABLE) == READABLE | WRITABLE
    assert rig.port.ioctl(POLL, WRITABLE) == WRITABLE
    assert rig.port.ioctl(4, 0) == 0  # MP_STREAM_CLOSE: nothing to do
    assert rig.port.any() == 3
    assert rig.port.read(2) == b"ab"
    assert rig.port.read(2) == b"c"
    assert rig.port.read(2) is None
    assert isinstance(rig.port, io.IOBase)


class BlockingUart(Uart):
    """A UART whose `write` returns when everything has left, as on STM32."""

    def write(self, data):
        count = super().write(data)
        self.bench.run(ceil(self.wire[-1][1] - self.bench.us) if count else 0)
        return count


@pytest.mark.parametrize("baudrate", [300, 2400, 9600, 115_200])
def test_no_piece_blocks_longer_than_the_frames_ring_lasts(baudrate):
    bench = Bench()
    uart = BlockingUart(bench)
    port = PiecewiseUart(uart, piece_ms=20)
    port.init(baudrate, bits=8, parity=0)
    message = bytes(range(200))
    view, longest = memoryview(message), 0
    while view:
        begin = bench.us
        taken = port.write(view)
        assert taken
        longest = max(longest, bench.us - begin)
        view = view[taken:]
    octet_us = 11 * uart.bit_us
    assert longest <= max(20_000, octet_us + 2)
    assert bytes(octet for _, _, octet in uart.wire) == message
    assert port.txdone()


def test_pieces_before_a_rate_is_set_are_one_octet_and_polls_are_answered():
    bench = Bench()
    uart = BlockingUart(bench)
    port = PiecewiseUart(uart)
    assert port.write(b"abc") == 1
    assert port.ioctl(POLL, READABLE | WRITABLE) == WRITABLE
    uart.received += b"xy"
    assert port.ioctl(POLL, READABLE) == READABLE
    assert port.ioctl(1, 0) == 0
    assert (port.any(), port.read(5), port.read(5)) == (2, b"xy", None)
    assert port.write(b"") == 0
