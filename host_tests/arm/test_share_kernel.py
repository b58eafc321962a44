"""A frame shared between two windows: what integers give, to the bit on every processor."""

import random
from array import array

import pytest
from build import SHARE_KERNEL, TARGETS, cross_compile
from kernel_bench import Engines, unpack, words
from thumb import ThumbMachine

from metrology import accumulators, share_kernel
from metrology.accumulators import Accumulators, RawSums

# the most that the products of one frame can be: |u| < 1.7 * 2**23, references within 4095
CODE = 14_260_634
LIMITS = {2: CODE**2, 1: CODE * 4095, 0: CODE}


@pytest.fixture(scope="module")
def engines():
    return Engines(SHARE_KERNEL, share_kernel)


def limbs_of(value, low):
    """A sum as the kernel keeps it."""
    limbs = []
    for _ in range(low):
        limbs.append(value & 4095)
        value >>= 12
    return [*limbs, value & 0xFFFFFF, value >> 24]


def value_of(state, at, low):
    value = state[at + low + 1]
    value = (value << 24) + state[at + low]
    for k in reversed(range(low)):
        value = (value << 12) + state[at + k]
    return value


def meter(phases=3, channels=7):
    """Accumulators and the places of their sums: (first limb, limbs of 12 bits)."""
    one = Accumulators(phases, channels)
    count, size, *places = one._places
    assert (count, size) == (len(places), len(one.state))
    return one, [(place >> 2, place & 3) for place in places]


@pytest.mark.parametrize("kind", ["random", "most", "least", "small"])
@pytest.mark.parametrize("phases", [1, 3])
def test_shares_are_those_of_integers_and_nothing_is_lost(engines, kind, phases):
    source = random.Random(20261121)
    one, places = meter(phases, 2 * phases + 1)
    size = len(one.state)
    make = {
        "random": lambda limit: source.randint(-limit, limit),
        "most": lambda limit: limit,
        "least": lambda limit: -limit,
        "small": lambda limit: source.randint(-3, 3),
    }[kind]
    steps = [
        ("set", "s", words(list(one.state))),
        ("set", "p", bytes(8 * size)),
        ("set", "l", words(list(one._places))),
    ]
    state = list(one.state)
    window = [source.randint(-(1 << 58), 1 << 58) >> (24 - 12 * low) for _, low in places]
    for (at, low), value in zip(places, window, strict=True):
        state[at : at + low + 2] = limbs_of(value, low)
    steps += [("set", "s", words(state)), ("call", "move", [0, "s", "p", "l"])]
    ends, rest = list(window), [0] * len(places)
    quiet = list(one.state)
    for weight in (0, 1, 21845, 65535, 65536, source.randrange(65537)):
        frame = [make(LIMITS[low]) for _, low in places]
        state = list(quiet)
        for (at, low), value in zip(places, frame, strict=True):
            state[at : at + low + 2] = limbs_of(value, low)
        steps += [("set", "s", words(state)), ("call", "share", [weight, "s", "p", "l"])]
        for k, value in enumerate(frame):
            part = value * weight >> 16
            ends[k] += part
            rest[k] += value - part
    steps += [("get", "s", None), ("get", "p", None)]
    steps += [("call", "move", [1, "s", "p", "l"]), ("get", "s", None), ("get", "p", None)]
    given = engines.agree(steps)
    shared, parked, running, left = [unpack(data) for data in given if isinstance(data, bytes)]
    assert shared == quiet  # settings and history stay, the sums are zero
    assert [value_of(parked, at, low) for at, low in places] == ends
    assert [value_of(parked, size + at, low) for at, low in places] == rest
    assert [value_of(running, at, low) for at, low in places] == rest
    assert left == parked[:size] + [0] * size
    for at in set(range(size)) - {at + k for at, low in places for k in range(low + 2)}:
        assert running[at] == quiet[at]


def test_the_places_are_all_sums_and_nothing_else():
    for phases, channels in ((1, 2), (1, 3), (3, 6), (3, 7)):
        _, places = meter(phases, channels)
        words_of_sums = sorted(at + k for at, low in places for k in range(low + 2))
        assert len(words_of_sums) == len(set(words_of_sums))
        head = range(accumulators._REFERENCE, accumulators._HEAD)
        sums = set(head)
        for phase in range(phases):
            base = accumulators._HEAD + accumulators._SECTION * phase
            sums |= set(range(base + accumulators._SUM_U, base + accumulators._SECTION))
        assert set(words_of_sums) == sums


def test_a_parked_window_and_its_shares_are_whole():
    one, _ = meter(1, 3)
    frames = array("i", [5, -7, 3] * 64)
    pairs = array("i", [4096 + 100, 4096 - 50] * 64)
    plain = Accumulators(1, 3)
    both = RawSums(1)
    plain.accumulate(frames, pairs, 0, 64)
    plain.accumulate(frames, pairs, 0, 2)
    plain.move_into(both)
    one.accumulate(frames, pairs, 0, 64)
    one.park()
    for weight in (40_000, 9_000):
        one.accumulate(frames, pairs, 0, 1)
        one.share(weight)
    assert one.frames_q16 == 0
    ended, after = RawSums(1), RawSums(1)
    one.move_parked_into(ended)
    assert ended.frames_q16 == (64 << 16) + 49_000
    assert one.frames_q16 == (2 << 16) - 49_000
    one.move_into(after)
    assert [a + b for a, b in zip(ended.phases[0], after.phases[0], strict=True)] == both.phases[0]
    assert ended.reference[0] == 6400 + (100 * 40_000 >> 16) + (100 * 9_000 >> 16)


@pytest.mark.parametrize("arch", TARGETS)
def test_instructions_of_a_share(arch, report):
    one, _ = meter()
    machine = ThumbMachine(cross_compile(SHARE_KERNEL, arch))
    state, places = bytearray(words(list(one.state))), words(list(one._places))
    parked = bytearray(8 * len(one.state))
    cost = []
    for name, argument in (("move", 0), ("share", 12345), ("move", 1)):
        machine.call(name, argument, state, parked, bytearray(places))
        cost.append(machine.instructions)
    total = cost[0] + 2 * cost[1] + cost[2]
    report.append(f"{arch}: {total} instructions to share the two frames at a window's end")
    # What was counted when this was written, and five percent: a loss is seen at once.
    assert total <= 1.05 * 44_279
    assert set(machine.table_calls) <= {3, 4}
