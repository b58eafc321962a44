"""Coils of a latching relay that end their pulses in hardware, on the relay's model.

Those of an RP2 run in a PIO emulator, those of an STM32 on a model of timer 3 (RM0090, "One-pulse
mode" and "PWM mode"). The processor does nothing while a pulse runs: it might as well hang.
"""

import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import rp2_double
from chip_bus import Bench
from devices.latching_relay import LatchingRelay

pioemu = pytest.importorskip("pioemu", reason="the emulator needs CPython 3.10.18 or newer")
rp2_double.install()

from drivers import rp2_coils, timed_relay
from drivers.stm32_coils import Stm32Coils

LONGEST_US = 60_000  # what a coil is made for, with a reserve
SEED = 51
WRAP = 1 << 30


class Wires:
    """Two pins with the relay's coils at their ends; keeps each pulse."""

    def __init__(self, bench):
        self.bench = bench
        self.relay = LatchingRelay(None, bench.now_us, bench.at)
        self.levels = [0, 0]
        self.pulses = []  # coil (0 opens), begin, length
        self.begun = [None, None]

    def set(self, levels):
        for coil, level in sorted(enumerate(levels), key=lambda item: item[1]):
            if level == self.levels[coil]:
                continue
            self.levels[coil] = level
            (self.relay.set_close if coil else self.relay.set_open)(level)
            if level:
                self.begun[coil] = [coil, self.bench.us, None]
                self.pulses.append(self.begun[coil])
            else:
                self.begun[coil][2] = self.bench.us - self.begun[coil][1]


class Pin:
    ALT = 3

    def __init__(self):
        self.functions = []
        self.level = 1

    def value(self, level):
        self.level = level

    def init(self, mode, alt):
        self.functions.append((mode, alt))


class Pio:
    """A state machine in the emulator, in step with the bench's time."""

    def __init__(self, wires, program, freq, out_base, set_base):
        assert out_base is set_base
        self.wires = wires
        self.program = program
        self.us = 1_000_000 // freq
        self.state = pioemu.State(pin_directions=3)

    def active(self, on):
        assert on

    def put(self, word):
        assert len(self.state.transmit_fifo) < 4, "the processor would wait"
        self.state.transmit_fifo.append(word)

    def run(self, us):
        bench = self.wires.bench
        begin, end_us = self.state.clock, bench.us + us
        start_us = bench.us
        steps = pioemu.emulate(
            self.program.words,
            stop_when=lambda _opcode, state: (
                start_us + (state.clock - begin) * self.us >= end_us
                or (state.program_counter == 0 and not state.transmit_fifo)
            ),
            initial_state=self.state,
            shift_osr_right=self.program.options["out_shiftdir"] == rp2_double.Pio.SHIFT_RIGHT,
            out_base=0,
            out_count=2,
            set_base=0,
            set_count=2,
            wrap_target=self.program.wrap_target,
            wrap_top=self.program.wrap_top,
        )
        for _, after in steps:
            self.state = after
            now = start_us + (after.clock - begin) * self.us
            bench.run(max(0, min(now, end_us) - bench.us))
            self.wires.set((after.pin_values & 1, after.pin_values >> 1 & 1))
        bench.run(end_us - bench.us)


