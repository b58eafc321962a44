"""Scenes with limits that a client sets, and alarms of the IE system (mains_scenes.py)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from gurux_dlms import GXByteBuffer
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSRegister, GXDLMSRegisterMonitor
from mains_scenes import ALERT, FRAUD, NORMAL, Stage, alarm


@pytest.mark.row("PQL-10", "ALM-06")
def test_unbalanced_loads_without_a_current_in_the_neutral(stage):
    stage.write("1.0.96.245.1.255", 0, DataType.UINT8)  # the IE system, from the next start on
    stage.play("supply off 5s")
    stage.begin()
    script = """
        load L1 10A 0deg
        load L2 10A 60deg
        load L3 0A 0deg
        wait 5s
    """  # between L1 and L2
    stage.play(script)
    told = stage.differences()
    stage.write("1.0.96.245.1.255", 1, DataType.UINT8)
    stage.play("supply off 5s")
    assert {name: bits for name, bits in told.items() if not name.startswith("+")} == alarm(2, 8)
    stage.begin()
    stage.play(script)
    told = stage.differences()
    assert [name for name in told if not name.startswith("+")] == []


@pytest.mark.row("PQL-13")
def test_an_extreme_undervoltage_is_an_alert(stage):
    stage.threshold(63, 1950, 5)
    stage.begin()
    stage.play("sag L3 194V 4s")
    assert stage.differences() == {}
    stage.play("sag L3 194V 6s")
    assert stage.value(ALERT) == 0x8028
    assert stage.value("0.0.128.7.67.255") == 1
    stage.play("wait 5s")
    assert stage.differences() == {"quality": [84, 87], **NORMAL["L3"]}
    stage.threshold(63, 0, 5)


@pytest.mark.row("PQL-14")
def test_frequency_and_current_beyond_their_thresholds(stage):
    for e, limit in ((74, 5050), (75, 4950), (76, 600)):
        stage.threshold(e, limit, 10)
    stage.begin()
    stage.play("frequency 50.6Hz 12s")
    stage.play("wait 12s")
    stage.play("frequency 49.4Hz 12s")
    stage.play("wait 12s")
    stage.play("load L2 61A 30deg 12s")
    assert stage.differences() == {"quality": [216, 219, 217, 219, 221, 225]}
    for e in (74, 75, 76):
        stage.threshold(e, 0, 10)


@pytest.mark.row("PQL-15")
def test_the_power_factor_falls_below_its_limit_and_comes_back(stage):
    for e, value in ((81, 10), (80, 800)):
        stage.write(f"0.0.128.7.{e}.255", value, DataType.UINT16, GXDLMSRegister)
    stage.begin()
    loads = "\n".join(f"load {phase} 5A %ddeg" for phase in ("L1", "L2", "L3"))
    stage.play(loads % (60, 60, 60))
    stage.play("wait 5s")
    assert stage.differences() == {"quality": [214]}  # looking took more than ten seconds
    stage.play("load L1 5A 18deg 5s")  # one phase is not the whole
    assert stage.differences() == {"quality": [214]}
    stage.play(loads % (18, 18, 18))
    stage.play("wait 9s")
    assert stage.differences() == {"quality": [214, 215]}
    stage.write("0.0.128.7.80.255", 0, DataType.UINT16, GXDLMSRegister)


class Actions(GXDLMSRegisterMonitor):
    """gurux encodes attribute 4 as a structure; it is an array of pairs (Blue Book, 4.5.11)."""

    def getValue(self, settings, e):  # noqa: N802 - gurux's name
        pair = b"\x02\x02\x02\x02\x09\x06" + self.table + b"\x12\x00" + bytes((self.script,))
        return GXByteBuffer(b"\x01\x01" + pair + b"\x02\x02\x09\x06" + bytes(6) + b"\x12\0\0")


def test_the_monitor_of_a_descriptor_runs_its_script(stage):
    """Row ALM-04 but for the push: a new bit of descriptor 1 ends the billing period."""

    def choose(table, script):
        monitor = Actions("0.0.16.1.0.255")
        monitor.table, monitor.script = bytes(table), script
        session = stage.client()
        session.write(monitor, 4)
        session.release()

    choose((0, 0, 10, 0, 1, 255), 1)
    stage.begin()
    stage.play("cover terminal open")
    told = stage.differences()
    assert told.pop("standard") == [223, 231]
    expected = {"fraud": [40], "terminal cover": 1, "error 2": {24}, "FF": "on"}
    assert {name: told[name] for name in expected} == expected
    assert {name: told[name] for name in FRAUD} == FRAUD
    stage.meter.post("/api/cover", cover="terminal", open=False)
    choose((0, 0, 10, 0, 108, 255), 5)  # as it comes from the factory


@pytest.mark.row("PQL-12")
def test_a_week_with_a_tenth_of_its_means_too_low(start_meter):
    """It begins on its Sunday: 11 hours of ten minutes are 66 means."""
    stage = Stage(start_meter("--rate", "0", "--fresh", "--time", "2026-03-08T11:50:00"))
    stage.begin()
    stage.play("wait 6h")
    stage.play("sag L1 205V 20m")  # 2 of 66 are within the 5 %
    stage.play("sag L2 205V 70m")  # 7 are not
    stage.play("sag L3 194V 21m")  # one below 85 % is bad however few they are
    assert {92, 93, 94}.isdisjoint(stage.differences()["quality"])
    moment = "2026-03-09T00:10:00"
    stage.meter.post("/api/advance", until=moment)
    told = stage.differences()["quality"]
    assert [code for code in told if code in (92, 93, 94)] == [93, 94]
    assert [code for code in told if code < 90] == []
