"""What a start finds wrong in what was stored, in words and as events (rows ERR-07, ERR-08).

`tell(text, code)` takes each; the parts have restored themselves and say what they met.
"""

from micropython import const

from app import event_codes
from app.storage import record, regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.master_reset import Parts as Renewable
    from app.outages import Outages
    from app.parameters import Parameters
    from app.production import Production
    from app.pulse_outputs import PulseOutputs
    from app.security import Security
    from app.settings import Settings
    from hal import Memory

    class Damageable(Protocol):
        """What found both of its copies unusable."""

        damaged: bool

    class Parts(Protocol):
        """What is looked at."""

        outages: Outages
        outputs: PulseOutputs
        parameters: Parameters
        production: Production
        security: Security
        settings: Settings

        @property
        def tamper(self) -> Damageable:  # noqa: D102
            ...


# settings without which no tariff is defined (row TOU-24)
TARIFF_TABLES = ("energy_masks", "special_days", "tariff_scripts")
NO_MEMORY = "FRAM does not answer, settings and energies are not kept"


def renewed(memory: "Memory") -> "Memory":
    """Return the memory; if a master reset was asked for, do what comes before all restoring."""
    try:
        if _master_reset_is_due(memory):
            from app import master_reset

            master_reset.begin(memory)
    except OSError:
        pass  # it stays due
    return memory


def ask_master_reset(parts: "Renewable") -> None:
    """Let the next start, which is soon, be that of a new meter. Raises AccessRefused, OSError."""
    from app import master_reset  # hardly any meter ever needs it

    master_reset.request(parts)


def end_master_reset(parts: "Renewable") -> None:
    """Do what is left of a master reset now that the flash is open."""
    try:
        if _master_reset_is_due(parts.memory):
            from app import master_reset

            master_reset.finish(parts)
    except OSError:
        pass  # the next start does it once more


def _master_reset_is_due(memory: "Memory") -> bool:
    return regions.open_record(memory, "master_reset").load() is not None


def stored(parts: "Parts", energies: int, tell: "Callable[[str, int], None]") -> None:
    """Tell of energies, by the state of their record, settings and keys."""
    if energies >= record.LOST:
        tell(
            "both copies of the energies are damaged, registers start at zero",
            event_codes.DATA_DAMAGED,
        )
    for key in parts.settings.damaged:
        code = event_codes.TARIFF_DAMAGED if key in TARIFF_TABLES else event_codes.MEMORY_ERROR
        tell("setting " + key + " is damaged, it counts as never made", code)
    if parts.security.counters.lost:
        tell(
            "invocation counters are damaged, nothing is ciphered until keys change",
            event_codes.MEMORY_ERROR,
        )
    if parts.settings.failed:
        tell(NO_MEMORY, event_codes.MEMORY_ERROR)


def factory(parts: "Parts", tell: "Callable[[str, int], None]") -> None:
    """Tell of calibration, factory parameters and the counters of outages."""
    for text in parts.production.defects():
        tell(text, event_codes.CALIBRATION_DAMAGED)
    if parts.outages.damaged:
        tell(
            "both copies of the power counters are damaged, they start at zero",
            event_codes.MEMORY_ERROR,
        )
    if parts.tamper.damaged:
        tell(
            "both copies of what covers did are damaged, counts start at zero",
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


def billing(billings: "Damageable", tell: "Callable[[str, int], None]") -> None:
    """Tell of the billing counter and what stands with it."""
    if billings.damaged:
        tell(
            "both copies of the billing counter are damaged, it starts at zero",
            event_codes.DATA_DAMAGED,
        )


def tariff(
    rates: "Damageable",
    blocks: "Damageable",
    calendar: "Damageable",
    demand: "Damageable",
    tell: "Callable[[str, int, bool], None]",
) -> None:
    """Tell of what the tariff stands on; the last argument says whether it is so now."""
    for part, text, code in (
        (rates, "rate registers are damaged, they start at zero", event_codes.DATA_DAMAGED),
        (
            blocks,
            "block registers are damaged, they start at zero",
            event_codes.MEMORY_ERROR,
        ),
        (
            calendar,
            "active calendar are damaged, the first rate counts",
            event_codes.TARIFF_DAMAGED,
        ),
        (demand, "demand registers are damaged, those start at zero", event_codes.DATA_DAMAGED),
    ):
        tell("both copies of the " + text, code, part.damaged)
