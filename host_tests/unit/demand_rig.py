"""Demand over a clock, a memory and totals that grow as a load says, with time by hand.

`DemandRig` stands on ClockRig: `run` lets time pass window by window, as metrology and the clock's
task would; a load is watts for each energy, held until it is changed.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from clock_rig import ClockRig

from app.parameters import ParameterLock, Parameters
from app.tariff.demand import Demand
from app.tariff.sliding_current import SlidingCurrent
from app.tariff.window_totals import WindowTotals
from metrology.energy import A_ABSOLUTE, A_EXPORT, A_IMPORT, A_NET, S_EXPORT, S_IMPORT, UNIT_UWS

RATE_HZ = 4000
WINDOW_MS = 200  # unless a rig says otherwise


class Switch:
    """The parameter switch: open."""

    def value(self):
        return 1


class Variant:
    """What parameters ask of a variant."""

    transformer = False
    pulses_per_kwh = 1000


class Quantities:
    phases = 3

    def __init__(self):
        self.i_ua = [0, 0, 0]


class Energies:
    """The totals of metrology, moved by hand."""

    element_uws = ()

    def __init__(self):
        self.wh = [0] * 12
        self.residue = [0] * 12

    def add(self, kind, uws):
        total = self.total(kind) + uws
        sign = -1 if total < 0 else 1
        wh, residue = divmod(abs(total), UNIT_UWS)
        self.wh[kind], self.residue[kind] = sign * wh, sign * residue

    def total(self, kind):
        return self.wh[kind] * UNIT_UWS + self.residue[kind]


class Engine:
    """What of the engine the totals' ends of windows are taken from."""

    rate_mhz = RATE_HZ * 1000

    def __init__(self):
        self.energies = Energies()
        self.quantities = Quantities()
        self.frames_q16 = 0


class DemandRig:
    """One meter's demand; `utc_s` at the start."""

    def __init__(self, utc_s, zone=()):
        self.clock_rig = ClockRig(utc_s, first_us=1_000_000, zone=zone)
        self.bench = self.clock_rig.bench
        self.memory = self.clock_rig.memory
        self.engine = Engine()
        self.load_w = {}
        self.window_ms = WINDOW_MS
        self.delay_ms = 0  # of the task that takes the windows
        self.ends = []  # as on_period_end tells them
        self.closed = []  # every period: when, last average, its energy, bits
        self._seen = ()
        self._energy = None
        self._window_us = self.bench.us  # when the running window began
        self.boot(False)

    @property
    def clock(self):
        return self.clock_rig.clock

    def boot(self, outage):
        """Build the meter's parts over what the memory holds."""
        self.parameters = Parameters(self.memory, Variant(), ParameterLock(Switch()), self.clock)
        self.totals = WindowTotals(self.engine)
        self.demand = Demand(self.memory, self.clock, self.totals, self.parameters)
        self.currents = SlidingCurrent(self.engine, self.totals)
        self.demand.on_period_end.append(self._ended)
        self.demand.start(outage)

    def now_us(self):
        return self.bench.us

    def load(self, watts, apparent=None):
        """Import (or export) so much from now on; a window ends where it changes."""
        self._window()
        self.load_w = dict.fromkeys((A_IMPORT, A_EXPORT, A_ABSOLUTE, A_NET), 0)
        self.load_w[A_IMPORT if watts >= 0 else A_EXPORT] = abs(watts)
        self.load_w[A_ABSOLUTE] = abs(watts)
        self.load_w[A_NET] = watts
        self.load_w[S_IMPORT if watts >= 0 else S_EXPORT] = apparent or abs(watts)

    def run(self, seconds):
        """Let true time pass; windows of 0.2 s end and the clock's task does what is due."""
        end_us = self.bench.us + round(seconds * 1_000_000)
        while self.bench.us < end_us:
            window_us = self._window_us + self.window_ms * 1000
            due_us = self.bench.us + max(1, self.clock.step()) * 1000
            self.bench.run(min(window_us, due_us, end_us) - self.bench.us)
            if self.bench.us == window_us:
                self._window()
            self.note()
        self.clock.step()
        self.note()

    def note(self):
        """Look whether a period has ended."""
        averages = self.demand.averages
        seen = (averages.capture_utc_s(0), averages.start_utc_s(0))
        if self._seen and seen != self._seen:
            energy = averages.ended_uws(0) if self._energy is None else self._energy
            self.closed.append((seen[0], averages.last(0), energy, averages.status(0)))
        self._seen = seen
        self._energy = None

    def settle(self):
        """Run until the clock knows the chip's second."""
        self.run(150)
        self.closed.clear()
        self.ends.clear()

    def until(self, utc_s):
        """Run until the clock shows `utc_s`."""
        self.run(max(0, utc_s - self.clock.utc_s() - self.clock.hundredths() / 100))
        while self.clock.utc_s() < utc_s:
            self.run(0.01)

    def power_cut(self, seconds):
        """Take the power away; what was measured has been kept."""
        self._window()
        self.clock_rig.power_cut(seconds)
        self._window_us = self.bench.us
        self.boot(True)
        self.note()

    def shift(self, seconds):
        """Set the clock."""
        self.clock.shift(seconds)
        self.clock.step()
        self.note()

    def average_w(self, place=0):
        return self.demand.averages.last(place) / 10

    def current_w(self, place=0):
        return self.demand.averages.current(place) / 10

    def _window(self):
        length_us = self.bench.us - self._window_us
        if not length_us:
            return
        self._window_us = self.bench.us
        for kind, watts in self.load_w.items():
            self.engine.energies.add(kind, watts * length_us)
        self.engine.frames_q16 = length_us * RATE_HZ * 65536 // 1_000_000
        if self.delay_ms:
            self.bench.run(self.delay_ms * 1000)  # the frames wait meanwhile
        self.totals.window()
        self.currents.window()

    def _ended(self, utc_s, bits):
        self.ends.append((utc_s, bits, self.demand.averages.last(0)))
        self._energy = self.demand.averages.ended_uws(0)
