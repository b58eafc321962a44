"""The event book: which log keeps what, hold-off, overflow, clearing, failing memories."""

import random
import struct
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))

import events as table
from log_rig import NOW_UTC_S, LogRig

from app import event_codes as codes
from app.errors import AccessRefused
from app.logs import events
from app.logs.event_table import EVENTS
from app.logs.events import FRAUD, LOGS, SECURITY, STANDARD
from app.storage import rings

SEED = 20260201
LETTERS = "SFDMQKLUYP"  # of the logs, in the order of LOGS
NUMBERS = [number for number, _, _ in struct.iter_unpack("<HHB", EVENTS)]
ROOT = Path(__file__).resolve().parents[2]


def table_8_2():
    """Which logs each code may stand in: sets of letters; a code may have several meanings."""
    listed = (ROOT / "docs/features.md").read_text(encoding="utf-8").split("**Table 8.2")[1]
    logs = {}
    for row in listed.split("**Table 8.3")[0].splitlines():
        cells = [cell.strip() for cell in row.split("|")]
        if len(cells) > 3 and cells[1][:1].isdigit():
            for choice in cells[2].split(" or "):
                letters = set(choice) & set(LETTERS)
                for code in cells[1].split(","):
                    logs.setdefault(int(code), []).append(letters)
    return logs


TABLE_8_2 = table_8_2()
TABLE_8_4 = [{"S"}, {"K"}, {"P"}, set()]  # codes 206, 159, 250 to 252; 255 is a log's own
PQL_14 = {code: [{"Q"}] for code in (216, 217, 219, 220, 221, 222, 224, 225, 226)}  # not in it


@pytest.fixture
def rig():
    return LogRig()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(rings.time, "sleep_ms", lambda _ms: None, raising=False)


@pytest.mark.row("EVT-02")
def test_an_entry_is_the_clock_of_the_moment_and_the_code(rig):
    rig.book.post(codes.POWER_UP)
    rig.later(5)
    rig.clock.invalid = True
    rig.book.post(codes.CLOCK_INVALID)
    assert rig.rows(rig.book.logs[STANDARD]) == [
        (NOW_UTC_S, -60, 0x00, 2),
        (NOW_UTC_S + 5, -60, 0x01, 6),
    ]


def test_an_event_may_bear_a_time_of_its_own(rig):
    rig.book.post(codes.POWER_DOWN, NOW_UTC_S - 3600)
    assert rig.rows(rig.book.logs[STANDARD])[0][0] == NOW_UTC_S - 3600


@pytest.mark.row("EVT-01")
def test_event_code_objects_show_the_latest_code_and_0_after_power_up(rig):
    book = rig.book
    assert [log.latest for log in book.logs] == [0] * len(LOGS)
    book.post(codes.LOGIN_LOCKED)
    book.post(codes.LOGGED_IN)
    assert [log.latest for log in book.logs] == [0, 46, 0, 0, 0, 0, 0, 0, 249, 0]
    rig.boot()
    assert [log.latest for log in rig.book.logs] == [0] * len(LOGS)
    assert rig.codes(FRAUD) == [46]


@pytest.mark.row("EVT-03")
@pytest.mark.row("SEC-64")
def test_each_event_is_in_its_logs_and_in_no_other(rig):
    rig.book.set_hold_off(0)
    for number in NUMBERS:
        code = number & 0xFF
        before = [log.next for log in rig.book.logs]
        rig.later(61)
        rig.book.post(number)
        letters = {
            letter
            for letter, log, count in zip(LETTERS, rig.book.logs, before)
            if log.next == count + 1 and log.latest == code
        }
        assert letters in {**TABLE_8_2, **PQL_14}.get(code, []) + TABLE_8_4, number
        if number != codes.DATA_DAMAGED:  # that is a fatal error, too
            assert sum(log.next for log in rig.book.logs) == sum(before) + len(letters)


