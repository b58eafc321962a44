"""Metrology on MicroPython: compiled kernel, end to end, and a block of frames without allocation.

The mains is made of integers here: exactly 80 frames a cycle from one table of sines, so what the
engine must say is known to the micro-unit's rounding.
"""
# row: EN-01 LED-01 LED-10 MET-34

import gc
import math
from array import array

import micropython
from checks import check, report

from app.quality.waveforms import Waveforms
from metrology.accumulators import Accumulators, RawSums
from metrology.calibration import Calibration
from metrology.energy import KWH_UWS, SNAPSHOT_BYTES, Energies
from metrology.engine import Engine
from metrology.frame import Decoder, crc16
from metrology.pulse import Pulses

_U_PV = 60_000_000
_I_PA = 18_000_000
_CYCLE = 80


class Variant:
    """A three-phase direct meter."""

    name = "3ph"
    phases = 3
    nominal_voltage_v = 230
    nominal_frequency_hz = 50
    reference_current_ma = 5000
    maximum_current_ma = 85000
    transformer = False
    pulses_per_kwh = 10000


class Scale:
    """Sensors of the test."""

    u_pv_per_lsb = [_U_PV] * 3
    i_pa_per_lsb = [_I_PA] * 4
    keep_dc = False


class Source:
    """Plays one stored cycle for ever; `give` says how many frames are ready."""

    rate_mhz = 4_000_000
    channels = 7
    errors = 0
    skew_ns = (0, 0, 0)

    def __init__(self, cycle):
        self.cycle = cycle
        self.lost = 0
        self.give = 0
        self.at = 0

    def take(self, frames, limit):
        """Copy without allocating."""
        count = min(limit, self.give, 40)
        cycle, at = self.cycle, self.at
        for k in range(count * 7):
            frames[k] = cycle[at]
            at += 1
            if at == 7 * _CYCLE:
                at = 0
        self.at = at
        self.give -= count
        return count


def code(value):
    """Round to a code, halves up."""
    return math.floor(value + 0.5)


def cycle_of(volts, amperes, lag_deg):
    """One cycle of frames of three equal phases."""
    frames = array("i", bytes(4 * 7 * _CYCLE))
    u = volts * 2**0.5 / (_U_PV * 1e-12)
    i = amperes * 2**0.5 / (_I_PA * 1e-12)
    for n in range(_CYCLE):
        for k in range(3):
            turn = 2 * math.pi * (n / _CYCLE - k / 3 + 0.07)
            frames[7 * n + 2 * k] = code(u * math.sin(turn))
            frames[7 * n + 2 * k + 1] = code(i * math.sin(turn - math.radians(lag_deg)))
        frames[7 * n + 6] = code(i * math.sin(2 * math.pi * n / _CYCLE))
    return frames


def near(value, expected, part):
    """Tell whether a value is right within a part of what was expected."""
    return abs(value - expected) <= part * abs(expected)


class Led:
    """A pulse output that counts what it is given."""

    def __init__(self):
        self.rises = 0

    def train(self, count, first_q8, step_q8, width_us, span_us):
        """Take a window's pulses."""
        self.rises += count

    def steady(self, lit):
        """Be lit below the start."""

    def invert(self, inverted):
        """Rest high."""


