"""History and harmonics, equal to the bit on 32-bit Arm, on the 64-bit host and in Python."""

import random

import pytest
from build import TARGETS, WAVEFORM_KERNEL, cross_compile
from kernel_bench import CODE_MAX, CODE_MIN, HALF, Engines, words
from thumb import ThumbMachine

from metrology import waveform_kernel

COUNT = 178  # frames of two cycles at 45 Hz


@pytest.fixture(scope="module")
def engines():
    return Engines(WAVEFORM_KERNEL, waveform_kernel)


def channel_state(channel=0, zero=0, shift=7, scale=13):
    return words([7, channel, HALF + zero, shift, scale, 0, 0, 0, 0])


def references(source):
    pairs = [source.randint(1, 8191) for _ in range(2 * COUNT)]
    return words(pairs + [source.randint(0, 8190) for _ in range(COUNT)])


def test_frames_go_round_the_ring_alike(engines):
    source = random.Random(20261121)
    steps = [("set", "r", words([7 * 100, 0] + [0] * 700))]
    expected = []
    for count in (40, 64, 1, 3, 64, 40, 7):
        frames = [source.randint(CODE_MIN, CODE_MAX) for _ in range(7 * count)]
        expected = (expected + frames)[-700:]
        steps += [("set", "f", words(frames)), ("call", "keep", ["f", "r", 7 * count])]
    given = engines.agree([*steps, ("get", "r", None)])
    at = 7 * (219 % 100)
    assert given[-1] == words([700, at] + expected[-at:] + expected[:-at])


@pytest.mark.parametrize("every", [1, 2, 16])
def test_frames_are_thinned_alike(engines, every):
    """Upper 16 bits of every so many-th frame; the ring stands still after the number asked."""
    source = random.Random(20261123)
    slots = 9
    state = [7, 6, every, 0, slots, 0, 0, 0]
    steps = [("set", "s", words(state)), ("set", "r", bytes(2 * 6 * slots))]
    ring = [0] * (6 * slots)
    kept = left = 0
    go = 0  # one more than are to be kept
    for count in (40, 1, 64, 3, 64, 64, 40):
        if count == 3:
            steps += [
                ("get", "s", None),
                ("set", "s", words([*state[:3], left, slots, kept % slots, min(kept, slots), 6])),
            ]
            go = 6
        frames = [source.randint(CODE_MIN, CODE_MAX) for _ in range(7 * count)]
        steps += [("set", "f", words(frames)), ("call", "thin", [count, "f", "s", "r"])]
        for k in range(count):
            if left:
                left -= 1
            elif go != 1:
                at = kept % slots * 6
                ring[at : at + 6] = [code >> 8 & 0xFFFF for code in frames[7 * k : 7 * k + 6]]
                kept += 1
                go -= go > 0
                left = every - 1
    given = engines.agree([*steps, ("get", "s", None), ("get", "r", None)])
    assert given[-1] == b"".join(word.to_bytes(2, "little") for word in ring)
    assert given[-2][20:] == words([kept % slots, min(kept, slots), 1])


@pytest.mark.parametrize("kind", ["random", "rails", "quiet"])
@pytest.mark.parametrize("channel", [0, 6])
def test_sums_agree_at_the_bounds(engines, kind, channel):
    source = random.Random(20261122)
    zero = {"rails": -CODE_MAX}.get(kind, 100)
    make = {
        "random": lambda: source.randint(CODE_MIN, CODE_MAX),
        "rails": lambda: CODE_MAX,
        "quiet": lambda: source.randint(90, 110),
    }[kind]
    frames = [make() for _ in range(7 * COUNT)]
    shift, scale = (0, 1) if kind == "quiet" else (7, 13)
    steps = [
        ("set", "f", words(frames)),
        ("set", "p", words([8191, 1] * COUNT + [8190] * COUNT)),
        ("set", "s", channel_state(channel, zero, shift, scale)),
        *([] if kind == "rails" else [("set", "p", references(source))]),
        ("call", "spread", [COUNT, "f", "s"]),
        ("call", "correlate", [COUNT, "f", "s", "p"]),
        ("get", "s", None),
    ]
    given = engines.agree(steps)
    widest = max(abs(code - zero) for code in frames[channel::7])
    assert given[0].bit_length() == widest.bit_length()
    if kind == "rails":
        x = ((2 * CODE_MAX) >> 7) * 8190 >> 13
        s = COUNT * x * 4095
        high, low = given[-1][20:24], given[-1][24:28]
        assert (int.from_bytes(high, "little", signed=True) << 12) + int.from_bytes(
            low, "little", signed=True
        ) == s


@pytest.mark.parametrize("arch", TARGETS)
def test_instructions_of_history_and_of_a_harmonic(arch, report):
    machine = ThumbMachine(cross_compile(WAVEFORM_KERNEL, arch))
    source = random.Random(7)
    frames = bytearray(words([source.randint(CODE_MIN, CODE_MAX) for _ in range(7 * COUNT)]))
    machine.call("keep", frames, bytearray(words([7 * 268, 0] + [0] * 7 * 268)), 7 * 40)
    kept = machine.instructions / 40
    cycles = machine.cycles / 40
    thinning = bytearray(words([7, 6, 2, 0, 329, 0, 0, 0]))
    machine.call("thin", 40, frames, thinning, bytearray(2 * 6 * 329))
    thinned = machine.instructions / 40
    cycles += machine.cycles / 40
    # what the kernel (3144) and the half cycles (279) leave of the budget of a frame
    assert cycles <= 3750 - 3144 - 279
    state = bytearray(channel_state())
    machine.call("spread", COUNT, frames, state)
    asked = machine.instructions
    machine.call("correlate", COUNT, frames, state, bytearray(references(source)))
    asked += machine.instructions
    report.append(
        f"{arch}: {kept:.0f} instructions a three-phase frame for the history, "
        f"{thinned:.0f} for records of disturbances; {asked} for a harmonic when asked for"
    )
    assert kept <= 45
    assert thinned <= 100
    assert asked <= 30_000
