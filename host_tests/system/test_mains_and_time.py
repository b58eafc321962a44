"""The bench's mains, recordings, hands and time as a script has them: HTTP in, readings out.

Expected values are the definition of the mains in docs/virtual-meter.md and plain physics.
"""

import json
import math
import struct
import subprocess
import sys

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from conftest import LAUNCHER, ROOT

IMPORT, REACTIVE = "1.8.0", "3.8.0"


def settle(meter, seconds=3):
    """Let windows of the mains before pass, then read."""
    meter.post("/api/advance", seconds=seconds)
    return meter.get("/api/quantities")


def energy(meter, code):
    return meter.get("/api/quantities")["energy_wh"][code]


@pytest.mark.row("MET-12", "MET-25")
def test_every_quantity_of_a_distorted_mains(start_meter):
    """49.5 Hz; each phase different; 3rd harmonic of 10 % in U, 5th of 40 % in I."""
    meter = start_meter("--rate", "0")
    asked = [
        {"u": 230, "i": 10, "phi_deg": 0, "u_harmonics": {"3": [0.1, 0]}},
        {"u": 220, "i": 2, "phi_deg": 60, "i_harmonics": {"5": [0.4, 20]}},
        {"u": 240, "i": 20, "phi_deg": -150},
    ]
    meter.post("/api/mains", f=49.5, phases=asked)
    now = settle(meter)
    assert now["f"] == pytest.approx(49.5, abs=1e-3)
    assert now["u"] == pytest.approx([230 * math.sqrt(1.01), 220, 240], rel=1e-4)
    assert now["i"] == pytest.approx([10, 2 * math.sqrt(1.16), 20], rel=2e-4)
    # the harmonics stand alone in their channel, so only fundamentals make power
    assert now["p"] == pytest.approx([2300, 220, -4800 * math.sqrt(0.75)], rel=2e-4)
    assert now["q"] == pytest.approx([0, 440 * math.sqrt(0.75), -2400], rel=3e-4, abs=0.5)
    assert now["thd_u"] == pytest.approx([10, 0, 0], abs=0.1)
    assert now["thd_i"] == pytest.approx([0, 40, 0], abs=0.1)
    for k in range(3):
        assert now["s"][k] == pytest.approx(now["u"][k] * now["i"][k], rel=1e-5)
        assert now["pf"][k] == pytest.approx(now["p"][k] / now["s"][k], abs=1e-4)
    assert now["p_total"] == pytest.approx(sum(now["p"]), rel=1e-5)


def test_the_fifth_harmonic_carries_four_percent(start_meter):
    """IEC 62053-21: 10 % of U and 40 % of I in phase; true power is 1.04 of the fundamental's."""
    meter = start_meter("--rate", "0")
    phase = {"phi_deg": 0, "u_harmonics": {"5": [0.1, 0]}, "i_harmonics": {"5": [0.4, 0]}}
    meter.post("/api/mains", phases=[phase] * 3)
    now = settle(meter)
    assert now["p"] == pytest.approx([1150 * 1.04] * 3, rel=2e-4)
    assert now["q"] == pytest.approx([0] * 3, abs=0.5)


def test_left_out_keys_keep_their_value(start_meter):
    meter = start_meter("--rate", "0")
    meter.post("/api/mains", phases=[{"u": 225}, None, {"i": 1}])
    meter.post("/api/mains", phases=[{"phi_deg": 45}])
    mains = meter.get("/api/state")["mains"]
    assert [phase["u"] for phase in mains["phases"]] == [225, 230, 230]
    assert [phase["i"] for phase in mains["phases"]] == [5, 5, 1]
    assert [phase["phi_deg"] for phase in mains["phases"]] == [45, 30, 30]
    assert meter.post("/api/mains", **mains) == mains


@pytest.mark.row("MET-32")
def test_missing_phases_leave_the_others_right(start_meter):
    meter = start_meter("--rate", "0")
    meter.post("/api/mains", phases=[{"u": 0, "i": 0}, {"phi_deg": 60}, {"u": 0, "i": 0}])
    now = settle(meter, 5)
    assert now["u"] == pytest.approx([0, 230, 0], abs=0.05)
    assert now["p"] == pytest.approx([0, 575, 0], rel=2e-4, abs=0.1)
    before = energy(meter, IMPORT)
    meter.post("/api/advance", seconds=3600)
    assert energy(meter, IMPORT) - before == pytest.approx(575, rel=1e-3)


@pytest.mark.parametrize(
    ("model", "phases", "i"), [("1ph", 1, 5), ("1ph", 1, 80), ("ct", 3, 5), ("ct", 3, 0.05)]
)
def test_the_other_models_measure(start_meter, model, phases, i):
    meter = start_meter("--rate", "0", "--model", model)
    assert len(meter.get("/api/state")["mains"]["phases"]) == phases
    meter.post("/api/mains", phases=[{"i": i, "phi_deg": 60}] * phases)
    now = settle(meter)
    assert now["u"] == pytest.approx([230] * phases, rel=1e-3)
    assert now["i"] == pytest.approx([i] * phases, rel=2e-3)
    assert now["p"] == pytest.approx([230 * i * 0.5] * phases, rel=2e-3)
    if model == "1ph":
        assert now["in"] == pytest.approx(i, rel=2e-3)
        meter.post("/api/mains", neutral_i=7)
        assert settle(meter)["in"] == pytest.approx(7, rel=2e-3)


