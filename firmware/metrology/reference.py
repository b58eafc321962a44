"""The voltage whose zero crossings make the windows, and the watch over it.

The engine asks for crossings block by block; kernel.scan finds them. Which phase is watched, how
large a swing counts as a voltage and when it is gone is decided here.
"""

from array import array

from micropython import const

from metrology import kernel

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Variant

# The kernel's state for scan, see there
_CHANNELS = const(0)
_CHANNEL = const(1)
_ZERO = const(2)
_SHIFT = const(3)
_LEVEL = const(4)
_HOLD_OFF = const(5)
_TARGET = const(6)
_FILTER = const(7)
_ARMED = const(8)
_SINCE = const(9)
_COUNT = const(10)
_BEFORE = const(11)
_AFTER = const(12)
_STATE = const(13)
_CODE_ZERO = const(0x800000)
_FILTER_BIAS = const(0x20000000)
_LEVEL_MAX = const(0x8000000)  # full scale of the filter
_ZERO_MAX = const(0x400000)  # DC of half the range: what the kernel's bounds allow
_NOISE_CODES = const(64)
_TIME_MASK = const(0x3FFFFFFF)

_HIGHEST_HZ = const(80)  # crossings do not follow each other faster
_SILENCE_HZ = const(10)  # nor slower, if there is a voltage
_FILTER_HZ = const(500)  # low pass at about a sixth of it, 80 to 160 Hz
_FLOOR_PART = const(20)  # a swing of less than 1/20 of Un is no voltage
_SWING_PART = const(4)  # hysteresis: a quarter of the present voltage


class Reference:
    """Watches one phase's voltage at a time."""

    def __init__(self, variant: "Variant", u_pv: list[int], channels: int, rate_mhz: int) -> None:
        rate_hz = rate_mhz // 1000
        shift = 0
        while _FILTER_HZ << (shift + 1) <= rate_hz:
            shift += 1
        self.phase = 0
        self._phases = variant.phases
        self._u_pv = u_pv
        self._floor_uv = variant.nominal_voltage_v * 1_000_000 // _FLOOR_PART
        self._silence_frames = rate_hz // _SILENCE_HZ
        state = array("i", bytes(4 * _STATE))
        state[_CHANNELS] = channels
        state[_SHIFT] = shift
        state[_HOLD_OFF] = rate_hz // _HIGHEST_HZ
        state[_TARGET] = 1
        self._state = state
        self._now_q8 = 0  # frames, modulo 2**30
        self._begin()

    def set_scale(self, u_pv: list[int]) -> None:
        """Take other scale factors; what they change is seen at the next window."""
        self._u_pv = u_pv

    def scan(self, frames: "array[int]", first: int, count: int) -> int:
        """Return the frame after the next crossing that counts, or `count`. Allocates nothing."""
        return kernel.scan(self._state, frames, first, count)  # pyright: ignore[reportArgumentType]

    def fraction_q16(self) -> int:
        """Where between its two frames the last crossing was, 0..65536."""
        state = self._state
        before = state[_BEFORE]
        return (before << 16) // (before + state[_AFTER])

    def interval_q8(self, count: int) -> int:
        """Return how long after the one before it the last crossing of a block came, in frames.

        0 if there was none, or none before it. To be called after each block of `count` frames.
        """
        state = self._state
        self._now_q8 = self._now_q8 + (count << 8) & _TIME_MASK
        since = state[_SINCE]
        before, after = state[_BEFORE], state[_AFTER]
        if since >= count or not before:
            return 0
        # the distance of both filtered values is below 2**30: q8 of it would not be small
        fraction_q8 = (before >> 8 << 8) // ((before + after >> 8) + 1)
        last_q8 = self._crossed_q8
        self._crossed_q8 = self._now_q8 - (since << 8) + fraction_q8 & _TIME_MASK
        return self._crossed_q8 - last_q8 & _TIME_MASK if last_q8 >= 0 else 0

    def broken(self) -> None:
        """Frames are missing: the next crossing ends no interval."""
        self._crossed_q8 = -1

    def set_target(self, crossings: int) -> None:
        """From now on only every `crossings`-th crossing is reported."""
        self._state[_TARGET] = crossings
        self._state[_COUNT] = 0

    def silent(self) -> bool:
        """True if the voltage has not crossed zero for five cycles."""
        return self._state[_SINCE] > self._silence_frames

    def next_phase(self) -> None:
        """Watch the next phase, or the same again if there is only one."""
        self.phase = (self.phase + 1) % self._phases
        self._begin()

    def set_level(self, u_uv: list[int], dc_u_q16: list[int]) -> None:
        """Follow the present voltages and their DC, so that noise and notches do not count."""
        u = u_uv[self.phase]
        state = self._state
        state[_LEVEL] = self._level(max(u // _SWING_PART, self._floor_uv))
        zero = dc_u_q16[self.phase] >> 16
        zero = _CODE_ZERO + max(-_ZERO_MAX, min(_ZERO_MAX, zero))
        # A moved zero makes one period a little wrong: leave it while it is good enough.
        if abs(zero - state[_ZERO]) << 4 > state[_LEVEL] >> 9:
            state[_ZERO] = zero

    def _begin(self) -> None:
        state = self._state
        state[_CHANNEL] = 2 * self.phase
        state[_ZERO] = _CODE_ZERO
        state[_LEVEL] = self._level(self._floor_uv)
        state[_FILTER] = _FILTER_BIAS
        state[_ARMED] = state[_SINCE] = state[_COUNT] = state[_BEFORE] = 0
        self.broken()

    def _level(self, uv: int) -> int:
        """Voltage in the filter's unit, a sixteenth of a code."""
        level = uv * 16_000_000 // self._u_pv[self.phase]
        return max(_NOISE_CODES * 16, min(level, _LEVEL_MAX))
