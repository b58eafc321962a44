"""Interface class 6, Register activation, version 0 (rows TOU-08 to TOU-11, DEM-14).

The assignment is fixed: all rate registers of a meter, in the order of its files. Indices in a
mask count from 1, as the Blue Book has them.
"""

from micropython import const

from app.attributes import OBJECT_UNDEFINED
from app.axdr import ARRAY, OCTET_STRING, UINT8, UINT16
from app.cosem.base import EXECUTE, READ, READ_WRITE, InterfaceClass
from app.errors import AccessRefused

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from app.axdr import Reader, Writer
    from app.cosem.base import Session
    from app.tariff.activation import Activation

    class File(Protocol):
        """The registers that are assigned; all of them are 1-B:C.D.E.255."""

        @property
        def count(self) -> int: ...  # noqa: D102
        def find(self, c: int, d: int, e: int) -> int: ...  # noqa: D102
        def obis(self, index: int) -> tuple[int, int, int]: ...  # noqa: D102


_ANY_NAME_MAX = const(32)


class Assigned:
    """One instance: the masks, and the file and class of the registers that they switch."""

    def __init__(
        self, activation: "Activation", file: "File", class_id: int, channel: int = 0
    ) -> None:
        self.activation = activation
        self.file = file
        self.class_id = class_id
        self.prefix = bytes((1, channel))  # A and B of all of them


class RegisterActivation(InterfaceClass):
    """Which registers count."""

    CLASS_ID = 6
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (ARRAY, READ),  # 2 register_assignment
        (ARRAY, READ_WRITE),  # 3 mask_list
        (OCTET_STRING, READ_WRITE),  # 4 active_mask
    )
    METHODS = (
        EXECUTE,  # 1 add_register
        EXECUTE,  # 2 add_mask
        EXECUTE,  # 3 delete_mask
    )

    def get(
        self, writer: "Writer", key: Assigned, index: int, session: "Session"
    ) -> "Iterator[None] | None":
        """Encode an attribute, the long ones in parts."""
        if index == 4:
            writer.octet_string(key.activation.active)
            return None
        return _assignment(writer, key) if index == 2 else _masks(writer, key.activation)

    def put(self, reader: "Reader", key: Assigned, index: int, session: "Session") -> None:
        """Replace the masks, or let another one be active."""
        if index == 3:
            key.activation.replace([_mask(reader) for _ in range(reader.array())])
        else:
            key.activation.activate(reader.octet_string(0, _ANY_NAME_MAX))

    def act(self, reader: "Reader", key: Assigned, index: int, session: "Session") -> None:
        """Add a register, add or delete a mask."""
        if index == 1:
            _check_register(reader, key)
        elif index == 2:
            name, indices = _mask(reader)
            key.activation.add(name, indices)
        else:
            key.activation.delete(reader.octet_string(0, _ANY_NAME_MAX))


def _assignment(writer: "Writer", key: Assigned) -> "Iterator[None]":
    writer.array(key.file.count)
    for index in range(key.file.count):
        yield
        writer.structure(2)
        writer.uint16(key.class_id)
        writer.octet_string(key.prefix + bytes(key.file.obis(index)) + b"\xff")


def _masks(writer: "Writer", activation: "Activation") -> "Iterator[None]":
    writer.array(len(activation.masks))
    for name, mask in list(activation.masks):
        yield
        indices = activation.indices(mask)
        writer.structure(2)
        writer.octet_string(name)
        writer.array(len(indices))
        for index in indices:
            writer.uint8(index + 1)


def _mask(reader: "Reader") -> "tuple[bytes, list[int]]":
    reader.structure(2)
    name = reader.octet_string(0, _ANY_NAME_MAX)
    return name, [reader.number(UINT8) - 1 for _ in range(reader.array())]


def _check_register(reader: "Reader", key: Assigned) -> None:
    """Take a register that is assigned already: there is none that is not."""
    reader.structure(2)
    class_id = reader.number(UINT16)
    name = reader.octet_string(6, 6)
    known = name[:2] == key.prefix and name[5] == 255
    if class_id != key.class_id or not known or key.file.find(name[2], name[3], name[4]) < 0:
        raise AccessRefused(OBJECT_UNDEFINED)
