"""What every meter is made of: it measures, keeps its energies, knows the time and shows both.

A composition root builds on it what its choice of parts has besides (app.parts.choices): app.meter
nearly everything, app.first_look next to nothing.
"""

import asyncio

from micropython import const

from app import energy_record, event_codes, outages, start_checks
from app.calibration_record import CalibrationRecord
from app.clock import Clock
from app.energy_record import EnergyRecord
from app.identification import Identification
from app.measuring import Measuring
from app.outages import Outages
from app.parameters import ParameterLock, Parameters
from app.power_fail import FarewellMemory, PowerFail
from app.pulse_outputs import PulseOutputs
from app.registers import RegisterFile
from app.settings import Settings
from app.storage.vault import Vault
from app.tasks import Supervisor
from metrology.engine import Engine

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.face import Face
    from app.linearity_record import LinearityRecord
    from app.no_power import NoPower
    from app.tasks import Task
    from hal import Board, Memory, Output

_METROLOGY_LIMIT_S = const(5)
_CLOCK_LIMIT_S = const(180)
_LIFE_PERIOD_MS = const(10_000)
_LIFE_LIMIT_S = const(60)
_BATTERY_LIMIT_S = const(5)

# Problems that may come and go.
_NO_CLOCK_CHIP = "clock chip does not answer"


class Core:
    """A meter's core; the attributes are its parts. Who builds on it makes `face`.

    problems: what is wrong now, in words
    checks: called every ten seconds
    """

    face: "Face"

    def __init__(self, board: "Board", fram: "Memory") -> None:
        self.board = board
        self.problems: list[str] = []
        self.checks: list[Callable[[], None]] = [self._check_storage]
        self.supervisor = Supervisor(board.watchdog)
        self.memory = memory = FarewellMemory(fram)
        self.settings = Settings(memory, Vault(board.block_cipher, board.unique_id()))
        self.clock = Clock(board.rtc, self.settings)
        self.outages = Outages(memory, self.clock)
        self.clock.on_change.append(self.outages.clock_changed)
        self.identification = Identification(board.unique_id(), board.variant, self.settings)
        self.lock = ParameterLock(board.lock)
        self.calibration = CalibrationRecord(memory, board.frames.channels >> 1)
        self.engine = engine = Engine(
            board.frames, board.scale, board.variant, self.calibration.calibration
        )
        engine.pulses.attach(
            board.led_active, board.led_reactive, board.pulse_output, board.pulse_outputs
        )
        self.energy_record = EnergyRecord(memory, engine.energies)
        self.restored = self.energy_record.restore()  # state of the energies' record
        engine.on_window.append(self.energy_record.window)
        self.energy_record.on_recovery = lambda: self.ram_trouble("energies")
        self.measuring = Measuring(board.frames, engine, self.problem)
        self.parameters = Parameters(memory, board.variant, self.lock, self.clock)
        self.parameters.apply_to(engine)
        self.outputs = PulseOutputs(memory, engine.pulses.outputs, self.parameters)
        self.linearity = self._linearity()
        self.registers = RegisterFile(
            engine.quantities,
            engine.energies,
            board.frames.channels % 2 == 1,
            engine.energies.primary,
        )
        self.power_fail = PowerFail(board.supply_good)
        self.power_fail.add_saver(self._keep_energies, energy_record.OCTETS)
        self.power_fail.add_saver(self.outages.down, outages.OCTETS)
        self.power_fail.on_return = self.outages.seen

    def start(self) -> None:
        """Start all tasks; they run as soon as the asyncio loop does."""
        hold = self.board.battery_hold
        if hold is not None and not self.board.supply_good.value():
            self._start_on_battery(hold)
        else:
            self._begin()
            self._start_on_mains()
        self.supervisor.start("watchdog", lambda _task: self.supervisor.feed())

    def _begin(self) -> None:
        """Take note of a start on mains."""
        self.outages.begin(self.board.power_on())

    def _start_on_mains(self) -> None:
        start = self.supervisor.start
        start("supply", lambda _task: self.power_fail.run())
        start("metrology", self.measuring.run, _METROLOGY_LIMIT_S)
        start("measuring watch", self.measuring.watch, _METROLOGY_LIMIT_S)
        start("life", self._show_life, _LIFE_LIMIT_S)
        self._start_face()

    def _start_on_battery(self, hold: "Output") -> "NoPower":
        from app.no_power import NoPower  # few boards can

        board = self.board
        keys = (board.key_scroll, board.key_reset)
        no_power = NoPower(hold, keys, board.supply_good, self.outages, board.reset)
        self.outages.begin_on_battery()
        no_power.wake = self._start_face
        no_power.sleep = self.face.display.stop
        self.supervisor.start("battery", no_power.run, _BATTERY_LIMIT_S)
        return no_power

    def _start_face(self) -> None:
        """Start what works without mains as well."""
        self.supervisor.start("clock", self.clock.run, _CLOCK_LIMIT_S)
        self.face.start(self.supervisor)

    def problem(self, text: str, code: int = event_codes.MEMORY_ERROR, lasts: bool = True) -> None:
        """Take a problem in words and the event of it; it lasts, or does no more."""
        if not lasts:
            if text in self.problems:
                self.problems.remove(text)
        elif text not in self.problems:
            self.problems.append(text)
            self._tell(code)
            print("problem:", text)  # noqa: T201 - the console is where a start-up is watched

    def _tell(self, code: int) -> None:
        """Tell of a new problem's event; without a log there is nobody to hear it."""

    def ram_trouble(self, part: str) -> None:
        """Take what the check of the RAM has found, and put right."""
        self.problem("RAM: " + part, lasts=False)  # each report is a new event
        self.problem("RAM: " + part, event_codes.RAM_ERROR)

    def _linearity(self) -> "LinearityRecord | None":
        converter = self.board.converter
        if converter is None:
            return None
        from app.linearity_record import LinearityRecord  # no other converter needs its heap

        return LinearityRecord(self.memory, converter)

    def _keep_energies(self) -> None:
        """Count what has been measured up to now and keep it: the power is about to go."""
        self.engine.poll()
        self.engine.close()
        self.energy_record.save()
        self.engine.pulses.flush()

    async def _show_life(self, task: "Task") -> None:
        while True:
            await asyncio.sleep_ms(_LIFE_PERIOD_MS)
            self.outages.seen()
            if self.energy_record.failed:
                self.energy_record.save()
            for check in self.checks:
                check()
            task.report()

    def _check_storage(self) -> None:
        silent = self.outages.failed or self.energy_record.failed
        if self.settings.unread and not silent:
            # Now that the registers are safe: nothing of the rest has been read.
            self.board.reset()
        self.problem(start_checks.NO_MEMORY, lasts=silent)
        self.problem(_NO_CLOCK_CHIP, event_codes.CLOCK_CHIP_FAILED, self.clock.rtc_failed)
