"""The energy rates of this meter: registers, masks that choose among them, their number."""

from micropython import const

from app.tariff.activation import Activation, rate_of
from app.tariff.rates import MANY_RATES, RATES, RateEnergies, mask_of_rate

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.settings import Settings
    from app.tariff.window_totals import WindowTotals
    from hal import Memory


class EnergyRates:
    """Registers and masks; `acting_ms` gives the ticks of the moment at which masks switch."""

    def __init__(
        self,
        memory: "Memory",
        settings: "Settings",
        totals: "WindowTotals",
        keep_totals: "Callable[[], None]",
        acting_ms: "Callable[[], int]",
    ) -> None:
        self._settings = settings
        many = settings.get("many_rates") == b"\x01"
        self.registers = registers = RateEnergies(memory, totals, keep_totals, many)
        self.masks = Activation(
            settings, *self._sets(), lambda mask: registers.switch(mask, acting_ms())
        )
        self.masks.apply()

    def in_force(self) -> int:
        """Return the rate that the display shows, 0 if the active mask names none of eight."""
        return rate_of(self.masks.active, RATES)

    def number(self) -> int:
        """Return how many rates active import has; all others have eight."""
        return MANY_RATES if self.registers.many else RATES

    def set_number(self, number: int) -> None:
        """Give active import 48 rates or 8 (row EN-04); each has masks and scripts of its own.

        Raises ValueError for another number, OSError if the memory does not answer.
        """
        if number not in (RATES, MANY_RATES):
            raise ValueError("rates of active import: 8 or 48")
        many = number == MANY_RATES
        self.registers.set_many(many)
        try:
            self._settings.put("many_rates", b"\x01" if many else b"")
        except OSError:
            self.registers.set_many(not many)
            raise
        self.masks.use(*self._sets())
        self.masks.apply()

    def _sets(self) -> "tuple[str, int, Callable[[int], bytes], int]":
        """Return key, count of registers, factory's sets and number of rates of the masks."""
        many = self.registers.many
        return (
            "energy_masks_48" if many else "energy_masks",
            self.registers.count,
            lambda rate: mask_of_rate(rate, many),
            self.number(),
        )
