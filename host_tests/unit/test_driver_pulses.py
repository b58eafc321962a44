"""Pulse outputs: by a timer that comes late, and by the PIO program in an emulator."""

import random
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import rp2_double

rp2_double.install()

from drivers import pulse_pace, rp2_pulses, timer_pulses
from drivers.timer_pulses import TimerPulses

WRAP = 1 << 30
SPAN_US = 200_000


class World:
    """Time, timers with a latency, and a pin that notes its edges."""

    def __init__(self, monkeypatch, latency=lambda: 0, begin=WRAP - 300_000):
        self.us = begin  # the ticks wrap in the middle of the test
        self.timers = []
        self.latency = latency
        monkeypatch.setattr(time, "ticks_us", lambda: self.us % WRAP)
        monkeypatch.setattr(time, "sleep_us", self.sleep, raising=False)
        for module in (timer_pulses, pulse_pace, rp2_pulses):
            monkeypatch.setattr(module.time, "ticks_us", lambda: self.us % WRAP)

    def sleep(self, us):
        self.us += us

    def run(self, us):
        end = self.us + us
        while True:
            due = min((timer.due for timer in self.timers if timer.due), default=end + 1)
            if due > end:
                self.us = end
                return
            self.us = max(self.us, due)
            for timer in self.timers:
                if timer.due == due:
                    timer.due = 0
                    timer.callback(timer)


class Timer:
    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, world):
        self.world = world
        self.due = 0
        self.callback = None
        world.timers.append(self)

    def init(self, mode, period, tick_hz, callback):
        assert mode == self.ONE_SHOT
        assert tick_hz == 1_000_000
        assert period > 0
        self.due = self.world.us + period + self.world.latency()
        self.callback = callback

    def deinit(self):
        self.due = 0


class Pin:
    def __init__(self, world):
        self.world = world
        self.level = 0
        self.rises = []
        self.falls = []

    def value(self, level=None):
        if level is None:
            return self.level
        if level and not self.level:
            self.rises.append(self.world.us)
        if self.level and not level:
            self.falls.append(self.world.us)
        self.level = level
        return None


def timer_rig(monkeypatch, **options):
    world = World(monkeypatch, **options)
    pin = Pin(world)
    return world, pin, TimerPulses(Timer(world), pin)


def windows(  # noqa: PLR0917 - the knobs of the tests
    world, output, count, period_us, width_us, jitter=lambda: 0, drift_ppm=0, span_us=SPAN_US
):
    """Feed windows of a steady rate; each arrives as its span ends, a little late."""
    phase_q8 = period_us * 256
    given = 0
    base = world.us
    for k in range(count):
        late_us = jitter()
        world.run(
            base + (k + 1) * span_us * (1_000_000 + drift_ppm) // 1_000_000 + late_us - world.us
        )
        n = 0 if phase_q8 > span_us * 256 else 1 + (span_us * 256 - phase_q8) // (period_us * 256)
        output.train(n, phase_q8, period_us * 256, width_us, span_us)
        phase_q8 += n * period_us * 256 - span_us * 256
        given += n
    world.run(2 * span_us)
    return given


def gaps(pin):
    return [b - a for a, b in zip(pin.rises, pin.rises[1:], strict=False)]


@pytest.mark.row("LED-02")
@pytest.mark.parametrize(
    ("period_us", "width_us"), [(400, 200), (1000, 500), (40_000, 20_000), (450_000, 30_000)]
)
def test_a_steady_load_gives_steady_pulses_up_to_2500_a_second(monkeypatch, period_us, width_us):
    world, pin, output = timer_rig(monkeypatch)
    given = windows(world, output, 20, period_us, width_us)
    assert len(pin.rises) == len(pin.falls) == given > 5
    assert all(abs(gap - period_us) <= 1 for gap in gaps(pin))
    widths = [b - a for a, b in zip(pin.rises, pin.falls, strict=True)]
    assert all(abs(width - width_us) <= 1 for width in widths)


