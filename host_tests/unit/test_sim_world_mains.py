"""The bench's requests for a mains: what is taken over, what is refused, and in which words."""

import json
import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

SIM = str(Path(__file__).resolve().parents[2] / "boards" / "sim")
if SIM not in sys.path:
    sys.path.append(SIM)

import mains as mains_module
from mains import Mains
from world import World


def test_default_is_230_v_5_a_30_degrees_50_hz():
    state = Mains(3).to_json()
    assert state["f"] == 50
    assert [p["u"] for p in state["phases"]] == [230] * 3
    assert [p["i"] for p in state["phases"]] == [5] * 3
    assert [p["phi_deg"] for p in state["phases"]] == [30] * 3
    assert [p["angle_deg"] for p in state["phases"]] == [0, -120, -240]
    assert state["neutral_i"] is None
    assert len(Mains(1).to_json()["phases"]) == 1


def test_keys_left_out_keep_their_value():
    mains = Mains(3)
    mains.apply({"phases": [{"u": 200}, None, {"phi_deg": -45, "i": 0}]})
    mains.apply({"f": 49.3, "phases": [{"u_harmonics": {"5": [0.1, 0]}}]})
    mains.apply({"phases": [{"i": 7}]})
    first, second, third = mains.phases
    assert (first.u, first.i, first.phi_deg) == (200, 7, 30)
    assert first.u_harmonics == {5: (0.1, 0)}
    assert (second.u, second.i, second.phi_deg) == (230, 5, 30)
    assert (third.u, third.i, third.phi_deg) == (230, 0, -45)
    assert mains.f == 49.3


def test_harmonics_are_replaced_as_a_whole():
    mains = Mains(1)
    mains.apply({"phases": [{"i_harmonics": {"3": [0.2, 10], "7": [0.1, 0]}}]})
    mains.apply({"phases": [{"i_harmonics": {"9": [0.3, -90]}}]})
    assert mains.phases[0].i_harmonics == {9: (0.3, -90)}
    mains.apply({"phases": [{"i_harmonics": {}}]})
    assert mains.phases[0].i_harmonics == {}


def test_what_is_shown_can_be_sent_back():
    mains = Mains(3)
    mains.apply(
        {"f": 60, "neutral_i": 3, "phases": [None, {"i": 1.5, "i_harmonics": {"50": [1, 360]}}]}
    )
    other = Mains(3)
    other.apply(json.loads(json.dumps(mains.to_json())))
    assert other.to_json() == mains.to_json()


BAD = [
    (None, "object"),
    ([], "object"),
    ("50", "object"),
    ({"f": "50"}, "f must be a number"),
    ({"f": True}, "f must be a number"),
    ({"f": None}, "f must be a number"),
    ({"f": 39.999}, "f must lie from 40 to 70"),
    ({"f": 70.1}, "f must lie from 40 to 70"),
    ({"f": math.nan}, "f must lie"),
    ({"f": math.inf}, "f must lie"),
    ({"f": 10**400}, "f must lie"),
    ({"frequency": 50}, "unknown key frequency"),
    ({"phases": {}}, "phases must be a list"),
    ({"phases": [1]}, "phases[0] must be a JSON object"),
    ({"phases": [{}] * 4}, "this meter has 3"),
    ({"phases": [{}, {"u": -1}]}, "phases[1].u must lie from 0 to 600"),
    ({"phases": [{"u": 600.001}]}, "phases[0].u must lie"),
    ({"phases": [{"i": 251}]}, "phases[0].i must lie"),
    ({"phases": [{"i": [5]}]}, "phases[0].i must be a number"),
    ({"phases": [{"phi_deg": 361}]}, "phases[0].phi_deg must lie"),
    ({"phases": [{"p": 100}]}, "phases[0]: unknown key p"),
    ({"phases": [{"u_harmonics": []}]}, "u_harmonics must be a JSON object"),
    ({"phases": [{"u_harmonics": {"1": [1, 0]}}]}, "from 2 to 50"),
    ({"phases": [{"u_harmonics": {"51": [1, 0]}}]}, "from 2 to 50"),
    ({"phases": [{"u_harmonics": {"05": [1, 0]}}]}, "from 2 to 50"),
    ({"phases": [{"u_harmonics": {"²": [1, 0]}}]}, "from 2 to 50"),
    ({"phases": [{"u_harmonics": {"x": [1, 0]}}]}, "from 2 to 50"),
    ({"phases": [{"u_harmonics": {"5": 0.1}}]}, "u_harmonics.5 must be a list"),
    ({"phases": [{"u_harmonics": {"5": [0.1]}}]}, "[ratio, degrees]"),
    ({"phases": [{"u_harmonics": {"5": [0.1, 0, 0]}}]}, "[ratio, degrees]"),
    ({"phases": [{"u_harmonics": {"5": [-0.1, 0]}}]}, "ratio must lie"),
    ({"phases": [{"u_harmonics": {"5": [0.1, math.nan]}}]}, "degrees must lie"),
    ({"phases": [{"u_harmonics": {"5": [6, 0], "7": [6, 0]}}]}, "add up"),
    ({"neutral_i": -1}, "neutral_i must lie"),
    ({"neutral_i": "0"}, "neutral_i must be a number"),
]


