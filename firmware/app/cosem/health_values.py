"""What the meter knows of its own health and of who opened it, and the check of it on demand.

Rows ERR-14, ERR-15, FRD-01, FRD-02, IDN-07.
"""

from micropython import const

from app.axdr import ENUM, OCTET_STRING, UINT32
from app.cosem import access
from app.cosem.data import Data
from app.cosem.date_time import moment
from app.cosem.script_table import BuiltInScripts, ScriptTable
from app.cosem.values import Octets, Simple, Structure
from app.program_memory import APPLICATION, METROLOGY
from app.quality.tamper import METER_COVER, TERMINAL_COVER

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.clock import Clock
    from app.cosem.objects import Objects
    from app.program_memory import ProgramMemory
    from app.quality.tamper import Tamper

    class SelfCheck(Protocol):
        """The check on demand."""

        state: int
        utc_s: int
        result: int

        def start(self) -> None:
            """Begin."""
            ...


def add(
    objects: "Objects",
    program: "ProgramMemory",
    tamper: "Tamper",
    check: "SelfCheck",
    clock: "Clock",
) -> None:
    """Add the objects."""
    data = Data()
    result = Structure(
        (ENUM, OCTET_STRING, UINT32),
        lambda: (check.state, moment(clock, check.utc_s), check.result),
    )
    objects.add((0, 0, 128, 0, 12), data, result, access.READINGS)
    scripts = ScriptTable(objects)
    start = BuiltInScripts(1, lambda _number, _by_client: check.start())
    objects.add((0, 0, 10, 0, 129), scripts, start, access.SETTINGS)
    for b, part in ((0, METROLOGY), (1, APPLICATION)):
        digest = Octets(lambda part=part: program.digest(part))  # zeros until it is worked out
        objects.add((1, b, 0, 2, 8), data, digest, access.READINGS)
    for e, line in ((1, TERMINAL_COVER), (2, METER_COVER)):
        counter = Simple(UINT32, lambda line=line: tamper.counts[line])
        objects.add((0, 0, 128, 80, e), data, counter, access.READINGS)
