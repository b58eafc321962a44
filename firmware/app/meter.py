"""The composition root: builds the meter from the board's parts and starts its tasks.

Here stands who knows whom, and no rule of any feature. What a part below has to tell a part above
is handed down as a callable.
"""

import asyncio
import os

from micropython import const

from app import energy_record, event_codes, lasting, object_model, outages, start_checks
from app.attributes import Resolver
from app.battery import Battery
from app.clock import Clock
from app.dlms.server import MAX_PDU, Server
from app.energy_record import EnergyRecord
from app.face import Face
from app.identification import Identification
from app.logs.alarm_monitors import AlarmMonitors
from app.logs.captured import Recorder
from app.logs.certification_log import CertificationLog
from app.logs.error_register import damage_of
from app.logs.event_book import EventBook
from app.logs.load_profiles import LoadProfiles
from app.measuring import Measuring
from app.outages import Outages
from app.parameters import TEST_MODE_S, ParameterLock, Parameters
from app.parts import choices
from app.port_settings import Ports
from app.power_fail import FarewellMemory, PowerFail
from app.power_up import PowerUp
from app.production import CalibrationRecord, Production
from app.program_memory import ProgramMemory
from app.pulse_outputs import PulseOutputs
from app.quality.tamper import Tamper
from app.ram_check import RamCheck
from app.registers import RegisterFile
from app.security import OPTICAL, RS485, Security
from app.self_check import SelfCheck
from app.service_output import ServiceOutput
from app.settings import Settings
from app.storage.integrity import Integrity
from app.storage.rings import Rings
from app.storage.vault import Vault
from app.tariff import scripts
from app.tasks import Supervisor
from app.test_mode import TestMode
from app.transport.hdlc import HdlcLink
from app.transport.serial_link import SerialLink
from metrology.engine import Engine

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.tasks import Task
    from app.transport.channel import Channel
    from app.transport.optical_link import OpticalLink
    from app.transport.tcp_link import TcpLink
    from hal import Board, Memory, Output

_METROLOGY_LIMIT_S = const(5)
_CLOCK_LIMIT_S = const(180)
_LIFE_PERIOD_MS = const(10_000)
_LIFE_LIMIT_S = const(60)
_BATTERY_LIMIT_S = const(5)
_PROGRAM_LIMIT_S = const(60)

# Problems that may come and go.
_NO_CLOCK_CHIP = "clock chip does not answer"


