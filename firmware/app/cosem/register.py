"""Interface class 3, Register: a value with scaler and unit.

The key of an instance is an index into a file of registers: app.registers.RegisterFile for what is
measured. Rows EN-02, MET-09 to MET-17.
"""

from micropython import const

from app.axdr import OCTET_STRING, STRUCTURE
from app.cosem.base import CHOICE, NO_ACCESS, READ, InterfaceClass

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.axdr import Writer
    from app.cosem.base import Session

    class Values(Protocol):
        """Registers by index."""

        def value(self, index: int) -> int: ...  # noqa: D102
        def form(self, index: int) -> tuple[int, int, int]: ...  # noqa: D102

    class File(Values, Protocol):
        """All of them are 1-0:C.D.E.255."""

        @property
        def count(self) -> int: ...  # noqa: D102
        def find(self, c: int, d: int, e: int) -> int: ...  # noqa: D102
        def obis(self, index: int) -> tuple[int, int, int]: ...  # noqa: D102


class Register(InterfaceClass):
    """Register, version 0. No measured value can be reset by a client."""

    CLASS_ID = 3
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (CHOICE, READ),  # 2 value
        (STRUCTURE, READ),  # 3 scaler_unit
    )
    METHODS = (
        NO_ACCESS,  # 1 reset
    )

    def __init__(self, file: "Values") -> None:
        self.file = file

    def get(self, writer: "Writer", key: int, index: int, session: "Session") -> None:
        """Encode an attribute."""
        scaler, unit, tag = self.file.form(key)
        if index == 2:
            writer.number(tag, self.file.value(key))
        else:
            scaler_unit(writer, scaler, unit)


def scaler_unit(writer: "Writer", scaler: int, unit: int) -> None:
    """Encode a scaler_unit: power of ten and unit code of the Blue Book."""
    writer.structure(2)
    writer.int8(scaler)
    writer.enum(unit)
