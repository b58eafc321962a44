"""Power quality from outside: what the mains do, and what the objects and the log tell of it."""

import sys
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from gurux_dlms.objects import GXDLMSData, GXDLMSProfileGeneric, GXDLMSRegister

QUALITY = "0.0.99.98.4.255"
START = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)


class Bench:
    def __init__(self, meter):
        self.meter = meter

    def go(self, seconds, *volts):
        phases = [{"u": u, "i": 5 if u else 0, "phi_deg": 0} for u in volts]
        self.meter.post("/api/mains", phases=phases)
        self.meter.post("/api/advance", seconds=seconds)

    def read(self, *objects):
        """Values of attribute 2, with their scalers where there are such."""
        transport = clients.Socket(self.meter.ports["cosem"])
        session = clients.Gurux(transport, clients.MANAGEMENT, clients.SECRET).connect()
        values = []
        for one in objects:
            if isinstance(one, (GXDLMSRegister, GXDLMSProfileGeneric)):
                session.read(one, 3)
            values.append(session.read(one, 2))
        session.release()
        return values

    def codes(self):
        return [row[1] for row in self.read(GXDLMSProfileGeneric(QUALITY))[0]]


@pytest.fixture
def bench(start_meter):
    time = START.strftime("%Y-%m-%dT%H:%M:%S")
    return Bench(start_meter("--rate", "0", "--fresh", "--time", time))


@pytest.mark.row("PQL-04", "PQL-05", "PQL-07", "PQL-08")
def test_a_sag_a_swell_and_a_cut(bench):
    bench.go(3, 230, 230, 230)
    bench.go(4, 180, 230, 230)
    bench.go(3, 230, 270, 230)
    bench.go(2, 230, 230, 0)
    bench.go(2, 230, 230, 230)
    assert bench.codes() == [76, 85, 80, 84, 86, 87] or bench.codes() == [76, 85, 80, 86, 84, 87]
    number, duration, magnitude = bench.read(
        GXDLMSData("1.0.32.32.0.255"),
        GXDLMSRegister("1.0.32.33.0.255"),
        GXDLMSRegister("1.0.32.34.0.255"),
    )
    assert number == 1
    assert duration == pytest.approx(4, abs=0.45)
    assert magnitude == pytest.approx(180, abs=0.5)
    swells, magnitude = bench.read(
        GXDLMSData("1.0.12.36.0.255"), GXDLMSRegister("1.0.52.38.0.255")
    )
    assert swells == 1
    assert magnitude == pytest.approx(270, abs=0.5)


@pytest.mark.row("MET-30", "PQL-01", "PQL-03", "PQL-09")
def test_ten_minutes_at_214_v_are_level_5_and_an_asymmetry(bench):
    bench.go(1800, 214, 231, 231)
    level, of_l2, any_phase, status = bench.read(
        GXDLMSData("0.0.128.7.15.255"),
        GXDLMSData("0.0.128.7.23.255"),
        GXDLMSData("0.0.128.7.45.255"),
        GXDLMSData("0.0.196.98.1.255"),
    )
    assert level == of_l2 == any_phase == 3
    assert status & 1 << 9
    assert bench.codes() == [90]
    bench.go(600, 230, 230, 230)
    (status,) = bench.read(GXDLMSData("0.0.196.98.11.255"))
    assert status & 1 << 9
