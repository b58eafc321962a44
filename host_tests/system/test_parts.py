"""The virtual meter with each choice of parts: what any of them does, and what it leaves out."""

import sys

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from conftest import ROOT
from gurux_dlms.objects import GXDLMSClock, GXDLMSData, GXDLMSRegister

sys.path.append(str(ROOT / "firmware"))

from app.parts.choices import CHOICES

WEEK = "0.0.128.7.90.255"  # by EN 50160
SAGS = "1.0.12.32.0.255"
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

    def close(self):
        self.client.transport.close()


@pytest.mark.parametrize("choice", CHOICES)
def test_a_meter_measures_shows_keeps_and_answers_with_each_choice(start_meter, tmp_path, choice):
    meter = start_meter("--parts", choice, "--time", "2026-01-31T12:00:00", state=tmp_path / "m")
    meter.post("/api/mains", phases=[{"i": 60, "phi_deg": 0}] * 3)
    meter.post("/api/advance", seconds=600)
    reader = Reader(meter)
    listed = {item.logicalName for item in reader.client.objects()}
    assert listed >= ALWAYS
    assert (WEEK in listed) == (SAGS in listed) == ("quality" in CHOICES[choice])
    assert len(listed & OF_TARIFF) == ("tariff" in CHOICES[choice]) * len(OF_TARIFF)
    assert len(listed & OF_READOUT) == ("readout" in CHOICES[choice]) * len(OF_READOUT)
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
    if "quality" in CHOICES[choice]:
        assert meter.get("/api/quality")["missed"] == 0
    else:
        with pytest.raises(AssertionError, match=r"503.*without the quality of the supply"):
            meter.get("/api/quality")


def test_a_choice_that_there_is_not_is_refused_in_a_line(start_meter):
    with pytest.raises(
        Exception, match="--parts everything: must be one of full, standard, basic"
    ):
        start_meter("--parts", "everything")
