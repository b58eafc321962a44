"""The year that tools/tariff shows, against the meter's own calendar, and its pictures."""

import datetime
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip("dateutil")
sys.path.append(str(ROOT / "tools"))
sys.path.append(str(Path(__file__).resolve().parent))

import tariff_file
import tariff_text
from tariff_model import Action, Day, Season, SpecialDay, Tables
from tariff_year import Year, spans
from test_tariff_calendar import TARIFFS, activated, calendars, local_s, start
from test_tariff_patterns import octets

EXAMPLES = ROOT / "tools" / "tariffs"


def example(name):
    tariff, _ = tariff_file.load(EXAMPLES / f"{name}.toml")
    return tariff


def tables_of(calendar):
    """The same calendar as the tool has it; of one table, the last action of a second."""
    days = []
    for day_id, actions in calendar["days"].items():
        last = {}
        for second, script, selector in actions:
            table = "0-0:10.0.100" if script == TARIFFS else "0-0:10.0.130"
            last[second, table] = Action(second, selector, table)
        days.append(Day(day_id, tuple(sorted(last.values(), key=lambda one: one.second))))
    return Tables(
        b"X",
        [Season(*season) for season in calendar["seasons"]],
        {name: tuple(ids) for name, ids in calendar["weeks"].items()},
        days,
        [SpecialDay(n, date, day_id) for n, (date, day_id) in enumerate(calendar["special"])],
    )


def rate_at(year, moment):
    day = year.days[(moment.date() - datetime.date(year.year, 1, 1)).days]
    second = moment.hour * 3600 + moment.minute * 60 + moment.second
    return next(rate for begin, end, rate in spans(day.switches) if begin <= second < end)


@settings(max_examples=80)
@given(calendars, st.data())
def test_every_moment_of_the_year_has_the_rate_that_the_meter_switches(calendar, data):
    number = data.draw(st.sampled_from([2023, 2024]))
    year = Year(tables_of(calendar), number)
    meter = activated(calendar)
    first = datetime.datetime(number, 1, 1)
    borders = {0, 86400 * 365 - 1}
    for n in data.draw(st.lists(st.integers(0, 364), max_size=6)):
        borders |= {n * 86400 + begin for begin, _ in year.days[n].switches}
        borders |= {n * 86400 - 1, n * 86400 + data.draw(st.integers(0, 86399))}
    for second in borders | {second - 1 for second in borders}:
        if not 0 <= second < 365 * 86400:
            continue
        moment = first + datetime.timedelta(seconds=second)
        for _, script, selector in meter.dues_at(local_s(moment)):
            if script == TARIFFS:  # else none is due for more than a week, and what was goes on
                assert rate_at(year, moment) == selector, moment


def test_a_season_that_begins_within_a_day_asks_what_was_before_that_day():
    """The new season has no action on Sunday, so Friday's last holds again, as on the meter."""
    calendar = {
        "seasons": [
            (b"S1", start(octets(0xFFFF, 6, 1, 7), second=2), b"W2"),
            (b"S2", start(octets(0xFFFF, 1, 1)), b"W1"),
        ],
        "weeks": {b"W1": [1, 1, 1, 1, 2, 1, 2], b"W2": [1] * 7},
        "days": {1: [], 2: [(0, TARIFFS, 1), (64822, TARIFFS, 7)]},
        "special": [],
    }
    year, meter = Year(tables_of(calendar), 2023), activated(calendar)
    for text, rate in (
        ("2023-06-02T18:00:22", 7),
        ("2023-06-04T00:00:01", 1),
        ("2023-06-04T00:00:02", 7),
        ("2023-06-09T00:00:00", 7),
    ):
        moment = datetime.datetime.fromisoformat(text)
        assert rate_at(year, moment) == rate, text
        assert [due[1:] for due in meter.dues_at(local_s(moment))] == [(TARIFFS, rate)], text


