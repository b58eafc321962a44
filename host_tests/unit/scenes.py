"""Every picture that the display shows, drawn by the firmware on each kind of glass.

`draw(glass, take)` walks through all of them and calls `take(name, lcd)` at each: start, lists,
what goes wrong, forms of values, words, indicators with their blinking, tests, and the menus, by
keys, as far as `menu_tree` has them. Runs on CPython and on MicroPython; the user puts boards/sim
on the path. What a menu item gets is found here by itself; it needs only its picture
(`make pictures`).
"""

import segments

from app import factory
from app.attributes import Reference
from app.display import indicators, keys, languages, menu_tree, words
from app.display.display import Display
from app.display.display_list import DisplayList
from app.display.layers import Menu, show
from app.display.segment_view import SegmentView
from app.display.view import View
from app.errors import AccessRefused, BufferFull
from app.rows import RowSource

GLASSES = ("dots", "ht1621", "ht1622")

_OBJECT_UNDEFINED = 4
_WH, _W, _VAR, _VARH, _VA, _VAH, _A, _V, _HZ, _NONE = 30, 27, 29, 32, 28, 31, 33, 35, 44, 255
# By value group C: the unit of a power, that of its energy
_POWERS = {3: (_VAR, _VARH), 4: (_VAR, _VARH), 5: (_VAR, _VARH), 6: (_VAR, _VARH)}
_POWERS.update({7: (_VAR, _VARH), 8: (_VAR, _VARH), 9: (_VA, _VAH), 10: (_VA, _VAH)})
_STEADY = ("L1", "L2", "L3", "+P", "+Q", "T1", "LR")
_DEPTH = 4


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


class _Variant:
    phases = 3


class _Items:
    """A list of made-up objects: group E and what reading it gives or raises."""

    def __init__(self, count):
        self.items = [Reference(3, bytes((1, 0, 1, 8, n, 254)), 2) for n in range(count)]

    def references(self):
        return self.items


class _Profile(RowSource):
    """A load profile of three entries on two days: clock, 1.8.0, 32.7.0."""

    first, next = 5, 8

    def columns(self):
        names = ((8, 0, 0, 1, 0, 0), (3, 1, 0, 1, 8, 0), (3, 1, 0, 32, 7, 0))
        octets = b"\x01\x03"
        for class_id, a, b, c, d, e in names:
            octets += bytes((2, 4, 0x12, 0, class_id, 9, 6, a, b, c, d, e, 255))
            octets += b"\x0f\x02\x12\x00\x00"
        return octets

    def load(self, sequence):
        self.row = sequence - self.first
        return True

    def dated(self):
        day, hour, minute = ((30, 23, 45), (31, 0, 0), (31, 0, 15))[self.row]
        return bytes((7, 234, 1, day, 6, hour, minute, 0, 0, 0, 60, 0))

    def write(self, writer, column):
        writer.uint32((123456, 2301)[column - 1] + self.row)


class _Switch:
    """A disconnector that may be connected by hand."""

    def offered(self):
        return words.CONNECT

    def carry_out(self):
        pass


# Values of all forms: number or text, scaler, unit (rows DSP-06, DSP-07, DSP-09, DSP-14, DSP-20)
_FORMS = (
    (0, 0, _WH),
    (-1234567, 0, _WH),
    (123456789012, 0, _WH),
    (-35790, 0, _W),
    (4, -3, _A),
    (-12345, -1, 9),
    (123456, -3, 13),
    (999, -1, 56),
    (-87, 0, 70),
    (59, 0, 7),
    (15, 0, 6),
    (24, 0, 5),
    (31, 0, 4),
    (987, -3, _NONE),
    (-1, 0, _NONE),
    (b"HIGH", 0, _NONE),
    (b"\x00\x01\xab\xcd", 0, _NONE),
    (bytes(range(0, 256, 17)), 0, _NONE),
    (b"tESt 123 BDINORT acefgjlpsyz", 0, _NONE),
    (b"\x07\xea\x01\x1f\xff\xff\xff\xff\xff\x80\x00\xff", 0, _NONE),
    (None, 0, _NONE),
    (True, 0, _NONE),
    # what cannot be shown (row DSP-12)
    ([1], 0, _NONE),
    (AccessRefused(_OBJECT_UNDEFINED), 0, 0),
    (BufferFull(), 0, 0),
    (ValueError(), 0, 0),
)

