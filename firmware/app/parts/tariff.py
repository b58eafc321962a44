"""The tariff: calendar and rates, demand and its maxima, the end of billing and what it keeps."""

from micropython import const

from app import event_codes, outages, part_checks, start_checks
from app.cosem import demand_objects, past_values, tariff_registers
from app.display import words
from app.logs import billing_profiles
from app.logs.events import STANDARD
from app.tariff.billing import MANUAL_RESET, Billing
from app.tariff.inputs import Inputs
from app.tariff.parts import TariffParts

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.clock import Clock
    from app.cosem.catalogue import Catalogue
    from app.cosem.objects import Build, Objects
    from app.energy_record import EnergyRecord
    from app.face import Face
    from app.logs.alarm_monitors import AlarmMonitors
    from app.logs.captured import Recorder
    from app.logs.event_book import EventBook
    from app.parameters import Parameters
    from app.power_up import PowerUp
    from app.registers import RegisterFile
    from app.settings import Settings
    from app.tasks import Supervisor
    from hal import Board, Memory
    from metrology.engine import Engine

    class Meter(Protocol):
        """What this stands on, and where it is found."""

        alarm_monitors: AlarmMonitors
        board: Board
        catalogue: Catalogue
        checks: list[Callable[[], None]]
        clock: Clock
        energy_record: EnergyRecord
        engine: Engine
        events: EventBook
        face: Face
        keepers: dict[str, Callable[[], None]]
        parameters: Parameters
        power_up: PowerUp
        recorder: Recorder
        registers: RegisterFile
        settings: Settings
        starts: list[Callable[[], None]]
        supervisor: Supervisor
        tariff: TariffParts

        @property
        def memory(self) -> Memory:
            """FRAM."""
            ...

        def problem(self, text: str, code: int = ..., lasts: bool = ...) -> None:
            """Take a problem in words and the event of it."""
            ...

        def ram_trouble(self, part: str) -> None:
            """Take what RAM has lost."""
            ...


_LIMIT_S = const(120)
_INPUTS = const(2)
_REGIONS = ("demand", "limiter_demand", "maxima")  # that app.tariff.demand writes


def fit(meter: "Meter") -> "tuple[Build, ...]":
    """Build the tariff, and let clock, measuring and memory tell it what it has to know."""
    clock, engine, memory = meter.clock, meter.engine, meter.memory
    keep_totals = meter.energy_record.save
    meter.tariff = tariff = TariffParts(
        memory,
        meter.settings,
        clock,
        engine,
        keep_totals,
        meter.recorder.resolver,
        meter.parameters,
    )
    tariff.calendar.active()  # finds out whether it can be read
    parts = (tariff.rates, tariff.blocks, tariff.calendar, tariff.demand)

    def check() -> None:
        part_checks.tariff(*parts, meter.problem)

    check()
    meter.checks.append(check)
    control, post = tariff.control, meter.events.post
    control.on_event = post
    control.has_inputs = len(meter.board.inputs) >= _INPUTS
    quantities = engine.quantities
    engine.on_window += (tariff.totals.window, tariff.currents.window, tariff.rates.window)
    engine.on_window.append(lambda: control.window(quantities.f_uhz // 1000))

    def lost() -> None:
        meter.ram_trouble("energies")
        tariff.rates.totals_set_back()

    meter.energy_record.on_recovery = lost
    clock.on_change.append(tariff.clockwork.clock_changed)
    meter.keepers["calendar_active"] = tariff.clockwork.wake  # it is looked at again
    for region in _REGIONS:
        meter.keepers[region] = tariff.demand.keep
    profiles = billing_profiles.open_all(meter.recorder)
    log = meter.events.logs[STANDARD]
    tariff.use(Billing(memory, meter.settings, clock, profiles, log, post))
    part_checks.billing(tariff.billing, meter.problem)
    tariff.demand.on_period_end.append(lambda utc_s, _bits: control.period_ended(utc_s))
    errors = meter.events.errors.lasting
    errors.append((event_codes.TARIFF_DAMAGED, lambda: _is_undefined(meter)))
    meter.starts.append(lambda: _start(meter))

    def execute(table: bytes, script: int) -> None:
        tariff.execute(table, script, clock.utc_s())

    meter.alarm_monitors.execute = execute

    def tables(objects: "Objects") -> None:
        from app.cosem import tariff_objects

        tariff_objects.add(objects, tariff, meter.settings, meter.registers, post)

    def billing(objects: "Objects") -> None:
        from app.cosem import billing_objects

        billing_objects.add(objects, tariff, clock)

    return tables, billing


def join(meter: "Meter") -> None:
    """Show rates and demand, let the sealed key end the billing, and add the registers."""
    tariff, face, objects = meter.tariff, meter.face, meter.catalogue
    face.status.tariff = face.display.item.rate = tariff.energy.in_force
    face.status.demand_rate = tariff.demand_rate
    face.display.close_billing = lambda: _close_billing(meter)
    primary = meter.engine.energies.primary
    demand_objects.add(objects, tariff, meter.clock, meter.parameters, primary)
    tariff_registers.add(objects, tariff, meter.registers)
    objects.past = past_values.finder(objects.find, tariff.billing)


def _start(meter: "Meter") -> None:
    tariff = meter.tariff
    tariff.demand.start(meter.power_up.end == outages.OUTAGE)
    tariff.billing.restart()
    start = meter.supervisor.start
    start("tariff", tariff.clockwork.run, _LIMIT_S)
    if tariff.control.has_inputs:
        inputs = Inputs(meter.board.inputs[:_INPUTS], tariff.control.input_changed)
        start("inputs", lambda _task: inputs.run())


def _close_billing(meter: "Meter") -> None:
    """End the billing period, if the sealed key may (row DEM-08)."""
    billing = meter.tariff.billing
    if not billing.option(MANUAL_RESET):
        return
    try:
        done = meter.board.supply_good.value() and billing.manual()
        word = words.DONE if done else words.REJECTED
    except OSError:
        word = words.FAILED
    meter.face.tell(word)


def _is_undefined(meter: "Meter") -> bool:
    """Tell whether what the tariff stands on is damaged (row TOU-24)."""
    damaged = meter.settings.damaged
    tables = [key for key in start_checks.TARIFF_TABLES if key in damaged]
    return meter.tariff.calendar.damaged or bool(tables)
