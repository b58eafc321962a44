"""The clock on its chip: exactness, faults, changes and their events.

Chip and driver are the real ones of clock_rig.py; expected times are the bench's true time.
"""

import random
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import pytest
from clock_rig import ClockRig

import civil
from app import clock as clock_module
from app.clock import DIFFERENT_BASE, DOUBTFUL, INVALID, Clock
from drivers.ds3231 import Ds3231

START = civil.utc_s(2026, 11, 21, 12)
DAY_S = 86400
NEVER = civil.utc_s(2001, 1, 1)


@pytest.fixture
def rig():
    return ClockRig(START)


def seconds(rig):
    return rig.true_us() // 1_000_000


@pytest.mark.row("CLK-11")
@pytest.mark.parametrize("ppm", [0, 50, -50, 150, -150])
def test_a_day_is_right_within_half_a_second_whatever_the_processors_crystal(ppm):
    """150 ppm are 13 s a day; the phase of the chip's second is drawn by lot."""
    seed = random.randrange(2**32)
    print("seed", seed)
    rig = ClockRig(START, ppm, random.Random(seed).randrange(10**6))
    rig.run(20)
    worst = 0.0
    for _ in range(24 * 4):
        rig.run(900 - 7.3)
        worst = max(worst, abs(rig.error_ms()))
        rig.run(7.3)
    print(f"worst error {worst:.1f} ms")
    assert worst < 50


@pytest.mark.row("CLK-11")
def test_the_second_of_the_chip_is_found_within_ten_seconds_of_power_up(rig):
    rig.power_cut(33.4)
    assert abs(rig.error_ms()) <= 500
    rig.run(10)
    assert abs(rig.error_ms()) < 25


@pytest.mark.row("CLK-11")
def test_the_trim_is_kept_and_makes_up_for_the_chips_crystal(rig):
    rig.chip.drift_ppb = 3000
    rig.run(DAY_S)
    assert rig.error_ms() == pytest.approx(259, abs=30)
    rig.clock.set_trim_ppm(-3)
    rig.clock.set_utc_s(seconds(rig))
    rig.run(DAY_S)
    assert abs(rig.error_ms()) < 30
    rig.power_cut(DAY_S)
    assert rig.clock.trim_ppm == -3
    rig.run(DAY_S)
    assert abs(rig.error_ms()) < 30
    rig.chip.set_battery(False)
    rig.power_cut(10)  # the chip forgets its trim, the meter does not
    rig.clock.set_utc_s(seconds(rig))
    rig.run(DAY_S)
    assert abs(rig.error_ms()) < 30
    for wrong in (13, -13):
        with pytest.raises(ValueError, match="trim"):
            rig.clock.set_trim_ppm(wrong)


def test_time_never_goes_back_by_itself():
    rig = ClockRig(START, 140, 345_678)
    before = 0
    generator = random.Random(7)
    for _ in range(20_000):
        rig.run(generator.random() * 0.7)
        now = rig.clock.utc_s() * 100 + rig.clock.hundredths()
        assert now >= before - 2  # hundredths may, by what a look corrects
        assert now // 100 >= before // 100
        before = now


def test_time_goes_on_for_months_while_the_ticks_wrap(rig):
    for _ in range(30):  # they do it every 12 days
        rig.run(DAY_S)
    assert abs(rig.error_ms()) < 30


@pytest.mark.row("CLK-16")
@pytest.mark.parametrize("fault", ["battery", "oscillator_stop", "garbage", "dead"])
def test_a_clock_without_time_starts_at_2001_says_invalid_and_posts_event_6(rig, fault):
    if fault == "battery":
        rig.chip.set_battery(False)
    elif fault == "garbage":
        rig.chip.fault("garbage")
    else:
        rig.chip.fault(fault)
    rig.power_cut(5)
    assert rig.clock.local()[:3] == (2001, 1, 1)
    assert rig.clock.status() & INVALID
    assert rig.codes() == [6]
    rig.run(100)
    assert rig.clock.utc_s() == NEVER + 100
    rig.chip.fault("clear")
    rig.chip.set_battery(True)
    rig.clock.set_utc_s(seconds(rig))
    assert not rig.clock.status() & (INVALID | DOUBTFUL)
    rig.run(200)
    assert abs(rig.error_ms()) < 1010  # as exact as the setting, in whole seconds
    rig.codes()
    rig.power_cut(100)
    assert rig.codes() == []
    assert abs(rig.error_ms()) < 1510