# Steady and blinking indicators (rows DSP-03, DSP-05, table 15.1)
_CASES = (
    ("L1 L3", ""),
    ("", "L1 L2 L3"),
    ("L1 L3", "L2"),
    ("", ""),
    ("-P +Q", ""),
    ("+P -Q", ""),
    ("-P -Q", ""),
    ("", "T1"),
    ("", "T2"),
    ("", "T3"),
    ("", "T4"),
    ("", "SET"),
    ("", "SQ"),
    ("", "REG"),
    ("", "DRO"),
    ("", "EC"),
    ("", "COM"),
    ("", "CLK"),
    ("L1 L2 L3 +P T2 M3 FF", "CLK COM"),
)


def _read(reference):
    """Read an object of the made-up lists, or of the factory's."""
    _, _, c, d, e, f = reference.logical_name
    if f == 254:
        form = _FORMS[e]
        if isinstance(form[0], Exception):
            raise form[0]
        return form
    if reference.class_id == 1:
        texts = {(0, 9, 1): b"\x0c\x22\x38\x00", (0, 9, 2): b"\x07\xea\x01\x1f\x06"}
        return texts.get((c, d, e), b"0.1.0" if d == 2 else b"67542301"), 0, _NONE
    if d == 8:
        return 1234567 * c + 890123, 0, _POWERS.get(c, (_W, _WH))[1]
    if c < 20 and c not in (11, 12, 13, 14):
        return 1000 * c + 450, 0, _POWERS.get(c, (_W, _WH))[0]
    form = {11: (5210, -3, _A), 12: (2301, -1, _V), 13: (987, -3, _NONE), 14: (49987, -3, _HZ)}
    return form[c if c < 20 else c % 20 + (20 if c % 20 < 11 else 0)]


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
        self.display = Display(self.view, general, alternate, _read, self._status)
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
        """Tell whether an entry is carried out, rather than opened."""
        return isinstance(layer, Menu) and layer._shown()[layer.at][1] == menu_tree.FUNCTION

    def _status(self, shown):
        for name in self.steady:
            shown.set(name)
        for name in self.blinking:
            shown.set(name, True)


def draw(glass, take):
    """Show every picture on a glass; `take(name, lcd)` is called at each."""
    walk = _Walk(glass, take)
    _lists(walk)
    _menus(walk)
    _forms(walk)
    _beside(walk)
    _words(walk)


def _lists(walk):
    general = DisplayList(factory.general_list)
    alternate = DisplayList(lambda: factory.alternate_list(_Variant))
    walk.start(general, alternate)
    walk.take("start-0")
    walk.run(walk.display.times.test_s * 1000)
    walk.take("start-1")
    walk.run(walk.display.times.name_s * 1000)
    for number in range(len(general.references())):
        walk.take(f"general-{number:02d}")
        walk.run(walk.display.times.auto_scroll_s * 1000)
    # The list was gone through once: it begins again.
    walk.take("general-00")


def _menus(walk):
    console = walk.display.console
    console.profiles = [_Profile(), _Profile()]
    console.functions = dict.fromkeys(range(len(words.ENGLISH)), _nothing)
    console.switch = _Switch()
    console.master_reset = lambda: words.DONE
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
    console.options = lambda: menu_tree.ALWAYS
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


def _nothing():
    pass


def _forms(walk):
    items = _Items(len(_FORMS))
    walk.start(items, _Items(0))
    walk.press(keys.SHORT)
    for number in range(len(_FORMS)):
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
    walk.start(_Items(1), _Items(0))
    walk.press(keys.SHORT)
    for number, (steady, blinking) in enumerate(_CASES):
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
    for language, code in enumerate(("en", "de", "sr", "sl")):
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
