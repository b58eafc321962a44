"""LED pulses: as many as the energy says, to one, for ever; evenly spread; lit below the start."""

import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from metrology_bench import PlayedOutput, Variant

from metrology.energy import Energies
from metrology.pulse import ACTIVE, NO_ENERGY, PulseGenerator

RATE_MHZ = 4_000_000
KWH_UWS = 3_600_000_000_000


def make(constant=1000, energy=ACTIVE):
    generator = PulseGenerator(constant, RATE_MHZ, energy)
    led = PlayedOutput()
    generator.attach(led)
    return generator, led


def play(generator, loads_w, seconds_each, total=0):
    """Windows of 800 frames; returns the energy in micro-watt-seconds."""
    for load in loads_w:
        for _ in range(seconds_each * 5):
            added = load * 200_000
            total += added
            generator.add(total, added, 800)
    return total


def gaps_us(led):
    return [b - a for a, b in zip(led.rises_us, led.rises_us[1:], strict=False)]


@pytest.mark.row("LED-01", "LED-02")
def test_1000_impulses_at_1_kw_are_one_in_3_6_seconds_of_30_ms():
    generator, led = make(1000)
    play(generator, [1000], 40)
    assert len(led.rises_us) == 11
    assert all(abs(gap - 3_600_000) <= 1 for gap in gaps_us(led))
    assert set(led.widths_us) == {30_000}


@pytest.mark.row("LED-02")
def test_above_16_impulses_a_second_the_led_is_lit_for_half_the_period():
    generator, led = make(10000)
    play(generator, [9000], 4)  # 25 impulses a second
    assert len(led.rises_us) == 100
    assert all(abs(gap - 40_000) <= 1 for gap in gaps_us(led))
    assert all(abs(width - 20_000) <= 1 for width in led.widths_us)


@pytest.mark.row("LED-02")
def test_2500_impulses_a_second_are_evenly_spread():
    generator, led = make(1_000_000)
    play(generator, [9000], 2)
    assert len(led.rises_us) == 5000
    assert all(abs(gap - 400) <= 2 for gap in gaps_us(led))


@pytest.mark.row("LED-01")
@settings(max_examples=40)
@given(
    st.sampled_from([1000, 3200, 4000, 7000, 10000]),
    st.lists(st.integers(0, 60_000), min_size=1, max_size=6),
)
def test_pulses_are_the_energy_to_one_pulse(constant, loads_w):
    generator, led = make(constant)
    total = play(generator, loads_w, 2)
    assert generator.count == len(led.rises_us) == total * constant // KWH_UWS
    # spread over time as the energy is, one window later
    spans = iter(led.rises_us)
    assert all(a <= b for a, b in zip(spans, spans, strict=False))
    assert all(rise <= led.now_us for rise in led.rises_us)


def test_a_power_cut_costs_no_pulse():
    # A new generator that follows the restored register goes on where the old one was.
    source = random.Random(3)
    total = pulses = 0
    for _ in range(50):
        generator, led = make(1000)
        for _ in range(source.randrange(1, 9)):
            added = source.randrange(10**9)
            total += added
            generator.add(total, added, 800)
        generator.flush()
        pulses += len(led.rises_us)
        assert led.flushes == 1
    assert pulses == total * 1000 // KWH_UWS


def test_a_leap_gives_all_its_pulses_at_once():
    generator, led = make(1000)
    generator.add(10 * 3_600_000_000 + 5, 10 * 3_600_000_000 + 5, 4000)
    assert generator.count == 10
    assert led.rises_us == [0] * 10


@pytest.mark.row("LED-04", "MET-03")
def test_below_the_start_the_led_is_lit_and_no_pulse():
    generator, led = make(1000)
    generator.steady(True)
    assert led.lit
    assert generator.count == 0
    generator.steady(False)
    assert not led.lit


@pytest.mark.parametrize("constant", [0, -1, 1_000_001])
def test_a_constant_that_makes_no_sense_is_refused(constant):
    with pytest.raises(ValueError):
        PulseGenerator(constant, RATE_MHZ)


@pytest.mark.row("LED-08")
def test_a_pulse_is_as_wide_as_it_was_set():
    generator, led = make(1000)
    for width in (29, 201, 0, -30, 20):
        with pytest.raises(ValueError):
            generator.set_width(width)
    generator.set_width(100)
    play(generator, [1000], 10)
    assert led.widths_us == [100_000, 100_000]


def test_another_constant_goes_on_with_the_same_energy():
    generator, led = make(1000)
    total = play(generator, [3600], 100)
    assert generator.count == total // 3_600_000_000 == 100
    generator.configure(ACTIVE, 4000)
    play(generator, [3600], 100, total)
    assert generator.count == len(led.rises_us) == 100 + 400


def test_an_output_of_no_energy_is_still_and_bad_settings_are_refused():
    generator, led = make(1000, NO_ENERGY)
    energies = Energies(Variant(1), RATE_MHZ)
    generator.window(energies, 800)
    assert not led.rises_us
    for energy, constant in ((9, 1000), (ACTIVE, 0), (ACTIVE, 1_000_001), (-23, 1000)):
        with pytest.raises(ValueError):
            generator.configure(energy, constant)
    assert (generator.energy, generator.pulses_per_kwh) == (NO_ENERGY, 1000)


def test_without_an_output_pulses_are_counted():
    generator = PulseGenerator(1000, RATE_MHZ)
    play(generator, [3600], 10)
    generator.flush()
    generator.steady(True)
    assert generator.count == 10
