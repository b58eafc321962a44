"""The kernels beside the same work in C, compiled by gcc -O2: equal to the bit, and what it costs.

Goal: at most 2.5 times the instructions of C for the whole work on a three-phase frame, on a
Cortex-M0+. Without the compiler (`apt install gcc-arm-none-eabi`) this says so and is skipped.
"""

import random

import native
import pytest
from build import KERNEL, VOLTAGE_KERNEL, WAVEFORM_KERNEL, cross_compile
from kernel_bench import (
    CODE_MAX,
    CODE_MIN,
    PhaseSetting,
    accumulate_state,
    decoder_state,
    kernel,
    sine_table,
    words,
)
from test_kernel import chip_frame, scan_state
from test_voltage_kernel import fresh
from thumb import ThumbMachine

GOAL = 2.5
BLOCK = 40
BLOCKS = 10
RING = 3 * BLOCK


@pytest.fixture(scope="module")
def machines():
    """(C, MicroPython), each a way to call a function by name."""
    kernels = [
        ThumbMachine(cross_compile(source, "armv6m"))
        for source in (KERNEL, VOLTAGE_KERNEL, WAVEFORM_KERNEL)
    ]
    home = {name: machine for machine in kernels for name in machine._entry_points}
    return native.NativeMachine(), home


class Work:
    """Blocks of frames through every function, as the engine does it, on one interpreter."""

    def __init__(self, machine, setting, words_of_frame=10):
        self.machine = machine
        self.instructions = {}
        self.results = []
        roles = list(range(1, min(8, words_of_frame - 1)))
        self.channels = len(roles)
        phases = 3 if self.channels == 7 else 1
        zero_n = 77 if self.channels % 2 else None
        scan = scan_state(target=10)
        scan[kernel._SCAN_CHANNELS] = self.channels
        half = fresh()
        half[0], half[1] = self.channels, phases
        layouts = {
            "decoder": decoder_state(words_of_frame, roles, RING),
            "scan": scan,
            "sine": sine_table(),
            "turn": [0, 13421773],
            "sums": accumulate_state(phases, self.channels, [setting] * phases, zero_n),
            "half": half,
            "voltages": [0] * (64 * phases),
            "history": [self.channels * 268, 0] + [0] * (self.channels * 268),
        }
        self.buffers = {name: bytearray(words(layout)) for name, layout in layouts.items()}
        self.frames = bytearray(4 * self.channels * BLOCK)
        self.pairs = bytearray(8 * BLOCK)

    def call(self, name, *arguments):
        machine = self.machine if not isinstance(self.machine, dict) else self.machine[name]
        result = machine.call(name, *arguments)
        self.instructions[name] = self.instructions.get(name, 0) + machine.instructions
        self.results.append(result or 0)  # nothing is returned as zero by C

    def block(self, ring):
        own, frames, pairs = self.buffers, self.frames, self.pairs
        self.call("decode", BLOCK, own["decoder"], ring, frames)
        self.call("scan", own["scan"], frames, 0, BLOCK)
        self.call("references", BLOCK, own["sine"], own["turn"], pairs)
        for span in (17, 17 * 256 + BLOCK - 17):
            self.call("accumulate", span, frames, own["sums"], pairs)
            self.call("accumulate_shared", span, frames, own["sums"], pairs)
        self.call("half_cycles", BLOCK, frames, own["half"], own["voltages"])
        self.call("keep", frames, own["history"], self.channels * BLOCK)


def rings(words_of_frame, seed, bad):
    """Chip frames for the blocks, of random codes; one in `bad` has a wrong CRC."""
    source = random.Random(seed)
    for _ in range(BLOCKS):
        ring = bytearray()
        for _ in range(RING):
            values = [source.randint(CODE_MIN, CODE_MAX) for _ in range(words_of_frame - 2)]
            frame = bytearray(chip_frame(values))
            if source.randrange(bad) == 0:
                frame[source.randrange(len(frame) - 1)] ^= 0x10
            ring += frame
        yield ring


needs_compiler = pytest.mark.skipif(
    native.compiler() is None,
    reason="arm-none-eabi-gcc is not installed: the kernels are not compared with C",
)


def test_instructions_beside_c_need_the_compiler(report):
    if native.compiler() is None:
        report.append(
            "arm-none-eabi-gcc is not installed (apt install gcc-arm-none-eabi, or ARM_GCC=/path):"
            " the kernels are not compared with C"
        )


@needs_compiler
@pytest.mark.parametrize("words_of_frame", [10, 9, 5])
@pytest.mark.parametrize(
    "setting",
    [PhaseSetting(), PhaseSetting(300, -5000, 9000, 1, 1), PhaseSetting(-(1 << 22), 9, -20000)],
)
def test_c_and_the_kernels_agree_to_the_bit(machines, setting, words_of_frame):
    if words_of_frame == 10:
        seed, bad = 20261121, 20
    else:
        seed, bad = 20261122, 5
    works = [Work(machine, setting, words_of_frame) for machine in machines]
    for ring in rings(words_of_frame, seed, bad):
        for work in works:
            work.block(bytearray(ring))
    c, viper = works
    assert c.results == viper.results
    for name, buffer in c.buffers.items():
        assert buffer == viper.buffers[name], (name, seed)
    assert c.frames == viper.frames
    assert any(c.results)


@needs_compiler
def test_instructions_of_the_whole_work_beside_c(machines, report):
    setting = PhaseSetting(allpass=9000, late_u=1, late_i=1)
    works = [Work(machine, setting) for machine in machines]
    for ring in rings(10, 7, 10**9):
        for work in works:
            work.block(bytearray(ring))
    frames = BLOCK * BLOCKS
    c, viper = works
    for name, count in viper.instructions.items():
        report.append(
            f"{name:18} {count / frames:7.0f} instructions a three-phase frame,"
            f" in C {c.instructions[name] / frames:6.0f}, ratio {count / c.instructions[name]:.2f}"
        )
    total = sum(viper.instructions.values())
    in_c = sum(c.instructions.values())
    report.append(
        f"{'the whole work':18} {total / frames:7.0f} instructions a three-phase frame,"
        f" in C {in_c / frames:6.0f}, ratio {total / in_c:.2f} (goal {GOAL}), armv6m, gcc -O2"
    )
    assert total <= GOAL * in_c
