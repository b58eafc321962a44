"""What is done in the hold-up time: the supply-fail line falls, and what is in RAM alone is kept.

The capacitor behind the supply holds for some tens of milliseconds, so the actions write a few
hundred bytes at most and wait for nothing. If the mains comes back within the time, the meter has
only saved once more than it had to. Row EN-06.
"""

import asyncio

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Input


class PowerFail:
    """Watches `line`, low while the mains is gone, and calls `save` at each fall."""

    def __init__(self, line: "Input", save: "Callable[[], None]") -> None:
        self._line = line
        self._save = save
        self._fallen = asyncio.ThreadSafeFlag()
        self.count = 0  # falls since start

    async def run(self) -> None:
        """Watch the line until cancelled."""
        self._line.irq(self._wake, self._line.IRQ_FALLING)
        while True:
            await self._fallen.wait()
            self.count += 1
            self._save()

    def _wake(self, _line: object) -> None:
        """Take the fall; called from the interrupt."""
        self._fallen.set()
