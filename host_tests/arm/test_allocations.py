"""What the end of a window leaves for the garbage collector on a 32-bit processor.

There an integer of 31 bits or more is an object: 16 octets, and its digits of 16 bits in blocks of
16 octets. Each one that the arithmetic makes is counted as it is made; on the 64-bit host most of
them would be small integers and never show.
"""

import sys
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from metrology_bench import Bench, Mains, Phase

from metrology import accumulators

SMALL = 1 << 30
# What was counted when this was written, and five percent: a loss is seen at once.
LIMIT = 1.05 * 15_000  # 1.5 KB of it for the guard of the energies in RAM


class Tally:
    """Octets by the function that made the integer."""

    def __init__(self):
        self.octets = Counter()

    def note(self, value):
        if not -SMALL <= value < SMALL:
            digits = (abs(int(value)).bit_length() + 15) // 16
            size = 16 + max(16, (2 * digits + 15) // 16 * 16)
            self.octets[sys._getframe(2).f_code.co_name] += size
        return Traced(value)


TALLY = Tally()


class Traced(int):
    """A number whose results are traced, too."""


def _trace(name):
    plain = getattr(int, name)

    def traced(self, *others):
        value = plain(self, *others)
        return value if value is NotImplemented else TALLY.note(value)

    setattr(Traced, name, traced)


for _name in ("add", "sub", "mul", "floordiv", "mod", "lshift", "rshift", "and", "or"):
    _trace(f"__{_name}__")
    _trace(f"__r{_name}__")
for _name in ("__neg__", "__abs__", "__pow__"):
    _trace(_name)


class TracedState:
    """The kernel's state, read in traced numbers."""

    def __init__(self, state):
        self.state = state

    def __getitem__(self, at):
        return Traced(self.state[at])

    def __setitem__(self, at, value):
        self.state[at] = value


def test_instructions_aside_a_window_leaves_few_octets(monkeypatch, report):
    for name in ("_take2", "_take3", "_take4"):
        plain = getattr(accumulators, name)
        monkeypatch.setattr(
            accumulators, name, lambda state, at, plain=plain: plain(TracedState(state), at)
        )
    bench = Bench(Mains([Phase(230, 5, 30, {5: (0.1, 0)}, {5: (0.4, 0)})] * 3))
    bench.play(1.2)
    TALLY.octets.clear()
    before = bench.engine.windows
    bench.play(1.0)
    windows = bench.engine.windows - before
    assert windows == 5
    total = sum(TALLY.octets.values()) / windows
    parts = ", ".join(
        f"{name.strip('_')} {octets / windows:.0f}" for name, octets in TALLY.octets.most_common(6)
    )
    report.append(
        f"end of a three-phase window on 32 bits: {total / 1000:.1f} KB of long integers ({parts})"
    )
    assert total <= LIMIT
