"""Outages, the battery and faults of chips as the meter's owner and its clients see them.

The rows of docs/features.md named below say what is expected; readings go over the meter's ports.
"""

import socket

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from gurux_dlms.objects import GXDLMSData, GXDLMSRegister

SILENCE_S = 1


def value(meter, logical_name, public=False):
    """Attribute 2 of an object of class 1 or 3."""
    wire = Socket(meter.ports["cosem"])
    try:
        gurux = Gurux(wire) if public else Gurux(wire, MANAGEMENT, SECRET)
        gurux.connect()
        return gurux.read(item(logical_name), 2)
    finally:
        wire.close()


def item(logical_name):
    """The object with this name; the meter's registers have C, D and E that tell them."""
    return (GXDLMSRegister if is_register(logical_name) else GXDLMSData)(logical_name)


def is_register(logical_name):
    a, _, c, d, e, _ = (int(number) for number in logical_name.split("."))
    return a == 1 or ((c, d) == (96, 7) and e in (15, 19, 20))


def sign_on(meter):
    """The first octet that the optical head says to a hand-held unit. Raises TimeoutError."""
    with socket.create_connection(("127.0.0.1", meter.ports["optical"]), SILENCE_S) as head:
        head.sendall(b"/?!\r\n")
        advance(meter, 2)  # 300 baud
        return head.recv(1)


def advance(meter, seconds):
    meter.post("/api/advance", seconds=seconds)


def test_counters_of_outages_are_read_by_their_names(start_meter):
    meter = start_meter("--rate", "0")
    advance(meter, 15)
    for seconds in (10, 100, 200):
        meter.post("/api/supply", on=False)
        advance(meter, seconds)
        meter.post("/api/supply", on=True)
        advance(meter, 5)
    names = ("0.0.96.7.0.255", "0.0.96.7.5.255", "0.0.128.0.11.255", "0.0.96.7.19.255")
    assert [value(meter, name) for name in names] == [3, 1, 2, 200]
    health = meter.get("/api/health")
    assert (health["power_failures"], health["reclosings"]) == (3, 2)
    assert health["watchdog_resets"] == 0
    assert health["problems"] == []


@pytest.mark.row("ERR-09", "NOP-14")
def test_a_processor_that_hangs_is_reset_and_says_so(start_meter):
    meter = start_meter("--rate", "0")
    advance(meter, 15)
    meter.post("/api/chip", chip="processor", fault="hang", ms=60000)
    advance(meter, 10)
    health = meter.get("/api/health")
    assert (health["boots"], health["watchdog_resets"]) == (2, 1)
    assert value(meter, "0.0.128.0.10.255") == 1
    assert value(meter, "0.0.97.97.0.255") & 0x1000
    assert value(meter, "0.0.96.11.0.255") == 15


@pytest.mark.row("NOP-01", "NOP-02", "NOP-03", "OPT-13")
def test_a_key_held_for_four_seconds_opens_the_meter_without_mains(start_meter):
    meter = start_meter("--rate", "0")
    meter.post("/api/mains", phases=[{"i": 20, "phi_deg": 0}] * 3)
    advance(meter, 60)
    energy = value(meter, "1.0.1.8.0.255")
    assert energy > 0
    meter.post("/api/supply", on=False)
    advance(meter, 60)
    assert meter.get("/api/state")["powered"] is False
    meter.post("/api/key", key="scroll", ms=2000)
    advance(meter, 5)
    assert meter.get("/api/state")["powered"] is False
    meter.post("/api/key", key="scroll", ms=4500)
    advance(meter, 5)
    state = meter.get("/api/state")
    assert (state["powered"], state["supply"]) == (True, False)
    assert state["lcd"]["backlight"] is True
    assert "8" in state["lcd"]["value"]  # the test of all segments
    # over TCP nobody answers, at the optical head as always; the energies stand still
    with pytest.raises(OSError, match=r"refused|reset|timed out"):
        Socket(meter.ports["cosem"])
    frozen = []
    for secret in ("wrong-one", SECRET):
        wire = Socket(meter.ports["optical"])
        try:
            gurux = Gurux(wire, MANAGEMENT, secret, hdlc=True)
            if secret != SECRET:
                with pytest.raises(Exception, match=r"."):
                    gurux.connect()
                continue
            gurux.connect()
            frozen.append(gurux.read(item("1.0.1.8.0.255"), 2))
            advance(meter, 10)
            frozen.append(gurux.read(item("1.0.1.8.0.255"), 2))
        finally:
            wire.close()
    assert frozen == [frozen[0]] * 2
    assert frozen[0] >= energy
    advance(meter, 14)
    assert meter.get("/api/state")["powered"] is True  # the session kept it awake
    advance(meter, 2)
    assert meter.get("/api/state")["powered"] is False
    meter.post("/api/supply", on=True)
    advance(meter, 5)
    assert value(meter, "0.0.128.92.1.255") in (30, 40)
    assert value(meter, "0.0.96.7.0.255") == 1


