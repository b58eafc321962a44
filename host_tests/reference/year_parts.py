"""Parts of the year's model: demand that slides, block tariffs. Plain floats, from the rows alone.

Where the rows leave a choice, the model takes these:

* DEM-02, DEM-03: the last average of a sliding demand is the energy of its periods by their whole
  time. The newest lasted as long as it did; an earlier one that did not begin at its boundary or
  did not run to it, or was not there, counts with its full length.
* DEM-13: a change of the clock ends the running period, with CAD and DNV; the next one runs to
  the next boundary and bears DNV, as any period that is not whole. Without power a period ends at
  its boundary; it and the one at power-up bear PDN, and DNV only for being short; what lies whole
  in the dark is empty.
* TOU-20: the energy of a rate counts in block 1 up to its first threshold, and so on; with the
  billing period that begins anew.
"""

DNV, CAD, PDN = 0x04, 0x20, 0x80


class Sliding:
    """The averages of `kinds` over `periods` measuring periods; totals are dicts of Ws by kind.

    Times of the clock come as clock_s, true time as true_s.
    """

    def __init__(self, period_s, periods, kinds):
        self.period_s = period_s
        self.periods = periods
        self.kinds = kinds
        self.synchronised = False  # in the running period
        self._slots = []  # ended periods, newest last: (Ws by kind, s, certain, Ws it may lack)
        self._last = None  # W by kind, W they may lack, all certain
        self._end = (0, 0)  # time and bits of the last average
        self._bits = 0

    def begin(self, clock_s, true_s, totals):
        """Begin anew in the middle of a period, knowing of none before."""
        self._slots.clear()
        self._last = None
        self._bits = DNV
        self._open(clock_s, true_s, totals, certain=False)

    def ended(self, clock_s, true_s, totals, dst):
        """End the running period at its boundary."""
        self.synchronised = False
        self._close(clock_s, true_s, totals, self._bits | dst)
        self._bits = 0
        self._open(clock_s, true_s, totals)

    def clock_set(self, old_s, new_s, true_s, totals, dst):
        """End the running period at a change of the clock."""
        self._close(old_s, true_s, totals, self._bits | CAD | DNV | dst)
        self._bits = DNV
        self._open(new_s, true_s, totals)

    def power_up(self, missed, ahead_s, totals, dst, lack_ws):
        """Go on after an outage in which the boundaries `missed` passed, times of the clock."""
        self._bits = PDN
        if missed:
            self.synchronised = False
            self._close(missed[0], missed[0] - ahead_s, totals, self._bits | dst)
            for _ in missed[1:]:
                self._push((dict.fromkeys(self.kinds, 0.0), self.period_s, True, 0.0))
            self._bits = PDN
            self._open(missed[-1], missed[-1] - ahead_s, totals)
        self._lack_ws += lack_ws

    def last(self, kind):
        """Return (W, what it may lack), None if it is not certain."""
        if self._last is None or not self._last[2]:
            return None
        return self._last[0][kind], self._last[1]

    def current(self, kind, totals):
        """Return (W, what it may lack) of the running period and those before it."""
        slots = self._slots[len(self._slots) - self.periods + 1 :] if self.periods > 1 else []
        if len(slots) < self.periods - 1 or not all(slot[2] for slot in slots):
            return None
        whole_s = self.periods * self.period_s
        gained_ws = totals[kind] - self._from_ws[kind] + sum(slot[0][kind] for slot in slots)
        return gained_ws / whole_s, (self._lack_ws + sum(slot[3] for slot in slots)) / whole_s

    def status(self):
        """Return the bits of the last average, None if it is not certain."""
        return self._end[1] if self._last is not None and self._last[2] else None

    def capture_s(self):
        """Return the time of the last average, None if it is not certain."""
        return self._end[0] if self._last is not None and self._last[2] else None

    def start_s(self):
        """Return since when the current average counts, None if that is not certain."""
        slots = self._slots[len(self._slots) - self.periods + 1 :] if self.periods > 1 else []
        if len(slots) < self.periods - 1 or not all(slot[2] for slot in slots):
            return None
        return self._start_s - sum(slot[1] for slot in slots)

    def _open(self, clock_s, true_s, totals, certain=True):
        self._start_s = clock_s
        self._from_s = true_s
        self._from_ws = totals
        self._certain = certain
        self._lack_ws = 0.0

    def _close(self, clock_s, true_s, totals, bits):
        if true_s - self._from_s < self.period_s - min(9, self.period_s / 100) - 0.5:
            bits |= DNV
        gained = {kind: totals[kind] - self._from_ws[kind] for kind in self.kinds}
        self._push((gained, true_s - self._from_s, self._certain, self._lack_ws))
        newest_s = self._slots[-1][1]
        length_s = newest_s + (self.periods - 1) * self.period_s
        watts = {kind: sum(s[0][kind] for s in self._slots) / max(1, length_s) for kind in gained}
        lack_w = sum(slot[3] for slot in self._slots) / max(1, length_s)
        certain = len(self._slots) == self.periods and all(slot[2] for slot in self._slots)
        self._last = watts, lack_w, certain
        self._end = clock_s, bits

    def _push(self, slot):
        self._slots = [*self._slots, slot][-self.periods :]


class Blocks:
    """Energy of rates in four blocks, Ws; `thresholds` has those of each rate in Wh, rising."""

    def __init__(self, thresholds):
        self._thresholds = thresholds
        self.energy_ws = {}  # (block from 1, rate)
        self._used_ws = {}
        self.periods = 0

    def begin(self, rate, energy_ws):
        """Take what a rate has counted before this period, when there were no thresholds."""
        self.energy_ws[1, rate] = energy_ws

    def add(self, rate, energy_ws):
        """Count energy of a rate."""
        limits = [wh * 3600 for wh in self._thresholds.get(rate, ())]
        used_ws = self._used_ws.get(rate, 0.0)
        self._used_ws[rate] = used_ws + energy_ws
        for place, limit_ws in enumerate([*limits, float("inf")]):
            part_ws = min(energy_ws, max(0.0, limit_ws - used_ws))
            key = place + 1, rate
            self.energy_ws[key] = self.energy_ws.get(key, 0.0) + part_ws
            energy_ws -= part_ws
            used_ws += part_ws

    def new_period(self):
        """Begin a billing period."""
        self._used_ws.clear()
        self.periods += 1
