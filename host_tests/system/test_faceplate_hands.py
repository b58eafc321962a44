"""The faceplate under a visitor's hands, in a browser: keys, covers, magnet, power, head."""

import re
import socket
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from visitor import PATIENCE_S, until


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A meter for this file: its covers are opened and its power is cut."""
    from conftest import VirtualMeter

    meter = VirtualMeter(tmp_path_factory.mktemp("hands") / "state").start()
    meter.post("/api/advance", seconds=20)  # the test of all segments is over
    yield meter
    assert meter.stop() == 0


@pytest.fixture
def auto(bench):
    """The meter scrolls by itself, its covers are closed; so it shall be again."""
    bench.post("/api/rate", rate=1)
    bench.post("/api/magnet", on=False)
    for cover in ("terminal", "meter"):
        bench.post("/api/cover", cover=cover, open=False)
    yield bench
    for key in ("reset", "scroll"):
        bench.post("/api/key", key=key, down=False)
    bench.post("/api/advance", seconds=130)


@pytest.fixture
def hands(auto, window, judged):
    """The visitor at the desk."""
    return judged(window(auto).ready().at_rest())


@pytest.fixture
def new_hands(auto, visit):
    """A visitor who has just come, and goes after the test."""
    return visit(auto).ready().at_rest()


def down(meter):
    """The keys that are down at the meter."""
    return {name for name, is_down in meter.get("/api/state")["keys"].items() if is_down}


def shows(meter, text):
    """Wait until the glass has this value."""
    until(lambda: meter.get("/api/lcd")["value"] == text, lambda: (text, meter.get("/api/lcd")))


def hold(meter, hands, key, seconds, text=""):
    """Hold a key for so long of the meter's time; the glass shows `text` before it is let go.

    Time stands still besides: no press becomes a longer one.
    """
    meter.post("/api/rate", rate=0)
    hands.press(key)
    wanted = {"scroll", "reset"} if key == "key-both" else {key.removeprefix("key-")}
    until(lambda: down(meter) == wanted, "the key down")
    meter.post("/api/advance", seconds=seconds)
    if text:
        shows(meter, text)
    hands.press(key, False)
    until(lambda: not down(meter), "the key up")
    meter.post("/api/advance", seconds=0.5)


def tap(meter, hands, key):
    """Click a key; the meter's time passes when it knows of it, and no further."""
    meter.post("/api/rate", rate=0)
    hands.tap(key)
    until(lambda: down(meter) == {key.removeprefix("key-")}, "the key down")
    meter.post("/api/advance", seconds=0.5)
    assert not down(meter)


def is_all_dark(meter):
    return meter.get("/api/lcd")["value"].count("8") == 8


def test_the_glass_has_the_dots_of_the_display(bench, hands):
    bench.post("/api/rate", rate=0)
    shown = bench.get("/api/lcd")
    assert sum(row.count("#") for row in shown["rows"]) > 300
    until(lambda: hands.glass() == shown["rows"], lambda: "\n".join(hands.glass()))
    spoken = f"Display: {shown['code']} {shown['value']} {shown['unit']}"
    until(lambda: hands.text("spoken") == spoken, lambda: (hands.text("spoken"), spoken))
    assert hands.page.locator("#lcd").get_attribute("aria-label") == spoken
    # another picture: the same dots again, and not those of before
    bench.post("/api/key", key="scroll", ms=100)
    bench.post("/api/advance", seconds=1)
    after = bench.get("/api/lcd")["rows"]
    assert after != shown["rows"]
    until(lambda: hands.glass() == after, "the new picture")


def test_a_click_is_a_short_press(bench, hands):
    tap(bench, hands, "key-scroll")
    assert is_all_dark(bench)  # the test of all segments
    tap(bench, hands, "key-scroll")
    shows(bench, "Std dAtA")
    assert hands.text("held") == ""


def test_the_reset_key_opens_the_set_menu(bench, hands):
    tap(bench, hands, "key-scroll")
    assert is_all_dark(bench)
    tap(bench, hands, "key-reset")
    shows(bench, "rESEt")


