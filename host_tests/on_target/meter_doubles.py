"""What a DLMS server stands on where there is no board: a clock chip, a variant, measured values.

Used by the tests on the target's interpreter that need a server and no metrology.
"""


class Rtc:
    """hal.RealTimeClock that stands still: 2026-01-31T23:59:50."""

    time_s = 823219190

    def utc_s(self):
        return self.time_s

    def set_utc_s(self, utc_s):
        self.time_s = utc_s

    def oscillator_stopped(self):
        return False

    def check(self):
        pass

    def set_aging(self, steps):
        pass

    def set_square_wave(self, on):
        pass


class Variant:
    phases = 3
    pulses_per_kwh = 1000
    name = "3ph"
    nominal_voltage_v = 230
    nominal_frequency_hz = 50
    reference_current_ma = 5000
    maximum_current_ma = 85000
    transformer = False


class Quantities:
    phases = 3
    p_total_uw = q_total_uvar = s_total_uva = in_ua = 0
    pf_total_ppm = 1_000_000
    f_uhz = 50_000_000
    p_uw = q_uvar = s_uva = u_uv = i_ua = (230_000_000, 5_000_000, 0)
    pf_ppm = thd_u_ppm = thd_i_ppm = (230_000, 5_000, 0)


class Energies:
    mode = 1  # two ways
    # the sixth needs more than 32 bits, the net one is negative
    wh = (1725, 0, 0, 0, 0, 5_000_000_000, 0, 0, 0, 0, 0, -4_000_000_000)
