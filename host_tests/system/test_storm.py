"""A storm of events: none is lost that has room, all stand in their order, measuring goes on.

A recording is replayed in which each phase dips for one of every two and a half cycles, at its
own zero crossings. With limits that know no delay each dip of a phase is three events: a sag on
the way down, a cut, the voltage normal again. The same recording with delays is no event at all.
"""

import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import numpy as np
import pytest
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSData, GXDLMSProfileGeneric, GXDLMSRegister

QUALITY = "0.0.99.98.4.255"
RATE_HZ = 4000
CALM_S, FEW_S, MANY_S = 6, 2.5, 60  # before the limits are set, and after them
EVERY_S = 0.05
DIPS = round((FEW_S + MANY_S) / EVERY_S)
TOLD_S = 0.35  # a window and a half
ROOM = 500
STORY = [(dip, code) for dip in range(DIPS) for code in (76, 82, 85)]  # of L1


def record(path):
    """Three voltages of 230 V and currents of 5 A; the dips leave a fifth of the voltage."""
    t = np.arange(round((CALM_S + DIPS * EVERY_S + 3) * RATE_HZ)) / RATE_HZ
    codes = np.zeros((len(t), 6), dtype="<i4")
    for phase in range(3):
        angle = 2 * np.pi * (50 * t - phase / 3)
        since = t - begin_s(phase)
        dip = (since >= 0) & (since < DIPS * EVERY_S) & (since % EVERY_S < 0.02)
        u = 230 * np.sqrt(2) * np.sin(angle) * np.where(dip, 0.2, 1)
        codes[:, 2 * phase] = np.round(u / 1e-4)
        codes[:, 2 * phase + 1] = np.round(5 * np.sqrt(2) * np.sin(angle - 0.4) / 1e-5)
    header = {
        "format": "frames-1",
        "rate_hz": RATE_HZ,
        "channels": ["u1", "i1", "u2", "i2", "u3", "i3"],
        "u_volt_per_lsb": [1e-4] * 3,
        "i_ampere_per_lsb": [1e-5] * 3,
    }
    path.write_bytes(json.dumps(header).encode() + b"\n" + codes.tobytes())


def begin_s(phase):
    """When the dips of a phase begin: at a zero crossing, a little before a frame."""
    return CALM_S + phase / 150 - 1e-6


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

    def pass_time(self, seconds):
        self.meter.post("/api/advance", seconds=seconds)

    def energies(self):
        return self.meter.get("/api/quantities")["energy_wh"]

    def rows(self):
        session = self.client()
        log = GXDLMSProfileGeneric(QUALITY)
        session.read(log, 3)
        rows = session.read(log, 2)
        session.release()
        return [(row[0].value.timestamp(), row[1]) for row in rows]

    def numbers(self):
        session = self.client()
        numbers = [session.read(GXDLMSData(f"1.0.{c}.32.0.255"), 2) for c in (32, 52, 72, 12)]
        session.release()
        return numbers


def check(rows, entries):
    """Each row is the one that its place asks for, and its time that of its dip.

    entries: of each phase, (dip, code of L1) of its rows
    """
    earliest, latest = 0, float("inf")  # second in which the recording began
    for phase, expected in enumerate(entries):
        own = [(stamp, code - phase) for stamp, code in rows if (code - 76) % 3 == phase]
        assert [code for _, code in own] == [code for _, code in expected]
        for (stamp, _), (dip, _) in zip(own, expected):
            at_s = begin_s(phase) + dip * EVERY_S
            earliest = max(earliest, stamp - at_s - TOLD_S)
            latest = min(latest, stamp + 1 - at_s)
    assert earliest < latest
    stamps = [stamp for stamp, _ in rows]
    assert sorted(stamps) == stamps


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("storm") / "storm.frames"
    record(path)
    return path


def test_ten_thousand_events_a_minute(start_meter, tmp_path, recording):
    base = tmp_path / "base"
    first = start_meter("--rate", "0", "--fresh", "--time", "2026-03-02T12:00:00", state=base)
    Bench(first).delays(300)
    first.stop()
    shutil.copytree(base, tmp_path / "calm")
    shutil.copytree(base, tmp_path / "storm")
    options = ("--rate", "0", "--replay", str(recording))

    calm = Bench(start_meter(*options, state=tmp_path / "calm"))
    calm.pass_time(CALM_S - 1)
    calm.pass_time(FEW_S + 1)
    calm.pass_time(MANY_S + 2)
    assert calm.rows() == []
    assert calm.numbers() == [0] * 4
    undisturbed = calm.energies()
    assert undisturbed["1.8.0"] > 30
    calm.meter.stop()

    bench = Bench(start_meter(*options, state=tmp_path / "storm"))
    bench.pass_time(CALM_S - 1)
    bench.delays(0)
    bench.pass_time(FEW_S + 1)
    few = bench.rows()
    assert len(few) < ROOM  # so all of them are there, from the first on
    counts = [sum((code - 76) % 3 == phase for _, code in few) for phase in range(3)]
    assert min(counts) >= 3 * (FEW_S - TOLD_S) / EVERY_S
    check(few, [STORY[:count] for count in counts])
    before = bench.meter.get("/api/events")["posted"]
    bench.pass_time(MANY_S + 2)
    events = bench.meter.get("/api/events")
    assert events["posted"] - before >= 10_000
    assert events["lost"] == 0
    rows = bench.rows()
    assert len(rows) == ROOM  # as many as there is room for, the newest
    counts = [sum((code - 76) % 3 == phase for _, code in rows) for phase in range(3)]
    assert max(counts) - min(counts) <= 3
    check(rows, [STORY[-count:] for count in counts])
    assert bench.numbers()[:3] == [DIPS] * 3
    assert bench.energies() == undisturbed  # to the last unit: the same frames, no event
    health = bench.meter.get("/api/health")
    assert (health["frames_lost"], health["task_restarts"]) == (0, 0)
    assert health["tasks_silent"] == []