def test_a_key_is_held_as_long_as_the_mouse_holds_it(bench, hands):
    tap(bench, hands, "key-scroll")
    tap(bench, hands, "key-scroll")
    shows(bench, "Std dAtA")
    hold(bench, hands, "key-scroll", 3, "EntEr")
    until(lambda: not hands.has("key-scroll", "down"), "the key drawn as up")
    assert hands.text("held") == ""
    bench.post("/api/advance", seconds=2)
    until(lambda: re.match(r"\d\.\d\.\d|C\.1", bench.get("/api/lcd")["code"]), "standard data")


def test_the_mouse_may_leave_the_key(bench, hands):
    hands.press("key-scroll")
    until(lambda: down(bench) == {"scroll"}, "the key down")
    hands.page.mouse.move(5, 5)
    assert hands.has("key-scroll", "down")

    def becomes(seconds):
        steps = ((0, "next"), (2, "enter"), (5, "back"), (7, "to the automatic display"))
        long = (10, "connect or disconnect, if there is what can")
        return [what for least, what in (*steps, long) if seconds >= least][-1]

    told = r"Display held (\d+\.\d) s: (?!next)(.+)"  # at once, or late on a busy machine
    found = until(lambda: re.fullmatch(told, hands.text("held")), lambda: hands.text("held"))
    held_s = float(found[1])
    assert found[2] in (becomes(held_s - 0.05), becomes(held_s + 0.05))  # it was rounded
    assert down(bench) == {"scroll"}
    hands.page.mouse.up()
    until(lambda: not down(bench), "the key up")


def test_both_keys_by_one_button(bench, hands):
    hands.press("key-both")
    until(lambda: down(bench) == {"scroll", "reset"}, "both keys down")
    hands.sees("held", "Reset and Display held")
    hands.press("key-both", False)
    until(lambda: not down(bench), "both keys up")


def test_a_click_holds_where_it_is_asked_to(bench, hands):
    hands.page.locator("#keep").check()
    hands.page.locator("#key-reset").click()
    hands.page.locator("#key-scroll").click()
    until(lambda: down(bench) == {"scroll", "reset"}, "both keys down")
    hands.page.locator("#key-reset").click()
    until(lambda: down(bench) == {"scroll"}, "the reset key let go")
    hands.page.locator("#keep").uncheck()
    until(lambda: not down(bench), "both keys up")


def test_two_fingers_hold_two_keys(auto, visit):
    bench = auto
    hands = visit(bench, size=(390, 844), has_touch=True, is_mobile=True).ready()
    points = []
    for name in ("key-scroll", "key-reset"):
        box = hands.page.locator("#" + name).bounding_box()
        points.append({"x": box["x"] + 12, "y": box["y"] + 12, "id": len(points)})
    fingers = hands.context.new_cdp_session(hands.page)

    def touch(kind, *where):
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(where)})

    touch("touchStart", points[0])
    until(lambda: down(bench) == {"scroll"}, "the first key down")
    touch("touchStart", *points)
    until(lambda: down(bench) == {"scroll", "reset"}, "both keys down")
    touch("touchEnd")
    until(lambda: not down(bench), "both keys up")


def test_a_key_is_worked_from_the_keyboard(bench, hands):
    for name, press in (("scroll", "Space"), ("reset", "Enter")):
        hands.page.locator("#key-" + name).focus()
        hands.page.keyboard.down(press)
        until(lambda name=name: down(bench) == {name}, name)
        hands.page.keyboard.up(press)
        until(lambda: not down(bench), "the key up")


def test_a_program_presses_for_the_visitor(bench, hands):
    bench.post("/api/rate", rate=0)  # a press that has begun and ended waits for the meter's time
    hands.page.evaluate("document.getElementById('key-scroll').click()")
    until(lambda: down(bench) == {"scroll"}, "the key down")
    bench.post("/api/advance", seconds=0.5)
    assert is_all_dark(bench) and not down(bench)


def test_who_leaves_lets_go(bench, new_hands):
    new_hands.press("key-both")
    until(lambda: down(bench) == {"scroll", "reset"}, "both keys down")
    new_hands.page.goto("about:blank")
    until(lambda: not down(bench), "both keys up")


