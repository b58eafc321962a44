"""Single action schedules and the clockwork that carries out what is due, once."""

import datetime
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))

import pytest
from fram_fake import Memory
from test_tariff_calendar import local_s, make, octets, start

from app.errors import MeterError
from app.settings import Settings
from app.tariff import tables, tariff
from app.tariff.schedule import SingleAction

BILLING = bytes.fromhex("00000a0001ff")
TARIFFS = bytes.fromhex("00000a0064ff")
MIDNIGHT = bytes([0, 0, 0, 0])
FIRST_OF_MONTH = (MIDNIGHT, octets(day=1))
EUROPE = ("2026-03-29T01:00:00", "2026-10-25T01:00:00")  # UTC, directive 2000/84/EC


def utc_s(text):
    return local_s(datetime.datetime.fromisoformat(text))


class Clock:
    """Central European time of 2026, moved by hand."""

    shift_limit_s = 9
    invalid = False

    def __init__(self, text):
        self.now_s = utc_s(text)
        self.settled_s = 0  # when the periods that were due were ended last

    def settle(self):
        self.settled_s = self.now_s

    def utc_s(self):
        return self.now_s

    def hundredths(self):
        return 0

    def deviation_min(self, at_utc_s):
        return -120 if utc_s(EUROPE[0]) <= at_utc_s < utc_s(EUROPE[1]) else -60


class Meter:
    def __init__(self, text, memory=None):
        self.memory = memory or Memory()
        self.clock = Clock(text)
        self.done = []
        self.boot()

    def boot(self):
        self.calendar = make(self.memory)
        settings = Settings(self.memory)
        self.schedule = SingleAction(
            settings, "billing_1_schedule", (BILLING, 1), ((BILLING, 1), (BILLING, 2))
        )
        self.tariff = tariff.Tariff(
            self.memory, self.clock, self.calendar, [self.schedule], self.execute
        )

    def execute(self, script, selector, at_utc_s):
        assert self.clock.settled_s == self.clock.now_s  # what ends now has ended before
        self.done.append((script, selector, at_utc_s))

    def until(self, text):
        """Let time run to this moment, as the task does."""
        end_s = utc_s(text)
        while self.clock.now_s < end_s:
            wait_s = self.tariff.poll()
            assert wait_s > 0
            self.clock.now_s = min(end_s, self.clock.now_s + wait_s)
        self.tariff.poll()

    def set_clock(self, text):
        old_s = self.clock.now_s
        self.clock.now_s = utc_s(text)
        self.clock.settle()  # a change of the clock ends periods by itself
        self.tariff.clock_changed(old_s, self.clock.now_s)
        self.tariff.poll()

    def calendar_of(self, actions, second_day=None):
        half = tables.Tables()
        half.set_seasons([(b"S", start(octets()), b"W")])
        half.set_weeks([(b"W", bytes([1, 1, 1, 1, 1, 2, 2]))])
        half.set_days([(1, actions), (2, second_day or actions)])
        self.calendar.put_passive(half)
        self.calendar.activate()
        self.tariff.wake()


def test_the_first_of_the_month_comes_over_a_year_end_and_by_local_time():
    meter = Meter("2026-12-20T00:00:00")
    meter.schedule.set_moments([FIRST_OF_MONTH])
    meter.until("2027-02-05T00:00:00")
    assert meter.done == [
        (BILLING, 1, utc_s("2026-12-31T23:00:00")),
        (BILLING, 1, utc_s("2027-01-31T23:00:00")),
    ]


def test_the_last_day_of_the_month_is_found_in_a_leap_year():
    meter = Meter("2028-02-01T00:00:00")
    meter.schedule.set_moments([(bytes([23, 45, 0, 0]), octets(day=0xFE))])
    meter.until("2028-03-05T00:00:00")
    assert [at for _, _, at in meter.done] == [utc_s("2028-02-29T22:45:00")]


def test_what_was_missed_while_off_is_done_once_at_power_up():
    meter = Meter("2026-01-20T00:00:00")
    meter.schedule.set_moments([FIRST_OF_MONTH])
    meter.tariff.poll()
    meter.clock.now_s = utc_s("2026-04-10T12:00:00")
    meter.boot()
    meter.tariff.poll()
    meter.tariff.poll()
    assert meter.done == [(BILLING, 1, utc_s("2026-01-31T23:00:00"))]
    meter.boot()
    meter.tariff.poll()
    assert len(meter.done) == 1


def test_a_new_meter_has_missed_nothing():
    meter = Meter("2026-04-10T12:00:00")
    meter.schedule.set_moments([FIRST_OF_MONTH])
    meter.tariff.poll()
    assert meter.done == []


def test_a_clock_set_forward_over_months_makes_one_entry_of_the_first_time():
    meter = Meter("2026-01-20T00:00:00")
    meter.schedule.set_moments([FIRST_OF_MONTH])
    meter.tariff.poll()
    meter.set_clock("2026-04-20T00:00:00")
    assert [at for _, _, at in meter.done] == [utc_s("2026-01-31T23:00:00")]


