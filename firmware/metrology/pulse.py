"""LED pulses: one for every 1/constant of a kWh or kvarh, for ever (rows LED-01 to LED-04).

The generator counts no energy of its own. A pulse is due whenever the register it follows passes a
multiple of its energy, so pulses times 1/constant is the register to the unit, also across power
cuts. The pulses of a window are spread over the window that follows it; the engine calls `tick`
with the frames of each block, which is the clock.
"""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

_KWH_UWS = 3_600_000_000_000
_PULSE_MS = const(
    30
)  # IEC 62053-31 asks for at least that; half the period when pulses come faster
_LEAP_MS = const(400)  # longer than any window: nobody ticks through it
_Q8 = const(256)
_FAR = const(0x3FFFFF00)


class PulseGenerator:
    """One LED. `count` is the pulses given since start."""

    def __init__(self, pulses_per_kwh: int, rate_mhz: int) -> None:
        if not 0 < pulses_per_kwh <= 1_000_000:
            raise ValueError("pulses per kWh")
        self.pulses_per_kwh = pulses_per_kwh
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
        self._longest_frames = max(1, _PULSE_MS * rate_mhz // 1_000_000)
        self._leap_frames = _LEAP_MS * rate_mhz // 1_000_000

    def attach(self, set_level: "Callable[[int], object]") -> None:
        """Drive an LED: `set_level` takes 1 for lit and 0 for dark."""
        self._set = set_level
        set_level(self._level)

    def add(self, total_uws: int, added_uws: int, frames: int) -> None:
        """Plan the pulses of a window of `frames` frames.

        `total_uws` is the register after it, `added_uws` what the window added. Pulses of the last
        window that have found no tick go out at once, and so do all of a leap, where no frames and
        so no ticks follow.
        """
        while self.pending:
            self._pulse()
        constant = self.pulses_per_kwh
        before = (total_uws - added_uws) * constant
        after = total_uws * constant
        self.pending = after // _KWH_UWS - before // _KWH_UWS
        if frames > self._leap_frames:
            while self.pending:
                self._pulse()
            return
        if not self.pending:
            return
        gained = after - before
        frames_q8 = frames * _Q8
        first = _KWH_UWS - before % _KWH_UWS
        self._elapsed_q8 = 0
        self._due_q8 = first * frames_q8 // gained
        self._step_q8 = min(_KWH_UWS * frames_q8 // gained, _FAR)
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
    """The two metrological LEDs: active, and reactive energy regardless of direction."""

    def __init__(self, pulses_per_kwh: int, rate_mhz: int) -> None:
        self.active = PulseGenerator(pulses_per_kwh, rate_mhz)
        self.reactive = PulseGenerator(pulses_per_kwh, rate_mhz)

    def attach(
        self, set_active: "Callable[[int], object]", set_reactive: "Callable[[int], object]"
    ) -> None:
        """Drive two LEDs, given as what sets their level (a pin's `value`)."""
        self.active.attach(set_active)
        self.reactive.attach(set_reactive)

    def tick(self, frames: int) -> None:
        """Let `frames` frames of time pass."""
        self.active.tick(frames)
        self.reactive.tick(frames)
