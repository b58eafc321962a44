"""Covers and magnetic field: opened, closed, come and gone, with and without mains.

What the lines showed last stands in FRAM, so whatever moved while nobody could look is noticed at
the next start. A board with a path from the battery to the processor starts it at each change;
then the event bears its true time. Rows FRD-01 to FRD-04, NOP-04, EVT-17.
"""

import asyncio
import struct

from micropython import const

from app import event_codes
from app.storage import record, regions

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Input, Memory

TERMINAL_COVER = const(0)  # the lines, and their bits in the record
METER_COVER = const(1)
FIELD = const(2)

# events: it begins, it ends
_EVENTS = (
    (event_codes.TERMINAL_COVER_REMOVED, event_codes.TERMINAL_COVER_CLOSED),
    (event_codes.METER_COVER_REMOVED, event_codes.METER_COVER_CLOSED),
    (event_codes.STRONG_FIELD, event_codes.STRONG_FIELD_GONE),
)
_ACTIVE_LEVELS = (1, 1, 0)  # an open cover is high, so that a cut wire alarms; a field is low
_FORMAT = "<B3I"  # state, times that each line became active
_BOUNCE_MS = const(50)
_UINT32 = const(0xFFFFFFFF)


class Tamper:
    """Watches `lines`: terminal cover, meter cover, magnetic field.

    counts: times that each was opened, or came; damaged: both copies of the record were
    busy: True while lines move and nothing is settled
    """

    def __init__(
        self, memory: "Memory", lines: "tuple[Input, ...]", post: "Callable[[int], None]"
    ) -> None:
        self.counts = [0] * len(_EVENTS)
        self.damaged = False
        self.busy = True
        self._lines = lines
        self._post = post
        self._moved = asyncio.ThreadSafeFlag()
        self._record = regions.open_record(memory, "tamper")
        self._known = False
        self._state = self._now()  # of a new meter
        try:
            kept = self._record.load()
        except OSError:
            return
        self.damaged = self._record.state == record.LOST
        if kept is not None and len(kept) == struct.calcsize(_FORMAT):
            self._known = True
            self._state, *self.counts = struct.unpack(_FORMAT, kept)

    def active(self, line: int) -> bool:
        """Tell whether a cover is open, or the field there."""
        return self._state >> line & 1 == 1

    async def run(self) -> None:
        """Watch for ever; what moved before is found first."""
        for line in self._lines:
            line.irq(self._wake, line.IRQ_FALLING | line.IRQ_RISING)
        while True:
            seen = self._now()
            await asyncio.sleep_ms(_BOUNCE_MS)
            if seen == self._now():
                self._take(seen)
                self.busy = False
                await self._moved.wait()
                self.busy = True

    def _wake(self, _line: object) -> None:
        """Take an edge; called from the interrupt."""
        self._moved.set()

    def _now(self) -> int:
        state = 0
        for line, pin in enumerate(self._lines):
            if pin.value() == _ACTIVE_LEVELS[line]:
                state |= 1 << line
        return state

    def _take(self, state: int) -> None:
        changed = state ^ self._state
        if not changed and self._known:
            return
        self._state = state
        for line, (begins, ends) in enumerate(_EVENTS):
            if changed >> line & 1:
                if self.active(line):
                    self.counts[line] = (self.counts[line] + 1) & _UINT32
                self._post(begins if self.active(line) else ends)
        try:
            self._record.save(struct.pack(_FORMAT, state, *self.counts))
            self._known = True
        except OSError:
            pass  # a start that finds the old state tells of the change again
