"""Any load, any settings of the clock and any outages: demand against the obvious reference."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

import demand as reference
import pytest
from demand_rig import DemandRig
from hypothesis import Phase, assume, example, given, settings
from hypothesis import strategies as st

import civil
from app.parameters import MEASURING_PERIOD_1, PERIODS_1
from metrology.energy import A_IMPORT

START = civil.utc_s(2026, 1, 5, 12)


@st.composite
def lives(draw):
    """A load, what happens to the clock and the mains, measuring period and periods."""
    end_s = draw(st.integers(1500, 7000))
    load = [(0.0, draw(st.integers(0, 60_000)))]
    for at_ms in sorted(draw(st.lists(st.integers(1000, end_s * 1000), max_size=8))):
        load.append((at_ms / 1000, draw(st.integers(0, 60_000))))
    events = []
    at_s = 0.0
    shift = st.one_of(st.integers(-12, 12), st.integers(-4000, 4000)).filter(bool)
    for _ in range(draw(st.integers(0, 5))):
        at_s += draw(st.integers(30, 1500)) + draw(st.integers(0, 999)) / 1000
        if draw(st.integers(0, 2)):
            events.append((at_s, "shift", draw(shift)))
        else:
            off_s = draw(st.one_of(st.integers(1, 100), st.integers(100, 4000)))
            events.append((at_s, "off", off_s))
            at_s += off_s
    period_s = draw(st.sampled_from((60, 300, 600, 900, 1800, 3600)))
    return load, events, period_s, draw(st.integers(1, 4)), at_s + end_s


@settings(max_examples=40, phases=[Phase.explicit, Phase.generate])
@given(life=lives(), offset_s=st.integers(0, 3599))
@example(  # set by just what a period may be shorter
    life=([(0.0, 2613), (1622.508, 222)], [(742.267, "shift", 3)], 300, 3, 4267.267),
    offset_s=2921,
)
@pytest.mark.row("DEM-01", "DEM-02", "DEM-03", "DEM-11", "DEM-12", "DEM-13")
def test_any_life_gives_what_the_reference_says_and_loses_no_energy(life, offset_s):
    load, events, period_s, periods, end_s = life
    rig = DemandRig(START + offset_s)
    rig.settle()
    rig.window_ms = 1000
    rig.parameters.put(MEASURING_PERIOD_1, period_s)
    rig.parameters.put(PERIODS_1, periods)
    rig.demand.averages.reset(0)
    rig.note()
    rig.closed.clear()
    begun_us = rig.now_us()
    begun_s = rig.clock.utc_s() - START + rig.clock.hundredths() / 100
    model = reference.Demand(load, period_s, periods, begun_s)
    wanted = model.run(events, end_s)
    assume(model.margin_s > 1)
    watts = list(load)

    def run_to(at_s):
        while watts and watts[0][0] <= at_s:
            step_s, now_w = watts.pop(0)
            rig.run(max(0, step_s - (rig.now_us() - begun_us) / 1e6))
            rig.load(now_w)
        rig.run(max(0, at_s - (rig.now_us() - begun_us) / 1e6))

    for at_s, what, argument in events:
        run_to(at_s)
        if what == "shift":
            rig.shift(argument)
        else:
            rig.power_cut(argument)
            while watts and watts[0][0] <= at_s + argument:
                rig.load(watts.pop(0)[1])
    run_to(end_s)
    assert len(rig.closed) == len(wanted)
    largest_w = max(step[1] for step in load)
    highest = 0
    for (utc_s, last, _, _), closed in zip(rig.closed, wanted, strict=True):
        assert utc_s - START == pytest.approx(closed.clock_s, abs=1.1)
        assert last / 10 == pytest.approx(closed.watts, abs=0.1 + 2 * largest_w / closed.lasted_s)
        if closed.full:
            highest = max(highest, last)
    assert rig.demand.maxima.value(0) == highest
    now_uws = rig.demand.averages._gained(0, rig.totals.last_ms)[0]
    assert sum(one[2] for one in rig.closed) + now_uws == rig.engine.energies.total(A_IMPORT)
