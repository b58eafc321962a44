"""Every picture that the display shows, drawn by the firmware on each kind of glass.

`draw(glass, take)` walks through all of them and calls `take(name, lcd)` at each: start, lists,
what goes wrong, forms of values, words, indicators with their blinking, tests, and the menus, by
keys, as far as `menu_tree` has them. Runs on CPython and on MicroPython; the user puts boards/sim
on the path. What a menu item gets is found here by itself; it needs only its picture
(`make pictures`).
"""

import scene_parts
import segments

from app import factory
from app.display import indicators, keys, languages, menu_tree, words
from app.display.display import Display
from app.display.display_list import DisplayList
from app.display.layers import Menu, show
from app.display.privacy import Privacy
from app.display.segment_view import SegmentView
from app.display.view import View

GLASSES = ("dots", "ht1621", "ht1622")

_STEADY = ("L1", "L2", "L3", "+P", "+Q", "T1", "LR")
_DEPTH = 4
_LANGUAGES = ("en", "de", "sr", "sl")


class Lcd:
    """A glass without a chip; what is not sent is not seen."""

    def __init__(self, octets):
        self.width, self.height = 128, 64
        self.buffer = bytearray(octets)
        self.sent = bytes(octets)

    def start(self):
        for at in range(len(self.buffer)):
            self.buffer[at] = 0
        self.show()

    def show(self, first_page=0, last_page=7):
        part = bytes(self.buffer)
        if len(part) == 1024:
            part = part[first_page * 128 : (last_page + 1) * 128]
            part = self.sent[: first_page * 128] + part + self.sent[(last_page + 1) * 128 :]
        self.sent = part

    def refresh(self):
        self.show()

    def backlight(self, on):
        pass

    def lit(self, bit):
        return bool(self.sent[bit >> 3] >> (bit & 7) & 1)


def fit(glass):
    """Return a glass and its view."""
    if glass == "dots":
        lcd = Lcd(1024)
        return lcd, View(lcd)
    lcd = Lcd(16 if glass == "ht1621" else 32)
    return lcd, SegmentView(lcd, segments.layout(glass))


class _Walk:
    """A display that is led by time and keys; each picture is taken under a name."""

    def __init__(self, glass, take):
        self.lcd, self.view = fit(glass)
        self._take = take
        self.steady = _STEADY
        self.blinking = ()
        self.enter = keys.ENTER
        self.now_ms = 0

    def start(self, general, alternate):
        self.display = Display(self.view, general, alternate, scene_parts.read, self._status)
        self.display.times.version = "0.1.0"
        self.display.begin(self.now_ms)

    def take(self, name):
        self.view.flush()
        self._take(name, self.lcd)

    def run(self, ms):
        end_ms = self.now_ms + ms
        while True:
            wait_ms = self.display.tick(self.now_ms)
            if self.now_ms + wait_ms > end_ms:
                break
            self.now_ms += wait_ms
        self.now_ms = end_ms

    def press(self, kind, key=keys.SCROLL):
        self.display.key(key, keys.DOWN, self.now_ms)
        self.display.key(key, kind, self.now_ms)

    def layer(self):
        return self.display._layers[-1] if self.display._layers else None

    def walk(self, name, depth=_DEPTH):
        """Go through an open layer and all that is below."""
        layer = self.layer()
        number = 0
        before = None
        while self.layer() is layer and self.lcd.sent != before:
            here = f"{name}-{number:02d}"
            assert number < 99, "no end of " + here
            self.take(here)
            before = self.lcd.sent
            if layer.at_end():
                return
            if layer.leads() and depth and not self.acts(layer):
                self.press(self.enter)
                self.walk(here, depth - 1)
                while self.layer() is not layer:
                    self.press(keys.BACK)
            self.press(keys.SHORT)
            number += 1

    def acts(self, layer):
        """Tell whether an entry is carried out, or asks for the PIN, rather than opened."""
        kinds = (menu_tree.FUNCTION, menu_tree.PIN_ENTRY)
        return isinstance(layer, Menu) and layer._shown()[layer.at][1] in kinds

    def _status(self, shown):
        for name in self.steady:
            shown.set(name)
        for name in self.blinking:
            shown.set(name, True)


def draw(glass, take):
    """Show every picture on a glass; `take(name, lcd)` is called at each."""
    english = {}

    def keep(name, lcd):
        english[name] = bytes(lcd.sent)
        take(name, lcd)

    walk = _Walk(glass, keep)
    _lists(walk)
    _menus(walk)
    for language, code in enumerate(_LANGUAGES[1:], 1):
        _in_language(walk, language, _Others(english, code, take))
    walk._take = take
    _pins(walk)
    _forms(walk)
    _beside(walk)
    _icons(walk)
    _words(walk)


def _lists(walk):
    general = DisplayList(factory.general_list)
    alternate = DisplayList(lambda: factory.alternate_list(scene_parts.Variant))
    walk.start(general, alternate)
    walk.take("start-0")
    walk.run(walk.display.times.test_s * 1000)
    walk.take("start-1")
    walk.run(walk.display.times.name_s * 1000)
    for number in range(general.count()):
        walk.take(f"general-{number:02d}")
        walk.run(walk.display.times.auto_scroll_s * 1000)
    # The list was gone through once: it begins again.
    walk.take("general-00")


