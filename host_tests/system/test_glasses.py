"""Each display of the virtual meter shows what the register says, and the meter lives without."""

import pytest


def item(meter, code):
    """Let time pass until the item is shown; return what the glass says."""
    for _ in range(40):
        shown = meter.get("/api/lcd")
        if shown["code"] == code:
            return shown
        meter.post("/api/advance", seconds=2)
    raise AssertionError(f"{code} is never shown")


@pytest.mark.row("DSP-01")
@pytest.mark.parametrize("glass", ["ssd1306", "ht1621", "ht1622"])
def test_every_glass_shows_the_register(start_meter, glass):
    meter = start_meter("--rate", "0", "--glass", glass, "--heap", "4M")
    assert meter.get("/api/lcd")["glass"] == glass
    assert "8" in meter.get("/api/lcd")["value"]  # the test of all segments
    meter.post("/api/advance", seconds=600)
    shown = item(meter, "1.8.0")
    wh = int(meter.get("/api/quantities")["energy_wh"]["1.8.0"])
    assert shown["value"] == f"{wh // 10 / 100:09.2f}" and shown["unit"] == "kWh"
    assert shown["phases"] == ["L1", "L2", "L3"] and "+P" in shown["flow"]
    assert "T1" in shown["cursors"]
    assert len(shown["rows"]) == 64 and {len(row) for row in shown["rows"]} == {128}
    assert any("#" in row for row in shown["rows"])
    # light: it went out; a key brings it back, and the next item
    assert not shown["backlight"]
    meter.post("/api/key", key="scroll", ms=100)
    meter.post("/api/advance", seconds=1)
    after = meter.get("/api/lcd")
    assert after["backlight"] and after["serial"] > shown["serial"]
    assert after["code"] != shown["code"]
    assert meter.get("/api/health")["problems"] == []


@pytest.mark.parametrize("glass", ["ssd1306", "ht1621"])
def test_a_dead_glass_harms_nothing(start_meter, glass):
    meter = start_meter("--rate", "0", "--glass", glass)
    meter.post("/api/advance", seconds=20)
    meter.post("/api/chip", chip="lcd", fault="dead")
    before = meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    for _ in range(5):
        meter.post("/api/key", key="scroll", ms=100)
        meter.post("/api/advance", seconds=60)
    assert not meter.get("/api/lcd")["value"]
    health = meter.get("/api/health")
    assert health["tasks_failed"] == {} and health["watchdog_resets"] == 0
    assert meter.get("/api/quantities")["energy_wh"]["1.8.0"] > before
    meter.post("/api/chip", chip="lcd", fault="clear")
    meter.post("/api/advance", seconds=30)
    assert meter.get("/api/lcd")["value"]


def test_power_comes_back_to_a_segment_glass(start_meter):
    meter = start_meter("--rate", "0", "--glass", "ht1621")
    meter.post("/api/advance", seconds=20)
    assert any("#" in row for row in meter.get("/api/lcd")["rows"])
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=5)
    assert not meter.get("/api/state")["powered"]
    assert not any("#" in row for row in meter.get("/api/lcd")["rows"])
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=1)
    assert meter.get("/api/lcd")["value"].count("8") == 8  # the test of all segments
