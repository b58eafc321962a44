"""The look at the faceplate: how a value on the glass is compared with its register."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import browser
import screenshot


@pytest.mark.parametrize(
    ("register_wh", "value", "unit", "same"),
    [
        (123459, "000123.45", "kWh", True),
        (123459, "000123.46", "kWh", False),  # cut, not rounded
        (123459, "000123", "kWh", True),
        (123459, "123459", "Wh", True),
        (123459, "123459", "kWh", False),
        (123459, "", "kWh", False),
        (123459, "--------", "kWh", False),
        (123459, "NaN", "kWh", False),
        (123459, "000123.45", "W", False),
    ],
)
def test_glass_against_register(register_wh, value, unit, same):
    assert screenshot.shown(register_wh, value, unit) is same


def test_a_browser_that_is_named_must_exist(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")
    with pytest.raises(browser.BrowserError, match="no/such/browser"):
        browser.find_browser()


def test_where_no_browser_is_what_needs_one_can_be_left_out(monkeypatch, tmp_path):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(browser.NoBrowserError, match="apt install chromium"):
        browser.find_browser()


def test_an_empty_picture_is_refused(tmp_path):
    image = pytest.importorskip("PIL.Image")
    target = tmp_path / "page.png"
    image.new("RGB", (100, 100), "white").save(target)
    with pytest.raises(screenshot.LookError, match="1 colours"):
        screenshot.check_picture(target)
