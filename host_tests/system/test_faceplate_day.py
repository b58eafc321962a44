"""Today's profile and the calendar's rates, as the faceplate shows them, against a DLMS client."""

import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clients
import pytest
from gurux_dlms.objects import GXDLMSProfileGeneric
from patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
SEASONS = ROOT / "tools" / "tariffs" / "seasons.toml"


@pytest.fixture(scope="module")
def meter(tmp_path_factory):
    """A meter with a calendar, at 11:55 of a workday in winter; its clock keeps UTC."""
    from conftest import VirtualMeter

    meter = VirtualMeter(tmp_path_factory.mktemp("day") / "state", ["--rate", "0"])
    meter.start("--time", "2026-12-18T11:55:00")
    write(meter, SEASONS)
    yield meter
    assert meter.stop() == 0


def write(meter, file):
    command = [sys.executable, str(ROOT / "tools" / "tariff.py"), "write", str(file)]
    subprocess.run([*command, "--port", str(meter.ports["cosem"])], check=True, timeout=300)


def look_at(meter, visit):
    """Open the page once something is measured."""
    meter.post("/api/advance", seconds=2)
    return visit(meter).ready()


def load_profile(meter):
    """(A+, A-) of every row of load profile 1, in Wh."""
    client = clients.Gurux(
        clients.Socket(meter.ports["cosem"]), clients.MANAGEMENT, clients.SECRET
    ).connect()
    profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
    client.read(profile, 3)
    names = [item.logicalName for item, _ in profile.captureObjects]
    at = [names.index(f"1.0.{c}.8.0.255") for c in (1, 2)]
    rows = [[row[n] for n in at] for row in client.read(profile, 2)]
    client.release()
    return rows


def test_today_shows_what_the_profile_has_over_the_rates_of_the_calendar(meter):
    def phases(angle):
        return [{"u": 230, "i": 10, "phi_deg": angle}] * 3

    # nothing flows as a period ends: no window lies in two of them
    for angle, seconds in ((0, 1199), (None, 2), (180, 999)):
        load = [{"i": 0}] * 3 if angle is None else phases(angle)
        meter.post("/api/mains", phases=load)
        meter.post("/api/advance", seconds=seconds)
    today = meter.get("/api/day")
    assert today["date"] == "2026-12-18" and today["length_s"] == 86400
    assert (today["rate"], today["decides"], today["period_s"]) == ("2", "calendar", 900)
    hour = 3600
    assert today["bands"] == [
        [0, 3], [6 * hour, 2], [16 * hour + 1800, 1], [20 * hour, 2], [22 * hour, 3],
    ]  # fmt: skip
    rows = load_profile(meter)
    assert len(rows) == 3  # of 12:00, 12:15 and 12:30
    gained = [[b - a for a, b in zip(old, new)] for old, new in zip(rows, rows[1:])]
    assert [row[2:4] for row in today["rows"][:-1]] == gained
    noon = 12 * hour
    assert [row[:2] for row in today["rows"]] == [
        [noon, noon + 900], [noon + 900, noon + 1800], [noon + 1800, today["now_s"]],
    ]  # fmt: skip
    assert gained[0] == [pytest.approx(6900 / 4, abs=3), 0]
    assert gained[1] == [0, pytest.approx(6900 / 4, abs=3)]
    assert today["rows"][2][3] > 0


