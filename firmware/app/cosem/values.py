"""Values of class 1 objects: where the value of each Data instance comes from and goes to.

An instance's key is one of these small objects. The identification stands in rows IDN-01 to
IDN-06.
"""

from micropython import const

from app.attributes import READ_WRITE_DENIED
from app.axdr import OCTET_STRING
from app.errors import AccessRefused, TypeUnmatched

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from app.axdr import Reader, Writer
    from app.identification import Identification

_MAX_DEVICE_ID = const(48)


class Value:
    """A value that cannot be written; a subclass knows how to read it."""

    def read(self, writer: "Writer") -> "Iterator[None] | None":
        """Encode the value, or return a generator that does it in parts (`base`)."""
        raise NotImplementedError

    def write(self, reader: "Reader") -> None:
        """Take over a new value. Raises ValueError if it is out of range."""
        raise AccessRefused(READ_WRITE_DENIED)


class Simple(Value):
    """A simple data type that another part of the meter reads and, unless `put` is None, sets."""

    def __init__(
        self, tag: int, get: "Callable[[], Any]", put: "Callable[[Any], None] | None" = None
    ) -> None:
        self._tag = tag
        self._get = get
        self._put = put or _refuse

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.data(self._tag, self._get())

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        if reader.peek() != self._tag:
            raise TypeUnmatched
        self._put(reader.data()[1])


class Octets(Simple):
    """An octet string; one of `minimum` to `maximum` octets is taken over."""

    def __init__(
        self,
        get: "Callable[[], bytes]",
        put: "Callable[[bytes], None] | None" = None,
        minimum: int = 0,
        maximum: int = 0,
    ) -> None:
        super().__init__(OCTET_STRING, get, put)
        self._minimum = minimum
        self._maximum = maximum

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        self._put(reader.octet_string(self._minimum, self._maximum))


class Structure(Value):
    """A structure of simple data types; `put` takes as many numbers as `get` returns values."""

    def __init__(
        self,
        tags: "tuple[int, ...]",
        get: "Callable[[], Sequence[Any]]",
        put: "Callable[..., None] | None" = None,
    ) -> None:
        self._tags = tags
        self._get = get
        self._put = put or _refuse

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.structure(len(self._tags))
        for tag, value in zip(self._tags, self._get()):
            writer.data(tag, value)

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        reader.structure(len(self._tags))
        self._put(*[reader.number(tag) for tag in self._tags])


class DeviceId(Value):
    """Device ID e of 0-0:96.1.e (row IDN-04)."""

    def __init__(self, identification: "Identification", e: int) -> None:
        self._identification = identification
        self._e = e

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.octet_string(self._identification.device_id(self._e))

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        self._identification.set_device_id(self._e, reader.octet_string(0, _MAX_DEVICE_ID))


def _refuse(*_values: object) -> None:
    raise AccessRefused(READ_WRITE_DENIED)
