"""The calibration bench: sensors with errors, corrections that undo them, everything refused."""

import cmath
import math
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from fram_fake import Memory
from metrology_bench import Bench, Mains, Phase, Variant

from app.calibration_record import CalibrationRecord
from app.errors import AccessRefused
from app.parameters import ParameterLock
from app.production import (
    DONE,
    IDLE,
    MEASURING,
    REFUSED,
    STOP,
    Production,
    ProductionError,
)
from app.storage import regions
from metrology.calibration import PACKED_BYTES, Calibration, CalibrationError
from metrology.calibration_step import (
    GAIN,
    MEASURE,
    OFFSET,
    PHASE,
    Load,
    _sine_and_cosine_q40,
)
from metrology.quantities import angle_udeg

NOW_UTC_S = 823_000_000
WINDOWS = 6
# of each phase: ratio errors of voltage and current, degrees by which the current seems to lag
ERRORS = [(0.03, -0.05, 1.2), (-0.02, 0.08, -0.7), (0.001, 0.0, 0.05)]
CROSSTALK_A = 0.2e-3  # in phase with the voltage


class Switch:
    def __init__(self, level=1):
        self.level = level

    def value(self):
        return self.level


class Clock:
    def utc_s(self):
        return NOW_UTC_S


class Meter:
    """An engine whose sensors err, and the bench before it."""

    def __init__(self, errors=ERRORS, memory=None, noise=0.0):
        self.errors = errors
        self.noise = noise
        self.memory = memory or Memory()
        self.switch = Switch()
        phases = len(errors)
        self.stored = CalibrationRecord(self.memory, phases)
        self.bench = Bench(
            self._mains([(230, 5, 0)] * phases), calibration=self.stored.calibration
        )
        self.variant = Variant(phases)
        self.production = Production(
            self.bench.engine, self.stored, self.variant, ParameterLock(self.switch), Clock()
        )
        self.production.set_windows(WINDOWS)

    def _mains(self, true):
        seen = []
        for (u_error, i_error, lag), (u, i, angle) in zip(self.errors, true, strict=True):
            current = cmath.rect(i, math.radians(-angle)) + CROSSTALK_A
            phi = lag - math.degrees(cmath.phase(current))
            seen.append(Phase(u * (1 + u_error), abs(current) * (1 + i_error), phi))
        return Mains(seen, noise=self.noise)

    def give(self, u, i, phi):
        """Turn the bench to a load and tell the meter."""
        self.bench.mains = self._mains([(u, i, phi)] * len(self.errors))
        self.bench.play(1.0)
        load = Load(len(self.errors))
        for phase in range(load.phases):
            load.u_uv[phase] = round(u * 1e6)
            load.i_ua[phase] = round(i * 1e6)
            load.phi_udeg[phase] = round(phi * 1e6)
        self.production.set_load(load)

    def run(self, step):
        self.production.start(step)
        assert self.production.state == MEASURING
        self.bench.play(WINDOWS * 0.2 + 0.3)
        return self.production.state

    def error_percent(self, u, i, phi):
        """Worst error of active power over the phases."""
        self.give(u, i, phi)
        assert self.run(MEASURE) == DONE, self.production.reason
        true = u * i * math.cos(math.radians(phi)) * 1e6
        averages = self.production.averages
        return max(abs(averages.p_uw(phase) / true - 1) * 100 for phase in range(len(self.errors)))


def test_gain_then_phase_then_offset_undo_the_errors_of_the_sensors():
    meter = Meter()
    assert meter.error_percent(230, 5, 0) > 5
    assert meter.error_percent(230, 5, 60) > 7
    for step, load in ((GAIN, (230, 5, 0)), (PHASE, (230, 5, 60))):
        meter.give(*load)
        assert meter.run(step) == DONE, meter.production.reason
    assert meter.error_percent(230, 0.25, 0) > 0.06
    meter.give(230, 0.25, 0)
    assert meter.run(OFFSET) == DONE, meter.production.reason
    for load in ((230, 5, 0), (230, 5, 60), (230, 20, -36.87), (230, 0.25, 0), (207, 1, 60)):
        assert meter.error_percent(*load) < 0.02, load
    record = meter.stored.calibration
    for phase, (u_error, i_error, lag) in enumerate(ERRORS):
        assert abs((1 + record.u_gain_ppb[phase] / 1e9) * (1 + u_error) - 1) < 2e-6
        assert abs((1 + record.i_gain_ppb[phase] / 1e9) * (1 + i_error) - 1) < 5e-5
        assert abs(record.delay_ns[phase] - lag / 360 / 50 * 1e9) < 200  # the crosstalk too
    assert (meter.stored.count, meter.stored.calibrated_utc_s) == (3, NOW_UTC_S)


@pytest.mark.row("IDN-10", "PRD-08")
def test_a_meter_wakes_up_with_its_calibration_and_its_date():
    meter = Meter(ERRORS[:1])
    meter.give(230, 5, 0)
    assert meter.run(GAIN) == DONE
    again = CalibrationRecord(meter.memory, 1)
    assert again.calibration.u_gain_ppb == meter.stored.calibration.u_gain_ppb != [0]
    assert (again.count, again.calibrated_utc_s, again.problem) == (1, NOW_UTC_S, "")


