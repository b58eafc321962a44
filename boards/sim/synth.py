"""Samples of the mains: what the metering ADC's channels convert, at a speed that keeps up.

One table a channel holds a period of its wave, harmonics included, so a sample costs the same
whatever the wave is. One 32-bit phase accumulator steps through all tables (they share the
mains' frequency), with cubic interpolation; the weights are worked out once a frame. The chip's
white noise is added and the result clips at 24 bits.

In: components of each channel's wave (`mains.py`) and the sensors' scale. Out: frames of signed
codes, as `devices/ads131m0x.py` asks for them. The loops are viper for speed and need its 64-bit
integers of the unix port (or CPython's); nothing of this runs on a meter.
"""

import math
from array import array

import micropython
from micropython import const
from sensors import CODE_MAX, NOISE_LSB

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensors import SensorScale

    Component = tuple[int, float, float]  # order, RMS in V or A, phase in radians

# With 1024 points the cubic's error is 3/128 (2 pi n / 1024)^4 of harmonic n: 4e-11 of the
# fundamental, 9e-5 of a 40th harmonic. Three points before and after the period are repeated.
_POINTS = const(1024)
_ROW = const(1027)
# Tables hold value + bias: whether a ptr32 load extends the sign differs between builds.
_BIAS = const(0x20000000)
_TABLE_BITS = const(28)  # a table's values stay below 2**28, the cubic's overshoot below the bias
_SHIFT_MAX = const(28)
_SINE_ONE = const(0x1000000)

_PERIOD = 1 << 32
_SQRT2 = 1.4142135623730951
_BYTES_SIGMA = 147.8006  # standard deviation of the sum of four random bytes

# The loop's state: what goes on from call to call, and what is constant in one
_PHASE = const(0)  # phase of the next frame, 2**32 a period
_STEP = const(1)  # phase of one frame
_RANDOM = const(2)  # xorshift32, never 0
_NOISE = const(3)  # codes per unit of the random sum, in 1/65536
_CHANNELS = const(4)
_CODE_MAX = const(5)
_SHIFTS = const(6)  # one per channel: a table's unit is 2**(8 - shift) codes


@micropython.viper
def _synthesise(out: ptr32, tables: ptr32, state: ptr32, count: int):
    """Fill `out` with `count` frames; phase and random state go on in `state`."""
    mask = 1
    mask = (mask << 32) - 1  # as a literal it would not be a viper integer
    offset = 0x20000000
    offset <<= 24
    phase = int(state[0]) & mask
    step = int(state[1]) & mask
    random = int(state[2]) & mask
    noise = int(state[3])
    channels = int(state[4])
    high = int(state[5])
    low = 0 - high - 1
    position = 0
    while count > 0:
        count -= 1
        row = phase >> 22
        x = (phase & 0x3FFFFF) >> 2  # 20 bits from point to point
        # Lagrange's weights of the points -1, 0, 1, 2: products of 60 bits, rounded down to 24;
        # that their sum is exactly one keeps the rounding out of the result.
        left = 0x100000 - x
        right = 0x100000 + x
        ahead = 0x200000 - x
        w0 = 0 - ((x * left * ahead) >> 36) // 6
        w2 = (right * x * ahead) >> 37
        w3 = 0 - ((right * x * left) >> 36) // 6
        w1 = 0x1000000 - w0 - w2 - w3
        channel = 0
        while channel < channels:
            code = int(tables[row]) * w0 + int(tables[row + 1]) * w1
            code += int(tables[row + 2]) * w2 + int(tables[row + 3]) * w3
            random ^= (random << 13) & mask
            random ^= random >> 17
            random ^= (random << 5) & mask
            dither = (random & 255) + ((random >> 8) & 255) + ((random >> 16) & 255)
            dither += (random >> 24) - 510
            code = (code - offset) >> int(state[6 + channel])  # codes in 1/65536
            code = (code + dither * noise + 0x8000) >> 16
            if code > high:  # noqa: PLR1730 - viper has no min()
                code = high
            if code < low:  # noqa: PLR1730
                code = low
            out[position] = code
            position += 1
            channel += 1
            row += 1027
        phase = (phase + step) & mask
    state[0] = phase
    state[2] = random


@micropython.viper
def _add_component(row: ptr32, sine: ptr32, parts: ptr32):
    """Add a sine and a cosine of one order to a table.

    `parts`: order, then both amplitudes in 1/256 table units, each as its upper bits + 2**29 and
    its lower 16 bits. An amplitude is below 2**37, so the products stay below 2**62.
    """
    order = int(parts[0])
    in_phase = ((int(parts[1]) - 0x20000000) << 16) + int(parts[2])
    ahead = ((int(parts[3]) - 0x20000000) << 16) + int(parts[4])
    half = 1
    half <<= 31
    point = 0
    while point < 1027:
        angle = order * (point + 1023)  # the first point lies one before zero
        s = int(sine[angle & 1023]) - 0x1000000
        c = int(sine[(angle + 256) & 1023]) - 0x1000000
        row[point] = int(row[point]) + ((in_phase * s + ahead * c + half) >> 32)
        point += 1


