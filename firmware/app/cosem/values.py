"""Values of class 1 objects: where the value of each Data instance comes from and goes to.

An instance's key is one of these small objects. The identification stands in rows IDN-01 to
IDN-06, local time and date in CLK-08, the invocation counter in SEC-34.
"""

import struct

from micropython import const

from app.attributes import READ_WRITE_DENIED
from app.axdr import OCTET_STRING
from app.errors import AccessRefused

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.axdr import Reader, Writer
    from app.clock import Clock
    from app.identification import Identification
    from app.port_settings import LocalPortSettings
    from app.settings import Settings
    from hal import Variant

_MAX_DEVICE_ID = const(48)
_DEVICE_NUMBER = const(8)  # digits


class Value:
    """A value that cannot be written; a subclass knows how to read it."""

    def read(self, writer: "Writer") -> "Iterator[None] | None":
        """Encode the value, or return a generator that does it in parts (`base`)."""
        raise NotImplementedError

    def write(self, reader: "Reader") -> None:
        """Take over a new value. Raises ValueError if it is out of range."""
        raise AccessRefused(READ_WRITE_DENIED)


class FixedOctets(Value):
    """Octets that never change, such as the logical device name."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.octet_string(self._octets)


class DeviceNumber(Value):
    """The number on the meter's label, 8 digits; the optical head answers to it (row IDN-03)."""

    def __init__(
        self, settings: "Settings", serial_number: bytes, optical: "LocalPortSettings | None"
    ) -> None:
        self._settings = settings
        self._serial_number = serial_number
        self._optical = optical

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.octet_string(self._settings.get("device_number") or self._serial_number)

    def write(self, reader: "Reader") -> None:
        """Take over a new number, for the head too."""
        number = reader.octet_string(_DEVICE_NUMBER, _DEVICE_NUMBER)
        if not number.isdigit():
            raise ValueError("a device number has 8 digits")
        self._settings.put("device_number", number)
        if self._optical is not None:
            self._optical.set_device_address(number)


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


class BuildVariant(Value):
    """How the meter was built (row MET-01): name, phases, nominal volts, nominal hertz."""

    def __init__(self, variant: "Variant") -> None:
        self._variant = variant

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        variant = self._variant
        writer.structure(4)
        writer.octet_string(variant.name.encode())
        for number in (
            variant.phases,
            variant.nominal_voltage_v,
            variant.nominal_frequency_hz,
        ):
            writer.uint16(number)


class Counter(Value):
    """A 32-bit counter that another part of the meter keeps."""

    def __init__(self, count: "Callable[[], int]") -> None:
        self._count = count

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.uint32(self._count())


class Number(Value):
    """A number that another part of the meter reads and, unless `put` is None, sets."""

    def __init__(
        self, tag: int, get: "Callable[[], int]", put: "Callable[[int], None] | None" = None
    ) -> None:
        self._tag = tag
        self._get = get
        self._put = put

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.number(self._tag, self._get())

    def write(self, reader: "Reader") -> None:
        """Take over a new value."""
        if self._put is None:
            raise AccessRefused(READ_WRITE_DENIED)
        self._put(reader.number(self._tag))


class LocalTime(Value):
    """Local time of day as 4 octets: hour, minute, second, hundredths."""

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        local = self._clock.local()
        writer.string(
            OCTET_STRING, bytes((local[4], local[5], local[6], self._clock.hundredths()))
        )


class LocalDate(Value):
    """Local date as 5 octets: year (2), month, day, weekday."""

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.octet_string(struct.pack(">HBBB", *self._clock.local()[:4]))
