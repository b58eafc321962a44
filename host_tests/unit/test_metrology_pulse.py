"""LED pulses: as many as the energy says, to one, for ever; evenly spread; lit below the start."""

import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from metrology_bench import Variant

from metrology.energy import Energies
from metrology.pulse import ACTIVE, NO_ENERGY, PulseGenerator

RATE_MHZ = 4_000_000
KWH_UWS = 3_600_000_000_000


class Led:
    """Notes level and frame of every change."""

    def __init__(self, generator):
        self.now = 0
        self.level = 0
        self.rises = []
        self.falls = []
        generator.attach(self.set)

    def set(self, level):
        if level and not self.level:
            self.rises.append(self.now)
        if self.level and not level:
            self.falls.append(self.now)
        self.level = level


def play(generator, led, loads_w, seconds_each, block=40):
    """Windows of 800 frames; returns the energy in micro-watt-seconds."""
    total = 0
    for load in loads_w:
        for _ in range(seconds_each * 5):
            for _ in range(800 // block):
                led.now += block
                generator.tick(block)
            added = load * 200_000
            total += added
            generator.add(total, added, 800)
    return total


@pytest.mark.row("LED-01", "LED-02")
def test_1000_impulses_at_1_kw_are_one_in_3_6_seconds_of_30_ms():
    generator = PulseGenerator(1000, RATE_MHZ)
    led = Led(generator)
    play(generator, led, [1000], 40)
    gaps = [(b - a) / 4000 for a, b in zip(led.rises, led.rises[1:], strict=False)]
    assert len(led.rises) == 11
    assert all(abs(gap - 3.6) <= 0.0101 for gap in gaps)  # within one block of 10 ms
    assert all(
        abs((b - a) / 4000 - 0.03) < 0.001 for a, b in zip(led.rises, led.falls, strict=False)
    )


@pytest.mark.row("LED-02")
def test_above_16_impulses_a_second_the_led_is_lit_for_half_the_period():
    generator = PulseGenerator(10000, RATE_MHZ)
    led = Led(generator)
    play(generator, led, [9000], 4)  # 25 impulses a second
    lit = [(b - a) / 4000 for a, b in zip(led.rises[1:], led.falls[1:], strict=False)]
    assert all(0.01 <= time <= 0.03 for time in lit)
    assert 90 <= len(led.rises) <= 100


@pytest.mark.row("LED-01")
@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([1000, 3200, 4000, 7000, 10000]),
    st.lists(st.integers(0, 60_000), min_size=1, max_size=6),
)
def test_pulses_are_the_energy_to_one_pulse(constant, loads_w):
    generator = PulseGenerator(constant, RATE_MHZ)
    led = Led(generator)
    total = play(generator, led, loads_w, 2)
    assert generator.count + generator.pending == total * constant // KWH_UWS
    assert len(led.rises) == generator.count
    # the last window's pulses are still to come, and come in the next
    for _ in range(20):
        generator.tick(40)
    assert generator.pending == 0
    assert generator.count == total * constant // KWH_UWS


def test_a_power_cut_costs_no_pulse():
    # A new generator that follows the restored register goes on where the old one was.
    source = random.Random(3)
    total = pulses = 0
    for _ in range(50):
        generator = PulseGenerator(1000, RATE_MHZ)
        for _ in range(source.randrange(1, 9)):
            added = source.randrange(10**9)
            total += added
            generator.add(total, added, 800)
        pulses += generator.count + generator.pending
    assert pulses == total * 1000 // KWH_UWS


def test_a_leap_gives_all_its_pulses_at_once():
    generator = PulseGenerator(1000, RATE_MHZ)
    led = Led(generator)
    generator.add(10 * 3_600_000_000 + 5, 10 * 3_600_000_000 + 5, 4000)
    assert (generator.count, generator.pending) == (10, 0)
    assert len(led.rises) == 10


@pytest.mark.row("LED-04", "MET-03")
def test_below_the_start_the_led_is_lit_and_no_pulse():
    generator = PulseGenerator(1000, RATE_MHZ)
    led = Led(generator)
    generator.steady(True)
    for _ in range(100):
        generator.tick(40)
        generator.steady(True)
    assert led.level == 1
    assert generator.count == 0
    generator.steady(False)
    assert led.level == 0


@pytest.mark.parametrize("constant", [0, -1, 1_000_001])
def test_a_constant_that_makes_no_sense_is_refused(constant):
    with pytest.raises(ValueError):
        PulseGenerator(constant, RATE_MHZ)


@pytest.mark.row("LED-08")
def test_a_pulse_is_as_wide_as_it_was_set():
    generator = PulseGenerator(1000, RATE_MHZ)
    for width in (29, 201, 0, -30, 20):
        with pytest.raises(ValueError):
            generator.set_width(width)
    generator.set_width(100)
    led = Led(generator)
    play(generator, led, [1000], 10)
    assert all((b - a) / 4 == 100 for a, b in zip(led.rises, led.falls, strict=False))
    assert len(led.falls) >= 2


def test_another_constant_goes_on_with_the_same_energy():
    generator = PulseGenerator(1000, RATE_MHZ)
    led = Led(generator)
    before = play(generator, led, [3600], 100) // 3_600_000_000
    generator.tick(800)
    assert generator.count == before == 100
    generator.configure(ACTIVE, 4000)
    play(generator, led, [3600], 100)
    generator.tick(800)
    assert generator.count == 100 + 400


def test_an_output_of_no_energy_is_still_and_bad_settings_are_refused():
    generator = PulseGenerator(1000, RATE_MHZ, NO_ENERGY)
    led = Led(generator)
    energies = Energies(Variant(1), RATE_MHZ)
    generator.window(energies, 800)
    generator.tick(800)
    assert not led.rises
    for energy, constant in ((5, 1000), (ACTIVE, 0), (ACTIVE, 1_000_001), (-23, 1000)):
        with pytest.raises(ValueError):
            generator.configure(energy, constant)
    assert (generator.energy, generator.pulses_per_kwh) == (NO_ENERGY, 1000)
