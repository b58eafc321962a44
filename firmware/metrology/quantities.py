"""What the meter shows of the last window: U, I, P, Q, S, power factor, THD, angles, frequency.

`Quantities.update` reads one window's `RawSums`; registers, the display and energy.py read the
attributes. Integers in micro-units, rounded to the nearest. The fundamental is the least-squares
fit of the sine pair (and a constant) that the kernel correlated with, so neither the pair's
quantised amplitude nor a fraction of a cycle counts. Rows MET-09 to MET-15, MET-17, MET-25 and
MET-26.
"""

from micropython import const

from metrology.accumulators import (
    CC,
    IC,
    II,
    IS,
    SC,
    SS,
    UC,
    UI,
    US,
    UU,
    C,
    S,
)
from metrology.accumulators import NN as SUM_NN
from metrology.accumulators import I as SUM_I
from metrology.accumulators import N as SUM_N
from metrology.accumulators import U as SUM_U

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from metrology.accumulators import RawSums
    from metrology.calibration import Weights

_PICO_PER_MICRO_2 = 10**12  # pV * pV per uV * uV
_PRODUCT = 10**18  # pV * pA per uW
_MICRO = const(1_000_000)
_MICRO_2 = 10**12
_FIT_SHIFT = const(24)  # coefficients of the fit, q24
_TURN_MDEG = const(360_000)
_THD_MAX_PPM = const(99_999_999)
# Below these a distortion would be that of the converter's noise
_THD_FROM_UV = const(5_000_000)
_THD_FROM_UA = const(5_000)
_ROOT3_E6 = const(1_732_051)
_RIGHT_ANGLE = const(1024)  # Q over P beyond which P may be noise


