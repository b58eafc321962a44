"""The object model: every COSEM object of this meter, put into one catalogue.

What belongs to one feature adds its objects by itself; here stands only that it is asked to.
"""

from micropython import const

from app import designation, factory
from app.battery import LITHIUM
from app.cosem import (
    alarm_values,
    bench_values,
    billing_objects,
    catalogue,
    clock_values,
    demand_objects,
    display_values,
    event_values,
    factory_values,
    health_values,
    power_values,
    profile_objects,
    quality_values,
    snapshot_profiles,
    supply_values,
    tariff_objects,
    waveform_profile,
)
from app.display.formats import Formats
from app.dlms import conformance
from app.parameters import REGISTRATION_MODE

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.attributes import Resolver
    from app.battery import Battery
    from app.clock import Clock
    from app.display.options import Options
    from app.identification import Identification
    from app.logs.alarm_monitors import AlarmMonitors
    from app.logs.captured import CapturedRows
    from app.logs.certification_log import CertificationLog
    from app.logs.event_book import EventBook
    from app.logs.load_profiles import LoadProfiles
    from app.outages import Outages
    from app.parameters import ParameterLock, Parameters
    from app.port_settings import Ports
    from app.production import Production
    from app.program_memory import ProgramMemory
    from app.pulse_outputs import PulseOutputs
    from app.quality.parts import QualityParts
    from app.quality.tamper import Tamper
    from app.registers import RegisterFile
    from app.security import Security
    from app.self_check import SelfCheck
    from app.settings import Settings
    from app.tariff.parts import TariffParts
    from app.test_mode import TestMode
    from hal import Board
    from metrology.engine import Engine

    class Face(Protocol):
        """Display and keys."""

        options: Options

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
        quality: QualityParts
        program: ProgramMemory
        registers: RegisterFile
        resolver: Resolver
        security: Security
        self_check: SelfCheck
        settings: Settings
        tamper: Tamper
        tariff: TariffParts
        test_mode: TestMode
        week_profile: CapturedRows

        @property
        def face(self) -> Face:  # noqa: D102
            ...


def build(meter: "Parts", max_pdu: int) -> "catalogue.Catalogue":
    """Return the catalogue of all objects, bound to the resolver of the meter."""
    board = meter.board
    variant = board.variant
    clock = meter.clock
    parts = catalogue.Parts(
        meter.registers, clock, meter.settings, meter.identification, variant, meter.security
    )
    parts.general_list = factory.general_list()
    parts.alternate_list = factory.alternate_list(variant)
    parts.readout_list = factory.readout_list(variant)
    parts.ports = meter.ports
    parts.measuring_period_s = lambda: meter.tariff.demand.period_s
    objects = catalogue.build(parts, meter.resolver, conformance.SERVICES, max_pdu)
    keys = (board.key_scroll, board.key_reset)
    parameters = meter.parameters
    tariff = meter.tariff
    post = meter.events.post
    event_values.add_events(objects, meter.events, meter.certification, clock)
    alarm_values.add(objects, meter.events, meter.alarm_monitors)
    factory_values.add_parameters(objects, parameters, clock, keys, variant.transformer)
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
    quality_values.add(objects, meter.quality.extremes, meter.quality.temperature, clock, post)
    supply_values.add(objects, meter.quality, variant.phases)
    factory_values.add_tests(
        objects, parameters, meter.test_mode, tariff.runner, meter.production.master_reset
    )
    bench_values.add_bench(objects, meter.production, clock)
    clock_values.add(objects, clock, meter.battery, meter.lock)
    waveform_profile.add(objects, clock, meter.engine, board.frames)
    primary = meter.engine.energies.primary
    snapshot_profiles.add(objects, clock, meter.quality.waveforms, primary)
    power_values.add(objects, meter.outages, meter.quality.failures, clock, post)
    health_values.add(objects, meter.program, meter.tamper, meter.self_check, clock, tariff.runner)
    demand_objects.add(objects, tariff, clock, parameters, primary)
    profile_objects.add(objects, meter.load_profiles, meter.week_profile, clock)
    tariff_objects.add(objects, tariff, meter.settings, meter.registers, post)
    billing_objects.add(objects, tariff, clock)
    forms = Formats(meter.settings.get, variant.transformer)
    display_values.add(objects, meter.settings, meter.lock, forms, meter.face.options)
    return objects
