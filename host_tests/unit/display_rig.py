"""A display with its clock, and a console whose keys are pressed for a time.

The user puts boards/sim on the path.
"""

from faceplate import glass
from lcd_double import Lcd as SilentLcd

from app.attributes import Reference
from app.display import keys, menu_tree
from app.display.display import Display
from app.display.view import View
from app.errors import AccessRefused


def name(c, d, e, a=1, b=0):
    return bytes((a, b, c, d, e, 255))


class List:
    def __init__(self, *names):
        self.names = list(names)
        self.items = [Reference(3, one, 2) for one in names]

    def count(self):
        return len(self.items)

    def reference(self, at):
        return self.items[at]


class Lcd(SilentLcd):
    light = False

    def backlight(self, on):
        self.light = on


class Bench:
    """A display with its clock: time passes as the display's own task would let it."""

    def __init__(self, now_ms=0):
        self.values = {
            name(1, 8, 0): (123456, 0, 30),
            name(1, 7, 0): (3450, 0, 27),
            name(32, 7, 0): (2301, -1, 35),
            name(96, 1, 0, 0): (b"67542301", 0, 255),
            name(0, 2, 8): (bytes(range(0, 256, 17)), 0, 255),
        }
        self.general = List(name(1, 8, 0), name(1, 7, 0), name(32, 7, 0))
        self.alternate = List(name(96, 1, 0, 0), name(1, 8, 0))
        self.steady = ["L1", "L2", "L3", "+P", "T1"]
        self.blinking = []
        self.lcd = Lcd()
        self.display = Display(
            View(self.lcd), self.general, self.alternate, self.read, self.status
        )
        self.options = 0  # the reduced console: short presses lead through the alternate list
        self.display.console.options = lambda: self.options
        self.now_ms = now_ms
        self.lcd.start()
        self.display.begin(now_ms)
        self.due_ms = now_ms

    def read(self, reference):
        value = self.values.get(bytes(reference.logical_name))
        if value is None:
            raise AccessRefused(4)
        return value

    def status(self, indicators):
        for one in self.steady:
            indicators.set(one)
        for one in self.blinking:
            indicators.set(one, True)

    def run(self, seconds):
        end_ms = self.now_ms + int(seconds * 1000)
        while self.due_ms <= end_ms:
            self.now_ms = max(self.now_ms, self.due_ms)
            wait_ms = self.display.tick(self.now_ms % 2**30)
            assert 0 < wait_ms <= 10_000
            self.due_ms = self.now_ms + wait_ms
        self.now_ms = end_ms

    def press(self, kind=keys.SHORT, key=keys.SCROLL):
        self.display.key(key, keys.DOWN, self.now_ms % 2**30)
        self.display.key(key, kind, self.now_ms % 2**30)

    @property
    def shown(self):
        return glass.decode(self.lcd.sent)

    @property
    def code(self):
        return self.shown["code"]

    @property
    def value(self):
        return self.shown["value"]


_HELD_MS = {
    keys.SHORT: 500,
    keys.ENTER: 2500,
    keys.BACK: 5500,
    keys.TO_AUTO: 7200,
    keys.EXTENDED: 8500,
    keys.CONNECT: 10500,
}


class PressTimers:
    """Keys that are pressed for a time, with all that is seen meanwhile."""

    def __init__(self, bench):
        self.bench = bench
        self.display = bench.display
        self.timers = [keys.PressTimer(), keys.PressTimer()]
        self.since_ms = [0, 0]

    def __getattr__(self, attribute):
        return getattr(self.bench, attribute)

    def down(self, key=keys.SCROLL):
        self.since_ms[key] = self.now_ms
        self._tell(key, self.timers[key].change(True, 0))

    def up(self, key=keys.SCROLL):
        self._tell(key, self.timers[key].change(False, self.now_ms - self.since_ms[key]))

    def pass_ms(self, ms):
        """Let time pass; what held keys become is told."""
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.bench.run(min(100, end_ms - self.now_ms) / 1000)
            for key, timer in enumerate(self.timers):
                if timer.wait_ms(0) > 0:
                    self._tell(key, timer.held(self.now_ms - self.since_ms[key]))

    def _tell(self, key, kind):
        if kind:
            self.display.key(key, kind, self.now_ms % 2**30)
            self.bench.due_ms = self.now_ms  # the key wakes the display's task

    def hold(self, kind, key=keys.SCROLL):
        """Press a key; return the tips as (tenths of seconds, text)."""
        self.down(key)
        seen = [(0, self.value)]
        for tenth in range(1, _HELD_MS[kind] // 100 + 1):
            self.pass_ms(100)
            if self.value != seen[-1][1]:
                seen.append((tenth, self.value))
        self.up(key)
        return seen[1:]

    def short(self, count=1):
        """Press the scroll key shortly, return what is shown then."""
        for _ in range(count):
            self.hold(keys.SHORT)
        return self.value

    def long(self):
        return self.hold(keys.ENTER)


class Console(PressTimers):
    """The console of a meter that has started."""

    def __init__(self, options=menu_tree.FACTORY):
        super().__init__(Bench())
        self.bench.options = options
        self.run(7)
