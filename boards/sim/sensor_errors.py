"""Tolerances of the simulated sensors: what dividers and transformers do that no design says.

None by default: a meter fresh from the factory is calibrated by design. `POST /api/chip` with
`{"chip": "sensors", "fault": "tolerance", "channel": "i1", "ratio_ppm": -30000}` gives a channel a
ratio error, `"phase_mdeg": 1200` a phase error (positive: it lags); `"fault": "clear"` ends all.
The mains' waves pass through here on their way to the converter; a replayed recording does not.
"""

import math

from devices.chip import Chip
from fields import as_choice, as_whole, check_keys
from micropython import const

TYPE_CHECKING = const(False)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mains import Component

RATIO_MAX_PPM = const(300_000)
PHASE_MAX_MDEG = const(180_000)
_KEYS = ("channel", "ratio_ppm", "phase_mdeg")


class SensorErrors(Chip):
    """The error of every channel's sensor; `on_change` runs before one begins to act."""

    NAME = "sensors"

    def __init__(self, channels: "tuple[str, ...]") -> None:
        super().__init__()
        self.on_change: Callable[[], None] | None = None
        self._channels = channels
        self._errors: dict[str, tuple[float, float]] = {}  # ratio, lag in radians

    def fault(self, name: str, **arguments: object) -> None:
        """Give a channel a tolerance, or end all; ValueError for what is not known."""
        if name == "tolerance":
            check_keys(arguments, _KEYS, 1)
            channel = as_choice(arguments["channel"], list(self._channels), "channel")
            ratio = as_whole(
                arguments.get("ratio_ppm", 0), -RATIO_MAX_PPM, RATIO_MAX_PPM, "ratio_ppm"
            )
            phase = as_whole(
                arguments.get("phase_mdeg", 0), -PHASE_MAX_MDEG, PHASE_MAX_MDEG, "phase_mdeg"
            )
            self._errors[channel] = (ratio / 1e6, math.radians(phase / 1000))
        elif name == "clear":
            self._errors.clear()
        else:
            raise ValueError(f"{self.NAME} has no fault {name!r}, only clear, tolerance")
        if self.on_change is not None:
            self.on_change()

    def apply(self, channel: str, wave: "list[Component]") -> "list[Component]":
        """Return the wave as the channel's sensor passes it on."""
        if channel not in self._errors:
            return wave
        ratio, lag = self._errors[channel]
        return [(order, rms * (1 + ratio), angle - order * lag) for order, rms, angle in wave]
