"""The PIO program that clocks the converter's frames, in a PIO emulator on the chip's model."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import rp2_double
from chip_bus import Bench
from devices.ads131m0x import Ads131m0x

pioemu = pytest.importorskip("pioemu", reason="the emulator needs CPython 3.10.18 or newer")
State = pioemu.State
rp2_double.install()

from drivers import rp2_spi_capture

CLOCK_HZ = 8_192_000
SEED = 7
MISO, CS, SCK, DRDY = 0, 1, 2, 3  # the emulator takes IN PINS from pin 0
PROGRAM = rp2_spi_capture.read_frames


class Provider:
    """Samples of every bit pattern."""

    def __init__(self, words):
        self.words = words
        self.indices = []

    def samples(self, out, first_index, count):
        for frame in range(count):
            self.indices.append(first_index + frame)
            seeded = random.Random(SEED + first_index + frame)
            for word in range(self.words):
                out[frame * self.words + word] = seeded.randint(-(1 << 23), (1 << 23) - 1)


def chip(channels, bench):
    found = Ads131m0x(
        channels, Provider(channels), channels, list(range(channels)), CLOCK_HZ, bench.now_us
    )
    # The answer to the reset is read, as the driver does before it hands over.
    found.select()
    found.transfer(bytes((channels + 2) * 3), None)
    found.deselect()
    return found


class Wire:
    """The chip's bus side, bit by bit: what its pins do as select and clock move.

    Time is microseconds: 1/32 for a cycle inside a frame, more while the program waits, so that
    a test need not emulate 8000 cycles for each conversion.
    """

    def __init__(self, model, bench):
        self.chip = model
        self.bench = bench
        self.cs, self.sck = 1, 0
        self.miso = 1
        self.byte = bytearray(1)
        self.bits = 0
        self.cycles = 0
        self.hold_high_until_us = 0
        self.stuck = None  # level of a stuck data-ready
        self.clocks_in_frame = []

    def levels(self, state: State) -> int:
        cs, sck = state.pin_values >> CS & 1, state.pin_values >> SCK & 1
        if cs:
            self.bench.run(2)
        else:
            self.cycles += 1
            if self.cycles % 32 == 0:
                self.bench.run(1)
        if cs != self.cs:
            self._select(cs)
        if not cs and sck and not self.sck:
            self._rise()
        self.cs, self.sck = cs, sck
        drdy = self.chip.drdy() if self.stuck is None else self.stuck
        if self.bench.us < self.hold_high_until_us:
            drdy = 1
        return self.miso << MISO | drdy << DRDY

    def _select(self, level):
        if level:
            assert self.bits % 8 == 0, "chip select rose inside a byte"
            self.chip.deselect()
        else:
            assert self.sck == 0, "mode 1: the clock idles low"
            self.clocks_in_frame.append(0)
            self.bits = 0
            self.chip.select()

    def _rise(self):
        if self.bits % 8 == 0:
            self.chip.transfer(b"\0", self.byte)
        self.miso = self.byte[0] >> (7 - self.bits % 8) & 1
        self.bits += 1
        self.clocks_in_frame[-1] += 1


class Machine:
    """A state machine at work; `frames` collects what it pushes."""

    def __init__(self, wire, frame_bytes):
        self.wire = wire
        self.frame_bytes = frame_bytes
        self.received = bytearray()
        self.steps = pioemu.emulate(
            PROGRAM.words,
            stop_when=lambda _opcode, _state: False,
            # chip select high and clock low, both outputs, Y as start() loads it
            initial_state=State(
                pin_directions=1 << CS | 1 << SCK,
                pin_values=1 << CS,
                y_register=8 * frame_bytes - 1,
            ),
            input_source=wire.levels,
            auto_push=PROGRAM.options["autopush"],
            push_threshold=PROGRAM.options["push_thresh"],
            shift_isr_right=PROGRAM.options["in_shiftdir"] == rp2_double.Pio.SHIFT_RIGHT,
            set_base=CS,
            set_count=1,
            side_set_base=SCK,
            side_set_count=1,
            jmp_pin=DRDY,
            wrap_target=PROGRAM.wrap_target,
            wrap_top=PROGRAM.wrap_top,
        )
        self.state = None

    def run(self, frames, limit=60_000):
        """Until so many frames are received and the chip is let go; False if that never is."""
        for _ in range(limit):
            before, after = next(self.steps)
            self.state = after
            fifo = after.receive_fifo
            while fifo:
                self.received.append(fifo.popleft() & 0xFF)  # the byte lane that the DMA reads
            if before.program_counter == PROGRAM.wrap_top and self.wire.cs == 0:
                next(self.steps)  # lets the wire see the chip select rise
                if len(self.received) >= frames * self.frame_bytes:
                    return True
        return False

    def frames(self):
        size = self.frame_bytes
        return [bytes(self.received[k : k + size]) for k in range(0, len(self.received), size)]


def expected(model, bench_us, channels, count):
    """The bytes of the chip's next frames by its own description of a bus."""
    bench = Bench()
    twin = chip(channels, bench)
    bench.us = bench_us
    twin._conversions.next_index = model
    raw = bytearray(count * (channels + 2) * 3)
    assert twin.clock_frames(raw, 0, count) == count
    return [bytes(raw[k : k + len(raw) // count]) for k in range(0, len(raw), len(raw) // count)]


def rig(channels):
    bench = Bench()
    model = chip(channels, bench)
    wire = Wire(model, bench)
    return model, wire, Machine(wire, (channels + 2) * 3)


@pytest.mark.parametrize("channels", [2, 3, 4, 6, 8])
def test_frames_bit_for_bit_with_no_conversion_left_out(channels):
    model, wire, machine = rig(channels)
    assert machine.run(4)
    assert wire.clocks_in_frame == [8 * (channels + 2) * 3] * 4
    assert model._provider.indices == [0, 1, 2, 3]
    assert machine.frames() == expected(0, 10_000, channels, 4)


def test_clock_is_high_for_half_of_a_bit_and_idles_low():
    _, wire, machine = rig(2)
    assert machine.run(1)
    cycles_per_bit = sum((word >> 8 & 15) + 1 for word in PROGRAM.words[5:8])
    assert cycles_per_bit == 4  # what the driver sets the state machine's clock by
    assert machine.state.pin_values >> SCK & 1 == 0
    assert wire.cs == 1


def test_conversion_that_waits_at_the_start_does_not_begin_a_frame():
    """Data-ready low as the program starts: the edge was before, the phase would be a guess."""
    model, wire, machine = rig(4)
    wire.stuck = 0
    assert not machine.run(1, limit=2000)
    assert wire.clocks_in_frame == []
    model.skip()
    wire.stuck = None
    assert machine.run(2)
    assert machine.frames() == expected(model._provider.indices[0], 10_000_000, 4, 2)


@pytest.mark.parametrize(("level", "frames"), [(0, 2), (1, 1)])
def test_stuck_data_ready_gives_no_frame_and_no_clock(level, frames):
    _, wire, machine = rig(4)
    assert machine.run(1)
    wire.stuck = level  # getting stuck low is an edge, and a whole frame is read for it
    assert not machine.run(3, limit=5000)
    assert wire.clocks_in_frame == [144] * frames
    assert wire.cs == 1


def test_late_data_ready_is_waited_for():
    model, wire, machine = rig(4)
    wire.hold_high_until_us = 1000  # four conversions long
    assert machine.run(1)
    assert wire.bench.us >= 1000
    # The chip holds the last two conversions: the older one comes first.
    assert model._provider.indices == [2]


def test_back_to_back_frames():
    """Data-ready that falls again at once: the next frame begins with its own chip select."""
    model, wire, machine = rig(2)
    wire.bench.us = 100_000
    model.skip()
    toggle = {"n": 0}
    original = wire.levels

    def levels(state: State) -> int:
        toggle["n"] += 1
        found = original(state) & ~(1 << DRDY)
        return found | (toggle["n"] // 5 & 1) << DRDY

    wire.levels = levels
    machine = Machine(wire, 12)
    assert machine.run(3)
    assert wire.clocks_in_frame == [96, 96, 96]
    assert [len(frame) for frame in machine.frames()] == [12, 12, 12]
