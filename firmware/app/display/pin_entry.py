"""A PIN is entered by one key: short presses count a digit up, a long one takes it.

Each digit is a layer of its own, so one level up is one digit back.
"""

from micropython import const

from app.display import words
from app.display.layers import Layer
from app.display.privacy import DIGITS

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.display.fields import Fields
    from app.display.privacy import Privacy

_VALUES = const(10)


class PinDigit(Layer):
    """One digit, behind those that have been `entered`; `word`: what the PIN is asked for."""

    def __init__(self, privacy: "Privacy", word: int, entered: str = "") -> None:
        super().__init__()
        self._privacy = privacy
        self._word = word
        self._entered = entered

    def length(self) -> int:
        """Return how many values a digit has."""
        return _VALUES

    def step(self) -> bool:
        """Count up, after 9 from 0 on."""
        self.at = (self.at + 1) % _VALUES
        return True

    def draw(self, view: "Fields", renew: bool) -> None:
        """Show the digits up to this one; a new PIN is asked for a second time."""
        again, behind = divmod(len(self._entered), DIGITS)
        shown = self._entered[again * DIGITS :] + str(self.at)
        view.value(shown + "_" * (DIGITS - 1 - behind), True)
        view.code("PIn 2" if again else "PIn")
        view.unit("")

    def leads(self) -> bool:
        """Tell that a long press takes the digit."""
        return True

    def open(self) -> "Layer | None":
        """Return the next digit; None if that was the last one."""
        entered = self._entered + str(self.at)
        if len(entered) < (2 * DIGITS if self._word == words.SET_PIN else DIGITS):
            return PinDigit(self._privacy, self._word, entered)
        self._privacy.take(self._word, entered)
        return None
