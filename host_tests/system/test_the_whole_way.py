"""The whole way from the mains to a reading: what a user of the product relies on.

Each test drives a meter of its own, or the shared one by differences, through its ports and API.
The expected energies are plain physics: U times I times cos phi times time.
"""

import json
import math
import socket
import time
import urllib.error
import urllib.request

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from gurux_dlms.objects import GXDLMSRegister
from patience import PATIENCE_S, until

PHASES = ({"u": 230, "i": 5, "phi_deg": 60},) * 3
HOUR_WH = 3 * 230 * 5 * math.cos(math.radians(60))
HOUR_VARH = 3 * 230 * 5 * math.sin(math.radians(60))


def energies(meter):
    return meter.get("/api/quantities")["energy_wh"]


def register(meter, logical_name):
    transport = Socket(meter.ports["cosem"])
    client = Gurux(transport, MANAGEMENT, SECRET)
    try:
        client.connect()
        return client.read(GXDLMSRegister(logical_name), 2)
    finally:
        transport.close()


@pytest.mark.row("MET-06", "EN-01", "EN-02", "LED-01")
def test_an_hour_of_steady_load_counts_its_energy_and_its_pulses(start_meter):
    meter = start_meter("--rate", "0")
    meter.post("/api/mains", phases=PHASES)
    meter.post("/api/advance", seconds=2)
    before, leds_before = energies(meter), meter.get("/api/state")["leds"]
    meter.post("/api/advance", seconds=3600)
    after, leds_after = energies(meter), meter.get("/api/state")["leds"]
    assert after["1.8.0"] - before["1.8.0"] == pytest.approx(HOUR_WH, rel=1e-3)
    assert after["5.8.0"] - before["5.8.0"] == pytest.approx(HOUR_VARH, rel=1e-3)
    assert after["2.8.0"] == before["2.8.0"] == 0
    assert after["8.8.0"] == before["8.8.0"]
    active = leds_after["active"] - leds_before["active"]
    reactive = leds_after["reactive"] - leds_before["reactive"]
    assert abs(active - (after["1.8.0"] - before["1.8.0"])) <= 1
    assert abs(reactive - (after["3.8.0"] - before["3.8.0"])) <= 1
    assert register(meter, "1.0.1.8.0.255") == int(after["1.8.0"])


@pytest.mark.row("EN-06")
def test_a_killed_meter_comes_back_with_its_energy(start_meter, tmp_path):
    meter = start_meter("--rate", "0", state=tmp_path / "killed")
    meter.post("/api/mains", phases=PHASES)
    meter.post("/api/advance", seconds=600)
    before = energies(meter)
    meter.kill()
    again = start_meter("--rate", "0", state=tmp_path / "killed")
    after = energies(again)
    for code, wh in before.items():
        assert wh - 1 <= after[code] <= wh, code


@pytest.mark.row("EN-06")
@pytest.mark.parametrize("end", ["terminated", "mains cut"])
def test_with_time_to_save_not_a_milliwatt_hour_is_lost(start_meter, tmp_path, end):
    meter = start_meter("--rate", "0", state=tmp_path / "state")
    meter.post("/api/mains", phases=PHASES)
    meter.post("/api/advance", seconds=61.3)
    before = energies(meter)
    if end == "terminated":
        assert meter.stop() == 0
        meter = start_meter("--rate", "0", state=tmp_path / "state")
    else:
        meter.post("/api/supply", on=False)
        meter.post("/api/advance", seconds=1)
        meter.post("/api/supply", on=True)
    after = energies(meter)
    # up to one window was still being summed when the question was asked
    window_wh = 0.25 * 3 * 230 * 5 / 3600
    for code, wh in before.items():
        assert wh - 0.001 <= after[code] <= wh + window_wh, code


@pytest.mark.row("EN-06")
def test_a_power_cut_loses_no_energy_and_the_meter_boots_again(start_meter):
    meter = start_meter("--rate", "0")
    meter.post("/api/mains", phases=PHASES)
    meter.post("/api/advance", seconds=600)
    before = energies(meter)
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=60)
    assert meter.get("/api/state")["powered"] is False
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=2)
    assert meter.get("/api/state")["powered"] is True
    after = energies(meter)
    for code, wh in before.items():
        assert wh - 1 <= after[code] <= wh + 3, code
    assert register(meter, "1.0.1.8.0.255") == int(after["1.8.0"])


def test_a_dead_phase_shows_no_distortion(start_meter):
    meter = start_meter("--rate", "0")
    meter.post("/api/mains", phases=({"u": 0, "i": 0}, {"u": 230, "i": 0}, {"u": 0, "i": 5}))
    meter.post("/api/advance", seconds=3)
    quantities = meter.get("/api/quantities")
    assert quantities["thd_u"][0] == quantities["thd_i"][0] == 0
    assert quantities["thd_u"][2] == quantities["thd_i"][1] == 0
    assert 0 <= quantities["thd_i"][2] < 1


def test_frames_and_windows_count_the_same_energy(start_meter):
    readings = []
    for detail in ("frames", "windows"):
        meter = start_meter("--rate", "0", "--detail", detail)
        meter.post("/api/mains", phases=PHASES)
        meter.post("/api/advance", seconds=300)
        readings.append(energies(meter))
        meter.stop()
    frames, windows = readings
    for code, wh in frames.items():
        assert windows[code] == pytest.approx(wh, abs=0.02), code


