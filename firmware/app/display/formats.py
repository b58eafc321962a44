"""How values become what stands in the value and unit fields (rows DSP-04 to DSP-10, DSP-19).

A format is one octet as in the format objects: high nibble digits, low nibble decimals. What does
not fit is cut at the top, as a mechanical counter would. An item may have a format of its own.
"""

from micropython import const

from app.display import font

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

# What has a format that can be set: places in the setting "display_formats"
ENERGY = const(0)
POWER = const(1)
VOLTAGE = const(2)
CURRENT = const(3)
ZEROS = const(4)  # behind them: bit 1 << place has leading zeros
# Factory's: direct connection 6+2 for both, a transformer meter's power 5+3 (row DSP-08)
_FACTORY = b"\x82\x82\x81\x82\x01"
_FACTORY_TRANSFORMER = b"\x82\x83\x81\x82\x01"
DECIMALS_MAX = const(3)
ITEM_KEY = const(9)  # octets: class (2), logical name (6), attribute
ITEM = const(11)  # the same, format, 1 for leading zeros

# Unit code of the Blue Book: text, power of ten between it and the register's unit, and the place
# of its format or, beyond ZEROS, that itself.
_UNITS = {
    30: ("kWh", 3, ENERGY),
    31: ("kVAh", 3, ENERGY),
    32: ("kvarh", 3, ENERGY),
    27: ("kW", 3, POWER),
    28: ("kVA", 3, POWER),
    29: ("kvar", 3, POWER),
    33: ("A", 0, CURRENT),
    35: ("V", 0, VOLTAGE),
    44: ("Hz", 0, 0x82),
    9: ("\xb0C", 0, 0x81),
    13: ("m\xb3", 0, 0x83),
    14: ("m\xb3", 0, 0x83),
    56: ("%", 0, 0x81),
    70: ("dBm", 0, 0x80),
    7: ("s", 0, 0x80),
    6: ("min", 0, 0x80),
    5: ("h", 0, 0x80),
    4: ("d", 0, 0x80),
}
_TEST_DECIMALS = const(3)  # row DSP-23
_WIDTH_MAX = const(8)
_FIRST_ENERGY = const(30)  # units below have no hours
_CURRENT = const(255)  # value group F
_FLOAT_DECIMALS = const(3)
_DIGEST = b"\x00\x02\x08"  # groups C to E of a part of the code
_BLANKS = " .:"  # the last two stand behind others
_NO_DIGEST = b"\x00" * 16
_CLOCK = b"\x01\x00\x00"

# Groups C and D of the short code (row DSP-11).
_LETTERS = {96: "C", 97: "F", 98: "L", 99: "P", 128: "U"}
# Shown with all groups, so that the parts of the software can be told apart (row DSP-10).
_LONG_CODES = (
    b"\x01\x00\x00\x02\x00",
    b"\x01\x01\x00\x02\x00",
    b"\x01\x00\x00\x02\x08",
    b"\x01\x01\x00\x02\x08",
)


