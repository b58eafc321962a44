"""The year that a meter lives through: its tariff, its holidays and what befalls it.

Times of happenings are true time, off the full minute so that nobody can ask which came first.
"""

import datetime

from year_calendar import EPOCH, Tables

UTC = datetime.timezone.utc
_SETTLING = datetime.timedelta(seconds=30)


def at(year, month, day, hour=0, minute=0, second=0):
    """Return a moment of true time."""
    return datetime.datetime(year, month, day, hour, minute, second, tzinfo=UTC)


_WORKDAY = [((6, 0, 0), 1), ((11, 30, 0), 3), ((14, 0, 0), 1), ((22, 0, 0), 2)]
_SHORT_DAY = [((7, 30, 0), 1), ((20, 59, 30), 2)]
_HOLIDAY = [((0, 0, 0), 2)]

# Winter and summer; 1 a workday, 2 a weekend, 3 a workday of summer, 4 a holiday
WORKDAYS = Tables(
    "WORK2026",
    [(4, 1, "SUMMER"), (10, 1, "WINTER")],
    {"SUMMER": [3, 3, 3, 3, 3, 2, 2], "WINTER": [1, 1, 1, 1, 1, 2, 2]},
    {
        1: _WORKDAY,
        2: _SHORT_DAY,
        3: [((2, 30, 0), 2), ((8, 0, 0), 1), ((12, 0, 0), 4), ((16, 0, 0), 1), ((23, 0, 0), 2)],
        4: _HOLIDAY,
    },
)
# What follows in September: the sun's hours are cheap on every day
SUNNY = Tables(
    "SUNNY26",
    [(1, 1, "ALL")],
    {"ALL": [1] * 7},
    {1: [((0, 0, 0), 2), ((2, 15, 0), 3), ((6, 0, 0), 1), ((10, 0, 0), 4), ((15, 0, 0), 1)],
     4: _HOLIDAY},
)  # fmt: skip
# (year or every year, month, day): day table
SPECIAL = {
    (None, 1, 1): 4,
    (None, 1, 6): 4,
    (2026, 3, 30): 4,
    (2026, 4, 3): 4,
    (2026, 4, 6): 4,
    (None, 5, 1): 4,
    (None, 10, 3): 4,
    (None, 12, 25): 4,
    (None, 12, 26): 4,
}


class Plan:
    """Days to live through from `first` on and what happens in them: [(moment, verb, argument)].

    The meter starts a little earlier, so that it measures when its tables are written.
    one_reading: entries are read at the end only, however often the clock was set back
    """

    epoch = EPOCH

    def __init__(self, first, last, happenings, tables=WORKDAYS, one_reading=False):
        self.tables = tables  # in force from the first day on
        self.start = first - _SETTLING
        self.first = first
        self.last = last
        self.one_reading = one_reading
        self.happenings = sorted(happenings, key=lambda one: one[0])


_YEAR = [
    (at(2026, 2, 14, 3, 10, 20), "cut", None),
    (at(2026, 2, 14, 5, 25, 40), "restore", None),
    (at(2026, 4, 20, 10, 7, 13), "clock", 1200),
    (at(2026, 5, 11, 9, 35, 13), "clock", 0),
    # over the end of June
    (at(2026, 6, 30, 21, 50, 5), "cut", None),
    (at(2026, 6, 30, 22, 20, 35), "restore", None),
    # over the end of daylight saving
    (at(2026, 10, 25, 0, 30, 10), "cut", None),
    (at(2026, 10, 25, 1, 40, 20), "restore", None),
    # over the end of November
    (at(2026, 11, 30, 22, 40, 13), "clock", 1800),
    (at(2026, 12, 1, 14, 50, 13), "clock", 0),
]


_CHANGE = datetime.datetime(2026, 9, 1)  # of the calendar, local time


