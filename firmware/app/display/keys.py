"""Keys: edges from an interrupt, bounce waited out, presses told apart by their length (KEY-02).

Nothing is polled, neither while a key rests nor while it is held. `PressTimer` has no I/O; `Key`
is one key and its task.
"""

import asyncio
import time

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
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
TO_AUTO = 5  # 7 to 8 s: to automatic scroll
EXTENDED = 6  # 8 to 10 s: the same, or a menu in the reduced console
CONNECT = 7  # longer: manual connect or disconnect
HELD = 8  # with one of these: what it would be if the key were released now

_LIMITS_MS = (2000, 5000, 7000, 8000, 10000)
_SETTLE_MS = const(10)  # contacts bounce for about 5 ms


class PressTimer:
    """Tells presses apart; time is given, in ms since the key went down."""

    def __init__(self) -> None:
        self._kind = NONE  # NONE: the key is up; SHORT and more: what the press has become

    def change(self, down: bool, elapsed_ms: int) -> int:
        """Return what it means that the key is `down` now."""
        if down == (self._kind != NONE):
            return NONE
        if down:
            self._kind = SHORT
            return DOWN
        self.held(elapsed_ms)
        kind = self._kind
        self._kind = NONE
        return kind

    def held(self, elapsed_ms: int) -> int:
        """Return HELD and what the press has become if that is new, else NONE."""
        before = self._kind
        # It never goes back: a press may outlast the processor's clock of milliseconds.
        while self._rest_ms(elapsed_ms) <= 0:
            self._kind += 1
        return NONE if self._kind == before else HELD | self._kind

    def wait_ms(self, elapsed_ms: int) -> int:
        """Return how long it is until a press becomes another one; -1: it does not."""
        if not SHORT <= self._kind < CONNECT:
            return -1
        return max(1, self._rest_ms(elapsed_ms))

    def _rest_ms(self, elapsed_ms: int) -> int:
        if self._kind == CONNECT:
            return 1
        return _LIMITS_MS[self._kind - SHORT] - elapsed_ms


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
        press = self._press
        pin.irq(self._wake, pin.IRQ_FALLING | pin.IRQ_RISING)
        down_ms = time.ticks_ms()
        while True:
            wait_ms = press.wait_ms(time.ticks_diff(time.ticks_ms(), down_ms))
            try:
                if wait_ms < 0:
                    await self._edge.wait()
                else:
                    await asyncio.wait_for_ms(self._edge.wait(), wait_ms)
            except asyncio.TimeoutError:
                self._tell(press.held(time.ticks_diff(time.ticks_ms(), down_ms)))
                continue
            edge_ms = time.ticks_ms()
            level = -1
            while pin.value() != level:
                level = pin.value()
                await asyncio.sleep_ms(_SETTLE_MS)
            kind = press.change(level == 0, time.ticks_diff(edge_ms, down_ms))
            if kind == DOWN:
                down_ms = edge_ms
            self._tell(kind)

    def _tell(self, kind: int) -> None:
        if kind:
            self._handler(self._number, kind)

    def _wake(self, _pin: object) -> None:
        """Take an edge; called from the interrupt."""
        self._edge.set()