def engine_end_to_end():
    calibration = Calibration(3)
    calibration.delay_ns[2] = -20_000  # 0.36 degrees
    source = Source(cycle_of(230, 5, 60))
    engine = Engine(source, Scale(), Variant(), calibration)
    leds = Led(), Led()
    engine.pulses.attach(leds[0], leds[1])
    source.give = 4000
    check("windows closed", engine.poll())
    quantities = engine.quantities
    check("frequency", abs(quantities.f_uhz - 50_000_000) < 10)
    for k in range(3):
        lag = 60 + (0.36 if k == 2 else 0)  # the voltage is taken earlier: a larger lag is seen
        check("u", near(quantities.u_uv[k], 230e6, 1e-6))
        check("i", near(quantities.i_ua[k], 5e6, 1e-6))
        check("p", near(quantities.p_uw[k], 1150e6 * math.cos(math.radians(lag)), 2e-5))
        check("q", near(quantities.q_uvar[k], 1150e6 * math.sin(math.radians(lag)), 2e-5))
        check("thd", quantities.thd_u_ppm[k] < 300)
        check("angle", abs(quantities.angle_u_mdeg(k) - 120_000 * k) < 400)
    check("neutral", near(quantities.in_ua, 5e6, 1e-6))
    for _ in range(60):
        source.give = 4000
        engine.poll()
    energies = engine.energies
    expected = sum(quantities.p_uw) * 60
    before = energies.total_uws(0) - expected
    check("a minute's energy", 0 < before < sum(quantities.p_uw))
    active = energies.total_uws(10) * 10000 // 3_600_000_000_000
    check("pulses", leds[0].rises == engine.pulses.active.count)
    check("pulses and energy", engine.pulses.active.count == active)
    return engine, source


class Unused:
    """What a record of a disturbance would need, were there one."""

    sector_size = 4096
    values = (2300, 1840, 2645)

    def open(self, _name, _row_size):
        return None


def blocks_without_allocation(engine, source):
    """A window is 20 blocks; all but the one it ends in run with the heap locked.

    The waves are kept, and each half cycle is looked at for sags and swells.
    """
    unused = Unused()
    waves = Waveforms(unused, None, unused, engine, 7, lambda: True)
    engine.keep_waves()
    for _ in range(3):
        ended = False
        while not ended:
            source.give = 40
            ended = engine.poll()
        gc.collect()
        polled = 0
        micropython.heap_lock()
        try:
            while polled < 19:
                source.give = 40
                engine.poll()
                polled += 1
        except MemoryError:
            pass
        micropython.heap_unlock()
        check("a block allocates nothing", polled == 19)
    check("the waves are kept", engine.keepers[0].kept == waves.slots)
    engine.on_window.pop()
    source.give = 40
    check("the window went on", engine.poll())


def kernel_without_allocation():
    accumulators = Accumulators(3, 7)
    frames = cycle_of(230, 5, 0)
    pairs = array("i", [4096] * 128)
    decoder = Decoder(10, [1, 2, 3, 4, 5, 6, 7])
    ring = bytearray(30 * 64)
    body = bytearray(30)
    for k in range(8):
        body[3 * k + 4] = 17 * k
    crc = crc16(body, 27)
    body[27], body[28] = crc >> 8, crc & 255
    for k in range(64):
        ring[30 * k : 30 * k + 30] = body
    out = array("i", bytes(4 * 7 * 64))
    gc.collect()
    micropython.heap_lock()
    errors = decoder.decode(ring, 60, 64, out)
    accumulators.accumulate(frames, pairs, 0, 64)
    accumulators.accumulate(frames, pairs, 3, 50)
    micropython.heap_unlock()
    check(
        "decoded",
        errors == 0
        and list(out[:7]) == [0, 17 * 256, 34 * 256, 51 * 256] + [17 * 256 * k for k in (4, 5, 6)],
    )
    sums = RawSums(3)
    accumulators.move_into(sums)
    check("summed", sums.frames_q16 == 114 << 16 and sums.phases[0][2] > 0)


def full_scale_is_exact():
    low, high = -(1 << 23), (1 << 23) - 1
    for u, i in ((low, low), (low, high), (high, low), (high, high)):
        accumulators = Accumulators(1, 3)
        frames = array("i", [u, i, u] * 64)
        pairs = array("i", [1, 8191] * 64)
        for _ in range(150):
            accumulators.accumulate(frames, pairs, 0, 64)
        sums = RawSums(1)
        accumulators.move_into(sums)
        n = 9599  # u and i come one frame late, after a zero
        expected = [n * x for x in (u, i, u * u, i * i, u * i, -4095 * u, 4095 * u)]
        expected += [-4095 * i * n, 4095 * i * n]
        check("phase", sums.phases[0] == expected)
        check("neutral", sums.neutral == [9600 * u, 9600 * u * u])
        square = 4095 * 4095 * 9600
        check("pairs", sums.reference == [-4095 * 9600, 4095 * 9600, square, square, -square])


