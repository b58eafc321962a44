"""The processor's crystal of the simulation: ticks that run away from true time."""

import random
import sys
from pathlib import Path

SIM = Path(__file__).resolve().parents[2] / "boards" / "sim"
if str(SIM) not in sys.path:
    sys.path.append(str(SIM))

import pytest
import timeline
import vtime
from devices.crystal import Crystal


@pytest.fixture(autouse=True)
def fresh():
    timeline.reset()
    yield
    timeline.reset()


def test_ticks_run_fast_by_as_much_as_told_from_then_on():
    crystal = Crystal(timeline.set_crystal)
    timeline.pass_us(1_000_000)
    assert vtime.ticks_us() == 1_000_000
    crystal.fault("drift", ppb=50_000)
    assert vtime.ticks_us() == 1_000_000
    timeline.pass_us(100_000_000)
    assert vtime.ticks_us() == 101_005_000
    crystal.fault("drift", ppb=-50_000)
    timeline.pass_us(100_000_000)
    assert vtime.ticks_us() == 201_000_000
    crystal.fault("drift", ppb=-50_000)
    timeline.pass_us(100_000_000)
    crystal.fault("clear")
    timeline.pass_us(100_000_000)
    assert vtime.ticks_us() == 400_995_000


@pytest.mark.parametrize("ppb", [0, 1, -1, 50_000, -123_457, 1_000_000])
def test_a_task_wakes_when_the_processor_has_counted_so_far_and_not_before(ppb):
    generator = random.Random(ppb)
    for _ in range(300):
        timeline.pass_us(generator.randrange(1, 10**9))
        if generator.random() < 0.1:
            timeline.set_crystal(ppb)
        target_us = timeline.processor_us() + generator.randrange(10**8)
        when_us = timeline.when_processor(target_us)
        timeline.pass_us(max(0, when_us - 1 - timeline.now_us))
        assert timeline.processor_us() <= target_us
        timeline.pass_us(when_us - timeline.now_us)
        assert 0 <= timeline.processor_us() - target_us <= 1


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("drift", {"ppb": 1_000_001}, "1000000"),
        ("drift", {}, "ppb"),
        ("drift", {"ppb": 0.5}, "whole number"),
        ("dead", {}, "no fault"),
        ("melt", {}, "no fault"),
    ],
)
def test_wrong_faults_are_refused(name, arguments, words):
    with pytest.raises(ValueError, match=words):
        Crystal(timeline.set_crystal).fault(name, **arguments)
    assert timeline.processor_us() == timeline.now_us
