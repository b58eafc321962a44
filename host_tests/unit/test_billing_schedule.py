"""Billings by schedule over clock jumps and outages, and power cuts on their way."""

import datetime
import sys
import zoneinfo
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

import billing as reference
import pytest
from billing_rig import BillingRig, PowerLost
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tariff_patterns import names, octets

import civil
from app.storage import rings
from app.tariff import billing
from app.tariff.schedule import FIRST_OF_MONTH, Midnights, SingleAction
from app.tariff.tariff import Tariff

EPOCH = datetime.datetime(2000, 1, 1)
HERE_S = 3600  # local time is an hour ahead of UTC, all the year
START = datetime.datetime(2026, 1, 20, 12)
SCRIPTS = ((billing.SCRIPTS, 1), (billing.SCRIPTS, 2))


class NoCalendar:
    """A calendar without actions."""

    script, selector = b"", 0

    def first_between(self, after_s, until_s, repeats=False):
        return -1

    def dues_at(self, local_s):
        return []

    def next_change(self, local_s):
        return (local_s // civil.DAY_S + 1) * civil.DAY_S


class ScheduledRig(BillingRig):
    """Two schedules of script 1 and 2, and the daily one if asked for.

    With `saving` local time is that of London, else an hour ahead of UTC.
    """

    def __init__(self, now=START, daily=False, saving=False):
        self.daily = daily
        self.saving = saving
        super().__init__()
        self.clock.configure(time_zone_min=0 if saving else -60, dst_enabled=saving)
        self.now_s = self.utc_of(now)
        self.boot()

    def utc_of(self, moment):
        if not self.saving:
            return utc_s(moment)
        there = moment.replace(tzinfo=zoneinfo.ZoneInfo("Europe/London"))
        return int((there - EPOCH.replace(tzinfo=datetime.timezone.utc)).total_seconds())

    def local_of(self, at_utc_s):
        return EPOCH + datetime.timedelta(
            minutes=-self.clock.deviation_min(at_utc_s), seconds=at_utc_s
        )

    def boot(self, cut_after=None):
        super().boot(cut_after)
        self.schedules = [
            SingleAction(self.settings, f"billing_{n}_schedule", SCRIPTS[n - 1], SCRIPTS)
            for n in (1, 2)
        ]
        schedules = [NoCalendar(), *self.schedules]
        if self.daily:
            schedules.append(Midnights(billing.SCRIPTS, billing.DAILY))
        self.tariff = Tariff(
            self.fram, self.clock, schedules[0], schedules, self.execute, self.done
        )
        self.clock.on_change.append(self.tariff.clock_changed)
        return self

    def execute(self, script, selector, at_utc_s):
        assert script == billing.SCRIPTS
        self.billing.capture(selector, billing.REGULAR, at_utc_s)

    def done(self, script, selector, at_utc_s):
        return script != billing.SCRIPTS or self.billing.did(selector, at_utc_s)

    def run_to(self, moment):
        end_s = self.utc_of(moment)
        self.tariff.poll()
        while self.now_s < end_s:
            next_s = self.tariff._utc_s(self.tariff._next_s, self.now_s)
            self.now_s = min(end_s, max(next_s, self.now_s + 1))
            self.clock._anchor_s = self.now_s
            self.tariff.poll()

    def leap_to(self, moment):
        self.now_s = self.utc_of(moment)
        self.boot()
        self.tariff.poll()

    def set_to(self, moment):
        self.now_s = self.utc_of(moment)
        self.clock.set_utc_s(self.now_s)
        self.tariff.poll()

    def entries(self):
        """(script, mark in local time) as they were captured."""
        return [
            (place + 1, self.local_of(row[0])) for place in range(3) for row in self.rows(place)
        ]


def utc_s(moment):
    return int((moment - EPOCH).total_seconds()) - HERE_S


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(rings.time, "sleep_ms", lambda _ms: None, raising=False)


def at(text):
    return datetime.datetime.fromisoformat(text)


@pytest.mark.row("BIL-07")
def test_the_first_of_the_month_comes_over_the_years_end():
    rig = ScheduledRig(at("2026-11-20 00:00"))
    rig.schedules[0].set_moments([FIRST_OF_MONTH])
    rig.run_to(at("2027-03-10 00:00"))
    months = ["2026-12", "2027-01", "2027-02", "2027-03"]
    assert rig.entries() == [(1, at(month + "-01 00:00")) for month in months]


@pytest.mark.row("BIL-09")
def test_the_last_day_of_each_month():
    rig = ScheduledRig()
    rig.schedules[0].set_moments([(bytes((23, 59, 0, 0)), octets(day=0xFE))])
    rig.run_to(at("2026-04-30 23:58"))
    days = ["01-31", "02-28", "03-31"]
    assert rig.entries() == [(1, at(f"2026-{day} 23:59")) for day in days]


@pytest.mark.row("BIL-10")
@pytest.mark.parametrize("target", ["2026-04-20 12:00", "2025-10-20 12:00"])
def test_three_months_forward_or_back_make_one_entry_with_the_new_time_in_the_log(target):
    rig = ScheduledRig()
    rig.schedules[0].set_moments([FIRST_OF_MONTH])
    rig.tariff.poll()
    rig.set_to(at(target))
    assert rig.entries() == [(1, at("2026-02-01 00:00"))]
    log = rig.book.logs[0]
    log.load(log.next - 1)
    assert log.row()[0] == utc_s(at(target))
    assert rig.codes() == [223, 231]


@pytest.mark.row("BIL-11")
def test_a_jump_over_three_exact_dates_makes_one_entry_of_the_first():
    rig = ScheduledRig()
    dates = [octets(2026, month, 10) for month in (4, 2, 3)]
    rig.schedules[0].set_moments([(bytes(4), date) for date in dates])
    rig.tariff.poll()
    rig.set_to(at("2026-06-01 12:00"))
    assert rig.entries() == [(1, at("2026-02-10 00:00"))]


@pytest.mark.row("BIL-12")
def test_a_billing_missed_while_off_is_done_at_power_up_with_the_events_of_then():
    rig = ScheduledRig()
    rig.schedules[0].set_moments([FIRST_OF_MONTH])
    rig.tariff.poll()
    rig.leap_to(at("2026-02-01 07:30"))
    assert rig.entries() == [(1, at("2026-02-01 00:00"))]
    log = rig.book.logs[0]
    log.load(log.next - 1)
    assert log.row()[0] == utc_s(at("2026-02-01 07:30"))
    rig.leap_to(at("2026-02-01 09:00"))
    assert len(rig.entries()) == rig.billing.count == 1


def test_a_clock_synchronised_back_over_midnight_does_not_repeat():
    rig = ScheduledRig(at("2026-01-31 23:59"), daily=True)
    rig.schedules[0].set_moments([FIRST_OF_MONTH])
    rig.run_to(at("2026-02-01 00:00"))
    rig.set_to(at("2026-01-31 23:59:52"))
    rig.run_to(at("2026-02-01 12:00"))
    assert rig.entries() == [(1, at("2026-02-01 00:00")), (3, at("2026-02-01 00:00"))]


def test_a_meter_that_does_not_know_the_time_waits_and_then_makes_up():
    rig = ScheduledRig()
    rig.schedules[0].set_moments([FIRST_OF_MONTH])
    rig.tariff.poll()
    rig.now_s = civil.utc_s(2001, 1, 1)
    rig.boot()
    rig.clock.invalid = True
    rig.clock.look = lambda: None  # the chip has lost the time for good
    rig.tariff.poll()
    rig.clock._anchor_s += 40 * civil.DAY_S
    rig.tariff.poll()
    assert rig.entries() == []
    rig.set_to(at("2026-02-03 12:00"))
    assert rig.entries() == [(1, at("2026-02-01 00:00"))]


def test_a_new_meter_whose_clock_is_set_has_missed_nothing():
    rig = ScheduledRig(at("2001-01-01 00:00"), daily=True)
    rig.clock.invalid = True
    rig.schedules[0].set_moments([FIRST_OF_MONTH])
    rig.tariff.poll()
    rig.set_to(at("2026-02-03 12:00"))
    assert rig.entries() == []


@pytest.mark.parametrize("memory", ["fram", "flash"])
def test_a_power_cut_anywhere_in_three_scheduled_billings_makes_one_of_each(memory):
    for cut in range(0, 4000, 3):
        rig = ScheduledRig(at("2026-01-31 23:59"), daily=True)
        for schedule in rig.schedules:
            schedule.set_moments([FIRST_OF_MONTH])
        rig.tariff.poll()
        rig.maximum = 4711
        getattr(rig, memory).cut_after = cut
        try:
            rig.run_to(at("2026-02-01 00:00"))
            whole = True
        except PowerLost:
            whole = False
        rig.leap_to(at("2026-02-01 00:10"))
        assert sorted(rig.entries()) == [(n, at("2026-02-01 00:00")) for n in (1, 2, 3)], cut
        assert (rig.billing.count, rig.maximum, rig.codes()) == (1, 0, [223, 231]), cut
        rig.leap_to(at("2026-02-01 00:20"))
        assert len(rig.entries()) == 3, cut
        if whole:
            return
    raise AssertionError("never whole")


def test_a_flash_that_is_silent_at_midnight_gets_the_entry_when_it_answers():
    rig = ScheduledRig(at("2026-01-31 23:59"))
    rig.schedules[0].set_moments([FIRST_OF_MONTH])
    rig.flash.dead = True
    rig.maximum = 5
    rig.run_to(at("2026-02-01 00:30"))
    assert (rig.billing.count, rig.maximum) == (0, 5)
    rig.flash_is_back()
    rig.run_to(at("2026-02-01 12:00"))
    rig.tariff.poll()
    assert rig.entries() == [(1, at("2026-02-01 00:00"))]
    assert rig.billing.count == 1


def test_a_fram_that_is_silent_at_the_start_keeps_what_is_missed():
    rig = ScheduledRig(at("2026-01-31 23:59"))
    rig.schedules[0].set_moments([FIRST_OF_MONTH])
    rig.tariff.poll()
    rig.fram.dead = True
    rig.leap_to(at("2026-02-01 00:10"))
    rig.fram.dead = False
    for _ in range(3):
        rig.clock._anchor_s += 60
        rig.tariff.poll()
    assert rig.entries() == []
    rig.leap_to(at("2026-02-01 00:30"))  # the meter starts anew when it answers
    assert rig.entries() == [(1, at("2026-02-01 00:00"))]


moments = st.tuples(
    st.tuples(
        st.sampled_from([0, 6, 23]), st.sampled_from([0, 30, 59]), st.just(0), st.just(0)
    ).map(bytes),
    st.builds(
        octets,
        st.sampled_from([0xFFFF, 0xFFFF, 2026]),
        st.sampled_from([0xFF, 0xFF, 1, 2, 3]),
        st.sampled_from([0xFF, 1, 15, 30, 0xFE, 0xFD]),
        st.sampled_from([0xFF, 0xFF, 1, 7]),
    ),
)
acts = st.lists(
    st.tuples(
        st.sampled_from(["run_to", "run_to", "leap_to", "set_to", "set_to"]),
        st.one_of(st.integers(1, 3 * 86400), st.integers(1, 60 * 86400), st.integers(1, 30)),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


def can_be(moment):
    from app.tariff import patterns

    try:
        patterns.check_date(moment[1])
    except ValueError:
        return False
    return True


@settings(max_examples=150)
@given(
    st.booleans(),
    st.lists(moments.filter(can_be), max_size=4),
    st.lists(moments.filter(can_be), max_size=2),
    acts,
)
def test_whatever_the_clock_does_the_entries_are_those_of_the_model(saving, first, second, steps):
    rig = ScheduledRig(saving=saving)
    for schedule, chosen in zip(rig.schedules, (first, second), strict=True):
        schedule.set_moments(chosen)
    rig.tariff.poll()
    model = reference.Model(
        [
            reference.Schedule(1, first, names),
            reference.Schedule(2, second, names),
        ],
        START,
    )
    for act, seconds, back in steps:
        sign = -1 if back and act == "set_to" else 1
        moment = model.now + datetime.timedelta(seconds=sign * seconds)
        getattr(model, act)(moment)
        getattr(rig, act)(moment)
    expected = sorted(model.entries, key=lambda entry: entry[0])
    assert rig.entries() == expected
