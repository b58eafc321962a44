"""What a person types at the calibration bench, and the table that comes out."""

import math
import sys
from pathlib import Path

import pytest

pytest.importorskip("gurux_dlms")
sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))

import calibrate
from calibrate_bench import BenchError, HandBench, Load, Phase, loads, parse_phase


@pytest.mark.parametrize(
    ("text", "u_v", "i_a", "phi_deg"),
    [
        ("230 5 0", 230, 5, 0),
        ("230.01 5.002 -59.8", 230.01, 5.002, -59.8),
        ("230,5 5 0", 230.5, 5, 0),
        ("230 5 575W", 230, 5, 60),
        ("230 5 575wc", 230, 5, -60),
        ("230 5 1150.1W", 230, 5, 0),  # a reference meter rounds
    ],
)
def test_readings_are_volts_amperes_and_degrees_or_watts(text, u_v, i_a, phi_deg):
    phase = parse_phase(text)
    assert (phase.u_v, phase.i_a) == (u_v, i_a)
    assert phase.phi_deg == pytest.approx(phi_deg, abs=1e-9)
    assert phase.p_w == pytest.approx(u_v * i_a * math.cos(math.radians(phi_deg)))


@pytest.mark.parametrize(
    "text",
    ["230 5", "230 5 0 0", "nan 5 0", "230 inf 0", "0 5 0", "230 -5 0", "230 5 91", "230 5 0C",
     "230 5 1200W", "230 5 -1W", "230 5 W", "a b c"],
)  # fmt: skip
def test_what_is_no_reading_is_refused(text):
    with pytest.raises(ValueError):
        parse_phase(text)


def test_the_loads_come_in_their_order():
    assert [load.name for load in loads(230, 5, 0.25)] == ["gain", "phase", "offset"]


def test_a_phase_can_be_left_out_but_not_all(monkeypatch):
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO("230 5 0\n\nx\n229 5 0\n\n"))
    given, neutral_a = HandBench().give(Load("gain", 230, 5, 0), 3)
    assert given[1] is None
    assert (given[0].u_v, given[2].u_v, neutral_a) == (230, 229, 0)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n\n\n"))
    with pytest.raises(BenchError, match="no phase"):
        HandBench().give(Load("gain", 230, 5, 0), 3)


def test_the_table_shows_errors_before_and_after():
    load = Load("gain", 230, 5, 0)
    true = Phase(230, 5, 0)
    old = calibrate.Row([232_300_000, 5_000_000, 1_161_500_000, 0], true)
    new = calibrate.Row([230_000_000, 5_000_000, 1_150_000_000, 0], true)
    lines = calibrate.table([(load, {0: old})], [(load, {0: new})]).splitlines()
    assert lines[-1].split() == [
        "gain", "L1", "+1.0000", "+0.0000", "+0.0000", "+0.0000", "+1.0000", "+0.0000",
        "+0.0000", "+0.0000",
    ]  # fmt: skip