def test_a_clock_set_back_over_a_month_makes_one_entry_and_the_month_comes_again():
    meter = Meter("2026-02-03T00:00:00")
    meter.schedule.set_moments([FIRST_OF_MONTH])
    meter.tariff.poll()
    meter.set_clock("2026-01-30T00:00:00")
    assert [at for _, _, at in meter.done] == [utc_s("2026-02-28T23:00:00")]
    meter.until("2026-02-02T00:00:00")
    assert [at for _, _, at in meter.done[1:]] == [utc_s("2026-01-31T23:00:00")]


def test_a_jump_over_exact_dates_makes_one_entry_of_the_nearest():
    meter = Meter("2026-01-01T00:00:00")
    meter.schedule.set_moments([(MIDNIGHT, octets(2026, month, 10)) for month in (4, 2, 3)])
    meter.tariff.poll()
    meter.set_clock("2026-06-01T00:00:00")
    assert [at for _, _, at in meter.done] == [utc_s("2026-02-09T23:00:00")]


@pytest.mark.parametrize("moments", [[], [(b"\xff" * 4, b"\xff" * 5)]])
def test_no_moment_and_the_open_moment_never_come(moments):
    meter = Meter("2026-01-01T00:00:00")
    meter.schedule.set_moments(moments)
    meter.until("2026-02-05T00:00:00")
    assert meter.done == []


def test_four_moments_are_taken_and_the_fifth_is_refused():
    meter = Meter("2026-01-01T00:00:00")
    four = [(MIDNIGHT, octets(day=day)) for day in (1, 8, 15, 22)]
    meter.schedule.set_moments(four)
    with pytest.raises(ValueError, match="4 moments"):
        meter.schedule.set_moments([*four, (MIDNIGHT, octets(day=29))])
    assert meter.schedule.moments == four
    meter.boot()
    assert meter.schedule.moments == four


@pytest.mark.parametrize(
    ("number", "moments", "reason"),
    [
        (0, [], "1 to 5"),
        (6, [], "1 to 5"),
        (1, [FIRST_OF_MONTH] * 2, "one moment"),
        (3, [FIRST_OF_MONTH, (bytes([1, 0, 0, 0]), octets(day=2))], "one time"),
        (4, [FIRST_OF_MONTH], "exact"),
        (2, [FIRST_OF_MONTH], "exact"),
    ],
)
def test_a_type_that_the_moments_do_not_fit_is_refused(number, moments, reason):
    schedule = SingleAction(Settings(Memory()), "billing_1_schedule", (BILLING, 1))
    schedule.set_moments(moments)
    with pytest.raises(ValueError, match=reason):
        schedule.set_type(number)
    assert schedule.type == 5


def test_a_script_that_is_not_the_schedules_is_refused():
    meter = Meter("2026-01-01T00:00:00")
    with pytest.raises(ValueError, match="cannot execute"):
        meter.schedule.set_script(TARIFFS, 1)
    meter.schedule.set_script(BILLING, 2)
    meter.boot()
    assert (meter.schedule.script, meter.schedule.selector) == (BILLING, 2)


def test_the_repeated_hour_of_autumn_does_not_repeat_a_schedule():
    meter = Meter("2026-10-24T12:00:00")
    meter.schedule.set_moments([(bytes([2, 30, 0, 0]), octets(2026, 10, 25))])
    meter.until("2026-10-25T12:00:00")
    assert [at for _, _, at in meter.done] == [utc_s("2026-10-25T00:30:00")]


def test_the_missing_hour_of_spring_does_not_lose_a_schedule():
    meter = Meter("2026-03-28T12:00:00")
    meter.schedule.set_moments([(bytes([2, 30, 0, 0]), octets(2026, 3, 29))])
    meter.until("2026-03-29T12:00:00")
    assert len(meter.done) == 1


def tariffs_of(meter):
    """(UTC time, rate) of every tariff script that was carried out."""
    return [(at, selector) for script, selector, at in meter.done if script == TARIFFS]


DAY = [(6 * 3600, TARIFFS, 1), (22 * 3600 + 30, TARIFFS, 2)]


def test_the_calendar_switches_on_the_second():
    meter = Meter("2026-01-05T00:00:00")
    meter.calendar_of(DAY)
    meter.until("2026-01-06T00:00:00")
    assert tariffs_of(meter) == [
        (utc_s("2026-01-05T00:00:00"), 2),  # what began yesterday counts from now
        (utc_s("2026-01-05T05:00:00"), 1),
        (utc_s("2026-01-05T21:00:30"), 2),
    ]


