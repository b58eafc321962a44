"""An engine whose windows a test makes up, and what the quality part stands on."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from log_rig import LogRig

from app.quality.limits import Limits

RATE_MHZ = 4_000_000
FRAMES = 800  # of a window of 200 ms
HALVES = 20


class HalfCycles:
    def __init__(self, phases):
        self.ended = 0
        self.rows = {}
        self.phases = phases

    def count(self, phase):
        return self.ended

    def half_us(self):
        return 10_000

    def u_mv(self, number, phase):
        return self.rows[number][phase]

    def add(self, row):
        self.rows[self.ended] = row
        self.rows.pop(self.ended - 64, None)
        self.ended = self.ended + 1 & 0x3FFFFFFF


class Quantities:
    def __init__(self, phases):
        self.phases = phases
        self.elements = phases
        self.valid = True
        self.f_uhz = 50_000_000
        self.u_uv = [230_000_000] * phases
        self.i_ua = [0] * phases
        self.p_uw = [0] * phases
        self.p_total_uw = 0
        self.s_total_uva = 0
        self.pf_total_ppm = 1_000_000
        self.in_ua = 0
        self.order = 1
        self.sum_ua = None  # of the fundamentals; None: of all the currents there are

    def ahead_udeg(self, phase):
        return -120_000_000 * phase

    def rotation(self):
        return self.order

    def i_sum_ua(self):
        return sum(self.i_ua) if self.sum_ua is None else self.sum_ua


class Engine:
    def __init__(self, phases=3):
        self.quantities = Quantities(phases)
        self.half_cycles = HalfCycles(phases)
        self.rate_mhz = RATE_MHZ
        self.frames_q16 = FRAMES << 16
        self.on_window = []
        self.captured_ua = None  # what a look at the samples says of the sum

    def capture(self):
        if self.captured_ua is None:
            raise ValueError("two cycles have not been measured yet")
        return self

    def sum_of_currents(self, phases):
        return self.captured_ua


class QualityRig:
    """What the quality part posts is in `events`, what it tells as ended in `ends`."""

    def __init__(self, phases=3):
        self.logs = LogRig()
        self.engine = Engine(phases)
        self.limits = Limits(self.logs.settings, 230)
        self.events = []
        self.ends = []

    def window(self, *volts, halves=HALVES):
        """A window in which the phases have these voltages; one for all phases will do."""
        phases = self.engine.quantities.phases
        volts = volts * phases if len(volts) == 1 else volts
        for _ in range(halves):
            self.engine.half_cycles.add([round(v * 1000) for v in volts])
        self.end(volts)

    def cycle(self, rows):
        """A window of half cycles that differ: rows of volts by phase."""
        for row in rows:
            self.engine.half_cycles.add([round(v * 1000) for v in row])
        self.end(rows[-1])

    def end(self, volts):
        self.engine.quantities.u_uv = [round(v * 1_000_000) for v in volts]
        for callback in self.engine.on_window:
            callback()

    def seconds(self, seconds, *volts):
        for _ in range(round(seconds * 5)):
            self.window(*volts)
