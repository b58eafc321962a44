"""One-cycle RMS of every voltage, refreshed each half cycle: what dips and swells are seen by.

The engine passes each block of frames and, with each window, the angles of the voltages; the
quality part reads the ring. A value is the RMS of the cycle that begins at a zero crossing of the
phase's own fundamental (IEC 61000-4-30, 5.4, Urms(1/2)). Between two windows the half cycles are
as long as the frequency says, so they go on while a voltage is too low to cross zero; a mains
whose phase jumps is followed so slowly that every value stays that of a cycle. What a window with
a dip says of frequency and angles is not believed; a frequency that swings is followed cycle by
cycle.
"""

from array import array

from micropython import const

from metrology import voltage_kernel

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from metrology.oscillator import Oscillator
    from metrology.quantities import Quantities

SLOTS = const(64)  # half cycles kept: 0.5 s at 60 Hz

# The kernel's state, see there
_CHANNELS = const(0)
_PHASES = const(1)
_SHIFT = const(2)
_SLOTS = const(3)
_HEAD = const(4)
_ZERO = const(0)
_FACTOR = const(3)
_FACTOR_SHIFT = const(4)
_HALF = const(5)
_LEFT = const(6)
_LENGTH = const(7)
_BEFORE = const(8)
_COUNT = const(9)
_WAIT = const(10)
_SECTION = const(11)
_CODE_ZERO = const(0x800000)
_ZERO_MAX = const(0x400000)  # what the kernel's bounds allow
_SLOWLY = const(4)  # a sixteenth a window
_HALVES = const(20)  # of a window
_SLEW_SHIFT = const(9)  # a cycle too long by so much errs by 0.1 % at most
_FACTOR_END = const(0x8000)
_FAST_MHZ = const(8_000_000)
_COUNT_MASK = const(0x3FFFFFFF)
_BROKEN = const(2)  # values that a half cycle of another length is in
_UNKNOWN = const(40)  # half cycles until a mains that tells no phase is believed to be dead
_UNSTEADY_MOST = const(4)  # windows that are not believed
_STEADY_SHIFT = const(7)  # of the voltage
_JUMP_SHIFT = const(9)  # of the frequency, from one window to the next
_ODD_SHIFT = const(7)  # of a cycle, to the one before
_ODD_MOST = const(4)
_CYCLES_MOST = const(4)  # between two crossings that are seen
_LOWEST_HZ = const(40)  # as the engine believes
_HALF_TURN_UDEG = const(180_000_000)
_THIRD_UDEG = const(120_000_000)