def year(first, days):
    """Return the plan of some days of 2026, begun a little after midnight in any zone."""
    first += datetime.timedelta(seconds=90)
    last = first + datetime.timedelta(days=days, seconds=31)
    if first >= _CHANGE.replace(tzinfo=UTC):
        return Plan(first, last, _YEAR, SUNNY)
    written = max(first + datetime.timedelta(hours=5, seconds=30), at(2026, 8, 20, 9, 30, 30))
    return Plan(first, last, [*_YEAR, (written, "passive", (SUNNY, _CHANGE))])


_OUTAGES_S = (3, 40, 400, 900, 2000, 7000, 15000)
_AHEAD_S = (-1980, -900, -300, -60, 60, 300, 900, 1980, 0)
_OFF_S = 15
_SHIFTS_S = (-5, -2, 2, 5)  # none at a limit: a clock after an outage is right to a second
_PAUSES_S = (80, 200, 700, 1500, 4000, 9000)


def _off_the_minute(moment, lot):
    """Return a moment that is as far from any minute as a clock may be off, or a bit later."""
    while not _OFF_S <= moment.second < 60 - _OFF_S:
        moment += datetime.timedelta(seconds=lot.randrange(1, 9))
    return moment


def by_lot(first, days, lot):
    """Return a plan of up to six days in which power fails and the clock is set as `lot` has it.

    The shortest buffer holds a bit more. The clock is set by whole minutes, so that loads change
    with its own, or by some seconds and back, with or without an outage between; never so early
    that it shows the day before. No moment comes near a minute of either time.
    """
    last = first + datetime.timedelta(days=days, seconds=31)
    happenings = []
    ahead_s = 0
    now = first + datetime.timedelta(minutes=20)

    def pass_s(seconds):
        later = now + datetime.timedelta(seconds=seconds + lot.randrange(30))
        return _off_the_minute(later, lot)

    while now < last - datetime.timedelta(hours=2, minutes=30):
        now = pass_s(lot.choice(_PAUSES_S))
        if lot.random() < 0.5:
            happenings.append((now, "cut", None))
            now = pass_s(lot.choice(_OUTAGES_S))
            happenings.append((now, "restore", None))
        elif now < first + datetime.timedelta(hours=2):
            continue
        elif lot.random() < 0.5:
            wanted_s = lot.choice(_AHEAD_S)
            if wanted_s != ahead_s:
                ahead_s = wanted_s
                happenings.append((now, "clock", ahead_s))
        else:
            # there and back within all periods: leaps are exact on the minutes of true time alone
            while (now + datetime.timedelta(seconds=ahead_s)).minute % 5 != 1:
                now += datetime.timedelta(minutes=1)
            happenings.append((now, "clock", ahead_s + lot.choice(_SHIFTS_S)))
            if lot.random() < 0.3:
                now = pass_s(20)
                happenings.append((now, "cut", None))
                now = pass_s(3)
                happenings.append((now, "restore", None))
            now = pass_s(20)
            happenings.append((now, "clock", ahead_s))
    return Plan(first, last, happenings, lot.choice((WORKDAYS, SUNNY)), one_reading=True)


def short():
    """Return the plan of a few days: summer time begins, outages over a holiday and over the
    time of another calendar, a clock set forward and back, the end of a month.
    """
    return Plan(
        at(2026, 3, 28, 23, 41),
        at(2026, 3, 31, 22, 31),
        [
            (at(2026, 3, 29, 2, 16, 11), "passive", (SUNNY, datetime.datetime(2026, 3, 31, 22))),
            (at(2026, 3, 29, 2, 20, 10), "cut", None),
            (at(2026, 3, 30, 21, 12, 40), "restore", None),
            (at(2026, 3, 30, 22, 34, 10), "cut", None),
            (at(2026, 3, 31, 11, 3, 20), "restore", None),
            (at(2026, 3, 31, 12, 7, 13), "clock", 1200),
            (at(2026, 3, 31, 15, 5, 13), "clock", 0),
            (at(2026, 3, 31, 15, 34, 10), "cut", None),
            (at(2026, 3, 31, 20, 50, 20), "restore", None),
        ],
    )
