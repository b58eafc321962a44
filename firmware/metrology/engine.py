"""Takes frames from the board and turns them into windows, quantities, energies and pulses.

A window is 10 cycles (12 above 55 Hz) between zero crossings of the reference voltage, about
0.2 s. It ends at a fraction of a frame: the products at a crossing are shared out between the
window that ends and the one that begins as the trapezoidal rule does, so quantities do not jitter
by a frame and every frame's energy is counted once. Without a voltage a window is 0.2 s of frames.
When the reference voltage disappears, the next phase takes over.
"""

from array import array

from micropython import const

from metrology.accumulators import Accumulators, RawSums
from metrology.calibration import CalibrationError, Weights, delay_filter
from metrology.energy import Energies
from metrology.frame import BLOCK
from metrology.oscillator import Oscillator
from metrology.pulse import Pulses
from metrology.quantities import Quantities
from metrology.reference import Reference

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from hal import FrameSource, SensorScale, Variant
    from metrology.calibration import Calibration
    from metrology.half_cycle import HalfCycles
    from metrology.snapshot import Snapshot
    from metrology.waveform import Capture, History

    Keeper = History | Snapshot

_HZ = const(1_000_000)  # micro-hertz
_LOWEST_UHZ = const(40_000_000)  # beyond is no mains frequency: not believed
_HIGHEST_UHZ = const(70_000_000)
_TWELVE_CYCLES_UHZ = const(55_000_000)
_JUMP_UHZ = const(1_500_000)  # a mains does not do that from one window to the next
_SLOWEST_RATE_MHZ = const(1_000_000)
_FASTEST_RATE_MHZ = const(32_000_000)

# What is known of the reference voltage
_SEARCHING = const(0)  # no crossing yet
_FIRST = const(1)  # one crossing: the next gives a period
_LOCKED = const(2)  # windows hold whole cycles


