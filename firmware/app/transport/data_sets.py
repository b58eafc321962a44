"""Data sets of IEC 62056-21: `1-0:1.8.0(000123.456*kWh)`, read by the resolver and worded here.

What can be read this way is the one value of an object of class 1, 3, 4, 5 or 8, and what can be
written that of a class 1 or the clock; nothing else has a place between two parentheses.
"""

import binascii

from micropython import const

import civil
from app import attributes, axdr
from app.attributes import Reference
from app.cosem import access
from app.display.reading_objects import AttributeReader
from app.errors import AccessRefused, MeterError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal import Buffer

    Find = Callable[[bytes], "tuple[Any, Any, int] | None"]

# Class: the attribute that is its value
_VALUES = {1: 2, 3: 2, 4: 2, 5: 2, 8: 2}
_DATA = const(1)
_CLOCK = const(8)
_CLOCK_NAME = b"\x00\x00\x01\x00\x00\xff"
_WRITABLE = (access.CLOCK, access.SETTINGS)  # groups of objects that a password opens
_ENTRY_PARTS = const(4)
_ENERGY_DIGITS = const(6)
_DECIMALS_MAX = const(3)
_ENCODED_MAX = const(60)  # octets whose hexadecimal digits fit a message

# Unit of the Blue Book: text, power of ten between it and the register's unit
_UNITS = {
    4: ("d", 0), 5: ("h", 0), 6: ("min", 0), 7: ("s", 0), 8: ("deg", 0), 9: ("C", 0),
    13: ("m3", 0), 14: ("m3", 0), 27: ("kW", 3), 28: ("kVA", 3), 29: ("kvar", 3), 30: ("kWh", 3),
    31: ("kVAh", 3), 32: ("kvarh", 3), 33: ("A", 0), 35: ("V", 0), 44: ("Hz", 0), 56: ("%", 0),
}  # fmt: skip
_ENERGIES = (30, 31, 32)

# Types of whole numbers: bits, and whether one of them is a sign
_INTEGERS = {
    axdr.INT8: (8, True), axdr.INT16: (16, True), axdr.INT32: (32, True), axdr.INT64: (64, True),
    axdr.UINT8: (8, False), axdr.UINT16: (16, False), axdr.UINT32: (32, False),
    axdr.UINT64: (64, False), axdr.ENUM: (8, False),
}  # fmt: skip


class DataSets:
    """Reads and writes data sets; `find(logical_name)` is the catalogue's."""

    def __init__(self, resolver: attributes.Resolver, find: "Find") -> None:
        self._resolver = resolver
        self._find = find
        self._read = AttributeReader(resolver)
        self._scratch = bytearray(_ENCODED_MAX)

    def reference(self, code: "Buffer") -> "tuple[Reference, int] | None":
        """Return what a code such as `1-0:1.8.0` or `1.8.0` names and its group, None: nothing."""
        for name in _names(bytes(code)):
            found = self._find(name)
            if found is not None and found[0].CLASS_ID in _VALUES:
                class_id = found[0].CLASS_ID
                return Reference(class_id, name, _VALUES[class_id]), found[2]
        return None

    def word(self, reference: Reference, element: int = 0) -> str:
        """Return what stands between the parentheses, "" for what cannot be said there."""
        value, scaler, unit = self._read(reference)
        if element:
            value = _element(value, element)
        if isinstance(value, (bytes, bytearray)):
            return _text(reference.logical_name, bytes(value))
        if isinstance(value, bool):
            return "1" if value else "0"
        if isinstance(value, int):
            return _number(value, scaler, unit)
        return ""

    def encoded(self, reference: Reference) -> bytes:
        """Return the value as A-XDR in hexadecimal digits. Raises BufferFull if it is too long."""
        writer = axdr.Writer(self._scratch)
        self._resolver.read_into(reference, writer)
        return binascii.hexlify(bytes(self._scratch[: writer.at]))

    def write_encoded(self, reference: Reference, group: int, encoded: bytes) -> None:
        """Set the value from A-XDR; errors as `write`."""
        self._check_write(reference, group)
        self._resolver.write(reference, encoded)

    def write(self, reference: Reference, group: int, text: "Buffer") -> None:
        """Set the value from a text of the form that `word` gives, without unit.

        Raises AccessRefused, EncodingError or ValueError if it cannot be, OSError if not stored.
        """
        self._check_write(reference, group)
        encoded = axdr.Writer(bytearray(2 * len(text) + 16))
        tag, _ = self._resolver.read(reference)
        if reference.class_id == _CLOCK:
            encoded.octet_string(_date_time(bytes(text)))
        elif tag in (axdr.OCTET_STRING, axdr.VISIBLE_STRING, axdr.UTF8_STRING):
            encoded.string(tag, text)
        elif tag == axdr.BOOLEAN:
            encoded.boolean(_digits(bytes(text)) != 0)
        else:
            encoded.number(tag, _in_range(tag, _digits(bytes(text))))
        self._resolver.write(reference, memoryview(encoded.buffer)[: encoded.at])

    def _check_write(self, reference: Reference, group: int) -> None:
        if reference.class_id not in (_DATA, _CLOCK) or group not in _WRITABLE:
            raise AccessRefused(attributes.READ_WRITE_DENIED)

    def line(self, entries: axdr.Reader) -> str:
        """Return the line of the next entry of a list as attribute 3 of class 7 is encoded."""
        entries.structure(_ENTRY_PARTS)
        class_id = entries.number(axdr.UINT16)
        name = entries.octet_string(6, 6)
        index = entries.number(axdr.INT8)
        element = entries.number(axdr.UINT16)
        try:
            value = self.word(Reference(class_id, name, index), element)
        except MeterError:
            value = ""
        return code(name) + "(" + value + ")\r\n"


