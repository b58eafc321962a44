"""Days of a year against the independent model, entry by entry, through a real client.

`make year ARGS=--meter` does the same with a whole year.
"""

import pytest
import year_harness
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
