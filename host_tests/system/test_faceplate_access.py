"""The faceplate for everybody, in a browser: sizes, contrast, names, keyboard, each display."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from visitor import until

PHONE, TABLET, DESK = (360, 740), (768, 1024), (1280, 900)
SIZES = [PHONE, (390, 844), TABLET, (1024, 768), DESK, (1920, 1080)]
CONTROLS = "a[href], button, input, select, summary, [tabindex='0']"
TARGET_PX = 24  # WCAG 2.2, 2.5.8


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def all_open(eyes):
    """Unfold what can be and wait until it is filled."""
    eyes.ready()
    for box in eyes.page.locator("details[id]").all():  # not those that a calendar has within
        if box.get_attribute("open") is None:
            box.locator("> summary").click()
    eyes.sees("ports", "RS485")
    eyes.sees("events", re.compile(r"\d\d:\d\d"))  # whatever it was that happened
    eyes.sees("measured", "Total")
    eyes.sees("bars-u-text", "order")
    eyes.sees("calendar", "calendar")
    eyes.sees("quality-weeks", "Verdict")
    eyes.page.evaluate("scrollTo(0, 0)")
    return eyes


@pytest.fixture(params=["/", "/meters.html"])
def anywhere(request, meter, window, judged):
    """Each of the two pages, with all of it unfolded."""
    eyes = judged(window(meter, request.param))
    yield all_open(eyes) if request.param == "/" else eyes
    eyes.page.set_viewport_size({"width": DESK[0], "height": DESK[1]})


@pytest.fixture
def eyes(meter, window, judged):
    """The meter's page, with all of it unfolded."""
    eyes = judged(window(meter, "/"))
    yield all_open(eyes)
    eyes.page.emulate_media(color_scheme="light")


def test_nothing_is_wider_than_its_window(anywhere):
    eyes = anywhere
    for width, height in SIZES:
        eyes.page.set_viewport_size({"width": width, "height": height})
        eyes.page.wait_for_timeout(150)

        def within():
            excess, wide = eyes.look("tooWide")
            return excess <= 0 and wide == []

        until(within, lambda width=width: (width, eyes.look("tooWide")))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_edges_stand_out(eyes, scheme):
    eyes.page.emulate_media(color_scheme=scheme)
    ratios = eyes.look("contrasts")
    told = {text for text, _, _ in ratios}
    assert len(ratios) > 150 and {"FERRARIS", "Kettle", "Reset", "Frequency"} <= told
    assert [entry for entry in ratios if entry[1] < entry[2]] == [], ratios
    for name, colour, card in eyes.look("edges"):
        assert ratio(colour, card) >= 3, name


def test_help_and_pressed_buttons_stand_out(eyes):
    eyes.click("Keys and help")
    for scheme in ("light", "dark"):
        eyes.page.emulate_media(color_scheme=scheme)
        ratios = eyes.look("contrasts")
        assert any("meter reset asks for" in text or "Both keys" in text for text, _, _ in ratios)
        assert [entry for entry in ratios if entry[1] < entry[2]] == []
    eyes.click("Close help")


def test_every_control_has_a_name_and_room(anywhere):
    eyes = anywhere
    path = eyes.path
    eyes.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    eyes.page.locator("canvas").nth(0).wait_for()
    tree = eyes.context.new_cdp_session(eyes.page).send("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "link", "checkbox", "slider", "spinbutton", "combobox", "textbox", "image"}
    roles |= {"img", "progressbar", "DisclosureTriangle", "group", "region", "graphics-document"}
    found = [
        (node["role"]["value"], node.get("name", {}).get("value", ""), node["nodeId"])
        for node in tree
        if not node["ignored"] and node["role"]["value"] in roles
    ]
    assert len(found) > (50 if path == "/" else 4)
    nameless = [one for one in found if one[0] != "group" and not one[1].strip()]
    assert nameless == []
    small = eyes.look("small", [CONTROLS, TARGET_PX])
    assert small == []
    assert eyes.page.get_by_role("heading", level=1).count() == 1


def test_every_control_is_reached_by_the_tab_key(anywhere):
    eyes = anywhere
    wanted = eyes.look("watch", CONTROLS)
    assert wanted > (60 if eyes.path == "/" else 2)
    for _ in range(wanted + 12):  # beyond the page's end and on
        eyes.page.keyboard.press("Tab")
    assert eyes.look("missed") == []
    assert eyes.page.evaluate("look.dull") == []


@pytest.mark.parametrize(
    ("glass", "dot", "ground"),
    [
        ("st7567", (27, 33, 19), "light"),
        ("ssd1306", (191, 230, 255), "dark"),
        ("ht1621", (27, 33, 19), "light"),
        ("ht1622", (27, 33, 19), "light"),
    ],
)
def test_each_display_is_drawn_as_it_is(start_meter, visit, glass, dot, ground):
    meter = start_meter("--rate", "0", "--glass", glass)
    meter.post("/api/advance", seconds=30)
    eyes = visit(meter).ready()
    rows = meter.get("/api/lcd")["rows"]
    assert sum(row.count("#") for row in rows) > 200
    until(lambda: eyes.glass() == rows, lambda: "\n".join(eyes.glass()))
    x, y = next((x, y) for y, row in enumerate(rows) for x, mark in enumerate(row) if mark == "#")
    shown = eyes.look("dot", [x, y])
    assert tuple(shown) == dot
    until(lambda: eyes.has("glass", "oled") == (ground == "dark"), ground)
    # it fits into its frame, and a phone's
    for size in (DESK, PHONE):
        eyes.page.set_viewport_size({"width": size[0], "height": size[1]})
        eyes.page.wait_for_timeout(200)

        def fits():
            inner = eyes.page.locator("#lcd").bounding_box()
            outer = eyes.page.locator("#glass").bounding_box()
            wide = 0.6 * outer["width"] < inner["width"] <= outer["width"] + 1
            return wide and inner["height"] <= outer["height"] + 1

        until(fits, size)
        assert eyes.glass() == rows
    meter.post("/api/advance", seconds=60)
    assert not meter.get("/api/lcd")["backlight"]
    until(lambda: not eyes.has("glass", "lit"), "the light out")
    meter.post("/api/key", key="scroll", ms=100)
    meter.post("/api/advance", seconds=1)
    until(lambda: eyes.has("glass", "lit"), "lit by a key")
    meter.stop()
    eyes.page.locator("#link", has_text="no connection").wait_for()
    assert eyes.has("glass", "gone")
    eyes.forgive("net::ERR_")