def flip(memory, offset):
    memory.octets[offset] ^= 0x10


def addresses():
    """Where the two copies of the calibration lie."""
    return regions.open_record(Memory(), "calibration")._addresses


@pytest.mark.parametrize("slot", [0, 1])
def test_a_damaged_copy_is_served_by_its_twin_and_both_damaged_are_said(slot):
    meter = Meter(ERRORS[:1])
    meter.give(230, 5, 0)
    meter.run(GAIN)
    good = meter.stored.calibration.u_gain_ppb
    flip(meter.memory, addresses()[slot] + 20)
    again = CalibrationRecord(meter.memory, 1)
    assert again.calibration.u_gain_ppb == good
    assert not again.damaged
    assert "twin" in again.problem or "other" in again.problem
    flip(meter.memory, addresses()[1 - slot] + 20)
    lost = CalibrationRecord(meter.memory, 1)
    assert lost.damaged
    assert "damaged" in lost.problem
    assert lost.calibration.u_gain_ppb == [0]
    lost.save(meter.stored.calibration, NOW_UTC_S)
    assert CalibrationRecord(meter.memory, 1).problem == ""


def test_a_record_of_a_version_without_a_date_is_read():
    memory = Memory()
    record = Calibration(1)
    record.u_gain_ppb[0] = 1234
    regions.open_record(memory, "calibration").save(record.pack())
    assert len(record.pack()) == PACKED_BYTES
    stored = CalibrationRecord(memory, 1)
    assert (stored.calibration.u_gain_ppb, stored.count) == ([1234], 0)
    memory.dead = True
    assert CalibrationRecord(memory, 1).damaged


@pytest.mark.row("PRD-01", "SEC-50")
def test_nothing_can_be_done_while_the_switch_is_locked():
    meter = Meter(ERRORS[:1])
    meter.give(230, 5, 0)
    meter.switch.level = 0
    for call in (
        lambda: meter.production.start(GAIN),
        lambda: meter.production.start(STOP),
        lambda: meter.production.set_load(Load(1)),
        lambda: meter.production.set_windows(10),
        lambda: meter.production.set_calibration(Calibration(1)),
    ):
        with pytest.raises(AccessRefused):
            call()
    assert meter.production.state == IDLE
    meter.switch.level = 1
    meter.production.start(GAIN)
    meter.switch.level = 0
    meter.bench.play(3)
    assert (meter.production.state, meter.stored.count) == (REFUSED, 0)
    assert "locked" in meter.production.reason


@pytest.mark.parametrize(
    ("u", "i", "phi", "reason"),
    [
        (0, 5, 0, "no phase"),
        (0, 0, 0, "no phase"),
        (100, 5, 0, "voltage out"),
        (400, 5, 0, "voltage out"),
        (230, 0, 0, "current out"),
        (230, 200, 0, "current out"),
        (230, 5, 91, "angle"),
        (230, 5, -91, "angle"),
    ],
)
def test_a_load_that_no_bench_gives_is_refused_with_a_reason(u, i, phi, reason):
    meter = Meter(ERRORS[:1])
    load = Load(1)
    load.u_uv[0], load.i_ua[0], load.phi_udeg[0] = u * 10**6, i * 10**6, phi * 10**6
    with pytest.raises(ProductionError, match=reason):
        meter.production.set_load(load)
    assert reason in meter.production.reason
    with pytest.raises(ProductionError, match="no phase"):
        meter.production.start(GAIN)


@pytest.mark.parametrize(
    ("step", "i", "phi", "reason"),
    [
        (GAIN, 0.5, 0, "too small"),
        (PHASE, 0.5, 60, "too small"),
        (PHASE, 5, 10, "30 to 80"),
        (PHASE, 5, 85, "30 to 80"),
        (OFFSET, 5, 0, "too large"),
        (7, 5, 0, "no such step"),
        (-1, 5, 0, "no such step"),
    ],
)
def test_a_step_that_does_not_suit_the_load_is_refused_with_a_reason(step, i, phi, reason):
    meter = Meter(ERRORS[:1])
    meter.give(230, i, phi)
    with pytest.raises(ProductionError, match=reason):
        meter.production.start(step)
    assert reason in meter.production.reason


@pytest.mark.parametrize(
    ("told", "step", "reason"),
    [
        ((230, 3.9, 0), GAIN, "current gain"),  # 25 % more than the meter sees
        ((180, 5, 0), GAIN, "voltage gain"),
        ((230, 5, 40), PHASE, "far from the reference"),
    ],
)
def test_corrections_that_are_not_plausible_are_refused_and_change_nothing(told, step, reason):
    meter = Meter([(0, 0, 0)])
    meter.give(230, 5, 0)
    load = Load(1)
    load.u_uv[0], load.i_ua[0], load.phi_udeg[0] = (round(value * 10**6) for value in told)
    meter.production.set_load(load)
    assert meter.run(step) == REFUSED
    assert reason in meter.production.reason
    assert meter.stored.count == 0
    assert meter.error_percent(230, 5, 0) < 0.01


