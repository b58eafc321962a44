"""Scenes with limits that a client sets, and alarms of the IE system (mains_scenes.py)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from gurux_dlms.enums import DataType
from mains_scenes import ALERT, NORMAL, alarm


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
