"""Forms of a profile's buffer: null-data for what the client can tell by itself (row LPR-09)."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from capture_rig import CLOCK, NAME, CaptureRig, register
from dlms_rig import NOW_UTC_S
from load_rig import LoadRig
from profile_rig import by_entry, by_range, time

from app.logs import captured
from app.rows import pack_objects
from app.storage import rings

MINUTE_S = 60
FORMS = (captured.WHOLE, captured.TIMES, captured.CHANGES)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(rings.time, "sleep_ms", lambda _ms: None, raising=False)


@pytest.fixture
def rig():
    """Thirty rows, one a minute; A+ changes with each tenth, the status in the sixth."""
    rig = CaptureRig()
    energies = rig.dlms.registers._energies
    rig.profile.period_s = MINUTE_S
    for number in range(30):
        energies.wh = [1725 + number // 10, *energies.wh[1:]]
        rig.capture(status=0x80 if number == 5 else 0)
    return rig


def nulls(rows):
    """How many values of each column are left out."""
    return [sum(value is None for value in column) for column in zip(*rows, strict=True)]


def completed(rows):
    """What a client makes of null-data: the value before, or the time before and the period."""
    full = []
    for row in rows:
        values = list(row)
        for place, value in enumerate(values):
            if value is None:
                before = full[-1][place]
                values[place] = before if isinstance(before, int) else a_minute_later(before)
        full.append(values)
    return full


def a_minute_later(octets):
    hour, minute = divmod(octets[5] * 60 + octets[6] + 1, 60)
    return octets[:5] + bytes((hour, minute)) + octets[7:]


def read(rig, form, selection=""):
    rig.profile.form = form
    return rig.rows(NAME, selection)


@pytest.mark.parametrize("pdu_size", [1024, 64])
def test_a_client_has_the_same_from_every_form(rig, pdu_size):
    rig.dlms.associate(pdu_size)
    whole = read(rig, captured.WHOLE)
    times = read(rig, captured.TIMES)
    changes = read(rig, captured.CHANGES)
    assert nulls(whole) == [0, 0, 0, 0]
    assert nulls(times) == [29, 0, 0, 0]
    assert nulls(changes) == [29, 27, 27, 29]
    assert completed(times) == completed(changes) == whole


@pytest.mark.parametrize("form", FORMS[1:])
@pytest.mark.parametrize(
    "selection",
    [
        by_entry(7, 20),
        by_entry(6, 6),
        by_range(time(NOW_UTC_S + 8 * 60), time(NOW_UTC_S + 12 * 60)),
        by_range(time(NOW_UTC_S), time(NOW_UTC_S + 600), [pack_objects([register(1)]).hex()[4:]]),
    ],
)
def test_what_is_sent_first_is_whole(rig, selection, form):
    whole = read(rig, captured.WHOLE, selection)
    part = read(rig, form, selection)
    assert part[0] == whole[0]
    assert completed(part) == whole


def test_a_range_of_values_compares_what_is_not_sent(rig):
    register_1 = pack_objects([register(1)]).hex()[4:]
    some = by_range("1500000000000006be", "1500000000000006be", restricting=register_1)
    rows = read(rig, captured.CHANGES, some)
    assert len(rows) == 10
    assert completed(rows)[9][2] == 0x6BE


@pytest.mark.parametrize("form", FORMS[1:])
def test_a_time_that_does_not_follow_is_sent(rig, form):
    rig.dlms.clock.set_utc_s(rig.dlms.clock.utc_s() + 600)
    rig.capture(2)
    rig.dlms.clock.doubtful = True  # the status of the time changes
    rig.profile.capture_at(rig.dlms.clock.utc_s() + MINUTE_S)
    times = [row[0] for row in read(rig, form)]
    assert [place for place, octets in enumerate(times) if octets] == [0, 30, 32]


def test_a_damaged_row_and_the_one_behind_it_are_sent_with_their_times(rig):
    whole = read(rig, captured.WHOLE)
    rig.profile.load(10)
    at = rig.flash.octets.find(bytes(rig.recorder.row[:13]))
    rig.flash.octets[at + 12] ^= 1
    times = read(rig, captured.TIMES)
    assert times[10][:2] == [bytes.fromhex("ffffffffffffffffff8000ff"), 5]
    assert times[11] == whole[11]
    changes = read(rig, captured.CHANGES)
    assert changes[11] == whole[11]


def test_a_value_that_could_not_be_read_is_null_data_in_every_form(rig):
    """And the one that comes behind it is sent."""
    assert rig.set(3, [CLOCK, register(1)]) == 0
    rig.profile.period_s = MINUTE_S
    registers = rig.dlms.registers
    value = registers.value
    for number in range(4):
        registers.value = fails if number == 1 else value
        rig.capture()
    registers.value = value
    assert [row[1] for row in read(rig, captured.WHOLE)] == [1727, None, 1727, 1727]
    assert [row[1] for row in read(rig, captured.CHANGES)] == [1727, None, 1727, None]


def fails(_index):
    raise OSError("chip")


def test_the_form_is_kept(monkeypatch):
    rig = LoadRig()
    assert {profile.form for profile in rig.profiles} == {captured.WHOLE}
    rig.load.set_form(captured.TIMES)
    rig.power_cut(1)
    assert {profile.form for profile in rig.profiles} == {captured.TIMES}
    for wrong in (-1, 3, 255):
        with pytest.raises(ValueError, match="form"):
            rig.load.set_form(wrong)
    rig.memory.dead = True
    with pytest.raises(OSError):
        rig.load.set_form(captured.WHOLE)
    assert rig.load.form == captured.TIMES
