"""What watches the quality of the supply, put together."""

from micropython import const

from app import event_codes as codes
from app.parameters import REGISTRATION_MODE
from app.quality.bypass import Bypass
from app.quality.conditions import Conditions
from app.quality.disturbances import Disturbances
from app.quality.extremes import Extremes
from app.quality.limits import Limits
from app.quality.phase_failures import PhaseFailures
from app.quality.temperature import Temperature
from app.quality.thresholds import Thresholds
from app.quality.voltage_levels import VoltageLevels
from app.quality.waveforms import Waveforms
from app.quality.weeks import Weeks

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.clock import Clock
    from app.outages import Outages
    from app.parameters import Parameters
    from app.power_up import PowerUp
    from app.settings import Settings
    from app.storage.rings import Rings
    from hal import Board, Memory
    from metrology.engine import Engine

    class Alarms(Protocol):
        """What asks whether the condition of an alarm lasts."""

        lasting: dict[int, Callable[[], bool]]

    class Errors(Protocol):
        """What asks whether the cause of an error lasts."""

        lasting: list[tuple[int, Callable[[], bool]]]

    class Events(Protocol):
        """What is told of events."""

        @property
        def alarms(self) -> Alarms:  # noqa: D102
            ...

        @property
        def errors(self) -> Errors:  # noqa: D102
            ...

        def post(self, code: int) -> None: ...  # noqa: D102
        def ended(self, code: int) -> None: ...  # noqa: D102
        def outage(self, duration_s: int) -> None: ...  # noqa: D102

    class Parts(Protocol):
        """The parts of a meter that this stands on."""

        board: Board
        clock: Clock
        engine: Engine
        outages: Outages
        parameters: Parameters
        power_up: PowerUp
        rings: Rings
        settings: Settings

        @property
        def memory(self) -> Memory:  # noqa: D102
            ...

        @property
        def events(self) -> Events:  # noqa: D102
            ...


_ALARM_2 = const(32)
_ASYMMETRIC_CURRENT = const(104)  # stands in no register but by the IE system
_NEUTRAL = const(8)
_ASYMMETRY = const(9)
_REVERSED = const(10)
_SEQUENCE = const(11)


class QualityParts:
    """Extremes, temperature, limits, disturbances, levels and conditions of this meter."""

    def __init__(self, meter: "Parts") -> None:
        memory, settings, engine, clock = meter.memory, meter.settings, meter.engine, meter.clock
        events = meter.events
        post, ended = events.post, events.ended
        engine.keep_waves()
        engine.watch_half_cycles()
        self.extremes = Extremes(memory, clock, engine)
        self.temperature = Temperature(clock, settings, post)
        self.limits = bounds = Limits(settings, meter.board.variant.nominal_voltage_v)
        self.disturbances = Disturbances(memory, bounds, engine, post, ended)
        self.failures = PhaseFailures(
            memory, clock, meter.outages, self.disturbances, engine, post
        )
        self.failures.on_long = events.outage
        meter.power_up.on_power_up.append(self.failures.power_up)
        self.levels = levels = VoltageLevels(memory, bounds, clock, post, ended)
        self.conditions = conditions = Conditions(bounds, engine, post, ended)
        self.thresholds = Thresholds(memory, settings, engine, post)
        self.bypass = Bypass(settings, engine, meter.board.frames.channels % 2 == 1)
        conditions.bypassed, conditions.bypass_s = self.bypass.seen, self.bypass.lasting_s
        counted = (self.disturbances, self.failures)
        self.weeks = Weeks(memory, bounds, clock, engine, counted)
        self.extremes.on_mean = self._mean
        board = meter.board
        supply = board.supply_good
        self.waveforms = Waveforms(
            meter.rings, clock, bounds, engine, board.frames.channels, lambda: supply.value() == 1
        )
        parameters = meter.parameters
        conditions.import_only = lambda: parameters.get(REGISTRATION_MODE) == 0
        lasting = events.alarms.lasting
        lasting[_ASYMMETRIC_CURRENT] = conditions.asymmetric_current.lasts
        lasting[_ALARM_2 + _NEUTRAL] = conditions.neutral_missing.lasts
        lasting[_ALARM_2 + _ASYMMETRY] = lambda: levels.asymmetric
        lasting[_ALARM_2 + _REVERSED] = conditions.reversed.lasts
        lasting[_ALARM_2 + _SEQUENCE] = conditions.wrong_sequence.lasts
        errors = events.errors.lasting
        errors.append((codes.PHASE_ASYMMETRY, lambda: levels.asymmetric))
        for reversed_phase in conditions.reversed_phases:
            errors.append((reversed_phase.came, reversed_phase.lasts))
        for phase in range(engine.quantities.phases):
            cut = codes.NO_VOLTAGE + phase
            errors.append((cut, lambda phase=phase: not self.disturbances.present(phase)))

    def _mean(self, u_cv: "list[int]", utc_s: int) -> None:
        """Take the means of ten minutes; none if they were not measured for long enough."""
        if u_cv:
            self.levels.take(u_cv, utc_s)
        self.weeks.take(u_cv, utc_s)
