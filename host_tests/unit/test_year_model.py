"""The model of a year against what the rows say in figures: it is not to be trusted blindly."""

import datetime
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

import year_model
from year_calendar import EPOCH, Rates, Tables, utc_of

BERLIN = ZoneInfo("Europe/Berlin")
ALL_DAY = Tables("ALL", [(1, 1, "W")], {"W": [1] * 7}, {1: [((0, 0, 0), 2)]})


def utc(*fields):
    return utc_of(datetime.datetime(*fields, tzinfo=datetime.timezone.utc))


def model_at(first_s, load=(1200, 0), special=None):
    made = year_model.Model(first_s, BERLIN, lambda _s: load, lambda _s: [230] * 3, special or {})
    made.profiles[1] = year_model.Profile(900, [("energy", 1), ("average", 1)])
    made.begin(ALL_DAY)
    return made


def ends(model):
    return [row.times[0] for row in model.profiles[1].rows]


def statuses(model):
    return [row.status for row in model.profiles[1].rows]


@pytest.mark.parametrize(
    ("p", "q", "moving"),
    [
        (3000, 4000, {1: 3000, 3: 4000, 5: 4000, 9: 5000, 15: 3000, 16: 3000}),
        (-3000, 4000, {2: 3000, 3: 4000, 6: 4000, 10: 5000, 15: 3000, 16: -3000}),
        (-3000, -4000, {2: 3000, 4: 4000, 7: 4000, 10: 5000, 15: 3000, 16: -3000}),
        (3000, -4000, {1: 3000, 4: 4000, 8: 4000, 9: 5000, 15: 3000, 16: 3000}),
    ],
)
def test_each_quadrant_moves_its_registers(p, q, moving):
    """Rows MET-05 to MET-07: 3 kW and 4 kvar are 5 kVA."""
    found = dict(zip(year_model.ENERGIES, year_model.flows(p, q), strict=True))
    assert {c: power for c, power in found.items() if power} == moving


def test_what_no_meter_can_tell_is_open():
    """A watt beside 1035 var; ten watts decide."""
    for p, is_open in ((-1, True), (1, True), (-10, False), (0, False)):
        model = model_at(utc(2026, 1, 12, 10), (p, 1035))
        model.run(utc(2026, 1, 12, 10, 30))
        assert (model.open_wh > 0) == is_open
        assert model.open_wh in (0, pytest.approx(1035 / 2))
        assert (model.demand.last[9] is None) == is_open
        assert model.demand.last[3] == 1035


def test_300_wh_in_900_s_are_1200_w():
    """Row DEM-03."""
    model = model_at(utc(2026, 1, 12, 10))
    model.run(utc(2026, 1, 12, 10, 30))
    assert ends(model) == [utc(2026, 1, 12, 10, 15), utc(2026, 1, 12, 10, 30)]
    # the first period began with the comparison, so it is not certain
    assert [row.values for row in model.profiles[1].rows] == [[300, None], [600, 1200]]
    assert model.value(("maximum", 1, 2))[-1] == (1200, utc(2026, 1, 12, 10, 30), True)
    assert model.value(("rate", 1, 2)) == 600
    assert model.value(("rate", 1, 1)) == 0


@pytest.mark.parametrize(("day", "entries"), [((3, 29), 92), ((10, 25), 100), ((5, 4), 96)])
def test_days_have_23_25_and_24_hours(day, entries):
    month, number = day
    midnight = datetime.datetime(2026, month, number, tzinfo=BERLIN)
    after = (midnight + datetime.timedelta(days=1)).replace(tzinfo=BERLIN)
    model = model_at(utc_of(midnight))
    model.run(utc_of(after))
    assert len(ends(model)) == entries
    assert {status & year_model.DST for status in statuses(model)} == (
        {year_model.DST} if month == 5 else {0, year_model.DST}
    )