def test_a_load_that_changes_in_leaps_counts_each_part(start_meter):
    """Leaps of odd lengths between changes: the energy is the sum of P times t."""
    meter = start_meter("--rate", "0")
    meter.post("/api/mains", phases=[{"phi_deg": 0}] * 3)
    settle(meter)
    start = energy(meter, IMPORT)
    expected = 0.0
    for seconds, i in ((333.3, 10), (61.7, 0), (1800, 2), (7.77, 60), (600, 0.5)):
        meter.post("/api/mains", phases=[{"i": i}] * 3)
        meter.post("/api/advance", seconds=seconds)
        expected += 3 * 230 * i * seconds / 3600
    # the last window is still open: up to 0.25 s of the last load
    assert energy(meter, IMPORT) - start == pytest.approx(expected, rel=5e-4, abs=0.5)


@pytest.mark.slow
def test_a_day_that_passes_at_once_counts_all_of_its_energy(start_meter):
    meter = start_meter("--rate", "0", "--time", "2026-06-01T00:00:00")
    meter.post("/api/mains", phases=[{"phi_deg": 60}] * 3)
    settle(meter)
    before = energy(meter, IMPORT)
    began_s = meter.cpu_s()
    for _ in range(4):
        meter.post("/api/advance", seconds=21600)
    took_s = meter.cpu_s() - began_s
    print(f"a simulated day took {took_s:.1f} s of the processor")
    assert energy(meter, IMPORT) - before == pytest.approx(24 * 1725, rel=1e-4)
    state = meter.get("/api/state")
    assert state["time"] == "2026-06-02T00:00:03Z"
    assert state["leds"]["active"] == pytest.approx(energy(meter, IMPORT), abs=1.01)
    health = meter.get("/api/health")
    assert health["frames_lost"] == 0
    assert health["task_restarts"] == 0
    assert health["boots"] == 1


def test_covers_magnet_lock_and_battery_are_what_was_told(start_meter):
    meter = start_meter("--rate", "0")
    meter.post("/api/cover", cover="terminal", open=True)
    meter.post("/api/magnet", on=True)
    meter.post("/api/input", input=2, on=True)
    meter.post("/api/battery", v=2.9)
    with pytest.raises(AssertionError, match=r"400 .*meter cover"):
        meter.post("/api/lock", locked=False)
    meter.post("/api/cover", cover="meter", open=True)
    meter.post("/api/lock", locked=False)
    state = meter.get("/api/state")
    assert state["covers"] == {"terminal": "open", "meter": "open"}
    assert state["magnet"] is True
    assert state["inputs"] == [False, True, False]
    assert state["locked"] is False
    assert state["battery"] == {"present": True, "v": 2.9}
    meter.post("/api/cover", cover="meter", open=False)
    assert meter.get("/api/state")["locked"] is True


def test_a_key_is_held_as_long_as_told(start_meter):
    meter = start_meter("--rate", "0")
    meter.post("/api/key", key="scroll", ms=700)
    meter.post("/api/advance", seconds=0.6)
    assert meter.get("/api/state")["keys"] == {"scroll": True, "reset": False}
    meter.post("/api/advance", seconds=0.2)
    assert meter.get("/api/state")["keys"]["scroll"] is False


def test_a_supply_that_dips_shorter_than_the_hold_up_resets_nothing(start_meter):
    meter = start_meter("--rate", "0")
    settle(meter)
    meter.post("/api/supply", on=False, holdup_ms=200)
    meter.post("/api/advance", seconds=0.15)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=2)
    assert meter.get("/api/health")["boots"] == 1
    meter.post("/api/supply", on=False, holdup_ms=0)
    state = meter.get("/api/state")
    assert (state["powered"], state["supply"]) == (False, False)
    with pytest.raises(AssertionError, match=r"503 .*no power"):
        meter.get("/api/quantities")
    meter.post("/api/advance", seconds=100)
    meter.post("/api/supply", on=True)
    assert meter.get("/api/state")["powered"] is True
    assert settle(meter)["u"] == pytest.approx([230] * 3, rel=1e-3)
    assert meter.get("/api/health")["boots"] == 2


def test_ports_tell_who_is_there(start_meter):
    meter = start_meter()
    before = meter.get("/api/ports")
    assert [before[name]["associations"] for name in ("cosem", "rs485", "optical")] == [0, 0, 0]
    assert before["rs485"]["port"] == meter.ports["rs485"]
    assert (before["rs485"]["baud"], before["rs485"]["format"]) == (9600, "8N1")
    transport = Socket(meter.ports["rs485"])
    try:
        Gurux(transport, MANAGEMENT, SECRET, hdlc=True).connect()
        during = meter.get("/api/ports")
    finally:
        transport.close()
    assert [during[name]["associations"] for name in ("cosem", "rs485", "optical")] == [0, 1, 0]
    assert during["rs485"]["clients"] == 1
    assert during["rs485"]["bytes_in"] > 0
    assert during["rs485"]["bytes_out"] > 0