@pytest.mark.parametrize(("request_", "words"), BAD)
def test_wrong_requests_say_what_is_wrong_and_change_nothing(request_, words):
    mains = Mains(3)
    before = mains.to_json()
    with pytest.raises(ValueError, match=" ") as error:
        mains.apply(request_)
    assert words in str(error.value)
    assert mains.to_json() == before


def test_a_request_that_is_wrong_at_its_end_changes_nothing():
    mains = Mains(3)
    before = mains.to_json()
    with pytest.raises(ValueError, match="unknown key zz"):
        mains.apply({"f": 51, "neutral_i": 1, "phases": [{"u": 100}, {"i": 1, "zz": 0}]})
    assert mains.to_json() == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["f", "phases", "u", "i", "phi_deg", "u_harmonics", "5", "neutral_i"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_taken_or_refused_whole(request_):
    mains = Mains(3)
    before = mains.to_json()
    try:
        mains.apply(request_)
    except ValueError as error:
        assert str(error)
        assert mains.to_json() == before
    again = Mains(3)
    again.apply(mains.to_json())


def _sample(components, angle):
    return sum(
        rms * math.sqrt(2) * math.sin(order * angle + phase) for order, rms, phase in components
    )


def test_a_positive_angle_lets_the_current_lag():
    mains = Mains(3)
    mains.apply({"phases": [{"phi_deg": 60}]})
    steps = 1000
    power = sum(
        _sample(mains.channel("u1"), 2 * math.pi * k / steps)
        * _sample(mains.channel("i1"), 2 * math.pi * k / steps)
        for k in range(steps)
    )
    assert power / steps == pytest.approx(230 * 5 * 0.5)
    # the zero crossing of the current comes 60 degrees after that of the voltage
    assert _sample(mains.channel("i1"), math.radians(60)) == pytest.approx(0, abs=1e-9)
    assert _sample(mains.channel("i1"), math.radians(61)) > 0


def test_harmonic_power_of_the_fifth_harmonic_test():
    """10 % of U and 40 % of I in phase carry 4 % of the fundamental's power (IEC 62053-21)."""
    mains = Mains(3)
    phase = {"phi_deg": 0, "u_harmonics": {"5": [0.1, 0]}, "i_harmonics": {"5": [0.4, 0]}}
    mains.apply({"phases": [phase] * 3})
    steps = 1000
    for number in "123":
        power = sum(
            _sample(mains.channel("u" + number), 2 * math.pi * k / steps)
            * _sample(mains.channel("i" + number), 2 * math.pi * k / steps)
            for k in range(steps)
        )
        assert power / steps == pytest.approx(230 * 5 * 1.04)


def test_a_balanced_load_leaves_no_neutral_current():
    mains = Mains(3)
    for k in range(20):
        assert _sample(mains.channel("in"), k) == pytest.approx(0, abs=1e-9)
    mains.apply({"phases": [{"i": 0}]})
    peak = max(abs(_sample(mains.channel("in"), k / 100)) for k in range(700))
    assert peak == pytest.approx(5 * math.sqrt(2), rel=1e-3)


def test_single_phase_neutral_returns_the_whole_current_unless_it_is_tampered_with():
    mains = Mains(1)
    mains.apply({"phases": [{"i_harmonics": {"3": [0.5, 0]}}]})
    assert mains.channel("in") == mains.channel("i1")
    mains.apply({"neutral_i": 8})
    (component,) = mains.channel("in")
    assert component[:2] == (1, 8)


def test_a_dead_phase_has_no_wave():
    mains = Mains(3)
    mains.apply({"phases": [{"u": 0, "u_harmonics": {"3": [0.5, 0]}}]})
    assert mains.channel("u1") == []
    assert mains_module.Mains(3).channel("u1") != []


def test_a_harmonic_that_frames_would_show_folded_is_refused():
    world = World("3ph", 1)
    world.set_mains({"f": 50, "phases": [{"u_harmonics": {"39": [0.01, 0], "40": [0, 0]}}]})
    for change, name in (
        ({"phases": [{"u_harmonics": {"40": [0.01, 0]}}]}, "harmonic 40 of 50 Hz"),
        ({"phases": [{}, {"i_harmonics": {"50": [0.01, 0]}}]}, r"phases\[1\].i_harmonics"),
        ({"f": 52}, "harmonic 39 of 52 Hz is not below 2000 Hz"),
    ):
        with pytest.raises(ValueError, match=name):
            world.set_mains(change)
    assert world.mains.f == 50
    assert list(world.mains.phases[0].u_harmonics) == [39, 40]
