"""The simulated world: what the bench moves and who feels it."""

import math
import sys
from array import array
from pathlib import Path

import pytest

SIM = str(Path(__file__).resolve().parents[2] / "boards" / "sim")
if SIM not in sys.path:
    sys.path.append(SIM)

from world import World


class Supply:
    """The part of power.Supply that the world uses."""

    def __init__(self):
        self.mains = True
        self.holdup_ms = None
        self.chips = []

    def add(self, chip):
        self.chips.append(chip)

    def on(self):
        self.mains = True

    def off(self, holdup_ms=50):
        self.mains = False
        self.holdup_ms = holdup_ms


class Relay:
    def __init__(self, closed=True):
        self.closed = closed
        self.on_change = None

    def move(self, closed):
        self.closed = closed
        self.on_change(closed)


def rms(world, channel, first=0):
    width = len(world.channels)
    out = array("i", [0] * (width * 80))
    world.samples(out, first, 80)
    codes = out[world.channels.index(channel) :: width]
    scale = world.scale
    lsb = scale.u_pv_per_lsb[0] if channel[0] == "u" else scale.i_pa_per_lsb[0]
    return math.sqrt(sum(code * code for code in codes) / 80) * lsb * 1e-12


@pytest.mark.parametrize("model", ["3ph", "ct", "1ph"])
def test_every_model_measures_its_default_mains(model):
    world = World(model)
    assert rms(world, "u1") == pytest.approx(230, rel=1e-4)
    assert rms(world, "i1") == pytest.approx(5, rel=1e-3)
    assert rms(world, "in") == pytest.approx(5 if model == "1ph" else 0, rel=1e-3, abs=2e-3)


def test_a_change_of_the_mains_reaches_the_converter_and_is_announced_first():
    world = World("3ph")
    seen = []
    world.before_change.append(lambda: seen.append(world.mains.phases[0].u))
    world.set_mains({"phases": [{"u": 200}]})
    assert seen == [230]
    assert rms(world, "u1") == pytest.approx(200, rel=1e-4)
    with pytest.raises(ValueError, match="unknown key"):
        world.set_mains({"phases": [{"u": 100, "x": 1}]})
    assert seen == [230]
    assert rms(world, "u1", 80) == pytest.approx(200, rel=1e-4)


def test_the_disconnector_switches_the_load_and_not_the_voltage():
    world = World("3ph")
    relay = Relay()
    world.attach_disconnector(relay)
    relay.move(False)
    assert rms(world, "i1") < 0.002
    assert rms(world, "u1", 80) == pytest.approx(230, rel=1e-4)
    assert world.to_json()["disconnector"] == "open"
    relay.move(True)
    assert rms(world, "i1", 160) == pytest.approx(5, rel=1e-3)


def test_a_relay_that_was_open_before_leaves_no_load():
    world = World("1ph")
    world.attach_disconnector(Relay(closed=False))
    assert rms(world, "i1") < 0.002
    assert rms(world, "in") < 0.002


def test_a_cut_takes_voltage_and_load_of_every_phase():
    world = World("3ph")
    supply = Supply()
    world.attach_supply(supply)
    world.set_supply(False, 20)
    assert supply.holdup_ms == 20
    for channel in world.channels:
        assert rms(world, channel) < 0.01
    world.set_supply(True)
    assert rms(world, "u2") == pytest.approx(230, rel=1e-4)
    for wrong in (-1, "50", True, math.nan, 1e9):
        with pytest.raises(ValueError, match="holdup_ms"):
            world.set_supply(False, wrong)
        assert supply.mains
    supply.mains = False
    for chip in supply.chips:
        chip.power(False)
    assert rms(world, "u3") < 0.01


def test_frames_that_a_leap_skips_leave_the_wave_where_it_is():
    plain, leaping = World("1ph"), World("1ph")
    plain.set_mains({"f": 49.3})
    leaping.set_mains({"f": 49.3})
    expected, got = array("i", [0] * 60), array("i", [0] * 60)
    plain.samples(expected, 0, 10)
    plain.samples(expected, 10, 20)
    leaping.samples(got, 0, 10)
    leaping.skip(123_457)
    leaping.samples(got, 123_467, 20)
    assert got == expected


def test_lines_follow_what_the_bench_does():
    world = World("3ph")
    levels = {}

    def follow(name):
        world.connect(name, lambda level: levels.update({name: level}))

    for name in ("terminal_cover", "meter_cover", "magnet", "input2", "lock", "battery"):
        follow(name)
    follow("temperature")
    assert levels == {
        "terminal_cover": 0,
        "meter_cover": 0,
        "magnet": 1,
        "input2": 1,
        "lock": 0,
        "battery": 3.6,
        "temperature": 23,
    }
    world.set_cover("terminal", True)
    world.set_magnet(True)
    world.set_input(2, True)
    world.set_input(1, True)
    world.set_battery(True, 2.9)
    world.set_temperature(-10)
    assert levels["terminal_cover"] == 1
    assert levels["meter_cover"] == 0
    assert levels["magnet"] == 0
    assert levels["input2"] == 0
    assert levels["battery"] == 2.9
    assert levels["temperature"] == -10
    world.set_battery(False)
    assert levels["battery"] == 0
    world.set_battery(True)
    assert levels["battery"] == 2.9
    state = world.to_json()
    assert state["covers"] == {"terminal": "open", "meter": "closed"}
    assert state["inputs"] == [True, True, False]
    with pytest.raises(ValueError, match="no line"):
        world.connect("input4", print)


def test_the_parameter_switch_needs_an_open_cover():
    world = World("3ph")
    levels = []
    world.connect("lock", levels.append)
    with pytest.raises(ValueError, match="meter cover"):
        world.set_lock(False)
    assert levels == [0]
    world.set_cover("meter", True)
    world.set_lock(False)
    assert levels == [0, 1]
    world.set_cover("meter", False)
    assert levels == [0, 1, 0]
    assert world.to_json()["locked"] is True


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("set_cover", ("roof", True)),
        ("set_input", (0, True)),
        ("set_input", (4, True)),
        ("set_battery", (True, 5.1)),
        ("set_battery", (True, "3")),
        ("set_temperature", (126,)),
        ("set_supply", (True,)),
    ],
)
def test_wrong_values_change_nothing(name, values):
    world = World("3ph")
    before = world.to_json()
    with pytest.raises(ValueError, match=" "):
        getattr(world, name)(*values)
    assert world.to_json() == before


def test_a_recording_takes_the_place_of_the_mains(tmp_path):
    path = tmp_path / "frames"
    header = (
        '{"format": "frames-1", "rate_hz": 1200.5, "channels": ["u1", "i1"],'
        ' "u_volt_per_lsb": [0.5], "i_ampere_per_lsb": [0.25]'
    )
    path.write_bytes(header.encode() + b"}\n" + bytes(array("i", [1, 2, 3, 4])))
    world = World("1ph", replay_path=str(path))
    assert world.rate_mhz == 1_200_500
    assert world.meter_scale.u_pv_per_lsb == [500_000_000_000]
    assert world.to_json()["replay"] == str(path)
    out = array("i", [9] * 9)
    world.samples(out, 0, 3)
    assert list(out) == [1, 2, 0, 3, 4, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="recording"):
        world.set_mains({"f": 50})
    path.write_bytes(header.encode() + b', "uncalibrated": true}\n' + bytes(8))
    world = World("1ph", replay_path=str(path))
    assert world.scale.u_pv_per_lsb == [500_000_000_000]
    assert world.meter_scale.u_pv_per_lsb == World("1ph").scale.u_pv_per_lsb