def test_a_silent_chip_is_bridged_by_the_ticks_and_followed_again():
    rig = ClockRig(START, 30)
    rig.run(60)
    rig.chip.fault("dead")
    rig.run(7200)
    assert rig.clock.rtc_failed
    assert rig.clock.status() & (DOUBTFUL | DIFFERENT_BASE) == DOUBTFUL | DIFFERENT_BASE
    assert rig.error_ms() == pytest.approx(216, abs=30)
    rig.chip.fault("clear")
    rig.run(80)
    assert rig.clock.status() & (INVALID | DOUBTFUL | DIFFERENT_BASE) == 0
    assert abs(rig.error_ms()) < 30
    assert rig.codes() == []


def test_a_chip_that_was_silent_at_power_up_gives_its_time_when_it_is_back(rig):
    rig.chip.fault("dead")
    rig.power_cut(5)
    rig.run(600)
    rig.codes()
    rig.chip.fault("clear")
    rig.run(70)
    assert abs(rig.error_ms()) < 30
    assert rig.clock.status() & (INVALID | DOUBTFUL) == DOUBTFUL
    assert rig.codes() == [4, 5]


def test_a_time_set_while_the_chip_is_silent_reaches_it_later(rig):
    rig.chip.fault("dead")
    rig.run(120)
    rig.clock.set_utc_s(seconds(rig) + 5000)
    rig.run(600)
    rig.chip.fault("clear")
    rig.run(70)
    assert rig.chip.utc_s() == pytest.approx(seconds(rig) + 5000, abs=1)
    assert rig.error_ms() == pytest.approx(5_000_000, abs=30)


@pytest.mark.parametrize("fault", ["garbage", "oscillator_stop", "jump", "back"])
def test_a_chip_that_lies_is_put_right_and_the_time_is_doubtful(rig, fault):
    rig.run(120)
    if fault == "jump":
        rig.chip.set_utc_s(START + 40 * DAY_S)
    elif fault == "back":
        rig.chip.set_utc_s(START - 1000)
    else:
        rig.chip.fault(fault)
        rig.run(70)
        rig.chip.fault("clear")
    rig.run(130)
    assert abs(rig.error_ms()) < 30
    assert rig.chip.utc_s() == pytest.approx(seconds(rig), abs=1)
    assert rig.clock.status() & (INVALID | DOUBTFUL) == DOUBTFUL
    assert rig.codes() == []  # the meter's time did not change
    rig.clock.set_utc_s(seconds(rig))
    assert not rig.clock.status() & DOUBTFUL
    rig.power_cut(60)
    assert abs(rig.error_ms()) < 1500


def test_power_that_goes_within_the_setting_of_the_chip_leaves_no_mixed_date(rig):
    """After every octet on the bus: the old time, the new one, or no time at all."""
    old, new = civil.utc_s(2026, 12, 31, 23, 59, 58), civil.utc_s(2027, 1, 1, 0, 0, 3)
    outcomes = set()
    for octets in range(30):
        rig.chip.set_utc_s(old)
        rig.chip.fault("clear")
        left = octets

        class Cut:
            """The chip until `left` octets have come."""

            def i2c_write(self, address, data):
                nonlocal left
                part = data[: max(0, min(len(data), left))]
                left -= len(part)
                if part:
                    rig.chip.i2c_write(address, part)
                if left <= 0:
                    raise InterruptedError
                return len(data)

            def i2c_read(self, address, buffer):
                return rig.chip.i2c_read(address, buffer)

        from chip_bus import I2c

        try:
            Ds3231(I2c(Cut())).set_utc_s(new)
        except InterruptedError:
            pass
        rig.boot()
        if rig.clock.invalid:
            outcomes.add("invalid")
            assert rig.clock.utc_s() == NEVER
        else:
            outcomes.add("old" if rig.clock.utc_s() < old + 4 else "new")
            assert rig.clock.utc_s() in (old, old + 1, new, new + 1)
    assert outcomes == {"old", "new", "invalid"}


@pytest.mark.row("CLK-09")
def test_up_to_the_limit_it_is_a_synchronisation_beyond_it_events_4_and_5(rig):
    changes = []
    rig.clock.on_change.append(lambda old, new: changes.append(new - old))
    rig.clock.set_utc_s(seconds(rig) + 5)
    assert rig.codes() == []
    rig.clock.set_utc_s(seconds(rig) + 5 + 60)
    assert rig.events == [(4, START + 5), (5, START + 65)]
    rig.clock.shift(-9)
    rig.clock.shift(-10)
    assert rig.events[2:] == [(4, START + 56), (5, START + 46)]
    assert changes == [5, 60, -9, -10]


@pytest.mark.row("CLK-09")
def test_the_limit_can_be_set_and_survives_a_restart(rig):
    rig.clock.set_shift_limit(60)
    rig.power_cut(1)
    assert rig.clock.shift_limit_s == 60
    rig.clock.shift(60)
    assert rig.codes() == []
    rig.clock.set_shift_limit(0)
    rig.clock.shift(1)
    assert rig.codes() == [4, 5]
    for wrong in (-1, 3601):
        with pytest.raises(ValueError, match="limit"):
            rig.clock.set_shift_limit(wrong)


