"""Maxima and the power factor: what is compared when, rates of their own, what a cut leaves."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import pytest
from demand_rig import DemandRig
from fram_fake import Memory

import civil
from app.settings import Settings
from app.storage import regions
from app.tariff import maxima
from app.tariff.activation import Activation, rate_name
from app.tariff.maxima import POWER_FACTOR, RATE_REGISTERS, RATES, Maxima, mask_of_rate

START = civil.utc_s(2026, 1, 5, 12)
S_TOTAL = 4 * 9
ABSOLUTE = 6 * 9


@pytest.fixture
def rig():
    """A meter on a boundary."""
    rig = DemandRig(START - 180)
    rig.until(START)
    return rig


def watts(rig, index=0):
    return rig.demand.maxima.value(index) / 10


@pytest.mark.row("DEM-05")
def test_the_highest_period_and_its_end_are_kept(rig):
    for minutes, load in ((0, 2000), (15, 5000), (30, 3000), (45, 4999)):
        rig.until(START + 60 * minutes)
        rig.load(load)
    rig.until(START + 3601)
    assert watts(rig) == pytest.approx(5000, abs=0.5)
    assert rig.demand.maxima.capture_utc_s(0) == START + 1800
    assert rig.demand.maxima.status(0) == 0
    assert watts(rig, 9) == 0  # nothing was exported
    assert watts(rig, S_TOTAL) == watts(rig, ABSOLUTE) == watts(rig)


@pytest.mark.row("DEM-06")
def test_a_peak_within_a_period_does_not_count_at_full_height(rig):
    rig.load(1000)
    rig.until(START + 300)
    rig.load(10_000)
    rig.until(START + 390)
    rig.load(1000)
    rig.until(START + 899)
    assert watts(rig) == 0  # compared once, at the end
    rig.run(2)
    assert watts(rig) == pytest.approx(1000 + 9000 * 90 / 900, abs=1)


def test_export_and_import_have_maxima_of_their_own(rig):
    rig.load(-3000)
    rig.until(START + 901)
    assert (watts(rig, 0), watts(rig, 9)) == pytest.approx((0, 3000), abs=0.5)
    assert watts(rig, 5 * 9) == pytest.approx(3000, abs=0.5)


@pytest.mark.row("DEM-14", "TOU-01")
def test_every_rate_has_a_maximum_and_the_total_sees_all(rig):
    for rate in range(1, 9):
        rig.demand.maxima.switch(mask_of_rate(rate))
        rig.load(1000 * rate)
        rig.until(START + 900 * rate)
        rig.run(0.5)
    assert [watts(rig, rate) for rate in range(9)] == pytest.approx(
        [8000, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000], abs=6
    )


def test_no_active_register_leaves_the_total_alone(rig):
    rig.demand.maxima.switch(bytes(maxima.MASK_SIZE))
    rig.load(1000)
    rig.until(START + 901)
    assert watts(rig) == pytest.approx(1000, abs=0.5)
    assert [watts(rig, rate) for rate in range(1, 9)] == [0] * 8


@pytest.mark.row("MET-18", "MET-19")
def test_the_power_factor_of_a_period_and_the_lowest_of_all(rig):
    demand = rig.demand
    assert (demand.power_factor, demand.maxima.value(POWER_FACTOR)) == (1000, 1000)
    for at, load, apparent in ((0, 1000, 2000), (900, 1900, 2000), (1800, 0, 0)):
        rig.until(START + at)
        rig.load(load, apparent)
    rig.until(START + 901 + 1800)
    assert demand.power_factor == 1000  # nothing was consumed
    assert demand.maxima.value(POWER_FACTOR) == 500
    assert demand.maxima.capture_utc_s(POWER_FACTOR) == START + 900
    demand.reset_power_factor()
    assert demand.maxima.value(POWER_FACTOR) == 1000
    rig.load(1900, 2000)
    rig.until(START + 3601)
    assert demand.power_factor == 950
    rig.boot(False)
    assert rig.demand.power_factor == 950


def test_maxima_stand_through_cuts_and_one_damaged_copy(rig):
    rig.load(4000)
    rig.until(START + 1801)
    rig.power_cut(100)
    assert watts(rig) == pytest.approx(4000, abs=0.5)
    first, second = regions.open_record(rig.memory, "maxima")._addresses
    rig.memory.octets[first + 30] ^= 1
    rig.boot(False)
    assert watts(rig) == pytest.approx(4000, abs=0.5)
    rig.memory.octets[second + 30] ^= 1
    rig.boot(False)
    assert rig.demand.damaged
    assert watts(rig) == 0
    assert rig.demand.maxima.value(POWER_FACTOR) == 1000


def test_what_was_damaged_in_the_memory_is_stored_again(rig):
    rig.load(4000)
    rig.until(START + 1200)
    for name in ("demand", "limiter_demand", "maxima"):
        for address in regions.open_record(rig.memory, name)._addresses:
            rig.memory.octets[address + 30] ^= 1
    rig.demand.keep()
    rig.boot(False)
    assert not rig.demand.damaged
    assert watts(rig) == pytest.approx(4000, abs=0.5)
    rig.until(START + 1801)
    assert rig.average_w() == pytest.approx(4000, abs=0.5)


def test_a_memory_that_was_dead_at_the_start_keeps_its_maxima():
    memory = Memory()
    first = Maxima(memory)
    first.compare(0, 77, START, 0)
    first.keep()
    memory.dead = True
    second = Maxima(memory)
    memory.dead = False
    second.compare(0, 5, START, 0)
    second.keep()
    assert second.failed
    assert Maxima(memory).value(0) == 77


@pytest.mark.parametrize("after", range(0, 40, 3))
def test_power_that_goes_while_a_maximum_is_kept_leaves_the_old_or_the_new(after):
    """Every part of a write: the period is compared once more or stands."""

    class Torn(Memory):
        left = None

        def write(self, address, data):
            if self.left is not None:
                data = data[: self.left * 16]
                self.left = 0
            super().write(address, data)

    memory = Torn()
    kept = Maxima(memory)
    kept.compare(3, 1000, START, 0)
    kept.keep()
    memory.left = after
    kept.compare(3, 2000, START + 900, 0)
    kept.keep()
    memory.left = None
    again = Maxima(memory)
    assert again.value(27) in (1000, 2000)
    assert not again.damaged
    again.compare(3, 2000, START + 900, 0)  # as the period ends once more
    assert again.value(27) == 2000


@pytest.mark.row("TOU-09")
def test_sets_of_the_56_registers_switch_them_and_stay():
    memory = Memory()
    settings = Settings(memory)
    kept = Maxima(memory)

    def build():
        sets = Activation(
            settings, "demand_masks", RATE_REGISTERS, mask_of_rate, RATES, kept.switch
        )
        sets.apply()
        return sets

    sets = build()
    sets.activate(rate_name(3))
    assert kept.compare(0, 500, START, 0)
    assert [kept.value(rate) for rate in range(9)] == [500, 0, 0, 500, 0, 0, 0, 0, 0]
    for number in range(8):
        sets.add(b"EXTRA%03d" % number, [number, 55])
    with pytest.raises(ValueError):
        sets.add(b"TOO MANY", [1])
    with pytest.raises(ValueError):
        sets.add(b"EXTRA000", [56])
    sets.activate(b"EXTRA007")
    settings = Settings(memory)
    assert build().active == b"EXTRA007"
    assert kept.active == bytes((0x80, 0, 0, 0, 0, 0, 0x80))