def test_a_reversed_current_and_an_unsteady_load_are_refused():
    meter = Meter([(0, 0, 180)])
    meter.give(230, 5, 0)
    assert meter.run(GAIN) == REFUSED
    assert "backwards" in meter.production.reason
    meter = Meter([(0, 0, 0)])
    meter.give(230, 5, 0)
    meter.production.start(GAIN)
    meter.bench.play(0.6)
    meter.bench.mains = meter._mains([(230, 5.5, 0)])
    meter.bench.play(2)
    assert meter.production.state == REFUSED
    assert "not steady" in meter.production.reason


def test_without_a_voltage_the_step_ends_with_a_reason():
    meter = Meter([(0, 0, 0)])
    meter.give(230, 5, 0)
    meter.production.start(GAIN)
    meter.bench.mains = meter._mains([(0, 5, 0)])
    meter.bench.play(6)
    assert (meter.production.state, meter.production.reason) == (REFUSED, "no voltage")


def test_lost_frames_end_the_step():
    meter = Meter([(0, 0, 0)])
    meter.give(230, 5, 0)
    meter.production.start(GAIN)
    meter.bench.source.lost += 3
    meter.bench.play(1)
    assert meter.production.state == REFUSED
    assert "lost" in meter.production.reason


def test_one_step_at_a_time_and_a_step_can_be_stopped():
    meter = Meter(ERRORS[:1])
    meter.give(230, 5, 0)
    meter.production.start(GAIN)
    for call in (
        lambda: meter.production.start(PHASE),
        lambda: meter.production.set_windows(10),
        lambda: meter.production.set_calibration(Calibration(1)),
    ):
        with pytest.raises(ProductionError, match="under way"):
            call()
    meter.production.start(STOP)
    meter.bench.play(3)
    assert (meter.production.state, meter.stored.count) == (IDLE, 0)
    for windows in (4, 3001, 0, -1):
        with pytest.raises(ProductionError):
            meter.production.set_windows(windows)


def test_a_memory_that_does_not_answer_leaves_the_old_calibration():
    meter = Meter([(0.05, 0, 0)])
    meter.give(230, 5, 0)
    meter.memory.dead = True
    assert meter.run(GAIN) == REFUSED
    assert "memory" in meter.production.reason
    assert meter.bench.engine.quantities.u_uv[0] > 240e6
    record = Calibration(1)
    record.u_gain_ppb[0] = 1
    with pytest.raises(OSError):
        meter.production.set_calibration(record)
    assert meter.stored.calibration.u_gain_ppb == [0]


def test_corrections_written_by_hand_are_checked():
    meter = Meter([(0, 0, 0)])
    record = Calibration(1)
    record.i_gain_ppb[0] = -(10**9)  # a gain of zero
    with pytest.raises(ProductionError, match="current gain"):
        meter.production.set_calibration(record)
    record.i_gain_ppb[0] = -1_500_000_000  # a negative one
    with pytest.raises(ProductionError, match="current gain"):
        meter.production.set_calibration(record)
    record.i_gain_ppb[0] = 100_000_000
    meter.production.set_calibration(record)
    assert meter.production.state == DONE
    assert abs(meter.bench.play(0.5).i_ua[0] - 5.5e6) < 300


def test_noise_moves_the_corrections_little():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    meter = Meter(ERRORS[:1], noise=40.0)
    meter.bench.mains.random.seed(seed)
    for step, load in ((GAIN, (230, 5, 0)), (PHASE, (230, 5, 60))):
        meter.give(*load)
        assert meter.run(step) == DONE
    assert meter.error_percent(230, 5, 60) < 0.05


@given(st.integers(-90_000_000, 90_000_000))
def test_sine_and_cosine_hold_to_the_ninth_place(udeg):
    sine, cosine = _sine_and_cosine_q40(udeg)
    radian = math.radians(udeg / 1e6)
    assert abs(sine / 2**40 - math.sin(radian)) < 1e-7
    assert abs(cosine / 2**40 - math.cos(radian)) < 1e-7


@given(st.integers(-180_000_000, 179_999_999), st.integers(25, 62))
def test_angles_hold_to_40_micro_degrees(udeg, bits):
    y, x = (round(2**bits * f(math.radians(udeg / 1e6))) for f in (math.sin, math.cos))
    assert abs((angle_udeg(y, x) - udeg + 180_000_000) % 360_000_000 - 180_000_000) <= 45


@pytest.mark.parametrize(("y", "x", "deg"), [(1, 1, 45), (0, 1, 0), (-1, 0, -90), (3, -3, 135)])
def test_angles_of_small_numbers(y, x, deg):
    assert abs(angle_udeg(y, x) - deg * 1_000_000) <= 45


def test_the_bench_refuses_a_calibration_of_another_meter():
    with pytest.raises(CalibrationError):
        Meter(ERRORS[:1]).bench.engine.recalibrate(Calibration(3))
