"""Disturbances of the mains that go by themselves, and what holds beneath them."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

import bench_rig  # noqa: F401 - it finds the simulation
import timeline
from world import World

MS = 1000


@pytest.fixture
def world():
    timeline.reset()
    return World("3ph")


def voltages(world):
    return [phase.u for phase in world.mains.phases]


def test_a_sag_holds_for_its_time_and_goes(world):
    world.set_mains({"phases": [{"u": 231, "i": 1}] * 3})
    seen = []
    world.before_change.append(lambda: seen.append(timeline.now_us))
    world.set_mains({"phases": [{"u": 100}], "for_ms": 200})
    assert voltages(world) == [100, 231, 231]
    assert [phase.i for phase in world.mains.phases] == [1, 1, 1]
    assert world.to_json()["disturbed"] is True
    timeline.pass_us(199 * MS)
    assert voltages(world)[0] == 100
    timeline.pass_us(1 * MS)
    assert voltages(world) == [231, 231, 231]
    assert world.to_json()["disturbed"] is False
    assert seen == [0, 200 * MS]  # who must finish with the old waves was told both times
    timeline.pass_us(10_000 * MS)
    assert len(seen) == 2


def test_a_row_of_dips_comes_as_often_as_it_was_asked_for(world):
    world.set_mains({"phases": [{"u": 0}] * 3, "for_ms": 20, "times": 3, "every_ms": 100})
    dark = []
    for _ in range(500):
        dark.append(voltages(world) == [0, 0, 0])
        timeline.pass_us(MS)
    begins = [n for n in range(500) if dark[n] and (n == 0 or not dark[n - 1])]
    assert begins == [0, 100, 200]
    assert sum(dark) == 60
    assert not world.to_json()["disturbed"]


def test_what_is_set_meanwhile_ends_it(world):
    world.set_mains({"phases": [{"u": 0}] * 3, "for_ms": 20, "times": 3, "every_ms": 100})
    world.set_mains({"phases": [None, {"i": 2}]})
    assert voltages(world) == [230, 230, 230]
    assert world.mains.phases[1].i == 2
    timeline.pass_us(1000 * MS)
    assert world.mains.phases[1].i == 2
    world.set_mains({"phases": [{"u": 10}], "for_ms": 1000})
    world.set_mains({"phases": [None, {"u": 20}], "for_ms": 10})  # another one
    assert voltages(world) == [230, 20, 230]
    timeline.pass_us(2000 * MS)
    assert voltages(world) == [230, 230, 230]


def test_a_scenario_goes_on_beneath(world):
    world.set_mains({"scenario": "household", "seed": 3})
    world.set_mains({"phases": [{"u": 120, "i": 77}], "for_ms": 90_000})
    calm = World("3ph")
    calm.set_mains({"scenario": "household", "seed": 3})
    timeline.pass_us(61_000 * MS)
    assert voltages(world)[0] == 120  # a minute has begun under it
    assert world.mains_to_json()["scenario"] == "household"
    timeline.pass_us(30_000 * MS)
    assert world.mains.to_json() == calm.mains.to_json()
    assert voltages(world)[0] != 120
    timeline.pass_us(60_000 * MS)
    assert world.mains.to_json() == calm.mains.to_json()


def test_a_scenario_steps_between_two_dips(world):
    world.set_mains({"scenario": "household", "seed": 3})
    world.set_mains({"phases": [{"u": 50}], "for_ms": 10_000, "times": 9, "every_ms": 50_000})
    calm = World("3ph")
    calm.set_mains({"scenario": "household", "seed": 3})
    timeline.pass_us(45_000 * MS)  # calm between
    assert world.mains.to_json() == calm.mains.to_json()
    timeline.pass_us(40_000 * MS)
    assert world.mains.to_json() == calm.mains.to_json()
