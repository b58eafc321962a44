"""What a start finds wrong in what parts of choice have stored; as app.start_checks tells it."""

from micropython import const

from app import event_codes

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app.counters import Counters

    class Damageable(Protocol):
        """What found both of its copies unusable."""

        damaged: bool


def guarded(
    counters: "Counters", tamper: "Damageable", tell: "Callable[[str, int], None]"
) -> None:
    """Tell of what guards keys and covers."""
    if counters.lost:
        tell(
            "invocation counters are damaged, nothing is ciphered until keys change",
            event_codes.MEMORY_ERROR,
        )
    if tamper.damaged:
        tell(
            "both copies of what covers did are damaged, counts start at zero",
            event_codes.MEMORY_ERROR,
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