class Engine:
    """Metrology as the rest of the meter sees it.

    quantities, energies, pulses: what was measured
    tap: None, or called with the RawSums of every window that closes, before they are used; they
    are cleared afterwards, so copy what is kept
    undelayed: the calibrated delays cannot be corrected at this frame rate, so they are not
    last_whole: the last window held whole cycles of the mains
    frames_q16: frames of the last window, of `rate_mhz` thousandths of a frame a second
    on_window: called without arguments after each window, quantities and energies up to date
    half_cycles: one-cycle RMS of the voltages, refreshed each half cycle; since watch_half_cycles
    keepers: what else takes every block of frames, to keep some; `add` allocates nothing
    on_half_cycle: None, or called without arguments after each block in which a half cycle ended
    """

    half_cycles: "HalfCycles"

    def __init__(
        self,
        source: "FrameSource",
        scale: "SensorScale",
        variant: "Variant",
        calibration: "Calibration",
    ) -> None:
        """Raises ValueError if scale, calibration or frame source do not fit the variant.

        A delay that the frame rate cannot correct is left out, which `undelayed` says.
        """
        rate = source.rate_mhz
        if not _SLOWEST_RATE_MHZ <= rate <= _FASTEST_RATE_MHZ:
            raise ValueError("frame rate")
        phases = variant.phases
        elements = source.channels >> 1
        if elements != phases and (phases, elements) != (1, 2):
            raise ValueError("frames of a meter with other phases")
        if calibration.phases != elements:
            raise ValueError("calibration of a meter with other phases")
        weights = Weights(scale, calibration)
        self._scale = scale
        self.nominal_uhz = variant.nominal_frequency_hz * _HZ
        self.quantities = Quantities(phases, weights, rate, elements)
        self.energies = Energies(variant, rate, elements > phases)
        self.pulses = Pulses(variant.pulses_per_kwh, rate)
        self.tap: Callable[[RawSums], None] | None = None
        self.on_window: list[Callable[[], None]] = []
        self._watching = False
        self.on_half_cycle: Callable[[], None] | None = None
        self.keepers: list[Keeper] = []
        self.windows = 0  # closed since start
        self.last_whole = False
        self.frames_q16 = 0
        self._history: History | None = None
        self._weights = weights
        self._source = source
        self.rate_mhz = rate
        self._lost = source.lost
        self._frames = array("i", bytes(4 * BLOCK * source.channels))
        self._accumulators = Accumulators(elements, source.channels)
        self.undelayed = False
        try:
            self._set_delays(calibration.delay_ns)
        except CalibrationError:
            self.undelayed = True
        self._oscillator = Oscillator(rate, self.nominal_uhz)
        self._reference = Reference(variant, weights.u_pv, source.channels, rate)
        self._partial = Quantities(phases, weights, rate, elements)  # windows of no whole cycles
        self._partial.dc_u_q16 = self.quantities.dc_u_q16
        self._partial.dc_i_q16 = self.quantities.dc_i_q16
        self._running = RawSums(elements)  # the window that runs, its sums once it has ended
        self._state = _SEARCHING
        self._cycles = 1  # crossings the window waits for
        self._first_q16 = 0  # _FIRST: where in the window the crossing was
        self._second_weight_q16 = -1  # >= 0: the next frame is the second of a window's end
        self._last_uhz = self.nominal_uhz  # what the last whole window said
        self._silence_frames = rate // 5_000_000 * 1000 + rate % 5_000_000 // 5000  # 0.2 s

    def recalibrate(self, calibration: "Calibration") -> None:
        """Measure with another calibration from the next block on; no energy is lost or moved.

        Raises CalibrationError, and keeps the present one, if it cannot be used.
        """
        if calibration.phases != self.quantities.elements:
            raise CalibrationError("calibration of a meter with other phases")
        weights = Weights(self._scale, calibration)
        self._set_delays(calibration.delay_ns)
        self.undelayed = False
        self._weights = weights
        self.quantities.set_weights(weights)
        self._partial.set_weights(weights)
        self._reference.set_scale(weights.u_pv)
        if self._watching:
            self.half_cycles.set_scale(weights.u_pv[: self.quantities.phases])

    def renew(self, calibration: "Calibration") -> bool:
        """Work out anew what corrections make of codes; True if RAM still held it (row ERR-06)."""
        kept, new = self._weights, Weights(self._scale, calibration)
        for name in ("u_pv", "i_pa", "p_offset_uw", "q_offset_uvar"):
            if getattr(kept, name) != getattr(new, name):
                self.recalibrate(calibration)
                return False
        return True

    def watch_half_cycles(self) -> None:
        """Measure half cycles from now on: nobody but the quality of the supply wants them."""
        from metrology.half_cycle import HalfCycles

        u_pv = self._weights.u_pv[: self.quantities.phases]
        channels, rate = self._source.channels, self.rate_mhz
        self.half_cycles = HalfCycles(u_pv, channels, rate, self.nominal_uhz)
        self._watching = True

    def keep_waves(self) -> "History":
        """Keep the newest frames from now on, for `capture`: some kilobytes of them."""
        if self._history is None:
            from metrology.waveform import History

            self._history = History(self._source.channels, self.rate_mhz)
            self.keepers.append(self._history)
        return self._history

    def capture(self) -> "Capture":
        """Return the last two whole cycles of every channel, and their harmonics on request.

        Raises ValueError if two cycles have not been measured since start or since a lost frame,
        or since this was asked for at first, if nobody had the waves kept before.
        """
        reference = self._reference.phase
        return self.keep_waves().capture(self._oscillator, reference, self._weights)

    def scale(self, channel: int) -> "tuple[int, int]":
        """Return picovolts or picoamperes of a code, and the code of zero input; u1 i1 u2 and on.

        As calibrated, and as last measured; the zero is 0 where DC counts.
        """
        weights, quantities = self._weights, self.quantities
        pico, dc_q16 = weights.u_pv, quantities.dc_u_q16
        if channel & 1:
            pico, dc_q16 = weights.i_pa, quantities.dc_i_q16
        zero = 0 if weights.keep_dc else dc_q16[channel >> 1] >> 16
        return pico[channel >> 1], zero

    def frames_lost(self) -> int:
        """Return how many frames the source has lost since it was started."""
        return self._source.lost

    def poll(self) -> bool:
        """Measure all frames that are ready; return True if a window was closed.

        Allocates nothing but when a window or, before the first, a cycle ends.
        """
        before = self.windows
        while True:
            count = self._source.take(self._frames, BLOCK)
            if not count:
                return self.windows != before
            self._measure(count)

    def window(self, sums: RawSums) -> None:
        """Let one window's sums enter quantities, energies and pulses.

        `sums` may be several windows in one (added, or one scaled): energies then take the time
        they really lasted.
        """
        if sums.frames_q16 <= 0:
            return
        quantities = self.quantities
        self.last_whole = sums.whole and sums.cycles > 0
        self.frames_q16 = sums.frames_q16
        if not sums.whole and quantities.valid:
            quantities = self._partial
            quantities.dc_known = self.quantities.dc_known
        quantities.update(sums)
        energies = self.energies
        energies.add(quantities, sums.frames_q16 // sums.repeat, sums.repeat)
        self.pulses.window(energies, sums.frames_q16 >> 16)
        for callback in self.on_window:
            callback()

    def close(self) -> None:
        """End the running window where it stands, as at the end of a recording."""
        if self._second_weight_q16 >= 0:
            self._second_weight_q16 = -1
            self._finish_crossing()
        self._cut(False)
        self._search()

    def _set_delays(self, delay_ns: list[int]) -> None:
        """Delay each phase as calibrated and sampled; all or, if one cannot be, none."""
        rate = self.rate_mhz
        skew_ns = self._source.skew_ns
        filters = [
            delay_filter(delay_ns[k] + skew_ns[k], rate, self.nominal_uhz)
            for k in range(len(delay_ns))
        ]
        for phase, (filter_q16, late_u, late_i) in enumerate(filters):
            self._accumulators.set_delay(phase, filter_q16, late_u, late_i)

    def _measure(self, count: int) -> None:
        source = self._source
        if source.lost != self._lost:
            # Time is missing: neither the period nor the window's cycles are right.
            self._lost = source.lost
            for keeper in self.keepers:
                keeper.clear()
            if self._watching:
                self.half_cycles.broken()
            self._reference.broken()
            self._search()
        frames, reference = self._frames, self._reference
        self._oscillator.write(count)
        windows = self.windows
        done = 0
        if self._second_weight_q16 >= 0:
            self._second_frame(0)
            done = 1
        scanned = 0
        while True:
            stop = reference.scan(frames, scanned, count)
            if stop >= count:
                break
            scanned = stop + 1
            done = self._crossing(stop, done, count)
        self._accumulate(done, count - done)
        if reference.silent():
            reference.next_phase()
            self._search()
        if self._state != _LOCKED and self._accumulators.frames_q16 >> 16 >= self._silence_frames:
            self._cut(True)
        interval_q8 = reference.interval_q8(count)
        for keeper in self.keepers:
            keeper.add(frames, count)
        if self._watching:
            self._watch(interval_q8, count, self.windows != windows and self._state == _LOCKED)

    def _watch(self, interval_q8: int, count: int, closed: bool) -> None:
        half_cycles = self.half_cycles
        half_cycles.cycle(interval_q8)
        ended = half_cycles.add(self._frames, count)
        if closed:
            heard = self.quantities if self.last_whole or not self.quantities.valid else None
            phase, keep_dc = self._reference.phase, self._weights.keep_dc
            half_cycles.window(heard, self._oscillator, phase, self.frames_q16, keep_dc)
        if ended and self.on_half_cycle is not None:
            self.on_half_cycle()

    def _accumulate(self, first: int, count: int) -> None:
        self._accumulators.accumulate(self._frames, self._oscillator.pairs, first, count)

    def _crossing(self, stop: int, done: int, count: int) -> int:
        """A rising zero crossing lies before frame `stop`; return how many frames are summed.

        The window ends one frame after the crossing, so that both frames around its end are
        still to be summed when the crossing is seen.
        """
        if stop < done:
            return done
        fraction_q16 = self._reference.fraction_q16()
        self._accumulate(done, stop - done)
        # end of the window, should it end here, in frames since its begin
        end_q16 = self._accumulators.frames_q16 + fraction_q16 + 32768
        if self._state == _SEARCHING:
            self._state = _FIRST
            self._first_q16 = end_q16
            return stop
        if self._state == _FIRST:
            span_q16 = end_q16 - self._first_q16
            self._first_q16 = end_q16
            cycles, whole = 1, False
        else:
            span_q16 = end_q16
            cycles, whole = self._cycles, True
        uhz = (cycles * self.rate_mhz * 65_536_000 + (span_q16 >> 1)) // span_q16
        if not _LOWEST_UHZ <= uhz <= _HIGHEST_UHZ:
            if self._state == _LOCKED:
                self._search()
            return stop
        self._accumulators.park()
        running = self._running
        running.cycles = cycles
        running.whole = whole and running.whole
        running.span_q16 = span_q16
        self._follow(uhz)
        # Shares of the two frames around the end, by the trapezoidal rule
        left_q16 = 65536 - fraction_q16
        self._share_frame(stop, 65536 - (left_q16 * left_q16 >> 17))
        self._second_weight_q16 = fraction_q16 * fraction_q16 >> 17
        if stop + 1 < count:
            self._second_frame(stop + 1)
            self._oscillator.rewrite(stop + 2, count)
            return stop + 2
        return stop + 1

    def _follow(self, uhz: int) -> None:
        """Lock to the frequency of a window, unless it jumped: then believe the second one."""
        jump = abs(uhz - self._last_uhz)
        if self._state == _LOCKED and jump > _JUMP_UHZ:
            running = self._running
            running.span_q16 = (
                running.cycles * self.rate_mhz * 65_536_000 // self._oscillator.frequency_uhz
            )
        else:
            self._oscillator.set_frequency(uhz)
            self._cycles = 12 if uhz > _TWELVE_CYCLES_UHZ else 10
        self._last_uhz = uhz
        self._state = _LOCKED
        self._reference.set_target(self._cycles)

    def _share_frame(self, at: int, weight_q16: int) -> None:
        """Sum one frame and give the ending window its share, the next window the rest."""
        self._accumulate(at, 1)
        self._accumulators.share(weight_q16)

    def _second_frame(self, at: int) -> None:
        self._share_frame(at, self._second_weight_q16)
        self._second_weight_q16 = -1
        self._finish_crossing()

    def _finish_crossing(self) -> None:
        self._accumulators.move_parked_into(self._running)
        self._emit()
        self._reference.set_level(self.quantities.u_uv, self.quantities.dc_u_q16)

    def _search(self) -> None:
        """Forget the reference: what runs will not hold whole cycles."""
        self._state = _SEARCHING
        self._running.whole = False
        self._reference.set_target(1)

    def _cut(self, whole: bool) -> None:
        """End the running window between two frames.

        `whole`: there is no voltage to tell cycles by, and 0.2 s is ten or twelve of them.
        """
        self._accumulators.move_into(self._running)
        self._running.whole = whole
        self._running.cycles = self._running.span_q16 = 0
        if self._state == _FIRST:
            self._first_q16 -= self._running.frames_q16
        self._emit()

    def _emit(self) -> None:
        """Hand the running window out and go on with the next."""
        done = self._running
        if done.frames_q16:
            self.windows += 1
            if self.tap is not None:
                self.tap(done)
            self.window(done)
        done.clear()
