"""A visitor of the faceplate: a window of headless Chromium, looked at and used as a person does.

Whom the page asked besides its meters stands in `strangers`, what its console complains about in
`complaints`.
"""

import json
from pathlib import Path

from patience import PATIENCE_S, until

DESK = (1280, 1000)
COLUMNS, ROWS = 128, 64
SIGHT = Path(__file__).with_suffix(".js")


class Visitor:
    """One window with the page of a meter; `page` is playwright's."""

    def __init__(
        self, browser, meter, path="", size=DESK, scheme="light", neighbours=(), **options
    ):
        self.meter = meter
        self.path = path
        self._own = tuple(f"{known.url}/" for known in (meter, *neighbours))
        self.strangers = []
        self.complaints = []
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, **options
        )
        self.context.set_default_timeout(1000 * PATIENCE_S)
        self.context.add_init_script(path=SIGHT)
        self.page = self.context.new_page()
        self.page.on("request", self._judge)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(meter.url + path)

    def _judge(self, request):
        if not request.url.startswith((*self._own, "data:", "about:")):
            self.strangers.append(request.url)

    def _hear(self, message):
        is_ours = "getImageData" in message.text  # that is the visitor who reads a canvas
        if message.type in ("error", "warning") and not is_ours:
            self.complaints.append(message.text)

    def ready(self):
        """Wait until the page shows the running meter."""
        self.page.locator("#link", has_text="running").wait_for()
        return self

    def forgive(self, *words):
        """Forget complaints with one of the words: the page may ask a meter that is gone."""
        self.complaints = [
            said for said in self.complaints if not any(word in said for word in words)
        ]

    def close(self):
        self.context.close()

    def at_rest(self):
        """Wait until the page shows what stands around the meter as at the start.

        A click on a switch takes back what the page shows of it.
        """
        pressed = self.page.locator("button[id][aria-pressed=true]:not(#lock)")
        until(lambda: not pressed.count(), pressed.all_inner_texts)
        return self

    # what a person sees

    def look(self, name, argument=None):
        """What a function of visitor.js says."""
        return self.page.evaluate(f"argument => look.{name}(argument)", argument)

    def glass(self, canvas="lcd"):
        """The glass as the canvas shows it, in the rows of GET /api/lcd."""
        return self.look("glass", [canvas, COLUMNS, ROWS])

    def colour(self, canvas, name):
        """How many pixels of a plot have one of the page's colours."""
        return self.look("colour", [canvas, name])

    def text(self, name):
        return self.page.locator("#" + name).inner_text()

    def has(self, name, word):
        """True if the element has the class."""
        return word in (self.page.locator("#" + name).get_attribute("class") or "").split()

    def pressed(self, name):
        return self.page.locator("#" + name).get_attribute("aria-pressed") == "true"

    def sees(self, name, words):
        """Scroll there and wait until an element says so."""
        self.page.locator("#" + name).scroll_into_view_if_needed()
        self.page.locator("#" + name, has_text=words).wait_for()

    def noted(self):
        """The newest events, as the page lists them: [(log and code, text)]."""
        return self.page.locator("#newest li").all_inner_texts()

    # what a person does

    def click(self, name):
        """Click the one button of that name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def tries(self, name):
        """Click a thing to try, and wait until the meter has taken all of it."""
        self.click(name)
        self.page.locator("#tried[aria-busy=false]", has_text=f"{name}: ").wait_for()

    def tap(self, name):
        """Click so quickly that it is no long press, however busy the machine is."""
        self.look("halt")
        self.page.locator("#" + name).click()
        self.look("resume")

    def press(self, name, down=True):
        """Lay the mouse on an element and press; with `down` false let go."""
        if down:
            self.page.locator("#" + name).hover()
            self.page.mouse.down()
        else:
            self.page.mouse.up()

    def point(self, selector):
        """Click the middle of a part of the drawing, whatever lies on top of it."""
        box = self.page.locator(selector).bounding_box()
        self.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def to_normal(self):
        """Everything as at the start, by the page's own button; fails if it was refused."""
        self.tries("Back to normal")
        until(self.is_normal, lambda: json.dumps(self.meter.get("/api/state")))
        assert self.text("message") == ""
        self.at_rest()

    def is_normal(self):
        state = self.meter.get("/api/state")
        calm = not state["magnet"] and set(state["covers"].values()) == {"closed"}
        return calm and state["supply"] and all(p["u"] == 230 for p in state["mains"]["phases"])
