"""What a meter must have registered: energies, rates, demand, maxima, profiles and billings.

Plain Python with floats, `datetime` and `zoneinfo`, written from the feature rows and the Blue
Book alone: nothing of the firmware is imported or repeated. The model is fed with what happens in
true time: a load that is constant within each minute of UTC, power cuts, settings of the clock,
calendars that are put into force. It walks from one moment at which anything may change to the
next and keeps what the meter's registers and buffers must hold.

Where the rows leave a choice, the model takes these:

* MET-06, MET-07: so close to a right angle that no meter of its class can tell import from export
  (`_OPEN_RATIO`, 0.1 degrees), quadrant and direction are open; `open_wh` counts such energy.
* LPR-14: of the periods that ended without power the last one makes an entry, at power-up, dated
  with its end; it and the period that runs then bear PDN and DNV. DNV is left open (`OPEN_DNV`)
  when the power comes back in the period in which it went.
* LPR-15: a period whose end was jumped over makes an entry dated with that end; it and the period
  that was jumped into bear CAD and DNV.
* DEM-03: the elapsed time of a measuring period is its length, without power too; the one in which
  the power went ends at its boundary, what lies whole in the dark is empty.
* DEM-12: a synchronisation counts for the period in which it is, demand's also when an outage
  lies between it and the next one; for a profile the outage begins that anew.
* BIL-10: of the moments that a clock set back lets come again one entry tells at once, dated with
  the next one that is due after the old time.
* DEM-06, DEM-13: a period with a change of the clock gives no certain maximum: it may count or
  not, its average is not compared; nor is that of the period before a power-up.
* BIL-12, BIL-17: an entry that was missed bears the time it was due at, or that of power-up.
* At one moment demand closes its period first, then profiles capture, then a billing does, then
  daily billing. What slides and what counts in blocks is in year_parts.py.
"""

from year_calendar import Rates, local_of

# C of the energies; those with rates, and those with demand
ENERGIES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16)
DEMANDS = (1, 2, 3, 4, 9, 10, 15)
RATES = 8

DNV, DST, CAD, PDN = 0x04, 0x08, 0x20, 0x80
OPEN_DNV = 0x400  # in a model's status: the meter may set DNV or not
SYNCHRONISATION_S = 9
START_S = 2  # what a start may cost
DAY_S = 86400
ACTIVATION_S = 5
TARIFF_CHANGED = 4  # the cause of an entry of billing 2
_OPEN_RATIO = 570


def flows(p, q):
    """Return the power of each energy for a total active and reactive power."""
    s = (p * p + q * q) ** 0.5
    quadrant = (0 if q >= 0 else 3) if p >= 0 else (1 if q >= 0 else 2)
    return (
        max(p, 0.0),
        max(-p, 0.0),
        max(q, 0.0),
        max(-q, 0.0),
        *(abs(q) if n == quadrant else 0.0 for n in range(4)),
        s if p >= 0 else 0.0,
        0.0 if p >= 0 else s,
        abs(p),
        p,
    )


class Row:
    """An entry: `times` it may be dated with, its status, the columns' values, None: any."""

    def __init__(self, times, status, values):
        self.times = times
        self.status = status
        self.values = values


class Profile:
    """Entries at the ends of a period of local time."""

    def __init__(self, period_s, keys):
        self.period_s = period_s
        self.keys = keys
        self.bits = 0
        self.synchronised = False  # in the running period
        self.rows = []


class Demand:
    """Average of the running measuring period, and what the closed ones were."""

    def __init__(self, period_s):
        self.period_s = period_s
        self.start_s = None  # by the meter's clock; None: broken, its length is not certain
        self.from_ws = None
        self.from_s = 0  # true time
        self.synchronised = False
        self.known = False  # the last average is one of a period that was seen from its begin on
        self.bits = 0
        self.end = None  # time and bits of the last average
        self.open = False  # the direction of apparent energy was open in it
        self.last = dict.fromkeys(DEMANDS)  # W of the last closed period, None: not certain
        # [(A+ in Wh, S+ in VAh, certain)] of the closed periods since the last billing
        self.factors = []
        # (c, rate): [(value, end of the period in UTC, certain)] since the last billing
        self.closed = {(c, rate): [] for c in DEMANDS for rate in range(RATES + 1)}


