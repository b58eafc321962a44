"""Exact for ever: a million windows, transformer ratios, pulses that follow what is measured."""

import random
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from metrology_bench import Variant

from metrology.energy import SNAPSHOT_BYTES, Energies
from metrology.pulse import ACTIVE, APPARENT, REACTIVE, PulseGenerator
from metrology.quantities import isqrt

RATE_MHZ = 4_000_000
DIVISOR = 65536 * RATE_MHZ
A_IMPORT, A_EXPORT, A_ABSOLUTE, A_NET, S_IMPORT = 0, 1, 10, 11, 8


class Load:
    """One window's quantities of a single phase, and what it adds to each register, exactly."""

    def __init__(self, p_uw, q_uvar, frames_q16):
        self.phases = 1
        self.p_uw, self.q_uvar, self.frames_q16 = [p_uw], [q_uvar], frames_q16
        self.i_ua, self.u_uv = [5_000_000], [230_000_000]
        weight = frames_q16 * 1000
        exports = -1024 * p_uw > abs(q_uvar)  # noise of P decides nothing at a right angle
        quadrant = (1 if exports else 0) if q_uvar >= 0 else (2 if exports else 3)
        self.adds = {
            A_IMPORT if p_uw >= 0 else A_EXPORT: abs(p_uw) * weight,
            4 + quadrant: abs(q_uvar) * weight,
            S_IMPORT + 1 if exports else S_IMPORT: isqrt(p_uw**2 + q_uvar**2) * weight,
        }


def make(transformer=False):
    return Energies(Variant(1, transformer=transformer), RATE_MHZ)


def random_loads(rng, count):
    top = 100 * 265 * 1_000_000
    return [
        Load(
            rng.randrange(-top, top) // 10 ** rng.randrange(7),
            rng.randrange(-top, top) // 10 ** rng.randrange(7),
            rng.randrange(790 << 16, 810 << 16),
        )
        for _ in range(count)
    ]


@pytest.mark.row("EN-01", "TRF-01")
@pytest.mark.parametrize(
    ("windows", "numerator", "denominator"), [(1_000_000, 1, 1), (100_000, 127, 7)]
)
def test_a_million_windows_of_random_loads_are_their_sum_to_the_last_unit(
    windows, numerator, denominator
):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    loads = random_loads(rng, 997)
    energies = make()
    energies.set_ratio(numerator, denominator)
    order = rng.choices(loads, k=windows)
    for load in order:
        energies.add(load, load.frames_q16)
    exact = Counter()
    for load, times in Counter(order).items():
        for register, amount in load.adds.items():
            exact[register] += amount * times
    for register, amount in exact.items():
        measured = amount // DIVISOR
        assert energies.total_uws(register) == measured * numerator // denominator
    both = energies.total_uws(A_IMPORT), energies.total_uws(A_EXPORT)
    assert energies.total_uws(A_ABSOLUTE) == sum(both)
    assert energies.total_uws(A_NET) == both[0] - both[1]
    quadrants = [energies.total_uws(index) for index in (4, 5, 6, 7)]
    assert energies.total_uws(2) == quadrants[0] + quadrants[1]
    assert energies.total_uws(3) == quadrants[2] + quadrants[3]


@pytest.mark.row("TRF-01")
def test_100_to_5_makes_registers_twenty_times_what_is_measured():
    energies = make(transformer=True)
    energies.set_ratio(100, 5)
    energies.add(Load(1_000_000_000, 0, 4000 * 3600 << 16), 4000 * 3600 << 16)
    assert energies.wh[A_IMPORT] == 20_000
    assert energies.primary(1_000_000_000) == 20_000_000_000


@pytest.mark.parametrize(
    ("numerator", "denominator"),
    [(100, 0), (0, 5), (-100, 5), (100, -5), (4, 5), (65536, 7), (50005, 5)],
)
def test_what_is_no_ratio_is_refused_and_changes_nothing(numerator, denominator):
    energies = make(transformer=True)
    energies.set_ratio(100, 5)
    with pytest.raises(ValueError):
        energies.set_ratio(numerator, denominator)
    assert (energies.ratio_numerator, energies.ratio_denominator) == (100, 5)


@given(st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 300), st.integers(0, 10**10))))
@settings(max_examples=60)
def test_a_change_of_ratio_moves_no_register_and_loses_less_than_a_unit(steps):
    energies = make(transformer=True)
    exact = 0
    for numerator, denominator, p_uw in steps:
        ratio = max(numerator, denominator), denominator
        before = energies.total_uws(A_IMPORT)
        energies.set_ratio(*ratio)
        assert energies.total_uws(A_IMPORT) == before
        energies.add(Load(p_uw, 0, 800 << 16), 800 << 16)
        exact += Fraction(energies.flow_added_uws[0] * ratio[0], ratio[1])
    # a remainder is less than a micro-watt-second, and so is what is left of it at a change
    assert 0 <= exact - energies.total_uws(A_IMPORT) <= len(steps)


@pytest.mark.row("LED-01")
@pytest.mark.parametrize("energy", [ACTIVE, REACTIVE, APPARENT])
def test_pulses_follow_the_chosen_energy_as_measured_whatever_the_ratio(energy):
    energies = make(transformer=True)
    energies.set_ratio(4000, 5)
    pulses = PulseGenerator(10_000, RATE_MHZ, energy)
    # 3 kW and 4 kvar, 5 kVA, in alternating directions for an hour
    for k in range(7200):
        load = Load((-1) ** k * 3_000_000_000, (-1) ** (k // 2) * 4_000_000_000, 2000 << 16)
        energies.add(load, load.frames_q16)
        pulses.window(energies, 2000)
    expected = {ACTIVE: 30_000, REACTIVE: 40_000, APPARENT: 50_000}[energy]
    assert pulses.count == expected


def test_pulses_go_on_after_a_power_cut_where_they_were():
    energies = make(transformer=True)
    energies.set_ratio(100, 5)
    pulses = PulseGenerator(1000, RATE_MHZ, ACTIVE)
    load = Load(1_000_000_000, 0, 800 << 16)
    count = 0
    for _ in range(100):  # each life measures 3.4 Wh
        for _ in range(61):
            energies.add(load, load.frames_q16)
            pulses.window(energies, 2000)
        count += pulses.count
        snapshot = bytearray(SNAPSHOT_BYTES)
        energies.snapshot_into(snapshot, 0)
        energies, pulses = make(transformer=True), PulseGenerator(1000, RATE_MHZ, ACTIVE)
        energies.restore_from(snapshot, 0)
        energies.set_ratio(100, 5)
    assert count == 6100 * 200 // 3600
