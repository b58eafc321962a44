"""tools/tariff: what a file may say, mistakes with their lines, files made of a meter's tables."""

import datetime
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip("dateutil")
sys.path.append(str(ROOT / "tools"))

import tariff_dates as dates
import tariff_file
import tariff_text
import tariff_toml
from tariff_model import Action, Day, Season, SpecialDay, Tables, Tariff
from tariff_reader import Reader
from tariff_year import Year

from app.tariff import patterns, special_days, tables

GOOD = """\
name = "HOME"
currency = "EUR"

[rates]
day = { number = 1, price = 0.30 }
night = 2

[days.work]
"00:00" = "night"
"06:00" = "day"
"22:00:30" = "night"

[days.rest]
"00:00" = "continue"
"08:00" = { selector = 3 }
"09:00" = "night"

[weeks]
W = { mon-fri = "work", sat-sun = "rest" }
"""


def parsed(source):
    tariff, problems = tariff_file.parse(source)
    assert (tariff is None) == any(not problem.warning for problem in problems)
    return tariff, [str(problem) for problem in problems]


def test_a_file_becomes_the_tables_of_the_meter():
    tariff, problems = parsed(GOOD)
    assert problems == []
    assert tariff.tables == Tables(
        b"HOME",
        [Season(b"YEAR", bytes.fromhex("ffff0101ff000000008000ff"), b"W")],
        {b"W": (1, 1, 1, 1, 1, 2, 2)},
        [
            Day(1, (Action(0, 2), Action(21600, 1), Action(79230, 2))),
            Day(2, (Action(28800, 3), Action(32400, 2))),
        ],
    )
    assert tariff.rate(1).price == 0.3 and tariff.activate == "now"


@pytest.mark.parametrize("name", ["day-night", "seasons", "largest"])
def test_the_examples_are_good_and_the_meter_takes_them(name):
    tariff, problems = tariff_file.load(ROOT / "tools" / "tariffs" / f"{name}.toml")
    assert tariff is not None and problems == []
    accept(tariff.tables)
    if name == "largest":
        found = tariff.tables
        assert len(found.seasons) == 12 and len(found.weeks) == 12 and len(found.days) == 24
        assert {len(day.actions) for day in found.days} == {48}
        assert len(found.special_days) == 64 and len(found.name) == 16


def accept(found):
    """Put tables through the meter's own checks."""
    half = tables.Tables()
    half.set_name(found.name)
    half.set_seasons([(s.name, s.start, s.week) for s in found.seasons])
    half.set_weeks([(name, bytes(ids)) for name, ids in found.weeks.items()])
    script = bytes.fromhex("00000a0064ff")
    half.set_days(
        [(d.id, [(a.second, script, a.selector) for a in d.actions]) for d in found.days]
    )
    half.check_links()
    for entry in found.special_days:
        patterns.check_date(entry.date)
    assert len(found.special_days) <= special_days.ENTRIES_MAX
    return half


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('name = "HOME"', "", 0, "has no name"),
        ('name = "HOME"', 'name = ""', 1, "is empty"),
        ('name = "HOME"', f'name = "{"x" * 17}"', 1, "17 octets"),
        ('name = "HOME"', "name = 7", 1, "is a text, not 7"),
        ('currency = "EUR"', 'curency = "EUR"', 2, 'is "currency" meant?'),
        ('currency = "EUR"', 'currency = "\\u001b[2J"', 2, "cannot be shown"),
        ('currency = "EUR"', 'activate = "soon"', 2, '"soon" is no activation'),
        ('currency = "EUR"', "activate = 1999-01-01", 2, "2000 to 2099"),
        ('currency = "EUR"', "activate = 2027-01-01T00:00:00Z", 2, "no offset"),
        ('currency = "EUR"', "years = { from = 2030, to = 2027 }", 2, "2030 is after 2027"),
        ('currency = "EUR"', "years = [2030]", 2, "{ from = 2027"),
        ("number = 1", "number = 0", 5, "from 1 to 8, not 0"),
        ("night = 2", "night = 9", 6, "from 1 to 8, not 9"),
        ("night = 2", "night = true", 6, "not true"),
        ("night = 2", "night = 1", 6, '"day" is rate 1 already'),
        ("price = 0.30", "price = nan", 5, "is a number"),
        ("price = 0.30", 'color = "red"', 5, "#rrggbb"),
        ('"00:00" = "night"', "", 8, 'begins at 06:00; say what holds from "00:00" on'),
        ('"06:00" = "day"', '"24:00" = "day"', 10, 'from "00:00" to "23:59:59"'),
        ('"06:00" = "day"', '"6" = "day"', 10, "no time of day"),
        ('"06:00" = "day"', '"22:00:30" = "day"', 11, "this name is there already"),
        ('"06:00" = "day"', '"0:00:00" = "day"', 10, '"00:00" is the same time'),
        ('"06:00" = "day"', "06:00 = 3", 10, "stands in quotation marks"),
        ('"06:00" = "day"', '"06:00" = "dya"', 10, 'is "day" meant?'),
        ('"06:00" = "day"', '"06:00" = "continue"', 10, "belongs to 00:00"),
        ('"06:00" = "day"', '"06:00" = { selector = 70000 }', 10, "0 to 65535"),
        ('"06:00" = "day"', '"06:00" = ["day", "night"]', 10, "two scripts of 0-0:10.0.100"),
        ('"06:00" = "day"', '"06:00" = [["day"]]', 10, "not a list"),
        ('"06:00" = "day"', '"06:00" = { script = "x" }', 10, 'written "0-0:10.0.100"'),
        ("[days.rest]", "[days.rest]\nid = 256", 14, "0 to 255"),
        ('mon-fri = "work"', 'mon-fri = "workk"', 19, 'is "work" meant?'),
        ("mon-fri", "mon-thu", 19, "friday is missing"),
        ("mon-fri", "mon-sat", 19, "saturday is there twice"),
        ("mon-fri", "fryday", 19, "is no weekday"),
        ("W = {", "123456789 = {", 19, "9 octets"),
        ("[weeks]", "[wekes]", 18, 'is "weeks" meant?'),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(old, new, line, words):
    assert GOOD.count(old) == 1 or old in ("[weeks]",)
    tariff, problems = parsed(GOOD.replace(old, new))
    assert tariff is None
    place = f"line {line}: " if line else ""
    assert any(p.startswith(place) and words in p and "Traceback" not in p for p in problems), (
        problems
    )