def test_single_keys_of_the_keyboard(bench, new_hands):
    keyboard = new_hands.page.keyboard
    keyboard.down("d")
    keyboard.down("r")
    until(lambda: down(bench) == {"scroll", "reset"}, "both keys down")
    keyboard.up("d")
    until(lambda: down(bench) == {"reset"}, "the display key let go")
    keyboard.up("r")
    until(lambda: not down(bench), "both keys up")

    def state():
        now = bench.get("/api/state")
        return [now["covers"]["terminal"], now["covers"]["meter"], now["magnet"]]

    for number, key in enumerate("tmg"):
        before = state()
        keyboard.press(key)
        until(lambda n=number, was=before: state()[n] != was[n], key)
        # the button has taken it over: the next press takes it back
        until(
            lambda n=number: new_hands.pressed(["cover-terminal", "cover-meter", "magnet"][n]), key
        )
    assert state() == ["open", "open", True]
    keyboard.press("n")
    until(lambda: state() == ["closed", "closed", False], "back to normal")

    keyboard.press("?")
    help_box = new_hands.page.locator("#help")
    help_box.wait_for()
    assert "meter cover" in help_box.inner_text()
    keyboard.press("g")  # while help is open nothing is worked
    keyboard.press("Escape")
    help_box.wait_for(state="hidden")
    # where text is typed, letters are letters; and they can be turned off for good
    new_hands.page.locator("#f-number").focus()
    keyboard.press("g")
    new_hands.page.locator("#f-number").blur()
    new_hands.click("Keys and help")
    new_hands.page.locator("#shortcuts-on").uncheck()
    new_hands.click("Close help")
    keyboard.press("g")
    new_hands.page.reload()
    new_hands.ready()
    keyboard.press("g")
    assert not new_hands.page.locator("#shortcuts-on").is_checked()
    assert state() == ["closed", "closed", False]


def test_covers_and_magnet_stay_as_they_are_put(bench, hands):
    hands.page.locator("#cover-terminal").click()
    hands.page.locator("#cover-meter").click()
    hands.page.locator("#magnet").click()
    until(lambda: bench.get("/api/state")["magnet"], "the magnet")
    assert bench.get("/api/state")["covers"] == {"terminal": "open", "meter": "open"}
    for word in ("terminal-open", "cover-open", "magnet-on"):
        until(lambda word=word: hands.has("meter", word), word)
    # they are the meter's: another window shows them, and the logs tell of them
    hands.page.reload()
    hands.ready()
    for name in ("cover-terminal", "cover-meter", "magnet"):
        until(lambda name=name: hands.pressed(name), name)
    for text in ("Terminal cover removed", "Meter cover removed", "Strong DC magnetic field"):
        hands.sees("newest", text)
    # the parameter switch is in reach only under the open cover
    hands.page.locator("#lock").click()
    until(lambda: not bench.get("/api/state")["locked"], "unlocked")
    # the drawing takes the mouse as well
    hands.point("#switch")
    until(lambda: bench.get("/api/state")["locked"], "locked")
    for part, is_away in (
        ("#magnet-drawn", lambda now: not now["magnet"]),
        ("#terminal-zone", lambda now: now["covers"]["terminal"] == "closed"),
        ("#cover-screws circle >> nth=0", lambda now: now["covers"]["meter"] == "closed"),
    ):
        hands.point(part)
        until(lambda is_away=is_away: is_away(bench.get("/api/state")), part)
    until(lambda: hands.page.locator("#lock").is_disabled(), "the switch out of reach")
    for word in ("terminal-open", "cover-open", "magnet-on"):
        until(lambda word=word: not hands.has("meter", word), word)


