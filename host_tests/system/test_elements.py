"""A meter of two elements seen from outside: registers, rates, LED, a power cut (row MET-34)."""

import subprocess
import sys

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from conftest import ROOT
from gurux_dlms import GXDLMSException
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSRegister, GXDLMSRegisterActivation, GXDLMSScriptTable

FIRST, SECOND, TOTAL = "1.1.1.8.0.255", "1.2.1.8.0.255", "1.0.1.8.0.255"
RATES = [f"1.2.1.8.{rate}.255" for rate in range(1, 5)]
MASKS = "0.2.14.0.1.255"


def do(meter, verb):
    """Do something as a client; an idle connection would not outlast a leap."""
    wire = Socket(meter.ports["cosem"])
    try:
        return verb(Gurux(wire, MANAGEMENT, SECRET).connect())
    finally:
        wire.close()


def read(meter, *names):
    return do(meter, lambda client: [client.read(GXDLMSRegister(name), 2) for name in names])


def advance(meter, seconds):
    meter.post("/api/advance", seconds=seconds)


@pytest.mark.row("MET-34")
def test_both_elements_and_their_total_are_readable_and_outlast_the_power(start_meter):
    meter = start_meter("--model", "twin", "--rate", "0")
    loads = [{"u": 230, "i": 2, "phi_deg": 0}, {"i": 10, "phi_deg": 0}]
    meter.post("/api/mains", phases=loads)
    advance(meter, 2)
    powers = read(meter, "1.1.1.7.0.255", "1.2.1.7.0.255", "1.0.1.7.0.255")
    assert powers == [
        pytest.approx(4600, abs=2),
        pytest.approx(23000, abs=2),
        pytest.approx(27600, abs=3),
    ]
    assert read(meter, "1.2.11.7.0.255", "1.2.12.7.0.255") == [
        pytest.approx(10000, abs=3),
        pytest.approx(23000, abs=3),
    ]
    names = do(meter, lambda client: [item.logicalName for item in client.objects()])
    assert len(set(names)) == len(names)
    assert {FIRST, SECOND, MASKS, *RATES} <= set(names)

    leds = meter.get("/api/state")["leds"]["active"]
    before = read(meter, FIRST, SECOND, TOTAL)
    advance(meter, 3600)
    meter.post("/api/mains", phases=[{"i": 0}] * 2)
    advance(meter, 2)
    after = read(meter, FIRST, SECOND, TOTAL)
    gained = [b - a for a, b in zip(before, after, strict=True)]
    assert gained == [
        pytest.approx(460, abs=1),
        pytest.approx(2300, abs=1),
        pytest.approx(2760, abs=1),
    ]
    assert after[2] - after[0] - after[1] in (0, 1)
    # the LED of 1000 imp/kWh counts the sum
    assert meter.get("/api/state")["leds"]["active"] - leds == pytest.approx(gained[2], abs=1)

    exact = meter.get("/api/quantities")["energy_wh"]
    meter.post("/api/supply", on=False)
    advance(meter, 5)
    meter.post("/api/supply", on=True)
    advance(meter, 2)
    assert read(meter, FIRST, SECOND, TOTAL) == after
    kept = meter.get("/api/quantities")["energy_wh"]
    for name in ("1-1:1.8.0", "1-2:1.8.0", "1.8.0"):
        assert kept[name] == pytest.approx(exact[name], abs=1e-6)
    assert meter.get("/api/health")["problems"] == []


def test_the_second_element_has_four_rates_of_its_own(start_meter):
    meter = start_meter("--model", "twin", "--rate", "0")
    meter.post("/api/mains", phases=[{"u": 230, "i": 1, "phi_deg": 0}, {"i": 10, "phi_deg": 0}])
    tariffs = GXDLMSScriptTable("0.0.10.0.100.255")
    for script in (1, 2, 3, 4, 5):  # a script of the factory switches both, five leaves rate 4
        do(meter, lambda client, script=script: client.call(tariffs, 1, script, DataType.UINT16))
        advance(meter, 36)
    # on its own: the first element stays in rate 5
    masks = GXDLMSRegisterActivation(MASKS)

    def activate(name):
        masks.activeMask = name
        masks.setDataType(4, DataType.OCTET_STRING)
        do(meter, lambda client: client.write(masks, 4))

    with pytest.raises(GXDLMSException):
        activate(b"\x00\x05")
    activate(b"\x00\x02")
    advance(meter, 36)
    assert read(meter, *RATES) == [pytest.approx(wh, abs=1) for wh in (23, 46, 23, 46)]
    assert sum(read(meter, *RATES)) == pytest.approx(read(meter, SECOND)[0], abs=3)
    assert read(meter, "1.0.1.8.5.255")[0] == pytest.approx(2 * 25.3, abs=1)
    assigned = do(meter, lambda client: client.read(masks, 2))
    assert [item.logicalName for item in assigned] == RATES


def test_a_wrong_load_of_an_element_is_refused(start_meter):
    meter = start_meter("--model", "twin", "--rate", "0")
    before = meter.get("/api/state")["mains"]
    for phases in ([{}, {}, {"i": 1}], [None, {"i": -1}], [None, {"p": 1}]):
        with pytest.raises(AssertionError, match="400"):
            meter.post("/api/mains", phases=phases)
    assert meter.get("/api/state")["mains"] == before
    # one voltage: that of the first is the second's
    mains = meter.post("/api/mains", phases=[{"u": 240, "angle_deg": 30}, {"u": 100}])
    assert [(load["u"], load["angle_deg"]) for load in mains["phases"]] == [(240, 30)] * 2


def test_calibration_corrects_both_elements(start_meter):
    meter = start_meter("--model", "twin", "--rate", "0")
    tolerance = {"chip": "sensors", "fault": "tolerance", "channel": "i2"}
    meter.post("/api/chip", **tolerance, ratio_ppm=-30000, phase_mdeg=1200)
    command = [sys.executable, str(ROOT / "tools/calibrate.py"), "--bench", meter.url]
    command += ["--port", str(meter.ports["cosem"])]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    meter.post("/api/mains", phases=[{"u": 230, "i": 5, "phi_deg": 60}] * 2)
    meter.post("/api/advance", seconds=2)
    p = meter.get("/api/quantities")["p"]
    assert p == [pytest.approx(575, rel=5e-4)] * 2