class HalfCycles:
    """The last 64 half cycles of each voltage."""

    def __init__(self, u_pv: list[int], channels: int, rate_mhz: int, frequency_uhz: int) -> None:
        phases = len(u_pv)
        self.phases = phases
        self._rate_mhz = rate_mhz
        self._window_uhz = frequency_uhz  # what the window that runs is correlated with
        self._ring = array("i", bytes(4 * SLOTS * phases))
        state = array("i", bytes(4 * (_HEAD + _SECTION * phases)))
        state[_CHANNELS] = channels
        state[_PHASES] = phases
        state[_SHIFT] = 12 if rate_mhz <= _FAST_MHZ else 13
        state[_SLOTS] = SLOTS
        self._state = state
        self._sections = [_HEAD + _SECTION * phase for phase in range(phases)]
        # how far each voltage is ahead of the first, as last seen
        self._ahead_udeg = [-_THIRD_UDEG * phase for phase in range(phases)]
        self._zeroed = self._aligned = False
        self._unsteady = self._odd = 0  # windows and cycles, one after the other
        self.set_scale(u_pv)
        self.set_frequency(frequency_uhz)
        for at in self._sections:
            state[at + _ZERO] = _CODE_ZERO
            state[at + _LEFT] = state[at + _LENGTH] = state[at + _BEFORE] = self._half
            state[at + _WAIT] = _UNKNOWN

    def count(self, phase: int) -> int:
        """Return half cycles ended since start, modulo 2**30; the newest is number count - 1."""
        return self._state[self._sections[phase] + _COUNT]

    def half_us(self) -> int:
        """Return how long a half cycle is, by the frequency that is followed."""
        return self._half * 3_906_250 // self._rate_mhz  # frames, q8

    def u_mv(self, number: int, phase: int) -> int:
        """RMS of the cycle that ended with half cycle `number`, one of the last 64. No allocation.

        -1: that was no whole cycle, as after a start. Raises ValueError for one that is not in the
        ring any more or not yet.
        """
        if not 1 <= (self.count(phase) - number) & _COUNT_MASK <= SLOTS:
            raise ValueError("half cycle")
        return self._ring[(number & (SLOTS - 1)) * self.phases + phase]

    def add(self, frames: "array[int]", count: int) -> int:
        """Add a block of frames; return how many half cycles ended in it. No allocation."""
        return voltage_kernel.half_cycles(count, frames, self._state, self._ring)  # pyright: ignore[reportArgumentType]

    def broken(self) -> None:
        """Frames are missing: what runs is no half cycle."""
        for at in self._sections:
            self._state[at + _WAIT] = max(self._state[at + _WAIT], _BROKEN)

    def set_scale(self, u_pv: list[int]) -> None:
        """Take the picovolts of a code, calibrated, for the values to come."""
        state = self._state
        for at, code_pv in zip(self._sections, u_pv):
            # millivolts of a quarter of the kernel's unit as factor / 2**shift
            pv = code_pv << (state[_SHIFT] - 2)
            shift = 30
            while shift and (pv << shift) // 1_000_000_000 >= _FACTOR_END:
                shift -= 1
            state[at + _FACTOR] = min((pv << shift) // 1_000_000_000, _FACTOR_END - 1)
            state[at + _FACTOR_SHIFT] = shift

    def set_frequency(self, frequency_uhz: int) -> None:
        """Follow the mains from the next half cycle on."""
        self._uhz = frequency_uhz
        # frames of half a period, q8
        self._half = (self._rate_mhz * 256_000 + frequency_uhz) // (2 * frequency_uhz)
        for at in self._sections:
            self._state[at + _HALF] = self._half

    def set_zero(self, dc_u_q16: list[int]) -> None:
        """Follow the DC of each voltage, in codes, of the last window.

        The first time at once, then slowly: a window with a dip has a mean that is no DC.
        """
        state = self._state
        for at, dc_q16 in zip(self._sections, dc_u_q16):
            zero = _CODE_ZERO + max(-_ZERO_MAX, min(_ZERO_MAX, dc_q16 >> 16))
            if self._zeroed:
                zero = state[at + _ZERO] + ((zero - state[at + _ZERO]) >> _SLOWLY)
            state[at + _ZERO] = zero
        self._zeroed = True

    def cycle(self, interval_q8: int) -> None:
        """Follow a frequency that has left the last window's; `interval_q8` of crossings, 0: none.

        An interval that differs much is that of a voltage which jumped, until several say so.
        """
        half = self._half
        cycles = (interval_q8 + half) // (2 * half)
        if not 1 <= cycles <= _CYCLES_MOST:
            return
        if interval_q8 * _LOWEST_HZ > cycles * (self._rate_mhz // 125 << 5):
            return  # no mains, and more frames than the kernel's sums have room for
        off = interval_q8 // (2 * cycles) - half
        if abs(off) << _JUMP_SHIFT < half:
            self._odd = 0
        elif abs(off) << _ODD_SHIFT > half and self._odd < _ODD_MOST:
            self._odd += 1
        else:
            self._half += off >> 1
            for at in self._sections:
                self._state[at + _HALF] += off >> 1

    def window(
        self,
        quantities: "Quantities | None",
        oscillator: "Oscillator",
        reference: int,
        frames_q16: int,
        keep_dc: bool,
    ) -> None:
        """Let half cycles end where the window that has just closed says; None: it says nothing.

        frames_q16: how long it was; keep_dc: DC counts; reference: as `follow` takes it
        """
        uhz = oscillator.frequency_uhz
        off_uhz, self._window_uhz = uhz - self._window_uhz, uhz
        if quantities is None:
            return
        if quantities.dc_known and not keep_dc:
            self.set_zero(quantities.dc_u_q16)
        # The window's angles are those of its middle, if its frequency was not the oscillator's,
        # and of voltages that the sums have delayed by a frame.
        frames_q16 = frames_q16 * off_uhz + (uhz << 17)
        end_udeg = oscillator.end_udeg() + frames_q16 * 360_000 // (self._rate_mhz << 17)
        self.follow(quantities, reference, uhz, end_udeg)

    def follow(
        self, quantities: "Quantities", reference: int, frequency_uhz: int, end_udeg: int
    ) -> None:
        """Let half cycles end where the fundamentals of a window cross zero.

        end_udeg: angle of what the window was correlated with, at the end of the last block
        reference: a phase that has voltage; one that has little keeps its angle to that
        """
        u_uv = quantities.u_uv
        last_mv = self.u_mv(self.count(reference) - 1 & _COUNT_MASK, reference)
        mean_mv = u_uv[reference] // 1000
        unsteady = abs(last_mv - mean_mv) << _STEADY_SHIFT > mean_mv
        # a dip that began just now shows by where it has put the last crossing
        unsteady = unsteady or abs(frequency_uhz - self._uhz) << _JUMP_SHIFT > frequency_uhz
        if unsteady and self._aligned:
            self._unsteady += 1
            if self._unsteady <= _UNSTEADY_MOST:
                for at in self._sections:
                    self._state[at + _HALF] = self._half
                return
        self._unsteady = 0
        self.set_frequency(frequency_uhz)
        ahead = self._ahead_udeg
        own_udeg = quantities.ahead_udeg(reference)
        shift_udeg = own_udeg - ahead[reference]
        for phase in range(self.phases):
            if phase == reference:
                angle_udeg = own_udeg
            elif u_uv[phase] * 8 < u_uv[reference]:
                angle_udeg = ahead[phase] + shift_udeg
            else:
                angle_udeg = quantities.ahead_udeg(phase)
            ahead[phase] = angle_udeg
            self._align(self._sections[phase], (end_udeg + angle_udeg) % _HALF_TURN_UDEG)
        self._aligned = True

    def _align(self, at: int, since_udeg: int) -> None:
        state = self._state
        half = self._half
        wanted = half - since_udeg * half // _HALF_TURN_UDEG  # until the next end
        off = wanted - state[at + _LEFT]
        if not self._aligned:
            state[at + _LENGTH] += off
            state[at + _LEFT] = wanted
            state[at + _WAIT] = _BROKEN
            return
        off %= half
        if off > half >> 1:
            off -= half
        most = half >> _SLEW_SHIFT
        state[at + _HALF] = half + max(-most, min(most, off // _HALVES))
