"""Energies against exact fractions: nothing is lost however the windows come."""

import struct
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from metrology_bench import Phase, Variant, run

from metrology.energy import (
    ABSOLUTE,
    FLOWS,
    KWH_UWS,
    ONE_WAY,
    SNAPSHOT_BYTES,
    UNIT_UWS,
    Energies,
)
from metrology.quantities import isqrt

RATE_MHZ = 4_000_000
WINDOW = 800 << 16
C = {1: 0, 2: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6, 8: 7, 9: 8, 10: 9, 15: 10, 16: 11}


class Measured:
    """Quantities as a window leaves them."""

    def __init__(self, p_uw, q_uvar, i_ua=5_000_000, u_uv=230_000_000):
        self.phases = len(p_uw)
        self.p_uw, self.q_uvar = p_uw, q_uvar
        self.i_ua = [i_ua] * len(p_uw) if isinstance(i_ua, int) else i_ua
        self.u_uv = [u_uv] * len(p_uw)


def make(phases=3, rate_mhz=RATE_MHZ, **variant):
    return Energies(Variant(phases, **variant), rate_mhz)


def moved(energies):
    return {c for c, index in C.items() if energies.total_uws(index)}


def hours(energies, p_w, q_var, count=1, seconds=3600):
    frames_q16 = seconds * 4000 << 16
    for _ in range(count):
        energies.add(Measured([p_w * 1_000_000], [q_var * 1_000_000]), frames_q16)


@pytest.mark.row("MET-05", "EN-01", "EN-02", "EN-05")
def test_100_w_for_an_hour_in_each_direction():
    energies = make(1)
    hours(energies, 100, 0)
    assert (energies.wh[C[1]], energies.wh[C[15]], energies.wh[C[16]]) == (100, 100, 100)
    assert energies.residue == [0] * 12
    energies = make(1)
    hours(energies, -100, 0)
    assert (energies.wh[C[2]], energies.wh[C[15]], energies.wh[C[16]]) == (100, 100, -100)


@pytest.mark.row("EN-01")
def test_a_thousand_single_wh_are_1000_wh():
    energies = make(1)
    hours(energies, 1, 0, count=1000)
    assert energies.wh[C[1]] == 1000


@pytest.mark.row("MET-06")
@pytest.mark.parametrize(
    ("p", "q", "quadrant", "sign"), [(9, 5, 5, 3), (-9, 5, 6, 3), (-9, -5, 7, 4), (9, -5, 8, 4)]
)
def test_only_the_registers_of_the_quadrant_move(p, q, quadrant, sign):
    energies = make(1)
    hours(energies, p, q)
    active, apparent = (1, 9) if p > 0 else (2, 10)
    assert moved(energies) == {active, sign, quadrant, apparent, 15, 16}
    assert energies.wh[C[quadrant]] == energies.wh[C[sign]] == 5


@pytest.mark.row("MET-07")
def test_apparent_energy_is_the_root_of_the_squares():
    energies = make(1)
    hours(energies, 3000, 4000)
    assert energies.wh[C[9]] == 5000


@pytest.mark.row("MET-08")
@pytest.mark.parametrize(("mode", "imported"), [(ONE_WAY, 0), (1, 0), (ABSOLUTE, 2000)])
def test_registration_modes_of_opposite_phases(mode, imported):
    energies = make(3)
    energies.mode = mode
    energies.add(Measured([10**9, -(10**9), 0], [0, 0, 0]), 3600 * 4000 << 16)
    assert energies.wh[C[1]] == imported
    assert energies.wh[C[2]] == 0


@pytest.mark.row("MET-08")
def test_a_one_way_meter_stops_when_power_runs_backwards():
    energies = make(1)
    energies.mode = ONE_WAY
    hours(energies, -1000, 0)
    assert not energies.wh[C[1]] and not energies.wh[C[2]]


@pytest.mark.row("MET-03", "LED-04")
@pytest.mark.parametrize(
    ("transformer", "part", "counts"),
    [(False, 0.003, False), (False, 0.004, True), (True, 0.0008, False), (True, 0.001, True)],
)
def test_start_threshold(transformer, part, counts):
    for sign in (1, -1):
        phases = [Phase(230, 5 * part * 1.0001, 0 if sign > 0 else 180)] * 3
        bench = run(phases, 1.0, variant={"transformer": transformer})
        energies = bench.engine.energies
        assert energies.counting is counts
        assert any(energies.total_uws(k) for k in range(12)) is counts


def test_a_phase_below_the_threshold_adds_nothing_to_the_others():
    energies = make(3)
    measured = Measured([10**8, 10**6, 0], [0, 10**6, 0], [1_000_000, 17_000, 0])
    energies.add(measured, 3600 * 4000 << 16)
    assert energies.wh[C[1]] == 100
    assert energies.total_uws(C[3]) == 0


powers = st.integers(-200 * 10**9, 200 * 10**9)
windows = st.lists(
    st.tuples(
        st.lists(st.tuples(powers, powers), min_size=3, max_size=3),
        st.integers(1, 10_000 << 16),
        st.integers(1, 50),
    ),
    max_size=40,
)