@pytest.mark.row("TOU-14")
def test_power_up_after_two_missed_switches_makes_only_the_later_one():
    meter = Meter("2026-01-05T05:00:00")
    meter.calendar_of([(0, TARIFFS, 3), (7 * 3600, TARIFFS, 1), (10 * 3600, TARIFFS, 2)])
    meter.tariff.poll()
    meter.clock.now_s = utc_s("2026-01-05T09:30:00")
    meter.boot()
    meter.done.clear()
    meter.tariff.poll()
    meter.tariff.poll()
    assert [rate for _, rate in tariffs_of(meter)] == [2]


@pytest.mark.row("TOU-21")
def test_power_up_after_a_change_of_season_chooses_the_new_ones_rate():
    meter = Meter("2026-03-31T12:00:00")
    half = tables.Tables()
    half.set_seasons(
        [(b"WINTER", start(octets(month=10, day=1)), b"W1"),
         (b"SUMMER", start(octets(month=4, day=1)), b"W2")]
    )  # fmt: skip
    half.set_weeks([(b"W1", bytes([1] * 7)), (b"W2", bytes([2] * 7))])
    half.set_days([(1, [(0, TARIFFS, 1)]), (2, [(0, TARIFFS, 2)])])
    meter.calendar.put_passive(half)
    meter.calendar.activate()
    meter.tariff.wake()
    meter.tariff.poll()
    assert [rate for _, rate in tariffs_of(meter)] == [1]
    meter.done.clear()
    meter.clock.now_s = utc_s("2026-04-01T08:00:00")
    meter.boot()
    meter.tariff.poll()
    assert [rate for _, rate in tariffs_of(meter)] == [2]


def test_in_the_repeated_hour_the_rate_follows_local_time():
    meter = Meter("2026-10-24T12:00:00")
    night = [(0, TARIFFS, 1), (2 * 3600 + 1800, TARIFFS, 2)]
    meter.calendar_of(night)
    meter.until("2026-10-24T22:30:00")
    meter.done.clear()
    meter.until("2026-10-25T05:00:00")
    assert tariffs_of(meter) == [
        (utc_s("2026-10-25T00:30:00"), 2),  # 02:30 summer time
        (utc_s("2026-10-25T01:00:00"), 1),  # 02:00 again
        (utc_s("2026-10-25T01:30:00"), 2),
    ]


def test_a_clock_set_chooses_the_rate_of_the_new_time():
    meter = Meter("2026-01-05T04:00:00")
    meter.calendar_of(DAY)
    meter.tariff.poll()
    meter.done.clear()
    meter.set_clock("2026-01-05T12:00:00")
    assert [rate for _, rate in tariffs_of(meter)] == [1]


def test_the_passive_calendar_starts_by_itself():
    meter = Meter("2026-01-05T04:00:00")
    meter.tariff.schedules.append(meter.calendar)
    meter.calendar.set_start(start(octets(2026, 1, 6), 12))
    meter.until("2026-01-07T00:00:00")
    assert meter.done == [(meter.calendar.script, 1, utc_s("2026-01-06T11:00:00"))]


def test_a_script_that_is_refused_is_counted_and_the_next_one_comes():
    meter = Meter("2026-01-05T00:00:00")

    def refuse(script, selector, at_utc_s):
        meter.execute(script, selector, at_utc_s)
        raise MeterError

    meter.tariff._execute = refuse
    meter.calendar_of(DAY)
    meter.until("2026-01-06T00:00:00")
    assert meter.tariff.refused == len(meter.done) == 3


def test_a_script_knows_the_moment_it_acts_for(monkeypatch):
    meter = Meter("2026-01-05T00:00:00")
    monkeypatch.setattr(tariff.ticks, "now_ms", lambda: 1_000_000)
    seen = []
    meter.tariff._execute = lambda script, selector, at_utc_s: seen.append(
        meter.tariff.acting_ms()
    )
    meter.schedule.set_moments([(bytes([2, 0, 0, 0]), octets())])
    meter.tariff.poll()
    meter.clock.now_s = utc_s("2026-01-05T01:00:02")  # two seconds late
    meter.tariff.poll()
    assert seen == [998_000]
    assert meter.tariff.acting_ms() == 1_000_000


def test_a_dead_memory_does_not_stop_the_clockwork():
    meter = Meter("2026-01-20T00:00:00")
    meter.schedule.set_moments([FIRST_OF_MONTH])
    meter.tariff.poll()
    meter.memory.dead = True
    meter.until("2026-02-02T00:00:00")
    assert meter.tariff.failed
    assert len(meter.done) == 1


@pytest.mark.row("CLK-20")
def test_a_jump_over_billings_and_switches_makes_one_of_each():
    meter = Meter("2026-01-20T04:00:00")
    meter.schedule.set_moments([FIRST_OF_MONTH])
    meter.calendar_of(DAY)
    meter.tariff.poll()
    meter.done.clear()
    meter.set_clock("2026-04-20T04:30:00")  # 06:30 in summer time
    assert meter.done == [
        (BILLING, 1, utc_s("2026-01-31T23:00:00")),
        (TARIFFS, 1, utc_s("2026-04-20T04:30:00")),
    ]
