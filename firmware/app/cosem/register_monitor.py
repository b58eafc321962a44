"""Interface class 21, Register monitor, version 0: scripts that run when a value crosses limits.

The key of an instance says what it watches and what it does (rows ALM-04, SUP-01).
"""

from micropython import const

from app.axdr import ARRAY, OCTET_STRING, STRUCTURE, UINT16
from app.cosem.base import READ, READ_WRITE, InterfaceClass

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.axdr import Reader, Writer
    from app.cosem.base import Session

    Action = tuple[bytes, int]

    class Monitor(Protocol):
        """The key of an instance."""

        monitored: tuple[int, bytes, int]

        def write_thresholds(self, writer: "Writer") -> None:
            """Encode attribute 2."""
            ...

        def actions(self) -> "list[tuple[Action, Action]]":
            """Return the actions up and down of each threshold."""
            ...

        def set_actions(self, actions: "list[tuple[Action, Action]]") -> None:
            """Replace them. Raises ValueError, OSError."""
            ...


class RegisterMonitor(InterfaceClass):
    """All register monitors."""

    CLASS_ID = 21
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (ARRAY, READ),  # 2 thresholds
        (STRUCTURE, READ),  # 3 monitored_value
        (ARRAY, READ_WRITE),  # 4 actions
    )

    def get(self, writer: "Writer", key: "Monitor", index: int, session: "Session") -> None:
        """Encode an attribute."""
        if index == 2:
            key.write_thresholds(writer)
        elif index == 3:
            class_id, logical_name, attribute = key.monitored
            writer.structure(3)
            writer.uint16(class_id)
            writer.octet_string(logical_name)
            writer.int8(attribute)
        else:
            pairs = key.actions()
            writer.array(len(pairs))
            for pair in pairs:
                writer.structure(2)
                for table, script in pair:
                    writer.structure(2)
                    writer.octet_string(table)
                    writer.uint16(script)

    def put(self, reader: "Reader", key: "Monitor", index: int, session: "Session") -> None:
        """Replace the actions."""
        pairs: list[tuple[Action, Action]] = []
        for _ in range(reader.array()):
            reader.structure(2)
            pairs.append((_action(reader), _action(reader)))
        key.set_actions(pairs)


def _action(reader: "Reader") -> "Action":
    reader.structure(2)
    return reader.octet_string(6, 6), reader.number(UINT16)
