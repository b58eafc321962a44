"""What the meter knows of its own health, as objects of class 1 (rows ERR-15, IDN-07)."""

from micropython import const

from app.cosem import access
from app.cosem.data import Data
from app.cosem.values import Value
from app.program_memory import APPLICATION, METROLOGY

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from app.axdr import Writer
    from app.cosem.catalogue import Catalogue
    from app.program_memory import ProgramMemory


class Digest(Value):
    """The digest of a part of the code that runs; zeros while it is worked out."""

    def __init__(self, program: "ProgramMemory", part: int) -> None:
        self._program = program
        self._part = part

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.octet_string(self._program.digest(self._part))


def add(catalogue: "Catalogue", program: "ProgramMemory") -> None:
    """Add the objects."""
    data = Data()
    for b, part in ((0, METROLOGY), (1, APPLICATION)):
        catalogue.add((1, b, 0, 2, 8), data, Digest(program, part), access.READINGS)
