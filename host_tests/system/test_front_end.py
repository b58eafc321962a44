"""The converter's faults, from outside: detected, counted, told, and the meter measures on."""

import pytest
from clients import MANAGEMENT, SECRET, Gurux, Socket
from conftest import VirtualMeter
from gurux_dlms.objects import GXDLMSData

MEASUREMENT_BIT = 1 << 11


@pytest.fixture(scope="module")
def meter(tmp_path_factory):
    """A meter whose time stands still but for the tests."""
    state = tmp_path_factory.mktemp("front_end") / "state"
    one = VirtualMeter(state, ["--rate", "0", "--detail", "frames"]).start()
    one.post("/api/mains", phases=[{"u": 230, "i": 5, "phi_deg": 60}] * 3)
    one.post("/api/advance", seconds=3)
    yield one
    one.stop()


def health(meter):
    return meter.get("/api/health")


def right(meter):
    """Let a second pass; tell whether power and voltage are what the mains gives."""
    meter.post("/api/advance", seconds=1)
    shown = meter.get("/api/quantities")
    return all(abs(p - 575) < 0.2 for p in shown["p"]) and abs(shown["u"][0] - 230) < 0.01


def fault(meter, name, **more):
    meter.post("/api/chip", chip="adc", fault=name, **more)


def test_wrong_crcs_are_counted_frame_by_frame_and_cost_no_power(meter):
    before = health(meter)
    fault(meter, "crc_error", count=7)
    assert right(meter)
    after = health(meter)
    assert after["frames_wrong"] - before["frames_wrong"] == 7
    assert after["frames_lost"] == before["frames_lost"]
    assert after["problems"] == []


@pytest.mark.parametrize(
    ("name", "more", "seconds"),
    [
        ("crc_error", {"count": 100}, 0.5),  # a slipped clock: every frame is wrong
        ("brown_out", {}, 0.5),  # registers fall back, gains with them
        ("drdy_stuck", {}, 0.7),
        ("dead", {}, 1.3),
    ],
)
def test_a_converter_out_of_step_is_started_anew_and_lost_time_is_counted(
    meter, name, more, seconds
):
    assert right(meter)
    before = health(meter)["frames_lost"]
    energy = meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    fault(meter, name, **more)
    meter.post("/api/advance", seconds=seconds)
    fault(meter, "clear")
    assert right(meter)
    lost = health(meter)["frames_lost"] - before
    assert 0 < lost <= (seconds + 0.5) * 4000
    assert "metering converter: frames are lost" in health(meter)["problems"]
    # what was measured is what was not lost, within two windows: nothing is made up
    gained = meter.get("/api/quantities")["energy_wh"]["1.8.0"] - energy
    assert gained <= 3 * 575 * (seconds + 1 + 0.4) / 3600
    meter.post("/api/advance", seconds=12)
    assert health(meter)["problems"] == []
    assert health(meter)["task_restarts"] == 0
    client = Gurux(Socket(meter.ports["cosem"]), MANAGEMENT, SECRET).connect()
    assert client.read(GXDLMSData("0.0.97.97.0.255"), 2) & MEASUREMENT_BIT


def test_codes_that_stand_still_give_no_energy(meter):
    assert right(meter)
    fault(meter, "stuck")
    meter.post("/api/advance", seconds=2)
    energy = meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    meter.post("/api/advance", seconds=5)
    assert meter.get("/api/quantities")["energy_wh"]["1.8.0"] == pytest.approx(energy, abs=1e-3)
    fault(meter, "clear")
    meter.post("/api/advance", seconds=1)
    assert right(meter)


def test_a_converter_that_stays_silent_shows_nothing_instead_of_old_values(meter):
    assert right(meter)
    fault(meter, "dead")
    meter.post("/api/advance", seconds=4)
    shown = meter.get("/api/quantities")
    assert (shown["u"], shown["p"], shown["p_total"]) == ([0] * 3, [0] * 3, 0)
    fault(meter, "clear")
    assert right(meter)


@pytest.mark.parametrize("more", [{"fault": "nothing"}, {"fault": "crc_error", "count": -1}, {}])
def test_faults_that_a_converter_has_not_are_refused(meter, more):
    with pytest.raises(AssertionError, match=r"^400 .*error"):
        meter.post("/api/chip", chip="adc", **more)
    assert right(meter)


@pytest.mark.row("MET-35")
def test_a_frozen_measuring_unit_is_noticed_and_brought_back_without_a_reset(meter):
    """Only the time of the freeze is not measured: nothing counted is lost, nothing made up."""
    assert right(meter)
    meter.post("/api/advance", seconds=12)
    before = health(meter)
    energy = meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    posted = [entry for entry in meter.get("/api/events")["events"] if entry["code"] == 16]
    meter.post("/api/chip", chip="processor", fault="capture_stops")
    meter.post("/api/advance", seconds=5)
    meter.post("/api/chip", chip="processor", fault="clear")
    after = health(meter)
    lost = after["frames_lost"] - before["frames_lost"]
    assert 2.9 * 4000 < lost < 4.6 * 4000
    assert after["watchdog_resets"] == before["watchdog_resets"]
    assert after["boots"] == before["boots"]
    assert "metering converter: frames are lost" in after["problems"]
    events = [entry for entry in meter.get("/api/events")["events"] if entry["code"] == 16]
    assert len(events) == len(posted) + 1
    assert right(meter)
    gained = meter.get("/api/quantities")["energy_wh"]["1.8.0"] - energy
    measured_s = 6 - lost / 4000
    assert gained * 3600 / (3 * 575) == pytest.approx(measured_s, abs=0.45)  # two windows
