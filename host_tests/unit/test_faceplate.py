"""The bench's HTTP calls: their shapes and their refusals."""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent))

import bench_rig
import fields
import timeline
from bench_rig import Thing, boot, post
from faceplate import api, server


@pytest.fixture
def bench():
    return bench_rig.make_bench()


def test_every_call_of_the_contract_is_there():
    assert set(api.GET) == {
        "/api/state",
        "/api/lcd",
        "/api/quantities",
        "/api/waveform",
        "/api/events",
        "/api/day",
        "/api/calendar",
        "/api/ports",
        "/api/health",
        "/api/quality",
    }
    assert set(api.POST) >= {
        "/api/mains",
        "/api/key",
        "/api/cover",
        "/api/magnet",
        "/api/input",
        "/api/lock",
        "/api/battery",
        "/api/supply",
        "/api/advance",
        "/api/rate",
        "/api/snapshot",
        "/api/chip",
    }


def test_quantities_are_si_units_with_full_precision(bench):
    boot(bench)
    answer = api.quantities(bench)
    assert answer["u"] == pytest.approx([230.000001, 231.000002, 232.000003], abs=1e-9)
    assert answer["i"] == pytest.approx([5.000001, 6.000002, 7.000003], abs=1e-9)
    assert answer["p"] == pytest.approx([-1.000001, 2.000002, 3.000003], abs=1e-9)
    assert answer["q"] == pytest.approx([11.000001, -12.000002, 13.000003], abs=1e-9)
    assert answer["s"] == pytest.approx([21.000001, 22.000002, 23.000003], abs=1e-9)
    assert answer["pf"] == pytest.approx([-0.5, 0.866025, 1], abs=1e-9)
    assert answer["f"] == pytest.approx(49.987654, abs=1e-9)
    assert answer["thd_u"] == pytest.approx([1, 2, 3])  # percent
    assert answer["thd_i"][0] == pytest.approx(12.3456)
    assert answer["p_total"] == pytest.approx(4.000004, abs=1e-9)
    energies = answer["energy_wh"]
    assert len(energies) == 12
    assert energies["1.8.0"] == pytest.approx(100.5)
    assert energies["8.8.0"] == pytest.approx(107.5)
    assert energies["15.8.0"] == pytest.approx(110.5)
    assert energies["16.8.0"] == pytest.approx(111.5)
    json.dumps(answer)


def test_state_with_and_without_power(bench):
    state = api.state(bench)
    assert state["time"] == "2000-01-01T00:00:00Z"  # the clock chip's
    boot(bench)
    assert state["events_posted"] is None
    state = api.state(bench)
    assert state["time"] == "2001-01-01T00:00:01Z"
    assert state["events_posted"] == 9
    assert state["uptime_s"] == 7
    assert state["powered"] is True
    assert state["disconnector"] == "closed"
    assert state["relays"] == []
    assert state["leds"] == {"active": 0, "reactive": 0}
    assert state["covers"] == {"terminal": "closed", "meter": "closed"}
    assert state["mains"]["f"] == 50
    assert state["meter"]["serial"] == "00000042"
    assert "rows" not in state["lcd"]
    json.dumps(state)


def test_glass_is_read_again_only_when_it_changed(bench):
    glass = api.lcd(bench)
    assert len(glass["rows"]) == 64
    assert {len(row) for row in glass["rows"]} == {128}
    assert set("".join(glass["rows"])) == {"."}
    assert {"code", "value", "unit", "cursors", "phases", "flow"} <= set(glass)
    serial, rows, _ = bench.glass()
    assert bench.glass()[0] == serial
    assert bench.glass()[1] is rows
    lcd = bench.chips["lcd"]
    lcd.on, lcd.power_control = 1, 7
    lcd.ram[0] = 1
    lcd.writes += 1
    assert bench.glass()[1][0].startswith("#.")
    assert bench.glass()[0] == serial + 1
    lcd.power(False)
    assert bench.glass()[0] == serial + 2
    assert set("".join(bench.glass()[1])) == {"."}


def test_a_meter_without_power_has_no_quantities(bench):
    with pytest.raises(server.NoMeterError, match="no power"):
        api.quantities(bench)
    bench.processor.error = "ValueError: broken"
    with pytest.raises(server.NoMeterError, match="broken"):
        api.quantities(bench)
    assert api.health(bench)["boots"] == 1


def test_ports_tell_their_associations(bench):
    for name in ("cosem", "rs485", "optical"):
        bench.ports[name] = Thing(state=lambda: {"baud": 9600})
    assert api.ports(bench)["cosem"] == {"baud": 9600, "associations": 0}
    boot(bench)
    told = {name: port["associations"] for name, port in api.ports(bench).items()}
    assert told == {"cosem": 3, "rs485": 0, "optical": 1}


