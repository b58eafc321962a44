"""One-cycle RMS of every voltage, refreshed each half cycle: what dips and swells are seen by.

The engine passes each block of frames and, once a window, where the reference voltage crossed
zero; the quality part reads the ring. All phases share the reference's half cycles, which last as
long as the last window's frequency says (IEC 61000-4-30, Urms(1/2), for one common timing).
"""

from array import array

from micropython import const

from metrology import voltage_kernel

SLOTS = const(64)  # half cycles kept: 0.5 s at 60 Hz

# The kernel's state, see there
_CHANNELS = const(0)
_PHASES = const(1)
_SHIFT = const(2)
_HALF = const(3)
_LEFT = const(4)
_LENGTH = const(5)
_BEFORE = const(6)
_SLEW = const(7)
_COUNT = const(8)
_SLOTS = const(9)
_HEAD = const(10)
_ZERO = const(0)
_FACTOR = const(3)
_FACTOR_SHIFT = const(4)
_SECTION = const(5)
_CODE_ZERO = const(0x800000)
_ZERO_MAX = const(0x400000)  # what the kernel's bounds allow
_SLOWLY = const(4)  # a sixteenth a window
_NO_SLEW = const(256)
_SLEW_MAX = const(255)  # one frame a window: values stay those of a cycle
_FACTOR_END = const(0x8000)
_FAST_MHZ = const(8_000_000)
_COUNT_MASK = const(0x3FFFFFFF)


class HalfCycles:
    """The last 64 half cycles of each voltage. The first two after start are not whole cycles."""

    def __init__(self, u_pv: list[int], channels: int, rate_mhz: int, frequency_uhz: int) -> None:
        phases = len(u_pv)
        self.phases = phases
        self._rate_mhz = rate_mhz
        self._ring = array("i", bytes(4 * SLOTS * phases))
        state = array("i", bytes(4 * (_HEAD + _SECTION * phases)))
        state[_CHANNELS] = channels
        state[_PHASES] = phases
        state[_SHIFT] = 12 if rate_mhz <= _FAST_MHZ else 13
        state[_SLEW] = _NO_SLEW
        state[_SLOTS] = SLOTS
        for phase in range(phases):
            state[_HEAD + _SECTION * phase + _ZERO] = _CODE_ZERO
        self._state = state
        self._aligned = False
        self.set_scale(u_pv)
        self.set_frequency(frequency_uhz)
        state[_LEFT] = state[_LENGTH] = state[_BEFORE] = state[_HALF]

    @property
    def count(self) -> int:
        """Half cycles ended since start, modulo 2**30; the newest is number `count - 1`."""
        return self._state[_COUNT]

    def half_us(self) -> int:
        """Return how long a half cycle is, by the last window's frequency."""
        return self._state[_HALF] * 3_906_250 // self._rate_mhz  # frames, q8

    def u_mv(self, number: int, phase: int) -> int:
        """RMS of the cycle that ended with half cycle `number`, one of the last 64. No allocation.

        Raises ValueError for one that is not in the ring any more or not yet.
        """
        if not 1 <= (self._state[_COUNT] - number) & _COUNT_MASK <= SLOTS:
            raise ValueError("half cycle")
        return self._ring[(number & (SLOTS - 1)) * self.phases + phase]

    def add(self, frames: "array[int]", count: int) -> int:
        """Add a block of frames; return how many half cycles ended in it. No allocation."""
        return voltage_kernel.half_cycles(count, frames, self._state, self._ring)  # pyright: ignore[reportArgumentType]

    def set_scale(self, u_pv: list[int]) -> None:
        """Take the picovolts of a code, calibrated, for the values to come."""
        state = self._state
        for phase in range(self.phases):
            # millivolts of a quarter of the kernel's unit as factor / 2**shift
            pv = u_pv[phase] << (state[_SHIFT] - 2)
            shift = 30
            while shift and (pv << shift) // 1_000_000_000 >= _FACTOR_END:
                shift -= 1
            at = _HEAD + _SECTION * phase
            state[at + _FACTOR] = min((pv << shift) // 1_000_000_000, _FACTOR_END - 1)
            state[at + _FACTOR_SHIFT] = shift

    def set_frequency(self, frequency_uhz: int) -> None:
        """Follow the mains from the next half cycle on."""
        # frames of half a period, q8
        double = 2 * frequency_uhz
        self._state[_HALF] = (self._rate_mhz * 256_000 + frequency_uhz) // double

    def set_zero(self, dc_u_q16: list[int]) -> None:
        """Follow the DC of each voltage, in codes, of the last window.

        The first time at once, then slowly: a window with a dip has a mean that is no DC.
        """
        state = self._state
        for phase in range(self.phases):
            at = _HEAD + _SECTION * phase + _ZERO
            zero = _CODE_ZERO + max(-_ZERO_MAX, min(_ZERO_MAX, dc_u_q16[phase] >> 16))
            if self._aligned:
                zero = state[at] + ((zero - state[at]) >> _SLOWLY)
            state[at] = zero

    def align(self, since_q8: int) -> None:
        """Let half cycles end at zero crossings: the last was `since_q8` (q8) frames ago.

        The first time at once; later by at most a frame, so that every value is a cycle's.
        """
        state = self._state
        half = state[_HALF]
        wanted = half - since_q8 % half  # until the next end
        off = (wanted - state[_LEFT]) % half
        if off > half >> 1:
            off -= half
        if not self._aligned:
            self._aligned = True
            state[_LENGTH] += wanted - state[_LEFT]
            state[_LEFT] = wanted
            return
        state[_SLEW] = _NO_SLEW + max(-_SLEW_MAX, min(_SLEW_MAX, off >> 2))
