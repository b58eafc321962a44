"""Interface class 4, Extended register: a value with scaler, unit, status and time.

The key of an instance is an index into a file of registers. Rows DEM-05, MET-19.
"""

from micropython import const

from app.axdr import OCTET_STRING, UINT8
from app.cosem.base import READ
from app.cosem.date_time import moment
from app.cosem.register import Register

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.axdr import Writer
    from app.clock import Clock
    from app.cosem import register
    from app.cosem.base import Session

    class File(register.Values, Protocol):
        """Registers by index that know when their value was formed."""

        def status(self, index: int) -> int: ...  # noqa: D102
        def capture_utc_s(self, index: int) -> int: ...  # noqa: D102


class ExtendedRegister(Register):
    """Extended register, version 0. Its value is reset by billing, not by a client."""

    CLASS_ID = 4
    ATTRIBUTES = Register.ATTRIBUTES + (
        (UINT8, READ),  # 4 status
        (OCTET_STRING, READ),  # 5 capture_time
    )

    def __init__(self, file: "File", clock: "Clock") -> None:
        self.file = file
        self._clock = clock

    def get(self, writer: "Writer", key: int, index: int, session: "Session") -> None:
        """Encode an attribute; a time that never was specifies nothing."""
        if index < 4:
            super().get(writer, key, index, session)
        elif index == 4:
            writer.uint8(self.file.status(key))
        else:
            writer.octet_string(moment(self._clock, self.file.capture_utc_s(key)))