def test_keys_are_pressed_and_held(bench):
    key = bench.world.keys["scroll"]
    post(bench, "/api/key", {"key": "scroll", "down": True})
    assert key.down
    post(bench, "/api/key", {"key": "scroll", "down": False})
    assert not key.down
    post(bench, "/api/key", {"key": "scroll", "ms": 500})
    assert key.down
    timeline.pass_us(499_000)
    assert key.down
    timeline.pass_us(2_000)
    assert not key.down
    assert not bench.world.keys["reset"].down


WRONG = [
    ("/api/key", {}),
    ("/api/key", {"key": "scroll"}),
    ("/api/key", {"key": "scroll", "ms": 500, "down": True}),
    ("/api/key", {"key": "scroll", "ms": 0}),
    ("/api/key", {"key": "scroll", "ms": True}),
    ("/api/key", {"key": "scroll", "ms": 1.5}),
    ("/api/key", {"key": "scroll", "down": 1}),
    ("/api/key", {"key": ["scroll"], "down": True}),
    ("/api/key", {"key": "scroll", "down": True, "x": 1}),
    ("/api/cover", {"cover": "terminal"}),
    ("/api/cover", {"cover": "terminal", "open": "true"}),
    ("/api/cover", {"cover": None, "open": True}),
    ("/api/magnet", {}),
    ("/api/magnet", {"on": 1}),
    ("/api/input", {"input": 0, "on": True}),
    ("/api/input", {"input": True, "on": True}),
    ("/api/input", {"input": 1}),
    ("/api/lock", {"locked": False}),
    ("/api/battery", {}),
    ("/api/battery", {"v": 5.1}),
    ("/api/battery", {"present": None}),
    ("/api/battery", {"v": 3, "charge": 1}),
    ("/api/temperature", {"celsius": 200}),
    ("/api/supply", {}),
    ("/api/supply", {"on": False, "holdup_ms": -1}),
    ("/api/supply", {"on": False, "holdup_ms": 1.5}),
    ("/api/supply", {"on": True, "holdup_ms": 5}),
    ("/api/supply", {"on": True, "for_ms": 5}),
    ("/api/supply", {"on": False, "for_ms": 0}),
    ("/api/advance", {}),
    ("/api/advance", {"seconds": float("nan")}),
    ("/api/advance", {"seconds": 1, "until": "2099-12-31T00:00:00"}),
    ("/api/advance", {"until": "tomorrow"}),
    ("/api/advance", {"until": 5}),
    ("/api/advance", {"seconds": 1e12}),
    ("/api/rate", {"rate": "1"}),
    ("/api/rate", {"rate": float("inf")}),
    ("/api/chip", {}),
    ("/api/chip", {"chip": "lcd"}),
    ("/api/chip", {"chip": "lcd", "fault": 3}),
    ("/api/chip", {"chip": "lcd", "fault": "melt"}),
    ("/api/chip", {"chip": "rtc", "fault": "garbage", "register": "x"}),
    ("/api/mains", {"f": "x"}),
    ("/api/mains", {"for_ms": 200}),
    ("/api/mains", {"for_ms": 0, "f": 50}),
    ("/api/mains", {"for_ms": 1.5, "f": 50}),
    ("/api/mains", {"times": 2, "every_ms": 100, "f": 50}),
    ("/api/mains", {"for_ms": 20, "times": 2, "f": 50}),
    ("/api/mains", {"for_ms": 20, "every_ms": 20, "times": 2, "f": 50}),
    ("/api/mains", {"for_ms": 20, "every_ms": 100, "times": 1001, "f": 50}),
    ("/api/mains", {"for_ms": 20, "scenario": "household"}),
    ("/api/mains", {"for_ms": 20, "phases": [{"u": -1}]}),
]


@pytest.mark.parametrize(("path", "body"), WRONG)
def test_wrong_requests_change_nothing(bench, path, body):
    before = bench.world.to_json()
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        post(bench, path, body)
    assert bench.world.to_json() == before
    assert timeline.rate == 1
    assert bench.processor.supply.mains
    assert not bench.world.keys["scroll"].down


def test_time_goes_on_to_a_moment_of_the_world(bench):
    bench.world.epoch_us = 86_400_000_000 - 1_500_000
    assert bench.seconds_until("2000-01-02T00:00:05") == 6.5
    with pytest.raises(ValueError, match="has passed"):
        post(bench, "/api/advance", {"until": "2000-01-01T00:00:00"})


