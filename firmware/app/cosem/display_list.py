"""Display lists as rows: profiles without memory (rows DSP-15 to DSP-17).

The capture objects are what the display shows, in that order, and the only row is what they read
now. The list is kept in a setting exactly as attribute 3 is encoded, so the display decodes the
same octets. An entry that cannot be read shows as null data; that it may be written all the same
is the display's Error 23.
"""

from micropython import const

from app.attributes import Reference
from app.axdr import Reader, Writer
from app.cosem.base import PART_SIZE
from app.errors import MeterError
from app.rows import CAPTURE_OBJECT_SIZE, RowSource, pack_objects, read_object

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.attributes import Resolver
    from app.settings import Settings

MAX_DISPLAY_ENTRIES = const(64)


class DisplayList(RowSource):
    """The list kept in `setting`, `factory_list` while that is empty."""

    def __init__(
        self, resolver: "Resolver", settings: "Settings", setting: str, factory_list: bytes
    ) -> None:
        self._resolver = resolver
        self._settings = settings
        self._setting = setting
        self._factory_list = factory_list

    def columns(self) -> bytes:
        """Return the list as attribute 3 is encoded."""
        return self._settings.get(self._setting) or self._factory_list

    def set_columns(self, reader: Reader) -> None:
        """Check and keep another list."""
        count = reader.array()
        if count > MAX_DISPLAY_ENTRIES:
            raise ValueError("a display list has at most 64 entries")
        self._settings.put(
            self._setting, pack_objects([read_object(reader) for _ in range(count)])
        )

    def load(self, sequence: int) -> bool:
        """Make the only row the present one."""
        return sequence == 0

    def write(self, writer: Writer, column: int) -> None:
        """Encode what an entry reads now."""
        scratch = Writer(bytearray(PART_SIZE))
        try:
            entry = Reader(self.columns(), 2 + CAPTURE_OBJECT_SIZE * column)
            class_id, logical_name, index, data_index = read_object(entry)
            self._resolver.read_element(
                Reference(class_id, logical_name, index), data_index, scratch
            )
        except MeterError:
            writer.null()
            return
        writer.raw(memoryview(scratch.buffer)[: scratch.at])
