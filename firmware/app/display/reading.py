"""What an item of a display list shows: read by the resolver, worded by `formats`.

Whatever goes wrong is a text of its own: Error 11, 23, 31 (row DSP-12).
"""

from micropython import const

from app import attributes
from app.display import formats, price
from app.errors import AccessRefused, BufferFull, EncodingError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # Value, scaler, unit code of an attribute; scaler 0 and unit 255 where there is none.
    # Raises AccessRefused if there is no such attribute, ValueError if it cannot be shown.
    Read = Callable[[attributes.Reference], tuple[Any, int, int]]

_NO_UNIT = const(255)

_NOT_FIT = "Error 11"  # the object cannot be shown
_MISSING = "Error 23"  # there is no such object
_NO_FORMAT = "Error 31"  # its value cannot be shown
_CONSUMER_CODE = b"\x60\x0d\x01"  # row DSP-24
_ERRORS = const(97)  # value group C
_WIDTH = const(8)  # characters of the value field
_MARKS = ".:"  # that it has behind each
_ABSENT = "--------"  # the object has no value yet
_HIDDEN = "PIn"  # it is shown to those who know the PIN


class Item:
    """One item's texts; `refresh` reads it again."""

    def __init__(self, formats_set: formats.Formats) -> None:
        self.code = ""
        self.value = ""
        self.unit = ""
        self.is_text = False  # starts at the left and may be longer than the field
        self.hides: Callable[[bytes], bool] = lambda _name: False
        self.rate: Callable[[], int] = lambda: 1  # the one in force
        self._formats = formats_set
        self._worded: tuple[Any, ...] | None = None  # what the texts were made from

    def refresh(self, reference: "attributes.Reference", read: "Read", renew: bool) -> bool:
        """Read the item; False if its texts stay as they are. `renew`: it is another item."""
        before = (self.value, self.unit)
        name = reference.logical_name
        worded, self._worded = self._worded, None
        if renew:
            self.code = formats.code(name)
        try:
            if self.hides(name):
                self._fail(_HIDDEN)
            else:
                value, scaler, unit = read(reference)
                if (reference.class_id, reference.index) == (price.CHARGE, price.UNIT_CHARGE):
                    value, scaler = price.in_force(value, self.rate())
                value = self._formats.checksum(name, value)
                found = (value, scaler, unit, self._formats.state())
                if renew or found != worded:
                    self._word(reference, value, scaler, unit)
                self._worded = found
        except AccessRefused as error:
            missing = (attributes.OBJECT_UNDEFINED, attributes.OBJECT_CLASS_INCONSISTENT)
            self._fail(_MISSING if error.result in missing else _NOT_FIT)
        except BufferFull:
            self._fail(_NOT_FIT)
        except (EncodingError, ValueError):
            self._fail(_NO_FORMAT)
        return renew or before != (self.value, self.unit)

    def overhang(self) -> int:
        """Return how many characters of a text do not fit the value field."""
        return max(0, _cells(self.value) - _WIDTH) if self.is_text else 0

    def part(self, shift: int) -> str:
        """Return a text without its first characters, and what marks follow these."""
        value = self.value
        at = 0
        while shift and at < len(value):
            at += 1
            while value[at : at + 1] in _MARKS and at < len(value):
                at += 1
            shift -= 1
        return value[at:]

    def _fail(self, message: str) -> None:
        self.value = message
        self.unit = ""
        self.is_text = True

    def _word(
        self,
        reference: "attributes.Reference",
        value: "Any",  # noqa: ANN401 - what A-XDR can say
        scaler: int,
        unit: int,
    ) -> None:
        name = reference.logical_name
        self.unit = ""
        self.is_text = True
        if value is None:
            self.value = _ABSENT
        elif isinstance(value, (bytes, bytearray)):
            worded = formats.message if name[2:5] == _CONSUMER_CODE else formats.text
            self.value = worded(name, bytes(value))
            self.is_text = ":" not in self.value or _cells(self.value) > _WIDTH
        elif isinstance(value, str):
            self.value = value
        elif isinstance(value, (list, tuple)):
            self._fail(_NOT_FIT)
        elif name[2] == _ERRORS and unit == _NO_UNIT:
            self.value = f"{value:08X}"  # error registers are read bit by bit
        else:
            self.is_text = False
            own = self._formats.item(reference.class_id, name, reference.index)
            self.value, self.unit = self._formats.number(value, scaler, unit, own)


def _cells(text: str) -> int:
    """Return how many characters a text takes: marks stand behind others."""
    return len(text) - sum([text.count(mark) for mark in _MARKS])
