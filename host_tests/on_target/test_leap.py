"""Windows that stand for frames: the same energy, to the unit, and no time lost or doubled.

The real engine measures the simulated mains twice, once frame by frame and once in leaps. The
truth beside both is P * t of the mains that was asked for.
"""

import sys

sys.path.insert(0, "boards/sim")
sys.path.insert(0, "firmware")

import timeline
from checks import check, report
from leap import KEPT, Leap
from world import World

from metrology.calibration import Calibration
from metrology.engine import Engine

_U_V = 230
_I_A = 5
_A_PLUS = 0
_Q_PLUS = 2
_WH_UWS = 3_600_000_000


class Variant:
    name = "3ph"
    phases = 3
    nominal_voltage_v = 230
    nominal_frequency_hz = 50
    reference_current_ma = 5000
    maximum_current_ma = 120_000
    transformer = False
    pulses_per_kwh = 1000


class Converter:
    """Converter, capture and frame source in one, counting as the real ones do."""

    lost = 0
    skew_ns = (0, 0, 0)
    errors = 0
    channels = 7

    def __init__(self, world):
        self.world = world
        self.rate_mhz = world.rate_mhz
        self.taken = 0
        self.dropped = 0
        self.ready = 0
        self.held = False
        self.engine = None
        timeline.after(10_000, self._block)

    def due(self):
        done = timeline.now_us * self.rate_mhz // 1_000_000_000
        return done - self.taken - self.dropped - self.ready

    def hold(self):
        self.held = True

    def release(self):
        self.held = False

    def drop(self, count):
        self.dropped += count

    def deliver(self, count):
        count = min(count, self.due())
        self.ready += count
        return count

    def take(self, frames, limit):
        count = min(limit, self.ready)
        if count:
            self.world.samples(frames, self.taken + self.dropped, count)
            self.taken += count
            self.ready -= count
        return count

    def _block(self):
        timeline.after(10_000, self._block)
        if not self.held:
            self.deliver(self.due())
            self.engine.poll()


class Meter:
    """A mains of `f_hz` at 60 degrees and the metrology on it."""

    def __init__(self, f_hz, detail):
        timeline.reset()
        self.world = World("3ph", seed=3)
        self.mains(f=f_hz, phases=[{"u": _U_V, "i": _I_A, "phi_deg": 60}] * 3)
        self.converter = Converter(self.world)
        self.engine = Engine(self.converter, self.world.meter_scale, Variant, Calibration(3))
        self.converter.engine = self.engine
        self.leap = Leap(self.world, detail)
        self.leap.attach(self.engine, self.converter)
        self.window_frames_q16 = 0

    def mains(self, **changes):
        self.world.set_mains(changes)

    def run(self, seconds):
        timeline.pass_us(int(seconds * 1_000_000))

    def end(self):
        self.leap.finish()
        self.engine.close()

    def uws(self, index):
        return self.engine.energies.total_uws(index)


