"""The keeper of all rings: opens them by the map, erases ahead of them, remembers what fails.

One task, `drain`, does all erasing, in steps between which it polls the chip and lets others run.
A sector that fails is remembered in FRAM and passed over; when sectors fail in a row it is the
chip that fails. A note in FRAM tells which sectors were being programmed and erased when the power
went: cells that were cut off may look blank and not be. Rows NOP-10, NOP-11.
"""

import asyncio
import struct
import time

from micropython import const

from app.storage import regions
from app.storage.ring import ERASE, PROGRAM, Ring

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from hal import Buffer, Flash, Memory

    Steps = Generator[None, None, None]

_SCRATCH_SIZE = const(256)
_POLL_MS = const(2)
_PATIENCE_MS = const(3000)  # a sector erase takes 400 ms at worst
_RETRY_MS = const(10_000)
_BAD_MAX = const(32)  # what the record of bad sectors takes
_SUSPECTS_MAX = const(2)  # sectors that may fail one after the other
_NOTES = "<HHHH"  # one more than the sector that is being programmed, its complement; erased


class Rings:
    """All rings over `flash`; `memory` takes what has to be remembered of the chip.

    `on_trouble(part)` is called by the task `drain` with "flash" when that fails, with "sector"
    when one turns bad, or with the name of a ring that has been found damaged at its end.
    """

    def __init__(self, flash: "Flash", memory: "Memory") -> None:
        self._flash = flash
        self._memory = memory
        self.read_into = flash.read_into  # waits some milliseconds at most
        self.on_trouble: Callable[[str], None] | None = None
        self.sector_size = flash.sector_size
        self.scratch = memoryview(bytearray(_SCRATCH_SIZE))
        self._bad_record = regions.open_record(memory, "bad_sectors")
        self.bad: list[int] = []  # sectors that failed to erase or to program
        self.noted = [0, 0]  # one more than the sector that is being programmed, erased
        self.failed = False  # True: the flash does not do what it is asked for
        self.open_rings: list[Ring] = []
        self._suspects = 0  # sectors found bad since something succeeded
        self._news: list[str] = []  # what on_trouble has still to be told
        self._steps: Steps | None = None
        self._wake = asyncio.Event()
        try:
            self._load()
        except OSError:
            pass  # others tell of a FRAM that fails; flash works without

    def open(self, name: str, row_size: int, layout: int = 0) -> Ring:
        """Return the ring called `name` for rows of `row_size` bytes.

        `layout` tells rows of one size and different meaning apart. A ring that is opened again
        takes the place of the one before. Rows of another size, layout or version that it holds
        are forgotten; sequence numbers go on. Raises KeyError if the map has no such ring. A
        flash that does not answer leaves the ring without rows until it does.
        """
        ring = Ring(self, regions.find_ring(name), row_size, layout)
        self.open_rings = [other for other in self.open_rings if other.number != ring.number]
        self.open_rings.append(ring)
        self._steps = None
        try:
            self._scan(ring)
        except OSError:
            self._fail()
        self._wake.set()
        return ring

    def cycles(self) -> int:
        """Return how often the sector that was erased most has been, rounded up (row NOP-10)."""
        return max([0] + [-(-ring.turn // ring.blocks) for ring in self.open_rings])

    def reset(self, name: str) -> None:
        """Forget the rows of an open ring, or what a region of the FRAM holds, for good.

        Who calls it sees to the right to do so, and starts the meter again: its parts still have
        in RAM what they have read. Raises KeyError if there is no such name, OSError.
        """
        for ring in self.open_rings:
            if regions.RINGS[ring.number][0] == name:
                ring.clear()
                return
        regions.open_record(self._memory, name).erase()

    def flush(self) -> None:
        """Do what the task would do, waiting for the chip."""
        while self.step():
            time.sleep_ms(_POLL_MS)

    async def drain(self) -> None:
        """Do the work in the background for ever; one task for all rings."""
        while True:
            busy = self.step()
            # Not from the depth of a step: who is told may well append a row.
            while self._news:
                part = self._news.pop(0)
                if self.on_trouble is not None:
                    self.on_trouble(part)
            if busy:
                await asyncio.sleep_ms(_POLL_MS)
            elif self._steps is not None:
                self._steps = None
                await asyncio.sleep_ms(_RETRY_MS)
            else:
                self._wake.clear()
                await self._wake.wait()

    def step(self) -> bool:
        """Do one piece of work; False if there is none or the flash fails."""
        if self._steps is None:
            self._steps = self._work()
        try:
            next(self._steps)
            return True
        except StopIteration:
            self._steps = None
        except OSError:
            self._fail()
        return False

    # What the rings call.

    def __enter__(self) -> None:
        """Begin a change of a ring."""

    def __exit__(self, kind: "type | None", *_: object) -> None:
        """End it: it tells whether the flash works."""
        if kind is None:
            self._works()
        elif issubclass(kind, OSError):
            self._fail()
        self._wake.set()

    def finish(self, ring: Ring) -> None:
        """Wait until the next block of `ring` is blank. Raises OSError, at once if flash fails."""
        ends = 0  # what is under way may have passed this ring by already
        while not ring.ready or not ring.prepared():
            if self.failed or ends > 1:
                raise OSError("flash")
            if not self.step():
                ends += 1
            elif self._flash.busy():
                time.sleep_ms(_POLL_MS)

    def blank(self, address: int, length: int) -> bool:
        """Tell whether flash is erased there."""
        while length > 0:
            part = self.scratch[: min(length, _SCRATCH_SIZE)]
            self.read_into(address, part)
            if min(part) != 0xFF:
                return False
            address += len(part)
            length -= len(part)
        return True

    def program(self, address: int, data: "Buffer") -> None:
        """Program `data`; the last page of it may still be under way."""
        page = self._flash.page_size
        view = memoryview(data)
        while view:
            size = min(len(view), page - address % page)
            self._flash.program(address, view[:size])
            address += size
            view = view[size:]

    def make_blank(self, sector: int) -> "Generator[None, None, bool]":
        """Erase a sector unless it is blank; False if it turns out bad."""
        address = sector * self.sector_size
        if sector + 1 in self.noted or not (yield from self._is_blank(address)):
            yield from self._idle()
            self.note(ERASE, sector + 1)
            self._flash.erase_sector(address)
            yield from self._idle()
            if not (yield from self._is_blank(address)):
                self.mark_bad(sector)
                return False
            self.note(ERASE, 0)
            if self.noted[PROGRAM] == sector + 1:
                self.note(PROGRAM, 0)
        return True

    def mark_bad(self, sector: int) -> None:
        """Use a sector no more. Raises OSError if it looks as if the whole chip fails."""
        self.bad.append(sector)
        self._suspects += 1
        if self._suspects > _SUSPECTS_MAX or len(self.bad) > _BAD_MAX:
            raise OSError("flash does not take what is written")

    def note(self, what: int, sector: int) -> None:
        """Note in FRAM what is under way, 0: nothing."""
        self.noted[what] = sector
        try:
            address = regions.NOTES_ADDRESS + 4 * what
            self._memory.write(address, struct.pack("<HH", sector, sector ^ 0xFFFF))
        except OSError:
            pass

    def tell(self, ring: Ring) -> None:
        """Report a ring of which the last row is damaged."""
        self._news.append(regions.RINGS[ring.number][0])

    def _work(self) -> "Steps":
        """Everything that is to be done, step by step."""
        for ring in self.open_rings:
            if not ring.ready:
                self._scan(ring)
                self._works()
        if self.noted[ERASE]:
            yield from self.make_blank(self.noted[ERASE] - 1)
        for ring in self.open_rings:
            yield from ring.prepare()
            yield from ring.close()

    def _scan(self, ring: Ring) -> None:
        if (ring.sector + ring.blocks) * self.sector_size > self._flash.size:
            raise OSError("flash is too small")
        ring.scan()

    def _load(self) -> None:
        bad = self._bad_record.load()
        if bad is not None:
            self.bad.extend(struct.unpack(f"<{len(bad) // 2}H", bad))
        notes = self.scratch[:8]
        self._memory.read_into(regions.NOTES_ADDRESS, notes)
        for what in (PROGRAM, ERASE):
            sector, inverse = struct.unpack_from("<HH", notes, 4 * what)
            if sector ^ inverse == 0xFFFF:  # else the chip is new
                self.noted[what] = sector

    def _works(self) -> None:
        """The chip has done something: what failed before were sectors."""
        self.failed = False
        if self._suspects:
            self._suspects = 0
            self._news.append("sector")
            try:
                self._bad_record.save(struct.pack(f"<{len(self.bad)}H", *self.bad))
            except OSError:
                pass  # they will be found again

    def _fail(self) -> None:
        """Take note that the chip fails: it is not the sectors."""
        del self.bad[len(self.bad) - self._suspects :]
        self._suspects = 0
        if not self.failed:
            self._news.append("flash")
        self.failed = True

    def _is_blank(self, address: int) -> "Generator[None, None, bool]":
        for offset in range(0, self.sector_size, _SCRATCH_SIZE):
            if not self.blank(address + offset, _SCRATCH_SIZE):
                return False
            yield
        return True

    def _idle(self) -> "Steps":
        """Yield until the chip is idle. Raises OSError if it stays busy."""
        start_ms = time.ticks_ms()
        while self._flash.busy():
            if time.ticks_diff(time.ticks_ms(), start_ms) > _PATIENCE_MS:
                raise OSError("flash stays busy")
            yield
