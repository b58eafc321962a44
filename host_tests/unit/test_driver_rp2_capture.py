"""Frame capture of the RP2 boards: what it sets up, by the data sheet's register meaning."""

import sys
from array import array
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import rp2_double

rp2_double.install()

from drivers import rp2_dma_ring, rp2_spi_capture

RXF = 0x50200020 + 4 * 2  # RP2040 data sheet, PIO registers: RXF2 of PIO0
TREQ = 6  # DREQ_PIO0_RX2


class Rig:
    def __init__(self, monkeypatch, ring_bytes=18 * 32):
        self.memory, self.dma = rp2_double.install()
        monkeypatch.setattr(rp2_dma_ring.uctypes, "addressof", self.memory.addressof)
        self.pins = {
            name: rp2_double.AltPin(name) for name in ("sck", "mosi", "miso", "cs", "drdy")
        }
        self.timer = rp2_double.Timer()
        self.capture = rp2_spi_capture.Rp2SpiCapture(2, timer=self.timer, **self.pins)
        self.ring = bytearray(ring_bytes)
        self.fifo = []
        self.sent = 0
        self.memory.reads[RXF] = lambda: self.fifo.pop(0)

    def start(self):
        self.capture.start(self.ring, 18)

    def push(self, count):
        """The state machine pushes `count` bytes; each is a request to the DMA."""
        for _ in range(count):
            # Above the byte stands nothing, but a byte-wide transfer must not care.
            self.fifo.append(0xABCDEF00 | self.sent % 251)
            self.sent += 1
            assert self.dma.request(TREQ), "nobody took the byte"


def test_state_machine_is_set_up_for_the_chip(monkeypatch):
    rig = Rig(monkeypatch)
    rig.start()
    (machine,) = rp2_double.StateMachine.made
    assert machine.machine_id == 2
    assert machine.freq == 32_000_000  # four cycles a bit: 8 MHz
    assert machine.pins == {
        "in_base": rig.pins["miso"],
        "set_base": rig.pins["cs"],
        "sideset_base": rig.pins["sck"],
        "jmp_pin": rig.pins["drdy"],
    }
    # PULL block, MOV Y, OSR: the frame's bits less one
    assert machine.log == [("put", 143), ("exec", 0x80A0), ("exec", 0xA047), ("active", 1)]
    assert rig.pins["mosi"].log == [(rp2_double.AltPin.OUT, {"value": 0})]
    assert rig.timer.running[0] == 10


def test_two_channels_are_chained_into_an_endless_ring(monkeypatch):
    rig = Rig(monkeypatch)
    rig.start()
    data, control = rig.dma.channels[0], rig.dma.channels[1]
    fields = {name: data.field(name) for name in rp2_double.FIELDS}
    assert fields == {
        "enable": 1, "high_pri": 1, "size": 0, "inc_read": 0, "inc_write": 1, "ring_size": 0,
        "ring_sel": 0, "chain_to": 1, "treq_sel": TREQ, "irq_quiet": 1, "bswap": 0, "sniff_en": 0,
    }  # fmt: skip
    assert data.read == RXF
    assert control.field("chain_to") == control.channel  # none
    assert control.field("ring_size") == 6
    assert control.field("ring_sel") == 0  # the read address wraps
    assert control.read % 64 == 0
    assert control.write == 0x5000002C  # CH0_AL2_WRITE_ADDR_TRIG
    rig.push(18 * 32 - 1)
    assert (data.count, control.read % 64) == (1, 0)
    rig.push(1)
    assert (data.count, control.read % 64) == (18 * 32, 4)
    assert bytes(rig.ring) == bytes(k % 251 for k in range(18 * 32))
    rig.push(20)
    assert bytes(rig.ring[:20]) == bytes((18 * 32 + k) % 251 for k in range(20))
    assert rig.ring[20] == 20


