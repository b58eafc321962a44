"""Digital inputs read as one number, with their bounce waited out (rows TOU-18, INP-07)."""

import asyncio

from micropython import const

from app import ticks

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Input

_SETTLE_MS = const(100)


class Inputs:
    """Inputs that are low while there is voltage; input n is bit n of the number, from 0.

    `on_change(number, since_ms)` is told the first number and each new one, with the ticks of its
    last edge.
    """

    def __init__(self, inputs: "list[Input]", on_change: "Callable[[int, int], None]") -> None:
        self._inputs = inputs
        self._on_change = on_change
        self._edge = asyncio.ThreadSafeFlag()
        self._edge_ms = 0

    async def run(self) -> None:
        """Watch the inputs for ever."""
        for one in self._inputs:
            one.irq(self._wake, one.IRQ_FALLING | one.IRQ_RISING)
        known = -1
        self._edge_ms = ticks.now_ms()
        while True:
            rest_ms = self._rest_ms()
            while rest_ms > 0:
                await asyncio.sleep_ms(rest_ms)
                rest_ms = self._rest_ms()
            number = 0
            for bit, one in enumerate(self._inputs):
                number |= (1 - one.value()) << bit
            if number != known:
                known = number
                self._on_change(number, self._edge_ms)
            await self._edge.wait()

    def _rest_ms(self) -> int:
        return _SETTLE_MS - ticks.until_ms(ticks.now_ms(), self._edge_ms)

    def _wake(self, _pin: object) -> None:
        """Take an edge; called from the interrupt."""
        self._edge_ms = ticks.now_ms()
        self._edge.set()
