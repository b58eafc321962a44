"""Interface class 4, Extended register: a value with scaler, unit, status and time.

The key of an instance is an index into a file of registers. Rows DEM-05, MET-19.
"""

from micropython import const

from app.axdr import OCTET_STRING, STRUCTURE, UINT8
from app.cosem.base import CHOICE, NO_ACCESS, READ, InterfaceClass
from app.cosem.factory_values import moment

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Protocol

    from app.axdr import Writer
    from app.clock import Clock
    from app.cosem import register
    from app.cosem.base import Session

    class File(register.Values, Protocol):
        """Registers by index that know when their value was formed."""

        def status(self, index: int) -> int: ...  # noqa: D102
        def capture_utc_s(self, index: int) -> int: ...  # noqa: D102


class ExtendedRegister(InterfaceClass):
    """Extended register, version 0. Its value is reset by billing, not by a client."""

    CLASS_ID = 4
    VERSION = 0
    ATTRIBUTES = (
        (1, "logical_name", OCTET_STRING, READ),
        (2, "value", CHOICE, READ),
        (3, "scaler_unit", STRUCTURE, READ),
        (4, "status", UINT8, READ),
        (5, "capture_time", OCTET_STRING, READ),
    )
    METHODS = ((1, "reset", NO_ACCESS),)

    def __init__(self, file: "File", clock: "Clock") -> None:
        self._file = file
        self._clock = clock

    def get(self, writer: "Writer", key: int, index: int, session: "Session") -> None:
        """Encode an attribute; a time that never was specifies nothing."""
        file = self._file
        if index == 2:
            writer.number(file.tag(key), file.value(key))
        elif index == 3:
            writer.structure(2)
            writer.int8(file.scaler(key))
            writer.enum(file.unit(key))
        elif index == 4:
            writer.uint8(file.status(key))
        else:
            writer.octet_string(moment(self._clock, file.capture_utc_s(key)))
