"""The report of the device test on the glass: a part as the code, its state as the value."""

from micropython import const

from app.display import words
from app.display.layers import Layer

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.display.fields import Fields
    from app.display.words import Words

    class Test(Protocol):
        """What has been found so far: part and state of each line."""

        lines: list[tuple[str, int]]


_WORDS = (words.DONE, words.FAILED, words.EMPTY, words.EMPTY)  # by state of device_test


class TestReport(Layer):
    """The lines that there are; more come while they are looked at."""

    def __init__(self, wording: "Words", test: "Test") -> None:
        super().__init__()
        self._words = wording
        self._lines = test.lines

    def length(self) -> int:
        """Return how many lines there are now."""
        return len(self._lines)

    def draw(self, view: "Fields", renew: bool) -> None:
        """Show a line."""
        part, state = self._lines[self.at]
        view.value(self._words(_WORDS[state]), True)
        view.code(part)
        view.unit("")
