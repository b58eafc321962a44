"""Lets a virtual meter live through days that a plan describes, and compares it with the model.

The meter gets its tables and columns from a client, the household loads it, the bench cuts its
mains, a client sets its clock wrong. The model (reference/year_model.py) is told the same, and
what the meter answers to a client is held against it: every entry of the profiles by range, the
registers at the end. The baseline is what the registers hold when the tables stand.
"""

import datetime
import math
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[2]
for folder in ("host_tests/system", "host_tests/reference", "host_tests/shims", "boards/sim"):
    if str(ROOT / folder) not in sys.path:
        sys.path.append(str(ROOT / folder))

import year_model as model
import year_parts
from year_client import Client, utc_s
from year_compare import HEADING, Comparison
from year_plan import SPECIAL

ZONE = ZoneInfo("Europe/Berlin")
PERIOD_S = 900
_READ_S = 7 * 86400  # entries are fetched so often; the shortest buffer holds a bit more
_LEAP_S = 3 * 3600
_MOST_TOLD = 20  # of the differences of a reading; the end shows more


def _register(c, d, e=0):
    return f"1.0.{c}.{d}.{e}.255"


def _energy(c):
    return (("energy", c), 3, _register(c, 8), 2)


def _rate(c, e):
    return (("rate", c, e), 3, _register(c, 8, e), 2)


def _average(c):
    return (("average", c), 3, _register(c, 5), 2)


def _maximum(c, e):
    return [
        (("maximum", c, e), 4, _register(c, 6, e), 2),
        (("time", c, e), 4, _register(c, 6, e), 5),
    ]


_CLOCK = (("clock",), 8, "0.0.1.0.0.255", 2)
USED_RATES = (1, 2, 3, 4)
LIMITER = "1.0.1.24.0.255"
LIMITER_PERIOD_S, LIMITER_PERIODS = 300, 3
# of the blocks of active import by rate, Wh
THRESHOLDS = {1: (1_000, 40_000, 120_000), 2: (500, 60_000), 3: (500,), 4: (1_000, 9_000)}


def _limiter(c):
    return f"1.0.{c}.24.0.255"


def _block(b, e):
    return (("block", b, e), 3, f"1.0.1.128.{b}{e}.255", 2)


_SLIDING = [(("last", c), 5, _limiter(c), 3) for c in (1, 15, 16)]
_SLIDING += [(("current", c), 5, _limiter(c), 2) for c in (1, 16)]
_SLIDING += [(("bits",), 5, LIMITER, 5), (("formed",), 5, LIMITER, 6), (("since",), 5, LIMITER, 7)]
_DEMAND = [(("ended",), 5, _register(1, 4), 6), (("seen",), 5, _register(1, 4), 5)]
_BLOCKS = [_block(b, e) for e in USED_RATES for b in range(1, 5)]


def _status(number):
    return (("status",), 1, f"0.0.96.10.{number}.255", 2)


# name, number, period, columns behind clock and status
PROFILES = (
    (
        "1.0.99.1.0.255",
        1,
        900,
        [_energy(c) for c in (1, 2, 5, 6, 7, 8)]
        + [_average(c) for c in (1, 2, 3, 4)]
        + _SLIDING
        + _DEMAND,
    ),
    (
        "1.0.99.2.0.255",
        2,
        86400,
        [_energy(c) for c in model.ENERGIES] + [_rate(1, e) for e in USED_RATES],
    ),
    (
        "1.0.99.3.0.255",
        3,
        3600,
        [_rate(c, e) for c in (1, 2) for e in USED_RATES] + [_energy(9), _energy(10)],
    ),
    (
        "1.0.99.129.0.255",
        4,
        600,
        [(("voltage", k), 3, _register(32 + 20 * k, 7), 2) for k in range(3)]
        + [(("amperes", k), 5, _register(31 + 20 * k, 4), 3) for k in range(3)]
        + [_energy(15)],
    ),
)
BILLING = "0.0.98.1.0.255"
BILLING_2 = "0.0.98.2.0.255"
DAILY = "0.0.98.3.0.255"
_FACTOR = (("factor",), 4, "1.0.13.3.0.255", 2)
_BILLINGS = (("billings",), 1, "0.0.0.1.0.255", 2)
_BILLED = [_FACTOR, _BILLINGS, *(_energy(c) for c in (1, 2, 3, 4))]
_BILLED += [_rate(c, e) for c in (1, 2) for e in USED_RATES]
for _c, _e in ((1, 0), (2, 0), (1, 1), (1, 2), (1, 3), (9, 0)):
    _BILLED += _maximum(_c, _e)


_OTHERS = [(("cause",), 1, "0.0.128.10.8.255", 2), _energy(1), _rate(1, 1), _rate(1, 2)]
_DAILY = [_energy(c) for c in (1, 2, 3, 4, 9, 10)] + _BLOCKS


