"""Relay, key and LED of the simulated board: what coils, fingers and light do over time."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import itertools

from chip_bus import Bench, File
from devices.key import Key
from devices.latching_relay import LatchingRelay
from devices.led import Led


def relay(content=None):
    bench = Bench()
    return bench, LatchingRelay(content, bench.now_us, bench.at)


def pulse(bench, setter, ms):
    setter(1)
    bench.run(ms * 1000)
    setter(0)


def test_contact_moves_after_the_operate_time_and_stays():
    bench, part = relay()
    moves = []
    part.on_change = moves.append
    assert (part.closed, part.sense()) == (True, 0)
    part.set_open(1)
    bench.run(14_999)
    assert part.closed
    bench.run(1)
    assert (part.closed, part.sense()) == (False, 1)
    part.set_open(0)
    bench.run(500_000)
    pulse(bench, part.set_close, 50)
    assert part.closed
    assert moves == [False, True]
    assert (part.operations, part.both_coils, part.hurried) == (2, 0, 0)


def test_short_pulse_and_both_coils_move_nothing():
    bench, part = relay()
    pulse(bench, part.set_open, 14)
    bench.run(600_000)
    assert part.closed
    part.set_close(1)
    pulse(bench, part.set_open, 50)
    part.set_close(0)
    bench.run(600_000)
    assert part.closed
    assert part.both_coils == 1


def test_a_later_pulse_is_not_mistaken_for_the_one_before():
    bench, part = relay()
    pulse(bench, part.set_open, 10)
    part.set_open(1)
    bench.run(10_000)
    part.set_open(0)
    bench.run(600_000)
    assert part.closed
    assert part.hurried == 1


def test_coil_burns_when_it_is_held():
    bench, part = relay()
    pulse(bench, part.set_open, 1001)
    assert part.burnt
    assert not part.closed
    bench.run(600_000)
    pulse(bench, part.set_close, 50)
    assert not part.closed


def test_contact_outlives_the_program_and_the_power():
    content = File(1)
    bench, part = relay(content)
    assert part.closed
    pulse(bench, part.set_open, 50)
    part.power(False)
    part.power(True)
    assert not part.closed
    assert not relay(content)[1].closed


def test_power_loss_ends_a_pulse():
    bench, part = relay()
    part.set_open(1)
    bench.run(10_000)
    part.power(False)
    bench.run(10_000)
    assert part.closed
    assert not part.energised()


def test_welded_contact():
    bench, part = relay()
    part.fault("stuck")
    pulse(bench, part.set_open, 50)
    assert part.closed
    with pytest.raises(ValueError, match="relay has no fault 'bent', only clear, dead, stuck"):
        part.fault("bent")


@pytest.mark.parametrize("seed", range(1, 30))
def test_key_bounces_and_settles(seed):
    bench = Bench()
    key = Key(bench.now_us, bench.at, seed)
    levels = []
    key.on_level = lambda level: levels.append((bench.us, level))
    key.press(100)
    bench.run(99_999)
    assert key.level() == 0
    assert levels[0] == (0, 0)
    assert len(levels) % 2 == 1
    assert levels[-1][0] <= 5200
    assert all(a[1] != b[1] for a, b in itertools.pairwise(levels))
    levels.clear()
    bench.run(10_000)
    assert key.level() == 1
    assert levels[0] == (100_000, 1)


def test_some_key_bounces_and_a_key_without_seed_does_not():
    edges = []
    for seed in range(20):
        bench = Bench()
        key = Key(bench.now_us, bench.at, seed)
        count = []
        key.on_level = count.append
        key.set_down(True)
        bench.run(10_000)
        edges.append(len(count))
    assert edges[0] == 1
    assert max(edges) > 3


def test_release_ends_the_bounces_of_the_press():
    for seed in range(1, 20):
        bench = Bench()
        key = Key(bench.now_us, bench.at, seed)
        key.set_down(True)
        bench.run(200)
        key.set_down(False)
        bench.run(10_000)
        assert key.level() == 1


def test_a_press_that_comes_too_early_waits_for_the_one_before():
    bench = Bench()
    key = Key(bench.now_us, bench.at, 0)
    edges = []
    key.on_level = lambda level: edges.append((bench.us // 1000, level))
    for ms in (200, 300):
        key.press(ms)
    bench.run(2_000_000)
    assert edges == [(0, 0), (200, 1), (300, 0), (600, 1)]
    key.press(50)  # they are over: at once
    assert edges[-1] == (2000, 0)


def test_stuck_key_and_bad_press():
    bench = Bench()
    key = Key(bench.now_us, bench.at)
    key.fault("stuck")
    key.set_down(True)
    assert key.level() == 1
    with pytest.raises(ValueError, match="1 ms"):
        key.press(0)


def test_led_counts_and_measures_pulses():
    bench = Bench()
    led = Led(bench.now_us)
    rises = []
    led.on_pulse = rises.append
    for _ in range(3):
        led.set_level(1)
        led.set_level(1)
        bench.run(30_000)
        led.set_level(0)
        bench.run(70_000)
    assert led.pulses == 3
    assert led.last_width_us == 30_000
    assert led.last_period_us == 100_000
    assert rises == [0, 100_000, 200_000]
    led.set_level(1)
    led.power(False)
    assert led.lit == 0
    led.set_level(1)
    assert led.pulses == 4