class Load:
    """A window's quantities: one phase, 230 V and 5 A with any power."""

    phases = 1
    u_uv = (230_000_000,)
    i_ua = (5_000_000,)

    def __init__(self, p_w, q_var):
        self.p_uw, self.q_uvar = (p_w * 1_000_000,), (q_var * 1_000_000,)


def outputs_count_their_energies_through_power_cuts():
    rates = ((1, 16000), (2, 500), (5, 3200), (7, 4000), (16, 1000))
    total = [0] * len(rates)
    given = [0] * len(rates)
    energies = Energies(Variant(), 4_000_000)
    net = highest = 0
    for k in range(40):
        snapshot = bytearray(SNAPSHOT_BYTES)
        energies.snapshot_into(snapshot, 0)
        energies = Energies(Variant(), 4_000_000)
        energies.restore_from(snapshot, 0)
        pulses = Pulses(1000, 4_000_000)
        leds = [Led() for _ in rates]
        pulses.attach(Led(), Led(), None, leds)
        for generator, (energy, rate) in zip(pulses.outputs, rates):
            generator.configure(energy, rate)
        p_w, q_var = (k * 7919 % 40001 - 20000, k * 104729 % 40001 - 20000)
        for _ in range(5):
            energies.add(Load(p_w, q_var), 800 << 16)
            pulses.window(energies, 800)
        net += p_w
        highest = max(highest, net)
        for at, power in enumerate(
            (max(p_w, 0), max(-p_w, 0), q_var if p_w >= 0 else 0, -q_var if p_w < 0 else 0)
        ):
            total[at] += max(power, 0)
        total[4] = highest
        for at, led in enumerate(leds):
            given[at] += led.rises
    for at, (energy, rate) in enumerate(rates):
        due = total[at] * 1_000_000 * rate // KWH_UWS
        check("output of energy " + str(energy), given[at] == due)
    check("net debt", energies.net_debt_uws == (highest - net) * 1_000_000)


def two_elements_are_summed_apart_and_together():
    u, i = 1000, 3000
    accumulators = Accumulators(2, 5)
    frames = array("i", [u, i, u, -2 * i, 7] * 64)
    accumulators.accumulate(frames, array("i", [4096, 4096] * 64), 0, 64)
    sums = RawSums(2)
    accumulators.move_into(sums)
    n = 63  # u and i come one frame late, after a zero
    check("elements", [phase[4] for phase in sums.phases] == [n * u * i, -2 * n * u * i])
    check("neutral of two", sums.neutral == [7 * 64, 49 * 64])
    energies = Energies(Variant(), 4_000_000, True)
    load = Load(900, 0)
    load.p_uw, load.q_uvar = (900_000_000, -100_000_000), (0, 0)
    load.u_uv, load.i_ua = 2 * load.u_uv, 2 * load.i_ua
    energies.element_rates = 2
    for p_uw in (-100_000_000, 300_000_000):
        load.p_uw = (900_000_000, p_uw)
        energies.add(load, 3600 * 4000 << 16)
    wh = [uws // 3_600_000_000 for uws in energies.element_uws]
    check("imports", (wh, energies.wh[0]) == ([1800, 300, 0, 300, 0, 0], 2000))


two_elements_are_summed_apart_and_together()
outputs_count_their_energies_through_power_cuts()
full_scale_is_exact()
kernel_without_allocation()
blocks_without_allocation(*engine_end_to_end())
report()
