"""Run on MicroPython by accuracy.py: the meter's metrology, case after case, until the pipe ends.

A case on standard input is a line of JSON (see `Case`) and the codes of its frames, little-endian
32-bit words in the order of the meter's channels. The answer is a line of JSON: what the energy
registers gained between two ends of windows, how many frames lay between them, and the means of
what the meter showed meanwhile. The engine is the meter's own, with a record of calibration that
was packed and is unpacked as at the meter's start.
"""

import binascii
import json
import sys
from array import array

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/firmware")
sys.path.insert(0, __file__.rsplit("/", 1)[0])

from measure_target import Scale, Task, Variant

from metrology.accumulators import RawSums
from metrology.calibration import unpack
from metrology.energy import A_ABSOLUTE, ENERGIES
from metrology.engine import Engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import BufferedIOBase

_FIELDS = ("u_uv", "i_ua", "p_uw", "q_uvar")
_KWH_UWS = 3_600_000_000_000


class Case(Task):
    """One run of the meter."""

    def __init__(self, text: bytes) -> None:
        fields = json.loads(text)
        self.rate_mhz = fields["rate_mhz"]
        self.phases = fields["phases"]
        self.channels: int = fields["channels"]
        self.frames = fields["frames"]
        self.settle: int = fields["settle"]  # frames before the registers are first looked at
        self.stride: int = fields["stride"]  # windows of one round of the signal
        self.u_pv_per_lsb = fields["u_pv_per_lsb"]
        self.i_pa_per_lsb = fields["i_pa_per_lsb"]
        self.skew_ns: list[int] = fields["skew_ns"]
        self.keep_dc = False
        self.nominal_hz = fields["nameplate"]["frequency_hz"]
        self.nominal_v = fields["nameplate"]["voltage_v"]
        self.record = binascii.unhexlify(fields["record"])
        self.nameplate: dict[str, int] = fields["nameplate"]


class SweptVariant(Variant):
    """The variant that is swept, with its true currents and constant."""

    def __init__(self, case: Case) -> None:
        plate = case.nameplate
        super().__init__(case.phases, plate["voltage_v"], plate["frequency_hz"])
        self.transformer = bool(plate["transformer"])
        self.reference_current_ma = plate["reference_ma"]
        self.maximum_current_ma = plate["maximum_ma"]
        self.pulses_per_kwh = plate["pulses_per_kwh"]


class Source:
    """A case's frames as a frame source."""

    lost = 0
    errors = 0

    def __init__(self, case: Case, codes: "array[int]") -> None:
        self.rate_mhz = case.rate_mhz
        self.channels = case.channels
        self.skew_ns: list[int] = case.skew_ns
        self._codes = memoryview(codes)
        self._words = case.frames * case.channels
        self._at = 0

    def start(self) -> None:
        """Do nothing: the frames are there."""

    async def wait(self) -> None:
        """Do nothing: the frames are there."""

    def take(self, frames: "array[int]", limit: int) -> int:
        """Move up to `limit` frames into `frames` and return how many."""
        words = min(limit * self.channels, self._words - self._at)
        memoryview(frames)[:words] = self._codes[self._at : self._at + words]
        self._at += words
        return words // self.channels


class Watch:
    """Looks at the registers when windows end: once settled, and again after whole rounds."""

    def __init__(self, engine: Engine, case: Case) -> None:
        self.engine = engine
        self.case = case
        self.frames_q16 = 0  # of all windows so far
        self.windows = 0
        self.begin: list[int] = []
        self.end: list[int] = []
        self.begin_q16 = self.end_q16 = 0
        self.sums = [[0] * case.phases for _ in _FIELDS]  # of the values shown
        self.f_uhz = 0
        self.shown = 0
        engine.tap = self.tap
        engine.on_window.append(self.look)

    def tap(self, sums: RawSums) -> None:
        """Count the frames of a window that closes."""
        self.frames_q16 += sums.frames_q16

    def look(self) -> None:
        """Take note of registers and quantities after a window."""
        if self.frames_q16 >> 16 < self.case.settle:
            return
        energies = self.engine.energies
        now = [energies.total_uws(index) for index in range(ENERGIES)]
        if not self.begin:
            self.begin, self.begin_q16 = now, self.frames_q16
            return
        self.windows += 1
        if self.windows % self.case.stride == 0:
            self.end, self.end_q16 = now, self.frames_q16
        quantities = self.engine.quantities
        for k in range(len(_FIELDS)):
            values: list[int] = getattr(quantities, _FIELDS[k])
            for phase in range(self.case.phases):
                self.sums[k][phase] += values[phase]
        self.f_uhz += quantities.f_uhz
        self.shown += 1

    def result(self) -> "dict[str, object]":
        """What accuracy.py reads."""
        engine = self.engine
        if not self.end:
            return {"error": "no window was measured"}
        pulses = engine.pulses.active
        total = engine.energies.total_uws(A_ABSOLUTE) * pulses.pulses_per_kwh
        shown = max(self.shown, 1)
        answer: dict[str, object] = {
            "gained_uws": [after - before for before, after in zip(self.begin, self.end)],
            "frames": (self.end_q16 - self.begin_q16) / 65536,
            "f_hz": self.f_uhz / shown / 1e6,
            "pulses_agree": pulses.count == total // _KWH_UWS,
            "start_ua": engine.energies.start_ua,
        }
        for k in range(len(_FIELDS)):
            answer[_FIELDS[k]] = [total / shown for total in self.sums[k]]
        return answer


def run(case: Case, codes: "array[int]") -> "dict[str, object]":
    """Let a meter fresh from its start measure the case."""
    record = unpack(case.record, case.phases)
    engine = Engine(Source(case, codes), Scale(case), SweptVariant(case), record)
    watch = Watch(engine, case)
    engine.poll()
    return watch.result()


def read_into(stream: "BufferedIOBase", buffer: memoryview) -> bool:
    """Fill the buffer from a pipe; False if the pipe ends."""
    done = 0
    while done < len(buffer):
        got = stream.readinto(buffer[done:])
        if not got:
            return False
        done += got
    return True


def serve() -> None:
    """Answer cases until the pipe ends. A case that the meter refuses is answered, too."""
    stream: BufferedIOBase = sys.stdin.buffer  # type: ignore[assignment]
    while True:
        line = stream.readline()
        if not line:
            return
        case = Case(line)
        octets = bytearray(4 * case.frames * case.channels)
        if not read_into(stream, memoryview(octets)):
            return
        try:
            answer = run(case, array("i", octets))
        except ValueError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer))


if __name__ == "__main__":
    serve()
