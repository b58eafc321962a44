"""Rate registers: their sum is the total, exactly, over switches and power cuts."""

import random
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

import pytest
import tariff_reference as reference
from fram_fake import Memory
from hypothesis import given
from hypothesis import strategies as st

from app.settings import Settings
from app.storage import regions
from app.tariff import rates
from app.tariff.activation import Activation, rate_name
from app.tariff.rates import RATES, REGISTERS, RateEnergies, mask_of_rate
from app.tariff.window_totals import WindowTotals
from metrology.energy import UNIT_UWS

A_IMPORT, S_EXPORT = 0, 9


class Energies:
    """The totals of metrology, moved by hand."""

    element_uws = ()

    def __init__(self):
        self.wh = [0] * 12
        self.residue = [0] * 12

    def add(self, kind, uws):
        total = self.wh[kind] * UNIT_UWS + self.residue[kind] + uws
        self.wh[kind], self.residue[kind] = divmod(total, UNIT_UWS)

    def total(self, kind):
        return self.wh[kind] * UNIT_UWS + self.residue[kind]


class Engine:
    """What gives the windows their length: a frame is a millisecond."""

    rate_mhz = 1_000_000

    def __init__(self):
        self.energies = Energies()
        self.frames_q16 = 0


class Bench:
    def __init__(self, monkeypatch):
        self.now_ms = self.ended_ms = 1000
        monkeypatch.setattr(rates.ticks, "now_ms", lambda: self.now_ms & 0x3FFFFFFF)
        self.memory = Memory()
        self.engine = Engine()
        self.kept = 0
        self.boot()

    @property
    def energies(self):
        return self.engine.energies

    def boot(self):
        self.totals = WindowTotals(self.engine)
        self.rates = RateEnergies(self.memory, self.totals, self.keep)

    def keep(self):
        self.kept += 1

    def window(self, added, ms=200):
        self.now_ms += ms
        for kind, uws in added.items():
            self.energies.add(kind, uws)
        self.engine.frames_q16 = 65536 * (self.now_ms - self.ended_ms)
        self.ended_ms = self.now_ms
        self.totals.window()
        self.rates.window()

    def wh(self, rate, kind=A_IMPORT):
        return self.rates.value_wh(kind * RATES + rate - 1)


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


def test_a_new_meter_counts_in_rate_one(bench):
    bench.window(dict.fromkeys(range(11), 5 * UNIT_UWS))
    for kind in range(11):
        assert [bench.wh(rate, kind) for rate in range(1, 9)] == [5, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.row("TOU-01")
@pytest.mark.parametrize("rate", range(1, 9))
def test_every_rate_counts_alone(bench, rate):
    bench.window({A_IMPORT: 3 * UNIT_UWS})
    bench.rates.switch(mask_of_rate(rate), bench.now_ms)
    bench.window({A_IMPORT: 7 * UNIT_UWS, S_EXPORT: 2 * UNIT_UWS})
    assert bench.wh(rate) == (10 if rate == 1 else 7)
    assert bench.wh(rate, S_EXPORT) == 2
    assert sum(bench.wh(n) for n in range(1, 9)) == 10


def test_a_switch_inside_a_window_shares_its_energy_by_time(bench):
    bench.window({A_IMPORT: 0})
    bench.rates.switch(mask_of_rate(2), bench.now_ms + 50)  # a quarter of the next window
    assert bench.rates.active == mask_of_rate(2)
    bench.window({A_IMPORT: 8 * UNIT_UWS}, 200)
    assert (bench.wh(1), bench.wh(2)) == (2, 6)


def test_a_switch_that_comes_late_shares_the_window_that_has_closed(bench):
    bench.window({A_IMPORT: 0})
    bench.window({A_IMPORT: 8 * UNIT_UWS}, 200)
    bench.now_ms += 30
    bench.rates.switch(mask_of_rate(2), bench.now_ms - 30 - 150)
    assert (bench.wh(1), bench.wh(2)) == (2, 6)


def test_a_moment_long_gone_counts_from_the_last_but_one_window(bench):
    bench.window({A_IMPORT: 4 * UNIT_UWS})
    bench.window({A_IMPORT: 8 * UNIT_UWS})
    bench.rates.switch(mask_of_rate(2), bench.now_ms - 10_000)
    assert (bench.wh(1), bench.wh(2)) == (4, 8)


@pytest.mark.row("EN-03")
def test_the_sum_of_the_rates_is_the_total_after_any_switches_and_cuts(bench):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(400):
        bench.window(
            {kind: chance.choice([0, 1, chance.randrange(1 << 40)]) for kind in range(11)},
            chance.randrange(1, 1000),
        )
        if chance.random() < 0.2:
            at_ms = bench.now_ms + chance.randrange(-500, 300)
            bench.rates.switch(mask_of_rate(chance.randrange(1, 9)), at_ms)
        if chance.random() < 0.1:
            bench.window({}, 1000)
            bench.boot()
    bench.window({}, 1000)
    for kind in range(11):
        held = 0
        for index in range(kind * RATES, (kind + 1) * RATES):
            held += bench.rates._base_wh[index] * UNIT_UWS + bench.rates._base_uws[index]
        held += bench.energies.total(kind)
        held -= bench.rates._mark_wh[kind] * UNIT_UWS + bench.rates._mark_uws[kind]
        assert held == bench.energies.total(kind)
        low = bench.energies.wh[kind] - RATES
        assert low < sum(bench.wh(rate, kind) for rate in range(1, 9)) <= bench.energies.wh[kind]


windows = st.lists(
    st.tuples(st.integers(150, 300), st.integers(0, 1 << 40)), min_size=1, max_size=12
)
switches = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(1, 8), st.integers(0, 120)), max_size=8
)


