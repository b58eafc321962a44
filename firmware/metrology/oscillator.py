"""Sine and cosine at the frequency of the mains: what the kernel correlates with.

The engine sets the frequency that the last window had; phase runs on through every change, so the
windows of a steady mains can be added.
"""

from array import array

from micropython import const

from metrology import kernel
from metrology.frame import BLOCK

# First quarter of a sine of 256 steps a turn, times 4095 * 256, made by
# round(4095 * 256 * math.sin(2 * math.pi * k / 256)), which a test compares.
_QUARTER = (
    0, 25727, 51439, 77119, 102753, 128326, 153820, 179223, 204517, 229688, 254721, 279600,
    304311, 328839, 353168, 377285, 401175, 424823, 448215, 471337, 494175, 516715, 538944,
    560849, 582415, 603631, 624483, 644960, 665047, 684734, 704009, 722859, 741274, 759243,
    776754, 793797, 810362, 826439, 842019, 857091, 871646, 885677, 899174, 912130, 924536,
    936385, 947670, 958384, 968521, 978075, 987039, 995409, 1003180, 1010346, 1016903, 1022848,
    1028177, 1032886, 1036974, 1040436, 1043272, 1045480, 1047057, 1048004, 1048320,
)  # fmt: skip
_STEPS = const(256)
_QUARTER_STEPS = const(64)
_BIAS = const(0x100000)  # the kernel's table is never negative
_TURN = 1 << 30
_TURN_MASK = const(0x3FFFFFFF)
_PHASE = const(0)
_STEP = const(1)


def _table() -> "array[int]":
    """Return a turn, a quarter and one value of the sine, biased."""
    table = array("i", bytes(4 * (_STEPS + _QUARTER_STEPS + 1)))
    for k in range(len(table)):
        quarter, at = divmod(k, _QUARTER_STEPS)
        value = _QUARTER[_QUARTER_STEPS - at if quarter & 1 else at]
        table[k] = _BIAS + (-value if quarter & 2 else value)
    return table


class Oscillator:
    """A pair of sine and cosine, written for each block into `pairs`."""

    def __init__(self, rate_mhz: int, frequency_uhz: int) -> None:
        self.pairs = array("i", bytes(4 * 2 * BLOCK))
        self.frequency_uhz = frequency_uhz
        self.rate_mhz = rate_mhz
        self.table = _table()
        self._state = array("i", (0, 0))
        self._begin_phase = 0  # phase of the block's first frame
        self._begin_step = 0
        self.set_frequency(frequency_uhz)

    def set_frequency(self, frequency_uhz: int) -> None:
        """Take effect from the next `write`, or from where `rewrite` says."""
        self.frequency_uhz = frequency_uhz
        per_kilosecond = self.rate_mhz * 1000
        self._state[_STEP] = (frequency_uhz * _TURN + per_kilosecond // 2) // per_kilosecond

    def write(self, count: int) -> None:
        """Write the pairs of a block of `count` frames. Allocates nothing."""
        state = self._state
        self._begin_phase = state[_PHASE]
        self._begin_step = state[_STEP]
        kernel.references(count, self.table, state, self.pairs)  # pyright: ignore[reportArgumentType]

    def rewrite(self, first: int, count: int) -> None:
        """Write the block again, at the present frequency from frame `first` on.

        The pairs before `first` are spoilt: their frames have been summed.
        """
        state = self._state
        changed = self._begin_step - state[_STEP]
        state[_PHASE] = (self._begin_phase + first * changed) & _TURN_MASK
        self.write(count)

    def end_udeg(self) -> int:
        """Return the sine's angle at the end of the block, half a frame after its last."""
        state = self._state
        return (state[_PHASE] - (state[_STEP] >> 1)) * 360_000_000 >> 30