def test_faults_reach_their_chip(bench):
    assert post(bench, "/api/chip", {"chip": "lcd", "fault": "dead"}) == {"ok": True}
    assert bench.chips["lcd"].dead
    post(bench, "/api/chip", {"chip": "lcd", "fault": "clear"})
    assert not bench.chips["lcd"].dead


def test_a_supply_that_is_cut_for_a_time_returns_by_itself(bench):
    supply = bench.processor.supply

    def at(ms):
        while timeline.step(ms * 1000):
            pass
        timeline.interrupted = None  # nothing runs here that would take it
        return supply.mains

    post(bench, "/api/supply", {"on": False, "for_ms": 3000})
    assert not at(2999)
    assert at(3001)
    post(bench, "/api/supply", {"on": False, "for_ms": 3000})
    post(bench, "/api/supply", {"on": False})  # for good
    assert not at(20_000)


def test_supply_battery_and_covers_move_the_world(bench):
    post(bench, "/api/cover", {"cover": "meter", "open": True})
    post(bench, "/api/lock", {"locked": False})
    post(bench, "/api/battery", {"present": False})
    post(bench, "/api/input", {"input": 3, "on": True})
    post(bench, "/api/magnet", {"on": True})
    post(bench, "/api/temperature", {"celsius": 40})
    state = api.state(bench)
    assert state["covers"]["meter"] == "open"
    assert state["locked"] is False
    assert state["battery"] == {"present": False, "v": 3.6}
    assert state["inputs"] == [False, False, True]
    assert state["magnet"] is True
    assert state["temperature_c"] == 40
    post(bench, "/api/battery", {"v": 2.5})
    assert api.state(bench)["battery"] == {"present": True, "v": 2.5}
    post(bench, "/api/supply", {"on": False, "holdup_ms": 0})
    assert api.state(bench)["powered"] is False
    timeline.interrupted = None  # nothing runs here that would take it


class Log:
    """A log whose entries are (UTC, code)."""

    def __init__(self, *entries):
        self.entries = entries
        self.first, self.next = 0, len(entries)
        self.loaded = 0

    def load(self, sequence):
        self.loaded = sequence
        return True

    def row(self):
        utc_s, code = self.entries[self.loaded]
        return (utc_s, 0, 0, code)


def test_events_are_told_in_the_words_of_the_table(bench):
    boot(bench)
    logs = [Log() for _ in range(10)]
    logs[0] = Log((0, 2), (100, 6))
    logs[4] = Log((50, 77))
    logs[7] = Log((60, 240))
    logs[9] = Log((70, 240), (80, 199))
    bench.meter().events = Thing(
        logs=logs, errors=Thing(value=lambda register: register), posted=4, lost=0
    )
    told = api.GET["/api/events"](bench)
    assert [(e["time"][11:19], e["log"], e["code"], e["text"]) for e in told["events"]] == [
        ("00:01:40", "standard", 6, "Clock invalid, found at power-up"),
        ("00:01:20", "prepayment", 199, ""),  # the table has no such code
        ("00:01:10", "prepayment", 240, "Prepayment token failed"),
        ("00:01:00", "firmware", 240, "Image for another meter type"),
        ("00:00:50", "quality", 77, "Undervoltage (sag), L2"),
        ("00:00:00", "standard", 2, "Power up of the whole device"),
    ]
    assert told["errors"] == [0, 1, 2]
    assert api.GET["/api/events"](bench) == told


@given(st.integers(0, 3_155_759_999))
def test_times_are_written_as_iso_8601(utc_s):
    written = (datetime(2000, 1, 1) + timedelta(seconds=utc_s)).isoformat() + "Z"
    assert api.utc_text(utc_s) == written


@pytest.mark.parametrize("body", [b"", None, b"x", b"[]", b"null", b"1", b"\xff\xfe", b'{"a":}'])
def test_a_body_is_a_json_object_or_an_error(body):
    with pytest.raises(ValueError, match="body"):
        api.parse(body)


def test_field_checks_name_the_field():
    with pytest.raises(ValueError, match="ms must be a whole number"):
        fields.as_whole(1.0, 0, 5, "ms")
    with pytest.raises(ValueError, match="ms must lie from 0 to 5"):
        fields.as_whole(6, 0, 5, "ms")
    with pytest.raises(ValueError, match="unknown key b, known are a"):
        fields.check_keys({"b": 1}, ("a",))
    with pytest.raises(ValueError, match="a is missing"):
        fields.check_keys({}, ("a",), 1)
