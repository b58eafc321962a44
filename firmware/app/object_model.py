"""The object model: every COSEM object of this meter, put into one catalogue.

What belongs to one feature adds its objects by itself; here stands only that it is asked to. Of
what is seldom read neither the objects nor their code stay in RAM.
"""

from micropython import const

from app import designation
from app.battery import LITHIUM
from app.cosem import common_objects, script_table
from app.display.formats import Formats
from app.dlms import conformance
from app.parameters import MEASURING_PERIOD_1, REGISTRATION_MODE

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.attributes import Resolver
    from app.battery import Battery
    from app.clock import Clock
    from app.cosem.catalogue import Catalogue
    from app.cosem.objects import Build, Objects
    from app.display.options import Options
    from app.identification import Identification
    from app.logs.alarm_monitors import AlarmMonitors
    from app.logs.certification_log import CertificationLog
    from app.logs.event_book import EventBook
    from app.logs.load_profiles import LoadProfiles
    from app.outages import Outages
    from app.parameters import ParameterLock, Parameters
    from app.port_settings import Ports
    from app.production import Production
    from app.program_memory import ProgramMemory
    from app.pulse_outputs import PulseOutputs
    from app.quality.tamper import Tamper
    from app.registers import RegisterFile
    from app.security import Security
    from app.self_check import SelfCheck
    from app.settings import Settings
    from app.test_mode import TestMode
    from hal import Board
    from metrology.engine import Engine

    class Face(Protocol):
        """Display and keys."""

        options: Options
        general_list: bytes
        alternate_list: bytes

    class Parts(Protocol):
        """The parts of a meter that have objects."""

        alarm_monitors: AlarmMonitors
        battery: Battery
        board: Board
        certification: CertificationLog
        clock: Clock
        engine: Engine
        events: EventBook
        identification: Identification
        load_profiles: LoadProfiles
        lock: ParameterLock
        outages: Outages
        outputs: PulseOutputs
        parameters: Parameters
        ports: Ports
        production: Production
        readout_list: bytes
        program: ProgramMemory
        registers: RegisterFile
        resolver: Resolver
        security: Security
        self_check: SelfCheck
        settings: Settings
        tamper: Tamper
        test_mode: TestMode
        sections: list[Build]

        @property
        def face(self) -> Face:  # noqa: D102
            ...


# sections ask of what others have made whether it is of these classes: the module stays
_TABLES = (script_table.BuiltInScripts, script_table.StoredScripts)


def build(meter: "Parts", max_pdu: int) -> "Catalogue":
    """Return the catalogue of all objects, bound to the resolver of the meter."""
    variant = meter.board.variant
    parts = common_objects.Parts(
        meter.registers, meter.clock, meter.settings, meter.identification, variant, meter.security
    )
    parts.general_list = meter.face.general_list
    parts.alternate_list = meter.face.alternate_list
    parts.readout_list = meter.readout_list
    parts.ports = meter.ports
    parts.measuring_period_s = lambda: meter.parameters.get(MEASURING_PERIOD_1)
    objects = common_objects.build(parts, meter.resolver, conformance.SERVICES, max_pdu)
    for section in _SECTIONS:
        objects.add_section(lambda made, section=section: section(made, meter))
    for section in meter.sections:
        objects.add_section(section)
    return objects


def _events(objects: "Objects", meter: "Parts") -> None:
    from app.cosem import event_values

    event_values.add_events(objects, meter.events, meter.certification, meter.clock)


def _alarms(objects: "Objects", meter: "Parts") -> None:
    from app.cosem import alarm_values

    alarm_values.add(objects, meter.events, meter.alarm_monitors)


def _factory(objects: "Objects", meter: "Parts") -> None:
    from app.cosem import factory_values

    board, parameters = meter.board, meter.parameters
    keys = (board.key_scroll, board.key_reset)
    variant = board.variant
    factory_values.add_parameters(objects, parameters, meter.clock, keys, variant.transformer)
    factory_values.add_plate(
        objects,
        meter.lock,
        meter.settings,
        variant,
        lambda: designation.flags_of(
            board, parameters.get(REGISTRATION_MODE), meter.battery.kind != LITHIUM
        ),
    )
    factory_values.add_outputs(objects, meter.outputs)
    reset = meter.production.master_reset
    factory_values.add_tests(objects, parameters, meter.test_mode, reset)


def _bench(objects: "Objects", meter: "Parts") -> None:
    from app.cosem import bench_values

    bench_values.add_bench(objects, meter.production, meter.clock)


def _clock(objects: "Objects", meter: "Parts") -> None:
    from app.cosem import clock_values

    clock_values.add(objects, meter.clock, meter.battery, meter.lock)


def _power(objects: "Objects", meter: "Parts") -> None:
    from app.cosem import power_values

    power_values.add(objects, meter.outages, meter.events.post)


def _health(objects: "Objects", meter: "Parts") -> None:
    from app.cosem import health_values

    health_values.add(objects, meter.program, meter.tamper, meter.self_check, meter.clock)


def _profiles(objects: "Objects", meter: "Parts") -> None:
    from app.cosem import profile_objects

    profile_objects.add(objects, meter.load_profiles, meter.clock)


def _display(objects: "Objects", meter: "Parts") -> None:
    from app.cosem import display_values

    forms = Formats(meter.settings.get, meter.board.variant.transformer)
    display_values.add(objects, meter.settings, meter.lock, forms, meter.face.options)


# What is read once in a while; each is made when one of its objects is asked for.
_SECTIONS = (
    _events,
    _alarms,
    _factory,
    _bench,
    _clock,
    _power,
    _health,
    _profiles,
    _display,
)