def test_without_power_there_is_no_day(meter):
    meter.post("/api/supply", on=False)
    meter.post("/api/advance", seconds=5)
    for path in ("/api/day", "/api/calendar"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(meter.url + path, timeout=PATIENCE_S)
        assert refused.value.code == 503
    meter.post("/api/supply", on=True)
    meter.post("/api/advance", seconds=2)
    assert meter.get("/api/day")["bands"][0] == [0, 3]


def test_the_calendar_is_shown_as_it_was_written_and_changes_with_it(meter):
    found = meter.get("/api/calendar")
    assert (found["name"], found["season"], found["special_day"]) == ("SEASONS-3", "winter", -1)
    assert len(found["days"]) == 4 and len(found["special_days"]) == 45
    assert found["days"][0] == [1, [[0, 3], [21600, 2], [59400, 1], [72000, 2], [79200, 3]]]
    write(meter, SEASONS.with_name("day-night.toml"))
    assert meter.get("/api/calendar")["name"] == "DAY-NIGHT"
    assert meter.get("/api/day")["bands"] == [[0, 2], [21600, 1], [79200, 2]]


def test_the_calendar_is_read_on_the_page(meter, visit):
    write(meter, SEASONS)
    found = meter.get("/api/calendar")
    eyes = look_at(meter, visit)
    eyes.page.locator("#calendar-box summary").first.click()
    eyes.sees("calendar", "SEASONS-3. Season: winter. Today is no special day.")
    box = eyes.page.locator("#calendar")
    days = box.locator(".days tr")
    assert days.count() == len(found["days"])
    strip = days.first.locator(".strip")
    assert strip.get_attribute("aria-label") == (
        "00:00 T3, 06:00 T2, 16:30 T1, 20:00 T2, 22:00 T3"
    )
    assert strip.locator("span").all_inner_texts() == ["T3", "T2", "T1", "T2", "T3"]
    names = [name for name, _, _ in found["seasons"]]
    assert names and all(name in box.inner_text() for name in names)
    assert [name for name, _ in found["weeks"]] == [
        row.locator("th").inner_text()
        for row in box.locator("table").nth(1).locator("tbody tr").all()
    ]
    box.get_by_text("45 special days").click()
    assert box.locator("li").count() == 45
    for path in ("calendar", "state"):  # looked at again, and shown: what was opened stays open
        with eyes.page.expect_response(f"**/api/{path}"):
            pass
    assert box.locator("li").first.is_visible()
    # another calendar takes its place
    write(meter, SEASONS.with_name("day-night.toml"))
    eyes.sees("calendar", "DAY-NIGHT")
    assert box.locator(".days tr").count() == len(meter.get("/api/calendar")["days"])
    # and the day's plot tells its rates
    eyes.sees("day-rates", "T1")
    assert "by the calendar" in eyes.text("day-text")


def test_a_day_with_fewer_periods_is_begun_at_its_newest(meter, visit):
    day = meter.get("/api/day")
    days = {"date": "2026-12-18", "rows": 40}

    def answer(route):
        periods = [[900 * n, 900 * n + 900, 1, 0, 0] for n in range(days["rows"])]
        now_s = 900 * days["rows"]
        route.fulfill(json={**day, "date": days["date"], "now_s": now_s, "rows": periods})

    eyes = look_at(meter, visit)
    eyes.page.route("**/api/day", answer)
    eyes.page.reload()
    plot = eyes.ready().page.locator("#day-plot")
    eyes.sees("day-picked", "09:45 to now")
    plot.focus()
    eyes.page.keyboard.press("PageDown")
    eyes.sees("day-picked", "08:45 to 09:00")
    # the clock is set back: what was picked is not there any more
    days["rows"] = 20
    eyes.sees("day-picked", "04:45 to now")
    eyes.page.keyboard.press("ArrowLeft")
    eyes.sees("day-picked", "04:30 to 04:45")
    # midnight passes: the period of yesterday is left
    days.update(date="2026-12-19", rows=30)
    eyes.sees("day-picked", "07:15 to now")
    # a first period has none before it; the one that follows is gone on to
    days.update(date="2026-12-20", rows=1)
    eyes.sees("day-picked", "00:00 to now")
    eyes.page.keyboard.press("ArrowLeft")
    assert "00:00 to now" in eyes.text("day-picked")
    days["rows"] = 2
    eyes.sees("day-picked", "00:15 to now")
    eyes.page.unroute_all(behavior="wait")
