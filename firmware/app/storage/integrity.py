"""The background check of what is stored: rows after each start, records every hour.

A record of which one copy is damaged is repaired from the other. Rows ERR-07, ERR-16, NOP-16.
"""

import asyncio

from micropython import const

from app.storage import record, regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.storage.rings import Rings
    from hal import Buffer, Memory

_HOUR_MS = const(3_600_000)
# Tells whether the last life ended in order (app.outages), and may itself be torn behind that.
_FAREWELL = "power"
_ROWS_PER_REST = const(4)
_REST_MS = const(20)


class Integrity:
    """Checks `memory` and `rings`.

    `on_trouble(part)` is told the name of a region or ring that is damaged, once until it is sound
    again. `restore(region)` is called when a copy was damaged while the meter runs.
    """

    def __init__(
        self,
        memory: "Memory",
        rings: "Rings",
        on_trouble: "Callable[[str], None]",
        restore: "Callable[[str], None]",
    ) -> None:
        # None, or called with a region and its payload when that was found sound
        self.on_sound: Callable[[str, Buffer], None] | None = None
        self._memory = memory
        self._rings = rings
        self._on_trouble = on_trouble
        self._restore = restore
        self._told: list[str] = []

    def start(self, torn: bool) -> None:
        """Check all records at the start and repair what is damaged.

        `torn`: the last life did not end in order, so a damaged copy is one that was being
        written, which is no fault of the memory.
        """
        for name, _, _ in regions.REGIONS:
            found = regions.open_record(self._memory, name)
            try:
                found.load()
                found.repair()
            except OSError:
                return  # told by those who need what it holds
            if found.state == record.TWIN and not torn and name != _FAREWELL:
                self._on_trouble(name)

    async def run(self) -> None:
        """Check for ever."""
        await self.check_rings()
        while True:
            for name, _, _ in regions.REGIONS:
                await asyncio.sleep_ms(_HOUR_MS // len(regions.REGIONS))
                self.check_record(name)

    async def check_rings(self) -> None:
        """Check every row of every ring, some at a time."""
        for ring in list(self._rings.open_rings):
            await self._check_rows(ring.number)

    def check_record(self, name: str) -> None:
        """Read both copies of a region and repair one that is damaged."""
        found = regions.open_record(self._memory, name)
        try:
            payload = found.load()
            state = found.state
            if payload is not None and state == record.OK and self.on_sound is not None:
                self.on_sound(name, bytes(payload))
            found.repair()
        except OSError:
            state = record.LOST
        self._judge(name, state in (record.OK, record.BLANK, record.NEWER))
        if state in (record.TWIN, record.LOST):
            # the whole copy may be the older one: whoever has the value in RAM writes it again
            self._restore(name)

    async def _check_rows(self, number: int) -> None:
        sequence = 0
        sound = True
        while True:
            # A ring may be opened anew meanwhile, and rows may go.
            ring = next(ring for ring in self._rings.open_rings if ring.number == number)
            sequence = max(sequence, ring.first)
            end = min(sequence + _ROWS_PER_REST, ring.next)
            if sequence == end:
                break
            try:
                while sequence < end:
                    sound = ring.whole(sequence) and sound
                    sequence += 1
            except OSError:
                return  # the drain tells of a flash that fails
            await asyncio.sleep_ms(_REST_MS)
        self._judge(regions.RINGS[number][0], sound)

    def _judge(self, part: str, sound: bool) -> None:
        if sound:
            if part in self._told:
                self._told.remove(part)
        elif part not in self._told:
            self._told.append(part)
            self._on_trouble(part)