class Timer3:
    """TIM3 of an STM32F405 as `machine.mem32`; counts the bench's time from 84 MHz."""

    RCC, BASE = 0x40023840, 0x40000400
    CR1, EGR, CCMR2, CCER, CNT, PSC, ARR, CCR3, CCR4 = (
        0x00, 0x14, 0x1C, 0x20, 0x24, 0x28, 0x2C, 0x3C, 0x40)  # fmt: skip

    def __init__(self, wires):
        self.wires = wires
        self.registers = {self.RCC: 0x1000}
        self.prescaler = 0
        self.begun_us = 0
        self.life = 0

    def __getitem__(self, address):
        return self.registers.get(address, 0)

    def at(self, offset):
        return self.registers.get(self.BASE + offset, 0)

    def __setitem__(self, address, value):
        assert address == self.RCC or self[self.RCC] & 2, "the timer has no clock yet"
        assert address == self.RCC or self.BASE <= address < self.BASE + 0x54
        self.registers[address] = value
        offset = address - self.BASE
        if offset == self.EGR and value & 1:
            self.prescaler = self.at(self.PSC)
        if offset == self.CR1:
            self.life += 1
            if value & 1:
                self.start()
        if offset in (self.CR1, self.CCMR2, self.CCER):
            self.show()

    def tick_us(self):
        return (self.prescaler + 1) / 84

    def start(self):
        assert self.at(self.CR1) & 8, "not in one-pulse mode: it would go on for ever"
        self.begun_us = self.wires.bench.us
        ticks = self.at(self.ARR) + 1 - self.at(self.CNT)
        bench, life = self.wires.bench, self.life
        bench.at(bench.us + round(self.at(self.CCR3) * self.tick_us()), self.show)
        bench.at(bench.us + round(ticks * self.tick_us()), lambda: self.end(life))

    def end(self, life):
        if life == self.life:  # the update event: stops, counts from zero again
            self.registers[self.BASE + self.CR1] &= ~1
            self.registers[self.BASE + self.CNT] = 0
            self.show()

    def show(self):
        running = self.at(self.CR1) & 1
        elapsed = round((self.wires.bench.us - self.begun_us) / self.tick_us()) if running else 0
        counter = self.at(self.CNT) + elapsed
        levels = []
        for channel, compare in ((0, self.CCR3), (1, self.CCR4)):
            mode = self.at(self.CCMR2) >> 4 + 8 * channel & 7
            assert mode in (0, 4, 7), "a mode that the model does not have"
            high = mode == 7 and counter >= self.at(compare)  # PWM mode 2, counting up
            levels.append(int(high and bool(self.at(self.CCER) >> 8 + 4 * channel & 1)))
        self.wires.set(levels)


class Rp2Rig:
    def __init__(self, monkeypatch):
        self.bench = Bench()
        self.wires = Wires(self.bench)
        self.pins = Pin(), Pin()

        def machine(number, program, **options):
            assert number == 4
            self.machine = Pio(self.wires, program, **options)
            return self.machine

        monkeypatch.setattr(rp2_coils.rp2, "StateMachine", machine, raising=False)
        self.coils = rp2_coils.Rp2Coils(4, *self.pins)

    def run(self, ms):
        self.machine.run(ms * 1000)


class Stm32Rig:
    def __init__(self, _monkeypatch):
        self.bench = Bench()
        self.wires = Wires(self.bench)
        self.pins = Pin(), Pin()
        self.timer = Timer3(self.wires)
        self.coils = Stm32Coils(self.timer, *self.pins)

    def run(self, ms):
        self.bench.run(ms * 1000)


@pytest.fixture(params=[Rp2Rig, Stm32Rig], ids=["rp2", "stm32"])
def rig(request, monkeypatch):
    return request.param(monkeypatch)


def test_a_pulse_ends_with_the_processor_hung_and_moves_the_contact(rig):
    rig.run(1000)
    assert rig.wires.pulses == [], "no coil is driven before it is asked"
    for closing in (False, True, True):
        rig.coils.pulse(closing)
        rig.run(5000)  # nobody does anything
        assert rig.wires.relay.closed is closing
        assert rig.wires.levels == [0, 0]
    assert [pulse[0] for pulse in rig.wires.pulses] == [0, 1, 1]
    assert all(45_000 <= pulse[2] <= 55_000 for pulse in rig.wires.pulses)
    assert not rig.wires.relay.burnt


def test_orders_during_a_pulse_never_lengthen_it_or_drive_both(rig):
    source = random.Random(SEED)
    print("seed", SEED)
    for _ in range(40):
        rig.coils.pulse(source.random() < 0.5)
        rig.run(source.choice((1, 10, 49, 300, 520)))
        if isinstance(rig, Rp2Rig):  # its orders wait in a FIFO of four
            while len(rig.machine.state.transmit_fifo) == 4:
                rig.run(50)
    rig.run(3000)
    assert rig.wires.relay.both_coils == 0
    assert not rig.wires.relay.burnt
    assert max(pulse[2] for pulse in rig.wires.pulses) <= LONGEST_US
    assert rig.wires.levels == [0, 0]


def test_the_pins_are_low_before_the_hardware_has_them(monkeypatch):
    assert [pin.level for pin in Rp2Rig(monkeypatch).pins] == [0, 0]
    for pin in Stm32Rig(None).pins:
        assert pin.functions == [(Pin.ALT, 2)]  # TIM3 on PB0 and PB1, data sheet table 9