SEASONS = GOOD + '[seasons]\nA = { start = "04-01", week = "W" }\n[holidays]\n'  # lines 20 to 22


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('"04-01"', '"02-30"', 21, "never comes"),
        ('"04-01"', '"04-01 24:00"', 21, "no time of day"),
        ('"04-01"', '"easter"', 21, "cannot begin with Easter"),
        ('"04-01"', "3", 21, "a date is wanted"),
        ('week = "W"', 'week = "X"', 21, 'no week "X"'),
        ('start = "04-01", ', "", 21, "has no start"),
        ("[holidays]\n", 'B = { start = "04-01", week = "W" }', 22, '"A" begins at the same time'),
        ("[holidays]\n", 'B = "04-01"', 22, 'is { start = "10-01"'),
        ("[holidays]\n", '"\\u0041" = { start = "05-01", week = "W" }', 22, "already"),
        ("[holidays]\n", '[holidays]\nx = { date = "easter", day = "rest" }', 0, "need years ="),
        ("[holidays]\n", '[holidays]\nx = { day = "rest" }', 23, "not nothing"),
        ("[holidays]\n", '[holidays]\nx = { date = 2027-02-29, day = "rest" }', 23, "not TOML"),
        ("[holidays]\n", '[holidays]\nx = { date = "13-01", day = "rest" }', 23, "never comes"),
        ("[holidays]\n", '[holidays]\nx = { date = "05-01", day = "b" }', 23, "no day type"),
        (
            "[holidays]\n",
            '[holidays]\nx = {date = "05-01", day = "rest"}\ny = {date = "5-1", day = "work"}',
            24,
            '"x" has the same date 05-01',
        ),
        (
            "[holidays]\n",
            '[holidays]\nx={date="05-01",day="rest",index=1}\ny={date="05-02",day="rest",index=1}',
            24,
            '"x" has this index already',
        ),
    ],
)
def test_a_mistake_in_seasons_and_holidays_is_told(old, new, line, words):
    tariff, problems = parsed(SEASONS.replace(old, new))
    assert tariff is None
    place = f"line {line}: " if line else ""
    assert any(p.startswith(place) and words in p for p in problems), problems


def test_one_entry_more_than_the_meter_takes_is_refused():
    source = (ROOT / "tools" / "tariffs" / "largest.toml").read_text()
    for old, new, words in (
        ("[seasons]", '[seasons]\nmore = { start = "01-02", week = "jan" }', "12 seasons"),
        ("[weeks]", '[weeks]\nmore = { every-day = "jan-workday" }', "12 weeks"),
        ("[days]", '[days]\nmore = { "00:00" = "step1" }', "24 day types"),
        ('{ "00:00" =', '{ "00:10" = "step1", "00:00" =', "the meter takes 48"),
        ("[holidays]", '[holidays]\nmore = { date = "02-02", day = "jan-workday" }', "takes 64"),
        (
            "[holidays]",
            '[holidays]\nmore = { date = "easter", day = "jan-workday" }',
            "need years",
        ),
        ("step8 = {", "step9 = 9\nstep8 = {", "1 to 8"),
    ):
        tariff, problems = parsed(source.replace(old, new, 1))
        assert tariff is None and any(words in problem for problem in problems), (words, problems)


