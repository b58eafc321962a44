"""The virtual meter with each choice of parts: what any of them does, and what it leaves out."""

import sys

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from conftest import ROOT, VirtualMeter
from gurux_dlms import GXDLMSException
from gurux_dlms.objects import (
    GXDLMSCaptureObject,
    GXDLMSClock,
    GXDLMSData,
    GXDLMSExtendedRegister,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)

sys.path.append(str(ROOT / "firmware"))

from app.parts.choices import CHOICES

WEEK = "0.0.128.7.90.255"  # by EN 50160
SAGS = "1.0.12.32.0.255"
STILL_AT_NOON = ("--rate", "0", "--time", "2026-01-31T12:00:00")
HEAP = "800k"  # with the simulation beside it; the choice standard takes 100k more
OF_TARIFF = {
    "0.0.13.0.0.255", "0.0.11.0.0.255", "0.0.14.0.1.255", "0.0.15.0.0.255", "0.0.98.1.0.255",
    "1.0.1.4.0.255", "1.0.1.5.0.255", "1.0.1.6.0.255", "1.0.1.8.1.255", "1.0.31.4.0.255",
}  # fmt: skip
OF_READOUT = {"0.0.20.0.0.255", "0.0.21.0.0.255"}
COUNTERS = "0.0.96.7.0.255"  # power failures, which every meter counts
ALWAYS = {
    "0.0.1.0.0.255", "0.0.40.0.0.255", "0.0.42.0.0.255", "1.0.1.8.0.255", "1.0.8.8.0.255",
    "1.0.32.7.0.255", "1.0.99.1.0.255", "0.0.99.98.0.255", "0.0.10.0.101.255", COUNTERS,
}  # fmt: skip


class Reader:
    def __init__(self, meter):
        self.client = Gurux(Socket(meter.ports["cosem"]), MANAGEMENT, SECRET).connect()

    def energy_wh(self):
        return self.client.read(GXDLMSRegister("1.0.1.8.0.255"), 2)

    def rows(self):
        """How many load profile 1 has."""
        return self.client.read(GXDLMSProfileGeneric("1.0.99.1.0.255"), 7)

    def close(self):
        self.client.transport.close()


@pytest.fixture(scope="module")
def basic(tmp_path_factory):
    """The choice for a Pico 2 from files, in a heap with little more than it takes."""
    meter = VirtualMeter(
        tmp_path_factory.mktemp("basic"), ("--parts", "basic", "--http", "0", "--heap", HEAP)
    )
    yield meter.start()
    assert meter.stop() == 0


@pytest.mark.parametrize("choice", [name for name in CHOICES if name != "look"])
def test_a_meter_measures_shows_keeps_and_answers_with_each_choice(start_meter, tmp_path, choice):
    meter = start_meter("--parts", choice, *STILL_AT_NOON, state=tmp_path / "m")
    meter.post("/api/mains", phases=[{"i": 60, "phi_deg": 0}] * 3)
    meter.post("/api/advance", seconds=600)
    reader = Reader(meter)
    listed = {item.logicalName for item in reader.client.objects()}
    assert listed >= ALWAYS
    assert (WEEK in listed) == (SAGS in listed) == ("parts.quality" in CHOICES[choice])
    assert len(listed & OF_TARIFF) == ("parts.tariff" in CHOICES[choice]) * len(OF_TARIFF)
    assert len(listed & OF_READOUT) == ("parts.readout" in CHOICES[choice]) * len(OF_READOUT)
    assert reader.client.read(GXDLMSClock("0.0.1.0.0.255"), 2).value.year == 2026
    assert reader.client.read(GXDLMSData(COUNTERS), 2) == 0
    energy_wh = reader.energy_wh()
    assert 6800 < energy_wh < 7100  # 41.4 kW for ten minutes
    reader.close()
    glass = meter.get("/api/lcd")
    assert glass["phases"] == ["L1", "L2", "L3"]
    assert glass["code"] and glass["value"]
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=60)
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=10)
    reader = Reader(meter)
    assert reader.energy_wh() >= energy_wh
    assert reader.client.read(GXDLMSData(COUNTERS), 2) == 1
    reader.close()
    if "parts.quality" in CHOICES[choice]:
        assert meter.get("/api/quality")["missed"] == 0
    else:
        with pytest.raises(AssertionError, match=r"503.*without the quality of the supply"):
            meter.get("/api/quality")


