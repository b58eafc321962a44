"""The keeper of all rings: opens them by the map, moves their rows from FRAM into flash.

One task, `drain`, does all programming and erasing, in steps between which it polls the chip and
lets others run. An append that finds the journal full takes the same steps itself, waiting. Flash
that fails is tried again every ten seconds; meanwhile rows pile up in the journal.
"""

import asyncio
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
_NOTHING = const(0)
_MORE = const(1)


class Rings:
    """All rings over `flash`, with the journal in `memory`.

    `on_trouble` is called with no argument when the flash or the journal fails, or a sector turns
    bad: each time anew.
    """

    def __init__(
        self, flash: "Flash", memory: "Memory", on_trouble: "Callable[[], None] | None" = None
    ) -> None:
        self._flash = flash
        self._on_trouble = on_trouble
        self.sector_size = flash.sector_size
        self.scratch = memoryview(bytearray(_SCRATCH_SIZE))
        self.journal = Journal(memory, regions.JOURNAL_ADDRESS, regions.JOURNAL_SIZE, self.scratch)
        self.bad: list[int] = []  # sectors that failed to erase or to program
        self.failed = False  # True: the flash does not do what it is asked for
        self._open: list[Ring | None] = [None] * len(regions.RINGS)
        self._steps: Steps | None = None
        self._wake = asyncio.Event()

    def open(self, name: str, row_size: int) -> Ring:
        """Return the ring called `name` for rows of `row_size` bytes.

        All rings are opened before the first step of `drain`. Rows of another size that it holds
        are forgotten; sequence numbers go on. Raises KeyError if the map has no such ring. A flash
        that does not answer leaves the ring without rows until it does.
        """
        number, sector, blocks, limit = regions.find_ring(name)
        ring = Ring(self, number, sector, blocks, limit, row_size)
        self._open[number] = ring
        try:
            self._scan(ring, number)
        except OSError:
            self._trouble()
        self._wake.set()
        return ring

    def stage(self, number: int, sequence: int, row: "Buffer") -> None:
        """Take a row into the journal. Raises OSError if there is no room and flash takes none."""
        ring = self._open[number]
        if ring is None or not ring.ready:
            raise OSError("flash")
        if not self.journal.put(number, sequence, row):
            self.flush()
            if not self.journal.put(number, sequence, row):
                raise OSError("journal full")
        self._wake.set()

    def flush(self) -> None:
        """Bring everything into flash now, waiting for the chip; what fails stays staged."""
        while self.step():
            time.sleep_ms(_POLL_MS)

    async def drain(self) -> None:
        """Do the work in the background for ever; one task for all rings."""
        while True:
            if self.step():
                await asyncio.sleep_ms(_POLL_MS)
            elif self.failed:
                await asyncio.sleep_ms(_RETRY_MS)
            else:
                self._wake.clear()
                await self._wake.wait()

    def step(self) -> int:
        """Do one piece of work; 0 if there is none or the flash fails."""
        if self._steps is None:
            self._steps = self._work()
        try:
            next(self._steps)
            return _MORE
        except StopIteration:
            self.failed = False
        except OSError:
            self._trouble()
        self._steps = None
        return _NOTHING

    # What the rings call.

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        """Read flash. Raises OSError if it stays busy or does not answer."""
        self._settle()
        self._flash.read_into(address, buffer)

    def staged_into(
        self, number: int, sequence: int, offset: int, buffer: "bytearray | memoryview"
    ) -> bool:
        """Read from a staged row and its CRC; False if it is not there."""
        for entry in self.journal.pending:
            if entry[1] == number and entry[2] == sequence and entry[3]:
                self.journal.read_into(entry, offset, buffer)
                return True
        return False

    def blank(self, address: int, length: int) -> bool:
        """Tell whether flash is erased there."""
        while length > 0:
            piece = self.scratch[: min(length, _SCRATCH_SIZE)]
            self.read_into(address, piece)
            for byte in piece:
                if byte != 0xFF:
                    return False
            address += len(piece)
            length -= len(piece)
        return True

    def copy(self, entry: "Entry", address: int, length: int) -> "Steps":
        """Program row and CRC of a journal's entry."""
        page = self._flash.page_size
        offset = 0
        while offset < length:
            size = min(length - offset, page - (address + offset) % page, _SCRATCH_SIZE)
            yield from self._idle()  # before the scratch is filled: others use it meanwhile
            piece = self.scratch[:size]
            self.journal.read_into(entry, offset, piece)
            self._flash.program(address + offset, piece)
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
        if (yield from self._is_blank(address)):
            return True
        yield from self._idle()
        self._flash.erase_sector(address)
        yield from self._idle()
        if (yield from self._is_blank(address)):
            return True
        self.mark_bad(sector)
        return False

    def mark_bad(self, sector: int) -> None:
        """Remember a sector that fails, and use it no more."""
        if sector not in self.bad:
            self.bad.append(sector)
        if self._on_trouble is not None:
            self._on_trouble()

    def _work(self) -> "Steps":
        """Everything that is to be done, step by step."""
        for number, ring in enumerate(self._open):
            if ring is not None and not ring.ready:
                self._scan(ring, number)
                yield
        while self.journal.pending:
            entry = self.journal.pending[0]
            ring = self._open[entry[1]]
            if ring is not None:
                yield from ring.store(entry)
            if entry in self.journal.pending:
                self.journal.done(entry)
        for ring in self._open:
            if ring is not None and not ring.prepared():
                yield from ring.prepare()

    def _scan(self, ring: Ring, number: int) -> None:
        ring.scan()
        for entry in list(self.journal.pending):
            if entry[1] == number and not ring.restage(entry[2], entry[3]):
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

    def _settle(self) -> None:
        for _ in self._idle():
            time.sleep_ms(1)

    def _trouble(self) -> None:
        self.failed = True
        if self._on_trouble is not None:
            self._on_trouble()
