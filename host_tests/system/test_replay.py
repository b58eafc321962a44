"""A recording in place of the mains: the register counts every one of its frames."""

import json
import math
import struct

import pytest

RATE_HZ = 3200
U_V_PER_LSB = 1e-4
I_A_PER_LSB = 1e-5


def record(path, seconds, frames_before=0, **header):
    """230 V and 10 A in three phases at 50.2 Hz, with silence before."""
    u_lsb, i_lsb = 230 * math.sqrt(2) / U_V_PER_LSB, 10 * math.sqrt(2) / I_A_PER_LSB
    codes = [0] * (6 * frames_before)
    energy_ws = 0.0
    for frame in range(int(seconds * RATE_HZ)):
        for phase in range(3):
            angle = 2 * math.pi * (50.2 * frame / RATE_HZ - phase / 3)
            pair = round(u_lsb * math.sin(angle)), round(i_lsb * math.sin(angle - 0.6))
            codes.extend(pair)
            energy_ws += pair[0] * U_V_PER_LSB * pair[1] * I_A_PER_LSB / RATE_HZ
    lines = {
        "format": "frames-1",
        "rate_hz": RATE_HZ,
        "channels": ["u1", "i1", "u2", "i2", "u3", "i3"],
        "u_volt_per_lsb": [U_V_PER_LSB] * 3,
        "i_ampere_per_lsb": [I_A_PER_LSB] * 3,
        **header,
    }
    path.write_bytes(json.dumps(lines).encode() + b"\n" + struct.pack(f"<{len(codes)}i", *codes))
    return energy_ws / 3600


@pytest.mark.parametrize(("seconds", "frames_before"), [(0.1, 0), (1.37, 0), (4.0, 100)])
def test_the_register_counts_all_of_a_recording(start_meter, tmp_path, seconds, frames_before):
    file = tmp_path / "mains.frames"
    expected_wh = record(file, seconds, frames_before)
    meter = start_meter("--rate", "0", "--replay", str(file))
    meter.post("/api/advance", seconds=seconds + 2)
    quantities = meter.get("/api/quantities")
    assert quantities["energy_wh"]["1.8.0"] == pytest.approx(expected_wh, rel=1e-6)
    assert quantities["u"] == [0, 0, 0]
    assert meter.get("/api/health")["frames_lost"] == 0


def test_while_it_runs_the_meter_is_calibrated_to_its_header(start_meter, tmp_path):
    file = tmp_path / "mains.frames"
    record(file, 3)
    meter = start_meter("--rate", "0", "--replay", str(file))
    meter.post("/api/advance", seconds=2)
    quantities = meter.get("/api/quantities")
    assert quantities["u"] == pytest.approx([230] * 3, rel=1e-4)
    assert quantities["i"] == pytest.approx([10] * 3, rel=1e-4)
    assert quantities["f"] == pytest.approx(50.2, abs=1e-3)
    assert quantities["p"] == pytest.approx([2300 * math.cos(0.6)] * 3, rel=1e-4)


def test_uncalibrated_leaves_the_board_its_own_scale(start_meter, tmp_path):
    file = tmp_path / "mains.frames"
    record(file, 3, uncalibrated=True)
    meter = start_meter("--rate", "0", "--replay", str(file))
    meter.post("/api/advance", seconds=2)
    board_v_per_lsb = 600 / 2**23
    expected_v = 230 * board_v_per_lsb / U_V_PER_LSB
    assert meter.get("/api/quantities")["u"] == pytest.approx([expected_v] * 3, rel=1e-4)
