"""Recordings with dips in place of the mains: what the meter tells of them, beside floats."""

import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "reference"))

import clients
import numpy as np
import pytest
from dips import cycle_rms, dips, first_crossing, swinging_rms, wave
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSData, GXDLMSRegister

U_V_PER_LSB = 1e-4
I_A_PER_LSB = 1e-5
NOMINAL_V = 230
CALM_S = 6  # while the limits are set
APART_S = 1.6
GROUPS = 14  # of a sag in each phase
C = (32, 52, 72)


def write(path, rate_hz, phases):
    """A frame file of three voltages, with no current."""
    codes = np.zeros((len(phases[0]), 6), dtype="<i4")
    for phase, u in enumerate(phases):
        codes[:, 2 * phase] = np.round(u / U_V_PER_LSB)
    header = {
        "format": "frames-1",
        "rate_hz": rate_hz,
        "channels": ["u1", "i1", "u2", "i2", "u3", "i3"],
        "u_volt_per_lsb": [U_V_PER_LSB] * 3,
        "i_ampere_per_lsb": [I_A_PER_LSB] * 3,
    }
    path.write_bytes(json.dumps(header).encode() + b"\n" + codes.tobytes())


class Bench:
    """A meter that replays a file and calls every half cycle below a limit a sag."""

    def __init__(self, meter, sag_percent=80):
        self.meter = meter
        session = self.client()
        # cuts below 10 V, sags at once
        for d, value in ((39, 100), (31, sag_percent * NOMINAL_V // 10), (43, 0)):
            limit = GXDLMSRegister(f"1.0.12.{d}.0.255")
            limit.value = value
            limit.setDataType(2, DataType.UINT16)
            session.write(limit, 2)
        session.release()

    def client(self):
        wire = clients.Socket(self.meter.ports["cosem"])
        return clients.Gurux(wire, clients.MANAGEMENT, clients.SECRET).connect()

    def sags(self, columns=C):
        """(number, duration in ms, lowest in V) of the last sag of each phase."""
        session = self.client()
        told = []
        for c in columns:
            number = session.read(GXDLMSData(f"1.0.{c}.32.0.255"), 2)
            lasted, lowest = [
                session.read(GXDLMSRegister(f"1.0.{c}.{d}.0.255"), 2) for d in (33, 34)
            ]
            told.append((number, lasted, lowest / 1000))
        session.release()
        return told


@pytest.mark.parametrize(("f_hz", "rate_hz"), [(50.13, 4000), (49.7, 3200)])
def test_random_sags_of_a_recording_are_told_as_floats_see_them(
    start_meter, tmp_path, f_hz, rate_hz
):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    source = random.Random(seed)
    count = round((CALM_S + APART_S * (GROUPS + 1)) * rate_hz)
    phases = []
    for phase in range(3):
        u = wave(f_hz, rate_hz, count, 0, 0, 1, angle=-2 * np.pi * phase / 3)
        for group in range(GROUPS):
            begin = round((CALM_S + APART_S * group + source.uniform(0, 0.5)) * rate_hz)
            length = round(source.uniform(0.03, 0.4) * rate_hz)
            u[begin : begin + length] *= source.uniform(0.06, 0.75)
        phases.append(u)
    file = tmp_path / "sags.frames"
    write(file, rate_hz, phases)
    expected = []
    for u in phases:
        _, rms = cycle_rms(u, f_hz, rate_hz, first_crossing(u, f_hz, rate_hz, rate_hz))
        expected.append(dips(rms, 0.8 * NOMINAL_V, 0.02 * NOMINAL_V))
    bench = Bench(start_meter("--rate", "0", "--fresh", "--replay", str(file)))
    bench.meter.post("/api/advance", seconds=CALM_S - 0.3)
    first = bench.sags()
    for group in range(GROUPS):
        bench.meter.post("/api/advance", seconds=APART_S)
        for phase, (number, lasted_ms, lowest_v) in enumerate(bench.sags()):
            assert number - first[phase][0] == group + 1
            _, halves, depth_v = expected[phase][group]
            assert abs(lowest_v - depth_v) <= 0.005 * NOMINAL_V
            # a half cycle more or less, and whole milliseconds; what a dip moves zero crossings by
            # is followed as a frequency, up to 1/128
            true_ms, half_ms = halves * 500 / f_hz, 500 / f_hz
            assert abs(lasted_ms + 0.5 - true_ms) <= half_ms + 0.5 + true_ms / 128
    assert bench.meter.get("/api/health")["frames_lost"] == 0


def fault(rate_hz):
    """As a fault recorder keeps it: 0.4 s at 220 kV, brought to 230 V, and what comes after.

    The voltage of L1 dips to two thirds for 50 ms, turned by 9 degrees and with a fast transient;
    the other two sag a little; then all swing back to where they were.
    """
    seconds = np.arange(round(0.9 * rate_hz)) / rate_hz
    during = (seconds >= 0.2235) & (seconds < 0.2735)
    after = np.where(seconds >= 0.2735, np.exp(-(seconds - 0.2735) / 0.04), 0)
    phases = []
    for k, (depth, jump_deg) in enumerate(((0.667, -9), (0.977, 3), (0.963, 2))):
        envelope = np.where(during, depth, 1 - 0.007 * after)
        angle = np.radians(np.where(during, jump_deg, 0) - 120 * k)
        u = envelope * np.sin(2 * np.pi * 49.9965 * seconds + angle + 0.6)
        ring = np.where(during, np.exp(-(seconds - 0.2235) / 0.001), 0) * (k == 0)
        u += 0.1 * ring * np.sin(2 * np.pi * 700 * seconds)
        phases.append(NOMINAL_V * np.sqrt(2) * u)
    return phases


@pytest.mark.parametrize("percent", [80, 90])
def test_a_fault_of_50_ms_in_a_short_recording(start_meter, tmp_path, percent):
    """It is told as it is, from the start of the recording on, and nothing else is."""
    rate_hz, f_hz = 3200, 49.9965
    phases = fault(rate_hz)
    file, state = tmp_path / "fault.frames", tmp_path / "state"
    write(file, rate_hz, phases)
    first = start_meter("--rate", "0", "--fresh", state=state)
    Bench(first, percent)  # limits that the next start finds
    first.stop()
    bench = Bench(start_meter("--rate", "0", "--replay", str(file), state=state), percent)
    bench.meter.post("/api/advance", seconds=0.8)
    u = phases[0]
    _, rms = cycle_rms(u, f_hz, rate_hz, first_crossing(u, f_hz, rate_hz, 640))
    ((_, halves, depth_v),) = dips(rms, percent / 100 * NOMINAL_V, 0.02 * NOMINAL_V)
    assert depth_v == pytest.approx(0.667 * NOMINAL_V, abs=0.005 * NOMINAL_V)
    told = bench.sags((32, 12))
    for number, lasted_ms, lowest_v in told:
        assert number == 1
        assert abs(lasted_ms - 10 * halves) <= 10
        assert abs(lowest_v - depth_v) <= 0.005 * NOMINAL_V
    assert bench.sags((52, 72)) == [(0, 0, 0)] * 2
    newest, *others = bench.meter.get("/api/quality")["records"]
    assert (newest["kind"], newest["phase"]) == ("sag", "L1")
    assert others == []


def test_a_mains_that_swings_around_the_limit(start_meter, tmp_path):
    """A pole slips between two machines: the voltage between them swings, its frequency too."""
    rate_hz, seconds = 1200, 10
    t = np.arange(rate_hz * seconds) / rate_hz
    # angle between the machines, radian: they swing, slip once and swing themselves out
    slip = 0.5 + (0.9 + 0.35 * t) * np.sin(2 * np.pi * 0.9 * t) * np.exp(-t / 3)
    slip += 2 * np.pi / (1 + np.exp(-(t - 4) * 3))
    phases = []
    for k in range(3):
        middle = 2 * np.pi * (50.1 * t - k / 3)
        u = 0.58 * np.sin(middle + slip / 2) + 0.42 * np.sin(middle - slip / 2)
        phases.append(NOMINAL_V * np.sqrt(2) * u)
    file, state = tmp_path / "swing.frames", tmp_path / "state"
    write(file, rate_hz, phases)
    first = start_meter("--rate", "0", "--fresh", state=state)
    Bench(first, 90)
    first.stop()
    bench = Bench(start_meter("--rate", "0", "--replay", str(file), state=state), 90)
    expected = []
    for u in phases:
        ends, rms = swinging_rms(u)
        found = dips(rms, 0.9 * NOMINAL_V, 0.02 * NOMINAL_V)
        # when it was over for a whole window, how long it lasted, how deep it was
        expected.append(
            [
                (ends[a + n] / rate_hz, 1000 * (ends[a + n] - ends[a]) / rate_hz, depth_v)
                for a, n, depth_v in found
            ]
        )
    assert len(expected[0]) >= 3
    numbers = [0] * 3
    for tenth in range(10 * seconds - 2):
        bench.meter.post("/api/advance", seconds=0.1)
        for k, (number, lasted_ms, lowest_v) in enumerate(bench.sags()):
            over = [row for row in expected[k] if row[0] < tenth / 10 - 0.25]
            if len(over) == number and number > numbers[k]:
                numbers[k] = number
                _, true_ms, true_v = over[-1]
                assert abs(lowest_v - true_v) <= 0.005 * NOMINAL_V
                assert abs(lasted_ms - true_ms) <= 10.5
    assert numbers == [len(rows) for rows in expected]
