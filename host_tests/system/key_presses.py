"""The keys and the glass of a virtual meter whose time stands still but for what a test lets pass.

A press takes simulated time, so a walk through the menus takes no longer than the meter needs.
"""

SHORT_S = 0.5
ENTER_S = 2.5
BACK_S = 5.5
AUTO_S = 7.5
EXTENDED_S = 8.5
SETTLE_S = 0.1  # within so much the glass answers


class Front:
    """Keys and glass of one meter, started with `--rate 0`."""

    def __init__(self, meter):
        self.meter = meter

    def wait(self, seconds):
        self.meter.post("/api/advance", seconds=seconds)

    @property
    def glass(self):
        return self.meter.get("/api/lcd")

    @property
    def value(self):
        return self.glass["value"]

    @property
    def code(self):
        return self.glass["code"]

    def down(self, key="scroll"):
        self.meter.post("/api/key", key=key, down=True)

    def up(self, key="scroll"):
        self.meter.post("/api/key", key=key, down=False)
        self.wait(SETTLE_S)

    def press(self, seconds=SHORT_S, key="scroll"):
        """Press a key; return what the glass shows then."""
        self.down(key)
        self.wait(seconds)
        self.up(key)
        return self.value

    def tip(self, seconds=ENTER_S, key="scroll"):
        """Press a key; return what the glass shows before it is let go."""
        self.down(key)
        self.wait(seconds)
        shown = self.value
        self.up(key)
        return shown

    def layer(self, end="End"):
        """All (code, value) of the layer in use up to its end, from what is shown on."""
        seen = []
        while True:
            glass = self.glass
            if glass["value"] == end:
                return seen
            seen.append((glass["code"], glass["value"], glass["unit"]))
            self.press()
            assert len(seen) <= 300, "no end"

    def to_auto(self):
        """Leave whatever is shown."""
        self.press()  # any place has a way back from here
        self.press(AUTO_S)
