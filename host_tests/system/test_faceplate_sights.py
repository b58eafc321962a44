"""What the faceplate shows, in a browser: scenarios, time, plots, events, several meters."""

import math
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from visitor import until

PLAIN_V = 230


@pytest.fixture
def eyes(bench, window, judged):
    return judged(window(bench).ready())


@pytest.fixture
def calm(bench, eyes):
    """The same, all as at the start, and whatever was before is noted."""
    eyes.to_normal()
    bench.post("/api/advance", seconds=30)
    return eyes


def mains(meter):
    return meter.get("/api/state")["mains"]


def clock_s(meter):
    """Seconds of the day that the meter's clock shows."""
    hours, minutes, seconds = meter.get("/api/state")["time"][11:19].split(":")
    return 3600 * int(hours) + 60 * int(minutes) + int(seconds)


@pytest.mark.parametrize(
    ("name", "watts", "vars_"),
    [
        ("Nothing on", 0, 0),
        ("Kettle", 2000, 0),
        ("Motor", 7190, 5410),
        ("Chargers", 4483, 392),
        ("Solar roof", -6000, 0),
    ],
)
def test_a_load_is_what_it_says(bench, calm, name, watts, vars_):
    eyes = calm
    eyes.tries(name)
    assert eyes.text("message") == "" and mains(bench)["scenario"] is None
    bench.post("/api/advance", seconds=3)
    shown = bench.get("/api/quantities")
    assert shown["p_total"] == pytest.approx(watts, rel=0.01, abs=2)
    assert shown["q_total"] == pytest.approx(vars_, rel=0.01, abs=10)
    # the table, the plot's caption and the phasors say the same
    eyes.sees("measured", f"{shown['p_total']:.1f}")
    eyes.sees("live-p-text", f"{shown['p_total']:.0f} W")


def test_a_household_and_back(bench, eyes):
    eyes.tries("Chargers")
    eyes.tries("Household")
    assert mains(bench)["scenario"] == "household"
    bench.post("/api/advance", seconds=600)

    def power():
        """What the house takes; None if that changed just now, or is nearly nothing."""
        before = mains(bench)["phases"]
        bench.post("/api/advance", seconds=5)
        phases = mains(bench)["phases"]
        assert not any(phase["i_harmonics"] for phase in phases)  # those of the chargers
        watts = sum(p["u"] * p["i"] * math.cos(math.radians(p["phi_deg"])) for p in phases)
        return watts if phases == before and abs(watts) > 50 else None

    wanted = until(power, "a load that stays for some seconds")
    shown = bench.get("/api/quantities")["p_total"]
    assert shown == pytest.approx(wanted, rel=0.03, abs=15) and abs(shown) > 20
    eyes.sees("measured", f"{shown:.1f}")
    eyes.tries("Kettle")
    assert mains(bench)["scenario"] is None


# what is played, which event it leaves after ten seconds; None: it says that there will be none
PLAYED = [
    ("Sag", "Undervoltage (sag), L1"),
    ("Swell", "Overvoltage (swell), L1"),
    ("Burst of dips", None),
    ("Phase lost", "Power failure of a phase, L2"),
    ("Neutral lost", "Missing neutral"),
    ("Phases swapped", "Phase sequence reversed"),
    ("Current reversed", None),
    ("Voltage too high", "Overvoltage (swell), L3"),
    ("Harmonics", None),
    ("Strong magnet", "Strong DC magnetic field"),
    ("Cover off", "Terminal cover removed"),
]


def test_everything_to_break_is_tried_here(eyes):
    offered = eyes.page.locator("#try-disturbances button, #try-faults button").all_inner_texts()
    assert sorted(offered) == sorted([name for name, _ in PLAYED] + ["Power cut"])


@pytest.mark.parametrize(("name", "event"), PLAYED)
def test_what_breaks_is_noted(bench, calm, name, event):
    eyes = calm
    before = bench.get("/api/state")["events_posted"]
    was = mains(bench), bench.get("/api/state")["covers"], bench.get("/api/state")["magnet"]

    def is_done():
        now = bench.get("/api/state")
        return now["disturbed"] or (now["mains"], now["covers"], now["magnet"]) != was

    eyes.tries(name)
    assert is_done()
    bench.post("/api/advance", seconds=10)
    posted = bench.get("/api/state")["events_posted"] - before
    assert eyes.text("message") == ""
    if event is None:
        assert posted == 0
        assert "No event" in eyes.text("tried")
    else:
        eyes.sees("newest", event)
        assert posted > 0 and "No event" not in eyes.text("tried")
    eyes.to_normal()


