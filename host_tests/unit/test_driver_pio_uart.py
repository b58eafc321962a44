"""The driver of the PIO's UART on models of DMA and FIFOs: what goes in, out, and wrong."""

import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import rp2_double

memory, dma = rp2_double.install()

from drivers import rp2_pio_uart
from drivers.serial_frame import SerialFrame

SENDER, RECEIVER = 5, 6  # of the second PIO
TXF, RXF_HIGH = 0x50300014, 0x5030002A  # RP2040 data sheet: TXF1, and the upper half of RXF2
TREQ_TX, TREQ_RX = 9, 14  # DREQ_PIO1_TX1, DREQ_PIO1_RX2


class Clock:
    us = 0


class Rig:
    """A port, its FIFOs and the other end of its line."""

    def __init__(self, monkeypatch, **buffers):
        # the driver's own modules, whatever other tests have installed since
        self.memory, self.dma = rp2_double.install()
        monkeypatch.setattr(sys.modules["uctypes"], "addressof", self.memory.addressof)
        monkeypatch.setattr(rp2_pio_uart.rp2, "DMA", rp2_double.Channel)
        self.sent = []
        self.memory.writes[TXF] = self.sent.append
        self.words = []
        self.memory.reads[RXF_HIGH] = lambda: self.words.pop(0)
        self.clock = Clock()
        monkeypatch.setattr(time, "ticks_us", lambda: self.clock.us, raising=False)
        monkeypatch.setattr(time, "ticks_diff", lambda a, b: a - b, raising=False)
        self.registers = {0x40014004: 0x16, 0x4001400C: 0x16}
        self.port = rp2_pio_uart.Rp2PioUart(
            (SENDER, "TX"),
            (RECEIVER, "RX"),
            ((self.registers, 0x40014004, 8), (self.registers, 0x4001400C, 16)),
            **buffers,
        )
        self.sender, self.receiver = rp2_double.StateMachine.made
        self.frame = None

    def open(self, baudrate, bits, parity, stop=1):
        self.port.init(baudrate, bits, parity, stop)
        self.frame = SerialFrame(bits, parity, stop)

    def leave(self):
        """The sender takes everything."""
        while self.dma.request(TREQ_TX):
            pass

    def come(self, octets, spoil=0):
        """Characters come, with these bits of the word turned over."""
        for octet in octets:
            word = self.frame.encode(octet) >> 1 & (1 << self.frame.heard_bits) - 1
            self.words.append((word ^ spoil) << 16 - self.frame.heard_bits)
            assert self.dma.request(TREQ_RX)


@pytest.fixture
def rig(monkeypatch):
    return Rig(monkeypatch)


def test_what_the_machines_are_told(rig):
    rig.open(2400, 8, 0)
    assert rig.sender.freq == rig.receiver.freq == 8 * 2400
    assert rig.sender.machine_id == SENDER and rig.sender.pins["out_base"] == "TX"
    assert rig.receiver.pins["in_base"] == rig.receiver.pins["jmp_pin"] == "RX"
    # a start bit, 8 of data, parity and stop; without the start bit
    assert ("put", 11 - 2) in rig.sender.log and ("put", 10 - 2) in rig.receiver.log
    assert ("init", {"in_base": "RX", "jmp_pin": "RX", "push_thresh": 10}) in rig.receiver.log
    assert rig.sender.log[-1] == rig.receiver.log[-1] == ("active", 1)


def test_inverted_lines_are_inverted_after_the_machines_have_taken_the_pins(rig):
    rig.open(115_200, 8, None)
    assert rig.registers == {0x40014004: 0x16 | 1 << 8, 0x4001400C: 0x16 | 1 << 16}


@pytest.mark.parametrize(
    ("bits", "parity", "stop"), [(8, None, 1), (8, 0, 1), (7, 0, 1), (8, 1, 2)]
)
def test_octets_go_out_and_come_in(rig, bits, parity, stop):
    rig.open(9600, bits, parity, stop)
    octets = bytes(range(1 << bits))
    assert rig.port.write(octets) == len(octets)
    rig.leave()
    assert [word & 0xFFFF for word in rig.sent] == [rig.frame.encode(octet) for octet in octets]
    rig.come(octets)
    assert rig.port.any() == len(octets)
    assert rig.port.read(100) + rig.port.read(1000) == octets
    assert rig.port.any() == 0 and rig.port.read(10) is None


