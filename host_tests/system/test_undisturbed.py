"""What must not disturb the measurement: a flood on every port, phases in another order."""

import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from flood import Flood
from gurux_dlms.objects import GXDLMSData, GXDLMSProfileGeneric
from patience import PATIENCE_S, until

FLOOD_S = 12
POWER_W = 3 * 230 * 5


def reader(session):
    """A turn of a foreign client: the object list, the waveform, the harmonics."""

    def turn():
        session.objects()
        for e in (0, 1):
            profile = GXDLMSProfileGeneric(f"1.0.99.140.{e}.255")
            session.read(profile, 3)
            session.read(profile, 2)

    return turn


def at_once(meter):
    """Energy and health of one moment."""
    meter.post("/api/rate", rate=0)
    try:
        return meter.get("/api/quantities")["energy_wh"]["1.8.0"], meter.get("/api/health")
    finally:
        meter.post("/api/rate", rate=1)


@pytest.mark.row("MET-36")
def test_no_frame_is_lost_while_all_ports_are_flooded(meter):
    meter.post("/api/mains", f=50.0, phases=[{"u": 230, "i": 5, "phi_deg": 0}] * 3)
    meter.post("/api/advance", seconds=2)
    before, health = at_once(meter)
    flood = Flood(meter, reader, browsers=3)
    enough = health["frames_taken"] + 4000 * FLOOD_S
    until(lambda: meter.get("/api/health")["frames_taken"] > enough, "so much time")
    until(lambda: all(flood.done.values()) or flood.failed, lambda: flood.done)
    flood.stop()
    after_wh, after = at_once(meter)
    gained_wh = after_wh - before
    assert flood.failed == []
    assert all(flood.done.values()), flood.done
    assert after["frames_lost"] == health["frames_lost"] == 0
    assert after["frames_wrong"] == 0
    assert after["task_restarts"] == health["task_restarts"]
    # energy is power times the frames that were taken: no time is missing
    frames = after["frames_taken"] - health["frames_taken"]
    assert abs(gained_wh - POWER_W * frames / 4000 / 3600) <= POWER_W * 0.5 / 3600


@pytest.mark.row("MET-31")
def test_a_reversed_rotation_is_an_event_and_blinks(meter):
    turned = [{"angle_deg": angle} for angle in (0, -240, -120)]
    meter.post("/api/mains", phases=[{"u": 230, "i": 5, "phi_deg": 30, **one} for one in turned])
    try:
        meter.post("/api/advance", seconds=5)
        wire = clients.Socket(meter.ports["cosem"])
        session = clients.Gurux(wire, clients.MANAGEMENT, clients.SECRET).connect()
        last = GXDLMSData("0.0.96.11.0.255")
        session.read(last, 2)
        wire.close()
        assert last.value == 88
        seen = set()
        for _ in range(12):
            meter.post("/api/advance", seconds=0.3)
            seen.add(tuple(meter.get("/api/lcd")["phases"]))
        assert seen == {(), ("L1", "L2", "L3")}
        assert abs(meter.get("/api/quantities")["p_total"] / (POWER_W * 0.8660254) - 1) < 1e-3
    finally:
        meter.post(
            "/api/mains", phases=[{"angle_deg": angle, "phi_deg": 0} for angle in (0, -120, -240)]
        )
        meter.post("/api/advance", seconds=4)
    assert meter.get("/api/lcd")["phases"] == ["L1", "L2", "L3"]


@pytest.mark.row("MET-01")
def test_the_build_can_be_read_and_both_frequencies_are_measured(meter):
    wire = clients.Socket(meter.ports["cosem"])
    try:
        session = clients.Gurux(wire, clients.MANAGEMENT, clients.SECRET).connect()
        build = GXDLMSData("0.0.128.0.0.255")
        session.read(build, 2)
        name, phases, voltage_v, frequency_hz = build.value
        assert (bytes(name), phases, voltage_v, frequency_hz) == (b"3ph", 3, 230, 50)
    finally:
        wire.close()
    try:
        for f_hz in (60.0, 50.0):
            meter.post("/api/mains", f=f_hz, phases=[{"u": 230, "i": 5, "phi_deg": 60}] * 3)
            meter.post("/api/advance", seconds=3)
            measured = meter.get("/api/quantities")
            assert abs(measured["f"] - f_hz) < 1e-3
            assert abs(measured["p_total"] - POWER_W / 2) < 5e-4 * POWER_W
            assert abs(measured["q_total"] - POWER_W * 0.8660254) < 5e-4 * POWER_W
    finally:
        meter.post("/api/mains", f=50.0, phases=[{"phi_deg": 0}] * 3)


def test_callers_that_say_nothing_do_not_keep_others_out(meter):
    silent = [socket.create_connection(("127.0.0.1", meter.http)) for _ in range(60)]
    try:
        for caller in silent:
            caller.sendall(b"GET /api/st")  # and no more
        assert meter.get("/api/state")["powered"] in (True, False)
        silent[0].settimeout(PATIENCE_S)
        assert silent[0].recv(1) == b""  # the first to come is the first to go
    finally:
        for caller in silent:
            caller.close()
    assert meter.get("/api/state")
