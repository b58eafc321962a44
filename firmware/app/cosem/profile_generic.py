"""Interface class 7, Profile generic, for the display lists (rows DSP-15 to DSP-17).

A display list is a profile without memory: its capture objects are what the display shows, in that
order, and its buffer is one row of what they read now. The list is kept in a setting exactly as
attribute 3 is encoded, so the display decodes the same octets. An entry that cannot be read shows
as null data in the buffer; that it may be written all the same is the display's Error 23.
"""

from micropython import const

from app.attributes import Reference
from app.axdr import ARRAY, ENUM, INT8, OCTET_STRING, STRUCTURE, UINT16, UINT32, Reader, Writer
from app.cosem.base import NO_ACCESS, PART_SIZE, READ, READ_WRITE, InterfaceClass
from app.errors import MeterError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.attributes import Resolver
    from app.cosem.base import Session
    from app.settings import Settings
    from hal import Buffer

MAX_DISPLAY_ENTRIES = const(64)
_ENTRY_SIZE = const(18)  # octets of one encoded capture object
_UNSORTED = const(1)  # sort_method: first in, first out
_NO_NAME = bytes(6)


class DisplayList:
    """Key of an instance: the setting that keeps the list, and what it is while that is empty."""

    def __init__(self, settings: "Settings", setting: str, factory_list: bytes) -> None:
        self._settings = settings
        self._setting = setting
        self._factory_list = factory_list

    def load(self) -> bytes:
        """Return the list as attribute 3 is encoded."""
        return self._settings.get(self._setting) or self._factory_list

    def store(self, encoded: "Buffer") -> None:
        """Keep a checked list."""
        self._settings.put(self._setting, encoded)


class ProfileGeneric(InterfaceClass):
    """Profile generic, version 1, without selective access."""

    CLASS_ID = 7
    VERSION = 1
    ATTRIBUTES = (
        (1, "logical_name", OCTET_STRING, READ),
        (2, "buffer", ARRAY, READ),
        (3, "capture_objects", ARRAY, READ_WRITE),
        (4, "capture_period", UINT32, READ),
        (5, "sort_method", ENUM, READ),
        (6, "sort_object", STRUCTURE, READ),
        (7, "entries_in_use", UINT32, READ),
        (8, "profile_entries", UINT32, READ),
    )
    METHODS = ((1, "reset", NO_ACCESS), (2, "capture", NO_ACCESS))

    def __init__(self, resolver: "Resolver") -> None:
        self._resolver = resolver

    def get(
        self, writer: "Writer", key: DisplayList, index: int, session: "Session"
    ) -> "Iterator[None] | None":
        """Encode an attribute."""
        if index == 2:
            return self._row(writer, key.load())
        if index == 3:
            return _in_parts(writer, key.load())
        if index == 4:
            writer.uint32(0)
        elif index == 5:
            writer.enum(_UNSORTED)
        elif index == 6:
            _capture_object(writer, 0, _NO_NAME, 0, 0)
        else:
            writer.uint32(1)
        return None

    def put(self, reader: Reader, key: DisplayList, index: int, session: "Session") -> None:
        """Set an attribute."""
        count = reader.array()
        if count > MAX_DISPLAY_ENTRIES:
            raise ValueError("a display list has at most 64 entries")
        encoded = bytearray(2 + _ENTRY_SIZE * count)
        writer = Writer(encoded)
        writer.array(count)
        for _ in range(count):
            _capture_object(writer, *_read_capture_object(reader))
        key.store(encoded)

    def _row(self, writer: Writer, encoded: bytes) -> "Iterator[None]":
        entries = Reader(encoded)
        count = entries.array()
        writer.array(1)
        writer.structure(count)
        yield
        scratch = Writer(bytearray(PART_SIZE))
        for _ in range(count):
            class_id, logical_name, index, data_index = _read_capture_object(entries)
            scratch.at = 0
            try:
                self._resolver.read_into(Reference(class_id, logical_name, index), scratch)
                start, end = _element(scratch, data_index)
                writer.raw(memoryview(scratch.buffer)[start:end])
            except MeterError:
                writer.null()
            yield


def _read_capture_object(reader: Reader) -> "tuple[int, bytes, int, int]":
    """Return (class id, logical name, attribute, data index) of the next capture object."""
    reader.structure(4)
    class_id = reader.number(UINT16)
    logical_name = reader.octet_string(6, 6)
    index = reader.number(INT8)
    return class_id, logical_name, index, reader.number(UINT16)


def _capture_object(
    writer: Writer, class_id: int, logical_name: bytes, index: int, data_index: int
) -> None:
    writer.structure(4)
    writer.uint16(class_id)
    writer.octet_string(logical_name)
    writer.int8(index)
    writer.uint16(data_index)


def _element(scratch: Writer, data_index: int) -> "tuple[int, int]":
    """Return where the value, or element `data_index` of a structure, lies in the scratch."""
    if data_index == 0:
        return 0, scratch.at
    reader = Reader(scratch.buffer, 0, scratch.at)
    reader.expect(STRUCTURE)
    if data_index > reader.length():
        raise MeterError
    for _ in range(data_index - 1):
        reader.skip()
    start = reader.at
    reader.skip()
    return start, reader.at


def _in_parts(writer: Writer, encoded: bytes) -> "Iterator[None]":
    for at in range(0, len(encoded), PART_SIZE):
        writer.raw(encoded[at : at + PART_SIZE])
        yield
