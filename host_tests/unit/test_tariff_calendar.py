"""The activity calendar against a model that walks the days, its limits and its two halves."""

import datetime
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))

import pytest
import tariff_reference as reference
from fram_fake import Memory
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tariff_patterns import names, octets

from app.settings import Settings
from app.storage import regions
from app.tariff import patterns, tables
from app.tariff.calendar import NEVER, Calendar
from app.tariff.special_days import SpecialDays

EPOCH = datetime.datetime(2000, 1, 1)
TARIFFS = bytes.fromhex("00000a0064ff")
RELAYS = bytes.fromhex("00000a0082ff")


def make(memory=None):
    memory = memory or Memory()
    stored = Settings(memory)
    return Calendar(memory, stored, SpecialDays(stored))


def start(date, hour=0, minute=0, second=0):
    return date + bytes([hour, minute, second, 0, 0x80, 0, 0xFF])


def local_s(moment):
    return int((moment - EPOCH).total_seconds())


def can_be(date):
    try:
        patterns.check_date(date)
    except ValueError:
        return False
    return True


def tables_of(calendar):
    half = tables.Tables()
    half.set_seasons(calendar["seasons"])
    half.set_weeks([(name, bytes(ids)) for name, ids in calendar["weeks"].items()])
    half.set_days(list(calendar["days"].items()))
    return half


def activated(calendar):
    meter = make()
    meter.put_passive(tables_of(calendar))
    meter.activate()
    meter.special_days.replace(
        [(number, date, day_id) for number, (date, day_id) in enumerate(calendar["special"])]
    )
    return meter


actions = st.lists(
    st.tuples(st.integers(0, 86399), st.sampled_from([TARIFFS, RELAYS]), st.integers(1, 8)),
    max_size=5,
)
calendars = st.fixed_dictionaries(
    {
        "seasons": st.lists(
            st.tuples(
                st.sampled_from([b"S1", b"S2", b"S3", b"S4"]),
                st.builds(
                    start,
                    st.builds(
                        octets,
                        st.sampled_from([0xFFFF, 0xFFFF, 2024]),
                        st.sampled_from([1, 3, 6, 10, 0xFF]),
                        st.sampled_from([1, 15, 29, 0xFE, 0xFF]),
                        st.sampled_from([0xFF, 0xFF, 7]),
                    ).filter(can_be),
                    st.sampled_from([0, 2, 23]),
                ),
                st.sampled_from([b"W1", b"W2"]),
            ),
            max_size=4,
            unique_by=lambda season: season[0],
        ),
        "weeks": st.fixed_dictionaries(
            {name: st.lists(st.integers(1, 3), min_size=7, max_size=7) for name in (b"W1", b"W2")}
        ),
        "days": st.fixed_dictionaries(dict.fromkeys((1, 2, 3), actions)),
        "special": st.lists(
            st.tuples(
                st.builds(
                    octets,
                    st.sampled_from([0xFFFF, 2024]),
                    st.sampled_from([1, 12, 0xFF]),
                    st.integers(1, 28),
                ),
                st.integers(1, 4),
            ),
            max_size=3,
        ),
    }
)
moments = st.datetimes(datetime.datetime(2023, 12, 20), datetime.datetime(2025, 1, 10))


@settings(max_examples=150)
@given(calendars, moments)
def test_the_action_in_force_is_that_of_the_model(calendar, moment):
    moment = moment.replace(microsecond=0)
    dues = activated(calendar).dues_at(local_s(moment))
    expected = reference.dues_at(calendar, moment, names)
    assert dues == [(local_s(begin), *what) for begin, *what in expected]


@settings(max_examples=60)
@given(calendars, moments)
def test_nothing_changes_before_the_next_change(calendar, moment):
    meter = activated(calendar)
    now_s = local_s(moment.replace(microsecond=0))
    next_s = meter.next_change(now_s)
    assert now_s < next_s <= (now_s // 86400 + 1) * 86400
    assert meter.dues_at(next_s - 1) == meter.dues_at(now_s)


def largest():
    days = [
        (number, [(second * 1800, TARIFFS, second % 8 + 1) for second in range(48)])
        for number in range(24)
    ]
    return {
        "seasons": [
            (b"SEASON%02d" % n, start(octets(month=n + 1, day=1)), b"WEEK__%02d" % n)
            for n in range(12)
        ],
        "weeks": {b"WEEK__%02d" % n: [n] * 7 for n in range(12)},
        "days": dict(days),
        "special": [(octets(month=12, day=25), 23)] * 64,
    }


@pytest.mark.row("TOU-02")
def test_the_largest_calendar_fits_and_one_entry_more_is_refused():
    calendar = largest()
    meter = activated(calendar)
    half = meter.active()
    assert (len(half.seasons), len(half.weeks), len(half.days)) == (12, 12, 24)
    assert all(len(half.actions(packed)) == 48 for _, packed in half.days)
    assert len(half.pack()) <= tables.PACKED_MAX
    assert len(meter.special_days.entries()) == 64
    with pytest.raises(ValueError, match="12 seasons"):
        half.set_seasons([*half.seasons, (b"S", start(octets()), b"W")])
    with pytest.raises(ValueError, match="12 weeks"):
        half.set_weeks([*half.weeks, (b"W", bytes(7))])
    with pytest.raises(ValueError, match="24 day"):
        half.set_days([(n, []) for n in range(25)])
    with pytest.raises(ValueError, match="48 actions"):
        half.set_days([(1, [(n, TARIFFS, 1) for n in range(49)])])
    with pytest.raises(ValueError, match="64 special"):
        meter.special_days.insert((64, octets(month=1, day=1), 1))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda half: half.set_name(b"x" * 17), "16 octets"),
        (lambda half: half.set_seasons([(b"", start(octets()), b"W")]), "1 to 8"),
        (lambda half: half.set_seasons([(b"123456789", start(octets()), b"W")]), "1 to 8"),
        (lambda half: half.set_seasons([(b"S", start(octets()), b"W")] * 2), "one name"),
        (lambda half: half.set_seasons([(b"S", start(octets(month=13)), b"W")]), "a month"),
        (lambda half: half.set_seasons([(b"S", start(octets(), 24), b"W")]), "time of day"),
        (lambda half: half.set_weeks([(b"W", bytes(7))] * 2), "one name"),
        (lambda half: half.set_days([(1, []), (1, [])]), "one id"),
        (
            lambda half: half.set_days([(1, [(n, bytes([n]) * 6, 1) for n in range(5)])]),
            "4 script tables",
        ),
    ],
)
def test_a_malformed_table_is_refused_and_the_old_one_stays(change, reason):
    half = tables_of(largest())
    before = half.pack()
    with pytest.raises(ValueError, match=reason):
        change(half)
    assert half.pack() == before


