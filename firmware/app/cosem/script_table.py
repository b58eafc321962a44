"""Interface class 9, Script table, version 0 (rows TOU-12, TOU-13).

An instance is a table over a setting, which a client may rewrite, or scripts that the firmware
itself carries out. Scripts act with all rights of the meter, so a client may only write what it
has the right to do by itself; and no script may execute another table that can be rewritten.
"""

from micropython import const

from app.attributes import OBJECT_CLASS_INCONSISTENT, OBJECT_UNDEFINED, READ_WRITE_DENIED
from app.axdr import ARRAY, OCTET_STRING, UINT16
from app.cosem.base import CHOICE, EXECUTE, READ, READ_WRITE, WRITE, InterfaceClass
from app.errors import AccessRefused, TypeUnmatched
from app.tariff import scripts

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.attributes import Reference
    from app.axdr import Reader, Writer
    from app.cosem.base import Session
    from app.cosem.objects import Objects
    from app.settings import Settings

_CHUNK = const(192)


class StoredScripts:
    """A table over the setting `key()`; `factory()` is what a new meter has, encoded."""

    def __init__(
        self,
        settings: "Settings",
        key: "Callable[[], str]",
        factory: "Callable[[], bytes]",
        runner: "scripts.Runner",
    ) -> None:
        self._runner = runner
        self._settings = settings
        self._key = key
        self._factory = factory

    def encoded(self) -> bytes:
        """Return the scripts as attribute 2 shows them."""
        return self._settings.get(self._key()) or self._factory()

    def run(self, number: int, by_client: bool) -> None:
        """Execute a script, whoever asks. Raises AccessRefused if it is none or refused."""
        self._runner.run(self.encoded(), number)

    def put(self, encoded: bytes) -> None:
        """Replace the scripts. Raises ValueError if they are too long, OSError."""
        self._settings.put(self._key(), encoded)


class BuiltInScripts:
    """`count` scripts that the firmware carries out: `run(id, by_client)`, or by the meter."""

    def __init__(self, count: int, run: "Callable[[int, bool], None]") -> None:
        self.count = count
        self.run = run


class ScriptTable(InterfaceClass):
    """All script tables."""

    CLASS_ID = 9
    VERSION = 0
    ATTRIBUTES = (
        (OCTET_STRING, READ),  # 1 logical_name
        (ARRAY, READ_WRITE),  # 2 scripts
    )
    METHODS = (
        EXECUTE,  # 1 execute
    )

    def __init__(self, objects: "Objects") -> None:
        self._find = objects.find

    def get(
        self,
        writer: "Writer",
        key: "StoredScripts | BuiltInScripts",
        index: int,
        session: "Session",
    ) -> "Iterator[None]":
        """Encode the scripts; those of the firmware have ids and no actions to show."""
        if isinstance(key, BuiltInScripts):
            writer.array(key.count)
            for number in range(key.count):
                writer.structure(2)
                writer.uint16(number + 1)
                writer.array(0)
            return
        encoded = memoryview(key.encoded())
        for at in range(0, len(encoded), _CHUNK):
            writer.raw(encoded[at : at + _CHUNK])
            yield

    def put(
        self,
        reader: "Reader",
        key: "StoredScripts | BuiltInScripts",
        index: int,
        session: "Session | None",
    ) -> None:
        """Replace the scripts of a table that can be rewritten."""
        if isinstance(key, BuiltInScripts):
            raise AccessRefused(READ_WRITE_DENIED)
        key.put(
            scripts.check(
                reader, lambda action, calls, tag: self._permit(action, calls, tag, session)
            )
        )

    def act(
        self,
        reader: "Reader",
        key: "StoredScripts | BuiltInScripts",
        index: int,
        session: "Session",
    ) -> None:
        """Execute one script. Raises AccessRefused if there is none of this id."""
        number = reader.number(UINT16)
        if isinstance(key, BuiltInScripts) and not 1 <= number <= key.count:
            raise AccessRefused(OBJECT_UNDEFINED)
        key.run(number, session is not None)

    def _permit(
        self, action: "Reference", calls: bool, tag: int, session: "Session | None"
    ) -> None:
        """Raise AccessRefused for an action that points nowhere or is not the client's to do.

        Raises TypeUnmatched where an attribute has another type.
        """
        found = self._find(action.logical_name)
        if found is None:
            raise AccessRefused(OBJECT_UNDEFINED)
        handler, key, group = found
        if action.class_id != handler.CLASS_ID:
            raise AccessRefused(OBJECT_CLASS_INCONSISTENT)
        table = handler.METHODS if calls else handler.ATTRIBUTES
        if not 1 <= action.index <= len(table):
            raise AccessRefused(OBJECT_UNDEFINED)
        rights = EXECUTE | READ_WRITE if session is None else session.client.rights(group)
        wanted = EXECUTE if calls else WRITE
        row = table[action.index - 1]
        expected, access = (tag, row) if isinstance(row, int) else row
        if not access & rights & wanted or isinstance(key, StoredScripts):
            raise AccessRefused(READ_WRITE_DENIED)
        if expected not in (CHOICE, tag):
            raise TypeUnmatched