def test_shifts_keep_the_fraction_of_the_second(rig):
    rig.run(30.7)
    for n in range(40):
        rig.clock.shift(2 if n % 2 else -2)
        rig.run(3.1)
    assert abs(rig.error_ms()) < 30
    rig.run(65)
    assert abs(rig.error_ms()) < 30
    assert rig.chip.utc_s() == seconds(rig)


def test_a_time_that_is_not_known_is_not_made_known_by_a_shift(rig):
    rig.chip.set_battery(False)
    rig.power_cut(5)
    rig.clock.shift(30)
    assert rig.clock.utc_s() == NEVER + 30
    assert rig.clock.invalid
    rig.power_cut(5)
    assert rig.clock.utc_s() == NEVER


def test_whoever_waits_for_a_known_time_is_told_though_it_does_not_move(rig):
    rig.chip.set_battery(False)
    rig.power_cut(5)
    changes = []
    rig.clock.on_change.append(lambda old, new: changes.append((old, new)))
    rig.clock.set_utc_s(NEVER)
    rig.clock.set_utc_s(NEVER)
    assert changes == [(NEVER, NEVER)]


def test_setting_takes_the_hundredths(rig):
    rig.run(10.4)
    rig.clock.set_utc_s(seconds(rig), 90)
    assert rig.error_ms() == pytest.approx(500, abs=5)
    assert rig.clock.hundredths() == 90
    rig.run(100)
    assert rig.error_ms() == pytest.approx(500, abs=30)


@pytest.mark.row("CLK-07")
def test_event_3_comes_after_the_switch_and_only_by_itself(rig):
    rig.clock.configure(time_zone_min=-60)
    begin, end = civil.utc_s(2027, 3, 28, 1), civil.utc_s(2027, 10, 31, 1)
    for switch in (begin, end):
        rig.clock.set_utc_s(switch - 100)
        rig.codes()
        rig.run(90)
        assert rig.codes() == []
        rig.run(20)
        assert rig.events == [(3, switch)]
    rig.codes()
    rig.clock.set_utc_s(begin - 10)  # by hand over the switch and back
    rig.clock.set_utc_s(begin + 100)
    rig.run(70)
    rig.clock.configure(dst_enabled=False)
    rig.clock.configure(dst_enabled=True)
    rig.run(70)
    assert 3 not in rig.codes()
    rig.clock.set_utc_s(begin - 100)
    rig.run(1)
    rig.codes()
    rig.power_cut(200)  # the switch comes while the power is off
    rig.run(200)
    assert rig.codes() == []


def test_a_time_outside_the_century_is_refused(rig):
    for wrong in (36525 * DAY_S, -1):
        with pytest.raises(ValueError, match="2099"):
            rig.clock.set_utc_s(wrong)
    with pytest.raises(ValueError, match="2099"):
        rig.clock.shift(36525 * DAY_S)
    assert rig.clock.utc_s() == START
    assert rig.codes() == []


@pytest.mark.row("CLK-10", "PRD-04")
def test_mode_1_gives_out_the_seconds_and_ends_with_the_power(rig):
    rig.run(5)
    assert rig.chip.square_wave_edges() == 0
    rig.clock.set_test_mode(1)
    rig.run(100)
    assert rig.chip.square_wave_edges() == 100
    rig.clock.set_test_mode(0)
    rig.run(5)
    assert rig.chip.square_wave_edges() == 100
    rig.clock.set_test_mode(1)
    with pytest.raises(ValueError, match="mode"):
        rig.clock.set_test_mode(2)
    rig.power_cut(1)
    rig.run(10)
    assert rig.clock.test_mode == 0
    assert rig.chip.square_wave_edges() == 100


def test_a_dead_chip_refuses_trim_and_mode_and_nothing_is_kept(rig):
    rig.chip.fault("dead")
    with pytest.raises(OSError, match="19"):
        rig.clock.set_trim_ppm(2)
    with pytest.raises(OSError, match="19"):
        rig.clock.set_test_mode(1)
    assert (rig.clock.trim_ppm, rig.clock.test_mode) == (0, 0)


def test_the_status_octets_are_those_of_the_blue_book():
    """Class 8 attribute 4: bit 0 invalid, 1 doubtful, 2 other clock base, 7 daylight saving."""
    assert (INVALID, DOUBTFUL, DIFFERENT_BASE) == (1, 2, 4)
    assert clock_module.DST_ACTIVE == 0x80
    assert Clock.status_at.__doc__