@pytest.mark.row("OPT-13")
def test_without_a_battery_nobody_reads_without_mains(start_meter):
    meter = start_meter("--rate", "0")
    advance(meter, 15)
    meter.post("/api/battery", present=False)
    meter.post("/api/supply", on=False)
    advance(meter, 10)
    meter.post("/api/key", key="scroll", ms=4500)
    advance(meter, 5)
    assert meter.get("/api/state")["powered"] is False
    with pytest.raises(TimeoutError):
        sign_on(meter)
    meter.post("/api/supply", on=True)
    advance(meter, 5)
    assert sign_on(meter) == b"/"


@pytest.mark.row("NOP-15")
def test_one_phase_of_58_v_is_enough(start_meter):
    meter = start_meter("--rate", "0")
    meter.post("/api/supply", on=True, source="phases")
    phases = [{"u": 0, "i": 0}, {"u": 58, "i": 5, "phi_deg": 0}, {"u": 0, "i": 0}]
    meter.post("/api/mains", phases=phases)
    advance(meter, 30)
    assert meter.get("/api/health")["boots"] == 1
    meter.post("/api/supply", on=False)
    advance(meter, 30)
    meter.post("/api/supply", on=True)  # it also starts with that
    advance(meter, 30)
    now = meter.get("/api/quantities")
    assert now["u"] == pytest.approx([0, 58, 0], abs=0.1)
    assert now["p_total"] == pytest.approx(290, rel=2e-3)
    assert value(meter, "1.0.52.7.0.255") == pytest.approx(5800, abs=10)
    meter.post("/api/mains", phases=[None, {"u": 20}])
    advance(meter, 1)
    assert meter.get("/api/state")["powered"] is False
    meter.post("/api/mains", phases=[None, None, {"u": 230}])
    advance(meter, 5)
    assert meter.get("/api/state")["powered"] is True


@pytest.mark.parametrize("chip", ["fram", "flash", "rtc", "adc", "lcd"])
def test_a_dead_chip_stops_nobody(start_meter, chip):
    """Dead while it runs and dead at a start: it answers, says so, and takes up the chip again."""
    meter = start_meter("--rate", "0")
    advance(meter, 15)
    meter.post("/api/chip", chip=chip, fault="dead")
    advance(meter, 30)
    assert value(meter, "1.0.32.7.0.255") is not None
    meter.post("/api/supply", on=False)
    advance(meter, 30)
    meter.post("/api/supply", on=True)
    advance(meter, 30)
    assert meter.get("/api/state")["firmware"] == "running"
    # without its passwords a meter opens to the public client alone
    name = "0.0.42.0.0.255" if chip == "fram" else "1.0.32.7.0.255"
    assert value(meter, name, chip == "fram") is not None
    if chip in ("fram", "flash", "adc"):
        assert meter.get("/api/health")["problems"], chip
    if chip != "fram":  # where the error registers live, too
        bits = {"flash": 0x400, "rtc": 0x1, "adc": 0x800, "lcd": 0}[chip]
        assert value(meter, "0.0.97.97.0.255") & bits == bits
    meter.post("/api/chip", chip=chip, fault="clear")
    advance(meter, 120)
    health = meter.get("/api/health")
    assert health["tasks_silent"] == []
    assert health["watchdog_resets"] == (1 if chip == "fram" else 0)  # to read all of it anew
    before = meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    advance(meter, 3600)
    assert meter.get("/api/quantities")["energy_wh"]["1.8.0"] > before + 1000
