"""The errors whose cause may last: what a client has cleared comes back while it does (ERR-01)."""

from micropython import const

from app import event_codes, start_checks
from app.quality.tamper import FIELD, METER_COVER, TERMINAL_COVER

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.battery import Battery
    from app.clock import Clock
    from app.measuring import Measuring
    from app.parameters import Parameters
    from app.production import Production
    from app.program_memory import ProgramMemory
    from app.pulse_outputs import PulseOutputs
    from app.quality.tamper import Tamper
    from app.storage.rings import Rings

    class Parts(Protocol):
        """The parts of a meter that know whether something is wrong."""

        battery: Battery
        clock: Clock
        measuring: Measuring
        outputs: PulseOutputs
        parameters: Parameters
        problems: list[str]
        production: Production
        program: ProgramMemory
        rings: Rings
        tamper: Tamper


def causes(meter: "Parts") -> "list[tuple[int, Callable[[], bool]]]":
    """Return pairs of an event and what tells whether its cause lasts."""
    return [
        (event_codes.CLOCK_INVALID, lambda: meter.clock.invalid),
        (event_codes.CLOCK_CHIP_FAILED, lambda: meter.clock.rtc_failed),
        (event_codes.REPLACE_BATTERY, lambda: meter.battery.worn),
        (event_codes.BATTERY_LOW, lambda: meter.battery.low),
        (event_codes.MEMORY_ERROR, lambda: start_checks.NO_MEMORY in meter.problems),
        (
            event_codes.PARAMETERS_DAMAGED,
            lambda: meter.parameters.damaged or meter.outputs.damaged,
        ),
        (event_codes.TERMINAL_COVER_REMOVED, lambda: meter.tamper.active(TERMINAL_COVER)),
        (event_codes.METER_COVER_REMOVED, lambda: meter.tamper.active(METER_COVER)),
        (event_codes.STRONG_FIELD, lambda: meter.tamper.active(FIELD)),
        (event_codes.PROGRAM_MEMORY_ERROR, lambda: meter.program.damaged),
        (event_codes.FLASH_FAILED, lambda: meter.rings.failed),
        (event_codes.MEASUREMENT_ERROR, lambda: meter.measuring.trouble),
        (event_codes.CALIBRATION_DAMAGED, lambda: bool(meter.production.defects())),
    ]
