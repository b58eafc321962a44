"""The crystal that the processor counts its ticks by; the other chips have clocks of their own."""

from .chip import Chip

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_PPB = 1_000_000


class Crystal(Chip):
    """`set_ppb` takes how fast it runs, in parts in 10**9."""

    NAME = "crystal"
    FAULTS = {"drift": ("set_drift", (("ppb", None),))}

    def __init__(self, set_ppb: "Callable[[int], None]") -> None:
        super().__init__()
        self._set_ppb = set_ppb

    def set_drift(self, ppb: int) -> None:
        """Run fast from now on, slow below 0. Raises ValueError beyond 1000 ppm."""
        if not -_MAX_PPB <= ppb <= _MAX_PPB:
            raise ValueError("ppb must lie from -1000000 to 1000000")
        self._set_ppb(ppb)

    def fault(self, name: str, **arguments: object) -> None:
        """Start the fault `name`; a crystal that stands still is a processor without power."""
        if name == "dead":
            raise ValueError("crystal has no fault 'dead', only clear, drift")
        super().fault(name, **arguments)

    def clear_faults(self) -> None:
        """Run at its nominal frequency."""
        super().clear_faults()
        self._set_ppb(0)
