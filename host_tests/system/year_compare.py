"""Holds what a meter gave against what the model says, entry by entry and column by column."""

from year_calendar import local_of
from year_model import DNV, OPEN_DNV

_DIRECTED = (5, 6, 7, 8, 9, 10)  # C of what a sign of P decides beside a Q that is large
_REACTIVE = (3, 4, 5, 6, 7, 8)
_AHEAD = 400  # entries that may be missing in a row


class Difference:
    """One thing that is not as it should be."""

    def __init__(self, where, when, what, expected, found):
        self.cells = (where, when, what, expected, found)

    def __str__(self):
        return "{:<12} {:<20} {:<18} {:>24} {:>24}".format(*(str(c) for c in self.cells))


HEADING = str(Difference("register", "time", "what", "model", "meter"))


class Tolerance:
    """What may lie between model and meter.

    A register is behind by the window that runs, and while windows stand for frames a little more;
    the repeated windows are right to some parts in a million, reactive energy to so many of the
    apparent energy beside it, as its accuracy is told; a start costs parts of a second.
    """

    def __init__(self, largest_w=18_000):
        self.starts_wh = 0.0  # what starts may have cost
        self.open_wh = 0.0  # that may have gone to the other quadrant or direction
        self.apparent_wh = 0.0  # counted so far, import and export
        self.periods = 0  # of billing
        self._largest_w = largest_w

    def energy_wh(self, gained_wh):
        """Of an energy that has grown by so much since the comparison began."""
        behind_wh = 0.6 * self._largest_w / 3600
        return 1 + behind_wh + abs(gained_wh) * 2e-5 + self.starts_wh

    def average_w(self, value_w, period_s):
        """Of the average of a measuring period."""
        return 1 + 0.6 * self._largest_w / period_s + abs(value_w) * 1e-4


def _is_near(what, expected, found):
    """Compare a voltage in 0.01 V with what it may be, or a current over 90 s."""
    if what == "voltage":
        return any(abs(found / 100 - volt) < 0.1 for volt in expected)
    # whole amperes, rounded down, of seconds that may have ended a second ago
    return abs(found + 0.5 - expected) <= 1.5