def _sine_table() -> "array[int]":
    """One period of the sine in 24 bits, moved up by one."""
    table = array("I", bytes(4 * _POINTS))
    for point in range(_POINTS):
        value = math.sin(2 * math.pi * point / _POINTS)
        table[point] = int(value * _SINE_ONE + _SINE_ONE + 0.5)
    return table


def _phasors(components: "list[Component]") -> "dict[int, tuple[float, float]]":
    """Peak amplitudes of sine and cosine per order; components of one order are added."""
    sums: dict[int, tuple[float, float]] = {}
    for order, rms, angle in components:
        a, b = sums.get(order, (0.0, 0.0))
        peak = rms * _SQRT2
        sums[order] = (a + peak * math.cos(angle), b + peak * math.sin(angle))
    return sums


class Synth:
    """The ADC's inputs as a stream of frames whose phase never jumps."""

    def __init__(
        self, channels: "tuple[str, ...]", scale: "SensorScale", rate_mhz: int, seed: int
    ) -> None:
        self.channels = channels
        self.rate_mhz = rate_mhz
        self._lsb: list[float] = []  # V or A per code
        for name in channels:
            if name == "in":
                self._lsb.append(scale.i_pa_per_lsb[-1] * 1e-12)
            elif name[0] == "i":
                self._lsb.append(scale.i_pa_per_lsb[int(name[1]) - 1] * 1e-12)
            else:
                self._lsb.append(scale.u_pv_per_lsb[int(name[1]) - 1] * 1e-12)
        self._sine = _sine_table()
        self._tables = array("I", bytes(4 * _ROW * len(channels)))
        self._rows = [
            memoryview(self._tables)[_ROW * k : _ROW * (k + 1)] for k in range(len(channels))
        ]
        self._flat = array("I", [_BIAS] * _ROW)
        self._parts = array("I", bytes(4 * 5))
        self._state = array("I", bytes(4 * (_SHIFTS + len(channels))))
        self._state[_RANDOM] = ((seed * 2654435761) ^ 0x9E3779B9) % _PERIOD or 1
        self._state[_CHANNELS] = len(channels)
        self._state[_CODE_MAX] = CODE_MAX
        self.set_noise(NOISE_LSB)
        self._next = 0  # index of the frame that `_state` stands at
        self._f_uhz = 0
        for index in range(len(channels)):
            self._load_channel(index, [])

    def set_noise(self, sigma_lsb: float) -> None:
        """Set the converter's white noise, codes RMS; 0 for a converter without any."""
        self._state[_NOISE] = int(sigma_lsb / _BYTES_SIGMA * 65536 + 0.5)

    def set_rate(self, rate_mhz: int) -> None:
        """Follow the converter's output rate, in frames per 1000 s."""
        self.rate_mhz = rate_mhz
        self._set_step()

    def load(self, f_hz: float, wave: "Callable[[str], list[Component]]") -> None:
        """Take the waves that hold from the next frame on; `wave` gives a channel's components."""
        self._f_uhz = int(f_hz * 1_000_000 + 0.5)
        self._set_step()
        for index, name in enumerate(self.channels):
            self._load_channel(index, wave(name))

    def _set_step(self) -> None:
        divisor = self.rate_mhz * 1000
        self._state[_STEP] = (self._f_uhz * _PERIOD + divisor // 2) // divisor % _PERIOD

    def _load_channel(self, index: int, components: "list[Component]") -> None:
        row = self._rows[index]
        row[:] = self._flat
        phasors = _phasors(components)
        peak = 0.0  # bound of the wave in codes
        for a, b in phasors.values():
            peak += (abs(a) + abs(b)) / self._lsb[index]
        shift = _SHIFT_MAX
        while shift and peak * (1 << shift) > 256 << _TABLE_BITS:
            shift -= 1
        self._state[_SHIFTS + index] = shift
        parts = self._parts
        for order, (a, b) in phasors.items():
            parts[0] = order
            for place, amplitude in ((1, a), (3, b)):
                fixed = round(amplitude / self._lsb[index] * (1 << shift))
                parts[place] = (fixed >> 16) + _BIAS
                parts[place + 1] = fixed & 0xFFFF
            _add_component(
                row,  # pyright: ignore[reportArgumentType] - viper takes any buffer for a ptr32
                self._sine,  # pyright: ignore[reportArgumentType]
                parts,  # pyright: ignore[reportArgumentType]
            )

    def samples(self, out: "array[int]", first: int, count: int) -> None:
        """Fill `out` with the frames `first`..: channels interleaved, signed codes.

        Frames are asked for in order; a gap moves the phase by the time of the gap.
        """
        gap = first - self._next
        if gap:
            state = self._state
            state[_PHASE] = (state[_PHASE] + gap * state[_STEP]) % _PERIOD
        self._next = first + count
        _synthesise(
            out,  # pyright: ignore[reportArgumentType] - viper takes any buffer for a ptr32
            self._tables,  # pyright: ignore[reportArgumentType]
            self._state,  # pyright: ignore[reportArgumentType]
            count,
        )
