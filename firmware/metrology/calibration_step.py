"""From a reference load and what was measured of it to new corrections: the bench's arithmetic.

app/production.py runs the steps in time and keeps the result; here is only what is measured by.
Gains come from voltage and current, so the load's angle does not matter to them; the delay from
the angle of P and Q, so gains do not matter to it; offsets are what remains of P and Q when the
current is smallest. Each correction is worked out on top of the one that was measured with.
"""

from micropython import const

from metrology.calibration import Calibration, CalibrationError, sine_q40
from metrology.quantities import angle_udeg, isqrt, rounded

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import Variant
    from metrology.quantities import Quantities

MEASURE = const(1)
GAIN = const(2)
PHASE = const(3)
OFFSET = const(4)

_MICRO = const(1_000_000)
_PPB = const(1_000_000_000)
_UDEG_OF_TURN = const(360_000_000)
_QUARTER_UDEG = const(90_000_000)
_PI_Q40 = 3454217652358  # pi * 2**40
_ONE_Q40 = 1 << 40

_LOWEST_U_PERCENT = const(50)  # of Un
_HIGHEST_U_PERCENT = const(130)
_HIGHEST_I_PERCENT = const(120)  # of Imax
_SMALL_I_PERCENT = const(20)  # of Iref: gain and phase are not calibrated below, offset not above
_PHASE_LEAST_UDEG = const(30_000_000)  # less tells nothing about a delay,
_PHASE_MOST_UDEG = const(80_000_000)  # more leaves too little active power
_DELTA_MOST_UDEG = const(10_000_000)  # sensors are not that far off: the wiring is
_SPREAD_U_PPM = const(5_000)
_SPREAD_I_PPM = const(20_000)


class Load:
    """What the bench gives, phase by phase; a phase of no volts and no amperes is left out.

    phi_udeg: how far the current lags, in micro-degrees; neutral_ua: 0 leaves the neutral out
    """

    def __init__(self, phases: int) -> None:
        self.phases = phases
        self.u_uv = [0] * phases
        self.i_ua = [0] * phases
        self.phi_udeg = [0] * phases
        self.neutral_ua = 0

    def given(self, phase: int) -> bool:
        """Return whether the phase takes part."""
        return self.u_uv[phase] > 0

    def check(self, variant: "Variant") -> None:
        """Raise CalibrationError, with the reason, for a load that no bench can mean."""
        un_uv = variant.nominal_voltage_v * _MICRO
        most_ua = variant.maximum_current_ma * 1000 * _HIGHEST_I_PERCENT // 100
        if not any(self.u_uv):
            raise CalibrationError("reference: no phase has a voltage")
        for phase in range(self.phases):
            u_uv, i_ua = self.u_uv[phase], self.i_ua[phase]
            if not u_uv and not i_ua:
                continue
            percent = u_uv * 100 // un_uv
            if not _LOWEST_U_PERCENT <= percent <= _HIGHEST_U_PERCENT:
                raise CalibrationError("reference: voltage out of range")
            if not 0 < i_ua <= most_ua:
                raise CalibrationError("reference: current out of range")
            if not -_QUARTER_UDEG <= self.phi_udeg[phase] <= _QUARTER_UDEG:
                raise CalibrationError("reference: angle out of range")
        if not 0 <= self.neutral_ua <= most_ua:
            raise CalibrationError("reference: neutral current out of range")

    def check_step(self, step: int, variant: "Variant") -> None:
        """Raise CalibrationError if the load does not suit the step."""
        if not any(self.u_uv):
            raise CalibrationError("reference: no phase has a voltage")
        small_ua = variant.reference_current_ma * 10 * _SMALL_I_PERCENT
        for phase in range(self.phases):
            if not self.given(phase):
                continue
            i_ua, phi_udeg = self.i_ua[phase], abs(self.phi_udeg[phase])
            if step in (GAIN, PHASE) and i_ua < small_ua:
                raise CalibrationError("reference: current too small for this step")
            if step == OFFSET and i_ua > small_ua:
                raise CalibrationError("reference: current too large for this step")
            if step == PHASE and not _PHASE_LEAST_UDEG <= phi_udeg <= _PHASE_MOST_UDEG:
                raise CalibrationError("reference: the phase step needs 30 to 80 degrees")
        if step == GAIN and 0 < self.neutral_ua < small_ua:
            raise CalibrationError("reference: neutral current too small for this step")