def test_windows_that_come_late_do_not_shake_the_pulses(monkeypatch):
    source = random.Random(5)
    world, pin, output = timer_rig(monkeypatch)
    given = windows(world, output, 50, 20_000, 10_000, jitter=lambda: source.randrange(9_000))
    assert len(pin.rises) == given
    # by less than the windows, whose begin moves by up to 9 ms
    assert all(abs(gap - 20_000) < 400 for gap in gaps(pin)[20:])


@pytest.mark.parametrize("drift_ppm", [-200, 200])
def test_a_converter_of_another_quartz_is_followed(monkeypatch, drift_ppm):
    world, pin, output = timer_rig(monkeypatch)
    given = windows(world, output, 1000, 50_000, 25_000, drift_ppm=drift_ppm)
    assert len(pin.rises) == given
    assert all(abs(gap - 50_000) < 60 for gap in gaps(pin)[20:])


def test_a_late_interrupt_delays_one_edge_and_loses_none(monkeypatch):
    source = random.Random(11)

    def latency():
        return 40_000 if source.random() < 0.01 else source.randrange(50)

    world, pin, output = timer_rig(monkeypatch, latency=latency)
    given = windows(world, output, 50, 400, 200)
    assert len(pin.rises) == given == 25_000
    # no delay is handed on: after a second's pulses they are where they belong
    first = pin.rises[0]
    assert abs(pin.rises[-1] - first - (given - 1) * 400) < 41_000


def test_a_loop_that_stood_still_catches_up_without_a_burst(monkeypatch):
    world, pin, output = timer_rig(monkeypatch)
    windows(world, output, 5, 20_000, 10_000)
    pin.rises.clear()
    world.run(600_000)
    for _ in range(3):  # three windows at once
        output.train(10, 20_000 << 8, 20_000 << 8, 10_000, SPAN_US)
    given = 30 + windows(world, output, 40, 20_000, 10_000)
    assert len(pin.rises) == given
    assert min(gaps(pin)) > 17_000


def test_pulses_that_are_left_come_at_once_when_the_power_goes(monkeypatch):
    world, pin, output = timer_rig(monkeypatch)
    output.train(20, 10_000 << 8, 10_000 << 8, 5_000, SPAN_US)
    world.run(100_000)
    output.train(20, 10_000 << 8, 10_000 << 8, 5_000, SPAN_US)
    before = len(pin.rises)
    assert 0 < before < 20
    begin = world.us
    output.flush()
    assert len(pin.rises) == 40
    assert world.us == begin
    world.run(SPAN_US)
    assert (len(pin.rises), pin.level) == (40, 0)


def test_a_leaps_pulses_come_at_once_and_light_as_long_as_one(monkeypatch):
    world, pin, output = timer_rig(monkeypatch)
    output.train(1000, 0, 0, 30_000, 0)
    assert len(pin.rises) == 1000
    world.run(40_000)
    assert pin.falls[-1] - pin.rises[-1] == 30_000


@pytest.mark.row("LED-04")
def test_steady_light_ends_with_the_first_pulse_and_comes_back(monkeypatch):
    world, pin, output = timer_rig(monkeypatch)
    output.steady(True)
    assert pin.level == 1
    output.train(1, 100_000 << 8, 0, 30_000, SPAN_US)
    output.steady(False)
    world.run(50_000)
    output.train(0, 0, 0, 0, SPAN_US)
    output.steady(False)
    world.run(500_000)
    assert pin.level == 0
    assert len(pin.rises) == 2  # the steady light's own, and the pulse
    output.steady(True)
    assert pin.level == 1


pioemu = pytest.importorskip("pioemu", reason="the emulator needs CPython 3.10.18 or newer")
PROGRAM = rp2_pulses.give_pulses
CYCLES_PER_US = 8