def test_the_same_seed_gives_the_same_meter(start_meter):
    readings = []
    for _ in range(2):
        meter = start_meter("--rate", "0", "--seed", "7", "--time", "2026-01-31T23:59:50")
        meter.post("/api/advance", seconds=20)
        state = meter.get("/api/state")
        assert state["time"] == "2026-02-01T00:00:10Z"
        readings.append((meter.get("/api/quantities"), state["leds"], state["time"]))
        meter.stop()
    assert readings[0] == readings[1]


@pytest.mark.row("DSP-15")
def test_the_glass_shows_what_the_register_says(start_meter):
    meter = start_meter("--rate", "0")
    meter.post("/api/mains", phases=PHASES)
    meter.post("/api/advance", seconds=3600)
    for _ in range(30):
        glass = meter.get("/api/lcd")
        if glass["code"] == "1.8.0":
            break
        meter.post("/api/advance", seconds=5)
    meter.post("/api/advance", seconds=1)
    glass = meter.get("/api/lcd")
    assert glass["code"] == "1.8.0"
    assert glass["unit"] == "kWh"
    assert glass["value"] == f"{register(meter, '1.0.1.8.0.255') // 10 / 100:09.2f}"
    assert glass["phases"] == ["L1", "L2", "L3"]
    assert "+P" in glass["flow"]
    assert len(glass["rows"]) == 64
    assert {len(row) for row in glass["rows"]} == {128}


def raw(meter, path, body, method="POST"):
    request = urllib.request.Request(meter.url + path, body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/mains", b'{"f": 1}'),
        ("/api/mains", b'{"f": "fast"}'),
        ("/api/mains", b'{"phases": [{"u": -1}]}'),
        ("/api/mains", b'{"phases": [{"u": 1e9}]}'),
        ("/api/mains", b'{"phases": [{"volts": 1}]}'),
        ("/api/mains", b'{"phases": [{"u_harmonics": {"x": [1, 0]}}]}'),
        ("/api/mains", b"[1, 2"),
        ("/api/mains", b"null"),
        ("/api/mains", b'{"f": NaN}'),
        ("/api/key", b'{"key": "any"}'),
        ("/api/key", b'{"key": "scroll", "ms": -5}'),
        ("/api/cover", b'{"cover": "roof", "open": true}'),
        ("/api/magnet", b'{"on": "yes"}'),
        ("/api/input", b'{"input": 99, "on": true}'),
        ("/api/lock", b'{"locked": false}'),
        ("/api/battery", b'{"v": -1}'),
        ("/api/supply", b"{}"),
        ("/api/advance", b'{"seconds": -1}'),
        ("/api/advance", b'{"seconds": "x"}'),
        ("/api/rate", b'{"rate": -1}'),
        ("/api/chip", b'{"chip": "toaster", "fault": "burn"}'),
        ("/api/chip", b'{"chip": "fram", "fault": "melt"}'),
    ],
)
def test_wrong_input_is_answered_and_changes_nothing(meter, path, body):
    before = meter.get("/api/state")["mains"]
    status, answer = raw(meter, path, body)
    assert status == 400
    assert answer["error"]
    assert meter.get("/api/state")["mains"] == before


def test_garbage_on_every_port_leaves_the_meter_answering(meter):
    noise = bytes((n * 73 + n // 7) & 0xFF for n in range(5000))
    for name in ("cosem", "rs485", "optical"):
        for piece in (b"\x00", noise, b"\x7e" * 500, b"\x00\x01\x00\x10\x00\x01\xff\xff" + noise):
            with socket.create_connection(("127.0.0.1", meter.ports[name]), 5) as line:
                try:
                    line.sendall(piece)
                except ConnectionError:
                    continue  # it hung up on us, which is an answer
    status, answer = raw(meter, "/nowhere", None, "GET")
    assert status == 404
    assert answer["error"]
    assert raw(meter, "/api/mains", b"x" * 200_000)[0] in (400, 413)
    assert register(meter, "1.0.32.7.0.255") == pytest.approx(23000, rel=0.01)


@pytest.mark.parametrize("byte", [0, 1, 9, 40])
def test_a_flipped_bit_in_fram_costs_nothing(start_meter, tmp_path, byte):
    state = tmp_path / "state"
    meter = start_meter("--rate", "0", state=state)
    meter.post("/api/advance", seconds=100)
    before = energies(meter)
    meter.stop()
    content = bytearray((state / "fram.bin").read_bytes())
    content[byte] ^= 0x10
    (state / "fram.bin").write_bytes(content)
    after = energies(start_meter("--rate", "0", state=state))
    # at most the window that was being summed comes on top
    assert before["1.8.0"] - 2 <= after["1.8.0"] <= before["1.8.0"] + 0.25


def test_a_ruined_fram_is_said_and_the_meter_measures_on(start_meter, tmp_path):
    state = tmp_path / "state"
    meter = start_meter("--rate", "0", state=state)
    meter.post("/api/advance", seconds=100)
    meter.stop()
    size = (state / "fram.bin").stat().st_size
    (state / "fram.bin").write_bytes(b"\xa5" * size)
    meter = start_meter("--rate", "0", state=state)
    assert any("energies are damaged" in line for line in meter.lines)
    meter.post("/api/advance", seconds=100)
    assert energies(meter)["1.8.0"] > 50


def test_rate_and_time_move_as_told(start_meter):
    meter = start_meter("--rate", "0", "--time", "2026-03-29T00:59:00")
    meter.post("/api/advance", seconds=60.5)
    assert meter.get("/api/state")["time"] == "2026-03-29T01:00:00Z"
    still = meter.get("/api/state")["time"]
    time.sleep(0.5)
    assert meter.get("/api/state")["time"] == still
    meter.post("/api/rate", rate=100)
    until(lambda: meter.get("/api/state")["time"] > "2026-03-29T01:00:30Z", "time that passes")