def test_a_season_holiday_and_weekend_decide_as_the_file_says():
    year = Year(example("seasons").tables, 2027)
    for text, rate in (
        ("2027-01-04T16:29:59", 2),
        ("2027-01-04T16:30:00", 1),
        ("2027-01-01T17:00:00", 3),  # New Year
        ("2027-03-27T12:00:00", 2),  # the last winter Saturday
        ("2027-03-29T18:00:00", 3),  # Easter Monday
        ("2027-03-30T18:00:00", 1),  # summer has begun on Sunday
        ("2027-05-17T19:00:00", 3),  # Whit Monday
        ("2027-10-29T18:30:00", 1),  # Friday, the last summer workday
        ("2027-11-01T18:30:00", 1),
        ("2027-11-01T20:30:00", 2),
    ):
        assert rate_at(year, datetime.datetime.fromisoformat(text)) == rate, text
    assert sum(year.hours().values()) == 8760


@pytest.mark.parametrize("number", [2000, 2001, 2096, 2099])
def test_the_first_and_the_last_years_of_the_calendar_can_be_shown(number):
    for name in ("day-night", "seasons", "largest"):
        year = Year(example(name).tables, number)
        assert len(year.days) == (366 if number % 4 == 0 else 365)
        if name != "seasons":  # its seasons begin in March 2000
            assert 0 not in year.hours()


def test_without_a_season_or_an_action_there_is_no_rate():
    assert Year(Tables(b"X"), 2027).hours() == {0: 8760}
    late = example("day-night").tables
    late.seasons[0] = Season(b"S", bytes.fromhex("07eb0701ff060000008000ff"), b"WEEK")
    year = Year(late, 2027)
    assert year.hours()[0] == 181 * 24 + 6
    assert rate_at(year, datetime.datetime(2027, 7, 1, 6)) == 1


def test_the_text_has_a_line_for_each_kind_of_day_and_all_holidays():
    text = tariff_text.text(
        example("seasons"), Year(example("seasons").tables, 2027), colored=False
    )
    lines = text.splitlines()
    assert "\x1b" not in text and lines[0] == "SEASONS-3, 2027"
    assert "  3  low, 0.219 EUR/kWh, 4870 h (56 %)" in lines
    [day] = {line for line in lines if "winter-workday" in line}
    assert day.split() == [
        "Mon-Fri",
        "winter-workday",
        "3" * 12 + "2" * 21 + "1" * 7 + "2" * 4 + "3" * 4,
    ]
    assert len([line for line in lines if line.startswith("  2027-")]) == 9
    colored = tariff_text.text(
        example("seasons"), Year(example("seasons").tables, 2027), colored=True
    )
    assert "\x1b[48;5;" in colored


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_picture_has_a_row_a_day_in_the_colours_of_the_rates(tmp_path, ending):
    pytest.importorskip("matplotlib")
    import tariff_picture

    tariff = example("seasons")
    target = tmp_path / f"year.{ending}"
    tariff_picture.draw(tariff, Year(tariff.tables, 2027), target)
    octets = target.read_bytes()
    assert octets.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending])
    if ending != "png":
        return
    from PIL import Image

    with Image.open(target) as picture:
        found = {color: count for count, color in picture.convert("RGB").getcolors(1 << 24)}
    shades = tariff_picture.colors(tariff, [1, 2, 3])
    counts = [found[tuple(bytes.fromhex(shades[rate][1:]))] for rate in (1, 2, 3)]
    hours = Year(tariff.tables, 2027).hours()
    for rate, count in enumerate(counts, 1):
        assert count / sum(counts) == pytest.approx(hours[rate] / 8760, abs=0.01)


def test_a_picture_of_another_kind_is_refused(tmp_path):
    pytest.importorskip("matplotlib")
    import tariff_picture

    tariff = example("day-night")
    for name in ("year.bmp", "year"):
        with pytest.raises(ValueError, match="ends in"):
            tariff_picture.draw(tariff, Year(tariff.tables, 2027), tmp_path / name)
    with pytest.raises(OSError):
        tariff_picture.draw(tariff, Year(tariff.tables, 2027), tmp_path / "no" / "year.png")