def test_count_over_many_laps(monkeypatch):
    rig = Rig(monkeypatch)
    rig.start()
    assert rig.capture.count() == 0
    pushed = 0
    for amount in (17, 1, 18 * 31, 18 * 32 * 3 + 5, 13, 18 * 32 * 15, 18 * 400) * 3:
        rig.push(amount)
        pushed += amount
        assert rig.capture.count() == pushed // 18
    assert rig.capture.missed() == 0


def test_reading_at_the_turn_of_a_lap(monkeypatch):
    """Count 0 is the hand-over; a count that rises between two readings spans a new lap."""
    rig = Rig(monkeypatch)
    rig.start()
    rig.push(18 * 32 + 18)
    data = rig.dma.channels[0]
    left = data.count
    readings = [0, 1, left]

    class Turning(type(data)):
        count = property(lambda _self: readings.pop(0) if readings else left)

    del data.__dict__["count"]
    data.__class__ = Turning
    assert rig.capture.count() == 33
    assert not readings


def test_count_wraps_at_2_to_the_30(monkeypatch):
    rig = Rig(monkeypatch)
    rig.start()
    rig.capture._frames = (1 << 30) - 2
    rig.push(18 * 3)
    assert rig.capture.count() == 1


def test_stop_gives_pins_and_channels_back_and_start_begins_anew(monkeypatch):
    rig = Rig(monkeypatch)
    rig.capture.stop()  # never started: nothing happens
    assert rig.pins["cs"].log == []
    rig.start()
    rig.push(18 * 5)
    rig.capture.stop()
    assert rig.dma.channels == {}
    assert rp2_double.StateMachine.made[0].log[-1] == ("active", 0)
    assert rig.timer.running is None
    assert rig.pins["cs"].log == [(rp2_double.AltPin.OUT, {"value": 1})]
    for name in ("sck", "mosi"):
        assert rig.pins[name].log[-1] == (rp2_double.AltPin.ALT, {"alt": 1})
    rig.start()
    assert rig.capture.count() == 0
    rig.push(18)
    assert rig.capture.count() == 1


def test_beat_reaches_the_driver_with_and_without_frames(monkeypatch):
    rig = Rig(monkeypatch)
    seen = []
    rig.start()
    rig.timer.fire()  # nobody listens yet
    rig.capture.irq(seen.append)
    rig.timer.fire()
    rig.push(18)
    rig.timer.fire()
    assert seen == [rig.capture, rig.capture]


@pytest.mark.parametrize(("ring", "frame"), [(b"", 18), (bytes(35), 18), (bytes(36), 0)])
def test_ring_of_no_whole_frames_is_refused(monkeypatch, ring, frame):
    rig = Rig(monkeypatch)
    with pytest.raises(ValueError, match="whole frames"):
        rig.capture.start(bytearray(ring), frame)


@pytest.mark.parametrize(
    ("machine", "rxf", "treq"),
    [(0, 0x50200020, 4), (5, 0x50300024, 13), (11, 0x5040002C, 23)],
)
def test_every_state_machine_has_its_fifo_and_request(monkeypatch, machine, rxf, treq):
    rig = Rig(monkeypatch)
    capture = rp2_spi_capture.Rp2SpiCapture(machine, timer=rig.timer, **rig.pins)
    capture.start(rig.ring, 18)
    data = rig.dma.channels[0]
    assert (data.read, data.field("treq_sel")) == (rxf, treq)


def test_ring_of_half_words(monkeypatch):
    rig = Rig(monkeypatch)
    ring = array("H", [0] * 12)
    values = iter(range(1000, 2000))
    rig.memory.reads[0x4004C00C] = lambda: next(values)
    moved = rp2_dma_ring.DmaRing(ring, 0x4004C00C, 36, rp2_dma_ring.HALF_WORDS)
    for _ in range(17):
        assert rig.dma.request(36)
    assert list(ring) == [*range(1012, 1017), *range(1005, 1012)]
    assert moved.transferred() == 17
    assert moved.span() == 16 * 12
