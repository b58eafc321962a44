"""Demand by the rules' own words, on floats and true time: what the firmware is compared with.

A load is a list of (true second from which it holds, watts). What happens to the meter is a list
of (true second, what, argument): ("shift", seconds) sets the clock, ("off", seconds) takes the
power away. The clock shows true time plus what it was shifted by. Rows DEM-01 to DEM-13.
"""

SYNCHRONISATION_S = 9
WAKING_S = 0.5  # what counts as whole although a clock that moved by the limit made it shorter


class Closed:
    """A period that has ended."""

    def __init__(self, clock_s, watts, lasted_s, full, broken):
        self.clock_s = clock_s  # what the clock showed, or would have shown
        self.watts = watts
        self.lasted_s = lasted_s
        self.full = full  # may be a maximum
        self.broken = broken  # by a change of the clock


def joules(load, off, begin_s, end_s):
    """Energy between two moments; without power nothing is consumed."""
    total = 0.0
    steps = [*load, (float("inf"), 0)]
    for (from_s, watts), (to_s, _) in zip(steps, steps[1:]):
        first, last = max(from_s, begin_s), min(to_s, end_s)
        if last <= first:
            continue
        dark_s = sum(max(0.0, min(last, e) - max(first, b)) for b, e in off)
        total += watts * (last - first - dark_s)
    return total


class Demand:
    """One register: `period_s` and `periods`, the clock at `clock_s` when true time is 0.

    margin_s: how near anything that happened came to a boundary, where milliseconds decide
    """

    def __init__(self, load, period_s, periods, clock_s, limit_s=9):
        self.load = load
        self.period_s = period_s
        self.periods = periods
        self.limit_s = min(limit_s, SYNCHRONISATION_S, period_s // 100)
        self.offset_s = clock_s
        self.start_s = 0.0
        self.off = []
        self.slots = []  # (joules, seconds), newest last
        self.synchronised = False
        self.closed = []
        self.margin_s = float(period_s)
        self.due_s = self._boundary(0.0)

    def run(self, events, end_s):
        """Let time pass to `end_s`; return the periods that have ended."""
        self._look(0.0)
        for at_s, what, argument in events:
            self._periods_until(at_s)
            self._look(at_s)
            if what == "shift":
                self._shift(at_s, argument)
            else:
                self._off(at_s, argument)
        self._periods_until(end_s)
        self._look(end_s)
        return self.closed

    def current(self, now_s):
        """The running period and those before it, over the full time."""
        energy = joules(self.load, self.off, self.start_s, now_s)
        energy += sum(one for one, _ in self.slots[len(self.slots) - self.periods + 1 :])
        return energy / (self.periods * self.period_s)

    def _look(self, at_s):
        past_s = (at_s + self.offset_s) % self.period_s
        gaps = (past_s, self.period_s - past_s, abs(self.due_s - at_s))
        self.margin_s = min(self.margin_s, *gaps)

    def _boundary(self, true_s):
        """True time of the first multiple of the period after a moment."""
        clock_s = true_s + self.offset_s + 1e-6  # a float that should be a boundary is one
        return (clock_s // self.period_s + 1) * self.period_s - self.offset_s

    def _periods_until(self, true_s):
        while self.due_s <= true_s:
            ended_s = self.due_s
            self._close(ended_s, ended_s + self.offset_s, False)
            self.synchronised = False
            self.due_s = self._boundary(ended_s)

    def _shift(self, at_s, seconds):
        due_clock_s = self.due_s + self.offset_s
        if abs(seconds) <= self.limit_s and not self.synchronised:
            self.synchronised = True
            self.offset_s += seconds
            self.due_s = due_clock_s - self.offset_s  # it keeps the time that the clock will show
            if self.due_s <= at_s:  # shifted over it
                self._close(at_s, due_clock_s, False)
                self.synchronised = False
                self.due_s = self._boundary(at_s)
            return
        self.synchronised = False
        self._close(at_s, at_s + self.offset_s, True)
        self.offset_s += seconds
        self.due_s = self._boundary(at_s)
        self._look(at_s)

    def _off(self, at_s, seconds):
        up_s = at_s + seconds
        self._look(up_s)
        self.off.append((at_s, up_s))
        if self.due_s <= up_s:
            ended_s = self.due_s
            self._close(ended_s, ended_s + self.offset_s, False)
            begun_s = self._boundary(up_s) - self.period_s
            while self.start_s < begun_s - 0.5:  # empty ones that nobody hears of
                self.slots.append((0.0, self.period_s))
                self.start_s += self.period_s
            self.start_s = begun_s
            self.due_s = self._boundary(up_s)
            self.synchronised = False

    def _close(self, at_s, clock_s, broken):
        self.slots.append((joules(self.load, self.off, self.start_s, at_s), at_s - self.start_s))
        self.start_s = at_s
        self.slots = self.slots[-self.periods :]
        least_s = self.period_s - min(SYNCHRONISATION_S, self.period_s / 100) - WAKING_S
        energy = sum(one for one, _ in self.slots)
        lasted_s = self.slots[-1][1] + (self.periods - len(self.slots)) * self.period_s
        for _, one in self.slots[:-1]:  # what lacks of an earlier one was without energy
            lasted_s += one if one >= least_s else self.period_s
        full = not broken and min(one for _, one in self.slots) >= least_s
        watts = energy / lasted_s if lasted_s else 0.0
        self.closed.append(Closed(clock_s, watts, lasted_s, full, broken))