def test_a_half_that_points_nowhere_is_not_activated():
    meter = activated(largest())
    before = meter.active().pack()
    for season_week, week_day, reason in (
        (b"NONE", 1, "week that"),
        (b"W", 9, "day profile that"),
    ):
        half = tables.Tables()
        half.set_seasons([(b"S", start(octets()), season_week)])
        half.set_weeks([(b"W", bytes([week_day] * 7))])
        half.set_days([(1, [(0, TARIFFS, 1)])])
        meter.put_passive(half)
        with pytest.raises(ValueError, match=reason):
            meter.activate()
        assert meter.active().pack() == before


def test_a_damaged_active_half_is_known_as_damaged_and_asks_for_rate_one():
    memory = Memory()
    meter = make(memory)
    half = tables_of(
        {
            "seasons": [(b"S", start(octets()), b"W")],
            "weeks": {b"W": [1] * 7},
            "days": {1: [(0, TARIFFS, 3)]},
            "special": [],
        }
    )
    meter.put_passive(half)
    meter.activate()
    assert meter.due_at(1000)[2] == 3
    record = regions.open_record(memory, "calendar_active")
    for address in record._addresses:
        memory.octets[address + 10] ^= 1
    assert meter.due_at(1000) == (0, TARIFFS, 1)
    assert meter.damaged
    assert meter.active().days == []
    meter.put_passive(half)
    meter.activate()
    assert not meter.damaged
    assert meter.due_at(1000)[2] == 3


def test_a_calendar_of_a_later_firmware_is_not_replaced_and_that_is_no_reason_to_try_again():
    memory = Memory()
    meter = make(memory)
    later = regions.open_record(memory, "calendar_active")
    later.version += 1
    later.save(b"what nobody here understands")
    before = bytes(memory.octets)
    noted = []
    meter.before_activation = lambda: noted.append("a billing's entry")
    with pytest.raises(ValueError, match="later firmware"):
        meter.activate()
    assert noted == []
    assert bytes(memory.octets) == before


def test_a_chip_without_an_answer_has_no_calendar():
    meter = make()
    meter._memory.dead = True
    assert meter.due_at(1000) is None
    with pytest.raises(OSError):
        meter.put_passive(tables.Tables())


def test_the_passive_half_starts_at_its_moment_or_never():
    meter = make()
    assert meter.start == NEVER
    assert meter.first_between(0, 10**9) == -1
    meter.set_start(start(octets(2026, 7, 1), 12))
    noon = local_s(datetime.datetime(2026, 7, 1, 12))
    assert meter.first_between(noon - 10, noon) == noon
    for wrong in (start(octets(2026, 2, 30)), start(octets(), 25)):
        with pytest.raises(ValueError):
            meter.set_start(wrong)
    assert meter.first_between(noon - 10, noon) == noon


@pytest.mark.row("TOU-07")
def test_special_days_override_the_week_and_the_first_of_two_counts():
    calendar = {
        "seasons": [(b"S", start(octets()), b"W")],
        "weeks": {b"W": [1] * 7},
        "days": {n: [(0, TARIFFS, n)] for n in (1, 2, 3)},
        "special": [(octets(month=12, day=25), 2), (octets(2026, 12, 25), 3)],
    }
    meter = activated(calendar)
    christmas = local_s(datetime.datetime(2026, 12, 25, 8))
    assert meter.due_at(christmas)[2] == 2
    assert meter.due_at(christmas + 86400)[2] == 1
    meter.special_days.insert((0, octets(month=12, day=26), 3))  # same index: takes its place
    assert meter.due_at(christmas)[2] == 3
    meter.special_days.delete(1)
    assert meter.due_at(christmas)[2] == 1
    with pytest.raises(ValueError, match="no special day"):
        meter.special_days.delete(1)
    meter.special_days.replace([(5, octets(day=0xFE), 2), (6, octets(day=0xFD), 3)])
    assert meter.due_at(local_s(datetime.datetime(2028, 2, 29)))[2] == 2
    assert meter.due_at(local_s(datetime.datetime(2028, 2, 28)))[2] == 3