@given(windows, switches)
def test_switches_are_exact_however_many_lie_in_a_window(windows, switches):
    """Each is known up to 120 ms after its moment; the model integrates in fractions."""
    with pytest.MonkeyPatch.context() as patch:
        check_switches(Bench(patch), windows, switches)


def check_switches(bench, windows, switches):
    end_ms = sum(length for length, _ in windows)
    told = []  # a switch may not be told before the one that went before it
    for at, rate, late in sorted(switches, key=lambda one: one[:2]):
        if at < end_ms and len([one for one in told if at - 400 < one[0]]) < 3:
            told.append((at, rate, max(at + late, told[-1][2] if told else 0)))
    waiting = list(told)
    passed_ms = 0
    for length, uws in windows:
        start_ms = bench.now_ms - passed_ms
        passed_ms += length
        while waiting and waiting[0][2] < passed_ms:
            at, rate, told_ms = waiting.pop(0)
            bench.now_ms = start_ms + told_ms
            bench.rates.switch(mask_of_rate(rate), start_ms + at)
        bench.now_ms = start_ms + passed_ms
        bench.window({A_IMPORT: uws}, 0)
    for at, rate, _ in waiting:
        bench.rates.switch(mask_of_rate(rate), start_ms + at)
    expected = reference.energy_by_rate(windows, [one[:2] for one in told], range(1, 9))
    for rate in range(1, 9):
        index = rate - 1
        held = bench.rates._base_wh[index] * UNIT_UWS + bench.rates._base_uws[index]
        if bench.rates.active == mask_of_rate(rate):
            held += bench.energies.total(A_IMPORT)
            held -= bench.rates._mark_wh[0] * UNIT_UWS + bench.rates._mark_uws[0]
        assert abs(held - expected[rate]) <= len(told)  # each share is rounded down once


def test_a_switch_keeps_the_totals_before_its_marks(bench):
    bench.window({A_IMPORT: UNIT_UWS})
    bench.rates.switch(mask_of_rate(3), bench.now_ms)
    assert bench.kept == 1
    bench.rates.switch(mask_of_rate(3), bench.now_ms)  # no change: nothing is written
    assert bench.kept == 1


def test_a_cut_without_a_switch_loses_nothing(bench):
    bench.window({A_IMPORT: 9 * UNIT_UWS})
    bench.rates.switch(mask_of_rate(2), bench.now_ms)
    bench.window({A_IMPORT: 4 * UNIT_UWS + 5})
    bench.boot()
    assert (bench.wh(1), bench.wh(2)) == (9, 4)


def test_totals_that_were_lost_do_not_take_from_the_rates(bench):
    bench.window({A_IMPORT: 9 * UNIT_UWS})
    bench.rates.switch(mask_of_rate(2), bench.now_ms)
    bench.engine.energies = Energies()
    bench.boot()
    bench.window({A_IMPORT: 4 * UNIT_UWS})
    assert (bench.wh(1), bench.wh(2)) == (9, 4)


@pytest.mark.parametrize("lost_uws", [1, UNIT_UWS, 20 * UNIT_UWS])
def test_totals_that_were_set_back_while_running_take_nothing_from_the_rates(bench, lost_uws):
    bench.window({A_IMPORT: 20 * UNIT_UWS})
    bench.rates.switch(mask_of_rate(2), bench.now_ms)
    bench.energies.add(A_IMPORT, -lost_uws)
    bench.rates.totals_set_back()
    assert (bench.wh(1), bench.wh(2)) == (20, 0)
    bench.window({A_IMPORT: 3 * UNIT_UWS})
    bench.rates.switch(mask_of_rate(1), bench.now_ms - 100)
    bench.window({A_IMPORT: 2 * UNIT_UWS})
    assert bench.wh(1) + bench.wh(2) in (24, 25)


