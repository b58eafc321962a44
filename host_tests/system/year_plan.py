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
    """

    epoch = EPOCH

    def __init__(self, first, last, happenings, tables=WORKDAYS):
        self.tables = tables  # in force from the first day on
        self.start = first - _SETTLING
        self.first = first
        self.last = last
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
    """Return the plan of some days of 2026."""
    last = first + datetime.timedelta(days=days, seconds=31)
    if first >= _CHANGE.replace(tzinfo=UTC):
        return Plan(first, last, _YEAR, SUNNY)
    written = max(first + datetime.timedelta(hours=5, seconds=30), at(2026, 8, 20, 9, 30, 30))
    return Plan(first, last, [*_YEAR, (written, "passive", (SUNNY, _CHANGE))])


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