def test_all_mistakes_come_at_once_and_warnings_do_not_stop():
    source = GOOD.replace("night = 2", "night = 10").replace("mon-fri", "mon-thu")
    _, problems = parsed(source)
    assert len([problem for problem in problems if "warning" not in problem]) == 2
    tariff, problems = parsed(GOOD + '[days.never]\n"00:00" = "day"\n')
    assert tariff is not None
    assert any("warning: days.never: no week and no holiday has it" in p for p in problems)


def test_holidays_move_with_easter_year_by_year():
    # Easter Sundays of 2026 to 2028 by the Gregorian and the Julian rule (published tables)
    source = SEASONS + 'a = {date = "easter-2", day = "rest"}\n'
    source += 'b = {date = "orthodox easter", day = "rest"}\n'
    source = "years = { from = 2026, to = 2028 }\n" + source
    tariff, _ = parsed(source)
    assert [dates.date_text(entry.date) for entry in tariff.tables.special_days] == [
        "2026-04-03", "2027-03-26", "2028-04-14", "2026-04-12", "2027-05-02", "2028-04-16",
    ]  # fmt: skip
    assert [entry.index for entry in tariff.tables.special_days] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"name = '\x80'", b"\x00", b"x = " + b"[" * 9999]
)
def test_what_is_no_text_is_refused(tmp_path, content):
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    tariff, problems = tariff_file.load(path)
    assert tariff is None and len(problems) == 1


def test_what_is_no_file_or_too_big_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none", Path("/dev/zero"), Path("a\0b")):
        tariff, problems = tariff_file.load(path)
        assert tariff is None and len(problems) == 1 and str(problems[0])


def test_a_byte_order_mark_and_other_line_ends_are_taken(tmp_path):
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert tariff_file.load(path)[0] is not None


_WORDS = """name description currency activate years rates days weeks seasons holidays id number
price color start week date day index script selector 00:00 06:00 25:00 monday sat-sun every-day
from to rest W x"""
_KEYS = st.sampled_from(_WORDS.split()) | st.text(max_size=12)
_LEAVES = (
    st.sampled_from(
        ["W", "rest", "continue", "easter+1", "05-01", "last sunday of march", "x", ""]
    )
    | st.text(max_size=20)
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.booleans()
    | st.dates()
    | st.times()
    | st.datetimes()
)
_TREES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=6),
    max_leaves=30,
)  # fmt: skip


@settings(max_examples=200)
@given(st.dictionaries(_KEYS, _TREES, max_size=9))
def test_any_tree_of_toml_gives_a_tariff_or_sentences(tree):
    reader = Reader(tree)
    tariff = reader.read()
    for finding in reader.found:
        assert finding.text and len(finding.text) < 500
        assert tariff_file.key_text(finding.path) is not None
    if not any(not finding.warning for finding in reader.found):
        accept(tariff.tables)


@settings(max_examples=200)
@given(st.data())
def test_a_good_file_with_one_value_changed_gives_a_tariff_or_sentences(data):
    tree = tariff_file.tomllib.loads("years = {from=2026, to=2027}\n" + SEASONS
                                     + 'x = {date = "easter", day = "rest"}\n')  # fmt: skip
    node = tree
    while isinstance(node, dict) and node:
        key = data.draw(st.sampled_from(sorted(node)))
        if not isinstance(node[key], dict) or data.draw(st.booleans()):
            node[key] = data.draw(_TREES)
            break
        node = node[key]
    reader = Reader(tree)
    tariff = reader.read()
    if not any(not finding.warning for finding in reader.found):
        accept(tariff.tables)


@settings(max_examples=200)
@given(st.data())
def test_a_file_with_text_changed_anywhere_is_read_or_refused(data):
    at = data.draw(st.integers(0, len(SEASONS)))
    end = data.draw(st.integers(at, min(len(SEASONS), at + 9)))
    parsed(SEASONS[:at] + data.draw(st.text(max_size=5)) + SEASONS[end:])


def _date_octets():
    number = st.integers(0, 255)
    return st.builds(
        lambda y, m, d, w: bytes((y >> 8, y & 255, m, d, w)),
        st.sampled_from([0xFFFF, 2000, 2027, 2099]),
        st.sampled_from([*range(1, 13), 255]) | number,
        st.sampled_from([*range(1, 32), 0xFD, 0xFE, 255]),
        st.sampled_from([*range(1, 8), 255]),
    ).filter(_names_a_day)


