"""The meter reset by both keys, which nobody does by accident (row KEY-09).

The sealed key is pressed and held, then the other one too; five seconds later the glass says that
they may be let go, the sealed one first. Any other order does nothing.
"""

from micropython import const

from app.display import keys, words
from app.display.layers import NOT_TAKEN, Layer, show

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.display.console import Console
    from app.display.fields import Fields

# Where the procedure stands
_READY = const(0)
_ARMED = const(1)  # the sealed key is held
_BOTH = const(2)
_RELEASE = const(3)  # both have been held long enough
_LAST = const(4)  # the sealed key has been let go
_DONE = const(5)
_SPOILT = const(6)  # wrong order: until both keys are up

# What happens
_RESET_DOWN = const(0)
_SCROLL_DOWN = const(1)
_LONG = const(2)  # one of them has been held for five seconds
_RESET_UP = const(3)
_SCROLL_UP = const(4)

# What follows; a key that goes down or up otherwise spoils it.
_TABLE = {
    (_READY, _RESET_DOWN): _ARMED,
    (_ARMED, _SCROLL_DOWN): _BOTH,
    (_ARMED, _LONG): _ARMED,
    (_ARMED, _RESET_UP): _READY,
    (_BOTH, _LONG): _RELEASE,
    (_RELEASE, _LONG): _RELEASE,
    (_RELEASE, _RESET_UP): _LAST,
    (_LAST, _LONG): _LAST,
    (_LAST, _SCROLL_UP): _DONE,
    (_SPOILT, _LONG): _SPOILT,
}
_BITS = (1 << keys.SCROLL, 1 << keys.RESET)


class ResetProcedure(Layer):
    """The layer that waits for the keys."""

    def __init__(self, console: "Console") -> None:
        super().__init__()
        self._words = console.words
        self._master_reset = console.master_reset
        self._state = _READY

    def length(self) -> int:
        """Return that there is one entry."""
        return 1

    def step(self) -> bool:
        """Stay: a short press alone does nothing."""
        return True

    def draw(self, view: "Fields", renew: bool) -> None:
        """Show what is waited for."""
        release = self._state in (_RELEASE, _LAST)  # one key after the other
        show(view, self._words(words.RELEASE if release else words.RESET))

    def key(self, number: int, kind: int, down: int) -> int:
        """Take a key while the procedure is under way, or begin it with the sealed key alone."""
        if self._state == _READY and (
            number != keys.RESET or kind != keys.DOWN or down != _BITS[keys.RESET]
        ):
            return NOT_TAKEN
        scroll = number == keys.SCROLL
        if kind == keys.DOWN:
            event = _SCROLL_DOWN if scroll else _RESET_DOWN
        elif kind & keys.HELD:
            if kind != keys.HELD | keys.BACK:
                return words.NONE
            event = _LONG
        else:
            event = _SCROLL_UP if scroll else _RESET_UP
            down &= ~_BITS[number]
        self._state = _TABLE.get((self._state, event), _SPOILT)
        if self._state == _DONE:
            self._state = _READY
            return words.NONE if self._master_reset is None else self._master_reset()
        if self._state == _SPOILT and not down:
            self._state = _READY
        return words.NONE