class _House:
    """What the household asks of the meter, as the model wants it."""

    def __init__(self, seed):
        from household import Household

        self._house = Household(seed, 3)

    def load(self, now_s):
        powers = self._house.at(now_s)
        return sum(p for _, p, _ in powers), sum(q for _, _, q in powers)

    def amps(self, now_s):
        return [math.hypot(p, q) / u for u, p, q in self._house.at(now_s)]

    def volts(self, now_s):
        return [u for u, _, _ in self._house.at(now_s)]


class StoppedError(Exception):
    """The year was asked to stop, and was kept."""


class Year:
    """A meter and its model; `post(path, **fields)` asks the bench, `say` shows progress.

    A year can be pickled while its meter is off, attached to a bench and run on. With `keep` set
    that happens now and then: `keep(year)` is to switch the meter off, put by what is to be kept,
    and attach the meter that is on again. `stop` set: at the next good moment as well, and then
    StoppedError is raised.
    """

    def __init__(self, post, port, plan, seed=1, say=print, profiles=PROFILES):
        self.attach(post, port, say)
        self.stop = False
        self._plan = plan
        self._profiles = profiles
        house = _House(seed)
        first = utc_s(plan.start)
        self.model = model.Model(
            first, ZONE, house.load, house.volts, SPECIAL, PERIOD_S, house.amps
        )
        self.comparison = Comparison(ZONE, PERIOD_S)
        self._read_s = first
        self._compared = {}  # entries of the model that were compared, by name
        self._said_s = first
        self._told = 0  # differences that have been shown
        self._resting = False

    def __getstate__(self):
        bench = ("_post", "_port", "_say", "keep")
        return {name: value for name, value in vars(self).items() if name not in bench} | {
            "stop": False
        }

    def attach(self, post, port, say=print):
        """Take a bench and the meter's port."""
        self._post = post
        self._port = port
        self._say = say
        self.keep = None

    def run(self):
        """Live through the plan, or what is left of it; the comparison holds what was found."""
        if self._resting:
            self._on_again()
        if not self.model.profiles:
            self._until(self._plan.first)
            self._configure()
        for moment, verb, argument in [*self._plan.happenings, (self._plan.last, "end", None)]:
            if not self._now() < moment <= self._plan.last:
                continue
            while (moment - self._now()).total_seconds() > _READ_S:
                # off the full minute: a leap ends some milliseconds before the moment it is given
                week = self._now() + datetime.timedelta(seconds=_READ_S)
                self._until(min(week.replace(second=20), moment))
                self.fetch()
                self._rest()
            self._until(moment)
            getattr(self, "_" + verb)(argument)
        return self.comparison

    def fetch(self):
        """Read the entries since the last time and compare them."""
        if not self.model.powered:
            return
        tolerance = self.comparison.tolerance
        tolerance.open_wh = self.model.open_wh
        tolerance.apparent_wh = sum(self.model.value(("energy", c)) for c in (9, 10))
        tolerance.periods = 1 + self.model.blocks.periods
        upto_s = self.model.clock_s()
        # entries of a clock that was set back belong to one reading
        from_s, self._read_s = self._read_s + 1, upto_s
        if self._plan.one_reading:
            self._read_s += 32 * 86400  # what is dated with a moment to come
        with Client(self._port) as client:
            for name, number, _, _ in self._profiles:
                profile = self.model.profiles[number]
                self._compare(client, name, profile.keys, profile.rows, from_s)
            self._compare(client, BILLING, [c[0] for c in _BILLED], self.model.billing, from_s)
            self._compare(client, BILLING_2, [c[0] for c in _OTHERS], self.model.others, from_s)
            self._compare(client, DAILY, [c[0] for c in _DAILY], self.model.daily, from_s)
        found = self.comparison.differences[self._told :]
        self._told = len(self.comparison.differences)
        if found:
            self._say(HEADING)
        for one in found[:_MOST_TOLD]:
            self._say(str(one))
        self._say(f"{self.comparison.shown(upto_s)}  {self.comparison.summary()}")

    def registers(self):
        """Read the registers and compare them."""
        compare = self.comparison.value
        with Client(self._port) as client:
            wanted = [_energy(c) for c in model.ENERGIES]
            wanted += [_rate(c, e) for c in model.ENERGIES[:-1] for e in range(1, 9)]
            wanted += [_average(c) for c in model.DEMANDS]
            wanted += [_FACTOR, _BILLINGS, *_BLOCKS, *_SLIDING]
            for c in model.DEMANDS:
                for e in range(9):
                    wanted.append(_maximum(c, e)[0])
            for key, class_id, name, index in wanted:
                found = client.value(class_id, name, index)
                compare(("register", name[:-4]), key, self.model.value(key), found)
            name = client.calendar_name()
            tables = self.model.rates.tables
            self.comparison.want(name == tables.name, "calendar", "", "name", tables.name, name)

    # -- the plan's verbs -------------------------------------------------------------------

    def _end(self, _argument):
        if not self.model.powered:
            self._restore(None)
        self.fetch()
        self.registers()

    def _cut(self, _argument):
        if not self._plan.one_reading:
            self.fetch()
        self._post("/api/supply", on=False)
        self.model.cut()

    def _restore(self, _argument):
        if self.model.powered:
            return  # the plan begins in an outage
        self._post("/api/supply", on=True)
        self._started()

    def _clock(self, ahead_s):
        """Set the clock, so that it is so far before true time."""
        with Client(self._port) as client:
            client.set_clock(self._now() + datetime.timedelta(seconds=ahead_s))
        self.model.set_clock(self.model.true_s + ahead_s)

    def _passive(self, argument):
        """Write another calendar, which a local time will put into force."""
        tables, local = argument
        with Client(self._port) as client:
            client.passive_calendar(tables)
            client.activate_calendar_at(local)
        self.model.waiting = tables, utc_s(local.replace(tzinfo=ZONE))

    # -- parts ------------------------------------------------------------------------------

    def now(self):
        """Return the true time, aware."""
        return self._now()

    def _rest(self):
        """Let the meter be off for a moment in which all can be kept."""
        if self.keep is None or not self.model.powered or self.model.ahead_s:
            return  # a meter that starts is given the true time
        self._leap(self.model.true_s - self.model.true_s % 60 + 90)
        self._resting = True
        self.model.cut()
        self.keep(self)
        if self.stop:
            raise StoppedError
        self._on_again()

    def _on_again(self):
        self._resting = False
        self._started()

    def _started(self):
        """Let the mains be back: a start costs no more than two seconds."""
        self.model.restore()
        load_w, load_var = self.model.load(self.model.true_s)
        self.comparison.tolerance.starts_wh += 2 * (abs(load_w) + abs(load_var)) / 3600

    def _configure(self):
        self._post("/api/cover", cover="meter", open=True)
        self._post("/api/lock", locked=False)
        with Client(self._port) as client:
            client.measuring_period(LIMITER, LIMITER_PERIOD_S, LIMITER_PERIODS)
        self._post("/api/lock", locked=True)
        self._post("/api/cover", cover="meter", open=False)
        with Client(self._port) as client:
            client.central_europe()
            client.special_days(SPECIAL)
            client.passive_calendar(self._plan.tables)
            client.activate_calendar()
            client.bill_monthly()
            client.end_billing_period()  # that of the blocks begins here
            client.block_thresholds(THRESHOLDS)
            for name, number, period_s, columns in self._profiles:
                client.capture(name, [_CLOCK, _status(number), *columns], period_s)
                keys = [c[0] for c in columns]
                self.model.profiles[number] = model.Profile(period_s, keys)
            client.capture(BILLING, [_CLOCK, *_BILLED])
            client.capture(BILLING_2, [_CLOCK, *_OTHERS])
            self.model.other_keys = [c[0] for c in _OTHERS]
            client.capture(DAILY, [_CLOCK, *_DAILY])
            self.model.daily_keys = [c[0] for c in _DAILY]
            self.model.billing_keys = [c[0] for c in _BILLED]
            self.model.bills_at = _month_begins
            self.model.billings_before = client.value(*_BILLINGS[1:])
            for c in model.ENERGIES:
                total_wh = client.value(3, _register(c, 8)) + 0.5
                self.model.energy_ws[model.ENERGIES.index(c)] = total_wh * 3600
                for e in range(1, 9) if c != 16 else ():
                    self.model.rate_ws[c, e] = 3600 * (client.value(3, _register(c, 8, e)) + 0.5)
        self.model.blocks = year_parts.Blocks(THRESHOLDS)
        for e in USED_RATES:
            self.model.blocks.begin(e, self.model.rate_ws[1, e])
        limiter = LIMITER_PERIOD_S, LIMITER_PERIODS, model.ENERGIES
        self.model.sliding = year_parts.Sliding(*limiter)
        self.model.begin(self._plan.tables)

    def _compare(self, client, name, keys, rows, from_s):
        done = self._compared.get(name, 0)
        found = client.entries(name, from_s, self._read_s)
        self._compared[name] = len(rows)
        self.comparison.rows(name[:-4], keys, rows[done:], found)

    def _now(self):
        return self._plan.epoch + datetime.timedelta(seconds=self.model.true_s)

    def _until(self, moment):
        """Let the meter and the model come to a moment of true time."""
        target_s = utc_s(moment)
        while self.model.true_s < target_s:
            self._leap(min(target_s, self.model.true_s + _LEAP_S))
            if self.model.true_s // 86400 != self._said_s // 86400:
                self._said_s = self.model.true_s
                self._say(self.comparison.shown(self._said_s))
            if self.stop and self.model.profiles and target_s - self.model.true_s > _LEAP_S:
                self._rest()

    def _leap(self, target_s):
        self.model.run(target_s)
        self._post("/api/advance", until=self._now().strftime("%Y-%m-%dT%H:%M:%S"))


def _month_begins(local):
    return local.day == 1 and not local.hour and not local.minute