def read_all(client):
    """Every attribute of every object that the client may read; what was not to be had."""
    refused = []
    for item in client.objects():
        for attribute in range(1, item.getAttributeCount() + 1):
            if isinstance(item, GXDLMSProfileGeneric) and attribute == 2:
                continue  # the rows; read apart
            try:
                client.read(item, attribute)
            except GXDLMSException:
                refused.append((item.logicalName, attribute))
    return refused


@pytest.mark.parametrize("port", ["rs485", "optical"])
def test_the_basic_choice_is_read_completely_over_each_line(basic, port):
    wire = Socket(basic.ports[port])
    client = Gurux(wire, MANAGEMENT, SECRET, hdlc=True).connect()
    refused = read_all(client)
    # the secret of an association, which nobody may read
    assert {(name[:7], attribute) for name, attribute in refused} == {("0.0.40.", 7)}
    client.release()
    wire.close()


def test_the_basic_choice_refuses_what_points_to_what_it_has_not(basic):
    reader = Reader(basic)
    profile = GXDLMSProfileGeneric("1.0.99.2.0.255")
    before = reader.client.read(profile, 3)
    rate = GXDLMSRegister("1.0.1.8.1.255"), GXDLMSCaptureObject(2, 0)
    profile.captureObjects = [*before, rate]
    with pytest.raises(GXDLMSException):
        reader.client.write(profile, 3)
    assert len(reader.client.read(profile, 3)) == len(before)
    # a list for the glass may name what comes and goes; it is read as nothing there
    shown = GXDLMSProfileGeneric("0.0.21.0.1.255")
    kept = list(reader.client.read(shown, 3))
    shown.captureObjects = [rate, (GXDLMSRegister("1.0.1.8.0.255"), GXDLMSCaptureObject(2, 0))]
    reader.client.write(shown, 3)
    before_wh = reader.energy_wh()
    ((nothing, energy_wh),) = reader.client.read(shown, 2)
    assert nothing is None
    assert before_wh <= energy_wh <= reader.energy_wh()  # it measures on
    shown.captureObjects = kept
    reader.client.write(shown, 3)
    reader.close()


def test_the_optical_head_of_the_basic_choice_hears_no_sign_on(basic):
    wire = Socket(basic.ports["optical"], timeout_s=2)
    wire.send(b"/?!\r\n")
    with pytest.raises(TimeoutError):
        wire.receive()
    wire.close()


def test_another_choice_loses_nothing(start_meter, tmp_path):
    state = tmp_path / "m"
    meter = start_meter("--parts", "full", *STILL_AT_NOON, state=state)
    meter.post("/api/mains", phases=[{"i": 60, "phi_deg": 0}] * 3)
    meter.post("/api/advance", seconds=3600)
    reader = Reader(meter)
    total_wh = reader.energy_wh()
    maximum = reader.client.read(GXDLMSExtendedRegister("1.0.1.6.0.255"), 2)
    rows = reader.rows()
    assert maximum and rows
    reader.close()
    meter.stop()
    meter = start_meter("--parts", "basic", "--rate", "0", state=state)
    assert meter.get("/api/health")["problems"] == []
    meter.post("/api/mains", phases=[{"i": 10, "phi_deg": 0}] * 3)
    meter.post("/api/advance", seconds=3600)
    reader = Reader(meter)
    assert total_wh < reader.energy_wh()
    total_wh = reader.energy_wh()
    assert rows < reader.rows()
    reader.close()
    meter.stop()
    meter = start_meter("--parts", "full", "--rate", "0", state=state)
    meter.post("/api/mains", phases=[{"i": 0}] * 3)
    meter.post("/api/advance", seconds=1)
    reader = Reader(meter)
    assert meter.get("/api/health")["problems"] == []
    # what was counted without rates went to the one that had been in force
    assert reader.client.read(GXDLMSRegister("1.0.1.8.1.255"), 2) == reader.energy_wh() >= total_wh
    assert reader.client.read(GXDLMSExtendedRegister("1.0.1.6.0.255"), 2) == maximum
    assert rows < reader.rows()
    reader.close()


def test_a_choice_that_there_is_not_is_refused_in_a_line(start_meter):
    with pytest.raises(
        Exception, match="--parts everything: must be one of full, standard, basic, look"
    ):
        start_meter("--parts", "everything")
