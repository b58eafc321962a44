"""Daily and monthly extremes of a running meter, read by a client over days and a billing."""

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from gurux_dlms.objects import (
    GXDLMSCaptureObject,
    GXDLMSClock,
    GXDLMSData,
    GXDLMSExtendedRegister,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)


def session(meter):
    return Gurux(Socket(meter.ports["cosem"]), MANAGEMENT, SECRET).connect()


def volts(meter, u, seconds):
    meter.post("/api/mains", phases=[{"u": u + k, "i": u / 100} for k in range(3)])
    meter.post("/api/advance", seconds=seconds)


def read(client, *codes):
    found = []
    for code in codes:
        item = GXDLMSExtendedRegister(code)
        client.read(item, 3)
        found.append(client.read(item, 2))
    return found


@pytest.mark.row("MET-20", "MET-22", "MET-24", "MET-27")
def test_extremes_roll_over_at_midnight_and_at_billing(start_meter):
    meter = start_meter("--rate", "0", "--time", "2026-01-31T22:00:00")
    second = meter.get("/api/state")["time"][14:19]
    late = int(second[:2]) % 10 * 60 + int(second[3:])
    volts(meter, 220, 600 - late)
    for u in (220, 250, 200):
        volts(meter, u, 600)
    volts(meter, 230, 600)
    client = session(meter)
    mean = GXDLMSRegister("1.0.52.24.0.255")
    client.read(mean, 3)
    assert client.read(mean, 2) == pytest.approx(231, abs=0.3)
    day = [f"0.0.128.8.{e}.255" for e in (10, 11, 12, 13, 0, 33)]
    assert read(client, *day) == pytest.approx([250, 0, 200, 0, 251, 0], abs=0.3)
    # midnight and, in the first minute of a month, the end of billing
    meter.post("/api/advance", seconds=2 * 3600)
    client = session(meter)
    assert read(client, *day)[1::2] == pytest.approx([250, 200, 202], abs=0.3)
    current, previous = (
        [f"1.0.{c}.{d}.0.{f}" for c in (32, 71) for d in (6, 3)] for f in (255, 101)
    )
    assert read(client, *previous) == pytest.approx([250, 200, 2.5, 2.0], rel=2e-3)
    assert read(client, *current) == pytest.approx([230, 230, 2.3, 2.3], rel=2e-3)
    # the day lives through an outage
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=120)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=5)
    client = session(meter)
    assert read(client, *day)[:2] == pytest.approx([230, 250], abs=0.3)
    # a hot case
    assert client.read(GXDLMSData("0.0.128.9.0.255"), 2) == 85
    meter.post("/api/temperature", celsius=90)
    meter.post("/api/advance", seconds=200)
    client = session(meter)
    temperature = GXDLMSRegister("0.0.96.9.0.255")
    client.read(temperature, 3)
    assert client.read(temperature, 2) == 90
    texts = [entry["text"] for entry in meter.get("/api/events")["events"]]
    assert texts.count("Meter too hot") == 1


@pytest.mark.row("MET-28")
def test_the_batterys_voltage_is_read_and_captured_alike(start_meter):
    meter = start_meter("--rate", "0", "--time", "2026-03-02T12:00:10")
    meter.post("/api/battery", v=3.21)
    client = session(meter)
    voltage = GXDLMSRegister("0.0.96.6.3.255")
    client.read(voltage, 3)
    assert voltage.unit == 35  # volt
    assert client.read(voltage, 2) == pytest.approx(3.21, abs=0.005)
    profile = GXDLMSProfileGeneric("1.0.99.2.0.255")
    client.read(profile, 3)
    profile.captureObjects.clear()
    for captured in (GXDLMSClock(), voltage):
        profile.captureObjects.append((captured, GXDLMSCaptureObject(2, 0)))
    client.write(profile, 3)
    profile.capturePeriod = 300
    client.write(profile, 4)
    meter.post("/api/advance", seconds=300)
    client = session(meter)
    ((_, captured),) = client.read(profile, 2)
    assert captured == pytest.approx(client.read(voltage, 2), abs=1e-6)
