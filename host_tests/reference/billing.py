"""When billings take place and what they are marked with, slowly and obviously, in local time.

Moments are looked for day by day, minute by minute, in Python's calendar; rows BIL-09 to BIL-12.
"""

import datetime

OPEN = 0xFF
DAY = datetime.timedelta(1)
SYNCHRONISATION = datetime.timedelta(seconds=9)
YEAR = datetime.timedelta(366)


def is_disabled(moment):
    time, date = moment
    return date == b"\xff" * 5 and time[:3] == b"\xff" * 3


def comes_again(moment):
    date = moment[1]
    return date[:2] == b"\xff\xff" or date[2] == OPEN or date[3] > 31


def times(time):
    for hour in range(24) if time[0] == OPEN else [time[0]]:
        for minute in range(60) if time[1] == OPEN else [time[1]]:
            yield datetime.time(hour, minute, 0 if time[2] == OPEN else time[2])


class Schedule:
    """One schedule of `moments`, (time, date); `names(date, day)` reads a date with open parts."""

    def __init__(self, script, moments, names):
        self.script = script
        self.moments = [moment for moment in moments if not is_disabled(moment)]
        self._names = names

    def between(self, after, until, again_only=False):
        """All moments in (after, until], rising, each once."""
        found = set()
        for time, date in self.moments:
            if again_only and not comes_again((time, date)):
                continue
            day = after.date()
            while day <= until.date():
                if self._names(date, day):
                    found.update(datetime.datetime.combine(day, at) for at in times(time))
                day += DAY
        return sorted(moment for moment in found if after < moment <= until)


class Model:
    """A meter whose time passes; `entries` holds (script, mark) in their order."""

    def __init__(self, schedules, now):
        self.schedules = schedules
        self.now = self.done = now
        self.entries = []

    def run_to(self, moment):
        """Time passes with power: each moment comes, once."""
        due = []
        for place, schedule in enumerate(self.schedules):
            found = schedule.between(self.done, moment)
            due += [(at, place, schedule.script) for at in found]
        self.entries += [(script, at) for at, _, script in sorted(due)]
        self._reach(moment)

    def leap_to(self, moment):
        """Power was away, or the clock was set forward: one for all that was missed."""
        for schedule in self.schedules:
            missed = schedule.between(self.done, moment)
            self.entries += [(schedule.script, at) for at in missed[:1]]
        self._reach(moment)

    def set_to(self, moment):
        """The clock is set."""
        if moment >= self.now:
            self.leap_to(moment)
        elif self.now - moment <= SYNCHRONISATION:
            self.now = moment
        else:
            for schedule in self.schedules:
                if schedule.between(moment, self.now, True):
                    ahead = schedule.between(self.now, self.now + YEAR, True)
                    mark = ahead[0] if ahead else moment
                    self.entries.append((schedule.script, mark))
            self.now = self.done = moment

    def _reach(self, moment):
        self.now = moment
        self.done = max(self.done, moment)
