"""Keys: edges from an interrupt, bounce waited out, presses told apart by their length (KEY-02).

Nothing is polled while a key rests. `PressTimer` has no I/O; `Key` is one key and its task.
"""

import asyncio
import time

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Input

SCROLL = 0
RESET = 1

# What a key does; all but DOWN come when it is released (table 15.2, ruling).
NONE = 0
DOWN = 1
SHORT = 2  # up to 2 s: next
ENTER = 3  # 2 to 5 s
BACK = 4  # 5 to 7 s: one level up
TO_AUTO = 5  # 7 to 10 s: to automatic scroll
CONNECT = 6  # longer: manual connect or disconnect

_LIMITS_MS = ((2000, SHORT), (5000, ENTER), (7000, BACK), (10000, TO_AUTO))
_SETTLE_MS = const(10)  # contacts bounce for about 5 ms


class PressTimer:
    """Tells presses apart; time is given."""

    def __init__(self) -> None:
        self._down = False
        self._since_ms = 0

    def change(self, down: bool, elapsed_ms: int) -> int:
        """Return what it means that the key is `down`; `elapsed_ms`: since it went down."""
        if down == self._down:
            return NONE
        self._down = down
        if down:
            return DOWN
        for limit_ms, kind in _LIMITS_MS:
            if elapsed_ms < limit_ms:
                return kind
        return CONNECT


class Key:
    """One key, low while it is pressed; `handler(number, kind)` is called for what it does."""

    def __init__(self, pin: "Input", number: int, handler: "Callable[[int, int], None]") -> None:
        self._pin = pin
        self._number = number
        self._handler = handler
        self._press = PressTimer()
        self._edge = asyncio.ThreadSafeFlag()

    async def run(self) -> None:
        """Watch the key until cancelled."""
        pin = self._pin
        pin.irq(self._wake, pin.IRQ_FALLING | pin.IRQ_RISING)
        down_ms = time.ticks_ms()
        while True:
            await self._edge.wait()
            edge_ms = time.ticks_ms()
            level = -1
            while pin.value() != level:
                level = pin.value()
                await asyncio.sleep_ms(_SETTLE_MS)
            kind = self._press.change(level == 0, time.ticks_diff(edge_ms, down_ms))
            if kind == DOWN:
                down_ms = edge_ms
            if kind:
                self._handler(self._number, kind)

    def _wake(self, _pin: object) -> None:
        """Take an edge; called from the interrupt."""
        self._edge.set()
