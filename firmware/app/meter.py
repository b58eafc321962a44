"""DLMS at every port with its security, event logs and alarms, load profiles, calibration.

The composition root of the full meter: here stands who knows whom, and no rule of any feature.
What a part below has to tell a part above is handed down as a callable.
"""

import os

from micropython import const

from app import event_codes, lasting, object_model, part_checks, renewal, start_checks
from app.attributes import Resolver
from app.battery import Battery
from app.core import Core
from app.dlms.server import MAX_PDU, Server
from app.full_face import FullFace
from app.logs.alarm_monitors import AlarmMonitors
from app.logs.captured import Recorder
from app.logs.certification_log import CertificationLog
from app.logs.error_register import damage_of
from app.logs.event_book import EventBook
from app.logs.load_profiles import LoadProfiles
from app.parameters import TEST_MODE_S
from app.parts import choices
from app.port_settings import Ports
from app.power_up import PowerUp
from app.production import Production
from app.program_memory import ProgramMemory
from app.quality.tamper import Tamper
from app.ram_check import RamCheck
from app.security import OPTICAL, RS485, Security
from app.self_check import SelfCheck
from app.service_output import ServiceOutput
from app.storage.integrity import Integrity
from app.storage.rings import Rings
from app.tariff import scripts
from app.test_mode import TestMode
from app.transport.hdlc import HdlcLink
from app.transport.serial_link import SerialLink

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.no_power import NoPower
    from app.transport.channel import Channel
    from app.transport.optical_link import OpticalLink
    from app.transport.tcp_link import TcpLink
    from hal import Board, Output

_PROGRAM_LIMIT_S = const(60)


class Meter(Core):
    """Everything that the meter is; the attributes are its parts, those of app.parts as well.

    starts: called as it starts on mains, before the profiles do
    keepers: who stores again what a region of the memory held, where it is none of the settings
    open_optical: makes what serves the optical head: HDLC, and what a part adds to it
    readout_list: the factory's list of the data read-out, empty where no port has one
    """

    def __init__(self, board: "Board") -> None:
        super().__init__(board, renewal.renewed(board.fram))
        self.starts: list[Callable[[], None]] = []
        self.keepers: dict[str, Callable[[], None]] = {}
        self.open_optical: Callable[[Channel], SerialLink | OpticalLink] = self._optical_link
        self.readout_list = b""
        memory = self.memory
        self.rings = Rings(board.flash, memory)
        self.rings.on_trouble = self._memory_trouble
        self.events = EventBook(memory, self.settings)
        self.integrity = Integrity(memory, self.rings, self._memory_trouble, self._store_again)
        self.power_up = PowerUp(self.outages, self.clock, self.events.post)
        self.clock.on_event = self.events.post
        self.security = Security(
            memory,
            self.settings,
            board.block_cipher,
            os.urandom,
            self.clock.utc_s,
            self.identification.system_title(),
        )
        self.security.on_event = self.events.post
        lines = (board.terminal_cover, board.meter_cover, board.magnetic_field)
        self.tamper = Tamper(memory, lines, self.events, self.clock.utc_s)
        self.program = ProgramMemory(board.program, self.problem)
        self.battery = Battery(board.battery, self.clock, self.settings)
        self.power_up.test_battery = self.battery.power_up
        self.keepers["energies"] = self.keepers["elements"] = self.energy_record.save
        self._factory()
        self._open_logs()
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
        self.tcp_link = self._tcp_link()

    def _begin(self) -> None:
        renewal.end_master_reset(self)
        self.power_up.run(self.board.power_on())
        for begin in self.starts:
            begin()
        self.load_profiles.start(self.power_up.end, self.outages.down_utc_s)

    def _start_on_mains(self) -> None:
        start = self.supervisor.start
        start("tamper", lambda _task: self.tamper.run())
        if self.board.discharge is not None:
            from app.quality.discharge import Discharge

            sensor = Discharge(self.board.discharge, self.events.post)
            start("discharge", lambda _task: sensor.run())
        start("self-check", lambda _task: self.self_check.run())
        super()._start_on_mains()
        if self.program.present():
            start("program memory", self.program.run, _PROGRAM_LIMIT_S)
        rs485 = self.serial_links[0]
        start("serial", lambda _task: rs485.run())
        if self.tcp_link is not None:
            tcp_link = self.tcp_link
            start("tcp", lambda _task: tcp_link.run())

    def _start_on_battery(self, hold: "Output") -> "NoPower":
        no_power = super()._start_on_battery(hold)
        no_power.busy = lambda: self.tamper.busy
        no_power.octets = lambda: self.serial_links[1].octets_in
        self.supervisor.start("tamper", lambda _task: self.tamper.run())
        return no_power

    def _start_face(self) -> None:
        start = self.supervisor.start
        start("storage", lambda _task: self.rings.drain())
        start("alarms", self.events.alarms.watch)
        start("integrity", lambda _task: self.integrity.run())
        super()._start_face()
        optical = self.serial_links[1]
        start("optical", lambda _task: optical.run())

    def _tell(self, code: int) -> None:
        self.power_up.fault(code)

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

    def _factory(self) -> None:
        """Make what production sets and the parameter switch locks; tell what is damaged."""
        self.test_mode = TestMode(lambda: self.parameters.get(TEST_MODE_S))
        self.production = Production(
            self.engine,
            self.calibration,
            self.board.variant,
            self.lock,
            self.clock,
            self.linearity,
        )
        self.production.on_master_reset = lambda: renewal.ask_master_reset(self)
        self.ram = RamCheck(self, self.ram_trouble)
        self.integrity.on_sound = self.ram.compare
        start_checks.stored(self, self.problem)
        part_checks.guarded(self.security.counters, self.tamper, self.problem)

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
        self.clock.on_change.append(
            lambda _old, _new: events.errors.withdraw(event_codes.CLOCK_INVALID)
        )
        events.errors.lasting += lasting.causes(self)

    def _fit_parts(self) -> None:
        """Put in the parts of choice, and what shows and lists the others and them."""
        # before a switch that the power cut off is made up for, and its record written
        self.integrity.start(not self.outages.orderly)
        self.sections = choices.fit(self)
        self.load_profiles = LoadProfiles(
            self.recorder, self.memory, self.board.variant.phases, self.events.errors
        )
        self.self_check = SelfCheck(self)
        self.face = FullFace(self)
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
