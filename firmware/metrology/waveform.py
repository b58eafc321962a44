"""The last cycles as they were: waveforms and harmonics of every channel, for who asks.

The engine lays each block of frames into `History`, a ring of three cycles; `Engine.capture` makes
a `Capture` of its last two. A harmonic is worked out when it is asked for, each in a bounded time
(one pass over the capture, below a millisecond on an RP2040), so that no frame is lost meanwhile.

Harmonics are separated by a Hann window over exactly two cycles of the mains: it is zero at every
other harmonic, fractions of a frame at its ends included. What the sampling folds back is below a
millionth of the fundamental, and of the highest harmonic below 3 % of its own value. Amplitudes
are those of the frames: a converter's own low pass is not undone.
"""

from array import array

from micropython import const

from metrology import kernel, waveform_kernel
from metrology.quantities import angle_udeg, isqrt, rounded

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from metrology.calibration import Weights
    from metrology.oscillator import Oscillator

HARMONICS = const(40)
_CYCLES = const(2)  # of a capture; the ring holds one more, to begin where the voltage rises
_LOWEST_HZ = const(45)
_TURN = 1 << 30  # of kernel.references
_TURN_UDEG = const(360_000_000)
_MICRO = const(1_000_000)
_MICRO_Q16 = 65_536_000_000
_AMPLITUDE = const(4095)
_WEIGHT_ONE = const(8191)  # 4096 and twice the references' bias less their cosine
_CODE_ZERO = const(0x800000)
_ZERO_MAX = const(0x7FFFFF)
_ROOT2_E7 = const(14_142_136)
_BITS = const(17)
_WEIGHT_BITS = const(13)

# The kernel's layouts, see there
_SIZE = const(0)
_AT = const(1)
_RING = const(2)
_STRIDE = const(0)
_CHANNEL = const(1)
_ZERO = const(2)
_SHIFT = const(3)
_SCALE = const(4)
_SINE = const(5)
_COSINE = const(7)
_STATE = const(9)


class History:
    """The newest frames, as many as three cycles of a slow mains have."""

    def __init__(self, channels: int, rate_mhz: int) -> None:
        self.channels = channels
        self.frames = rate_mhz * (_CYCLES + 1) // (1000 * _LOWEST_HZ) + 2
        self.kept = 0  # frames in the ring that follow each other
        self._ring = array("i", bytes(4 * (_RING + self.frames * channels)))
        self._ring[_SIZE] = self.frames * channels

    def add(self, frames: "array[int]", count: int) -> None:
        """Keep a block of frames. Allocates nothing."""
        waveform_kernel.keep(frames, self._ring, count * self.channels)  # pyright: ignore[reportArgumentType]
        self.kept = min(self.kept + count, self.frames)

    def clear(self) -> None:
        """Frames are missing: what was kept does not join what comes."""
        self.kept = 0

    def newest(self, count: int) -> "array[int]":
        """Return the last `count` frames, at most `kept`, in their order."""
        size = self._ring[_SIZE]
        end = self._ring[_AT]
        first = end - count * self.channels
        if first >= 0:
            return self._ring[_RING + first : _RING + end]
        found = self._ring[_RING + size + first :]
        found.extend(self._ring[_RING : _RING + end])
        return found

    def capture(self, oscillator: "Oscillator", reference: int, weights: "Weights") -> "Capture":
        """Copy the last two cycles; see there."""
        return Capture(self, oscillator, reference, weights)


