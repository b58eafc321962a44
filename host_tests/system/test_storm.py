"""A storm of events: none is lost that has room, all stand in their order, measuring goes on.

Three phases dip to nothing for a cycle of every three. Each dip of a phase is four events when
limits know no delay: a sag on the way down, a cut, a sag on the way up, the voltage normal again.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSProfileGeneric, GXDLMSRegister

QUALITY = "0.0.99.98.4.255"
EVERY_MS, LASTS_MS = 60, 20
SAGS, CUTS, NORMAL = {76, 77, 78}, {82, 83, 84}, {85, 86, 87}


class Bench:
    def __init__(self, meter):
        self.meter = meter

    def client(self):
        wire = clients.Socket(self.meter.ports["cosem"])
        return clients.Gurux(wire, clients.MANAGEMENT, clients.SECRET).connect()

    def delays(self, seconds):
        """How long sags, swells and cuts last until they are events."""
        session = self.client()
        for d in (43, 44, 45):
            limit = GXDLMSRegister(f"1.0.12.{d}.0.255")
            limit.value = seconds
            limit.setDataType(2, DataType.UINT16)
            session.write(limit, 2)
        session.release()

    def storm(self, seconds):
        """Let it dip for some time, and a quiet while pass; return the energy of both."""
        before = self.meter.get("/api/quantities")["energy_wh"]["1.8.0"]
        times = seconds * 1000 // EVERY_MS
        dark = {"phases": [{"u": 0}] * 3, "for_ms": LASTS_MS}
        self.meter.post("/api/mains", **dark, times=times, every_ms=EVERY_MS)
        self.meter.post("/api/advance", seconds=seconds + 10)
        return self.meter.get("/api/quantities")["energy_wh"]["1.8.0"] - before

    def rows(self):
        session = self.client()
        log = GXDLMSProfileGeneric(QUALITY)
        session.read(log, 3)
        rows = session.read(log, 2)
        session.release()
        return [(row[0].value, row[1]) for row in rows]


@pytest.fixture
def bench(start_meter):
    meter = start_meter("--rate", "0", "--fresh", "--time", "2026-03-02T12:00:00")
    meter.post("/api/advance", seconds=10)
    return Bench(meter)


def orderly(codes):
    """Tell whether each phase goes down and comes back, again and again."""
    follows = {None: SAGS | CUTS | NORMAL, "sag": CUTS | NORMAL, "cut": SAGS | NORMAL}
    follows["normal"] = SAGS | CUTS
    for phase in range(3):
        state = None
        for code in codes:
            kind = "sag" if code in SAGS else "cut" if code in CUTS else "normal"
            if (code - (76, 82, 85)[("sag", "cut", "normal").index(kind)]) != phase:
                continue
            if code not in follows[state]:
                return False
            state = kind
    return True


def test_ten_thousand_events_a_minute(bench):
    bench.delays(3600)
    undisturbed_wh = bench.storm(60)
    assert bench.rows() == []
    bench.delays(0)
    bench.storm(2)
    few = [code for _, code in bench.rows()]
    assert 250 < len(few) < 500
    assert orderly(few)
    assert few.count(85) == few.count(86) == few.count(87) == 2000 // EVERY_MS  # of each dip
    before = bench.meter.get("/api/events")["posted"]
    energy_wh = bench.storm(60)
    told = bench.meter.get("/api/events")
    assert told["posted"] - before >= 10_000
    assert told["lost"] == 0
    rows = bench.rows()
    assert len(rows) == 500  # as many as there is room for, the newest
    assert orderly([code for _, code in rows])
    times = [moment for moment, _ in rows]
    assert sorted(times) == times
    assert (times[-1] - times[0]).total_seconds() <= 4
    assert energy_wh == pytest.approx(undisturbed_wh, rel=2e-3)
    health = bench.meter.get("/api/health")
    assert (health["frames_lost"], health["task_restarts"]) == (0, 0)
    assert health["tasks_silent"] == []
