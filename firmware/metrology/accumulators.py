"""Sums of a window: the kernel's limbs, and the same as plain integers that can be added.

`Accumulators` owns the array that kernel.accumulate writes; at the end of a window the engine
parks it, shares the frames at the end out between this window and the next, and moves what the
window got into a `RawSums`, which quantities.py and energy.py read. Units are ADC codes,
products of codes, and reference units (amplitude 4095). A fraction of a frame is 1/65536 (q16).
"""

from array import array

from micropython import const

from metrology import kernel, share_kernel

ONE_FRAME = const(65536)  # q16
REFERENCE_AMPLITUDE = const(4095)

# Positions in a phase's sums
U = const(0)
I = const(1)  # noqa: E741 - the symbol of a current
UU = const(2)
II = const(3)
UI = const(4)
US = const(5)
UC = const(6)
IS = const(7)
IC = const(8)
_PHASE_SUMS = const(9)
# Positions in the references' sums
S = const(0)
C = const(1)
SS = const(2)
CC = const(3)
SC = const(4)
_REFERENCE_SUMS = const(5)
# Positions in the neutral's sums
N = const(0)
NN = const(1)

# The kernel's layout of its state, see there (a test compares the two)
_CHANNELS = const(0)
_PHASES = const(1)
_NEUTRAL = const(2)
_ZERO_N = const(3)
_REFERENCE = const(4)
_SUM_N = const(14)
_HEAD = const(20)
_SECTION = const(38)
_ZERO_U = const(0)
_ZERO_I = const(1)
_ALLPASS = const(2)
_LATE_U = const(3)
_LATE_I = const(4)
_HISTORY = const(5)
_SUM_U = const(10)
_SUM_UU = const(14)
_SUM_US = const(26)
_ZERO = const(0x800000)
_BIAS = const(0x4000000)
_ALLPASS_MAX = const(22938)  # 0.35, q16


class RawSums:
    """The sums of one window, or of several: they are additive.

    frames_q16: frames, with the fractions of the two ends
    cycles, span_q16: zero crossings' intervals inside, and the frames they took; 0 without voltage
    whole: the window holds whole cycles of the mains, so its own mean is its DC
    repeat: how often one window's sums are contained (see `scale`)
    """

    def __init__(self, phases: int) -> None:
        self.frames_q16 = 0
        self.cycles = 0
        self.span_q16 = 0
        self.whole = True
        self.repeat = 1
        self.reference = [0] * _REFERENCE_SUMS
        self.neutral = [0, 0]
        self.phases = [[0] * _PHASE_SUMS for _ in range(phases)]

    def clear(self) -> None:
        """Back to no frames at all."""
        self.frames_q16 = self.cycles = self.span_q16 = 0
        self.whole = True
        self.repeat = 1
        _fill(self.reference)
        _fill(self.neutral)
        for sums in self.phases:
            _fill(sums)

    def copy_from(self, other: "RawSums") -> None:
        """Become equal to `other`, which has as many phases."""
        self.frames_q16 = other.frames_q16
        self.cycles = other.cycles
        self.span_q16 = other.span_q16
        self.whole = other.whole
        self.repeat = other.repeat
        _copy(self.reference, other.reference)
        _copy(self.neutral, other.neutral)
        for k in range(len(self.phases)):
            _copy(self.phases[k], other.phases[k])

    def add(self, other: "RawSums") -> None:
        """Add the frames of another window: one longer window results."""
        if not self.frames_q16:
            self.copy_from(other)
            return
        self.frames_q16 += other.frames_q16
        self.cycles += other.cycles
        self.span_q16 += other.span_q16
        self.whole = self.whole and other.whole
        self.repeat = 1
        _add(self.reference, other.reference)
        _add(self.neutral, other.neutral)
        for k in range(len(self.phases)):
            _add(self.phases[k], other.phases[k])

    def scale(self, windows: int) -> None:
        """Become `windows` (at least 1) times the same window.

        `repeat` remembers it, so that what is rounded once a window is rounded alike however many
        windows are taken at once: the energies are the same to the unit.
        """
        if windows < 1:
            raise ValueError("windows")
        self.frames_q16 *= windows
        self.cycles *= windows
        self.span_q16 *= windows
        self.repeat *= windows
        _multiply(self.reference, windows)
        _multiply(self.neutral, windows)
        for sums in self.phases:
            _multiply(sums, windows)


def _fill(values: list[int]) -> None:
    for k in range(len(values)):
        values[k] = 0


def _copy(values: list[int], source: list[int]) -> None:
    for k in range(len(values)):
        values[k] = source[k]


def _add(values: list[int], other: list[int]) -> None:
    for k in range(len(values)):
        values[k] += other[k]


def _multiply(values: list[int], factor: int) -> None:
    for k in range(len(values)):
        values[k] *= factor


