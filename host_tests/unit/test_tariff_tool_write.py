"""In which order tools/tariff writes: whatever fails when, a whole tariff is in force and told."""

import datetime
import io
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip("gurux_dlms")
pytest.importorskip("dateutil")
sys.path.append(str(ROOT / "tools"))

import tariff_file
from meter_link import LinkError, Refused
from tariff_cosem import CALENDAR, CALENDAR_CLASS, SPECIAL_DAYS
from tariff_dates import NEVER
from tariff_meter import Console, Writer, borrow_names, differences, read

OLD, NEW = (
    tariff_file.load(ROOT / "tools" / "tariffs" / f"{name}.toml")[0]
    for name in ("day-night", "seasons")
)
TARIFFS, MASKS = "0-0:10.0.100", "0-0:14.0.1"
CLOCK = bytes.fromhex("07ea0c120510000000800000")  # 2026-12-18, 16:00
UNKNOWN = 4


def name(code):
    return (
        bytes(int(part) for part in code.replace("-", ".").replace(":", ".").split(".")) + b"\xff"
    )


class PaperMeter:
    """What a meter holds, attribute by attribute; the call number `fails` raises `error`."""

    def __init__(self, fails=-1, error=None):
        self.fails, self.error = fails, error
        self.calls = 0
        self.values = {
            ("0-0:42.0.0", 2): b"FRS1",
            ("0-0:1.0.0", 2): CLOCK,
            (CALENDAR, 10): NEVER,
            (SPECIAL_DAYS, 2): [],
            (TARIFFS, 2): [
                [rate, [[1, 6, name(MASKS), 4, bytes((0, rate))]]] for rate in range(1, 9)
            ],
            (MASKS, 2): [[3, bytes((1, 0, 1, 8, rate, 255))] for rate in range(1, 9)],
            (MASKS, 3): [[bytes((0, rate)), [rate]] for rate in range(1, 9)],
        }
        for index in range(2, 10):
            self.values[CALENDAR, index] = [] if index not in (2, 6) else b""

    def _step(self):
        self.calls += 1
        if self.calls - 1 == self.fails:
            raise self.error

    def get(self, class_id, code, index, progress=None):
        self._step()
        if (code, index) not in self.values:
            raise Refused(code, UNKNOWN)
        return self.values[code, index]

    get_typed = get

    def set(self, class_id, code, index, tag, value, progress=None):
        self._step()
        self.values[code, index] = plain(value)

    def call(self, class_id, code, index, tag, value):
        self._step()
        if class_id == CALENDAR_CLASS:
            for number in range(4):
                self.values[CALENDAR, 2 + number] = self.values[CALENDAR, 6 + number]
        else:
            mask, indices = plain(value)
            self.values[code, 3] = [m for m in self.values[code, 3] if m[0] != mask]
            self.values[code, 3].append([mask, indices])


def plain(value):
    if isinstance(value, list):
        return [plain(part) for part in value]
    return bytes(value) if isinstance(value, (bytes, bytearray)) else int(value)


def write(meter, tariff, when="now", *, repair=False):
    writer = Writer(meter, tariff, Console(io.StringIO(), io.StringIO()))
    return writer, writer.write(when, repair=repair)


def with_old():
    meter = PaperMeter()
    assert write(meter, OLD)[1] == []
    meter.calls = 0
    return meter


def in_force(meter):
    return read(meter, 2, lambda _: None).tables


def calls_of_a_write():
    meter = with_old()
    write(meter, NEW)
    return meter.calls


@pytest.mark.parametrize("error", [Refused("no", 3), LinkError("the line is cut")])
def test_whatever_step_fails_one_whole_tariff_is_in_force_and_told(error):
    old_days, new_days = OLD.tables.special_days, NEW.tables.special_days
    ends = set()
    for step in range(calls_of_a_write()):
        meter = with_old()
        meter.fails, meter.error = step, error
        writer = Writer(meter, NEW, Console(io.StringIO(), io.StringIO()))
        with pytest.raises(type(error)):
            writer.write("now", repair=False)
        meter.fails = -1
        found = in_force(meter)
        days = found.special_days
        assert found.name in (OLD.tables.name, NEW.tables.name)
        found.special_days = []
        whole = OLD.tables if found.name == OLD.tables.name else NEW.tables
        assert (found.seasons, found.weeks, found.days) == (whole.seasons, whole.weeks, whole.days)
        if whole is NEW.tables:
            assert days == new_days
            assert "was not read back" in writer.state or "not known" in writer.state
        elif days == new_days:
            assert isinstance(error, LinkError) and not isinstance(error, Refused)
            assert "special days are new" in writer.state or "not known" in writer.state
        else:
            assert days == old_days
            told = ("nothing was changed", '"DAY-NIGHT" is still', "put back", "not known")
            assert any(words in writer.state for words in told), writer.state
        ends.add(writer.state)
        assert write(meter, NEW)[1] == []  # writing again mends everything
    assert len(ends) >= 5


