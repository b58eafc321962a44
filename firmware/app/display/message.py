"""The consumer's message on the glass: above all else, until a key or its sender takes it back.

Row DSP-24. What a key has taken back is cleared in the object too.
"""

from micropython import const

from app.attributes import Reference
from app.display import keys, words
from app.display.layers import NOT_TAKEN, Alone, Items

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.display.reading import Item, Read
    from app.settings import Settings

_DATA = const(1)
_REFERENCE = Reference(_DATA, b"\x00\x00\x60\x0d\x01\xff", 2)
_SETTING = "consumer_code"


class Message(Items):
    """The message as a list of one item."""

    def __init__(self, settings: "Settings", read: "Read", item: "Item") -> None:
        super().__init__(Alone(_REFERENCE), read, item)
        self._settings = settings
        self._seen = b""  # what a key has taken back although the memory did not take it

    def pending(self) -> bool:
        """Tell whether there is a message to be shown."""
        code = self._settings.get(_SETTING)
        return bool(code) and code != self._seen

    def key(self, number: int, kind: int, down: int) -> int:
        """Take the message back when the scroll key is let go."""
        if number != keys.SCROLL or kind == keys.DOWN:
            return NOT_TAKEN
        if not kind & keys.HELD:
            self._seen = self._settings.get(_SETTING)
            try:
                self._settings.put(_SETTING, b"")
                self._seen = b""
            except OSError:
                pass  # it has been seen all the same
        return words.NONE
