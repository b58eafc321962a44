"""What a start finds wrong in what every meter stores, in words and as events (ERR-07, ERR-08).

`tell(text, code)` takes each; the parts have restored themselves and say what they met.
"""

from micropython import const

from app import event_codes
from app.calibration_record import defects
from app.storage import record

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.calibration_record import CalibrationRecord
    from app.linearity_record import LinearityRecord
    from app.outages import Outages
    from app.parameters import Parameters
    from app.pulse_outputs import PulseOutputs
    from app.settings import Settings
    from metrology.engine import Engine

    class Parts(Protocol):
        """What is looked at."""

        calibration: CalibrationRecord
        engine: Engine
        linearity: LinearityRecord | None
        outages: Outages
        outputs: PulseOutputs
        parameters: Parameters
        restored: int
        settings: Settings


# settings without which no tariff is defined (row TOU-24)
TARIFF_TABLES = ("energy_masks", "special_days", "tariff_scripts")
NO_MEMORY = "FRAM does not answer, settings and energies are not kept"


def stored(parts: "Parts", tell: "Callable[[str, int], None]") -> None:
    """Tell of what every meter keeps: energies, settings, calibration, parameters, counters."""
    if parts.restored >= record.LOST:
        tell(
            "both copies of the energies are damaged, registers start at zero",
            event_codes.DATA_DAMAGED,
        )
    for key in parts.settings.damaged:
        code = event_codes.TARIFF_DAMAGED if key in TARIFF_TABLES else event_codes.MEMORY_ERROR
        tell("setting " + key + " is damaged, it counts as never made", code)
    if parts.settings.failed:
        tell(NO_MEMORY, event_codes.MEMORY_ERROR)
    for text in defects(parts.calibration, parts.engine, parts.linearity):
        tell(text, event_codes.CALIBRATION_DAMAGED)
    if parts.outages.damaged:
        tell(
            "both copies of the power counters are damaged, they start at zero",
            event_codes.MEMORY_ERROR,
        )
    if parts.outputs.damaged:
        tell(
            "both copies of the pulse outputs are damaged, they are off",
            event_codes.PARAMETERS_DAMAGED,
        )
    if parts.parameters.damaged:
        tell(
            "both copies of the factory parameters are damaged, defaults serve",
            event_codes.PARAMETERS_DAMAGED,
        )
