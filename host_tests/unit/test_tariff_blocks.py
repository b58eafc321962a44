"""Block registers against a model that counts one watt hour after the other."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

import pytest
import tariff_reference as reference
from fram_fake import Memory
from hypothesis import given
from hypothesis import strategies as st

from app.storage import regions
from app.tariff.blocks import BLOCKS, Blocks

RATES = range(8)


class Bench:
    def __init__(self):
        self.rates_wh = [0] * 8
        self.memory = Memory()
        self.boot()

    def boot(self):
        self.blocks = Blocks(self.memory, lambda rate: self.rates_wh[rate], lambda: None)

    def of_rate(self, rate):
        return [self.blocks.value_wh(block, rate) for block in range(BLOCKS)]


def thresholds(rate, values):
    flat = [0] * 24
    flat[rate::8] = values
    return flat


@pytest.mark.row("TOU-20")
def test_above_a_threshold_the_next_block_counts_and_a_billing_starts_anew():
    bench = Bench()
    bench.blocks.set_thresholds(thresholds(1, [1000, 1500, 4000]))
    bench.rates_wh[1] = 999
    assert bench.of_rate(1) == [999, 0, 0, 0]
    bench.rates_wh[1] = 1001
    assert bench.of_rate(1) == [1000, 1, 0, 0]
    bench.rates_wh[1] = 4500
    assert bench.of_rate(1) == [1000, 500, 2500, 500]
    bench.blocks.new_period()
    assert bench.of_rate(1) == [1000, 500, 2500, 500]  # registers never go back
    bench.rates_wh[1] = 5000
    assert bench.of_rate(1) == [1500, 500, 2500, 500]
    bench.boot()
    assert bench.of_rate(1) == [1500, 500, 2500, 500]
    assert bench.of_rate(0) == [0, 0, 0, 0]


def test_without_thresholds_block_one_is_the_rate():
    bench = Bench()
    bench.rates_wh[:] = range(100, 900, 100)
    assert [bench.blocks.value_wh(0, rate) for rate in RATES] == list(range(100, 900, 100))


def test_new_thresholds_hold_from_now_on_and_remember_the_period():
    bench = Bench()
    bench.rates_wh[0] = 700
    bench.blocks.set_thresholds(thresholds(0, [500, 800, 0]))
    assert bench.of_rate(0) == [700, 0, 0, 0]  # what was counted stays
    bench.rates_wh[0] = 900
    assert bench.of_rate(0) == [700, 100, 100, 0]


steps = st.lists(
    st.one_of(
        st.integers(0, 3000),
        st.just("billing"),
        st.just("cut"),
        st.lists(st.integers(1, 3000), min_size=3, max_size=3, unique=True).map(sorted),
        st.integers(1, 3000).map(lambda wh: [wh, 0, 0]),
    ),
    max_size=30,
)


@given(steps, st.integers(0, 7))
def test_blocks_are_what_counting_each_watt_hour_gives(steps, rate):
    bench = Bench()
    model = reference.Blocks()
    for step in steps:
        if step == "billing":
            bench.blocks.new_period()
            model.new_period()
        elif step == "cut":
            bench.boot()
        elif isinstance(step, list):
            bench.blocks.set_thresholds(thresholds(rate, step))
            model.thresholds = step
        else:
            bench.rates_wh[rate] += step
            model.count(step)
        assert bench.of_rate(rate) == model.registers
        assert sum(bench.of_rate(rate)) == bench.rates_wh[rate]


@pytest.mark.parametrize("wrong", [[5, 5, 0], [5, 4, 0], [0, 5, 0], [5, 0, 6], [1, 2, 1]], ids=str)
def test_thresholds_that_do_not_rise_are_refused_and_the_old_ones_stay(wrong):
    bench = Bench()
    bench.blocks.set_thresholds(thresholds(7, [1, 2, 3]))
    with pytest.raises(ValueError, match="rise"):
        bench.blocks.set_thresholds(thresholds(7, wrong))
    with pytest.raises(ValueError, match="three for each"):
        bench.blocks.set_thresholds([1] * 23)
    assert bench.blocks.thresholds() == thresholds(7, [1, 2, 3])


def test_a_rate_that_a_cut_set_back_by_a_unit_takes_nothing_from_its_blocks():
    bench = Bench()
    bench.rates_wh[0] = 50
    bench.blocks.new_period()
    bench.rates_wh[0] = 49
    bench.boot()
    assert bench.of_rate(0) == [50, 0, 0, 0]
    bench.rates_wh[0] = 51
    assert bench.of_rate(0) == [51, 0, 0, 0]


def test_a_dead_memory_refuses_thresholds_and_a_billing_still_begins_anew():
    bench = Bench()
    bench.blocks.set_thresholds(thresholds(0, [100, 0, 0]))
    bench.rates_wh[0] = 150
    bench.memory.dead = True
    with pytest.raises(OSError):
        bench.blocks.set_thresholds(thresholds(0, [1, 0, 0]))
    assert bench.blocks.thresholds() == thresholds(0, [100, 0, 0])
    bench.blocks.new_period()
    assert bench.blocks.failed
    bench.rates_wh[0] = 200
    assert bench.of_rate(0) == [150, 50, 0, 0]


def test_damage_of_both_copies_is_said_and_the_count_goes_on():
    bench = Bench()
    bench.rates_wh[0] = 40
    bench.blocks.new_period()
    bench.blocks.new_period()
    for address in regions.open_record(bench.memory, "blocks")._addresses:
        bench.memory.octets[address + 20] ^= 1
    bench.boot()
    assert bench.blocks.damaged
    bench.rates_wh[0] = 45
    assert bench.of_rate(0) == [5, 0, 0, 0]
