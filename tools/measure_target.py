"""Run on MicroPython by measure.py: the meter's metrology on the frames of one recording.

    micropython tools/measure_target.py CODES TASK

CODES is a file of little-endian 32-bit codes in the order of the meter's channels, TASK a JSON
object (see measure.py). The result, in the meter's own micro-units, is printed as JSON on a line
that begins with `result`. Before it stand lines `progress PERCENT`.

Nothing is computed here that the meter computes: windows are measured by its engine, and their
sums, which are additive, are added up and measured once more as one window. What needs whole
cycles (Q, THD) is the mean of the windows that hold them.
"""

import json
import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/firmware")

from metrology.accumulators import CC, II, REFERENCE_AMPLITUDE, UU, C, I, RawSums, U
from metrology.calibration import Calibration, Weights
from metrology.engine import Engine
from metrology.quantities import Quantities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array

_SHORT_CYCLES = 12  # a recording of no more cycles than this holds hardly a whole window
_ALMOST = 0.02  # a cycle that lacks so little is taken for whole
_FIRST_LOOK_S = 2
_BLOCKS_A_TURN = 400
_UNITY_PPM = 1_000_000
_SIXTY_ABOVE_UHZ = 55_000_000


class Task:
    """What measure.py asks for."""

    def __init__(self, text: str) -> None:
        fields = json.loads(text)
        self.rate_mhz: int = fields["rate_mhz"]
        self.phases: int = fields["phases"]
        self.frames: int = fields["frames"]
        self.u_pv_per_lsb: list[int] = fields["u_pv_per_lsb"]
        self.i_pa_per_lsb: list[int] = fields["i_pa_per_lsb"]
        self.keep_dc: bool = fields["keep_dc"]
        self.nominal_hz: int = fields["nominal_hz"]  # 0: not known
        self.nominal_v: int = fields["nominal_v"]


class Variant:
    """A meter that fits any recording: it starts at once and knows no maximum."""

    name = "recording"
    transformer = False
    reference_current_ma = 1  # start threshold next to nothing: every sample counts
    maximum_current_ma = 1_000_000
    pulses_per_kwh = 1000

    def __init__(self, phases: int, nominal_voltage_v: int, nominal_frequency_hz: int) -> None:
        self.phases = phases
        self.nominal_voltage_v = nominal_voltage_v
        self.nominal_frequency_hz = nominal_frequency_hz


class Scale:
    """Sensor scale of the recording."""

    def __init__(self, task: Task) -> None:
        self.u_pv_per_lsb = task.u_pv_per_lsb
        self.i_pa_per_lsb = task.i_pa_per_lsb
        self.keep_dc = task.keep_dc


class Source:
    """The recording as a frame source. Its last frame comes twice.

    The kernel delays every channel by a sample: the first frame it sums is the silence before the
    recording, and the repeated frame brings the last one in. `measure` takes that frame off again.
    Now and then no frame is ready, so that progress can be told.
    """

    lost = 0
    skew_ns = [0] * 3
    errors = 0

    def __init__(self, path: str, task: Task, limit: int) -> None:
        self.rate_mhz = task.rate_mhz
        self.channels = 2 * task.phases
        self.frames = min(limit, task.frames)
        self.given = 0
        self.ended = False
        self._blocks = 0
        self._file = open(path, "rb")  # noqa: SIM115 - read block by block until the end

    def start(self) -> None:
        """Do nothing: a recording is always ready."""

    async def wait(self) -> None:
        """Do nothing: a recording is always ready."""

    def take(self, frames: "array[int]", limit: int) -> int:
        """Move up to `limit` frames into `frames` and return how many."""
        self._blocks += 1
        if self.ended or self._blocks % _BLOCKS_A_TURN == 0:
            return 0
        count = min(limit, self.frames - self.given)
        if count == 0:
            self._file.seek(4 * self.channels * (self.frames - 1))
            count = 1
            self.ended = True
        got = self._file.readinto(memoryview(frames)[: count * self.channels])
        if got != 4 * count * self.channels:
            raise OSError("recording is cut")
        self.given += count
        if self.ended:
            self._file.close()
        return count


class RecordingEngine(Engine):
    """The meter's engine; on a short recording every cycle is a window, at a frequency given."""

    def __init__(self, source: Source, scale: Scale, variant: Variant, held_uhz: int) -> None:
        super().__init__(source, scale, variant, Calibration(variant.phases))
        self.held_uhz = held_uhz
        if held_uhz > 0:
            self._oscillator.set_frequency(held_uhz)

    def _follow(self, uhz: int) -> None:
        super()._follow(uhz)
        if self.held_uhz:
            self._cycles = 1
            self._reference.set_target(1)
        if self.held_uhz > 0:
            self._oscillator.set_frequency(self.held_uhz)


