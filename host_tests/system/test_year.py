"""Days of a year against the independent model, entry by entry, through a real client.

`make year ARGS=--meter` does the same with a whole year.
"""

import random
from datetime import timedelta

import pytest
import year_harness
import year_parts
import year_plan
from year_calendar import local_of


@pytest.mark.slow
@pytest.mark.row("LPR-14", "LPR-15")
def test_days_with_all_that_a_year_brings_agree_with_the_model(start_meter):
    """Summer time begins, three outages, a clock set on and back, a holiday, a billing."""
    plan = year_plan.short()
    meter = start_meter(
        "--rate",
        "0",
        "--time",
        plan.start.strftime("%Y-%m-%dT%H:%M:%S"),
        "--scenario",
        "household",
    )
    year = year_harness.Year(meter.post, meter.ports["cosem"], plan)
    comparison = year.run()
    print(comparison.report())
    assert not comparison.differences
    assert comparison.entries > 60
    assert comparison.values > 850
    assert len(year.model.billing) == 1
    seen = {row.status & 0xFF for row in year.model.profiles[1].rows}
    assert {0x00, 0x08, 0x8C, 0x2C} <= seen  # winter, summer, outage, clock
    # the model's own figures are no zeros: both directions, three rates, maxima of both
    energies = [year.model.value(("energy", c)) for c in (1, 2, 5, 6, 7, 8)]
    assert min(energies) > 5
    rates = [sum(year.model.value(("rate", c, e)) for c in (1, 2)) for e in (1, 2, 3)]
    assert min(rates) > 5, rates
    blocks = year.model.blocks
    assert blocks.periods == 1
    assert len([wh for wh in blocks.energy_ws.values() if wh > 5 * 3600]) > 3, blocks.energy_ws
    assert len(year.model.daily) == 3
    assert len(year.model.others) == 1
    assert meter.get("/api/health")["problems"] == []


def test_a_comparison_finds_what_is_wrong():
    """Each kind of difference is one; what lies within the tolerance is none."""
    comparison = year_harness.Comparison(year_harness.ZONE, 900)
    rows = [year_harness.model.Row((900 * n,), 0x08, [100.0 * n, 1000.0]) for n in range(1, 6)]
    keys = [("energy", 1), ("average", 1)]

    def found(n, status=0x08, energy=None, average=10_000):
        local = local_of(900 * n, year_harness.ZONE)
        return 900 * n, local, [status, 100 * n if energy is None else energy, average]

    def compare(entries):
        comparison.differences.clear()
        comparison.rows("profile", keys, rows, entries)
        return [one.cells[2] for one in comparison.differences]

    assert compare([found(n) for n in range(1, 6)]) == []
    assert compare([found(n) for n in (1, 2, 4, 5)]) == ["entry"]
    assert compare([found(n) for n in (1, 2, 2, 3, 4, 5)]) == ["entry"]
    assert compare([found(n) for n in (1, 2, 3, 4, 5, 6)]) == ["entry"]
    assert compare([found(1, status=0x28), *(found(n) for n in (2, 3, 4, 5))]) == ["status"]
    assert compare([found(1, energy=120), *(found(n) for n in (2, 3, 4, 5))]) == ["energy 1"]
    assert compare([found(1, average=10_400), *(found(n) for n in (2, 3, 4, 5))]) == ["average 1"]
    rows[0].status |= year_harness.model.OPEN_DNV
    assert compare([found(1, status=0x0C), *(found(n) for n in (2, 3, 4, 5))]) == []


def test_what_slides_counts_in_blocks_or_bears_a_time_is_compared():
    comparison = year_harness.Comparison(year_harness.ZONE, 900)

    def differences(key, expected, found):
        comparison.differences.clear()
        comparison.value(("register", ""), key, expected, found)
        return len(comparison.differences)

    assert differences(("last", 1), (1000.0, 0.0), 10_100) == 0
    assert differences(("last", 1), (1000.0, 0.0), 10_300) == 1
    assert differences(("last", 1), (1000.0, 20.0), 9_700) == 0
    assert differences(("last", 1), None, 4711) == 0
    assert differences(("current", 16), (-500.0, 0.0), 5_000) == 1
    assert differences(("since",), 900, 898) == 0
    assert differences(("since",), 900, 1200) == 1
    assert differences(("bits",), 0x08, 0x88) == 1
    comparison.tolerance.periods = 3
    assert differences(("block", 2, 1), 1000.0, 1006) == 0
    assert differences(("block", 2, 1), 1000.0, 1010) == 1


def test_the_models_own_blocks_and_sliding_demand():
    """Rows TOU-20 and DEM-02, by hand: 300 Wh in each third of a quarter of an hour."""
    blocks = year_parts.Blocks({1: (1000, 3000)})
    for _ in range(5):
        blocks.add(1, 800 * 3600)
    assert [blocks.energy_ws[b, 1] / 3600 for b in (1, 2, 3)] == [1000, 2000, 1000]
    blocks.new_period()
    blocks.add(1, 800 * 3600)
    assert blocks.energy_ws[1, 1] == 1800 * 3600
    sliding = year_parts.Sliding(300, 3, (1,))
    sliding.begin(0, 0, {1: 0.0})
    for number in range(1, 5):
        assert sliding.last(1) is None
        sliding.ended(300 * number, 300 * number, {1: 300 * 3600.0 * number}, 0)
    assert sliding.last(1) == (3600.0, 0.0)
    assert sliding.current(1, {1: 1200 * 3600.0}) == (2400.0, 0.0)
    assert (sliding.capture_s(), sliding.start_s(), sliding.status()) == (1200, 600, 0)
    sliding.clock_set(1300, 2600, 1300, {1: 1200 * 3600.0}, 0)
    assert sliding.last(1) == (600 * 3600 / 700, 0.0)
    assert sliding.status() == year_parts.CAD | year_parts.DNV


def test_maxima_that_are_not_certain_may_count():
    comparison = year_harness.Comparison(year_harness.ZONE, 900)

    def differences(found, candidates):
        comparison.differences.clear()
        comparison.value(("register", ""), ("maximum", 1, 0), candidates, found)
        return len(comparison.differences)

    candidates = ((500.0, 900, True), (800.0, 1800, False), (300.0, 2700, True))
    assert differences(5000, candidates) == 0
    assert differences(8000, candidates) == 0
    assert differences(6500, candidates) == 1
    assert differences(3000, candidates) == 1
    assert differences(0, ()) == 0
    assert differences(10, ()) == 0
    assert differences(900, ()) == 1


def test_a_plan_by_lot_keeps_its_order_and_its_distance():
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    lot = random.Random(seed)
    for days in range(1, 7):
        plan = year_plan.by_lot(year_plan.at(2026, 3, 27, 22), days, lot)
        moments = [moment for moment, _, _ in plan.happenings]
        assert len(set(moments)) == len(moments)
        assert all(15 <= moment.second < 45 for moment in moments)
        assert plan.last - plan.first < timedelta(days=6, minutes=1)
        on = True
        for _, verb, argument in plan.happenings:
            assert verb == ("clock" if argument is not None else "cut" if on else "restore")
            on = on if verb == "clock" else not on
