"""Interface class 22, Single action schedule, version 0 (rows TOU-22, TOU-23).

The key of an instance is a SingleAction of app.tariff.schedule, which checks and keeps what is
written. What the moments before a change asked for is done before it.
"""

from micropython import const

from app.axdr import ARRAY, ENUM, OCTET_STRING, STRUCTURE, UINT16
from app.cosem.base import READ, READ_WRITE, InterfaceClass

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.axdr import Reader, Writer
    from app.cosem.base import Session
    from app.tariff.schedule import Moment, SingleAction
    from app.tariff.tariff import Tariff

_LOGICAL_NAME_SIZE = const(6)
_TIME_SIZE = const(4)
_DATE_SIZE = const(5)


class SingleActionSchedule(InterfaceClass):
    """All single action schedules."""

    CLASS_ID = 22
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (STRUCTURE, READ_WRITE),  # 2 executed_script
        (ENUM, READ_WRITE),  # 3 type
        (ARRAY, READ_WRITE),  # 4 execution_time
    )

    def __init__(self, clockwork: "Tariff") -> None:
        self._clockwork = clockwork

    def get(self, writer: "Writer", key: "SingleAction", index: int, session: "Session") -> None:
        """Encode an attribute."""
        if index == 2:
            writer.structure(2)
            writer.octet_string(key.script)
            writer.uint16(key.selector)
        elif index == 3:
            writer.enum(key.type)
        else:
            writer.array(len(key.moments))
            for moment in key.moments:
                writer.structure(2)
                for part in moment:  # time, date
                    writer.octet_string(part)

    def put(self, reader: "Reader", key: "SingleAction", index: int, session: "Session") -> None:
        """Set an attribute."""
        self._clockwork.catch_up()
        if index == 2:
            reader.structure(2)
            script = reader.octet_string(_LOGICAL_NAME_SIZE, _LOGICAL_NAME_SIZE)
            key.set_script(script, reader.number(UINT16))
        elif index == 3:
            key.set_type(reader.number(ENUM))
        else:
            moments: list[Moment] = []
            for _ in range(reader.array()):
                reader.structure(2)
                time = reader.octet_string(_TIME_SIZE, _TIME_SIZE)
                moments.append((time, reader.octet_string(_DATE_SIZE, _DATE_SIZE)))
            key.set_moments(moments)
        self._clockwork.wake()