def code(name: bytes) -> str:
    """Return the code of a logical name, such as 1-0:1.8.0; F is shown if it says something."""
    a, b, c, d, e, f = name
    text = "{}-{}:{}.{}.{}".format(a, b, c, d, e)
    return text if f == 0xFF else text + "*{}".format(f)


def _element(value: "Any", element: int) -> "Any":  # noqa: ANN401 - what A-XDR can say
    """Return an element of a structure, None if there is none."""
    try:
        return value[element - 1][1]
    except (TypeError, IndexError):
        return None


def _names(text: bytes) -> "list[bytes]":
    """Return the logical names that a code may mean, none if it is not a code."""
    text, star, f_text = text.partition(b"*")
    head, colon, tail = text.rpartition(b":")
    try:
        groups = [int(part) for part in tail.split(b".")]
        f = int(f_text) if star else 0xFF
        media = [int(part) for part in head.split(b"-")] if colon else []
    except ValueError:
        return []
    if len(groups) != 3 or (colon and len(media) != 2):
        return []
    if not all(0 <= number <= 0xFF for number in groups + media + [f]):
        return []
    prefixes = [media] if colon else [[1, 0], [0, 0]]
    return [bytes(prefix + groups + [f]) for prefix in prefixes]


def _number(value: int, scaler: int, unit: int) -> str:
    """Return a value in its unit; energies with leading zeros, as a counter shows them."""
    name, shift = _UNITS.get(unit, ("", 0))
    exponent = scaler - shift
    decimals = min(max(0, -exponent), _DECIMALS_MAX)
    places = exponent + decimals  # powers of ten that are more than can be shown, or missing
    size = abs(value)
    if places < 0:
        # energies are cut, never rounded up to what was not delivered yet
        half = 0 if unit in _ENERGIES else 10**-places // 2
        size = (size + half) // 10**-places
    else:
        size *= 10**places
    digits = str(size)
    whole = _ENERGY_DIGITS if unit in _ENERGIES else 1
    digits = "0" * (whole + decimals - len(digits)) + digits
    text = digits[: len(digits) - decimals]
    if decimals:
        text += "." + digits[-decimals:]
    if value < 0 and size:
        text = "-" + text
    return text + "*" + name if name else text


def _text(name: bytes, octets: bytes) -> str:
    """Return a string: times and dates as digits, letters as they are, else hex digits."""
    group = name[2:5]
    if len(octets) == 12 and name == _CLOCK_NAME:
        return _date(octets) + _time(octets[5:])
    if len(octets) == 4 and group == b"\x00\x09\x01":
        return _time(octets)
    if len(octets) == 5 and group == b"\x00\x09\x02":
        return _date(octets)
    if all(0x20 <= octet < 0x7F and octet not in b"()*/!" for octet in octets):
        return octets.decode()
    return "".join(["{:02X}".format(octet) for octet in octets])


def _time(octets: bytes) -> str:
    return "{:02d}{:02d}{:02d}".format(octets[0], octets[1], octets[2])


def _date(octets: bytes) -> str:
    return "{:02d}{:02d}{:02d}".format((octets[0] << 8 | octets[1]) % 100, octets[2], octets[3])


def _digits(text: bytes) -> int:
    """Return a whole number. Raises ValueError for anything else, int() takes far more."""
    number = text[1:] if text[:1] == b"-" else text
    if not number or not all(0x30 <= octet <= 0x39 for octet in number):
        raise ValueError("not a number")
    return int(text)


def _in_range(tag: int, number: int) -> int:
    """Return the number if it is one of the type. Raises ValueError if not."""
    bits, signed = _INTEGERS.get(tag, (0, False))
    least = -(1 << bits - 1) if signed else 0
    if not bits or not least <= number < least + (1 << bits):
        raise ValueError("not a number of this type")
    return number


def _date_time(text: bytes) -> bytes:
    """Return YYMMDDhhmmss of local time as a date-time whose deviation is left open."""
    if len(text) != 12:
        raise ValueError("a time is YYMMDDhhmmss")
    parts = [_digits(text[at : at + 2]) for at in range(0, 12, 2)]
    civil.utc_s(2000 + parts[0], parts[1], parts[2], parts[3], parts[4], parts[5])
    year = 2000 + parts[0]
    head = bytes((year >> 8, year & 0xFF, parts[1], parts[2], 0xFF))
    return head + bytes(parts[3:]) + b"\x00\x80\x00\x00"