class Model:
    """The meter that ought to be.

    `load(utc_s)` gives total W and var of a minute, `volts(utc_s)` the voltage of each phase,
    `amps(utc_s)` its current.
    """

    def __init__(self, first_s, zone, load, volts, special, period_s=900, amps=None):
        self.true_s = first_s
        self.ahead_s = 0  # the meter's clock before true time
        self.zone = zone
        self.load = load
        self.volts = volts
        self.amps = amps
        self.rates = Rates(zone, special)
        self.powered = True
        self.rate = 1
        self.energy_ws = [0.0] * len(ENERGIES)
        self.open_wh = 0.0  # what may stand in the register of the other direction
        self.rate_ws = {(c, e): 0.0 for c in ENERGIES[:-1] for e in range(1, RATES + 1)}
        self.demand = Demand(period_s)
        self.profiles = {}
        self.billing = []
        self.billing_keys = ()
        self.daily = []  # of daily billing
        self.daily_keys = ()
        self.others = []  # of billing 2, for what is no billing
        self.other_keys = ()
        self.sliding = None  # the limiter's demand, a year_parts.Sliding
        self.blocks = None  # a year_parts.Blocks
        self.billings_before = 0  # the comparison began
        self.bills_at = None  # function of an aware local time: a billing is due at it
        self.waiting = None  # calendar that waits, and the UTC time from which on it holds
        self._down_s = 0
        self._up_s = 0  # true time of the last return of the mains
        self._hours = {}
        self._begin(True)

    # -- what happens -------------------------------------------------------------------------

    def clock_s(self):
        """Return the time that the meter's clock shows."""
        return self.true_s + self.ahead_s

    def begin(self, tables):
        """Begin the comparison: the registers have been given, a calendar comes into force."""
        self.demand = Demand(self.demand.period_s)
        self._begin(False)
        if self.sliding is not None:
            self.sliding.begin(self.clock_s(), self.true_s, self._totals())
        self.rates.take(tables)
        self._follow()

    def cut(self):
        """Take the mains away."""
        self.powered = False
        self._down_s = self.clock_s()

    def restore(self):
        """Return the mains."""
        self.powered = True
        self._up_s = self.true_s
        now_s = self.clock_s()
        self._close_in_the_dark(now_s)
        if self.sliding is not None:
            missed = self._boundaries(self._down_s, now_s, self.sliding.period_s)
            lack_ws = START_S * sum(abs(one) for one in self.load(self.true_s))
            dst = self._dst(missed[0] if missed else now_s)
            self.sliding.power_up(missed, self.ahead_s, self._totals(), dst, lack_ws)
        for profile in self.profiles.values():
            missed = self._boundaries(self._down_s, now_s, profile.period_s)
            profile.synchronised = False
            if missed:
                self._capture(profile, missed[-1], PDN | DNV | profile.bits)
                profile.bits = PDN | DNV
            else:
                profile.bits |= PDN | OPEN_DNV
        self._activate()
        due = self._bills(self._down_s, now_s)
        if due:
            self._bill((due[0], now_s))
        midnights = self._boundaries(self._down_s, now_s, DAY_S)
        if midnights:
            self._bill_day((midnights[0], now_s))
        self._follow()

    def set_clock(self, utc_s):
        """Let the meter's clock show another time from now on."""
        old_s = self.clock_s()
        self.ahead_s += utc_s - old_s
        shift_s = abs(utc_s - old_s)
        if self.sliding is not None and _is_change(self.sliding, shift_s):
            dst = self._dst(old_s)
            self.sliding.clock_set(old_s, utc_s, self.true_s, self._totals(), dst)
        demand = self.demand
        if _is_change(demand, shift_s):
            demand.last = dict.fromkeys(DEMANDS)  # that of the broken period
            demand.end = old_s, demand.bits | CAD | DNV | self._dst(old_s)
            demand.bits = DNV
            self._begin(False)
        for profile in self.profiles.values():
            if _is_change(profile, shift_s):
                passed = self._boundaries(old_s, utc_s, profile.period_s)
                if passed:
                    self._capture(profile, passed[0], CAD | DNV | profile.bits)
                profile.bits |= CAD | DNV
        if utc_s > old_s:
            due = self._bills(old_s, utc_s)
            if due:
                self._bill((due[0],))
            midnights = self._boundaries(old_s, utc_s, DAY_S)
            if midnights:
                self._bill_day((midnights[0],))
        elif shift_s > SYNCHRONISATION_S:
            if self._bills(utc_s, old_s):
                self._bill((self._bills(old_s, old_s + 32 * DAY_S)[0],))
            if self._boundaries(utc_s, old_s, DAY_S):
                self._bill_day((self._boundaries(old_s, old_s + 25 * 3600, DAY_S)[0],))
        self._activate()
        self._follow()

    # -- the walk -----------------------------------------------------------------------------

    def run(self, until_s):
        """Let true time pass."""
        while self.true_s < until_s:
            clock_s = self.clock_s()
            stop_s = min(until_s, self.true_s - self.true_s % 60 + 60)
            stop_s = min(stop_s, self.true_s + 60 - clock_s % 60)
            if self.powered:
                for switch_s in self.rates.switches(clock_s, stop_s + self.ahead_s):
                    stop_s = min(stop_s, switch_s - self.ahead_s)
                self._count(stop_s - self.true_s)
            self.true_s = stop_s
            if self.powered:
                self._moment()

    def _count(self, seconds):
        p, q = self.load(self.true_s)
        if 0 < abs(p) * _OPEN_RATIO < abs(q):
            self.open_wh += abs(q) * seconds / 3600
            self.demand.open = True
        for c, power in zip(ENERGIES, flows(p, q), strict=True):
            if power:
                self.energy_ws[ENERGIES.index(c)] += power * seconds
                if self.rate and c != 16:
                    self.rate_ws[c, self.rate] += power * seconds
                if self.rate and c == 1 and self.blocks is not None:
                    self.blocks.add(self.rate, power * seconds)

    def _moment(self):
        """Do what the meter's clock makes due."""
        clock_s = self.clock_s()
        if clock_s % 60 == 0:
            if self._ends(clock_s, self.demand.period_s):
                self._close(clock_s)
            if self.sliding is not None and self._ends(clock_s, self.sliding.period_s):
                self.sliding.ended(clock_s, self.true_s, self._totals(), self._dst(clock_s))
            for profile in self.profiles.values():
                if self._ends(clock_s, profile.period_s):
                    self._capture(profile, clock_s, profile.bits)
                    profile.bits = 0
                    profile.synchronised = False
            if self.bills_at is not None and self.bills_at(local_of(clock_s, self.zone)):
                self._bill((clock_s,))
            if self._ends(clock_s, DAY_S):
                self._bill_day((clock_s,))
            self._activate()
        self._follow()

    def _activate(self):
        now_s = self.clock_s()
        if self.waiting is not None and now_s >= self.waiting[1]:
            # power returns some milliseconds before the moment, and a start takes a while
            times = tuple(range(now_s - 1, now_s + ACTIVATION_S))
            self.others.append(Row(times, 0, [self.value(key) for key in self.other_keys]))
            self.rates.take(self.waiting[0])
            self.waiting = None

    def _follow(self):
        self.rate = self.rates.at(self.clock_s()) or self.rate

    # -- demand -------------------------------------------------------------------------------

    def _begin(self, whole):
        """Begin a measuring period; only one that begins at a boundary is certain."""
        self.demand.start_s = self.clock_s() if whole else None
        self.demand.open = False
        self.demand.from_s = self.true_s
        self.demand.from_ws = list(self.energy_ws)

    def _close(self, clock_s):
        demand = self.demand
        elapsed_s = clock_s - self.ahead_s - demand.from_s
        lacks_s = demand.period_s - elapsed_s
        certain = demand.start_s is not None and lacks_s <= _synchronisation_s(demand.period_s)
        bits = demand.bits | self._dst(clock_s) | (0 if certain else DNV)
        demand.end = (clock_s, bits) if demand.known else None
        demand.known = True
        demand.bits = 0
        demand.synchronised = False
        gained = [(now - then) / 3600 for now, then in zip(self.energy_ws, demand.from_ws)]
        demand.factors.append((gained[0], gained[_S_IMPORT], certain and not demand.open))
        for c in DEMANDS:
            at = ENERGIES.index(c)
            average = (self.energy_ws[at] - demand.from_ws[at]) / max(1, elapsed_s)
            sure = certain and not (demand.open and c in (9, 10))
            demand.last[c] = average if sure else None
            for rate in (0, self.rate):
                demand.closed[c, rate].append((average, clock_s, sure))
        self._begin(True)

    def _close_in_the_dark(self, now_s):
        """End the period in which the power went, and begin the one that runs."""
        demand = self.demand
        demand.bits |= PDN
        missed = self._boundaries(self._down_s, now_s, demand.period_s)
        if missed:
            self._close(missed[0])
            demand.last = dict.fromkeys(DEMANDS)
            demand.start_s = missed[-1]
            demand.from_s = missed[-1] - self.ahead_s
            demand.bits = PDN

    # -- entries ------------------------------------------------------------------------------

    def value(self, key):
        """Return what a column reads now; `key` is one of the names in `_VALUES`, then C, rate."""
        return _VALUES[key[0]](self, *key[1:])

    def voltages(self, phase):
        """Return the voltage of the minute that ends and of the one that begins, None: unknown."""
        if self.true_s == self._up_s:
            return None  # nothing has been measured since the mains returned
        return self.volts(self.true_s - 1)[phase], self.volts(self.true_s)[phase]

    def current_a(self, phase):
        """Return the average of the last 90 s, None if there was no power all the time."""
        if self.true_s - self._up_s < _CURRENT_S + 2 * START_S:
            return None
        seconds = range(self.true_s - _CURRENT_S, self.true_s)
        return sum(self.amps(one)[phase] for one in seconds) / _CURRENT_S

    def _capture(self, profile, clock_s, bits):
        bits |= self._dst(clock_s)
        values = [self.value(key) for key in profile.keys]
        profile.rows.append(Row((clock_s,), bits, values))

    def _bill(self, times):
        self.billing.append(Row(times, 0, [self.value(key) for key in self.billing_keys]))
        for candidates in self.demand.closed.values():
            candidates.clear()
        self.demand.factors.clear()
        self.demand.last = dict.fromkeys(DEMANDS, 0.0)  # row DEM-07
        self.demand.end = self.clock_s(), 0
        if self.demand.start_s != self.clock_s():
            self._begin(False)  # the reset begins the running period anew
        if self.blocks is not None:
            self.blocks.new_period()

    def _bill_day(self, times):
        if self.daily_keys:
            self.daily.append(Row(times, 0, [self.value(key) for key in self.daily_keys]))

    def _bills(self, after_s, until_s):
        """Return the moments of a span, its end included, at which billings were due."""
        if self.bills_at is None:
            return []
        minutes = range(after_s - after_s % 60 + 60, until_s + 1, 60)
        return [one for one in minutes if self.bills_at(local_of(one, self.zone))]

    def _boundaries(self, after_s, until_s, period_s):
        minutes = range(after_s - after_s % 60 + 60, until_s + 1, 60)
        return [one for one in minutes if self._ends(one, period_s)]

    def _ends(self, utc_s, period_s):
        return (utc_s + self._deviation_s(utc_s)) % period_s == 0

    def _totals(self):
        return dict(zip(ENERGIES, self.energy_ws, strict=True))

    def _dst(self, utc_s):
        return DST if self._deviation_s(utc_s) != self._deviation_s(_WINTER_S) else 0

    def _deviation_s(self, utc_s):
        hour = utc_s // 3600
        if hour not in self._hours:
            self._hours[hour] = local_of(utc_s, self.zone).utcoffset().total_seconds()
        return self._hours[hour]


