"""What the meter knows of its own health and of who opened it, and the check of it on demand.

Rows ERR-14, ERR-15, FRD-01, FRD-02, IDN-07.
"""

from micropython import const

from app.cosem import access
from app.cosem.data import Data
from app.cosem.factory_values import moment
from app.cosem.script_table import BuiltInScripts, ScriptTable
from app.cosem.values import Counter, Value
from app.program_memory import APPLICATION, METROLOGY
from app.quality.tamper import METER_COVER, TERMINAL_COVER

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.axdr import Writer
    from app.clock import Clock
    from app.cosem.catalogue import Catalogue
    from app.program_memory import ProgramMemory
    from app.quality.tamper import Tamper
    from app.tariff.scripts import Runner

    class SelfCheck(Protocol):
        """The check on demand."""

        state: int
        utc_s: int
        result: int

        def start(self) -> None:
            """Begin."""
            ...


class Digest(Value):
    """The digest of a part of the code that runs; zeros while it is worked out."""

    def __init__(self, program: "ProgramMemory", part: int) -> None:
        self._program = program
        self._part = part

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.octet_string(self._program.digest(self._part))


class CheckResult(Value):
    """State, time and findings of the last self-check."""

    def __init__(self, check: "SelfCheck", clock: "Clock") -> None:
        self._check = check
        self._clock = clock

    def read(self, writer: "Writer") -> None:
        """Encode the value."""
        writer.structure(3)
        writer.enum(self._check.state)
        writer.octet_string(moment(self._clock, self._check.utc_s))
        writer.uint32(self._check.result)


def add(
    catalogue: "Catalogue",
    program: "ProgramMemory",
    tamper: "Tamper",
    check: "SelfCheck",
    clock: "Clock",
    runner: "Runner",
) -> None:
    """Add the objects."""
    data = Data()
    catalogue.add((0, 0, 128, 0, 12), data, CheckResult(check, clock), access.READINGS)
    scripts = ScriptTable(catalogue, runner)
    start = BuiltInScripts(1, lambda _number, _by_client: check.start())
    catalogue.add((0, 0, 10, 0, 129), scripts, start, access.SETTINGS)
    for b, part in ((0, METROLOGY), (1, APPLICATION)):
        catalogue.add((1, b, 0, 2, 8), data, Digest(program, part), access.READINGS)
    for e, line in ((1, TERMINAL_COVER), (2, METER_COVER)):
        counter = Counter(lambda line=line: tamper.counts[line])
        catalogue.add((0, 0, 128, 80, e), data, counter, access.READINGS)
