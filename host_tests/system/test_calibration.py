"""A meter whose sensors err is calibrated over DLMS by the program that anyone would use."""

import subprocess
import sys
from pathlib import Path

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from gurux_dlms import GXDLMSException
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSData, GXDLMSProfileGeneric, GXDLMSRegister
from patience import until

ROOT = Path(__file__).resolve().parents[2]
READ_WRITE_DENIED = 3
TOLERANCES = (
    ("u1", 21_000, 0),
    ("i1", -30_000, 1200),
    ("u2", -4_000, 0),
    ("i2", 15_000, -700),
    ("i3", 60_000, 350),
    ("in", -11_000, 0),
)


def calibrate(meter, *options, readings=None):
    command = [sys.executable, str(ROOT / "tools" / "calibrate.py")]
    command += ["--port", str(meter.ports["cosem"]), "--windows", "20", *options]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=300, input=readings
    )


def err(meter):
    for channel, ratio_ppm, phase_mdeg in TOLERANCES:
        meter.post(
            "/api/chip",
            chip="sensors",
            fault="tolerance",
            channel=channel,
            ratio_ppm=ratio_ppm,
            phase_mdeg=phase_mdeg,
        )


def give(meter, u, i, phi):
    meter.post("/api/mains", phases=[{"u": u, "i": i, "phi_deg": phi}] * 3, neutral_i=i)
    meter.post("/api/advance", seconds=2)
    return meter.get("/api/quantities")


def worst_p_percent(meter, i, cosine, phi):
    measured = give(meter, 230, i, phi)["p"]
    return max(abs(p / (230 * i * cosine) - 1) * 100 for p in measured)


def session(meter):
    return Gurux(Socket(meter.ports["cosem"]), MANAGEMENT, SECRET).connect()


def unlock(meter):
    meter.post("/api/cover", cover="meter", open=True)
    meter.post("/api/lock", locked=False)


def write(client, item, value, tag):
    item.value = value
    item.setDataType(2, tag)
    client.write(item, 2)


@pytest.mark.row("PRD-01", "PRD-08", "IDN-10")
def test_sensors_with_errors_are_calibrated_and_stay_so(start_meter, tmp_path):
    meter = start_meter("--rate", "0", state=tmp_path / "state")
    err(meter)
    assert worst_p_percent(meter, 5, 1, 0) > 5
    assert worst_p_percent(meter, 5, 0.5, 60) > 4
    before = give(meter, 230, 5, 60)["energy_wh"]["1.8.0"]
    done = calibrate(meter, "--bench", meter.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "before" in done.stdout and "L3" in done.stdout
    assert meter.get("/api/state")["locked"] is True
    assert meter.get("/api/quantities")["energy_wh"]["1.8.0"] >= before

    def check():
        for i, cosine, phi in ((5, 1, 0), (5, 0.5, 60), (60, 0.8, -36.8699), (0.25, 1, 0)):
            assert worst_p_percent(meter, i, cosine, phi) < 0.05, (i, phi)
        assert give(meter, 230, 5, 0)["in"] == pytest.approx(5, rel=1e-4)

    check()
    client = session(meter)
    date = client.read(GXDLMSData("0.0.96.2.5.255"), 2)
    assert date[:2] != b"\xff\xff"
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=2)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=3)
    check()
    assert meter.get("/api/health")["problems"] == []


def profile_status(meter):
    """Status of load profile 1's entry of a quarter of an hour that ends after now."""
    meter.post("/api/advance", seconds=900)
    client = session(meter)
    profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
    client.read(profile, 3)
    return client.read(profile, 2)[-1][1]


@pytest.mark.row("PRD-02")
def test_a_damaged_calibration_is_served_by_its_twin_then_said(start_meter):
    meter = start_meter("--rate", "0")
    err(meter)
    assert calibrate(meter, "--bench", meter.url).returncode == 0
    errors = GXDLMSData("0.0.97.97.1.255")
    assert not session(meter).read(errors, 2) & 0x8
    # the region behind the energies' two slots of 268 octets, and its own slots of 140
    first, second = 536 + 20, 536 + 140 + 20
    for damaged, sound in (((first,), True), ((second,), True), ((first, second), False)):
        for at in damaged:
            meter.post("/api/chip", chip="fram", fault="bit_flip", at=at)
        meter.post("/api/supply", on=False)
        meter.post("/api/advance", seconds=2)
        meter.post("/api/supply", on=True)
        meter.post("/api/advance", seconds=5)
        assert (worst_p_percent(meter, 5, 0.5, 60) < 0.05) == sound
        problems = meter.get("/api/health")["problems"]
        assert any("design values" in problem for problem in problems) != sound
    assert session(meter).read(errors, 2) & 0x8
    assert profile_status(meter) & 0x5 == 0x5  # data are marked: serious fault, do not bill
    # a new calibration ends it
    assert calibrate(meter, "--bench", meter.url).returncode == 0
    assert worst_p_percent(meter, 5, 0.5, 60) < 0.05
    meter.post("/api/advance", seconds=900)
    assert profile_status(meter) & 0x5 == 0