def test_damage_of_both_copies_is_said_and_one_is_survived(bench):
    bench.window({A_IMPORT: 9 * UNIT_UWS})
    bench.rates.switch(mask_of_rate(2), bench.now_ms)
    bench.rates.switch(mask_of_rate(1), bench.now_ms)
    first, second = regions.open_record(bench.memory, "rates")._addresses
    bench.memory.octets[first + 20] ^= 4
    bench.boot()
    assert not bench.rates.damaged
    bench.memory.octets[second + 20] ^= 4
    bench.memory.octets[first + 21] ^= 4
    bench.boot()
    assert bench.rates.damaged
    assert sum(bench.wh(rate) for rate in range(1, 9)) == 0
    bench.window({A_IMPORT: UNIT_UWS})
    assert bench.wh(1) == 1


def test_a_dead_memory_is_noted_and_the_rates_count_on(bench):
    bench.memory.dead = True
    bench.rates.switch(mask_of_rate(2), bench.now_ms)
    bench.window({A_IMPORT: UNIT_UWS})
    assert bench.rates.failed
    assert bench.wh(2) == 1
    bench.memory.dead = False
    bench.rates.switch(mask_of_rate(3), bench.now_ms)
    assert not bench.rates.failed


def test_a_memory_that_was_dead_at_the_start_keeps_what_it_holds(bench):
    bench.window({A_IMPORT: 9 * UNIT_UWS})
    bench.rates.switch(mask_of_rate(2), bench.now_ms)
    bench.memory.dead = True
    bench.boot()
    bench.memory.dead = False
    bench.rates.switch(mask_of_rate(3), bench.now_ms)
    assert bench.rates.failed
    bench.boot()
    assert bench.wh(1) == 9


def test_a_set_of_the_wrong_size_is_refused(bench):
    with pytest.raises(ValueError, match="other rate registers"):
        bench.rates.switch(bytes(10), bench.now_ms)


class Switched:
    def __init__(self):
        self.masks = []

    def __call__(self, mask):
        self.masks.append(mask)


def activation(memory, switched=None):
    switched = switched or Switched()
    return Activation(
        Settings(memory), "energy_masks", REGISTERS, mask_of_rate, RATES, switched
    ), switched


@pytest.mark.row("TOU-10")
def test_sixteen_masks_are_taken_and_the_next_is_refused():
    memory = Memory()
    masks, _ = activation(memory)
    for number in range(8):
        masks.add(b"extra %d" % number, list(range(88)))
    assert len(masks.masks) == 16
    with pytest.raises(ValueError, match="16 masks"):
        masks.add(b"one more", [1])
    again, _ = activation(memory)
    assert again.masks == masks.masks
    assert again.indices(again.masks[-1][1]) == list(range(88))


@pytest.mark.row("TOU-11")
def test_a_name_of_nine_octets_is_refused():
    masks, _ = activation(Memory())
    before = list(masks.masks)
    for name in (b"", b"123456789"):
        with pytest.raises(ValueError, match="1 to 8"):
            masks.add(name, [0])
    masks.add(b"PEAK", [2])
    assert masks.masks == [*before, (b"PEAK", b"\x04" + bytes(10))]


def test_the_active_mask_is_remembered_and_switched():
    memory = Memory()
    masks, switched = activation(memory)
    masks.activate(rate_name(3))
    assert switched.masks == [mask_of_rate(3)]
    again, _ = activation(memory)
    assert again.active == rate_name(3)
    with pytest.raises(ValueError, match="this name"):
        masks.activate(b"none")
    with pytest.raises(ValueError, match="cannot be deleted"):
        masks.delete(rate_name(3))
    with pytest.raises(ValueError, match="this name"):
        masks.delete(b"none")
    masks.add(rate_name(3), [0, 87])  # a new meaning counts at once
    assert switched.masks[-1] == b"\x01" + bytes(9) + b"\x80"
    masks.delete(rate_name(4))
    assert len(masks.masks) == 7


def test_a_switch_that_power_cut_off_is_made_at_the_next_start():
    memory = Memory()
    masks, _ = activation(memory)
    masks.activate(rate_name(5))
    again, switched = activation(memory)
    again.apply()
    assert switched.masks == [mask_of_rate(5)]


@pytest.mark.parametrize(
    ("masks", "reason"),
    [
        ([(b"\0\1", [88])], "no such register"),
        ([(b"\0\1", [-1])], "no such register"),
        ([(b"\0\1", [1]), (b"\0\1", [2])], "one name"),
        ([(b"A", [1])], "left out"),
        ([(b"\0\1", [1])] + [(b"M%d" % n, []) for n in range(16)], "16 masks"),
    ],
)
def test_a_wrong_list_of_masks_is_refused_and_the_old_one_stays(masks, reason):
    present, switched = activation(Memory())
    before = list(present.masks)
    with pytest.raises(ValueError, match=reason):
        present.replace(masks)
    assert present.masks == before
    assert switched.masks == []