def test_an_activation_that_was_planned_is_called_off_before_anything_else():
    meter = with_old()
    assert write(meter, NEW, datetime.datetime(2027, 1, 1))[1] == []
    assert meter.values[CALENDAR, 10] == bytes.fromhex("07eb0101ff000000008000ff")
    meter.calls = 0
    written = []
    keep = meter.set
    meter.set = lambda *arguments: written.append(arguments[1:3]) or keep(*arguments)
    assert write(meter, OLD, None)[1] == []
    assert written[0] == (CALENDAR, 10) and written[1] == (CALENDAR, 6)
    assert meter.values[CALENDAR, 10] == NEVER
    assert in_force(meter).name == b"DAY-NIGHT"


def test_a_meter_that_keeps_something_else_is_found_out():
    meter = with_old()
    keep = meter.set

    def forgetful(class_id, code, index, tag, value, progress=None):
        keep(class_id, code, index, tag, value)
        if (code, index) == (CALENDAR, 9):
            meter.values[code, index] = meter.values[code, index][:-1]

    meter.set = forgetful
    with pytest.raises(LinkError, match="day type 4 is not in the meter"):
        write(meter, NEW)
    assert in_force(meter).name == b"DAY-NIGHT"


def test_rates_get_their_scripts_and_masks_and_foreign_ones_stay_unless_asked():
    meter = PaperMeter()
    del meter.values[TARIFFS, 2][1]
    meter.values[MASKS, 3] = meter.values[MASKS, 3][:1]
    write(meter, OLD)
    assert [script[0] for script in meter.values[TARIFFS, 2]] == list(range(1, 9))
    assert [bytes((0, 2)), [2]] in meter.values[MASKS, 3]
    meter.values[TARIFFS, 2][0][1][0][4] = b"OTHER"
    with pytest.raises(Refused, match="no mask 4f54484552, which script 1 writes"):
        write(meter, NEW)
    assert in_force(meter).name == b"DAY-NIGHT"
    write(meter, NEW, repair=True)
    assert meter.values[TARIFFS, 2][0][1][0][4] == b"\x00\x01"
    meter.values[MASKS, 3] = [[b"\x00\x01", [2]]]
    with pytest.raises(Refused, match=r"1-0:1.8.1 is not in the mask 0001"):
        write(meter, OLD)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ((CALENDAR, 7), [[b"A", b"short", b"W"]]),
        ((CALENDAR, 7), [[b"A"]]),
        ((CALENDAR, 8), [[b"W", 1, 2, 3]]),
        ((CALENDAR, 8), 7),
        ((CALENDAR, 9), [[1, [[b"\x19\x00\x00\x00", name(TARIFFS), 1]]]]),
        ((CALENDAR, 9), [[300, []]]),
        ((CALENDAR, 6), 5),
        ((SPECIAL_DAYS, 2), [[1, b"12345678", 1]]),
        ((SPECIAL_DAYS, 2), "none"),
    ],
)
def test_a_meter_that_answers_other_things_is_no_traceback(key, value):
    meter = with_old()
    meter.values[key] = value
    with pytest.raises(LinkError):
        read(meter, 6, lambda _: None)


def test_differences_are_told_in_sentences():
    told = differences(NEW.tables, OLD.tables)
    assert told[0] == 'the name is "DAY-NIGHT", not "SEASONS-3"'
    assert "season summer is not in the meter" in told
    assert told[-1].endswith("differences more") and len(told) == 13
    assert differences(NEW.tables, NEW.tables) == []


def test_names_come_back_from_a_file_where_it_is_the_same_thing():
    meter = with_old()
    write(meter, NEW)
    found = read(meter, 2, lambda _: None)
    assert found.day_names[1] == "day-1" and found.rate(1).name == "rate 1"
    borrow_names(found, NEW)
    assert found.day_names == NEW.day_names and found.rates == NEW.rates
    assert found.holiday_names == NEW.holiday_names


@pytest.mark.parametrize(
    ("deviation_min", "shown"),
    [(-60, " (UTC+01:00)"), (0, " (UTC+00:00)"), (210, " (UTC-03:30)"), (-0x8000, "")],
)
def test_the_clock_is_told_with_its_distance_from_utc(deviation_min, shown):
    meter = PaperMeter()
    octets = CLOCK[:9] + deviation_min.to_bytes(2, "big", signed=True) + b"\0"
    meter.values["0-0:1.0.0", 2] = octets
    said = io.StringIO()
    Writer(meter, NEW, Console(said, io.StringIO())).write("now", repair=False)
    assert f"its clock: 2026-12-18 16:00:00{shown}\n" in said.getvalue()
