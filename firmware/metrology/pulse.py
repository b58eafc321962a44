"""LED and output pulses: one for every 1/constant of a kWh, for ever (rows LED-01 to LED-10).

A generator counts no energy of its own. A pulse is due whenever the measured energy it follows
passes a multiple of 1/constant, so pulses times 1/constant is that energy to the unit, also across
power cuts and changes of the constant. The pulses of a window are spread over the window that
follows it; the board's `PulseOutput` plays them by PIO or timer, so that their jitter is its tick
and not the pace of measuring.
"""

from micropython import const

from metrology.energy import FLOW_A_IMPORT, FLOW_A_NET, FLOW_QUADRANT_I, FLOW_S_IMPORT, KWH_UWS

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from hal import PulseOutput
    from metrology.energy import Energies

# What a generator follows: the sums of both directions as row LED-06 numbers them, the others as
# value group C of their registers
NO_ENERGY = const(0)
ACTIVE = const(23)  # |A+| + |A-|
REACTIVE = const(26)
APPARENT = const(33)
# number, first flow and number of flows
_FOLLOWED = (
    (NO_ENERGY, 0, 0),
    (ACTIVE, FLOW_A_IMPORT, 2),
    (REACTIVE, FLOW_QUADRANT_I, 4),
    (APPARENT, FLOW_S_IMPORT, 2),
    (16, FLOW_A_NET, 1),  # (A+) + (A-): import, after it has made up for export
    (1, FLOW_A_IMPORT, 1),
    (2, FLOW_A_IMPORT + 1, 1),
    (3, FLOW_QUADRANT_I, 2),
    (4, FLOW_QUADRANT_I + 2, 2),
    (5, FLOW_QUADRANT_I, 1),
    (6, FLOW_QUADRANT_I + 1, 1),
    (7, FLOW_QUADRANT_I + 2, 1),
    (8, FLOW_QUADRANT_I + 3, 1),
)

CONSTANT_MAX = const(1_000_000)
WIDTH_MIN_MS = const(30)  # IEC 62053-31; half the period when pulses come faster
WIDTH_MAX_MS = const(200)
_LEAP_MS = const(400)  # longer than any window: nobody ticks through it
_Q8 = const(256)
_US = const(1_000_000)
_FAR_Q8 = const(0x3FFFFF00)