def test_the_optical_head_is_seen(bench, hands):
    assert not hands.has("head", "on")
    wire = socket.create_connection(("127.0.0.1", bench.ports["optical"]), PATIENCE_S)
    with wire, wire.makefile("rb") as answer:
        until(lambda: hands.has("head", "on"), "the head")
        hands.look("mind", ["head", "flows"])  # which is over in a moment
        wire.sendall(b"/?!\r\n")
        assert answer.readline().startswith(b"/FRS")
        until(lambda: hands.page.evaluate("look.minded"), "octets")
        # beside TCP, RS485 and the others, in words
        lamp = hands.page.locator("#port-lamps li", has_text="Optical")
        until(lambda: re.search("connected|flow", lamp.inner_text()), lamp.inner_text)
        assert "open" in hands.page.locator("#port-lamps li", has_text="RS485").inner_text()
    until(lambda: not hands.has("head", "on"), "the head away")


def test_power_goes_and_comes_back(bench, hands):
    bench.post("/api/rate", rate=0)
    hands.page.locator("#supply").click()
    until(lambda: not bench.get("/api/state")["supply"], "a cut")
    bench.post("/api/advance", seconds=5)
    until(lambda: hands.has("glass", "dead"), "a glass without power")
    until(lambda: not any("#" in row for row in hands.glass()), "an empty glass")
    hands.sees("measured", "no power")
    until(lambda: not hands.page.locator(".led.on").count(), "dark lamps")
    until(lambda: hands.text("spoken") == "", "silence")
    until(lambda: not hands.has("link", "up"), "a meter that does not run")
    # on its battery it wakes when the display key is held for four seconds
    hands.press("key-scroll")
    until(lambda: down(bench) == {"scroll"}, "the key down")
    bench.post("/api/advance", seconds=4.5)
    until(lambda: not hands.has("glass", "dead"), "awake on the battery")
    hands.press("key-scroll", False)
    assert not bench.get("/api/state")["supply"]
    hands.sees("measured", "On its battery the meter measures nothing.")
    bench.post("/api/rate", rate=1)
    hands.page.locator("#supply").click()
    until(lambda: not hands.page.locator("#measured .reason").count(), "measured again")
    until(
        lambda: not hands.has("glass", "dead") and any("#" in row for row in hands.glass()), "on"
    )
    until(lambda: re.match(r"\d", hands.text("spoken").removeprefix("Display: ")), "values")
    # between two looks the page may have asked a meter that was just gone
    hands.forgive("503", "net::ERR_")


def test_the_meter_is_reset_by_hand(bench, hands):
    bench.post("/api/rate", rate=0)
    bench.post("/api/advance", seconds=3600)
    assert bench.get("/api/quantities")["energy_wh"]["1.8.0"] > 1000
    hands.page.locator("#cover-meter").click()
    until(lambda: hands.page.locator("#lock").is_enabled(), "the switch in reach")
    hands.page.locator("#lock").click()
    until(lambda: not bench.get("/api/state")["locked"], "unlocked")
    bench.post("/api/advance", seconds=1)
    hold(bench, hands, "key-scroll", 0.3)
    assert is_all_dark(bench)
    hold(bench, hands, "key-reset", 0.3)
    shows(bench, "rESEt")
    hold(bench, hands, "key-scroll", 3, "EntEr")
    shows(bench, "rESEt")
    # both keys by one pointer, let go in their order
    hands.page.locator("#keep").check()
    for key, wanted in (("reset", {"reset"}), ("scroll", {"reset", "scroll"})):
        hands.page.locator("#key-" + key).click()
        until(lambda wanted=wanted: down(bench) == wanted, wanted)
        bench.post("/api/advance", seconds=0.5)
    bench.post("/api/advance", seconds=6)
    shows(bench, "rELEASE")
    for key, wanted in (("reset", {"scroll"}), ("scroll", set())):
        hands.page.locator("#key-" + key).click()
        until(lambda wanted=wanted: down(bench) == wanted, wanted)
        bench.post("/api/advance", seconds=0.5)
    bench.post("/api/advance", seconds=10)
    assert bench.get("/api/state")["firmware"] == "running"
    assert bench.get("/api/quantities")["energy_wh"]["1.8.0"] < 100  # empty registers
    assert "FF" not in bench.get("/api/lcd")["cursors"]
    hands.page.locator("#keep").uncheck()
    bench.post("/api/lock", locked=True)
    hands.forgive("503", "net::ERR_")
    hands.to_normal()