class Collector:
    """Adds up the sums of all windows, and the fundamental values of whole ones."""

    def __init__(self, engine: Engine, phases: int) -> None:
        self.engine = engine
        self.phases = phases
        self.sums = RawSums(phases)
        self.span_q16 = 0
        self.cycles = 0
        self.window = RawSums(phases)
        self.clear_fundamental()
        engine.tap = self.tap
        engine.on_window.append(self.measured)

    def clear_fundamental(self) -> None:
        """Forget the windows' fundamental values."""
        phases = self.phases
        self.weight = 0
        self.q = [0] * phases
        # Squares of fundamental and of the rest, in codes; ratios only, so floats will do
        self.fundamental = [[0.0] * phases, [0.0] * phases]
        self.rest = [[0.0] * phases, [0.0] * phases]

    def tap(self, sums: RawSums) -> None:
        """Keep what the engine will clear."""
        self.window.copy_from(sums)
        self.sums.add(sums)
        self.cycles += sums.cycles
        self.span_q16 += sums.span_q16

    def measured(self) -> None:
        """Add the fundamental values of the window that was just measured."""
        window = self.window
        if not (window.whole and window.cycles):
            return
        self.add_fundamental(self.engine.quantities, window)

    def add_fundamental(self, quantities: Quantities, window: RawSums) -> None:
        """Weight one window's Q and THD by its frames."""
        frames_q16 = window.frames_q16
        self.weight += frames_q16
        frames = frames_q16 / 65536
        for phase in range(self.phases):
            self.q[phase] += quantities.q_uvar[phase] * frames_q16
            values = window.phases[phase]
            for kind in range(2):
                square, mean = (values[UU], values[U]) if kind == 0 else (values[II], values[I])
                ppm = (quantities.thd_u_ppm, quantities.thd_i_ppm)[kind][phase]
                alternating = max(square / frames - (mean / frames) ** 2, 0.0)
                ratio = (ppm / _UNITY_PPM) ** 2
                self.fundamental[kind][phase] += alternating / (1 + ratio) * frames
                self.rest[kind][phase] += alternating * ratio / (1 + ratio) * frames

    def thd_ppm(self, kind: int) -> "list[int]":
        """THD of all windows together: root of distortion's energy over the fundamental's."""
        result: list[int] = []
        for phase in range(self.phases):
            below = self.fundamental[kind][phase]
            part = self.rest[kind][phase] / below if below > 0 else 0.0
            result.append(int(_UNITY_PPM * part**0.5 + 0.5))
        return result


def run(
    path: str, task: Task, nominal_hz: int, held_uhz: int, limit: int, tell: bool
) -> "tuple[Engine, Collector]":
    """Let an engine measure the recording up to `limit` frames; return it and its collector.

    held_uhz: 0 as in the meter, else one window a cycle; above 0 it is the frequency, too.
    """
    source = Source(path, task, limit)
    variant = Variant(task.phases, task.nominal_v, nominal_hz)
    engine = RecordingEngine(source, Scale(task), variant, held_uhz)
    collector = Collector(engine, task.phases)
    told = 0
    while not source.ended:
        engine.poll()
        percent = 100 * source.given // source.frames
        if tell and percent >= told + 5:
            told = percent
            print("progress", percent)
    engine.close()
    return engine, collector


def together(collector: Collector, task: Task) -> Quantities:
    """Measure all windows of a run as one."""
    sums = collector.sums
    # The silence before the recording, see Source: one frame, with sine 0 and cosine 1.
    sums.frames_q16 -= 65536
    sums.reference[C] -= REFERENCE_AMPLITUDE
    sums.reference[CC] -= REFERENCE_AMPLITUDE**2
    sums.whole = True
    sums.cycles, sums.span_q16 = collector.cycles, collector.span_q16
    weights = Weights(Scale(task), Calibration(task.phases))
    quantities = Quantities(task.phases, weights, task.rate_mhz)
    quantities.update(sums)
    return quantities


def measure(path: str, task: Task) -> "dict[str, object]":
    """Measure the recording and return what measure.py prints."""
    # First look, a window a cycle: at the frequency, and at how many cycles there are.
    frames = task.frames
    first = min(frames, _FIRST_LOOK_S * task.rate_mhz // 1000)
    nominal_hz = task.nominal_hz or 50
    _, look = run(path, task, nominal_hz, -1, first, False)
    f_uhz = frequency_uhz(look, task)
    if f_uhz and not task.nominal_hz:
        nominal_hz = 60 if f_uhz > _SIXTY_ABOVE_UHZ else 50
    short = f_uhz > 0 and first == frames and look.cycles <= _SHORT_CYCLES
    engine, found = run(path, task, nominal_hz, f_uhz if short else 0, frames, True)
    whole = together(found, task)
    if short:
        # The engine needs a cycle or two to lock, which is much of so short a recording: instead,
        # all frames of its whole cycles from the beginning are one window.
        cycles = int(frames * 1000.0 * f_uhz / (task.rate_mhz * 1e6) + _ALMOST)
        limit = min(frames, int(cycles * task.rate_mhz * 1000.0 / f_uhz + 0.5))
        _, fundamental = run(path, task, nominal_hz, f_uhz, limit, False)
        fundamental.clear_fundamental()
        fundamental.add_fundamental(together(fundamental, task), fundamental.sums)
    else:
        fundamental = found
    weight = fundamental.weight or 1
    energies = engine.energies
    return {
        "frames": found.sums.frames_q16 / 65536,
        "cycles": found.cycles,
        "u_uv": whole.u_uv,
        "i_ua": whole.i_ua,
        "p_uw": whole.p_uw,
        "q_uvar": [total // weight for total in fundamental.q],
        "s_uva": whole.s_uva,
        "pf_ppm": whole.pf_ppm,
        "p_total_uw": whole.p_total_uw,
        "f_uhz": frequency_uhz(found, task),
        "thd_u_ppm": fundamental.thd_ppm(0),
        "thd_i_ppm": fundamental.thd_ppm(1),
        "wh": energies.wh,
        "residue": energies.residue,
    }


def frequency_uhz(collector: Collector, task: Task) -> int:
    """Whole cycles over the time they took."""
    if not collector.span_q16:
        return 0
    return collector.cycles * task.rate_mhz * 65_536_000 // collector.span_q16


if __name__ == "__main__":
    print("result", json.dumps(measure(sys.argv[1], Task(sys.argv[2]))))
