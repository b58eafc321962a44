"""High voltage discharged onto the meter, to disturb it: event 218 (row FRD-11).

A sensor beside the electronics, as an antenna with a latch, pulls its line low for a moment. A
discharger gives many in a row: what follows within a second is the same one, and the hold-off of
the fraud log keeps a longer attack from filling it.
"""

import asyncio

from micropython import const

from app import event_codes

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Input

_ONE_MS = const(1000)


class Discharge:
    """Watches the line of the sensor; `post` takes the event."""

    def __init__(self, line: "Input", post: "Callable[[int], None]") -> None:
        self._line = line
        self._post = post
        self._seen = asyncio.ThreadSafeFlag()

    async def run(self) -> None:
        """Watch for ever."""
        self._line.irq(self._wake, self._line.IRQ_FALLING)
        while True:
            await self._seen.wait()
            self._post(event_codes.HIGH_VOLTAGE_DISCHARGE)
            await asyncio.sleep_ms(_ONE_MS)
            self._seen.clear()

    def _wake(self, _line: object) -> None:
        """Take an edge; called from the interrupt."""
        self._seen.set()
