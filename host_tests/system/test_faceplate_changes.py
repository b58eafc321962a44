"""What the faceplate shows as the meter changes under it, or answers late: never what is gone."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from visitor import until


@pytest.fixture
def eyes(bench, visit):
    return visit(bench).ready()


def sag(number):
    """What the meter tells of a record, as GET /api/quality has it."""
    return {
        "number": number,
        "time": f"2027-03-01T22:00:{number:02}.00Z",
        "kind": "sag",
        "phase": "L1",
        "worst_v": 100.0 + number,
    }


def wave(route):
    """Answer POST /api/snapshot."""
    number = route.request.post_data_json["number"]
    curves = [[0, 300, 0, -300, 0]] * 3
    route.fulfill(json={**sag(number), "t_ms": [0, 5, 10, 15, 20], "u": curves, "i": curves})


def looked(eyes):
    """Let the page look at the meter once from now on: at the second look the first is shown."""
    for _ in range(2):
        with eyes.page.expect_request("**/api/state"):
            pass


def asked(eyes, held):
    """Wait until the page has asked for what is held."""
    until(lambda: eyes.text("link") and held, "a request")  # a word with the page lets them in


def test_a_disturbance_stays_picked_as_others_come(bench, eyes):
    whole = bench.get("/api/quality")
    kept = [2, 1, 0]
    eyes.page.route(
        "**/api/quality",
        lambda route: route.fulfill(json={**whole, "records": [sag(n) for n in kept]}),
    )
    eyes.page.route("**/api/snapshot", wave)
    eyes.page.locator("#quality-box summary").click()
    choice = eyes.page.locator("#quality-record")
    first = "choice => choice.options.length && choice.options[0].value"
    eyes.sees("dip-u-text", "102.0 V")  # the newest
    kept[:] = [3, 2, 1, 0]
    eyes.sees("dip-u-text", "103.0 V")  # and the next
    choice.select_option("1")
    eyes.sees("dip-u-text", "101.0 V")
    kept[:] = [5, 4, 3, 2, 1]
    until(lambda: choice.evaluate(first) == "5", "the list")
    looked(eyes)
    assert choice.input_value() == "1" and "101.0 V" in eyes.text("dip-u-text")
    kept[:] = [6, 5, 4, 3, 2]  # it was the oldest
    eyes.sees("dip-u-text", "106.0 V")
    assert choice.input_value() == "6"
    kept[:] = [7, 6, 5, 4, 3]
    eyes.sees("dip-u-text", "107.0 V")
    assert eyes.colour("dip-u", "--l3") > 50
    kept.clear()  # the meter was reset
    until(lambda: eyes.text("dip-u-text") == "Voltage", lambda: eyes.text("dip-u-text"))
    assert eyes.colour("dip-u", "--l3") == 0


def test_the_wave_is_that_of_the_disturbance_picked_last(bench, eyes):
    whole, late = bench.get("/api/quality"), []
    records = [sag(n) for n in (2, 1, 0)]
    eyes.page.route(
        "**/api/quality", lambda route: route.fulfill(json={**whole, "records": records})
    )

    def answer(route):
        if route.request.post_data_json["number"] == 1:
            late.append(route)
        else:
            wave(route)

    eyes.page.route("**/api/snapshot", answer)
    eyes.page.locator("#quality-box summary").click()
    eyes.sees("dip-u-text", "102.0 V")
    choice = eyes.page.locator("#quality-record")
    choice.select_option("1")
    asked(eyes, late)
    choice.select_option("0")
    eyes.sees("dip-u-text", "100.0 V")
    for route in late:
        wave(route)
    looked(eyes)
    assert "100.0 V" in eyes.text("dip-u-text")


def test_what_is_tried_is_busy_until_all_of_it_is_done(eyes):
    held = []

    def hold(route):
        held.append(route)

    eyes.page.route("**/api/mains", hold)
    tried = eyes.page.locator("#tried")
    eyes.click("Kettle")
    asked(eyes, held)
    eyes.click("Motor")
    held.pop().continue_()
    asked(eyes, held)
    assert "Motor" in tried.inner_text() and tried.get_attribute("aria-busy") == "true"
    held.pop().continue_()
    eyes.page.locator("#tried[aria-busy=false]").wait_for()
    eyes.page.unroute_all(behavior="wait")
    eyes.to_normal()


def test_an_answer_cut_short_is_no_connection(eyes):
    def cut(route):
        route.fulfill(body='{"rate": ', content_type="application/json")

    eyes.page.route("**/api/state", cut)
    eyes.page.locator("#link", has_text="no connection").wait_for()
    eyes.page.unroute("**/api/state", cut)
    eyes.ready()
    assert eyes.complaints == []


@pytest.mark.parametrize("path", ["/", "/meters.html"])
def test_a_meter_that_comes_back_has_another_picture(bench, visit, path):
    eyes = visit(bench, path)
    canvas = eyes.page.locator("canvas").first.element_handle()
    lcd = bench.get("/api/lcd")
    until(lambda: eyes.glass(canvas) == lcd["rows"], "the picture")
    # one that is started anew counts its pictures from the first: by chance it is at the same
    turned = [row[::-1] for row in lcd["rows"]]
    eyes.page.route("**/api/lcd", lambda route: route.fulfill(json={**lcd, "rows": turned}))
    eyes.page.route("**/api/state", lambda route: route.abort())
    eyes.page.get_by_text(re.compile("no connection|No meter answers")).wait_for()
    eyes.page.unroute("**/api/state")
    until(lambda: eyes.glass(canvas) == turned, "the other picture")
    eyes.forgive("net::ERR_")


def test_events_are_told_again_when_the_meter_runs_again(bench, eyes):
    text = bench.get("/api/events")["events"][0]["text"]
    eyes.sees("newest", text)
    state = {**bench.get("/api/state"), "firmware": "starting"}
    eyes.page.route("**/api/state", lambda route: route.fulfill(json=state))
    state["events_posted"] += 1  # the page has news to ask for
    eyes.sees("newest", "starting")
    looks = []
    eyes.page.unroute("**/api/state")
    eyes.page.on("request", lambda asked: looks.append(asked) if "/state" in asked.url else None)
    eyes.sees("newest", text)
    assert len(looks) < 15  # at once, instead of after ten seconds
