"""Every control of the faceplate does what it says, used as a person does: mains, time, around."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from visitor import until

HERE = Path(__file__).parent
CONTROLS = "a[href], button, input, select, summary, [tabindex='0']"
LABEL = """controls => [...document.querySelectorAll(controls)].map(one =>
  one.id || one.getAttribute("aria-label") || one.innerText)"""
PLACES = """() => ["input-1", "day-box", "f-slider"].map(id =>
  Math.round(document.getElementById(id).getBoundingClientRect().top + scrollY))"""
# The second piece of the next leap waits for the visitor to stop it: no leap is over before
HELD_LEAP = """() => { let pieces = 0; const fetchAtOnce = window.fetch; window.fetch = async (
  ...asked) => {
  if (asked[0] !== "/api/advance" || ++pieces < 2) return fetchAtOnce(...asked);
  window.fetch = fetchAtOnce;
  const stop = document.getElementById("leap-stop");
  await new Promise(done => stop.addEventListener("click", done, {once: true}));
  return fetchAtOnce(...asked);
}; }"""
SLOW_POSTS = """() => { const fetchAtOnce = window.fetch; window.fetch = async (...asked) => {
  if (asked[1].method === "POST") await new Promise(done => setTimeout(done, 200));
  return fetchAtOnce(...asked);
}; }"""
# Which test uses which control, by its id, its label or its words
USED = {
    r"Several meters": "test_two_meters_side_by_side",
    r"help-open|Close help|shortcuts-on": "test_single_keys_of_the_keyboard",
    r"key-(scroll|reset)": "test_a_key_is_worked_from_the_keyboard",
    r"key-both": "test_both_keys_by_one_button",
    r"keep": "test_a_click_holds_where_it_is_asked_to",
    r"Nothing on|Kettle|Motor|Chargers|Solar roof": "test_a_load_is_what_it_says",
    r"Household": "test_a_household_and_back",
    r"Power cut": "test_a_power_cut_is_played",
    r"Sag|Swell|Burst of dips|Voltage too high|Harmonics": "test_what_breaks_is_noted",
    r"(Phase|Neutral) lost|Phases swapped|Current reversed": "test_what_breaks_is_noted",
    r"Strong magnet|Cover off": "test_what_breaks_is_noted",
    r"Back to normal": "test_what_breaks_is_noted",
    r"f-(slider|number)": "test_the_frequency_is_set",
    r"together|dial-.*": "test_a_phase_is_set_alone_or_with_the_others",
    r"(Voltage|Current|Angle) of L.*": "test_a_phase_is_set_alone_or_with_the_others",
    r"shape": "test_harmonics_are_drawn_and_told",
    r"scenario": "test_the_load_is_chosen_from_the_list",
    r"Stop|\d+ x": "test_each_rate_is_chosen",
    r"\+ 15 min": "test_a_leap_of_a_quarter_of_an_hour",
    r"\+ 1 (min|h)": "test_short_leaps",
    r"\+ 1 day|leap-stop": "test_a_day_is_stopped_in_its_middle",
    r"Midnight|Month end": "test_the_battery_is_out_at_midnight_and_the_glass_says_so",
    r"cover-.*|magnet|lock": "test_covers_and_magnet_stay_as_they_are_put",
    r"input-.": "test_inputs_are_switched",
    r"supply": "test_power_goes_and_comes_back",
    r"battery": "test_the_battery_is_out_at_midnight_and_the_glass_says_so",
    r"Today.*|day-plot": "test_the_periods_of_today_are_gone_through",
    r"Calendar in force|\d+ special days": "test_the_calendar_is_read_on_the_page",
    r"Waveform.*|L[123]": "test_plots_are_drawn",
    r"bars-[ui]": "test_harmonics_are_drawn_and_told",
    r"Power quality.*|quality-record": "test_a_sag_is_seen_in_the_quality_section",
    r"All events|Ports": "test_events_stand_in_the_list_and_in_the_table",
    # tables that scroll take the focus, so that arrow keys move them
    r"Weeks by EN 50160|Events": "test_every_control_is_reached_by_the_tab_key",
}


@pytest.fixture
def eyes(bench, window, judged):
    eyes = judged(window(bench).ready())
    eyes.to_normal()
    return eyes


def mains(meter):
    return meter.get("/api/state")["mains"]


def phases(meter, key):
    return [phase[key] for phase in mains(meter)["phases"]]


def typed(eyes, box, text):
    """Type into a field as a person does, and leave it."""
    box.focus()
    eyes.page.keyboard.press("Control+A")
    eyes.page.keyboard.type(text)
    eyes.page.keyboard.press("Tab")


def test_no_control_is_left_without_a_test(eyes):
    known = "\n".join(path.read_text() for path in HERE.glob("test_faceplate_*.py"))
    for test in USED.values():
        assert f"def {test}(" in known, test
    eyes.page.locator("#bars-u").wait_for()
    names = [name for name in eyes.page.evaluate(LABEL, CONTROLS) if name]
    assert len(names) > 70
    unused = [n for n in names if not any(re.fullmatch(pattern, n) for pattern in USED)]
    assert unused == []


def test_the_frequency_is_set(bench, eyes):
    typed(eyes, eyes.page.get_by_label("Frequency in hertz"), "49.2")
    until(lambda: mains(bench)["f"] == 49.2, "by number")
    bench.post("/api/advance", seconds=3)
    assert bench.get("/api/quantities")["f"] == pytest.approx(49.2, abs=0.01)
    eyes.sees("sums", re.compile(r"49\.(19\d|20\d)"))
    slider = eyes.page.locator("#f-slider")
    slider.focus()
    for _ in range(3):
        eyes.page.keyboard.press("ArrowRight")
    until(lambda: 49.2 < mains(bench)["f"] < 49.24, "by the slider")


def test_a_phase_is_set_alone_or_with_the_others(bench, eyes):
    eyes.page.locator("#together").check()
    for key, name, values in (
        ("u", "Voltage of L2 in volts", ("217", "198")),
        ("i", "Current of L3 in amperes", ("2.5", "31")),
        ("phi_deg", "Angle of L1 in degrees, positive lags", ("-45", "60")),
    ):
        at = int(name.split(" of L")[1][0]) - 1
        box = eyes.page.get_by_label(name)
        eyes.page.locator("#together").check()
        typed(eyes, box, values[0])
        until(lambda k=key, v=values: phases(bench, k) == [float(v[0])] * 3, name)
        eyes.page.locator("#together").uncheck()
        typed(eyes, box, values[1])
        wanted = [float(values[0])] * 3
        wanted[at] = float(values[1])
        until(lambda k=key, w=wanted: phases(bench, k) == w, (name, wanted))
        # the slider of the same phase, by the keyboard
        before = phases(bench, key)[at]
        eyes.page.locator(f"#dial-{key}-{at}").focus()
        eyes.page.keyboard.press("ArrowLeft")
        until(lambda k=key, n=at, b=before: phases(bench, k)[n] < b, name)
    bench.post("/api/advance", seconds=3)
    shown, set_to = bench.get("/api/quantities"), mains(bench)["phases"]
    assert shown["u"] == pytest.approx([phase["u"] for phase in set_to], rel=0.002)
    assert shown["i"] == pytest.approx([phase["i"] for phase in set_to], rel=0.002)


def test_the_load_is_chosen_from_the_list(bench, eyes):
    eyes.page.locator("#scenario").select_option("household")
    until(lambda: mains(bench)["scenario"] == "household", "the household")
    eyes.page.locator("#shape").select_option("rectifier")
    until(lambda: mains(bench)["phases"][0]["i_harmonics"], "the rectifier")
    assert mains(bench)["scenario"] == "household"
    eyes.page.locator("#scenario").select_option("")
    until(lambda: mains(bench)["scenario"] is None, "steady")


def test_each_rate_is_chosen(bench, eyes):
    for name in ("1 x", "60 x", "600 x", "10 x", "Stop"):
        eyes.click(name)
        rate = 0 if name == "Stop" else int(name.split()[0])
        until(lambda r=rate: bench.get("/api/state")["rate"] == r, name)
    pressed = eyes.page.locator("#rates [aria-pressed=true]")
    until(lambda: pressed.all_inner_texts() == ["Stop"], pressed.all_inner_texts)


def test_short_leaps(bench, eyes):
    for name, seconds in (("+ 1 min", 60), ("+ 1 h", 3600)):
        before = bench.get("/api/state")["uptime_s"]
        eyes.click(name)
        eyes.sees("leap-note", f"{name} took")
        assert bench.get("/api/state")["uptime_s"] - before == pytest.approx(seconds, abs=1)


def test_a_day_is_stopped_in_its_middle(bench, eyes):
    before = bench.get("/api/state")["uptime_s"]
    places = [eyes.page.evaluate(PLACES)]
    eyes.page.evaluate(HELD_LEAP)
    eyes.click("+ 1 day")
    eyes.page.locator("#leap-stop").wait_for()
    places.append(eyes.page.evaluate(PLACES))
    eyes.click("Stop the leap")
    eyes.sees("leap-note", "Stopped after")
    places.append(eyes.page.evaluate(PLACES))
    assert places[0] == places[1] == places[2]  # nothing moves away under a pointer
    assert 0 < bench.get("/api/state")["uptime_s"] - before < 86400
    assert eyes.page.get_by_role("button", name="+ 1 day").is_enabled()


def test_inputs_are_switched(bench, eyes):
    for number in range(3):
        wanted = [False] * 3
        for on in (True, False):
            wanted[number] = on
            eyes.page.locator(f"#input-{number + 1}").click()
            until(lambda w=wanted: bench.get("/api/state")["inputs"] == w, wanted)
            until(lambda n=number, on=on: eyes.pressed(f"input-{n + 1}") == on, "drawn")


def test_no_click_is_lost_on_a_slow_meter(bench, eyes):
    asked = []
    eyes.page.on("request", lambda one: asked.append(one) if one.method == "POST" else None)
    eyes.page.evaluate(SLOW_POSTS)
    eyes.click("Back to normal")
    for _ in range(3):
        eyes.page.locator("#input-1").click()
    eyes.page.locator("#cover-terminal").click()
    is_open = False
    while not is_open:  # what was asked before the clicks is not shown after them
        is_open = bench.get("/api/state")["covers"]["terminal"] == "open"
        assert eyes.pressed("input-1") and eyes.pressed("cover-terminal")
    told = [(one.url.rpartition("/")[2], one.post_data_json) for one in asked]
    assert told[-4:-1] == [("input", {"input": 1, "on": on}) for on in (True, False, True)]
    assert [name for name, _ in told[:-4]].count("input") == 3  # of "Back to normal"
    assert bench.get("/api/state")["inputs"] == [True, False, False]
    eyes.page.reload()
    eyes.ready().to_normal()


def test_the_box_of_all_phases_stays_as_the_visitor_puts_it(bench, eyes):
    together = eyes.page.locator("#together")
    together.uncheck()
    typed(eyes, eyes.page.get_by_label("Voltage of L2 in volts"), "200")
    together.check()
    until(lambda: phases(bench, "u") == [230, 200, 230], "one phase")
    for _ in range(3):  # what the page is told of it
        with eyes.page.expect_response(lambda answer: answer.url.endswith("/api/state")):
            pass
    assert together.is_checked()
    # somebody else sets them apart: the next touch of a slider shall not level them
    bench.post("/api/mains", phases=[{"u": 210}])
    until(lambda: not together.is_checked(), "phases apart")


@pytest.mark.row("DSP-31")
def test_the_battery_is_out_at_midnight_and_the_glass_says_so(bench, eyes):
    bench.post("/api/advance", seconds=5)
    assert bench.get("/api/lcd")["icons"] == {}
    eyes.page.locator("#battery").click()
    until(lambda: not bench.get("/api/state")["battery"]["present"], "the battery out")
    until(lambda: eyes.pressed("battery"), "drawn")
    eyes.click("Midnight")  # it is tested once a day
    eyes.sees("leap-note", "Midnight took")
    today = bench.get("/api/day")
    assert today["length_s"] - today["now_s"] == 5
    bench.post("/api/advance", seconds=10)
    shown = []
    for _ in range(4):
        shown.append(bench.get("/api/lcd")["icons"])
        bench.post("/api/advance", seconds=0.5)
    assert shown == [{"battery": "flat"}] * 4  # it lasts: nothing is left of it
    rows = bench.get("/api/lcd")["rows"]
    until(lambda: eyes.glass() == rows, "the same on the page")
    eyes.page.locator("#battery").click()
    until(lambda: bench.get("/api/state")["battery"]["present"], "the battery in")
    eyes.page.evaluate(HELD_LEAP)
    eyes.click("Month end")
    eyes.click("Stop the leap")
    eyes.sees("leap-note", "Stopped after")
    assert eyes.page.get_by_role("button", name="Midnight").is_enabled()


def test_the_periods_of_today_are_gone_through(bench, eyes):
    bench.post("/api/advance", seconds=2000)
    today = bench.get("/api/day")
    assert len(today["rows"]) > 2
    eyes.page.reload()  # what the page knew was the day before, perhaps
    plot = eyes.ready().page.locator("#day-plot")
    plot.scroll_into_view_if_needed()
    eyes.sees("day-picked", "now,")
    plot.focus()
    eyes.page.keyboard.press("ArrowLeft")
    until(lambda: "now," not in eyes.text("day-picked"), "the period before")
    second = eyes.text("day-picked")
    assert plot.get_attribute("aria-valuetext") == second
    eyes.page.keyboard.press("Home")
    first = eyes.text("day-picked")
    # by the mouse, where the first period is drawn
    row, box = today["rows"][0], plot.bounding_box()
    share = (row[0] + row[1]) / 2 / today["length_s"]
    eyes.page.keyboard.press("End")
    for inset in (44, 52, 36):
        eyes.page.mouse.click(
            box["x"] + inset + share * (box["width"] - inset - 8), box["y"] + box["height"] / 2
        )
        if eyes.text("day-picked") == first:
            break
    assert "import" in eyes.text("day-picked")


def test_a_sag_is_seen_in_the_quality_section(bench, eyes):
    box = eyes.page.locator("#quality-box")
    if box.get_attribute("open") is None:
        box.locator("summary").click()
    eyes.sees("quality-weeks", "Verdict")
    for name in ("Sag", "Swell"):
        eyes.tries(name)
        assert bench.get("/api/state")["disturbed"], name
        bench.post("/api/advance", seconds=5)
    found = bench.get("/api/quality")
    kinds = [one["kind"] for one in found["records"]]
    assert {"sag", "swell"} <= set(kinds)
    choice = eyes.page.locator("#quality-record")
    choice.scroll_into_view_if_needed()
    numbers = [str(one["number"]) for one in found["records"]]
    offered = "choice => [...choice.options].map(one => one.value)"
    until(lambda: choice.evaluate(offered) == numbers, "the list")
    for kind in ("sag", "swell"):
        record = found["records"][kinds.index(kind)]
        choice.select_option(str(record["number"]))
        wanted = f"{kind} of {record['phase']}, {record['worst_v']:.1f} V"
        eyes.sees("dip-u-text", wanted)
        for plot in ("dip-u", "dip-i"):
            until(lambda p=plot: eyes.colour(p, "--l1") > 50, plot)
    # the weeks, as the meter has them
    week = found["weeks"][0]
    assert week["sags"] > 0 and week["swells"] > 0
    eyes.sees("quality-weeks", f"{week['sags']}, {week['swells']}, {week['interruptions']}")
    cells = box.locator("tr", has_text="Ten-minute means").locator("td")
    means = [str(one["means"]) for one in found["weeks"]]
    until(lambda: cells.all_inner_texts() == means, cells.all_inner_texts)
    verdict = box.locator("tr", has_text="Verdict").locator("td").first.inner_text()
    assert verdict.startswith("bad" if week["bad"] else "good") or not week["means"]
