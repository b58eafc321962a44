"""Demand on the target's interpreter: long integers, and the array that is its record.

Expected figures: energy over time, worked out by hand.
"""

from checks import check, report
from sparse_memory import SparseMemory

from app import ticks
from app.periods import NOT_FOR_BILLING, POWER_DOWN, Period
from app.tariff.averages import Averages, average
from app.tariff.maxima import Maxima, mask_of_rate
from app.tariff.sliding_current import SlidingCurrent
from app.tariff.window_totals import WindowTotals
from metrology.energy import A_IMPORT, A_NET, UNIT_UWS


def equal(name, got, wanted):
    check(name, got == wanted, got, wanted)


class Zone:
    def next_boundary(self, utc_s, period_s):
        return utc_s - utc_s % period_s + period_s


class Clock:
    """UTC from the ticks; periods as app.clock has them."""

    invalid = False
    shift_limit_s = 9

    def __init__(self, utc_s):
        self.base_s = utc_s - now[0] // 1000
        self.zone = Zone()
        self.periods = []

    def utc_s(self):
        return self.base_s + now[0] // 1000

    def hundredths(self):
        return now[0] % 1000 // 10

    def every(self, period_s, on_end, on_jump):
        period = Period(self, period_s, on_end, on_jump)
        self.periods.append(period)
        return period

    def dst_active(self, _utc_s):
        return False

    def wake(self):
        pass


class Energies:
    element_uws = ()

    def __init__(self):
        self.wh = [0] * 12
        self.residue = [0] * 12

    def add(self, kind, uws):
        total = self.wh[kind] * UNIT_UWS + self.residue[kind] + uws
        sign = -1 if total < 0 else 1
        self.wh[kind] = sign * (abs(total) // UNIT_UWS)
        self.residue[kind] = sign * (abs(total) % UNIT_UWS)


class Quantities:
    phases = 3
    i_ua = (20_900_000, 0, 120_000_000)


class Engine:
    rate_mhz = 4_000_000
    frames_q16 = 4000 * 65536

    def __init__(self):
        self.energies = Energies()
        self.quantities = Quantities()


now = [5000]
ticks.now_ms = lambda: now[0] & 0x3FFFFFFF
START = 820_929_600  # 2026-01-05T12:00:00


class Bench:
    def __init__(self, wh=0):
        self.memory = SparseMemory()
        self.engine = Engine()
        self.engine.energies.wh[A_IMPORT] = wh
        self.ends = []

    def boot(self, utc_s, periods, outage=False):
        self.clock = Clock(utc_s)
        self.totals = WindowTotals(self.engine)
        kinds = (A_IMPORT, A_NET)
        self.averages = Averages(self.memory, "demand", self.clock, self.totals, kinds)
        self.averages.on_end = lambda utc_s, bits, full: self.ends.append((utc_s, bits, full))
        self.averages.restore(900, periods)
        self.averages.start(outage)

    def run(self, seconds, watts):
        for _ in range(seconds):
            now[0] += 1000
            self.engine.energies.add(A_IMPORT, watts * 1_000_000)
            self.engine.energies.add(A_NET, -watts * 1_000_000)
            self.totals.window()
            for period in self.clock.periods:
                period.check(self.clock.utc_s())


def test_totals_beyond_64_bits_of_microwattseconds():
    # 2**64 uWs are 5124095576 Wh: the total passes it within the period
    bench = Bench(5_124_095_500)
    bench.boot(START, 1)
    bench.run(900, 1_000_000)
    equal("a megawatt", bench.averages.last(0), 10_000_000)
    equal("net", bench.averages.last(1), -10_000_000)
    equal("its end", bench.averages.capture_utc_s(0), START + 900)
    equal("whole", bench.ends, [(START + 900, NOT_FOR_BILLING, 3)])
    equal("energy", bench.averages.ended_uws(0), 900 * 10**12)
    equal("net energy", bench.averages.ended_uws(1), -900 * 10**12)


def test_fifteen_periods_slide():
    bench = Bench()
    bench.boot(START, 15)
    bench.run(900, 15_000)
    equal("first", bench.averages.last(0), 10_000)
    equal("first net", bench.averages.last(1), -10_000)
    bench.run(900 * 14, 0)
    equal("still in", bench.averages.last(0), 10_000)
    bench.run(900, 0)
    equal("gone", bench.averages.last(0), 0)


def test_a_cut_goes_on_or_ends_the_period():
    bench = Bench()
    bench.boot(START, 1)
    bench.run(1200, 3000)
    now[0] += 100_000
    bench.boot(START + 1300, 1, True)
    bench.run(500, 3000)
    equal("went on", bench.averages.last(0), 26_667)
    equal("bits", bench.averages.status(0), POWER_DOWN)
    bench.run(300, 3000)
    now[0] += 2_000_000
    bench.boot(START + 4100, 1, True)
    equal("ended", bench.averages.last(0), 10_000)
    equal("at its boundary", bench.averages.capture_utc_s(0), START + 2700)
    equal("next", bench.averages.start_utc_s(0), START + 3600)


def test_maxima_rest_in_their_record():
    memory = SparseMemory()
    maxima = Maxima(memory)
    maxima.switch(mask_of_rate(8))
    equal("taken", maxima.compare(6, 345_000_000, START, 0x88), True)
    equal("not lower", maxima.compare(6, 344_999_999, START + 900, 0), False)
    maxima.keep()
    again = Maxima(memory)
    equal("value", again.value(6 * 9 + 8), 345_000_000)
    equal("time", again.capture_utc_s(6 * 9), START)
    equal("bits", again.status(6 * 9), 0x88)
    equal("other rate", again.value(6 * 9 + 1), 0)


def test_sliding_currents():
    engine = Engine()
    totals = WindowTotals(engine)
    currents = SlidingCurrent(engine, totals)
    for second in range(90):
        now[0] += 1000
        totals.window()
        currents.window()
        if second == 44:
            equal("half", currents.last_ma(0) // 100, 104)
    equal("whole", [currents.last_ma(phase) for phase in range(3)], [20_900, 0, 120_000])


def test_rounding():
    equal("up", average(45_000_000, 900_000), 1)
    equal("down", average(44_999_999, 900_000), 0)
    equal("negative", average(-45_000_000, 900_000), -1)
    equal("largest", average(10**21, 900_000), 0x7FFFFFFF)
    equal("no time", average(5, 0), 0)


test_totals_beyond_64_bits_of_microwattseconds()
test_fifteen_periods_slide()
test_a_cut_goes_on_or_ends_the_period()
test_maxima_rest_in_their_record()
test_sliding_currents()
test_rounding()
report()
