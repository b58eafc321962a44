"""Which rate holds when, from the tables as a person writes them: Python's own dates and zones.

Local time follows zoneinfo; a season begins on its day of each year at midnight, a special day
goes before the week, and what the last action set holds until the next one (rows TOU-03 to TOU-07,
TOU-14, TOU-21). Nothing of the firmware is used.
"""

import datetime

DAY = datetime.timedelta(days=1)
EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)


def local_of(utc_s, zone):
    """Return the aware local time of seconds since 2000."""
    return (EPOCH + datetime.timedelta(seconds=utc_s)).astimezone(zone)


def utc_of(moment):
    """Return seconds since 2000 of an aware time."""
    return round((moment - EPOCH).total_seconds())


class Tables:
    """A calendar: seasons [(month, day, week)], weeks {name: seven days}, days {id: actions}.

    An action is ((hour, minute, second), rate).
    """

    def __init__(self, name, seasons, weeks, days):
        self.name = name
        self.seasons = sorted(seasons)
        self.weeks = weeks
        self.days = days

    def actions(self, date, special):
        """Return [(second of the day, rate)] of a date in order; `special` is {date: day id}."""
        day_id = special.get((None, date.month, date.day))
        day_id = special.get((date.year, date.month, date.day), day_id)
        if day_id is None:
            begun = [one for one in self.seasons if one[:2] <= (date.month, date.day)]
            week = (begun or self.seasons)[-1][2]  # before the first the last year's last holds
            day_id = self.weeks[week][date.weekday()]
        return sorted((h * 3600 + m * 60 + s, rate) for (h, m, s), rate in self.days[day_id])


class Rates:
    """The rate at any local time under calendars that follow each other."""

    def __init__(self, zone, special):
        self._zone = zone
        self._special = special
        self.tables = None
        self._days = {}

    def take(self, tables):
        """Let another calendar hold from now on."""
        self.tables = tables
        self._days = {}

    def at(self, utc_s):
        """Return the rate of a moment; 0 where no calendar says one."""
        if self.tables is None:
            return 0
        moment = local_of(utc_s, self._zone)
        second = moment.hour * 3600 + moment.minute * 60 + moment.second
        date = moment.date()
        for _ in range(8):
            for begin, rate in reversed(self._day(date)):
                if begin <= second:
                    return rate
            date -= DAY
            second = 86400
        return 0

    def switches(self, utc_s, until_s):
        """Return the seconds strictly between two moments of one minute at which an action is."""
        if self.tables is None:
            return []
        moment = local_of(utc_s, self._zone)
        second = moment.hour * 3600 + moment.minute * 60 + moment.second
        return [
            utc_s + begin - second
            for begin, _ in self._day(moment.date())
            if 0 < begin - second < until_s - utc_s
        ]

    def _day(self, date):
        if date not in self._days:
            self._days[date] = self.tables.actions(date, self._special)
        return self._days[date]