def test_a_port_is_writable_again_when_the_last_stop_bit_has_left(rig):
    rig.open(9600, 8, None)
    assert rig.port.txdone() and rig.port.ioctl(3, 4) == 4
    assert rig.port.write(b"ab") == 2
    assert not rig.port.txdone() and rig.port.write(b"c") is None
    rig.sender.words = 1
    rig.leave()
    assert not rig.port.txdone(), "one is still in the FIFO"
    rig.sender.words = 0
    assert not rig.port.txdone(), "the last one has just begun"
    rig.clock.us += 1041
    assert not rig.port.txdone()
    rig.clock.us += 2  # ten bits at 9600 baud are 1041.7 us
    assert rig.port.txdone() and rig.port.ioctl(3, 4) == 4
    rig.clock.us -= 1 << 29  # half a turn of the ticks later: what was done stays so
    assert rig.port.txdone() and rig.port.write(b"c") == 1


def test_a_long_message_goes_in_pieces_of_the_buffer(monkeypatch):
    rig = Rig(monkeypatch, send_buffer=4)
    rig.open(9600, 8, None)
    assert rig.port.write(b"abcdef") == 4
    assert rig.port.write(b"") is None
    rig.leave()
    assert len(rig.sent) == 4


def test_wrong_characters_are_left_out_and_counted(rig):
    rig.open(2400, 8, 0)
    rig.come(b"a")
    rig.come(b"b", spoil=1 << 3)
    rig.come(b"c", spoil=1 << 9)  # the stop bit
    rig.words.append(0)
    rig.dma.request(TREQ_RX)
    rig.come(b"d")
    assert rig.port.ioctl(3, 1) == 1
    assert rig.port.read(10) == b"ad"
    port = rig.port
    assert (port.parity_errors, port.framing_errors, port.breaks, port.overruns) == (1, 1, 1, 0)
    rig.come(b"e", spoil=1)
    assert port.any() == 1 and port.read(10) is None and port.any() == 0


def test_many_laps_of_the_ring_and_one_that_was_missed(monkeypatch):
    rig = Rig(monkeypatch, receive_buffer=32)
    rig.open(9600, 8, None)
    for lap in range(100):
        octets = bytes((lap + k) & 255 for k in range(23))
        rig.come(octets)
        assert rig.port.read(64) == octets
    rig.come(bytes(32))
    assert rig.port.read(64) == bytes(32)
    rig.come(bytes(33))
    assert rig.port.any() == 0 and rig.port.overruns == 33
    rig.come(b"next")
    assert rig.port.read(64) == b"next"


def test_another_format_forgets_what_was_on_its_way(rig):
    rig.open(9600, 8, None)
    rig.port.write(b"never")
    rig.come(b"old")
    rig.open(300, 7, 0)
    assert rig.port.txdone() and rig.port.any() == 0
    rig.leave()
    assert rig.sent == []
    rig.come(b"new")
    assert rig.port.read(3) == b"new"
    for rate, bits in ((0, 8), (9600, 9)):
        with pytest.raises(ValueError, match="no such"):
            rig.port.init(rate, bits)


def test_a_port_of_one_direction(monkeypatch):
    rig = Rig(monkeypatch)
    made = len(rig.dma.channels)
    only_out = rp2_pio_uart.Rp2PioUart((7, "P1"), None)
    assert len(rig.dma.channels) == made + 1
    only_out.init(115_200)
    assert only_out.any() == 0 and only_out.read(5) is None and only_out.ioctl(3, 1) == 0
    only_in = rp2_pio_uart.Rp2PioUart(None, (4, "RX"))
    only_in.init(2400, 8, 0)
    assert only_in.txdone() and only_in.write(b"x") is None
    assert only_in.ioctl(1, 5) == 0
