"""Rates, masks, blocks and the number of rates over power cuts at every octet that is written."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))

import pytest
from fram_fake import Memory

from app.energy_record import EnergyRecord
from app.settings import Settings
from app.tariff import rates
from app.tariff.activation import rate_name
from app.tariff.blocks import Blocks
from app.tariff.energy_rates import EnergyRates
from app.tariff.window_totals import WindowTotals
from metrology.energy import A_IMPORT, UNIT_UWS, Energies

WINDOW_MS = 200
WINDOW_UWS = 310 * 3_600_000  # 0.31 Wh: a unit is full, and saved, in some windows only


class Engine:
    """What gives the windows their length."""

    rate_mhz = 1_000_000

    def __init__(self, energies, window_ms):
        self.energies = energies
        self.frames_q16 = 65536 * window_ms


class Cut(BaseException):
    """The power has gone."""


class CutMemory(Memory):
    """A FRAM that keeps `octets_left` more octets; None: all."""

    octets_left = None

    def write(self, address, data):
        if self.octets_left is None:
            return super().write(address, data)
        kept = min(self.octets_left, len(data))
        super().write(address, bytes(data[:kept]))
        self.octets_left -= kept
        if kept < len(data):
            raise Cut


class Variant:
    transformer = False
    reference_current_ma = 5000


class Bench:
    """Totals and tariff on one memory."""

    def __init__(self, patch):
        self.memory = CutMemory()
        self.now_ms = 1000
        patch.setattr(rates.ticks, "now_ms", lambda: self.now_ms)
        self.boot()

    def boot(self):
        self.memory.octets_left = None
        self.energies = Energies(Variant, 4_000_000)
        self.record = EnergyRecord(self.memory, self.energies)
        self.record.restore()
        self.totals = WindowTotals(Engine(self.energies, WINDOW_MS))
        self.energy = EnergyRates(
            self.memory,
            Settings(self.memory),
            self.totals,
            self.record.save,
            lambda: self.now_ms,
        )
        self.rates = self.energy.registers
        self.blocks = Blocks(self.memory, self.rates.value_wh, self.record.save)

    def windows(self, count=1):
        for _ in range(count):
            self.now_ms += WINDOW_MS
            for kind in range(11):
                self.energies._increase(kind, WINDOW_UWS)
            self.energies.sign()
            self.record.window()
            self.totals.window()
            self.rates.window()

    def total_uws(self, kind):
        return self.energies.wh[kind] * UNIT_UWS + self.energies.residue[kind]

    def rates_uws(self, kind):
        """The rates of an energy with all that they hold, also below a unit."""
        it = self.rates
        held = 0
        for index in range(it.count):
            if rates._kind(index) == kind:
                held += it._base_wh[index] * UNIT_UWS + it._base_uws[index]
                if rates._bit(it._active, index):
                    held += self.total_uws(kind)
                    held -= it._mark_wh[kind] * UNIT_UWS + it._mark_uws[kind]
        return held

    def import_wh(self):
        index = range(8), range(88, self.rates.count)
        return [self.rates.value_wh(n) for part in index for n in part]


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


def switch(bench):
    bench.energy.masks.activate(rate_name(2))


def back(bench):
    bench.energy.masks.activate(rate_name(1))


def thresholds(bench):
    bench.blocks.set_thresholds([2] * 8 + [4] * 8 + [0] * 8)


def period(bench):
    bench.blocks.new_period()


def many(bench):
    bench.energy.set_number(48)


def few(bench):
    bench.energy.set_number(8)


def thirtieth(bench):
    bench.energy.masks.activate(rate_name(30))


ACTS = (switch, thresholds, period, back, many, thirtieth, few, switch, many)


@pytest.mark.row("EN-03")
@pytest.mark.parametrize("number", range(len(ACTS)), ids=lambda number: ACTS[number].__name__)
def test_wherever_power_is_cut_the_rates_still_sum_to_the_total(bench, number):
    for act in ACTS[:number]:
        act(bench)
        bench.windows(5)
    before = bytes(bench.memory.octets)
    now_ms = bench.now_ms
    cuts = 0
    # every octet at the ends, a prime step between: records are all alike inside
    for octets in [*range(40), *range(40, 20_000, 37)]:
        bench.memory.octets[:] = before
        bench.now_ms = now_ms
        bench.boot()
        shown = bench.import_wh()
        bench.windows(2)
        bench.memory.octets_left = octets
        try:
            ACTS[number](bench)
            bench.windows(2)
            finished = True
        except Cut:
            finished = False
            cuts += 1
        bench.boot()
        bench.windows(3)
        for kind in range(1, 11):
            assert bench.rates_uws(kind) == bench.total_uws(kind)
        archived = total_of_archive(bench)
        assert bench.rates_uws(A_IMPORT) + archived == bench.total_uws(A_IMPORT)
        for old, new in zip(shown, bench.import_wh(), strict=False):
            assert new >= old
        for rate in range(8):
            blocks = sum(bench.blocks.value_wh(block, rate) for block in range(4))
            assert blocks - bench.rates.value_wh(rate) in (0, 1)
        if finished:
            break
    assert finished
    assert cuts > 40


def total_of_archive(bench):
    """What registers above the eighth rate hold while there are eight."""
    it = bench.rates
    if it.many:
        return 0
    stored = rates.regions.open_record(bench.memory, "rates_48").load()
    if not stored:
        return 0
    more = bytes(stored[1595:])
    numbers = rates.array("Q", more[:640])
    return sum(numbers[:40]) * UNIT_UWS + sum(numbers[40:])


@pytest.mark.row("EN-04")
def test_forty_eight_rates_of_import_are_chosen_by_mask(bench):
    bench.energy.set_number(48)
    assert len(bench.energy.masks.masks) == 48
    for rate in range(1, 49):
        bench.energy.masks.activate(rate_name(rate))
        before = bench.import_wh()
        bench.windows(10)
        grown = [n + 1 for n, wh in enumerate(bench.import_wh()) if wh != before[n]]
        assert grown == [rate]
        for kind in range(11):
            assert bench.rates_uws(kind) == bench.total_uws(kind)
    held = bench.import_wh()
    assert all(wh in (3, 4) for wh in held)
    bench.record.save()
    bench.boot()
    assert bench.import_wh() == held


def test_the_option_can_be_taken_back_and_given_again(bench):
    bench.energy.set_number(48)
    thirtieth(bench)
    bench.windows(10)
    held = bench.import_wh()
    bench.energy.set_number(8)
    assert bench.energy.masks.active == rate_name(1)
    assert bench.import_wh() == held[:8]
    bench.windows(10)
    bench.boot()
    assert bench.import_wh() == [held[0] + 3, *held[1:8]]
    bench.energy.set_number(48)
    bench.windows(1)
    assert bench.import_wh()[8:] == held[8:]
    with pytest.raises(ValueError, match="8 or 48"):
        bench.energy.set_number(9)


def test_a_dead_memory_refuses_the_option_and_all_stays(bench):
    switch(bench)
    bench.windows(5)
    held = bench.import_wh()
    bench.memory.dead = True
    with pytest.raises(OSError):
        bench.energy.set_number(48)
    bench.memory.dead = False
    assert bench.import_wh() == held
    assert bench.energy.number() == 8
    bench.windows(5)
    bench.boot()
    assert bench.rates_uws(A_IMPORT) == bench.total_uws(A_IMPORT)
