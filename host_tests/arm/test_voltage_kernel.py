"""Half-cycle sums, equal to the bit on 32-bit Arm, on the 64-bit host and in Python's integers."""

import math
import random

import pytest
from build import TARGETS, VOLTAGE_KERNEL, cross_compile
from kernel_bench import BLOCK, CODE_MAX, CODE_MIN, Engines, unpack, words
from thumb import ThumbMachine

from metrology import half_cycle, voltage_kernel
from metrology.half_cycle import HalfCycles


@pytest.fixture(scope="module")
def engines():
    return Engines(VOLTAGE_KERNEL, voltage_kernel)


def fresh(rate_hz=4000, f_hz=50, zeros=(0, 0, 0)):
    half = HalfCycles([60_000_000] * 3, 7, rate_hz * 1000, f_hz * 1_000_000)
    half.set_zero([zero << 16 for zero in zeros])
    for phase in range(3):  # half cycles of their own, the first of which is not whole
        at = half_cycle._HEAD + half_cycle._SECTION * phase
        half._state[at + half_cycle._WAIT] = 1
        for length in (half_cycle._LEFT, half_cycle._LENGTH):
            half._state[at + length] -= 300 * phase
    return list(half._state)


def steps_of(state, frames):
    steps = [("set", "s", words(state)), ("set", "r", bytes(4 * 64 * 3))]
    for first in range(0, len(frames), 7 * BLOCK):
        part = frames[first : first + 7 * BLOCK]
        steps.append(("set", "f", words(part)))
        steps.append(("call", "half_cycles", [len(part) // 7, "f", "s", "r"]))
    return [*steps, ("get", "s", None), ("get", "r", None)]


@pytest.mark.parametrize("kind", ["random", "rails", "quiet"])
@pytest.mark.parametrize(("rate_hz", "f_hz"), [(4000, 50), (8000, 40), (32000, 40), (1000, 70)])
def test_all_interpreters_agree_at_the_bounds(engines, kind, rate_hz, f_hz):
    source = random.Random(20260707)
    zeros = {"rails": (-(1 << 22), 1 << 22, 0)}.get(kind, (0, 100, -5000))
    make = {
        "random": lambda k: source.randint(CODE_MIN, CODE_MAX),
        "rails": lambda k: CODE_MAX if k % 7 < 2 else CODE_MIN,
        "quiet": lambda k: source.randint(-3, 3),
    }[kind]
    frames = [make(k) for k in range(7 * 20 * BLOCK)]
    given = engines.agree(steps_of(fresh(rate_hz, f_hz, zeros), frames))
    ring, state = unpack(given[-1]), unpack(given[-2])
    counts = [
        state[voltage_kernel._HEAD + voltage_kernel._SECTION * phase + voltage_kernel._COUNT]
        for phase in range(3)
    ]
    assert sum(given[:-2]) == sum(counts)
    ended = min(counts)
    for count in counts:
        assert abs(count - 20 * BLOCK * 2 * f_hz / rate_hz) <= 1
    if kind == "rails" and ended > 1:
        # distance of the rail from the zero, in millivolts
        far = [(CODE_MAX + (1 << 22)) * 0.06, (CODE_MIN - (1 << 22)) * -0.06, CODE_MIN * -0.06]
        for phase in range(3):
            assert abs(ring[3 * 1 + phase] - far[phase]) < far[phase] * 1e-3
    first = ring[:3] if ended < 64 else []
    assert first == [-1] * len(first)
    assert all(0 <= value < 1 << 30 for value in ring[len(first) :])


@pytest.mark.parametrize("arch", TARGETS)
def test_instructions_of_the_half_cycles(arch, report):
    machine = ThumbMachine(cross_compile(VOLTAGE_KERNEL, arch))
    frames = bytearray(words([round(5e6 * math.sin(k / 90)) for k in range(7 * 40)]))
    state, ring = bytearray(words(fresh())), bytearray(4 * 64 * 3)
    machine.call("half_cycles", 40, frames, state, ring)
    machine.call("half_cycles", 40, frames, state, ring)
    report.append(
        f"{arch}: half cycles {machine.instructions / 40:.0f} instructions a three-phase frame, "
        f"about {machine.cycles / 40:.0f} cycles"
    )
    assert machine.cycles / 40 <= 3750 - 3144
    # a division calls the interpreter: two a phase
    assert set(machine.table_calls) <= {3, 4, 46}