def _names_a_day(octets):
    try:
        patterns.check_date(octets)
    except ValueError:
        return False
    return True


@settings(max_examples=500)
@given(_date_octets())
def test_every_date_that_a_meter_can_have_has_a_text(octets):
    assert dates.parse_date(dates.date_text(octets)) == octets


def test_nth_weekdays_are_those_of_the_meters_own_rule():
    for text, year, day in (
        ("first monday of september", 2026, (9, 7)),
        ("fourth thursday of november", 2026, (11, 26)),
        ("last monday of may", 2027, (5, 31)),
        ("second sunday of may", 2027, (5, 9)),
    ):
        number = (datetime.date(year, *day) - datetime.date(2000, 1, 1)).days
        assert patterns.date_matches(dates.parse_date(text), number)
        assert not patterns.date_matches(dates.parse_date(text), number + 7)
        assert not patterns.date_matches(dates.parse_date(text), number - 7)


_NAMES = st.binary(min_size=1, max_size=8)
_ACTIONS = st.lists(
    st.builds(Action, st.sampled_from([0, 7, 21600]), st.integers(0, 65535),
              st.sampled_from(["0-0:10.0.100", "0-1:10.0.106"]))
    | st.builds(Action, st.integers(0, 86399), st.integers(1, 8)),
    max_size=6, unique_by=lambda action: (action.second, action.script),
)  # fmt: skip


@st.composite
def meters_tables(draw):
    ids = draw(st.lists(st.integers(0, 255), min_size=1, max_size=5, unique=True))
    days = [
        Day(day_id, tuple(sorted(draw(_ACTIONS), key=lambda action: action.second)))
        for day_id in ids
    ]
    one = st.sampled_from(ids)
    names = draw(st.lists(_NAMES, min_size=1, max_size=3, unique=True))
    weeks = {name: tuple(draw(st.lists(one, min_size=7, max_size=7))) for name in names}
    starts = draw(st.lists(_date_octets(), max_size=3, unique=True))
    second = draw(st.integers(0, 86399))
    seasons = [
        Season(name, dates.date_time(start, second), draw(st.sampled_from(names)))
        for name, start in zip(draw(st.lists(_NAMES, min_size=3, max_size=3, unique=True)), starts)
    ]
    when = draw(st.lists(_date_octets(), max_size=4, unique=True))
    indices = draw(st.lists(st.integers(0, 65535), min_size=4, max_size=4, unique=True))
    special = [
        SpecialDay(index, date, draw(one | st.integers(0, 255)))
        for index, date in zip(indices, when)
    ]
    name = draw(st.binary(min_size=1, max_size=16))
    return Tables(name, seasons, weeks, days, special)


@settings(max_examples=60)
@given(meters_tables())
def test_a_file_written_from_a_meter_gives_the_same_tables_again(found):
    tariff = Tariff(found)
    tariff.rates = [tariff.rate(number) for number in found.rates_used()]
    tariff.day_names = {day.id: f"day-{day.id}" for day in found.days}
    tariff.activate = None
    text = tariff_toml.text(tariff, "from\na meter")
    again, problems = tariff_file.parse(text)
    wrong = [problem for problem in problems if not problem.warning]
    if not tariff.rates:  # a calendar of other scripts alone; the file says so
        assert [problem.where for problem in wrong] == ["rates"]
        return
    assert again is not None, (text, wrong)
    assert again.tables == found
    year = Year(again.tables, 2027)
    assert sum(year.hours().values()) == pytest.approx(8760)
    assert tariff_text.text(again, year, colored=True)


@pytest.mark.parametrize("name", ["day-night", "seasons", "largest"])
def test_an_example_survives_being_written_from_its_tables(name):
    tariff, _ = tariff_file.load(ROOT / "tools" / "tariffs" / f"{name}.toml")
    again, problems = tariff_file.parse(tariff_toml.text(tariff, "again"))
    assert again is not None and not [problem for problem in problems if not problem.warning]
    assert again.tables == tariff.tables and again.rates == tariff.rates


def test_the_document_says_what_the_program_takes():
    document = (ROOT / "docs" / "tariff.md").read_text()
    source = document.split("```toml\n")[1].split("```")[0]
    tariff, problems = parsed(source)
    example, _ = tariff_file.load(ROOT / "tools" / "tariffs" / "day-night.toml")
    assert problems == [] and tariff.tables == example.tables
    table = document.split("| written | means |")[1].split("\n\n")[0]
    texts = re.findall(r'`"([^"`]+)"`', table)
    assert len(texts) >= 12
    for text in texts:
        assert dates.parse_date(text), text