class StateMachine:
    """rp2.StateMachine on the emulator; the world's time moves with its cycles."""

    world = None
    pin = None

    def __init__(self, machine_id, program, freq, set_base):
        assert freq == 8_000_000
        assert program is PROGRAM
        self.state = pioemu.State(pin_directions=1, pin_values=set_base.level & 1)
        self.running = False
        self.base_us = self.world.us
        self.base_clock = 0
        self.world.machine = self

    def active(self, on=None):
        self.running = bool(on)
        self.base_us, self.base_clock = self.world.us, self.state.clock

    def tx_fifo(self):
        return len(self.state.transmit_fifo)

    def put(self, word):
        assert self.tx_fifo() < 4, "would wait for ever"
        self.state.transmit_fifo.append(word)

    def get(self):
        return self.state.receive_fifo.pop()

    def exec(self, word):
        """What the data sheet says of the instructions that the driver uses."""
        state = self.state
        if word == 0xA02B:
            change = {"x_register": 0xFFFFFFFF}
        elif word == 0xA0C1:
            change = {"input_shift_register": state.input_shift_register.__class__(
                state.x_register, 0)}  # fmt: skip
        elif word == 0x8000:
            state.receive_fifo.append(state.input_shift_register.contents)
            return
        elif word in (0xE000, 0xE001):
            change = {"pin_values": word & 1}
            self.pin.value(word & 1)
        else:
            raise AssertionError(f"{word:04x}")
        from dataclasses import replace

        self.state = replace(state, **change)

    def run_to(self, us):
        """Emulate up to a time; waiting for an order costs nothing."""
        if not self.running:
            return
        end = self.base_clock + (us - self.base_us) * CYCLES_PER_US
        steps = pioemu.emulate(
            PROGRAM.words,
            stop_when=lambda _opcode, state: state.clock >= end or self.waits(state),
            initial_state=self.state,
            set_base=0,
            set_count=1,
            wrap_target=PROGRAM.wrap_target,
            wrap_top=PROGRAM.wrap_top,
        )
        for _, after in steps:
            if (after.pin_values & 1) != self.pin.level:
                self.world.us = self.base_us + (after.clock - self.base_clock) / CYCLES_PER_US
                self.pin.value(after.pin_values & 1)
            self.state = after
        self.base_us, self.base_clock = us, self.state.clock

    def waits(self, state):
        return state.program_counter in (0, 2, 4, 6) and not state.transmit_fifo


class PioWorld(World):
    machine = None

    def run(self, us):
        end = self.us + us
        self.machine.run_to(end)
        self.us = end

    def sleep(self, us):
        self.us += us


def pio_rig(monkeypatch):
    # an emulated second takes two minutes: windows of 4 ms, and a reserve to match
    monkeypatch.setattr(pulse_pace, "_RESERVE_US", 500)
    world = PioWorld(monkeypatch)
    pin = Pin(world)
    monkeypatch.setattr(StateMachine, "world", world)
    monkeypatch.setattr(StateMachine, "pin", pin)
    monkeypatch.setattr(rp2_pulses.rp2, "StateMachine", StateMachine, raising=False)
    return world, pin, rp2_pulses.Rp2Pulses(4, pin)


@pytest.mark.row("LED-02")
@pytest.mark.parametrize(("period_us", "width_us"), [(400, 200), (1000, 30), (370, 185)])
def test_the_pio_program_is_steady_to_an_eighth_of_a_microsecond(monkeypatch, period_us, width_us):
    world, pin, output = pio_rig(monkeypatch)
    given = windows(world, output, 3, period_us, width_us, span_us=4_000)
    assert len(pin.rises) == len(pin.falls) == given
    # where one order meets the next the driver reckons in whole microseconds
    assert all(abs(gap - period_us) <= 2 for gap in gaps(pin))
    inside = [gap for gap in gaps(pin) if abs(gap - period_us) <= 0.125]
    assert len(inside) >= given - 4
    widths = [b - a for a, b in zip(pin.rises, pin.falls, strict=True)]
    assert all(abs(width - width_us) <= 0.125 for width in widths)


