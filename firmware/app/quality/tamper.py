"""Covers and magnetic field: opened, closed, come and gone, with and without mains.

What the lines showed last stands in FRAM, so whatever moved while nobody could look is noticed at
the next start. A board with a path from the battery to the processor starts it at each change;
then the event bears its true time. Rows FRD-01 to FRD-04, NOP-04, EVT-17.

A change is kept with its time before it is told, and told once more at the next start if power
went between; the event book knows what it has.
"""

import asyncio
import struct

from micropython import const

from app import event_codes
from app.storage import record, regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from hal import Input, Memory

    class Events(Protocol):
        """What is told of events."""

        def post(self, code: int, utc_s: int) -> None: ...  # noqa: D102
        def post_again(self, code: int, utc_s: int) -> None: ...  # noqa: D102


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
_FORMAT = "<BI"  # state and, four bits higher, what is still to be told; UTC of the last change
_COUNT_SIZE = const(3)  # octets; behind, how often each line became active
_SIZE = const(14)
_OLD_FORMAT = "<B3I"  # state, counts
_OWED_SHIFT = const(4)
_BOUNCE_MS = const(50)
_COUNT_MASK = const(0xFFFFFF)


class Tamper:
    """Watches `lines`: terminal cover, meter cover, magnetic field.

    counts: times that each was opened, or came; damaged: both copies of the record were
    busy: True while lines move and nothing is settled
    """

    def __init__(
        self,
        memory: "Memory",
        lines: "tuple[Input, ...]",
        events: "Events",
        utc_s: "Callable[[], int]",
    ) -> None:
        self.counts = [0] * len(_EVENTS)
        self.damaged = False
        self.busy = True
        self._lines = lines
        self._events = events
        self._utc_s = utc_s
        self._owed = 0  # lines whose change has not been told for certain
        self._moved_utc_s = 0
        self._moved = asyncio.ThreadSafeFlag()
        self._record = regions.open_record(memory, "tamper")
        self._known = False
        self._state = self._now()  # of a new meter
        try:
            kept = self._record.load()
        except OSError:
            return
        self.damaged = self._record.state == record.LOST
        if kept is not None:
            self._restore(bytes(kept))

    def active(self, line: int) -> bool:
        """Tell whether a cover is open, or the field there."""
        return self._state >> line & 1 == 1

    async def run(self) -> None:
        """Watch for ever; what moved before is found first."""
        for line in self._lines:
            line.irq(self._wake, line.IRQ_FALLING | line.IRQ_RISING)
        self._tell(self._events.post_again)
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
        self._owed = changed
        self._moved_utc_s = self._utc_s()
        for line in range(len(_EVENTS)):
            if changed & state & 1 << line:
                self.counts[line] = self.counts[line] + 1 & _COUNT_MASK
        self._keep()
        self._tell(self._events.post)

    def _tell(self, post: "Callable[[int, int], None]") -> None:
        if not self._owed:
            return
        for line, (begins, ends) in enumerate(_EVENTS):
            if self._owed >> line & 1:
                post(begins if self.active(line) else ends, self._moved_utc_s)
        self._owed = 0
        self._keep()

    def _restore(self, kept: bytes) -> None:
        if len(kept) == _SIZE:
            state, self._moved_utc_s = struct.unpack_from(_FORMAT, kept)
            self._owed, self._state = state >> _OWED_SHIFT, state & 7
            for line in range(len(_EVENTS)):
                at = struct.calcsize(_FORMAT) + _COUNT_SIZE * line
                self.counts[line] = int.from_bytes(kept[at : at + _COUNT_SIZE], "little")
        elif len(kept) == struct.calcsize(_OLD_FORMAT):
            self._state, *self.counts = struct.unpack(_OLD_FORMAT, kept)
        else:
            return
        self._known = True

    def _keep(self) -> None:
        state = self._state | self._owed << _OWED_SHIFT
        kept = struct.pack(_FORMAT, state, self._moved_utc_s)
        for count in self.counts:
            kept += count.to_bytes(_COUNT_SIZE, "little")
        try:
            self._record.save(kept)
            self._known = True
        except OSError:
            pass  # a start that finds the old state tells of the change again