def _menus(walk):
    console = walk.display.console
    console.profiles = [scene_parts.Profile(), scene_parts.Profile()]
    console.functions = dict.fromkeys(range(len(words.ENGLISH)), _nothing)
    console.privacy = Privacy(scene_parts.Settings(), lambda: True, lambda _word: None)
    console.switch = scene_parts.Switch()
    console.master_reset = lambda: words.DONE
    console.options = lambda: menu_tree.FACTORY | menu_tree.PRIVACY
    walk.press(keys.SHORT)
    walk.take("normal")
    walk.press(keys.SHORT, keys.RESET)
    walk.walk("normal-set")
    walk.press(keys.TO_AUTO)
    walk.press(keys.SHORT)
    walk.press(keys.SHORT)
    walk.walk("normal-data")
    walk.press(keys.TO_AUTO)
    console.cover_open = lambda: True
    walk.press(keys.ENTER)
    walk.walk("service")
    walk.press(keys.TO_AUTO)
    console.cover_open = lambda: False
    console.options = lambda: menu_tree.PRIVACY
    walk.enter = keys.BACK  # and out again, at End
    walk.press(keys.SHORT)
    walk.take("reduced-list-00")
    walk.press(keys.EXTENDED)
    walk.walk("reduced")
    console.options = lambda: menu_tree.FACTORY
    walk.enter = keys.ENTER
    # all pictures and characters by themselves
    walk.display.check(walk.now_ms)
    number = 0
    while walk.layer() is not None:
        assert number < 99
        walk.take(f"check-{number:02d}")
        walk.run(2000)
        number += 1


class _Others:
    """Takes pictures whose words are not the English ones, each once."""

    def __init__(self, english, code, take):
        self._english = english
        self._code = code
        self._take = take
        self._taken = set()

    def __call__(self, name, lcd):
        if lcd.sent != self._english[name] and lcd.sent not in self._taken:
            self._taken.add(lcd.sent)
            self._take(f"{self._code}-{name}", lcd)


def _in_language(walk, language, take):
    """Walk through the menus again, and through the answers, with other words."""
    walk._take = take
    walk.display.console.words.table = languages.table(language)
    walk.press(keys.TO_AUTO)
    _menus(walk)
    walk.display.console.words.table = words.ENGLISH


def _pins(walk):
    """A PIN is set, asked for, and what it hides."""
    walk.start(scene_parts.Items(1), scene_parts.Items(1))
    console = walk.display.console
    settings = scene_parts.Settings()
    console.privacy = Privacy(settings, lambda: True, lambda _word: None)
    walk.display.item.hides = console.privacy.hides
    console.options = lambda: menu_tree.NORMAL_CONSOLE | menu_tree.PRIVACY
    walk.press(keys.SHORT)  # out of the start, to the test of all segments, the menu
    walk.press(keys.SHORT)
    walk.press(keys.SHORT)
    while walk.layer()._shown()[walk.layer().at][0] != words.SET_PIN:
        walk.press(keys.SHORT)
    for place, digit in enumerate((2, 5, 8, 0) * 2):
        walk.press(keys.ENTER)
        for _ in range(digit):
            walk.press(keys.SHORT)
        walk.take(f"pin-set-{place}")
    walk.press(keys.ENTER)
    console.privacy.rest()
    walk.display._first(walk.now_ms)
    walk.take("pin-hides")
    walk.display.item.hides = lambda _name: False


def _icons(walk):
    view = walk.view
    for icon, name in enumerate(indicators.ICONS):
        for state in range(1, (indicators.ALL_ICONS >> 3 * icon & 7) + 1):
            view.clear()
            view.indicate(0, state << 3 * icon)
            walk.take(f"icon-{name}-{state}")


def _nothing():
    pass


def _forms(walk):
    items = scene_parts.Items(len(scene_parts.FORMS))
    walk.start(items, scene_parts.Items(0))
    walk.press(keys.SHORT)
    for number in range(len(scene_parts.FORMS)):
        walk.take(f"form-{number:02d}")
        walk.display._next(walk.now_ms)
    items.items = []
    walk.display._next(walk.now_ms)
    walk.take("form-none")


def _beside(walk):
    view = walk.view
    for name in indicators.NAMES:
        view.clear()
        view.indicate(indicators.bit(name))
        walk.take("sign-" + name)
    for picture in range(4):
        view.test(picture)
        walk.take(f"test-{picture}")
    walk.start(scene_parts.Items(1), scene_parts.Items(0))
    walk.press(keys.SHORT)
    for number, (steady, blinking) in enumerate(scene_parts.CASES):
        walk.steady = steady.split()
        walk.blinking = blinking.split()
        walk.run(1000 - walk.now_ms % 1000)
        walk.take(f"case-{number:02d}")
        if blinking:
            walk.run(500)
            walk.take(f"case-{number:02d}-off")
    walk.steady, walk.blinking = (), ()


def _words(walk):
    walk.view.clear()
    for language, code in enumerate(_LANGUAGES):
        for number, text in enumerate(languages.table(language)):
            if text and (not language or text != words.ENGLISH[number]):
                show(walk.view, text)
                walk.take(f"word-{code}-{number:02d}")


def rows(glass, lcd):
    """Return the picture as 64 rows of `.` and `#`."""
    if glass == "dots":
        from faceplate.glass import rows_of

        return rows_of(bytearray(lcd.sent))
    from faceplate.artwork import SegmentGlass

    return SegmentGlass(segments.layout(glass)).rows(lcd.lit)
