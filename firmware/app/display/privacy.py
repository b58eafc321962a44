"""The consumer's PIN: what was measured is hidden on the glass until it is entered (row DSP-31).

Nothing is hidden before one is set. Entered, it opens until nobody has pressed a key for long.
Three wrong ones are the most until then. A PIN whose record is damaged hides, and opens no more;
a client that takes the privacy bit away (row DSP-25) makes the meter forget it.
"""

from micropython import const

from app.display import words

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.settings import Settings

DIGITS = const(4)
_TRIES = const(3)
_SETTING = "privacy_pin"
_MBUS = const(24)  # value group C


class Privacy:
    """The PIN of one meter.

    wanted: tells whether the configuration asks for privacy
    tell: shows a word as the answer to what was entered
    """

    def __init__(
        self, settings: "Settings", wanted: "Callable[[], bool]", tell: "Callable[[int], None]"
    ) -> None:
        self._settings = settings
        self._wanted = wanted
        self._tell = tell
        self._opened = False
        self._wrong = 0

    def locked(self) -> bool:
        """Tell whether values are hidden now."""
        return not self._opened and self._in_force()

    def hides(self, name: bytes) -> bool:
        """Tell whether an object's value is hidden now: what was measured, here or by M-Bus."""
        measured = (name[0] and name[2]) or name[2] == _MBUS
        return bool(measured) and self.locked()

    def offers(self, word: int) -> bool:
        """Tell whether a menu has an item: PIN, SET_PIN, PIN_OFF of `words`."""
        if word == words.PIN_OFF:
            return self._in_force()
        return self._wanted() and self.locked() == (word == words.PIN)

    def rest(self) -> None:
        """Hide again: nobody is there any more."""
        self._opened = False
        self._wrong = 0

    def take(self, word: int, pin: str) -> None:
        """Do with the digits entered what the item stands for, and tell how it went.

        A new PIN has been entered twice.
        """
        try:
            if word == words.SET_PIN:
                done = pin[:DIGITS] == pin[DIGITS:]
                if done:
                    self._settings.put(_SETTING, pin[:DIGITS].encode())
            else:
                done = self._wrong < _TRIES and pin.encode() == self._settings.get(_SETTING)
                self._wrong = 0 if done else self._wrong + 1
                if done and word == words.PIN_OFF:
                    self.forget()
            self._opened = self._opened or done
            self._tell(words.DONE if done else words.REJECTED)
        except OSError:
            self._tell(words.FAILED)

    def forget(self) -> None:
        """Have no PIN any more. Raises OSError."""
        if self._is_set():
            self._settings.put(_SETTING, b"")

    def _in_force(self) -> bool:
        return self._wanted() and self._is_set()

    def _is_set(self) -> bool:
        settings = self._settings
        return settings.get(_SETTING) != b"" or _SETTING in settings.damaged