class Formats:
    """The formats as they are set.

    fetch: returns a setting; "display_formats" and "display_items" as the objects keep them
    """

    def __init__(
        self, fetch: "Callable[[str], bytes] | None" = None, transformer: bool = False
    ) -> None:
        self.fetch = fetch or _nothing_set
        self.transformer = transformer
        self.percent: Callable[[], int] | None = None  # of the program memory that is checked
        self.testing: Callable[[], bool] | None = None  # test mode: energies to the Wh

    def octets(self) -> bytes:
        """Return formats of energy, power, voltage, current; which of them have leading zeros."""
        factory = _FACTORY_TRANSFORMER if self.transformer else _FACTORY
        return self.fetch("display_formats") or factory

    def state(self) -> "tuple[bytes, bytes, bool]":
        """Return what is set: texts of the same value are the same as long as this is."""
        testing = self.testing is not None and self.testing()
        return self.octets(), self.fetch("display_items"), testing

    def item(self, class_id: int, logical_name: bytes, index: int) -> "bytes | None":
        """Return an item's own format and whether it has leading zeros, or None."""
        items = self.fetch("display_items")
        if not items:
            return None
        key = bytes((class_id >> 8, class_id & 0xFF)) + logical_name + bytes((index,))
        at = items.find(key)
        while at % ITEM and at >= 0:  # octets of two items that look like one
            at = items.find(key, at + 1)
        return items[at + ITEM_KEY : at + ITEM] if at >= 0 else None

    def number(
        self, value: "int | float", scaler: int, unit: int, own: "bytes | None" = None
    ) -> "tuple[str, str]":
        """Return the texts of value and unit of `value` times ten to the `scaler`.

        own: format of the item. Raises ValueError for what is no number.
        """
        name, shift, octet = _UNITS.get(unit, ("", 0, -1))
        zeros = False
        if octet < 0:
            decimals = max(0, min(-scaler, _WIDTH_MAX - 1))
            octet = _WIDTH_MAX << 4 | (_FLOAT_DECIMALS if isinstance(value, float) else decimals)
        elif octet < ZEROS:
            octets = self.octets()
            zeros = octets[ZEROS] >> octet & 1 != 0
            octet = octets[octet]
        if own is not None:
            octet = own[0]
            zeros = own[1] != 0
        if shift and unit >= _FIRST_ENERGY and self.testing is not None and self.testing():
            octet = octet & 0xF0 | _TEST_DECIMALS
        return self._formed(value, scaler - shift, octet, zeros), name

    def checksum(self, logical_name: bytes, value: object) -> object:
        """Return a value, or how far it is worked out while it is the zeros of a digest."""
        if value == _NO_DIGEST and logical_name[2:5] == _DIGEST and self.percent is not None:
            return f"CALC {self.percent():02d}"
        return value

    def _formed(self, value: "int | float", exponent: int, octet: int, zeros: bool) -> str:
        """Return digits, cut to the format's width, not rounded: a counter shows what is full."""
        width = max(1, min(octet >> 4, _WIDTH_MAX))
        decimals = min(octet & 0x0F, width - 1)
        digits = str(_scaled(abs(value), exponent + decimals))
        sign = value < 0 and digits != "0"
        digits = "0" * ((width if zeros else decimals + 1) - len(digits)) + digits
        digits = digits[-width:]
        if sign:
            digits = "-" + (digits if len(digits) < _WIDTH_MAX else digits[1:])
        return digits[:-decimals] + "." + digits[-decimals:] if decimals else digits


def _nothing_set(_key: str) -> bytes:
    return b""


def _scaled(value: "int | float", exponent: int) -> int:
    """Return a positive value times ten to the exponent, as a whole number."""
    if isinstance(value, float):
        # Short floats miss decimal fractions by a hair, so these are rounded.
        if not value <= 1e30:  # nor is what compares with nothing
            raise ValueError("not a number")
        return int(value * 10.0**exponent + 0.5)
    if exponent >= 0:
        return value * 10**exponent
    return value // 10**-exponent


def code(logical_name: bytes) -> str:
    """Return the code field of an object: its OBIS code, shortened (rows DSP-10, DSP-11).

    A past value has its number behind a star (row BIL-16).
    """
    a, b, c, d, e, f = logical_name
    if bytes(logical_name[:5]) in _LONG_CODES:
        return f"{a}.{b}.{c}.{d}.{e}"
    short = f"{_LETTERS.get(c, c)}.{_LETTERS.get(d, d)}.{e}"
    if f != _CURRENT:
        short += f"*{f:02d}"
    return f"{b}.{short}" if b else short


def text(logical_name: bytes, octets: bytes) -> str:
    """Return what a string shows: date and time in their order, letters, else hex digits."""
    group = bytes(logical_name[2:5])
    if all(0x20 <= octet < 0x7F for octet in octets):
        return "".join([chr(octet) for octet in octets])
    if len(octets) == 4 and group == b"\x00\x09\x01":
        return time(octets)
    if len(octets) == 5 and group == b"\x00\x09\x02":
        return date(octets)
    if len(octets) == 12:
        of_day = time(octets[5:])
        return of_day if group == _CLOCK else date(octets) + " " + of_day
    if group[:2] == b"\x60\x0e":
        return ""  # a tariff without a name (row DSP-20)
    return hexadecimal(octets)


def message(_logical_name: bytes, octets: bytes) -> str:
    """Return a message. Raises ValueError if a character of it cannot be shown (row DSP-24)."""
    text = "".join([chr(octet) for octet in octets])
    for character in text:
        if character not in _BLANKS and font.shown(character) == " ":
            raise ValueError("the glass has no such character")
    return text


def hexadecimal(octets: bytes) -> str:
    """Return two digits an octet."""
    return "".join([f"{octet:02X}" for octet in octets])


def time(octets: bytes) -> str:
    """Return hours, minutes and seconds of an encoded time; dashes for what it leaves open."""
    return ":".join([f"{octet:02d}" if octet < 60 else "--" for octet in octets[:3]])


def date(octets: bytes) -> str:
    """Return year, month and day of an encoded date; dashes for what it leaves open."""
    year = octets[0] << 8 | octets[1]
    parts = ["----" if year == 0xFFFF else f"{year:04d}"]
    parts += [f"{octet:02d}" if octet <= 31 else "--" for octet in octets[2:4]]
    return ".".join(parts)
