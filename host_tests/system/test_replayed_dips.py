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
from dips import cycle_rms, dips, wave
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
    """A meter that replays a file and calls every half cycle below 80 % a sag."""

    def __init__(self, meter):
        self.meter = meter
        session = self.client()
        for name, value in (("39", 100), ("43", 0)):  # cuts below 10 V, sags at once
            limit = GXDLMSRegister(f"1.0.12.{name}.0.255")
            limit.value = value
            limit.setDataType(2, DataType.UINT16)
            session.write(limit, 2)
        session.release()

    def client(self):
        wire = clients.Socket(self.meter.ports["cosem"])
        return clients.Gurux(wire, clients.MANAGEMENT, clients.SECRET).connect()

    def sags(self):
        """(number, duration in ms, lowest in V) of the last sag of each phase."""
        session = self.client()
        told = []
        for c in C:
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
        _, rms = cycle_rms(u, f_hz, rate_hz, 0)
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
            assert abs(lasted_ms - halves * 500 / f_hz) <= 500 / f_hz + 1
    assert bench.meter.get("/api/health")["frames_lost"] == 0


def test_a_fault_of_50_ms_in_a_short_recording(start_meter, tmp_path):
    """As a fault recorder keeps them: 0.4 s at 3200 Hz, a dip of one phase to two thirds."""
    rate_hz, f_hz, begin = 3200, 50.0, 704
    fault = wave(f_hz, rate_hz, 1280, begin, 160, 0.667)
    calm = [wave(f_hz, rate_hz, 1280, 0, 0, 1, angle=-2 * np.pi * k / 3) for k in (1, 2)]
    file = tmp_path / "fault.frames"
    # the limits are set before: the recording comes again and again
    write(file, rate_hz, [np.tile(u, 25) for u in (fault, *calm)])
    bench = Bench(start_meter("--rate", "0", "--fresh", "--replay", str(file)))
    bench.meter.post("/api/advance", seconds=5)
    before = bench.sags()
    bench.meter.post("/api/advance", seconds=2)
    after = bench.sags()
    assert [number - before[k][0] for k, (number, _, _) in enumerate(after)] == [5, 0, 0]
    _, lasted_ms, lowest_v = after[0]
    assert lowest_v == pytest.approx(0.667 * NOMINAL_V, abs=0.005 * NOMINAL_V)
    _, rms = cycle_rms(fault, f_hz, rate_hz, 0)
    ((_, halves, _),) = dips(rms, 0.8 * NOMINAL_V, 0.02 * NOMINAL_V)
    assert abs(lasted_ms - 10 * halves) <= 10
    newest = bench.meter.get("/api/quality")["records"][0]
    assert (newest["kind"], newest["phase"]) == ("sag", "L1")
