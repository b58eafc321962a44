"""The keeper of all rings: opens them by the map, moves their rows from FRAM into flash.

One task, `drain`, does all programming and erasing, in steps between which it polls the chip and
lets others run. An append that finds the journal full takes the same steps itself, waiting. A
sector that fails is remembered in FRAM and passed over; when sectors fail in a row it is the chip
that fails. That is tried again every ten seconds; meanwhile rows pile up in the journal.
"""

import asyncio
import struct
import time

from micropython import const

from app.storage import regions
from app.storage.journal import Journal
from app.storage.ring import Ring

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from app.storage.journal import Entry
    from hal import Buffer, Flash, Memory

    Steps = Generator[None, None, None]

_SCRATCH_SIZE = const(256)
_POLL_MS = const(2)
_PATIENCE_MS = const(3000)  # a sector erase takes 400 ms at worst
_RETRY_MS = const(10_000)
_BAD_MAX = const(32)  # what the record of bad sectors takes
_SUSPECTS_MAX = const(2)  # sectors that may fail one after the other


class Rings:
    """All rings over `flash`, with the journal in `memory`.

    `on_trouble(part)` is called by the task `drain` when "flash" or "journal" fails or has been
    found damaged, or a "sector" turns bad.
    """

    def __init__(self, flash: "Flash", memory: "Memory") -> None:
        self._flash = flash
        self.read_into = flash.read_into  # works while the chip does
        self.on_trouble: Callable[[str], None] | None = None
        self.sector_size = flash.sector_size
        self.scratch = memoryview(bytearray(_SCRATCH_SIZE))
        self.journal = Journal(memory, regions.JOURNAL_ADDRESS, regions.JOURNAL_SIZE, self.scratch)
        self._bad_record = regions.open_record(memory, "bad_sectors")
        self.bad: list[int] = []  # sectors that failed to erase or to program
        self.failed = False  # True: the flash does not do what it is asked for
        self.open_rings: list[Ring] = []
        self._suspects = 0  # sectors found bad since one was found good
        self._news: list[str] = []  # what on_trouble has still to be told
        self._told_volatile = False
        self._steps: Steps | None = None
        self._wake = asyncio.Event()
        if self.journal.damaged:
            self._news.append("journal")
        try:
            bad = self._bad_record.load()
        except OSError:
            bad = None
        if bad is not None:
            self.bad.extend(struct.unpack(f"<{len(bad) // 2}H", bad))

    def open(self, name: str, row_size: int) -> Ring:
        """Return the ring called `name` for rows of `row_size` bytes.

        All rings are opened before the first step of `drain`; a ring that is opened again takes
        the place of the one before. Rows of another size or version that it holds are forgotten;
        sequence numbers go on. Raises KeyError if the map has no such ring. A flash that does not
        answer leaves the ring without rows until it does.
        """
        ring = Ring(self, regions.find_ring(name), row_size)
        self.open_rings = [other for other in self.open_rings if other.number != ring.number]
        self.open_rings.append(ring)
        self._steps = None
        try:
            self._scan(ring)
        except OSError:
            self._fail()
        self._wake.set()
        return ring

    def stage(self, ring: Ring, row: "Buffer") -> None:
        """Take a row into the journal. Raises OSError if there is no room and flash takes none."""
        if not ring.ready:
            raise OSError("flash")
        if not self.journal.put(ring.number, ring.next, row):
            self.flush()
            if not self.journal.put(ring.number, ring.next, row):
                raise OSError("journal full")
        self._wake.set()

    def flush(self) -> None:
        """Bring everything into flash now, waiting for the chip; what fails stays staged."""
        while self.step():
            time.sleep_ms(_POLL_MS)

    async def drain(self) -> None:
        """Do the work in the background for ever; one task for all rings."""
        while True:
            busy = self.step()
            self._tell()
            if busy:
                await asyncio.sleep_ms(_POLL_MS)
            elif self.failed:
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
            self.failed = False
            self._steps = None
            # rows may have come while the last steps were done
            return bool(self.journal.pending)
        except OSError:
            self._fail()
        self._steps = None
        return False

    # What the rings call.

    def staged_into(
        self, number: int, sequence: int, offset: int, buffer: "bytearray | memoryview"
    ) -> bool:
        """Read from a staged row and its CRC; False if it is not there."""
        for entry in self.journal.pending:
            if entry[1] == number and entry[2] == sequence and entry[3]:
                return self.journal.read_into(entry, offset, buffer)
        return False

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

    def copy(self, entry: "Entry", address: int) -> "Steps":
        """Program row and CRC of a journal's entry."""
        length = entry[3] + 4
        page = self._flash.page_size
        offset = 0
        while offset < length:
            size = min(length - offset, page - (address + offset) % page, _SCRATCH_SIZE)
            yield from self._idle()  # before the scratch is filled: others use it meanwhile
            part = self.scratch[:size]
            self.journal.read_into(entry, offset, part)
            self._flash.program(address + offset, part)
            offset += size
        yield from self._idle()

    def program(self, address: int, data: "Buffer") -> "Steps":
        """Program `data`, which lies in one page and is not the scratch."""
        yield from self._idle()
        self._flash.program(address, data)
        yield from self._idle()

    def make_blank(self, sector: int) -> "Generator[None, None, bool]":
        """Erase a sector unless it is blank; False if it turns out bad."""
        address = sector * self.sector_size
        if self.journal.torn != sector + 1 and (yield from self._is_blank(address)):
            return True
        yield from self._idle()
        self.journal.note(sector + 1)
        self._flash.erase_sector(address)
        yield from self._idle()
        if (yield from self._is_blank(address)):
            self.journal.note(0)
            return True
        self.mark_bad(sector)
        return False

    def mark_bad(self, sector: int) -> None:
        """Use a sector no more. Raises OSError if it looks as if the whole chip fails."""
        self.bad.append(sector)
        self._suspects += 1
        if self._suspects > _SUSPECTS_MAX or len(self.bad) > _BAD_MAX:
            del self.bad[-self._suspects :]
            self._suspects = 0
            raise OSError("flash does not take what is written")

    def _work(self) -> "Steps":
        """Everything that is to be done, step by step."""
        if self.journal.torn:
            yield from self.make_blank(self.journal.torn - 1)
        for ring in self.open_rings:
            if not ring.ready:
                self._scan(ring)
                yield
        while self.journal.pending:
            entry = self.journal.pending[0]
            for ring in self.open_rings:
                if ring.number == entry[1]:
                    yield from ring.store(entry)
            self.journal.done(entry)
            self._acquit()
        for ring in self.open_rings:
            if not ring.prepared():
                yield from ring.prepare()
                self._acquit()

    def _acquit(self) -> None:
        """The chip has done something: sectors that failed before are bad, not the chip."""
        if self._suspects:
            self._suspects = 0
            self._news.append("sector")
            try:
                self._bad_record.save(struct.pack(f"<{len(self.bad)}H", *self.bad))
            except OSError:
                pass  # they will be found again

    def _scan(self, ring: Ring) -> None:
        if (ring.sector + ring.blocks) * self.sector_size > self._flash.size:
            raise OSError("flash is too small")
        ring.scan()
        for entry in list(self.journal.pending):
            if entry[1] == ring.number and not ring.restage(entry[2], entry[3]):
                self.journal.done(entry)

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

    def _fail(self) -> None:
        if not self.failed:
            self._news.append("flash")
        self.failed = True

    def _tell(self) -> None:
        """Call on_trouble; not from the depth of a step, for it may well append a row."""
        if self.journal.volatile and not self._told_volatile:
            self._told_volatile = True
            self._news.append("journal")
        while self._news:
            part = self._news.pop(0)
            if self.on_trouble is not None:
                self.on_trouble(part)
