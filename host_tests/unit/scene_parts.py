"""What the pictures of scenes.py show: made-up objects, load profiles, values of all forms.

Runs on CPython and on MicroPython.
"""

from app.attributes import Reference
from app.display import words
from app.errors import AccessRefused, BufferFull
from app.rows import RowSource

_OBJECT_UNDEFINED = 4
_WH, _W, _VAR, _VARH, _VA, _VAH, _A, _V, _HZ, _NONE = 30, 27, 29, 32, 28, 31, 33, 35, 44, 255
# By value group C: the unit of a power, that of its energy
_POWERS = {3: (_VAR, _VARH), 4: (_VAR, _VARH), 5: (_VAR, _VARH), 6: (_VAR, _VARH)}
_POWERS.update({7: (_VAR, _VARH), 8: (_VAR, _VARH), 9: (_VA, _VAH), 10: (_VA, _VAH)})


class Variant:
    phases = 3


class Items:
    """A list of made-up objects: group E and what reading it gives or raises."""

    def __init__(self, count):
        self.items = [Reference(3, bytes((1, 0, 1, 8, n, 254)), 2) for n in range(count)]

    def count(self):
        return len(self.items)

    def reference(self, at):
        return self.items[at]


class Profile(RowSource):
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


class Switch:
    """A disconnector that may be connected by hand."""

    def offered(self):
        return words.CONNECT

    def carry_out(self):
        pass


# Values of all forms: number or text, scaler, unit (rows DSP-06, DSP-07, DSP-09, DSP-14, DSP-20)
FORMS = (
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
CASES = (
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


# Contact details; a charge whose table has one price
_CONSUMERS = {
    (196, 1): b"StrOn AG 0800 123456",
    (19, 20): [(2, [(15, 3), (15, -3)]), (2, []), (1, [(2, [(9, b"\x01"), (16, 28450)])])],
}


def read(reference):
    """Read an object of the made-up lists, or of the factory's."""
    _, _, c, d, e, f = reference.logical_name
    if f == 254:
        form = FORMS[e]
        if isinstance(form[0], Exception):
            raise form[0]
        return form
    if (c, d) in _CONSUMERS:
        return _CONSUMERS[(c, d)], 0, _NONE
    if reference.class_id == 1:
        texts = {(0, 9, 1): b"\x0c\x22\x38\x00", (0, 9, 2): b"\x07\xea\x01\x1f\x06"}
        return texts.get((c, d, e), b"0.1.0" if d == 2 else b"67542301"), 0, _NONE
    if d == 8:
        return 1234567 * c + 890123, 0, _POWERS.get(c, (_W, _WH))[1]
    if c < 20 and c not in (11, 12, 13, 14):
        return 1000 * c + 450, 0, _POWERS.get(c, (_W, _WH))[0]
    form = {11: (5210, -3, _A), 12: (2301, -1, _V), 13: (987, -3, _NONE), 14: (49987, -3, _HZ)}
    return form[c if c < 20 else c % 20 + (20 if c % 20 < 11 else 0)]


class Settings:
    """The PIN in a memory."""

    damaged = ()

    def __init__(self):
        self.pin = b""

    def get(self, _key):
        return self.pin

    def put(self, _key, pin):
        self.pin = pin
