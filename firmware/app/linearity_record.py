"""The stored linearity table of a converter inside the processor, and how production makes it.

A board whose converter needs one offers it as `converter` (hal.CodeConverter). Production feeds a
slow straight ramp to one input and lets the meter count its codes; the table is stored twice with
a CRC and used from then on and from every start. Without one the converter's codes serve as they
are, and the meter says so. Row PRD-02.
"""

from micropython import const

from app.storage import record, regions
from metrology.linearity import Linearity, LinearityError, check_range, codes_table, unpack
from metrology.linearity import from_histogram as table_from

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import CodeConverter, Memory

_FIRST = const(64)  # by default: the ramp goes well below
_LAST = const(4031)  # and above


class LinearityRecord:
    """The table of one converter.

    first, last, place: range of codes and input of the next ramp
    problem: what was wrong at start, "" for nothing; `damaged`: the codes serve uncorrected
    """

    def __init__(self, memory: "Memory", converter: "CodeConverter") -> None:
        self._converter = converter
        self._record = regions.open_record(memory, "linearity")
        self.table: Linearity | None = None
        self.first = _FIRST
        self.last = _LAST
        self.place = 0
        self.problem = ""
        self.damaged = True
        try:
            self._load()
        except OSError:
            self.problem = "linearity table: cannot be read"
        except LinearityError as error:
            self.problem = str(error)
        codes_table(self.table, converter.codes())

    def set_ramp(self, first: int, last: int, place: int) -> None:
        """Say which codes the ramp passes and at which input. Raises ValueError."""
        check_range(first, last)
        self.first, self.last, self.place = first, last, place

    def begin(self) -> None:
        """Begin to count. Raises ValueError if the converter has no such input."""
        self._converter.count_codes(self.place, True)

    def stop(self) -> None:
        """Count no more."""
        self._converter.count_codes(0, False)

    def finish(self) -> Linearity:
        """Return the table that was counted. Raises LinearityError if no ramp counts so."""
        counts = self._converter.counts
        if counts is None:
            raise LinearityError("linearity: nothing was counted")
        self.stop()
        return table_from(counts, self.first, self.last)

    def save(self, table: Linearity) -> None:
        """Store a table and use it. Raises OSError if it could not be stored; the old one stays.

        LinearityError: it is too uneven to be stored.
        """
        self._record.save(table.pack())
        self.table = table
        self.problem = ""
        self.damaged = False
        codes_table(table, self._converter.codes())

    def _load(self) -> None:
        payload = self._record.load()
        if payload is None:
            lost = self._record.state == record.LOST
            self.problem = "linearity table: " + ("both copies are damaged" if lost else "none")
            return
        self.table = unpack(payload)
        self.damaged = False
        if self._record.state == record.TWIN:
            self.problem = "linearity table: one copy is damaged, the other one serves"
