"""The meter's check of itself on demand: everything that is checked anyway, now (row ERR-14).

Each part tells what it finds by its event in the standard log, as always; here is the sum of it:
a bit for each thing that is wrong when the check is over. The display shows its test meanwhile.
"""

import asyncio

from micropython import const

from app import ticks
from app.storage import regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.battery import Battery
    from app.clock import Clock
    from app.display.display import Display
    from app.measuring import Measuring
    from app.production import Production
    from app.program_memory import ProgramMemory
    from app.storage.integrity import Integrity
    from app.tasks import Supervisor, Task
    from hal import Board
    from metrology.engine import Engine

    class Face(Protocol):
        """What shows the test of all segments."""

        display: Display

    class Parts(Protocol):
        """What is checked."""

        battery: Battery
        board: Board
        clock: Clock
        engine: Engine
        integrity: Integrity
        measuring: Measuring
        problems: list[str]
        production: Production
        program: ProgramMemory
        supervisor: Supervisor

        @property
        def face(self) -> Face:  # noqa: D102
            ...


NEVER = const(0)
RUNNING = const(1)
DONE = const(2)

# Bits of the result
PROGRAM = const(0x01)
RAM = const(0x02)
MEMORY = const(0x04)  # FRAM, flash, what is stored in them
CLOCK = const(0x08)
BATTERY = const(0x10)
COMMUNICATION = const(0x20)
MEASUREMENT = const(0x40)
_PHASE = const(0x100)  # voltage of L1, shifted for L2 and L3: missing

_PORTS = ("serial", "optical", "tcp")  # their tasks
_HALF_UV = const(500_000)  # of a volt
_REST_MS = const(20)
_POLL_MS = const(500)


class SelfCheck:
    """The check of one meter.

    state: NEVER, RUNNING or DONE; result, utc_s: of the last one that is done
    """

    def __init__(self, parts: "Parts") -> None:
        self.state = NEVER
        self.result = 0
        self.utc_s = 0
        self._parts = parts
        self._wanted = asyncio.Event()

    def start(self) -> None:
        """Begin, unless it is under way."""
        self._wanted.set()
        self.state = RUNNING

    async def run(self) -> None:
        """Do each check that is asked for, for ever."""
        while True:
            await self._wanted.wait()
            self.state = RUNNING
            await self._check()
            self.result = self._found()
            self.utc_s = self._parts.clock.utc_s()
            self._wanted.clear()
            self.state = DONE

    async def _check(self) -> None:
        parts = self._parts
        parts.program.check_now()
        parts.face.display.check(ticks.now_ms())
        parts.battery.test()
        parts.clock.look()
        for name, _, _ in regions.REGIONS:
            parts.integrity.check_record(name)
            await asyncio.sleep_ms(_REST_MS)
        await parts.integrity.check_rings()
        while parts.program.percent < 100:
            await asyncio.sleep_ms(_POLL_MS)

    def _found(self) -> int:
        parts = self._parts
        clock, quantities = parts.clock, parts.engine.quantities
        found = 0
        for bit, wrong in (
            (PROGRAM, parts.program.damaged),
            (RAM, self._problem("RAM")),
            (MEMORY, self._problem("memory") or self._problem("FRAM")),
            (CLOCK, clock.invalid or clock.doubtful or clock.rtc_failed),
            (BATTERY, parts.battery.low or parts.battery.worn),
            (COMMUNICATION, any(task.resting for task in self._ports())),
            (MEASUREMENT, parts.measuring.trouble or bool(parts.production.defects())),
        ):
            if wrong:
                found |= bit
        for phase in range(quantities.phases):
            if quantities.u_uv[phase] < parts.board.variant.nominal_voltage_v * _HALF_UV:
                found |= _PHASE << phase
        return found

    def _ports(self) -> "list[Task]":
        return [task for task in self._parts.supervisor.tasks if task.name in _PORTS]

    def _problem(self, kind: str) -> bool:
        return any(text.startswith(kind) for text in self._parts.problems)