def test_the_table_and_the_names_of_codes_agree():
    assert list(NUMBERS) == sorted(set(NUMBERS))
    names = {name: getattr(codes, name) for name in dir(codes) if name.isupper()}
    assert {event.name: event.number for event in table.read() if event.name} == names
    assert {number & 0xFF for number in NUMBERS} >= set(TABLE_8_2)


def test_what_was_made_from_the_table_is_of_today():
    assert table.MODULE.read_text(encoding="utf-8") == table.module(table.read())
    assert table.DOCUMENT.read_text(encoding="utf-8") == table.document(table.read())
    assert len(table.LOGS) == len(LOGS) + 1  # M-Bus control is one a channel


@pytest.mark.parametrize(
    "line",
    [
        "7,0,,S,,,,,EVT-03,twice\n7,0,,S,,,,,EVT-03,twice",
        "0,0,,S,,,,,EVT-03,no code",
        "300,0,,S,,,,,EVT-03,no code",
        "x,0,,S,,,,,EVT-03,no number",
        "7,0,lower,S,,,,,EVT-03,no name",
        "7,0,,SS,,,,,EVT-03,a log twice",
        "7,0,,Z,,,,,EVT-03,no log",
        "7,0,,S,1.32,,,,EVT-03,no bit",
        "7,0,,S,4.1,,,,EVT-03,no register",
        "7,0,,S,,0x100000000,,,EVT-03,too wide",
        "7,0,,S,,,,,EVT-03,",
        "7,0",
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path, line):
    path = tmp_path / "events.csv"
    path.write_text(",".join(table.COLUMNS) + "\n" + line + "\n")
    with pytest.raises(table.TableError, match=r"events\.csv, line [23]: "):
        table.read(path)


def test_causes_of_one_event_are_one_code_in_the_log(rig):
    rig.book.post(codes.BACKUP_DAMAGED)
    rig.book.post(codes.CALIBRATION_DAMAGED)
    assert rig.codes(STANDARD) == [14, 16]


@pytest.mark.row("EVT-05")
def test_a_cleared_log_begins_with_255_and_other_logs_stay(rig):
    rig.book.post(codes.KEYS_CHANGED)
    rig.book.post(codes.REPLAYED)
    rig.book.logs[SECURITY].reset()
    assert rig.codes(SECURITY) == [255]
    assert rig.book.logs[SECURITY].latest == 255
    assert rig.codes(STANDARD) == [48]
    assert rig.codes(FRAUD) == [50]
    rig.boot()
    assert rig.codes(SECURITY) == [255]


@pytest.mark.row("EVT-07", "FRD-13")
def test_the_fraud_log_holds_a_code_off_for_900_s_each_by_itself(rig):
    # the row's own example: 42 at 9:00, 43 at 9:01, 42 at 9:14, 43 at 9:17
    post = rig.book.post
    post(42)
    rig.later(60)
    post(43)
    rig.later(780)
    post(42)
    rig.later(180)
    post(43)
    assert rig.codes(FRAUD) == [42, 43, 43]


def test_a_start_ends_no_hold_off(rig):
    """The battery starts the meter at each move of a cover."""
    for code in (42, 43, 40):
        rig.book.post(code)
        rig.later(100)
    rig.boot()
    rig.book.post(42)
    rig.later(600)
    rig.boot()
    rig.book.post(42)  # 900 s after its entry
    rig.book.post(43)
    assert rig.codes(FRAUD) == [42, 43, 40, 42]


def test_what_a_start_finds_untold_is_told_once_at_its_time(rig):
    rig.book.set_hold_off(0)
    rig.book.post(40, NOW_UTC_S)
    rig.later(7200)
    rig.boot()
    rig.book.post_again(40, NOW_UTC_S)
    rig.book.post_again(42, NOW_UTC_S + 5)
    assert [(row[0], row[3]) for row in rig.rows(rig.book.logs[FRAUD])] == [
        (NOW_UTC_S, 40),
        (NOW_UTC_S + 5, 42),
    ]


@pytest.mark.row("FRD-16")
def test_each_change_of_a_parameter_counts_and_is_dated_over_power(rig):
    assert (rig.book.changes, rig.book.changed_utc_s) == (0, 0)
    for _ in range(3):
        rig.later(20)
        rig.book.setting_changed("clock")
    rig.book.setting_changed("battery")  # not a parameter
    rig.book.set_error_filter(0, 1)
    assert (rig.book.changes, rig.book.changed_utc_s) == (4, rig.now_s)
    assert rig.codes(STANDARD) == [47]
    changed_utc_s = rig.now_s
    rig.later(1000)
    rig.boot()
    assert (rig.book.changes, rig.book.changed_utc_s) == (4, changed_utc_s)
    rig.fram.dead = True
    rig.book.setting_changed("clock")
    assert rig.book.changes == 5  # as long as there is power


def test_the_hold_off_can_be_set_and_outlasts_power(rig):
    rig.book.set_hold_off(10)
    rig.boot()
    assert rig.book.hold_off_s == 10
    rig.book.post(codes.REPLAYED)
    rig.later(9)
    rig.book.post(codes.REPLAYED)
    rig.later(1)
    rig.book.post(codes.REPLAYED)
    assert rig.codes(FRAUD) == [50, 50]
    assert rig.codes(SECURITY) == [50, 50, 50]  # only the fraud log holds off
    with pytest.raises(ValueError, match="hold-off"):
        rig.book.set_hold_off(86401)
    rig.fram.dead = True
    with pytest.raises(OSError, match="answer"):
        rig.book.set_hold_off(20)
    assert rig.book.hold_off_s == 10


def test_a_clock_set_back_does_not_close_the_fraud_log(rig):
    rig.book.post(codes.REPLAYED)
    rig.later(-86400)
    rig.book.post(codes.REPLAYED)
    assert rig.codes(FRAUD) == [50, 50]


def test_the_event_system_is_chosen_for_the_next_start(rig):
    rig.book.set_system(2)
    rig.boot()
    assert rig.book.system == 2
    with pytest.raises(ValueError, match="event system"):
        rig.book.set_system(3)


def test_changes_of_parameters_within_a_minute_are_one_event(rig):
    for _ in range(5):
        rig.book.setting_changed("clock")
        rig.later(50)
    assert rig.codes(STANDARD) == [47]
    rig.later(60)
    rig.book.setting_changed("tcp")
    rig.book.setting_changed("keys")  # event 48 is the security's own
    assert rig.codes(STANDARD) == [47, 47]


@pytest.mark.row("EVT-14")
def test_the_oldest_of_501_standard_events_is_gone(rig):
    rig.book.post(codes.POWER_UP)
    for _ in range(499):
        rig.book.post(codes.DAYLIGHT_SAVING_CHANGED)
    assert rig.codes(STANDARD) == [2] + [3] * 499
    rig.book.post(codes.BATTERY_LOW)
    assert rig.codes(STANDARD) == [3] * 499 + [8]
    assert rig.book.logs[STANDARD].capacity == 500


@pytest.mark.row("EVT-14")
@pytest.mark.row("SEC-60")
def test_the_101st_certified_change_is_refused_until_the_log_is_erased_unlocked(rig):
    from app.parameters import LED_CONSTANT_ACTIVE, OUTPUT_WIDTH

    log = rig.certification
    for number in range(100):
        log.record(LED_CONSTANT_ACTIVE, number, number + 1)
    with pytest.raises(AccessRefused):
        log.record(LED_CONSTANT_ACTIVE, 100, 101)
    log.record(OUTPUT_WIDTH, 30, 40)  # not watched: not logged, not refused
    assert log.next - log.first == 100
    assert log.last() == (bytes((1, 0, 0, 3, 0, 255)), 99, 100)
    rig.lock.open = 0
    with pytest.raises(AccessRefused):
        log.reset()
    rig.lock.open = 1
    log.reset()
    assert log.last() == (b"", 0, 0)
    assert rig.codes(STANDARD) == [254]
    log.record(LED_CONSTANT_ACTIVE, 100, 101)
    assert log.last()[1:] == (100, 101)


def test_a_change_that_cannot_be_certified_is_refused(rig):
    from app.parameters import CT_NUMERATOR

    rig.flash.dead = True
    rig.boot()
    with pytest.raises(OSError, match="flash"):
        rig.certification.record(CT_NUMERATOR, 1, 2)


@pytest.mark.row("EVT-08")
def test_a_long_power_failure_is_logged_with_its_end_and_duration(rig):
    rig.book.outage(240)
    assert rig.rows(rig.book.power_failures) == [(NOW_UTC_S, -60, 0, 240)]
    rig.book.outage(-1)  # the clock stood still as well
    assert rig.rows(rig.book.power_failures)[1][3] == 0


@pytest.mark.row("EVT-06")
def test_a_damaged_entry_is_known_and_the_others_stay(rig):
    for code in (1, 2, 3):
        rig.book.post(code)
    rig.rings.flush()
    at = rig.flash.octets.index(b"\x02", 40)  # the code of the second entry
    while rig.flash.octets[at - 7 : at - 3] != NOW_UTC_S.to_bytes(4, "little"):
        at = rig.flash.octets.index(b"\x02", at + 1)
    rig.flash.octets[at] ^= 0x40
    assert rig.codes(STANDARD) == [1, -1, 3]
    assert rig.book.logs[STANDARD].damaged == 1


def test_events_before_the_logs_are_open_are_kept_in_order_and_counted_beyond_16():
    rig = LogRig().boot(open_logs=False)
    for code in range(20):
        rig.book.post(codes.POWER_UP if code == 0 else codes.POWER_DOWN, NOW_UTC_S - code)
    assert (rig.book.posted, rig.book.lost) == (20, 4)
    rig.open()
    assert [row[0] for row in rig.rows(rig.book.logs[STANDARD])] == [
        NOW_UTC_S - code for code in range(16)
    ]


def test_flash_that_never_answers_loses_events_by_count_and_raises_nothing(rig):
    rig.flash.dead = True
    rig.boot()
    for _ in range(3):
        rig.book.post(codes.KEYS_CHANGED)  # two logs
    rig.book.outage(10)
    assert rig.book.lost == 7
    assert rig.book.logs[STANDARD].latest == 48


def test_flash_that_fails_later_loses_events_by_count_until_it_works_again(rig):
    rig.book.post(codes.POWER_UP)
    rig.flash.dead = True
    for _ in range(100):
        rig.book.post(codes.POWER_DOWN)
    assert rig.book.lost == 100
    rig.flash.dead = False
    rig.book.post(codes.CLOCK_INVALID)
    rig.boot()
    assert rig.codes(STANDARD) == [2, 6]


def test_no_memory_at_all_stops_nothing(rig):
    rig.fram.dead = rig.flash.dead = True
    rig.boot(open_logs=False)
    rig.book.post(codes.MEMORY_ERROR)
    assert rig.book.errors.value(0) == 0x400


def test_a_storm_keeps_order_and_room(rig):
    """Ten thousand events: each log holds its newest, in order, over a power cut too."""
    source = random.Random(SEED)
    print("seed", SEED)
    posted = [[] for _ in LOGS]
    rig.book.set_hold_off(0)
    kinds = [
        number
        for number in NUMBERS
        if number not in (codes.PARAMETERS_CHANGED, codes.DATA_DAMAGED)
    ]
    for number in range(10_000):
        code = source.choice(kinds)
        rig.later(source.choice((0, 0, 0, 1)))
        rig.book.post(code)
        for place in range(len(LOGS)):
            if events.meaning(code)[0] & 1 << place:
                posted[place].append((rig.now_s, code & 0xFF))
        if number % 7 == 0:
            rig.rings.step()  # the background task gets a turn now and then
    assert (rig.book.posted, rig.book.lost) == (10_000, 0)
    for _ in range(2):
        for place in range(len(LOGS)):
            rows = [(row[0], row[3]) for row in rig.rows(rig.book.logs[place])]
            assert rows == posted[place][-500:]
        rig.boot()
