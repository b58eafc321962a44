"""What a calendar asks for, slowly and obviously: walk back minute by minute until an action."""

import datetime
import itertools
from fractions import Fraction


def season_at(seasons, moment, names_day):
    """Name of the season that began last before `moment`, looking back five years."""
    best = None
    for name, start, week in seasons:
        begin = datetime.time(*(0 if octet == 0xFF else octet for octet in start[5:8]))
        for back in range(5 * 366):
            day = moment.date() - datetime.timedelta(back)
            at = datetime.datetime.combine(day, begin)
            if at <= moment and names_day(start[:5], day):
                if best is None or at > best[0]:
                    best = (at, name, week)
                break
    return best


def due_at(calendar, moment, names_day):
    """(begin, script, selector) in force at local `moment`, None if there is none.

    `calendar` has seasons, weeks {name: day ids}, days {id: [(second, script, selector)]} and
    special [(date, day id)].
    """
    for back in range(8):
        day = moment.date() - datetime.timedelta(back)
        end = datetime.datetime.combine(day, datetime.time(23, 59, 59))
        at = min(moment, end)
        actions = None
        for date, day_id in calendar["special"]:
            if names_day(date, day):
                actions = calendar["days"].get(day_id)
                break
        if actions is None:
            season = season_at(calendar["seasons"], at, names_day)
            if season is None or season[2] not in calendar["weeks"]:
                continue
            actions = calendar["days"].get(calendar["weeks"][season[2]][day.weekday()], [])
        midnight = datetime.datetime.combine(day, datetime.time())
        passed = [a for a in actions if midnight + datetime.timedelta(seconds=a[0]) <= at]
        if passed:
            latest = max(action[0] for action in passed)
            chosen = [action for action in passed if action[0] == latest][-1]
            return midnight + datetime.timedelta(seconds=latest), chosen[1], chosen[2]
    return None


def dues_at(calendar, moment, names_day):
    """The action in force of each script table that the calendar names, oldest first."""
    tables = {script for actions in calendar["days"].values() for _, script, _ in actions}
    found = []
    for table in tables:
        days = {
            day_id: [action for action in actions if action[1] == table]
            for day_id, actions in calendar["days"].items()
        }
        due = due_at({**calendar, "days": days}, moment, names_day)
        if due is not None:
            found.append(due)
    return sorted(found)


class Blocks:
    """Block tariff of one rate, counted a watt hour at a time."""

    def __init__(self):
        self.thresholds = [0, 0, 0]
        self.registers = [0, 0, 0, 0]
        self.used = 0

    def count(self, wh):
        for _ in range(wh):
            block = 0
            while block < 3 and self.thresholds[block] and self.used >= self.thresholds[block]:
                block += 1
            self.registers[block] += 1
            self.used += 1

    def new_period(self):
        self.used = 0


def energy_by_rate(windows, switches, rates):
    """What each rate gains: `windows` of (length in ms, energy), `switches` of (ms, rate).

    Within a window power is even; the first rate counts from 0.
    """
    gained = dict.fromkeys(rates, Fraction(0))
    begin = 0
    for length, energy in windows:
        moments = sorted({begin, begin + length, *(at for at, _ in switches)})
        for first, last in itertools.pairwise(moments):
            if begin <= first and last <= begin + length:
                in_force = [rate for at, rate in switches if at <= first]
                rate = in_force[-1] if in_force else 1
                gained[rate] += Fraction(energy * (last - first), length)
        begin += length
    return gained