class Comparison:
    """Collects differences and what was compared."""

    def __init__(self, zone, period_s):
        self.zone = zone
        self.period_s = period_s
        self.tolerance = Tolerance()
        self.differences = []
        self.entries = 0
        self.values = 0
        self.largest_wh = 0.0

    def shown(self, utc_s):
        """Return a time as the table has it."""
        return local_of(utc_s, self.zone).strftime("%Y-%m-%d %H:%M%z")

    def want(self, condition, *cells):
        """Note a difference unless the condition holds."""
        if not condition:
            self.differences.append(Difference(*cells))

    def rows(self, name, keys, expected, found):
        """Compare entries in their order; `found` is [(utc_s, local, values)].

        A profile's own status goes before the values of `keys`.
        """
        place = 0
        for utc_s, local, values in found:
            self.entries += 1
            match = next(
                (n for n in range(place, min(place + _AHEAD, len(expected)))
                 if utc_s in expected[n].times), None
            )  # fmt: skip
            if match is None:
                self.want(False, name, self.shown(utc_s), "entry", "none", values)
                continue
            for row in expected[place:match]:
                self.want(False, name, self.shown(row.times[0]), "entry", "one", "none")
            place = match + 1
            row = expected[match]
            wanted = local_of(utc_s, self.zone)
            offsets = wanted.utcoffset(), local.utcoffset()
            self.want(offsets[0] == offsets[1], name, self.shown(utc_s), "deviation", *offsets)
            if len(values) > len(keys):
                self._status(name, utc_s, row.status, values[0])
            for key, want, value in zip(keys, row.values, values[-len(keys) :], strict=True):
                self.value((name, self.shown(utc_s)), key, want, value)
        for row in expected[place:]:
            self.want(False, name, self.shown(row.times[0]), "entry", "one", "none")

    def value(self, where, key, expected, found):
        """Compare one value; `key` is a column of the model."""
        self.values += 1
        what = " ".join(str(part) for part in key)
        if expected is None:
            return
        if key[0] in ("energy", "rate", "block"):
            # the register shows whole units, rounded down
            apart = found - expected
            self.largest_wh = max(self.largest_wh, abs(apart))
            near_wh = self.tolerance.energy_wh(expected)
            if key[0] == "block":
                near_wh += self.tolerance.periods  # each begins with a whole unit
            elif key[1] in _REACTIVE:
                near_wh += self.tolerance.apparent_wh * 2e-5
            if key[0] != "block" and key[1] in _DIRECTED:
                near_wh += self.tolerance.open_wh
            near = abs(apart + 0.5) <= near_wh
            self.want(near, *where, what, round(expected, 1), found)
        elif key[0] in ("average", "last", "current"):
            self._average(where, what, expected if key[0] != "average" else (expected, 0), found)
        elif key[0] in ("formed", "since", "ended"):
            # a period that was broken off lasted so many milliseconds
            near = abs(found - expected) <= 2
            self.want(near, *where, what, self.shown(expected), self.shown(found))
        elif key[0] in ("voltage", "amperes"):
            self.want(_is_near(key[0], expected, found), *where, what, expected, found)
        elif key[0] == "factor":
            self._factor(where, what, expected, found / 1000)
        elif key[0] == "maximum":
            self._maximum(where, what, expected, found / 10, None)
        elif key[0] == "time":
            self._maximum(where, what, expected, None, found)
        else:
            self.want(expected == found, *where, what, expected, found)

    def _average(self, where, what, expected, found):
        """An average in tenths, and how much it may lack."""
        watts, lack_w = expected
        near = self.tolerance.average_w(watts, self.period_s) + lack_w
        self.want(abs(found / 10 - watts) <= near, *where, what, round(watts, 1), found / 10)

    def _maximum(self, where, what, candidates, found_w, found_s):
        """A maximum is the largest certain average, or a larger one that may count."""
        certain = max((value for value, _, sure in candidates if sure), default=0.0)
        near = self.tolerance.average_w(certain, self.period_s)
        largest = [(value, end) for value, end, _ in candidates if value >= certain - near]
        if found_s is None:
            values = [value for value, _ in largest] or [0.0]
            fits = any(abs(value - found_w) <= near for value in values)
            self.want(fits, *where, what, round(certain, 1), found_w)
        elif certain > near:  # else there may have been none
            ends = [end for _, end in largest]
            self.want(found_s in ends, *where, what, self.shown(ends[-1]), self.shown(found_s))

    def _factor(self, where, what, periods, found):
        """The least power factor is one of a period, and above that of none that is certain."""
        factors = [(1.0, 0.001, False)]
        for active_wh, apparent_wh, certain in periods:
            if apparent_wh > 0:
                near = 0.002 + self.tolerance.energy_wh(0) / apparent_wh
                factors.append((active_wh / apparent_wh, near, certain))
        fits = any(abs(found - factor) <= near for factor, near, _ in factors)
        least = min((factor + near for factor, near, sure in factors if sure), default=1.0)
        self.want(fits and found <= least, *where, what, round(least, 3), found)

    def _status(self, name, utc_s, expected, found):
        self.values += 1
        apart = (expected ^ found) & 0xFF
        if expected & OPEN_DNV:
            apart &= ~DNV
        wanted = f"{expected & 0xFF:02X}"
        self.want(not apart, name, self.shown(utc_s), "status", wanted, f"{found:02X}")

    def report(self, most=40):
        """Return the table of differences and a line of what was compared."""
        lines = []
        if self.differences:
            lines.append(HEADING)
            lines += [str(one) for one in self.differences[:most]]
            if len(self.differences) > most:
                lines.append(f"and {len(self.differences) - most} more")
        return "\n".join([*lines, self.summary()])

    def summary(self):
        """Return a line of what was compared."""
        return (
            f"{self.entries} entries, {self.values} values compared, "
            f"{len(self.differences)} differences, largest of an energy {self.largest_wh:.1f} Wh"
        )
