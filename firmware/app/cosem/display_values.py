"""What can be set of the display as objects of class 1; the lists are `display_list`'s.

How numbers look belongs to production: it is refused while the parameter switch is closed. Rows
DSP-06, DSP-08, DSP-13, DSP-19, DSP-22, DSP-24, DSP-26, DSP-33, PRD-14.
"""

from micropython import const

from app import axdr
from app.cosem import access
from app.cosem.data import Data
from app.cosem.values import Octets, Simple, Value
from app.display import formats, options

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.axdr import Reader, Writer
    from app.cosem.objects import Objects
    from app.display.formats import Formats
    from app.display.options import Options
    from app.parameters import ParameterLock
    from app.settings import Settings

CONSUMER_CODE = (0, 0, 96, 13, 1)
_CODE_MAX = const(64)
_MOST_OCTETS = const(1024)  # of a longer code that is cut
_ITEMS_MAX = const(64)
_WIDTH_MAX = const(8)
_ZEROS_MAX = const(0x0F)
_NAME = const(6)  # octets of a logical name
_KEY = const(2)  # octets of the class before it


class _Formats:
    """Checks and keeps formats while the parameter switch is open."""

    def __init__(self, forms: "Formats", settings: "Settings", lock: "ParameterLock") -> None:
        self.forms = forms
        self._settings = settings
        self.lock = lock

    def octet(self, place: int) -> int:
        return self.forms.octets()[place]

    def put(self, place: int, octet: int) -> None:
        self.lock.require()
        if place != formats.ZEROS:
            _check(octet)
        elif octet > _ZEROS_MAX:
            raise ValueError("leading zeros: one bit for each of four formats")
        octets = bytearray(self.forms.octets())
        octets[place] = octet
        self._settings.put("display_formats", octets)

    def put_decimals(self, place: int, decimals: int) -> None:
        if decimals > formats.DECIMALS_MAX:
            raise ValueError("decimals: 0 to 3")
        self.put(place, self.octet(place) & 0xF0 | decimals)

    def put_items(self, items: bytes) -> None:
        self.lock.require()
        self._settings.put("display_items", items)


def _check(octet: int) -> None:
    if not 1 <= octet >> 4 <= _WIDTH_MAX:
        raise ValueError("format: 1 to 8 digits")
    if octet & 0x0F > formats.DECIMALS_MAX or octet & 0x0F >= octet >> 4:
        raise ValueError("format: 0 to 3 decimals, and fewer than digits")


class ItemFormats(Value):
    """An array of structures: class, logical name, attribute, digits, decimals, leading zeros."""

    def __init__(self, kept: _Formats) -> None:
        self._kept = kept

    def read(self, writer: "Writer") -> "Iterator[None]":
        """Encode the value in parts."""
        items = self._kept.forms.fetch("display_items")
        writer.array(len(items) // formats.ITEM)
        for at in range(0, len(items), formats.ITEM):
            writer.structure(6)
            writer.uint16(items[at] << 8 | items[at + 1])
            writer.octet_string(items[at + _KEY : at + _KEY + _NAME])
            index, octet, zeros = items[at + _KEY + _NAME : at + formats.ITEM]
            writer.int8(index)
            writer.uint8(octet >> 4)
            writer.uint8(octet & 0x0F)
            writer.boolean(zeros != 0)
            yield

    def write(self, reader: "Reader") -> None:
        """Take over other formats."""
        count = reader.array()
        if count > _ITEMS_MAX:
            raise ValueError("at most 64 items have formats of their own")
        items = b""
        for _ in range(count):
            reader.structure(6)
            class_id = reader.number(axdr.UINT16)
            name = reader.octet_string(_NAME, _NAME)
            index = reader.number(axdr.INT8)
            digits, decimals = reader.number(axdr.UINT8), reader.number(axdr.UINT8)
            if digits > _WIDTH_MAX or decimals > formats.DECIMALS_MAX or index < 0:
                raise ValueError("format: 1 to 8 digits, 0 to 3 decimals")
            octet = digits << 4 | decimals
            _check(octet)
            key = bytes((class_id >> 8, class_id & 0xFF)) + name + bytes((index,))
            items += key + bytes((octet, reader.boolean()))
        self._kept.put_items(items)


def add(
    objects: "Objects",
    settings: "Settings",
    lock: "ParameterLock",
    forms: "Formats",
    chosen: "Options",
) -> None:
    """Add the objects."""
    data = Data()
    kept = _Formats(forms, settings, lock)

    def number(obis: "tuple[int, ...]", place: int, decimals: bool) -> None:
        value = Simple(
            axdr.UINT8,
            lambda: kept.octet(place) & (0x0F if decimals else 0xFF),
            lambda octet: (kept.put_decimals if decimals else kept.put)(place, octet),
        )
        objects.add(obis, data, value, access.SETTINGS)

    def option(obis: "tuple[int, ...]", place: int, tag: int) -> None:
        value = Simple(
            tag,
            lambda: chosen.values[place],
            lambda wanted: chosen.put(place, int(wanted)),
        )
        objects.add(obis, data, value, access.SETTINGS)

    for e, place in ((1, formats.ENERGY), (2, formats.POWER), (5, formats.ZEROS)):
        number((0, 0, 196, 1, e), place, False)
    for e, place in (
        (51, formats.ENERGY),
        (52, formats.POWER),
        (61, formats.VOLTAGE),
        (62, formats.CURRENT),
    ):
        number((1, 0, 129, 1, e), place, True)
    for e, place in ((10, options.AUTO_SCROLL), (11, options.EXIT), (12, options.BACKLIGHT)):
        option((1, 0, 129, 1, e), place, axdr.UINT16)
    option((0, 0, 196, 1, 3), options.CONSOLE, axdr.UINT8)
    option((0, 0, 196, 1, 6), options.LANGUAGE, axdr.ENUM)
    option((0, 0, 196, 1, 4), options.ON, axdr.BOOLEAN)
    option((0, 0, 196, 1, 7), options.OPTICAL_LIGHT, axdr.BOOLEAN)
    objects.add((0, 0, 196, 1, 10), data, ItemFormats(kept), access.SETTINGS)
    contact = Octets(
        lambda: settings.get("contact"), lambda text: settings.put("contact", text), 0, _CODE_MAX
    )
    objects.add((0, 0, 196, 1, 8), data, contact, access.SETTINGS)
    # a message of up to 64 characters, longer ones are cut; the glass shows it (row P1-08)
    code = Octets(
        lambda: settings.get("consumer_code"),
        lambda code: settings.put("consumer_code", code[:_CODE_MAX]),
        0,
        _MOST_OCTETS,
    )
    objects.add(CONSUMER_CODE, data, code, access.SETTINGS)