class Meter:
    """Everything that the meter is; the attributes are its parts, those of app.parts as well.

    starts: called as it starts on mains, before the profiles do
    checks: called every ten seconds
    keepers: who stores again what a region of the memory held, where it is none of the settings
    open_optical: makes what serves the optical head: HDLC, and what a part adds to it
    readout_list: the factory's list of the data read-out, empty where no port has one
    """

    def __init__(self, board: "Board") -> None:
        self.board = board
        self.problems: list[str] = []  # what the start-up checks found, in words
        self.starts: list[Callable[[], None]] = []
        self.checks: list[Callable[[], None]] = [self._check_storage]
        self.keepers: dict[str, Callable[[], None]] = {}
        self.open_optical: Callable[[Channel], SerialLink | OpticalLink] = self._optical_link
        self.readout_list = b""
        self.supervisor = Supervisor(board.watchdog)
        self.memory = memory = FarewellMemory(start_checks.renewed(board.fram))
        self.rings = Rings(board.flash, memory)
        self.rings.on_trouble = self._memory_trouble
        self.settings = Settings(memory, Vault(board.block_cipher, board.unique_id()))
        self.events = EventBook(memory, self.settings)
        self.integrity = Integrity(memory, self.rings, self._memory_trouble, self._store_again)
        self.clock = Clock(board.rtc, self.settings)
        self.outages = Outages(memory, self.clock)
        self.power_up = PowerUp(self.outages, self.clock, self.events.post)
        self.clock.on_event = self.events.post
        self.identification = Identification(board.unique_id(), board.variant, self.settings)
        self.security = Security(
            memory,
            self.settings,
            board.block_cipher,
            os.urandom,
            self.clock.utc_s,
            self.identification.system_title(),
        )
        self.security.on_event = self.events.post
        self.lock = ParameterLock(board.lock)
        lines = (board.terminal_cover, board.meter_cover, board.magnetic_field)
        self.tamper = Tamper(memory, lines, self.events, self.clock.utc_s)
        self.program = ProgramMemory(board.program, self.problem)
        self.battery = Battery(board.battery, self.clock, self.settings)
        self.power_up.test_battery = self.battery.power_up
        stored = CalibrationRecord(memory, board.frames.channels >> 1)
        self.engine = Engine(board.frames, board.scale, board.variant, stored.calibration)
        self.engine.pulses.attach(
            board.led_active, board.led_reactive, board.pulse_output, board.pulse_outputs
        )
        self.energy_record = EnergyRecord(memory, self.engine.energies)
        start_checks.stored(self, self.energy_record.restore(), self.problem)
        self.engine.on_window.append(self.energy_record.window)
        self.energy_record.on_recovery = lambda: self.ram_trouble("energies")
        self.keepers["energies"] = self.keepers["elements"] = self.energy_record.save
        self.measuring = Measuring(board.frames, self.engine, self.problem)
        self._factory(memory, stored)
        self._open_logs()
        self.registers = RegisterFile(
            self.engine.quantities,
            self.engine.energies,
            board.frames.channels % 2 == 1,
            self.engine.energies.primary,
        )
        self.ports = Ports(self.settings, self.identification.serial_number(), board.tcp)
        self.resolver = Resolver()
        self.recorder = Recorder(
            self.rings,
            self.settings,
            self.resolver,
            self.clock,
            self.power_up.fault,
            lambda ring: self.problem("memory: " + ring, damage_of(ring)),
        )
        self._fit_parts()
        self.server = Server(self.catalogue, self.security)
        # the HDLC channels, in the order of the serial links
        self.channels = [self.server.open_channel(MAX_PDU, name) for name in (RS485, OPTICAL)]
        self.serial_links = [self._rs485_link(), self.open_optical(self.channels[1])]
        self.power_fail = self._power_fail()
        self.tcp_link = self._tcp_link()

    def start(self) -> None:
        """Start all tasks; they run as soon as the asyncio loop does."""
        board = self.board
        if board.battery_hold is not None and not board.supply_good.value():
            self._start_on_battery(board.battery_hold)
        else:
            self._start_on_mains()
        self.supervisor.start("watchdog", lambda _task: self.supervisor.feed())

    def _start_on_mains(self) -> None:
        start_checks.end_master_reset(self)
        self.power_up.run(self.board.power_on())
        for begin in self.starts:
            begin()
        self.load_profiles.start(self.power_up.end, self.outages.down_utc_s)
        start = self.supervisor.start
        start("tamper", lambda _task: self.tamper.run())
        if self.board.discharge is not None:
            from app.quality.discharge import Discharge

            sensor = Discharge(self.board.discharge, self.events.post)
            start("discharge", lambda _task: sensor.run())
        start("self-check", lambda _task: self.self_check.run())
        start("supply", lambda _task: self.power_fail.run())
        start("metrology", self.measuring.run, _METROLOGY_LIMIT_S)
        start("measuring watch", self.measuring.watch, _METROLOGY_LIMIT_S)
        start("life", self._show_life, _LIFE_LIMIT_S)
        if self.program.present():
            start("program memory", self.program.run, _PROGRAM_LIMIT_S)
        self._start_face()
        rs485 = self.serial_links[0]
        start("serial", lambda _task: rs485.run())
        if self.tcp_link is not None:
            tcp_link = self.tcp_link
            start("tcp", lambda _task: tcp_link.run())

    def _start_on_battery(self, hold: "Output") -> None:
        from app.no_power import NoPower

        board = self.board
        keys = (board.key_scroll, board.key_reset)
        no_power = NoPower(hold, keys, board.supply_good, self.outages, board.reset)
        self.outages.begin_on_battery()
        self.supervisor.start("tamper", lambda _task: self.tamper.run())
        no_power.busy = lambda: self.tamper.busy
        no_power.octets = lambda: self.serial_links[1].octets_in
        no_power.wake = self._start_face
        no_power.sleep = self.face.display.stop
        self.supervisor.start("battery", no_power.run, _BATTERY_LIMIT_S)

    def _start_face(self) -> None:
        """Start what works without mains as well: clock, storage, display, keys, optical."""
        start = self.supervisor.start
        start("clock", self.clock.run, _CLOCK_LIMIT_S)
        start("storage", lambda _task: self.rings.drain())
        start("alarms", self.events.alarms.watch)
        start("integrity", lambda _task: self.integrity.run())
        self.face.start(self.supervisor)
        optical = self.serial_links[1]
        start("optical", lambda _task: optical.run())

    def problem(self, text: str, code: int = event_codes.MEMORY_ERROR, lasts: bool = True) -> None:
        """Take a problem in words and the event of it; it lasts, or does no more."""
        if not lasts:
            if text in self.problems:
                self.problems.remove(text)
        elif text not in self.problems:
            self.problems.append(text)
            self.power_up.fault(code)
            print("problem:", text)  # noqa: T201 - the console is where a start-up is watched

    def _store_again(self, region: str) -> None:
        keep = self.keepers.get(region)
        if keep is not None:
            keep()
        else:
            self.settings.restore(region)

    def _memory_trouble(self, part: str) -> None:
        """Take what the storage has noticed: a region or ring, "flash", "sector"."""
        self.problem("memory: " + part, lasts=False)  # each report is a new event
        self.problem("memory: " + part, damage_of(part))

    def ram_trouble(self, part: str) -> None:
        """Take what the check of the RAM has found, and put right."""
        self.problem("RAM: " + part, lasts=False)  # each report is a new event
        self.problem("RAM: " + part, event_codes.RAM_ERROR)

    def _factory(self, memory: "Memory", stored: CalibrationRecord) -> None:
        """Make what production sets and the parameter switch locks."""
        self.parameters = Parameters(memory, self.board.variant, self.lock, self.clock)
        self.parameters.apply_to(self.engine)
        self.outputs = PulseOutputs(memory, self.engine.pulses.outputs, self.parameters)
        self.test_mode = TestMode(lambda: self.parameters.get(TEST_MODE_S))
        converter = self.board.converter
        linearity = None
        if converter is not None:
            from app.linearity_record import LinearityRecord  # no other converter needs its heap

            linearity = LinearityRecord(memory, converter)
        self.production = Production(
            self.engine, stored, self.board.variant, self.lock, self.clock, linearity
        )
        self.production.on_master_reset = lambda: start_checks.ask_master_reset(self)
        self.ram = RamCheck(self, self.ram_trouble)
        self.integrity.on_sound = self.ram.compare
        start_checks.factory(self, self.problem)

    def _open_logs(self) -> None:
        events = self.events
        self.security.parameters_locked = self.lock.locked
        events.open(self.rings, self.clock)
        self.alarm_monitors = AlarmMonitors(
            self.settings,
            lambda table, script: scripts.execute(self.resolver, table, script),
        )
        events.alarms.run = self.alarm_monitors.run
        self.certification = CertificationLog(self.rings, self.clock, self.lock, events.post)
        self.parameters.before_change = self.certification.record
        self.parameters.on_change = self.production.on_change = lambda _what, _old, _new: (
            events.post(event_codes.PARAMETERS_CHANGED)
        )
        self.production.before_change = self.certification.keep
        self.settings.on_change = events.setting_changed
        self.clock.on_change.append(self.outages.clock_changed)
        self.clock.on_change.append(
            lambda _old, _new: events.errors.withdraw(event_codes.CLOCK_INVALID)
        )
        events.errors.lasting += lasting.causes(self)

    def _power_fail(self) -> PowerFail:
        power_fail = PowerFail(self.board.supply_good)
        power_fail.add_saver(self._keep_energies, energy_record.OCTETS)
        power_fail.add_saver(self.outages.down, outages.OCTETS)
        power_fail.on_return = self.outages.seen
        return power_fail

    def _fit_parts(self) -> None:
        """Put in the parts of choice, and what shows and lists the others and them."""
        # before a switch that the power cut off is made up for, and its record written
        self.integrity.start(not self.outages.orderly)
        self.sections = choices.fit(self)
        self.load_profiles = LoadProfiles(
            self.recorder, self.memory, self.board.variant.phases, self.events.errors
        )
        self.self_check = SelfCheck(self)
        self.face = Face(self)
        self.catalogue = object_model.build(self, MAX_PDU)
        choices.join(self)
        output, rate = self.engine.pulses.output, self.face.status.tariff
        service_output = ServiceOutput(self.parameters, self.clock, output, rate)
        self.engine.on_window.append(service_output.window)

    def _rs485_link(self) -> SerialLink:
        settings = self.ports.hdlc_rs485
        channel = self.channels[0]
        return SerialLink(self.board.rs485, HdlcLink(channel, settings, MAX_PDU), settings)

    def _optical_link(self, channel: "Channel") -> SerialLink:
        settings = self.ports.hdlc_optical
        return SerialLink(self.board.optical, HdlcLink(channel, settings, MAX_PDU), settings)

    def _tcp_link(self) -> "TcpLink | None":
        tcp = self.board.tcp
        if tcp is None or self.ports.tcp is None:
            return None
        from app.transport.tcp_link import TcpLink  # not every board has a network

        return TcpLink(tcp[0], self.ports.tcp, self.server.open_channel, MAX_PDU)

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