@pytest.mark.parametrize("at_us", [300, 650, 1_234, 3_000, 4_650, 6_000])
def test_the_pio_gives_what_is_left_when_the_power_goes(monkeypatch, at_us):
    world, pin, output = pio_rig(monkeypatch)
    output.train(20, 200 << 8, 200 << 8, 100, 4_000)
    world.run(at_us)
    if at_us < 4_000:
        output.train(20, 200 << 8, 200 << 8, 100, 4_000)
    wanted = 40 if at_us < 4_000 else 20
    given = len(pin.rises)
    before_us = world.us
    output.flush()
    assert world.us - before_us < 10, "the processor has more to keep"
    world.run((wanted - given) * 400 + 200)
    assert len(pin.rises) == wanted
    assert pin.level == 0
    assert all(gap >= 200 for gap in gaps(pin)[given:]), "a counter takes 2.5 kHz"
    output.flush()  # nothing more
    world.run(2_000)
    assert len(pin.rises) == wanted


def test_a_second_farewell_in_the_middle_of_the_first_loses_no_pulse(monkeypatch):
    world, pin, output = pio_rig(monkeypatch)
    output.train(20, 200 << 8, 200 << 8, 100, 4_000)
    world.run(650)
    output.flush()
    world.run(1_000)
    output.flush()
    output.train(3, 0, 0, 0, 0)
    world.run(12_000)
    assert len(pin.rises) == 23


@pytest.mark.row("LED-10")
def test_the_pio_output_is_inverted_by_its_pins_override(monkeypatch):
    """RP2040 data sheet 2.19.6.1: OUTOVER, bits 9 and 8 of GPIOn_CTRL, 1 inverts."""
    world, pin, plain = pio_rig(monkeypatch)
    with pytest.raises(ValueError):
        plain.invert(True)
    plain.invert(False)
    control = 0x4001_4024
    memory = {control: 0x306}

    def reset(*options, **words):  # a state machine that is set up takes the pin as it is
        memory[control] = 6
        return StateMachine(*options, **words)

    monkeypatch.setattr(rp2_pulses.rp2, "StateMachine", reset)
    output = rp2_pulses.Rp2Pulses(4, pin, (memory, control, 8))
    output.invert(True)
    assert memory[control] == 0x106
    monkeypatch.setattr(pin, "value", lambda level=None, value=pin.value: value(level) if level
                        is not None else 1 - pin.level)  # fmt: skip
    output.train(20, 200 << 8, 200 << 8, 100, 4_000)
    world.run(650)
    output.flush()
    world.run(9_000)
    assert len(pin.rises) == 20
    assert memory[control] == 0x106
    output.invert(False)
    assert memory[control] == 0x006


def test_the_pio_makes_up_for_spans_that_came_too_fast(monkeypatch):
    world, pin, output = pio_rig(monkeypatch)
    for _ in range(4):
        output.train(10, 400 << 8, 400 << 8, 200, 4_000)
        world.run(10)
    world.run(12_000)
    output.train(10, 400 << 8, 400 << 8, 200, 4_000)
    world.run(12_000)
    assert len(pin.rises) == 50


def test_the_pio_steady_light(monkeypatch):
    world, pin, output = pio_rig(monkeypatch)
    output.steady(True)
    assert pin.level == 1
    output.train(1, 1_000 << 8, 0, 500, 5_000)
    assert pin.level == 0
    output.steady(True)  # not while a pulse is to come
    assert pin.level == 0
    world.run(3_000)
    assert len(pin.rises) == 2
    output.steady(True)
    assert pin.level == 1
    output.train(3, 0, 0, 0, 0)
    world.run(1_300)
    assert (len(pin.rises), pin.level) == (6, 0)
