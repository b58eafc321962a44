"""Script tables: named lists of attribute writes and method calls (class 9, rows TOU-12, TOU-13).

A table's scripts rest encoded as attribute 2 of class 9 shows them, so what a client wrote is
what it reads. Actions reach their objects through the resolver. What a script does is done as far
as it goes: an action that is refused does not stop the next one, because half a rate switch is
worse than the half that can be had, but the caller is told.
"""

from micropython import const

from app.attributes import OBJECT_UNDEFINED, OTHER_REASON, Reference
from app.axdr import ENUM, INT8, UINT16, Reader
from app.errors import AccessRefused, MeterError

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.attributes import Resolver
    from hal import Buffer

    Permitted = Callable[[Reference, bool, int], None]

WRITE_ATTRIBUTE = const(1)
EXECUTE_METHOD = const(2)
SCRIPTS_MAX = const(48)  # as many rates as there can be
ACTIONS_MAX = const(16)
_DEPTH_MAX = const(4)  # a script may execute another one, but not for ever
_LOGICAL_NAME_SIZE = const(6)
_SCRIPT_TABLE = const(9)
_EXECUTE = const(1)


class ScriptRefused(AccessRefused):
    """A script does not exist, or one of its actions was refused."""


def execute(resolver: "Resolver", table: bytes, script_id: int) -> None:
    """Execute a script of the table of this name, whichever it is. Raises MeterError."""
    parameter = bytes((UINT16, script_id >> 8, script_id & 0xFF))
    resolver.execute(Reference(_SCRIPT_TABLE, table, _EXECUTE), parameter)


class Runner:
    """Executes scripts; the one place that knows how deep they are nested."""

    def __init__(self, resolver: "Resolver") -> None:
        self._resolver = resolver
        self._depth = 0

    def run(self, encoded: "Buffer", script_id: int) -> None:
        """Do the actions of script `script_id` of an encoded table.

        Raises ScriptRefused if there is none, if one of its actions was refused (after the other
        ones), or if scripts call each other too deep.
        """
        if self._depth == _DEPTH_MAX:
            raise ScriptRefused(OTHER_REASON)
        self._depth += 1
        try:
            self._run(Reader(encoded), script_id)
        finally:
            self._depth -= 1

    def _run(self, reader: Reader, script_id: int) -> None:
        for _ in range(reader.array()):
            reader.structure(2)
            found = reader.data()[1] == script_id
            refused = False
            for _ in range(reader.array()):
                if not found:
                    reader.skip()
                elif not self._act(reader):
                    refused = True
            if found:
                if refused:
                    raise ScriptRefused(OTHER_REASON)
                return
        raise ScriptRefused(OBJECT_UNDEFINED)

    def _act(self, reader: Reader) -> bool:
        """Do one action; tell whether it was done."""
        reader.structure(5)
        service = reader.data()[1]
        class_id = reader.data()[1]
        logical_name = reader.octet_string(_LOGICAL_NAME_SIZE, _LOGICAL_NAME_SIZE)
        index = reader.data()[1]
        start = reader.at
        reader.skip()
        parameter = bytes(memoryview(reader.buffer)[start : reader.at])
        reference = Reference(class_id, logical_name, index)
        try:
            if service == WRITE_ATTRIBUTE:
                self._resolver.write(reference, parameter)
            else:
                self._resolver.execute(reference, parameter)
        except (MeterError, ValueError, OSError):
            return False
        return True


def check(reader: Reader, permitted: "Permitted") -> bytes:
    """Return a table of scripts as it may be stored, checked to its last octet.

    `permitted(reference, executes, tag)`, where `tag` is the type of its parameter, raises what
    stands against an action. Raises EncodingError or
    TypeUnmatched for what is no array of scripts, ValueError for too many, two of one id, or an
    unknown service.
    """
    start = reader.at
    count = reader.array()
    if count > SCRIPTS_MAX:
        raise ValueError("a table has at most 48 scripts")
    ids: list[int] = []
    for _ in range(count):
        reader.structure(2)
        script_id = reader.number(UINT16)
        if script_id in ids or script_id == 0:
            raise ValueError("scripts have different ids from 1")
        ids.append(script_id)
        actions = reader.array()
        if actions > ACTIONS_MAX:
            raise ValueError("a script has at most 16 actions")
        for _ in range(actions):
            _check_action(reader, permitted)
    return bytes(memoryview(reader.buffer)[start : reader.at])


def _check_action(reader: Reader, permitted: "Permitted") -> None:
    reader.structure(5)
    service = reader.number(ENUM)
    if service not in (WRITE_ATTRIBUTE, EXECUTE_METHOD):
        raise ValueError("a script writes (1) or executes (2)")
    class_id = reader.number(UINT16)
    logical_name = reader.octet_string(_LOGICAL_NAME_SIZE, _LOGICAL_NAME_SIZE)
    reference = Reference(class_id, logical_name, reader.number(INT8))
    permitted(reference, service == EXECUTE_METHOD, reader.peek())
    reader.skip()
