"""Interface class 1, Data: one value of any type. The key of an instance is a values.Value."""

from micropython import const

from app.axdr import OCTET_STRING
from app.cosem.base import CHOICE, READ, READ_WRITE, InterfaceClass

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from app.axdr import Reader, Writer
    from app.cosem.base import Session
    from app.cosem.values import Value


class Data(InterfaceClass):
    """Data, version 0."""

    CLASS_ID = 1
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (CHOICE, READ_WRITE),  # 2 value
    )

    def get(
        self, writer: "Writer", key: "Value", index: int, session: "Session"
    ) -> "Iterator[None] | None":
        """Encode an attribute."""
        return key.read(writer)

    def put(self, reader: "Reader", key: "Value", index: int, session: "Session") -> None:
        """Set an attribute."""
        key.write(reader)
