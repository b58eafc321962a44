"""Driver of the line expander on its model: levels, edges, a chip that goes and comes."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from chip_bus import I2c
from devices.mcp23017 import Mcp23017 as Model

from drivers.mcp23017 import Mcp23017

FALLING, RISING = 4, 8
SEED = 23


class Interrupt:
    """The processor's pin at INTA; the soft handler runs when the test lets it."""

    IRQ_FALLING = FALLING

    def __init__(self, chip):
        self.chip = chip
        self.handler = None
        self.wired = True
        self.due = 0
        chip.on_interrupt = self.fell

    def irq(self, handler, trigger):
        assert trigger == FALLING
        self.handler = handler

    def value(self):
        return self.chip.interrupt() if self.wired else 1

    def fell(self):
        self.due += self.wired

    def run(self):
        while self.due:
            self.due -= 1
            self.handler(self)


class Timer:
    PERIODIC = 1

    def init(self, mode, period, callback):
        assert (mode, period) == (self.PERIODIC, 500)
        self.callback = callback


class Rig:
    def __init__(self):
        self.chip = Model()
        self.pin = Interrupt(self.chip)
        self.timer = Timer()
        self.driver = Mcp23017(I2c(self.chip), self.pin, self.timer)
        self.edges = []

    def watch(self, number, trigger=FALLING | RISING):
        line = self.driver.line(number)
        line.irq(lambda _line: self.edges.append((number, line.value())), trigger)
        return line

    def put(self, number, level):
        self.chip.drive(number, level)
        self.pin.run()

    def beat(self):
        self.timer.callback(self.timer)


@pytest.fixture
def rig():
    return Rig()


def test_open_wires_read_high_and_ground_reads_low(rig):
    lines = [rig.driver.line(number) for number in range(16)]
    inputs = [number for number in range(16) if number & 7 != 7]
    assert all(lines[number].value() == 1 for number in inputs)
    source = random.Random(SEED)
    print("seed", SEED)
    for _ in range(200):
        levels = {number: source.choice((0, 1, None)) for number in inputs}
        for number, level in levels.items():
            rig.chip.drive(number, level)
        for number, level in levels.items():
            assert lines[number].value() == (1 if level is None else level)


def test_the_two_outputs_keep_apart_and_drive_their_lines_only(rig):
    low, high = rig.driver.line(7), rig.driver.line(15)
    rig.driver.line(0).value()
    assert [rig.chip.output(line) for line in (0, 7, 14, 15)] == [None, 0, None, 0]
    for a, b in ((1, 0), (1, 1), (0, 1), (0, 0)):
        low.value(a)
        high.value(b)
        assert (rig.chip.output(7), rig.chip.output(15)) == (a, b)
    for number in (-1, 16):
        with pytest.raises(ValueError, match="line"):
            rig.driver.line(number)


def test_the_interrupt_tells_each_edge_once_to_the_line_it_is_of(rig):
    rig.watch(0)
    rig.watch(8, FALLING)
    for level in (0, 1, 0):
        rig.put(0, level)
        rig.put(8, level)
    assert rig.edges == [(0, 0), (8, 0), (0, 1), (0, 0), (8, 0)]
    rig.beat()  # nothing new
    rig.put(3, 0)  # nobody watches it
    assert len(rig.edges) == 5
    assert rig.pin.value() == 1, "the interrupt pin is not left low"


def test_a_change_while_another_is_read_is_not_lost(rig):
    rig.watch(0)
    rig.watch(1)
    i2c_read = rig.chip.i2c_read
    storm = iter((lambda: rig.chip.drive(1, 0), lambda: rig.chip.drive(0, 1)))

    def slow(address, buffer):
        done = i2c_read(address, buffer)
        change = next(storm, None)
        if change:
            change()
        return done

    rig.chip.i2c_read = slow
    rig.put(0, 0)
    assert dict(rig.edges) == {0: 1, 1: 0}
    assert rig.pin.value() == 1


def test_with_its_interrupt_wire_cut_the_beat_finds_the_changes(rig):
    rig.watch(2)
    rig.pin.wired = False
    rig.put(2, 0)
    assert rig.edges == []
    rig.beat()
    assert rig.edges == [(2, 0)]


def test_a_chip_that_is_away_reads_as_cut_wires_and_comes_back_with_its_outputs(rig):
    cover = rig.watch(3)
    light = rig.driver.line(15)
    rig.put(3, 0)
    light.value(1)
    rig.chip.power(False)
    assert cover.value() == 1
    assert rig.edges == [(3, 0), (3, 1)]
    before = rig.driver.errors
    light.value(0)
    light.value(1)
    assert rig.driver.errors == before + 2
    rig.chip.power(True)
    assert rig.chip.output(15) is None, "a chip just switched on drives nothing"
    rig.beat()
    assert rig.chip.output(15) == 1
    assert rig.edges[-1] == (3, 0)
    assert cover.value() == 0


def test_the_model_refuses_modes_that_it_has_not():
    chip = Model()
    for register, value in ((0x0A, 0x80), (0x0A, 0x20), (0x08, 1)):
        with pytest.raises(ValueError, match="mode"):
            chip.i2c_write(0x20, bytes([register, value]))
    assert chip.i2c_write(0x21, b"\0") == -1
    buffer = bytearray(2)
    assert chip.i2c_read(0x21, buffer) == -1
    assert bytes(buffer) == b"\xff\xff"
