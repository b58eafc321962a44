"""Settings that survive power loss: one A/B record for each key, defaults where none was written.

A setting is a short string of bytes whose layout belongs to the module that uses it. Reading costs
no bus access after start. When the FRAM does not answer, the meter goes on with what it has and
`failed` tells so.
"""

from micropython import const

from app.storage import record, regions

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from hal import Buffer, Memory

# Factory defaults. An empty list setting means: the list that the display was built with.
_DEFAULTS = (
    ("lls", b"12345678"),
    ("clock", b""),
    ("general_list", b""),
    ("alternate_list", b""),
    ("invocation_counter", b""),
    ("identification", b""),
)


class Settings:
    """The meter's settings over `memory`."""

    def __init__(self, memory: "Memory") -> None:
        self._memory = memory
        self._values: dict[str, bytes] = {}
        self._defaults = dict(_DEFAULTS)
        self.damaged: list[str] = []  # keys whose both copies were unreadable: defaults serve
        self.failed = False  # True: the memory did not answer
        for key in self._defaults:
            self._values[key] = self._load(key)

    def get(self, key: str) -> bytes:
        """Return the value of `key`. Raises KeyError for a key that does not exist."""
        return self._values[key]

    def put(self, key: str, value: "Buffer") -> None:
        """Store `value` under `key`; after return it survives power loss.

        Raises KeyError for an unknown key, ValueError if it is too long for its region, OSError if
        the memory does not answer; the old value stays in all three cases.
        """
        if key not in self._values:
            raise KeyError(key)
        region = regions.open_record(self._memory, key)
        region.load()
        region.save(value)
        self._values[key] = bytes(value)

    def _load(self, key: str) -> bytes:
        region = regions.open_record(self._memory, key)
        try:
            payload = region.load()
        except OSError:
            self.failed = True
            return self._defaults[key]
        if region.state == record.LOST:
            self.damaged.append(key)
        return self._defaults[key] if payload is None else bytes(payload)
