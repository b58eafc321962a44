"""What is done in the hold-up time: the supply-fail line falls, and what is in RAM alone is kept.

The capacitor behind the supply holds for some tens of milliseconds, so each saver says how many
octets it writes at most, all of them together stay below a limit, and nothing waits. If the mains
comes back, the meter has only saved once more than it had to. Rows EN-06, NOP-05.
"""

import asyncio

from micropython import const

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Buffer, Input, Memory

# At 10 MHz an octet takes 0.8 us on the bus; what counts is the processor's time to make them,
# some 2 ms a record of 256 octets on the slowest board.
_LIMIT = const(2048)
_RETURN_MS = const(20)  # between two looks whether the mains is back


class FarewellMemory:
    """The board's memory as all others get it: it knows whether the meter has said farewell.

    withdraw: None, or called once before the next write. Who writes after the farewell may be cut
    off in it, and so the next start must not take for granted that nothing was torn.
    """

    def __init__(self, memory: "Memory") -> None:
        self.size = memory.size
        self.withdraw: Callable[[], None] | None = None
        self._memory = memory

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        """Fill `buffer` from `address`."""
        self._memory.read_into(address, buffer)

    def write(self, address: int, data: "Buffer") -> None:
        """Write in rising order of addresses."""
        withdraw = self.withdraw
        if withdraw is not None:
            self.withdraw = None
            withdraw()
        self._memory.write(address, data)


class PowerFail:
    """Watches `line`, low while the mains is gone, and calls every saver at each fall.

    count: falls since start; octets: what all savers may write; errors: savers that failed.
    on_return: called when the mains is back before the capacitor was empty.
    """

    def __init__(self, line: "Input") -> None:
        self.count = 0
        self.octets = 0
        self.errors = 0
        self.on_return: Callable[[], None] | None = None
        self._line = line
        self._savers: list[Callable[[], object]] = []
        self._fallen = asyncio.ThreadSafeFlag()

    def add_saver(self, saver: "Callable[[], object]", octets: int) -> None:
        """Let `saver()` run after those before it; it writes `octets` at most and never waits.

        Raises ValueError when the hold-up time could not bear it.
        """
        if octets <= 0 or self.octets + octets > _LIMIT:
            raise ValueError("more than the hold-up time bears")
        self.octets += octets
        self._savers.append(saver)

    async def run(self) -> None:
        """Watch the line until cancelled."""
        self._line.irq(self._wake, self._line.IRQ_FALLING)
        if not self._line.value():
            self._fallen.set()  # it fell before anybody watched
        while True:
            await self._fallen.wait()
            self.count += 1
            self._save()
            while not self._line.value():
                await asyncio.sleep_ms(_RETURN_MS)
            if self.on_return is not None:
                self.on_return()

    def _save(self) -> None:
        for saver in self._savers:
            try:
                saver()
            except Exception:  # the others have their own to keep, and nobody could be told now
                self.errors += 1

    def _wake(self, _line: object) -> None:
        """Take the fall; called from the interrupt."""
        self._fallen.set()