def test_a_power_cut_is_played(bench, eyes):
    before = bench.get("/api/health")["boots"]
    eyes.tries("Power cut")
    assert not bench.get("/api/state")["supply"]
    eyes.click("+ 1 min")
    eyes.sees("leap-note", "+ 1 min took")
    assert bench.get("/api/state")["firmware"] == "running"
    assert bench.get("/api/health")["boots"] == before + 1
    eyes.sees("newest", "Power up")
    eyes.forgive("503", "net::ERR_")


def test_a_leap_of_a_quarter_of_an_hour(bench, eyes):
    before = clock_s(bench)
    eyes.click("+ 15 min")
    eyes.sees("leap-note", "+ 15 min took")
    assert (clock_s(bench) - before) % 86400 == 900
    eyes.sees("clock", bench.get("/api/state")["time"][11:19])
    assert not eyes.page.locator("#leap-run").is_visible()


def test_the_rate_is_chosen(bench, eyes):
    eyes.click("10 x")
    until(lambda: bench.get("/api/state")["rate"] == 10, "the rate")
    until(lambda: eyes.page.locator("#rates [aria-pressed=true]").inner_text() == "10 x", "told")
    eyes.click("Stop")
    until(lambda: bench.get("/api/state")["rate"] == 0, "time stands still")


def test_a_new_window_is_drawn_whole(bench, visit):
    bench.post("/api/mains", phases=[{"u": PLAIN_V, "i": 5, "phi_deg": 30}] * 3, scenario=None)
    bench.post("/api/advance", seconds=1000)  # a period of the profile
    eyes = visit(bench).ready()
    until(lambda: eyes.colour("wave-u", "--l1") > 100, "the waves, far below")
    until(lambda: eyes.colour("day-plot", "--in") > 20, "the day")
    assert eyes.page.evaluate("scrollY") == 0


def test_plots_are_drawn(bench, eyes):
    eyes.to_normal()
    bench.post("/api/advance", seconds=1000)
    eyes.page.locator("#waves-box").scroll_into_view_if_needed()
    for plot in ("wave-u", "wave-i"):
        for phase in ("--l1", "--l2", "--l3"):
            until(lambda p=plot, c=phase: eyes.colour(p, c) > 100, (plot, phase))
    # a phase that is not asked for is not drawn
    eyes.page.get_by_label("L2", exact=True).uncheck()
    until(lambda: eyes.colour("wave-u", "--l2") == 0, "without L2")
    assert eyes.colour("wave-u", "--l1") > 100
    eyes.page.get_by_label("L2", exact=True).check()
    eyes.page.locator("#day-box").scroll_into_view_if_needed()
    until(lambda: eyes.colour("day-plot", "--in") > 20, "bars of import")
    assert "import" in eyes.text("day-picked")
    eyes.page.locator("#live-p").scroll_into_view_if_needed()
    until(lambda: eyes.colour("live-p", "--ink") > 50, "the power")
    until(lambda: eyes.colour("live-u", "--l3") > 10, "the voltage")


def test_phasors_point_where_they_should(bench, eyes):
    body = {"phases": [{"u": PLAIN_V, "i": 5, "phi_deg": 90}] * 3}
    bench.post("/api/mains", **body)
    bench.post("/api/advance", seconds=2)

    def tips():
        drawn = eyes.page.locator("#phasors path[d^='M0 0L']")
        paths = drawn.evaluate_all("drawn => drawn.map(one => one.getAttribute('d'))")
        return [re.match(r"M0 0L(\S+) (\S+)", path).groups() for path in paths]

    def is_right():
        # U1 up; I1 lags by a quarter: to the right; U2, 120 degrees behind, down to the right
        drawn = tips()
        if len(drawn) != 6:
            return False
        u1, i1, u2 = ([float(number) for number in tip] for tip in drawn[:3])
        return (
            abs(u1[0]) < 1 and u1[1] < -95 and i1[0] > 75 and abs(i1[1]) < 2
        ) and u2 == pytest.approx([86.6, 50], abs=1)

    until(is_right, tips)
    names = eyes.page.locator("#phasors text").all_text_contents()
    assert set(names) == {"U1", "U2", "U3", "I1", "I2", "I3"}
    eyes.to_normal()