def _is_change(owner, shift_s):
    """Rows DEM-11, DEM-12: a period takes one synchronisation."""
    limit_s = _synchronisation_s(owner.period_s)
    owner.synchronised = shift_s <= limit_s and not owner.synchronised
    return not owner.synchronised


def _synchronisation_s(period_s):
    """Row DEM-11: a shift of no more than this is none."""
    return min(SYNCHRONISATION_S, period_s // 100)


_WINTER_S = 0  # 2000-01-01
_CURRENT_S = 90
_S_IMPORT = ENERGIES.index(9)

_VALUES = {
    "energy": lambda model, c: model.energy_ws[ENERGIES.index(c)] / 3600,
    "rate": lambda model, c, e: model.rate_ws[c, e] / 3600,
    "average": lambda model, c: model.demand.last[c],
    "maximum": lambda model, c, e: tuple(model.demand.closed[c, e]),
    "time": lambda model, c, e: tuple(model.demand.closed[c, e]),
    "factor": lambda model: tuple(model.demand.factors),
    "voltage": lambda model, k: model.voltages(k),
    "amperes": lambda model, k: model.current_a(k),
    "block": lambda model, b, e: model.blocks.energy_ws.get((b, e), 0.0) / 3600,
    "last": lambda model, c: model.sliding.last(c),
    "current": lambda model, c: model.sliding.current(c, model._totals()),
    "formed": lambda model: model.sliding.capture_s(),
    "since": lambda model: model.sliding.start_s(),
    "bits": lambda model: model.sliding.status(),
    "ended": lambda model: model.demand.end and model.demand.end[0],
    "seen": lambda model: model.demand.end and model.demand.end[1],
    "cause": lambda model: TARIFF_CHANGED,
    "billings": lambda model: model.billings_before + len(model.billing),
}
