"""The meter's kernel on every interpreter at once: programs for it, and the states they leave.

States are laid out by the kernel's own constants, which CPython can read; what they must hold is
worked out again here with Python's unbounded integers, from the definition of the sums and not
from the kernel's text.
"""

import math
import struct

from build import KERNEL, ROOT, TARGETS, cross_compile, run_in_place, run_interpreter
from thumb import ThumbMachine

from metrology import kernel
from metrology.frame import Decoder

CODE_MAX = (1 << 23) - 1
CODE_MIN = -(1 << 23)
HALF = 1 << 23
HISTORY_BIAS = 0x4000000
BLOCK = 64


def words(values):
    return struct.pack(f"<{len(values)}I", *[value & 0xFFFFFFFF for value in values])


def unpack(data):
    return list(struct.unpack(f"<{len(data) // 4}i", data))


class Engines:
    """Both Arm targets, the 64-bit unix port and CPython, asked the same."""

    def __init__(self, source=KERNEL, module=kernel):
        self.machines = {arch: ThumbMachine(cross_compile(source, arch)) for arch in TARGETS}
        self.module = module

    def run(self, steps):
        """Run a program everywhere and return what each interpreter gave."""
        given = {
            arch: run_in_place(steps, machine.call) for arch, machine in self.machines.items()
        }
        given["unix"] = run_interpreter(steps, [ROOT / "firmware"], self.module.__name__)
        given["cpython"] = run_in_place(steps, lambda name, *a: getattr(self.module, name)(*a))
        return given

    def agree(self, steps):
        """Run a program everywhere, insist on equal bits, and return what it gave."""
        given = self.run(steps)
        slow = given.pop("cpython")
        for name, result in given.items():
            assert len(result) == len(slow)
            for index, (one, other) in enumerate(zip(result, slow, strict=True)):
                if one != other and isinstance(one, bytes):
                    differing = [
                        (k, a, b)
                        for k, (a, b) in enumerate(zip(unpack(one), unpack(other), strict=True))
                        if a != b
                    ]
                    raise AssertionError(f"{name}, result {index}: words differ {differing[:8]}")
                assert one == other, f"{name}, result {index}"
        return slow


class PhaseSetting:
    """Zero offsets and delays of one phase."""

    def __init__(self, zero_u=0, zero_i=0, allpass=0, late_u=0, late_i=0):
        self.zero_u = zero_u
        self.zero_i = zero_i
        self.allpass = allpass
        self.late_u = late_u
        self.late_i = late_i


def accumulate_state(phases, channels, settings, zero_n=None):
    """Fresh sums for `phases` phases; the neutral is measured if `zero_n` is given."""
    state = [0] * (kernel._HEAD + phases * kernel._SECTION)
    state[kernel._CHANNELS] = channels
    state[kernel._PHASES] = phases
    state[kernel._NEUTRAL] = 0 if zero_n is None else channels - 1
    state[kernel._ZERO_N] = HALF + (zero_n or 0)
    for phase in range(phases):
        at = kernel._HEAD + phase * kernel._SECTION
        setting = settings[phase]
        state[at + kernel._ZERO_U] = HALF + setting.zero_u
        state[at + kernel._ZERO_I] = HALF + setting.zero_i
        state[at + kernel._ALLPASS] = 65536 + setting.allpass
        state[at + kernel._LATE_U] = setting.late_u
        state[at + kernel._LATE_I] = setting.late_i
        for k in range(5):
            state[at + kernel._HISTORY + k] = HISTORY_BIAS
    return state


def limbs(state, at, bits):
    """Join the limbs from `at` on, each `bits` wide, the last one signed."""
    value = shift = 0
    for k, width in enumerate(bits):
        limb = state[at + k]
        if k < len(bits) - 1:
            assert 0 <= limb < 1 << width, f"limb {k} at {at} is {limb}"
        value += limb << shift
        shift += width
    return value


def sums_of(state, phase):
    """All sums of a phase's section as whole numbers."""
    at = kernel._HEAD + phase * kernel._SECTION
    found = {}
    for k, name in enumerate(("u", "i")):
        found[name] = limbs(state, at + kernel._SUM_U + 2 * k, (24, 32))
    for k, name in enumerate(("uu", "ii", "ui")):
        found[name] = limbs(state, at + kernel._SUM_UU + 4 * k, (12, 12, 24, 32))
    for k, name in enumerate(("us", "uc", "is", "ic")):
        found[name] = limbs(state, at + kernel._SUM_US + 3 * k, (12, 24, 32))
    return found


def expected_sums(u_codes, i_codes, pairs, setting):
    """Return the same sums from their definition, without any bound on the numbers."""
    u = [code - setting.zero_u for code in u_codes]
    i = [code - setting.zero_i for code in i_codes]
    if setting.late_u:
        u = [0, *u[:-1]]
    delay = 2 if setting.late_i else 1
    i = ([0] * delay + i)[: len(i_codes)]
    filtered = []
    x1 = y = 0
    for x in u:
        distance = x - y
        c = setting.allpass
        y = x1 + (((distance >> 12) * c + (((distance & 4095) * c) >> 12) + 8 >> 4) if c else 0)
        x1 = x
        filtered.append(y)
    s = [pair[0] for pair in pairs]
    c = [pair[1] for pair in pairs]

    def dot(a, b):
        return sum(p * q for p, q in zip(a, b, strict=True))

    return {
        "u": sum(filtered),
        "i": sum(i),
        "uu": dot(filtered, filtered),
        "ii": dot(i, i),
        "ui": dot(filtered, i),
        "us": dot(filtered, s),
        "uc": dot(filtered, c),
        "is": dot(i, s),
        "ic": dot(i, c),
    }


def sine_table():
    """The table that `references` reads: a turn and a quarter, biased."""
    return [
        round(math.sin(2 * math.pi * k / 256) * 4095 * 256) + (1 << 20)
        for k in range(256 + 64 + 1)
    ]


def decoder_state(decoder_words, roles, ring_frames, first=0):
    """The state that frame.py gives `decode` for chip frames of `decoder_words` words."""
    state = list(Decoder(decoder_words, roles)._state)
    state[kernel._DEC_FIRST] = first
    state[kernel._DEC_RING] = ring_frames
    return state


def accumulate_steps(state, frames, channels, pairs):
    """Feed frames (a flat list of codes) block by block, and ask for the state at the end."""
    steps = [("set", "state", words(state))]
    count = len(frames) // channels
    for first in range(0, count, BLOCK):
        length = min(BLOCK, count - first)
        part = frames[first * channels : (first + length) * channels]
        steps.append(("set", "frames", words(part)))
        flat = [value + 4096 for pair in pairs[first : first + length] for value in pair]
        steps.append(("set", "pairs", words(flat)))
        steps.append(("call", "accumulate", [length, "frames", "state", "pairs"]))
        steps.append(("call", "accumulate_shared", [length, "frames", "state", "pairs"]))
    steps.append(("get", "state", None))
    return steps
