"""What the meter knows of its own health and of who opened it, as objects of class 1.

Rows ERR-15, FRD-01, FRD-02, IDN-07.
"""

from micropython import const

from app.cosem import access
from app.cosem.data import Data
from app.cosem.values import Counter, Value
from app.program_memory import APPLICATION, METROLOGY
from app.quality.tamper import METER_COVER, TERMINAL_COVER

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from app.axdr import Writer
    from app.cosem.catalogue import Catalogue
    from app.program_memory import ProgramMemory
    from app.quality.tamper import Tamper


class Digest(Value):
    """The digest of a part of the code that runs; zeros while it is worked out."""

    def __init__(self, program: "ProgramMemory", part: int) -> None:
        self._program = program
        self._part = part

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.octet_string(self._program.digest(self._part))


def add(catalogue: "Catalogue", program: "ProgramMemory", tamper: "Tamper") -> None:
    """Add the objects."""
    data = Data()
    for b, part in ((0, METROLOGY), (1, APPLICATION)):
        catalogue.add((1, b, 0, 2, 8), data, Digest(program, part), access.READINGS)
    for e, line in ((1, TERMINAL_COVER), (2, METER_COVER)):
        counter = Counter(lambda line=line: tamper.counts[line])
        catalogue.add((0, 0, 128, 80, e), data, counter, access.READINGS)