@pytest.mark.row("PRD-01", "SEC-50")
def test_under_lock_neither_the_program_nor_a_client_changes_anything(start_meter):
    meter = start_meter("--rate", "0")
    client = session(meter)
    constant = GXDLMSRegister("1.0.0.3.0.255")
    with pytest.raises(GXDLMSException) as refusal:
        write(client, constant, 4000, DataType.UINT32)
    assert refusal.value.errorCode == READ_WRITE_DENIED
    assert client.read(GXDLMSData("0.0.96.3.1.255"), 2) & 0x8000
    refused = calibrate(meter, readings="\n")
    assert refused.returncode == 1
    assert "locked" in refused.stderr
    unlock(meter)
    assert not client.read(GXDLMSData("0.0.96.3.1.255"), 2) & 0x8000
    write(client, constant, 4000, DataType.UINT32)
    assert client.read(constant, 2) == 4000
    for value in (0, 999, 10_000):
        with pytest.raises(GXDLMSException):
            write(client, constant, value, DataType.UINT32)
    assert client.read(constant, 2) == 4000
    pulses = meter.get("/api/state")["leds"]["active"]
    give(meter, 230, 5, 0)
    before = meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    pulses = meter.get("/api/state")["leds"]["active"]
    meter.post("/api/advance", seconds=600)
    grown = meter.get("/api/quantities")["energy_wh"]["1.8.0"] - before
    pulses = meter.get("/api/state")["leds"]["active"] - pulses
    assert abs(pulses - grown * 4) <= 4


def test_readings_typed_by_hand(start_meter):
    meter = start_meter("--rate", "4", "--detail", "frames")
    err(meter)
    unlock(meter)
    give(meter, 230, 5, 0)
    line = "230 5 0\n"
    typed = "\n" + line + "nan 5 0\n" + line + "230 5 1150W\n" + "5\n"
    process = subprocess.Popen(
        [
            sys.executable,
            str(ROOT / "tools" / "calibrate.py"),
            "--port",
            str(meter.ports["cosem"]),
            "--windows",
            "10",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdin.write(typed)
    process.stdin.flush()
    data = GXDLMSData("0.0.128.66.6.255")
    client = session(meter)
    until(lambda: client.read(data, 2)[0] >= 1, "a gain stored")
    # the person goes home: the gain that was stored stays, the program says what happened
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 2, out + errors
    assert "readings ended" in errors
    assert "no reading" in out
    assert worst_p_percent(meter, 5, 1, 0) < 0.05


@pytest.mark.row("LED-06", "LED-08")
def test_the_pulse_output_pulses_as_it_was_told(start_meter):
    meter = start_meter("--rate", "0", "--detail", "frames")
    unlock(meter)
    client = session(meter)
    function = GXDLMSData("0.0.128.60.1.255")
    width = GXDLMSData("0.0.128.60.2.255")
    with pytest.raises(GXDLMSException):
        write(client, function, 5, DataType.ENUM)
    with pytest.raises(GXDLMSException):
        write(client, width, 20, DataType.UINT8)
    give(meter, 230, 5, 0)
    assert meter.get("/api/state")["pulse_output"]["pulses"] == 0
    write(client, function, 23, DataType.ENUM)
    write(client, GXDLMSData("0.0.128.60.0.255"), 1, DataType.ENUM)
    write(client, width, 100, DataType.UINT8)
    before = meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    count = meter.get("/api/state")["pulse_output"]["pulses"]

    meter.post("/api/advance", seconds=5)
    grown = meter.get("/api/quantities")["energy_wh"]["1.8.0"] - before
    state = meter.get("/api/state")["pulse_output"]
    assert grown > 4
    assert abs(state["pulses"] - count - grown) <= 2
    assert state["width_ms"] == pytest.approx(100, abs=1)


@pytest.mark.row("TRF-01")
def test_a_transformer_meter_of_100_to_5_registers_twenty_times(start_meter):
    meter = start_meter("--rate", "0", "--model", "ct")
    unlock(meter)
    client = session(meter)
    numerator, denominator = GXDLMSData("1.0.0.4.2.255"), GXDLMSData("1.0.0.4.5.255")
    write(client, numerator, 100, DataType.UINT16)
    write(client, denominator, 5, DataType.UINT16)
    with pytest.raises(GXDLMSException):
        write(client, denominator, 0, DataType.UINT16)
    assert client.read(denominator, 2) == 5
    measured = give(meter, 230, 5, 0)["p_total"]
    power, current = GXDLMSRegister("1.0.1.7.0.255"), GXDLMSRegister("1.0.31.7.0.255")
    write(client, GXDLMSData("0.0.128.0.2.255"), 1, DataType.ENUM)
    assert client.read(power, 2) * 0.1 == pytest.approx(20 * measured, rel=1e-4)
    assert client.read(current, 2) * 1e-3 == pytest.approx(100, rel=1e-4)
    energy = GXDLMSRegister("1.0.1.8.0.255")
    before = client.read(energy, 2)
    pulses = meter.get("/api/state")["leds"]["active"]
    meter.post("/api/advance", seconds=3600)
    client = session(meter)  # an hour of silence ends any association
    assert client.read(energy, 2) - before == pytest.approx(20 * measured, rel=2e-3)
    pulses = meter.get("/api/state")["leds"]["active"] - pulses
    assert pulses == pytest.approx(measured / 1000 * 10_000, rel=2e-3)


@pytest.mark.row("MET-08")
@pytest.mark.parametrize(("mode", "wh"), [(0, 0), (1, 0), (2, 2000)])
def test_one_kilowatt_in_and_one_out(start_meter, mode, wh):
    meter = start_meter("--rate", "0")
    unlock(meter)
    client = session(meter)
    write(client, GXDLMSData("0.0.128.0.1.255"), mode, DataType.ENUM)
    one = {"u": 250, "i": 4, "phi_deg": 0}
    meter.post("/api/mains", phases=[one, {**one, "phi_deg": 180}, {**one, "i": 0}])
    meter.post("/api/advance", seconds=2)
    energy = GXDLMSRegister("1.0.1.8.0.255")
    before = client.read(energy, 2)
    meter.post("/api/advance", seconds=3600)
    client = session(meter)  # an hour of silence ends any association
    assert client.read(energy, 2) - before == pytest.approx(wh, abs=2)