def test_whatever_word_the_state_machine_finds_no_pulse_is_longer(monkeypatch):
    """Also an order for both coils, which the driver never gives, ends in time."""
    rig = Rp2Rig(monkeypatch)
    for word in (3, 0, 0xFFFFFFFF, 0x80000001):
        rig.machine.put(word)
        rig.run(2000)
        assert rig.wires.levels == [0, 0]
    assert max(pulse[2] for pulse in rig.wires.pulses) <= LONGEST_US
    rig.machine.state = replace(rig.machine.state, x_register=0xFFFFFFFF, y_register=0xFFFFFFFF)
    rig.coils.pulse(False)
    rig.run(2000)
    assert max(pulse[2] for pulse in rig.wires.pulses) <= LONGEST_US


class OneShot:
    """machine.Timer on the bench."""

    ONE_SHOT = 0

    def __init__(self, rig):
        self.rig = rig
        self.due = None
        self.callback = None

    def init(self, mode, period, callback):
        assert mode == self.ONE_SHOT
        assert period > 0
        self.due, self.callback = self.rig.bench.us // 1000 + period, callback


class RelayRig:
    """The whole relay: driver, coils in hardware, contact."""

    def __init__(self, kind, monkeypatch, sensed=True):
        self.hardware = kind(monkeypatch)
        self.bench = self.hardware.bench
        self.contact = self.hardware.wires.relay
        monkeypatch.setattr(
            timed_relay.time, "ticks_ms", lambda: (WRAP - 700 + self.bench.us // 1000) % WRAP
        )
        self.timer = OneShot(self)
        sense = type("Sense", (), {"value": lambda _self: self.contact.sense()})()
        self.relay = timed_relay.TimedRelay(
            self.hardware.coils, sense if sensed else None, self.timer
        )

    def run(self, ms):
        end = self.bench.us // 1000 + ms
        while self.timer.due is not None and self.timer.due <= end:
            due, self.timer.due = self.timer.due, None
            self.hardware.run(max(0, due - self.bench.us // 1000))
            self.timer.callback(self.timer)
        self.hardware.run(max(0, end - self.bench.us // 1000))


@pytest.mark.parametrize("kind", [Rp2Rig, Stm32Rig])
def test_the_last_of_several_orders_counts_after_the_pause(kind, monkeypatch):
    rig = RelayRig(kind, monkeypatch)
    assert rig.relay.closed()
    rig.relay.open()
    assert rig.relay.busy()
    rig.run(20)
    for order in (rig.relay.close, rig.relay.open, rig.relay.close):
        order()
    rig.run(400)
    assert not rig.relay.closed()
    rig.run(300)
    assert rig.relay.closed()
    rig.run(600)
    assert not rig.relay.busy()
    pulses = rig.hardware.wires.pulses
    assert [pulse[0] for pulse in pulses] == [0, 1]
    assert pulses[1][1] - pulses[0][1] >= 500_000
    assert rig.contact.hurried == 0


@pytest.mark.parametrize("kind", [Rp2Rig, Stm32Rig])
def test_no_storm_of_orders_harms_the_relay(kind, monkeypatch):
    source = random.Random(SEED)
    print("seed", SEED)
    rig = RelayRig(kind, monkeypatch)
    last = None
    for _ in range(60):
        last = source.choice((rig.relay.open, rig.relay.close))
        last()
        rig.run(source.choice((0, 1, 49, 51, 519, 521, source.randrange(1200))))
    rig.run(2000)
    assert rig.relay.closed() == (last == rig.relay.close)
    assert (rig.contact.both_coils, rig.contact.hurried, rig.contact.burnt) == (0, 0, False)
    assert not rig.relay.busy()


def test_without_sense_contact_the_last_order_stands(monkeypatch):
    rig = RelayRig(Stm32Rig, monkeypatch, sensed=False)
    assert not rig.relay.closed()
    rig.relay.close()
    assert rig.relay.closed()
    rig.run(600)
    rig.relay.open()
    assert not rig.relay.closed()


def test_a_welded_contact_is_seen(monkeypatch):
    rig = RelayRig(Stm32Rig, monkeypatch)
    rig.contact.fault("stuck")
    rig.relay.open()
    rig.run(1000)
    assert rig.relay.closed()