def test_a_clock_set_forward_over_an_end_marks_its_entry():
    """Row LPR-15: 10:07 to 10:50 gives 24 at 10:15, or at the jump."""
    model = model_at(utc(2026, 1, 12, 9, 45))
    model.run(utc(2026, 1, 12, 10, 7))
    model.set_clock(utc(2026, 1, 12, 10, 50))
    model.run(utc(2026, 1, 12, 10, 32))
    minutes = [(one - utc(2026, 1, 12, 10)) // 60 for one in ends(model)]
    assert minutes == [0, 15, 60, 75]
    assert statuses(model) == [0, 0x24, 0x24, 0]


def test_a_clock_set_back_gives_both_sets_of_entries():
    """Row LPR-07: 30 minutes back."""
    model = model_at(utc(2026, 1, 12, 10))
    model.run(utc(2026, 1, 12, 10, 50))
    model.set_clock(utc(2026, 1, 12, 10, 20))
    model.run(utc(2026, 1, 12, 11, 20))
    minutes = [(one - utc(2026, 1, 12, 10)) // 60 for one in ends(model)]
    assert minutes == [15, 30, 45, 30, 45]
    assert statuses(model) == [0, 0, 0, 0x24, 0]


def test_the_second_synchronisation_of_a_period_is_a_change():
    """Row DEM-12: 5 s and 5 s; an outage between them is no excuse for demand."""
    for outage in (False, True):
        model = model_at(utc(2026, 1, 12, 10))
        model.run(utc(2026, 1, 12, 10, 32))
        model.set_clock(model.clock_s() + 5)
        assert model.demand.end == (utc(2026, 1, 12, 10, 30), 0)
        if outage:
            model.cut()
            model.run(utc(2026, 1, 12, 10, 33))
            model.restore()
        model.run(utc(2026, 1, 12, 10, 34))
        model.set_clock(model.clock_s() - 5)
        assert model.demand.end == (utc(2026, 1, 12, 10, 34, 5), 0xA4 if outage else 0x24)
        model.run(utc(2026, 1, 12, 11, 0))
        model.set_clock(model.clock_s() + 5)  # one in each period
        model.run(utc(2026, 1, 12, 11, 16))
        model.set_clock(model.clock_s() - 5)
        assert model.demand.end == (utc(2026, 1, 12, 11, 15), 0)
        assert statuses(model)[:3] == [0, 0, 0x480 if outage else 0x24]


def test_a_clock_set_back_over_midnight_ends_the_day_at_once_and_again():
    """Row BIL-10 backwards: at once, dated with the next midnight, and when it comes again."""
    model = model_at(utc(2026, 1, 12, 22, 30))
    model.daily_keys = (("energy", 1),)
    model.run(utc(2026, 1, 12, 23, 10))
    model.set_clock(utc(2026, 1, 12, 22, 50))
    model.run(utc(2026, 1, 12, 23, 40))
    midnight_s = utc(2026, 1, 12, 23)
    assert [row.times[0] - midnight_s for row in model.daily] == [0, 86400, 0]


def test_the_current_is_that_of_ninety_seconds():
    model = model_at(utc(2026, 1, 12, 10))
    model.amps = lambda now_s: [now_s // 60 % 2 * 9.0]
    model.cut()
    model.restore()
    model.run(utc(2026, 1, 12, 10, 1))
    assert model.value(("amperes", 0)) is None  # not long enough
    model.run(utc(2026, 1, 12, 10, 6))
    assert model.value(("amperes", 0)) == 6.0
    model.run(utc(2026, 1, 12, 10, 7))
    assert model.value(("amperes", 0)) == 3.0


def test_two_hours_without_power_leave_a_gap():
    """Row LPR-14."""
    model = model_at(utc(2026, 1, 12, 10))
    model.run(utc(2026, 1, 12, 10, 20))
    model.cut()
    model.run(utc(2026, 1, 12, 12, 20))
    model.restore()
    model.run(utc(2026, 1, 12, 12, 45))
    minutes = [(one - utc(2026, 1, 12, 10)) // 60 for one in ends(model)]
    assert minutes == [15, 135, 150, 165]
    assert statuses(model) == [0, 0x84, 0x84, 0]
    assert model.value(("energy", 1)) == 1200 * 45 / 60


def test_a_billing_takes_the_maxima_once():
    """Rows BIL-05, BIL-10, BIL-12, DEM-07."""
    model = model_at(utc(2026, 1, 31, 22))
    model.billing_keys = [("billings",), ("maximum", 1, 0)]
    model.bills_at = lambda local: local.day == 1 and not local.hour and not local.minute
    model.run(utc(2026, 1, 31, 23, 20))
    (row,) = model.billing
    assert row.times == (utc(2026, 1, 31, 23),)
    assert row.values[0] == 0
    assert row.values[1][-1][:2] == (1200, utc(2026, 1, 31, 23))
    assert [end for _, end, _ in model.value(("maximum", 1, 0))] == [utc(2026, 1, 31, 23, 15)]
    model.set_clock(utc(2026, 4, 15, 12))  # over three
    assert [row.times for row in model.billing[1:]] == [(utc(2026, 2, 28, 23),)]
    model.cut()
    model.run(model.true_s + 20 * 86400)
    model.restore()
    assert model.billing[2].times == (utc(2026, 4, 30, 22), model.clock_s())


def test_seasons_weekends_and_holidays_choose_the_day():
    tables = Tables(
        "T",
        [(4, 1, "S"), (10, 1, "W")],
        {"S": [1, 1, 1, 1, 1, 2, 2], "W": [2] * 7},
        {1: [((6, 0, 0), 1), ((22, 0, 30), 3)], 2: [((8, 0, 0), 4)], 3: [((0, 0, 0), 5)]},
    )
    rates = Rates(BERLIN, {(None, 5, 1): 3, (2026, 4, 6): 3})
    assert rates.at(0) == 0
    rates.take(tables)

    def rate(*fields):
        moment = datetime.datetime(*fields, tzinfo=BERLIN)
        return rates.at(round((moment - EPOCH).total_seconds()))

    assert [rate(2026, 4, 7, 6), rate(2026, 4, 7, 22, 0, 29), rate(2026, 4, 7, 22, 0, 30)] == [
        1,
        1,
        3,
    ]
    assert rate(2026, 4, 8, 5, 59, 59) == 3  # yesterday's last action goes on
    assert rate(2026, 4, 11, 8) == 4  # Saturday
    assert rate(2026, 1, 5, 9) == 4  # winter began last year
    assert rate(2026, 5, 1, 12) == rate(2027, 5, 1, 12) == rate(2026, 4, 6, 12) == 5
    assert rate(2027, 4, 6, 12) == 1