def test_an_hour_is_right():
    """An hour by windows, at mains that fit into windows and that do not."""
    for f_hz in (50, 49.3, 50.02, 60):
        meter = Meter(f_hz, "windows")
        meter.run(3600)
        meter.end()
        truth = 3 * _U_V * _I_A * 0.5 * 3600
        error = meter.uws(_A_PLUS) / 1_000_000 - truth
        # 1 Wh is 3600 Ws; the engine itself is right within 5 parts in a million here
        check("active energy of an hour", abs(error) < 36, f_hz, error)
        truth *= 3**0.5
        error = meter.uws(_Q_PLUS) / 1_000_000 - truth
        check("reactive energy of an hour", abs(error) < 72, f_hz, error)
        check(
            "windows were repeated", meter.leap.windows > 3500 * f_hz / 12.01, meter.leap.windows
        )
        check("not many frames", meter.converter.taken < 10 * 4000, meter.converter.taken)
        # every frame's time went either way, but for a part of one that is still owed
        all_frames = meter.converter.taken + meter.converter.dropped
        check("no time lost or doubled", all_frames == 3600 * 4000, all_frames)
        pulses = meter.engine.pulses.active.count
        check("pulses follow the register", pulses == meter.uws(_A_PLUS) // _WH_UWS, pulses)


def test_frames_and_windows_agree():
    for f_hz in (50, 49.3, 50.02, 60):
        energies = []
        for detail in ("frames", "windows"):
            meter = Meter(f_hz, detail)
            meter.run(60)
            meter.end()
            energies.append([meter.uws(k) for k in (_A_PLUS, _Q_PLUS)])
        for k in range(2):
            by_frames, by_windows = energies[0][k], energies[1][k]
            difference = abs(by_windows - by_frames) / by_frames
            # to the Wh in an hour: one part in 1725 would do
            check("frames and windows", difference < 2e-5, f_hz, difference)


def test_changes_are_felt_at_their_instant():
    """Load switched at odd times in a leap: each part of the energy has its own length."""
    for f_hz in (50, 49.3):
        energies = []
        for detail in ("frames", "windows"):
            meter = Meter(f_hz, detail)
            for seconds, i in ((37, 20), (41, 0), (73, 1), (90, 5)):
                timeline.at(
                    seconds * 1_000_000 + 123_457,
                    lambda meter=meter, i=i: meter.mains(phases=[{"i": i}] * 3),
                )
            meter.run(120)
            meter.end()
            energies.append(meter.uws(_A_PLUS))
        difference = abs(energies[1] - energies[0]) / energies[0]
        check("energy over changes", difference < 2e-4, f_hz, energies, difference)


def test_loads_step_by_the_minute():
    """A household of some minutes: what a step leaves unsettled is measured frame by frame."""
    energies = []
    for detail in ("frames", "windows"):
        meter = Meter(50, detail)
        meter.world.epoch_us = 836_413_170_500_000  # 2026-07-03T16:59:30.5
        meter.mains(scenario="household", seed=2)
        meter.run(300)
        meter.end()
        energies.append([meter.uws(k) / 1_000_000 for k in range(10)])
    flown = meter.leap.windows
    check("windows stood for most of the time", flown > 0.9 * 1500, flown)
    for k in range(10):
        difference = abs(energies[1][k] - energies[0][k])
        check("energy of a household", difference < 20, k, energies[0][k], energies[1][k])


def test_frequency_may_jump():
    """Windows that were measured at the frequency of before stand for no others."""
    for before_hz, after_hz in ((50, 52), (49.37, 62.713), (65, 45)):
        energies = []
        for detail in ("frames", "windows"):
            meter = Meter(before_hz, detail)
            meter.run(20)
            meter.mains(f=after_hz)
            meter.run(10)
            settled = [meter.uws(k) for k in (_A_PLUS, _Q_PLUS)]
            meter.run(60)
            meter.end()
            energies.append([meter.uws(k) - settled[n] for n, k in enumerate((_A_PLUS, _Q_PLUS))])
        for k in range(2):
            difference = abs(energies[1][k] / energies[0][k] - 1)
            # energies enter by windows of up to a second: two edges of the 60 s are soft
            check("frames and windows after a jump", difference < 0.035, after_hz, difference)
        ratio = energies[1][1] / energies[1][0]
        check("reactive beside active energy", abs(ratio / 3**0.5 - 1) < 1e-3, after_hz, ratio)


def test_when_windows_stand_for_frames():
    meter = Meter(50, "auto")
    meter.run(10)
    check("frames at rate 1", not meter.leap.flying())
    timeline.set_rate(5)
    check("frames at rate 5", not meter.leap.wanted())
    timeline.set_rate(6)
    meter.run(1)
    check("windows above", meter.leap.flying())
    timeline.set_rate(1)
    meter.run(2)
    check("frames again", not meter.leap.flying())
    check("every frame accounted for", meter.converter.due() < 50, meter.converter.due())
    meter.end()
    meter = Meter(50, "frames")
    timeline.set_rate(1000)
    meter.run(10)
    check("never if frames are asked for", not meter.leap.flying() and not meter.leap.windows)
    meter = Meter(50, "windows")
    meter.run(3)
    check("not before enough windows", not meter.leap.flying())
    meter.run(2)
    check("then soon", meter.leap.flying())
    meter.mains(f=50.5)
    check("a change ends it at once", not meter.leap.flying() and meter.converter.due() == 0)
    meter.run(3)
    check("not with windows of before", not meter.leap.flying())
    meter.run(2)
    check("and then again", meter.leap.flying())
    check("frequency follows", abs(meter.engine.quantities.f_uhz - 50_500_000) < 1000)
    meter.leap.detach()
    check("a reset ends it", not meter.leap.flying())
    meter.run(5)
    check("and nothing is repeated without a meter", meter.leap.windows < 5 * (KEPT + 5))


def test_quantities_stay_fresh():
    meter = Meter(50, "windows")
    seen = []
    meter.engine.on_window.append(lambda: seen.append(timeline.now_us))
    meter.run(30)
    late = [seen[k] - seen[k - 1] for k in range(1, len(seen))]
    check("a window every second, or the next", max(late) <= 2_000_000, max(late))
    check("nearly every second", len(late) > 40, len(late))
    quantities = meter.engine.quantities
    check("voltage", abs(quantities.u_uv[1] - 230_000_000) < 5_000, quantities.u_uv)
    check("power", abs(quantities.p_total_uw - 1_725_000_000) < 100_000, quantities.p_total_uw)


def test_a_window_that_closes_as_the_mains_changes_starts_nothing():
    meter = Meter(50, "windows")
    for tenth in range(1, 11):
        meter.run(6)
        check("flying before the change", meter.leap.flying())
        # among the frames due at this instant a window may end, which asks for the next leap
        meter.run(tenth * 0.0197)
        meter.mains(f=50 + tenth / 100)
        check("none after it", not meter.leap.flying(), tenth)
        meter.run(0.5)
        check("nor soon", not meter.leap.flying(), tenth)


test_an_hour_is_right()
test_a_window_that_closes_as_the_mains_changes_starts_nothing()
test_frames_and_windows_agree()
test_changes_are_felt_at_their_instant()
test_loads_step_by_the_minute()
test_frequency_may_jump()
test_when_windows_stand_for_frames()
test_quantities_stay_fresh()
report()