class PulseGenerator:
    """One LED or output. `count` is the pulses that were due since start."""

    def __init__(self, pulses_per_kwh: int, rate_mhz: int, energy: int = ACTIVE) -> None:
        self._rate_mhz = rate_mhz
        self.configure(energy, pulses_per_kwh)
        self.count = 0
        self._output: PulseOutput | None = None
        self.set_width(WIDTH_MIN_MS)

    def configure(self, energy: int, pulses_per_kwh: int) -> None:
        """Follow another energy, or with another constant, from the next window on.

        `energy`: a number of _FOLLOWED. Raises ValueError for other values.
        """
        followed = [row for row in _FOLLOWED if row[0] == energy]
        if not followed:
            raise ValueError("energy of a pulse output")
        if not 0 < pulses_per_kwh <= CONSTANT_MAX:
            raise ValueError("pulses per kWh")
        self.energy = energy
        self._first_flow = followed[0][1]
        self._end_flow = self._first_flow + followed[0][2]
        self.pulses_per_kwh = pulses_per_kwh

    def set_width(self, width_ms: int) -> None:
        """Set how long a pulse lasts if they come slowly enough. Raises ValueError."""
        if not WIDTH_MIN_MS <= width_ms <= WIDTH_MAX_MS:
            raise ValueError("pulse width: 30 to 200 ms")
        self._longest_us = width_ms * 1000

    def attach(self, output: "PulseOutput | None") -> None:
        """Drive an LED or an OptoMOS."""
        self._output = output

    def window(self, energies: "Energies", frames: int) -> None:
        """Plan the pulses for what a window of `frames` frames added to the energy followed."""
        total = added = 0
        for flow in range(self._first_flow, self._end_flow):
            total += energies.flow_uws[flow]
            added += energies.flow_added_uws[flow]
        self.add(total, added, frames)

    def add(self, total_uws: int, added_uws: int, frames: int) -> None:
        """Plan the pulses of a window of `frames` frames.

        `total_uws` is the energy after it, `added_uws` what the window added. All of a leap, which
        nobody waits through, go out at once.
        """
        constant = self.pulses_per_kwh
        before = (total_uws - added_uws) * constant
        gained = added_uws * constant
        count = (before + gained) // KWH_UWS - before // KWH_UWS
        self.count += count
        output = self._output
        if output is None:
            return
        span_us = frames * (_US * 1000) // self._rate_mhz
        if span_us > _LEAP_MS * 1000:
            output.train(count, 0, 0, self._longest_us, 0)
        elif not count:
            output.train(0, 0, 0, 0, span_us)
        else:
            span_q8 = span_us * _Q8
            first_q8 = (KWH_UWS - before % KWH_UWS) * span_q8 // gained
            step_q8 = min(KWH_UWS * span_q8 // gained, _FAR_Q8)
            width_us = min(self._longest_us, max(1, step_q8 // (2 * _Q8)))
            output.train(count, first_q8, step_q8, width_us, span_us)

    def invert(self, inverted: bool) -> None:
        """Let pulses be gaps in a level that is held otherwise, or not."""
        if self._output is not None:
            self._output.invert(inverted)

    def steady(self, lit: bool) -> None:
        """Below the starting current the LED is lit for good; the next load puts it out."""
        if self._output is not None:
            self._output.steady(lit)

    def mark(self) -> None:
        """Give one pulse now that counts no energy, as at the end of a measuring period."""
        if self._output is not None:
            self._output.train(1, 0, 0, self._longest_us, 0)

    def flush(self) -> None:
        """Give all pulses that are due now: the power is about to go."""
        if self._output is not None:
            self._output.flush()


class Pulses:
    """The two metrological LEDs, the OptoMOS and more outputs, off until they are configured.

    The first LED follows active energy, the second reactive, both regardless of direction, until
    they are configured otherwise.
    outputs: generators of the pulse outputs that the board has besides
    """

    def __init__(self, pulses_per_kwh: int, rate_mhz: int) -> None:
        self.active = PulseGenerator(pulses_per_kwh, rate_mhz, ACTIVE)
        self.reactive = PulseGenerator(pulses_per_kwh, rate_mhz, REACTIVE)
        self.output = PulseGenerator(pulses_per_kwh, rate_mhz, NO_ENERGY)
        self.outputs: list[PulseGenerator] = []
        self._rate_mhz = rate_mhz

    def attach(
        self,
        active: "PulseOutput",
        reactive: "PulseOutput",
        output: "PulseOutput | None" = None,
        outputs: "list[PulseOutput] | None" = None,
    ) -> None:
        """Drive two LEDs and, if the board has them, an OptoMOS and other pulse outputs."""
        self.active.attach(active)
        self.reactive.attach(reactive)
        self.output.attach(output)
        for other in outputs or ():
            generator = PulseGenerator(1, self._rate_mhz, NO_ENERGY)
            generator.attach(other)
            self.outputs.append(generator)

    def window(self, energies: "Energies", frames: int) -> None:
        """Plan the pulses for a window; the LEDs are lit steadily if nothing counted in it."""
        self.active.window(energies, frames)
        self.reactive.window(energies, frames)
        self.output.window(energies, frames)
        for generator in self.outputs:
            if generator.energy:
                generator.window(energies, frames)
        self.active.steady(not energies.counting)
        self.reactive.steady(not energies.counting)

    def flush(self) -> None:
        """Give all pulses that are due now."""
        self.active.flush()
        self.reactive.flush()
        self.output.flush()
        for generator in self.outputs:
            generator.flush()