class Accumulators:
    """The kernel's running sums and the settings of its channels."""

    def __init__(self, phases: int, channels: int) -> None:
        """`channels` words a frame: a pair for each phase, then the neutral, if measured."""
        if phases not in (1, 2, 3) or channels not in (2 * phases, 2 * phases + 1):
            raise ValueError("phases and channels")
        state = array("i", bytes(4 * (_HEAD + _SECTION * phases)))
        state[_CHANNELS] = channels
        state[_PHASES] = phases
        state[_NEUTRAL] = 2 * phases if channels > 2 * phases else 0
        state[_ZERO_N] = _ZERO
        for phase in range(phases):
            base = _HEAD + _SECTION * phase
            state[base + _ZERO_U] = state[base + _ZERO_I] = _ZERO
            state[base + _ALLPASS] = ONE_FRAME
            for k in range(_SUM_U - _HISTORY):
                state[base + _HISTORY + k] = _BIAS
        self.state = state
        self.phases = phases
        self.frames_q16 = 0  # in the sums since they were last moved
        # a window that ends, and what the next one has got of the frames at its end
        self._parked = array("i", bytes(8 * len(state)))
        self._ends_q16 = self._next_q16 = 0
        places = [4 * at for at in range(_REFERENCE, _SUM_N + 2, 2)] + [4 * (_SUM_N + 2) + 2]
        for phase in range(phases):
            base = 4 * (_HEAD + _SECTION * phase)
            places += [base + 4 * at for at in (_SUM_U, _SUM_U + 2)]
            places += [base + 4 * at + 2 for at in range(_SUM_UU, _SUM_US, 4)]
            places += [base + 4 * at + 1 for at in range(_SUM_US, _SECTION, 3)]
        self._places = array("i", [len(places), len(state)] + places)

    def set_delay(self, phase: int, allpass_q16: int, late_u: bool, late_i: bool) -> None:
        """Set the relative delay of a phase; see calibration.delay_filter for the values."""
        # Half a sample needs 0.34 at 20 samples a cycle; the bounds in the kernel hold up to 0.35.
        if not -_ALLPASS_MAX <= allpass_q16 <= _ALLPASS_MAX:
            raise ValueError("allpass coefficient")
        base = _HEAD + _SECTION * phase
        self.state[base + _ALLPASS] = ONE_FRAME + allpass_q16
        self.state[base + _LATE_U] = int(late_u)
        self.state[base + _LATE_I] = int(late_i)

    def accumulate(
        self, frames: "array[int]", pairs: "array[int]", first: int, count: int
    ) -> None:
        """Add `count` frames (at most 64) from frame `first` of the block. Allocates nothing."""
        if count <= 0:
            return
        span = first * 256 + count
        kernel.accumulate(span, frames, self.state, pairs)  # pyright: ignore[reportArgumentType]
        kernel.accumulate_shared(span, frames, self.state, pairs)  # pyright: ignore[reportArgumentType]
        self.frames_q16 += count * ONE_FRAME

    def move_into(self, sums: RawSums) -> None:
        """Add the running sums to `sums` and start from zero again."""
        self._take(self.state, sums)
        sums.frames_q16 += self.frames_q16
        self.frames_q16 = 0

    def park(self) -> None:
        """Put the running sums aside, as those of a window that ends; start from zero."""
        share_kernel.move(0, self.state, self._parked, self._places)  # pyright: ignore[reportArgumentType]
        self._ends_q16 = self.frames_q16
        self._next_q16 = self.frames_q16 = 0

    def share(self, weight_q16: int) -> None:
        """Give weight/65536 of one frame, which is all that is summed, to the window that ends.

        The next one gets the rest: nothing is lost. Allocates nothing.
        """
        share_kernel.share(weight_q16, self.state, self._parked, self._places)  # pyright: ignore[reportArgumentType]
        self._ends_q16 += weight_q16
        self._next_q16 += ONE_FRAME - weight_q16
        self.frames_q16 = 0

    def move_parked_into(self, sums: RawSums) -> None:
        """Add the window that ended to `sums`; what the next one got is running."""
        self._take(self._parked, sums)
        sums.frames_q16 += self._ends_q16
        share_kernel.move(1, self.state, self._parked, self._places)  # pyright: ignore[reportArgumentType]
        self.frames_q16 = self._next_q16

    def _take(self, state: "array[int]", sums: RawSums) -> None:
        for k in range(_REFERENCE_SUMS):
            sums.reference[k] += _take2(state, _REFERENCE + 2 * k)
        sums.neutral[N] += _take2(state, _SUM_N)
        sums.neutral[NN] += _take4(state, _SUM_N + 2)
        for phase in range(self.phases):
            base = _HEAD + _SECTION * phase
            values = sums.phases[phase]
            values[U] += _take2(state, base + _SUM_U)
            values[I] += _take2(state, base + _SUM_U + 2)
            for k in range(3):
                values[UU + k] += _take4(state, base + _SUM_UU + 4 * k)
            for k in range(4):
                values[US + k] += _take3(state, base + _SUM_US + 3 * k)


def _take2(state: "array[int]", at: int) -> int:
    value = (state[at + 1] << 24) + state[at]
    state[at] = state[at + 1] = 0
    return value


def _take3(state: "array[int]", at: int) -> int:
    # upper limbs first: on 32 bits each long integer on the way is an object
    value = (((state[at + 2] << 24) + state[at + 1]) << 12) + state[at]
    state[at] = state[at + 1] = state[at + 2] = 0
    return value


def _take4(state: "array[int]", at: int) -> int:
    low = (state[at + 1] << 12) + state[at]
    value = (((state[at + 3] << 24) + state[at + 2]) << 24) + low
    state[at] = state[at + 1] = state[at + 2] = state[at + 3] = 0
    return value