def frame_file(path, rate_hz, seconds, u_peak_v, i_peak_a, lag_deg, **header):
    """A recording of one phase at 50 Hz."""
    u_scale, i_scale = 1e-4, 1e-5
    fields = {
        "format": "frames-1",
        "rate_hz": rate_hz,
        "channels": ["u1", "i1"],
        "u_volt_per_lsb": [u_scale],
        "i_ampere_per_lsb": [i_scale],
        **header,
    }
    codes = []
    for k in range(int(rate_hz * seconds)):
        angle = 2 * math.pi * 50 * k / rate_hz
        codes.append(round(u_peak_v * math.sin(angle) / u_scale))
        codes.append(round(i_peak_a * math.sin(angle - math.radians(lag_deg)) / i_scale))
    body = struct.pack(f"<{len(codes)}i", *codes)
    path.write_bytes(json.dumps(fields).encode() + b"\n" + body)
    return path


@pytest.mark.parametrize("rate_hz", [4000, 6400.5])
def test_a_recording_is_measured_in_place_of_the_mains(start_meter, tmp_path, rate_hz):
    path = frame_file(tmp_path / "r", rate_hz, 6, 325.27, 14.142, 60)
    meter = start_meter("--rate", "0", "--replay", str(path))
    now = settle(meter)
    assert now["u"][0] == pytest.approx(230, rel=1e-3)
    assert now["i"][0] == pytest.approx(10, rel=1e-3)
    assert now["p"][0] == pytest.approx(1150, rel=1e-3)
    assert now["q"][0] == pytest.approx(1150 * math.sqrt(3), rel=1e-3)
    assert now["u"][1:] == pytest.approx([0, 0], abs=1e-3)
    now = settle(meter, 10)
    assert now["u"] == pytest.approx([0] * 3, abs=1e-3)
    assert now["energy_wh"][IMPORT] == pytest.approx(1150 * 6 / 3600, rel=0.02)
    with pytest.raises(AssertionError, match=r"400 .*recording"):
        meter.post("/api/mains", f=50)


def test_an_uncalibrated_recording_reads_as_the_board_was_designed(start_meter, tmp_path):
    path = frame_file(tmp_path / "r", 4000, 6, 325.27, 14.142, 0, uncalibrated=True)
    meter = start_meter("--rate", "0", "--replay", str(path))
    design_v_per_lsb = 600 / 2**23
    assert settle(meter)["u"][0] == pytest.approx(230 / 1e-4 * design_v_per_lsb, rel=1e-3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no first line"),
        (b"{}\n", "format is None"),
        (b"{nonsense\n", "not JSON"),
        (b'{"format": "frames-1", "rate_hz": 5}\n', "channels is missing"),
    ],
)
def test_a_broken_recording_is_named_and_nothing_starts(tmp_path, content, words):
    path = tmp_path / "broken"
    path.write_bytes(content)
    command = [str(LAUNCHER), "--state", str(tmp_path / "s"), "--replay", str(path)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=300, cwd=ROOT
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr
    assert "ready" not in done.stdout


@pytest.mark.slow
def test_a_household_is_measured_to_the_watt_hour(start_meter):
    """Hours of stepping loads beside the powers that the household's own function gives."""
    sys.path.append(str(ROOT / "boards" / "sim"))
    from household import Household  # pyright: ignore

    first_s = 836_827_200  # 2026-07-08T12:00:00
    meter = start_meter("--rate", "0", "--time", "2026-07-08T12:00:00", "--scenario", "household")
    settle(meter)
    before = meter.get("/api/quantities")["energy_wh"]
    hours = 3
    for _ in range(hours):
        meter.post("/api/advance", seconds=3600)
    after = meter.get("/api/quantities")["energy_wh"]
    house = Household(1, 3)
    offset_s = 3  # settle() let them pass
    wanted = dict.fromkeys(("1.8.0", "2.8.0", "3.8.0", "4.8.0"), 0.0)
    for second in range(offset_s, offset_s + 3600 * hours):
        powers = house.at(first_s + second)
        p, q = sum(p for _, p, _ in powers), sum(q for _, _, q in powers)
        wanted["1.8.0" if p > 0 else "2.8.0"] += abs(p) / 3600
        wanted["3.8.0" if q > 0 else "4.8.0"] += abs(q) / 3600
    for name, energy_wh in wanted.items():
        # parts of a second at both ends
        assert after[name] - before[name] == pytest.approx(energy_wh, abs=3, rel=1e-4), name
    assert meter.get("/api/state")["world_time"] == "2026-07-08T15:00:03Z"