def test_harmonics_are_drawn_and_told(bench, eyes):
    eyes.page.locator("#shape").select_option("fifth")
    until(lambda: mains(bench)["phases"][0]["u_harmonics"], "the fifth")
    bench.post("/api/advance", seconds=2)
    eyes.sees("bars-u-text", re.compile(r"order 5 \(250 Hz\), %: L1 (10\.0|9\.9)"))
    eyes.sees("bars-i-text", re.compile(r"order 5 \(250 Hz\), %: L1 (40\.0|39\.9)"))
    assert eyes.colour("bars-u", "--l1") > 20
    # arrow keys lead to the other orders
    eyes.page.locator("#bars-u").focus()
    eyes.page.keyboard.press("ArrowRight")
    eyes.sees("bars-u-text", "order 6 (300 Hz)")
    assert eyes.page.locator("#bars-u").get_attribute("aria-valuenow") == "6"
    eyes.to_normal()


def test_events_stand_in_the_list_and_in_the_table(bench, eyes):
    newest = bench.get("/api/events")["events"]
    eyes.sees("newest", newest[0]["text"])
    until(lambda: len(eyes.noted()) == min(6, len(newest)), eyes.noted)
    eyes.page.locator("#events-box summary").click()
    eyes.sees("events", newest[0]["text"])
    rows = eyes.page.locator("#events tr")
    until(lambda: rows.count() == len(newest), rows.all_inner_texts)
    eyes.page.locator("#ports-box summary").click()
    eyes.sees("ports", str(bench.ports["rs485"]))


@pytest.mark.parametrize("value", ["700", "-5", "abc", ""])
def test_a_wrong_number_changes_nothing(bench, eyes, value):
    before = mains(bench)
    number = eyes.page.get_by_label("Voltage of L1 in volts")
    number.focus()
    eyes.page.keyboard.press("Control+A")
    eyes.page.keyboard.type(value or " ")
    eyes.page.keyboard.press("Tab")
    eyes.page.wait_for_timeout(400)
    assert mains(bench) == before


def test_two_meters_side_by_side(bench, visit, start_meter):
    other = start_meter("--model", "1ph", "--rate", "0")
    other.post("/api/advance", seconds=30)
    eyes = visit(bench, "/meters.html", neighbours=[other])
    cards = eyes.page.locator(".card")
    cards.nth(0).wait_for()
    eyes.page.get_by_label("Port of its faceplate").fill(str(other.http))
    eyes.click("Add")
    for card, meter, kind in ((0, bench, "three-phase"), (1, other, "single-phase")):
        rows = meter.get("/api/lcd")["rows"]
        canvas = cards.nth(card).locator("canvas").element_handle()
        until(lambda c=canvas, rows=rows: eyes.glass(c) == rows, kind)
        frame = cards.nth(card).locator(".glass").bounding_box()
        picture = canvas.bounding_box()
        assert picture["height"] <= frame["height"] and picture["width"] > 0.6 * frame["width"]
        cards.nth(card).locator("small", has_text=kind).wait_for()
        cards.nth(card).locator(".said", has_text="kWh").wait_for()
    # the list is kept; the same port twice is told; one where nobody listens too
    eyes.page.reload()
    cards.nth(1).locator("small", has_text="single-phase").wait_for()
    eyes.page.get_by_label("Port of its faceplate").fill(str(other.http))
    eyes.click("Add")
    eyes.sees("message", "shown already")
    eyes.page.get_by_role("link", name=f"Port {other.http}").click()
    eyes.page.locator("#plate-model", has_text="single-phase").wait_for()
    assert eyes.page.locator("#phases fieldset").count() == 1
    eyes.page.go_back()
    assert other.stop() == 0
    cards.nth(1).locator(".said", has_text="No meter answers").wait_for()
    eyes.click(f"Remove the meter at port {other.http}")
    assert cards.count() == 1
    eyes.forgive("net::ERR_")
    eyes.forgive("Access-Control-Allow-Origin")  # the head of an answer cut short by the stop