@settings(max_examples=60)
@given(windows, st.sampled_from([1_000_000, 4_000_000, 30_707_244]))
def test_energy_is_the_sum_of_powers_times_windows_rounded_down_once(loads, rate_mhz):
    energies = make(3, rate_mhz)
    exact = {}
    for phases, frames_q16, repeat in loads:
        energies.add(Measured([p for p, _ in phases], [q for _, q in phases]), frames_q16, repeat)
        p, q = sum(p for p, _ in phases), sum(q for _, q in phases)
        seconds = Fraction(frames_q16 * repeat * 1000, 65536 * rate_mhz)
        exports = -1024 * p > abs(q)  # the noise of P decides nothing at a right angle
        quadrant = (6 if exports else 5) if q >= 0 else (7 if exports else 8)
        for c, value in (
            (1 if p >= 0 else 2, abs(p)),
            (quadrant, abs(q)),
            (10 if exports else 9, isqrt(p * p + q * q)),
        ):
            exact[c] = exact.get(c, 0) + value * seconds
    total = {c: energies.total_uws(index) for c, index in C.items()}
    for c in (1, 2, 5, 6, 7, 8, 9, 10):
        assert total[c] == exact.get(c, 0) // 1
    assert total[3] == total[5] + total[6]
    assert total[4] == total[7] + total[8]
    assert total[15] == total[1] + total[2]
    assert total[16] == total[1] - total[2]
    for index in range(12):
        assert abs(energies.residue[index]) < UNIT_UWS
        assert energies.wh[index] * energies.residue[index] >= 0


@settings(max_examples=60)
@given(powers, powers, st.integers(1, 10_000 << 16), st.integers(1, 2000))
def test_repeated_windows_are_the_same_to_the_unit(p, q, frames_q16, repeat):
    one, many = make(1), make(1)
    one.add(Measured([p], [q]), frames_q16, repeat)
    for _ in range(repeat):
        many.add(Measured([p], [q]), frames_q16)
    assert [one.total_uws(k) for k in range(12)] == [many.total_uws(k) for k in range(12)]


@given(st.lists(st.integers(0, 2**62), min_size=12, max_size=12), st.integers(0, 20))
def test_snapshot_comes_back(totals, offset):
    energies, other = make(), make()
    totals[11] -= 2**61
    for k, total in enumerate(totals):
        sign = 1 if total >= 0 else -1
        energies.wh[k] = sign * (abs(total) // UNIT_UWS)
        energies.residue[k] = sign * (abs(total) % UNIT_UWS)
    for flow in range(FLOWS):
        energies.flow_uws[flow] = totals[flow] % KWH_UWS
    energies.net_debt_uws = totals[10]
    buffer = bytearray(SNAPSHOT_BYTES + offset)
    assert energies.snapshot_into(buffer, offset) == SNAPSHOT_BYTES == 254
    other.restore_from(buffer, offset)
    assert (other.wh, other.residue) == (energies.wh, energies.residue)
    assert other.flow_uws == energies.flow_uws
    assert other.net_debt_uws == energies.net_debt_uws


def test_a_snapshot_of_eight_flows_is_understood():
    energies, other = make(1), make(1)
    hours(energies, 1234, 567)
    buffer = bytearray(SNAPSHOT_BYTES)
    energies.snapshot_into(buffer, 0)
    older = bytes(buffer[:192]) + struct.pack("<8q", *energies.flow_uws[:8])
    other.restore_from(older, 0)
    assert other.wh == energies.wh
    assert other.flow_uws[:8] == energies.flow_uws[:8]
    assert other.net_debt_uws == 0
    for wrong in (KWH_UWS, -1):
        with pytest.raises(ValueError):
            other.restore_from(older[:-8] + struct.pack("<q", wrong), 0)


def test_a_snapshot_of_the_first_version_gives_the_flows_their_registers():
    energies, other = make(1), make(1)
    hours(energies, 1234, 567)
    buffer = bytearray(SNAPSHOT_BYTES)
    energies.snapshot_into(buffer, 0)
    other.restore_from(buffer[:192], 0)
    assert other.wh == energies.wh
    assert other.flow_uws[:8] == energies.flow_uws[:8]
    with pytest.raises(ValueError):
        other.restore_from(buffer[:191], 0)
    for at in (247, 253):  # more debt than can be
        with pytest.raises(ValueError):
            other.restore_from(buffer[:at] + b"\xff" * (254 - at), 0)
    buffer[192:198] = struct.pack("<HI", KWH_UWS >> 32, KWH_UWS & 0xFFFFFFFF)
    with pytest.raises(ValueError):
        other.restore_from(buffer, 0)


@pytest.mark.parametrize(
    ("index", "wh", "residue"),
    [(0, -1, 0), (0, 0, -1), (0, 0, UNIT_UWS), (11, 1, -1), (11, -1, 1), (11, 0, -UNIT_UWS)],
)
def test_what_is_no_snapshot_changes_nothing(index, wh, residue):
    bad = make()
    bad.wh[index], bad.residue[index] = wh, residue
    buffer = bytearray(SNAPSHOT_BYTES)
    bad.snapshot_into(buffer, 0)
    energies = make(1)
    hours(energies, 100, 50)
    before = list(energies.wh)
    with pytest.raises(ValueError):
        energies.restore_from(buffer, 0)
    assert energies.wh == before