class Averages:
    """Means over windows, each of which counts alike."""

    def __init__(self, phases: int) -> None:
        self.phases = phases
        self.windows = 0
        self._sums = [[0] * phases for _ in range(4)]  # u, i, p, q
        self._least = [[0] * phases for _ in range(2)]  # u, i
        self._most = [[0] * phases for _ in range(2)]
        self._neutral = 0
        self._f = 0

    def clear(self) -> None:
        """Begin anew."""
        self.__init__(self.phases)

    def add(self, quantities: "Quantities") -> None:
        """Take in what one window measured."""
        measured = (quantities.u_uv, quantities.i_ua, quantities.p_uw, quantities.q_uvar)
        for k in range(4):
            for phase in range(self.phases):
                value = measured[k][phase]
                self._sums[k][phase] += value
                if k < 2:
                    if not self.windows or value < self._least[k][phase]:
                        self._least[k][phase] = value
                    self._most[k][phase] = max(self._most[k][phase], value)
        self._neutral += quantities.in_ua
        self._f += quantities.f_uhz
        self.windows += 1

    def u_uv(self, phase: int) -> int:
        """Return the mean voltage."""
        return self._mean(self._sums[0][phase])

    def i_ua(self, phase: int) -> int:
        """Return the mean current."""
        return self._mean(self._sums[1][phase])

    def p_uw(self, phase: int) -> int:
        """Return the mean active power."""
        return self._mean(self._sums[2][phase])

    def q_uvar(self, phase: int) -> int:
        """Return the mean reactive power."""
        return self._mean(self._sums[3][phase])

    def neutral_ua(self) -> int:
        """Return the mean current of the neutral."""
        return self._mean(self._neutral)

    def f_uhz(self) -> int:
        """Return the mean frequency."""
        return self._mean(self._f)

    def check(self, load: Load) -> None:
        """Raise CalibrationError if a phase of the load was missing or did not stand still."""
        for phase in range(self.phases):
            if not load.given(phase):
                continue
            name = " of phase " + str(phase + 1)
            for k, what, limit_ppm in (
                (0, "voltage", _SPREAD_U_PPM),
                (1, "current", _SPREAD_I_PPM),
            ):
                mean = self._mean(self._sums[k][phase])
                if mean <= 0:
                    raise CalibrationError("no " + what + name)
                if (self._most[k][phase] - self._least[k][phase]) * _MICRO > mean * limit_ppm:
                    raise CalibrationError(what + name + " is not steady")

    def _mean(self, total: int) -> int:
        return rounded(total, self.windows) if self.windows else 0


def corrected(present: Calibration, load: Load, averages: Averages, step: int) -> Calibration:
    """Return the corrections after a step, by what was measured with the `present` ones.

    Raises CalibrationError if they are not plausible: then something else is wrong, as a rule the
    wiring of the bench or the load that was typed in.
    """
    averages.check(load)
    record = present.copy()
    for phase in range(present.phases):
        if not load.given(phase):
            continue
        if step == GAIN:
            _gain(record, load, averages, phase)
        elif step == PHASE:
            _phase(record, load, averages, phase)
        elif step == OFFSET:
            _offset(record, load, averages, phase)
    if step == GAIN and load.neutral_ua:
        at = present.phases
        mean_ua = averages.neutral_ua()
        record.i_gain_ppb[at] = _new_gain(record.i_gain_ppb[at], load.neutral_ua, mean_ua)
    record.check()
    return record


def _gain(record: Calibration, load: Load, averages: Averages, phase: int) -> None:
    u_gain = _new_gain(record.u_gain_ppb[phase], load.u_uv[phase], averages.u_uv(phase))
    i_gain = _new_gain(record.i_gain_ppb[phase], load.i_ua[phase], averages.i_ua(phase))
    if abs(load.phi_udeg[phase]) <= _PHASE_MOST_UDEG and averages.p_uw(phase) <= 0:
        raise CalibrationError("current of phase " + str(phase + 1) + " runs backwards")
    record.u_gain_ppb[phase] = u_gain
    record.i_gain_ppb[phase] = i_gain


def _new_gain(gain_ppb: int, reference: int, measured: int) -> int:
    if measured <= 0:
        raise CalibrationError("nothing was measured")
    return rounded((_PPB + gain_ppb) * reference, measured) - _PPB


def _phase(record: Calibration, load: Load, averages: Averages, phase: int) -> None:
    p_uw = averages.p_uw(phase) - record.p_offset_uw[phase]
    q_uvar = averages.q_uvar(phase) - record.q_offset_uvar[phase]
    delta_udeg = angle_udeg(q_uvar, p_uw) - load.phi_udeg[phase]
    if abs(delta_udeg) > _DELTA_MOST_UDEG:
        raise CalibrationError("angle of phase " + str(phase + 1) + " is far from the reference")
    f_uhz = averages.f_uhz()
    if f_uhz <= 0:
        raise CalibrationError("no frequency")
    # a turn is 10**15 / f ns; the current lags too much: take the voltage later by as much
    record.delay_ns[phase] += rounded(delta_udeg * 10**15, _UDEG_OF_TURN * f_uhz)


def _offset(record: Calibration, load: Load, averages: Averages, phase: int) -> None:
    sine, cosine = _sine_and_cosine_q40(load.phi_udeg[phase])
    s_picova = load.u_uv[phase] * load.i_ua[phase]
    p_uw = rounded(s_picova * cosine, _MICRO * _ONE_Q40)
    q_uvar = rounded(s_picova * sine, _MICRO * _ONE_Q40)
    record.p_offset_uw[phase] += p_uw - averages.p_uw(phase)
    record.q_offset_uvar[phase] += q_uvar - averages.q_uvar(phase)


def _sine_and_cosine_q40(udeg: int) -> tuple[int, int]:
    """Return both of an angle up to 90 degrees, from its quarter by doubling twice."""
    x_q40 = rounded(udeg * _PI_Q40, 4 * 180 * _MICRO)
    s = sine_q40(x_q40)
    c = isqrt(_ONE_Q40 * _ONE_Q40 - s * s)
    for _ in range(2):
        s, c = 2 * s * c >> 40, (c * c - s * s) >> 40
    return s, c
