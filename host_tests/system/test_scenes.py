"""Scenes: what befalls mains and case, and all that the meter tells of it (mains_scenes.py)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))

import clients
import pytest
import raw_links
from cipher_client import ENERGY, Client
from gurux_dlms import GXDLMSException
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSData, GXDLMSExtendedRegister, GXDLMSRegister
from mains_scenes import ALERT, FRAUD, NORMAL, alarm, gone
from secure_lines import Line
from test_conformance_appl import Rig, next_number

SAG = "1.0.12.31.0.255"
OUT_L1 = "0.0.96.7.11.255"


def test_nothing_happens(stage):
    stage.play("wait 60s")
    assert stage.differences() == {}


@pytest.mark.row("PQL-04", "PQL-08")
def test_a_sag_of_two_seconds(stage):
    stage.play("sag L1 180V 2s")
    expected = {"quality": [76, 85], "sags L1": 1, "sags any": 1, **NORMAL["L1"]}
    assert stage.differences() == expected
    assert stage.value("1.0.32.33.0.255", GXDLMSRegister) == pytest.approx(2000, abs=11)
    assert stage.value("1.0.32.34.0.255", GXDLMSRegister) == pytest.approx(180_000, abs=500)


def test_a_sag_of_half_a_second_is_none(stage):
    stage.play("sag L1 60% 0.5s")
    assert stage.differences() == {}


@pytest.mark.row("PQL-05")
def test_a_swell_of_two_seconds(stage):
    stage.play("swell L1 270V 2s")
    expected = {"quality": [79, 85], "swells L1": 1, "swells any": 1, **NORMAL["L1"]}
    assert stage.differences() == expected
    assert stage.value("1.0.32.38.0.255", GXDLMSRegister) == pytest.approx(270_000, abs=500)


def test_a_swell_of_300_ms_is_none(stage):
    stage.play("swell L2 115% 300ms")
    stage.play("swell L2 120% 300ms")
    assert stage.differences() == {}


@pytest.mark.row("PQL-06")
def test_the_limit_of_sags_moves_sags_only(stage):
    stage.write(SAG, 2200, DataType.UINT16, GXDLMSRegister)
    stage.begin()
    stage.play("""
        sag L1 215V 2s
        swell L2 263V 2s
    """)
    stage.write(SAG, 1840, DataType.UINT16, GXDLMSRegister)
    told = stage.differences()
    assert told.pop("changes") == 1  # setting it back
    assert told.pop("standard") == [47]
    assert told == {"quality": [76, 85], "sags L1": 1, "sags any": 1, **NORMAL["L1"]}


@pytest.mark.row("PQL-07", "PQL-22")
def test_a_phase_that_is_gone_and_stays_away(stage):
    stage.play("load L1 0A 0deg")
    stage.play("sag L1 114V")
    first = {
        "quality": [82],
        "standard": [232],
        "failures L1": 1,
        "failures any": 1,
        "error 2": {8},
        **alarm(2, 2),
        "L1": "off",
        "FF": "on",
    }
    assert stage.differences() == first
    stage.play("sag L1 116V")  # two hundredths more bring it back
    assert stage.differences() == first
    stage.play("normal")
    stage.begin()
    stage.play("sag L1 116V 2s")
    told = stage.differences()
    assert told == {"quality": [76, 85], "sags L1": 1, "sags any": 1, **NORMAL["L1"]}


@pytest.mark.row("PQL-07", "PQL-08")
def test_a_phase_that_goes_and_comes(stage):
    stage.play("cut L2 5s")
    assert stage.differences() == {
        "quality": [83, 86],
        "standard": [233, 236],
        "failures L2": 1,
        "failures any": 1,
        "error 2": {9},
        "alarm 2": {6},
        "descriptor 2": {3, 6},
        "on 2": {3, 6},
        "off 2": {3},
        "FF": "on",
    }


@pytest.mark.row("PQL-19")
def test_two_short_cuts_count_twice_and_their_time_adds_up(stage):
    before = stage.value(OUT_L1, GXDLMSExtendedRegister)
    stage.play("""
        cut L1 5s
        wait 10s
        cut L1 7s
    """)
    told = stage.differences()
    assert (told["failures L1"], told["failures any"]) == (2, 2)
    assert "long failures L1" not in told and "outages" not in told
    assert stage.value("0.0.96.7.11.255", GXDLMSExtendedRegister) - before == pytest.approx(
        12 - 2, abs=2
    )


def test_a_burst_of_dips_is_no_event_but_leaves_its_waves(stage):
    first = max([one["number"] for one in stage.meter.get("/api/quality")["records"]] or [-1])
    stage.play("burst 5 20ms 200ms")
    assert stage.differences() == {}
    newest = stage.meter.get("/api/quality")["records"][0]
    assert newest["number"] > first
    assert newest["worst_v"] < 184


@pytest.mark.row("PQL-09", "FRD-17")
def test_an_asymmetry_of_ten_minutes(stage):
    """L1 lies 4 % above the mean of the three."""
    stage.play("swell L1 106.2% 1200s")
    told = stage.differences()
    levels = {name: told.pop(name) for name in list(told) if name.startswith("level")}
    assert sum(levels.values()) >= 4  # of each phase and any
    assert told == {"quality": [90], "error 2": {4}, **alarm(2, 9), "FF": "on"}
    stage.begin()
    told = stage.differences()
    assert told == {}


@pytest.mark.row("PQL-11", "FRD-17")
def test_a_lost_neutral(stage):
    stage.play("neutral lost")
    told = stage.differences()
    assert sorted(told.pop("quality")) == [76, 80, 81]  # a swell may show a half cycle before
    assert told == {
        "standard": [89],
        "sags L1": 1,
        "sags any": 1,
        "swells L2": 1,
        "swells L3": 1,
        "swells any": 1,
        **alarm(2, 8),
    }


@pytest.mark.row("MET-31", "FRD-17")
def test_phases_that_changed_places(stage):
    stage.play("swap L1 L2")
    blinking = dict.fromkeys(("L1", "L2", "L3"), "blinks")
    assert stage.differences() == {"standard": [88], **alarm(2, 11), **blinking}
    stage.play("normal")
    assert stage.differences() == {"standard": [88], **gone(2, 11)}


@pytest.mark.row("PQL-16", "FRD-17")
def test_a_current_without_voltage(stage):
    stage.play("sag L1 0V")
    stage.play("wait 5s")
    told = stage.differences()
    assert told["quality"] == [82, 228]
    for phase, code in (("L2", 229), ("L3", 230)):
        stage.begin()
        stage.play(f"sag {phase} 0V 8s")
        assert code in stage.differences()["quality"]


@pytest.mark.row("PQL-17")
def test_an_outage_of_100_s_is_short(stage):
    stage.play("supply off 100s")
    failures = {f"failures {column}": 1 for column in ("all", "L1", "L2", "L3", "any")}
    assert stage.differences() == {
        "standard": [1, 2], **failures, "reclosings": 1, **alarm(2, 0, 1)
    }  # fmt: skip


@pytest.mark.row("PQL-17", "PQL-18")
def test_an_outage_of_200_s_is_long(stage):
    stage.play("supply off 200s")
    columns = ("all", "L1", "L2", "L3", "any")
    failures = {f"{kind} {c}": 1 for kind in ("failures", "long failures") for c in columns}
    assert stage.differences() == {
        "standard": [1, 2], "outages": [200], **failures, **alarm(2, 0, 1)
    }  # fmt: skip


@pytest.mark.row("PQL-18", "PQL-21", "EVT-08")
def test_a_phase_is_out_for_200_s_while_the_others_live(stage):
    stage.play("cut L2 200s")
    told = stage.differences()
    assert told.pop("outages") == [pytest.approx(199, abs=1)]
    failures = {f"{kind} {c}": 1 for kind in ("failures", "long failures") for c in ("L2", "any")}
    assert told == {
        "quality": [83, 86],
        "standard": [233, 236],
        **failures,
        "error 2": {9},
        "alarm 2": {6},
        "descriptor 2": {3, 6},
        "on 2": {3, 6},
        "off 2": {3},
        "FF": "on",
    }
    assert stage.value(ALERT) == 0x8F57


@pytest.mark.row("FRD-01", "FRD-05")
def test_the_terminal_cover_is_opened(stage):
    stage.play("cover terminal open 3s")
    expected = {"fraud": [40, 41], "terminal cover": 1, "error 2": {24}, "FF": "on"}
    assert stage.differences() == {**expected, **FRAUD, "off 1": {13}}


@pytest.mark.row("FRD-02")
def test_the_meter_cover_is_opened(stage):
    stage.play("cover meter open 3s")
    expected = {"fraud": [44, 45], "meter cover": 1, "error 2": {25}, "FF": "on"}
    assert stage.differences() == {**expected, **FRAUD, "off 1": {13}}


@pytest.mark.row("FRD-03")
def test_a_magnet_comes_and_goes(stage):
    stage.play("magnet 5s")
    expected = {"fraud": [42, 43], "error 2": {27}, "FF": "on"}
    assert stage.differences() == {**expected, **FRAUD, "off 1": {13}}


@pytest.mark.row("FRD-11")
def test_high_voltage_is_discharged_onto_the_meter(stage):
    stage.play("discharge")
    assert stage.differences() == {"fraud": [218], **FRAUD, "FF": "on"}
    for _ in range(5):  # within a second: one more
        stage.meter.post("/api/discharge")
        stage.pass_time(0.1)
    assert stage.differences() == {"fraud": [218, 218], **FRAUD, "FF": "on"}


@pytest.mark.row("FRD-12")
def test_a_phase_is_bypassed(stage):
    stage.play("bypass 5A 50s")
    assert stage.differences() == {}
    stage.play("bypass 5A 70s")
    assert stage.differences() == {"fraud": [251], **FRAUD, "FF": "on"}


@pytest.mark.row("EVT-07", "FRD-13")
def test_a_field_that_comes_again_within_the_hold_off_is_told_once(stage):
    """42 at 9:00, 43 at 9:01, the field again at 9:14: no entry, 43 at 9:17: one."""
    stage.write("0.0.128.70.1.255", 900)
    stage.begin()
    stage.play("""
        magnet 60s
        wait 780s
        magnet 180s
    """)
    told = stage.differences()
    stage.write("0.0.128.70.1.255", 0)
    assert told["fraud"] == [42, 43, 43]
    times = [moment for moment, _ in stage.log("fraud")[-3:]]
    assert 60 <= (times[1] - times[0]).total_seconds() <= 62
    assert 1020 <= (times[2] - times[0]).total_seconds() <= 1024


@pytest.mark.row("FRD-06", "SEC-20")
def test_three_wrong_passwords(stage):
    for _ in range(3):
        with pytest.raises(GXDLMSException):
            log_in(stage, b"87654321")
    with pytest.raises(GXDLMSException):
        log_in(stage, clients.SECRET)  # for a minute nobody comes in
    stage.play("wait 61s")
    assert stage.differences() == {"fraud": [46], **FRAUD, "FF": "on"}


@pytest.mark.row("FRD-16")
def test_a_parameter_is_set(stage):
    stage.write("0.0.128.70.1.255", 1)
    assert stage.differences() == {"standard": [47], "changes": 1}
    stage.play("wait 60s")
    stage.write("0.0.128.70.1.255", 0)
    assert stage.differences() == {"standard": [47, 47], "changes": 2}


@pytest.mark.row("FRD-15")
def test_a_log_in_at_the_optical_head(stage):
    stage.meter.post("/api/rate", rate=1)
    line = Line(stage.meter, "mode E")
    session = clients.Gurux(
        line.transport, clients.MANAGEMENT, clients.SECRET, hdlc=True, server=line.server
    )
    session.connect().release()
    line.transport.close()
    stage.meter.post("/api/rate", rate=0)
    told = stage.differences()
    assert told == {
        "standard": [53], "communication": [158], "security": [249], **alarm(2, 18)
    }  # fmt: skip


@pytest.mark.row("FRD-15")
def test_a_log_in_from_the_network(stage):
    session = stage.client()
    for kind, e in (("97", 2), ("97", 22), ("196", 2), ("196", 12)):
        stage.put(session, f"0.0.{kind}.98.{e}.255", 0)
    assert session.read(GXDLMSData("0.0.97.98.2.255"), 2) == 0
    session.release()
    stage.play("wait 61s")
    stage.client().release()
    assert stage.value("0.0.97.98.2.255") == stage.value("0.0.97.98.22.255") == 1 << 7


@pytest.mark.row("FRD-07")
def test_a_replayed_request_and_some_with_a_wrong_tag(stage):
    link = raw_links.LINKS["wrapper"](stage.meter, 1)
    client = Client(Rig(link), counter=next_number(stage.meter)).log_in()
    recorded = client.glo(ENERGY)
    assert client.send(recorded)[0] == 0xCC
    client.send(recorded)
    told = stage.differences()
    expected = {"fraud": [50], **FRAUD, "FF": "on"}
    assert told == {**expected, "security": [249, 50]}
    for _ in range(3):  # wrong tags are one event
        wrong = bytearray(client.glo(ENERGY))
        wrong[-1] ^= 1
        client.send(bytes(wrong))
    link.close()
    assert stage.differences() == {**expected, "fraud": [50, 49], "security": [249, 50, 49]}


@pytest.mark.row("FRD-08", "FRD-09")
def test_current_flows_backwards_through_a_meter_of_one_direction(stage):
    set_mode(stage, 0)
    stage.begin()
    stage.play("""
        load L1 1.5A 180deg
        load L2 1.5A 180deg
        load L3 1.5A 180deg
        wait 8s
    """)
    told = stage.differences()
    set_mode(stage, 1)
    assert told["fraud"] == [91]
    assert told["error 2"] == {29, 30, 31}


def log_in(stage, secret):
    wire = clients.Socket(stage.meter.ports["cosem"])
    clients.Gurux(wire, clients.MANAGEMENT, secret).connect()


def set_mode(stage, mode):
    """Set how energy is registered, which only the switch under the cover lets one do."""
    stage.meter.post("/api/cover", cover="meter", open=True)
    stage.meter.post("/api/lock", locked=False)
    stage.pass_time(2)
    stage.write("0.0.128.0.1.255", mode, DataType.ENUM)
    stage.meter.post("/api/cover", cover="meter", open=False)
    stage.pass_time(2)
