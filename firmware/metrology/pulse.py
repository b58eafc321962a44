"""LED and output pulses: one for every 1/constant of a kWh, for ever (rows LED-01 to LED-08).

A generator counts no energy of its own. A pulse is due whenever the measured energy it follows
passes a multiple of 1/constant, so pulses times 1/constant is that energy to the unit, also across
power cuts and changes of the constant. The pulses of a window are spread over the window that
follows it; the engine calls `tick` with the frames of each block, which is the clock: a pulse is
late by less than a block. More pulses than one to a block come at once, each with its edge.
"""

from micropython import const

from metrology.energy import FLOW_A_IMPORT, FLOW_QUADRANT_I, FLOW_S_IMPORT, KWH_UWS

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from metrology.energy import Energies

# What a generator follows, numbered as row LED-06 does
NO_ENERGY = const(0)
ACTIVE = const(23)  # |A+| + |A-|
REACTIVE = const(26)
APPARENT = const(33)
# first flow and number of flows
_FLOWS = {
    NO_ENERGY: (0, 0),
    ACTIVE: (FLOW_A_IMPORT, 2),
    REACTIVE: (FLOW_QUADRANT_I, 4),
    APPARENT: (FLOW_S_IMPORT, 2),
}

CONSTANT_MAX = const(1_000_000)
WIDTH_MIN_MS = const(30)  # IEC 62053-31; half the period when pulses come faster
WIDTH_MAX_MS = const(200)
_LEAP_MS = const(400)  # longer than any window: nobody ticks through it
_Q8 = const(256)
_FAR = const(0x3FFFFF00)


class PulseGenerator:
    """One LED or output. `count` is the pulses given since start."""

    def __init__(self, pulses_per_kwh: int, rate_mhz: int, energy: int = ACTIVE) -> None:
        self._rate_mhz = rate_mhz
        self.configure(energy, pulses_per_kwh)
        self.count = 0
        self.pending = 0
        self._set: Callable[[int], object] | None = None
        self._level = 0
        self._steady = False
        self._elapsed_q8 = 0  # frames since the window's pulses were planned
        self._due_q8 = 0  # when the next of them comes
        self._step_q8 = _FAR
        self._on_frames = 0  # frames the LED stays lit
        self._width_frames = 0
        self.set_width(WIDTH_MIN_MS)
        self._leap_frames = _LEAP_MS * rate_mhz // 1_000_000

    def configure(self, energy: int, pulses_per_kwh: int) -> None:
        """Follow another energy, or with another constant, from the next window on.

        `energy`: NO_ENERGY, ACTIVE, REACTIVE or APPARENT. Raises ValueError for other values.
        """
        if energy not in _FLOWS:
            raise ValueError("energy of a pulse output")
        if not 0 < pulses_per_kwh <= CONSTANT_MAX:
            raise ValueError("pulses per kWh")
        self.energy = energy
        self.pulses_per_kwh = pulses_per_kwh

    def set_width(self, width_ms: int) -> None:
        """Set how long a pulse lasts if they come slowly enough. Raises ValueError."""
        if not WIDTH_MIN_MS <= width_ms <= WIDTH_MAX_MS:
            raise ValueError("pulse width: 30 to 200 ms")
        self._longest_frames = max(1, width_ms * self._rate_mhz // 1_000_000)

    def attach(self, set_level: "Callable[[int], object]") -> None:
        """Drive an LED: `set_level` takes 1 for lit and 0 for dark."""
        self._set = set_level
        set_level(self._level)

    def window(self, energies: "Energies", frames: int) -> None:
        """Plan the pulses for what a window of `frames` frames added to the energy followed."""
        first, count = _FLOWS[self.energy]
        total = added = 0
        for flow in range(first, first + count):
            total += energies.flow_uws[flow]
            added += energies.flow_added_uws[flow]
        self.add(total, added, frames)

    def add(self, total_uws: int, added_uws: int, frames: int) -> None:
        """Plan the pulses of a window of `frames` frames.

        `total_uws` is the energy after it, `added_uws` what the window added. Pulses of the last
        window that have found no tick go out at once, and so do all of a leap, where no frames and
        so no ticks follow.
        """
        while self.pending:
            self._pulse()
        constant = self.pulses_per_kwh
        before = (total_uws - added_uws) * constant
        after = total_uws * constant
        self.pending = after // KWH_UWS - before // KWH_UWS
        if frames > self._leap_frames:
            while self.pending:
                self._pulse()
            return
        if not self.pending:
            return
        gained = after - before
        frames_q8 = frames * _Q8
        first = KWH_UWS - before % KWH_UWS
        self._elapsed_q8 = 0
        self._due_q8 = first * frames_q8 // gained
        self._step_q8 = min(KWH_UWS * frames_q8 // gained, _FAR)
        self._width_frames = min(self._longest_frames, max(1, self._step_q8 // (2 * _Q8)))

    def steady(self, lit: bool) -> None:
        """Below the starting current the LED is lit for good; the next load puts it out."""
        if lit == self._steady:
            return
        self._steady = lit
        self._on_frames = 0
        self._drive(1 if lit else 0)

    def tick(self, frames: int) -> None:
        """Let `frames` frames of time pass. Allocates nothing."""
        if self._on_frames:
            self._on_frames -= frames
            if self._on_frames <= 0:
                self._on_frames = 0
                if not self._steady:
                    self._drive(0)
        if not self.pending:
            return
        self._elapsed_q8 += frames * _Q8
        while self.pending and self._due_q8 <= self._elapsed_q8:
            self._due_q8 += self._step_q8
            self._pulse()

    def _pulse(self) -> None:
        self.pending -= 1
        self.count += 1
        self._steady = False
        if self._level:
            self._drive(0)
        self._drive(1)
        self._on_frames = max(1, self._width_frames)

    def _drive(self, level: int) -> None:
        self._level = level
        if self._set is not None:
            self._set(level)


class Pulses:
    """The two metrological LEDs and the pulse output, which is off until it is configured.

    The first LED follows active energy, the second reactive, both regardless of direction, until
    they are configured otherwise.
    """

    def __init__(self, pulses_per_kwh: int, rate_mhz: int) -> None:
        self.active = PulseGenerator(pulses_per_kwh, rate_mhz, ACTIVE)
        self.reactive = PulseGenerator(pulses_per_kwh, rate_mhz, REACTIVE)
        self.output = PulseGenerator(pulses_per_kwh, rate_mhz, NO_ENERGY)

    def attach(
        self, set_active: "Callable[[int], object]", set_reactive: "Callable[[int], object]"
    ) -> None:
        """Drive two LEDs, given as what sets their level (a pin's `value`)."""
        self.active.attach(set_active)
        self.reactive.attach(set_reactive)

    def window(self, energies: "Energies", frames: int) -> None:
        """Plan the pulses for a window; the LEDs are lit steadily if nothing counted in it."""
        self.active.window(energies, frames)
        self.reactive.window(energies, frames)
        self.output.window(energies, frames)
        self.active.steady(not energies.counting)
        self.reactive.steady(not energies.counting)

    def tick(self, frames: int) -> None:
        """Let `frames` frames of time pass."""
        self.active.tick(frames)
        self.reactive.tick(frames)
        self.output.tick(frames)
