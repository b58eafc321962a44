"""What a code is worth: the board's sensor scale, corrected by the calibration record.

The record is made at production (gain at reference current and power factor 1, then delay at 60
degrees, then power offset at the smallest current), kept in non-volatile memory by the application
and given to the engine at start. Packed it carries its version and a CRC; a record that is damaged
or holds values no calibration can yield is refused, never half used.
"""

import binascii
import struct

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import SensorScale

_VERSION = const(1)
_MAX_PHASES = const(3)
_FORMAT = "<BB16iI"  # version, phases, three times five values and the neutral's gain, CRC
_VALUES = const(5)  # of a phase: u gain, i gain, delay, p offset, q offset
PACKED_BYTES = const(70)

GAIN_MAX_PPB = const(200_000_000)  # 20 %: divider and shunt or transformer tolerances together
DELAY_MAX_NS = const(250_000)  # 4.5 degrees at 50 Hz
OFFSET_MAX_UW = const(5_000_000)  # 5 W

_PPB = const(1_000_000_000)
_PI_Q40 = 3454217652358  # pi * 2**40
_ONE_Q16 = const(65536)


class CalibrationError(ValueError):
    """The record cannot be used; the text says why."""


class Calibration:
    """Corrections of one meter, all zero for a meter that is exactly as designed.

    u_gain_ppb, i_gain_ppb: added to 1, in parts per 10**9; the neutral's is i_gain_ppb[phases]
    delay_ns: how much later the voltage must be taken than the current, one per phase
    p_offset_uw, q_offset_uvar: added to the measured power of a phase
    """

    def __init__(self, phases: int) -> None:
        if not 1 <= phases <= _MAX_PHASES:
            raise CalibrationError("number of phases")
        self.phases = phases
        self.u_gain_ppb = [0] * phases
        self.i_gain_ppb = [0] * (phases + 1)
        self.delay_ns = [0] * phases
        self.p_offset_uw = [0] * phases
        self.q_offset_uvar = [0] * phases

    def copy(self) -> "Calibration":
        """Return corrections equal to these, to be changed."""
        other = Calibration(self.phases)
        other.u_gain_ppb = list(self.u_gain_ppb)
        other.i_gain_ppb = list(self.i_gain_ppb)
        other.delay_ns = list(self.delay_ns)
        other.p_offset_uw = list(self.p_offset_uw)
        other.q_offset_uvar = list(self.q_offset_uvar)
        return other

    def check(self) -> None:
        """Raise CalibrationError if a value is beyond what a sound meter can need."""
        _check(self.u_gain_ppb, GAIN_MAX_PPB, "voltage gain")
        _check(self.i_gain_ppb, GAIN_MAX_PPB, "current gain")
        _check(self.delay_ns, DELAY_MAX_NS, "delay")
        _check(self.p_offset_uw, OFFSET_MAX_UW, "power offset")
        _check(self.q_offset_uvar, OFFSET_MAX_UW, "reactive power offset")

    def pack(self) -> bytes:
        """Return the record for storage. Raises CalibrationError as `check` does."""
        self.check()
        values = [0] * 16
        for k in range(self.phases):
            values[_VALUES * k : _VALUES * (k + 1)] = (
                self.u_gain_ppb[k],
                self.i_gain_ppb[k],
                self.delay_ns[k],
                self.p_offset_uw[k],
                self.q_offset_uvar[k],
            )
        values[_VALUES * _MAX_PHASES] = self.i_gain_ppb[self.phases]
        body = struct.pack("<BB16i", _VERSION, self.phases, *values)
        return body + struct.pack("<I", binascii.crc32(body))