class Quantities:
    """The quantities of one window.

    Phases are indexed 0..phases - 1; a single phase may have two elements, 0 and 1, of one voltage
    and a current each, whose sum the totals are (row MET-34). q: fundamental, positive when the
    current lags; s = U * I, the total's is sqrt(P**2 + Q**2) (row MET-07); pf = p / s, 1 without
    a load.
    """

    def __init__(self, phases: int, weights: "Weights", rate_mhz: int, elements: int = 0) -> None:
        self.phases = phases
        self.elements = elements = elements or phases
        self.valid = False  # True once a window of whole cycles was measured
        self.u_uv = [0] * elements
        self.i_ua = [0] * elements
        self.in_ua = 0
        self.p_uw = [0] * elements
        self.q_uvar = [0] * elements
        self.s_uva = [0] * elements
        self.pf_ppm = [_MICRO] * elements
        self.p_total_uw = 0
        self.q_total_uvar = 0
        self.s_total_uva = 0
        self.pf_total_ppm = _MICRO
        self.f_uhz = 0
        # DC of each channel in codes, q16, as last known: what a window of no whole cycles uses
        self.dc_u_q16 = [0] * elements
        self.dc_i_q16 = [0] * elements
        self.dc_known = False
        self._weights = weights
        self._rate_mhz = rate_mhz
        self._fit = [[0, 0, 0, 0] for _ in range(elements)]  # u and i on sine and cosine, q24
        # squares of u and i about their means: distortions are worked out when somebody asks
        self._squares_q16 = [0] * (2 * elements)
        # Sums of the sine pair: s, c; about their means s*s, s*c, c*c (q16); mean s, mean c (q16)
        self._gram = [0] * 7
        self._frames_q16 = 0  # that they are sums over

    def clear(self) -> None:
        """Show nothing: what was measured last holds no longer."""
        zero = (self.u_uv, self.i_ua, self.p_uw, self.q_uvar, self.s_uva)
        for values in zero:
            for phase in range(self.elements):
                values[phase] = 0
        for phase in range(self.elements):
            self.pf_ppm[phase] = _MICRO
        self.p_total_uw = self.q_total_uvar = self.s_total_uva = 0
        self.pf_total_ppm = _MICRO
        self.in_ua = self.f_uhz = 0

    def set_weights(self, weights: "Weights") -> None:
        """Measure with other weights from the next window on."""
        self._weights = weights

    def update(self, sums: "RawSums") -> None:
        """Measure a window. An empty one changes nothing."""
        if sums.frames_q16 <= 0:
            return
        frames_q16 = self._frames_q16 = sums.frames_q16 // sums.repeat
        self._update_gram(sums, frames_q16)
        for phase in range(self.elements):
            self._update_phase(phase, sums, frames_q16)
        self._update_neutral(sums, frames_q16)
        self.p_total_uw = sum(self.p_uw)
        self.q_total_uvar = sum(self.q_uvar)
        self.s_total_uva = isqrt(self.p_total_uw**2 + self.q_total_uvar**2)
        self.pf_total_ppm = _power_factor_ppm(self.p_total_uw, self.s_total_uva)
        self.f_uhz = 0
        if sums.cycles:
            # micro-hertz: cycles / (span / rate), rate in frames per 1000 s
            self.f_uhz = rounded(sums.cycles * self._rate_mhz * 65_536_000, sums.span_q16)
        if sums.whole:
            self.dc_known = True
            self.valid = True

    @property
    def thd_u_ppm(self) -> list[int]:
        """Distortion of each voltage, 0 below 5 V (row MET-25)."""
        return [
            self._thd_ppm(phase, 0) if self.u_uv[phase] >= _THD_FROM_UV else 0
            for phase in range(self.elements)
        ]

    @property
    def thd_i_ppm(self) -> list[int]:
        """Distortion of each current, 0 below 5 mA."""
        return [
            self._thd_ppm(phase, 1) if self.i_ua[phase] >= _THD_FROM_UA else 0
            for phase in range(self.elements)
        ]

    def unbalance_ppm(self) -> int:
        """Return the negative over the positive sequence of the voltages, whichever way they turn.

        0 without three voltages of 5 V at least (IEC 61000-4-30, 5.7).
        """
        if self.phases < 3 or min(self.u_uv) < _THD_FROM_UV:
            return 0
        u_pv = self._weights.u_pv
        (s1, c1), (s2, c2), (s3, c3) = [
            (fit[0] * u_pv[phase], fit[1] * u_pv[phase]) for phase, fit in enumerate(self._fit)
        ]
        # twice the sequences: a turn by 120 degrees is (-1 + j root 3) / 2
        s, c = 2 * s1 - s2 - s3, 2 * c1 - c2 - c3
        turned_s = rounded((c3 - c2) * _ROOT3_E6, _MICRO)
        turned_c = rounded((s2 - s3) * _ROOT3_E6, _MICRO)
        one = (s + turned_s) ** 2 + (c + turned_c) ** 2
        other = (s - turned_s) ** 2 + (c - turned_c) ** 2
        return isqrt(min(one, other) * _MICRO_2 // max(one, other, 1))

    def ahead_udeg(self, phase: int) -> int:
        """How far the fundamental of a voltage is ahead of the window's sine, micro-degrees."""
        fit = self._fit[phase]
        return angle_udeg(fit[1], fit[0])

    def angle_u_mdeg(self, phase: int) -> int:
        """How far the voltage of a phase lags behind the first one's, 0..359999 millidegrees."""
        first = self._fit[0]
        fit = self._fit[phase]
        return (_angle_mdeg(first[1], first[0]) - _angle_mdeg(fit[1], fit[0])) % _TURN_MDEG

    def angle_ui_mdeg(self, phase: int) -> int:
        """How far the current lags behind its voltage, -180000..179999 millidegrees."""
        fit = self._fit[phase]
        lag = _angle_mdeg(fit[1], fit[0]) - _angle_mdeg(fit[3], fit[2])
        return (lag + _TURN_MDEG // 2) % _TURN_MDEG - _TURN_MDEG // 2

    def rotation(self) -> int:
        """Tell how the voltages follow each other: 1 L1 L2 L3, -1 the other way round, 0 neither.

        0 as well while one of them is below half of the first.
        """
        if self.phases < 3 or min(self.u_uv) * 2 < self.u_uv[0]:
            return 0
        turning = 0  # three times half the root of 3 times U squared if all is well
        for phase in range(3):
            one, two = self._fit[phase], self._fit[(phase + 1) % 3]
            turning += one[1] * two[0] - one[0] * two[1]
        first = self._fit[0]
        square = first[0] ** 2 + first[1] ** 2
        return 0 if abs(turning) <= square else 1 if turning > 0 else -1

    def i_sum_ua(self) -> int:
        """RMS of the sum of the phases' currents, of their fundamentals only."""
        if not self._frames_q16:
            return 0
        s = c = 0
        for phase in range(self.elements):
            pico = self._weights.i_pa[phase]
            s += self._fit[phase][2] * pico
            c += self._fit[phase][3] * pico
        gram = self._gram
        square = s * s * gram[2] + 2 * s * c * gram[3] + c * c * gram[4]
        return isqrt((max(0, square) >> 2 * _FIT_SHIFT) // self._frames_q16) // _MICRO

    def _update_phase(self, phase: int, sums: "RawSums", frames_q16: int) -> None:
        weights = self._weights
        values = sums.phases[phase]
        if sums.repeat != 1:
            values = [value // sums.repeat for value in values]
        u, i = values[SUM_U], values[SUM_I]
        own_u, own_i = rounded(u << 32, frames_q16), rounded(i << 32, frames_q16)
        if sums.whole:
            self.dc_u_q16[phase], self.dc_i_q16[phase] = own_u, own_i
        if sums.whole or not self.dc_known:
            mean_u, mean_i = own_u, own_i
        else:  # the mean of a part of a cycle is not its DC
            mean_u, mean_i = self.dc_u_q16[phase], self.dc_i_q16[phase]
        uu = _central(values[UU], u, u, mean_u, mean_u, frames_q16)
        ii = _central(values[II], i, i, mean_i, mean_i, frames_q16)
        ui = _central(values[UI], u, i, mean_u, mean_i, frames_q16)
        pv, pa = weights.u_pv[phase], weights.i_pa[phase]
        keep = weights.keep_dc
        u_uv = _rms((values[UU] << 16) if keep else uu, pv, frames_q16)
        i_ua = _rms((values[II] << 16) if keep else ii, pa, frames_q16)
        p_q16 = (values[UI] << 16) if keep else ui
        p_uw = rounded(p_q16 * pv * pa, frames_q16 * _PRODUCT) + weights.p_offset_uw[phase]

        su, cu, si, ci = self._fit_phase(phase, values, (own_u, own_i), frames_q16)
        gram = self._gram
        # sine and cosine have nearly the same sum of squares: take the mean of both
        q = rounded(
            (cu * si - su * ci) * (gram[2] + gram[4]) * pv * pa,
            (frames_q16 * _PRODUCT) << (2 * _FIT_SHIFT + 1),
        )
        s_uva = rounded(u_uv * i_ua, _MICRO)
        self.u_uv[phase] = u_uv
        self.i_ua[phase] = i_ua
        self.p_uw[phase] = p_uw
        self.q_uvar[phase] = q + weights.q_offset_uvar[phase]
        self.s_uva[phase] = s_uva
        self.pf_ppm[phase] = _power_factor_ppm(p_uw, s_uva)
        self._squares_q16[2 * phase] = uu
        self._squares_q16[2 * phase + 1] = ii

    def _thd_ppm(self, phase: int, kind: int) -> int:
        """Return the root of (whole - fundamental) / fundamental, DC left out; kind 1: of i."""
        gram = self._gram
        s_part, c_part = self._fit[phase][2 * kind : 2 * kind + 2]
        fundamental = (
            s_part * s_part * gram[2] + 2 * s_part * c_part * gram[3] + c_part * c_part * gram[4]
        )
        if fundamental <= 0:
            return 0
        rest = (self._squares_q16[2 * phase + kind] << 2 * _FIT_SHIFT) - fundamental
        if rest <= 0:
            return 0
        return min(isqrt(rest * _MICRO_2 // fundamental), _THD_MAX_PPM)

    def _update_gram(self, sums: "RawSums", frames_q16: int) -> None:
        of = sums.reference
        gram = self._gram
        s, c = of[S] // sums.repeat, of[C] // sums.repeat
        mean_s, mean_c = rounded(s << 32, frames_q16), rounded(c << 32, frames_q16)
        gram[0], gram[1] = s, c
        gram[2] = _central(of[SS] // sums.repeat, s, s, mean_s, mean_s, frames_q16)
        gram[3] = _central(of[SC] // sums.repeat, s, c, mean_s, mean_c, frames_q16)
        gram[4] = _central(of[CC] // sums.repeat, c, c, mean_c, mean_c, frames_q16)
        gram[5], gram[6] = mean_s, mean_c

    def _fit_phase(
        self, phase: int, values: list[int], means: tuple[int, int], frames_q16: int
    ) -> list[int]:
        """Least squares: u and i as multiples of sine and cosine plus a constant."""
        fit = self._fit[phase]
        s, c, ss, sc, cc, mean_s, mean_c = self._gram
        determinant = ss * cc - sc * sc
        if determinant <= 0:  # a window of hardly any frames
            fit[0] = fit[1] = fit[2] = fit[3] = 0
            return fit
        for k, x in ((0, values[SUM_U]), (2, values[SUM_I])):
            on_s, on_c = (values[US], values[UC]) if k == 0 else (values[IS], values[IC])
            mean = means[k >> 1]
            xs = _central(on_s, x, s, mean, mean_s, frames_q16)
            xc = _central(on_c, x, c, mean, mean_c, frames_q16)
            fit[k] = rounded((xs * cc - xc * sc) << _FIT_SHIFT, determinant)
            fit[k + 1] = rounded((xc * ss - xs * sc) << _FIT_SHIFT, determinant)
        return fit

    def _update_neutral(self, sums: "RawSums", frames_q16: int) -> None:
        weights = self._weights
        if len(weights.i_pa) <= self.elements:
            return
        n, nn = sums.neutral[SUM_N] // sums.repeat, sums.neutral[SUM_NN] // sums.repeat
        mean = 0 if weights.keep_dc else rounded(n << 32, frames_q16)
        square = _central(nn, n, n, mean, mean, frames_q16)
        self.in_ua = _rms(square, weights.i_pa[self.elements], frames_q16)


def _central(xy: int, x: int, y: int, mean_x: int, mean_y: int, frames_q16: int) -> int:
    """Return sum((x - mean_x) * (y - mean_y)) from plain sums, q16; the means are q16.

    At the true means the result does not depend on their rounding to the first order.
    """
    return (xy << 16) - mean_x * y - mean_y * x + (mean_x * mean_y * frames_q16 >> 32)


def _rms(square_q16: int, pico_per_lsb: int, frames_q16: int) -> int:
    """Return the root of the mean of a sum of squares, in micro-units."""
    if square_q16 <= 0:
        return 0
    # four times the square: the root's last bit rounds
    radicand = 4 * square_q16 * pico_per_lsb**2 // (frames_q16 * _PICO_PER_MICRO_2)
    return (isqrt(radicand) + 1) >> 1


def _power_factor_ppm(p_uw: int, s_uva: int) -> int:
    """P over S; rounding must not show more than 1."""
    if not s_uva:
        return _MICRO
    return max(-_MICRO, min(_MICRO, rounded(p_uw * _MICRO, s_uva)))


def exporting(p_uw: int, q_uvar: int) -> bool:
    """Tell whether P and Q stand in quadrant II or III.

    Within 0.06 degrees of 90 and 270 the noise of P decides nothing: it counts as imported.
    """
    return p_uw < 0 and -p_uw * _RIGHT_ANGLE > abs(q_uvar)


def rounded(dividend: int, divisor: int) -> int:
    """Divide to the nearest, halves away from zero: import and export round alike."""
    half = divisor >> 1
    if dividend >= 0:
        return (dividend + half) // divisor
    return -((half - dividend) // divisor)


def isqrt(value: int) -> int:
    """Return the whole part of a square root, by Newton's method from above."""
    if value < 2:
        return value if value > 0 else 0
    # A power of two above the root: 2**(bits / 2) rounded up. MicroPython has no bit_length.
    bits = 0
    rest = value
    while rest >= 1 << 32:
        rest >>= 32
        bits += 32
    while rest:
        rest >>= 1
        bits += 1
    root = 1 << (bits + 1) // 2
    while True:
        better = (root + value // root) >> 1
        if better >= root:
            return root
        root = better


# Angles whose tangent is 1, 1/2, 1/4 and so on, in micro-degrees
_ATAN_UDEG = (
    45000000, 26565051, 14036243, 7125016, 3576334, 1789911, 895174, 447614, 223811, 111906, 55953,
    27976, 13988, 6994, 3497, 1749, 874, 437, 219, 109, 55, 27,
)  # fmt: skip


def _angle_mdeg(y: int, x: int) -> int:
    """Angle of the point (x, y) in millidegrees, -180000..180000; 0 at the origin."""
    return rounded(angle_udeg(y, x), 1000)


def angle_udeg(y: int, x: int) -> int:
    """Angle of the point (x, y) in micro-degrees, within 40 of them, by CORDIC."""
    if not x and not y:
        return 0
    turned = 0
    if x < 0:
        x, y = -x, -y
        turned = 180_000_000 if y <= 0 else -180_000_000
    # of 28 bits, numbers lose little in 22 steps, and a 32-bit processor makes no long integers
    size = abs(x) | abs(y)
    while size >> 28:
        size, x, y = size >> 4, x >> 4, y >> 4
    while not size >> 27:
        size, x, y = size << 1, x << 1, y << 1
    angle = turned
    for k in range(len(_ATAN_UDEG)):
        if y > 0:
            x, y = x + (y >> k), y - (x >> k)
            angle += _ATAN_UDEG[k]
        else:
            x, y = x - (y >> k), y + (x >> k)
            angle -= _ATAN_UDEG[k]
    return angle