class Capture:
    """Two whole cycles of every channel, which stay as they are.

    channels: u1 i1 u2 i2 u3 i3 in, or u1 i1 in
    count: frames; frame k lies k / rate after the first, which begins where the fundamental of
    the reference voltage rises through zero, if the ring holds enough to choose from
    orders: the highest harmonic that the frame rate can tell from its mirror image, at most 40
    Codes are as the converter gave them: the calibrated delay of a phase, microseconds, is not in.
    """

    def __init__(
        self, history: History, oscillator: "Oscillator", reference: int, weights: "Weights"
    ) -> None:
        """Copy the frames; `reference` is the phase to begin by. Raises ValueError if too few."""
        rate_mhz = oscillator.rate_mhz
        f_uhz = oscillator.frequency_uhz
        self.count = _CYCLES * rate_mhz * 1000 // f_uhz + 1
        if history.kept < self.count:
            raise ValueError("two cycles have not been measured yet")
        self.channels = history.channels
        self.rate_mhz = rate_mhz
        self.f_uhz = f_uhz
        self.orders = min(HARMONICS, (rate_mhz * 1000 // f_uhz - 1) // 2)
        self._table = oscillator.table
        self._step = (f_uhz * _TURN + rate_mhz * 500) // (rate_mhz * 1000)
        self._pico: list[int] = []  # of a code, by channel
        for phase in range(len(weights.u_pv)):
            self._pico += [weights.u_pv[phase], weights.i_pa[phase]]
        self._pico += weights.i_pa[len(weights.u_pv) :]
        self._pairs = array("i", bytes(12 * self.count))
        self._state = array("i", bytes(4 * _STATE))
        self._state[_STRIDE] = self.channels
        self._order = -1  # whose references `_pairs` holds
        self._weight = self._make_weights()
        self._zeros_q16 = [0] * self.channels
        self._frames = history.newest(self.count)
        back = min(self._frames_since_rise(2 * reference), history.kept - self.count)
        if back:
            self._frames = history.newest(self.count + back)[: self.count * self.channels]
        if not weights.keep_dc:
            for channel in range(self.channels):
                self._zeros_q16[channel] = self._mean_q16(channel)

    def micro(self, channel: int, frame: int) -> int:
        """Return a sample in microvolts or microamperes, without the channel's DC."""
        code = self._frames[frame * self.channels + channel]
        code_q16 = (code << 16) - self._zeros_q16[channel]
        return rounded(code_q16 * self._pico[channel], _MICRO_Q16)

    def sum_of_currents(self, phases: int) -> int:
        """Return the RMS of the sum of the phases' currents, in microamperes.

        Takes about as long as four harmonics.
        """
        total = 0
        frames, pico, zeros_q16 = self._frames, self._pico, self._zeros_q16
        zero = sum([zeros_q16[channel] * pico[channel] for channel in range(1, 2 * phases, 2)])
        zero >>= 16
        for at in range(0, self.count * self.channels, self.channels):
            now = -zero
            for channel in range(1, 2 * phases, 2):
                now += frames[at + channel] * pico[channel]
            now //= _MICRO
            total += now * now
        return isqrt(total // self.count)

    def harmonic(self, channel: int, order: int) -> int:
        """Return the RMS of a harmonic, 1 to `orders`, in microvolts or microamperes.

        Raises ValueError for another order.
        """
        if not 1 <= order <= self.orders:
            raise ValueError("harmonic")
        s, c = self._correlate(channel, order)
        rms = isqrt(s * s + c * c) * self._pico[channel] * _ROOT2_E7
        state = self._state
        rms <<= state[_SHIFT] + state[_SCALE]
        return rounded(rms, _AMPLITUDE * self._weight * 10**13)

    def _make_weights(self) -> int:
        """Write the window's weights behind the references; return their sum."""
        pairs = self._pairs
        self._references(self._step // _CYCLES)
        at = 2 * self.count
        total = 0
        for k in range(self.count):
            weight = _WEIGHT_ONE - pairs[2 * k + 1]
            pairs[at + k] = weight
            total += weight
        return total

    def _references(self, step: int) -> None:
        turn = array("i", (0, step))
        kernel.references(self.count, self._table, turn, self._pairs)  # pyright: ignore[reportArgumentType]

    def _correlate(self, channel: int, order: int) -> tuple[int, int]:
        """Return the weighted sums of a channel times sine and cosine, see kernel for the unit."""
        if order != self._order:
            self._references(order * self._step)
            self._order = order
        state = self._state
        state[_CHANNEL] = channel
        zero = self._zeros_q16[channel] >> 16
        state[_ZERO] = _CODE_ZERO + max(-_ZERO_MAX, min(_ZERO_MAX, zero))
        spread = waveform_kernel.spread(self.count, self._frames, state)  # pyright: ignore[reportArgumentType]
        bits = 0
        while spread >> bits:
            bits += 1
        state[_SHIFT] = max(0, bits - _BITS)
        state[_SCALE] = max(0, min(bits, _BITS) + _WEIGHT_BITS - _BITS)
        waveform_kernel.correlate(self.count, self._frames, state, self._pairs)  # pyright: ignore[reportArgumentType]
        s, c = (state[_SINE] << 12) + state[_SINE + 1], state[_COSINE] << 12
        return s, c + state[_COSINE + 1]

    def _mean_q16(self, channel: int) -> int:
        """Mean of a channel in codes: the harmonic of order 0."""
        _, c = self._correlate(channel, 0)
        state = self._state
        return rounded(c << (16 + state[_SHIFT] + state[_SCALE]), _AMPLITUDE * self._weight)

    def _frames_since_rise(self, channel: int) -> int:
        """How many frames before the first one a channel's fundamental rose through zero."""
        s, c = self._correlate(channel, 1)
        # s + jc is the phasor of sin(wt + angle)
        since_udeg = angle_udeg(c, s) % _TURN_UDEG
        return since_udeg * self.rate_mhz * 1000 // (self.f_uhz * _TURN_UDEG)
