"""The household: one truth for seed and time, every quadrant, and how the world plays it."""

import random
import sys
from pathlib import Path

import pytest

SIM = str(Path(__file__).resolve().parents[2] / "boards" / "sim")
if SIM not in sys.path:
    sys.path.append(SIM)

import timeline
from household import STEP_S, Household
from options import OptionError, parse
from world import World

DAY_S = 86400
JULY = 836_352_000  # 2026-07-03T00:00:00
JANUARY = 820_540_800  # 2026-01-01


def totals(house, utc_s):
    phases = house.at(utc_s)
    return sum(p for _, p, _ in phases), sum(q for _, _, q in phases)


def kwh(house, first_s, days):
    """Import and export of some days."""
    powers = [totals(house, first_s + 60 * n)[0] for n in range(1440 * days)]
    return sum(p for p in powers if p > 0) / 60000, -sum(p for p in powers if p < 0) / 60000


def test_powers_depend_on_seed_and_time_alone():
    seed = random.randrange(2**32)
    print("seed", seed)
    moments = [JANUARY + 977 * n * STEP_S for n in range(400)]
    first = [Household(seed, 3).at(moment) for moment in moments]
    house = Household(seed, 3)
    lot = random.Random(seed)
    for index in lot.sample(range(400), 400):
        assert house.at(moments[index] + lot.randrange(STEP_S)) == first[index]
    other = Household(seed ^ 1, 3)
    assert [other.at(moment) for moment in moments] != first


def test_every_quadrant_comes_every_few_days_and_the_meter_always_counts():
    for seed in range(3):
        house = Household(seed, 3)
        for first_s in (JANUARY, JULY):
            seen = set()
            for minute in range(4 * 1440):
                for u, p, q in house.at(first_s + 60 * minute):
                    assert 220 < u < 240
                    # between the start threshold of 17.5 mA and the maximum of 120 A
                    assert 0.02 < (p * p + q * q) ** 0.5 / u < 80
                p, q = totals(house, first_s + 60 * minute)
                seen.add((p > 0, q > 0))
            assert len(seen) == 4


def test_winter_heats_and_summer_feeds_in():
    house = Household(1, 3)
    winter_import, winter_export = kwh(house, JANUARY, 7)
    summer_import, summer_export = kwh(house, JULY, 7)
    assert winter_import > 1.5 * summer_import
    assert summer_export > 4 * winter_export
    night = [totals(house, JULY + 60 * minute)[0] for minute in range(120)]
    assert min(night) > 0  # no sun at midnight


def test_one_phase_carries_all_and_transformers_divide():
    three, one, ct = Household(5, 3), Household(5, 1), Household(5, 3, 20)
    for hour in range(48):
        moment = JULY + 3600 * hour
        p, q = totals(three, moment)
        assert [(watt, var) for _, watt, var in one.at(moment)] == [(p, q)]
        for (_, whole, _), (_, part, _) in zip(three.at(moment), ct.at(moment), strict=True):
            assert part == whole // 20


@pytest.fixture
def world():
    timeline.reset()
    world = World("3ph", seed=9)
    world.epoch_us = JULY * 1_000_000 + 30_500_000
    return world


def shown(world):
    return [(one["u"], round(one["u"] * one["i"], 3)) for one in world.mains.to_json()["phases"]]


def wanted(seed, utc_s):
    return [(u, round((p * p + q * q) ** 0.5, 3)) for u, p, q in Household(seed, 3).at(utc_s)]


def test_the_world_follows_minute_by_minute(world):
    steps, changes = [], []
    world.before_step.append(lambda: steps.append(timeline.now_us))
    world.before_change.append(lambda: changes.append(timeline.now_us))
    world.set_mains({"f": 49.9, "scenario": "household"})
    assert world.mains_to_json()["scenario"] == "household"
    assert world.mains_to_json()["seed"] == 9
    assert shown(world) == wanted(9, JULY + 30)
    for minute in range(1, 1440):
        timeline.pass_us(29_500_000 if minute == 1 else 60_000_000)
        assert shown(world) == wanted(9, JULY + 60 * minute)
    assert changes == [0]  # one for the request itself
    # each step at a full minute, and none where nothing changed
    assert {(now + 30_500_000) % 60_000_000 for now in steps[1:]} == {0}
    assert 100 < len(steps) < 700
    assert world.mains.f == 49.9


def test_a_steady_mains_ends_the_scenario(world):
    world.set_mains({"scenario": "household", "seed": 4})
    world.set_mains({"phases": [{"i": 1}] * 3})
    timeline.pass_us(7_200_000_000)
    assert world.mains_to_json()["scenario"] is None
    assert "seed" not in world.mains_to_json()
    assert [phase.i for phase in world.mains.phases] == [1] * 3
    world.set_mains(world.mains_to_json())  # what is shown can be sent back
    world.set_mains({"scenario": "household"})
    assert world.mains_to_json()["seed"] == 4  # the last one
    world.set_mains({"scenario": None})
    assert world.mains_to_json()["scenario"] is None


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"scenario": "factory"}, "scenario must be one of household"),
        ({"scenario": 1}, "scenario must be one of household"),
        ({"seed": 1}, "seed belongs to a scenario"),
        ({"scenario": None, "seed": 1}, "seed belongs to a scenario"),
        ({"scenario": "household", "seed": -1}, "seed must lie from 0"),
        ({"scenario": "household", "seed": 1.5}, "seed must be a whole number"),
        ({"scenario": "household", "f": 10}, "f must lie from"),
        ([], "must be a JSON object"),
    ],
)
def test_a_wrong_request_leaves_the_scenario_as_it_is(world, request_, words):
    for running in (False, True):
        if running:
            world.set_mains({"scenario": "household"})
        before = world.mains_to_json()
        with pytest.raises(ValueError, match=words):
            world.set_mains(request_)
        assert world.mains_to_json() == before
        timeline.pass_us(60_000_000)
        assert (world.mains_to_json()["scenario"] is not None) == running


def test_the_launchers_option_names_it(tmp_path):
    assert parse(["--scenario", "household"]).scenario == "household"
    assert parse([]).scenario is None
    recording = tmp_path / "r"
    recording.write_text("")
    for wrong in (["--scenario", "factory"], ["--scenario"]):
        with pytest.raises(OptionError):
            parse(wrong)
    with pytest.raises(OptionError, match="either a scenario or a recording"):
        parse(["--scenario", "household", "--replay", str(recording)])