def unpack(data: "bytes | bytearray | memoryview", phases: int) -> Calibration:
    """Return the stored record of a meter with `phases` phases.

    Raises CalibrationError if it is cut, damaged, of another version or meter, or out of range.
    """
    if len(data) != PACKED_BYTES:
        raise CalibrationError("calibration record has a wrong length")
    values = struct.unpack(_FORMAT, data)
    if values[-1] != binascii.crc32(bytes(data[: PACKED_BYTES - 4])):
        raise CalibrationError("calibration record is damaged")
    if values[0] != _VERSION:
        raise CalibrationError("calibration record of an unknown version")
    if values[1] != phases:
        raise CalibrationError("calibration record of a meter with other phases")
    record = Calibration(phases)
    for k in range(phases):
        at = 2 + _VALUES * k
        record.u_gain_ppb[k] = values[at]
        record.i_gain_ppb[k] = values[at + 1]
        record.delay_ns[k] = values[at + 2]
        record.p_offset_uw[k] = values[at + 3]
        record.q_offset_uvar[k] = values[at + 4]
    record.i_gain_ppb[phases] = values[2 + _VALUES * _MAX_PHASES]
    record.check()
    return record


def _check(values: list[int], limit: int, name: str) -> None:
    for value in values:
        if not -limit <= value <= limit:
            raise CalibrationError("calibration: " + name + " out of range")


class Weights:
    """Sensor scale and calibration in one: what quantities multiply codes by."""

    def __init__(self, scale: "SensorScale", record: Calibration) -> None:
        """Raises CalibrationError if the scale does not fit the record's phases."""
        record.check()
        phases = record.phases
        if len(scale.u_pv_per_lsb) < phases or len(scale.i_pa_per_lsb) < phases:
            raise CalibrationError("sensor scale of too few channels")
        self.u_pv = [
            _corrected(scale.u_pv_per_lsb[k], record.u_gain_ppb[k]) for k in range(phases)
        ]
        channels = min(len(scale.i_pa_per_lsb), phases + 1)
        self.i_pa = [
            _corrected(scale.i_pa_per_lsb[k], record.i_gain_ppb[k]) for k in range(channels)
        ]
        self.keep_dc = scale.keep_dc
        self.p_offset_uw = record.p_offset_uw
        self.q_offset_uvar = record.q_offset_uvar


def _corrected(per_lsb: int, gain_ppb: int) -> int:
    if per_lsb <= 0:
        raise CalibrationError("sensor scale must be positive")
    return (per_lsb * (_PPB + gain_ppb) + _PPB // 2) // _PPB


def delay_filter(delay_ns: int, rate_mhz: int, frequency_uhz: int) -> tuple[int, bool, bool]:
    """Return how to delay voltage against current: (all-pass q16, late voltage, late current).

    The all-pass (c + z**-1) / (1 + c z**-1) has gain 1 at every frequency, so nothing has to be
    undone and harmonics keep their power, which linear interpolation costs them (7.6 % of the 5th
    at half a sample). Its delay D is exact at the mains frequency w (radian a sample):
    c = sin((1 - D) w / 2) / sin((1 + D) w / 2). It serves 0.5..1.5 samples; a whole sample more on
    either side widens that to -1.5..1.5 against the current's one sample.
    Raises CalibrationError beyond.
    """
    delay_q40 = (delay_ns * rate_mhz << 40) // 1_000_000_000_000
    half = 1 << 39
    one = 1 << 40
    late_u = delay_q40 > half
    late_i = delay_q40 < -half
    if not -3 * half <= delay_q40 <= 3 * half:
        raise CalibrationError("calibration: delay of more than 1.5 samples")
    if not delay_q40:
        return 0, False, False
    d_q40 = delay_q40 + one - (one if late_u else 0) + (one if late_i else 0)
    # w / 2 = pi * f / rate
    w_q40 = _PI_Q40 * frequency_uhz // (rate_mhz * 1000)
    above = sine_q40((one - d_q40) * w_q40 >> 40)
    below = sine_q40((one + d_q40) * w_q40 >> 40)
    return (above * 2 * _ONE_Q16 // below + 1) >> 1, late_u, late_i


def sine_q40(x: int) -> int:
    """Sine of a small angle in radian, both q40; within 1e-8 up to half a radian."""
    square = x * x >> 40
    term = x
    total = x
    for k in (6, 20, 42):
        term = -(term * square >> 40) // k
        total += term
    return total
